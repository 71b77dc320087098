//! Creates folders and files that survive a power cut and that only their owner can read.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

/// Creates a folder and its parents, each synced to the disk when this returns.
pub(super) fn create(folder: &Path) -> io::Result<()> {
    let is_missing = |folder: &&Path| !folder.as_os_str().is_empty() && !folder.exists();
    let missing: Vec<&Path> = folder.ancestors().take_while(is_missing).collect();
    if missing.is_empty() && folder.is_dir() {
        return Ok(());
    }
    make(folder)?;
    missing.into_iter().try_for_each(|made| sync(above(made)))
}

/// The parent folder of a file or folder.
pub(super) fn above(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."))
}

/// Syncs a folder: a new name in it is on the disk only after that.
#[cfg(unix)]
pub(super) fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
pub(super) fn sync(_folder: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn make(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(not(unix))]
fn make(folder: &Path) -> io::Result<()> {
    std::fs::create_dir_all(folder)
}

/// Opens a file to write at its end; a new one is readable by its owner only. What root creates in a folder of somebody else
/// belongs to that folder's owner, like what SQLite puts beside it: a service that does not run as root has to write it.
pub(super) fn open_private(path: &Path) -> io::Result<File> {
    match private(OpenOptions::new().create_new(true).append(true)).open(path) {
        Ok(made) => {
            give_to_owner_of(above(path), &made)?;
            Ok(made)
        }
        // Whatever has that name already keeps its owner: the name may be a link to something else.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            private(OpenOptions::new().create(true).append(true)).open(path)
        }
        Err(error) => Err(error),
    }
}

#[cfg(unix)]
fn give_to_owner_of(folder: &Path, made: &File) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, fchown};
    let (above, file) = (folder.metadata()?, made.metadata()?);
    if file.uid() == 0 && above.uid() != 0 {
        fchown(made, Some(above.uid()), Some(above.gid()))
    } else {
        Ok(())
    }
}

#[cfg(not(unix))]
fn give_to_owner_of(_folder: &Path, _made: &File) -> io::Result<()> {
    Ok(())
}

/// New files are readable by their owner only, since they hold people's messages.
#[cfg(unix)]
pub(crate) fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    options.mode(0o600)
}

#[cfg(not(unix))]
pub(crate) fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}
