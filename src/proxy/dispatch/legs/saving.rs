//! Which outcomes are on stable storage, and which are to be written.

use super::Legs;
use crate::proxy::dispatch::recipient::Saved;
use crate::proxy::journal::OutcomeRow;

/// Which outcomes are to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unsaved {
    /// Those that no batch holds yet.
    Unwritten,
    /// Those that are not known to be safe: a report may rest on these.
    Uncommitted,
}

impl Legs {
    /// True when each outcome is known to be safe.
    pub(crate) fn is_safe(&self) -> bool {
        self.recipients.iter().all(|recipient| recipient.saved == Saved::Yes)
    }

    /// The same once that round of saving is safe.
    pub(crate) fn is_safe_with(&self, round: u32) -> bool {
        let is_safe = |saved: Saved| saved == Saved::Yes || saved == Saved::InRound(round);
        self.recipients.iter().all(|recipient| is_safe(recipient.saved))
    }

    /// True when some outcome is in no batch yet.
    pub(crate) fn has_unwritten(&self) -> bool {
        self.recipients.iter().any(|recipient| recipient.outcome.is_some() && recipient.saved == Saved::No)
    }

    /// Takes the outcomes that are to be written, and the round of saving that they are in.
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

    /// What was written in that round is safe.
    pub(crate) fn saved(&mut self, round: u32) {
        self.mark(round, Saved::Yes);
    }

    /// What was written in that round is not.
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
