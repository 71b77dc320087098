//! What the engine gives the window: the latest snapshot, and the notices since the last look.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::limits::EVENTS_WAITING_MAX;
use crate::model::command::Notice;
use crate::model::snapshot::Snapshot;
use crate::runtime::engine::SharedWake;
use crate::terminal::without_numbers;

/// Shared by the engine's thread, which writes, and the window, which reads. Locks are held only while copying.
pub(super) struct Out {
    snapshot: Mutex<Arc<Snapshot>>,
    notices: Mutex<Waiting>,
    has_ended: AtomicBool,
    wake: SharedWake,
}

#[derive(Debug, Default)]
struct Waiting {
    notices: Vec<Notice>,
    missed: u32,
}

impl fmt::Debug for Out {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Out").finish_non_exhaustive()
    }
}

impl Out {
    pub(super) fn new(wake: SharedWake) -> Self {
        Self {
            snapshot: Mutex::default(),
            notices: Mutex::default(),
            has_ended: AtomicBool::new(false),
            wake,
        }
    }

    pub(super) fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&lock(&self.snapshot))
    }

    /// True once the thread has ended.
    pub(super) fn has_ended(&self) -> bool {
        self.has_ended.load(Ordering::Acquire)
    }

    /// Takes the notices; if some were dropped, the last one says how many.
    pub(super) fn take_notices(&self) -> Vec<Notice> {
        let Waiting { mut notices, missed } = std::mem::take(&mut *lock(&self.notices));
        if missed > 0 {
            notices.push(Notice::Missed(missed));
        }
        notices
    }

    /// Replaces the snapshot, and wakes the window.
    pub(super) fn publish(&self, snapshot: Snapshot) {
        // The old one is dropped after the lock is released: it may be the last copy of a long conversation.
        let old = std::mem::replace(&mut *lock(&self.snapshot), Arc::new(snapshot));
        drop(old);
        (self.wake)();
    }

    /// Adds a notice, and wakes the window.
    pub(super) fn tell(&self, notice: Notice) {
        self.add(notice);
        (self.wake)();
    }

    /// Adds a notice without waking the window, which reads it with the next snapshot.
    pub(super) fn add(&self, notice: Notice) {
        let notice = if let Notice::Problem(words) = &notice {
            Notice::Problem(without_numbers(words))
        } else {
            notice
        };
        let mut waiting = lock(&self.notices);
        if waiting.notices.len() < EVENTS_WAITING_MAX {
            waiting.notices.push(notice);
        } else {
            waiting.missed = waiting.missed.saturating_add(1);
        }
    }
}

/// Held by the engine's thread: when that ends, even by a panic, the window is told.
pub(super) struct Life(pub(super) Arc<Out>);

impl Drop for Life {
    fn drop(&mut self) {
        self.0.has_ended.store(true, Ordering::Release);
        (self.0.wake)();
    }
}

fn lock<T>(slot: &Mutex<T>) -> MutexGuard<'_, T> {
    // Each value is complete at all times, so a panic elsewhere cannot leave it half written.
    slot.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notices_are_taken_once_and_what_was_too_much_is_counted() {
        let out = Out::new(Arc::new(|| ()));
        for _ in 0..EVENTS_WAITING_MAX + 3 {
            out.tell(Notice::Problem("x".to_owned()));
        }
        let notices = out.take_notices();
        assert_eq!((notices.len(), notices.last()), (EVENTS_WAITING_MAX + 1, Some(&Notice::Missed(3))));
        assert!(out.take_notices().is_empty());
    }
}
