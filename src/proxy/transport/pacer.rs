//! Pacing: a burst of legs to one reader leaves only as fast as it is read.
//!
//! A message to 500 people who are reached at one address is 500 datagrams. Sent at once, they overflow that peer's
//! socket buffer (212,992 bytes on a stock Linux, which holds about 90 datagrams of 1,200 bytes), and each one lost
//! costs a Timer E. On one connection, 500 pictures of 900 KB would be half a gigabyte that waits to be written. So each
//! reader (a peer's address for datagrams, or one connection) has a window: bytes that were sent but are not known to
//! have been read. It reads in order, so the answer to one leg shows that those before it were read, or lost. A peer
//! that stays silent for a while is assumed to have read everything; if it has not, its connection runs out of room, and
//! what goes there fails.
//!
//! **Invariant:** the pacer knows no requests, no bytes and no SIP timers. What waits here was not sent yet, so its
//! Timers E and F do not run. Messages take turns, so that none waits behind another one's burst.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::ops::Bound::{Excluded, Unbounded};
use std::time::{Duration, Instant};

use crate::limits::{
    PACE_DATAGRAM_OVERHEAD_BYTES, PACE_SILENCE, PACE_STREAM_SILENCE, PACE_STREAM_UNREAD_BYTES_MAX,
    PACE_UNREAD_BYTES_MAX,
};
use crate::machine::{ConnectionId, Flow};

/// Who reads in order what is sent to him: a peer's address for datagrams, whatever our socket; or one connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Reader {
    remote: SocketAddr,
    connection: Option<ConnectionId>,
}

impl Reader {
    const fn of(flow: Flow) -> Self {
        Self { remote: flow.remote, connection: flow.connection }
    }

    const fn unread_bytes_max(self) -> usize {
        if self.connection.is_some() { PACE_STREAM_UNREAD_BYTES_MAX } else { PACE_UNREAD_BYTES_MAX }
    }

    const fn silence(self) -> Duration {
        if self.connection.is_some() { PACE_STREAM_SILENCE } else { PACE_SILENCE }
    }
}

/// All readers for which something waits, or to which something was sent that is not known to have been read.
#[derive(Debug)]
pub(crate) struct Pacer<U> {
    lanes: BTreeMap<Reader, Lane<U>>,
    /// Readers for which something may be sent now.
    open: VecDeque<Reader>,
    /// When each reader will count as silent.
    silences: BTreeSet<(Instant, Reader)>,
}

/// The queue of one reader.
#[derive(Debug)]
struct Lane<U> {
    /// Sent but not known to be read, in order, each with its cost in the reader's buffer.
    unread: VecDeque<(U, usize)>,
    unread_bytes: usize,
    /// What waits to be sent, by message.
    waiting: BTreeMap<u64, VecDeque<(U, Flow)>>,
    /// The message that had the last turn.
    last: u64,
    silent_at: Option<Instant>,
    is_open: bool,
}

impl<U> Default for Lane<U> {
    fn default() -> Self {
        Self {
            unread: VecDeque::new(),
            unread_bytes: 0,
            waiting: BTreeMap::new(),
            last: 0,
            silent_at: None,
            is_open: false,
        }
    }
}

impl<U: Copy> Lane<U> {
    fn has_turn(&self, unread_bytes_max: usize) -> bool {
        !self.waiting.is_empty() && self.unread_bytes < unread_bytes_max
    }

    /// Takes the next request of the message whose turn it is.
    fn pop(&mut self, unread_bytes_max: usize) -> Option<(U, Flow)> {
        if !self.has_turn(unread_bytes_max) {
            return None;
        }
        let next = self.waiting.range((Excluded(self.last), Unbounded)).next();
        let message = next.or_else(|| self.waiting.first_key_value()).map(|(message, _)| *message)?;
        self.last = message;
        let queue = self.waiting.get_mut(&message)?;
        let first = queue.pop_front();
        if queue.is_empty() {
            self.waiting.remove(&message);
        }
        first
    }

    fn is_idle(&self) -> bool {
        self.unread.is_empty() && self.waiting.is_empty()
    }
}

impl<U> Default for Pacer<U> {
    fn default() -> Self {
        Self { lanes: BTreeMap::new(), open: VecDeque::new(), silences: BTreeSet::new() }
    }
}

impl<U: Copy + Eq> Pacer<U> {
    /// Queues a request of this message; [`Self::pop`] says when it may go.
    pub(crate) fn wait(&mut self, user: U, message: u64, flow: Flow) {
        let lane = self.lanes.entry(Reader::of(flow)).or_default();
        lane.waiting.entry(message).or_default().push_back((user, flow));
        self.open(Reader::of(flow));
    }

