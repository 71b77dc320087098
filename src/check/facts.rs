//! What is known of one message at one time, found in what was seen.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use super::script::Outcome;
use super::stage::Seen;
use crate::inspect::{Read, Traced, ladder, ladder_text, submissions};
use crate::model::contacts::{AddressBook, Contact};
use crate::model::delivery::best_of;
use crate::model::journal::{DeliveryRow, DeliveryState, OpenRows};
use crate::model::names::Names;
use crate::model::summary;
use crate::model::view::message_view;
use crate::sip::{Fields, Message, Method, Request, Uri};
use crate::time::Timestamp;

/// The people as the script calls them, each with the address and the place.
pub(super) struct Person<'a> {
    pub(super) name: &'a str,
    pub(super) address: String,
    pub(super) place: Option<SocketAddr>,
}

/// What is known of one message of the sender.
pub(super) struct Facts<'a> {
    /// What the client knows; None if the draft was refused.
    rows: Option<&'a OpenRows>,
    text: &'a str,
    sent_at: Timestamp,
    trace: &'a [Traced],
    proxy: SocketAddr,
    people: &'a [Person<'a>],
}

/// What the sender sent.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Uplink {
    pub(super) messages: usize,
    pub(super) transmissions: usize,
    pub(super) bytes: usize,
    pub(super) status: Option<u16>,
}

/// A message however often it is sent: From tag, CSeq, Call-ID (W15).
type Key = (String, u32, String);

fn key(fields: &Fields) -> Key {
    (fields.from().tag().unwrap_or_default().to_owned(), fields.cseq(), fields.call_id().to_owned())
}

/// Reads what passed.
pub(super) fn trace(seen: &Seen<'_>) -> Vec<Traced> {
    seen.wire.iter().cloned().map(Traced::of).collect()
}

impl<'a> Facts<'a> {
    pub(super) const fn new(
        (rows, text, sent_at): (Option<&'a OpenRows>, &'a str, Timestamp),
        (trace, proxy): (&'a [Traced], SocketAddr),
        people: &'a [Person<'a>],
    ) -> Self {
        Self { rows, text, sent_at, trace, proxy, people }
    }

