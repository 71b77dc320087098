//! Where a URI leads: a literal address, or the address records of its host (RFC 3263 §4.2).

use std::net::SocketAddr;

use crate::machine::Hop;
use crate::sip::{Transport, Uri};

/// Hops that one name may give.
const HOPS_MAX: usize = 8;

/// Best first; none when there is no route.
pub(super) async fn resolve(uri: &Uri) -> Vec<Hop> {
    let transport = uri.transport().unwrap_or(Transport::Udp);
    let port = uri.port().unwrap_or(match transport {
        Transport::Udp | Transport::Tcp => 5060,
        Transport::Tls => 5061,
    });
    let to_hop = |remote: SocketAddr| Hop { transport, remote };
    if let Some(ip) = uri.ip() {
        return vec![to_hop(SocketAddr::new(ip, port))];
    }
    match tokio::net::lookup_host((uri.host(), port)).await {
        Ok(addresses) => addresses.take(HOPS_MAX).map(to_hop).collect(),
        Err(error) => {
            tracing::debug!(%error, "a host cannot be found");
            Vec::new()
        }
    }
}
