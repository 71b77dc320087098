//! A store in SQLite as a machine's tables: a group of batches is one transaction.

use std::path::Path;

use super::tables::{Journal, Tables, Unwritten};
use super::whereabouts::Gone;
use super::{OpenError, Pace, Schema, Store};
use crate::machine::Batch;

impl From<Gone> for Unwritten {
    fn from(gone: Gone) -> Self {
        Self::new(gone, "put it back, or start this program again")
    }
}

impl From<rusqlite::Error> for Unwritten {
    fn from(error: rusqlite::Error) -> Self {
        let is_damage = error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseCorrupt);
        let mut unwritten = Self::new(error, "is the disk full?");
        unwritten.is_damage = is_damage;
        unwritten
    }
}

impl<S: Schema> Tables for Store<S> {
    type Write = S::Write;
    type Rows = S::Rows;
    type Streamed = S::Streamed;
    const NAME: &'static str = S::NAME;
    const PACE: Option<Pace> = S::PACE;

    fn apply(&mut self, group: &[Batch<S::Write>]) -> Result<(), Unwritten> {
        // Batches without writes still wait their turn, since they depend on earlier ones.
        if group.iter().all(|batch| batch.writes.is_empty()) {
            return Ok(());
        }
        self.file.check_place()?;
        self.transact(group)?;
        // What was written into a file that was removed meanwhile is lost.
        Ok(self.file.check_place()?)
    }

    fn recover(&self) -> Result<S::Rows, OpenError> {
        S::recover(&self.file.connection).map_err(|error| self.error(error.into()))
    }

    fn each(&self, take: &mut dyn FnMut(S::Streamed)) -> Result<(), OpenError> {
        S::each(&self.file.connection, take).map_err(|error| self.error(error.into()))
    }

    fn reader(&self) -> &<S::Write as Journal>::Reader {
        S::reader(&self.file.connection)
    }

    fn file(&self) -> Option<&Path> {
        self.file.path.as_deref()
    }

    fn mend(&mut self, why: &Unwritten) -> bool {
        why.is_damage && S::mend(&self.file.connection).unwrap_or(false)
    }

    fn tend(&mut self) -> Result<bool, Unwritten> {
        Ok(S::tend(&self.file.connection)?)
    }

    /// Overwrites a batch for which only the sync failed, with a transaction that changes nothing. The batch is complete
    /// in the log: after a crash, the next start would treat it as committed, although its failure was reported.
    fn forget_failed(&mut self) {
        let version = i64::try_from(S::MIGRATIONS.len()).unwrap_or(i64::MAX);
        if let Err(error) = self.file.connection.pragma_update(None, "user_version", version) {
            tracing::debug!(%error, "a failed batch is written over, and that is not synced either");
        }
    }
}

impl<S: Schema> Store<S> {
    fn transact(&self, group: &[Batch<S::Write>]) -> rusqlite::Result<()> {
        let connection = &self.file.connection;
        connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        let written = group
            .iter()
            .flat_map(|batch| &batch.writes)
            .try_for_each(|write| S::apply(connection, write))
            .and_then(|()| connection.prepare_cached("COMMIT")?.execute([]).map(drop));
        // After some failures (a full disk, for example) SQLite has already rolled back.
        if written.is_err()
            && !connection.is_autocommit()
            && let Err(error) = connection.execute_batch("ROLLBACK")
        {
            tracing::warn!(%error, "a failed transaction cannot be rolled back");
        }
        written
    }
}
