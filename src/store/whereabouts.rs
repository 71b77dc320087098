//! Checks that a store's files are still where they were opened.
//!
//! A file that was removed or replaced still accepts writes while it is open, but all of them are lost when it is
//! closed, and SQLite does not notice. So the names are checked around every transaction: if one is gone, or leads to
//! another file, the disk counts as failed.

use std::path::{Path, PathBuf};

/// A file of the store is not where it was.
#[derive(Debug, thiserror::Error)]
#[error("{} is gone, or another file is in its place", .0.display())]
pub(super) struct Gone(PathBuf);

/// The names of a store's files, and the files they led to.
#[derive(Debug, Default)]
pub(super) struct Whereabouts(Vec<(PathBuf, Option<FileId>)>);

impl Whereabouts {
    /// For a store that was just opened. SQLite creates its two other files when it first needs them.
    pub(super) fn of(store: &Path) -> Self {
        let named = |suffix: &str| {
            let mut name = store.as_os_str().to_owned();
            name.push(suffix);
            PathBuf::from(name)
        };
        let files = ["", "-wal", "-shm"].map(named);
        Self(files.map(|path| (FileId::at(&path), path)).map(|(id, path)| (path, id)).into())
    }

    /// Checks that every known file is still there.
    ///
    /// # Errors
    /// One is not.
    pub(super) fn check(&mut self) -> Result<(), Gone> {
        for (path, known) in &mut self.0 {
            let found = FileId::at(path);
            match known {
                Some(known) if found != Some(*known) => return Err(Gone(path.clone())),
                Some(_) => {}
                None => *known = found,
            }
        }
        Ok(())
    }
}

/// Distinguishes a file from another one with the same name.
#[cfg(unix)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FileId {
    device: u64,
    inode: u64,
}

#[cfg(unix)]
impl FileId {
    fn at(path: &Path) -> Option<Self> {
        use std::os::unix::fs::MetadataExt;
        let found = path.metadata().ok()?;
        Some(Self { device: found.dev(), inode: found.ino() })
    }
}

/// If an open file cannot be removed, there is nothing to distinguish.
#[cfg(not(unix))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FileId;

#[cfg(not(unix))]
impl FileId {
    fn at(path: &Path) -> Option<Self> {
        path.exists().then_some(Self)
    }
}
