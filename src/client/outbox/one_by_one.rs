//! Sending through a server that does not fan out: an ordinary MESSAGE for each recipient, without Contact, whose final
//! response sets the tick (W6).
//!
//! **Invariant:** the identity of such a MESSAGE follows from stored facts (its attempt and its recipient), and each
//! answer is committed for its recipient alone. So after a crash those who have answered get nothing, and the others
//! get the same request again, recognizable as a duplicate.

mod hold;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use self::hold::Holds;
use super::detour::Detour;
use super::print::{SingleRequest, print_single};
use super::{AttemptId, Outbox};
use crate::client::agent::core::{Action, Core, Single, Task};
use crate::client::agent::route::{Route, route};
use crate::client::agent::server_connection::Stream;
use crate::client::agent::sign_in::{Answered, Answerer, Heeded};
use crate::limits::{CONNECT_WAIT, REDIRECT_WAIT_T1, SINGLES_OPEN_MAX, SUBMISSION_SENDINGS_MAX};
use crate::machine::{ConnectId, Flow, Hop, ResolveId};
use crate::model::command::Event;
use crate::model::delivery::{News, is_settled};
use crate::model::journal::{DeliveryState, MessageId, Way, Write};
use crate::model::reason::LocalReason;
use crate::model::text::visible;
use crate::sip::{Method, Response, Uri};
use crate::time::Now;
use crate::transaction::Failure;

/// The MESSAGEs sent one by one.
#[derive(Debug, Default)]
pub(super) struct Singles {
    /// Those waiting to leave, in the order in which they will.
    waiting: BTreeSet<Single>,
    /// Those too large for a datagram, while the connection is being opened (W4).
    large: BTreeSet<Single>,
    /// Those without a final response, and when they were sent.
    under_way: BTreeMap<Single, Instant>,
    /// How often each was sent on a connection that then broke.
    broken: BTreeMap<Single, u8>,
    /// The challenges that each has answered; every answer makes it a new request (RFC 3261 §22.2).
    challenges: BTreeMap<Single, Answered>,
    /// Those that a 3xx has redirected.
    detours: BTreeMap<Single, Detour>,
    /// Recipients who asked us to wait, and what waits for that.
    holds: Holds,
}

impl Singles {
    /// Whether anything waits to leave.
    pub(super) fn has_waiting(&self) -> bool {
        !self.waiting.is_empty() || !self.large.is_empty()
    }

    /// Those without a final response.
    pub(super) fn under_way(&self) -> impl Iterator<Item = &Single> {
        self.under_way.keys()
    }

    /// The attempts they belong to.
    pub(super) fn attempts(&self) -> BTreeSet<AttemptId> {
        let waiting = self.waiting.iter().chain(&self.large).chain(self.holds.held());
        let all = waiting.chain(self.under_way.keys()).chain(self.detours.keys());
        all.map(|single| (single.message, single.attempt)).collect()
    }

    /// Withdraws what has not left yet of an attempt.
    pub(super) fn withdraw(&mut self, place: AttemptId) {
        let is_other = |single: &Single| (single.message, single.attempt) != place;
        self.waiting.retain(is_other);
        self.large.retain(is_other);
        self.holds.retain(is_other);
    }

    /// Forgets all of a message.
    pub(super) fn forget(&mut self, id: MessageId) {
        let is_other = |single: &Single| single.message != id;
        self.waiting.retain(is_other);
        self.large.retain(is_other);
        self.holds.retain(is_other);
        self.under_way.retain(|single, _| is_other(single));
        self.broken.retain(|single, _| is_other(single));
        self.challenges.retain(|single, _| is_other(single));
        self.detours.retain(|single, _| is_other(single));
    }

