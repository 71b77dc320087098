//! Checks whether a store is sound: the database itself, its references, and what its machine relies on.
//!
//! It is read in one transaction, as it is at one instant, while its machine may keep writing. Nothing is changed.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use tempfile::NamedTempFile;

use crate::store::{Audit, Audited, ClientSchema, OpenError, OpenErrorKind, Schema, migrate};

/// How long to wait for a lock held by the machine that uses the store.
const BUSY_WAIT: Duration = Duration::from_secs(5);
/// Most faults of one kind that are reported.
const FAULTS_TOLD_MAX: usize = 100;

/// The result of checking a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Findings {
    /// The schema it was written with.
    pub schema: usize,
    /// The schema of this program.
    pub newest: usize,
    /// Its rows.
    pub audit: Audit,
}

impl Findings {
    /// True if nothing is wrong.
    #[must_use]
    pub const fn is_sound(&self) -> bool {
        self.audit.faults.is_empty()
    }
}

/// Checks a store. One with an older schema is migrated in a copy, as a start would do.
///
/// # Errors
/// It cannot be read at all, is not a store of this kind, or was written by a newer program.
pub fn check<S: Audited>(path: &Path) -> Result<Findings, OpenError> {
    findings::<S>(path).map_err(|kind| OpenError { path: path.to_owned(), kind })
}

/// What is wrong with a client's store, as SQLite finds it; empty if it is sound. It may be in use.
///
/// # Errors
/// It cannot be read at all.
pub fn damage_of(path: &Path) -> Result<Vec<String>, OpenError> {
    let found = reader::<ClientSchema>(path).and_then(|(connection, _)| Ok(damage(&connection)?));
    found.map_err(|kind| OpenError { path: path.to_owned(), kind })
}

/// Opens a store that another process may be using, read-only.
pub(super) fn reader<S: Schema>(path: &Path) -> Result<(Connection, usize), OpenErrorKind> {
    if !path.is_file() {
        return Err(OpenErrorKind::Missing);
    }
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection.busy_timeout(BUSY_WAIT)?;
    match migrate::version::<S>(&connection)? {
        0 => Err(OpenErrorKind::Foreign { wanted: S::NAME }),
        version => Ok((connection, version)),
    }
}

/// Copies the store's contents at this instant into an empty file.
pub(super) fn copy(connection: &Connection, to: &Path) -> rusqlite::Result<()> {
    connection.execute("VACUUM INTO ?1", [to.to_string_lossy()]).map(drop)
}

fn findings<S: Audited>(path: &Path) -> Result<Findings, OpenErrorKind> {
    let (mut connection, schema) = reader::<S>(path)?;
    let newest = S::MIGRATIONS.len();
    // Made before the transaction, as it cannot be made within one; deleted when this function returns.
    let brought_up = if schema < newest { Some(updated::<S>(&connection)) } else { None };
    let instant = connection.transaction()?;
    let mut faults = damage(&instant).unwrap_or_else(|error| vec![format!("the file is damaged: {error}")]);
    let audited = match &brought_up {
        None => rows::<S>(&instant),
        Some(Ok((_file, copy))) => rows::<S>(copy),
        Some(Err(why)) => Err(format!("its schema {schema} cannot be brought to {newest}: {why}")),
    };
    let mut audit = audited.unwrap_or_else(|fault| Audit { faults: vec![fault], ..Audit::default() });
    faults.append(&mut audit.faults);
    Ok(Findings { schema, newest, audit: Audit { faults, ..audit } })
}

/// A copy migrated to the current tables.
pub(super) fn updated<S: Schema>(
    connection: &Connection,
) -> Result<(NamedTempFile, Connection), OpenErrorKind> {
    let file = NamedTempFile::new().map_err(OpenErrorKind::Unwritable)?;
    copy(connection, file.path())?;
    let mut copied = Connection::open(file.path())?;
    migrate::migrate::<S>(&mut copied)?;
    Ok((file, copied))
}

/// What SQLite's own check finds.
fn damage(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut integrity = connection.prepare("PRAGMA integrity_check")?;
    let found: Vec<String> = integrity.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    let mut faults: Vec<String> =
        found.into_iter().filter(|line| line != "ok").take(FAULTS_TOLD_MAX).collect();
    let mut references = connection.prepare("PRAGMA foreign_key_check")?;
    let rows = references.query_map([], |row| {
        let (table, number, parent): (String, Option<i64>, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let number = number.map_or_else(String::new, |number| format!(" {number}"));
        Ok(format!("row{number} of {table} names a row of {parent} that is not there"))
    })?;
    for row in rows.take(FAULTS_TOLD_MAX) {
        faults.push(row?);
    }
    Ok(faults)
}

fn rows<S: Audited>(connection: &Connection) -> Result<Audit, String> {
    S::audit(connection).map_err(|error| format!("its rows cannot be read: {error}"))
}

#[cfg(test)]
mod tests;
