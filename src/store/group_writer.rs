//! The writer thread: takes all batches that wait, has them applied as one group, and answers once that is synced.

use std::sync::mpsc::{Receiver, TryRecvError};

use super::pace::Pacer;
use super::tables::{Tables, Unwritten};
use super::{Job, Outcome};
use crate::limits::BATCHES_WAITING_MAX;
use crate::machine::Batch;
use crate::time::Clock;

/// Takes the outcomes of each group.
type OnAnswer = Box<dyn FnMut(Vec<Outcome>) + Send>;

/// The writer thread's state.
pub(super) struct GroupWriter<T: Tables> {
    pub(super) tables: T,
    on_answer: OnAnswer,
    failing: bool,
    pacer: Option<Pacer>,
    clock: Clock,
    /// An upgrade, or a part that was emptied, may have left something to be done.
    has_to_tend: bool,
}

impl<T: Tables> GroupWriter<T> {
    pub(super) fn new(tables: T, on_answer: OnAnswer) -> Self {
        let pacer = T::PACE.map(Pacer::new);
        Self { tables, on_answer, failing: false, pacer, clock: Clock::start(), has_to_tend: true }
    }

    /// Serves the queue until its other end is gone.
    pub(super) fn run(mut self, jobs: &Receiver<Job<T::Write>>) {
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
                question(self.tables.reader());
            }
        }
    }

    /// Waits before a commit if many came before it; those that come meanwhile join it.
    fn keep_pace(&mut self, first: &Job<T::Write>) {
        let is_commit = matches!(first, Job::Commit(batch) if !batch.writes.is_empty());
        if let Some(pacer) = self.pacer.as_mut().filter(|_| is_commit) {
            let wait = pacer.wait(self.clock.now().mono);
            if !wait.is_zero() {
                std::thread::sleep(wait);
            }
        }
    }

    /// Waits for the next job, and meanwhile does what there is to tend; none once the other end is gone.
    fn next(&mut self, jobs: &Receiver<Job<T::Write>>) -> Option<Job<T::Write>> {
        while self.has_to_tend {
            match jobs.try_recv() {
                Ok(first) => return Some(first),
                Err(TryRecvError::Empty) => self.has_to_tend = self.tend(),
                Err(TryRecvError::Disconnected) => return None,
            }
        }
        jobs.recv().ok()
    }

    fn tend(&mut self) -> bool {
        self.tables.tend().unwrap_or_else(|error| {
            tracing::warn!(store = T::NAME, %error, "an upgrade cannot be completed; it goes on after the next start");
            false
        })
    }

    pub(super) fn write(&mut self, group: &[Batch<T::Write>]) -> Vec<Outcome> {
        if self.tables.apply(group).is_ok() {
            self.note_success();
            return group.iter().map(|batch| Outcome::Committed(batch.id)).collect();
        }
        // A batch in the group fails: each is written by itself, so that the others succeed. Savepoints in every group
        // would slow down the normal case for this rare one.
        let outcomes: Vec<Outcome> = group.iter().map(|batch| self.write_alone(batch)).collect();
        if matches!(outcomes.last(), Some(Outcome::Failed(_))) {
            self.tables.forget_failed();
        }
        outcomes
    }

    fn write_alone(&mut self, batch: &Batch<T::Write>) -> Outcome {
        let alone = std::slice::from_ref(batch);
        let written = match self.tables.apply(alone) {
            Err(error) if self.mend(&error) => self.tables.apply(alone),
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
        let is_mended = self.tables.mend(error);
        self.has_to_tend |= is_mended;
        is_mended
    }

    fn note_failure(&mut self, error: &Unwritten) {
        tracing::debug!(%error, "a batch cannot be written");
        if !std::mem::replace(&mut self.failing, true) {
            tracing::warn!(store = T::NAME, %error, "the store cannot be written; {}", error.hint);
        }
    }

    fn note_success(&mut self) {
        if std::mem::take(&mut self.failing) {
            tracing::info!(store = T::NAME, "the store can be written again");
        }
    }
}
