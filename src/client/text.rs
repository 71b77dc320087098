//! Foreign text made fit to show: bytes to text, control characters out, direction marks visible.
//!
//! A message comes from anybody, so nothing in it may hide, overwrite or turn around what stands beside it.

/// Characters of a message in the conversation list.
const PREVIEW_CHARS_MAX: usize = 200;

/// A body as text, and its media type where that is not plain text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The text, control characters taken out; empty for what is no text.
    pub text: String,
    /// `image/png`; none for plain text.
    pub other_type: Option<String>,
}

/// What to show of a body.
#[must_use]
pub fn shown(content_type: &str, body: &[u8]) -> Shown {
    let media_type = media_type(content_type);
    let other_type = (media_type != "text/plain").then(|| visible(&media_type));
    let text = if media_type.starts_with("text/") { decode(content_type, body) } else { String::new() };
    Shown { text: clean(&text), other_type }
}

/// `type/subtype` in small letters, without parameters; `text/plain` when there is none (RFC 3428 §5).
#[must_use]
pub fn media_type(content_type: &str) -> String {
    let bare = content_type.split(';').next().unwrap_or_default();
    let bare: String = bare.chars().filter(|c| !c.is_whitespace()).collect();
    if bare.is_empty() { "text/plain".to_owned() } else { bare.to_ascii_lowercase() }
}

/// Text without control characters; line ends and tabs stay.
#[must_use]
pub fn clean(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect()
}

/// An address or a name on one line: control characters out, direction marks written as their code.
#[must_use]
pub fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        if is_hidden_mark(letter) {
            shown.push_str(&format!("⟨U+{:04X}⟩", u32::from(letter)));
        } else if !letter.is_control() {
            shown.push(letter);
        }
    }
    shown
}

/// The beginning of a message on one line, for the conversation list.
#[must_use]
pub fn preview(shown: &Shown) -> String {
    let text = match &shown.other_type {
        Some(other) if shown.text.is_empty() => other,
        Some(_) | None => &shown.text,
    };
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

/// UTF-8 unless the charset says Latin-1; what is neither gets replacement characters.
fn decode(content_type: &str, body: &[u8]) -> String {
    let charset = content_type.split(';').skip(1).find_map(|param| {
        let (name, value) = param.split_once('=')?;
        let value = value.trim().trim_matches('"').to_ascii_lowercase();
        name.trim().eq_ignore_ascii_case("charset").then_some(value)
    });
    match charset.as_deref() {
        Some("iso-8859-1" | "latin1") => body.iter().map(|byte| char::from(*byte)).collect(),
        Some(_) | None => String::from_utf8_lossy(body).into_owned(),
    }
}

/// Marks that change direction, or take no room and so make two addresses look alike.
const fn is_hidden_mark(letter: char) -> bool {
    matches!(
        letter,
        '\u{061C}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_do_not_reach_the_screen() {
        let body = b"one\r\ntwo\rthree\x1b[31m\x07\tend\x7f";
        let shown = shown("text/plain;charset=utf-8", body);
        assert_eq!(shown.text, "one\ntwo\nthree[31m\tend");
        assert_eq!(shown.other_type, None);
    }

    #[test]
    fn what_is_no_plain_text_is_named() {
        assert_eq!(
            shown("Image/PNG; x=1", b"\x89PNG"),
            Shown { text: String::new(), other_type: Some("image/png".into()) }
        );
        assert_eq!(shown("text/html", b"<b>x</b>").text, "<b>x</b>");
        assert_eq!(shown("text/html", b"").other_type.as_deref(), Some("text/html"));
        assert_eq!(shown("", b"x"), Shown { text: "x".into(), other_type: None });
    }

    #[test]
    fn the_charset_decides_and_bad_bytes_are_replaced() {
        assert_eq!(shown("text/plain;charset=ISO-8859-1", b"gr\xfc\xdf").text, "grüß");
        assert_eq!(shown("text/plain", b"gr\xfc").text, "gr\u{FFFD}");
    }

    #[test]
    fn marks_of_direction_in_an_address_are_visible() {
        assert_eq!(visible("sip:ann\u{202E}moc@x"), "sip:ann⟨U+202E⟩moc@x");
        assert_eq!(visible("a\r\nb"), "ab");
    }

    #[test]
    fn a_preview_is_one_short_line() {
        let long = "word ".repeat(100);
        let shown = Shown { text: format!("one\n\n two {long}{}", "x".repeat(500)), other_type: None };
        let preview = preview(&shown);
        assert!(preview.starts_with("one two word"));
        assert_eq!(preview.chars().count(), PREVIEW_CHARS_MAX);
        assert!(!preview.contains('\n'));
    }
}
