//! The front door of the wire room: read, print, what is wrong. (CONTRACT STUBS: the sip author replaces the bodies and splits into sip/*.rs; names and signatures stay.)
#![allow(unused_variables, missing_docs, clippy::all, dead_code, unused_imports)]
use std::fmt; use std::net::{IpAddr, SocketAddr}; use std::time::Duration; use bytes::Bytes;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transport { Udp, Tcp, Tls }
impl Transport {
    /// "udp", "tcp", "tls" in any case.
    pub fn parse(text: &str) -> Option<Self> { todo!() }
    /// UDP needs retransmission; streams do not.
    pub fn is_reliable(self) -> bool { todo!() }
    /// Upper case, as in Via.
    pub fn as_str(self) -> &'static str { todo!() }
}
impl fmt::Display for Transport { fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { todo!() } }

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Method { Message, Register, Notify, Options, Invite, Ack, Bye, Cancel, Subscribe, Other(Box<str>) }
impl Method { pub fn as_str(&self) -> &str { todo!() } }

/// What is wrong with bytes, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error { /* what: &'static str, header: Option<..>, at: usize */ }
impl Error {
    /// The status that a request with this fault gets: 400, 413, 416, 505.
    pub fn status(&self) -> u16 { todo!() }
    /// "Bad Secondary-To: no address at byte 12": short, fits a reason phrase, names no content.
    pub fn reason(&self) -> String { todo!() }
}
impl fmt::Display for Error { fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { todo!() } }
impl std::error::Error for Error {}

#[derive(Clone, Debug)]
pub enum Message { Request(Request), Response(Response) }
/// Reads one message: a datagram, or what Framer cut out of a stream. Cheap: spans over `bytes`.
/// Everything mandatory (Via, From, To, Call-ID, CSeq, method agreement, Content-Length) is checked here.
pub fn parse(bytes: Bytes) -> Result<Message, Error> { todo!() }
/// The refusal of a request that `parse` refused, where enough of it can be read to answer (Via, From, To, Call-ID, CSeq); None for responses, ACK and rubbish.
pub fn refusal(bytes: &[u8], error: &Error, source: SocketAddr, to_tag: &str) -> Option<Bytes> { todo!() }
/// Standard reason phrase ("Accepted" for 202, ...).
pub fn reason_phrase(status: u16) -> &'static str { todo!() }

#[derive(Clone, Debug)]
pub struct Request { /* .. */ }
impl Request {
    pub fn method(&self) -> &Method { todo!() }
    pub fn uri(&self) -> &Uri { todo!() }
    pub fn fields(&self) -> &Fields { todo!() }
    pub fn body(&self) -> Bytes { todo!() }
    /// The received bytes, whole (datagram surplus cut off).
    pub fn bytes(&self) -> &Bytes { todo!() }
}
#[derive(Clone, Debug)]
pub struct Response { /* .. */ }
impl Response {
    pub fn status(&self) -> u16 { todo!() }
    pub fn reason(&self) -> &str { todo!() }
    pub fn fields(&self) -> &Fields { todo!() }
    pub fn body(&self) -> Bytes { todo!() }
    pub fn bytes(&self) -> &Bytes { todo!() }
}
/// The header fields. Names are asked for in their long form; compact forms and any case match.
#[derive(Clone, Debug)]
pub struct Fields { /* .. */ }
impl Fields {
    /// (name as written, value unfolded and trimmed) in order.
    pub fn all(&self) -> impl Iterator<Item = (&str, &str)> { std::iter::empty() }
    pub fn first(&self, name: &str) -> Option<&str> { todo!() }
    pub fn every<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> + 'a { std::iter::empty() }
    /// Elements of a comma-separated header over all its fields (Supported, Require, Proxy-Require, Allow, Accept), trimmed.
    pub fn has_token(&self, name: &str, token: &str) -> bool { todo!() }
    pub fn tokens<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> + 'a { std::iter::empty() }
    // Checked by parse, so these cannot fail:
    pub fn top_via(&self) -> Via { todo!() }
    pub fn from(&self) -> NameAddr { todo!() }
    pub fn to(&self) -> NameAddr { todo!() }
    pub fn call_id(&self) -> &str { todo!() }
    pub fn cseq(&self) -> u32 { todo!() }
    pub fn cseq_method(&self) -> &Method { todo!() }
    // Optional ones; Err when present and broken.
    pub fn max_forwards(&self) -> Result<Option<u8>, Error> { todo!() }
    pub fn expires(&self) -> Result<Option<u32>, Error> { todo!() }
    pub fn contacts(&self) -> Result<Contacts, Error> { todo!() }
    pub fn routes(&self, name: &str) -> Result<Vec<NameAddr>, Error> { todo!() } // Route, Record-Route, Path...
}
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Via { pub transport: String, pub host: String, pub port: Option<u16>, pub params: Params }
impl Via { pub fn branch(&self) -> Option<&str> { todo!() } }
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Params(pub Vec<(String, Option<String>)>);
impl Params { /// case-insensitive name; quotes taken off
    pub fn get(&self, name: &str) -> Option<&str> { todo!() }
    pub fn has(&self, name: &str) -> bool { todo!() } }
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameAddr { pub display: Option<String>, pub uri: Uri, pub params: Params }
impl NameAddr { pub fn parse(text: &str) -> Result<Self, Error> { todo!() } pub fn tag(&self) -> Option<&str> { todo!() } }
impl fmt::Display for NameAddr { fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { todo!() } }
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Contacts { /// `Contact: *`
    All, List(Vec<NameAddr>) }

