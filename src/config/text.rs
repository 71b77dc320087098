//! Short texts into values, the same in a settings file and on the command line, with a sentence for what is wrong.

use std::net::SocketAddr;
use std::time::Duration;

use crate::machine::Hop;
use crate::net::Origins;
use crate::proxy::{Inbound, Party, Prefix, StaticRoute};
use crate::sip::Transport;

/// `udp:127.0.0.1:5060`, `tcp:[::1]:5060`, `tls:192.0.2.1:5061`.
///
/// # Errors
/// A sentence that shows how it is written.
pub fn listen(text: &str) -> Result<(Transport, SocketAddr), String> {
    let wrong = || format!("{text:?} is not like udp:127.0.0.1:5060 or tcp:[::1]:5060");
    let (transport, address) = text.split_once(':').ok_or_else(wrong)?;
    match (Transport::parse(transport), address.parse()) {
        (Some(transport), Ok(address)) => Ok((transport, address)),
        (Some(_) | None, _) => Err(wrong()),
    }
}

/// `https://chat.domain.com`.
///
/// # Errors
/// A sentence that shows how it is written.
pub fn origin(text: &str) -> Result<String, String> {
    if Origins::is_origin(text) {
        Ok(text.to_owned())
    } else {
        Err(format!("{text:?} is not like https://chat.domain.com"))
    }
}

/// `example.org=udp:192.0.2.5:5060`.
///
/// # Errors
/// A sentence that shows how it is written.
pub fn route(text: &str) -> Result<StaticRoute, String> {
    let wrong = || format!("{text:?} is not like example.org=udp:192.0.2.5:5060");
    let (domain, address) = text.split_once('=').ok_or_else(wrong)?;
    if domain.is_empty() || domain.contains([':', '@', ' ']) {
        return Err(wrong());
    }
    let (transport, remote) = listen(address)?;
    if remote.port() == 0 || remote.ip().is_unspecified() {
        return Err(wrong());
    }
    Ok(StaticRoute { domain: domain.to_ascii_lowercase(), hop: Hop { transport, remote } })
}

/// `127.0.0.0/8`, or one address.
///
/// # Errors
/// A sentence that shows how it is written.
pub fn network(text: &str) -> Result<Prefix, String> {
    text.parse().map_err(|error| format!("{text:?} is {error}"))
}

/// `192.0.2.7`, `192.0.2.0/24`, `example.org` or `eve@example.org`.
///
/// # Errors
/// A sentence that shows how it is written.
pub fn party(text: &str) -> Result<Party, String> {
    text.parse().map_err(|error| format!("{text:?} is {error}"))
}

/// `open`, `known` or `off`.
///
/// # Errors
/// A sentence that shows how it is written.
pub fn inbound(text: &str) -> Result<Inbound, String> {
    match text {
        "open" => Ok(Inbound::Open),
        "known" => Ok(Inbound::Known),
        "off" => Ok(Inbound::Off),
        _ => Err(format!("{text:?} is not open, known or off")),
    }
}

/// `500ms`, `2s`, `5m`, `1h`.
///
/// # Errors
/// A sentence that shows how it is written.
pub fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is not like 500ms, 2s, 5m or 1h");
    let split = text.find(|letter: char| !letter.is_ascii_digit()).ok_or_else(wrong)?;
    let (number, unit) = text.split_at_checked(split).ok_or_else(wrong)?;
    let number: u64 = number.parse().map_err(|_not_a_number| wrong())?;
    let millis = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err(wrong()),
    };
    number.checked_mul(millis).map(Duration::from_millis).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

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
