//! Files that only their owner may read: a password that others may read is no secret.

use std::fs::File;
use std::path::PathBuf;

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

/// Checks that only its owner can access an open file. Anything but a regular file (a pipe, a terminal) passes:
/// somebody passed it on purpose.
///
/// # Errors
/// Its group, or everybody, may read or change it.
#[cfg(unix)]
pub fn check(file: &File, path: &std::path::Path) -> Result<(), Exposed> {
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
pub fn check(_file: &File, _path: &std::path::Path) -> Result<(), Exposed> {
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
}
