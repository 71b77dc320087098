//! Takes multipart bodies apart (RFC 2046 §5.1), and the parameters of their header fields (RFC 2045 §5.1, RFC 2231).
//!
//! The mail library is not used for this: its time grows with the square of the body for a part that names an unused
//! boundary, for an encoded word that never ends, or for a long boundary. Here each byte is examined once per level of
//! nesting, and part heads, parts and levels are bounded.

use std::collections::BTreeMap;

use bytes::Bytes;
use mail_parser::MessageParser;
use mail_parser::decoders::base64::base64_decode;
use mail_parser::decoders::quoted_printable::quoted_printable_decode;
use percent_encoding::percent_decode_str;

use super::charset::{decode, header_text};
use super::cursor::unescape;
use crate::limits::{BODY_PARTS_MAX, BOUNDARY_BYTES_MAX, FILE_NAME_BYTES_MAX, PART_HEAD_BYTES_MAX};

/// One part of a body.
#[derive(Clone, Debug)]
pub(super) struct Part {
    /// From its first header field to its end, unchanged.
    pub(super) whole: Bytes,
    headers: Headers,
    body: Bytes,
}

/// Header fields of a part, or of a CPIM message: name and value, unfolded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Headers(pub(super) Vec<(String, String)>);

impl Headers {
    /// The value of the first field of that name.
    pub(super) fn first(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(this, _)| this.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// The bytes of a body with its transfer encoding decoded; unchanged if that is invalid.
    pub(super) fn decoded(&self, body: &Bytes) -> Bytes {
        transfer_decoded(self.first("Content-Transfer-Encoding").unwrap_or_default(), body)
    }
}

/// The bytes of a body with this Content-Transfer-Encoding undone (RFC 2045 §6); unchanged if they are not in it.
#[must_use]
pub fn transfer_decoded(encoding: &str, body: &Bytes) -> Bytes {
    let decoded = match encoding.trim() {
        base64 if base64.eq_ignore_ascii_case("base64") => base64_decode(body),
        quoted if quoted.eq_ignore_ascii_case("quoted-printable") => quoted_printable_decode(body),
        _ => None,
    };
    decoded.map_or_else(|| body.clone(), Bytes::from)
}

impl Part {
    /// Its Content-Type; text if it has none (RFC 2046 §5.1).
    pub(super) fn content_type(&self) -> &str {
        self.headers.first("Content-Type").unwrap_or("text/plain")
    }

    /// True if it should not be shown inline (RFC 2183 §2.2).
    pub(super) fn is_attachment(&self) -> bool {
        let disposition = self.headers.first("Content-Disposition").unwrap_or_default();
        disposition.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("attachment"))
    }

    /// The name of the file in it, if any.
    pub(super) fn file_name(&self) -> Option<String> {
        let disposition = self.headers.first("Content-Disposition").unwrap_or_default();
        file_name(disposition, "filename").or_else(|| file_name(self.content_type(), "name"))
    }

    /// Its content with the transfer encoding decoded.
    pub(super) fn content(&self) -> Bytes {
        self.headers.decoded(&self.body)
    }
}

/// The parts of a body. None if no line is the boundary, or a limit is exceeded.
pub(super) fn parts(content_type: &str, body: &Bytes) -> Option<Vec<Part>> {
    let boundary = parameter(content_type, "boundary")?;
    let boundary = boundary.trim_end();
    if boundary.is_empty() || boundary.len() > BOUNDARY_BYTES_MAX {
        return None;
    }
    let delimiter = format!("--{boundary}");
    let mut parts = Vec::new();
    // Where the current part begins; none before the first.
    let mut start: Option<usize> = None;
    let mut at = 0;
    loop {
        let rest = body.get(at..).unwrap_or_default();
        let length = rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |end| end + 1);
        let line = rest.get(..length).unwrap_or_default();
        let end = delimits(line, delimiter.as_bytes());
        if length == 0 || end.is_some() {
            if let Some(start) = start {
                if parts.len() >= BODY_PARTS_MAX {
                    return None;
                }
                // The line end before a boundary belongs to the boundary; a truncated body has none.
                let until = if length == 0 { at } else { before_line_end(body, at).max(start) };
                parts.push(part(body.slice(start..until))?);
            }
            start = Some(at + length);
        }
        if length == 0 || end == Some(End::OfAll) {
            return Some(parts).filter(|parts| !parts.is_empty());
        }
        at += length;
    }
}

