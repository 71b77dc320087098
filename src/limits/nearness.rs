//! How near an address is: what listens near by often trusts whoever can connect to it (RFC 6890).

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Where the metadata of a virtual machine is served in some clouds, besides 169.254.169.254.
const METADATA: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);

/// How near an address is, the nearest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Nearness {
    /// This computer: what connects there comes from inside, past its firewall.
    ThisComputer,
    /// The link, which no router leaves.
    Link,
    /// A network of this site, as behind a NAT (RFC 1918, RFC 4193, RFC 6598).
    Site,
    /// Anywhere else.
    Elsewhere,
}

impl Nearness {
    /// How near an address is that belongs to none of this computer's interfaces. A connection to the unspecified address
    /// leads to loopback.
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        let address = address.to_canonical();
        if address.is_loopback() || address.is_unspecified() {
            return Self::ThisComputer;
        }
        let (is_link, is_site) = match address {
            IpAddr::V4(address) => (address.is_link_local(), address.is_private() || is_shared(address)),
            IpAddr::V6(address) => {
                (address.is_unicast_link_local() || address == METADATA, address.is_unique_local())
            }
        };
        match (is_link, is_site) {
            (true, _) => Self::Link,
            (false, true) => Self::Site,
            (false, false) => Self::Elsewhere,
        }
    }
}

/// The addresses of this computer's interfaces: what listens on them may trust whoever connects from this computer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Interfaces(BTreeSet<IpAddr>);

impl Interfaces {
    /// How near an address is.
    #[must_use]
    pub fn nearness(&self, address: IpAddr) -> Nearness {
        if self.has(address) { Nearness::ThisComputer } else { Nearness::of(address) }
    }

    /// True for an address of an interface.
    #[must_use]
    pub fn has(&self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }
}

impl FromIterator<IpAddr> for Interfaces {
    fn from_iter<T: IntoIterator<Item = IpAddr>>(addresses: T) -> Self {
        Self(addresses.into_iter().map(|address| address.to_canonical()).collect())
    }
}

/// 100.64.0.0/10, between a provider and its customers (RFC 6598).
const fn is_shared(address: Ipv4Addr) -> bool {
    let [first, second, ..] = address.octets();
    first == 100 && second & 0b1100_0000 == 64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_as_near_as_the_registry_says() {
        for (addresses, nearness) in [
            (
                &["127.0.0.1", "127.255.0.9", "0.0.0.0", "::1", "::", "::ffff:127.0.0.1"][..],
                Nearness::ThisComputer,
            ),
            (&["169.254.169.254", "fe80::1", "fd00:ec2::254", "::ffff:169.254.0.1"], Nearness::Link),
            (
                &["10.0.0.1", "172.31.0.1", "192.168.1.1", "100.64.0.1", "100.127.9.9", "fd12::1"],
                Nearness::Site,
            ),
            (&["192.0.2.1", "172.32.0.1", "100.128.0.1", "2001:db8::1", "11.0.0.1"], Nearness::Elsewhere),
        ] {
            for address in addresses {
                assert_eq!(Nearness::of(address.parse().unwrap()), nearness, "{address}");
            }
        }
    }
}
