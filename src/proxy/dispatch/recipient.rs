//! One recipient of a message: where the leg has gone, and its outcome (W20).

use std::collections::BTreeSet;

use super::branch::Fork;
use super::submission::Addressee;
use crate::proxy::core::Core;
use crate::proxy::journal::{OutcomeRow, OutcomeState};
use crate::proxy::mailbox::MailboxKey;
use crate::sip::{ReportLine, ReportState, Sees, Uri};

/// One recipient of a message.
#[derive(Debug)]
pub(crate) struct Recipient {
    pub(crate) own: Own,
    pub(crate) route: Uri,
    pub(crate) fork: Fork,
    pub(crate) outcome: Option<OutcomeRow>,
    pub(crate) saved: Saved,
    /// The address was taken from its user: what is under way runs to its end, but nothing waits for the next owner.
    pub(crate) is_departed: bool,
    /// Devices that have answered for good, before the outcome of the recipient was decided.
    done: BTreeSet<String>,
}

/// How a recipient was named in the submission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Own {
    /// By an address of its own, in this line.
    Line(usize),
    /// As a member of a list.
    Member(Box<Member>),
}

impl Own {
    /// The index of the recipient's line in the submission; an index past them all for a list's member.
    pub(crate) const fn line(&self) -> usize {
        match self {
            Self::Line(line) => *line,
            Self::Member(_) => usize::MAX,
        }
    }
}

/// A recipient whose leg does not follow from a line of the submission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Member {
    /// The address for To.
    pub(crate) address: Uri,
    /// The line that is about this recipient alone.
    pub(crate) line: Option<usize>,
    pub(crate) sees: Sees,
}

/// Whether an outcome is on its way to the store, or there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Saved {
    No,
    InRound(u32),
    Yes,
}

impl Recipient {
    /// A recipient of whom nothing is known yet.
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

    /// Restores what the store knew.
    pub(crate) fn restore(&mut self, outcome: OutcomeRow) {
        if let Some(waits) = &outcome.waits {
            self.fork = Fork::resumed(waits.branches, outcome.tries);
        }
        self.outcome = Some(outcome);
        self.saved = Saved::Yes;
    }

    /// True once the recipient has the message, or never will.
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

    /// Notes a device's final response while no device has decided; a temporary failure leaves the device to be served.
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

    /// The mailbox queue of the recipient, or of that device: one queue per person, ours or not.
    pub(crate) fn lane(&self, core: &Core, device: Option<&str>) -> MailboxKey {
        let aor = core.domains.aor(&self.route).unwrap_or_else(|| self.route.aor());
        MailboxKey { aor, device: device.map(str::to_owned) }
    }

    /// A report line about this recipient alone, in the words of W20.
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

/// True for a status that may change later (W18).
pub(crate) const fn is_temporary(status: u16) -> bool {
    matches!(status, 408 | 430 | 480 | 503 | 504)
}
