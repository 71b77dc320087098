//! The state that all parts of the proxy share: settings, randomness, sending, locations, pending commits, the agenda.

mod answers;

mod begin;

mod offences;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::config::ProxyConfig;
use super::event::{ProxyEvent, RefusalKind};
use super::guard::load::Load;
use super::guard::login_throttle::LoginThrottle;
use super::guard::nonces::Nonces;
use super::guard::reflection::Reflection;
use super::guard::refusals::Refusals;
use super::guard::shares::Payer;
use super::guard::strangers::Strangers;
use super::journal::{DispatchId, Write};
use super::location::LocationService;
use super::mailbox::{Mailbox, MailboxEntry};
use super::routing::aliases::Aliases;
use super::routing::calls::Calls;
use super::routing::domains::Domains;
use super::routing::router::Router;
use super::routing::users::Users;
use super::secret::Secret;
use super::transport::request_sender::RequestSender;
use crate::machine::{Flow, Output, PendingCommits, TimerReason, Transmit};
use crate::random::Random;
use crate::sip::{Aor, Request, date};
use crate::time::{Now, Timestamp};
use crate::transaction::ServerKey;

/// The methods that we accept.
pub(super) const ALLOW: &str = "MESSAGE, REGISTER, OPTIONS";

/// What to do once a batch is committed, or has failed.
#[derive(Debug)]
pub(super) enum Action {
    /// If this write did not reach the store, it goes into the next batch.
    WriteAgain(Box<Write>),
    /// The data of these removed users is gone from the store, and what those registered who have a new password; or this
    /// write goes into the next batch.
    Purged { gone: BTreeSet<Aor>, signed_out: BTreeSet<Aor>, write: Box<Write> },
    /// The bindings of a REGISTER are stored: it gets its 200, or 503.
    Registered(Box<Registration>),
    /// A submission is stored: it gets its 202 and its legs, or 503.
    Accepted(DispatchId),
    /// The outcomes written in this round of saving are stored, or are written again.
    Saved(DispatchId, u32),
    /// A report, and the outcomes of this round in it, are stored: it leaves, or is written again.
    Reportable(DispatchId, u32),
    /// Some messages have been shortened in the store: continue with the next ones. What was not shortened stays whole
    /// until the next start.
    Shortened,
}

/// A REGISTER whose 200 waits for its commit.
#[derive(Debug)]
pub(super) struct Registration {
    pub(super) key: ServerKey,
    pub(super) request: Request,
    pub(super) flow: Flow,
    pub(super) aor: Aor,
    pub(super) writes: Vec<Write>,
}

/// A timed task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Due {
    /// Write the outcomes that no report has taken along.
    Save(DispatchId),
    /// Report the outcomes gathered in these 100 ms (W9).
    Gather(DispatchId),
    /// Try a report again (W23).
    Round(DispatchId),
    /// Send the leg to that recipient once more, on that branch (W15).
    Again(DispatchId, u32, u32),
    /// Try a recipient who does not register here (W18).
    Visit(MailboxEntry, u8),
    /// Expire a message: it is no longer worth delivering (W8).
    Expire(DispatchId),
    /// Forget a message: it was remembered long enough (W12).
    Forget(DispatchId),
    /// Forget the messages of which nothing is owed and that were remembered long enough.
    Tidy,
    /// Shorten the rows of such messages in the store.
    Shorten,
}

/// The timed tasks, by the time at which they are due.
#[derive(Debug, Default)]
pub(super) struct Agenda(BTreeSet<(Instant, Due)>);

impl Agenda {
    pub(super) fn add(&mut self, at: Instant, due: Due) {
        self.0.insert((at, due));
    }

    pub(super) fn remove(&mut self, at: Instant, due: Due) {
        self.0.remove(&(at, due));
    }

    pub(super) fn pop(&mut self, now: Instant) -> Option<Due> {
        let (at, due) = self.0.first().copied()?;
        if at > now {
            return None;
        }
        self.0.pop_first();
        Some(due)
    }

