//! T1, T2, T4 (RFC 3261 §17.1.1.1, table 4), the lettered timers, and the queue of running timers.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use crate::machine::TimerReason;

/// T1 and what scales with it; a shorter T1 still gives 11 transmissions (W17).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timers {
    t1: Duration,
}

impl Default for Timers {
    /// The RFC's T1 of 500 ms.
    fn default() -> Self {
        Self::new(Duration::from_millis(500))
    }
}

impl Timers {
    /// Timers for this T1, which is at least one millisecond.
    #[must_use]
    pub fn new(t1: Duration) -> Self {
        Self { t1: t1.max(Duration::from_millis(1)) }
    }

    /// Round-trip estimate, and the first interval of Timer E.
    #[must_use]
    pub const fn t1(&self) -> Duration {
        self.t1
    }

    /// Longest interval of Timer E: 8 T1 (4 s).
    #[must_use]
    pub fn t2(&self) -> Duration {
        self.t1 * 8
    }

    /// How long the network may still deliver duplicates of a message: 10 T1 (5 s).
    #[must_use]
    pub fn t4(&self) -> Duration {
        self.t1 * 10
    }

    /// Timer F, a client transaction's time-out: 64 T1 (32 s).
    #[must_use]
    pub fn f(&self) -> Duration {
        self.t1 * 64
    }

    /// Timer J, how long a server absorbs retransmissions over a datagram transport: 64 T1 (32 s).
    #[must_use]
    pub fn j(&self) -> Duration {
        self.t1 * 64
    }
}

/// The timers of RFC 3261, by letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Timer {
    /// Retransmit the request.
    E,
    /// Give up waiting for a final response.
    F,
    /// Stop absorbing repeated requests.
    J,
    /// Stop absorbing repeated responses.
    K,
    /// Not in the RFC: drop a request that its owner never answered.
    Unanswered,
}

impl Timer {
    const fn reason(self) -> TimerReason {
        match self {
            Self::E => TimerReason::TimerE,
            Self::F => TimerReason::TimerF,
            Self::J => TimerReason::TimerJ,
            Self::K => TimerReason::TimerK,
            Self::Unanswered => TimerReason::Unanswered,
        }
    }
}

/// When a timer fires, and which.
pub(super) type Due = (Instant, Timer);

/// Every running timer, earliest first; each transaction has at most one entry.
#[derive(Debug)]
pub(super) struct TimerQueue<K>(BTreeSet<(Instant, Timer, K)>);

impl<K> Default for TimerQueue<K> {
    fn default() -> Self {
        Self(BTreeSet::new())
    }
}

impl<K: Copy + Ord> TimerQueue<K> {
    /// Replaces the entry `before` of `key` by `after`.
    pub(super) fn set(&mut self, before: Option<Due>, after: Option<Due>, key: K) {
        if before == after {
            return;
        }
        if let Some((at, timer)) = before {
            self.0.remove(&(at, timer, key));
        }
        if let Some((at, timer)) = after {
            self.0.insert((at, timer, key));
        }
    }

    /// Removes the first entry that is due at `now`.
    pub(super) fn pop_due(&mut self, now: Instant) -> Option<K> {
        let first = self.0.first().filter(|(at, ..)| *at <= now).copied()?;
        self.0.remove(&first);
        Some(first.2)
    }

    /// When the first timer fires, and which it is.
    pub(super) fn first(&self) -> Option<(Instant, TimerReason)> {
        self.0.first().map(|(at, timer, _)| (*at, timer.reason()))
    }
}
