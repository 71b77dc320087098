//! Text made comparable for every search: without accents, case, width and other differences that a person who types a
//! word does not think of. `irem` finds `İrem`, `grusse` finds `Grüße`, and it does not matter how an `é` is encoded.
//!
//! The same words go into the index of the store and into every query, so that both always agree.

use std::ops::Range;

use unicode_normalization::char::{canonical_combining_class, decompose_compatible};

/// A word as it is indexed, and where it stands in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// Its folded letters.
    pub folded: String,
    /// Its bytes in the text.
    pub place: Range<usize>,
}

/// The text folded as a whole, for a search of short texts such as names.
#[must_use]
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for letter in text.chars() {
        fold_letter(letter, &mut folded);
    }
    folded
}

/// Whether every word of the query, split at blanks, is contained in one of the texts.
#[must_use]
pub fn holds_all(texts: &[&str], query: &str) -> bool {
    let texts: Vec<String> = texts.iter().map(|text| fold(text)).collect();
    query.split_whitespace().map(fold).all(|word| texts.iter().any(|text| text.contains(&word)))
}

/// The words of a text in order. Signs that are written without blanks between words (Chinese, Japanese, Thai, emoji)
/// are a word each, so that a part of such a text is found too.
pub fn words(text: &str) -> impl Iterator<Item = Word> {
    let mut letters = text.char_indices().peekable();
    std::iter::from_fn(move || {
        let mut folded = String::new();
        let mut place = 0..0;
        while let Some((at, letter)) = letters.peek().copied() {
            let kind = Kind::of(letter);
            let begins_another = kind != Kind::Letter && kind != Kind::Hidden;
            if begins_another && !folded.is_empty() {
                break;
            }
            letters.next();
            match kind {
                Kind::Gap => continue,
                Kind::Hidden if folded.is_empty() => continue,
                Kind::Letter | Kind::Alone | Kind::Hidden => {}
            }
            if folded.is_empty() {
                place.start = at;
            }
            place.end = at + letter.len_utf8();
            fold_letter(letter, &mut folded);
            if kind == Kind::Alone && !folded.is_empty() {
                break;
            }
        }
        (!folded.is_empty()).then_some(Word { folded, place })
    })
}

/// The words of a text with a blank between them, as the store indexes them.
#[must_use]
pub fn indexed(text: &str) -> String {
    let mut all = String::with_capacity(text.len());
    for word in words(text) {
        if !all.is_empty() {
            all.push(' ');
        }
        all.push_str(&word.folded);
    }
    all
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Part of a word.
    Letter,
    /// A word by itself.
    Alone,
    /// A mark, or a sign that is not seen: part of the word that it follows.
    Hidden,
    /// Between words.
    Gap,
}

impl Kind {
    fn of(letter: char) -> Self {
        if letter.is_ascii() {
            return if letter.is_ascii_alphanumeric() { Self::Letter } else { Self::Gap };
        }
        match u32::from(letter) {
            // Thai, Lao, Khmer, Burmese; kana, Han; emoji and other pictures.
            0x0E00..=0x0EFF
            | 0x1000..=0x109F
            | 0x1780..=0x17FF
            | 0x2190..=0x2BFF
            | 0x3005..=0x3007
            | 0x3041..=0x30FF
            | 0x31F0..=0x31FF
            | 0x3400..=0x4DBF
            | 0x4E00..=0x9FFF
            | 0xF900..=0xFAFF
            | 0xFF66..=0xFF9F
            | 0x1F000..=0x1FAFF
            | 0x20000..=0x3FFFF => Self::Alone,
            _ if is_dropped(letter) => Self::Hidden,
            _ if letter.is_alphanumeric() => Self::Letter,
            _ => Self::Gap,
        }
    }
}

