//! The settings of a proxy, as checked plain values.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;

use crate::limits;
use crate::machine::{Flow, Hop};
use crate::sip::{Aor, Transport, Uri};
use crate::transaction::Timers;

/// What a proxy serves, where it listens, whom it trusts and how much it accepts.
#[derive(Clone, Debug)]
pub struct ProxyConfig {
    /// Served domains, preferred first; a port counts only after a numeric address, which is ours at that port (W14).
    pub domains: Vec<String>,
    /// The sockets on which it listens, with their actual ports.
    pub listens: Vec<(Transport, SocketAddr)>,
    /// Where others reach sockets on the wildcard addresses (`0.0.0.0`, `::`), best first.
    pub own_ips: Vec<IpAddr>,
    /// The addresses of all interfaces of this computer: nobody from elsewhere is passed on to what listens there.
    pub interface_ips: Vec<IpAddr>,
    /// Peers that may submit whatever their From says (RFC 3325's trust domain).
    pub trust: Vec<Trusted>,
    /// Domains of others whose next hop is configured, not looked up in DNS (W19).
    pub routes: Vec<StaticRoute>,
    /// Whether users must authenticate (W30).
    pub auth: Auth,
    /// T1 and what scales with it.
    pub timers: Timers,
    /// Recipients of one submission (W13).
    pub recipients_max: usize,
    /// Bytes of one request (W13).
    pub message_bytes_max: usize,
    /// Messages per second from one untrusted sender; over it, 503 (W31).
    pub submissions_per_sec_max: Option<u32>,
    /// Legs under way of one untrusted sender; over it, 503 (W31).
    pub legs_per_user_max: usize,
    /// The mailbox for absent recipients; without it, they fail (W18).
    pub mailbox: Option<MailboxConfig>,
    /// What strangers may send, and who is banned.
    pub inbound: InboundConfig,
}

/// What strangers may send to our users. A stranger claims no domain of ours and comes from no trusted peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InboundConfig {
    /// Who may write.
    pub mode: Inbound,
    /// The listed senders for [`Inbound::Known`].
    pub known: Vec<Party>,
    /// Senders and sources whose requests are all refused.
    pub bans: Vec<Party>,
    /// Requests a minute from one source; over it, 503 (W31).
    pub per_source_max: u32,
    /// Requests a minute of all strangers to one user; over it, 503 (W31).
    pub per_recipient_max: u32,
}

/// Which strangers may write to our users.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Inbound {
    /// All.
    #[default]
    Open,
    /// Those who are listed.
    Known,
    /// None.
    Off,
}

impl Default for InboundConfig {
    fn default() -> Self {
        Self {
            mode: Inbound::Open,
            known: Vec::new(),
            bans: Vec::new(),
            per_source_max: limits::STRANGER_REQUESTS_PER_SOURCE,
            per_recipient_max: limits::STRANGER_REQUESTS_PER_RECIPIENT,
        }
    }
}

/// A sender or source: `192.0.2.7`, `192.0.2.0/24`, `example.org` with its subdomains, or `eve@example.org`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Party {
    /// Whatever comes from this network.
    Network(Prefix),
    /// Whoever claims to be in this domain, or in a subdomain.
    Domain(String),
    /// Whoever claims to be this one.
    Sender(Aor),
}

/// The text is not a sender or source of this kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "not an address such as 192.0.2.7, a network such as 192.0.2.0/24, a domain or a sender such as eve@example.org"
)]
pub struct PartyError;

impl Party {
    /// True if this names that address.
    #[must_use]
    pub fn has_address(&self, address: IpAddr) -> bool {
        matches!(self, Self::Network(network) if network.contains(address))
    }

