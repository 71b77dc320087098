//! Parses addresses as people type them; errors are sentences that say what is wrong.

use crate::sip::{Aor, Uri};

/// The address of a recipient: `ann@domain.com`, `im:ann@domain.com`, `sips:ann@domain.com`, `tel:+1234`. A host
/// without a user is accepted if a scheme shows that it is meant (`sip:conference.domain.com`).
pub(super) fn address(text: &str) -> Result<Uri, String> {
    let uri = read(text)?;
    let is_host = !uri.host().is_empty() && text.trim() == uri.as_str();
    if uri.names_somebody() || is_host { Ok(uri) } else { Err(invalid(text, &missing(&uri))) }
}

/// An account's own address, which needs a user and a domain.
pub(super) fn own_address(text: &str) -> Result<Uri, String> {
    let uri = read(text)?;
    if !uri.names_somebody() {
        return Err(invalid(text, &missing(&uri)));
    }
    if uri.host().is_empty() {
        return Err(invalid(text, "has no domain; write it like ann@domain.com"));
    }
    Ok(uri)
}

fn read(text: &str) -> Result<Uri, String> {
    // The reader would treat it as an escape, which nobody meant.
    if text.trim().contains(char::is_control) {
        return Err(invalid(text, "contains a control character"));
    }
    Uri::typed(text).map_err(|error| invalid(text, &fault(text, &error.to_string())))
}

/// `ann@domain.com`, with or without a scheme: a user, an alias or a list in a domain.
pub(super) fn user(text: &str) -> Result<Aor, String> {
    own_address(text).map(|uri| uri.aor())
}

/// `ann@domain.com`, or `domain.com` for everyone there.
pub(super) fn sender(text: &str) -> Result<Aor, String> {
    let aor = read(text)?.aor();
    if aor.domain().is_empty() {
        return Err(invalid(
            text,
            "has no domain; write it like ann@domain.com, or domain.com for everybody there",
        ));
    }
    Ok(aor)
}

fn invalid(text: &str, what: &str) -> String {
    format!("not a valid address: {text:?} {what}")
}

/// What is missing in an address that can be parsed.
fn missing(uri: &Uri) -> String {
    match uri.as_str().split_once(':') {
        Some((scheme, _)) if scheme.eq_ignore_ascii_case("tel") => "has no digits".to_owned(),
        Some((scheme, _))
            if !["sip", "sips", "im", "pres"].contains(&scheme.to_ascii_lowercase().as_str()) =>
        {
            format!("begins with {scheme}:, which is not one of sip:, sips:, im:, pres: and tel:")
        }
        Some(_) | None => "names no user; write it like ann@domain.com".to_owned(),
    }
}

/// What is wrong with text that cannot be parsed as an address; `read` is the parser's error.
fn fault(text: &str, read: &str) -> String {
    let text = text.trim();
    if text.is_empty() {
        return "is empty; write it like ann@domain.com".to_owned();
    }
    if text.contains(char::is_whitespace) {
        return "contains a space".to_owned();
    }
    if text.contains(['<', '>', '"']) {
        return "contains quotes or angle brackets; write the address alone, without a name".to_owned();
    }
    let rest = text.split_once(':').filter(|(scheme, _)| is_scheme(scheme)).map_or(text, |(_, rest)| rest);
    match rest.rsplit_once('@') {
        Some((user, _)) if user.contains('@') => {
            "contains more than one @; write %40 for one that belongs to the name".to_owned()
        }
        Some((_, "")) => "has no domain after the @".to_owned(),
        Some(("", _)) => "has no user before the @".to_owned(),
        None if rest.is_empty() => "has nothing after the scheme; write it like ann@domain.com".to_owned(),
        Some((_, host)) => host_fault(host, read),
        None => host_fault(rest, read),
    }
}

fn is_scheme(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
}

fn host_fault(host: &str, read: &str) -> String {
    let host = host.split([';', '?']).next().unwrap_or_default();
    let is_wrong = |c: &char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']'));
    if let Some(wrong) = host.chars().find(is_wrong) {
        return format!("has {wrong:?} in its domain, where only letters, digits, dots and hyphens can be");
    }
    match host.rsplit_once(':') {
        Some((_, port)) if !host.ends_with(']') && port.parse::<u16>().is_err() => {
            format!("has {port:?} in place of a port number")
        }
        Some(_) | None => format!("cannot be read ({read})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_address_is_a_sip_address() {
        assert_eq!(address("ann@domain.com").unwrap().as_str(), "sip:ann@domain.com");
        assert_eq!(address("im:ann@domain.com").unwrap().as_str(), "im:ann@domain.com");
        assert_eq!(address("tel:+1-234").unwrap().as_str(), "tel:+1-234");
    }

    #[test]
    fn what_is_wrong_with_an_address_is_named() {
        for (text, what) in [
            ("us er@club.test", "contains a space"),
            ("", "is empty; write it like ann@domain.com"),
            ("ann\u{7}@club.test", "contains a control character"),
            (
                "Ann<sip:ann@club.test>",
                "contains quotes or angle brackets; write the address alone, without a name",
            ),
            ("ann@", "has no domain after the @"),
            ("sip:ann@", "has no domain after the @"),
            ("im:@", "has no domain after the @"),
            ("@club.test", "has no user before the @"),
            ("bob@@club.test", "contains more than one @; write %40 for one that belongs to the name"),
            ("sip:bob@x@club.test", "contains more than one @; write %40 for one that belongs to the name"),
            ("sip:", "has nothing after the scheme; write it like ann@domain.com"),
            ("ann@club,test", "has ',' in its domain, where only letters, digits, dots and hyphens can be"),
            ("ann@club.test:port", "has \"port\" in place of a port number"),
            ("ann@club.test:", "has \"\" in place of a port number"),
            ("club.test", "names no user; write it like ann@domain.com"),
            (
                "mailto:ann@club.test",
                "begins with mailto:, which is not one of sip:, sips:, im:, pres: and tel:",
            ),
            ("tel:x", "has no digits"),
            ("tel:", "has nothing after the scheme; write it like ann@domain.com"),
        ] {
            assert_eq!(address(text).unwrap_err(), format!("not a valid address: {text:?} {what}"));
        }
    }

    #[test]
    fn a_user_is_somebody_at_a_domain_and_a_sender_may_be_all_of_one() {
        assert_eq!(user("ann@Domain.com").unwrap().as_str(), "ann@domain.com");
        assert_eq!(user("sip:ann@domain.com:5060").unwrap().as_str(), "ann@domain.com");
        assert_eq!(user("im:Team@domain.com").unwrap().as_str(), "Team@domain.com");
        assert!(address("sip:domain.com").is_ok() && user("sip:domain.com").is_err());
        let refused = user("domain.com").unwrap_err();
        assert_eq!(
            refused,
            "not a valid address: \"domain.com\" names no user; write it like ann@domain.com"
        );
        let refused = own_address("tel:+1").unwrap_err();
        assert_eq!(refused, "not a valid address: \"tel:+1\" has no domain; write it like ann@domain.com");
        assert_eq!(sender("elsewhere.com").unwrap().as_str(), "elsewhere.com");
        assert!(sender("tel:+1").unwrap_err().contains("has no domain"));
        assert!(sender("else where.com").unwrap_err().ends_with("contains a space"));
    }
}
