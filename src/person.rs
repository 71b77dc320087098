//! A scripted contact: answers, stays silent, refuses, goes and comes back. For the demo, the simulation and scripts of testers.
//!
//! It has no transaction layer, so that it sees every retransmission on the wire. Wherever a
//! `ScriptedPerson` is shown to people, it is labelled as simulated.
//!
//! **Invariant:** a `ScriptedPerson` has no store: what it saw is gone when it ends.

mod request;

use std::collections::VecDeque;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::injection::{Answer, Conduct, JUNK, Sent};
use crate::machine::{Flow, Input, Machine, Output, TimerReason, Transmit};
use crate::random::Random;
use crate::sip::{self, Compose, Message, Method, Request, Transport, Uri};
use crate::time::Now;

use self::request::{Pending, Sender};

/// Messages remembered to count their transmissions.
const SEEN_MAX: usize = 256;
/// The binding lifetime that a person asks for, in seconds.
const BINDING_SECS: u32 = 600;
/// The most replies, and the most late answers, waiting to be sent.
const REPLIES_MAX: usize = 16;

/// The behaviour of a scripted person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// Its address.
    pub address: Uri,
    /// Its display name.
    pub name: String,
    /// How it behaves at first.
    pub conduct: Conduct,
    /// Its replies to messages from this sender, one after the other; none if empty.
    pub replies: Vec<String>,
    /// The only sender it replies to: replies to other people's replies would go on for ever.
    pub replies_to: Uri,
}

/// What a person can be asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PersonCommand {
    /// To behave like this from now on: to go offline, to come back, to answer otherwise.
    Behave(Conduct),
}

/// The events that a person reports to its owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PersonEvent {
    /// The proxy has accepted its binding.
    Registered,
    /// Its binding is removed, or the proxy does not answer.
    Left,
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
pub struct ScriptedPerson {
    script: Script,
    sender: Sender,
    /// The messages that arrived, oldest first.
    seen: VecDeque<Seen>,
    /// Answers that are late, and when they are due.
    late: VecDeque<(Instant, Answering)>,
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
    /// Asked to remove the binding.
    Leaving,
    None,
}

/// A message that arrived.
#[derive(Debug)]
struct Seen {
    /// By what it is known however often it is sent (W15).
    key: String,
    transmissions: u32,
    /// No answer is due before that.
    due: Option<Instant>,
}

/// An answer to one transmission.
#[derive(Debug)]
struct Answering {
    flow: Flow,
    bytes: Bytes,
    times: usize,
}

impl ScriptedPerson {
    /// A person at `local` (UDP) who registers with the proxy at `proxy`.
    #[must_use]
    pub fn new(script: Script, local: SocketAddr, proxy: SocketAddr, mut random: Random, now: Now) -> Self {
        let registration = match script.conduct {
            Conduct::Offline => Registration::None,
            Conduct::Answers(_) => Registration::Due(now.mono),
        };
        let sender = Sender::new(script.address.to_sip(), Flow::udp(local, proxy), random.token(16));
        Self {
            script,
            sender,
            seen: VecDeque::new(),
            late: VecDeque::new(),
            replies: VecDeque::new(),
            said: 0,
            registration,
            random,
            outputs: VecDeque::new(),
        }
    }

    /// The script it follows, with its present conduct.
    #[must_use]
    pub const fn script(&self) -> &Script {
        &self.script
    }

    fn behave(&mut self, conduct: Conduct, now: Now) {
        self.script.conduct = conduct;
        match (conduct, self.registration) {
            (Conduct::Answers(_), Registration::None | Registration::Leaving) => {
                self.registration = Registration::Due(now.mono);
            }
            (Conduct::Offline, Registration::Due(_) | Registration::Asked) => {
                self.registration = Registration::Leaving;
                self.late.clear();
                self.replies.clear();
                self.sender.forget_registers();
                let goodbye = self.sender.register(0, &mut self.random);
                self.send(Pending::register(goodbye), now);
            }
            (Conduct::Answers(_), Registration::Due(_) | Registration::Asked)
            | (Conduct::Offline, Registration::None | Registration::Leaving) => {}
        }
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
        // Who is offline has left.
        let Conduct::Answers(answer) = self.script.conduct else { return };
        let transmission = self.count(request);
        let answered = self.answered(answer, transmission, now);
        let status = match answer.sent {
            Sent::Usual => Some(200),
            Sent::Status(status) => Some(status),
            Sent::Junk | Sent::Nothing => None,
        };
        let told = answered.and(status);
        self.outputs.push_back(Output::Event(PersonEvent::Heard { transmission, answered: told }));
        let is_first = transmission == answer.dropped + 1;
        if is_first && answer.accepts() {
            self.plan_reply(request, now);
        }
        let Some(wait) = answered else { return };
        let bytes = match status {
            Some(status) => Compose::response(request, status, None, self.sender.tag(), flow.remote).finish(),
            None => Bytes::from_static(JUNK),
        };
        let answering = Answering { flow, bytes, times: if answer.is_double { 2 } else { 1 } };
        if wait.is_zero() {
            self.answer(&answering);
        } else if self.late.len() < REPLIES_MAX {
            self.late.push_back((now.mono + wait, answering));
        }
    }