/// A URI as written, with its parts. Eq/Ord compare the text; `same_as` compares by RFC 3261 19.1.4.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uri { /* text + ranges */ }
impl fmt::Debug for Uri { fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { todo!() } }
impl fmt::Display for Uri { fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { todo!() } }
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scheme { Sip, Sips, Im, Pres, Tel, Other(Box<str>) }
impl Uri {
    pub fn parse(text: &str) -> Result<Self, Error> { todo!() }
    /// What a person typed: `ann@domain.com` becomes `sip:ann@domain.com`, with a scheme it stays.
    pub fn typed(text: &str) -> Result<Self, Error> { todo!() }
    pub fn as_str(&self) -> &str { todo!() }
    pub fn scheme(&self) -> &Scheme { todo!() }
    pub fn user(&self) -> Option<&str> { todo!() }      // escaped, as written, without password
    pub fn host(&self) -> &str { todo!() }              // "[::1]" keeps its brackets; empty for tel: and unknown schemes
    pub fn port(&self) -> Option<u16> { todo!() }
    pub fn ip(&self) -> Option<IpAddr> { todo!() }      // when host is a literal (maddr ignored)
    pub fn param(&self, name: &str) -> Option<&str> { todo!() } // "" for a flag
    pub fn transport(&self) -> Option<Transport> { todo!() }    // from ;transport=, sips is Tls
    /// im: and pres: become sip:, the rest stays (W3).
    pub fn to_sip(&self) -> Uri { todo!() }
    pub fn same_as(&self, other: &Uri) -> bool { todo!() }
    pub fn aor(&self) -> Aor { todo!() }
}
/// Canonical address-of-record `user@domain`: escapes undone where not needed, host in small letters, no port, no params, no scheme.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Aor { /* String + at */ }
impl Aor { pub fn user(&self) -> &str { todo!() } pub fn domain(&self) -> &str { todo!() } pub fn as_str(&self) -> &str { todo!() }
    /// From stored text.
    pub fn parse(text: &str) -> Option<Self> { todo!() } }
impl fmt::Display for Aor { fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { todo!() } }

