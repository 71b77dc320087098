//! Registration: tells the proxy where we are, keeps that fresh, and learns whether the proxy fans out.
//!
//! REGISTER with refresh before expiry, 423, Retry-After and back-off with jitter (RFC 3261 §10.2, RFC 5626 §4.5). An
//! account that does not register asks by OPTIONS. `Supported: secondary-to` in the answer is the proof of fan-out;
//! without it each recipient gets a message of his own (W6). Every answer decides this anew.

mod outcome;

mod offers;

mod requests;

mod realm;

use std::time::Instant;

use self::offers::Offers;
use super::core::{Core, Task};
use super::keep_alive::KeepAlive;
use super::redirect::Redirects;
use super::sign_in::{Answered, Answerer, Heeded};
use crate::limits::{REGISTER_EXPIRES_SECS, SILENCE_TOLD_AFTER, STREAM_OPEN_WAIT, UNREGISTER_WAIT};
use crate::machine::TimerReason;
use crate::model::account::{ConnectStep, RegistrationState};
use crate::model::outage::Outage;
use crate::random::Random;
use crate::sip::Response;
use crate::time::Now;

/// The account's state at its proxy.
#[derive(Debug)]
pub(crate) struct Registration {
    state: RegistrationState,
    phase: Phase,
    call_id: String,
    tag: String,
    cseq: u32,
    expires_secs: u32,
    interval_steps: u8,
    /// Challenges answered since the last success.
    challenges: Answered,
    failures: u32,
    /// Consecutive refusals without a Retry-After.
    refusals: u32,
    /// The path to the registrar does not support RFC 5626 (439): this server is asked without outbound.
    lacks_outbound: bool,
    /// Redirects followed since the last success.
    redirects: Redirects,
    keep_alive: KeepAlive,
    offers: Offers,
    /// The state that follows once the registrar has said in which realm it asks.
    settles_as: Option<RegistrationState>,
    /// Why the addresses tried so far do not serve us: what says most of it.
    outage: Outage,
    /// When it is told that the pending request has no answer yet.
    silence_told_at: Option<Instant>,
}

/// The current step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Not asked to do anything yet.
    Idle,
    /// The server's name is being looked up.
    Finding,
    /// The connection is being opened.
    Opening,
    /// A request is pending.
    Asking,
    /// No answer, or a refusal that may be temporary: tried again at `until`.
    Resting { until: Instant },
    /// Answered; the next refresh is due at `refresh_at`.
    Settled { refresh_at: Option<Instant> },
    /// Un-registering; given up at `until`.
    Leaving { until: Instant },
    /// Un-registered: nothing happens until the owner asks for it.
    Left,
}