/// What a boundary line ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    OfPart,
    OfAll,
}

/// `--boundary`, with `--` after the last part; blanks may follow.
fn delimits(line: &[u8], delimiter: &[u8]) -> Option<End> {
    let rest = line.strip_prefix(delimiter)?;
    let (end, rest) = match rest.strip_prefix(b"--") {
        Some(rest) => (End::OfAll, rest),
        None => (End::OfPart, rest),
    };
    rest.iter().all(u8::is_ascii_whitespace).then_some(end)
}

/// The offset before the line end that ends at `at`.
fn before_line_end(body: &[u8], at: usize) -> usize {
    let before = body.get(..at).unwrap_or_default();
    let before = before.strip_suffix(b"\n").unwrap_or(before);
    before.strip_suffix(b"\r").unwrap_or(before).len()
}

fn part(whole: Bytes) -> Option<Part> {
    let (headers, start) = header_fields(&whole, 0, Ends::AtWhatIsNone)?;
    let body = whole.slice(start.min(whole.len())..);
    Some(Part { whole, headers, body })
}

/// Where a block of header fields ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ends {
    /// At a blank line, which is required.
    AtBlankLine,
    /// At a blank line, at the end, or before the first line that is not a field.
    AtWhatIsNone,
}

/// Header fields from `start`, and the offset after them; a folded line belongs to the one before. None if they do not
/// end as required, or are too long.
pub(super) fn header_fields(bytes: &[u8], start: usize, ends: Ends) -> Option<(Headers, usize)> {
    let mut headers: Vec<(String, String)> = Vec::new();
    let mut at = start;
    loop {
        if at - start > PART_HEAD_BYTES_MAX {
            return None;
        }
        let rest = bytes.get(at..).unwrap_or_default();
        let end = rest.iter().position(|byte| *byte == b'\n');
        if end.is_none() && (ends == Ends::AtBlankLine || rest.is_empty()) {
            return Some((Headers(headers), at)).filter(|_| ends == Ends::AtWhatIsNone);
        }
        let line = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let next = at + end.map_or(rest.len(), |end| end + 1);
        if line.is_empty() {
            return Some((Headers(headers), next));
        }
        let text = header_text(line);
        let field = text.split_once(':').filter(|(name, _)| !name.trim().is_empty());
        match (headers.last_mut(), field) {
            (Some((_, value)), _) if line.starts_with(b" ") || line.starts_with(b"\t") => {
                value.push(' ');
                value.push_str(text.trim());
            }
            (_, Some((name, value))) if !line.starts_with(b" ") && !line.starts_with(b"\t") => {
                headers.push((name.trim().to_owned(), value.trim().to_owned()));
            }
            (_, _) => return Some((Headers(headers), at)).filter(|_| ends == Ends::AtWhatIsNone),
        }
        at = next;
    }
}

/// The value of a parameter of Content-Type or Content-Disposition, without quotes. RFC 2231's form (with a charset, in
/// pieces) is preferred to the plain one, which is there for readers that do not know it (RFC 6266 §4.3).
#[must_use]
pub fn parameter(value: &str, name: &str) -> Option<String> {
    let mut plain = None;
    let mut pieces: BTreeMap<u32, (String, bool)> = BTreeMap::new();
    for (this, value) in parameters(value) {
        let (base, star) = this.split_once('*').map_or((this, None), |(base, star)| (base, Some(star)));
        if !base.eq_ignore_ascii_case(name) {
            continue;
        }
        let Some(star) = star else {
            plain.get_or_insert(value);
            continue;
        };
        let (number, is_encoded) =
            star.strip_suffix('*').map_or((star, star.is_empty()), |number| (number, true));
        if let Ok(number) = if number.is_empty() { Ok(0) } else { number.parse() } {
            pieces.entry(number).or_insert((value, is_encoded));
        }
    }
    joined(&pieces).or(plain)
}

