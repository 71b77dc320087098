//! The way through a server that does not fan out: an ordinary MESSAGE for each recipient, without Contact, and
//! ticks from their final responses (W6).
//!
//! **Invariant:** what names such a MESSAGE follows from stored facts (its attempt, and who gets it), and each
//! answer is committed for its recipient alone. So after a crash those who have answered get nothing, and the
//! others get the same request again, by which a double is told.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use super::print::print_single;
use super::{Outbox, Place};
use crate::client::command::Event;
use crate::client::core::{Core, Single, Task};
use crate::client::delivery::{News, is_settled};
use crate::client::journal::{DeliveryState, Way, Write};
use crate::client::line::Stream;
use crate::client::reason::{NO_CONNECTION, NO_FINAL_ANSWER, NO_TLS, TOO_LARGE};
use crate::client::route::{Route, route};
use crate::client::sign_in::Heeded;
use crate::limits::{CONNECT_WAIT, SINGLES_OPEN_MAX, SUBMISSION_SENDINGS_MAX};
use crate::sip::{Method, Response};
use crate::time::Now;
use crate::transaction::Failure;

/// Messages that go one by one.
#[derive(Debug, Default)]
pub(super) struct Singles {
    /// Those that are to leave, in the order in which they do.
    waiting: BTreeSet<Single>,
    /// Those too large for a datagram, while the connection is being opened (W4).
    large: BTreeSet<Single>,
    /// Those without final response, and when they were written.
    under_way: BTreeMap<Single, Instant>,
    /// How often one was written whose connection broke.
    broken: BTreeMap<Single, u8>,
    /// How many challenges one has answered; each makes it another request (RFC 3261 §22.2).
    challenges: BTreeMap<Single, u8>,
}

impl Singles {
    /// Whether anything waits to leave.
    pub(super) fn has_waiting(&self) -> bool {
        !self.waiting.is_empty() || !self.large.is_empty()
    }

    /// The attempts that they belong to.
    pub(super) fn attempts(&self) -> BTreeSet<Place> {
        let all = self.waiting.iter().chain(&self.large).chain(self.under_way.keys());
        all.map(|single| (single.message, single.attempt)).collect()
    }

    /// Takes back what has not left of an attempt.
    pub(super) fn withdraw(&mut self, place: Place) {
        let is_other = |single: &Single| (single.message, single.attempt) != place;
        self.waiting.retain(is_other);
        self.large.retain(is_other);
    }

    /// The server asks who we are, and one of them goes again with the answer. Whoever it is for has not seen it yet, so that the
    /// CSeq, by which a double is told, follows from how often that was asked, also after a restart.
    fn is_to_prove(&mut self, core: &mut Core, single: Single, response: &Response) -> bool {
        let mut answered = self.challenges.get(&single).copied().unwrap_or_default();
        if core.challenges.heed(response, &mut answered) == Heeded::Refused {
            return false;
        }
        self.challenges.insert(single, answered);
        self.under_way.remove(&single);
        self.waiting.insert(single);
        true
    }

    fn ended(&mut self, single: Single) -> Option<Instant> {
        self.broken.remove(&single);
        self.challenges.remove(&single);
        self.under_way.remove(&single)
    }
}

impl Outbox {
    /// This server does not fan out: what waits goes one by one, an attempt as there is room for it.
    pub(super) fn send_one_by_one(&mut self, core: &mut Core, now: Now) {
        self.send_singles(core, now);
        while self.singles.waiting.len() < SINGLES_OPEN_MAX {
            let Some(place) = self.waiting.pop_first() else {
                break;
            };
            // What a proxy has accepted is delivered by that proxy.
            let is_open =
                self.find(place).is_some_and(|(_, attempt)| !attempt.is_closed() && !attempt.is_accepted());
            if is_open {
                self.go_one_by_one(core, place, now);
            }
        }
        self.send_singles(core, now);
    }

    /// From here on an attempt goes one by one, to those in it of whom nothing is known yet.
    pub(super) fn go_one_by_one(&mut self, core: &mut Core, place: Place, now: Now) {
        let Some(attempt) = self.find_mut(place) else {
            return;
        };
        if attempt.row.way != Way::OneByOne {
            attempt.row.way = Way::OneByOne;
            core.write(Write::Attempt(attempt.row.clone()));
            let (message, attempt) = place;
            core.promise_told(message, Event::OneByOne { message, attempt });
        }
        self.resume_one_by_one(place);
        self.end_one_by_one(core, place, now);
    }

    /// Those of an attempt who have no answer wait to be written to.
    pub(super) fn resume_one_by_one(&mut self, (message, attempt): Place) {
        let Some((_, found)) = self.find((message, attempt)) else {
            return;
        };
        let open = found.deliveries.iter().filter(|row| !is_settled(row.state));
        let singles: Vec<_> = open.map(|row| Single { message, attempt, recipient: row.recipient }).collect();
        self.singles.waiting.extend(singles);
    }