    /// True if this names that claimed sender.
    #[must_use]
    pub fn has_sender(&self, sender: &Aor) -> bool {
        match self {
            Self::Network(_) => false,
            Self::Domain(domain) => {
                let above = sender.domain().strip_suffix(domain.as_str());
                above.is_some_and(|above| above.is_empty() || above.ends_with('.'))
            }
            Self::Sender(named) => named == sender || sender.without_user_params().as_ref() == Some(named),
        }
    }
}

impl FromStr for Party {
    type Err = PartyError;

    fn from_str(text: &str) -> Result<Self, PartyError> {
        if let Ok(network) = text.parse() {
            return Ok(Self::Network(network));
        }
        let uri = Uri::parse(&format!("sip:{text}")).or(Err(PartyError))?;
        let is_plain = uri.port().is_none() && !text.contains([';', '?', '/', ' ', ',', '*']);
        let aor = Some(uri.aor()).filter(|aor| is_plain && !aor.domain().is_empty()).ok_or(PartyError)?;
        Ok(if aor.user().is_empty() { Self::Domain(aor.domain().to_owned()) } else { Self::Sender(aor) })
    }
}

/// A domain of others, and the server for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaticRoute {
    /// Its name, without a port.
    pub domain: String,
    /// Its next hop.
    pub hop: Hop,
}

/// Whether users must authenticate, and how (W30).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Auth {
    /// Everybody is believed.
    Off,
    /// With SHA-256, or MD5 for clients that know no better (RFC 8760).
    On,
    /// With MD5 only: some old clients give up at a challenge that they do not know, although RFC 7616 §3.7 tells them
    /// to ignore it.
    Md5,
}

/// How long, and how much, waits for absent recipients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MailboxConfig {
    /// The longest that a message waits, whatever its Expires.
    pub kept: Duration,
    /// How many messages wait for one recipient.
    pub per_user_max: usize,
}

impl Default for MailboxConfig {
    fn default() -> Self {
        Self {
            kept: Duration::from_secs(limits::MAILBOX_SECS_MAX.into()),
            per_user_max: limits::MAILBOX_PER_USER_MAX,
        }
    }
}

impl ProxyConfig {
    /// A proxy for `domains` on `listens`, with defaults for everything else.
    #[must_use]
    pub fn new(domains: Vec<String>, listens: Vec<(Transport, SocketAddr)>) -> Self {
        Self {
            domains,
            listens,
            own_ips: Vec::new(),
            interface_ips: Vec::new(),
            trust: Vec::new(),
            routes: Vec::new(),
            auth: Auth::Off,
            timers: Timers::new(Duration::from_millis(500)),
            recipients_max: limits::RECIPIENTS_MAX,
            message_bytes_max: limits::MESSAGE_BYTES_MAX,
            submissions_per_sec_max: None,
            legs_per_user_max: limits::LEGS_PER_USER_MAX,
            mailbox: Some(MailboxConfig::default()),
            inbound: InboundConfig::default(),
        }
    }

    /// Takes over the settings that can change at run time: whom it trusts, and how much it accepts.
    pub(super) fn adopt(&mut self, newer: Self) {
        self.trust = newer.trust;
        self.recipients_max = newer.recipients_max;
        self.message_bytes_max = newer.message_bytes_max;
        self.submissions_per_sec_max = newer.submissions_per_sec_max;
        self.legs_per_user_max = newer.legs_per_user_max;
        self.mailbox = newer.mailbox;
        self.inbound = newer.inbound;
    }

    /// True for a peer of the trust domain, on a flow that proves it is that peer.
    #[must_use]
    pub fn trusts(&self, flow: Flow) -> bool {
        self.trust.iter().any(|peer| peer.is_at(flow))
    }

    /// True for the address of a peer of the trust domain, which anybody may forge on a datagram.
    #[must_use]
    pub fn names(&self, peer: IpAddr) -> bool {
        self.trust.iter().any(|trusted| trusted.network.contains(peer))
    }
}

