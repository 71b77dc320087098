//! A link to somebody, as browsers and address books hand it over: `sip:ann@domain.com?body=Hi` (RFC 3261 section
//! 19.1.1), `sips:`, `im:` (RFC 3860). Anybody can have put it on a page, so it says whom to write to and what, and nothing
//! about the way there; nothing is sent before the user says so.

use crate::limits::LINK_BYTES_MAX;
use crate::sip::Uri;

/// The schemes that the desktop hands to us.
const SCHEMES: [&str; 3] = ["sip", "sips", "im"];

/// Whom to write to, and what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The address: scheme, user, host and port.
    pub address: String,
    /// What the link proposes to write; empty if nothing.
    pub text: String,
    /// The link as it was given.
    pub written: String,
}

impl Link {
    /// Reads a link.
    ///
    /// # Errors
    /// What is wrong with it, as the end of a sentence.
    pub fn parse(written: &str) -> Result<Self, &'static str> {
        let written = written.trim();
        if written.len() > LINK_BYTES_MAX {
            return Err("is longer than 8 KiB");
        }
        if written.contains(char::is_control) {
            return Err("contains a control character");
        }
        let (scheme, rest) = written.split_once(':').ok_or("has no scheme")?;
        let scheme = scheme.to_ascii_lowercase();
        if !SCHEMES.contains(&scheme.as_str()) {
            return Err("does not begin with sip:, sips: or im:");
        }
        // Some programs write it like the address of a website.
        let rest = rest.strip_prefix("//").unwrap_or(rest);
        let (target, headers) =
            match rest.rfind('@').and_then(|at| rest.get(at..)?.find('?').map(|from| at + from)) {
                Some(at) => (rest.get(..at).unwrap_or(rest), rest.get(at + 1..).unwrap_or_default()),
                None => (rest, ""),
            };
        let uri = Uri::parse(&format!("{scheme}:{target}")).map_err(|_wrong| "is not an address")?;
        let user = uri.user().filter(|user| !user.is_empty()).ok_or("names no user")?;
        if uri.host().is_empty() {
            return Err("names no domain");
        }
        let port = uri.port().map(|port| format!(":{port}")).unwrap_or_default();
        let body = headers.split('&').find_map(|header| {
            let (name, value) = header.split_once('=')?;
            name.eq_ignore_ascii_case("body").then_some(value)
        });
        Ok(Self {
            address: format!("{scheme}:{user}@{}{port}", uri.host()),
            text: plain(body.unwrap_or_default()),
            written: written.to_owned(),
        })
    }
}

/// The text of a `body=`: its escapes decoded, without control characters but line breaks and tabs.
fn plain(escaped: &str) -> String {
    let mut bytes = Vec::with_capacity(escaped.len());
    let mut rest = escaped.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let code = after.get(..2).filter(|_| *first == b'%').and_then(|hex| std::str::from_utf8(hex).ok());
        match code.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    let text = String::from_utf8_lossy(&bytes).replace("\r\n", "\n");
    text.chars().filter(|letter| !letter.is_control() || matches!(letter, '\n' | '\t')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_says_whom_to_write_to_and_what() {
        let read = |text: &str| Link::parse(text).map(|link| (link.address, link.text));
        let ann = |text: &str| Ok(("sip:ann@example.com".to_owned(), text.to_owned()));
        assert_eq!(read("sip:ann@example.com"), ann(""));
        assert_eq!(read(" SIP://ann@example.com "), ann(""));
        assert_eq!(
            read("sip:ann@example.com?subject=x&Body=1%20%2B%201%0D%0A%3d%202%21"),
            ann("1 + 1\n= 2!")
        );
        assert_eq!(read("sip:ann@example.com?body=100%&x=y"), ann("100%"));
        assert_eq!(read("sip:ann@example.com?body=%C3%A4%1B%00%FF"), ann("ä\u{fffd}"));
        assert_eq!(
            read("im:ann@example.com:5070"),
            Ok(("im:ann@example.com:5070".to_owned(), String::new()))
        );
        assert_eq!(read("sips:a%20b?c@[::1]?body=x"), Ok(("sips:a%20b?c@[::1]".to_owned(), "x".to_owned())));
    }

    #[test]
    fn a_link_leads_nowhere_but_to_the_address_that_is_shown() {
        let link =
            Link::parse("sip:ann:secret@example.com;maddr=192.0.2.1;method=INVITE?Route=%3Csip:evil%3E")
                .unwrap();
        assert_eq!((link.address.as_str(), link.text.as_str()), ("sip:ann@example.com", ""));
    }

    #[test]
    fn what_is_no_link_is_refused() {
        for text in [
            "",
            "porxy",
            "ann@example.com",
            "https://example.com",
            "tel:+1",
            "sip:",
            "sip:example.com",
            "sip:@b",
            "sip:a@",
        ] {
            assert!(Link::parse(text).is_err(), "{text}");
        }
        assert_eq!(Link::parse("sip:a\n@b"), Err("contains a control character"));
        let long = format!("sip:ann@example.com?body={}", "x".repeat(LINK_BYTES_MAX));
        assert_eq!(Link::parse(&long), Err("is longer than 8 KiB"));
    }
}