    /// Sends what goes one by one, as far as not too much is under way.
    pub(super) fn send_singles(&mut self, core: &mut Core, now: Now) {
        if !matches!(core.line.stream(), Stream::Opening { .. }) {
            let singles = &mut self.singles;
            singles.waiting.append(&mut singles.large);
        }
        while self.hold_until.is_none() && self.singles.under_way.len() < SINGLES_OPEN_MAX {
            let Some(single) = self.singles.waiting.pop_first() else {
                return;
            };
            let place = (single.message, single.attempt);
            if self.is_to_be_noted(core, place) {
                self.singles.withdraw(place);
                self.note_that_it_leaves(core, place, now);
                continue;
            }
            let Some((entry, attempt)) = self.find(place) else {
                continue;
            };
            let answered = self.singles.challenges.get(&single).copied().unwrap_or_default();
            let which = (single.recipient, attempt.row.cseq.saturating_add(u32::from(answered)));
            let print = |core: &mut Core, flow| print_single(core, (entry, attempt), which, flow);
            match route(core, entry.wanted(&[single.recipient]), print) {
                Some(Route::Leave(printed)) => {
                    let task = Task::Single(single);
                    core.send(task, Method::Message, (printed.flow, &printed.branch), printed.bytes, now);
                    self.single_left(core, single, now);
                }
                Some(Route::AwaitConnection) => {
                    self.singles.large.insert(single);
                    core.open_stream(now.mono, CONNECT_WAIT);
                }
                Some(Route::TooLarge) => self.single_failed(core, single, (None, TOO_LARGE), now),
                Some(Route::NoTls) => self.single_failed(core, single, (None, NO_TLS), now),
                Some(Route::NoLine) => {
                    self.singles.waiting.insert(single);
                    return;
                }
                None => {}
            }
        }
    }

    /// A response to one of them.
    pub(in crate::client) fn heard_single(
        &mut self,
        core: &mut Core,
        single: Single,
        response: &Response,
        now: Now,
    ) {
        let status = response.status();
        if status < 200 || self.singles.is_to_prove(core, single, response) {
            return;
        }
        let after = self.singles.ended(single).map(|written| now.mono.saturating_duration_since(written));
        let state = match status {
            // A store took it for them: arrival is not confirmed (W18).
            202 => DeliveryState::PassedOn,
            200..=299 => DeliveryState::Delivered,
            _ => DeliveryState::Failed,
        };
        self.hold_if_busy(response, now);
        let news =
            News { state, status: Some(status), phrase: response.reason().to_owned(), tries: None, after };
        self.single_ended(core, single, &news, now);
    }

    /// One of them got no final response. Where that was by silence it is not repeated: no proxy is known to drop the double, so
    /// whether he gets it twice is for the person to decide.
    pub(in crate::client) fn unanswered_single(
        &mut self,
        core: &mut Core,
        single: Single,
        failure: Failure,
        now: Now,
    ) {
        self.singles.under_way.remove(&single);
        match failure {
            Failure::Transport => {
                let broken = self.singles.broken.entry(single).or_default();
                *broken = broken.saturating_add(1);
                // Again as the same request, as soon as there is a line.
                if *broken < SUBMISSION_SENDINGS_MAX {
                    self.singles.waiting.insert(single);
                } else {
                    self.single_failed(core, single, (Some(408), NO_CONNECTION), now);
                }
            }
            Failure::TooLarge => self.single_failed(core, single, (None, TOO_LARGE), now),
            Failure::Timeout => self.single_failed(core, single, (Some(408), NO_FINAL_ANSWER), now),
        }
    }

    fn single_left(&mut self, core: &mut Core, single: Single, now: Now) {
        let place = (single.message, single.attempt);
        self.singles.under_way.insert(single, now.mono);
        self.learn(core, place, single.recipient, &News::bare(DeliveryState::Sending), now);
    }

    fn single_failed(&mut self, core: &mut Core, single: Single, why: (Option<u16>, &str), now: Now) {
        self.singles.ended(single);
        let (status, phrase) = why;
        self.single_ended(core, single, &News::failed(status, phrase.to_owned()), now);
    }

    fn single_ended(&mut self, core: &mut Core, single: Single, news: &News, now: Now) {
        let place = (single.message, single.attempt);
        self.learn(core, place, single.recipient, news, now);
        self.send_text_alone(core, place, now);
        self.end_one_by_one(core, place, now);
    }

    /// When everybody's answer is here, nothing more is awaited.
    fn end_one_by_one(&mut self, core: &mut Core, place: Place, now: Now) {
        if self.find(place).is_some_and(|(_, attempt)| attempt.is_settled()) {
            self.report_ended(core, place);
            self.close_if_settled(core, place, now);
        }
    }
}
