//! What an answer to our request means for the account: registered, offline for a while, refused, or redirected.
//!
//! A refusal may be temporary (RFC 3261 §20.33): a server that is being set up answers 403 or 404 too, and our own
//! proxy refuses for a minute whoever gave wrong passwords. So it is tried again, when the server says or some minutes
//! later. Only a refused password is not tried again by itself: its owner has to correct it.

use std::time::{Duration, Instant};

use super::{Phase, Registration};
use crate::client::agent::core::{Action, Core};
use crate::client::agent::interval::{granted_secs, longer_interval, retry_after};
use crate::client::agent::redirect::{Keep, Redirects};
use crate::client::agent::service_route::ServiceRoute;
use crate::client::agent::sign_in::Answered;
use crate::limits::{
    BINDING_EXPIRES_MAX_SECS, REFUSED_RETRY_FIRST, REFUSED_RETRY_MAX, RETRY_AFTER_MAX, RETRY_FIRST, RETRY_MAX,
};
use crate::model::account::RegistrationState;
use crate::model::command::Event;
use crate::model::outage::Outage;
use crate::sip::Response;
use crate::time::Now;

/// How often in a row we lengthen an interval that the registrar finds too brief.
const INTERVAL_STEPS_MAX: u8 = 3;

impl Registration {
    pub(super) fn judge(&mut self, core: &mut Core, response: &Response, now: Now) {
        match response.status() {
            200..=299 => self.answered(core, response, now),
            300..=399 if self.is_redirected(core, response) => self.begin(core, now),
            423 if core.profile.register && self.interval_steps < INTERVAL_STEPS_MAX => {
                self.interval_steps += 1;
                self.expires_secs = longer_interval(response.fields(), self.expires_secs);
                self.begin(core, now);
            }
            // RFC 5626 §4.2.1: once more, without outbound.
            439 if core.profile.register && !self.lacks_outbound => {
                self.lacks_outbound = true;
                self.begin(core, now);
            }
            // It is there and gives no proof of fan-out (W6). What it answers to an OPTIONS says nothing about messages:
            // many refuse the one and take the others.
            status if !core.profile.register && !matches!(status, 300..=399 | 401 | 407 | 408 | 503) => {
                core.takes_lists = false;
                self.settle_unregistered(core, RegistrationState::NoFanOut, now);
            }
            408 | 480 | 500 | 502..=599 => {
                let why =
                    Outage::Answered { status: response.status(), reason: response.reason().to_owned() };
                self.offline_for((retry_after(response.fields()), why), core, now);
            }
            _ => self.refused(core, response, now),
        }
    }

    /// Follows a redirect of the server, if there is one to follow (RFC 3261 §8.1.3.4).
    fn is_redirected(&mut self, core: &mut Core, response: &Response) -> bool {
        let keep = Keep::of(&core.profile.address, core.server.is_secure());
        self.redirects.take(response, keep, core.server.nearness());
        let Some(target) = self.redirects.next_target() else {
            return false;
        };
        // The credentials were for the previous server; challenges of the new one are counted afresh.
        self.challenges = Answered::default();
        core.redirect(&target);
        true
    }

    fn answered(&mut self, core: &mut Core, response: &Response, now: Now) {
        let state = self.state_by(core, response, now);
        if !core.profile.register {
            return self.settle_unregistered(core, state, now);
        }
        let granted = granted_secs(response.fields(), core).unwrap_or(self.expires_secs);
        if granted == 0 {
            return self.offline(core, Outage::NotGranted, now);
        }
        core.service_route = ServiceRoute::of(response.fields());
        let at_most =
            core.server.main().map(|flow| self.keep_alive.registered(response, flow, &mut core.random, now));
        // The last tenth leaves time to repeat the refresh (RFC 3261 §10.2.4).
        let lifetime = Duration::from_secs(u64::from(granted.min(BINDING_EXPIRES_MAX_SECS)));
        let refresh = (lifetime / 10 * 9).min(at_most.unwrap_or(Duration::MAX));
        let refresh_at = now.mono + core.random.jitter(refresh);
        self.settle(core, state, Some(refresh_at));
    }

