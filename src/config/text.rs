//! Parses short texts, the same in a settings file and on the command line; errors are sentences that say what is
//! wrong.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;

use crate::machine::Hop;
use crate::net::Origins;
use crate::proxy::{Inbound, Party, StaticRoute, Trusted};
use crate::sip::{Transport, Uri};
use crate::time;

/// Schemes that people copy with a domain.
const DOMAIN_SCHEMES: [&str; 7] = ["sip", "sips", "im", "pres", "tel", "http", "https"];
/// Characters of the name of a domain (RFC 1035 §2.3.4), with a port.
const DOMAIN_BYTES_MAX: usize = 253 + ":65535".len();

/// Parses `udp:127.0.0.1:5060`, `tcp:[::1]:5060`, `tls:192.0.2.1:5061`.
///
/// # Errors
/// A sentence that shows the correct form.
pub fn listen(text: &str) -> Result<(Transport, SocketAddr), String> {
    let wrong = |what: &str| format!("{text:?} {what}; write it like udp:127.0.0.1:5060 or tcp:[::1]:5060");
    let named = text.split_once(':').and_then(|(name, rest)| Some((Transport::parse(name)?, rest)));
    let (transport, address) =
        named.ok_or_else(|| wrong("does not begin with a transport (udp, tcp, tls, ws or wss)"))?;
    let address = address.parse().map_err(|_not_an_address| wrong("needs an IP address and a port"))?;
    Ok((transport, address))
}

/// Parses `192.0.2.53:53`, the address of a name server.
///
/// # Errors
/// A sentence that shows the correct form.
pub fn name_server(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_not_an_address| {
        format!("{text:?} is not an IP address with a port; write it like 192.0.2.53:53")
    })
}

/// Parses `https://chat.domain.com`.
///
/// # Errors
/// A sentence that shows the correct form.
pub fn origin(text: &str) -> Result<String, String> {
    if Origins::is_origin(text) {
        Ok(text.to_owned())
    } else {
        Err(format!("{text:?} is not the origin of a web page; write it like https://chat.domain.com"))
    }
}

/// Parses `domain.com`, or an IP address; a port may follow.
///
/// # Errors
/// A sentence that says what no domain contains.
pub fn domain(text: &str) -> Result<String, String> {
    match domain_fault(text) {
        Some(what) => Err(format!("{text:?} is not a valid domain: {what}")),
        None => Ok(text.to_owned()),
    }
}

fn domain_fault(text: &str) -> Option<String> {
    if text.trim().is_empty() {
        return Some("it is empty".to_owned());
    }
    if text.parse::<IpAddr>().is_ok() {
        return None;
    }
    let scheme = text.split_once(':').map(|(scheme, _)| scheme.to_ascii_lowercase());
    if let Some(scheme) = scheme.filter(|scheme| DOMAIN_SCHEMES.contains(&scheme.as_str())) {
        return Some(format!("it begins with {scheme}:, which does not belong to the name"));
    }
    if text.contains('@') {
        return Some("it names a user; give what follows the @".to_owned());
    }
    if text.len() > DOMAIN_BYTES_MAX {
        return Some(format!("it is longer than {DOMAIN_BYTES_MAX} characters"));
    }
    let is_read = !text.contains([';', '?', ','])
        && Uri::parse(&format!("sip:{text}")).is_ok_and(|uri| uri.port() != Some(0));
    if text.starts_with('[') {
        return (!is_read)
            .then(|| "it is not an IPv6 address in brackets, which a port may follow".to_owned());
    }
    let name = text.rsplit_once(':').map_or(text, |(name, _)| name);
    let belongs = |letter: &char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '.' | '_');
    match name.chars().find(|letter| !belongs(letter)) {
        Some(',') => return Some("it contains a comma".to_owned()),
        Some(letter) if letter.is_whitespace() => return Some("it contains a space".to_owned()),
        Some(letter) if !letter.is_ascii() => {
            return Some(format!("it contains {letter:?}; write it as DNS does, beginning with xn--"));
        }
        Some(letter) => return Some(format!("it contains {letter:?}")),
        None => {}
    }
    if name.starts_with('.') || name.contains("..") {
        return Some("a part between two dots is empty".to_owned());
    }
    if name.split('.').any(|label| label.starts_with('-') || label.ends_with('-')) {
        return Some("a part of it begins or ends with a hyphen".to_owned());
    }
    let what = if name.len() < text.len() {
        "what follows the colon is not a port"
    } else {
        "its last part is a number, and it is not an IP address"
    };
    (!is_read).then(|| what.to_owned())
}

