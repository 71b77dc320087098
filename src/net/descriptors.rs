//! How many connections the system allows this process, and what happens when no file descriptor is left.

use std::io;
use std::sync::{Mutex, PoisonError};

use rustix::io::Errno;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::net::TcpSocket;
use tokio::time::Instant;

use crate::limits::{CONNECTIONS_MAX, DESCRIPTORS_KEPT_FREE, SHORTAGE_TOLD_WITHIN};

/// Raises the limit of open files as far as the system allows; returns how many connections fit under it.
pub(super) fn connections_max() -> usize {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let wanted = u64::try_from(CONNECTIONS_MAX + DESCRIPTORS_KEPT_FREE).unwrap_or(u64::MAX);
    let raised = maximum.map_or(wanted, |maximum| maximum.min(wanted));
    let mut limit = current.unwrap_or(u64::MAX);
    if limit < raised && setrlimit(Resource::Nofile, Rlimit { current: Some(raised), maximum }).is_ok() {
        limit = raised;
    }
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let connections = within(limit);
    if limit < 2 * DESCRIPTORS_KEPT_FREE {
        tracing::warn!(
            limit,
            connections,
            "the system's limit of open files is low (ulimit -n), so few connections fit under it"
        );
    } else if connections < CONNECTIONS_MAX {
        tracing::info!(connections, "the system's limit of open files allows no more connections");
    }
    connections
}

/// How many connections fit under a limit of open files.
fn within(limit: usize) -> usize {
    CONNECTIONS_MAX.min(limit.saturating_sub(DESCRIPTORS_KEPT_FREE).max(limit / 2))
}

/// The system has no descriptor left for a connection: counted, and logged now and then.
#[derive(Debug, Default)]
pub(super) struct Shortage(Mutex<Told>);

#[derive(Debug, Default)]
struct Told {
    at: Option<Instant>,
    times: u64,
}

impl Shortage {
    /// Whether an error says that no descriptor is left, in this process or in the system; if so, it may be logged.
    pub(super) fn is_behind(&self, error: &io::Error) -> bool {
        let is_shortage = is_shortage(error);
        if is_shortage && let Some(times) = self.count(Instant::now()) {
            tracing::warn!(%error, times, "no file descriptor is left for a connection; raise the limit of open files (ulimit -n)");
        }
        is_shortage
    }

    /// How often it happened since it was last logged, if it is time to log it again.
    fn count(&self, now: Instant) -> Option<u64> {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        told.times += 1;
        if told.at.is_some_and(|at| now.saturating_duration_since(at) < SHORTAGE_TOLD_WITHIN) {
            return None;
        }
        told.at = Some(now);
        Some(std::mem::take(&mut told.times))
    }
}

fn is_shortage(error: &io::Error) -> bool {
    let errno = error.raw_os_error().map(Errno::from_raw_os_error);
    matches!(errno, Some(Errno::MFILE | Errno::NFILE))
}

/// A descriptor kept in reserve, so that when none is left a new connection can still be accepted in place of another
/// one.
#[derive(Debug)]
pub(super) struct Spare(Option<TcpSocket>);

impl Spare {
    /// Reserves one.
    pub(super) fn new() -> Self {
        let mut spare = Self(None);
        spare.refill();
        spare
    }

    /// Releases it; false if there is none.
    pub(super) fn give(&mut self) -> bool {
        self.0.take().is_some()
    }

    /// Reserves another one if it was released; false if none is left.
    pub(super) fn refill(&mut self) -> bool {
        if self.0.is_none() {
            self.0 = TcpSocket::new_v4().ok();
        }
        self.0.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_limit_is_shared_by_connections_and_the_rest() {
        let table = [(20, 10), (200, 100), (640, 320), (1024, 704), (20_000, CONNECTIONS_MAX)];
        for (limit, connections) in table {
            assert_eq!(within(limit), connections, "{limit}");
        }
    }

    #[test]
    fn that_no_descriptor_is_left_is_told_once_a_minute_with_how_often() {
        let (shortage, start) = (Shortage::default(), Instant::now());
        assert_eq!(shortage.count(start), Some(1));
        for _ in 0..41 {
            assert_eq!(shortage.count(start + SHORTAGE_TOLD_WITHIN / 2), None);
        }
        assert_eq!(shortage.count(start + SHORTAGE_TOLD_WITHIN), Some(42));
        for (errno, is_one) in [(Errno::MFILE, true), (Errno::NFILE, true), (Errno::CONNABORTED, false)] {
            assert_eq!(is_shortage(&errno.into()), is_one, "{errno}");
        }
    }
}