    pub(super) fn next(&self) -> Option<(Instant, TimerReason)> {
        self.0.first().map(|(at, due)| {
            let why = match due {
                Due::Save(_) => TimerReason::OutcomesWritten,
                Due::Gather(_) => TimerReason::OutcomesReported,
                Due::Round(_) => TimerReason::ReportAgain,
                Due::Again(..) => TimerReason::LegAgain,
                Due::Visit(..) => TimerReason::AbsentTriedAgain,
                Due::Expire(_) => TimerReason::MessageExpires,
                Due::Forget(_) | Due::Tidy => TimerReason::MessageForgotten,
                Due::Shorten => TimerReason::MessageShortened,
            };
            (*at, why)
        })
    }
}

/// A refusal, as the peer is told (W13).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rejection {
    pub(super) status: u16,
    pub(super) reason: Option<String>,
    pub(super) fields: Vec<(&'static str, String)>,
    /// What the operator is told, and about whom.
    pub(super) offence: Option<(RefusalKind, String)>,
}

impl Rejection {
    pub(super) const fn new(status: u16) -> Self {
        Self { status, reason: None, fields: Vec::new(), offence: None }
    }

    pub(super) fn because(status: u16, reason: impl Into<String>) -> Self {
        Self { reason: Some(reason.into()), ..Self::new(status) }
    }

    /// Has the operator told of this refusal.
    pub(super) fn telling(mut self, kind: RefusalKind, who: &Aor) -> Self {
        self.offence = Some((kind, who.to_string()));
        self
    }

    pub(super) fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.fields.push((name, value.to_string()));
        self
    }

    /// 503 for now; Retry-After is added when it is printed.
    pub(super) const fn busy() -> Self {
        Self::new(503)
    }
}

impl From<crate::sip::Error> for Rejection {
    fn from(error: crate::sip::Error) -> Self {
        Self::because(error.status(), error.reason())
    }
}

/// See the module documentation.
#[derive(Debug)]
pub(super) struct Core {
    pub(super) config: ProxyConfig,
    pub(super) domains: Domains,
    pub(super) aliases: Aliases,
    pub(super) secret: Secret,
    pub(super) users: Users,
    pub(super) nonces: Nonces,
    pub(super) guesses: LoginThrottle,
    refusals: Refusals,
    pub(super) reflection: Reflection,
    passed_back: VecDeque<Transmit>,
    near_peers: BTreeSet<SocketAddr>,
    pub(super) strangers: Strangers,
    pub(super) random: Random,
    pub(super) sender: RequestSender,
    pub(super) location: LocationService,
    pub(super) mailbox: Mailbox,
    pub(super) agenda: Agenda,
    pub(super) rates: SenderRates,
    pub(super) load: Load,
    pub(super) calls: Calls,
    /// The number of the last order to purge that was carried out.
    pub(super) purged_up_to: u64,
    held: PendingCommits<Write, Action>,
    /// Bytes of the REGISTERs whose 200 waits for its commit.
    pub(super) registering: usize,
    is_commit_wanted: bool,
    outputs: VecDeque<Output<ProxyEvent, Write>>,
    date: (u64, String),
}

impl Core {
    pub(super) fn new(config: ProxyConfig, secret: Secret, mut random: Random, now: Now) -> Self {
        Self {
            domains: Domains::new(&config),
            aliases: Aliases::default(),
            users: Users::new(&config),
            nonces: Nonces::new(secret, &mut random, now.mono),
            guesses: LoginThrottle::default(),
            refusals: Refusals::default(),
            reflection: Reflection::default(),
            passed_back: VecDeque::new(),
            near_peers: BTreeSet::new(),
            strangers: Strangers::default(),
            sender: RequestSender::new(&config, secret.for_transactions(), now.mono),
            config,
            secret,
            random,
            location: LocationService::default(),
            mailbox: Mailbox::default(),
            agenda: Agenda::default(),
            rates: SenderRates::default(),
            load: Load::default(),
            calls: Calls::new(now.mono),
            purged_up_to: 0,
            held: PendingCommits::default(),
            registering: 0,
            is_commit_wanted: false,
            outputs: VecDeque::new(),
            date: (u64::MAX, String::new()),
        }
    }