    /// The server challenges one of them, or the recipient does, and it is sent again with credentials. The recipient has
    /// not taken it yet, so the CSeq, which marks duplicates, can follow from the number of challenges, also after a
    /// restart.
    fn is_to_prove(&mut self, core: &mut Core, (single, to): (Single, &Uri), response: &Response) -> bool {
        // A target that a 3xx named gets no credentials.
        if self.detours.contains_key(&single) {
            return false;
        }
        let mut answered = self.challenges.get(&single).cloned().unwrap_or_default();
        if core.challenges.heed(response, Answerer::Recipient(to), &mut answered) == Heeded::Refused {
            return false;
        }
        self.challenges.insert(single, answered);
        self.under_way.remove(&single);
        self.waiting.insert(single);
        true
    }

    fn ended(&mut self, single: Single) -> Option<Instant> {
        self.broken.remove(&single);
        self.detours.remove(&single);
        self.challenges.remove(&single);
        self.under_way.remove(&single)
    }
}

impl Outbox {
    /// This server does not fan out: waiting attempts go one by one, as room permits.
    pub(super) fn send_one_by_one(&mut self, core: &mut Core, now: Now) {
        self.send_singles(core, now);
        while self.singles.waiting.len() < SINGLES_OPEN_MAX {
            let Some(place) = self.waiting.pop_first() else {
                break;
            };
            // What a proxy has accepted, that proxy delivers.
            let is_open =
                self.find(place).is_some_and(|(_, attempt)| !attempt.is_closed() && !attempt.is_accepted());
            if is_open {
                self.go_one_by_one(core, place, now);
            }
        }
        self.send_singles(core, now);
    }

    /// From here on an attempt goes one by one, to those of its recipients of whom nothing is known yet.
    pub(super) fn go_one_by_one(&mut self, core: &mut Core, place: AttemptId, now: Now) {
        let Some(attempt) = self.find_mut(place) else {
            return;
        };
        if attempt.row.way != Way::OneByOne {
            attempt.row.way = Way::OneByOne;
            core.write(Write::Attempt(attempt.row.clone()));
            let (message, attempt) = place;
            core.promise(Action::TellOf(message, Event::OneByOne { message, attempt }));
        }
        self.resume_one_by_one(place);
        self.end_one_by_one(core, place, now);
    }

    /// Queues the MESSAGEs for an attempt's unanswered recipients.
    pub(super) fn resume_one_by_one(&mut self, (message, attempt): AttemptId) {
        let Some((_, found)) = self.find((message, attempt)) else {
            return;
        };
        let open = found.deliveries.iter().filter(|row| !is_settled(row.state));
        let singles: Vec<_> = open.map(|row| Single { message, attempt, recipient: row.recipient }).collect();
        self.singles.waiting.extend(singles);
    }

    /// Sends what goes one by one, up to the limit of pending requests.
    pub(super) fn send_singles(&mut self, core: &mut Core, now: Now) {
        if !matches!(core.server.stream(), Stream::Opening { .. }) {
            let singles = &mut self.singles;
            singles.waiting.append(&mut singles.large);
        }
        while self.has_room_for_single() {
            let Some(single) = self.singles.waiting.pop_first() else {
                return;
            };
            let place = (single.message, single.attempt);
            if self.is_to_be_noted(core, place) {
                self.singles.withdraw(place);
                self.note_that_it_leaves(core, place, now);
                continue;
            }
            if self.is_held(single, now) {
                continue;
            }
            match self.way_of_single(core, single) {
                Some(Route::Leave(printed)) => {
                    let task = Task::Single(single);
                    // Another target is left: this one need not take all of Timer F.
                    let brief = self.singles.detours.get(&single).filter(|detour| detour.has_more());
                    let until = brief.map(|_| now.mono + core.profile.t1 * REDIRECT_WAIT_T1);
                    let way = (printed.flow, &*printed.branch, until);
                    core.send_until(task, Method::Message, way, printed.bytes, now);
                    self.single_left(core, single, now);
                }
                Some(Route::AwaitConnection) => {
                    self.singles.large.insert(single);
                    core.open_stream(now.mono, CONNECT_WAIT);
                }
                Some(Route::TooLarge) => self.single_failed(core, single, (None, LocalReason::TooLarge), now),
                Some(Route::NoTls) => self.single_failed(core, single, (None, LocalReason::NoTls), now),
                Some(Route::NoLine) => {
                    self.singles.waiting.insert(single);
                    return;
                }
                None => {}
            }
        }
    }