/// Peers of the trust domain: `192.0.2.7` and `192.0.2.0/24` over connections, `udp:192.0.2.7` over UDP too. The source
/// of a datagram can be forged, so UDP counts only if configured, or from this computer, since no network delivers such
/// a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trusted {
    network: Prefix,
    in_datagrams: bool,
}

impl Trusted {
    fn is_at(self, flow: Flow) -> bool {
        let peer = flow.remote.ip().to_canonical();
        let is_shown = match flow.transport {
            Transport::Tcp | Transport::Tls => true,
            Transport::Udp => self.in_datagrams || peer.is_loopback(),
            // Any web page that is open there can open one, and what forwards them for others is there too.
            Transport::Ws | Transport::Wss => false,
        };
        is_shown && self.network.contains(peer)
    }
}

impl FromStr for Trusted {
    type Err = PrefixError;

    fn from_str(text: &str) -> Result<Self, PrefixError> {
        let datagrams = text.strip_prefix("udp:");
        Ok(Self { network: datagrams.unwrap_or(text).parse()?, in_datagrams: datagrams.is_some() })
    }
}

impl fmt::Display for Trusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.in_datagrams { "udp:" } else { "" }, self.network)
    }
}

/// A network prefix such as `127.0.0.0/8`; without a length, one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prefix {
    network: u128,
    mask: u128,
}

/// The text is not a network prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a network prefix such as 127.0.0.0/8")]
pub struct PrefixError;

impl Prefix {
    /// True when `address` lies in it.
    #[must_use]
    pub fn contains(self, address: IpAddr) -> bool {
        mapped(address) & self.mask == self.network
    }
}

impl FromStr for Prefix {
    type Err = PrefixError;

    fn from_str(text: &str) -> Result<Self, PrefixError> {
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().or(Err(PrefixError))?;
        let width: u32 = if address.is_ipv4() { 32 } else { 128 };
        let length = match length {
            Some(length) => length.parse().or(Err(PrefixError))?,
            None => width,
        };
        let open = width.checked_sub(length).ok_or(PrefixError)?;
        let mask = u128::MAX.checked_shl(open).unwrap_or(0);
        Ok(Self { network: mapped(address) & mask, mask })
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = std::net::Ipv6Addr::from_bits(self.network);
        match address.to_ipv4_mapped() {
            Some(v4) if self.mask.count_ones() >= 96 => {
                write!(f, "{v4}/{}", self.mask.count_ones() - 96)
            }
            Some(_) | None => write!(f, "{address}/{}", self.mask.count_ones()),
        }
    }
}

