//! The source of a request, as the limits count it: an IPv4 address, or the /64 of an IPv6 address, since one customer
//! has at least that much.

use std::net::IpAddr;

use crate::limits::network;

/// The source of a request. See the module documentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Source(IpAddr);

impl Source {
    /// The source that an address belongs to; an IPv4-mapped IPv6 address is the IPv4 one.
    pub(crate) const fn of(address: IpAddr) -> Self {
        Self(network(address))
    }

    /// Bytes for a keyed hash: no two sources have the same.
    pub(crate) const fn octets(self) -> [u8; 16] {
        match self.0 {
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
        assert_eq!(source("192.0.2.1").octets(), source("::ffff:192.0.2.1").octets());
        assert_ne!(source("192.0.2.1").octets(), source("2001:db8::1").octets());
    }
}
