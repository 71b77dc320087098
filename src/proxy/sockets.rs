//! Our own sockets: which one sends where, how peers reach it, and which addresses are ours (RFC 3261 §18.1.1; RFC 3581).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::machine::Flow;
use crate::sip::Transport;

/// Where this proxy listens.
#[derive(Clone, Debug)]
pub(super) struct Sockets(Vec<(Transport, SocketAddr)>);

impl Sockets {
    pub(super) fn new(listens: &[(Transport, SocketAddr)]) -> Self {
        Self(listens.to_vec())
    }

    /// True for the socket of this address itself.
    pub(super) fn has(&self, transport: Transport, local: SocketAddr) -> bool {
        self.0.contains(&(transport, local))
    }

    /// Via of a request on this flow: an address by number, since peers do not look names up, and `rport` (RFC 3581).
    pub(super) fn via(&self, flow: Flow, branch: &str) -> String {
        format!("SIP/2.0/{} {};rport;branch={branch}", flow.transport, self.sent_by(flow))
    }

    /// Where we are reached, as the peer on this flow sees it.
    pub(super) fn sent_by(&self, flow: Flow) -> SocketAddr {
        let mut address = if self.has(flow.transport, flow.local) {
            flow.local
        } else {
            let any = || self.0.first().map(|(_, listen)| *listen);
            self.local(flow.transport, flow.remote).or_else(any).unwrap_or(flow.local)
        };
        if address.ip().is_unspecified() {
            let local = flow.local.ip();
            address.set_ip(if local.is_unspecified() { loopback_like(local) } else { local });
        }
        address
    }

    /// The listening socket that sends to `remote`.
    pub(super) fn local(&self, transport: Transport, remote: SocketAddr) -> Option<SocketAddr> {
        let fits = |listen: &&(Transport, SocketAddr)| {
            listen.0 == transport && listen.1.is_ipv4() == remote.is_ipv4()
        };
        let strange =
            |listen: &&(Transport, SocketAddr)| listen.1.ip().is_loopback() != remote.ip().is_loopback();
        self.0.iter().filter(fits).min_by_key(strange).map(|(_, listen)| *listen)
    }

    /// True for an address of our own: a request sent there would come back (W14).
    pub(super) fn is_own(&self, address: SocketAddr) -> bool {
        let own = |listen: &SocketAddr| {
            *listen == address
                || (listen.ip().is_unspecified()
                    && listen.port() == address.port()
                    && address.ip().is_loopback())
        };
        self.0.iter().any(|(_, listen)| own(listen))
    }
}

const fn loopback_like(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
    }
}
