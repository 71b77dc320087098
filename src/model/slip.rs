//! A slip of the finger in a typed address: a comma in its domain, where a dot was meant.

use std::net::IpAddr;

use crate::sip::Uri;

/// The ends of domains that a comma is most often typed before, besides those of two letters.
const ENDS: [&str; 14] = [
    "com", "net", "org", "edu", "gov", "mil", "int", "info", "biz", "app", "dev", "local", "lan", "internal",
];

/// The address that was meant, if the domain of this one has a comma.
#[must_use]
pub fn meant(address: &str) -> Option<String> {
    let (user, domain) = address.trim().rsplit_once('@')?;
    if !domain.contains(',') {
        return None;
    }
    let meant = format!("{user}@{}", domain.replace(',', "."));
    Uri::typed(&meant).is_ok_and(|uri| uri.names_somebody()).then_some(meant)
}

/// The same as a sentence that names the address.
#[must_use]
pub fn words(address: &str) -> Option<String> {
    let meant = meant(address)?;
    let address = address.trim();
    Some(format!("\"{address}\" is not a valid address: a domain has no comma. Did you mean {meant}?"))
}

/// Whether a comma after `before`, with `after` behind it, stands in a domain rather than between two addresses:
/// `ann@domain` `com`. What is behind it must look like the end of a domain, and what is before it must lack one.
#[must_use]
pub fn is_in_domain(before: &str, after: &str) -> bool {
    lacks_end(before) && after.rsplit('.').next().is_some_and(is_end)
}

/// The same while `after` is being typed: it may still become the end of a domain.
#[must_use]
pub fn may_be_in_domain(before: &str, after: &str) -> bool {
    lacks_end(before)
        && after.chars().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-'))
}

/// It is an address whose domain does not end as domains do.
fn lacks_end(address: &str) -> bool {
    let Some((_user, host)) = address.rsplit_once('@') else { return false };
    let is_port = |port: &str| port.bytes().all(|digit| digit.is_ascii_digit());
    let host = host.rsplit_once(':').filter(|(_, port)| is_port(port)).map_or(host, |(host, _)| host);
    let is_number = host.is_empty() || host.contains('[') || host.parse::<IpAddr>().is_ok();
    let is_local = host.eq_ignore_ascii_case("localhost");
    let is_one_word = !host.contains(|letter: char| letter == '>' || letter.is_whitespace());
    // A domain with one comma in it may have another.
    let has_end = host.contains('.') && !host.contains(',') && host.rsplit('.').next().is_some_and(is_end);
    is_one_word && !is_number && !is_local && !has_end
}

fn is_end(label: &str) -> bool {
    let is_country = label.len() == 2 && label.bytes().all(|letter| letter.is_ascii_alphabetic());
    is_country || ENDS.iter().any(|end| label.eq_ignore_ascii_case(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comma_in_a_domain_is_known_by_what_is_around_it() {
        for (before, after) in [
            ("ann@domain", "com"),
            ("ann@mail.domain", "DE"),
            ("sip:ann@domain", "co.uk"),
            ("ann@domain,co", "uk"),
            ("Ann <sip:ann@my-domain", "org"),
        ] {
            assert!(is_in_domain(before, after), "{before},{after}");
        }
        for (before, after) in [
            ("ann@example.com", "com"),
            ("ann@domain", "bob"),
            ("ann@domain", "bob@domain"),
            ("ann@domain", " com"),
            ("ann@192.0.2.1", "de"),
            ("ann@192.0.2.1:5070", "de"),
            ("ann@[2001:db8::1]", "de"),
            ("ann@localhost", "io"),
            ("ann", "com"),
            ("ann@domain", ""),
        ] {
            assert!(!is_in_domain(before, after), "{before},{after}");
        }
        assert!(may_be_in_domain("ann@domain", "") && may_be_in_domain("ann@domain", "c"));
        assert!(!may_be_in_domain("ann@domain.com", "") && !may_be_in_domain("ann@domain", "c@"));
    }

    #[test]
    fn what_was_meant_is_said() {
        assert_eq!(meant(" ann@domain,com ").as_deref(), Some("ann@domain.com"));
        assert_eq!(meant("sip:ann@domain,co,uk").as_deref(), Some("sip:ann@domain.co.uk"));
        for fine in ["ann@domain.com", "ann,lee@domain.com", "ann", "ann@,", "@domain,com"] {
            assert_eq!(meant(fine), None, "{fine}");
        }
        assert_eq!(
            words("ann@domain,com").as_deref(),
            Some(
                "\"ann@domain,com\" is not a valid address: a domain has no comma. Did you mean ann@domain.com?"
            )
        );
    }
}
