//! Next hops that refused a TCP connection for a large request, remembered for a while (W4).

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Instant;

use crate::limits::{STREAM_REFUSED_MAX, STREAM_REFUSED_REMEMBERED};

/// Until when an entry holds, by the address that datagrams go to.
#[derive(Debug, Default)]
pub(super) struct TcpRefusedCache(BTreeMap<SocketAddr, Instant>);

impl TcpRefusedCache {
    pub(super) fn has(&mut self, remote: SocketAddr, now: Instant) -> bool {
        let refused = self.0.get(&remote).is_some_and(|until| *until > now);
        if !refused {
            self.0.remove(&remote);
        }
        refused
    }

    pub(super) fn add(&mut self, remote: SocketAddr, now: Instant) {
        if self.0.len() >= STREAM_REFUSED_MAX {
            self.0.pop_first();
        }
        self.0.insert(remote, now + STREAM_REFUSED_REMEMBERED);
    }
}
