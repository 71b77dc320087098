//! The file of one store: readable by its owner only, locked against other processes, configured for durability.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::Connection;

use crate::store::folder;
use crate::store::lock_file::LockFile;
use crate::store::private_file::{self, ExposedStore};
use crate::store::whereabouts::{Gone, Whereabouts};
use crate::store::{OpenErrorKind, Schema, migrate};
use crate::terminal::quoted;

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
        let file = folder::open_private(path).map_err(OpenErrorKind::Unwritable)?;
        private_file::claim(&file);
        drop(file);
        // Looked at before SQLite puts its files beside it, but a file that is no store is called that.
        let found = private_file::check_store(path);
        let connection = Connection::open(path)?;
        migrate::version::<S>(&connection)?;
        keep_private::<S>(path, found)?;
        let connection = prepare::<S>(connection)?;
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

/// Refuses a store that others may have changed, and one with secrets that others may read; of the rest the owner is told.
pub(super) fn keep_private<S: Schema>(
    path: &Path,
    found: Result<(), ExposedStore>,
) -> Result<(), OpenErrorKind> {
    match found {
        Err(exposed) if S::IS_SECRET || exposed.is_changeable() => {
            return Err(OpenErrorKind::Exposed(exposed));
        }
        Err(exposed) => tracing::warn!("the store {}: {exposed}", path.display()),
        Ok(()) => {}
    }
    let above = folder::above(path);
    if private_file::is_open_to_all(above) {
        let (shown, typed) = (above.display(), quoted(above));
        tracing::warn!(
            "everybody may put other files into the folder {shown}; make it yours with: chmod o-w {typed}"
        );
    }
    Ok(())
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
