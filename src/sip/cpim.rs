//! Common Presence and Instant Messaging (RFC 3862): wraps a message in headers of its own, which may request
//! disposition notifications (RFC 5438 §6).

use std::collections::BTreeMap;

use bytes::Bytes;

use super::cursor::elements;
use super::mime::{Ends, Headers, header_fields};
use crate::limits::IMDN_ID_BYTES_MAX;

/// The namespace of RFC 5438's headers.
const IMDN: &str = "urn:ietf:params:imdn";

/// The longest date and time accepted, with room for fractions of a second.
const DATE_TIME_BYTES_MAX: usize = 40;

/// A parsed `message/cpim` body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cpim {
    /// The type of the inner body; `text/plain` if none is given.
    pub content_type: String,
    /// The inner body, its transfer encoding decoded.
    pub body: Bytes,
    /// The sender's ID for it (RFC 5438 §6.3); none if it is missing or invalid.
    pub message_id: Option<String>,
    /// When it was written, according to its sender.
    pub date_time: Option<String>,
    /// Its sender wants to be told that it was delivered (RFC 5438 §6.2, `positive-delivery`).
    pub asks_delivery: bool,
    /// Its sender wants to be told that it was shown (`display`).
    pub asks_display: bool,
}

impl Cpim {
    /// Parses message headers, a blank line, MIME headers, a blank line, the body (RFC 3862 §2). Some write all headers in
    /// one block, as the examples of RFC 5438 are printed, and some begin with a blank line. None if it does not have any
    /// of these forms.
    #[must_use]
    pub fn parse(bytes: &Bytes) -> Option<Self> {
        let begin = bytes.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let (headers, rest) = header_fields(bytes, begin, Ends::AtBlankLine)?;
        if headers.0.is_empty() {
            return None;
        }
        let (inner, start) = if headers.first("Content-Type").is_some() {
            (Headers(headers.0.clone()), rest)
        } else {
            header_fields(bytes, rest, Ends::AtBlankLine)?
        };
        let mut cpim = Self {
            content_type: inner.first("Content-Type").unwrap_or("text/plain").to_owned(),
            body: inner.decoded(&bytes.slice(start..)),
            message_id: None,
            date_time: headers.0.iter().find(|(name, _)| name == "DateTime").map(|(_, value)| value.clone()),
            asks_delivery: false,
            asks_display: false,
        };
        cpim.date_time = cpim.date_time.filter(|text| is_date_time(text));
        cpim.take_notification_requests(&headers.0);
        Some(cpim)
    }

    /// Reads the headers of RFC 5438, under the prefix declared for their namespace before them (RFC 3862 §3.4).
    fn take_notification_requests(&mut self, headers: &[(String, String)]) {
        let mut prefixes = BTreeMap::from([("imdn", IMDN)]);
        for (name, value) in headers {
            if name == "NS" {
                let (prefix, uri) = value.split_once('<').unwrap_or(("", value));
                prefixes.insert(prefix.trim(), uri.trim().trim_end_matches('>'));
                continue;
            }
            let (prefix, local) = name.split_once('.').unwrap_or(("", name));
            if prefixes.get(prefix) != Some(&IMDN) {
                continue;
            }
            if local.eq_ignore_ascii_case("Message-ID") {
                self.message_id = Some(value.clone()).filter(|id| is_message_id(id));
            } else if local.eq_ignore_ascii_case("Disposition-Notification") {
                let asks = |what: &str| {
                    let word = |asked: &str| asked.split(';').next().is_some_and(|it| is_word(it, what));
                    elements(value).any(word)
                };
                self.asks_delivery |= asks("positive-delivery");
                self.asks_display |= asks("display");
            }
        }
    }
}

fn is_word(text: &str, word: &str) -> bool {
    text.trim().eq_ignore_ascii_case(word)
}

/// Whether the characters fit an RFC 3339 date and time; it is copied unchanged into our notification.
fn is_date_time(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b':' | b'.');
    text.len() <= DATE_TIME_BYTES_MAX && text.bytes().all(fits)
}

