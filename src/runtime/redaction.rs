//! Removes the secrets of a message before anybody looks at it: credentials, and the tokens by which a client or a proxy
//! of ours knows that it is meant.
//!
//! - The values of `Authorization`, `Proxy-Authorization`, `Authentication-Info` and `Proxy-Authentication-Info`: a
//!   response to a challenge lets others try passwords against it offline.
//! - A password within a URI of any scheme (`sip:ann:secret@host`, `https://ann:secret@host`).
//! - The same fields among the headers of a URI (`sip:ann@host?Authorization=...`).
//! - The token in the Contact of a client, which proves that a datagram comes from its server, wherever that Contact is
//!   written.
//! - The seal of a Route that a proxy recorded, which lets its bearer pass.
//!
//! What is put there has the same length whatever was there. The body is not touched, and neither is `Content-Length`.
//!
//! Peers differ in how they read a broken head. What one of them would read as a secret is removed: a lone CR or LF ends a
//! line and a fold continues it, and only CRLFCRLF ends the head.

use std::borrow::Cow;
use std::ops::Range;

use bytes::Bytes;
use memchr::{memchr, memchr2, memmem};

/// In place of a field's value.
const REMOVED: &str = "[removed]";
/// In place of a part of a URI, where brackets would make it unreadable.
const REMOVED_FROM_URI: &str = "removed";
/// Fields whose whole value is secret.
const CREDENTIALS: [&[u8]; 4] =
    [b"authorization", b"proxy-authorization", b"authentication-info", b"proxy-authentication-info"];
/// Fields whose value is an identifier and no URI, even if it looks like one.
const IDENTIFIERS: [&[u8]; 3] = [b"call-id", b"i", b"in-reply-to"];
/// Characters of the token in a Contact.
const TOKEN_CHARS: usize = 16;
/// The parameter of a recorded Route with its expiry, a dot, and its seal.
const SEAL: &[u8] = b";d=";
/// Digits of a seal.
const SEAL_DIGITS: usize = 16;

/// A part of a message, and what is put in its place.
type Cut = (Range<usize>, &'static str);

/// The message without its secrets; the same bytes if it has none.
pub(super) fn without_secrets(bytes: &Bytes) -> Bytes {
    let mut cuts = cuts(bytes);
    if cuts.is_empty() {
        return bytes.clone();
    }
    cuts.sort_by_key(|(range, _)| range.start);
    let mut kept = Vec::with_capacity(bytes.len());
    let mut from = 0;
    for (range, instead) in cuts {
        let Some(before) = bytes.get(from..range.start) else { continue };
        kept.extend_from_slice(before);
        kept.extend_from_slice(instead.as_bytes());
        from = range.end;
    }
    kept.extend_from_slice(bytes.get(from..).unwrap_or_default());
    kept.into()
}

/// What to remove from the head.
fn cuts(bytes: &[u8]) -> Vec<Cut> {
    let start = bytes.len() - bytes.trim_ascii_start().len();
    let body = memmem::find(bytes.get(start..).unwrap_or_default(), b"\r\n\r\n");
    let head = bytes.get(..body.map_or(bytes.len(), |body| start + body)).unwrap_or_default();
    let mut found = Vec::new();
    let mut line: Option<FieldLine<'_>> = None;
    let (mut at, mut ended_by) = (start, Break::Feed);
    while let Some(rest) = head.get(at..).filter(|rest| !rest.is_empty()) {
        let length = memchr2(b'\r', b'\n', rest).unwrap_or(rest.len());
        let text = rest.get(..length).unwrap_or_default();
        if let Some(line) = line.as_mut().filter(|line| line.goes_on_with(text, ended_by)) {
            line.append(text, at);
        } else if let Some(whole) = line.replace(FieldLine::new(text, at, at == start)) {
            whole.cuts(&mut found);
        }
        let behind = rest.get(length..).unwrap_or_default();
        let returns = behind.iter().take_while(|byte| **byte == b'\r').count();
        ended_by = if behind.get(returns) == Some(&b'\n') { Break::Feed } else { Break::Return };
        at += length + returns + usize::from(ended_by == Break::Feed);
    }
    if let Some(line) = line {
        line.cuts(&mut found);
    }
    found
}

/// How a line ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Break {
    /// With an LF, after any number of CRs.
    Feed,
    /// With CRs alone. Some readers take these for part of the line.
    Return,
}

