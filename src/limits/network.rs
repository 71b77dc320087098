//! Whom a limit counts as one: an IPv4 address, or the /64 of an IPv6 address, since one customer has at least that; or a
//! larger neighbourhood.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The network that counts as one peer; an IPv4-mapped IPv6 address is the IPv4 address.
#[must_use]
pub const fn network(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V4(v4) => IpAddr::V4(v4),
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64)),
    }
}

/// A /24 of IPv4 or a /48 of IPv6: what one person may control.
#[must_use]
pub const fn neighbourhood(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V4(v4) => IpAddr::V4(Ipv4Addr::from_bits(v4.to_bits() >> 8 << 8)),
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> 80 << 80)),
    }
}
