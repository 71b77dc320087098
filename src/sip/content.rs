//! Takes a body apart for a person: text to read, and files to save (RFC 3428 §5, RFC 2045, RFC 2046).
//!
//! Nothing of a body is lost: what is not text, what is in an unreadable charset, and what has more parts than the
//! limit becomes a file with its bytes unchanged. Nothing here is safe to show as it is: the display removes control
//! characters.

use bytes::Bytes;
use mail_parser::decoders::html::html_to_text;

use super::cpim::Cpim;
use super::mime::{self, Part, file_name, media_type, parts, text_of};
use crate::limits::{BODY_DEPTH_MAX, BODY_FILES_MAX, BODY_PARTS_MAX};

/// The content of a body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Content {
    /// Its text, in order; HTML without its tags.
    pub text: String,
    /// The parts that are not text.
    pub files: Vec<File>,
}

/// A part of a body that is not text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// The file name that came with it, if any.
    pub name: Option<String>,
    /// `image/png`, without parameters.
    pub media_type: String,
    /// Its content.
    pub bytes: Bytes,
}

impl File {
    /// Its name, or its media type if it has none.
    #[must_use]
    pub fn called(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.media_type)
    }
}

/// Takes a body apart. Never fails: what cannot be parsed becomes a file.
#[must_use]
pub fn content(content_type: &str, body: &Bytes) -> Content {
    let mut reader = Reader { content: Content::default(), parts: 0 };
    match reader.take(content_type, body, 0) {
        Ok(()) => reader.content,
        Err(TooMuch) => {
            let name = file_name(content_type, "name");
            let file = File { name, media_type: media_type(content_type), bytes: body.clone() };
            Content { text: String::new(), files: vec![file] }
        }
    }
}

/// The media type of a body, or of what its CPIM wraps (RFC 3862 §2).
#[must_use]
pub fn inner_media_type(content_type: &str, body: &Bytes) -> String {
    let outer = media_type(content_type);
    let inner = Some(body).filter(|_| outer == "message/cpim").and_then(Cpim::parse);
    inner.map_or(outer, |cpim| media_type(&cpim.content_type))
}

/// There are more parts, levels or files than the limits allow.
struct TooMuch;

struct Reader {
    content: Content,
    parts: usize,
}

impl Reader {
    fn take(&mut self, content_type: &str, body: &Bytes, depth: usize) -> Result<(), TooMuch> {
        if depth > BODY_DEPTH_MAX {
            return Err(TooMuch);
        }
        let media_type = media_type(content_type);
        match media_type.split_once('/') {
            Some(("text", subtype)) => match text_of(content_type, body) {
                Some(text) if subtype == "html" => self.add_text(&html_to_text(&text)),
                Some(text) => self.add_text(&text),
                None => return self.add_file(file_name(content_type, "name"), media_type, body),
            },
            Some(("multipart", subtype)) => match parts(content_type, body) {
                Some(parts) => return self.take_parts(subtype, &parts, depth),
                None => return self.add_file(None, media_type, body),
            },
            Some(("message", "cpim")) => match Cpim::parse(body) {
                Some(cpim) => return self.take(&cpim.content_type, &cpim.body, depth + 1),
                None => match text_of("", body) {
                    Some(text) => self.add_text(&text),
                    None => return self.add_file(None, media_type, body),
                },
            },
            Some(_) | None => return self.add_file(file_name(content_type, "name"), media_type, body),
        }
        Ok(())
    }

