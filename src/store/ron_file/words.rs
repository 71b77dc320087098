//! What is wrong with a file in RON, in words that name no type of this program.

use ron::Error;
use ron::error::SpannedError;

use crate::injection::nearest;

/// Why a file cannot be read, as the end of a sentence.
#[expect(clippy::wildcard_enum_match_arm, reason = "the library may add to its faults")]
pub(super) fn fault(error: &Error) -> String {
    match error {
        Error::NoSuchStructField { found, expected, .. } => {
            format!("there is no field {found:?} here; the fields are {}", listed(expected, found))
        }
        Error::MissingStructField { field, .. } => format!("the field {field:?} is missing"),
        Error::DuplicateStructField { field, .. } => format!("the field {field:?} is there twice"),
        Error::NoSuchEnumVariant { found, expected, .. } => {
            format!("{found:?} is not one of {}", listed(expected, found))
        }
        Error::InvalidValueForType { expected, found } => {
            format!("{} is wanted here, not {}", kind(expected), kind(found))
        }
        Error::ExpectedDifferentLength { expected, found } => {
            format!("{} is wanted here, not {found} of them", kind(expected))
        }
        Error::ExpectedStructLike
        | Error::ExpectedNamedStructLike(_)
        | Error::ExpectedStructName(_)
        | Error::ExpectedDifferentStructName { .. } => "an opening ( is wanted here".to_owned(),
        Error::ExpectedOptionEnd | Error::ExpectedStructLikeEnd => {
            "a comma or a closing ) is wanted here".to_owned()
        }
        Error::ExpectedArray => "a list is wanted here, in [ and ]".to_owned(),
        Error::ExpectedArrayEnd => "a comma or a closing ] is wanted here".to_owned(),
        Error::ExpectedMapColon => "a colon is wanted here, between a field and its value".to_owned(),
        Error::ExpectedComma => "a comma or a closing bracket is wanted here".to_owned(),
        Error::ExpectedBoolean => "true or false is wanted here".to_owned(),
        Error::ExpectedInteger => "a whole number is wanted here".to_owned(),
        Error::ExpectedFloat => "a number is wanted here".to_owned(),
        Error::IntegerOutOfBounds => "this number is too large, or too small".to_owned(),
        Error::ExpectedString => "a text is wanted here, in quotes".to_owned(),
        Error::ExpectedStringEnd => "the closing quote of a text is missing".to_owned(),
        Error::ExpectedIdentifier => "a word without quotes is wanted here".to_owned(),
        Error::Eof => "the file ends too early".to_owned(),
        Error::TrailingCharacters => "nothing may follow the last )".to_owned(),
        Error::UnclosedBlockComment => "a comment is not closed".to_owned(),
        Error::UnexpectedChar(letter) => format!("{letter:?} has no meaning here"),
        Error::Utf8Error(_) => "this is not UTF-8".to_owned(),
        // What people rarely meet. The library's own words name no types for it.
        other => in_the_middle(&other.to_string()),
    }
}

/// The kinds of values, as people call them.
fn kind(words: &str) -> String {
    let integers = ["u8", "u16", "u32", "u64", "usize"];
    let signed = ["i8", "i16", "i32", "i64", "isize"];
    match words {
        "a sequence" => "a list".to_owned(),
        "a string" | "string" | "str" | "path string" => "a text in quotes".to_owned(),
        "a boolean" | "bool" => "true or false".to_owned(),
        "f32" | "f64" => "a number".to_owned(),
        "a map" | "map" => "a group of fields".to_owned(),
        "option" => "a value or None".to_owned(),
        _ if integers.contains(&words) => "a whole number from 0 on".to_owned(),
        _ if signed.contains(&words) => "a whole number".to_owned(),
        _ if words.starts_with("struct ") => "a group of fields in ( and )".to_owned(),
        _ if words.starts_with("enum ") => "one of a few words".to_owned(),
        _ => words.replace('`', ""),
    }
}

/// The names that there are, and the one that was perhaps meant.
fn listed(names: &[&str], found: &str) -> String {
    let near = nearest(found, names.iter().copied());
    let near = near.map_or_else(String::new, |near| format!("; did you mean {near}?"));
    format!("{}{near}", names.join(", "))
}

/// Without a capital letter, for the middle of a sentence.
fn in_the_middle(words: &str) -> String {
    let mut letters = words.chars();
    let first = letters.next().into_iter().flat_map(char::to_lowercase);
    first.chain(letters).collect()
}

/// Line and column of a fault, from 1: where its value begins, or where something is missing.
pub(super) fn place(error: &SpannedError, text: &str) -> (usize, usize) {
    let span = &error.span;
    let from = if error.code == Error::ExpectedComma { span.end } else { span.start };
    let from = (from.line, from.col);
    let mut rest = placed(text).skip_while(|(at, _)| *at < from);
    rest.find(|(_, letter)| !letter.is_whitespace()).map_or(from, |(at, _)| at)
}

/// The field that a value at this place belongs to: `t1` in `(t1: fast)`. Lines and columns begin at 1.
pub(super) fn field_at(text: &str, line: usize, column: usize) -> Option<String> {
    let (mut open, mut word, mut last) = (Vec::new(), String::new(), None);
    let before = placed(text).take_while(|(at, _)| *at < (line, column));
    let mut letters = before.map(|(_, letter)| letter).peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' => skip_text(&mut letters),
            '/' if letters.peek() == Some(&'/') => drop(letters.by_ref().find(|letter| *letter == '\n')),
            '(' | '[' | '{' => open.push(last.take()),
            ')' | ']' | '}' => last = open.pop().flatten(),
            ':' if !word.is_empty() => last = Some(std::mem::take(&mut word)),
            ',' => last = None,
            _ => {}
        }
        if letter.is_alphanumeric() || letter == '_' {
            word.push(letter);
        } else if !letter.is_whitespace() {
            word.clear();
        }
    }
    last.or_else(|| open.into_iter().rev().flatten().next())
}

/// Skips the rest of a text in quotes.
fn skip_text(letters: &mut impl Iterator<Item = char>) {
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => drop(letters.next()),
            '"' => return,
            _ => {}
        }
    }
}

/// Each letter with its line and column.
fn placed(text: &str) -> impl Iterator<Item = ((usize, usize), char)> + '_ {
    text.chars().scan((1, 1), |at, letter| {
        let here = *at;
        *at = if letter == '\n' { (at.0 + 1, 1) } else { (at.0, at.1 + 1) };
        Some((here, letter))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_field_of_a_place_is_found_behind_texts_comments_and_groups() {
        let text =
            "(\n    log: \"a: \\\"b: (\", // trust: [\n    routes: [\"x\", 7],\n    inner: (deep: 8), 9)";
        for (sign, field) in [("7", Some("routes")), ("8", Some("deep")), ("9", None), ("\"a", Some("log"))] {
            let before = text.split(sign).next().unwrap();
            let line = before.lines().count().max(1);
            let column = before.lines().last().unwrap().len() + 1;
            assert_eq!(field_at(text, line, column).as_deref(), field, "{sign}");
        }
    }
}
