//! What is durable: one SQLite file per machine, one writer thread per file.
//!
//! **Group commit.** The writer takes every batch that waits, applies them in one transaction, and answers once it is
//! on stable storage (WAL, `synchronous=FULL`). While one group is being synced the next one gathers, so the
//! price of the sync is shared by all who wait for it.
//!
//! **Invariant:** a batch applies whole or not at all. One that fails takes no other with it, and a full disk is an
//! answer ([`Outcome::Failed`]), never a panic; the writer goes on as soon as there is room again.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use rusqlite::Connection;

use crate::limits::BATCHES_WAITING_MAX;
use crate::machine::{Batch, BatchId};

// In this order a part uses those after it only.
pub mod history;

pub mod backup;

pub mod check;

pub mod aliases;

pub mod users;

pub mod outside;

pub mod served;

mod file;

mod whereabouts;

#[cfg(test)]
mod testing;

mod migrate;

mod client_rows;

mod proxy_rows;

mod columns;

mod error;

pub mod ron_file;

pub mod private_file;

mod folder;

pub use client_rows::ClientSchema;
pub use error::{OpenError, OpenErrorKind};
pub use proxy_rows::ProxySchema;

use file::StoreFile;
use history::History;
use whereabouts::Gone;

/// The tables of one kind of machine, and how its journal becomes rows.
pub trait Schema: 'static {
    /// One durable change.
    type Write: Send + 'static;
    /// All that a start needs.
    type Rows;
    /// Whose store it is, for threads and sentences.
    const NAME: &'static str;
    /// Marks the file as ours (SQLite's `application_id`).
    const APPLICATION_ID: i32;
    /// The numbered steps to the tables of today.
    const MIGRATIONS: &'static [&'static str];

    /// Applies one change, inside a transaction.
    ///
    /// # Errors
    /// The change does not fit what is stored, or the disk fails.
    fn apply(connection: &Connection, write: &Self::Write) -> rusqlite::Result<()>;

    /// Reads what a start needs.
    ///
    /// # Errors
    /// The file cannot be read.
    fn load(connection: &Connection) -> rusqlite::Result<Self::Rows>;
}

/// A schema whose rows can be judged.
pub trait Audited: Schema {
    /// What the rows amount to, in words, and what is wrong with them.
    ///
    /// # Errors
    /// The file cannot be read.
    fn audit(connection: &Connection) -> rusqlite::Result<Audit>;
}

/// What was found in rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Audit {
    /// What there is, in words.
    pub contents: Vec<String>,
    /// What is wrong, a sentence each; none in a sound store.
    pub faults: Vec<String>,
}

/// What became of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is on stable storage.
    Committed(BatchId),
    /// It is not, and will not be.
    Failed(BatchId),
}

/// An open store: migrated, locked against other processes, not yet written to.
pub struct Store<S: Schema> {
    file: StoreFile,
    schema: std::marker::PhantomData<fn() -> S>,
}

impl<S: Schema> fmt::Debug for Store<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("kind", &S::NAME).field("file", &self.file).finish()
    }
}

impl<S: Schema> Store<S> {
    /// Opens the store in this file; makes the file and its folder where they are missing.
    ///
    /// # Errors
    /// A sentence about what is wrong with the place or the file.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let file = StoreFile::open::<S>(path).map_err(|kind| OpenError { path: path.to_owned(), kind })?;
        Ok(Self { file, schema: std::marker::PhantomData })
    }

    /// A store that lives as long as the process.
    ///
    /// # Errors
    /// Out of memory, in practice.
    pub fn in_memory() -> Result<Self, OpenError> {
        let file = StoreFile::in_memory::<S>()
            .map_err(|kind| OpenError { path: PathBuf::from(":memory:"), kind })?;
        Ok(Self { file, schema: std::marker::PhantomData })
    }

    /// All that a start needs.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn load(&self) -> Result<S::Rows, OpenError> {
        S::load(&self.file.connection).map_err(|error| self.error(error.into()))
    }

    /// Starts the writer thread; `on_answer` is called there with the outcomes of a group, in the order of the batches.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub fn start(
        self,
        on_answer: impl FnMut(Vec<Outcome>) + Send + 'static,
    ) -> Result<Writer<S::Write>, OpenError> {
        let (jobs, waiting) = sync_channel(BATCHES_WAITING_MAX);
        let path = self.file.path.clone();
        let writer = GroupWriter { store: self, on_answer: Box::new(on_answer), failing: false };
        let thread = std::thread::Builder::new()
            .name(format!("{}-store", S::NAME))
            .spawn(move || writer.run(&waiting))
            .map_err(|error| OpenError {
                path: shown(path.as_deref()),
                kind: OpenErrorKind::Thread(error),
            })?;
        Ok(Writer { jobs: Some(Arc::new(jobs)), thread: Some(thread), path })
    }

    fn error(&self, kind: OpenErrorKind) -> OpenError {
        OpenError { path: shown(self.file.path.as_deref()), kind }
    }
}

fn shown(path: Option<&Path>) -> PathBuf {
    path.map_or_else(|| PathBuf::from(":memory:"), Path::to_owned)
}

