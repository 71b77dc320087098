//! Limits on bytes waiting to be written to peers who do not read (W31): each connection has a maximum, and each
//! address may use only a part of the total.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::limits::{
    CONNECTION_ANSWER_BYTES_MAX, CONNECTION_QUEUE_BYTES_FREE, CONNECTION_REQUEST_BYTES_MAX,
    OUTPUT_BYTES_WAITING_MAX,
};

/// What the bytes that wait are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Burden {
    /// A request of ours, which fails alone if there is no room for it.
    Request,
    /// What the peer has asked for: one that does not read it has no use for its connection.
    Answer,
}

/// The bytes waiting for one connection; released when it ends.
#[derive(Debug)]
pub(super) struct Backlog {
    own: AtomicUsize,
    /// Those of answers.
    answers: AtomicUsize,
    /// Total of all connections with that address, beyond each one's free allowance.
    peer: Arc<AtomicUsize>,
    /// Total of all connections.
    all: Arc<AtomicUsize>,
}

impl Backlog {
    pub(super) const fn new(peer: Arc<AtomicUsize>, all: Arc<AtomicUsize>) -> Self {
        Self { own: AtomicUsize::new(0), answers: AtomicUsize::new(0), peer, all }
    }

    /// Adds this many bytes; false, and nothing is added, if that is too much.
    pub(super) fn add(&self, bytes: usize, burden: Burden) -> bool {
        let before = self.own.fetch_add(bytes, Ordering::Relaxed);
        let has_room = match burden {
            Burden::Request => before + bytes <= CONNECTION_REQUEST_BYTES_MAX,
            Burden::Answer => {
                self.answers.fetch_add(bytes, Ordering::Relaxed) + bytes <= CONNECTION_ANSWER_BYTES_MAX
            }
        };
        let more = counted(before + bytes) - counted(before);
        let of_peer = self.peer.fetch_add(more, Ordering::Relaxed) + more;
        let of_all = self.all.fetch_add(more, Ordering::Relaxed) + more;
        let is_added = has_room
            && (more == 0 || (of_peer <= OUTPUT_BYTES_WAITING_MAX / 4 && of_all <= OUTPUT_BYTES_WAITING_MAX));
        if !is_added {
            self.written(bytes, burden);
        }
        is_added
    }

    /// This many bytes were written.
    pub(super) fn written(&self, bytes: usize, burden: Burden) {
        if burden == Burden::Answer {
            self.answers.fetch_sub(bytes, Ordering::Relaxed);
        }
        let before = self.own.fetch_sub(bytes, Ordering::Relaxed);
        self.give_back(counted(before) - counted(before.saturating_sub(bytes)));
    }

    fn give_back(&self, less: usize) {
        self.peer.fetch_sub(less, Ordering::Relaxed);
        self.all.fetch_sub(less, Ordering::Relaxed);
    }
}

impl Drop for Backlog {
    fn drop(&mut self) {
        let left = counted(*self.own.get_mut());
        self.give_back(left);
    }
}

/// A small amount is free for each connection.
const fn counted(bytes: usize) -> usize {
    bytes.saturating_sub(CONNECTION_QUEUE_BYTES_FREE)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PART: usize = CONNECTION_ANSWER_BYTES_MAX;

    #[test]
    fn w31_who_does_not_read_takes_up_no_more_than_his_part_and_gives_it_back() {
        let all = Arc::new(AtomicUsize::new(0));
        let greedy = Arc::new(AtomicUsize::new(0));
        let mut connections = Vec::new();
        // Connections of one address, each filled to its maximum, until the address's part is used up.
        loop {
            let backlog = Backlog::new(Arc::clone(&greedy), Arc::clone(&all));
            if !backlog.add(PART, Burden::Answer) {
                break;
            }
            connections.push(backlog);
        }
        assert_eq!(connections.len(), OUTPUT_BYTES_WAITING_MAX / 4 / PART);
        let another = Backlog::new(Arc::clone(&greedy), Arc::clone(&all));
        assert!(another.add(CONNECTION_QUEUE_BYTES_FREE, Burden::Answer), "a little is free for everybody");
        assert!(!another.add(PART, Burden::Answer), "and its own maximum holds");
        let other = Backlog::new(Arc::default(), Arc::clone(&all));
        assert!(other.add(PART, Burden::Answer), "another address has its own part");
        other.written(PART, Burden::Answer);
        assert_eq!(other.own.load(Ordering::Relaxed), 0);
        drop((connections, another, other));
        assert_eq!((greedy.load(Ordering::Relaxed), all.load(Ordering::Relaxed)), (0, 0));
    }

    #[test]
    fn w31_all_addresses_together_have_an_end_too() {
        let all = Arc::new(AtomicUsize::new(0));
        let mut granted = 0;
        let mut kept = Vec::new();
        for _ in 0..OUTPUT_BYTES_WAITING_MAX / PART + 10 {
            let backlog = Backlog::new(Arc::default(), Arc::clone(&all));
            granted += usize::from(backlog.add(PART, Burden::Answer));
            kept.push(backlog);
        }
        assert!(granted <= OUTPUT_BYTES_WAITING_MAX / PART, "{granted}");
    }

    #[test]
    fn w31_requests_that_wait_leave_room_for_answers_and_what_is_refused_is_not_counted() {
        let backlog = Backlog::new(Arc::default(), Arc::default());
        assert!(backlog.add(CONNECTION_REQUEST_BYTES_MAX, Burden::Request));
        assert!(!backlog.add(1, Burden::Request));
        assert!(backlog.add(CONNECTION_ANSWER_BYTES_MAX, Burden::Answer), "answers have room of their own");
        assert!(!backlog.add(1, Burden::Answer));
        backlog.written(CONNECTION_ANSWER_BYTES_MAX, Burden::Answer);
        assert!(!backlog.add(1, Burden::Request));
        backlog.written(CONNECTION_REQUEST_BYTES_MAX, Burden::Request);
        let counts = [&backlog.own, &backlog.answers, &*backlog.peer, &*backlog.all];
        assert_eq!(counts.map(|count| count.load(Ordering::Relaxed)), [0; 4]);
    }
}
