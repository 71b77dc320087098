//! The domains that this proxy serves, and whose a URI is (W14).
//!
//! Identity is the host alone, in whatever spelling: a port or parameters do not make another person. Where a URI leads
//! is another question: a served domain name leads to us with any port; a numeric address of ours leads to us only with
//! a port of ours, since another program may listen on the next one; and `;maddr=` leads where it says.

use std::net::{IpAddr, SocketAddr};

use crate::machine::Hop;
use crate::proxy::config::{ProxyConfig, StaticRoute};
use crate::proxy::location::port_of;
use crate::proxy::transport::sockets::OwnAddresses;
use crate::sip::{Aor, Scheme, Uri};

/// In place of a domain, this stands for all `tel:` URIs.
const TELEPHONES: &str = "tel";

/// See the module documentation.
#[derive(Debug)]
pub(crate) struct Domains {
    domains: Vec<Served>,
    own: OwnAddresses,
    routes: Vec<StaticRoute>,
}

/// A served domain, with its port in the settings.
#[derive(Debug)]
struct Served {
    name: String,
    port: Option<u16>,
}

/// Whose a URI is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whose<'a> {
    /// It belongs to this served domain, and it leads to us.
    Ours(&'a str),
    /// It is named in this served domain, but it leads elsewhere.
    InOurName(&'a str),
    /// It belongs to others.
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

    /// The domain that we name ourselves after.
    pub(crate) fn first(&self) -> Option<&str> {
        self.domains.first().map(|domain| domain.name.as_str())
    }

    /// Whose a URI is. Decides for From, To, Request-URI, Route, `P-Asserted-Identity`, recipients, blocks and reports.
    pub(crate) fn whose(&self, uri: &Uri) -> Whose<'_> {
        let context = uri.local_number().and_then(|(_, context)| Uri::parse(&format!("sip:{context}")).ok());
        if let Some(context) = context {
            // The number is ours by name, but it leads to the gateway for telephone numbers.
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

    /// True for a Route that leads to us: its host may be any name, if its `maddr` is our address (RFC 3261 §16.4).
    pub(crate) fn is_us(&self, route: &Uri) -> bool {
        self.serving(route).is_some() || (route.param("maddr").is_some() && self.leads_to_us(route, None))
    }

    /// The user of ours to whom a URI leads.
    pub(crate) fn aor(&self, uri: &Uri) -> Option<Aor> {
        in_domain(uri, self.serving(uri)?)
    }

    /// The user of ours whom a URI claims to be when somebody gives it as the own address; it must be proved.
    pub(crate) fn claimed(&self, uri: &Uri) -> Option<Aor> {
        match self.whose(uri) {
            Whose::Ours(domain) | Whose::InOurName(domain) => in_domain(uri, domain),
            Whose::Others => None,
        }
    }

    /// The person whom a From names: a user of ours by our own name for it, anybody else as it says.
    pub(crate) fn person(&self, uri: &Uri) -> Aor {
        self.claimed(uri).unwrap_or_else(|| {
            // A local number is a user of the domain in its context (RFC 3966 §5.1.5).
            let local = uri.local_number().and_then(|(number, of)| Aor::parse(&format!("{number}@{of}")));
            local.unwrap_or_else(|| uri.aor())
        })
    }

    /// True for an address-of-record of a served domain.
    pub(crate) fn serves(&self, aor: &Aor) -> bool {
        self.domains.iter().any(|domain| domain.name == aor.domain())
    }

    /// The server in the settings for a domain of others (W19). A port, an `maddr` or another transport in the URI
    /// names another server, and a request that needs TLS does not go without it (W32).
    pub(crate) fn next_hop(&self, uri: &Uri) -> Option<&StaticRoute> {
        let is_number = *uri.scheme() == Scheme::Tel;
        let is_of = |route: &&StaticRoute| {
            if is_number { route.domain == TELEPHONES } else { uri.has_host(&route.domain) }
        };
        let route = self.routes.iter().find(is_of)?;
        let fits = uri.transport().is_none_or(|asked| asked == route.hop.transport);
        (fits && uri.port().is_none() && uri.param("maddr").is_none()).then_some(route)
    }

    /// True for a server that the settings name.
    pub(crate) fn has_route(&self, hop: Hop) -> bool {
        self.routes.iter().any(|route| route.hop == hop)
    }

    /// The served domain that the host of a URI names, with its port in the settings. An address of this computer
    /// stands for the first domain.
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

    /// True for a numeric address that is a served domain itself: if neither has a port, if the port is that in the
    /// settings, or if we listen on it.
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
