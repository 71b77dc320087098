//! What a store offers a machine, told in terms of its journal alone. SQLite is one such store, memory another; a database
//! on a network could be a third.

use std::convert::Infallible;
use std::error::Error;
use std::path::Path;

use super::{OpenError, Pace};
use crate::machine::Batch;
use crate::proxy::journal::{AliasRow, RemovedRow, UserRow};

/// A kind of write, and what can be read back while its machine runs.
pub trait Journal: Send + 'static {
    /// The queries.
    type Reader: ?Sized + 'static;
}

/// Of a machine that writes nothing.
impl Journal for Infallible {
    type Reader = ();
}

/// Of a machine whose writes say nothing, for measurements and tests.
impl Journal for () {
    type Reader = ();
}

/// A query, which passes its answer on by itself.
pub type Question<W> = Box<dyn FnOnce(&<W as Journal>::Reader) + Send>;

/// The rows of one machine. The same tests run for each store that offers this (`store/tests/contract.rs`).
pub trait Tables {
    /// One durable change.
    type Write: Journal;
    /// What a machine needs to start.
    type Rows;
    /// What a machine takes up after that, one at a time, so that all of them never are in memory twice.
    type Streamed;
    /// Whose rows these are, for thread names and the log.
    const NAME: &'static str;
    /// How often it syncs at most; none if each group is synced at once.
    const PACE: Option<Pace> = None;

    /// Applies a group of batches, all of them or none; they are on stable storage when this returns.
    ///
    /// # Errors
    /// One of the batches conflicts with what is stored, or the disk fails.
    fn apply(&mut self, group: &[Batch<Self::Write>]) -> Result<(), Unwritten>;

    /// Reads what a machine needs to start, besides what [`Self::each`] passes on.
    ///
    /// # Errors
    /// The store cannot be read.
    fn recover(&self) -> Result<Self::Rows, OpenError>;

    /// Passes on the rest, one at a time.
    ///
    /// # Errors
    /// The store cannot be read.
    fn each(&self, take: &mut dyn FnMut(Self::Streamed)) -> Result<(), OpenError>;

    /// The queries that are possible between two groups.
    fn reader(&self) -> &<Self::Write as Journal>::Reader;

    /// The file, if it is one that can be opened a second time to read from it.
    fn file(&self) -> Option<&Path> {
        None
    }

    /// Repairs what made a batch fail; true if that batch is worth another try.
    fn mend(&mut self, why: &Unwritten) -> bool {
        let _ = why;
        false
    }

    /// Does a little of what was left to be done while nothing else waits; false once nothing is left.
    ///
    /// # Errors
    /// The disk fails.
    fn tend(&mut self) -> Result<bool, Unwritten> {
        Ok(false)
    }

    /// Called when the last batch of a group has failed: no trace of it may come back after a crash.
    fn forget_failed(&mut self) {}
}

/// Why a batch is not stored.
#[derive(Debug, thiserror::Error)]
#[error("{why}")]
pub struct Unwritten {
    why: Box<dyn Error + Send + Sync>,
    /// What an operator may do about it.
    pub hint: &'static str,
    /// The file is damaged.
    pub is_damage: bool,
}

impl Unwritten {
    /// A batch that conflicts with what is stored.
    #[must_use]
    pub fn new(why: impl Into<Box<dyn Error + Send + Sync>>, hint: &'static str) -> Self {
        Self { why: why.into(), hint, is_damage: false }
    }
}

/// All data of a proxy that commands change while it runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outside {
    /// Aliases and lists.
    pub aliases: Vec<AliasRow>,
    /// The users who may sign in.
    pub users: Vec<UserRow>,
    /// Users who were removed or have a new password, and what is theirs is not purged yet.
    pub removed: Vec<RemovedRow>,
}

/// Lets a running proxy notice what was changed from outside.
pub trait Changes {
    /// Returns all the data on the first call, and again whenever something has changed.
    ///
    /// # Errors
    /// The store cannot be read.
    fn changed(&mut self) -> Result<Option<Outside>, OpenError>;
}