/// Parses `example.org=udp:192.0.2.5:5060`.
///
/// # Errors
/// A sentence that shows the correct form.
pub fn route(text: &str) -> Result<StaticRoute, String> {
    let wrong = |what: &str| format!("{text:?} {what}; write it like example.org=udp:192.0.2.5:5060");
    let (name, address) = text.split_once('=').ok_or_else(|| wrong("has no = after the domain"))?;
    if name.is_empty() || name.contains([':', '@', ' ']) {
        return Err(wrong("does not begin with the name of a domain"));
    }
    domain(name).map_err(|why| format!("{why}; write it like example.org=udp:192.0.2.5:5060"))?;
    let (transport, remote) =
        listen(address).map_err(|_why| wrong("does not end with a transport, an IP address and a port"))?;
    if remote.port() == 0 || remote.ip().is_unspecified() {
        return Err(wrong("needs an address and a port that can be sent to"));
    }
    Ok(StaticRoute { domain: name.to_ascii_lowercase(), hop: Hop { transport, remote } })
}

/// Parses `127.0.0.0/8`, or one address; a prefix `udp:` means that its UDP datagrams are trusted too.
///
/// # Errors
/// A sentence that shows the correct form.
pub fn trusted(text: &str) -> Result<Trusted, String> {
    text.parse().map_err(|error| format!("{text:?} is {error}"))
}

/// Parses `192.0.2.7`, `192.0.2.0/24`, `example.org` or `eve@example.org`.
///
/// # Errors
/// A sentence that shows the correct form.
pub fn party(text: &str) -> Result<Party, String> {
    text.parse().map_err(|error| format!("{text:?} is {error}"))
}

/// Parses `open`, `known` or `off`.
///
/// # Errors
/// A sentence that shows the correct form.
pub fn inbound(text: &str) -> Result<Inbound, String> {
    match text {
        "open" => Ok(Inbound::Open),
        "known" => Ok(Inbound::Known),
        "off" => Ok(Inbound::Off),
        _ => Err(format!("{text:?} is not one of open, known and off")),
    }
}

/// What is logged if nobody says otherwise: our warnings, and only the errors of the libraries that we use. Their warnings
/// are for developers, and say nothing that a user could act on.
pub const USUAL_LOG: &str = "error,fanfare=warn";

/// What is logged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogFilter {
    /// As it was written.
    text: String,
    has_base: bool,
}

impl LogFilter {
    /// The directives of the filter. If it names only modules, everything else stays as usual.
    #[must_use]
    pub fn directives(&self) -> String {
        if self.has_base { self.text.clone() } else { format!("{USUAL_LOG},{}", self.text) }
    }
}

impl fmt::Display for LogFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The words for levels in a filter; the logging library would take any other word for a module's name.
const LOG_LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

impl FromStr for LogFilter {
    type Err = String;

    /// Parses `info`, `fanfare=debug`, or several of these separated by commas.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut has_base = false;
        for part in text.split(',') {
            let (module, level) = match part.split_once('=') {
                Some((module, level)) => (Some(module), level),
                None => (None, part),
            };
            if !LOG_LEVELS.iter().any(|known| known.eq_ignore_ascii_case(level)) {
                let levels = LOG_LEVELS.join(", ");
                return Err(format!(
                    "{level:?} is not a log level; the levels are {levels}; for one module write fanfare::net=debug"
                ));
            }
            let is_name = |name: &str| {
                !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | ':'))
            };
            if let Some(module) = module.filter(|module| !is_name(module)) {
                return Err(format!(
                    "{module:?} is not the name of a module; write it like fanfare::net=debug"
                ));
            }
            has_base |= module.is_none();
        }
        Ok(Self { text: text.to_owned(), has_base })
    }
}

/// The same, as a value parser.
///
/// # Errors
/// Names the word that is not a level, and the levels.
pub fn log(text: &str) -> Result<LogFilter, String> {
    text.parse()
}

