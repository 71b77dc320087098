//! Changes that commands make in a proxy's store, whether or not the proxy runs, and how the proxy notices them.
//!
//! **Invariant:** the running proxy's lock is not touched. A change is one small transaction beside the proxy's own,
//! and increases a number in the store; when that grows, the proxy reads all of this data again.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

use crate::store::tables::{Changes, Outside};
use crate::store::{
    OpenError, OpenErrorKind, ProxySchema, Schema, Store, file, migrate, private_file, proxy_rows,
};

/// How long to wait for a lock that the proxy holds. Under load it takes the lock again as soon as it has given it back,
/// and on a slow disk it holds it through every sync: a command may have to try for a while.
const BUSY_WAIT: Duration = Duration::from_secs(30);

/// Lets a running proxy notice outside changes.
#[derive(Debug)]
pub struct Watch {
    path: PathBuf,
    connection: Connection,
    version: Option<i64>,
}

impl Watch {
    /// Watches the store in this file, which must already be open.
    ///
    /// # Errors
    /// It cannot be opened a second time.
    pub fn new(path: &Path) -> Result<Self, OpenError> {
        let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)
            .map_err(|kind| OpenError { path: path.to_owned(), kind })?;
        Ok(Self { path: path.to_owned(), connection, version: None })
    }

    fn look(&mut self) -> rusqlite::Result<Option<Outside>> {
        let instant = self.connection.transaction()?;
        let version =
            instant.query_row("SELECT version FROM outside_version", [], |row| row.get::<_, i64>(0))?;
        if self.version == Some(version) {
            return Ok(None);
        }
        let outside = Outside {
            aliases: proxy_rows::aliases(&instant)?,
            users: proxy_rows::users(&instant)?,
            removed: proxy_rows::removed(&instant)?,
        };
        drop(instant);
        self.version = Some(version);
        Ok(Some(outside))
    }
}

impl Changes for Watch {
    fn changed(&mut self) -> Result<Option<Outside>, OpenError> {
        self.look().map_err(|error| OpenError { path: self.path.clone(), kind: error.into() })
    }
}

/// Opens a proxy's store to change it. If no proxy uses it, it is created or migrated where needed.
pub(super) fn open_beside(path: &Path) -> Result<Connection, OpenError> {
    let failed = |kind| OpenError { path: path.to_owned(), kind };
    file::keep_private::<ProxySchema>(path, private_file::check_store(path)).map_err(failed)?;
    if !is_of_today(path).map_err(failed)? {
        drop(Store::<ProxySchema>::open(path)?);
    }
    connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(failed)
}

/// Runs one transaction, which is on the disk when this returns; if refused, it changes nothing.
pub(super) fn change<T, E: From<OpenError>>(
    connection: &mut Connection,
    path: &Path,
    act: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<Result<T, E>>,
) -> Result<T, E> {
    let failed = |error: rusqlite::Error| OpenError { path: path.to_owned(), kind: error.into() };
    let change = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    let made = act(&change).map_err(failed)??;
    change.commit().map_err(failed)?;
    Ok(made)
}

/// True for a file with the current tables; false if there is none, or an older one.
fn is_of_today(path: &Path) -> Result<bool, OpenErrorKind> {
    if !path.is_file() {
        return Ok(false);
    }
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    Ok(migrate::version::<ProxySchema>(&connection)? == ProxySchema::MIGRATIONS.len())
}

fn connect(path: &Path, access: OpenFlags) -> Result<Connection, OpenErrorKind> {
    let connection = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY_WAIT)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", "ON")?;
    Ok(connection)
}
