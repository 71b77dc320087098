//! A view of the messages that go in and out of a machine: a bounded ring that the shell writes and anybody reads.
//!
//! **Invariant:** no secret is in it: what [`redaction`] names is removed before an entry is stored.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use super::redaction;
use crate::injection::Mark;
pub use crate::inspect::Direction;
use crate::inspect::WireMessage;
use crate::limits::{WIRE_BYTES_MAX, WIRE_ENTRIES_MAX, WIRE_ENTRY_BYTES};
use crate::machine::Flow;
use crate::time::Timestamp;

/// One message, or one keep-alive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WireEntry {
    /// When the machine took or gave it.
    pub at: Timestamp,
    /// Which way it went.
    pub direction: Direction,
    /// The flow that it was on.
    pub flow: Flow,
    /// The message without its secrets.
    pub bytes: Bytes,
    /// What a fault of a tester did to it.
    pub mark: Option<Mark>,
}

impl WireEntry {
    /// The same with its two ends in place of ours and the other one.
    #[must_use]
    pub fn message(&self) -> WireMessage {
        let (from, to) = match self.direction {
            Direction::Received => (self.flow.remote, self.flow.local),
            Direction::Sent => (self.flow.local, self.flow.remote),
        };
        let (transport, bytes) = (self.flow.transport, self.bytes.clone());
        let (at, direction, mark) = (self.at, Some(self.direction), self.mark);
        WireMessage { at, direction, from, to, transport, bytes, mark }
    }
}

/// What a reader had not seen yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unseen {
    /// In the order in which the machine took and gave them.
    pub entries: Vec<WireEntry>,
    /// How many before these were dropped, because the reader was too slow.
    pub lost: u64,
    /// What to ask for next.
    pub next: u64,
}

/// A handle of the ring; its copies share it.
#[derive(Clone, Default)]
pub struct WireTap {
    ring: Arc<Mutex<Ring>>,
    /// Called after the next entry where a reader has asked for it, by the thread of the machine.
    wake: Option<Arc<dyn Fn() + Send + Sync>>,
}

impl fmt::Debug for WireTap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WireTap").field(&self.ring).finish()
    }
}

#[derive(Debug, Default)]
struct Ring {
    entries: VecDeque<WireEntry>,
    bytes: usize,
    /// The number of the oldest entry that is kept.
    first: u64,
    /// Nobody reads it any more.
    is_closed: bool,
    /// A reader wants to be woken by the next entry.
    is_awaited: bool,
}

const fn size_of_entry(entry: &WireEntry) -> usize {
    entry.bytes.len() + WIRE_ENTRY_BYTES
}

impl WireTap {
    /// An empty ring.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty ring that calls this, on the thread of the machine, where [`WireTap::wake_once`] has asked for it.
    #[must_use]
    pub fn waking(wake: Arc<dyn Fn() + Send + Sync>) -> Self {
        Self { ring: Arc::default(), wake: Some(wake) }
    }

    /// Stores a message; the oldest ones make room for it.
    pub fn record(&self, at: Timestamp, direction: Direction, flow: Flow, bytes: &Bytes) {
        self.record_marked(at, direction, flow, bytes, None);
    }

    /// The same for a message to which a fault did something.
    pub fn record_marked(
        &self,
        at: Timestamp,
        direction: Direction,
        flow: Flow,
        bytes: &Bytes,
        mark: Option<Mark>,
    ) {
        if self.ring().is_closed {
            return;
        }
        let entry = WireEntry { at, direction, flow, bytes: redaction::without_secrets(bytes), mark };
        let mut ring = self.ring();
        ring.bytes += size_of_entry(&entry);
        ring.entries.push_back(entry);
        while ring.entries.len() > WIRE_ENTRIES_MAX || ring.bytes > WIRE_BYTES_MAX {
            let Some(oldest) = ring.entries.pop_front() else { break };
            ring.bytes -= size_of_entry(&oldest);
            ring.first += 1;
        }
        let is_awaited = std::mem::take(&mut ring.is_awaited);
        drop(ring);
        if let Some(wake) = self.wake.as_ref().filter(|_| is_awaited) {
            wake();
        }
    }

    /// Stores what another ring had.
    pub fn record_entry(&self, entry: &WireEntry) {
        self.record_marked(entry.at, entry.direction, entry.flow, &entry.bytes, entry.mark);
    }

    /// Wakes the reader after the next entry, once.
    pub fn wake_once(&self) {
        self.ring().is_awaited = true;
    }

    /// The entries from this number on; the first ever has the number 0.
    #[must_use]
    pub fn since(&self, next: u64) -> Unseen {
        self.some_since(next, usize::MAX)
    }