    fn person(&self, name: &str) -> Option<&Person<'a>> {
        self.people.iter().find(|person| person.name == name)
    }

    /// What the client knows of somebody, and how long after the message was sent that was known.
    pub(super) fn outcome(&self, name: &str) -> (Option<Outcome>, Option<u16>, Option<Duration>) {
        let found = self.delivery(name);
        let Some((row, _)) = found else { return (None, None, None) };
        let Some(row) = row else { return (Some(Outcome::Queued), None, None) };
        let outcome = match row.state {
            DeliveryState::Queued => Outcome::Queued,
            DeliveryState::Sending | DeliveryState::Accepted => Outcome::Waiting,
            DeliveryState::Delivered => Outcome::Delivered,
            DeliveryState::Read => Outcome::Read,
            DeliveryState::PassedOn => Outcome::PassedOn,
            DeliveryState::Failed => Outcome::Failed,
            DeliveryState::Deferred => Outcome::Deferred,
            DeliveryState::NoReport => Outcome::NoReport,
            DeliveryState::Cancelled => Outcome::Cancelled,
        };
        let is_known = !matches!(outcome, Outcome::Queued | Outcome::Waiting);
        (Some(outcome), row.status, is_known.then(|| row.at.since(self.sent_at)))
    }

    fn delivery(&self, name: &str) -> Option<(Option<&'a DeliveryRow>, u32)> {
        let rows = self.rows?;
        let wanted = Uri::parse(&self.person(name)?.address).ok()?.to_sip().aor();
        let is_it = |address: &str| Uri::parse(address).is_ok_and(|uri| uri.to_sip().aor() == wanted);
        let place = rows.outgoing.recipients.iter().position(|row| is_it(&row.address))?;
        let index = u32::try_from(place).ok()?;
        Some((best_of(&rows.deliveries, index), index))
    }

    /// True once nothing more is expected soon.
    pub(super) fn is_settled(&self) -> bool {
        let Some(rows) = self.rows else { return true };
        (0..rows.outgoing.recipients.len()).all(|place| {
            let index = u32::try_from(place).unwrap_or(u32::MAX);
            best_of(&rows.deliveries, index).is_some_and(|row| {
                !matches!(row.state, DeliveryState::Queued | DeliveryState::Sending | DeliveryState::Accepted)
            })
        })
    }

    /// The MESSAGEs with the text of this one.
    fn requests(&self) -> impl Iterator<Item = (&'a Traced, &'a Request)> {
        let text = self.text.as_bytes();
        self.trace.iter().filter_map(move |traced| match &traced.read {
            Read::Message(Message::Request(request))
                if *request.method() == Method::Message
                    && memchr::memmem::find(&request.body(), text).is_some() =>
            {
                Some((traced, request))
            }
            Read::Message(_) | Read::KeepAlive | Read::Unreadable(_) => None,
        })
    }

    /// The final answers to MESSAGEs, with their keys and statuses.
    fn answers(&self) -> impl Iterator<Item = (&'a Traced, Key, u16)> {
        self.trace.iter().filter_map(|traced| match &traced.read {
            Read::Message(Message::Response(response))
                if *response.fields().cseq_method() == Method::Message && response.status() >= 200 =>
            {
                Some((traced, key(response.fields()), response.status()))
            }
            Read::Message(_) | Read::KeepAlive | Read::Unreadable(_) => None,
        })
    }

    /// MESSAGEs that were sent to somebody.
    pub(super) fn transmissions(&self, name: &str) -> usize {
        let place = self.person(name).and_then(|person| person.place);
        self.requests().filter(|(traced, _)| Some(traced.wire.to) == place).count()
    }

    /// How often it arrived at somebody and was accepted.
    pub(super) fn arrivals(&self, name: &str) -> usize {
        let place = self.person(name).and_then(|person| person.place);
        let sent: BTreeSet<Key> = self
            .requests()
            .filter(|(traced, _)| Some(traced.wire.to) == place)
            .map(|(_, request)| key(request.fields()))
            .collect();
        let accepted: BTreeSet<Key> = self
            .answers()
            .filter(|(traced, key, status)| {
                Some(traced.wire.from) == place && (200..300).contains(status) && sent.contains(key)
            })
            .map(|(_, key, _)| key)
            .collect();
        accepted.len()
    }

    /// What the sender sent.
    pub(super) fn uplink(&self) -> Uplink {
        let mut uplink = Uplink::default();
        let mut last_answers: BTreeMap<Key, Option<u16>> = BTreeMap::new();
        let mut latest = None;
        for (traced, request) in self.requests().filter(|(traced, _)| traced.wire.to == self.proxy) {
            uplink.transmissions += 1;
            uplink.bytes = uplink.bytes.max(traced.wire.bytes.len());
            let key = key(request.fields());
            last_answers.insert(key.clone(), None);
            latest = Some(key);
        }
        for (_, key, status) in self.answers().filter(|(traced, _, _)| traced.wire.from == self.proxy) {
            if let Some(answer) = last_answers.get_mut(&key) {
                *answer = Some(status);
            }
        }
        uplink.messages = last_answers.len();
        uplink.status = latest.and_then(|key| last_answers.get(&key).copied().flatten());
        uplink
    }

    /// How many reports the sender was sent.
    pub(super) fn reports(&self) -> usize {
        let own: BTreeSet<&str> = self
            .rows
            .iter()
            .flat_map(|rows| rows.attempts.iter().map(|attempt| attempt.call_id.as_str()))
            .collect();
        let reports = self.trace.iter().filter_map(|traced| match &traced.read {
            Read::Message(Message::Request(request))
                if *request.method() == Method::Notify && traced.wire.from == self.proxy =>
            {
                Some(request.fields()).filter(|fields| own.contains(fields.call_id())).map(key)
            }
            Read::Message(_) | Read::KeepAlive | Read::Unreadable(_) => None,
        });
        reports.collect::<BTreeSet<_>>().len()
    }

    /// The line under the message, and whom `Resend` goes to.
    pub(super) fn window(&self) -> Option<(String, BTreeSet<String>)> {
        let contact = |person: &Person<'_>| Contact {
            address: person.address.clone(),
            name: person.name.to_owned(),
            simulated: true,
        };
        let contacts = self.people.iter().map(contact).collect();
        let view = message_view(
            self.rows?,
            &Names::of(&AddressBook { contacts, lists: Vec::new(), ..AddressBook::default() }),
        );
        let of_state = |states: &[DeliveryState]| {
            let found = view.deliveries.iter().filter(|delivery| states.contains(&delivery.state));
            found.map(|delivery| delivery.person.name.clone()).collect::<Vec<_>>()
        };
        let waiting_for = of_state(&[DeliveryState::Deferred]);
        let waiting_for: Vec<_> = waiting_for.iter().map(String::as_str).collect();
        let line = summary::line(&view.tally, &waiting_for);
        let resendable = of_state(&[DeliveryState::Failed, DeliveryState::NoReport]);
        Some((line, resendable.into_iter().collect()))
    }
}

/// The ladders of all messages that were sent to the proxy.
pub(super) fn ladders(trace: &[Traced], proxy: SocketAddr) -> String {
    let all = submissions(trace);
    let drawn = all
        .iter()
        .filter(|one| one.proxy == proxy)
        .map(|one| ladder_text(&ladder(one, |index| trace.get(index))));
    drawn.collect::<Vec<_>>().join("\n")
}
