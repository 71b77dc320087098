//! A lock on files for one process: the store of a machine, or the files of a client's settings folder.

use std::fs::{File, TryLockError};
use std::path::Path;

use crate::store::OpenErrorKind;
use crate::store::folder::{self, above};

/// The lock file beside what it protects. The system releases the lock when the process ends, however it ends.
#[derive(Debug)]
pub struct LockFile(File);

impl LockFile {
    /// Takes the lock of the file at `path`, which need not exist; its folder is created.
    ///
    /// # Errors
    /// Another process has it, or the lock file cannot be written.
    pub fn take(path: &Path) -> Result<Self, OpenErrorKind> {
        folder::create(above(path)).map_err(OpenErrorKind::Folder)?;
        let mut name = path.as_os_str().to_owned();
        name.push(".lock");
        let file = folder::open_private(Path::new(&name)).map_err(OpenErrorKind::Unwritable)?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(OpenErrorKind::InUse),
            Err(TryLockError::Error(error)) => Err(OpenErrorKind::Unwritable(error)),
        }
    }
}

impl Drop for LockFile {
    /// Closing the file is not enough: the lock belongs to the open file description (flock(2)), and a child process
    /// between `fork` and `exec` may still hold a copy of the descriptor.
    fn drop(&mut self) {
        if let Err(error) = self.0.unlock() {
            tracing::debug!(%error, "a lock is given up by closing its file");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lock_is_given_up_although_a_child_still_has_the_descriptor() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new").join("client.db");
        let lock = LockFile::take(&path).unwrap();
        let of_a_child = lock.0.try_clone().unwrap();
        assert!(matches!(LockFile::take(&path), Err(OpenErrorKind::InUse)));
        drop(lock);
        LockFile::take(&path).unwrap();
        drop(of_a_child);
    }
}