    /// The router, which knows where people are.
    pub(super) const fn router(&self) -> Router<'_> {
        Router {
            config: &self.config,
            domains: &self.domains,
            users: &self.users,
            location: &self.location,
            sender: &self.sender,
        }
    }

    /// Who is charged for what this sender sends.
    pub(super) fn payer(&self, sender: &Aor) -> Payer {
        if self.domains.serves(sender) { Payer::User(self.secret.user(sender)) } else { Payer::Strangers }
    }

    /// The deadline that is one Timer F from now.
    pub(super) fn timer_f(&self, now: Now) -> Instant {
        now.mono + self.config.timers.f()
    }

    pub(super) fn write(&mut self, write: Write) {
        self.held.write(write);
        self.is_commit_wanted = true;
    }

    pub(super) fn promise(&mut self, action: Action) {
        self.held.promise(action);
        self.is_commit_wanted = true;
    }

    /// Writes with the next batch, whenever that comes: a failing disk is not asked again and again.
    pub(super) fn write_again(&mut self, write: Write) {
        self.held.write(write.clone());
        self.held.promise(Action::WriteAgain(Box::new(write)));
    }

    /// Asks for the commit of what this turn wrote and promised.
    pub(super) fn commit(&mut self, now: Now) {
        if std::mem::take(&mut self.is_commit_wanted)
            && let Some(batch) = self.held.take_batch()
        {
            self.load.asked(batch.id, now.mono);
            self.outputs.push_back(Output::Commit(batch));
        }
    }

    pub(super) const fn held(&mut self) -> &mut PendingCommits<Write, Action> {
        &mut self.held
    }

    pub(super) fn tell(&mut self, event: ProxyEvent) {
        self.outputs.push_back(Output::Event(event));
    }

    /// Sends without a transaction.
    pub(super) fn transmit(&mut self, flow: Flow, bytes: Bytes) {
        self.outputs.push_back(Output::Transmit(Transmit::new(flow, bytes)));
    }

    /// Passes somebody's response back. It is no answer of ours: [`Reflection`] does not count it.
    pub(super) fn pass_back(&mut self, flow: Flow, bytes: Bytes) {
        self.passed_back.push_back(Transmit::new(flow, bytes));
    }

    pub(super) fn poll_passed_back(&mut self) -> Option<Transmit> {
        self.passed_back.pop_front()
    }

    pub(super) fn poll_output(&mut self) -> Option<Output<ProxyEvent, Write>> {
        self.outputs.pop_front()
    }

    /// The date in the format of RFC 3261 §20.17.
    pub(super) fn date(&mut self, wall: Timestamp) -> &str {
        if self.date.0 != wall.as_secs() {
            self.date = (
                wall.as_secs(),
                date::print(wall).unwrap_or_else(|| "Thu, 01 Jan 1970 00:00:00 GMT".to_owned()),
            );
        }
        &self.date.1
    }
}

/// How many messages each sender has sent in the current second (W31).
#[derive(Debug, Default)]
pub(super) struct SenderRates {
    second: Option<Instant>,
    counts: BTreeMap<Aor, u32>,
}

impl SenderRates {
    /// Counts one more message of `sender`; false if that exceeds `max` in this second.
    pub(super) fn allows(&mut self, sender: &Aor, max: u32, now: Instant) -> bool {
        if self.second.is_none_or(|start| now.saturating_duration_since(start) >= Duration::from_secs(1)) {
            self.second = Some(now);
            self.counts.clear();
        }
        let count = self.counts.entry(sender.clone()).or_insert(0);
        *count = count.saturating_add(1);
        *count <= max
    }
}
