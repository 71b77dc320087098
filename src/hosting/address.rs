//! The address at which neighbours reach this computer, and nobody else.

use std::net::{IpAddr, Ipv4Addr};

/// How the networks of containers and of virtual machines are named: nobody else is there.
const INSIDE: &[&str] = &["docker", "br-", "veth", "virbr", "lxc", "podman", "cni"];

/// The address to listen on; none if this computer is in no private network.
pub(super) fn in_private_network() -> Option<Ipv4Addr> {
    let interfaces = if_addrs::get_if_addrs().ok()?;
    let shared = interfaces.iter().filter(|one| is_shared(&one.name, one.is_p2p()));
    choose(shared.map(if_addrs::Interface::ip))
}

/// Whether neighbours are behind an interface. One that leads to a single other end is a tunnel, and the network of a company may
/// be behind it.
fn is_shared(name: &str, is_tunnel: bool) -> bool {
    !is_tunnel && !INSIDE.iter().any(|inside| name.starts_with(inside))
}

/// Whether it still is one of ours.
pub(super) fn is_ours(address: Ipv4Addr) -> bool {
    if_addrs::get_if_addrs().is_ok_and(|all| all.iter().any(|one| one.ip() == IpAddr::V4(address)))
}

/// A private address (RFC 1918), else one that this computer has given itself (RFC 3927).
fn choose(all: impl Iterator<Item = IpAddr> + Clone) -> Option<Ipv4Addr> {
    let four = all.filter_map(|ip| if let IpAddr::V4(four) = ip { Some(four) } else { None });
    four.clone().find(Ipv4Addr::is_private).or_else(|| four.clone().find(Ipv4Addr::is_link_local))
}

/// Only such an address of somebody else is offered: whoever answers mDNS could name any computer in the world.
pub(super) const fn is_near(address: Ipv4Addr) -> bool {
    address.is_private() || address.is_link_local()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_hosted_on_a_private_address_and_on_no_other() {
        let chosen = |all: &[&str]| choose(all.iter().map(|ip| ip.parse::<IpAddr>().unwrap()));
        assert_eq!(chosen(&["127.0.0.1", "203.0.113.5", "::1", "fe80::1"]), None);
        let private: Ipv4Addr = "10.9.0.2".parse().unwrap();
        assert_eq!(chosen(&["127.0.0.1", "169.254.3.4", "203.0.113.5", "10.9.0.2"]), Some(private));
        assert!(chosen(&["169.254.3.4"]).is_some_and(is_near) && !is_near(Ipv4Addr::LOCALHOST));
        assert!(!is_near("203.0.113.5".parse().unwrap()));
    }

    #[test]
    fn neither_a_tunnel_nor_a_network_of_containers_has_neighbours() {
        assert!(is_shared("wlan0", false) && is_shared("enp3s0", false));
        assert!(!is_shared("tun0", true) && !is_shared("docker0", false) && !is_shared("br-61ab", false));
    }
}
