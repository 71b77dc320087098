//! Durable storage: one SQLite file per machine, one writer thread per store.
//!
//! **Group commit.** The writer takes all waiting batches, applies them in one transaction, and answers once that is on
//! stable storage (WAL, `synchronous=FULL`). While one group is being synced the next one collects, so all that wait
//! share the cost of a sync. A client's writer also waits a moment while a stream of batches comes ([`Schema::PACE`]).
//!
//! [`tables`] says what a store offers a machine; [`memory`] is another one, for tests and the simulation.
//!
//! **Invariant:** a batch is applied whole or not at all. A failing batch does not affect any other, and a full disk is
//! an answer ([`Outcome::Failed`]), never a panic; the writer resumes as soon as there is space again.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use rusqlite::Connection;

use crate::limits::BATCHES_WAITING_MAX;
use crate::machine::{Batch, BatchId};

// In this order, a part uses only those after it.
pub mod memory;

pub mod history;

pub mod backup;

pub mod own_backup;

pub mod check;

pub mod aliases;

pub mod users;

pub mod outside;

pub mod served;

pub mod full_disk;

mod group_writer;

mod sqlite_tables;

mod file;

pub mod lock_file;

mod whereabouts;

#[cfg(test)]
mod testing;

mod migrate;

mod client_rows;

mod proxy_rows;

mod columns;

pub mod tables;

mod error;

pub mod ron_file;

pub mod private_file;

mod folder;

mod pace;

pub use client_rows::ClientSchema;
pub use error::{OpenError, OpenErrorKind};
pub(crate) use folder::private;
pub use pace::Pace;
pub use proxy_rows::{MessageReader, ProxySchema};

use file::StoreFile;
use group_writer::GroupWriter;
use history::History;
use tables::{Journal, Question, Tables};

/// The tables of one kind of machine, and how its journal is stored in them.
pub trait Schema: 'static {
    /// One durable change.
    type Write: Journal;
    /// Everything that a machine needs to start.
    type Rows;
    /// What of that is passed on one at a time.
    type Streamed;
    /// Whose store it is, for thread names and error messages.
    const NAME: &'static str;
    /// Marks the file as ours (SQLite's `application_id`).
    const APPLICATION_ID: i32;
    /// The numbered migration steps that lead to the current tables.
    const MIGRATIONS: &'static [&'static str];
    /// Whoever reads it can pass for others: it is refused if anybody but its owner may.
    const IS_SECRET: bool = false;
    /// How often it syncs at most; none if each group is synced at once.
    const PACE: Option<Pace> = None;

    /// Applies one change, inside a transaction.
    ///
    /// # Errors
    /// The change conflicts with what is stored, or the disk fails.
    fn apply(connection: &Connection, write: &Self::Write) -> rusqlite::Result<()>;

    /// Does a little of what an upgrade has left to be done while nothing else waits, as a transaction of its own; false
    /// once nothing is left.
    ///
    /// # Errors
    /// The disk fails; it is then tried again after the next start.
    fn tend(_connection: &Connection) -> rusqlite::Result<bool> {
        Ok(false)
    }

    /// Empties what is damaged and can be made anew from the rest; true if a batch that failed is worth another try.
    ///
    /// # Errors
    /// The disk fails.
    fn mend(_connection: &Connection) -> rusqlite::Result<bool> {
        Ok(false)
    }

    /// Reads everything that the machine needs to start.
    ///
    /// # Errors
    /// The file cannot be read.
    fn load(connection: &Connection) -> rusqlite::Result<Self::Rows>;

    /// Reads that without what [`Self::each`] passes on.
    ///
    /// # Errors
    /// The file cannot be read.
    fn recover(connection: &Connection) -> rusqlite::Result<Self::Rows> {
        Self::load(connection)
    }

    /// Passes on the rest, one at a time.
    ///
    /// # Errors
    /// The file cannot be read.
    fn each(_connection: &Connection, _take: &mut dyn FnMut(Self::Streamed)) -> rusqlite::Result<()> {
        Ok(())
    }

    /// The queries that are possible while the machine runs.
    fn reader(connection: &Connection) -> &<Self::Write as Journal>::Reader;
}

/// A schema whose rows can be checked.
pub trait Audited: Schema {
    /// Summarizes the rows in words, and lists what is wrong with them.
    ///
    /// # Errors
    /// The file cannot be read.
    fn audit(connection: &Connection) -> rusqlite::Result<Audit>;
}

/// The result of checking the rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Audit {
    /// The contents, in words.
    pub contents: Vec<String>,
    /// What is wrong, one sentence each; empty if the store is sound.
    pub faults: Vec<String>,
}

/// The result for a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is on stable storage.
    Committed(BatchId),
    /// It is not on stable storage, and never will be.
    Failed(BatchId),
}

