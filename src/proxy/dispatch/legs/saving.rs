//! What has changed in the outcomes, which of them are on stable storage, and which still have to be written.

use super::Legs;
use crate::proxy::dispatch::recipient::Saved;
use crate::proxy::journal::OutcomeRow;

/// Which outcomes to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unsaved {
    /// Those that are in no batch yet.
    Unwritten,
    /// Those that are not known to be on stable storage: a report may rest on them.
    Uncommitted,
}

/// What an input changed in the outcomes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Change {
    /// Nothing.
    Nothing,
    /// Something that must be written, but not reported.
    Unwritten,
    /// Recipients have an outcome, or a final one: it must be written, and perhaps reported.
    Outcomes {
        /// How many of them are no longer under way.
        ended: usize,
    },
}

impl Legs {
    /// What has changed since this was last asked.
    pub(crate) const fn take_change(&mut self) -> Change {
        std::mem::replace(&mut self.change, Change::Nothing)
    }

    /// Something must be written.
    pub(super) fn note_unwritten(&mut self) {
        self.change = self.change.max(Change::Unwritten);
    }

    /// A recipient has an outcome.
    pub(super) fn note_outcome(&mut self, was_under_way: bool) {
        let before = match self.change {
            Change::Outcomes { ended } => ended,
            Change::Nothing | Change::Unwritten => 0,
        };
        self.change = Change::Outcomes { ended: before + usize::from(was_under_way) };
    }

    /// True if every outcome is known to be on stable storage.
    pub(crate) fn is_safe(&self) -> bool {
        self.recipients.iter().all(|recipient| recipient.saved == Saved::Yes)
    }

    /// True if that will be so once this round of saving is committed.
    pub(crate) fn is_safe_with(&self, round: u32) -> bool {
        let is_safe = |saved: Saved| saved == Saved::Yes || saved == Saved::InRound(round);
        self.recipients.iter().all(|recipient| is_safe(recipient.saved))
    }

    /// True if some outcome is in no batch yet.
    pub(crate) fn has_unwritten(&self) -> bool {
        self.recipients.iter().any(|recipient| recipient.outcome.is_some() && recipient.saved == Saved::No)
    }

    /// Takes the outcomes to write, and the number of their round of saving.
    pub(crate) fn take_unsaved(&mut self, which: Unsaved) -> (Vec<OutcomeRow>, u32) {
        self.round = self.round.wrapping_add(1);
        let round = self.round;
        let mut rows = Vec::new();
        for recipient in &mut self.recipients {
            let wanted = recipient.saved == Saved::No
                || (which == Unsaved::Uncommitted && recipient.saved != Saved::Yes);
            if let (true, Some(row)) = (wanted, &recipient.outcome) {
                recipient.saved = Saved::InRound(round);
                rows.push(row.clone());
            }
        }
        (rows, round)
    }

    /// What was written in that round is on stable storage.
    pub(crate) fn saved(&mut self, round: u32) {
        self.mark(round, Saved::Yes);
    }

    /// What was written in that round is not on stable storage.
    pub(crate) fn not_saved(&mut self, round: u32) {
        self.mark(round, Saved::No);
    }

    fn mark(&mut self, round: u32, saved: Saved) {
        for recipient in
            self.recipients.iter_mut().filter(|recipient| recipient.saved == Saved::InRound(round))
        {
            recipient.saved = saved;
        }
    }
}
