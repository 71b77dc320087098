//! Files that only their owner may read: a password that others may read is no secret, and messages are nobody else's.

use std::fs::File;
use std::path::{Path, PathBuf};

use crate::terminal::quoted;

/// A file with a secret can be read or changed by others.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{} holds a password, and others may read or change it (mode {mode:04o}); make it private with: chmod 600 {}",
    path.display(),
    quoted(path)
)]
pub struct Exposed {
    /// The file.
    pub path: PathBuf,
    /// Its permission bits.
    pub mode: u32,
}

/// Files of a store can be read or changed by others.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("others may {} it (mode {mode:04o}); make it private with: chmod 600 {}", self.may(), self.listed())]
pub struct ExposedStore {
    /// Those of its files.
    pub files: Vec<PathBuf>,
    /// What others may do with any of them, as permission bits.
    pub mode: u32,
}

impl ExposedStore {
    /// True if others may have written what is in it, or may yet.
    #[must_use]
    pub const fn is_changeable(&self) -> bool {
        self.mode & 0o022 != 0
    }

    const fn may(&self) -> &'static str {
        if self.is_changeable() { "read or change" } else { "read" }
    }

    fn listed(&self) -> String {
        self.files.iter().map(|file| quoted(file)).collect::<Vec<_>>().join(" ")
    }
}

/// Makes an open file private if nothing is in it yet, whoever put it there; what cannot be made private is found by
/// [`check_store`].
#[cfg(unix)]
pub fn claim(file: &File) {
    use std::os::unix::fs::PermissionsExt;
    let Ok(found) = file.metadata() else { return };
    if found.is_file()
        && found.len() == 0
        && let Err(error) = file.set_permissions(std::fs::Permissions::from_mode(0o600))
    {
        tracing::debug!(%error, "an empty file cannot be made private");
    }
}

/// Checks that only its owner can access the store at this path and what SQLite keeps beside it. A file that is not there
/// passes.
///
/// # Errors
/// Its group, or everybody, may read or change it.
#[cfg(unix)]
pub fn check_store(path: &Path) -> Result<(), ExposedStore> {
    use std::os::unix::fs::PermissionsExt;
    let beside = |suffix: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        PathBuf::from(name)
    };
    let (mut files, mut all) = (Vec::new(), 0);
    for file in [path.to_owned(), beside("-wal"), beside("-shm")] {
        let Ok(found) = std::fs::metadata(&file) else { continue };
        let mode = found.permissions().mode() & 0o7777;
        if found.is_file() && mode & 0o077 != 0 {
            files.push(file);
            all |= mode;
        }
    }
    if files.is_empty() { Ok(()) } else { Err(ExposedStore { files, mode: all }) }
}

/// True if anybody may put another file in place of one in this folder.
#[cfg(unix)]
#[must_use]
pub fn is_open_to_all(folder: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    // With the sticky bit, as in /tmp, only the owner of a file may remove it.
    std::fs::metadata(folder).is_ok_and(|found| found.permissions().mode() & 0o1002 == 0o0002)
}

/// On other systems, others are kept out by the user's own folder.
#[cfg(not(unix))]
pub fn claim(_file: &File) {}

/// The same.
///
/// # Errors
/// None.
#[cfg(not(unix))]
pub fn check_store(_path: &Path) -> Result<(), ExposedStore> {
    Ok(())
}

/// The same.
#[cfg(not(unix))]
#[must_use]
pub fn is_open_to_all(_folder: &Path) -> bool {
    false
}

/// Checks that only its owner can access an open file. Anything but a regular file (a pipe, a terminal) passes:
/// somebody passed it on purpose.
///
/// # Errors
/// Its group, or everybody, may read or change it.
#[cfg(unix)]
pub fn check(file: &File, path: &Path) -> Result<(), Exposed> {
    use std::os::unix::fs::PermissionsExt;
    let Ok(found) = file.metadata() else { return Ok(()) };
    let mode = found.permissions().mode() & 0o7777;
    if found.is_file() && mode & 0o077 != 0 {
        return Err(Exposed { path: path.to_owned(), mode });
    }
    Ok(())
}

/// On other systems, others are kept out by the user's own folder.
#[cfg(not(unix))]
pub fn check(_file: &File, _path: &Path) -> Result<(), Exposed> {
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_file_that_others_may_read_or_change_is_refused_with_the_command_that_mends_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("my password");
        std::fs::write(&path, "sesame\n").unwrap();
        for (mode, is_private) in
            [(0o600, true), (0o400, true), (0o644, false), (0o640, false), (0o604, false), (0o620, false)]
        {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            let found = check(&File::open(&path).unwrap(), &path);
            assert_eq!(found.is_ok(), is_private, "{mode:o}: {found:?}");
        }
        let told = Exposed { path: PathBuf::from("/etc/my password"), mode: 0o644 }.to_string();
        assert_eq!(
            told,
            "/etc/my password holds a password, and others may read or change it (mode 0644); make it private \
             with: chmod 600 '/etc/my password'"
        );
        let told = Exposed { path: PathBuf::from("/etc/p"), mode: 0o660 }.to_string();
        assert!(
            told.ends_with(
                " holds a password, and others may read or change it (mode 0660); make it private with: chmod 600 /etc/p"
            )
        );
    }
    #[test]
    fn the_files_of_a_store_that_others_may_use_are_named_with_the_command_that_mends_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.sqlite3");
        assert_eq!(check_store(&path), Ok(()), "no file is no fault");
        let set = |name: &str, mode| {
            let file = folder.path().join(name);
            std::fs::write(&file, "x").unwrap();
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
        };
        set("s.sqlite3", 0o600);
        set("s.sqlite3-wal", 0o600);
        assert_eq!(check_store(&path), Ok(()));
        set("s.sqlite3-wal", 0o644);
        let found = check_store(&path).unwrap_err();
        assert!(!found.is_changeable());
        let place = folder.path().display();
        assert_eq!(
            found.to_string(),
            format!("others may read it (mode 0644); make it private with: chmod 600 {place}/s.sqlite3-wal")
        );
        set("s.sqlite3", 0o660);
        let found = check_store(&path).unwrap_err();
        assert!(found.is_changeable());
        assert!(
            found.to_string().ends_with(&format!(
                "others may read or change it (mode 0664); make it private with: chmod 600 {place}/s.sqlite3 \
                 {place}/s.sqlite3-wal"
            )),
            "{found}"
        );
    }

    #[test]
    fn an_empty_file_becomes_private_and_what_has_something_in_it_stays() {
        let folder = tempfile::tempdir().unwrap();
        for (text, mode) in [("", 0o600), ("x", 0o666)] {
            let path = folder.path().join("file");
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o666)).unwrap();
            claim(&File::open(&path).unwrap());
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, mode);
        }
    }
}