    /// The next request that may be sent now.
    pub(crate) fn pop(&mut self) -> Option<(U, Flow)> {
        while let Some(reader) = self.open.front().copied() {
            let lane = self.lanes.get_mut(&reader);
            if let Some(next) = lane.and_then(|lane| lane.pop(reader.unread_bytes_max())) {
                return Some(next);
            }
            self.open.pop_front();
            if let Some(lane) = self.lanes.get_mut(&reader) {
                lane.is_open = false;
            }
            self.tidy(reader);
        }
        None
    }

    /// A request was sent.
    pub(crate) fn sent(&mut self, user: U, flow: Flow, bytes: usize, now: Instant) {
        let reader = Reader::of(flow);
        let lane = self.lanes.entry(reader).or_default();
        let cost = bytes.saturating_add(PACE_DATAGRAM_OVERHEAD_BYTES);
        lane.unread.push_back((user, cost));
        lane.unread_bytes = lane.unread_bytes.saturating_add(cost);
        if lane.silent_at.is_none() {
            lane.silent_at = Some(now + reader.silence());
            self.silences.insert((now + reader.silence(), reader));
        }
    }

    /// A request was answered: it was read, and so were those before it.
    pub(crate) fn heard(&mut self, user: U, flow: Flow, now: Instant) {
        let reader = Reader::of(flow);
        let Some(lane) = self.lanes.get_mut(&reader) else { return };
        let Some(place) = lane.unread.iter().position(|(unread, _)| *unread == user) else { return };
        let read: usize = lane.unread.drain(..=place).map(|(_, cost)| cost).sum();
        lane.unread_bytes = lane.unread_bytes.saturating_sub(read);
        let again = (!lane.unread.is_empty()).then(|| now + reader.silence());
        let before = std::mem::replace(&mut lane.silent_at, again);
        self.silences.extend(again.map(|at| (at, reader)));
        if let Some(at) = before.filter(|at| Some(*at) != again) {
            self.silences.remove(&(at, reader));
        }
        self.open(reader);
        self.tidy(reader);
    }

    /// A connection is gone; returns what waited for it.
    pub(crate) fn gone(&mut self, flow: Flow) -> Vec<U> {
        let reader = Reader::of(flow);
        let Some(lane) = self.lanes.remove(&reader) else { return Vec::new() };
        if let Some(at) = lane.silent_at {
            self.silences.remove(&(at, reader));
        }
        if lane.is_open {
            self.open.retain(|open| *open != reader);
        }
        lane.waiting.into_values().flatten().map(|(user, _)| user).collect()
    }

