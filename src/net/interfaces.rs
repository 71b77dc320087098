//! The addresses of this computer's interfaces, which change as networks come and go.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long what was read holds: names may be looked up thousands of times a second.
const HOLDS: Duration = Duration::from_secs(1);

/// The addresses of all interfaces that are up; empty, with a warning in the log, if they cannot be read.
#[must_use]
pub fn interface_ips() -> Vec<IpAddr> {
    match if_addrs::get_if_addrs() {
        Ok(interfaces) => interfaces.iter().map(if_addrs::Interface::ip).collect(),
        Err(error) => {
            tracing::warn!(%error, "the addresses of this computer are not known: services on them may be reached through it");
            Vec::new()
        }
    }
}

/// Reads them again from time to time.
#[derive(Debug, Default)]
pub(super) struct InterfaceReader {
    read_at: Option<Instant>,
    known: Arc<[IpAddr]>,
}

impl InterfaceReader {
    /// What they are now, if that is new.
    pub(super) fn changed(&mut self, now: Instant) -> Option<Arc<[IpAddr]>> {
        if self.read_at.is_some_and(|at| now.saturating_duration_since(at) < HOLDS) {
            return None;
        }
        let is_first = self.read_at.replace(now).is_none();
        let ips: Arc<[IpAddr]> = interface_ips().into();
        if !is_first && ips == self.known {
            return None;
        }
        self.known = Arc::clone(&ips);
        Some(ips)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_told_once_and_read_again_after_a_while() {
        let mut reader = InterfaceReader::default();
        let now = crate::time::Clock::start().now().mono;
        let first = reader.changed(now).unwrap();
        assert!(first.contains(&"127.0.0.1".parse().unwrap()), "{first:?}");
        assert_eq!(reader.changed(now), None);
        assert_eq!(reader.changed(now + HOLDS), None, "nothing has changed");
        reader.known = Arc::new([]);
        assert_eq!(reader.changed(now + HOLDS), None, "not read yet");
        assert_eq!(reader.changed(now + 2 * HOLDS), Some(first));
    }
}
