//! Registration: tell the proxy where we are, keep that fresh, and learn whether the proxy fans out.
//!
//! REGISTER with refresh before expiry, 423, Retry-After and back-off with jitter (RFC 3261 §10.2, RFC 5626 §4.5).
//! An account that does not register asks by OPTIONS. `Supported: secondary-to` in the answer is the proof
//! without which everybody gets a message of his own (W6); it is asked for again each time.

mod outcome;

mod offers;

mod requests;

use std::sync::Arc;
use std::time::{Duration, Instant};

use self::offers::Offers;
use super::core::{Core, Task};
use super::keep_alive::KeepAlive;
use super::redirect::Redirects;
use super::sign_in::{Answered, Heeded};
use crate::limits::{REGISTER_EXPIRES_SECS, STREAM_OPEN_WAIT, UNREGISTER_WAIT};
use crate::model::account::{ConnectStep, RegistrationState};
use crate::random::Random;
use crate::sip::Response;
use crate::time::Now;

/// How the account stands with its proxy.
#[derive(Debug)]
pub(crate) struct Registration {
    state: RegistrationState,
    phase: Phase,
    call_id: String,
    tag: String,
    cseq: u32,
    expires_secs: u32,
    interval_steps: u8,
    /// Challenges answered since the last good answer.
    challenges: Answered,
    failures: u32,
    /// Refusals in a row that do not say when to come again.
    refusals: u32,
    /// What is between us and the registrar does not support RFC 5626 (439): this server is asked without.
    lacks_outbound: bool,
    /// Where the server has sent us since the last good answer.
    redirects: Redirects,
    keep_alive: KeepAlive,
    offers: Offers,
}

/// What is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Nothing was asked of us yet.
    Idle,
    /// The server's name is being looked up.
    Finding,
    /// The connection is being opened.
    Opening,
    /// A request is under way.
    Asking,
    /// No answer, or a refusal that may pass: the next try is then.
    Resting { until: Instant },
    /// Answered; a refresh is due then.
    Settled { refresh_at: Option<Instant> },
    /// The un-registration is under way.
    Leaving { until: Instant },
    /// Un-registered: nothing happens until the owner asks.
    Left,
}

/// Why we are offline, and for how long the server wants us to be.
#[derive(Debug, Default)]
struct Outage {
    retry_after: Option<Duration>,
    why: Option<Arc<str>>,
}

impl Registration {
    /// Nothing tried yet.
    pub(crate) fn new(random: &mut Random) -> Self {
        Self {
            state: RegistrationState::Idle,
            phase: Phase::Idle,
            call_id: random.token(20),
            tag: random.token(10),
            cseq: 0,
            expires_secs: REGISTER_EXPIRES_SECS,
            interval_steps: 0,
            challenges: Answered::default(),
            failures: 0,
            refusals: 0,
            lacks_outbound: false,
            redirects: Redirects::default(),
            keep_alive: KeepAlive::default(),
            offers: Offers::default(),
        }
    }

    /// How the account stands.
    pub(crate) const fn state(&self) -> &RegistrationState {
        &self.state
    }

    /// True until the owner asks for anything.
    pub(crate) fn is_idle(&self) -> bool {
        self.phase == Phase::Idle
    }

    /// The owner wants to be connected, or it is time to try again.
    pub(crate) fn connect(&mut self, core: &mut Core, now: Now) {
        if matches!(self.phase, Phase::Finding | Phase::Opening | Phase::Asking) {
            return;
        }
        core.line.forget_refusal();
        if self.state == RegistrationState::Connected {
            self.begin(core, now);
        } else {
            self.begin_anew(core, now);
        }
    }