/// A question that is asked between two groups, on the writer's connection.
type Question = Box<dyn FnOnce(&Connection) + Send>;

enum Job<W> {
    Commit(Batch<W>),
    Ask(Question),
}

/// The way to the writer thread. When it is dropped, what waits is written first.
pub struct Writer<W: Send + 'static> {
    jobs: Option<Arc<SyncSender<Job<W>>>>,
    thread: Option<JoinHandle<()>>,
    path: Option<PathBuf>,
}

impl<W: Send + 'static> fmt::Debug for Writer<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").field("path", &self.path).finish_non_exhaustive()
    }
}

impl<W: Send + 'static> Writer<W> {
    /// Asks for a batch to be made durable; never waits.
    ///
    /// # Errors
    /// `limits::BATCHES_WAITING_MAX` wait already: the batch comes back and counts as failed.
    pub fn commit(&self, batch: Batch<W>) -> Result<(), Batch<W>> {
        let Some(jobs) = &self.jobs else {
            return Err(batch);
        };
        jobs.try_send(Job::Commit(batch)).map_err(|refused| match refused {
            TrySendError::Full(Job::Commit(batch)) | TrySendError::Disconnected(Job::Commit(batch)) => batch,
            TrySendError::Full(Job::Ask(_)) | TrySendError::Disconnected(Job::Ask(_)) => {
                unreachable!("a batch was sent, not a question")
            }
        })
    }

    /// A reader of the same store for what only a screen needs.
    ///
    /// # Errors
    /// The file cannot be opened a second time, or the thread cannot be started.
    pub fn history(&self) -> Result<History, OpenError> {
        let opened = match (&self.path, &self.jobs) {
            (Some(path), _) => History::open(path),
            (None, Some(jobs)) => {
                // Weak, so that a reader that is kept does not keep the writer from its end.
                let jobs = Arc::downgrade(jobs);
                Ok(History::through(Box::new(move |question| {
                    jobs.upgrade().is_some_and(|jobs| jobs.try_send(Job::Ask(question)).is_ok())
                })))
            }
            (None, None) => Err(OpenErrorKind::InUse),
        };
        opened.map_err(|kind| OpenError { path: shown(self.path.as_deref()), kind })
    }

    /// Has a question run on the writer's connection; false when too much waits already.
    fn try_ask(&self, question: Question) -> bool {
        self.jobs.as_ref().is_some_and(|jobs| jobs.try_send(Job::Ask(question)).is_ok())
    }

    #[cfg(test)]
    fn ask(&self, question: impl FnOnce(&Connection) + Send + 'static) {
        self.jobs.as_ref().unwrap().send(Job::Ask(Box::new(question))).ok().unwrap();
    }
}

impl<W: Send + 'static> Drop for Writer<W> {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the store's writer ended by a panic");
        }
    }
}

/// Why a batch is not durable.
#[derive(Debug, thiserror::Error)]
enum Unwritten {
    #[error(transparent)]
    Gone(#[from] Gone),
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
}

/// The writer thread: takes all that waits, writes it as one.
struct GroupWriter<S: Schema> {
    store: Store<S>,
    on_answer: Box<dyn FnMut(Vec<Outcome>) + Send>,
    failing: bool,
}

impl<S: Schema> GroupWriter<S> {
    fn run(mut self, jobs: &Receiver<Job<S::Write>>) {
        while let Ok(first) = jobs.recv() {
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

    fn write(&mut self, group: &[Batch<S::Write>]) -> Vec<Outcome> {
        if self.transact(group).is_ok() {
            self.note_success();
            return group.iter().map(|batch| Outcome::Committed(batch.id)).collect();
        }
        // Somebody in the group fails. Each for itself then, so that the others do not suffer; savepoints
        // in every group would tax the good days for this one.
        let outcomes: Vec<Outcome> = group.iter().map(|batch| self.write_alone(batch)).collect();
        if matches!(outcomes.last(), Some(Outcome::Failed(_))) {
            self.write_over();
        }
        outcomes
    }

    fn write_alone(&mut self, batch: &Batch<S::Write>) -> Outcome {
        match self.transact(std::slice::from_ref(batch)) {
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

    /// A batch whose sync alone failed stands in the log whole, and a start after a crash would take it for
    /// committed, though its failure was told. The next transaction is written in its place; this one changes nothing.
    fn write_over(&self) {
        let version = i64::try_from(S::MIGRATIONS.len()).unwrap_or(i64::MAX);
        if let Err(error) = self.store.file.connection.pragma_update(None, "user_version", version) {
            tracing::debug!(%error, "a failed batch is written over, and that is not synced either");
        }
    }

    fn transact(&mut self, group: &[Batch<S::Write>]) -> Result<(), Unwritten> {
        // Batches without writes wait their turn and rest on what went before.
        if group.iter().all(|batch| batch.writes.is_empty()) {
            return Ok(());
        }
        self.store.file.check_place()?;
        self.commit(group)?;
        // What went into a file that was removed meanwhile is as lost as what was never written.
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
        // SQLite has rolled back by itself after some failures (disk full among them).
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

#[cfg(test)]
mod tests;