/// IPv4 addresses as IPv6 ones, so that peers on a dual-stack socket match too.
const fn mapped(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().to_bits(),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_party_is_an_address_a_network_a_domain_or_a_sender() {
        let cases = [
            ("192.0.2.7", "192.0.2.7", "a@b.c", true),
            ("192.0.2.0/24", "192.0.2.7", "a@b.c", true),
            ("192.0.2.0/24", "::ffff:192.0.2.7", "a@b.c", true),
            ("192.0.2.0/24", "192.0.3.7", "a@192.0.2.7", false),
            ("2001:db8::/32", "2001:db8:1::1", "a@b.c", true),
            ("spam.example", "9.9.9.9", "a@spam.example", true),
            ("Spam.Example.", "9.9.9.9", "a@deep.spam.example", true),
            ("spam.example", "9.9.9.9", "a@notspam.example", false),
            ("spam.example", "9.9.9.9", "spam.example@b.c", false),
            ("eve@spam.example", "9.9.9.9", "eve@spam.example", true),
            ("eve@spam.example", "9.9.9.9", "adam@spam.example", false),
        ];
        for (party, address, sender, is_it) in cases {
            let read: Party = party.parse().unwrap();
            let sender = Aor::parse(sender).unwrap();
            let is = read.has_address(address.parse().unwrap()) || read.has_sender(&sender);
            assert_eq!(is, is_it, "{party} {address} {sender}");
        }
        for broken in ["", "a b", "192.0.2.0/33", "@", "eve@", "a;b", "*", "example.org:5060", "a,b"] {
            assert_eq!(broken.parse::<Party>(), Err(PartyError), "{broken}");
        }
    }

    #[test]
    fn beyond_this_computer_a_datagram_is_trusted_where_that_is_said() {
        let local: SocketAddr = "192.0.2.100:5060".parse().unwrap();
        let over = |transport, from: &str| {
            let remote = SocketAddr::new(from.parse().unwrap(), 5060);
            let connection = (transport != Transport::Udp).then_some(crate::machine::ConnectionId(1));
            Flow { transport, local, remote, connection }
        };
        let cases = [
            ("192.0.2.7", "192.0.2.7", false, true),
            ("192.0.2.0/24", "192.0.2.7", false, true),
            ("udp:192.0.2.7", "192.0.2.7", true, true),
            ("udp:192.0.2.7", "::ffff:192.0.2.7", true, true),
            ("udp:192.0.2.0/24", "192.0.3.7", false, false),
            ("2001:db8::/32", "2001:db8::1", false, true),
            ("udp:2001:db8::/32", "2001:db8::1", true, true),
            ("127.0.0.1", "127.0.0.1", true, true),
            ("127.0.0.0/8", "::ffff:127.0.0.1", true, true),
            ("127.0.0.1", "127.0.0.2", false, false),
            ("::1", "::1", true, true),
            ("0.0.0.0/0", "127.0.0.1", true, true),
            ("0.0.0.0/0", "192.0.2.7", false, true),
        ];
        for (peer, from, in_datagrams, over_connections) in cases {
            let trust = vec![peer.parse().unwrap()];
            let config = ProxyConfig { trust, ..ProxyConfig::new(Vec::new(), Vec::new()) };
            for transport in [Transport::Udp, Transport::Tcp, Transport::Tls, Transport::Ws, Transport::Wss] {
                let is_trusted = match transport {
                    Transport::Udp => in_datagrams,
                    Transport::Tcp | Transport::Tls => over_connections,
                    Transport::Ws | Transport::Wss => false,
                };
                assert_eq!(config.trusts(over(transport, from)), is_trusted, "{peer} {transport} {from}");
            }
        }
        for text in ["192.0.2.0/24", "udp:192.0.2.7/32", "udp:2001:db8::/32"] {
            assert_eq!(text.parse::<Trusted>().unwrap().to_string(), text);
        }
        for broken in ["udp:", "tcp:192.0.2.7", "udp:udp:192.0.2.7", "UDP 192.0.2.7", "udp:192.0.2.7:5060"] {
            assert_eq!(broken.parse::<Trusted>(), Err(PrefixError), "{broken}");
        }
    }

    #[test]
    fn a_prefix_holds_its_network_and_nothing_else() {
        let cases = [
            ("127.0.0.0/8", "127.9.8.7", true),
            ("127.0.0.0/8", "128.0.0.1", false),
            ("127.0.0.0/8", "::ffff:127.0.0.1", true),
            ("10.1.2.3", "10.1.2.3", true),
            ("10.1.2.3", "10.1.2.4", false),
            ("0.0.0.0/0", "9.9.9.9", true),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("2001:db8::/32", "2001:db8:1::1", true),
            ("::/0", "1.2.3.4", true),
        ];
        for (prefix, address, inside) in cases {
            let prefix: Prefix = prefix.parse().unwrap();
            assert_eq!(prefix.contains(address.parse().unwrap()), inside, "{prefix} {address}");
        }
        for broken in ["", "127.0.0.0/33", "127.0.0/8", "::/129", "a/8", "1.2.3.4/-1"] {
            assert_eq!(broken.parse::<Prefix>(), Err(PrefixError), "{broken}");
        }
        assert_eq!("127.0.0.0/8".parse::<Prefix>().unwrap().to_string(), "127.0.0.0/8");
    }
}
