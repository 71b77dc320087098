//! The file of one store: readable by its owner only, locked against other processes, configured for durability.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::Connection;

use crate::store::folder::{self, private};
use crate::store::whereabouts::{Gone, Whereabouts};
use crate::store::{OpenErrorKind, Schema, migrate};

/// How long to wait for a lock held by somebody using `sqlite3`.
const BUSY_WAIT: Duration = Duration::from_secs(5);
/// Prepared statements kept: more than any schema has.
const STATEMENTS_KEPT: usize = 64;
/// Maximum size of the write-ahead log after a checkpoint, in bytes.
const LOG_BYTES_KEPT: i64 = 16 * 1024 * 1024;

/// An open file with its lock. Fields drop in this order: the connection is closed before the lock is released.
#[derive(Debug)]
pub(super) struct StoreFile {
    pub(super) connection: Connection,
    pub(super) path: Option<PathBuf>,
    whereabouts: Whereabouts,
    _lock: Option<LockFile>,
}

impl StoreFile {
    pub(super) fn open<S: Schema>(path: &Path) -> Result<Self, OpenErrorKind> {
        if let Some(parent) = path.parent() {
            folder::create(parent).map_err(OpenErrorKind::Folder)?;
        }
        let lock = LockFile::take(path)?;
        // We create the file before SQLite does, so that only its owner can read the messages in it.
        private(OpenOptions::new().create(true).append(true))
            .open(path)
            .map_err(OpenErrorKind::Unwritable)?;
        let connection = prepare::<S>(Connection::open(path)?)?;
        let whereabouts = Whereabouts::of(path);
        Ok(Self { connection, path: Some(path.to_owned()), whereabouts, _lock: Some(lock) })
    }

    /// Checks that the files are still where they were opened.
    ///
    /// # Errors
    /// One is gone, or its name leads to another file.
    pub(super) fn check_place(&mut self) -> Result<(), Gone> {
        self.whereabouts.check()
    }

    pub(super) fn in_memory<S: Schema>() -> Result<Self, OpenErrorKind> {
        let connection = prepare::<S>(Connection::open_in_memory()?)?;
        Ok(Self { connection, path: None, whereabouts: Whereabouts::default(), _lock: None })
    }
}

fn prepare<S: Schema>(mut connection: Connection) -> Result<Connection, OpenErrorKind> {
    connection.busy_timeout(BUSY_WAIT)?;
    // Checked before anything is set: a foreign or newer file is refused and left unchanged.
    migrate::version::<S>(&connection)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    // For a database in memory the answer is "memory", which is fine.
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", "ON")?;
    connection.pragma_update_and_check(None, "journal_size_limit", LOG_BYTES_KEPT, |_| Ok(()))?;
    migrate::migrate::<S>(&mut connection)?;
    Ok(connection)
}

/// The lock file beside the store. The system releases the lock when the process ends, however it ends.
#[derive(Debug)]
struct LockFile(File);

impl LockFile {
    fn take(path: &Path) -> Result<Self, OpenErrorKind> {
        let mut name = path.as_os_str().to_owned();
        name.push(".lock");
        let file = private(OpenOptions::new().create(true).append(true))
            .open(name)
            .map_err(OpenErrorKind::Unwritable)?;
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
            tracing::debug!(%error, "the store's lock is given up by closing its file");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lock_is_given_up_although_a_child_still_has_the_descriptor() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("client.db");
        let lock = LockFile::take(&path).unwrap();
        let of_a_child = lock.0.try_clone().unwrap();
        assert!(matches!(LockFile::take(&path), Err(OpenErrorKind::InUse)));
        drop(lock);
        LockFile::take(&path).unwrap();
        drop(of_a_child);
    }
}
