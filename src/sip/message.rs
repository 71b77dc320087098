//! Requests and responses: checked values over the received bytes (RFC 3261 §7, §8.2, §18.3).

use std::borrow::Cow;

use bytes::Bytes;

use super::cursor::{is_token_text, number};
use super::error::Error;
use super::fields::{Checked, Fields};
use super::header::check_name_addr;
use super::names::{CheckedField, Method};
use super::scan::{self, Head};
use super::uri::Uri;
use super::via::{Via, check_call_id, check_via, read_cseq};
use crate::limits::{MESSAGE_BYTES_MAX, REASON_BYTES_MAX};

/// A message as received, or as printed and parsed again.
#[derive(Clone, Debug)]
pub enum Message {
    /// A request.
    Request(Request),
    /// A response.
    Response(Response),
}

/// A request whose mandatory fields are valid.
#[derive(Clone, Debug)]
pub struct Request {
    uri: Uri,
    whole: Whole,
}

/// A response that can be matched to its request: by the branch of its topmost Via and the method in its CSeq (§17.1.3).
/// The rest is as its sender wrote it.
#[derive(Clone, Debug)]
pub struct Response {
    status: u16,
    whole: Whole,
}

#[derive(Clone, Debug)]
struct Whole {
    fields: Fields,
    bytes: Bytes,
}

impl Whole {
    fn raw_fields(&self) -> impl Iterator<Item = (&str, Cow<'_, [u8]>)> {
        let (head, bytes) = (self.fields.head(), &self.bytes);
        head.spans().iter().map(move |span| (head.name(span), Head::raw_value(span, bytes)))
    }

    fn body(&self) -> Bytes {
        let head = self.fields.head().len().min(self.bytes.len());
        self.bytes.slice(head..)
    }
}

impl Request {
    /// The method.
    #[must_use]
    pub fn method(&self) -> &Method {
        self.whole.fields.cseq_method()
    }

    /// The Request-URI; its scheme may be unknown.
    #[must_use]
    pub fn uri(&self) -> &Uri {
        &self.uri
    }

    /// The header fields.
    #[must_use]
    pub fn fields(&self) -> &Fields {
        &self.whole.fields
    }

    /// (name as written, value unfolded and trimmed) in order; values with their original bytes.
    pub(super) fn raw_fields(&self) -> impl Iterator<Item = (&str, Cow<'_, [u8]>)> {
        self.whole.raw_fields()
    }

    /// The body, any bytes.
    #[must_use]
    pub fn body(&self) -> Bytes {
        self.whole.body()
    }

    /// The received bytes of the message (excess bytes of a datagram cut off).
    #[must_use]
    pub fn bytes(&self) -> &Bytes {
        &self.whole.bytes
    }
}

/// As much of a reason phrase as is kept.
#[must_use]
pub fn kept_reason(phrase: &str) -> &str {
    phrase.get(..phrase.floor_char_boundary(REASON_BYTES_MAX)).unwrap_or_default()
}

impl Response {
    /// 100 to 699.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// (name as written, value unfolded and trimmed) in order; values with their original bytes.
    pub(super) fn raw_fields(&self) -> impl Iterator<Item = (&str, Cow<'_, [u8]>)> {
        self.whole.raw_fields()
    }

    /// The reason phrase, perhaps empty: its first `REASON_BYTES_MAX` bytes, since whoever answers may write anything, and it
    /// is kept and reported.
    #[must_use]
    pub fn reason(&self) -> &str {
        kept_reason(self.whole.fields.head().start_line().get("SIP/2.0 200 ".len()..).unwrap_or_default())
    }

    /// The header fields.
    #[must_use]
    pub fn fields(&self) -> &Fields {
        &self.whole.fields
    }

    /// The body, any bytes.
    #[must_use]
    pub fn body(&self) -> Bytes {
        self.whole.body()
    }

    /// The received bytes of the message (excess bytes of a datagram cut off).
    #[must_use]
    pub fn bytes(&self) -> &Bytes {
        &self.whole.bytes
    }
}

