//! Whose web pages may open WebSockets to us (RFC 6455 §10.2). A browser opens one to wherever a page asks, from inside
//! its own network; the page's origin, which the page cannot forge, tells who asked.

use std::net::IpAddr;

/// The origins that are allowed. A client that is not a browser names none, and is not checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Origins {
    /// Any: whoever wants something has to authenticate.
    #[default]
    All,
    /// Pages from this computer.
    Local,
    /// Only these.
    These(Vec<String>),
}

impl Origins {
    /// Whether a page of this origin is allowed; `None` is a client that is not a browser.
    pub(super) fn let_in(&self, origin: Option<&str>) -> bool {
        let Some(origin) = origin else { return true };
        match self {
            Self::All => true,
            Self::Local => host(origin).is_some_and(is_local),
            Self::These(origins) => origins.iter().any(|one| one.eq_ignore_ascii_case(origin)),
        }
    }

    /// True for a valid origin: a scheme, a host, a port if it is not the scheme's default, and nothing else.
    #[must_use]
    pub fn is_origin(text: &str) -> bool {
        host(text).is_some_and(|host| !host.is_empty())
            && !text.contains(|letter: char| letter.is_whitespace() || "?#@".contains(letter))
            && text.matches('/').count() == 2
    }
}

/// The host in `https://chat.domain.com:8443`, without the brackets of IPv6.
fn host(origin: &str) -> Option<&str> {
    let (_scheme, rest) = origin.split_once("://")?;
    match rest.strip_prefix('[') {
        Some(rest) => rest.split_once(']').map(|(host, _port)| host),
        None => rest.split(':').next(),
    }
}

fn is_local(host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    host == "localhost"
        || host.ends_with(".localhost")
        || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_told_apart_by_their_origin() {
        let these = Origins::These(vec!["https://chat.domain.com".to_owned()]);
        for (origin, local, listed) in [
            (None, true, true),
            (Some("https://chat.domain.com"), false, true),
            (Some("https://CHAT.domain.com"), false, true),
            (Some("http://chat.domain.com"), false, false),
            (Some("https://chat.domain.com:8443"), false, false),
            (Some("https://chat.domain.com.evil.example"), false, false),
            (Some("http://localhost:3000"), true, false),
            (Some("http://phone.localhost"), true, false),
            (Some("http://127.0.0.1:8080"), true, false),
            (Some("http://[::1]:8080"), true, false),
            (Some("http://localhost.evil.example"), false, false),
            (Some("http://127.0.0.1.evil.example"), false, false),
            (Some("null"), false, false),
            (Some(""), false, false),
        ] {
            assert!(Origins::All.let_in(origin));
            let said = (Origins::Local.let_in(origin), these.let_in(origin));
            assert_eq!(said, (local, listed), "{origin:?}");
        }
    }

    #[test]
    fn an_origin_has_no_path_and_no_user() {
        for good in ["https://chat.domain.com", "http://localhost:3000", "https://[2001:db8::1]:8443"] {
            assert!(Origins::is_origin(good), "{good}");
        }
        for bad in [
            "chat.domain.com",
            "https://",
            "https://chat.domain.com/",
            "https://a@b",
            "https://a b",
            "null",
            "",
        ] {
            assert!(!Origins::is_origin(bad), "{bad}");
        }
    }
}
