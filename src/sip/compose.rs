//! Prints a message field by field: requests, responses, and refusals of what cannot be parsed
//! (RFC 3261 §8.1.1, §8.2.6).

use std::fmt::{self, Write as _};
use std::net::SocketAddr;

use bytes::Bytes;

use super::charset::header_text;
use super::cursor::{Cursor, is_token_text};
use super::error::Error;
use super::header::{Address, next_param};
use super::message::Request;
use super::names::{Method, is_name, reason_phrase};
use super::uri::Uri;
use super::uri_grammar::literal;
use super::via::{check_element_end, scan_sent_by};
use crate::limits::HEADER_FIELDS_MAX;

/// Prints a message field by field. CR and LF in a value become spaces (no header injection).
#[derive(Debug)]
pub struct Compose {
    out: Vec<u8>,
}

/// Writes text with each CR and LF replaced by a space, so that a value cannot end its field.
pub(super) struct OneLine<'a>(pub(super) &'a mut Vec<u8>);

impl fmt::Write for OneLine<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend(text.as_bytes().iter().map(one_line));
        Ok(())
    }
}

/// A byte of a value, which must not end its field.
const fn one_line(byte: &u8) -> u8 {
    if matches!(byte, b'\r' | b'\n') { b' ' } else { *byte }
}

/// Writes `name: value` and CRLF.
pub(super) fn write_field(out: &mut Vec<u8>, name: &str, value: impl fmt::Display) {
    // Writing to memory cannot fail; if a Display reports an error anyway, what it wrote so far stays.
    write!(OneLine(out), "{name}: {value}").unwrap_or_default();
    out.extend_from_slice(b"\r\n");
}

impl Compose {
    /// `METHOD uri SIP/2.0`.
    #[must_use]
    pub fn request(method: &Method, uri: &Uri) -> Self {
        Self::start(format_args!("{method} {uri} SIP/2.0"))
    }

    /// Via (top one completed with received and rport from `source`, RFC 3261 §18.2.1, RFC 3581), From, To with a tag
    /// added if it has none, Call-ID and CSeq are copied. `reason` None means the standard phrase.
    #[must_use]
    pub fn response(
        request: &Request,
        status: u16,
        reason: Option<&str>,
        to_tag: &str,
        source: SocketAddr,
    ) -> Self {
        let fields: Vec<_> = request.raw_fields().collect();
        let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_ref())).collect();
        Self::answer(status, reason.unwrap_or_else(|| reason_phrase(status)), &fields, (to_tag, source))
    }

    fn start(line: fmt::Arguments<'_>) -> Self {
        let mut out = Vec::with_capacity(1024);
        OneLine(&mut out).write_fmt(line).unwrap_or_default();
        out.extend_from_slice(b"\r\n");
        Self { out }
    }

    /// The status line and the fields copied from the request (§8.2.6.2).
    fn answer(
        status: u16,
        reason: &str,
        fields: &[(&str, &[u8])],
        (to_tag, source): (&str, SocketAddr),
    ) -> Self {
        let mut this = Self::start(format_args!("SIP/2.0 {status} {reason}"));
        let every = |wanted: &'static str| {
            fields.iter().filter(move |(name, _)| is_name(name, wanted)).map(|(_, value)| *value)
        };
        for (index, via) in every("Via").enumerate() {
            this.out.extend_from_slice(b"Via: ");
            if index == 0 {
                write_top_via(&mut this.out, via, source);
            } else {
                this.out.extend_from_slice(via);
            }
            this.out.extend_from_slice(b"\r\n");
        }
        for name in ["From", "To", "Call-ID", "CSeq"] {
            let Some(value) = every(name).next() else {
                continue;
            };
            this.out.extend_from_slice(name.as_bytes());
            this.out.extend_from_slice(b": ");
            if name == "To" && !to_tag.is_empty() && lacks_tag(value) {
                // A trailing semicolon is accepted on input, and must not come before that of the tag.
                this.out.extend_from_slice(without_semicolon(value));
                write!(OneLine(&mut this.out), ";tag={to_tag}").unwrap_or_default();
            } else {
                this.out.extend_from_slice(value);
            }
            this.out.extend_from_slice(b"\r\n");
        }
        this
    }

    /// Adds a header field.
    #[must_use]
    pub fn field(mut self, name: &str, value: impl fmt::Display) -> Self {
        write_field(&mut self.out, name, value);
        self
    }

    /// Adds a header field whose value need not be UTF-8.
    #[must_use]
    pub fn raw_field(mut self, name: &str, value: &[u8]) -> Self {
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b": ");
        self.out.extend(value.iter().map(one_line));
        self.out.extend_from_slice(b"\r\n");
        self
    }

    /// Content-Type, Content-Length, body.
    #[must_use]
    pub fn body(mut self, content_type: &str, body: &[u8]) -> Bytes {
        write_field(&mut self.out, "Content-Type", content_type);
        write_field(&mut self.out, "Content-Length", body.len());
        self.out.extend_from_slice(b"\r\n");
        self.out.extend_from_slice(body);
        self.out.into()
    }

    /// No body, Content-Length: 0.
    #[must_use]
    pub fn finish(mut self) -> Bytes {
        self.out.extend_from_slice(b"Content-Length: 0\r\n\r\n");
        self.out.into()
    }
}

