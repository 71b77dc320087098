//! The account's server: how people write it, its address, and the name its certificate must prove.

use std::net::SocketAddr;
use std::sync::Arc;

use crate::machine::Hop;
use crate::sip::{Transport, Uri};

/// The next hop of everything we send (RFC 3261 §8.1.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// The URI that leads to it (RFC 3263): `sip:domain.com`, `sip:sip.domain.com:5061;transport=tls`.
    pub uri: Uri,
    /// The name its certificate must prove over TLS (RFC 5922 §4): the server's name, or the account's domain if the
    /// server is given by IP address.
    pub domain: Arc<str>,
}

impl Server {
    /// Reads `udp:HOST:PORT`, `tcp:…`, `tls:…` or the same without a transport; the port may be omitted, and an empty
    /// text means the domain of our own address. `sips:` addresses are reached over TLS only (W32).
    ///
    /// None if it does not name a server.
    pub(crate) fn read(text: &str, own: &Uri) -> Option<Self> {
        let text = text.trim();
        let (transport, place) = match text.split_once(':') {
            Some((word, place)) if Transport::parse(word).is_some() => (Transport::parse(word), place),
            Some(_) | None => (None, text),
        };
        let home =
            || own.port().map_or_else(|| own.host().to_owned(), |port| format!("{}:{port}", own.host()));
        let place = if place.is_empty() && transport.is_none() { home() } else { place.to_owned() };
        let scheme = if own.is_sips() { "sips" } else { "sip" };
        let param = transport.map_or("", |transport| match transport {
            Transport::Udp => ";transport=udp",
            Transport::Tcp | Transport::Tls | Transport::Ws | Transport::Wss => transport.uri_param(),
        });
        let uri = Uri::parse(&format!("{scheme}:{place}{param}")).ok()?;
        if uri.host().is_empty() || uri.user().is_some() || uri.port() == Some(0) {
            return None;
        }
        let named = if uri.ip().is_some() { own.host() } else { uri.host() };
        let domain = named.trim_end_matches('.').into();
        Some(Self { uri, domain })
    }

    /// The transport asked for; none if RFC 3263 decides.
    #[must_use]
    pub fn transport(&self) -> Option<Transport> {
        self.uri.transport()
    }

    /// Its address, if it is given by IP address.
    #[must_use]
    pub fn hop(&self) -> Option<Hop> {
        let transport = self.transport().unwrap_or(Transport::Udp);
        let port = self.uri.port().unwrap_or_else(|| transport.default_port());
        Some(Hop { transport, remote: SocketAddr::new(self.uri.ip()?, port) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, own: &str) -> Option<(String, String, Option<String>)> {
        let server = Server::read(text, &Uri::parse(own).unwrap())?;
        let hop = server.hop().map(|hop| format!("{} {}", hop.transport, hop.remote));
        Some((server.uri.to_string(), server.domain.to_string(), hop))
    }

    #[test]
    fn a_server_is_a_transport_a_name_and_a_port_of_which_only_the_name_is_needed() {
        let own = "sip:james@domain.com";
        for (text, uri, domain, hop) in [
            (
                "udp:127.0.0.1:5070",
                "sip:127.0.0.1:5070;transport=udp",
                "domain.com",
                Some("UDP 127.0.0.1:5070"),
            ),
            ("TCP:[::1]", "sip:[::1];transport=tcp", "domain.com", Some("TCP [::1]:5060")),
            ("tls:192.0.2.1", "sip:192.0.2.1;transport=tls", "domain.com", Some("TLS 192.0.2.1:5061")),
            ("192.0.2.1", "sip:192.0.2.1", "domain.com", Some("UDP 192.0.2.1:5060")),
            ("tls:sip.domain.com", "sip:sip.domain.com;transport=tls", "sip.domain.com", None),
            ("sip.domain.com:5080", "sip:sip.domain.com:5080", "sip.domain.com", None),
            (" ", "sip:domain.com", "domain.com", None),
        ] {
            let expected = (uri.to_owned(), domain.to_owned(), hop.map(str::to_owned));
            assert_eq!(read(text, own), Some(expected), "{text:?}");
        }
        for text in
            ["udp:", "udp:127.0.0.1:0", "two words", "udp:james@domain.com", "sip:domain.com:x", "[::1"]
        {
            assert_eq!(read(text, own), None, "{text:?}");
        }
    }

    #[test]
    fn w32_a_sips_account_is_reached_over_tls_alone() {
        let (uri, _, hop) = read("192.0.2.1", "sips:james@domain.com").unwrap();
        assert_eq!((uri.as_str(), hop.as_deref()), ("sips:192.0.2.1", Some("TLS 192.0.2.1:5061")));
        assert_eq!(read("", "sips:james@domain.com:5062").unwrap().0, "sips:domain.com:5062");
    }
}
