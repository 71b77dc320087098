//! The grammar of URIs: parts, escapes, allowed characters, and hosts (RFC 3261 §19.1.1, §19.1.2, §25.1).

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::cursor::number;
use super::error::Error;
use crate::limits::{URI_BYTES_MAX, URI_PARAMS_MAX};

/// The scheme of a URI.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scheme {
    /// `sip:`
    Sip,
    /// `sips:`
    Sips,
    /// `im:`
    Im,
    /// `pres:`
    Pres,
    /// `tel:`
    Tel,
    /// Any other, in lower case.
    Other(Box<str>),
}

impl Scheme {
    pub(super) fn of(text: &str) -> Self {
        let is = |name: &str| text.eq_ignore_ascii_case(name);
        match text.len() {
            3 if is("sip") => Self::Sip,
            4 if is("sips") => Self::Sips,
            2 if is("im") => Self::Im,
            4 if is("pres") => Self::Pres,
            3 if is("tel") => Self::Tel,
            _ => Self::Other(text.to_ascii_lowercase().into()),
        }
    }

    /// True for schemes whose URIs have user, host and parameters.
    pub(super) fn has_parts(&self) -> bool {
        match self {
            Self::Sip | Self::Sips | Self::Im | Self::Pres => true,
            Self::Tel | Self::Other(_) => false,
        }
    }
}

/// A range in the text; 16 bits suffice as a URI is short.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct TextRange {
    pub(super) start: u16,
    pub(super) end: u16,
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Parts {
    /// After the scheme's colon.
    pub(super) body: u16,
    pub(super) user: Option<TextRange>,
    pub(super) password: Option<TextRange>,
    pub(super) host: TextRange,
    pub(super) port: Option<u16>,
    pub(super) params: TextRange,
    pub(super) headers: TextRange,
}

/// Scans scheme and parts of a URI.
pub(super) fn scan(text: &str) -> Result<(Scheme, Parts), Error> {
    if text.len() > URI_BYTES_MAX {
        return Err(Error::whole("URI", "too long"));
    }
    let Some((scheme, rest)) = text.split_once(':') else {
        return Err(Error::at("no scheme", 0));
    };
    let is_scheme = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
    if !scheme.starts_with(|first: char| first.is_ascii_alphabetic()) || !scheme.bytes().all(is_scheme) {
        return Err(Error::at("no scheme", 0));
    }
    let body = scheme.len() + 1;
    let scheme = Scheme::of(scheme);
    if scheme.has_parts() {
        return Ok((scheme, scan_parts(rest, body)?));
    }
    check(rest, body, "not of a URI", |byte| byte.is_ascii_graphic() && !matches!(byte, b'<' | b'>' | b'"'))?;
    if rest.is_empty() {
        return Err(Error::at("nothing after scheme", body));
    }
    Ok((scheme, Parts { body: short(body), ..Parts::default() }))
}

/// `[user[:password]@]host[:port][;params][?headers]`, which begins at `body`.
fn scan_parts(text: &str, body: usize) -> Result<Parts, Error> {
    let mut parts = Parts { body: short(body), ..Parts::default() };
    // A raw `@` is allowed only after the user; `;` and `?` may occur in the user (RFC 4475 §3.1.1.9).
    let (at, rest) = match text.split_once('@') {
        Some((userinfo, rest)) => {
            scan_userinfo(userinfo, body, &mut parts)?;
            (body + userinfo.len() + 1, rest)
        }
        None => (body, text),
    };
    let host = host_length(rest);
    check_host(rest.get(..host).unwrap_or_default()).map_err(|error| error.within("", at))?;
    parts.host = place(at, at + host);
    let (mut at, mut rest) = (at + host, rest.get(host..).unwrap_or_default());
    if let Some(after) = rest.strip_prefix(':') {
        let digits = after.bytes().take_while(u8::is_ascii_digit).count();
        let port = number(after.get(..digits).unwrap_or_default());
        parts.port = Some(port.ok_or_else(|| Error::at("no port", at + 1))?);
        (at, rest) = (at + 1 + digits, after.get(digits..).unwrap_or_default());
    }
    if let Some(after) = rest.strip_prefix(';') {
        let end = after.find('?').unwrap_or(after.len());
        let params = after.get(..end).unwrap_or_default();
        check_count(params, ';', at)?;
        check_params(params, at + 1)?;
        parts.params = place(at + 1, at + 1 + end);
        (at, rest) = (at + 1 + end, after.get(end..).unwrap_or_default());
    }
    if let Some(headers) = rest.strip_prefix('?') {
        check_count(headers, '&', at)?;
        check(headers, at + 1, "not of URI headers", is_header)?;
        if headers.is_empty() {
            return Err(Error::at("empty URI headers", at));
        }
        parts.headers = place(at + 1, at + 1 + headers.len());
        rest = "";
    }
    if rest.is_empty() { Ok(parts) } else { Err(Error::at("not of a URI", at)) }
}

