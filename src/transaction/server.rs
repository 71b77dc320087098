//! The non-INVITE server transaction (RFC 3261 §17.2.2, figure 8).

use std::time::Instant;

use bytes::Bytes;

use super::timers::{Due, Timer, Timers};
use crate::machine::{Flow, Transmit};

#[derive(Debug)]
enum State {
    /// No response yet: retransmissions are dropped.
    Trying,
    /// A provisional response was sent; retransmissions get it again.
    Proceeding(Bytes),
    /// The final response was sent; retransmissions get it again until Timer J.
    Completed(Bytes),
}

/// One request of a peer, and our answer to it.
#[derive(Debug)]
pub(super) struct ServerTransaction {
    flow: Flow,
    state: State,
    due: Due,
}

impl ServerTransaction {
    /// A transaction in state Trying. After twice Timer F nobody waits for an answer any more, so it is dropped.
    pub(super) fn new(flow: Flow, now: Instant, timers: &Timers) -> Self {
        Self { flow, state: State::Trying, due: (now + timers.f() * 2, Timer::Unanswered) }
    }

    /// The one running timer.
    pub(super) const fn due(&self) -> Due {
        self.due
    }

    /// The request was retransmitted, perhaps over another flow: the answer goes back over that one.
    pub(super) fn retransmission(&mut self, flow: Flow) -> Option<Transmit> {
        self.flow = flow;
        match &self.state {
            State::Trying => None,
            State::Completed(bytes) if bytes.is_empty() => None,
            State::Proceeding(bytes) | State::Completed(bytes) => Some(Transmit::new(flow, bytes.clone())),
        }
    }

    /// Bytes of the answer kept.
    pub(super) fn held(&self) -> usize {
        match &self.state {
            State::Trying => 0,
            State::Proceeding(bytes) | State::Completed(bytes) => bytes.len(),
        }
    }

    /// True once the final answer was sent.
    pub(super) const fn is_answered(&self) -> bool {
        matches!(self.state, State::Completed(_))
    }

    /// Drops the final answer: retransmissions are still absorbed, but not answered.
    pub(super) fn let_go(&mut self) {
        if let State::Completed(bytes) = &mut self.state {
            *bytes = Bytes::new();
        }
    }

    /// Takes the owner's answer; `None` if a final answer was sent before.
    pub(super) fn respond(
        &mut self,
        status: u16,
        bytes: Bytes,
        now: Instant,
        timers: &Timers,
    ) -> Option<Transmit> {
        if matches!(self.state, State::Completed(_)) {
            return None;
        }
        if status < 200 {
            self.state = State::Proceeding(bytes.clone());
        } else {
            self.state = State::Completed(bytes.clone());
            // Timer J is zero over a stream.
            let until = if self.flow.transport.is_reliable() { now } else { now + timers.j() };
            self.due = (until, Timer::J);
        }
        Some(Transmit::new(self.flow, bytes))
    }
}
