//! mDNS (RFC 6762) with a bound: whoever is in the local network can send as many records as he likes, and the library keeps
//! those that may be wanted.

use std::time::Duration;

use mdns_sd::ServiceDaemon;

use crate::limits::NEARBY_RECORDS_MAX;

/// The service of a proxy over TLS, and over UDP (RFC 3263 §4.1, RFC 6763 §7).
pub(super) const TLS_SERVICE: &str = "_sips._tcp.local.";
pub(super) const UDP_SERVICE: &str = "_sip._udp.local.";
/// The part of such a service's text that names the domain of its addresses.
pub(super) const DOMAIN_KEY: &str = "domain";
/// How long the library may take to count.
const COUNT_WAIT: Duration = Duration::from_secs(1);

/// True if there is too much to be kept; then the daemon is to be shut down, which forgets all. One that does not answer has too
/// much to do.
pub(super) fn is_flooded(daemon: &ServiceDaemon) -> bool {
    let counted = daemon.get_metrics().ok().and_then(|answer| answer.recv_timeout(COUNT_WAIT).ok());
    counted.is_none_or(|counted| is_too_much(counted.iter()))
}

/// Records are kept for as long as their senders say, and each has timers.
fn is_too_much<'a>(counted: impl Iterator<Item = (&'a String, &'a i64)>) -> bool {
    let of = |(name, count): (&String, &i64)| {
        if name.starts_with("cached-") || name == "timer" { *count } else { 0 }
    };
    counted.map(of).sum::<i64>() > NEARBY_RECORDS_MAX
}

/// Ends a daemon, and waits a moment so that it can say good-bye.
pub(super) fn end(daemon: &ServiceDaemon) {
    if let Ok(ended) = daemon.shutdown() {
        ended.recv_timeout(COUNT_WAIT).ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn over_the_maximum_of_records_it_is_a_flood() {
        let floods = |count: i64| {
            let counted = [("cached-ptr".to_owned(), count), ("respond".to_owned(), 9999)];
            is_too_much(counted.iter().map(|(name, count)| (name, count)))
        };
        assert!(!floods(NEARBY_RECORDS_MAX) && floods(NEARBY_RECORDS_MAX + 1));

        // These are the names by which the library counts.
        let daemon = ServiceDaemon::new_with_port(free_port()).unwrap();
        let browsed = daemon.browse(TLS_SERVICE).unwrap();
        assert!(!is_flooded(&daemon));
        let counts = daemon.get_metrics().unwrap().recv_timeout(COUNT_WAIT).unwrap();
        assert!(counts.contains_key("cached-ptr") && counts.contains_key("timer"), "{counts:?}");
        drop(browsed);
        end(&daemon);
        assert!(is_flooded(&daemon), "one that does not answer");
    }

    fn free_port() -> u16 {
        std::net::UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
    }
}