/// URIs are compared by all their parameters and header fields.
fn check_count(list: &str, separator: char, at: usize) -> Result<(), Error> {
    if list.matches(separator).count() < URI_PARAMS_MAX {
        Ok(())
    } else {
        Err(Error::at("too many parameters", at))
    }
}

/// `#` is not allowed in a user (§25.1), but telephones send it: star codes such as `*21#` go into Request-URIs as
/// dialled.
fn scan_userinfo(userinfo: &str, start: usize, parts: &mut Parts) -> Result<(), Error> {
    let (user, password) =
        userinfo.split_once(':').map_or((userinfo, None), |(user, password)| (user, Some(password)));
    if user.is_empty() {
        return Err(Error::at("empty user", start));
    }
    check(user, start, "not of a user", |byte| is_user(byte) || byte == b'#')?;
    parts.user = Some(place(start, start + user.len()));
    if let Some(password) = password {
        let start = start + user.len() + 1;
        check(password, start, "not of a password", is_user)?;
        parts.password = Some(place(start, start + password.len()));
    }
    Ok(())
}

fn check_params(params: &str, start: usize) -> Result<(), Error> {
    check(params, start, "not of a URI parameter", is_param)?;
    // Programs that append parameters one by one may leave a trailing `;`.
    let kept = params.strip_suffix(';').unwrap_or(params);
    let nameless = |param: &str| param.is_empty() || param.starts_with('=');
    if !params.is_empty() && kept.split(';').any(nameless) {
        Err(Error::at("empty URI parameter", start))
    } else {
        Ok(())
    }
}

/// Always fits: the text is at most [`URI_BYTES_MAX`] long.
fn short(at: usize) -> u16 {
    u16::try_from(at).unwrap_or(u16::MAX)
}

fn place(start: usize, end: usize) -> TextRange {
    TextRange { start: short(start), end: short(end) }
}