    /// After how long a transmission is answered; None if it is not.
    fn answered(&mut self, answer: Answer, transmission: u32, now: Now) -> Option<Duration> {
        let seen = self.seen.back_mut()?;
        if answer.ignores(transmission) {
            return None;
        }
        match seen.due {
            None if answer.late.is_zero() => Some(Duration::ZERO),
            None => {
                seen.due = Some(now.mono + answer.late);
                Some(answer.late)
            }
            Some(due) => (due <= now.mono).then_some(Duration::ZERO),
        }
    }

    fn answer(&mut self, answering: &Answering) {
        for _ in 0..answering.times {
            let transmit = Transmit::new(answering.flow, answering.bytes.clone());
            self.outputs.push_back(Output::Transmit(transmit));
        }
    }

    fn send_due_answers(&mut self, now: Now) {
        let (due, later): (VecDeque<_>, VecDeque<_>) =
            std::mem::take(&mut self.late).into_iter().partition(|(at, _)| *at <= now.mono);
        self.late = later;
        due.iter().for_each(|(_, answering)| self.answer(answering));
    }

    /// How often this message has arrived, including this time; it becomes the last one that was seen.
    fn count(&mut self, request: &Request) -> u32 {
        let fields = request.fields();
        let tag = fields.from().tag().unwrap_or_default().to_owned();
        let key = format!("{tag} {} {}", fields.cseq(), fields.call_id());
        let known = self.seen.iter().position(|seen| seen.key == key);
        let mut seen = known.and_then(|place| self.seen.remove(place)).unwrap_or(Seen {
            key,
            transmissions: 0,
            due: None,
        });
        seen.transmissions = seen.transmissions.saturating_add(1);
        let times = seen.transmissions;
        if self.seen.len() >= SEEN_MAX {
            self.seen.pop_front();
        }
        self.seen.push_back(seen);
        times
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
        if matches!(self.registration, Registration::Leaving) {
            return self.left();
        }
        let again = if (200..300).contains(&status) {
            self.outputs.push_back(Output::Event(PersonEvent::Registered));
            Duration::from_secs(u64::from(BINDING_SECS) / 2)
        } else {
            Duration::from_secs(2)
        };
        self.registration = Registration::Due(now.mono + again);
    }

    fn left(&mut self) {
        self.registration = Registration::None;
        self.outputs.push_back(Output::Event(PersonEvent::Left));
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

impl Machine for ScriptedPerson {
    type Command = PersonCommand;
    type Event = PersonEvent;
    type Write = Infallible;

    fn handle(&mut self, input: Input<PersonCommand>, now: Now) {
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
            | Input::Interfaces(_)
            | Input::Committed(_)
            | Input::CommitFailed(_) => {}
            Input::Command(PersonCommand::Behave(conduct)) => self.behave(conduct, now),
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
        self.send_due_answers(now);
        self.send_due_replies(now);
        let repeated = self.sender.handle_timeout(now);
        self.outputs.extend(repeated.transmits.into_iter().map(Output::Transmit));
        if repeated.is_register_lost && matches!(self.registration, Registration::Leaving) {
            self.left();
        } else if repeated.is_register_lost {
            self.registration = Registration::Due(now.mono + Duration::from_secs(2));
        }
    }

    fn poll_output(&mut self) -> Option<Output<PersonEvent, Infallible>> {
        self.outputs.pop_front()
    }

    fn poll_timeout(&self) -> Option<(Instant, TimerReason)> {
        let register = match self.registration {
            Registration::Due(at) => Some((at, TimerReason::PersonRegisters)),
            Registration::Asked | Registration::Leaving | Registration::None => None,
        };
        let late = self.late.iter().map(|(at, _)| *at).min().map(|at| (at, TimerReason::PersonReplies));
        let reply = self.next_reply().map(|at| (at, TimerReason::PersonReplies));
        let repeat = self.sender.poll_timeout().map(|at| (at, TimerReason::PersonRepeats));
        [register, late, reply, repeat].into_iter().flatten().min()
    }
}

#[cfg(test)]
mod tests;