/// The start line or a header field, with its continuation lines and without the line ends and blanks of the folds.
#[derive(Debug)]
struct FieldLine<'a> {
    text: Cow<'a, [u8]>,
    /// Where the text begins in the message.
    at: usize,
    /// It is the first one, which has no field name.
    is_start_line: bool,
    /// Of a folded line: where each of its bytes is in the message.
    places: Vec<usize>,
}

impl<'a> FieldLine<'a> {
    const fn new(text: &'a [u8], at: usize, is_start_line: bool) -> Self {
        Self { text: Cow::Borrowed(text), at, is_start_line, places: Vec::new() }
    }

    /// Whether these bytes are read as a part of this line; `ended_by` stands between the two.
    fn goes_on_with(&self, next: &[u8], ended_by: Break) -> bool {
        if matches!(next.first(), Some(b' ' | b'\t')) {
            return true;
        }
        let is_lone = ended_by == Break::Return;
        if field_name(next).is_some() { is_lone && self.is_secret() } else { is_lone || self.is_secret() }
    }

    fn append(&mut self, next: &[u8], at: usize) {
        if self.places.is_empty() {
            self.places = (self.at..).take(self.text.len()).collect();
        }
        let text = self.text.to_mut();
        text.truncate(text.trim_ascii_end().len());
        self.places.truncate(text.len());
        let blanks = next.len() - next.trim_ascii_start().len();
        let next = next.trim_ascii();
        text.extend_from_slice(next);
        self.places.extend((at + blanks..).take(next.len()));
    }

    fn is_secret(&self) -> bool {
        self.is_one_of(&CREDENTIALS)
    }

    fn is_one_of(&self, fields: &[&[u8]]) -> bool {
        field_name(&self.text).is_some_and(|name| fields.iter().any(|field| name.eq_ignore_ascii_case(field)))
    }

    /// Where a part of the text is in the message.
    fn places(&self, part: &Range<usize>) -> Option<Range<usize>> {
        if self.places.is_empty() {
            return Some(self.at + part.start..self.at + part.end);
        }
        let first = self.places.get(part.start)?;
        let last = self.places.get(part.end.checked_sub(1)?)?;
        Some(*first..last + 1)
    }

    fn cuts(&self, found: &mut Vec<Cut>) {
        let text: &[u8] = &self.text;
        let mut add = |part: Range<usize>, instead| {
            found.extend(self.places(&part).filter(|part| !part.is_empty()).map(|part| (part, instead)));
        };
        if self.is_secret() {
            let value = memchr(b':', text).map_or(0, |colon| colon + 1);
            let blanks = text.iter().skip(value).take_while(|byte| byte.is_ascii_whitespace()).count();
            let end = text.trim_ascii_end().len();
            add(value + blanks..end.max(value + blanks), REMOVED);
            return;
        }
        if !self.is_one_of(&IDENTIFIERS) {
            let name = field_name(text).filter(|_| !self.is_start_line).and_then(|_| memchr(b':', text));
            users(text, name.map_or(0, |colon| colon + 1), |part| add(part, REMOVED_FROM_URI));
        }
        seals(text, |part| add(part, REMOVED_FROM_URI));
        uri_headers(text, |part| add(part, REMOVED_FROM_URI));
    }
}

/// The name, if the text begins like a header field.
fn field_name(text: &[u8]) -> Option<&[u8]> {
    let name = text.get(..memchr(b':', text)?)?.trim_ascii_end();
    let is_token = |byte: &u8| byte.is_ascii_alphanumeric() || b"-.!%*_+`'~".contains(byte);
    (!name.is_empty() && name.iter().all(is_token)).then_some(name)
}