/// Decodes all escapes except those of reserved characters, which differ from their escapes (§19.1.4); the hex digits
/// of the remaining ones become upper case. A raw `#`, which the grammar forbids, is treated as its escape.
pub(super) fn unescaped(text: &str) -> Cow<'_, str> {
    if !text.contains(['%', '#']) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['%', '#']) {
        let (before, found) = rest.split_at(at);
        out.push_str(before);
        let after = found.get(1..).unwrap_or_default();
        if found.starts_with('#') {
            out.push_str("%23");
            rest = after;
            continue;
        }
        let code = after.get(..2).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match code {
            Some(byte) if is_unreserved(byte) => out.push(char::from(byte)),
            _ => {
                out.push('%');
                out.push_str(&after.get(..2).unwrap_or(after).to_ascii_uppercase());
            }
        }
        rest = after.get(2..).unwrap_or_default();
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// The address if the host is a literal. An IPv4 address written as IPv6 (mapped, or "compatible", RFC 4291 §2.5.5) is
/// that IPv4 address: sending there reaches the same computer.
pub(super) fn literal(host: &str) -> Option<IpAddr> {
    let Some(rest) = host.strip_prefix('[') else {
        return host.parse::<Ipv4Addr>().ok().map(IpAddr::V4);
    };
    let v6 = rest.strip_suffix(']')?.parse::<Ipv6Addr>().ok()?;
    // `::` and `::1` are addresses in their own right, and no real IPv4 address begins with 0.
    let embedded = v6.to_ipv4().filter(|v4| v4.octets().first().is_some_and(|first| *first != 0));
    Some(embedded.map_or(IpAddr::V6(v6), IpAddr::V4))
}

/// A host in the form used to compare: lower case, without the DNS root's dot, a literal in its shortest form.
pub(super) fn canonical_host(host: &str) -> String {
    match literal(host) {
        Some(IpAddr::V4(address)) => address.to_string(),
        Some(IpAddr::V6(address)) => format!("[{address}]"),
        None => host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase(),
    }
}

/// True for two spellings of one host.
pub(super) fn same_host(one: &str, other: &str) -> bool {
    let without_dot = |host| str::strip_suffix(host, ".").unwrap_or(host);
    match (literal(one), literal(other)) {
        (Some(one), Some(other)) => one == other,
        _ => without_dot(one).eq_ignore_ascii_case(without_dot(other)),
    }
}

/// Length of the host at the start.
pub(super) fn host_length(text: &str) -> usize {
    if text.starts_with('[') {
        return text.find(']').map_or(text.len(), |end| end + 1);
    }
    // The grammar does not allow `_` in host names, but many real ones have it.
    text.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_')).count()
}

/// A host name, an IPv4 address or an IPv6 one in brackets.
pub(super) fn check_host(host: &str) -> Result<(), Error> {
    let name = host.strip_suffix('.').unwrap_or(host);
    let last = name.rsplit('.').next().unwrap_or_default();
    let is_name = !host.starts_with('[') && !is_number(last) && !name.split('.').any(str::is_empty);
    if is_name || literal(host).is_some() { Ok(()) } else { Err(Error::at("no host", 0)) }
}

/// RFC 3261 §25.1: the last label of a name is not a number, so that it cannot be taken for an address; system calls
/// take even `0x7f000001` for one.
fn is_number(label: &str) -> bool {
    let hex = label.strip_prefix("0x").or_else(|| label.strip_prefix("0X"));
    let is_hex = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    hex.map_or_else(|| label.bytes().all(|byte| byte.is_ascii_digit()), is_hex)
}

/// A number and its parameters as they are written after `tel:` (RFC 3966 §3).
pub(super) fn is_telephone_number(text: &str) -> bool {
    let (number, params) = text.split_once(';').unwrap_or((text, ""));
    let is_sound = |param: &str| {
        let (name, value) = param.split_once('=').unwrap_or((param, ""));
        !unescaped(name).eq_ignore_ascii_case("phone-context") || is_phone_context(&unescaped(value))
    };
    (is_global_number(number) || is_local_number(number))
        && check(params, 0, "not of a URI parameter", is_param).is_ok()
        && params.split(';').all(is_sound)
}

/// `+` and digits, with visual separators (RFC 3966 §3).
fn is_global_number(text: &str) -> bool {
    let is_digit = |byte: u8| byte.is_ascii_digit();
    text.strip_prefix('+').is_some_and(|digits| is_dialled(digits, is_digit))
}

/// Hexadecimal digits, `*` and `#`, with visual separators (RFC 3966 §3).
fn is_local_number(text: &str) -> bool {
    is_dialled(text, |byte| byte.is_ascii_hexdigit() || matches!(byte, b'*' | b'#'))
}

fn is_dialled(text: &str, is_digit: impl Fn(u8) -> bool) -> bool {
    let is_separator = |byte: u8| matches!(byte, b'-' | b'.' | b'(' | b')');
    text.bytes().any(&is_digit) && text.bytes().all(|byte| is_digit(byte) || is_separator(byte))
}

/// A domain name, or a global number that local ones go on from (RFC 3966 §5.1.5).
fn is_phone_context(text: &str) -> bool {
    is_global_number(text)
        || (!text.starts_with('[') && host_length(text) == text.len() && check_host(text).is_ok())
}

/// Checks that each byte is part of an escape or accepted by `allowed`.
pub(super) fn check(
    text: &str,
    start: usize,
    fault: &'static str,
    allowed: impl Fn(u8) -> bool,
) -> Result<(), Error> {
    let bytes = text.as_bytes();
    let is_hex = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_hexdigit);
    let wrong = |(at, byte): (usize, &u8)| match byte {
        b'%' => !is_hex(at + 1) || !is_hex(at + 2),
        other => !allowed(*other),
    };
    match bytes.iter().enumerate().position(wrong) {
        Some(at) => Err(Error::at(fault, start + at)),
        None => Ok(()),
    }
}

pub(super) fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'-' | b'_' | b'.' | b'!' | b'~' | b'*' | b'\'' | b'(' | b')')
}

pub(super) fn is_user(byte: u8) -> bool {
    is_unreserved(byte) || matches!(byte, b'&' | b'=' | b'+' | b'$' | b',' | b';' | b'?' | b'/')
}

pub(super) fn is_param(byte: u8) -> bool {
    is_unreserved(byte) || matches!(byte, b'[' | b']' | b'/' | b':' | b'&' | b'+' | b'$' | b'=' | b';')
}

pub(super) fn is_header(byte: u8) -> bool {
    is_unreserved(byte) || matches!(byte, b'[' | b']' | b'/' | b'?' | b':' | b'+' | b'$' | b'=' | b'&')
}
