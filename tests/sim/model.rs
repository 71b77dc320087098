//! What has to be remembered to tell right from wrong; it knows no more of the machines than it must.

use std::collections::{BTreeMap, BTreeSet};

use fanfare::client::journal::{DeliveryState, MessageId};
use fanfare::proxy::journal::{AcceptedRow, DispatchId, OutcomeState};

use crate::host::{Host, HostId};
use crate::text::{body, branch, field, fields, user};

/// One recipient of one attempt at one message of one client.
pub(crate) type Place = (HostId, MessageId, u32, u32);

/// See the head of this file.
#[derive(Debug, Default)]
pub(crate) struct Model {
    /// Every message that the proxy's disk ever held.
    pub(crate) accepted: BTreeMap<DispatchId, Accepted>,
    /// Recipients whose outcome was on the proxy's disk when it started last.
    pub(crate) settled_at_start: BTreeSet<(DispatchId, usize)>,
    /// Branches of legs that the proxy has sent since it started.
    pub(crate) sent: BTreeSet<String>,
    /// Those to which it has heard a 2xx since; one to an earlier start may be lost on it (W15).
    pub(crate) answered: BTreeSet<String>,
    /// What the reports said, by Call-ID and CSeq.
    pub(crate) reports: BTreeMap<(String, String), String>,
    /// The furthest state on each client's disk.
    pub(crate) kept: BTreeMap<Place, DeliveryState>,
    /// The furthest state that each client has told its owner.
    pub(crate) told: BTreeMap<Place, DeliveryState>,
    /// What each client has told its owner since it started.
    pub(crate) told_since_start: BTreeMap<Place, DeliveryState>,
    /// Messages that each client has shown to its owner.
    pub(crate) shown: BTreeSet<(HostId, MessageId)>,
    /// What tells doubles, as each client's disk has it.
    pub(crate) keys: BTreeSet<(HostId, String)>,
}

/// One message that the proxy owes to everybody in it.
#[derive(Debug)]
pub(crate) struct Accepted {
    pub(crate) call_id: String,
    pub(crate) text: String,
    /// Users, by their place among the recipients.
    pub(crate) people: Vec<String>,
}

impl Accepted {
    pub(crate) fn of(row: &AcceptedRow) -> Self {
        let request = String::from_utf8_lossy(&row.request);
        let addresses: Vec<_> = fields(&request, "To").chain(fields(&request, "Secondary-To")).collect();
        let place = |index: &u32| user(addresses[usize::try_from(*index).unwrap()]).to_owned();
        Self {
            call_id: field(&request, "Call-ID").unwrap_or_default().to_owned(),
            text: body(&request).to_owned(),
            people: row.recipients.iter().map(place).collect(),
        }
    }

    /// Where a user stands among the recipients.
    pub(crate) fn place_of(&self, user: &str) -> Option<usize> {
        self.people.iter().position(|person| person == user)
    }
}

impl Model {
    /// A host starts with what its disk holds.
    pub(crate) fn starts(&mut self, id: HostId, host: &Host) {
        self.told_since_start.retain(|place, _| place.0 != id);
        let Some(store) = host.proxy_store() else {
            return;
        };
        self.answered.clear();
        self.sent.clear();
        let outcomes = store.dispatches.iter().flat_map(|(id, rows)| {
            let is_final = |state| matches!(state, OutcomeState::Delivered | OutcomeState::Failed);
            let known = rows.outcomes.iter().filter(move |outcome| is_final(outcome.state));
            known.map(|outcome| (*id, usize::try_from(outcome.recipient).unwrap()))
        });
        self.settled_at_start = outcomes.collect();
    }

    /// Something arrives at a host that is up.
    pub(crate) fn receives(&mut self, host: &Host, bytes: &[u8]) {
        if host.proxy_store().is_some() && bytes.starts_with(b"SIP/2.0 2") {
            let text = String::from_utf8_lossy(bytes);
            let is_of_leg = field(&text, "CSeq").is_some_and(|cseq| cseq.ends_with(" MESSAGE"));
            let heard = branch(&text).filter(|branch| is_of_leg && self.sent.contains(*branch));
            self.answered.extend(heard.map(str::to_owned));
        }
    }
}

/// How far a state is; what goes down goes back.
pub(crate) const fn rank(state: DeliveryState) -> u8 {
    match state {
        DeliveryState::Queued => 0,
        DeliveryState::Sending => 1,
        DeliveryState::Accepted => 2,
        DeliveryState::NoReport => 3,
        DeliveryState::Deferred => 4,
        // A failure that was our own guess, or that was reported too early, gives way to a success.
        DeliveryState::Failed => 5,
        DeliveryState::PassedOn => 6,
        DeliveryState::Delivered => 7,
        DeliveryState::Cancelled => 8,
    }
}
