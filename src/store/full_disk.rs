//! A store whose disk is full as long as a tester wants it so.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::tables::{Journal, Tables, Unwritten};
use super::{OpenError, Pace};
use crate::machine::Batch;

/// Whether a disk is full, for whoever sets it; copies share it.
#[derive(Clone, Debug, Default)]
pub struct DiskFault(Arc<AtomicBool>);

impl DiskFault {
    /// From now on the disk refuses all, or takes all.
    pub fn set_full(&self, is_full: bool) {
        self.0.store(is_full, Ordering::SeqCst);
    }

    /// Refuses batches that write something while the disk is full.
    ///
    /// # Errors
    /// The disk is full.
    pub fn check<W>(&self, group: &[Batch<W>]) -> Result<(), Unwritten> {
        let writes = group.iter().any(|batch| !batch.writes.is_empty());
        if writes && self.0.load(Ordering::SeqCst) {
            return Err(Unwritten::new("disk full", "a tester wants it so"));
        }
        Ok(())
    }
}

/// See the top of this file.
#[derive(Debug)]
pub struct FullDisk<T> {
    store: T,
    fault: DiskFault,
}

impl<T: Tables> FullDisk<T> {
    /// The same store on that disk.
    #[must_use]
    pub const fn new(store: T, fault: DiskFault) -> Self {
        Self { store, fault }
    }
}

impl<T: Tables> Tables for FullDisk<T> {
    type Write = T::Write;
    type Rows = T::Rows;
    type Streamed = T::Streamed;
    const NAME: &'static str = T::NAME;
    const PACE: Option<Pace> = T::PACE;

    fn apply(&mut self, group: &[Batch<T::Write>]) -> Result<(), Unwritten> {
        self.fault.check(group)?;
        self.store.apply(group)
    }

    fn recover(&self) -> Result<T::Rows, OpenError> {
        self.store.recover()
    }

    fn each(&self, take: &mut dyn FnMut(T::Streamed)) -> Result<(), OpenError> {
        self.store.each(take)
    }

    fn reader(&self) -> &<T::Write as Journal>::Reader {
        self.store.reader()
    }

    fn file(&self) -> Option<&Path> {
        self.store.file()
    }

    fn mend(&mut self, why: &Unwritten) -> bool {
        self.store.mend(why)
    }

    fn tend(&mut self) -> Result<bool, Unwritten> {
        self.store.tend()
    }

    fn forget_failed(&mut self) {
        self.store.forget_failed();
    }
}
