//! Our own sockets: which one sends where, how peers reach us, which addresses are ours (RFC 3261 §18.1.1; RFC 3581).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::limits::{Interfaces, Nearness};
use crate::machine::Flow;
use crate::proxy::config::ProxyConfig;
use crate::sip::Transport;

/// The sockets on which this proxy listens.
#[derive(Clone, Debug)]
pub(crate) struct Sockets {
    listens: Vec<(Transport, SocketAddr)>,
    own: OwnAddresses,
}

/// All addresses at which this proxy can be reached.
#[derive(Clone, Debug)]
pub(crate) struct OwnAddresses {
    listens: Vec<SocketAddr>,
    /// The address of each family under which others reach a socket that listens on all.
    ips: Vec<IpAddr>,
    /// The addresses of all interfaces of this computer.
    interfaces: Interfaces,
}

impl OwnAddresses {
    pub(crate) fn new(config: &ProxyConfig) -> Self {
        let listens = config.listens.iter().map(|(_, listen)| *listen).collect();
        let mut own = Self { listens, ips: config.own_ips.clone(), interfaces: Interfaces::default() };
        own.set_interfaces(&config.interface_ips);
        own
    }

    fn set_interfaces(&mut self, addresses: &[IpAddr]) {
        self.interfaces = self.ips.iter().chain(addresses).copied().collect();
    }

    /// How far away an address is.
    pub(crate) fn nearness(&self, address: IpAddr) -> Nearness {
        let address = address.to_canonical();
        let is_listening = || self.listens.iter().any(|listen| listen.ip().to_canonical() == address);
        if self.interfaces.has(address) || is_listening() {
            Nearness::ThisComputer
        } else {
            Nearness::of(address)
        }
    }

    /// True for one of our addresses. A socket on the wildcard address has every address of its family.
    pub(crate) fn has(&self, address: SocketAddr) -> bool {
        let is_of_this_computer = || address.ip().is_loopback() || self.interfaces.has(address.ip());
        let covers = |listen: &SocketAddr| {
            listen.ip().is_unspecified()
                && listen.is_ipv4() == address.is_ipv4()
                && listen.port() == address.port()
                && is_of_this_computer()
        };
        self.listens.iter().any(|listen| *listen == address || covers(listen))
    }

    /// True for an IP address of ours, whatever the port.
    pub(crate) fn has_ip(&self, ip: IpAddr) -> bool {
        self.listens.iter().any(|listen| self.has(SocketAddr::new(ip, listen.port())))
    }

    /// True if one of our sockets has this port.
    pub(crate) fn has_port(&self, port: u16) -> bool {
        self.listens.iter().any(|listen| listen.port() == port)
    }

    /// The address at which the peer on this flow reaches a wildcard socket of ours.
    fn towards(&self, flow: Flow) -> IpAddr {
        let (local, remote) = (flow.local.ip(), flow.remote.ip());
        if !local.is_unspecified() {
            return local;
        }
        let is_of_family = |ip: &&IpAddr| ip.is_ipv4() == remote.is_ipv4();
        let outward = self.ips.iter().find(is_of_family).copied().filter(|_| !remote.is_loopback());
        outward.unwrap_or_else(|| loopback_like(remote))
    }
}

impl Sockets {
    pub(crate) fn new(config: &ProxyConfig) -> Self {
        Self { listens: config.listens.clone(), own: OwnAddresses::new(config) }
    }

    /// The addresses of this computer's interfaces have changed.
    pub(crate) fn set_interfaces(&mut self, addresses: &[IpAddr]) {
        self.own.set_interfaces(addresses);
    }

    /// True if we listen on exactly this address.
    pub(crate) fn has(&self, transport: Transport, local: SocketAddr) -> bool {
        self.listens.contains(&(transport, local))
    }

    /// The Via of a request on this flow: a numeric address, so that peers need no lookup, and `rport` (RFC 3581).
    pub(crate) fn via(&self, flow: Flow, branch: &str) -> String {
        format!("SIP/2.0/{} {};rport;branch={branch}", flow.transport, self.sent_by(flow))
    }

