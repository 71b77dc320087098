//! What the checks must remember; it knows no more about the machines than necessary.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use fanfare::model::journal::{DeliveryState, MessageId};
use fanfare::model::reason::{LocalReason, Phrase};
use fanfare::proxy::journal::{AcceptedRow, DispatchId, OutcomeState};
use fanfare::time::Timestamp;

use crate::text::{body, branch, field, fields, number, user};
use fanfare::simulation::{Host, HostId};

/// A message that expires sooner than this does not wait for absent recipients (W8).
const TIMER_F: Duration = Duration::from_secs(32);

/// One recipient in one attempt of one message of one client.
pub(crate) type Place = (HostId, MessageId, u32, u32);
/// One message at the proxy that accepted it.
pub(crate) type Owed = (HostId, DispatchId);

/// See the top of this file.
#[derive(Debug, Default)]
pub(crate) struct Model {
    /// Every message that a proxy's disk ever held.
    pub(crate) accepted: BTreeMap<Owed, Accepted>,
    /// The latest outcome of each recipient that was on a proxy's disk.
    pub(crate) outcomes: BTreeMap<(Owed, usize), OutcomeState>,
    /// Recipients who were deferred at least once there.
    pub(crate) deferred: BTreeSet<(Owed, usize)>,
    /// Recipients whose final outcome was on the proxy's disk at its last start.
    pub(crate) settled_at_start: BTreeSet<(Owed, usize)>,
    /// Branches of legs that a proxy has sent since it started.
    pub(crate) sent: BTreeSet<(HostId, String)>,
    /// Branches that it has received a 2xx for since then; a 2xx to an earlier start may be lost (W15).
    pub(crate) answered: BTreeSet<(HostId, String)>,
    /// Calls for which a place of the sender's refused a report.
    pub(crate) refused: BTreeSet<(HostId, String)>,
    /// Hosts whose calendar was changed: expiry times there may be off.
    pub(crate) stepped: BTreeSet<HostId>,
    /// When, after the storm, the last host came back.
    pub(crate) all_there_at: Option<Timestamp>,
    /// Contents of the reports, by Call-ID and CSeq.
    pub(crate) reports: BTreeMap<(String, u64), String>,
    /// The highest state on each client's disk.
    pub(crate) kept: BTreeMap<Place, u8>,
    /// The highest state that each client told its owner.
    pub(crate) told: BTreeMap<Place, u8>,
    /// What each client has told its owner since it started.
    pub(crate) told_since_start: BTreeMap<Place, DeliveryState>,
    /// Messages that each client has shown to its owner.
    pub(crate) shown: BTreeSet<(HostId, MessageId)>,
    /// The call in which each client sent which notification about which message (W28).
    pub(crate) said: BTreeMap<(HostId, String, &'static str), String>,
    /// The keys for detecting duplicates on each client's disk.
    pub(crate) keys: BTreeSet<(HostId, String)>,
}

/// One message that a proxy must deliver to everyone in it.
#[derive(Debug)]
pub(crate) struct Accepted {
    pub(crate) call_id: String,
    pub(crate) text: String,
    /// How long it may be delivered, if it says so, and until when (W8).
    pub(crate) lifetime: Option<Duration>,
    pub(crate) ends_at: Option<Timestamp>,
    /// Whether it may wait for absent recipients (W8).
    pub(crate) may_wait: bool,
    /// Users, in the order of the recipients.
    pub(crate) people: Vec<String>,
}

impl Accepted {
    pub(crate) fn of(row: &AcceptedRow) -> Self {
        let request = String::from_utf8_lossy(&row.request);
        let addresses: Vec<_> = fields(&request, "To").chain(fields(&request, "Secondary-To")).collect();
        let place = |index: &u32| user(addresses[usize::try_from(*index).unwrap()]).to_owned();
        let expires = number(&request, "Expires").map(Duration::from_secs);
        Self {
            ends_at: expires.map(|expires| row.accepted_at.plus(expires)),
            lifetime: expires,
            may_wait: expires.is_some_and(|expires| expires > TIMER_F),
            call_id: field(&request, "Call-ID").unwrap_or_default().to_owned(),
            text: body(&request).to_owned(),
            people: row.recipients.iter().map(place).collect(),
        }
    }

    /// A user's index among the recipients.
    pub(crate) fn place_of(&self, user: &str) -> Option<usize> {
        self.people.iter().position(|person| person == user)
    }
}

impl Model {
    /// Records what is on a host's disk when it starts.
    pub(crate) fn starts(&mut self, id: HostId, host: &Host) {
        self.told_since_start.retain(|place, _| place.0 != id);
        let Some(store) = host.proxy_store() else {
            return;
        };
        self.answered.retain(|(of, _)| *of != id);
        self.sent.retain(|(of, _)| *of != id);
        self.settled_at_start.retain(|((of, _), _)| *of != id);
        let outcomes = store.dispatches.iter().flat_map(|(number, rows)| {
            let known = rows.outcomes.iter().filter(move |outcome| outcome.state != OutcomeState::Deferred);
            known.map(move |outcome| ((id, *number), usize::try_from(outcome.recipient).unwrap()))
        });
        self.settled_at_start.extend(outcomes);
    }

    /// Records what arrives at a running host.
    pub(crate) fn receives(&mut self, id: HostId, host: &Host, bytes: &[u8]) {
        if host.proxy_store().is_none() {
            return;
        }
        let text = String::from_utf8_lossy(bytes);
        let is_to = |method| field(&text, "CSeq").is_some_and(|cseq| cseq.ends_with(method));
        if bytes.starts_with(b"SIP/2.0 2") && is_to(" MESSAGE") {
            let heard = branch(&text).map(|branch| (id, branch.to_owned()));
            self.answered.extend(heard.filter(|heard| self.sent.contains(heard)));
        }
        if bytes.starts_with(b"SIP/2.0 481 ") && is_to(" NOTIFY") {
            self.refused.extend(field(&text, "Call-ID").map(|call_id| (id, call_id.to_owned())));
        }
    }
}

/// The rank of a state; a lower rank is a step back. A failure that the client only assumed may be replaced by a
/// report.
pub(crate) fn rank(state: DeliveryState, phrase: &Phrase) -> u8 {
    match state {
        DeliveryState::Queued => 0,
        DeliveryState::Sending => 1,
        DeliveryState::Accepted => 2,
        DeliveryState::NoReport => 3,
        DeliveryState::Failed
            if matches!(phrase, Phrase::Local(LocalReason::NoAnswer | LocalReason::NoConnection)) =>
        {
            3
        }
        DeliveryState::Deferred => 4,
        // A failure that was reported too early may be replaced by a success.
        DeliveryState::Failed => 5,
        DeliveryState::PassedOn => 6,
        DeliveryState::Delivered => 7,
        DeliveryState::Read => 8,
        DeliveryState::Cancelled => 9,
    }
}