/// An open store: migrated, locked against other processes, its writer not yet started.
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
    /// Opens the store in this file; creates the file and its folder if missing.
    ///
    /// # Errors
    /// A sentence about what is wrong with the place or the file.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let file = StoreFile::open::<S>(path).map_err(|kind| OpenError { path: path.to_owned(), kind })?;
        Ok(Self { file, schema: std::marker::PhantomData })
    }

    /// A store that lasts as long as the process.
    ///
    /// # Errors
    /// In practice only when out of memory.
    pub fn in_memory() -> Result<Self, OpenError> {
        let file = StoreFile::in_memory::<S>()
            .map_err(|kind| OpenError { path: PathBuf::from(":memory:"), kind })?;
        Ok(Self { file, schema: std::marker::PhantomData })
    }

    /// Loads everything that the machine needs to start.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn load(&self) -> Result<S::Rows, OpenError> {
        S::load(&self.file.connection).map_err(|error| self.error(error.into()))
    }

    /// Starts the writer thread; see [`start`].
    ///
    /// # Errors
    /// The thread cannot be started.
    pub fn start(
        self,
        on_answer: impl FnMut(Vec<Outcome>) + Send + 'static,
    ) -> Result<Writer<S::Write>, OpenError> {
        start(self, on_answer)
    }

    fn error(&self, kind: OpenErrorKind) -> OpenError {
        OpenError { path: shown(self.file.path.as_deref()), kind }
    }
}

/// Starts the writer thread of a store, which calls `on_answer` with the outcomes of each group, in the order of the
/// batches.
///
/// # Errors
/// The thread cannot be started.
pub fn start<T: Tables + Send + 'static>(
    tables: T,
    on_answer: impl FnMut(Vec<Outcome>) + Send + 'static,
) -> Result<Writer<T::Write>, OpenError> {
    let (jobs, waiting) = sync_channel(BATCHES_WAITING_MAX);
    let path = tables.file().map(Path::to_owned);
    let writer = GroupWriter::new(tables, Box::new(on_answer));
    let thread = std::thread::Builder::new()
        .name(format!("{}-store", T::NAME))
        .spawn(move || writer.run(&waiting))
        .map_err(|error| OpenError { path: shown(path.as_deref()), kind: OpenErrorKind::Thread(error) })?;
    Ok(Writer { jobs: Some(Arc::new(jobs)), thread: Some(thread), path })
}

fn shown(path: Option<&Path>) -> PathBuf {
    path.map_or_else(|| PathBuf::from(":memory:"), Path::to_owned)
}

enum Job<W: Journal> {
    Commit(Batch<W>),
    /// A query that runs between two groups.
    Ask(Question<W>),
}

/// Handle of the writer thread. Dropping it first writes everything that waits.
pub struct Writer<W: Journal> {
    jobs: Option<Arc<SyncSender<Job<W>>>>,
    thread: Option<JoinHandle<()>>,
    path: Option<PathBuf>,
}

impl<W: Journal> fmt::Debug for Writer<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").field("path", &self.path).finish_non_exhaustive()
    }
}

impl<W: Journal> Writer<W> {
    /// Queues a batch to be made durable, without waiting.
    ///
    /// # Errors
    /// `limits::BATCHES_WAITING_MAX` batches wait already: the batch is returned and counts as failed.
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

    /// Queues a query between two groups; false if too much is waiting already.
    fn try_ask(&self, question: Question<W>) -> bool {
        self.jobs.as_ref().is_some_and(|jobs| jobs.try_send(Job::Ask(question)).is_ok())
    }

    #[cfg(test)]
    fn ask(&self, question: impl FnOnce(&W::Reader) + Send + 'static) {
        self.jobs.as_ref().unwrap().send(Job::Ask(Box::new(question))).ok().unwrap();
    }
}

impl Writer<crate::model::journal::Write> {
    /// A reader of the store, for data that only a screen needs: over a connection of its own where there is a file.
    ///
    /// # Errors
    /// The file cannot be opened a second time, or the thread cannot be started.
    pub fn history(&self) -> Result<History, OpenError> {
        let opened = match (&self.path, &self.jobs) {
            (Some(path), _) => History::open(path),
            (None, Some(jobs)) => {
                // A weak reference: a reader still held must not keep the writer from ending.
                let jobs = Arc::downgrade(jobs);
                Ok(History::through(Box::new(move |question| {
                    jobs.upgrade().is_some_and(|jobs| jobs.try_send(Job::Ask(question)).is_ok())
                })))
            }
            (None, None) => Err(OpenErrorKind::InUse),
        };
        opened.map_err(|kind| OpenError { path: shown(self.path.as_deref()), kind })
    }
}

impl<W: Journal> Drop for Writer<W> {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the store's writer ended by a panic");
        }
    }
}

#[cfg(test)]
mod tests;