    /// The same, at most so many.
    #[must_use]
    pub fn some_since(&self, next: u64, most: usize) -> Unseen {
        let ring = self.ring();
        let lost = ring.first.saturating_sub(next);
        let seen = usize::try_from(next.saturating_sub(ring.first)).unwrap_or(usize::MAX);
        let entries: Vec<_> = ring.entries.iter().skip(seen).take(most).cloned().collect();
        let count = u64::try_from(entries.len()).unwrap_or(u64::MAX);
        Unseen { entries, lost, next: next.max(ring.first).saturating_add(count) }
    }

    /// Forgets what is stored.
    pub fn clear(&self) {
        let mut ring = self.ring();
        let number = ring.first.saturating_add(u64::try_from(ring.entries.len()).unwrap_or(u64::MAX));
        *ring = Ring { first: number, is_closed: ring.is_closed, ..Ring::default() };
    }

    /// Stores nothing from now on, and forgets what is stored; the numbers go on if it is reopened.
    pub fn close(&self) {
        self.clear();
        self.ring().is_closed = true;
    }

    /// Stores again what passes from now on.
    pub fn reopen(&self) {
        self.ring().is_closed = false;
    }

    fn ring(&self) -> MutexGuard<'_, Ring> {
        // Ignoring poison is safe: nothing under this lock can leave the ring half changed.
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flow() -> Flow {
        Flow::udp(([127, 0, 0, 1], 5060).into(), ([127, 0, 0, 1], 40_000).into())
    }

    fn record(tap: &WireTap, at: u64, bytes: Bytes) {
        tap.record(Timestamp::from_millis(at), Direction::Received, flow(), &bytes);
    }

    #[test]
    fn w31_the_ring_has_an_end_in_entries_and_in_bytes_and_the_oldest_go_first() {
        let tap = WireTap::new();
        for number in 0..10_003 {
            record(&tap, number, Bytes::from_static(b"\r\n"));
        }
        let unseen = tap.since(0);
        assert_eq!((unseen.entries.len(), unseen.lost, unseen.next), (10_000, 3, 10_003));
        assert_eq!(unseen.entries[0].at, Timestamp::from_millis(3));

        let tap = WireTap::new();
        for number in 0..30 {
            record(&tap, number, vec![b'x'; 1024 * 1024].into());
        }
        let unseen = tap.since(0);
        assert_eq!((unseen.entries.len(), unseen.lost), (19, 11), "20 MiB with what an entry costs besides");
        assert!(tap.ring.lock().unwrap().bytes <= 20 * 1024 * 1024);
    }

    #[test]
    fn a_reader_gets_each_entry_once_and_learns_how_many_he_missed() {
        let tap = WireTap::new();
        assert_eq!(tap.since(0), Unseen::default());
        record(&tap, 1, Bytes::from_static(b"one"));
        let first = tap.since(0);
        assert_eq!((first.entries.len(), first.next), (1, 1));
        assert_eq!(tap.since(first.next), Unseen { next: 1, ..Unseen::default() });
        record(&tap, 2, Bytes::from_static(b"two"));
        assert_eq!(tap.since(first.next).entries[0].bytes, "two");
        tap.close();
        record(&tap, 3, Bytes::from_static(b"three"));
        assert!(tap.since(0).entries.is_empty());
    }

    #[test]
    fn a_reader_may_take_a_few_at_a_time() {
        let tap = WireTap::new();
        (0..5).for_each(|number| record(&tap, number, Bytes::from_static(b"x")));
        let some = tap.some_since(1, 3);
        assert_eq!((some.entries.len(), some.entries[0].at, some.next), (3, Timestamp::from_millis(1), 4));
        let rest = tap.some_since(some.next, 3);
        assert_eq!((rest.entries.len(), rest.lost, rest.next), (1, 0, 5));
        assert_eq!(
            tap.some_since(9, 3),
            Unseen { next: 9, ..Unseen::default() },
            "what is to come has its number"
        );
    }

    #[test]
    fn a_reader_is_woken_once_for_each_time_he_asks_and_what_is_cleared_is_not_counted_as_lost() {
        let woken = Arc::new(Mutex::new(0));
        let count = Arc::clone(&woken);
        let tap = WireTap::waking(Arc::new(move || *count.lock().unwrap() += 1));
        record(&tap, 1, Bytes::from_static(b"one"));
        assert_eq!(*woken.lock().unwrap(), 0);
        tap.wake_once();
        record(&tap, 2, Bytes::from_static(b"two"));
        record(&tap, 3, Bytes::from_static(b"three"));
        assert_eq!(*woken.lock().unwrap(), 1);
        let next = tap.since(0).next;
        tap.clear();
        record(&tap, 4, Bytes::from_static(b"four"));
        let unseen = tap.since(next);
        assert_eq!((unseen.entries.len(), unseen.lost, unseen.next), (1, 0, 4));
    }
}
