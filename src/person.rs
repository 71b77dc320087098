//! A scripted contact: answers, stays silent, refuses. For the demo, the simulation and fault injection.
//!
//! It uses `sip` only, without a transaction layer, so that it sees every retransmission on the wire. Wherever a
//! `Person` is shown to people, it is labelled as simulated.
//!
//! **Invariant:** a `Person` has no store: what it saw is gone when it ends.

mod request;

use std::collections::VecDeque;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::machine::{Flow, Input, Machine, Output, TimerReason, Transmit};
use crate::random::Random;
use crate::sip::{self, Compose, Message, Method, Request, Transport, Uri};
use crate::time::Now;

use self::request::{Pending, Sender};

/// Requests remembered to count retransmissions.
const SEEN_MAX: usize = 256;
/// The binding lifetime that a person asks for, in seconds.
const BINDING_SECS: u32 = 600;
/// The most replies waiting to be sent.
const REPLIES_MAX: usize = 16;

/// The behaviour of a scripted person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// Its address.
    pub address: Uri,
    /// Its display name.
    pub name: String,
    /// How it answers a MESSAGE.
    pub answer: PersonAnswer,
    /// Its replies to messages from this sender, one after the other; none if empty.
    pub replies: Vec<String>,
    /// The only sender it replies to: replies to other people's replies would go on for ever.
    pub replies_to: Uri,
}

/// How a person answers a MESSAGE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PersonAnswer {
    /// This status at once.
    Status(u16),
    /// No answer to the first transmissions, then this status.
    After {
        /// How many transmissions stay unanswered.
        unanswered: u32,
        /// The status after that.
        status: u16,
    },
    /// Never answers.
    Silence,
    /// It does not even register.
    Absent,
}

/// The events that a person reports to its owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PersonEvent {
    /// The proxy has accepted its binding.
    Registered,
    /// A MESSAGE arrived.
    Heard {
        /// Which transmission of it: 1 for the first.
        transmission: u32,
        /// The status sent, if any.
        answered: Option<u16>,
    },
}

/// The machine of a scripted contact.
#[derive(Debug)]
pub struct Person {
    script: Script,
    sender: Sender,
    /// Branches of MESSAGEs and how often each arrived, oldest first.
    seen: VecDeque<(String, u32)>,
    replies: VecDeque<(Instant, Bytes)>,
    said: usize,
    registration: Registration,
    random: Random,
    outputs: VecDeque<Output<PersonEvent, Infallible>>,
}

#[derive(Clone, Copy, Debug)]
enum Registration {
    Due(Instant),
    Asked,
    None,
}

impl Person {
    /// A person at `local` (UDP) who registers with the proxy at `proxy`.
    #[must_use]
    pub fn new(script: Script, local: SocketAddr, proxy: SocketAddr, mut random: Random, now: Now) -> Self {
        let registration = match script.answer {
            PersonAnswer::Absent => Registration::None,
            PersonAnswer::Status(_) | PersonAnswer::After { .. } | PersonAnswer::Silence => {
                Registration::Due(now.mono)
            }
        };
        let sender = Sender::new(script.address.to_sip(), Flow::udp(local, proxy), random.token(16));
        Self {
            script,
            sender,
            seen: VecDeque::new(),
            replies: VecDeque::new(),
            said: 0,
            registration,
            random,
            outputs: VecDeque::new(),
        }
    }

    /// The script it follows.
    #[must_use]
    pub const fn script(&self) -> &Script {
        &self.script
    }

    fn receive(&mut self, flow: Flow, bytes: Bytes, now: Now) {
        // What cannot be parsed is not answered: a person is not a conformance test.
        match sip::parse(bytes) {
            Ok(Message::Request(request)) => self.receive_request(flow, &request, now),
            Ok(Message::Response(response)) => {
                let finished = self.sender.heard(response.fields().top_via().branch(), response.status());
                if finished == Some(Method::Register) {
                    self.registered(response.status(), now);
                }
            }
            Err(_) => {}
        }
    }

    fn receive_request(&mut self, flow: Flow, request: &Request, now: Now) {
        match request.method() {
            Method::Message => self.receive_message(flow, request, now),
            Method::Options | Method::Notify => self.respond(flow, request, 200),
            Method::Ack => {}
            Method::Register
            | Method::Invite
            | Method::Bye
            | Method::Cancel
            | Method::Subscribe
            | Method::Other(_) => {
                self.respond(flow, request, 405);
            }
        }
    }

    fn receive_message(&mut self, flow: Flow, request: &Request, now: Now) {
        let transmission = self.count(request);
        let answered = match self.script.answer {
            PersonAnswer::Status(status) => Some(status),
            PersonAnswer::After { unanswered, status } => (transmission > unanswered).then_some(status),
            PersonAnswer::Silence | PersonAnswer::Absent => None,
        };
        self.outputs.push_back(Output::Event(PersonEvent::Heard { transmission, answered }));
        let Some(status) = answered else { return };
        self.respond(flow, request, status);
        let is_first_answer = match self.script.answer {
            PersonAnswer::After { unanswered, .. } => transmission == unanswered + 1,
            PersonAnswer::Status(_) | PersonAnswer::Silence | PersonAnswer::Absent => transmission == 1,
        };
        if is_first_answer && (200..300).contains(&status) {
            self.plan_reply(request, now);
        }
    }

