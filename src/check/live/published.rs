//! Tables in memory that are read from outside, and whose disk may be full.

use std::sync::{Arc, Mutex, PoisonError};

use crate::machine::Batch;
use crate::store::OpenError;
use crate::store::full_disk::DiskFault;
use crate::store::tables::{Journal, Tables, Unwritten};

/// See the top of this file; copies share what is written. It survives the machine that writes it.
#[derive(Clone, Debug, Default)]
pub(super) struct Published<S> {
    /// For the reader's queries.
    own: S,
    shared: Arc<Mutex<S>>,
    disk: DiskFault,
}

impl<S: Clone> Published<S> {
    /// Reads what is written.
    pub(super) fn with<T>(&self, work: impl FnOnce(&S) -> T) -> T {
        // A group is applied whole or not at all.
        work(&self.shared.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// For a machine that is started: the rows as they are now.
    pub(super) fn opened(&self) -> Self {
        Self { own: self.with(S::clone), ..self.clone() }
    }

    /// From now on it refuses all, or takes all.
    pub(super) fn set_full(&self, is_full: bool) {
        self.disk.set_full(is_full);
    }
}

impl<S: Tables + Clone> Tables for Published<S> {
    type Write = S::Write;
    type Rows = S::Rows;
    type Streamed = S::Streamed;
    const NAME: &'static str = S::NAME;

    fn apply(&mut self, group: &[Batch<S::Write>]) -> Result<(), Unwritten> {
        self.disk.check(group)?;
        self.own.apply(group)?;
        *self.shared.lock().unwrap_or_else(PoisonError::into_inner) = self.own.clone();
        Ok(())
    }

    fn recover(&self) -> Result<S::Rows, OpenError> {
        self.own.recover()
    }

    fn each(&self, take: &mut dyn FnMut(S::Streamed)) -> Result<(), OpenError> {
        self.own.each(take)
    }

    fn reader(&self) -> &<S::Write as Journal>::Reader {
        self.own.reader()
    }
}
