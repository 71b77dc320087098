//! Arguments into values, each with a sentence for what is wrong.

use std::net::SocketAddr;
use std::time::Duration;

use crate::client::account::Account;
use crate::proxy::Prefix;
use crate::sip::{Transport, Uri};

/// `udp:127.0.0.1:5060`, `tcp:[::1]:5060`.
pub(super) fn listen(text: &str) -> Result<(Transport, SocketAddr), String> {
    let wrong = || format!("{text:?} is not like udp:127.0.0.1:5060 or tcp:[::1]:5060");
    let (transport, address) = text.split_once(':').ok_or_else(wrong)?;
    match (Transport::parse(transport), address.parse()) {
        (Some(Transport::Tls), _) => Err("TLS is not spoken by this version".to_owned()),
        (Some(transport), Ok(address)) => Ok((transport, address)),
        (Some(_) | None, _) => Err(wrong()),
    }
}

/// `127.0.0.0/8`, or one address.
pub(super) fn network(text: &str) -> Result<Prefix, String> {
    text.parse().map_err(|error| format!("{text:?} is {error}"))
}

/// `500ms`, `2s`, `5m`, `1h`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
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

/// `im:ann@domain.com`, `sip:ann@domain.com`, or `ann@domain.com`.
pub(super) fn address(text: &str) -> Result<Uri, String> {
    Uri::typed(text).map_err(|error| format!("{text:?} is no address: {error}"))
}

/// Whether an account takes a binding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Registers {
    Yes,
    No,
}

/// An account that lives as long as this command.
pub(super) fn account(
    identity: &Uri,
    (transport, address): (Transport, SocketAddr),
    t1: Duration,
    registers: Registers,
) -> Account {
    Account {
        address: identity.as_str().to_owned(),
        name: String::new(),
        proxy: format!("{}:{address}", transport.as_str().to_ascii_lowercase()),
        register: registers == Registers::Yes,
        t1_ms: super::lines::millis(t1),
        expires_secs: None,
        report_window_secs: 60,
    }
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
    fn places_to_listen_name_transport_address_and_port() {
        assert_eq!(listen("UDP:[::1]:0"), Ok((Transport::Udp, "[::1]:0".parse().unwrap())));
        for text in
            ["127.0.0.1:5060", "udp:127.0.0.1", "udp:localhost:5060", "sctp:127.0.0.1:1", "tls:127.0.0.1:1"]
        {
            assert!(listen(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_bare_address_is_a_sip_address() {
        assert_eq!(address("ann@domain.com").unwrap().as_str(), "sip:ann@domain.com");
        assert_eq!(address("im:ann@domain.com").unwrap().as_str(), "im:ann@domain.com");
        assert!(address("not an address").is_err());
    }
}
