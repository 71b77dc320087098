//! One person of a message: where the leg has gone, and what became of it (W20).

use std::collections::BTreeSet;

use super::branch::Fork;
use super::submission::Addressee;
use crate::proxy::core::Core;
use crate::proxy::journal::{OutcomeRow, OutcomeState};
use crate::proxy::mailbox::MailboxKey;
use crate::sip::{ReportLine, ReportState, Sees, Uri};

/// One person of a message.
#[derive(Debug)]
pub(crate) struct Recipient {
    pub(crate) own: Own,
    pub(crate) route: Uri,
    pub(crate) fork: Fork,
    pub(crate) outcome: Option<OutcomeRow>,
    pub(crate) saved: Saved,
    /// His address was taken from him: what is under way has its end, and nothing waits for whoever has it next.
    pub(crate) is_departed: bool,
    /// Devices that have it, or will not have it, before anybody's answer decided.
    done: BTreeSet<String>,
}

/// Where a recipient stands in the submission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Own {
    /// It names him: this line has his address.
    Line(usize),
    /// A list does.
    Member(Box<Member>),
}

impl Own {
    /// The number of his line in the submission; none of them for a list's member.
    pub(crate) const fn line(&self) -> usize {
        match self {
            Self::Line(line) => *line,
            Self::Member(_) => usize::MAX,
        }
    }
}

/// A recipient whose leg does not follow from a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Member {
    /// For To.
    pub(crate) address: Uri,
    /// The line that is about him alone.
    pub(crate) line: Option<usize>,
    pub(crate) sees: Sees,
}

/// Where an outcome is on its way to the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Saved {
    No,
    InRound(u32),
    Yes,
}

impl Recipient {
    /// Nothing is known of him yet.
    pub(crate) fn new(person: Addressee, own: Own, fork: Fork) -> Self {
        Self {
            own,
            route: person.route,
            fork,
            outcome: None,
            saved: Saved::No,
            is_departed: false,
            done: BTreeSet::new(),
        }
    }

    /// What a store knew of him.
    pub(crate) fn restore(&mut self, outcome: OutcomeRow) {
        if let Some(waits) = &outcome.waits {
            self.fork = Fork::resumed(waits.branches, outcome.tries);
        }
        self.outcome = Some(outcome);
        self.saved = Saved::Yes;
    }

    /// True once he has it, or never will.
    pub(crate) fn is_over(&self) -> bool {
        self.state().is_some_and(|state| state != OutcomeState::Deferred)
    }

    pub(crate) fn state(&self) -> Option<OutcomeState> {
        self.outcome.as_ref().map(|row| row.state)
    }

    /// Devices that are owed the message (W16).
    pub(crate) fn owed(&self) -> &[String] {
        self.outcome.as_ref().and_then(|row| row.waits.as_ref()).map_or(&[], |waits| &waits.devices)
    }

    /// A final answer of a device, while none has decided: a temporary one leaves it to be served.
    pub(crate) fn note_device(&mut self, branch: u32, status: u16) {
        let Some(device) = self.fork.device(branch) else {
            return;
        };
        if !is_temporary(status) && status != 482 {
            self.done.insert(device.to_owned());
        }
    }

    /// True for a device that has answered for itself.
    pub(crate) fn has_done(&self, device: &str) -> bool {
        self.done.contains(device)
    }

    /// Where he waits, or that device of his: one lane for each person, of ours or not.
    pub(crate) fn lane(&self, core: &Core, device: Option<&str>) -> MailboxKey {
        let aor = core.domains.aor(&self.route).unwrap_or_else(|| self.route.aor());
        MailboxKey { aor, device: device.map(str::to_owned) }
    }

    /// A line of the report about him alone: our words for W20's.
    pub(crate) fn line(&self, address: &str) -> ReportLine {
        let outcome = self.outcome.as_ref();
        let state = match outcome.map(|row| row.state) {
            None => ReportState::Pending,
            Some(OutcomeState::Delivered) => ReportState::Success,
            Some(OutcomeState::Failed) => ReportState::Failure,
            Some(OutcomeState::Deferred) => ReportState::Deferred,
        };
        ReportLine {
            address: address.to_owned(),
            state,
            status: outcome.map(|row| row.status),
            reason: outcome.map(|row| row.reason.clone()),
            tries: outcome.map(|row| row.tries),
            after: outcome.map(|row| row.after),
        }
    }
}

/// What may be otherwise later (W18).
pub(crate) const fn is_temporary(status: u16) -> bool {
    matches!(status, 408 | 430 | 480 | 503 | 504)
}
