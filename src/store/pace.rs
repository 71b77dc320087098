//! Spreads commits over time, so that a stream of them shares the cost of a sync.
//!
//! A batch that comes alone is committed at once, and so are a few after it. Only in a stream of them does a batch
//! wait, and while it waits the next ones join it. Nothing is acknowledged earlier because of that: the answer to a
//! batch still comes after its sync.

use std::time::{Duration, Instant};

/// How often a store syncs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// The time from one commit to the next in a stream of them.
    pub every: Duration,
    /// Commits that follow each other without a wait after a quiet time.
    pub at_once: u32,
}

/// Keeps a [`Pace`] (a virtual scheduling algorithm as in ITU-T I.371: one instant instead of a list of past commits).
#[derive(Debug)]
pub(super) struct Pacer {
    pace: Pace,
    /// When the next commit would be due if none of those before had come early.
    due: Option<Instant>,
}

impl Pacer {
    pub(super) const fn new(pace: Pace) -> Self {
        Self { pace, due: None }
    }

    /// Counts a commit, and returns how long it is to wait.
    pub(super) fn wait(&mut self, now: Instant) -> Duration {
        let due = self.due.map_or(now, |due| due.max(now));
        self.due = Some(due + self.pace.every);
        let early = due.saturating_duration_since(now);
        early.saturating_sub(self.pace.every * self.pace.at_once.saturating_sub(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Clock;

    const PACE: Pace = Pace { every: Duration::from_millis(50), at_once: 3 };

    #[test]
    fn a_few_commits_go_at_once_and_a_stream_of_them_at_its_pace() {
        let mut pacer = Pacer::new(PACE);
        let start = Clock::start().now().mono;
        let at_once: Vec<_> = (0..3).map(|_| pacer.wait(start)).collect();
        assert_eq!(at_once, [Duration::ZERO; 3]);
        assert_eq!(pacer.wait(start), Duration::from_millis(50));
        // The one that waited has gone by now, and another is there.
        assert_eq!(pacer.wait(start + Duration::from_millis(60)), Duration::from_millis(40));
        // After a quiet time it begins anew.
        let later = start + Duration::from_secs(1);
        assert_eq!([pacer.wait(later), pacer.wait(later), pacer.wait(later)], [Duration::ZERO; 3]);
        assert_eq!(pacer.wait(later), Duration::from_millis(50));
    }
}
