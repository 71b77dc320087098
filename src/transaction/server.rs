//! The non-INVITE server transaction (RFC 3261 §17.2.2, figure 8).

use std::time::Instant;

use bytes::Bytes;

use super::timers::{Due, Timer, Timers};
use crate::limits::ANSWER_REPEATED_BYTES_MAX;
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
    /// Bytes of the request.
    request_bytes: usize,
    /// Bytes of all repeated answers so far.
    repeated: usize,
}

impl ServerTransaction {
    /// A transaction in state Trying. After twice Timer F nobody waits for an answer any more, so it is dropped.
    pub(super) fn new((flow, request_bytes): (Flow, usize), now: Instant, timers: &Timers) -> Self {
        let due = (now + timers.f() * 2, Timer::Unanswered);
        Self { flow, state: State::Trying, due, request_bytes, repeated: 0 }
    }

    /// The one running timer.
    pub(super) const fn due(&self) -> Due {
        self.due
    }

    /// The request was retransmitted, perhaps over another connection: the answer goes back over that one. A datagram may
    /// have a forged source: one that is shorter than the request is no retransmission, and what is sent again has an end.
    pub(super) fn retransmission(&mut self, flow: Flow, request_bytes: usize) -> Option<Transmit> {
        self.flow = flow;
        let bytes = match &self.state {
            State::Trying => return None,
            State::Completed(bytes) if bytes.is_empty() => return None,
            State::Proceeding(bytes) | State::Completed(bytes) => bytes,
        };
        if !flow.transport.is_reliable() {
            let repeated = self.repeated.saturating_add(bytes.len());
            if request_bytes < self.request_bytes || repeated > ANSWER_REPEATED_BYTES_MAX {
                return None;
            }
            self.repeated = repeated;
        }
        Some(Transmit::new(flow, bytes.clone()))
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