    /// A request got no answer at all: the server is not there. What is written waits until it answers again.
    pub(crate) fn silent(&mut self, core: &mut Core, now: Now) {
        match self.phase {
            Phase::Settled { .. } if self.is_let_in() => self.offline(core, Outage::default(), now),
            // A refresh is under way: its end says whether the server is there.
            Phase::Asking if self.is_let_in() => {
                self.become_state(core, RegistrationState::Connecting(ConnectStep::Asking));
            }
            Phase::Settled { .. }
            | Phase::Asking
            | Phase::Idle
            | Phase::Finding
            | Phase::Opening
            | Phase::Resting { .. }
            | Phase::Leaving { .. }
            | Phase::Left => {}
        }
    }

    /// Asks again whether the proxy serves us: it has answered otherwise than it did.
    pub(crate) fn doubt(&mut self, core: &mut Core, now: Now) {
        if matches!(self.phase, Phase::Settled { .. }) && self.is_let_in() {
            // RFC 3263 §4.3: another server of the same proxy, if there is one.
            if core.line.next_hop() {
                return self.begin_anew(core, now);
            }
            self.begin(core, now);
        }
    }

    /// The server has answered, and serves us.
    const fn is_let_in(&self) -> bool {
        match self.state {
            RegistrationState::Connected | RegistrationState::ByList | RegistrationState::NoFanOut => true,
            RegistrationState::Idle
            | RegistrationState::Connecting(_)
            | RegistrationState::Offline { .. }
            | RegistrationState::Refused { .. } => false,
        }
    }

    /// The owner wants to leave: un-register (RFC 3261 §10.2.2), then say so.
    pub(crate) fn leave(&mut self, core: &mut Core, now: Now) {
        let bound = matches!(self.phase, Phase::Settled { .. } | Phase::Asking)
            && !matches!(self.state, RegistrationState::Refused { .. });
        match core.line.main() {
            Some(flow) if bound && core.profile.register => {
                self.register(core, flow, 0, now);
                self.phase = Phase::Leaving { until: now.mono + UNREGISTER_WAIT };
            }
            Some(_) | None => self.left(core),
        }
    }

    /// The connection to the proxy is there.
    pub(crate) fn line_open(&mut self, core: &mut Core, now: Now) {
        if self.phase == Phase::Opening {
            self.go_on(core, now);
        }
    }

    /// It is known where the proxy is, or that it cannot be found.
    pub(crate) fn proxy_found(&mut self, core: &mut Core, fault: Option<&str>, now: Now) {
        if self.phase != Phase::Finding {
            return;
        }
        if core.line.hop().is_some() {
            return self.go_on(core, now);
        }
        let fault = fault.map_or_else(String::new, |fault| format!(" ({fault})"));
        let why = format!("the server {} cannot be found{fault}", core.line.name());
        self.offline(core, Outage { why: Some(why.into()), ..Outage::default() }, now);
    }

    /// The connection to the proxy cannot be had.
    pub(crate) fn line_refused(&mut self, core: &mut Core, why: Option<Arc<str>>, now: Now) {
        if self.phase == Phase::Opening {
            self.offline(core, Outage { why, ..Outage::default() }, now);
        }
    }

    /// The line to the proxy is gone.
    pub(crate) fn line_lost(&mut self, core: &mut Core, now: Now) {
        match self.phase {
            Phase::Settled { .. } if self.is_let_in() => self.offline(core, Outage::default(), now),
            // A request under way fails by itself, and says so.
            Phase::Settled { .. } | Phase::Asking | Phase::Idle | Phase::Resting { .. } => {}
            Phase::Finding | Phase::Opening | Phase::Leaving { .. } | Phase::Left => {}
        }
    }

    /// Our request got no answer.
    pub(crate) fn unanswered(&mut self, core: &mut Core, now: Now) {
        match self.phase {
            Phase::Leaving { .. } => self.left(core),
            Phase::Asking => self.offline(core, Outage::default(), now),
            Phase::Idle
            | Phase::Finding
            | Phase::Opening
            | Phase::Resting { .. }
            | Phase::Settled { .. }
            | Phase::Left => {}
        }
    }

