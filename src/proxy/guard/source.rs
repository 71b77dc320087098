//! The source of a request, as the limits count it: an IPv4 address, or the /64 of an IPv6 address, since one customer
//! has at least that much.

use std::net::IpAddr;

use crate::limits::network;
use crate::machine::Flow;

/// The source of a request. See the module documentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Source(IpAddr);

impl Source {
    /// The source that an address belongs to; an IPv4-mapped IPv6 address is the IPv4 one.
    pub(crate) const fn of(address: IpAddr) -> Self {
        Self(network(address))
    }
}

/// Where a request came from, as a nonce is bound to it: the address and, of a datagram, the port. The source of a datagram
/// can be forged, and a neighbour in the same network, or behind the same NAT, is somebody else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoncePlace {
    address: IpAddr,
    /// `None` over a connection: its other end receives there, whatever its port is.
    port: Option<u16>,
}

impl NoncePlace {
    pub(crate) const fn of(flow: Flow) -> Self {
        let port = if flow.transport.is_reliable() { None } else { Some(flow.remote.port()) };
        Self { address: flow.remote.ip().to_canonical(), port }
    }

    /// The port; `None` over a connection.
    pub(crate) const fn port(self) -> Option<u16> {
        self.port
    }

    /// True if a nonce that was given to that port of this address is good here: over a connection, one that was given to a
    /// datagram of the same address is.
    pub(crate) fn takes(self, port: Option<u16>) -> bool {
        self.port.is_none() || self.port == port
    }

    /// Bytes of the address for a keyed hash: no two addresses have the same.
    pub(crate) const fn octets(self) -> [u8; 16] {
        match self.address {
            IpAddr::V4(v4) => v4.to_ipv6_mapped().octets(),
            IpAddr::V6(v6) => v6.octets(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(address: &str) -> Source {
        Source::of(address.parse().unwrap())
    }

    #[test]
    fn a_network_of_ipv6_is_one_source_and_a_mapped_address_is_the_ipv4_one() {
        assert_eq!(source("2001:db8::1"), source("2001:db8::ffff:2"));
        assert_ne!(source("2001:db8::1"), source("2001:db8:0:1::1"));
        assert_eq!(source("::ffff:192.0.2.1"), source("192.0.2.1"));
        assert_ne!(source("192.0.2.1"), source("192.0.2.2"));
    }

    #[test]
    fn a_place_is_one_address_and_of_a_datagram_one_port() {
        let udp = |remote: &str| {
            NoncePlace::of(Flow::udp("192.0.2.100:5060".parse().unwrap(), remote.parse().unwrap()))
        };
        assert_eq!(udp("192.0.2.1:5060"), udp("[::ffff:192.0.2.1]:5060"));
        assert_ne!(udp("192.0.2.1:5060"), udp("192.0.2.1:5061"));
        assert_ne!(udp("[2001:db8::1]:5060").octets(), udp("[2001:db8::2]:5060").octets());
        let stream = NoncePlace { port: None, ..udp("192.0.2.1:5060") };
        assert!(stream.takes(Some(5060)) && stream.takes(None));
        assert!(udp("192.0.2.1:5060").takes(Some(5060)));
        assert!(!udp("192.0.2.1:5060").takes(Some(5061)) && !udp("192.0.2.1:5060").takes(None));
    }
}
