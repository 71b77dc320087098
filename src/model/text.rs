//! Makes foreign text fit to show: bytes to text, control characters removed, direction marks made visible.
//!
//! A message may come from anybody, so nothing in it may hide, overwrite or reverse what stands beside it.

use bytes::Bytes;

use crate::sip::{self, Content, File};
use crate::terminal::{code, is_hidden};

/// The most characters of a message shown in the conversation list.
const PREVIEW_CHARS_MAX: usize = 200;

/// A body as shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The text without control characters; empty if there is none.
    pub text: String,
    /// The parts that are not text.
    pub files: Vec<FileShown>,
}

/// A file in a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileShown {
    /// Its name, or its media type if it has none.
    pub name: String,
    /// `image/png`.
    pub media_type: String,
    /// Its size in bytes.
    pub bytes: usize,
}

/// What to show of a body.
#[must_use]
pub fn shown(content_type: &str, body: &Bytes) -> Shown {
    let Content { text, files } = sip::content(content_type, body);
    let file = |file: &File| FileShown {
        name: visible(file.called()),
        media_type: visible(&file.media_type),
        bytes: file.bytes.len(),
    };
    Shown { text: clean(&text), files: files.iter().map(file).collect() }
}

/// Text without control characters; line ends and tabs stay.
#[must_use]
pub fn clean(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect()
}

/// An address or a name on one line: control characters removed, direction marks written as their codes.
#[must_use]
pub fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        if is_hidden(letter) {
            shown.push_str(&code(letter));
        } else if !letter.is_control() {
            shown.push(letter);
        }
    }
    shown
}

/// The beginning of a message on one line, for the conversation list.
#[must_use]
pub fn preview(shown: &Shown) -> String {
    let names = || shown.files.iter().map(|file| file.name.as_str()).collect::<Vec<_>>().join(", ");
    let text = if shown.text.trim().is_empty() { names() } else { shown.text.clone() };
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() {
            line.push(' ');
        }
        line.extend(word.chars().take(PREVIEW_CHARS_MAX));
        if line.chars().count() >= PREVIEW_CHARS_MAX {
            break;
        }
    }
    line.chars().take(PREVIEW_CHARS_MAX).collect()
}

/// `812 bytes`, `12 KB`, `1.2 MB`.
#[must_use]
pub fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} bytes"),
        1_000..1_000_000 => format!("{} KB", bytes.div_ceil(1_000)),
        _ => format!("{}.{} MB", bytes / 1_000_000, bytes % 1_000_000 / 100_000),
    }
}

/// A number with its noun: `1 user`, `2 users`.
#[must_use]
pub fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_do_not_reach_the_screen() {
        let body = b"one\r\ntwo\rthree\x1b[31m\x07\tend\x7f";
        let shown = shown("text/plain;charset=utf-8", &Bytes::from_static(body));
        assert_eq!(shown, Shown { text: "one\ntwo\nthree[31m\tend".into(), files: vec![] });
    }

    #[test]
    fn what_is_no_text_is_a_file_with_a_name_that_can_be_shown() {
        let body = Bytes::from_static(b"\x89PNG");
        let file = |name: &str| FileShown { name: name.into(), media_type: "image/png".into(), bytes: 4 };
        assert_eq!(
            shown("Image/PNG; name=\"a\u{202E}gnp.exe\"", &body),
            Shown { text: String::new(), files: vec![file("a⟨U+202E⟩gnp.exe")] }
        );
        let unnamed = shown("image/png", &body);
        assert_eq!(unnamed.files, [file("image/png")]);
        assert_eq!(preview(&unnamed), "image/png");
    }

    #[test]
    fn marks_of_direction_in_an_address_are_visible() {
        assert_eq!(visible("sip:ann\u{202E}moc@x"), "sip:ann⟨U+202E⟩moc@x");
        assert_eq!(visible("a\r\nb"), "ab");
    }

    #[test]
    fn a_preview_is_one_short_line() {
        let long = "word ".repeat(100);
        let shown = Shown { text: format!("one\n\n two {long}{}", "x".repeat(500)), files: vec![] };
        let preview = preview(&shown);
        assert!(preview.starts_with("one two word"));
        assert_eq!(preview.chars().count(), PREVIEW_CHARS_MAX);
        assert!(!preview.contains('\n'));
    }
}
