//! Overload: how much work is waiting, and which requests were turned away because of it (W13, W31).
//!
//! Two things show overload: inputs that wait for the machine (its owner counts them), and batches that wait for the
//! disk. A request that was turned away leaves no transaction, only its key for a while: its retransmission must not be
//! accepted after its sender was told that nobody gets it.

use std::collections::{BTreeSet, VecDeque};
use std::time::Instant;

use crate::limits::{
    BATCHES_BUSY, COMMIT_WAIT_BUSY, INPUTS_BUSY, INPUTS_CALM, INPUTS_SWAMPED, OVERLOAD_CALM, TURNED_AWAY_MAX,
};
use crate::machine::BatchId;
use crate::transaction::ServerKey;

/// What may be accepted now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pressure {
    /// Everything.
    Calm,
    /// No new message.
    Busy,
    /// No new request at all.
    Swamped,
}

/// See the module documentation.
#[derive(Debug, Default)]
pub(crate) struct Load {
    inputs: usize,
    /// Hysteresis: on at `INPUTS_BUSY`, off at `INPUTS_CALM`.
    is_behind: bool,
    /// Batches whose commit is pending, and since when.
    commits: VecDeque<(BatchId, Instant)>,
    turned_away: BTreeSet<ServerKey>,
    /// The same keys, in the order in which they are forgotten.
    forget: VecDeque<(Instant, ServerKey)>,
    /// How many were turned away in this overload, and when the last one was.
    spell: Option<(u64, Instant)>,
}

impl Load {
    /// Notes how many inputs wait for the machine.
    pub(crate) const fn set_inputs(&mut self, waiting: usize) {
        self.inputs = waiting;
        self.is_behind = waiting >= INPUTS_BUSY || (self.is_behind && waiting > INPUTS_CALM);
    }

    /// A batch was handed to the store.
    pub(crate) fn asked(&mut self, batch: BatchId, now: Instant) {
        self.commits.push_back((batch, now));
    }

    /// The store has answered: committed or failed.
    pub(crate) fn answered(&mut self, batch: BatchId) {
        if let Some(place) = self.commits.iter().position(|(asked, _)| *asked == batch) {
            self.commits.remove(place);
        }
    }

    /// What may be accepted now.
    pub(crate) fn pressure(&self, now: Instant) -> Pressure {
        let oldest = self.commits.front().map(|(_, since)| now.saturating_duration_since(*since));
        if self.inputs >= INPUTS_SWAMPED {
            Pressure::Swamped
        } else if self.is_behind
            || self.commits.len() >= BATCHES_BUSY
            || oldest.is_some_and(|age| age >= COMMIT_WAIT_BUSY)
        {
            Pressure::Busy
        } else {
            Pressure::Calm
        }
    }

    /// True if nothing is remembered as turned away.
    pub(crate) fn is_clear(&self) -> bool {
        self.turned_away.is_empty()
    }

    /// True for the retransmission of a request that was turned away.
    pub(crate) fn has_turned_away(&self, key: ServerKey) -> bool {
        self.turned_away.contains(&key)
    }

    /// How many keys are remembered.
    #[cfg(test)]
    pub(crate) fn remembered(&self) -> usize {
        self.turned_away.len()
    }

    /// Remembers a request that gets a 503; false if it is a retransmission.
    pub(crate) fn remember(&mut self, key: ServerKey, until: Instant, now: Instant) -> bool {
        self.tidy(now);
        let is_new = self.turned_away.insert(key);
        if is_new {
            self.forget.push_back((until, key));
        }
        is_new
    }

    /// Counts one more request turned away; true if it is the first of this overload.
    pub(crate) fn count(&mut self, now: Instant) -> bool {
        let count = self.spell.map_or(0, |(count, _)| count);
        self.spell = Some((count.saturating_add(1), now));
        count == 0
    }

    /// How many were turned away, once the overload is over.
    pub(crate) fn handle_timeout(&mut self, now: Instant) -> Option<u64> {
        self.tidy(now);
        let (count, last) = self.spell?;
        if last + OVERLOAD_CALM > now {
            return None;
        }
        self.spell = None;
        Some(count)
    }

    /// When [`Self::handle_timeout`] has something to do.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let calm = self.spell.map(|(_, last)| last + OVERLOAD_CALM);
        let forget = self.forget.front().map(|(until, _)| *until);
        [calm, forget].into_iter().flatten().min()
    }

    fn tidy(&mut self, now: Instant) {
        while let Some((until, key)) = self.forget.front().copied() {
            if until > now && self.forget.len() < TURNED_AWAY_MAX {
                return;
            }
            self.forget.pop_front();
            self.turned_away.remove(&key);
        }
    }
}
