//! Builds a body from a text and files, which [`content`](super::content()) takes apart (RFC 3428 §5, RFC 2046 §5.1.3).
//!
//! Written here rather than by a library for e-mail (`mail-builder`): such a library picks a transfer encoding for each part,
//! which makes a picture a third longer, although SIP carries bytes as they are (RFC 3261 §7.4.1); and it draws a boundary
//! without looking into the parts, which a stranger may have written. What would be left of it is `multipart`, below.

use std::collections::BTreeSet;

use bytes::Bytes;
use memchr::memmem;

use super::content::File;

/// Content-Type and body of a message of this text with these files: the text alone, a file alone, or parts of a
/// `multipart/mixed`, unencoded (SIP is 8-bit clean, RFC 3261 §7.4.1).
#[must_use]
pub fn enclose(text: &str, files: &[File]) -> (String, Bytes) {
    match files {
        [] => (text_type(text).to_owned(), Bytes::copy_from_slice(text.as_bytes())),
        [file] if text.is_empty() => (file_type(file), file.bytes.clone()),
        _ => {
            let boundary = boundary(text, files);
            (format!("multipart/mixed;boundary={boundary}"), mixed(text, files, &boundary))
        }
    }
}

/// `text/plain` alone means US-ASCII (RFC 2046 §4.1.2), and it is what the patent's example uses.
const fn text_type(text: &str) -> &'static str {
    if text.is_ascii() { "text/plain" } else { "text/plain;charset=utf-8" }
}

/// With the file's name, although RFC 2183 would put it into a separate Content-Disposition.
fn file_type(file: &File) -> String {
    match &file.name {
        Some(name) => format!("{};name=\"{}\"", file.media_type, quotable(name)),
        None => file.media_type.clone(),
    }
}

fn mixed(text: &str, files: &[File], boundary: &str) -> Bytes {
    let mut parts = Vec::new();
    if !text.is_empty() {
        let head = format!("Content-Type: {}\r\nContent-Transfer-Encoding: 8bit", text_type(text));
        parts.push((head, text.as_bytes()));
    }
    for file in files {
        let name = file.name.as_deref().map(quotable);
        let named = name.map(|name| format!(";filename=\"{name}\"")).unwrap_or_default();
        let head = format!(
            "Content-Type: {}\r\nContent-Disposition: attachment{named}\r\nContent-Transfer-Encoding: binary",
            file_type(file)
        );
        parts.push((head, &file.bytes));
    }
    multipart(boundary, &parts)
}

