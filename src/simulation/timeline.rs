//! A clock that jumps to the next event, and the events to come. The same events give the same order.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::host::{Host, HostId};
use crate::time::{Now, Timestamp};

/// The wall clock at the start: the same in every run.
const START: Timestamp = Timestamp::from_millis(1_800_000_000_000);
/// Most turns at one instant; more means an infinite loop.
const TURNS_AT_ONCE_MAX: u32 = 100_000;

/// Which host an event is for, and which of its starts; none if the address decides.
type For = Option<(HostId, u32)>;

/// The time in a world, and what is to happen in it.
#[derive(Debug)]
pub struct Timeline<E> {
    base: Instant,
    now: Now,
    queue: BTreeMap<(Instant, u64), (For, E)>,
    last: u64,
    turns_at_once: u32,
}

/// What happens next.
#[derive(Debug)]
pub enum Turn<E> {
    /// A timer of this host is due.
    Timer(HostId),
    /// This was planned for now.
    Event(Planned<E>),
}

/// An event whose time has come.
#[derive(Debug)]
pub struct Planned<E> {
    number: u64,
    whom: For,
    /// What happens.
    pub event: E,
}

impl<E> Planned<E> {
    /// The host that it is for; none if the address decides.
    pub fn host(&self) -> Option<HostId> {
        self.whom.map(|(id, _)| id)
    }
}

impl<E> Timeline<E> {
    /// Starts at this instant; only differences to it are seen.
    #[must_use]
    pub const fn new(base: Instant) -> Self {
        let now = Now { mono: base, wall: START };
        Self { base, now, queue: BTreeMap::new(), last: 0, turns_at_once: 0 }
    }

    /// The current time.
    pub const fn now(&self) -> Now {
        self.now
    }

    /// The time on the clocks of this host.
    pub fn now_at(&self, host: &Host) -> Now {
        let wall = self.now.wall.as_millis().saturating_add_signed(host.wall_skew_ms);
        Now { wall: Timestamp::from_millis(wall), ..self.now }
    }

    /// Time since the start.
    pub fn elapsed(&self) -> Duration {
        self.now.mono.saturating_duration_since(self.base)
    }

    /// Lets the event happen after this time, unless the host that it is for stops before.
    pub fn plan(&mut self, delay: Duration, whom: Option<(HostId, &Host)>, event: E) {
        self.last += 1;
        let whom = whom.map(|(id, host)| (id, host.start));
        self.queue.insert((self.now.mono + delay, self.last), (whom, event));
    }

    /// Plans an event again, in the order in which it was planned first.
    pub fn postpone(&mut self, until: Instant, Planned { number, whom, event }: Planned<E>) {
        self.queue.insert((until, number), (whom, event));
    }

    /// When something happens next.
    pub fn next_at(&self, hosts: &[Host]) -> Option<Instant> {
        let timers = hosts.iter().filter_map(Host::poll_timeout).map(|(at, _)| at);
        let queued = self.queue.first_key_value().map(|((at, _), _)| *at);
        timers.chain(queued).min().map(|at| at.max(self.now.mono))
    }

    /// Jumps to this instant.
    pub fn go_to(&mut self, at: Instant) {
        if at > self.now.mono {
            self.turns_at_once = 0;
            // Computed from the base, so that rounding to milliseconds does not add up.
            let wall = START.plus(at.saturating_duration_since(self.base));
            self.now = Now { mono: at, wall };
        }
    }

    /// What happens now: timers first, then what was planned first. None if that was for a host that has stopped since.
    pub fn turn(&mut self, hosts: &[Host]) -> Option<Turn<E>> {
        self.turns_at_once += 1;
        assert!(self.turns_at_once < TURNS_AT_ONCE_MAX, "no end of things to do at one instant");
        let now = self.now.mono;
        let is_due = |host: &Host| host.poll_timeout().is_some_and(|(at, _)| at <= now);
        if let Some(place) = hosts.iter().position(is_due) {
            return Some(Turn::Timer(HostId(place)));
        }
        let ((_, number), (whom, event)) = self.queue.pop_first()?;
        let is_current = |(id, start): (HostId, u32)| {
            hosts.get(id.0).is_some_and(|host| host.start == start && host.is_up())
        };
        whom.is_none_or(is_current).then_some(Turn::Event(Planned { number, whom, event }))
    }
}