    /// How often this request has arrived, including this time.
    fn count(&mut self, request: &Request) -> u32 {
        let branch = request.fields().top_via().branch().unwrap_or_default().to_owned();
        if let Some((_, times)) = self.seen.iter_mut().find(|(known, _)| *known == branch) {
            *times += 1;
            return *times;
        }
        if self.seen.len() >= SEEN_MAX {
            self.seen.pop_front();
        }
        self.seen.push_back((branch, 1));
        1
    }

    /// Schedules its next reply, some seconds later, to everybody who got the message.
    fn plan_reply(&mut self, request: &Request, now: Now) {
        let writer = request.fields().from().uri.to_sip();
        let is_for_us = writer.aor() == self.script.replies_to.to_sip().aor();
        if !is_for_us || self.script.replies.is_empty() || self.replies.len() >= REPLIES_MAX {
            return;
        }
        let Some(text) = self.script.replies.get(self.said % self.script.replies.len()) else { return };
        self.said += 1;
        let others: Vec<_> = sip::also_to(request.fields()).into_iter().map(|other| other.uri).collect();
        let reply = self.sender.reply(&writer, &others, &self.script.name, text, &mut self.random);
        let wait = Duration::from_millis(1500 + self.random.below(2500));
        self.replies.push_back((now.mono + wait, reply));
    }

    fn respond(&mut self, flow: Flow, request: &Request, status: u16) {
        let bytes = Compose::response(request, status, None, self.sender.tag(), flow.remote).finish();
        self.outputs.push_back(Output::Transmit(Transmit::new(flow, bytes)));
    }

    fn registered(&mut self, status: u16, now: Now) {
        let again = if (200..300).contains(&status) {
            self.outputs.push_back(Output::Event(PersonEvent::Registered));
            Duration::from_secs(u64::from(BINDING_SECS) / 2)
        } else {
            Duration::from_secs(2)
        };
        self.registration = Registration::Due(now.mono + again);
    }

    fn send(&mut self, pending: Pending, now: Now) {
        let transmit = self.sender.begin(pending, now);
        self.outputs.push_back(Output::Transmit(transmit));
    }

    fn next_reply(&self) -> Option<Instant> {
        self.replies.iter().map(|(at, _)| *at).min()
    }

    fn send_due_replies(&mut self, now: Now) {
        let (due, later): (VecDeque<_>, VecDeque<_>) =
            std::mem::take(&mut self.replies).into_iter().partition(|(at, _)| *at <= now.mono);
        self.replies = later;
        for (_, bytes) in due {
            self.send(Pending::message(bytes), now);
        }
    }
}

impl Machine for Person {
    type Command = Infallible;
    type Event = PersonEvent;
    type Write = Infallible;

    fn handle(&mut self, input: Input<Infallible>, now: Now) {
        match input {
            Input::Received { flow, bytes } if flow.transport == Transport::Udp => {
                self.receive(flow, bytes, now);
            }
            Input::Received { .. }
            | Input::Connected { .. }
            | Input::ConnectFailed { .. }
            | Input::NotSent { .. }
            | Input::Disconnected { .. }
            | Input::Resolved { .. }
            | Input::ResolveFailed { .. }
            | Input::Committed(_)
            | Input::CommitFailed(_) => {}
            Input::Command(never) => match never {},
        }
    }

    fn handle_timeout(&mut self, now: Now) {
        if let Registration::Due(at) = self.registration
            && at <= now.mono
        {
            self.registration = Registration::Asked;
            let register = self.sender.register(BINDING_SECS, &mut self.random);
            self.send(Pending::register(register), now);
        }
        self.send_due_replies(now);
        let repeated = self.sender.handle_timeout(now);
        self.outputs.extend(repeated.transmits.into_iter().map(Output::Transmit));
        if repeated.is_register_lost {
            self.registration = Registration::Due(now.mono + Duration::from_secs(2));
        }
    }

    fn poll_output(&mut self) -> Option<Output<PersonEvent, Infallible>> {
        self.outputs.pop_front()
    }

    fn poll_timeout(&self) -> Option<(Instant, TimerReason)> {
        let register = match self.registration {
            Registration::Due(at) => Some((at, TimerReason::PersonRegisters)),
            Registration::Asked | Registration::None => None,
        };
        let reply = self.next_reply().map(|at| (at, TimerReason::PersonReplies));
        let repeat = self.sender.poll_timeout().map(|at| (at, TimerReason::PersonRepeats));
        [register, reply, repeat].into_iter().flatten().min()
    }
}

#[cfg(test)]
mod tests;
