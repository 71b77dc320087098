//! Registration: tell the proxy where we are, keep that fresh, and learn whether the proxy fans out.
//!
//! REGISTER with refresh before expiry, 423, Retry-After and back-off with jitter (RFC 3261 §10.2, RFC 5626 §4.5).
//! An account that does not register asks by OPTIONS. `Supported: secondary-to` in the answer is the proof
//! without which everybody gets a message of his own (W6); it is asked for again each time.

mod offers;

mod requests;

use std::sync::Arc;
use std::time::{Duration, Instant};

use self::offers::Offers;
use crate::client::account::{RegistrationState, Step};
use crate::client::command::Event;
use crate::client::core::{Action, Core, Task};
use crate::client::interval::{granted_secs, longer_interval, retry_after};
use crate::client::keep_alive::KeepAlive;
use crate::client::sign_in::Heeded;
use crate::limits::{
    BINDING_EXPIRES_MAX_SECS, REGISTER_EXPIRES_SECS, RETRY_AFTER_MAX, RETRY_FIRST, RETRY_MAX,
    STREAM_OPEN_WAIT, UNREGISTER_WAIT,
};
use crate::random::Random;
use crate::sip::Response;
use crate::time::Now;

/// How often in a row an interval that the registrar finds too brief is made longer.
const INTERVAL_STEPS_MAX: u8 = 3;

/// How the account stands with its proxy.
#[derive(Debug)]
pub(super) struct Registration {
    state: RegistrationState,
    phase: Phase,
    call_id: String,
    tag: String,
    cseq: u32,
    expires_secs: u32,
    interval_steps: u8,
    /// Challenges answered since the last good answer.
    challenges: u8,
    failures: u32,
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
    /// No answer: the next try is then.
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
    pub(super) fn new(random: &mut Random) -> Self {
        Self {
            state: RegistrationState::Idle,
            phase: Phase::Idle,
            call_id: random.token(20),
            tag: random.token(10),
            cseq: 0,
            expires_secs: REGISTER_EXPIRES_SECS,
            interval_steps: 0,
            challenges: 0,
            failures: 0,
            keep_alive: KeepAlive::default(),
            offers: Offers::default(),
        }
    }

    /// How the account stands.
    pub(super) const fn state(&self) -> &RegistrationState {
        &self.state
    }

    /// True until the owner asks for anything.
    pub(super) fn is_idle(&self) -> bool {
        self.phase == Phase::Idle
    }

