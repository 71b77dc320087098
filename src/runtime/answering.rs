//! A network behind which a peer answers MESSAGEs as a tester wants: it refuses, is silent, late, or sends junk
//! (`fanfare listen --answer`). It stands between a machine and its sockets, and the machine knows nothing of it.
//!
//! What the peer would answer itself goes to its machine, once it is due; all else is answered here, and the machine never
//! sees it.

use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use bytes::Bytes;
use tokio::sync::Notify;

use super::held::Held;
use super::network::Network;
use super::wire_tap::{Direction, WireTap};
use crate::injection::{Answer, JUNK, Sent};
use crate::limits::{ANSWERS_LATE_MAX, ANSWERS_REMEMBERED_MAX};
use crate::machine::{ConnectId, Flow, Hop, LookupTerms, ResolveId, Transmit};
use crate::net::NetEvent;
use crate::sip::{self, Aor, Compose, Fields, Message, Method, Request, Uri};
use crate::time::{Clock, Timestamp};

/// Whose messages are answered how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The sender, or a domain for everybody in it; none for everybody.
    pub from: Option<Aor>,
    /// The answer.
    pub answer: Answer,
}

impl Rule {
    fn is_for(&self, sender: &Aor) -> bool {
        self.from
            .as_ref()
            .is_none_or(|from| from == sender || (from.user().is_empty() && from.domain() == sender.domain()))
    }
}

/// What became of one transmission of a message that the peer's machine did not see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// When.
    pub at: Timestamp,
    /// The sender's address.
    pub from: String,
    /// The message's Call-ID.
    pub call_id: String,
    /// 1 for the first one.
    pub transmission: u32,
    /// What was sent.
    pub sent: Sent,
}

/// What became of messages, for whoever runs the peer; copies share it.
#[derive(Clone, Debug, Default)]
pub struct Told(Arc<(Mutex<VecDeque<Answered>>, Notify)>);

impl Told {
    /// Returns once there is something to [take](Self::take).
    pub async fn news(&self) {
        self.0.1.notified().await;
    }

    /// What has happened since the last call. If nobody looks for long, the oldest is dropped.
    #[must_use]
    pub fn take(&self) -> Vec<Answered> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner).drain(..).collect()
    }

    fn tell(&self, answered: Answered) {
        let mut queue = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        if queue.len() >= ANSWERS_REMEMBERED_MAX {
            queue.pop_front();
        }
        queue.push_back(answered);
        self.0.1.notify_one();
    }
}

/// See the module documentation.
#[derive(Debug)]
pub struct Answering<N> {
    net: N,
    clock: Clock,
    rules: Vec<Rule>,
    told: Told,
    /// Where all that passes is shown, answered here or not.
    wire: Option<WireTap>,
    /// The tag of our answers.
    tag: String,
    /// Messages by From tag, Call-ID and CSeq (W15).
    seen: BTreeMap<String, Seen>,
    /// The keys, oldest first.
    by_age: VecDeque<String>,
    late: Held<Late>,
    /// What came of transmissions of our own.
    events: VecDeque<NetEvent>,
}

/// A message that a rule is for.
#[derive(Clone, Copy, Debug)]
struct Seen {
    answer: Answer,
    transmissions: u32,
    /// Its answer is not due yet.
    is_late: bool,
}

/// A message whose answer is not due yet.
#[derive(Debug)]
struct Late {
    key: String,
    flow: Flow,
    bytes: Bytes,
}

impl<N: Network> Answering<N> {
    /// Without rules, everything passes. `tag` is the To tag of the answers that are sent here.
    #[must_use]
    pub fn new(
        net: N,
        clock: Clock,
        (rules, told): (Vec<Rule>, Told),
        tag: String,
        wire: Option<WireTap>,
    ) -> Self {
        Self {
            net,
            clock,
            rules,
            told,
            wire,
            tag,
            seen: BTreeMap::new(),
            by_age: VecDeque::new(),
            late: Held::new(ANSWERS_LATE_MAX),
            events: VecDeque::new(),
        }
    }

    /// How many messages are remembered, and how many are held back.
    #[cfg(test)]
    pub(super) fn held(&self) -> (usize, usize) {
        assert_eq!(self.by_age.len(), self.seen.len());
        (self.seen.len(), self.late.len())
    }

    /// The network below.
    #[cfg(test)]
    pub(super) const fn under(&self) -> &N {
        &self.net
    }

    fn record(&self, direction: Direction, flow: Flow, bytes: &Bytes) {
        if let Some(wire) = &self.wire {
            wire.record(self.clock.now().wall, direction, flow, bytes);
        }
    }

    /// The event, if it is for the machine now.
    fn judged(&mut self, event: NetEvent) -> Option<NetEvent> {
        let NetEvent::Received { flow, bytes } = &event else { return Some(event) };
        self.record(Direction::Received, *flow, bytes);
        let Some((request, answer)) = self.ruled(bytes) else { return Some(event) };
        let key = key(request.fields());
        let seen = self.count(&key, answer);
        if answer.ignores(seen.transmissions) || seen.is_late {
            self.tell(&request, seen.transmissions, Sent::Nothing);
            return None;
        }
        if !answer.late.is_zero() && seen.transmissions == answer.dropped + 1 {
            let late = Late { key: key.clone(), flow: *flow, bytes: bytes.clone() };
            let is_held = self.late.hold(self.clock.now().mono + answer.late, late);
            self.set_late(&key, is_held);
            self.tell(&request, seen.transmissions, Sent::Nothing);
            return None;
        }
        self.answered(*flow, &request, seen).then_some(event)
    }