    /// Our address, as the peer on this flow sees it.
    pub(crate) fn sent_by(&self, flow: Flow) -> SocketAddr {
        let mut address = if self.has(flow.transport, flow.local) {
            flow.local
        } else {
            let any = || self.listens.first().map(|(_, listen)| *listen);
            self.local(flow.transport, flow.remote).or_else(any).unwrap_or(flow.local)
        };
        if address.ip().is_unspecified() {
            address.set_ip(self.own.towards(flow));
        }
        address
    }

    /// The listening socket that sends to `remote`.
    pub(crate) fn local(&self, transport: Transport, remote: SocketAddr) -> Option<SocketAddr> {
        let fits = |listen: &&(Transport, SocketAddr)| {
            listen.0 == transport && listen.1.is_ipv4() == remote.is_ipv4()
        };
        let strange =
            |listen: &&(Transport, SocketAddr)| listen.1.ip().is_loopback() != remote.ip().is_loopback();
        self.listens.iter().filter(fits).min_by_key(strange).map(|(_, listen)| *listen)
    }

    /// True for an address of our own: a request sent there would come back (W14).
    pub(crate) fn is_own(&self, address: SocketAddr) -> bool {
        self.own.has(address)
    }

    /// How far away an address is.
    pub(crate) fn nearness(&self, address: IpAddr) -> Nearness {
        self.own.nearness(address)
    }
}

const fn loopback_like(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    /// Sockets on the wildcard addresses of both families, on a computer with these two addresses besides loopback.
    fn everywhere() -> Sockets {
        let listens = [Transport::Udp, Transport::Tcp]
            .into_iter()
            .flat_map(|transport| ["0.0.0.0:5060", "[::]:5060"].map(|listen| (transport, address(listen))));
        let mut config = ProxyConfig::new(vec!["domain.com".to_owned()], listens.collect());
        config.own_ips = ["192.0.2.2", "2001:db8::2"].map(|ip| ip.parse().unwrap()).to_vec();
        Sockets::new(&config)
    }

    #[test]
    fn a_socket_on_all_addresses_says_one_that_the_peer_can_reach() {
        let sockets = everywhere();
        for (local, remote, said) in [
            ("0.0.0.0:5060", "192.0.2.9:5060", "192.0.2.2:5060"),
            ("0.0.0.0:5060", "127.0.0.1:5070", "127.0.0.1:5060"),
            ("[::]:5060", "[2001:db8::9]:5060", "[2001:db8::2]:5060"),
            ("[::]:5060", "[::1]:5070", "[::1]:5060"),
        ] {
            assert_eq!(sockets.sent_by(Flow::udp(address(local), address(remote))), address(said));
        }
        // A connection has its own local address, whoever opened it.
        for local in ["198.51.100.7:5060", "198.51.100.7:40000"] {
            let flow = Flow {
                transport: Transport::Tcp,
                local: address(local),
                remote: address("198.51.100.9:5060"),
                connection: None,
            };
            assert_eq!(sockets.sent_by(flow), address("198.51.100.7:5060"));
        }
    }

    #[test]
    fn w14_a_socket_on_all_addresses_has_each_of_its_family() {
        let mut sockets = everywhere();
        for own in ["192.0.2.2:5060", "127.0.0.1:5060", "127.9.9.9:5060", "[2001:db8::2]:5060", "[::1]:5060"]
        {
            assert!(sockets.is_own(address(own)), "{own}");
        }
        for other in ["192.0.2.2:5061", "192.0.2.3:5060", "[2001:db8::3]:5060"] {
            assert!(!sockets.is_own(address(other)), "{other}");
        }
        sockets.own.listens.retain(SocketAddr::is_ipv4);
        assert!(!sockets.is_own(address("[::1]:5060")), "of the other family");
    }
}
