//! Turns what the user types for an account, on the first screen or in the settings, into an account.

use std::net::{IpAddr, SocketAddr};

use crate::model::account::{Account, AccountError};
use crate::sip::Uri;
use crate::ui::kit::reasons;
use crate::ui::kit::words::sentence;
use crate::ui::text::TextId;

pub(crate) use crate::config::provisioning::EXPIRES_DEFAULT_SECS;

/// Hint in the empty proxy field.
pub(crate) const PROXY_HINT: TextId = TextId("proxy-hint");

/// The account as typed: a bare address gets the prefix `sip:`, a bare server address becomes `udp:…:5060`.
pub(crate) fn typed_account(name: &str, address: &str, proxy: &str) -> Account {
    let address =
        Uri::typed(address).map_or_else(|_| address.trim().to_owned(), |uri| uri.as_str().to_owned());
    Account {
        address,
        name: name.trim().to_owned(),
        proxy: typed_proxy(proxy),
        expires_secs: Some(EXPIRES_DEFAULT_SECS),
        worked: false,
        ..Account::default()
    }
}

/// `127.0.0.1` and `127.0.0.1:5070` mean UDP, port 5060 unless given. A name is looked up as it is, and an empty field
/// means the domain of the user's address (RFC 3263).
pub(crate) fn typed_proxy(text: &str) -> String {
    let place = text.trim().replace("localhost", "127.0.0.1");
    let literal = place.trim_matches(['[', ']']);
    if literal.parse::<IpAddr>().is_ok() {
        format!("udp:{place}:5060")
    } else if place.parse::<SocketAddr>().is_ok() {
        format!("udp:{place}")
    } else {
        place
    }
}

/// The field that an account is wrong in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AccountField {
    Address,
    Proxy,
    Port,
    /// One that the window does not show.
    Other,
}

/// What is wrong with an account, and in which field: a sentence without the field's name in the settings file.
pub(crate) fn account_problem(error: &AccountError) -> (AccountField, String) {
    let field = match error {
        AccountError::Address { .. } | AccountError::Comma(_) | AccountError::NoUser(_) => {
            AccountField::Address
        }
        AccountError::Proxy(_) | AccountError::ProxyClear(_) | AccountError::ProxyWebSocket(_) => {
            AccountField::Proxy
        }
        AccountError::T1(_) | AccountError::ReportWindow(_) | AccountError::Fingerprint(_) => {
            AccountField::Other
        }
    };
    let words = reasons::account_error(error).unwrap_or_else(|| format!("{error}."));
    (field, sentence(&words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_number_is_meant_as_udp_port_5060_and_a_name_is_looked_up() {
        for (typed, meant) in [
            ("192.0.2.1", "udp:192.0.2.1:5060"),
            ("192.0.2.1:5070", "udp:192.0.2.1:5070"),
            ("TCP:192.0.2.1", "TCP:192.0.2.1"),
            ("tls:sip.example.com", "tls:sip.example.com"),
            (" sip.example.com ", "sip.example.com"),
            ("", ""),
            ("udp:[::1]:5060", "udp:[::1]:5060"),
            ("[::1]", "udp:[::1]:5060"),
            ("localhost:5062", "udp:127.0.0.1:5062"),
        ] {
            assert_eq!(typed_proxy(typed), meant);
        }
    }

    #[test]
    fn what_is_wrong_is_said_without_the_words_of_the_settings_file() {
        let said = |address: &str, proxy: &str| {
            account_problem(&typed_account("", address, proxy).check().unwrap_err())
        };
        assert_eq!(
            said("ann@domain,com", ""),
            (
                AccountField::Address,
                "\"ann@domain,com\" is not a valid address: a domain has no comma. Did you mean ann@domain.com?"
                    .to_owned()
            )
        );
        let (field, words) = said("ann@domain.com", "no where");
        assert_eq!(field, AccountField::Proxy);
        assert!(words.starts_with("\"no where\" is not a server address") && words.ends_with('.'), "{words}");
        assert_eq!(said("james", "").0, AccountField::Address);
    }

    #[test]
    fn a_typed_account_makes_sense_to_the_engine() {
        let account = typed_account(" James ", "james@example.com", "192.0.2.1");
        assert!(account.check().is_ok());
        assert_eq!((account.address.as_str(), account.name.as_str()), ("sip:james@example.com", "James"));
        assert_eq!((account.expires_secs, account.worked), (Some(604_800), false));
        assert!(typed_account("", "james", "nowhere").check().is_err());
        assert!(typed_account("", "james@example.com", "").check().is_ok());
    }
}