    /// The request, and how it can leave; `None` if there is none to send.
    fn way_of_single(&self, core: &mut Core, single: Single) -> Option<Route> {
        let (entry, attempt) = self.find((single.message, single.attempt))?;
        let again = self.singles.challenges.get(&single).map_or(0, Answered::rounds);
        let detour = self.singles.detours.get(&single);
        let targets = detour.map_or(0, Detour::targets);
        let which = SingleRequest {
            recipient: single.recipient,
            cseq: attempt.row.cseq.saturating_add(again).saturating_add(targets),
            redirected: detour.map(Detour::uri),
        };
        let print = |core: &mut Core, flow| print_single(core, (entry, attempt), which, flow);
        match detour.and_then(Detour::flow) {
            Some(flow) => print(core, flow).map(Route::Leave),
            None => route(core, entry.wanted(&[single.recipient]), print),
        }
    }

    /// A response to one of them.
    pub(crate) fn heard_single(&mut self, core: &mut Core, single: Single, response: &Response, now: Now) {
        let status = response.status();
        let to =
            self.find((single.message, single.attempt)).map(|(entry, _)| entry.address(single.recipient));
        let to = to.and_then(|address| Uri::parse(address).ok());
        if status < 200
            || to.is_some_and(|to| self.singles.is_to_prove(core, (single, &to), response))
            || self.goes_elsewhere(core, single, response)
        {
            return;
        }
        let place = self.singles.detours.get(&single).map(|detour| visible(detour.place()));
        let after = self.singles.ended(single).map(|written| now.mono.saturating_duration_since(written));
        let state = match status {
            // A store accepted it for them: arrival is not confirmed (W18).
            202 => DeliveryState::PassedOn,
            200..=299 => DeliveryState::Delivered,
            _ => DeliveryState::Failed,
        };
        if place.is_none() {
            self.hold_recipient(single, response, now);
        }
        let phrase = match place {
            Some(place) => LocalReason::Redirected(place).into(),
            None => core.challenges.reason(response),
        };
        let news = News { state, status: Some(status), phrase, tries: None, after };
        self.single_ended(core, single, &news, now);
    }

    /// Whether it goes to another target: a 3xx redirects it, or one target refused and another is left
    /// (RFC 3261 §8.1.3.4). A 6xx speaks for all targets.
    fn goes_elsewhere(&mut self, core: &mut Core, single: Single, response: &Response) -> bool {
        let status = response.status();
        let may_go = (300..600).contains(&status);
        if !may_go || status < 400 && self.begin_detour(core, single, response).is_none() {
            return false;
        }
        if !self.singles.detours.get_mut(&single).is_some_and(|detour| detour.go_on(core)) {
            return false;
        }
        self.singles.under_way.remove(&single);
        true
    }

    fn begin_detour(&mut self, core: &Core, single: Single, response: &Response) -> Option<()> {
        if !self.singles.detours.contains_key(&single) {
            let (entry, _) = self.find((single.message, single.attempt))?;
            let uri = Uri::parse(entry.address(single.recipient)).ok()?.to_sip();
            let detour = Detour::new(core, uri, entry.row.body.len());
            self.singles.detours.insert(single, detour);
        }
        self.singles.detours.get_mut(&single).map(|detour| detour.take(core, response))
    }

    /// A redirected message's look-up has ended.
    pub(crate) fn detour_found(&mut self, core: &mut Core, id: ResolveId, hops: Vec<Hop>, now: Now) {
        let mut all = self.singles.detours.iter_mut();
        if let Some((single, detour)) = all.find(|(_, detour)| detour.awaits_name(id)) {
            let single = *single;
            detour.found(core, hops);
            self.detour_moved(core, single, now);
        }
    }

