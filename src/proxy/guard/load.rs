//! How much is on the proxy's hands, and what was turned away because of it (W13, W31).
//!
//! Two things say that more comes in than can be served: inputs that wait for the machine (its owner counts them), and
//! batches that wait for the disk. What was turned away leaves no transaction behind, only its key for a while: a
//! retransmission must not be taken in after its sender was told that nobody gets it.

use std::collections::{BTreeSet, VecDeque};
use std::time::Instant;

use crate::limits::{
    BATCHES_BUSY, COMMIT_WAIT_BUSY, INPUTS_BUSY, INPUTS_CALM, INPUTS_SWAMPED, OVERLOAD_CALM, TURNED_AWAY_MAX,
};
use crate::machine::BatchId;
use crate::transaction::ServerKey;

/// What may be taken in now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pressure {
    /// Everything.
    Calm,
    /// No new message.
    Busy,
    /// No new request at all.
    Swamped,
}

/// See the head of this file.
#[derive(Debug, Default)]
pub(crate) struct Load {
    inputs: usize,
    /// Set when many inputs wait, and until only few do.
    is_behind: bool,
    /// Batches asked for and not answered, and since when.
    commits: VecDeque<(BatchId, Instant)>,
    turned_away: BTreeSet<ServerKey>,
    /// The same, in the order in which they are forgotten.
    forget: VecDeque<(Instant, ServerKey)>,
    /// How many were turned away since all was calm, and the last of them.
    spell: Option<(u64, Instant)>,
}

impl Load {
    /// So many inputs wait for the machine.
    pub(crate) const fn set_inputs(&mut self, waiting: usize) {
        self.inputs = waiting;
        self.is_behind = waiting >= INPUTS_BUSY || (self.is_behind && waiting > INPUTS_CALM);
    }

    /// A batch is with the disk.
    pub(crate) fn asked(&mut self, batch: BatchId, now: Instant) {
        self.commits.push_back((batch, now));
    }

    /// The disk has answered.
    pub(crate) fn answered(&mut self, batch: BatchId) {
        if let Some(place) = self.commits.iter().position(|(asked, _)| *asked == batch) {
            self.commits.remove(place);
        }
    }

    /// What may be taken in.
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

    /// True when no request needs a look at what was turned away.
    pub(crate) fn is_clear(&self) -> bool {
        self.turned_away.is_empty()
    }

    /// True for the retransmission of what was turned away.
    pub(crate) fn has_turned_away(&self, key: ServerKey) -> bool {
        self.turned_away.contains(&key)
    }

    /// How many are remembered.
    #[cfg(test)]
    pub(crate) fn remembered(&self) -> usize {
        self.turned_away.len()
    }

    /// Remembers a request that gets 503. False when it is a retransmission.
    pub(crate) fn remember(&mut self, key: ServerKey, until: Instant, now: Instant) -> bool {
        self.tidy(now);
        let is_new = self.turned_away.insert(key);
        if is_new {
            self.forget.push_back((until, key));
        }
        is_new
    }

    /// Counts one more that there was no time for. True when it is the first after a time of calm.
    pub(crate) fn count(&mut self, now: Instant) -> bool {
        let count = self.spell.map_or(0, |(count, _)| count);
        self.spell = Some((count.saturating_add(1), now));
        count == 0
    }

    /// How many were turned away, when that is over.
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