/// Whether a character is left out: a mark above or below a letter, or one that is not seen.
fn is_dropped(letter: char) -> bool {
    let is_unseen = matches!(
        letter,
        '\u{AD}' | '\u{200B}'..='\u{200F}' | '\u{2060}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{E0100}'..='\u{E01EF}'
    );
    is_unseen || canonical_combining_class(letter) != 0
}

fn fold_letter(letter: char, folded: &mut String) {
    if letter.is_ascii() {
        folded.push(letter.to_ascii_lowercase());
        return;
    }
    decompose_compatible(letter, |part| {
        if is_dropped(part) {
            return;
        }
        for small in part.to_lowercase().filter(|small| !is_dropped(*small)) {
            match small {
                // Letters that Unicode does not take apart.
                'ı' => folded.push('i'),
                'ß' => folded.push_str("ss"),
                'ς' => folded.push('σ'),
                'æ' => folded.push_str("ae"),
                'œ' => folded.push_str("oe"),
                'ø' => folded.push('o'),
                'đ' | 'ð' => folded.push('d'),
                'ł' => folded.push('l'),
                'þ' => folded.push_str("th"),
                other => folded.push(other),
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(text: &str) -> Vec<(String, &str)> {
        words(text).map(|word| (word.folded.clone(), text.get(word.place).unwrap())).collect()
    }

    #[test]
    fn what_a_person_types_finds_what_another_has_written() {
        let table = [
            ("irem", "\u{130}rem"),
            ("irem", "\u{131}rem"),
            ("IREM", "i\u{307}rem"),
            ("caf\u{e9}", "cafe\u{301}"),
            ("cafe", "CAF\u{c9}"),
            ("grusse", "Gr\u{fc}\u{df}e"),
            ("STRASSE", "stra\u{1e9e}e"),
            ("soren", "S\u{f8}ren"),
            ("lodz", "\u{141}\u{f3}d\u{17a}"),
            ("office", "o\u{fb03}ce"),
            ("abc", "\u{ff21}\u{ff22}\u{ff23}"),
            ("\u{3c3}\u{3bf}\u{3c6}\u{3bf}\u{3c3}", "\u{3a3}\u{3bf}\u{3c6}\u{3cc}\u{3c2}"),
            ("\u{435}\u{43b}\u{43a}\u{430}", "\u{451}\u{43b}\u{43a}\u{430}"),
            ("viet", "Vi\u{1ec7}t"),
            ("cooperate", "co\u{ad}operate"),
        ];
        for (typed, written) in table {
            assert_eq!(fold(typed), fold(written), "{typed} {written}");
            assert!(holds_all(&[written], typed));
        }
        assert!(holds_all(&["\u{130}rem Y\u{131}ld\u{131}z", "sip:irem@x"], "yil IRE"));
        assert!(!holds_all(&["\u{130}rem", "sip:irem@x"], "yil ire"));
        assert!(holds_all(&["x"], "  "));
    }

    #[test]
    fn words_are_found_where_they_stand() {
        assert_eq!(
            all("Gru\u{308}n, d'or_x 7%"),
            [
                ("grun".to_owned(), "Gru\u{308}n"),
                ("d".to_owned(), "d"),
                ("or".to_owned(), "or"),
                ("x".to_owned(), "x"),
                ("7".to_owned(), "7"),
            ]
        );
        assert_eq!(all(" \u{301}.,"), []);
        assert_eq!(all("\u{e14}\u{e35}\u{e48}x").len(), 3, "a tone mark is no end");
        assert_eq!(indexed("Come \u{4f60}\u{597d}!\u{1f389}x"), "come \u{4f60} \u{597d} \u{1f389} x");
    }

    proptest! {
        #[test]
        fn no_text_is_a_panic_and_folding_twice_changes_nothing(text in "\\PC{0,40}") {
            let folded = fold(&text);
            prop_assert_eq!(&fold(&folded), &folded);
            for word in words(&text) {
                prop_assert!(text.get(word.place.clone()).is_some());
                prop_assert!(!word.folded.is_empty());
            }
        }
    }
}