/// The parts of a multipart body, each with its header fields and its bytes as they are (RFC 2046 §5.1.1).
pub(super) fn multipart(boundary: &str, parts: &[(String, &[u8])]) -> Bytes {
    let mut body = Vec::new();
    for (head, bytes) in parts {
        body.extend_from_slice(format!("--{boundary}\r\n{head}\r\n\r\n").as_bytes());
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    body.into()
}

/// The start of each of our boundaries; a number follows.
const BOUNDARY: &str = "fanfare-";

/// A boundary that occurs in none of the parts (RFC 2046 §5.1.1), found in one pass over them.
fn boundary(text: &str, files: &[File]) -> String {
    let mut taken = BTreeSet::new();
    take_numbers(text.as_bytes(), &mut taken);
    files.iter().for_each(|file| take_numbers(&file.bytes, &mut taken));
    let free = (0_u64..).find(|number| !taken.contains(number)).unwrap_or_default();
    format!("{BOUNDARY}{free}")
}

/// Collects the numbers whose `--fanfare-NUMBER` occurs; for `--fanfare-12` these are 1 and 12.
fn take_numbers(bytes: &[u8], taken: &mut BTreeSet<u64>) {
    let mark = format!("--{BOUNDARY}");
    let mut rest = bytes;
    while let Some(place) = memmem::find(rest, mark.as_bytes()) {
        // Two marks can share a hyphen: the search goes on right behind the first one's first byte.
        rest = rest.get(place + 1..).unwrap_or_default();
        let mut number: u64 = 0;
        for byte in rest.iter().skip(mark.len() - 1) {
            let digit = char::from(*byte).to_digit(10);
            let longer = digit.and_then(|digit| number.checked_mul(10)?.checked_add(digit.into()));
            let Some(longer) = longer else { break };
            number = longer;
            taken.insert(number);
        }
    }
}

/// A file's name without its folders and without characters that would end a quoted parameter.
fn quotable(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    last.chars().map(|c| if c.is_control() || c == '"' { '_' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::sip::{Content, content};

    fn file(name: &str, media_type: &str, bytes: &[u8]) -> File {
        File {
            name: Some(name.to_owned()),
            media_type: media_type.to_owned(),
            bytes: Bytes::copy_from_slice(bytes),
        }
    }

    #[test]
    fn a_text_alone_is_a_text_and_a_file_alone_is_a_file() {
        assert_eq!(enclose("Come here.", &[]).0, "text/plain");
        assert_eq!(enclose("Grüße", &[]).0, "text/plain;charset=utf-8");
        let cat = file("cat.png", "image/png", b"\x89PNG");
        let (kind, body) = enclose("", std::slice::from_ref(&cat));
        assert_eq!((kind.as_str(), &body[..]), ("image/png;name=\"cat.png\"", &b"\x89PNG"[..]));
    }

    #[test]
    fn a_text_with_files_is_parts_and_no_part_ends_another() {
        let files = [
            file("cat.png", "image/png", b"\r\n--fanfare-0--\r\n\x89"),
            file("Übersicht.csv", "text/csv", b"1,2"),
        ];
        let (kind, body) = enclose("Look:\r\n--fanfare-1", &files);
        assert_eq!(kind, "multipart/mixed;boundary=fanfare-2");
        let got = content(&kind, &body);
        assert_eq!(got, Content { text: "Look:\r\n--fanfare-1".into(), files: files.into() });
    }

    #[test]
    fn a_boundary_is_found_in_one_look_however_many_are_taken() {
        let taken: String = (0..40_000).map(|number| format!("--fanfare-{number}\n")).collect();
        assert_eq!(boundary(&taken, &[]), "fanfare-40000");
        assert_eq!(boundary("--fanfare-10 --fanfare-", &[]), "fanfare-0");
        assert_eq!(boundary("--fanfare-0 --fanfare-10", &[]), "fanfare-2");
    }

    #[test]
    fn a_semicolon_in_a_name_comes_back() {
        let files = [file("a;b.png", "image/png", b"1"), file("c; d.txt", "text/plain", b"2")];
        for (text, files) in [("", &files[..1]), ("x", &files[..])] {
            let (kind, body) = enclose(text, files);
            assert_eq!(content(&kind, &body), Content { text: text.into(), files: files.into() });
        }
    }

    #[test]
    fn a_name_brings_no_folder_and_ends_no_parameter() {
        let evil = file("../../etc/a\";x=\"b\r\nEvil: 1", "text/csv", b"1");
        let (kind, body) = enclose("", std::slice::from_ref(&evil));
        assert_eq!(kind, "text/csv;name=\"a_;x=_b__Evil: 1\"");
        assert_eq!(&body[..], b"1");
    }

    proptest! {
        #[test]
        fn what_is_enclosed_is_found_again(text in "[ -~\u{e4}\u{1F600}]{0,40}", all in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..60), 0..4)) {
            let files: Vec<_> = (0..).zip(&all).map(|(number, bytes)| file(&format!("f{number}.bin"), "application/zip", bytes)).collect();
            let (kind, body) = enclose(&text, &files);
            let got = content(&kind, &body);
            prop_assert_eq!(got.text, text);
            prop_assert_eq!(got.files, files);
        }
    }
}