    /// An answer to our request.
    pub(crate) fn hear(&mut self, core: &mut Core, response: &Response, now: Now) {
        if response.status() < 200 {
            return;
        }
        let is_asked_who = matches!(self.phase, Phase::Asking | Phase::Leaving { .. })
            && core.challenges.heed(response, &mut self.challenges) == Heeded::Again;
        match self.phase {
            Phase::Leaving { .. } if is_asked_who => {
                core.line.main().into_iter().for_each(|flow| self.register(core, flow, 0, now));
            }
            Phase::Leaving { .. } => self.left(core),
            Phase::Asking if is_asked_who => self.begin(core, now),
            Phase::Asking => self.judge(core, response, now),
            Phase::Idle
            | Phase::Finding
            | Phase::Opening
            | Phase::Resting { .. }
            | Phase::Settled { .. }
            | Phase::Left => {}
        }
    }

    /// Does what is due.
    pub(crate) fn handle_timeout(&mut self, core: &mut Core, now: Now) {
        if let Some((flow, bytes)) = self.keep_alive.due(&mut core.random, now) {
            core.transmit(flow, bytes);
        }
        if self.phase_due().is_none_or(|(due, _)| due > now.mono) {
            return;
        }
        match self.phase {
            Phase::Resting { .. } if matches!(self.state, RegistrationState::Refused { .. }) => {
                // What it said stands until it says something else.
                core.line.forget_refusal();
                self.begin(core, now);
            }
            Phase::Resting { .. } => self.connect(core, now),
            Phase::Settled { .. } => self.begin(core, now),
            Phase::Leaving { .. } => {
                core.transactions.forget(Task::Account);
                self.left(core);
            }
            Phase::Idle | Phase::Finding | Phase::Opening | Phase::Asking | Phase::Left => {}
        }
    }

    /// When something is due.
    pub(crate) fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        let keep_alive = self.keep_alive.poll_timeout().map(|due| (due, "keep-alive"));
        self.phase_due().into_iter().chain(keep_alive).min()
    }

    fn phase_due(&self) -> Option<(Instant, &'static str)> {
        match self.phase {
            Phase::Resting { until } => Some((until, "next try to connect")),
            Phase::Settled { refresh_at } => refresh_at.map(|at| (at, "registration refresh")),
            Phase::Leaving { until } => Some((until, "wait for the un-registration")),
            Phase::Idle | Phase::Finding | Phase::Opening | Phase::Asking | Phase::Left => None,
        }
    }

    /// Sets out for the server, and says so at each step.
    fn begin_anew(&mut self, core: &mut Core, now: Now) {
        let step = match core.line.main() {
            Some(_) => ConnectStep::Asking,
            None if core.line.hop().is_none() => ConnectStep::Finding,
            None => ConnectStep::Opening,
        };
        self.become_state(core, RegistrationState::Connecting(step));
        self.begin(core, now);
    }

    /// The next step, told where the ones before were.
    fn go_on(&mut self, core: &mut Core, now: Now) {
        if matches!(self.state, RegistrationState::Connecting(_)) {
            self.begin_anew(core, now);
        } else {
            self.begin(core, now);
        }
    }

    fn begin(&mut self, core: &mut Core, now: Now) {
        match core.line.main() {
            Some(flow) if core.profile.register => {
                self.register(core, flow, self.expires_secs, now);
                self.phase = Phase::Asking;
            }
            Some(flow) => {
                self.ask_options(core, Task::Account, flow, now);
                self.phase = Phase::Asking;
            }
            None if core.line.hop().is_none() => {
                core.find_proxy();
                self.phase = Phase::Finding;
            }
            None if core.line.is_stream() => {
                core.open_stream(now.mono, STREAM_OPEN_WAIT);
                self.phase = Phase::Opening;
            }
            None => self.offline(core, Outage::default(), now),
        }
    }
}
