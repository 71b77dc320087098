//! Where a URI leads: a literal address, or the address records of its host (RFC 3263 §4.2).

use std::net::SocketAddr;

use crate::limits::LOOKUP_WAIT;
use crate::machine::Hop;
use crate::sip::{Transport, Uri};

/// Hops that one name may give.
const HOPS_MAX: usize = 8;

/// What is known of a URI's way without asking anybody.
#[derive(Debug)]
pub(super) enum Route {
    /// There, and nowhere else; or nowhere.
    Known(Vec<Hop>),
    /// A name has to be looked up.
    Name(Name),
}

/// A name that stands for addresses.
#[derive(Debug)]
pub(super) struct Name {
    host: String,
    port: u16,
    transport: Transport,
}

/// Reads a URI (RFC 3263 §4.1 without NAPTR: UDP unless it says otherwise).
pub(super) fn route(uri: &Uri) -> Route {
    let transport = uri.transport().unwrap_or(Transport::Udp);
    let port = uri.port().unwrap_or_else(|| transport.default_port());
    match uri.ip() {
        Some(ip) => Route::Known(vec![Hop { transport, remote: SocketAddr::new(ip, port) }]),
        None if uri.host().is_empty() => Route::Known(Vec::new()),
        None => Route::Name(Name { host: uri.host().to_owned(), port, transport }),
    }
}

/// Best first; none when there is no route.
pub(super) async fn look_up(name: Name) -> Vec<Hop> {
    let Name { host, port, transport } = name;
    match tokio::time::timeout(LOOKUP_WAIT, tokio::net::lookup_host((host.as_str(), port))).await {
        Ok(Ok(addresses)) => hops(addresses, transport),
        Ok(Err(error)) => {
            tracing::debug!(%error, "a host cannot be found");
            Vec::new()
        }
        Err(_late) => {
            tracing::debug!("the look-up of a host takes too long");
            Vec::new()
        }
    }
}

fn hops(addresses: impl Iterator<Item = SocketAddr>, transport: Transport) -> Vec<Hop> {
    let mut hops: Vec<Hop> = Vec::new();
    for remote in addresses {
        let hop = Hop { transport, remote };
        if hops.len() < HOPS_MAX && !hops.contains(&hop) {
            hops.push(hop);
        }
    }
    hops
}