// ---- compose ----
/// Prints a message field by field. CR and LF in a value are replaced by a blank (no header injection).
#[derive(Debug)]
pub struct Compose { /* Vec<u8> */ }
impl Compose {
    pub fn request(method: &Method, uri: &Uri) -> Self { todo!() }
    /// Via (received and rport filled in on the top one from `source`, RFC 3261 18.2.1, RFC 3581), From, To with tag added if it has none, Call-ID, CSeq copied.
    /// `reason` None = the standard phrase.
    pub fn response(request: &Request, status: u16, reason: Option<&str>, to_tag: &str, source: SocketAddr) -> Self { todo!() }
    pub fn field(self, name: &str, value: impl fmt::Display) -> Self { todo!() }
    /// Content-Type, Content-Length, body.
    pub fn body(self, content_type: &str, body: &[u8]) -> Bytes { todo!() }
    /// No body, Content-Length: 0.
    pub fn finish(self) -> Bytes { todo!() }
}
/// A received message sent on with changes: unknown header fields, order and body stay byte for byte.
#[derive(Debug)]
pub struct Edit<'a> { _p: std::marker::PhantomData<&'a ()> }
impl<'a> Edit<'a> {
    pub fn request(request: &'a Request) -> Self { todo!() }
    pub fn response(response: &'a Response) -> Self { todo!() }
    pub fn uri(self, uri: &Uri) -> Self { todo!() }
    /// A new first field of that name, before the others of it (Via, Record-Route).
    pub fn push_front(self, name: &str, value: impl fmt::Display) -> Self { todo!() }
    /// One field in place of all of that name (added when there was none).
    pub fn set(self, name: &str, value: impl fmt::Display) -> Self { todo!() }
    pub fn remove(self, name: &str) -> Self { todo!() }
    /// Takes off the topmost value (first element of a comma list) of Via or Route.
    pub fn pop(self, name: &str) -> Self { todo!() }
    /// Takes one token out of a comma list; the field goes when none is left.
    pub fn remove_token(self, name: &str, token: &str) -> Self { todo!() }
    /// Content-Length is set to the body's true length.
    pub fn print(self) -> Bytes { todo!() }
}
/// One submission prepared for its legs (W15): the block that all legs share is built once, a leg is patched from it.
#[derive(Clone, Debug)]
pub struct LegTemplate { /* .. */ }
impl LegTemplate {
    /// `recipients`: all, in order, so that leg i leaves its own Also-To out (bcc ones are named to nobody, and a bcc leg names nobody, W7).
    /// `date`: an RFC 1123 date, used when the submission has none. `strip_route`: top Route is ours.
    pub fn new(submission: &Request, recipients: &[Addressed], date: &str) -> Self { todo!() }
    pub fn print(&self, leg: &Leg<'_>) -> Bytes { todo!() }
}
#[derive(Debug)]
pub struct Leg<'a> { pub recipient: usize, pub uri: &'a Uri, pub via: &'a str, pub from_tag: &'a str, pub call_id: &'a str, pub expires: Option<u32> }

// ---- Secondary-To ----
/// One recipient of a submission, as spelled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addressed { pub uri: Uri, pub display: Option<String>, pub bcc: bool }
/// `To`, then every Secondary-To in order (W1, W2, W7). No duplicates removed here.
pub fn recipients(fields: &Fields) -> Result<Vec<Addressed>, Error> { todo!() }
/// The Also-To of a received message; broken ones are left out.
pub fn also_to(fields: &Fields) -> Vec<NameAddr> { todo!() }
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum ReportMode { #[default] Final, Each, None }
/// `Delivery-Report: each;detail;id=TOKEN` (W9).
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct ReportWish { pub mode: ReportMode, pub detail: bool, pub id: Option<String> }
impl ReportWish { /// absent = default; an unknown word = Final
    pub fn of(fields: &Fields) -> Result<Self, Error> { todo!() } }
impl fmt::Display for ReportWish { fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { todo!() } }

// ---- delivery report ----
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReportState { Success, Failure, Pending, Deferred, Unknown(String) }
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportLine { pub address: String, pub state: ReportState, pub status: Option<u16>, pub reason: Option<String>, pub tries: Option<u32>, pub after: Option<Duration> }
/// W20, W21. Lines that are not of the grammar are an error naming the line.
pub fn read_report(body: &[u8]) -> Result<Vec<ReportLine>, Error> { todo!() }
pub fn write_report(lines: &[ReportLine], detail: bool) -> String { todo!() }

// ---- framing ----
/// Cuts messages out of a byte stream (RFC 3261 18.3); CRLF keep-alives between messages are reported.
#[derive(Debug, Default)]
pub struct Framer { /* BytesMut */ }
#[derive(Debug, PartialEq, Eq)]
pub enum Framed { Message(Bytes), /// CRLFCRLF: answer with CRLF (RFC 5626 4.4.1)
    Ping, Pong }
impl Framer {
    pub fn push(&mut self, bytes: &[u8]) { todo!() }
    /// None: more bytes are needed. Err: the stream cannot be read any further (no Content-Length, over a limit).
    pub fn next(&mut self) -> Result<Option<Framed>, Error> { todo!() }
    /// True while part of a message waits for the rest.
    pub fn is_mid_message(&self) -> bool { todo!() }
}
