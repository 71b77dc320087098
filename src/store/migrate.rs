//! Numbered steps from an empty file to the current tables. A step that was released is never edited.

use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::store::{OpenErrorKind, Schema};

/// Brings the tables up to date; refuses a file that is not ours or was written by a newer Fanfare.
///
/// All steps run in one transaction: even if the process is killed, the file has either the old or the current tables.
pub(super) fn migrate<S: Schema>(connection: &mut Connection) -> Result<(), OpenErrorKind> {
    let found = version::<S>(connection)?;
    if found == S::MIGRATIONS.len() {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    take_steps::<S>(&transaction, found, S::MIGRATIONS.len())?;
    Ok(transaction.commit()?)
}

/// Runs the steps after `from`, up to `to`.
pub(super) fn take_steps<S: Schema>(
    transaction: &Transaction<'_>,
    from: usize,
    to: usize,
) -> Result<(), OpenErrorKind> {
    for sql in S::MIGRATIONS.iter().take(to).skip(from) {
        transaction.execute_batch(sql)?;
    }
    // A step that rebuilds a table may defer its foreign keys; none may stay violated.
    if transaction.prepare("PRAGMA foreign_key_check")?.exists([])? {
        return Err(OpenErrorKind::Unmigrated { found: from, known: to });
    }
    transaction.pragma_update(None, "application_id", S::APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", i64::try_from(to).unwrap_or(i64::MAX))?;
    Ok(())
}

/// The number of steps that a file has taken, 0 for an empty one; refuses a file that is not ours or was written by a
/// newer Fanfare.
pub(super) fn version<S: Schema>(connection: &Connection) -> Result<usize, OpenErrorKind> {
    let known = S::MIGRATIONS.len();
    // We never write a negative version; read as the largest number, it is refused as newer.
    let found = usize::try_from(number(connection, "user_version")?).unwrap_or(usize::MAX);
    let application = number(connection, "application_id")?;
    if application != i64::from(S::APPLICATION_ID)
        && (found > 0 || application != 0 || has_tables(connection)?)
    {
        return Err(OpenErrorKind::Foreign { wanted: S::NAME });
    }
    if found > known {
        return Err(OpenErrorKind::Newer { found, known });
    }
    Ok(found)
}

fn number(connection: &Connection, pragma: &str) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, pragma, |row| row.get(0))
}

fn has_tables(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row("SELECT EXISTS (SELECT 1 FROM sqlite_schema)", [], |row| row.get(0))
}

#[cfg(test)]
mod tests;
