//! Removes the secrets of a message before anybody looks at it: credentials, and the tokens by which a client or a proxy
//! of ours knows that it is meant.
//!
//! - The values of `Authorization`, `Proxy-Authorization`, `Authentication-Info` and `Proxy-Authentication-Info`: a
//!   response to a challenge lets others try passwords against it offline.
//! - A password within a URI (`sip:ann:secret@host`).
//! - The token in the Contact of a client, which proves that a datagram comes from its server, wherever that Contact is
//!   written.
//! - The seal of a Route that a proxy recorded, which lets its bearer pass.
//!
//! What is put there has the same length whatever was there. The body is not touched, and neither is `Content-Length`.

use std::ops::Range;

use bytes::Bytes;
use memchr::memmem;

/// In place of a field's value.
const REMOVED: &str = "[removed]";
/// In place of a part of a URI, where brackets would make it unreadable.
const REMOVED_FROM_URI: &str = "removed";
/// Fields whose whole value is secret.
const CREDENTIALS: [&[u8]; 4] =
    [b"authorization", b"proxy-authorization", b"authentication-info", b"proxy-authentication-info"];
/// Schemes whose URIs have a user.
const SCHEMES: [&[u8]; 4] = [b"sip:", b"sips:", b"im:", b"pres:"];
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

/// What to remove from the header section, which ends at the first empty line.
fn cuts(bytes: &[u8]) -> Vec<Cut> {
    let mut found = Vec::new();
    let (mut at, mut has_begun, mut is_secret) = (0, false, false);
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let text = line.trim_ascii_end();
        if text.is_empty() && has_begun {
            break;
        }
        has_begun |= !text.is_empty();
        let is_folded = matches!(line.first(), Some(b' ' | b'\t'));
        let colon = text.iter().position(|byte| *byte == b':');
        if !is_folded {
            let name = colon.and_then(|colon| text.get(..colon)).unwrap_or_default().trim_ascii_end();
            is_secret = CREDENTIALS.iter().any(|field| name.eq_ignore_ascii_case(field));
        }
        if is_secret {
            let from = if is_folded { 1 } else { colon.map_or(0, |colon| colon + 1) };
            let blanks = text.iter().skip(from).take_while(|byte| byte.is_ascii_whitespace()).count();
            if from + blanks < text.len() {
                found.push((at + from + blanks..at + text.len(), REMOVED));
            }
        } else {
            users(text, at, &mut found);
            seals(text, at, &mut found);
        }
        at += line.len();
    }
    found
}

/// Passwords and tokens in the user parts of a line's URIs.
fn users(line: &[u8], at: usize, found: &mut Vec<Cut>) {
    let mut from = 0;
    for (place, byte) in line.iter().enumerate() {
        if *byte == b'@'
            && let Some(secret) = line.get(from..place).and_then(secret_of_user)
        {
            found.push((at + from + secret.start..at + from + secret.end, REMOVED_FROM_URI));
        }
        if matches!(byte, b'@' | b'<' | b'>' | b'"' | b',' | b' ' | b'\t') {
            from = place + 1;
        }
    }
}

/// Where the secret is in what stands before an `@`, from the scheme on.
fn secret_of_user(text: &[u8]) -> Option<Range<usize>> {
    let lower = text.to_ascii_lowercase();
    let schemes = SCHEMES.iter().filter_map(|scheme| Some(memmem::find(&lower, scheme)? + scheme.len()));
    let user = schemes.min()?;
    if let Some(colon) = text.iter().skip(user).position(|byte| *byte == b':') {
        return Some(user + colon + 1..text.len());
    }
    let token = text.len().checked_sub(TOKEN_CHARS).filter(|token| *token > user)?;
    let is_token = lower.get(token..)?.iter().all(u8::is_ascii_alphanumeric);
    let before = lower.get(user..token)?;
    (is_token && (before.ends_with(b"-") || before.ends_with(b"%2d"))).then_some(token..text.len())
}

/// Seals of recorded Routes.
fn seals(line: &[u8], at: usize, found: &mut Vec<Cut>) {
    for place in memmem::find_iter(line, SEAL) {
        let from = place + SEAL.len();
        let value = line.get(from..).unwrap_or_default();
        let end = value.iter().position(|byte| !(byte.is_ascii_hexdigit() || *byte == b'.'));
        let value = value.get(..end.unwrap_or(value.len())).unwrap_or_default();
        let Some(dot) = value.iter().position(|byte| *byte == b'.') else { continue };
        if value.len() - dot > SEAL_DIGITS {
            found.push((at + from + dot + 1..at + from + value.len(), REMOVED_FROM_URI));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn removed(text: &str) -> String {
        String::from_utf8(without_secrets(&Bytes::copy_from_slice(text.as_bytes())).to_vec()).unwrap()
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
             authorization : [removed]\r\n [removed]\r\n\t[removed]\r\n\
             Proxy-Authorization:[removed]\r\n\
             AUTHENTICATION-INFO: [removed]\r\n\
             WWW-Authenticate: Digest realm=\"domain.com\", nonce=\"a1\"\r\n\
             X-Authorization: Digest response=\"of another field\"\r\n\
             Content-Length: 31\r\n\r\n\
             Authorization: Digest 5ca1ab1e\n";
        assert_eq!(removed(text), kept);
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
    fn what_has_no_secret_is_not_copied_and_no_bytes_make_it_fall() {
        let plain = Bytes::from_static(b"OPTIONS sip:domain.com SIP/2.0\r\nTo: <sip:domain.com>\r\n\r\nx");
        assert_eq!(without_secrets(&plain).as_ptr(), plain.as_ptr());
        for bytes in [
            &b""[..],
            b"\r\n\r\n",
            b"@",
            b"sip:@",
            b";d=",
            b"\xff:\xfe@",
            b"Authorization:",
            b"Authorization",
        ] {
            assert_eq!(without_secrets(&Bytes::copy_from_slice(bytes)), bytes, "{bytes:?}");
        }
    }
}