/// Passwords and tokens in the user parts of a line's URIs, from the offset `value` on.
fn users(line: &[u8], value: usize, mut add: impl FnMut(Range<usize>)) {
    // Where the text before an `@` begins; after one the host follows, which has none.
    let (mut from, mut is_host) = (value, false);
    for (place, byte) in line.iter().enumerate().skip(value) {
        let begins_anew = match byte {
            b'@' => {
                let secret = line.get(from..place).filter(|_| !is_host).and_then(secret_of_user);
                if let Some(secret) = secret {
                    add(from + secret.start..from + secret.end);
                }
                is_host = true;
                from = place + 1;
                continue;
            }
            b'<' | b'>' | b'"' | b' ' | b'\t' => true,
            // A password may contain a comma.
            b',' => is_host || begins_uri(line.get(place + 1..).unwrap_or_default()),
            b';' | b'?' => is_host,
            _ => false,
        };
        if begins_anew {
            from = place + 1;
            is_host = false;
        }
    }
}

/// Where the secret is in what stands before an `@`, from the scheme on.
fn secret_of_user(text: &[u8]) -> Option<Range<usize>> {
    let mut user = after_scheme(text)?;
    if text.get(user..)?.starts_with(b"//") {
        user += 2;
    }
    if let Some(colon) = memchr(b':', text.get(user..)?) {
        return Some(user + colon + 1..text.len());
    }
    let token = text.len().checked_sub(TOKEN_CHARS).filter(|token| *token > user)?;
    let is_token = text.get(token..)?.iter().all(u8::is_ascii_alphanumeric);
    let before = text.get(user..token)?.to_ascii_lowercase();
    (is_token && (before.ends_with(b"-") || before.ends_with(b"%2d"))).then_some(token..text.len())
}

const fn is_scheme(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.')
}

/// Where the first URI with a user begins, after its scheme (RFC 3986 §3.1). A bracket begins an IPv6 address.
fn after_scheme(text: &[u8]) -> Option<usize> {
    let (mut has_letter, mut is_address) = (false, false);
    for (place, byte) in text.iter().enumerate() {
        match byte {
            b':' if has_letter && !is_address && text.get(place + 1) != Some(&b'[') => {
                return Some(place + 1);
            }
            b'[' => is_address = true,
            b']' => is_address = false,
            _ => {}
        }
        has_letter = is_scheme(*byte) && (has_letter || byte.is_ascii_alphabetic());
    }
    None
}

/// True if the text begins with a scheme and a colon.
fn begins_uri(text: &[u8]) -> bool {
    let length = text.iter().take_while(|byte| is_scheme(**byte)).count();
    text.first().is_some_and(u8::is_ascii_alphabetic) && text.get(length) == Some(&b':')
}

/// Credentials among the headers of a URI (RFC 3261 §19.1.1): `sip:ann@host?Authorization=Digest%20...`.
fn uri_headers(line: &[u8], mut add: impl FnMut(Range<usize>)) {
    // Up to here everything is removed already.
    let mut until = 0;
    for (place, byte) in line.iter().enumerate() {
        if place < until {
            continue;
        }
        let Some(field) = line.get(place + 1..).filter(|_| matches!(byte, b'?' | b'&')) else { continue };
        let length = field.iter().take_while(|byte| byte.is_ascii_alphabetic() || **byte == b'-').count();
        let name = field.get(..length).unwrap_or_default();
        let is_secret = CREDENTIALS.iter().any(|secret| name.eq_ignore_ascii_case(secret));
        if is_secret && field.get(length) == Some(&b'=') {
            let value = field.get(length + 1..).unwrap_or_default();
            // What may not stand there unescaped is removed with it.
            let end = value.iter().position(|byte| matches!(byte, b'&' | b'<' | b'>' | b' ' | b'\t'));
            let from = place + 1 + length + 1;
            until = from + end.unwrap_or(value.len());
            add(from..until);
        }
    }
}

