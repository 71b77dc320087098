//! The domains that this proxy serves, and whose a URI is (W14).
//!
//! Identity is the host alone, in whatever spelling: a port and parameters make nobody another person. What a URI leads to is
//! something else. A served name leads to us whatever port stands behind it; an address of ours written as a number leads
//! to us at a port of ours only, since another program may listen at the next one; and `;maddr=` leads where it says.

use std::net::{IpAddr, SocketAddr};

use crate::proxy::config::{ProxyConfig, StaticRoute};
use crate::proxy::location::port_of;
use crate::proxy::transport::sockets::OwnAddresses;
use crate::sip::{Aor, Scheme, Uri};

/// In place of a domain it stands for all `tel:` URIs.
const TELEPHONES: &str = "tel";

/// See the head of this file.
#[derive(Debug)]
pub(crate) struct Domains {
    domains: Vec<Served>,
    own: OwnAddresses,
    routes: Vec<StaticRoute>,
}

/// A served domain, and the port that the settings give it.
#[derive(Debug)]
struct Served {
    name: String,
    port: Option<u16>,
}

/// Whose a URI is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whose<'a> {
    /// Somebody of this served domain, and it leads to us.
    Ours(&'a str),
    /// In the name of this served domain, but it leads to some other place.
    InOurName(&'a str),
    /// Of others.
    Others,
}

impl Domains {
    pub(crate) fn new(config: &ProxyConfig) -> Self {
        Self {
            domains: config.domains.iter().map(|domain| Served::read(domain)).collect(),
            own: OwnAddresses::new(config),
            routes: config.routes.clone(),
        }
    }

    /// The domain by which we call ourselves.
    pub(crate) fn first(&self) -> Option<&str> {
        self.domains.first().map(|domain| domain.name.as_str())
    }

    /// Whose a URI is: this decides for From, To, Request-URI, Route, `P-Asserted-Identity`, recipients, blocks and reports.
    pub(crate) fn whose(&self, uri: &Uri) -> Whose<'_> {
        let context = uri.local_number().and_then(|(_, context)| Uri::parse(&format!("sip:{context}")).ok());
        if let Some(context) = context {
            // A number of ours by name; the gateway of telephone numbers is where it leads.
            return self.named(&context).map_or(Whose::Others, |(domain, _)| Whose::InOurName(domain));
        }
        match self.named(uri) {
            Some((domain, port)) if self.leads_to_us(uri, port) => Whose::Ours(domain),
            Some((domain, _)) => Whose::InOurName(domain),
            None => Whose::Others,
        }
    }

    /// The served domain of a URI that leads to us.
    pub(crate) fn serving(&self, uri: &Uri) -> Option<&str> {
        match self.whose(uri) {
            Whose::Ours(domain) => Some(domain),
            Whose::InOurName(_) | Whose::Others => None,
        }
    }

    /// Whom a URI leads to, if that is one of ours.
    pub(crate) fn aor(&self, uri: &Uri) -> Option<Aor> {
        in_domain(uri, self.serving(uri)?)
    }

    /// Which of ours somebody says that he is, who gives this URI as his own; he has to prove it.
    pub(crate) fn claimed(&self, uri: &Uri) -> Option<Aor> {
        match self.whose(uri) {
            Whose::Ours(domain) | Whose::InOurName(domain) => in_domain(uri, domain),
            Whose::Others => None,
        }
    }

    /// Whom a From names: one of ours under the name that we know, anybody else as it says.
    pub(crate) fn person(&self, uri: &Uri) -> Aor {
        self.claimed(uri).unwrap_or_else(|| {
            // A number that is not global is somebody of the domain that it names (RFC 3966 §5.1.5).
            let local = uri.local_number().and_then(|(number, of)| Aor::parse(&format!("{number}@{of}")));
            local.unwrap_or_else(|| uri.aor())
        })
    }

    /// True for an address-of-record of a served domain.
    pub(crate) fn serves(&self, aor: &Aor) -> bool {
        self.domains.iter().any(|domain| domain.name == aor.domain())
    }

    /// The server that the settings name for a domain of others (W19). A port, an `maddr` or another transport in the URI names
    /// another server, and what asks for TLS does not go without it (W32).
    pub(crate) fn next_hop(&self, uri: &Uri) -> Option<&StaticRoute> {
        let is_number = *uri.scheme() == Scheme::Tel;
        let is_of = |route: &&StaticRoute| {
            if is_number { route.domain == TELEPHONES } else { uri.has_host(&route.domain) }
        };
        let route = self.routes.iter().find(is_of)?;
        let fits = uri.transport().is_none_or(|asked| asked == route.hop.transport);
        (fits && uri.port().is_none() && uri.param("maddr").is_none()).then_some(route)
    }

    /// The served domain that the host of a URI names, and its port in the settings. An address of this computer stands for the
    /// first domain.
    fn named(&self, uri: &Uri) -> Option<(&str, Option<u16>)> {
        let served = self.domains.iter().find(|domain| uri.has_host(&domain.name));
        if let Some(served) = served {
            return Some((&served.name, served.port));
        }
        self.first().filter(|_| uri.host_ip().is_some_and(|ip| self.own.has_ip(ip))).zip(Some(None))
    }

    fn leads_to_us(&self, uri: &Uri, served: Option<u16>) -> bool {
        let is_ours = |ip: IpAddr| self.own.has(SocketAddr::new(ip, port_of(uri)));
        match uri.param("maddr") {
            // RFC 3261 §16.4.
            Some(_) => match uri.ip() {
                Some(ip) => is_ours(ip),
                None => self.domains.iter().any(|domain| domain.is_called(uri.target_host())),
            },
            None => match uri.host_ip() {
                Some(ip) => is_ours(ip) || self.is_served_number(uri, served),
                None => true,
            },
        }
    }

    /// A number that is a served domain itself: without a port in either, with the port that the settings give, or with
    /// one that we listen on.
    fn is_served_number(&self, uri: &Uri, served: Option<u16>) -> bool {
        let is_domain = self.domains.iter().any(|domain| uri.has_host(&domain.name));
        is_domain && (uri.port() == served || uri.port().is_some_and(|asked| self.own.has_port(asked)))
    }
}

impl Served {
    fn read(text: &str) -> Self {
        let split = text.rsplit_once(':').and_then(|(host, port)| Some((host, Some(port.parse().ok()?))));
        // An IPv6 address without brackets has no port.
        let (host, port) = match text.parse::<IpAddr>() {
            Ok(IpAddr::V6(_)) => (format!("[{text}]"), None),
            Ok(IpAddr::V4(_)) | Err(_) => {
                split.map_or_else(|| (text.to_owned(), None), |(host, port)| (host.to_owned(), port))
            }
        };
        // In the form in which addresses-of-record are compared.
        let name = Aor::parse(&host).map_or(host, |aor| aor.domain().to_owned());
        Self { name, port }
    }

    fn is_called(&self, host: &str) -> bool {
        Aor::parse(host).is_some_and(|aor| aor.domain() == self.name)
    }
}

fn in_domain(uri: &Uri, domain: &str) -> Option<Aor> {
    if let Some((number, _)) = uri.local_number() {
        return Aor::parse(&format!("{number}@{domain}"));
    }
    let aor = uri.aor();
    if aor.domain() == domain {
        return Some(aor);
    }
    let user = aor.user();
    Aor::parse(&if user.is_empty() { domain.to_owned() } else { format!("{user}@{domain}") })
}