/// Parses one message: a datagram, or what [`super::Framer`] cut out of a stream. Cheap: spans over `bytes`.
///
/// Everything mandatory (Via, From, To, Call-ID, CSeq, method agreement, Content-Length) is checked here; in a response
/// only what is needed to know whose answer it is, since dropping it would look like no answer at all.
///
/// # Errors
/// It is not a SIP message, or one that no element may act upon; [`Error::status`] is the status to answer a request
/// with.
pub fn parse(bytes: Bytes) -> Result<Message, Error> {
    let bytes = bytes.slice(scan::leading_line_ends(&bytes)..);
    let (bytes, head) = scan_leniently(bytes)?;
    let start = StartLine::read(head.start_line()).map_err(|error| error.within("start line", 0))?;
    if bytes.len() > MESSAGE_BYTES_MAX {
        return Err(Error::whole("message", "over the size limit").with_status(413));
    }
    let (checked, length) = Mandatory::find(&head, &start)?.check(&start)?;
    let bytes = cut(&head, length, bytes)?;
    let (start, fields) = (start.owned(), Fields::new(checked.with(head)));
    if matches!(start, Start::Request(_)) {
        fields.check_credentials()?;
    }
    let whole = Whole { fields, bytes };
    Ok(match start {
        Start::Request(uri) => Message::Request(Request { uri, whole }),
        Start::Response(status) => Message::Response(Response { status, whole }),
    })
}

/// A response is accepted despite malformed lines that nobody needs: dropping it would look like no answer at all. A
/// request with such lines is refused, since the next hop might see other fields than we do.
fn scan_leniently(bytes: Bytes) -> Result<(Bytes, Head), Error> {
    match scan::scan(&bytes) {
        Ok(head) => Ok((bytes, head)),
        Err(error) if error.status() != 400 || !is_response(&bytes) => Err(error),
        Err(_) => {
            let mended = Bytes::from(scan::mend(&bytes)?);
            let head = scan::scan(&mended)?;
            Ok((mended, head))
        }
    }
}

/// No method contains `/`, so what starts like this cannot be a request.
fn is_response(start: &[u8]) -> bool {
    start.get(..4).is_some_and(|start| start.eq_ignore_ascii_case(b"SIP/"))
}

/// RFC 3261 §18.3 for a datagram: excess bytes are cut off, too few are an error, no Content-Length takes the rest.
fn cut(head: &Head, length: Option<usize>, bytes: Bytes) -> Result<Bytes, Error> {
    let there = bytes.len().saturating_sub(head.len());
    match length {
        Some(wanted) if wanted > there => Err(Error::whole("Content-Length", "body is shorter")),
        Some(wanted) => Ok(bytes.slice(..head.len() + wanted)),
        None => Ok(bytes),
    }
}

enum StartLine<'a> {
    Request(&'a str, Uri),
    Response(u16),
}

enum Start {
    Request(Uri),
    Response(u16),
}

impl<'a> StartLine<'a> {
    fn read(line: &'a str) -> Result<Self, Error> {
        if is_response(line.as_bytes()) {
            return Self::read_status_line(line);
        }
        let mut words = line.splitn(3, ' ');
        let (Some(method), Some(uri), Some(version)) = (words.next(), words.next(), words.next()) else {
            return Err(Error::at("not of three words", 0));
        };
        if !is_token_text(method) {
            return Err(Error::at("no method", 0));
        }
        check_version(version, method.len() + uri.len() + 2)?;
        let uri = Uri::parse(uri).map_err(|error| error.within("", method.len() + 1))?;
        if uri.headers().is_some() {
            // §19.1.1; RFC 4475 §3.1.2.11.
            return Err(Error::at("headers in Request-URI", method.len() + 1));
        }
        Ok(Self::Request(method, uri))
    }

    fn read_status_line(line: &'a str) -> Result<Self, Error> {
        let (version, rest) = line.split_once([' ', '\t']).unwrap_or((line, ""));
        check_version(version, 0)?;
        let status =
            rest.split([' ', '\t']).next().filter(|digits| digits.len() == 3).and_then(number::<u16>);
        match status {
            Some(status @ 100..=699) => Ok(Self::Response(status)),
            _ => Err(Error::at("no status", version.len() + 1)),
        }
    }

    fn owned(self) -> Start {
        match self {
            Self::Request(_, uri) => Start::Request(uri),
            Self::Response(status) => Start::Response(status),
        }
    }
}