    /// RFC 2046 §5.1: of alternatives one text, the plain one if there is one; of other multiparts everything.
    fn take_parts(&mut self, subtype: &str, parts: &[Part], depth: usize) -> Result<(), TooMuch> {
        self.parts += parts.len();
        if self.parts > BODY_PARTS_MAX {
            return Err(TooMuch);
        }
        let is_alternative = subtype == "alternative";
        let chosen = if is_alternative { self.choose(parts) } else { None };
        for (index, part) in parts.iter().enumerate() {
            let kind = media_type(part.content_type());
            let is_container = kind.starts_with("multipart/") || kind == "message/cpim";
            let is_text = matches!(kind.as_str(), "text/plain" | "text/html") && !part.is_attachment();
            let is_named = index > 0 && mime::parameter(part.content_type(), "name").is_some();
            let bytes = part.content();
            if is_container && !part.is_attachment() {
                let before = self.content.text.len();
                self.take(part.content_type(), &bytes, depth + 1)?;
                if is_alternative && chosen != Some(index) {
                    // Its text repeats the chosen alternative's, but its files are found nowhere else.
                    self.content.text.truncate(before);
                }
            } else if is_text && is_alternative {
                if chosen == Some(index) {
                    self.take(part.content_type(), &bytes, depth + 1)?;
                }
            } else if is_text && !is_named {
                self.take(part.content_type(), &bytes, depth + 1)?;
            } else {
                self.add_file(part.file_name(), kind, &bytes)?;
            }
        }
        Ok(())
    }

    /// Which alternative is read: the first readable plain text, else the first HTML, else the first with parts.
    fn choose(&self, parts: &[Part]) -> Option<usize> {
        let find = |is_wanted: &dyn Fn(&str) -> bool| {
            parts.iter().position(|part| {
                let kind = part.content_type();
                let is_readable = || !kind.starts_with("text/") || text_of(kind, &part.content()).is_some();
                !part.is_attachment() && is_wanted(&media_type(kind)) && is_readable()
            })
        };
        find(&|kind| kind == "text/plain")
            .or_else(|| find(&|kind| kind == "text/html"))
            .or_else(|| find(&|kind| kind.starts_with("multipart/") || kind == "message/cpim"))
            .or_else(|| parts.iter().position(|part| media_type(part.content_type()).starts_with("text/")))
    }

    fn add_text(&mut self, text: &str) {
        let known = &mut self.content.text;
        if !known.is_empty() && !text.is_empty() {
            known.push('\n');
        }
        known.push_str(text);
    }

