//! Common Presence and Instant Messaging (RFC 3862): a message with headers of its own around its body.

use bytes::Bytes;

/// A `message/cpim` body taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cpim {
    /// Of the body within; `text/plain` where it has none.
    pub(super) content_type: String,
    /// The body within.
    pub(super) body: Bytes,
}

impl Cpim {
    /// Takes it apart: message headers, a blank line, MIME headers, a blank line, the body (RFC 3862 §2). None where
    /// it is not of that form.
    pub(super) fn parse(bytes: &Bytes) -> Option<Self> {
        let (headers, rest) = block(bytes, 0)?;
        if headers.is_empty() {
            return None;
        }
        let (inner, start) = block(bytes, rest)?;
        let find = |name: &str| inner.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        Some(Self {
            content_type: find("Content-Type")
                .map_or_else(|| "text/plain".to_owned(), |(_, value)| value.clone()),
            body: bytes.slice(start..),
        })
    }
}

/// Header lines from `start` up to a blank line, and where the rest begins. A folded line goes on the one before.
fn block(bytes: &[u8], start: usize) -> Option<(Vec<(String, String)>, usize)> {
    let mut headers: Vec<(String, String)> = Vec::new();
    let mut at = start;
    loop {
        let rest = bytes.get(at..)?;
        let length = rest.iter().position(|byte| *byte == b'\n')?;
        let line = std::str::from_utf8(rest.get(..length)?).ok()?.trim_end_matches('\r');
        at += length + 1;
        if line.is_empty() {
            return Some((headers, at));
        }
        if line.starts_with([' ', '\t']) {
            let (_, value) = headers.last_mut()?;
            value.push(' ');
            value.push_str(line.trim());
            continue;
        }
        let (name, value) = line.split_once(':')?;
        headers.push((name.trim().to_owned(), value.trim().to_owned()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 5438 §6.2's example, as it stands there.
    const ASKING: &str = "From: Alice <im:alice@example.com>\r\nTo: Bob <im:bob@example.com>\r\n\
        NS: imdn <urn:ietf:params:imdn>\r\nimdn.Message-ID: 34jk324j\r\nDateTime: 2006-04-04T12:16:49-05:00\r\n\
        imdn.Disposition-Notification: positive-delivery, negative-delivery\r\nContent-type: text/plain\r\nContent-length: 12\r\n\r\nHello World";

    #[test]
    fn w28_the_body_within_is_found() {
        let bytes = Bytes::from(ASKING.replace("\r\nContent-type", "\r\n\r\nContent-type"));
        let cpim = Cpim::parse(&bytes).unwrap();
        assert_eq!((cpim.content_type.as_str(), &cpim.body[..]), ("text/plain", &b"Hello World"[..]));
        let bare = Cpim::parse(&Bytes::from_static(b"From: a\n\n\nx")).unwrap();
        assert_eq!((bare.content_type.as_str(), &bare.body[..]), ("text/plain", &b"x"[..]));
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