    /// Readers that were silent for too long are assumed to have read everything.
    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        while let Some((at, reader)) = self.silences.first().copied().filter(|(at, _)| *at <= now) {
            self.silences.remove(&(at, reader));
            if let Some(lane) = self.lanes.get_mut(&reader) {
                lane.unread.clear();
                lane.unread_bytes = 0;
                lane.silent_at = None;
            }
            self.open(reader);
            self.tidy(reader);
        }
    }

    /// When [`Self::handle_timeout`] has something to do.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.silences.first().map(|(at, _)| *at)
    }

    fn open(&mut self, reader: Reader) {
        let Some(lane) = self.lanes.get_mut(&reader) else { return };
        if lane.has_turn(reader.unread_bytes_max()) && !std::mem::replace(&mut lane.is_open, true) {
            self.open.push_back(reader);
        }
    }

    fn tidy(&mut self, reader: Reader) {
        if self.lanes.get(&reader).is_some_and(|lane| lane.is_idle() && !lane.is_open) {
            self.lanes.remove(&reader);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::Transport;

    const LOCAL: &str = "192.0.2.100:5060";
    const PEER: &str = "192.0.2.7:5060";
    const OTHER: &str = "192.0.2.8:5060";

    fn flow(remote: &str) -> Flow {
        Flow::udp(LOCAL.parse().unwrap(), remote.parse().unwrap())
    }

    fn stream(number: u64) -> Flow {
        Flow { transport: Transport::Tcp, connection: Some(ConnectionId(number)), ..flow(PEER) }
    }

    #[expect(clippy::disallowed_methods, reason = "a base for virtual time")]
    fn start() -> Instant {
        Instant::now()
    }

    /// Sends everything that may go now.
    fn send_all(pacer: &mut Pacer<u32>, bytes: usize, now: Instant) -> Vec<u32> {
        let mut sent = Vec::new();
        while let Some((user, flow)) = pacer.pop() {
            pacer.sent(user, flow, bytes, now);
            sent.push(user);
        }
        sent
    }

    #[test]
    fn a_burst_goes_as_its_reader_takes_it_in() {
        let now = start();
        let mut pacer = Pacer::default();
        (0..500).for_each(|user| pacer.wait(user, 1, flow(PEER)));
        let first = send_all(&mut pacer, 1200, now);
        assert!((40..90).contains(&first.len()), "{}", first.len());
        assert!(send_all(&mut pacer, 1200, now).is_empty());
        // The answer to the tenth shows that ten were read.
        pacer.heard(9, flow(PEER), now);
        assert_eq!(send_all(&mut pacer, 1200, now).len(), 10);
        // An answer to what is known to be read, or was never sent, opens nothing.
        pacer.heard(3, flow(PEER), now);
        pacer.heard(499, flow(PEER), now);
        assert!(send_all(&mut pacer, 1200, now).is_empty());
    }

    #[test]
    fn a_silent_peer_gets_a_window_at_a_time_and_nothing_stays_behind() {
        let mut now = start();
        let mut pacer = Pacer::default();
        (0..500).for_each(|user| pacer.wait(user, 1, flow(PEER)));
        let mut sent = send_all(&mut pacer, 1200, now);
        let mut rounds = 0;
        while let Some(at) = pacer.poll_timeout() {
            assert!(at > now);
            now = at;
            pacer.handle_timeout(now);
            sent.extend(send_all(&mut pacer, 1200, now));
            rounds += 1;
        }
        assert_eq!(sent, (0..500).collect::<Vec<_>>());
        assert!(PACE_SILENCE * rounds < Duration::from_millis(1500), "{rounds}");
        assert!(pacer.lanes.is_empty() && pacer.open.is_empty());
    }

    #[test]
    fn messages_take_turns_and_remotes_do_not_wait_for_each_other() {
        let now = start();
        let mut pacer = Pacer::default();
        (0..500).for_each(|user| pacer.wait(user, 1, flow(PEER)));
        send_all(&mut pacer, 1200, now);
        pacer.wait(1000, 2, flow(PEER));
        pacer.wait(2000, 2, flow(OTHER));
        assert_eq!(send_all(&mut pacer, 300, now), [2000]);
        pacer.heard(1, flow(PEER), now);
        assert!(send_all(&mut pacer, 300, now).contains(&1000));
    }

    #[test]
    fn what_is_answered_leaves_nothing_behind() {
        let now = start();
        let mut pacer = Pacer::default();
        (0..20).for_each(|user| pacer.wait(user, 1, flow(PEER)));
        assert_eq!(send_all(&mut pacer, 300, now).len(), 20);
        pacer.heard(19, flow(PEER), now);
        assert!(pacer.lanes.is_empty() && pacer.open.is_empty() && pacer.poll_timeout().is_none());
    }

    #[test]
    fn w31_legs_of_any_size_go_to_one_connection_as_it_answers() {
        let now = start();
        let mut pacer = Pacer::default();
        (0..500).for_each(|user| pacer.wait(user, 1, stream(1)));
        let picture = 900 * 1024;
        assert_eq!(send_all(&mut pacer, picture, now), [0, 1, 2]);
        pacer.heard(1, stream(1), now);
        assert_eq!(send_all(&mut pacer, picture, now), [3, 4]);
        // Another connection to the same address, and datagrams to it, have windows of their own.
        pacer.wait(1000, 1, stream(2));
        pacer.wait(2000, 1, flow(PEER));
        assert_eq!(send_all(&mut pacer, picture, now), [1000, 2000]);
        // Small ones are counted with what they cost besides their bytes.
        (3000..9000).for_each(|user| pacer.wait(user, 1, stream(3)));
        let small = send_all(&mut pacer, 400, now).len();
        assert!((1000..2000).contains(&small), "{small}");
    }

    #[test]
    fn what_waits_for_a_connection_that_is_gone_is_given_back() {
        let now = start();
        let mut pacer = Pacer::default();
        (0..10).for_each(|user| pacer.wait(user, 1, stream(1)));
        assert_eq!(send_all(&mut pacer, 900 * 1024, now), [0, 1, 2]);
        pacer.heard(0, stream(1), now);
        assert_eq!(pacer.gone(stream(1)), (3..10).collect::<Vec<_>>());
        assert!(pacer.lanes.is_empty() && pacer.open.is_empty() && pacer.poll_timeout().is_none());
    }
}
