//! The disks: batches are applied to a store in memory (`fanfare::store::memory`), after a delay.
//!
//! A batch becomes durable some time after the request, and the machine is told some time after that; a crash in
//! between loses the batch or only the answer. A batch is applied whole or not at all.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::fmt::Debug;

use fanfare::machine::{Batch, BatchId};
use fanfare::random::Random;
use fanfare::store::OpenError;
use fanfare::store::tables::{Tables, Unwritten};

/// How the disk handles batches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) enum Mode {
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
    pub(crate) fn judge(self, random: &mut Random) -> Result<(), &'static str> {
        match self {
            Self::Works => Ok(()),
            Self::Full => Err("disk full"),
            Self::Failing if random.below(3) == 0 => Err("disk error"),
            Self::Failing => Ok(()),
        }
    }
}

/// The disk of one machine; it survives the machine.
pub(crate) struct Disk<S: Tables> {
    pub(crate) store: S,
    pub(crate) mode: Mode,
    waiting: VecDeque<Batch<S::Write>>,
    /// A batch was refused since the last start, so later ones that depend on it may violate a constraint.
    has_refused: bool,
}

/// The result for a batch.
#[derive(Debug)]
pub(crate) struct Outcome<W> {
    pub(crate) batch: BatchId,
    /// What became durable, or why nothing did.
    pub(crate) written: Result<Vec<W>, String>,
}

impl<S: Tables<Write: Debug> + Default> Disk<S> {
    pub(crate) fn new() -> Self {
        Self { store: S::default(), mode: Mode::default(), waiting: VecDeque::new(), has_refused: false }
    }

    pub(crate) fn commit(&mut self, batch: Batch<S::Write>) {
        self.waiting.push_back(batch);
    }

    /// Applies the oldest batch to the tables, or refuses it.
    pub(crate) fn write_next(&mut self, verdict: Result<(), &'static str>) -> Option<Outcome<S::Write>> {
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
    pub(crate) fn crash(&mut self) {
        self.waiting.clear();
        self.has_refused = false;
    }

    pub(crate) fn waiting(&self) -> usize {
        self.waiting.len()
    }
}

/// A machine without a disk.
#[derive(Debug, Default)]
pub(crate) struct NoStore;

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
