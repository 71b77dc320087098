//! The writer thread: takes all batches that wait, writes them in one transaction, and answers once it is synced.

use std::sync::mpsc::{Receiver, TryRecvError};

use super::pace::Pacer;
use super::whereabouts::Gone;
use super::{Job, Outcome, Schema, Store};
use crate::limits::BATCHES_WAITING_MAX;
use crate::machine::Batch;
use crate::time::Clock;

/// Why a batch is not durable.
#[derive(Debug, thiserror::Error)]
enum Unwritten {
    #[error(transparent)]
    Gone(#[from] Gone),
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
}

/// Takes the outcomes of each group.
type OnAnswer = Box<dyn FnMut(Vec<Outcome>) + Send>;

/// The writer thread's state: takes all waiting batches and writes them in one transaction.
pub(super) struct GroupWriter<S: Schema> {
    store: Store<S>,
    on_answer: OnAnswer,
    failing: bool,
    pacer: Option<Pacer>,
    clock: Clock,
    /// An upgrade, or a part that was emptied, may have left something to be done.
    has_to_tend: bool,
}

impl<S: Schema> GroupWriter<S> {
    pub(super) fn new(store: Store<S>, on_answer: OnAnswer) -> Self {
        let pacer = S::PACE.map(Pacer::new);
        Self { store, on_answer, failing: false, pacer, clock: Clock::start(), has_to_tend: true }
    }

    /// Serves the queue until its other end is gone.
    pub(super) fn run(mut self, jobs: &Receiver<Job<S::Write>>) {
        while let Some(first) = self.next(jobs) {
            self.keep_pace(&first);
            let mut group = Vec::new();
            let mut questions = Vec::new();
            for job in std::iter::once(first).chain(jobs.try_iter()).take(BATCHES_WAITING_MAX) {
                match job {
                    Job::Commit(batch) => group.push(batch),
                    Job::Ask(question) => questions.push(question),
                }
            }
            if !group.is_empty() {
                let outcomes = self.write(&group);
                (self.on_answer)(outcomes);
            }
            for question in questions {
                question(&self.store.file.connection);
            }
        }
    }

    /// Waits before a commit if many came before it; those that come meanwhile join it.
    fn keep_pace(&mut self, first: &Job<S::Write>) {
        let is_commit = matches!(first, Job::Commit(batch) if !batch.writes.is_empty());
        if let Some(pacer) = self.pacer.as_mut().filter(|_| is_commit) {
            let wait = pacer.wait(self.clock.now().mono);
            if !wait.is_zero() {
                std::thread::sleep(wait);
            }
        }
    }

    /// Waits for the next job, and meanwhile does what there is to tend; none once the other end is gone.
    fn next(&mut self, jobs: &Receiver<Job<S::Write>>) -> Option<Job<S::Write>> {
        while self.has_to_tend {
            match jobs.try_recv() {
                Ok(first) => return Some(first),
                Err(TryRecvError::Empty) => self.has_to_tend = self.tend(),
                Err(TryRecvError::Disconnected) => return None,
            }
        }
        jobs.recv().ok()
    }

    fn tend(&self) -> bool {
        S::tend(&self.store.file.connection).unwrap_or_else(|error| {
            tracing::warn!(store = S::NAME, %error, "an upgrade cannot be completed; it goes on after the next start");
            false
        })
    }

    fn write(&mut self, group: &[Batch<S::Write>]) -> Vec<Outcome> {
        if self.transact(group).is_ok() {
            self.note_success();
            return group.iter().map(|batch| Outcome::Committed(batch.id)).collect();
        }
        // A batch in the group fails: each is written by itself, so that the others succeed. Savepoints in every group
        // would slow down the normal case for this rare one.
        let outcomes: Vec<Outcome> = group.iter().map(|batch| self.write_alone(batch)).collect();
        if matches!(outcomes.last(), Some(Outcome::Failed(_))) {
            self.write_over();
        }
        outcomes
    }

    fn write_alone(&mut self, batch: &Batch<S::Write>) -> Outcome {
        let alone = std::slice::from_ref(batch);
        let written = match self.transact(alone) {
            Err(error) if self.mend(&error) => self.transact(alone),
            written => written,
        };
        match written {
            Ok(()) => {
                self.note_success();
                Outcome::Committed(batch.id)
            }
            Err(error) => {
                self.note_failure(&error);
                Outcome::Failed(batch.id)
            }
        }
    }

    /// Whether a batch failed because of damage that has been mended.
    fn mend(&mut self, error: &Unwritten) -> bool {
        let is_damage = matches!(error, Unwritten::Sqlite(error)
            if error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseCorrupt));
        let is_mended = is_damage && S::mend(&self.store.file.connection).unwrap_or(false);
        self.has_to_tend |= is_mended;
        is_mended
    }

    /// Overwrites a batch for which only the sync failed, with a transaction that changes nothing. The batch is complete
    /// in the log: after a crash, the next start would treat it as committed, although its failure was reported.
    fn write_over(&self) {
        let version = i64::try_from(S::MIGRATIONS.len()).unwrap_or(i64::MAX);
        if let Err(error) = self.store.file.connection.pragma_update(None, "user_version", version) {
            tracing::debug!(%error, "a failed batch is written over, and that is not synced either");
        }
    }

    fn transact(&mut self, group: &[Batch<S::Write>]) -> Result<(), Unwritten> {
        // Batches without writes still wait their turn, since they depend on earlier ones.
        if group.iter().all(|batch| batch.writes.is_empty()) {
            return Ok(());
        }
        self.store.file.check_place()?;
        self.commit(group)?;
        // What was written into a file that was removed meanwhile is lost.
        Ok(self.store.file.check_place()?)
    }

    fn commit(&self, group: &[Batch<S::Write>]) -> rusqlite::Result<()> {
        let connection = &self.store.file.connection;
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

    fn note_failure(&mut self, error: &Unwritten) {
        tracing::debug!(%error, "a batch cannot be written");
        if !std::mem::replace(&mut self.failing, true) {
            let hint = match error {
                Unwritten::Gone(_) => "put it back, or start this program again",
                Unwritten::Sqlite(_) => "is the disk full?",
            };
            tracing::warn!(store = S::NAME, %error, "the store cannot be written; {hint}");
        }
    }

    fn note_success(&mut self) {
        if std::mem::take(&mut self.failing) {
            tracing::info!(store = S::NAME, "the store can be written again");
        }
    }
}