impl Registration {
    /// A registration that has tried nothing yet.
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
            settles_as: None,
            outage: Outage::default(),
            silence_told_at: None,
        }
    }

    /// The account's state at its server.
    pub(crate) const fn state(&self) -> &RegistrationState {
        &self.state
    }

    /// True until the owner asks for something.
    pub(crate) fn is_idle(&self) -> bool {
        self.phase == Phase::Idle
    }

    /// The owner wants to be connected, or a retry is due.
    pub(crate) fn connect(&mut self, core: &mut Core, now: Now) {
        if matches!(self.phase, Phase::Finding | Phase::Opening | Phase::Asking) {
            return;
        }
        core.server.forget_refusal();
        if self.state == RegistrationState::Connected {
            self.begin(core, now);
        } else {
            self.begin_anew(core, now);
        }
    }

    /// The server answers nothing at all, so it is taken to be down. Messages wait until it answers again.
    pub(crate) fn silent(&mut self, core: &mut Core, now: Now) {
        if !self.is_let_in() {
            return;
        }
        if matches!(self.phase, Phase::Settled { .. }) {
            self.offline(core, Outage::NoAnswer, now);
        } else if matches!(self.phase, Phase::Asking) {
            // A refresh is pending: its outcome shows whether the server is there.
            self.become_state(core, RegistrationState::Connecting(asking(core)));
        }
    }

    /// Asks again whether the proxy serves us, because it answered differently than before.
    pub(crate) fn doubt(&mut self, core: &mut Core, now: Now) {
        if matches!(self.phase, Phase::Settled { .. }) && self.is_let_in() {
            // RFC 3263 §4.3: another server of the same proxy, if any.
            if core.server.next_hop() {
                return self.begin_anew(core, now);
            }
            self.begin(core, now);
        }
    }

    /// The server has answered and serves us.
    const fn is_let_in(&self) -> bool {
        match self.state {
            RegistrationState::Connected | RegistrationState::ByList | RegistrationState::NoFanOut => true,
            RegistrationState::Idle
            | RegistrationState::Connecting(_)
            | RegistrationState::Offline { .. }
            | RegistrationState::Refused { .. } => false,
        }
    }

    /// The owner wants to disconnect: un-register (RFC 3261 §10.2.2), then report it.
    pub(crate) fn leave(&mut self, core: &mut Core, now: Now) {
        let bound = matches!(self.phase, Phase::Settled { .. } | Phase::Asking)
            && !matches!(self.state, RegistrationState::Refused { .. });
        match core.server.main() {
            Some(flow) if bound && core.profile.register => {
                self.register(core, flow, 0, now);
                self.phase = Phase::Leaving { until: now.mono + UNREGISTER_WAIT };
            }
            Some(_) | None => self.left(core),
        }
    }

    /// The connection to the proxy is open.
    pub(crate) fn connection_open(&mut self, core: &mut Core, now: Now) {
        if self.phase == Phase::Opening {
            self.go_on(core, now);
        }
    }

    /// The look-up of the proxy has succeeded or failed.
    pub(crate) fn proxy_found(&mut self, core: &mut Core, fault: Option<&str>, now: Now) {
        if self.phase != Phase::Finding {
            return;
        }
        if core.server.hop().is_some() {
            return self.go_on(core, now);
        }
        let why = Outage::NotFound { server: core.server.name().into(), fault: fault.map(Into::into) };
        self.offline(core, why, now);
    }

    /// The connection to the proxy could not be opened.
    pub(crate) fn connection_refused(&mut self, core: &mut Core, why: Outage, now: Now) {
        if self.phase == Phase::Opening {
            self.offline(core, why, now);
        }
    }

    /// The flow to the proxy is lost.
    pub(crate) fn connection_lost(&mut self, core: &mut Core, now: Now) {
        match self.phase {
            Phase::Settled { .. } if self.is_let_in() => self.offline(core, Outage::NoAnswer, now),
            // A pending request fails by itself and reports that.
            Phase::Settled { .. } | Phase::Asking | Phase::Idle | Phase::Resting { .. } => {}
            Phase::Finding | Phase::Opening | Phase::Leaving { .. } | Phase::Left => {}
        }
    }

    /// Our request was not answered.
    pub(crate) fn unanswered(&mut self, core: &mut Core, now: Now) {
        match self.phase {
            Phase::Leaving { .. } => self.left(core),
            Phase::Asking => self.offline(core, Outage::NoAnswer, now),
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
            && core.challenges.heed(response, Answerer::Server, &mut self.challenges) == Heeded::Again;
        match self.phase {
            Phase::Leaving { .. } if is_asked_who => {
                core.server.main().into_iter().for_each(|flow| self.register(core, flow, 0, now));
            }
            Phase::Leaving { .. } => self.left(core),
            Phase::Asking if is_asked_who => self.go_on(core, now),
            Phase::Asking => self.judge(core, response, now),
            Phase::Idle
            | Phase::Finding
            | Phase::Opening
            | Phase::Resting { .. }
            | Phase::Settled { .. }
            | Phase::Left => {}
        }
    }

    /// Does what has fallen due.
    pub(crate) fn handle_timeout(&mut self, core: &mut Core, now: Now) {
        if let Some((flow, bytes)) = self.keep_alive.due(&mut core.random, now) {
            core.transmit(flow, bytes);
        }
        if self.phase_due().is_none_or(|(due, _)| due > now.mono) {
            return;
        }
        match self.phase {
            Phase::Resting { .. } if matches!(self.state, RegistrationState::Refused { .. }) => {
                // The earlier refusal holds until the server says something else.
                core.server.forget_refusal();
                self.begin(core, now);
            }
            Phase::Resting { .. } => self.connect(core, now),
            Phase::Settled { .. } => self.begin(core, now),
            Phase::Leaving { .. } => {
                core.transactions.forget(Task::Account);
                self.left(core);
            }
            Phase::Asking => {
                self.silence_told_at = None;
                let waiting = ConnectStep::Waiting { is_encrypted: core.server.is_secure() };
                self.become_state(core, RegistrationState::Connecting(waiting));
            }
            Phase::Idle | Phase::Finding | Phase::Opening | Phase::Left => {}
        }
    }

    /// The next deadline.
    pub(crate) fn poll_timeout(&self) -> Option<(Instant, TimerReason)> {
        let keep_alive = self.keep_alive.poll_timeout().map(|due| (due, TimerReason::KeepAlive));
        self.phase_due().into_iter().chain(keep_alive).min()
    }

    fn phase_due(&self) -> Option<(Instant, TimerReason)> {
        match self.phase {
            Phase::Resting { until } => Some((until, TimerReason::ConnectAgain)),
            Phase::Settled { refresh_at } => refresh_at.map(|at| (at, TimerReason::RegistrationRefresh)),
            Phase::Leaving { until } => Some((until, TimerReason::UnregistrationAwaited)),
            Phase::Asking
                if matches!(self.state, RegistrationState::Connecting(ConnectStep::Asking { .. })) =>
            {
                self.silence_told_at.map(|at| (at, TimerReason::SilenceTold))
            }
            Phase::Idle | Phase::Finding | Phase::Opening | Phase::Asking | Phase::Left => None,
        }
    }

    /// Starts connecting to the server, reporting each step.
    fn begin_anew(&mut self, core: &mut Core, now: Now) {
        let step = match core.server.main() {
            Some(_) => asking(core),
            None if core.server.hop().is_none() => ConnectStep::Finding,
            None => ConnectStep::Opening,
        };
        self.become_state(core, RegistrationState::Connecting(step));
        self.begin(core, now);
    }

    /// Takes the next step; the steps before it were already reported.
    fn go_on(&mut self, core: &mut Core, now: Now) {
        if matches!(self.state, RegistrationState::Connecting(_)) {
            self.begin_anew(core, now);
        } else {
            self.begin(core, now);
        }
    }

    fn begin(&mut self, core: &mut Core, now: Now) {
        self.silence_told_at = Some(now.mono + SILENCE_TOLD_AFTER);
        match core.server.main() {
            Some(flow) if core.profile.register => {
                self.register(core, flow, self.expires_secs, now);
                self.phase = Phase::Asking;
            }
            Some(flow) => {
                self.ask_options(core, Task::Account, flow, now);
                self.phase = Phase::Asking;
            }
            None if core.server.hop().is_none() => {
                core.find_proxy();
                self.phase = Phase::Finding;
            }
            None if core.server.is_stream() => {
                core.open_stream(now.mono, STREAM_OPEN_WAIT);
                self.phase = Phase::Opening;
            }
            None => self.offline(core, Outage::NoAnswer, now),
        }
    }
}

/// The server is being asked, over the flow that there is.
fn asking(core: &Core) -> ConnectStep {
    ConnectStep::Asking { is_encrypted: core.server.is_secure() }
}
