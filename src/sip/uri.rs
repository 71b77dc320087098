//! URIs as written, with their parts: sip, sips (RFC 3261 §19.1), im (RFC 3860), pres (RFC 3859); tel and unknown
//! schemes are kept as text.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt::{self, Write as _};
use std::hash::{Hash, Hasher};
use std::net::IpAddr;
use std::sync::Arc;

use super::aor::Aor;
use super::cursor::number;
use super::error::Error;
use super::names::Transport;
use super::uri_grammar::{
    Parts, Scheme, TextRange, canonical_host, is_telephone_number, is_user, literal, same_host, scan,
    unescaped,
};

/// A URI as written, with its parts. Eq/Ord compare the text; `same_as` compares by RFC 3261 §19.1.4.
#[derive(Clone)]
pub struct Uri {
    text: Arc<str>,
    scheme: Scheme,
    parts: Parts,
}

impl Uri {
    /// Parses a URI with its scheme.
    ///
    /// # Errors
    /// It has no scheme, or the scheme is one we know and the rest does not follow its grammar.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let (scheme, parts) = scan(text)?;
        Ok(Self { text: text.into(), scheme, parts })
    }

    /// Stands for an address in a response that cannot be read and that nobody needs (RFC 2606 §2): it is nobody's, and
    /// leads nowhere.
    pub(super) fn unreadable() -> Self {
        let parts = Parts { body: 4, host: TextRange { start: 4, end: 22 }, ..Parts::default() };
        Self { text: "sip:unreadable.invalid".into(), scheme: Scheme::Sip, parts }
    }

    /// Parses what a person typed: `ann@domain.com` becomes `sip:ann@domain.com`; with a scheme it stays. What has to be
    /// escaped in the user part is (RFC 3261 §19.1.2).
    ///
    /// # Errors
    /// It is not a URI either way.
    pub fn typed(text: &str) -> Result<Self, Error> {
        let text = text.trim();
        match Self::parse(text) {
            // `localhost:5060` looks like a scheme. A `#` is read, since others send it, and not written.
            Ok(uri) if !uri.is_host_and_port() && !uri.user().is_some_and(|user| user.contains('#')) => {
                Ok(uri)
            }
            first => {
                let with_scheme = text.split_once(':').filter(|(name, _)| Scheme::of(name).has_parts());
                let (scheme, rest) = with_scheme.unwrap_or(("sip", text));
                Self::parse(&format!("{scheme}:{}", with_user_escaped(rest))).or(first)
            }
        }
    }

    fn is_host_and_port(&self) -> bool {
        let rest = self.text.get(usize::from(self.parts.body)..).unwrap_or_default();
        !self.scheme.has_parts() && self.scheme != Scheme::Tel && number::<u16>(rest).is_some()
    }

    /// As written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// As people type it: without `sip:` where a user stands before the host.
    #[must_use]
    pub fn short(&self) -> &str {
        let text = self.as_str();
        text.strip_prefix("sip:").filter(|_| self.user().is_some()).unwrap_or(text)
    }

    /// As written up to its parameters: without them, and without what follows `?`. A `;` in the user stays.
    #[must_use]
    pub fn without_params(&self) -> &str {
        let start = |place: TextRange| Some(usize::from(place.start)).filter(|start| *start > 0);
        let rest = start(self.parts.params).or_else(|| start(self.parts.headers));
        // The `;` or `?` before them goes too.
        let end = rest.map_or(self.text.len(), |start| start.saturating_sub(1));
        self.text.get(..end).unwrap_or_default()
    }

    /// The scheme, before the colon.
    #[must_use]
    pub fn scheme(&self) -> &Scheme {
        &self.scheme
    }

    /// Escaped, as written, without password.
    #[must_use]
    pub fn user(&self) -> Option<&str> {
        self.parts.user.map(|place| self.part(place))
    }

    /// As written: `[::1]` keeps its brackets; empty for tel: and unknown schemes.
    #[must_use]
    pub fn host(&self) -> &str {
        self.part(self.parts.host)
    }

    /// The port, if one is written.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        self.parts.port
    }

    /// The host if it is a literal IP address.
    #[must_use]
    pub fn host_ip(&self) -> Option<IpAddr> {
        literal(self.host())
    }

    /// The host to send to: `;maddr=` instead of the host, if present (RFC 3261 §19.1.1, RFC 3263 §4).
    #[must_use]
    pub fn target_host(&self) -> &str {
        self.param("maddr").filter(|maddr| !maddr.is_empty()).unwrap_or_else(|| self.host())
    }

    /// The IP address to send to, if it is written literally.
    #[must_use]
    pub fn ip(&self) -> Option<IpAddr> {
        literal(self.target_host())
    }

    /// True if the host is `host`, in any spelling.
    #[must_use]
    pub fn has_host(&self, host: &str) -> bool {
        same_host(self.host(), host)
    }

    /// The server that the URI leads to, in one spelling: host, and port if written.
    #[must_use]
    pub fn place(&self) -> String {
        let host = canonical_host(self.target_host());
        self.port().map_or_else(|| host.clone(), |port| format!("{host}:{port}"))
    }

    /// True for a router that leaves the Request-URI unchanged (RFC 3261 §19.1.1).
    #[must_use]
    pub fn is_loose_router(&self) -> bool {
        self.param("lr").is_some()
    }

    /// For a local telephone number: the domain in `phone-context` that it belongs to (RFC 3966 §5.1.5), and the number
    /// without visual separators.
    #[must_use]
    pub fn local_number(&self) -> Option<(String, String)> {
        if self.scheme != Scheme::Tel {
            return None;
        }
        let text = self.text.get(usize::from(self.parts.body)..).unwrap_or_default();
        let (number, params) = text.split_once(';')?;
        let named = |(name, _): &(&str, &str)| unescaped(name).eq_ignore_ascii_case("phone-context");
        let (_, context) = pairs(params, ';').find(named)?;
        let digits = number.replace(['-', '.', '(', ')'], "");
        Some((digits, canonical_host(&unescaped(context))))
    }

    /// True for a telephone number (RFC 3966 §3): a global one, or a local one whose `phone-context`, if it has one, is a
    /// domain or the beginning of a global number.
    #[must_use]
    pub fn is_number(&self) -> bool {
        self.scheme == Scheme::Tel && self.text.get(4..).is_some_and(is_telephone_number)
    }

    /// A parameter by name in any case, as written; "" for a flag.
    #[must_use]
    pub fn param(&self, name: &str) -> Option<&str> {
        self.params().find(|(this, _)| unescaped(this).eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// From `;transport=`; sips means TLS whatever transport it names (RFC 3261 §26.2.2), or a WebSocket under TLS.
    #[must_use]
    pub fn transport(&self) -> Option<Transport> {
        let named = self.param("transport").and_then(Transport::parse);
        if self.scheme != Scheme::Sips {
            return named;
        }
        Some(match named {
            Some(Transport::Ws | Transport::Wss) => Transport::Wss,
            Some(Transport::Udp | Transport::Tcp | Transport::Tls) | None => Transport::Tls,
        })
    }

    /// True for `sips:`, which never leaves TLS (W32).
    #[must_use]
    pub fn is_sips(&self) -> bool {
        self.scheme == Scheme::Sips
    }

    /// im: and pres: become sip:, other schemes stay (W3).
    #[must_use]
    pub fn to_sip(&self) -> Self {
        match self.scheme {
            Scheme::Im | Scheme::Pres => self.with_scheme("sip"),
            Scheme::Sip | Scheme::Sips | Scheme::Tel | Scheme::Other(_) => self.clone(),
        }
    }

    /// True for the two schemes that can be routed.
    #[must_use]
    pub fn is_sip_or_sips(&self) -> bool {
        matches!(self.scheme, Scheme::Sip | Scheme::Sips)
    }

    /// The host's own URI, for example of a registrar, whose requests name no user (RFC 3261 §10.2).
    #[must_use]
    pub fn without_user(&self) -> Self {
        let target = self.to_target();
        let rest = target.text.get(usize::from(target.parts.body)..).unwrap_or_default();
        match (target.user(), rest.split_once('@')) {
            (Some(_), Some((_, host))) => {
                Self::parse(&format!("{}:{host}", if target.is_sips() { "sips" } else { "sip" }))
                    .unwrap_or(target)
            }
            _ => target,
        }
    }

    /// For use as a Request-URI: without what follows `?`, which is not allowed there (RFC 3261 §19.1.1).
    #[must_use]
    pub fn to_target(&self) -> Self {
        let Some(headers) = self.headers() else {
            return self.clone();
        };
        let kept = self.text.len().saturating_sub(headers.len() + 1);
        Self::parse(self.text.get(..kept).unwrap_or_default()).unwrap_or_else(|_| self.clone())
    }

    fn with_scheme(&self, scheme: &str) -> Self {
        let text = format!("{scheme}:{}", self.text.get(usize::from(self.parts.body)..).unwrap_or_default());
        Self::parse(&text).unwrap_or_else(|_| self.clone())
    }

    /// True if it names a person: a user at a host, or a telephone number (RFC 3966).
    #[must_use]
    pub fn names_somebody(&self) -> bool {
        match self.scheme {
            Scheme::Sip | Scheme::Sips | Scheme::Im | Scheme::Pres => {
                self.user().is_some_and(|user| !user.is_empty()) && !self.host().is_empty()
            }
            Scheme::Tel => {
                let number = self.text.get(usize::from(self.parts.body)..).unwrap_or_default();
                number.split(';').next().is_some_and(|number| number.contains(|c: char| c.is_ascii_digit()))
            }
            Scheme::Other(_) => false,
        }
    }

    /// Canonical address-of-record; for a telephone number the number itself without separators (RFC 3966 §4).
    #[must_use]
    pub fn aor(&self) -> Aor {
        if self.scheme.has_parts() {
            return Aor::of(self.user(), self.host());
        }
        let is_spacing = |c: char| self.scheme == Scheme::Tel && matches!(c, '-' | '.' | '(' | ')');
        Aor::opaque(&self.text.replace(is_spacing, "").to_ascii_lowercase())
    }

    /// What follows `?`, as written; RFC 3261 §19.1.1 forbids it in From, To and Request-URI.
    pub(super) fn headers(&self) -> Option<&str> {
        Some(self.part(self.parts.headers)).filter(|headers| !headers.is_empty())
    }

    fn part(&self, place: TextRange) -> &str {
        self.text.get(usize::from(place.start)..usize::from(place.end)).unwrap_or_default()
    }

    /// The parameters and their values, as they are written.
    pub fn params(&self) -> impl Iterator<Item = (&str, &str)> {
        pairs(self.part(self.parts.params), ';')
    }

    /// Equality by RFC 3261 §19.1.4 (not transitive): sip and sips differ; hosts and parameter values ignore case,
    /// users do not; a port or a parameter that affects routing must be in both.
    #[must_use]
    pub fn same_as(&self, other: &Self) -> bool {
        if !self.scheme.has_parts() || !other.scheme.has_parts() {
            let rest =
                |uri: &Self| uri.text.get(usize::from(uri.parts.body)..).unwrap_or_default().to_owned();
            return self.scheme == other.scheme && rest(self) == rest(other);
        }
        let password = |uri: &Self| uri.parts.password.map(|place| unescaped(uri.part(place)).into_owned());
        self.scheme == other.scheme
            && self.user().map(unescaped) == other.user().map(unescaped)
            && password(self) == password(other)
            && same_host(self.host(), other.host())
            && self.port() == other.port()
            && params_agree(&self.sorted_params(), &other.sorted_params())
            && self.sorted_headers() == other.sorted_headers()
    }

    /// Names and values in lower case, sorted by name; of a repeated one the first. Sorted, since a peer may send
    /// thousands.
    fn sorted_params(&self) -> Vec<(String, String)> {
        let read =
            |(name, value)| (unescaped(name).to_ascii_lowercase(), unescaped(value).to_ascii_lowercase());
        let mut params: Vec<_> = self.params().map(read).collect();
        params.sort_by(|(one, _), (other, _)| one.cmp(other));
        params.dedup_by(|(later, _), (first, _)| later == first);
        params
    }

    fn sorted_headers(&self) -> Vec<(String, String)> {
        let read = |(name, value)| (unescaped(name).to_ascii_lowercase(), unescaped(value).into_owned());
        let mut headers: Vec<_> = pairs(self.part(self.parts.headers), '&').map(read).collect();
        headers.sort_unstable();
        headers
    }
}

impl PartialEq for Uri {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}
impl Eq for Uri {}
impl PartialOrd for Uri {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Uri {
    fn cmp(&self, other: &Self) -> Ordering {
        self.text.cmp(&other.text)
    }
}
impl Hash for Uri {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}
impl fmt::Debug for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}
impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Escapes what is not allowed unescaped in the user part of a typed address (letters beyond ASCII, for example).
fn with_user_escaped(text: &str) -> Cow<'_, str> {
    let Some((user, host)) = text.rsplit_once('@') else {
        return Cow::Borrowed(text);
    };
    // A blank, or a second @, is far more often a typing error than part of a name: it is refused, not escaped.
    if user.contains(|letter: char| letter.is_whitespace() || letter == '@') {
        return Cow::Borrowed(text);
    }
    let is_hex = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let mut out = String::with_capacity(text.len());
    for (place, byte) in user.bytes().enumerate() {
        let is_escape = byte == b'%' && user.get(place + 1..place + 3).is_some_and(is_hex);
        if is_user(byte) || is_escape || byte == b':' {
            out.push(char::from(byte));
        } else {
            write!(out, "%{byte:02X}").unwrap_or_default();
        }
    }
    Cow::Owned(out + "@" + host)
}

/// A parameter present in both must have the same value; one present on one side only may be absent on the other.
fn params_agree(one: &[(String, String)], other: &[(String, String)]) -> bool {
    // The text of §19.1.4 does not name `transport` among the first four, but its examples treat it the same way.
    let must_be_in_both = ["user", "ttl", "method", "maddr", "transport"];
    let agrees = |(name, value): &(String, String), there: &[(String, String)]| match there
        .binary_search_by(|(this, _)| this.cmp(name))
    {
        Ok(place) => there.get(place).is_some_and(|(_, theirs)| theirs == value),
        Err(_) => !must_be_in_both.contains(&name.as_str()),
    };
    one.iter().all(|param| agrees(param, other)) && other.iter().all(|param| agrees(param, one))
}

/// `name=value` pairs as written; "" for one without `=`.
fn pairs(text: &str, separator: char) -> impl Iterator<Item = (&str, &str)> {
    text.split(separator)
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
}

/// Checks that `text` is a URI, without building one.
pub(super) fn check_uri(text: &str) -> Result<(), Error> {
    scan(text).map(|_| ())
}