    /// A redirected message's connection is open, or could not be opened.
    pub(crate) fn detour_connected(&mut self, core: &mut Core, id: ConnectId, flow: Option<Flow>, now: Now) {
        let mut all = self.singles.detours.iter_mut();
        if let Some((single, detour)) = all.find(|(_, detour)| detour.awaits_connection(id)) {
            let single = *single;
            match flow {
                Some(flow) => detour.connected(flow),
                None => detour.next_hop(core),
            }
            self.detour_moved(core, single, now);
        }
    }

    fn detour_moved(&mut self, core: &mut Core, single: Single, now: Now) {
        let Some(detour) = self.singles.detours.get_mut(&single) else {
            return;
        };
        if detour.flow().is_some() {
            self.singles.waiting.insert(single);
        } else if detour.is_stuck() && !detour.go_on(core) {
            let why = detour.not_reached();
            self.single_failed(core, single, why, now);
        }
    }

    /// Whether it is at a place to which a 3xx led.
    pub(crate) fn is_redirected(&self, single: Single) -> bool {
        self.singles.detours.contains_key(&single)
    }

    /// One of them got no final response. After a timeout it is not repeated: no proxy is known to drop the duplicate,
    /// so the user decides whether to risk that it arrives twice. Where a 3xx named several places, a timeout is a 408 as
    /// from any of them, and the next one is tried (RFC 3261 §8.1.3.1, §8.1.3.4).
    pub(crate) fn unanswered_single(&mut self, core: &mut Core, single: Single, failure: Failure, now: Now) {
        self.singles.under_way.remove(&single);
        if let Some(detour) = self.singles.detours.get_mut(&single) {
            let goes_on = match failure {
                // An address where nobody is has not received it.
                Failure::Transport => true,
                Failure::Timeout => detour.has_more(),
                Failure::TooLarge => false,
            };
            if goes_on {
                detour.failed(core, failure);
                return self.detour_moved(core, single, now);
            }
        }
        match failure {
            Failure::Transport => {
                let broken = self.singles.broken.entry(single).or_default();
                *broken = broken.saturating_add(1);
                // The same request again, as soon as there is a flow.
                if *broken < SUBMISSION_SENDINGS_MAX {
                    self.singles.waiting.insert(single);
                } else {
                    self.single_failed(core, single, (Some(408), LocalReason::NoConnection), now);
                }
            }
            Failure::TooLarge => self.single_failed(core, single, (None, LocalReason::TooLarge), now),
            Failure::Timeout => {
                self.single_failed(core, single, (Some(408), LocalReason::NoFinalAnswer), now);
            }
        }
    }

    fn single_left(&mut self, core: &mut Core, single: Single, now: Now) {
        let place = (single.message, single.attempt);
        self.singles.under_way.insert(single, now.mono);
        self.learn(core, place, single.recipient, &News::bare(DeliveryState::Sending), now);
    }

    fn single_failed(&mut self, core: &mut Core, single: Single, why: (Option<u16>, LocalReason), now: Now) {
        self.singles.ended(single);
        let (status, found) = why;
        self.single_ended(core, single, &News::failed(status, found.into()), now);
    }

    fn single_ended(&mut self, core: &mut Core, single: Single, news: &News, now: Now) {
        let place = (single.message, single.attempt);
        self.learn(core, place, single.recipient, news, now);
        self.send_text_alone(core, place, now);
        self.end_one_by_one(core, place, now);
    }

    /// Closes the attempt once every recipient has answered.
    fn end_one_by_one(&mut self, core: &mut Core, place: AttemptId, now: Now) {
        if self.find(place).is_some_and(|(_, attempt)| attempt.is_settled()) {
            self.report_ended(core, place);
            self.close_if_settled(core, place, now);
        }
    }
}