/// Parses `500ms`, `2s`, `5m`, `1h`.
///
/// # Errors
/// A sentence that shows the correct form.
pub fn duration(text: &str) -> Result<Duration, String> {
    time::duration(text).ok_or_else(|| format!("{text:?} is not a time; write it like 500ms, 2s, 5m or 1h"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_filter_is_made_of_levels_alone_and_silences_no_other_module() {
        for (text, directives) in [
            ("warn", "warn"),
            ("OFF", "OFF"),
            ("fanfare::net=debug", "error,fanfare=warn,fanfare::net=debug"),
            ("fanfare::net=trace,info", "fanfare::net=trace,info"),
        ] {
            assert_eq!(log(text).map(|filter| filter.directives()), Ok(directives.to_owned()));
        }
        for (text, wrong) in [
            ("wran", "wran"),
            ("", ""),
            ("fanfare=loud", "loud"),
            ("info,wran", "wran"),
            ("fanfare", "fanfare"),
            ("5", "5"),
        ] {
            assert_eq!(
                log(text).unwrap_err(),
                format!(
                    "{wrong:?} is not a log level; the levels are off, error, warn, info, debug, trace; for one module \
                     write fanfare::net=debug"
                )
            );
        }
        assert!(log("a b=info").unwrap_err().starts_with("\"a b\" is not the name of a module"));
    }

    #[test]
    fn what_is_missing_from_a_place_to_listen_or_a_route_is_named() {
        for (text, words) in [
            ("5060", "does not begin with a transport (udp, tcp, tls, ws or wss)"),
            ("sctp:127.0.0.1:1", "does not begin with a transport"),
            ("udp:localhost:5060", "needs an IP address and a port"),
            ("udp:127.0.0.1", "needs an IP address and a port"),
        ] {
            let why = listen(text).unwrap_err();
            assert!(why.starts_with(&format!("{text:?} {words}")), "{why}");
        }
        for (text, words) in [
            ("example.org", "has no = after the domain"),
            ("=udp:192.0.2.5:5060", "does not begin with the name of a domain"),
            ("example.org=192.0.2.5:5060", "does not end with a transport, an IP address and a port"),
            ("example.org=udp:192.0.2.5:0", "needs an address and a port that can be sent to"),
        ] {
            let why = route(text).unwrap_err();
            assert!(why.starts_with(&format!("{text:?} {words}")), "{why}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_domain_is_named() {
        for text in [
            "domain.com",
            "Domain.COM.",
            "localhost",
            "my_proxy",
            "a-b.c",
            "domain.com:5060",
            "192.0.2.1",
            "192.0.2.1:5060",
            "::1",
            "[::1]",
            "[::1]:5060",
            "xn--mller-kva.de",
        ] {
            assert_eq!(domain(text), Ok(text.to_owned()));
        }
        for (text, what) in [
            ("", "it is empty"),
            ("domain,com", "it contains a comma"),
            ("a.com, b.com", "it contains a comma"),
            ("domain com", "it contains a space"),
            ("domain.com ", "it contains a space"),
            ("ann@domain.com", "it names a user; give what follows the @"),
            ("sip:domain.com", "it begins with sip:, which does not belong to the name"),
            ("https://domain.com", "it begins with https:, which does not belong to the name"),
            ("domain.com/x", "it contains '/'"),
            ("*.domain.com", "it contains '*'"),
            ("domain.com;lr", "it contains ';'"),
            ("m\u{fc}ller.de", "it contains 'ü'; write it as DNS does, beginning with xn--"),
            ("a..b", "a part between two dots is empty"),
            (".com", "a part between two dots is empty"),
            ("-a.com", "a part of it begins or ends with a hyphen"),
            ("domain.com:", "what follows the colon is not a port"),
            ("domain.com:0", "what follows the colon is not a port"),
            ("domain.com:70000", "what follows the colon is not a port"),
            ("192.0.2", "its last part is a number, and it is not an IP address"),
            ("[::1", "it is not an IPv6 address in brackets, which a port may follow"),
            ("[::1]:0", "it is not an IPv6 address in brackets, which a port may follow"),
            ("[::1];lr", "it is not an IPv6 address in brackets, which a port may follow"),
        ] {
            assert_eq!(domain(text), Err(format!("{text:?} is not a valid domain: {what}")));
        }
        assert!(domain(&"a".repeat(300)).unwrap_err().ends_with("it is longer than 259 characters"));
        let route = route("domain,com=udp:192.0.2.5:5060").unwrap_err();
        assert_eq!(
            route,
            "\"domain,com\" is not a valid domain: it contains a comma; write it like example.org=udp:192.0.2.5:5060"
        );
    }

    #[test]
    fn times_have_units() {
        let table = [("20ms", 20), ("2s", 2000), ("5m", 300_000), ("1h", 3_600_000)];
        for (text, millis) in table {
            assert_eq!(duration(text), Ok(Duration::from_millis(millis)));
        }
        for text in ["", "5", "s", "5d", "-1s", "1.5s", "99999999999999999999ms", "9999999999999999999h"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn w19_a_route_names_a_domain_and_its_server() {
        let read = route("Example.org=tcp:[::1]:5070").unwrap();
        assert_eq!((read.domain.as_str(), read.hop.transport), ("example.org", Transport::Tcp));
        assert_eq!(read.hop.remote, "[::1]:5070".parse().unwrap());
        for text in [
            "",
            "example.org",
            "=udp:192.0.2.5:5060",
            "example.org:5060=udp:192.0.2.5:5060",
            "bob@example.org=udp:192.0.2.5:5060",
            "example.org=192.0.2.5:5060",
            "example.org=udp:192.0.2.5:0",
            "example.org=udp:0.0.0.0:5060",
        ] {
            assert!(route(text).is_err(), "{text}");
        }
    }

    #[test]
    fn places_to_listen_name_transport_address_and_port() {
        assert_eq!(listen("UDP:[::1]:0"), Ok((Transport::Udp, "[::1]:0".parse().unwrap())));
        for text in ["127.0.0.1:5060", "udp:127.0.0.1", "udp:localhost:5060", "sctp:127.0.0.1:1"] {
            assert!(listen(text).is_err(), "{text}");
        }
    }
}
