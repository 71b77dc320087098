//! One person of a message: where the leg has gone, and what became of it (W20).

use super::branch::Fork;
use super::journal::{OutcomeRow, OutcomeState};
use super::submission::Person;
use crate::sip::{ReportLine, ReportState, Uri};

/// One person of a message.
#[derive(Debug)]
pub(super) struct Recipient {
    /// As the submission spelled it (W20).
    pub(super) address: String,
    pub(super) route: Uri,
    pub(super) fork: Fork,
    pub(super) outcome: Option<OutcomeRow>,
    pub(super) saved: Saved,
}

/// Where an outcome is on its way to the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Saved {
    No,
    InRound(u32),
    Yes,
}

impl Recipient {
    /// Nothing is known of him yet.
    pub(super) fn new(person: Person, fork: Fork) -> Self {
        Self {
            address: person.addressed.uri.as_str().to_owned(),
            route: person.route,
            fork,
            outcome: None,
            saved: Saved::No,
        }
    }

    /// The report's line: our words for W20's.
    pub(super) fn line(&self) -> ReportLine {
        let outcome = self.outcome.as_ref();
        let state = match outcome.map(|row| row.state) {
            None => ReportState::Pending,
            Some(OutcomeState::Delivered) => ReportState::Success,
            Some(OutcomeState::Failed) => ReportState::Failure,
            Some(OutcomeState::Deferred) => ReportState::Deferred,
        };
        ReportLine {
            address: self.address.clone(),
            state,
            status: outcome.map(|row| row.status),
            reason: outcome.map(|row| row.reason.clone()),
            tries: outcome.map(|row| row.tries),
            after: outcome.map(|row| row.after),
        }
    }
}
