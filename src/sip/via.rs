//! Typed values of the header fields that identify a transaction: Via, Call-ID, CSeq (RFC 3261 §20.8, §20.16, §20.42).

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;

use super::cursor::{Cursor, element_end, is_token_text, number};
use super::error::Error;
use super::header::{Params, skip_params};
use super::uri_grammar::{check_host, host_length, is_unreserved, literal};
use crate::limits::ADDRESS_BYTES_MAX;

/// One hop that a request passed (§20.42).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Via {
    /// As written: "UDP", "TCP", "TLS" or another.
    pub transport: String,
    /// `[::1]` keeps its brackets.
    pub host: String,
    /// The port, if written.
    pub port: Option<u16>,
    /// branch, received, rport, ...
    pub params: Params,
}

impl Via {
    /// The branch, if present and not empty.
    #[must_use]
    pub fn branch(&self) -> Option<&str> {
        self.params.get("branch").filter(|branch| !branch.is_empty())
    }

    /// The host if it is a literal address.
    #[must_use]
    pub fn ip(&self) -> Option<IpAddr> {
        literal(&self.host)
    }

    /// Reads the first element of a Via value.
    pub(super) fn read_first(value: &str) -> Result<Self, Error> {
        let mut cursor = Cursor::new(value);
        let (transport, host, port) = scan_sent_by(&mut cursor)?;
        let params = Params::read(&mut cursor)?;
        Ok(Self { transport: transport.to_owned(), host: host.to_owned(), port, params })
    }

    /// What can be read of the first element, of which only the branch is needed (§17.1.3): RFC 2543 has a comment behind
    /// it, and some programs write parameters that no grammar knows.
    pub(super) fn read_leniently(value: &str) -> Self {
        if let Ok(via) = Self::read_first(value) {
            return via;
        }
        let first = value.get(..element_end(value.as_bytes())).unwrap_or(value);
        let (transport, host, port) = scan_sent_by(&mut Cursor::new(first)).unwrap_or_default();
        let params = Params::read_leniently(first.split_once(';').unwrap_or_default().1);
        Self { transport: transport.to_owned(), host: host.to_owned(), port, params }
    }
}

impl fmt::Display for Via {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SIP/2.0/{} {}", self.transport, self.host)?;
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        fmt::Display::fmt(&self.params, f)
    }
}

/// Passes `SIP / 2.0 / UDP host : port`: transport, host, port.
pub(super) fn scan_sent_by<'a>(cursor: &mut Cursor<'a>) -> Result<(&'a str, &'a str, Option<u16>), Error> {
    cursor.skip_blanks();
    cursor.token("no protocol")?;
    cursor.expect(b'/', "no protocol version")?;
    cursor.token("no protocol version")?;
    cursor.expect(b'/', "no transport")?;
    let transport = cursor.token("no transport")?;
    if !matches!(cursor.peek(), Some(b' ' | b'\t')) {
        return Err(cursor.fault("no sent-by"));
    }
    cursor.skip_blanks();
    let start = cursor.at();
    cursor.skip(host_length(cursor.rest()));
    let host = cursor.since(start);
    check_host(&without_zone(host)).map_err(|error| error.within("", start))?;
    cursor.skip_blanks();
    if !cursor.eat(b':') {
        return Ok((transport, host, None));
    }
    cursor.skip_blanks();
    let fault = cursor.fault("no port");
    let port = number(cursor.take_while(|byte| byte.is_ascii_digit())).ok_or(fault)?;
    Ok((transport, host, Some(port)))
}

/// An IPv6 address without its zone (RFC 6874): RFC 3261 has none, but phones write it, and it is only passed on.
fn without_zone(host: &str) -> Cow<'_, str> {
    let zone = host.strip_suffix(']').and_then(|text| text.split_once('%'));
    let is_zone =
        |zone: &str| !zone.is_empty() && zone.bytes().all(|byte| is_unreserved(byte) || byte == b'%');
    match zone.filter(|(_, zone)| is_zone(zone)) {
        Some((address, _)) => format!("{address}]").into(),
        None => host.into(),
    }
}

/// The same check as [`Via::read_first`] without building a value; further elements may follow.
pub(super) fn check_via(value: &str) -> Result<(), Error> {
    let mut cursor = Cursor::new(value);
    scan_sent_by(&mut cursor)?;
    skip_params(&mut cursor)?;
    if cursor.at() > ADDRESS_BYTES_MAX {
        return Err(Error::whole("", "too long"));
    }
    check_element_end(&cursor)
}

/// Checks that the topmost Via ends here, and that what follows is not just a separator (RFC 4475 §3.1.2.1).
pub(super) fn check_element_end(cursor: &Cursor<'_>) -> Result<(), Error> {
    let mut ahead = cursor.clone();
    if !ahead.is_end() && !ahead.eat(b',') {
        return Err(cursor.fault("not of a Via"));
    }
    ahead.skip_empty(|byte| byte == b',');
    if ahead.peek() == Some(b';') { Err(ahead.fault("no protocol")) } else { Ok(()) }
}

/// Checks a Call-ID: `word ["@" word]`, taken as visible ASCII.
pub(super) fn check_call_id(value: &str) -> Result<(), Error> {
    if value.is_empty() || !value.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Error::at("no Call-ID", 0));
    }
    Ok(())
}

/// Reads a CSeq: a number below 2^31 (§8.1.1.5) and a method.
pub(super) fn read_cseq(value: &str) -> Result<(u32, &str), Error> {
    let (digits, method) = value.split_once([' ', '\t']).unwrap_or((value, ""));
    let number = number::<u32>(digits).filter(|number| *number < 1 << 31);
    let number = number.ok_or_else(|| Error::at("no number below 2^31", 0))?;
    let method = method.trim_start_matches([' ', '\t']);
    if is_token_text(method) { Ok((number, method)) } else { Err(Error::at("no method", 0)) }
}