/// Whether an ID can stand in a header line and is short enough to be stored.
pub(super) fn is_message_id(id: &str) -> bool {
    !id.is_empty() && id.len() <= IMDN_ID_BYTES_MAX && !id.chars().any(char::is_control)
}

/// A CPIM wrapper to be printed.
#[derive(Clone, Copy, Debug)]
pub struct Envelope<'a> {
    /// The sender's URI.
    pub from: &'a str,
    /// The recipient's URI.
    pub to: &'a str,
    /// The time in RFC 3339 form.
    pub date_time: &'a str,
    /// The message's ID (RFC 5438 §6.3).
    pub message_id: &'a str,
    /// What is wrapped, and whether notifications are requested.
    pub content: Enclosed<'a>,
}

/// The content of a wrapper.
#[derive(Clone, Copy, Debug)]
pub enum Enclosed<'a> {
    /// A message of this media type, which requests delivery and display notifications.
    Asking(&'a str),
    /// A notification, which requests none (RFC 5438 §7.2.1.1).
    Notification,
}

impl Envelope<'_> {
    /// The whole `message/cpim` body.
    #[must_use]
    pub fn print(&self, body: &[u8]) -> Bytes {
        let Self { from, to, date_time, message_id, content } = self;
        let (asked, kind) = match content {
            Enclosed::Asking(content_type) => (
                "imdn.Disposition-Notification: positive-delivery, display\r\n",
                format!("Content-Type: {content_type}"),
            ),
            Enclosed::Notification => {
                ("", "Content-Type: message/imdn+xml\r\nContent-Disposition: notification".to_owned())
            }
        };
        let head = format!(
            "From: <{from}>\r\nTo: <{to}>\r\nDateTime: {date_time}\r\nNS: imdn <{IMDN}>\r\n\
             imdn.Message-ID: {message_id}\r\n{asked}\r\n{kind}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        Bytes::from([head.as_bytes(), body].concat())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 5438 §6.2's example, verbatim.
    const ASKING: &str = "From: Alice <im:alice@example.com>\r\nTo: Bob <im:bob@example.com>\r\n\
        NS: imdn <urn:ietf:params:imdn>\r\nimdn.Message-ID: 34jk324j\r\nDateTime: 2006-04-04T12:16:49-05:00\r\n\
        imdn.Disposition-Notification: positive-delivery, negative-delivery\r\nContent-type: text/plain\r\nContent-length: 12\r\n\r\nHello World";

    #[test]
    fn w28_the_body_within_is_found() {
        let bytes = Bytes::from(ASKING.replace("\r\nContent-type", "\r\n\r\nContent-type"));
        let cpim = Cpim::parse(&bytes).unwrap();
        assert_eq!((cpim.content_type.as_str(), &cpim.body[..]), ("text/plain", &b"Hello World"[..]));
        for odd in [ASKING.to_owned(), format!("\r\n{ASKING}"), format!("\n{}", ASKING.replace('\r', ""))] {
            assert_eq!(Cpim::parse(&Bytes::from(odd)).as_ref(), Some(&cpim), "all headers in one block");
        }
        let bare = Cpim::parse(&Bytes::from_static(b"From: a\n\n\nx")).unwrap();
        assert_eq!((bare.content_type.as_str(), &bare.body[..]), ("text/plain", &b"x"[..]));
    }

    #[test]
    fn w28_what_the_sender_asks_for_is_found_under_any_prefix() {
        let parsed = |text: &str| Cpim::parse(&Bytes::from(text.to_owned())).unwrap();
        let asking = ASKING.replace("\r\nContent-type", "\r\n\r\nContent-type");
        let cpim = parsed(&asking);
        assert_eq!(cpim.message_id.as_deref(), Some("34jk324j"));
        assert_eq!((cpim.asks_delivery, cpim.asks_display), (true, false));
        assert_eq!(cpim.date_time.as_deref(), Some("2006-04-04T12:16:49-05:00"));
        assert_eq!(parsed(&asking.replace("12:16", "<&")).date_time, None);
        let other = asking
            .replace("imdn.", "x.")
            .replace("imdn <", "x <")
            .replace("negative-delivery", "Display;a=b");
        let cpim = parsed(&other);
        assert_eq!((cpim.asks_delivery, cpim.asks_display), (true, true));
        // Without a prefix the namespace covers unprefixed names; under another prefix these are different headers.
        let bare = "NS: <urn:ietf:params:imdn>\nMessage-ID: a1\nDisposition-Notification: display\n\n\nx";
        assert_eq!((parsed(bare).message_id.as_deref(), parsed(bare).asks_display), (Some("a1"), true));
        let foreign =
            "NS: imdn <urn:other>\nimdn.Message-ID: a1\nimdn.Disposition-Notification: display\n\n\nx";
        assert_eq!((parsed(foreign).message_id, parsed(foreign).asks_display), (None, false));
        let long = format!("imdn.Message-ID: {}\n\n\nx", "a".repeat(IMDN_ID_BYTES_MAX + 1));
        assert_eq!(parsed(&long).message_id, None);
    }

    #[test]
    fn w28_parameters_of_a_request_know_quotes_and_any_byte_may_stand_in_a_header() {
        let asking = |asked: &str| {
            let text = format!("From: J\u{fc}rgen\nimdn.Disposition-Notification: {asked}\n\n\nx");
            let latin: Vec<u8> = text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
            let cpim = Cpim::parse(&Bytes::from(latin)).unwrap();
            (cpim.asks_delivery, cpim.asks_display)
        };
        assert_eq!(asking("positive-delivery;x=\"a, display\""), (true, false));
        assert_eq!(asking("x;y=\"\\\", display\", Display ; z"), (false, true));
        let encoded = "From: a\n\nContent-Type: text/plain\nContent-Transfer-Encoding: base64\n\nSGk=";
        assert_eq!(&Cpim::parse(&Bytes::from(encoded)).unwrap().body[..], b"Hi");
    }

    #[test]
    fn w28_what_is_printed_is_read_again() {
        let envelope = Envelope {
            from: "sip:ann@domain.com",
            to: "sip:bob@domain.com",
            date_time: "2010-11-13T23:29:00Z",
            message_id: "34jk324j",
            content: Enclosed::Asking("text/plain;charset=utf-8"),
        };
        let printed = envelope.print("Grüße".as_bytes());
        assert_eq!(
            std::str::from_utf8(&printed).unwrap(),
            "From: <sip:ann@domain.com>\r\nTo: <sip:bob@domain.com>\r\nDateTime: 2010-11-13T23:29:00Z\r\n\
             NS: imdn <urn:ietf:params:imdn>\r\nimdn.Message-ID: 34jk324j\r\n\
             imdn.Disposition-Notification: positive-delivery, display\r\n\r\n\
             Content-Type: text/plain;charset=utf-8\r\nContent-Length: 7\r\n\r\nGrüße"
        );
        let cpim = Cpim::parse(&printed).unwrap();
        assert_eq!((&cpim.body[..], cpim.asks_delivery, cpim.asks_display), ("Grüße".as_bytes(), true, true));
        let silent = Envelope { content: Enclosed::Notification, ..envelope }.print(b"<imdn/>");
        let cpim = Cpim::parse(&silent).unwrap();
        assert_eq!(cpim.content_type, "message/imdn+xml");
        assert_eq!((cpim.asks_delivery, cpim.asks_display), (false, false));
    }

    #[test]
    fn what_has_another_form_is_none() {
        for body in [
            "",
            "x",
            "From: a",
            "From: a\r\n",
            "From: a\r\n\r\nContent-Type: text/plain",
            "\r\n\r\nx",
            " folded\r\n\r\n\r\nx",
            "no colon\r\n\r\n\r\n",
        ] {
            assert_eq!(Cpim::parse(&Bytes::from(body)), None, "{body:?}");
        }
    }
}