/// Joins a value in pieces (RFC 2231 §3, §4): those from 0 up to the first gap.
fn joined(pieces: &BTreeMap<u32, (String, bool)>) -> Option<String> {
    let (first, is_encoded) = pieces.get(&0)?;
    let mut marks = first.splitn(3, '\'');
    let (charset, rest) = match (marks.next(), marks.next(), marks.next()) {
        (Some(charset), Some(_language), Some(rest)) if *is_encoded => (charset, rest),
        (_, _, _) => ("", first.as_str()),
    };
    let mut bytes = Vec::new();
    for ((number, (text, is_encoded)), wanted) in pieces.iter().zip(0..) {
        if *number != wanted {
            break;
        }
        let text = if wanted == 0 { rest } else { text };
        if *is_encoded {
            bytes.extend(percent_decode_str(text));
        } else {
            bytes.extend_from_slice(text.as_bytes());
        }
    }
    Some(decode(charset, &bytes).unwrap_or_else(|| header_text(&bytes).into_owned()))
}

/// `name` and value of each parameter; handles quotes, escapes and comments (RFC 822 §3.4.3).
fn parameters(value: &str) -> impl Iterator<Item = (&str, String)> {
    let mut rest = value.get(piece_end(value)..);
    std::iter::from_fn(move || {
        let text = rest?.strip_prefix(';')?;
        let end = piece_end(text);
        rest = text.get(end..);
        Some(text.get(..end).unwrap_or_default())
    })
    .filter_map(|piece| {
        let (name, value) = piece.split_once('=')?;
        Some((name.trim(), bare(value.trim())))
    })
}

/// Offset of the next `;` outside quotes and comments; else the end.
fn piece_end(text: &str) -> usize {
    let (mut quoted, mut escaped, mut comments) = (false, false, 0_usize);
    // A comment stands between words; inside one, as in `a(1).png`, a bracket is an unquoted part of the name.
    let mut is_between = true;
    for (at, byte) in text.bytes().enumerate() {
        let was_between = std::mem::replace(&mut is_between, matches!(byte, b' ' | b'\t'));
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted || comments > 0 => escaped = true,
            b'"' if comments == 0 => quoted = !quoted,
            b'(' if !quoted && (was_between || comments > 0) => comments += 1,
            b')' if !quoted => comments = comments.saturating_sub(1),
            b';' if !quoted && comments == 0 => return at,
            _ => {}
        }
    }
    text.len()
}

/// A value without its quotes and what follows them.
fn bare(value: &str) -> String {
    let Some(inside) = value.strip_prefix('"') else {
        let end = value.find(" (").unwrap_or(value.len());
        return value.get(..end).unwrap_or_default().trim().trim_matches('"').to_owned();
    };
    let mut escaped = false;
    let end = inside.bytes().position(|byte| {
        let is_end = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        is_end
    });
    unescape(inside.get(..end.unwrap_or(inside.len())).unwrap_or_default())
}

/// A file name in a parameter; mail programs put RFC 2047 encoded words into it, contrary to its §5.
#[must_use]
pub fn file_name(value: &str, name: &str) -> Option<String> {
    let written = parameter(value, name).filter(|name| !name.is_empty())?;
    if !written.contains("=?") || written.len() > FILE_NAME_BYTES_MAX {
        return Some(written);
    }
    let line: String = written.chars().filter(|c| !c.is_control()).collect();
    let head = format!("Subject: {line}\r\n\r\n");
    let read = MessageParser::default().parse_headers(head.as_bytes());
    Some(read.and_then(|read| read.subject().map(str::to_owned)).unwrap_or(written))
}