    fn add_file(&mut self, name: Option<String>, media_type: String, bytes: &Bytes) -> Result<(), TooMuch> {
        if self.content.files.len() >= BODY_FILES_MAX {
            return Err(TooMuch);
        }
        self.content.files.push(File { name, media_type, bytes: bytes.clone() });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(content_type: &str, body: &str) -> Content {
        content(content_type, &Bytes::copy_from_slice(body.replace('\n', "\r\n").as_bytes()))
    }

    fn text(content_type: &str, body: &[u8]) -> String {
        content(content_type, &Bytes::copy_from_slice(body)).text
    }

    #[test]
    fn w4_the_charset_decides_and_what_cannot_be_read_is_a_file() {
        assert_eq!(text("text/plain;charset=ISO-8859-1", b"gr\xfc\xdf"), "gr\u{fc}\u{df}");
        assert_eq!(text("text/plain; charset=\"utf-8\"", "gr\u{fc}".as_bytes()), "gr\u{fc}");
        assert_eq!(text("text/plain;charset=gb2312", b"\xcc\xd8\xce\xac"), "\u{7279}\u{7ef4}");
        assert_eq!(text("", b"x"), "x");
        let unread: [(&str, &'static [u8]); 5] = [
            ("text/plain;charset=us-ascii", b"gr\xfc"),
            ("text/plain", b"gr\xfc"),
            ("text/plain;charset=made-up", b"x"),
            ("text/html; charset=\"euc-kr\"", b"<p>\xbe"),
            ("message/cpim", b"no header \xfc"),
        ];
        for (kind, bytes) in unread {
            let media_type = media_type(kind);
            let file = File { name: None, media_type, bytes: Bytes::from_static(bytes) };
            let got = content(kind, &Bytes::from_static(bytes));
            assert_eq!(got, Content { text: String::new(), files: vec![file] }, "{kind}");
        }
    }

    #[test]
    fn html_is_text_without_its_tags_and_its_scripts() {
        let html = b"<html><head><title>t</title><script>alert(1)</script></head><body><p>Come <b>here</b> &amp; sit.</p></body></html>";
        assert_eq!(text("text/html", html).trim(), "Come here & sit.");
    }

    #[test]
    fn what_is_no_text_is_a_file_as_it_came() {
        let got = content("Image/PNG; name=\"cat.png\"", &Bytes::from_static(b"\x89PNG"));
        let cat = File {
            name: Some("cat.png".into()),
            media_type: "image/png".into(),
            bytes: Bytes::from_static(b"\x89PNG"),
        };
        assert_eq!(got, Content { text: String::new(), files: vec![cat] });
    }

    const MIXED: &str = "preamble\n--b1\nContent-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n\nGr=FC=DFe\n\
        --b1\nContent-Type: image/png\nContent-Disposition: attachment; filename=\"cat.png\"\nContent-Transfer-Encoding: base64\n\niVBORw==\n\
        --b1\nContent-Type: text/csv\nContent-Disposition: attachment; filename=\"a.csv\"\n\n1,2\n--b1--\nepilogue";

    #[test]
    fn a_mixed_body_is_its_text_and_its_files() {
        let got = of("multipart/mixed; boundary=\"b1\"", MIXED);
        assert_eq!(got.text.trim_end(), "Gr\u{fc}\u{df}e");
        let files: Vec<_> =
            got.files.iter().map(|it| (it.name.as_deref(), it.media_type.as_str(), &it.bytes[..])).collect();
        assert_eq!(
            files,
            [(Some("cat.png"), "image/png", &b"\x89PNG"[..]), (Some("a.csv"), "text/csv", &b"1,2"[..])]
        );
    }

    #[test]
    fn of_alternatives_the_plain_text_is_read_once() {
        let body =
            "--b\nContent-Type: text/plain\n\nplain\n--b\nContent-Type: text/html\n\n<p>rich</p>\n--b--\n";
        let got = of("multipart/alternative;boundary=b", body);
        assert_eq!((got.text.trim(), got.files.len()), ("plain", 0));
        let html_only = "--b\nContent-Type: text/html\n\n<p>rich</p>\n--b--\n";
        assert_eq!(of("multipart/alternative;boundary=b", html_only).text.trim(), "rich");
    }

    #[test]
    fn w28_the_inner_text_of_cpim_is_shown() {
        let body = "From: <im:ann@domain.com>\nTo: <im:bob@domain.com>\n\nContent-Type: text/plain; charset=utf-8\n\nCome here.";
        assert_eq!(of("message/cpim", body).text, "Come here.");
        assert_eq!(of("Message/CPIM", "no headers").text, "no headers");
    }

    #[test]
    fn a_body_without_its_boundary_is_not_lost() {
        let got = of("multipart/mixed", "just bytes");
        assert!(
            got.text.contains("just bytes") || got.files.iter().any(|file| &file.bytes[..] == b"just bytes")
        );
    }

    proptest! {
        #[test]
        fn no_bytes_are_a_panic(body in proptest::collection::vec(any::<u8>(), 0..400), kind in 0..5_usize) {
            let kinds = ["text/html", "multipart/mixed; boundary=b", "message/cpim", "text/plain;charset=utf-16", "multipart/alternative;boundary=\"\""];
            drop(content(kinds[kind], &Bytes::from(body)));
        }

        #[test]
        fn no_markup_is_a_panic(body in "[<>&;/!a-z \u{e9}\"-]{0,80}", parts in 0..6_usize) {
            drop(content("text/html", &Bytes::from(body.clone())));
            let mixed = format!("--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\nContent-Type: text/html\r\n\r\n{body}\r\n").repeat(parts);
            drop(content("multipart/mixed;boundary=b", &Bytes::from(mixed)));
        }
    }
}