    /// The owner wants to be connected, or it is time to try again.
    pub(super) fn connect(&mut self, core: &mut Core, now: Now) {
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
    pub(super) fn silent(&mut self, core: &mut Core, now: Now) {
        match self.phase {
            Phase::Settled { .. } if self.is_let_in() => self.offline(core, Outage::default(), now),
            // A refresh is under way: its end says whether the server is there.
            Phase::Asking if self.is_let_in() => {
                self.become_state(core, RegistrationState::Connecting(Step::Asking));
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
    pub(super) fn doubt(&mut self, core: &mut Core, now: Now) {
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
    pub(super) fn leave(&mut self, core: &mut Core, now: Now) {
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
    pub(super) fn line_open(&mut self, core: &mut Core, now: Now) {
        if self.phase == Phase::Opening {
            self.go_on(core, now);
        }
    }

    /// It is known where the proxy is, or that it cannot be found.
    pub(super) fn proxy_found(&mut self, core: &mut Core, fault: Option<&str>, now: Now) {
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
    pub(super) fn line_refused(&mut self, core: &mut Core, why: Option<Arc<str>>, now: Now) {
        if self.phase == Phase::Opening {
            self.offline(core, Outage { why, ..Outage::default() }, now);
        }
    }

    /// The line to the proxy is gone.
    pub(super) fn line_lost(&mut self, core: &mut Core, now: Now) {
        match self.phase {
            Phase::Settled { .. } if self.is_let_in() => self.offline(core, Outage::default(), now),
            // A request under way fails by itself, and says so.
            Phase::Settled { .. } | Phase::Asking | Phase::Idle | Phase::Resting { .. } => {}
            Phase::Finding | Phase::Opening | Phase::Leaving { .. } | Phase::Left => {}
        }
    }

    /// Our request got no answer.
    pub(super) fn unanswered(&mut self, core: &mut Core, now: Now) {
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
    pub(super) fn hear(&mut self, core: &mut Core, response: &Response, now: Now) {
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
    pub(super) fn handle_timeout(&mut self, core: &mut Core, now: Now) {
        if let Some((flow, bytes)) = self.keep_alive.due(&mut core.random, now) {
            core.transmit(flow, bytes);
        }
        if self.phase_due().is_none_or(|(due, _)| due > now.mono) {
            return;
        }
        match self.phase {
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
    pub(super) fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
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
            Some(_) => Step::Asking,
            None if core.line.hop().is_none() => Step::Finding,
            None => Step::Opening,
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

    fn judge(&mut self, core: &mut Core, response: &Response, now: Now) {
        match response.status() {
            200..=299 => self.answered(core, response, now),
            423 if core.profile.register && self.interval_steps < INTERVAL_STEPS_MAX => {
                self.interval_steps += 1;
                self.expires_secs = longer_interval(response.fields(), self.expires_secs);
                self.begin(core, now);
            }
            // It is there, and does not know what we ask: so it gives no proof (W6).
            404 | 405 | 481 | 501 if !core.profile.register => {
                core.takes_lists = false;
                self.settle(core, RegistrationState::NoFanOut, None);
            }
            408 | 480 | 500 | 502..=599 => {
                let retry_after = retry_after(response.fields());
                self.offline(core, Outage { retry_after, why: None }, now);
            }
            status => {
                let reason = response.reason().to_owned();
                self.settle(core, RegistrationState::Refused { status, reason }, None);
            }
        }
    }

    fn answered(&mut self, core: &mut Core, response: &Response, now: Now) {
        let state = self.state_by(core, response, now);
        if !core.profile.register {
            return self.settle(core, state, None);
        }
        let granted = granted_secs(response.fields(), core).unwrap_or(self.expires_secs);
        if granted == 0 {
            return self.offline(core, Outage::default(), now);
        }
        let at_most =
            core.line.main().map(|flow| self.keep_alive.registered(response, flow, &mut core.random, now));
        // A tenth is left for the refresh to be repeated in (RFC 3261 §10.2.4).
        let lifetime = Duration::from_secs(u64::from(granted.min(BINDING_EXPIRES_MAX_SECS)));
        let refresh = (lifetime / 10 * 9).min(at_most.unwrap_or(Duration::MAX));
        let refresh_at = now.mono + core.random.jitter(refresh);
        self.settle(core, state, Some(refresh_at));
    }

    fn settle(&mut self, core: &mut Core, state: RegistrationState, refresh_at: Option<Instant>) {
        self.failures = 0;
        self.interval_steps = 0;
        self.challenges = 0;
        self.phase = Phase::Settled { refresh_at };
        self.become_state(core, state);
    }

    /// The proxy is not there: the next place is tried at once (RFC 3263 §4.3), all of them again after a while.
    fn offline(&mut self, core: &mut Core, outage: Outage, now: Now) {
        self.challenges = 0;
        self.keep_alive.stop();
        if core.line.next_hop() {
            return self.begin_anew(core, now);
        }
        let doubled = RETRY_FIRST.saturating_mul(1 << self.failures.min(16));
        self.failures = self.failures.saturating_add(1);
        let own = core.random.jitter(doubled.min(RETRY_MAX));
        let asked_for = outage.retry_after;
        let retry_after = asked_for.map_or(own, |asked| asked.min(RETRY_AFTER_MAX).max(own));
        self.phase = Phase::Resting { until: now.mono + retry_after };
        self.become_state(core, RegistrationState::Offline { retry_after, why: outage.why });
    }

    fn left(&mut self, core: &mut Core) {
        self.phase = Phase::Left;
        self.keep_alive.stop();
        self.become_state(core, RegistrationState::Idle);
        // After everything that was written before.
        core.promise(Action::Tell(Event::Disconnected), Action::Tell(Event::Disconnected));
    }

    fn become_state(&mut self, core: &mut Core, state: RegistrationState) {
        if self.state != state {
            self.state = state.clone();
            core.tell(Event::Registration(state));
        }
    }
}
