//! The non-INVITE client transaction (RFC 3261 §17.1.2, figure 6).

use std::time::{Duration, Instant};

use bytes::Bytes;

use super::Outgoing;
use super::timers::{Due, Timer, Timers};
use crate::machine::{Flow, RequestId, Transmit};

/// Why a client transaction ended without a final response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Timer F, or the owner's deadline: treated as a 408 (§8.1.3.1).
    Timeout,
    /// The flow is gone, or the request could not be sent: treated as a 503 (§8.1.3.1).
    Transport,
    /// The request fits no datagram.
    TooLarge,
}

/// What a timer of a client transaction does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TimerStep {
    /// Timer E: send the request again.
    Retransmit,
    /// Timer F: nobody answered.
    TimedOut,
    /// Timer K: there are no more responses to absorb.
    Over,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// No response.
    Trying,
    /// A provisional response came.
    Proceeding,
    /// A final response came; repeated ones are absorbed until Timer K.
    Completed { until: Instant },
    /// It is over.
    Terminated,
}

/// One request of ours, retransmitted until it is answered.
#[derive(Debug)]
pub(super) struct ClientTransaction<U> {
    user: U,
    id: RequestId,
    flow: Flow,
    bytes: Bytes,
    state: State,
    /// When Timer E fires next, and the interval before that; `None` over a stream, and after the last transmission.
    retransmit: Option<(Instant, Duration)>,
    give_up: Instant,
    transmissions: u32,
    transmissions_max: u32,
}

impl<U: Copy> ClientTransaction<U> {
    /// A transaction in state Trying whose request has been sent once.
    pub(super) fn new(id: RequestId, outgoing: Outgoing<'_, U>, now: Instant, timers: &Timers) -> Self {
        let Outgoing { user, flow, bytes, deadline, transmissions_max, .. } = outgoing;
        let timer_f = now + timers.f();
        let transmissions_max = transmissions_max.unwrap_or(u32::MAX);
        let is_repeated = !flow.transport.is_reliable() && transmissions_max > 1;
        let retransmit = is_repeated.then(|| (now + timers.t1(), timers.t1()));
        let give_up = deadline.map_or(timer_f, |deadline| deadline.min(timer_f));
        let state = State::Trying;
        Self { user, id, flow, bytes, state, retransmit, give_up, transmissions: 1, transmissions_max }
    }

    pub(super) const fn user(&self) -> U {
        self.user
    }

    pub(super) const fn flow(&self) -> Flow {
        self.flow
    }

    pub(super) const fn transmissions(&self) -> u32 {
        self.transmissions
    }

    /// One transmission. If it is the last one, as over a stream, the stored bytes are released.
    pub(super) fn transmit(&mut self) -> Transmit {
        let is_last = self.retransmit.is_none();
        let bytes = if is_last { std::mem::take(&mut self.bytes) } else { self.bytes.clone() };
        Transmit { flow: self.flow, bytes, request: Some(self.id) }
    }

    /// True until a final response or a failure.
    pub(super) const fn is_waiting(&self) -> bool {
        matches!(self.state, State::Trying | State::Proceeding)
    }

    /// The next timer; `None` once the transaction is over.
    pub(super) fn due(&self) -> Option<Due> {
        match self.state {
            // If F and E fall on the same instant, F wins: nothing is sent at the time-out.
            State::Trying | State::Proceeding => Some(match self.retransmit {
                Some((at, _)) if at < self.give_up => (at, Timer::E),
                Some(_) | None => (self.give_up, Timer::F),
            }),
            State::Completed { until } => Some((until, Timer::K)),
            State::Terminated => None,
        }
    }

    /// Takes the status of a response; true if it is news to the owner.
    pub(super) fn hear(&mut self, status: u16, now: Instant, timers: &Timers) -> bool {
        if !self.is_waiting() {
            return false;
        }
        if status < 200 {
            // Timer E goes on; its next interval is T2 (§17.1.2.2).
            self.state = State::Proceeding;
            return true;
        }
        // The request is not sent again: release its bytes while repeated responses are absorbed.
        self.bytes = Bytes::new();
        self.state = if self.flow.transport.is_reliable() {
            State::Terminated
        } else {
            State::Completed { until: now + timers.t4() }
        };
        true
    }

    /// Handles the timer that [`Self::due`] named.
    pub(super) fn handle_timeout(&mut self, now: Instant, timers: &Timers) -> TimerStep {
        let Some((at, timer)) = self.due() else { return TimerStep::Over };
        match timer {
            Timer::E => {
                self.transmissions += 1;
                self.schedule_after(at, now, timers);
                TimerStep::Retransmit
            }
            Timer::F => TimerStep::TimedOut,
            Timer::K | Timer::J | Timer::Unanswered => TimerStep::Over,
        }
    }

    /// Timer E doubles up to T2; in Proceeding it is T2 at once (§17.1.2.2).
    fn schedule_after(&mut self, at: Instant, now: Instant, timers: &Timers) {
        let Some((_, last)) = self.retransmit else { return };
        if self.transmissions >= self.transmissions_max {
            self.retransmit = None;
            return;
        }
        let interval = match self.state {
            State::Trying => (last * 2).min(timers.t2()),
            State::Proceeding | State::Completed { .. } | State::Terminated => timers.t2(),
        };
        // Counted from when E was due, so that a late turn of the loop does not cost a transmission;
        // but from now if whole intervals were missed during sleep, so that no burst follows.
        let next = at + interval;
        self.retransmit = Some((if next > now { next } else { now + interval }, interval));
    }
}
