//! Makes text of other people safe for a terminal: nothing in it can move the cursor, change colors, hide, reverse the
//! text beside it, or pass for a line of ours.
//!
//! Everything that is printed, and every line of the log, goes through [`shown`]; JSON goes through [`json`].

/// The indent of every line but the first of a text, so that none can be taken for a line of ours.
const INDENT: &str = "    ";

/// The text as it is printed: characters that a terminal would act on are replaced by their codes (`⟨U+001B⟩`), and
/// every line but the first is indented.
#[must_use]
pub fn shown(text: &str) -> String {
    let mut printed = String::with_capacity(text.len());
    let mut is_new_line = false;
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\r' if letters.peek() == Some(&'\n') => {}
            '\n' | '\r' => {
                printed.push('\n');
                is_new_line = true;
            }
            _ => {
                if std::mem::take(&mut is_new_line) {
                    printed.push_str(INDENT);
                }
                push(&mut printed, letter);
            }
        }
    }
    printed
}

/// JSON as it is printed: what a terminal would act on is escaped (`\u001b`), so that a program reads the same.
///
/// Such characters can occur only in strings, where an escape means the same.
#[must_use]
pub fn json(text: &str) -> String {
    let mut printed = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter.is_control() || is_hidden(letter) {
            for unit in letter.encode_utf16(&mut [0; 2]) {
                printed.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            printed.push(letter);
        }
    }
    printed
}

/// A path, quoted for a shell.
pub(crate) fn quoted(path: &std::path::Path) -> String {
    let name = path.display().to_string();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+@%=:,".contains(c);
    if name.chars().all(is_plain) { name } else { format!("'{}'", name.replace('\'', r"'\''")) }
}

/// The system's error without its number: `Connection reset by peer`.
pub(crate) fn system_words(error: &std::io::Error) -> String {
    without_numbers(&error.to_string())
}

/// The same of a text with such errors in it: `Permission denied (os error 13)` becomes `Permission denied`.
pub(crate) fn without_numbers(words: &str) -> String {
    let mut parts = words.split(" (os error ");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + part.split_once(')').map_or("", |(_, rest)| rest))
}

fn push(printed: &mut String, letter: char) {
    if letter != '\t' && (letter.is_control() || is_hidden(letter)) {
        printed.push_str(&code(letter));
    } else {
        printed.push(letter);
    }
}

/// A character that cannot be shown, as its code: `⟨U+202E⟩`.
#[must_use]
pub fn code(letter: char) -> String {
    format!("⟨U+{:04X}⟩", u32::from(letter))
}

/// True for characters that change the writing direction, end a line, are invisible, or make two texts look alike:
/// direction marks and isolates, line and paragraph separators, joiners, fillers, annotations, tags.
///
/// The variation selectors that turn a character into an emoji (U+FE00 to U+FE0F) are not among them.
#[must_use]
pub const fn is_hidden(letter: char) -> bool {
    matches!(
        letter,
        '\u{00AD}'
            | '\u{034F}'
            | '\u{061C}'
            | '\u{115F}'..='\u{1160}'
            | '\u{17B4}'..='\u{17B5}'
            | '\u{180B}'..='\u{180F}'
            | '\u{200B}'..='\u{200F}'
            | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}'
            | '\u{3164}'
            | '\u{FEFF}'
            | '\u{FFA0}'
            | '\u{FFF0}'..='\u{FFFB}'
            | '\u{1BCA0}'..='\u{1BCA3}'
            | '\u{1D173}'..='\u{1D17A}'
            | '\u{E0000}'..='\u{E0FFF}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One of each kind by which a terminal, or an eye, is deceived.
    const KINDS: &[(&str, &str, &str)] = &[
        ("\u{1b}[2J", "⟨U+001B⟩[2J", "\\u001b[2J"),
        ("\u{0}\u{7}\u{8}", "⟨U+0000⟩⟨U+0007⟩⟨U+0008⟩", "\\u0000\\u0007\\u0008"),
        ("\u{7f}", "⟨U+007F⟩", "\\u007f"),
        ("\u{85}\u{9b}31m", "⟨U+0085⟩⟨U+009B⟩31m", "\\u0085\\u009b31m"),
        ("a\u{202e}b\u{2066}", "a⟨U+202E⟩b⟨U+2066⟩", "a\\u202eb\\u2066"),
        ("\u{200e}\u{200f}\u{61c}", "⟨U+200E⟩⟨U+200F⟩⟨U+061C⟩", "\\u200e\\u200f\\u061c"),
        ("\u{200b}\u{200d}\u{2060}", "⟨U+200B⟩⟨U+200D⟩⟨U+2060⟩", "\\u200b\\u200d\\u2060"),
        ("\u{2028}\u{2029}", "⟨U+2028⟩⟨U+2029⟩", "\\u2028\\u2029"),
        ("\u{feff}\u{ad}", "⟨U+FEFF⟩⟨U+00AD⟩", "\\ufeff\\u00ad"),
        ("\u{e0001}\u{e007f}", "⟨U+E0001⟩⟨U+E007F⟩", "\\udb40\\udc01\\udb40\\udc7f"),
        ("Zo\u{eb} \u{4e2d} \u{1f600} \u{2764}\u{fe0f}", "Zoë 中 😀 ❤\u{fe0f}", "Zoë 中 😀 ❤\u{fe0f}"),
    ];

    #[test]
    fn what_a_terminal_would_act_on_is_shown_as_its_code() {
        for (text, printed, _) in KINDS {
            assert_eq!(shown(text), *printed);
        }
        assert_eq!(shown("a\tb"), "a\tb");
    }

    #[test]
    fn json_is_escaped_and_reads_the_same() {
        for (text, _, printed) in KINDS {
            let written = json(&serde_json::to_string(text).unwrap());
            assert_eq!(written, format!("\"{printed}\"").replace("\\u0008", "\\b"));
            assert_eq!(serde_json::from_str::<String>(&written).unwrap(), *text);
        }
        let whole = "every\u{0}\u{1f}\u{80}\u{9f}\n\t\"\\\u{2069}\u{e0fff}";
        assert_eq!(
            serde_json::from_str::<String>(&json(&serde_json::to_string(whole).unwrap())).unwrap(),
            whole
        );
    }

    #[test]
    fn no_number_of_the_system_is_told() {
        let said = without_numbers("a.png cannot be read: No such file (os error 2).");
        assert_eq!(said, "a.png cannot be read: No such file.");
        assert_eq!(without_numbers("Fine."), "Fine.");
        assert_eq!(system_words(&std::io::Error::from_raw_os_error(28)), "No space left on device");
    }

    #[test]
    fn a_line_end_makes_no_line_of_ours() {
        assert_eq!(shown("sip:a@b: x\nsip:ceo@b: pay"), "sip:a@b: x\n    sip:ceo@b: pay");
        assert_eq!(shown("x\rsip:ceo@b: pay"), "x\n    sip:ceo@b: pay");
        assert_eq!(shown("x\r\n\r\n\ty\n"), "x\n\n    \ty\n");
    }
}