/// Seals of recorded Routes.
fn seals(line: &[u8], mut add: impl FnMut(Range<usize>)) {
    for place in memmem::find_iter(line, SEAL) {
        let from = place + SEAL.len();
        let value = line.get(from..).unwrap_or_default();
        let end = value.iter().position(|byte| !(byte.is_ascii_hexdigit() || *byte == b'.'));
        let value = value.get(..end.unwrap_or(value.len())).unwrap_or_default();
        let Some(dot) = memchr(b'.', value) else { continue };
        if value.len() - dot > SEAL_DIGITS {
            add(from + dot + 1..from + value.len());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn removed(text: &str) -> String {
        String::from_utf8(without_secrets(&Bytes::copy_from_slice(text.as_bytes())).to_vec()).unwrap()
    }

    /// What is left of a header section of one line, or of several.
    fn line(text: &str) -> String {
        let whole = removed(&format!("OPTIONS sip:domain.com SIP/2.0\r\n{text}\r\n\r\nAuthorization: body"));
        let head = whole.strip_prefix("OPTIONS sip:domain.com SIP/2.0\r\n").unwrap();
        head.strip_suffix("\r\n\r\nAuthorization: body").unwrap().to_owned()
    }

    #[test]
    fn credentials_are_removed_in_every_spelling_and_the_body_stays() {
        let text = "\r\nREGISTER sip:domain.com SIP/2.0\r\n\
             authorization : Digest username=\"ann\",\r\n realm=\"domain.com\",\r\n\tresponse=\"5ca1ab1e\"\r\n\
             Proxy-Authorization:Digest response=\"5ca1ab1e\"\r\n\
             AUTHENTICATION-INFO: rspauth=\"5ca1ab1e\", qop=auth\r\n\
             WWW-Authenticate: Digest realm=\"domain.com\", nonce=\"a1\"\r\n\
             X-Authorization: Digest response=\"of another field\"\r\n\
             Content-Length: 31\r\n\r\n\
             Authorization: Digest 5ca1ab1e\n";
        let kept = "\r\nREGISTER sip:domain.com SIP/2.0\r\n\
             authorization : [removed]\r\n\
             Proxy-Authorization:[removed]\r\n\
             AUTHENTICATION-INFO: [removed]\r\n\
             WWW-Authenticate: Digest realm=\"domain.com\", nonce=\"a1\"\r\n\
             X-Authorization: Digest response=\"of another field\"\r\n\
             Content-Length: 31\r\n\r\n\
             Authorization: Digest 5ca1ab1e\n";
        assert_eq!(removed(text), kept);
    }

    #[test]
    fn credentials_that_are_folded_or_stand_behind_a_broken_line_end_are_removed() {
        for (text, kept) in [
            // A continuation line of blanks does not end the head.
            (
                "Subject: a\r\n \r\nAuthorization: Digest 5ca1ab1e",
                "Subject: a\r\n \r\nAuthorization: [removed]",
            ),
            (
                "Authorization: Digest a,\r\n\t \r\n response=\"5ca1ab1e\"\r\nTo: b",
                "Authorization: [removed]\r\nTo: b",
            ),
            ("Authorization:\r\n Digest 5ca1ab1e", "Authorization:\r\n [removed]"),
            ("Authorization\r\n : Digest 5ca1ab1e", "Authorization\r\n : [removed]"),
            // A lone CR, or a lone LF, ends a line.
            ("Subject: a\rAuthorization: Digest 5ca1ab1e", "Subject: a\rAuthorization: [removed]"),
            (
                "Subject: a\nAuthorization: Digest 5ca1ab1e\nTo: b",
                "Subject: a\nAuthorization: [removed]\nTo: b",
            ),
            ("Subject: a\n\nAuthorization: Digest 5ca1ab1e", "Subject: a\n\nAuthorization: [removed]"),
            ("Subject: a\r\r\nAuthorization: Digest 5ca1ab1e", "Subject: a\r\r\nAuthorization: [removed]"),
            // Or it does not: who reads the CR as part of the value finds no secret behind it either.
            ("Authorization: Digest a\rresponse=\"5ca1ab1e\"\r\nTo: b", "Authorization: [removed]\r\nTo: b"),
            ("Authorization: Digest uri=\"\rsip:a\", response=\"5ca1ab1e\"", "Authorization: [removed]"),
            ("Authorization: Digest a\r response=\"5ca1ab1e\"", "Authorization: [removed]"),
            ("Authorization: Digest a\nresponse=\"5ca1ab1e\"", "Authorization: [removed]"),
        ] {
            assert_eq!(line(text), kept, "{text:?}");
        }
        let without_crlf = "SIP/2.0 200 OK\nTo: a\n\nAuthentication-Info: rspauth=\"5ca1ab1e\"";
        assert_eq!(removed(without_crlf), "SIP/2.0 200 OK\nTo: a\n\nAuthentication-Info: [removed]");
    }

    #[test]
    fn tokens_and_passwords_in_uris_are_removed_and_other_users_stay() {
        let text = "MESSAGE sip:bob-abcdefghij234567@192.0.2.9:5060 SIP/2.0\r\n\
             To:sip:ann:pass:word@domain.com;tag=a@b\r\n\
             From: \"sip:x:y\" <sip:james@domain.com:5060>\r\n\
             Call-ID: a-abcdefghij234567@bare\r\n\
             m: <sip:bob%2Dabcdefghij234567@192.0.2.9>, <sip:bob-work@192.0.2.9>, <sip:abcdefghij234567@h>\r\n\
             Route: <sip:u127.0.0.1_5060-127.0.0.1_4000@domain.com;lr;d=75cc.0123456789abcdef.626f62>\r\n\
             Record-Route: <sip:domain.com;d=75cc.0123456789abcdef;lr>,<sip:other.com;lr;d=75cc.01>\r\n\r\n";
        let kept = "MESSAGE sip:bob-removed@192.0.2.9:5060 SIP/2.0\r\n\
             To:sip:ann:removed@domain.com;tag=a@b\r\n\
             From: \"sip:x:y\" <sip:james@domain.com:5060>\r\n\
             Call-ID: a-abcdefghij234567@bare\r\n\
             m: <sip:bob%2Dremoved@192.0.2.9>, <sip:bob-work@192.0.2.9>, <sip:abcdefghij234567@h>\r\n\
             Route: <sip:u127.0.0.1_5060-127.0.0.1_4000@domain.com;lr;d=75cc.removed>\r\n\
             Record-Route: <sip:domain.com;d=75cc.removed;lr>,<sip:other.com;lr;d=75cc.01>\r\n\r\n";
        assert_eq!(removed(text), kept);
    }

    #[test]
    fn a_password_is_removed_from_a_uri_of_any_scheme_and_behind_any_character() {
        for (text, kept) in [
            ("To: <tel:+1234:s3cret@domain.com>", "To: <tel:+1234:removed@domain.com>"),
            ("Contact: XMPP:ann:s3cret@domain.com", "Contact: XMPP:ann:removed@domain.com"),
            (
                "Call-Info: <https://ann:s3cret@domain.com:443/a>",
                "Call-Info: <https://ann:removed@domain.com:443/a>",
            ),
            ("X: <x-our+own.1:ann:s3cret@h>", "X: <x-our+own.1:ann:removed@h>"),
            ("To: <sip:ann:s3,cr;e?t&=@domain.com>", "To: <sip:ann:removed@domain.com>"),
            ("m: sip:a@h:5060,sip:ann:s3cret@h", "m: sip:a@h:5060,sip:ann:removed@h"),
            ("m: sip:h:5060,sip:ann:s3cret@h", "m: sip:h:5060,sip:ann:removed@h"),
            ("To: <sip:a@h;maddr=sip:ann:s3cret@h>", "To: <sip:a@h;maddr=sip:ann:removed@h>"),
            ("To: <sip:[::1]:5060;x=sip:ann:s3cret@h>", "To: <sip:[::1]:5060;x=sip:ann:removed@h>"),
            ("m: <xmpp:bob-abcdefghij234567@h>", "m: <xmpp:bob-removed@h>"),
            (
                "Refer-To: <sip:a@h?Subject=x&proxy-authorization=Digest%20s3cret&To=b>",
                "Refer-To: <sip:a@h?Subject=x&proxy-authorization=removed&To=b>",
            ),
            ("Refer-To: <sip:a@h?Authorization=s3,\"cret\">", "Refer-To: <sip:a@h?Authorization=removed>"),
            ("Refer-To: sip:a@h?Authorization=s3cret", "Refer-To: sip:a@h?Authorization=removed"),
            // Those have none.
            (
                "Refer-To: <sip:a@h?Authorized=x&Authorization>",
                "Refer-To: <sip:a@h?Authorized=x&Authorization>",
            ),
            ("Call-ID: a:b:c@bare", "Call-ID: a:b:c@bare"),
            ("i: a:b:c@bare", "i: a:b:c@bare"),
            ("In-Reply-To: a:b:c@bare", "In-Reply-To: a:b:c@bare"),
            ("m: <sip:a@h:5060;x=1>;y=z@w, <tel:+1@h>", "m: <sip:a@h:5060;x=1>;y=z@w, <tel:+1@h>"),
            ("Via: SIP/2.0/UDP [2001:db8::1]:5060;x=a@b", "Via: SIP/2.0/UDP [2001:db8::1]:5060;x=a@b"),
            ("Date: Sat, 13 Nov 2010 23:29:00 GMT@h", "Date: Sat, 13 Nov 2010 23:29:00 GMT@h"),
        ] {
            assert_eq!(line(text), kept, "{text:?}");
        }
        assert_eq!(removed("sip:ann:s3cret@h"), "sip:ann:removed@h");
    }

    #[test]
    fn a_secret_within_a_folded_uri_is_removed_with_its_folds() {
        for (text, kept) in [
            ("To: <sip:ann:\r\n s3cret@h>", "To: <sip:ann:\r\n removed@h>"),
            ("To: <sip:ann:s3 \r\n \r\n\t cret@h>", "To: <sip:ann:removed@h>"),
            (
                "To: <sip:\r\n ann:s3\r\n cret@h>;tag=1\r\nFrom: b",
                "To: <sip:\r\n ann:removed@h>;tag=1\r\nFrom: b",
            ),
            ("To: <sip:ann:\rs3cret@h>", "To: <sip:ann:\rremoved@h>"),
            ("m: <sip:bob-abcdefgh\r\n ij234567@h>", "m: <sip:bob-removed@h>"),
            ("Route: <sip:h;lr;d=75cc.01234567\r\n 89abcdef>", "Route: <sip:h;lr;d=75cc.removed>"),
            ("m: <sip:a@h>,\r\n <sip:ann:s3cret@h>", "m: <sip:a@h>,\r\n <sip:ann:removed@h>"),
        ] {
            assert_eq!(line(text), kept, "{text:?}");
        }
    }

    #[test]
    fn what_has_no_secret_is_not_copied_and_no_bytes_make_it_fall() {
        let plain =
            Bytes::from_static(b"OPTIONS sip:domain.com SIP/2.0\r\nTo:\r\n <sip:domain.com>\r\n\r\nx");
        assert_eq!(without_secrets(&plain).as_ptr(), plain.as_ptr());
        for bytes in [
            &b""[..],
            b"\r\n\r\n",
            b"@",
            b"sip:@",
            b"a:b:@",
            b"a://@",
            b";d=",
            b"\xff:\xfe@",
            b"Authorization:",
            b"Authorization",
            b"Authorization:\r\n \r\n\t\r",
            b"\r \r \n \n",
        ] {
            assert_eq!(without_secrets(&Bytes::copy_from_slice(bytes)), bytes, "{bytes:?}");
        }
    }
}
