//! The disks: batches are applied to a store in memory (`fanfare::store::memory`), after a delay.
//!
//! A batch becomes durable some time after the request, and the machine is told some time after that; a crash in
//! between loses the batch or only the answer. A batch is applied whole or not at all.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::fmt::{self, Debug};

use crate::machine::{Batch, BatchId};
use crate::random::Random;
use crate::store::OpenError;
use crate::store::tables::{Tables, Unwritten};

/// How the disk handles batches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Mode {
    /// Accepts them.
    #[default]
    Works,
    /// Refuses all of them.
    Full,
    /// Refuses a third of them, at random.
    Failing,
}

impl Mode {
    /// Whether the next batch is accepted, or why not.
    ///
    /// # Errors
    /// Why not.
    pub fn judge(self, random: &mut Random) -> Result<(), &'static str> {
        match self {
            Self::Works => Ok(()),
            Self::Full => Err("disk full"),
            Self::Failing if random.below(3) == 0 => Err("disk error"),
            Self::Failing => Ok(()),
        }
    }
}

/// The disk of one machine; it survives the machine.
pub struct Disk<S: Tables> {
    /// What is durable.
    pub store: S,
    /// How it handles batches.
    pub mode: Mode,
    waiting: VecDeque<Batch<S::Write>>,
    /// A batch was refused since the last start, so later ones that depend on it may violate a constraint.
    has_refused: bool,
}

impl<S: Tables> Debug for Disk<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Disk").field("mode", &self.mode).finish_non_exhaustive()
    }
}

/// The result for a batch.
#[derive(Debug)]
pub struct Outcome<W> {
    /// Which batch.
    pub batch: BatchId,
    /// What became durable, or why nothing did.
    pub written: Result<Vec<W>, String>,
}

impl<S: Tables<Write: Debug> + Default> Default for Disk<S> {
    fn default() -> Self {
        Self { store: S::default(), mode: Mode::default(), waiting: VecDeque::new(), has_refused: false }
    }
}

impl<S: Tables<Write: Debug> + Default> Disk<S> {
    /// Takes a batch.
    pub fn commit(&mut self, batch: Batch<S::Write>) {
        self.waiting.push_back(batch);
    }

    /// Applies the oldest batch to the tables, or refuses it.
    ///
    /// # Panics
    /// The tables refuse a batch although none was refused before: the machine has written an invalid one.
    pub fn write_next(&mut self, verdict: Result<(), &'static str>) -> Option<Outcome<S::Write>> {
        let batch = self.waiting.pop_front()?;
        let id = batch.id;
        let written = match verdict {
            _ if batch.writes.is_empty() => Ok(batch.writes),
            Ok(()) => self.apply(batch),
            Err(why) => Err(why.to_owned()),
        };
        self.has_refused |= written.is_err();
        Some(Outcome { batch: id, written })
    }

    fn apply(&mut self, batch: Batch<S::Write>) -> Result<Vec<S::Write>, String> {
        if let Err(why) = self.store.apply(std::slice::from_ref(&batch)) {
            // Without an earlier refusal, the machine has written an invalid batch.
            assert!(self.has_refused, "the tables refuse a batch: {why}: {:#?}", batch.writes);
            return Err(why.to_string());
        }
        Ok(batch.writes)
    }

    /// The machine is gone: what was not yet durable is lost.
    pub fn crash(&mut self) {
        self.waiting.clear();
        self.has_refused = false;
    }

    /// How many batches are not applied yet.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }
}

/// A machine without a disk.
#[derive(Debug, Default)]
pub struct NoStore;

impl Tables for NoStore {
    type Write = Infallible;
    type Rows = ();
    type Streamed = ();
    const NAME: &'static str = "nothing";

    fn apply(&mut self, _group: &[Batch<Infallible>]) -> Result<(), Unwritten> {
        Ok(())
    }

    fn recover(&self) -> Result<(), OpenError> {
        Ok(())
    }

    fn each(&self, _take: &mut dyn FnMut(())) -> Result<(), OpenError> {
        Ok(())
    }

    fn reader(&self) -> &() {
        &()
    }
}
