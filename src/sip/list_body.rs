//! A body with a list of its recipients beside it: RFC 5365 §4, RFC 4826, RFC 5364 (W27). `uri_list` reads it.

use bytes::Bytes;

use super::mime_builder::multipart;
use super::uri::Uri;

/// Whether a recipient is named to the others (RFC 5364 §4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Copy {
    /// Named to the others.
    To,
    /// Not named.
    Bcc,
}

impl Copy {
    const fn word(self) -> &'static str {
        match self {
            Self::To => "to",
            Self::Bcc => "bcc",
        }
    }
}

/// Content-Type and body of a `multipart/mixed` of the message, unencoded (SIP is 8-bit clean, RFC 3261 §7.4.1), and
/// the list of these people. The boundary must be one that nobody could know when the message was written.
#[must_use]
pub fn with_list(
    (content_type, body): (&str, &[u8]),
    people: &[Uri],
    copy: Copy,
    boundary: &str,
) -> (String, Bytes) {
    let message = format!("Content-Type: {content_type}\r\nContent-Transfer-Encoding: binary");
    let list =
        "Content-Type: application/resource-lists+xml\r\nContent-Disposition: recipient-list".to_owned();
    let xml = xml(people, copy);
    let whole = multipart(boundary, &[(message, body), (list, xml.as_bytes())]);
    (format!("multipart/mixed;boundary={boundary}"), whole)
}

fn xml(people: &[Uri], copy: Copy) -> String {
    let entry = |uri: &Uri| {
        format!("<entry uri=\"{}\" cp:copyControl=\"{}\"/>\r\n", escaped(uri.as_str()), copy.word())
    };
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n\
         <resource-lists xmlns=\"urn:ietf:params:xml:ns:resource-lists\" \
         xmlns:cp=\"urn:ietf:params:xml:ns:copycontrol\">\r\n<list>\r\n{}</list>\r\n</resource-lists>",
        people.iter().map(entry).collect::<String>()
    )
}

/// Escapes text for an attribute value (XML 1.0 §2.3).
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use mail_parser::{MessageParser, MimeHeaders};
    use proptest::prelude::*;

    use super::*;
    use crate::sip::enclose;
    use crate::sip::{Message, Request, content, parse, with_secondary_to};

    fn people(all: &[&str]) -> Vec<Uri> {
        all.iter().map(|text| Uri::parse(text).unwrap()).collect()
    }

    /// The same as our proxy reads it (W26).
    fn read_back(content_type: &str, body: &[u8]) -> Request {
        let head = format!(
            "MESSAGE sip:domain.com SIP/2.0\r\nVia: SIP/2.0/TCP a.domain.com;branch=z9hG4bK1\r\nMax-Forwards: 70\r\n\
             To: <sip:domain.com>\r\nFrom: <sip:james@domain.com>;tag=1\r\nCall-ID: c1\r\nCSeq: 1 MESSAGE\r\n\
             Require: recipient-list-message\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let Ok(Message::Request(request)) = parse([head.as_bytes(), body].concat().into()) else {
            panic!("it can be read")
        };
        with_secondary_to(&request).unwrap()
    }

    #[test]
    fn w27_a_message_and_its_list_are_two_parts() {
        let people = people(&["sip:ann@domain.com", "sip:bob&co@domain.com;x=1"]);
        let (kind, body) = with_list(("text/plain", b"Come here."), &people, Copy::To, "b1");
        assert_eq!(kind, "multipart/mixed;boundary=b1");
        let expected = "--b1\n\
            Content-Type: text/plain\n\
            Content-Transfer-Encoding: binary\n\
            \n\
            Come here.\n\
            --b1\n\
            Content-Type: application/resource-lists+xml\n\
            Content-Disposition: recipient-list\n\
            \n\
            <?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
            <resource-lists xmlns=\"urn:ietf:params:xml:ns:resource-lists\" xmlns:cp=\"urn:ietf:params:xml:ns:copycontrol\">\n\
            <list>\n\
            <entry uri=\"sip:ann@domain.com\" cp:copyControl=\"to\"/>\n\
            <entry uri=\"sip:bob&amp;co@domain.com;x=1\" cp:copyControl=\"to\"/>\n\
            </list>\n\
            </resource-lists>\n\
            --b1--\n";
        assert_eq!(std::str::from_utf8(&body).unwrap(), expected.replace('\n', "\r\n"));
    }

    #[test]
    fn w27_another_reader_finds_both_parts() {
        let (kind, body) =
            with_list(("text/plain", b"Come here."), &people(&["sip:ann@domain.com"]), Copy::Bcc, "b1");
        let whole = [b"Content-Type: ", kind.as_bytes(), b"\r\n\r\n", &body].concat();
        let parsed = MessageParser::default().parse(&whole).unwrap();
        assert_eq!(parsed.parts.len(), 3, "{parsed:#?}");
        assert_eq!(parsed.parts[1].contents(), b"Come here.");
        assert!(parsed.parts[2].is_content_type("application", "resource-lists+xml"));
        assert_eq!(parsed.parts[2].content_disposition().unwrap().ctype(), "recipient-list");
        let list = String::from_utf8_lossy(parsed.parts[2].contents());
        let document = roxmltree::Document::parse(&list).unwrap();
        let entry = document.descendants().find(|node| node.has_tag_name((RESOURCE_LISTS, "entry"))).unwrap();
        assert_eq!(entry.attribute("uri"), Some("sip:ann@domain.com"));
        assert_eq!(entry.attribute((COPY_CONTROL, "copyControl")), Some("bcc"));
    }

    const RESOURCE_LISTS: &str = "urn:ietf:params:xml:ns:resource-lists";
    const COPY_CONTROL: &str = "urn:ietf:params:xml:ns:copycontrol";

    #[test]
    fn w27_our_proxy_reads_who_it_is_for_and_who_is_hidden() {
        let all = people(&["sip:ann@domain.com", "sip:o'neil&co@domain.com", "tel:+15551234"]);
        let (kind, body) = with_list(("text/plain", b"x"), &all, Copy::Bcc, "b1");
        let request = read_back(&kind, &body);
        assert_eq!(request.fields().first("To"), Some("<sip:ann@domain.com>;copy=bcc"));
        let further = "<sip:o'neil&co@domain.com>;copy=bcc, <tel:+15551234>;copy=bcc";
        assert_eq!(request.fields().first("Secondary-To"), Some(further));
    }

    proptest! {
        #[test]
        fn w27_what_is_in_the_message_comes_out_as_it_was(
            text in "[ -~\r\n\u{e4}\u{1F600}]{0,60}",
            all in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..60), 0..3),
        ) {
            let files: Vec<_> = all.iter().map(|bytes| crate::sip::File {
                name: Some("f.bin".to_owned()),
                media_type: "application/zip".to_owned(),
                bytes: Bytes::copy_from_slice(bytes),
            }).collect();
            let (kind, body) = enclose(&text, &files);
            let (outer, whole) = with_list((&kind, &body), &people(&["sip:a@b", "sip:c@b"]), Copy::To, "b8WqpxTz5yQ");
            let request = read_back(&outer, &whole);
            prop_assert_eq!(request.fields().first("Content-Type"), Some(kind.as_str()));
            prop_assert_eq!(&request.body()[..], &body[..]);
            prop_assert_eq!(content(&kind, &request.body()), content(&kind, &body));
        }
    }
}