/// `type/subtype` in lower case, without parameters; `text/plain` if there is none (RFC 3428 §5).
#[must_use]
pub fn media_type(content_type: &str) -> String {
    let bare = content_type.split([';', '(']).next().unwrap_or_default();
    let bare: String = bare.chars().filter(|c| !c.is_whitespace()).collect();
    if bare.is_empty() { "text/plain".to_owned() } else { bare.to_ascii_lowercase() }
}

/// The bytes decoded by [`decode`] from the charset that a Content-Type names.
pub(super) fn text_of(content_type: &str, bytes: &[u8]) -> Option<String> {
    decode(&parameter(content_type, "charset").unwrap_or_default(), bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_parameter_knows_quotes_escapes_and_comments() {
        let table = [
            ("image/png;name=\"a;b.png\"", Some("a;b.png")),
            ("image/png; x=\"name=no\"; NAME = \"a\\\"b\\\\c\" ; y", Some("a\"b\\c")),
            ("image/png;name=plain.png", Some("plain.png")),
            ("image/png;name=two words.png", Some("two words.png")),
            ("image/png (a; name=no) ;name=x (comment; name=no)", Some("x")),
            ("image/png;name=\"never closed; y", Some("never closed; y")),
            ("image/png;name=a(1).png;y=z", Some("a(1).png")),
            ("image/png;name=(;y=z", Some("(")),
            ("image/png;name=\"a,b\"", Some("a,b")),
            ("image/png;name=\"\"", Some("")),
            ("image/png;name", None),
            ("image/png;xname=a", None),
            ("\"a;name=no\";name=yes", Some("yes")),
            ("", None),
        ];
        for (value, wanted) in table {
            assert_eq!(parameter(value, "name").as_deref(), wanted, "{value}");
        }
    }

    #[test]
    fn a_parameter_may_come_in_pieces_and_in_a_charset() {
        let table = [
            ("a;filename*=UTF-8''%e2%82%ac%20rates;filename=\"EUR\"", "\u{20ac} rates"),
            ("a;filename=\"EUR\";filename*=iso-8859-1'en'%A3%20rates", "\u{a3} rates"),
            ("a;filename*1=\"b;c\";filename*0=\"a-\"", "a-b;c"),
            ("a;filename*0*=UTF-8''%e2%82;filename*1*=%ac;filename*2=\"%41\";filename*4=x", "\u{20ac}%41"),
            ("a;filename*=gb2312''%cc%d8", "\u{7279}"),
            ("a;filename*=%41%4", "A%4"),
            ("a;filename*9999999999=x;filename=y", "y"),
            ("a;filename*1=x;filename=y", "y"),
        ];
        for (value, wanted) in table {
            assert_eq!(parameter(value, "filename").as_deref(), Some(wanted), "{value}");
        }
        assert_eq!(file_name("a;name=\"=?utf-8?B?w7wucG5n?=\"", "name").as_deref(), Some("\u{fc}.png"));
        assert_eq!(file_name("a;name=\"=?gb2312?B?zNgucG5n?=\"", "name").as_deref(), Some("\u{7279}.png"));
        assert_eq!(file_name("a;name=\"\"", "name"), None);
    }

    fn bodies(content_type: &str, body: &str) -> Option<Vec<(String, String)>> {
        let body = Bytes::copy_from_slice(body.replace('\n', "\r\n").as_bytes());
        let text = |part: &Part| {
            (part.content_type().to_owned(), String::from_utf8_lossy(&part.content()).into_owned())
        };
        parts(content_type, &body).map(|parts| parts.iter().map(text).collect())
    }

    #[test]
    fn parts_are_what_stands_between_the_lines_of_the_boundary() {
        let kind = "multipart/mixed; boundary=\"b (1)\"";
        let part = |kind: &str, body: &str| (kind.to_owned(), body.to_owned());
        let body = "preamble\n--b (1)\nContent-Type: a/b;\n\tc=d\n\nx\n--b (1) \n\ny--b (1)\n--b (1)x\n\n--b (1)--\nepilogue\n--b (1)\n";
        let wanted = vec![part("a/b; c=d", "x"), part("text/plain", "y--b (1)\r\n--b (1)x\r\n")];
        assert_eq!(bodies(kind, body), Some(wanted));
        // Without the last boundary, with an empty part, without a blank line after a head, without a head.
        assert_eq!(bodies(kind, "--b (1)\n\nx\n"), Some(vec![part("text/plain", "x\r\n")]));
        assert_eq!(bodies(kind, "--b (1)\n--b (1)--"), Some(vec![part("text/plain", "")]));
        assert_eq!(bodies(kind, "--b (1)\nContent-Type: a/b\n--b (1)--"), Some(vec![part("a/b", "")]));
        assert_eq!(
            bodies(kind, "--b (1)\njust words\n--b (1)--"),
            Some(vec![part("text/plain", "just words")])
        );
        for (kind, body) in [
            (kind, "nothing"),
            (kind, ""),
            ("multipart/mixed", "--\n\nx\n----"),
            ("multipart/mixed;boundary=\"\"", "--\n\nx\n----"),
        ] {
            assert_eq!(bodies(kind, body), None, "{kind} {body}");
        }
    }

    #[test]
    fn transfer_encodings_are_undone_and_what_is_not_of_them_stays() {
        let body = |encoding: &str, text: &str| {
            let body = format!("--b\nContent-Transfer-Encoding: {encoding}\n\n{text}\n--b--");
            bodies("multipart/mixed;boundary=b", &body).unwrap().remove(0).1
        };
        assert_eq!(body("Base64", "Q29tZSBoZXJl\nLg=="), "Come here.");
        assert_eq!(body("quoted-printable", "a=3Db=\nc"), "a=bc");
        assert_eq!(body("quoted-printable", "a=ZZ"), "a=ZZ");
        assert_eq!(body("binary", "a=3D"), "a=3D");
    }

    #[test]
    fn heads_parts_and_boundaries_have_a_maximum() {
        let kind = |boundary: &str| format!("multipart/mixed;boundary={boundary}");
        let long = "b".repeat(BOUNDARY_BYTES_MAX);
        assert!(bodies(&kind(&long), &format!("--{long}\n\nx\n")).is_some());
        assert!(bodies(&kind(&format!("{long}b")), &format!("--{long}b\n\nx\n")).is_none());
        assert_eq!(
            bodies(&kind("b"), &"--b\n\nx\n".repeat(BODY_PARTS_MAX)).map(|it| it.len()),
            Some(BODY_PARTS_MAX)
        );
        assert!(bodies(&kind("b"), &"--b\n\nx\n".repeat(BODY_PARTS_MAX + 1)).is_none());
        let head = |bytes: usize| format!("--b\nX: {}\n\nx\n", "y".repeat(bytes));
        assert!(bodies(&kind("b"), &head(PART_HEAD_BYTES_MAX - 100)).is_some());
        assert!(bodies(&kind("b"), &head(PART_HEAD_BYTES_MAX)).is_none());
    }

    proptest! {
        #[test]
        fn no_value_is_a_panic(value in "[a-z;=\"\\\\()*'%0-9 \u{e9}]{0,60}") {
            drop((parameter(&value, "a"), media_type(&value), file_name(&value, "a")));
        }

        #[test]
        fn no_body_is_a_panic(body in "(--b(--)?|\r?\n|Content-Type: a/b|x|[ :]){0,30}") {
            drop(parts("multipart/mixed;boundary=b", &Bytes::from(body)));
        }
    }
}