    pub(super) fn settle(&mut self, core: &mut Core, state: RegistrationState, refresh_at: Option<Instant>) {
        self.failures = 0;
        self.refusals = 0;
        self.interval_steps = 0;
        self.challenges = Answered::default();
        self.redirects = Redirects::default();
        self.outage = Outage::NoAnswer;
        self.phase = Phase::Settled { refresh_at };
        self.become_state(core, state);
    }

    /// The server refuses us; the event also says when it is asked again.
    fn refused(&mut self, core: &mut Core, response: &Response, now: Now) {
        let status = response.status();
        let is_sign_in = matches!(status, 401 | 407);
        let why = core.challenges.fault_of(response).cloned();
        let retry_after = match retry_after(response.fields()) {
            Some(asked) => Some(asked.min(RETRY_AFTER_MAX).max(self.next_wait(core))),
            None if is_sign_in => None,
            None => {
                let doubled = REFUSED_RETRY_FIRST.saturating_mul(1 << self.refusals.min(16));
                Some(core.random.jitter(doubled.min(REFUSED_RETRY_MAX)))
            }
        };
        self.refusals = self.refusals.saturating_add(1);
        self.interval_steps = 0;
        self.challenges = Answered::default();
        self.redirects = Redirects::default();
        self.outage = Outage::NoAnswer;
        self.keep_alive.stop();
        core.go_home();
        self.phase = match retry_after {
            Some(wait) => Phase::Resting { until: now.mono + wait },
            None => Phase::Settled { refresh_at: None },
        };
        let reason = response.reason().to_owned();
        self.become_state(core, RegistrationState::Refused { status, reason, why, retry_after });
    }

    /// How long to wait before the server is asked again; doubled with each failure.
    fn next_wait(&mut self, core: &mut Core) -> Duration {
        let doubled = RETRY_FIRST.saturating_mul(1 << self.failures.min(16));
        self.failures = self.failures.saturating_add(1);
        core.random.jitter(doubled.min(RETRY_MAX))
    }

    /// The proxy is not reachable: tries the next hop at once (RFC 3263 §4.3), and all of them again after a while.
    pub(super) fn offline(&mut self, core: &mut Core, why: Outage, now: Now) {
        self.offline_for((None, why), core, now);
    }

    /// The same for at least as long as the server asks us to wait.
    fn offline_for(&mut self, (asked, why): (Option<Duration>, Outage), core: &mut Core, now: Now) {
        // The owner is told once, after the last address: a silent one must not hide what another one said.
        self.outage = std::mem::take(&mut self.outage).max(why);
        self.challenges = Answered::default();
        self.keep_alive.stop();
        self.lacks_outbound = false;
        if core.server.next_hop() {
            return self.begin_anew(core, now);
        }
        // RFC 3261 §8.1.3.4: the next target of a redirect, and after all of them the server itself again.
        if let Some(target) = self.redirects.next_target() {
            core.redirect(&target);
            return self.begin_anew(core, now);
        }
        self.redirects = Redirects::default();
        core.go_home();
        let own = self.next_wait(core);
        let retry_after = asked.map_or(own, |asked| asked.min(RETRY_AFTER_MAX).max(own));
        self.phase = Phase::Resting { until: now.mono + retry_after };
        let why = std::mem::take(&mut self.outage);
        self.become_state(core, RegistrationState::Offline { retry_after, why });
    }

    pub(super) fn left(&mut self, core: &mut Core) {
        self.phase = Phase::Left;
        self.keep_alive.stop();
        self.become_state(core, RegistrationState::Idle);
        // Only after everything written before it.
        core.promise(Action::TellAnyway(Event::Disconnected));
    }

    pub(super) fn become_state(&mut self, core: &mut Core, state: RegistrationState) {
        if self.state != state {
            self.state = state.clone();
            core.tell(Event::Registration(state));
        }
    }
}