/// Another version of SIP gets 505, anything else 400.
fn check_version(version: &str, at: usize) -> Result<(), Error> {
    if version.eq_ignore_ascii_case("SIP/2.0") {
        return Ok(());
    }
    let (protocol, number) = version.split_once('/').unwrap_or((version, ""));
    let (major, minor) = number.split_once('.').unwrap_or((number, ""));
    let is_number = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if protocol.eq_ignore_ascii_case("SIP") && is_number(major) && is_number(minor) {
        return Err(Error::at("unknown SIP version", at).with_status(505));
    }
    Err(Error::at("no SIP version", at))
}

/// The fields that every message has, and those that it may have once only.
#[derive(Default)]
struct Mandatory<'a> {
    via: Option<&'a str>,
    from: Option<&'a str>,
    to: Option<&'a str>,
    call_id: Option<&'a str>,
    cseq: Option<&'a str>,
    content_length: Option<&'a str>,
    max_forwards: Option<&'a str>,
    expires: Option<&'a str>,
}

impl<'a> Mandatory<'a> {
    /// The first of each; two that differ are an error, except for Via, which may repeat, and in a response for fields
    /// that nobody needs there.
    fn find(head: &'a Head, start: &StartLine<'_>) -> Result<Self, Error> {
        let is_response = matches!(start, StartLine::Response(_));
        let mut found = Self::default();
        for span in head.spans() {
            let known = span.known();
            let first = match known {
                CheckedField::Via => &mut found.via,
                CheckedField::From => &mut found.from,
                CheckedField::To => &mut found.to,
                CheckedField::CallId => &mut found.call_id,
                CheckedField::CSeq => &mut found.cseq,
                CheckedField::ContentLength => &mut found.content_length,
                CheckedField::MaxForwards => &mut found.max_forwards,
                CheckedField::Expires => &mut found.expires,
                CheckedField::Other => continue,
            };
            let value = head.value(span);
            match first {
                None => *first = Some(value),
                Some(other) if known == CheckedField::Via || *other == value => {}
                Some(_) if is_response && !is_needed(known) => {}
                Some(_) => return Err(Error::whole(known.name(), "two that differ")),
            }
        }
        Ok(found)
    }

    /// Checks what the layers above rely on; also returns the length of the body.
    fn check(&self, start: &StartLine<'_>) -> Result<(Numbers, Option<usize>), Error> {
        let is_response = matches!(start, StartLine::Response(_));
        let (via, address, call_id): (Check<'a>, Check<'a>, Check<'a>) = if is_response {
            (check_branch, |_| Ok(()), |_| Ok(()))
        } else {
            (check_via, check_name_addr, check_call_id)
        };
        check(self.via, CheckedField::Via, via)?;
        check(self.from, CheckedField::From, address)?;
        check(self.to, CheckedField::To, address)?;
        check(self.call_id, CheckedField::CallId, call_id)?;
        let (cseq, method) = check(self.cseq, CheckedField::CSeq, read_cseq)?;
        let length = match self.content_length.map(number) {
            None => None,
            // A datagram ends with the body.
            Some(None) if is_response => None,
            Some(None) => return Err(Error::whole(CheckedField::ContentLength.name(), "not a length")),
            Some(length) => length,
        };
        match start {
            StartLine::Request(asked, _) if *asked != method => {
                Err(Error::whole("CSeq", "method is not the request's"))
            }
            StartLine::Request(..) | StartLine::Response(_) => {
                Ok((Numbers { cseq, method: Method::of(method) }, length))
            }
        }
    }
}

/// Whether a response is worth something only if that field is there once.
fn is_needed(known: CheckedField) -> bool {
    matches!(known, CheckedField::CallId | CheckedField::CSeq | CheckedField::ContentLength)
}

/// Checks the value of a field.
type Check<'a> = fn(&'a str) -> Result<(), Error>;

/// A Via as it has to be in a response: it reads, or at least its branch does.
fn check_branch(value: &str) -> Result<(), Error> {
    check_via(value).or_else(|error| Via::read_leniently(value).branch().map(drop).ok_or(error))
}

/// The number and method in CSeq.
struct Numbers {
    cseq: u32,
    method: Method,
}

impl Numbers {
    fn with(self, head: Head) -> Checked {
        Checked { head, cseq: self.cseq, method: self.method }
    }
}

fn check<'a, T>(
    value: Option<&'a str>,
    known: CheckedField,
    read: impl Fn(&'a str) -> Result<T, Error>,
) -> Result<T, Error> {
    let value = value.ok_or_else(|| Error::whole(known.name(), "missing"))?;
    read(value).map_err(|error| error.within(known.name(), 0))
}