    /// A MESSAGE that a rule is for, and the answer it gets.
    fn ruled(&self, bytes: &Bytes) -> Option<(Request, Answer)> {
        if self.rules.is_empty() || !bytes.starts_with(b"MESSAGE ") {
            return None;
        }
        let Ok(Message::Request(request)) = sip::parse(bytes.clone()) else { return None };
        if *request.method() != Method::Message {
            return None;
        }
        let sender = request.fields().from().uri.to_sip().aor();
        let answer = self.rules.iter().find(|rule| rule.is_for(&sender))?.answer;
        Some((request, answer))
    }

    /// Counts a transmission.
    fn count(&mut self, key: &str, answer: Answer) -> Seen {
        if !self.seen.contains_key(key) {
            if self.by_age.len() >= ANSWERS_REMEMBERED_MAX
                && let Some(oldest) = self.by_age.pop_front()
            {
                self.seen.remove(&oldest);
            }
            self.by_age.push_back(key.to_owned());
        }
        let new = Seen { answer, transmissions: 0, is_late: false };
        let seen = self.seen.entry(key.to_owned()).or_insert(new);
        seen.transmissions = seen.transmissions.saturating_add(1);
        *seen
    }

    fn set_late(&mut self, key: &str, is_late: bool) {
        if let Some(seen) = self.seen.get_mut(key) {
            seen.is_late = is_late;
        }
    }

    /// Answers a message; true if its machine is to do that.
    fn answered(&mut self, flow: Flow, request: &Request, seen: Seen) -> bool {
        let answer = match seen.answer.sent {
            Sent::Usual => return true,
            Sent::Nothing => return false,
            Sent::Status(status) => Compose::response(request, status, None, &self.tag, flow.remote).finish(),
            Sent::Junk => Bytes::from_static(JUNK),
        };
        let times = if seen.answer.is_double { 2 } else { 1 };
        for _ in 0..times {
            let failed = self.net.transmit(&Transmit::new(flow, answer.clone()));
            self.record(Direction::Sent, flow, &answer);
            self.events.extend(failed);
        }
        self.tell(request, seen.transmissions, seen.answer.sent);
        false
    }

    fn tell(&self, request: &Request, transmission: u32, sent: Sent) {
        let fields = request.fields();
        self.told.tell(Answered {
            at: self.clock.now().wall,
            from: fields.from().uri.as_str().to_owned(),
            call_id: fields.call_id().to_owned(),
            transmission,
            sent,
        });
    }

    /// A message that was late and is due now, if it is for the machine; others are answered.
    fn due(&mut self) -> Option<NetEvent> {
        let now = self.clock.now().mono;
        while let Some(Late { key, flow, bytes }) = self.late.due(now) {
            self.set_late(&key, false);
            let Ok(Message::Request(request)) = sip::parse(bytes.clone()) else { continue };
            let Some(seen) = self.seen.get(&key).copied() else { continue };
            if self.answered(flow, &request, seen) {
                return Some(NetEvent::Received { flow, bytes });
            }
        }
        None
    }

    /// True for the machine's answer to a message that is answered twice.
    fn is_double(&self, bytes: &Bytes) -> bool {
        if !self.rules.iter().any(|rule| rule.answer.is_double) || !bytes.starts_with(b"SIP/2.0 ") {
            return false;
        }
        let Ok(Message::Response(response)) = sip::parse(bytes.clone()) else { return false };
        let fields = response.fields();
        *fields.cseq_method() == Method::Message
            && self.seen.get(&key(fields)).is_some_and(|seen| seen.answer.is_double)
    }
}

/// By what a message is known, however often it is sent (W15).
fn key(fields: &Fields) -> String {
    format!("{} {} {}", fields.from().tag().unwrap_or_default(), fields.cseq(), fields.call_id())
}

impl<N: Network + Send> Network for Answering<N> {
    #[expect(clippy::manual_async_fn, reason = "the trait wants a future that can be sent")]
    fn receive(&mut self) -> impl Future<Output = Option<NetEvent>> + Send {
        async move {
            loop {
                if let Some(event) = self.events.pop_front().or_else(|| self.due()) {
                    return Some(event);
                }
                let wait = self.late.next_at().map(|due| self.clock.until(due));
                let event = tokio::select! {
                    event = self.net.receive() => event?,
                    () = tokio::time::sleep(wait.unwrap_or_default()), if wait.is_some() => continue,
                };
                if let Some(event) = self.judged(event) {
                    return Some(event);
                }
            }
        }
    }

    fn try_receive(&mut self) -> Option<NetEvent> {
        loop {
            if let Some(event) = self.events.pop_front().or_else(|| self.due()) {
                return Some(event);
            }
            let event = self.net.try_receive()?;
            if let Some(event) = self.judged(event) {
                return Some(event);
            }
        }
    }

    fn waiting(&self) -> usize {
        self.net.waiting() + self.events.len()
    }

    fn transmit(&mut self, transmit: &Transmit) -> Option<NetEvent> {
        let failed = self.net.transmit(transmit);
        if failed.is_none() {
            self.record(Direction::Sent, transmit.flow, &transmit.bytes);
        }
        if !self.is_double(&transmit.bytes) {
            return failed;
        }
        self.events.extend(failed);
        self.record(Direction::Sent, transmit.flow, &transmit.bytes);
        self.net.transmit(transmit)
    }

    fn connect(&mut self, id: ConnectId, hop: Hop, domain: Option<Arc<str>>) -> Option<NetEvent> {
        self.net.connect(id, hop, domain)
    }

    fn resolve(&mut self, id: ResolveId, uri: &Uri, terms: LookupTerms) -> Option<NetEvent> {
        self.net.resolve(id, uri, terms)
    }

    fn changed_interfaces(&mut self, now: Instant) -> Option<Arc<[IpAddr]>> {
        self.net.changed_interfaces(now)
    }

    fn close(&mut self, flow: Flow) {
        self.net.close(flow);
    }
}
