//! One store's file: made private to its owner, locked against other processes, set to be durable.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::Connection;

use crate::store::folder::{self, private};
use crate::store::whereabouts::{Gone, Whereabouts};
use crate::store::{OpenErrorKind, Schema, migrate};

/// How long a lock of somebody with `sqlite3` in hand is waited for.
const BUSY_WAIT: Duration = Duration::from_secs(5);
/// Statements kept prepared: more than any schema has.
const STATEMENTS_KEPT: usize = 64;
/// Bytes that the write-ahead log keeps after a checkpoint.
const LOG_BYTES_KEPT: i64 = 16 * 1024 * 1024;

/// An open file with its lock. The connection is closed before the lock is given up (fields drop in this order).
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
        // Made by us first, so that only its owner may read what people write to each other.
        private(OpenOptions::new().create(true).append(true))
            .open(path)
            .map_err(OpenErrorKind::Unwritable)?;
        let connection = prepare::<S>(Connection::open(path)?)?;
        let whereabouts = Whereabouts::of(path);
        Ok(Self { connection, path: Some(path.to_owned()), whereabouts, _lock: Some(lock) })
    }

    /// Looks whether the files are still where they were opened.
    ///
    /// # Errors
    /// One is gone, or another file has its name.
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
    // Before anything is set: what is not ours, or is newer, is refused and left as it is.
    migrate::version::<S>(&connection)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    // A memory database answers "memory" here, and that is well.
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", "ON")?;
    connection.pragma_update_and_check(None, "journal_size_limit", LOG_BYTES_KEPT, |_| Ok(()))?;
    migrate::migrate::<S>(&mut connection)?;
    Ok(connection)
}

/// The lock file beside the store. The system gives it up when the process ends, however it ends.
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
    /// Closing alone does not give it up while a program that is just being started (between `fork` and `exec`)
    /// has a copy of the descriptor: the lock is the open file's, not the descriptor's (flock(2)).
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
