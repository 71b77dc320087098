//! Messages as text: what the tests send, and what they read of what the proxy sent.

use bytes::Bytes;

use crate::sip::second_reader;

/// The patent's example as docs/wire.md writes it.
pub(super) const SUBMISSION: &str = "MESSAGE sip:ann@domain.com SIP/2.0
Via: SIP/2.0/UDP jamesmob.domain.com;branch=z9hG4bK776;rport
Max-Forwards: 70
From: <im:james@domain.com>;tag=49583
To: <im:ann@domain.com>
Secondary-To: <im:bob@domain.com>
Contact: <sip:james@jamesmob.domain.com>
Call-ID: asd88asd77a@jamesmob.domain.com
CSeq: 1 MESSAGE
Proxy-Require: secondary-to
Content-Type: text/plain
Content-Length: 10

Come here.";

/// Turns the LFs of a literal into CRLFs, in the header section only.
pub(super) fn wire(text: &str) -> Vec<u8> {
    let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
    format!("{}\r\n\r\n{body}", head.trim_end().replace('\n', "\r\n")).into_bytes()
}

/// The value of the first header field of that name.
pub(super) fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let head = text.split("\r\n\r\n").next()?;
    head.split("\r\n").find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

pub(super) fn fields<'a>(text: &'a str, name: &str) -> Vec<&'a str> {
    let head = text.split("\r\n\r\n").next().unwrap();
    head.split("\r\n").filter_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).collect()
}

pub(super) fn status(text: &str) -> u16 {
    text.strip_prefix("SIP/2.0 ").unwrap().split(' ').next().unwrap().parse().unwrap()
}

pub(super) fn body(text: &str) -> &str {
    text.split_once("\r\n\r\n").unwrap().1
}

/// Reads everything that is sent with an independent parser.
pub(super) fn readable(bytes: &Bytes) {
    // That parser does not know `tel:`.
    let has_number = memchr::memmem::find(bytes, b"tel:").is_some();
    if !has_number && (bytes.starts_with(b"NOTIFY ") || bytes.starts_with(b"MESSAGE ")) {
        let reading = second_reader::read(bytes);
        assert!(reading.is_ok(), "{reading:?}: {}", String::from_utf8_lossy(bytes));
    }
}

/// A REGISTER with its own branch.
pub(super) fn register(name: &str, contact: &str, cseq: u32, expires: u32) -> String {
    format!(
        "REGISTER sip:domain.com SIP/2.0
Via: SIP/2.0/UDP 192.0.2.250;branch=z9hG4bKreg{name}{cseq}-{expires}-{}
Max-Forwards: 70
From: <sip:{name}@domain.com>;tag=r{name}
To: <sip:{name}@domain.com>
Call-ID: reg-{name}
CSeq: {cseq} REGISTER
Contact: {contact}
Expires: {expires}
Content-Length: 0

",
        contact.bytes().map(u32::from).sum::<u32>()
    )
}

/// The submission with one line changed, and another branch and Call-ID: another message.
pub(super) fn other_submission(old: &str, new: &str) -> String {
    assert!(SUBMISSION.contains(old), "{old}");
    SUBMISSION.replace(old, new)
}