/// The top Via with the request's real source: `received` if that differs from what it says, or if `rport` asks for it
/// (RFC 3261 §18.2.1, RFC 3581 §4). What the sender put there itself is replaced. A malformed one is copied unchanged.
pub(super) fn write_top_via(out: &mut Vec<u8>, value: &[u8], source: SocketAddr) {
    let start = out.len();
    if copy_top_via(out, value, source).is_err() {
        out.truncate(start);
        out.extend_from_slice(value);
    }
}

/// The value with `?` for each non-ASCII byte: of the same length, so that offsets in both agree.
fn masked(value: &[u8]) -> String {
    value.iter().map(|byte| if byte.is_ascii() { char::from(*byte) } else { '?' }).collect()
}

fn copy_top_via(out: &mut Vec<u8>, value: &[u8], source: SocketAddr) -> Result<(), Error> {
    let text = masked(value);
    let mut cursor = Cursor::new(&text);
    let raw = |from: usize, to: usize| value.get(from..to).unwrap_or_default();
    let (_, host, _) = scan_sent_by(&mut cursor)?;
    let ip = source.ip().to_canonical();
    let mut told = literal(host) != Some(ip);
    out.extend_from_slice(raw(0, cursor.at()).trim_ascii_end());
    loop {
        cursor.skip_blanks();
        let start = cursor.at();
        let Some(param) = next_param(&mut cursor)? else {
            break;
        };
        if param.name.eq_ignore_ascii_case("rport") {
            told = true;
        } else if !param.name.eq_ignore_ascii_case("received") {
            out.extend_from_slice(raw(start, cursor.at()).trim_ascii_end());
            continue;
        }
        if param.name.eq_ignore_ascii_case("rport") {
            write!(OneLine(out), ";rport={}", source.port()).unwrap_or_default();
        }
    }
    check_element_end(&cursor)?;
    if told {
        write!(OneLine(out), ";received={ip}").unwrap_or_default();
    }
    out.extend_from_slice(raw(cursor.at(), value.len()));
    Ok(())
}

/// The value without semicolons at its end.
fn without_semicolon(mut value: &[u8]) -> &[u8] {
    while let Some(rest) = value.strip_suffix(b";") {
        value = rest.trim_ascii_end();
    }
    value
}

/// True for an address without a tag; a malformed one is left alone.
fn lacks_tag(value: &[u8]) -> bool {
    let has_tag = |value: &str| -> Result<bool, Error> {
        let mut cursor = Cursor::new(value);
        Address::scan(&mut cursor)?;
        while let Some(param) = next_param(&mut cursor)? {
            if param.name.eq_ignore_ascii_case("tag") {
                return Ok(true);
            }
        }
        Ok(false)
    };
    has_tag(&header_text(value)) == Ok(false)
}

/// The refusal of a request that `parse` rejected, if enough of it is readable to answer (a request line and a Via;
/// From, To, Call-ID and CSeq as far as present, RFC 4475 §3.3.1); None for responses, ACK and garbage.
#[must_use]
pub fn refusal(bytes: &[u8], error: &Error, source: SocketAddr, to_tag: &str) -> Option<Bytes> {
    let mut lines = head_lines(bytes).into_iter();
    let start = lines.next()?;
    let start = std::str::from_utf8(&start).ok()?.trim_ascii_end();
    let method = start.split(' ').next().filter(|method| is_token_text(method) && *method != "ACK")?;
    let version = start.rsplit(' ').next().filter(|version| version.len() > 4 && *version != method)?;
    if !version.get(..4).is_some_and(|protocol| protocol.eq_ignore_ascii_case("SIP/")) {
        return None;
    }
    let lines: Vec<_> = lines.collect();
    let fields: Vec<_> = lines.iter().filter_map(|line| split_field(line)).collect();
    let has_via = fields.iter().any(|(name, _)| is_name(name, "Via"));
    has_via.then(|| Compose::answer(error.status(), &error.reason(), &fields, (to_tag, source)).finish())
}

/// The lines of a possibly malformed head, unfolded, control characters except HTAB replaced by spaces, without the
/// blank line.
fn head_lines(bytes: &[u8]) -> Vec<Vec<u8>> {
    let bytes = bytes.get(super::scan::leading_line_ends(bytes)..).unwrap_or_default();
    let head = bytes.get(..super::scan::head_end(bytes, 0).unwrap_or(bytes.len())).unwrap_or_default();
    let mut lines: Vec<Vec<u8>> = Vec::new();
    for line in head.split(|byte| *byte == b'\n').take(HEADER_FIELDS_MAX) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let clean =
            line.iter().map(|byte| if byte.is_ascii_control() && *byte != b'\t' { b' ' } else { *byte });
        match lines.last_mut() {
            Some(last) if matches!(line.first(), Some(b' ' | b'\t')) => last.extend(clean),
            _ => lines.push(clean.collect()),
        }
    }
    lines
}

fn split_field(line: &[u8]) -> Option<(&str, &[u8])> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let name = std::str::from_utf8(line.get(..colon)?).ok()?.trim_ascii_end();
    Some((name, line.get(colon + 1..)?.trim_ascii()))
}
