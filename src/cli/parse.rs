//! Arguments into values, each with a sentence for what is wrong.

use super::ServerArguments;
use super::lines::millis;
use crate::client::account::{Account, SignIn};
use crate::sip::{Aor, Uri};

pub(super) use crate::config::text::{duration, inbound, listen, network, origin, party, route};

/// `im:ann@domain.com`, `sip:ann@domain.com`, or `ann@domain.com`.
pub(super) fn address(text: &str) -> Result<Uri, String> {
    Uri::typed(text).map_err(|error| format!("{text:?} is no address: {error}"))
}

/// `team@domain.com`, with or without a scheme.
pub(super) fn alias(text: &str) -> Result<Aor, String> {
    let aor = address(text)?.aor();
    if aor.user().is_empty() { Err(format!("{text:?} names nobody in its domain")) } else { Ok(aor) }
}

/// `90s`, `5m`, `1h`, as the seconds of an Expires (RFC 3261 §20.19).
pub(super) fn expires(text: &str) -> Result<u32, String> {
    let secs = duration(text)?.as_secs();
    match u32::try_from(secs) {
        Ok(secs @ 1..) => Ok(secs),
        Ok(0) | Err(_) => Err(format!("{text:?} is not from one second to 136 years")),
    }
}

/// `ann@domain.com`: a user of a domain.
pub(super) fn user(text: &str) -> Result<Aor, String> {
    let aor = address(text)?.aor();
    if aor.user().is_empty() || aor.domain().is_empty() {
        return Err(format!("{text:?} does not say who at which domain"));
    }
    Ok(aor)
}

/// `ann@domain.com`, or `domain.com` for everybody there.
pub(super) fn sender(text: &str) -> Result<Aor, String> {
    let aor = address(text)?.aor();
    if aor.domain().is_empty() { Err(format!("{text:?} is no address of a sender")) } else { Ok(aor) }
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
    sign_in: SignIn,
    server: &ServerArguments,
    registers: Registers,
) -> Account {
    Account {
        address: identity.as_str().to_owned(),
        proxy: server.proxy.clone(),
        sign_in,
        register: registers == Registers::Yes,
        t1_ms: millis(server.t1),
        tls_ca: server.tls_ca.clone(),
        tls_strict: server.tls_strict,
        dns: server.dns,
        ..Account::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_address_is_a_sip_address() {
        assert_eq!(address("ann@domain.com").unwrap().as_str(), "sip:ann@domain.com");
        assert_eq!(address("im:ann@domain.com").unwrap().as_str(), "im:ann@domain.com");
        assert!(address("not an address").is_err());
        assert_eq!(alias("im:Team@domain.com").unwrap().as_str(), "Team@domain.com");
        assert!(alias("domain.com").is_err());
    }

    #[test]
    fn w8_what_expires_takes_at_least_a_second() {
        assert_eq!(expires("1h"), Ok(3600));
        assert_eq!(expires("90s"), Ok(90));
        for text in ["0s", "900ms", "1200000h", "soon"] {
            assert!(expires(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_user_is_somebody_at_a_domain_and_a_sender_may_be_all_of_one() {
        assert_eq!(user("ann@Domain.com").unwrap().as_str(), "ann@domain.com");
        assert_eq!(user("sip:ann@domain.com:5060").unwrap().as_str(), "ann@domain.com");
        assert!(user("domain.com").is_err() && user("tel:+1").is_err());
        assert_eq!(sender("elsewhere.com").unwrap().as_str(), "elsewhere.com");
        assert!(sender("tel:+1").is_err());
    }
}
