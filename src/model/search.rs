//! A search of the history as a person types it, and what it finds.
//!
//! Words are looked for by their beginning, `"words in quotation marks"` as they stand. `from:`, `to:` and `failed:` take
//! a part of a name or address, `has:file` takes nothing more, `before:` and `after:` a date such as 2026-11-30, 2026-11
//! or 2026. All of them have to hold. Whatever is typed is a query: what cannot be understood is named in
//! [`Query::problems`] and not looked for.

use std::collections::VecDeque;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use jiff::civil::Date;

use super::fold::words;
use super::journal::{ConversationId, MessageId};
use super::snapshot::Person;
use super::text::clean;
use crate::limits::{SEARCH_TERMS_MAX, SEARCH_TEXT_CHARS_MAX};
use crate::time::Timestamp;

/// Letters shown before what was found, and in all.
const BEFORE_CHARS: usize = 40;
const EXCERPT_CHARS: usize = 200;

/// A query, understood.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// What the text or the name of a file has to contain.
    pub terms: Vec<Term>,
    /// Who wrote it: a part of a name or an address each; `me` for the person himself.
    pub from: Vec<String>,
    /// Who else got it; `me` for the person himself.
    pub to: Vec<String>,
    /// It did not reach somebody; an empty text for anybody.
    pub failed: Vec<String>,
    /// It has a file.
    pub has_file: bool,
    /// It was written or received before this day began.
    pub before: Option<Date>,
    /// It was written or received on this day or later.
    pub after: Option<Date>,
    /// What was not understood.
    pub problems: Vec<Problem>,
}

/// One word, or several that have to follow each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// The folded words.
    pub words: Vec<String>,
    /// The last one may go on.
    pub is_prefix: bool,
}

/// A part of a query that was not understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// `before:` or `after:` with something that is not a date.
    NotADate(String),
    /// `has:` with something other than `file`.
    NotAThing(String),
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotADate(text) => {
                write!(f, "not a date: \"{text}\" (write 2026-11-30, 2026-11 or 2026)")
            }
            Self::NotAThing(text) => write!(f, "not known: \"has:{text}\" (write has:file)"),
        }
    }
}

/// What the window or the command line looks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Search {
    /// Chosen by the asker and given back with the result. A search of a later number ends one that is still running.
    pub id: u64,
    /// What was typed.
    pub text: String,
    /// Only in this conversation.
    pub within: Option<ConversationId>,
    /// Only messages older than this one: for the next page.
    pub older_than: Option<MessageId>,
}

/// What a search found, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The search.
    pub search: Search,
    /// The terms, to mark them in the messages that are shown (see [`marks`]).
    pub terms: Arc<[Term]>,
    /// The newest hits, at most `limits::SEARCH_HITS_MAX`.
    pub hits: Vec<Hit>,
    /// In one conversation: every hit, newest first, at most `limits::SEARCH_IDS_MAX`; else empty.
    pub all: Vec<MessageId>,
    /// There are more hits than these: search again with `older_than`.
    pub has_more: bool,
    /// How many older messages are not indexed yet, and so not found by a word; this happens once, after an upgrade.
    pub unindexed: u64,
    /// What was not understood.
    pub problems: Vec<Problem>,
}

/// A message that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// The message.
    pub message: MessageId,
    /// Its conversation.
    pub conversation: ConversationId,
    /// When it was written or received.
    pub at: Timestamp,
    /// Its sender; none for our own.
    pub from: Option<Person>,
    /// Its recipients besides ourselves.
    pub to: Vec<Person>,
    /// The text around what was found.
    pub excerpt: Excerpt,
}

/// A part of a text on one line, without control characters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Excerpt {
    /// The text, with `…` where something was left out.
    pub text: String,
    /// The bytes of it that were looked for.
    pub marks: Vec<Range<usize>>,
}

impl Query {
    /// Understands what was typed.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut query = Self::default();
        let beginning: String = text.chars().take(SEARCH_TEXT_CHARS_MAX).collect();
        let mut rest = beginning.as_str();
        while let Some(piece) = next_piece(&mut rest) {
            query.take(piece);
        }
        query
    }

    /// True if it asks for nothing.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.terms.is_empty()
            && self.from.is_empty()
            && self.to.is_empty()
            && self.failed.is_empty()
            && !self.has_file
            && self.before.is_none()
            && self.after.is_none()
    }

    /// Whether messages have to be compared with people.
    #[must_use]
    pub fn names_somebody(&self) -> bool {
        !self.from.is_empty() || !self.to.is_empty() || self.failed.iter().any(|part| !part.trim().is_empty())
    }

    fn take(&mut self, piece: Piece<'_>) {
        match piece.operator.as_deref() {
            Some("from") => add(&mut self.from, piece.value),
            Some("to") => add(&mut self.to, piece.value),
            Some("failed") if self.failed.len() < SEARCH_TERMS_MAX => {
                self.failed.push(piece.value.to_owned());
            }
            Some("failed") => {}
            Some("has") => match piece.value.to_ascii_lowercase().as_str() {
                "file" | "files" => self.has_file = true,
                "" => {}
                _ => self.problems.push(Problem::NotAThing(piece.value.to_owned())),
            },
            Some("before") => {
                let date = self.date(piece.value);
                self.before = [self.before, date].into_iter().flatten().min();
            }
            Some("after") => {
                let date = self.date(piece.value);
                self.after = [self.after, date].into_iter().flatten().max();
            }
            Some(_) | None => self.take_words(piece.value, !piece.is_quoted),
        }
    }

    fn date(&mut self, text: &str) -> Option<Date> {
        let date = day(text);
        if date.is_none() && !text.is_empty() {
            self.problems.push(Problem::NotADate(text.to_owned()));
        }
        date
    }

    fn take_words(&mut self, text: &str, is_prefix: bool) {
        let words: Vec<String> = words(text).map(|word| word.folded).take(SEARCH_TERMS_MAX).collect();
        if !words.is_empty() && self.terms.len() < SEARCH_TERMS_MAX {
            self.terms.push(Term { words, is_prefix });
        }
    }
}

fn add(values: &mut Vec<String>, value: &str) {
    if !value.trim().is_empty() && values.len() < SEARCH_TERMS_MAX {
        values.push(value.to_owned());
    }
}

/// `2026-11-30`, `2026/11/30`, and the first day of `2026-11` or `2026`.
fn day(text: &str) -> Option<Date> {
    let mut parts = text.split(['-', '/']);
    let year: i16 = parts.next()?.parse().ok()?;
    let mut part = || parts.next().map_or(Some(1), |part| part.parse::<i8>().ok());
    let (month, day) = (part()?, part()?);
    let date = Date::new(year, month, day).ok()?;
    (parts.next().is_none() && year >= 1970).then_some(date)
}

/// A piece of a query between blanks.
struct Piece<'a> {
    operator: Option<String>,
    value: &'a str,
    is_quoted: bool,
}

const OPERATORS: [&str; 6] = ["from", "to", "failed", "has", "before", "after"];

/// Takes the next piece off; a quotation mark that is not closed holds to the end.
fn next_piece<'a>(rest: &mut &'a str) -> Option<Piece<'a>> {
    let text = rest.trim_start();
    if text.is_empty() {
        return None;
    }
    let (operator, after) = match text.split_once(':') {
        Some((word, after)) => {
            let word = word.to_ascii_lowercase();
            let is_operator = OPERATORS.contains(&word.as_str());
            if is_operator { (Some(word), after) } else { (None, text) }
        }
        None => (None, text),
    };
    if let Some(quoted) = after.strip_prefix(is_quotation_mark) {
        let (value, left) = quoted.split_once(is_quotation_mark).unwrap_or((quoted, ""));
        *rest = left;
        return Some(Piece { operator, value, is_quoted: true });
    }
    // A quotation mark begins the next piece.
    let end = after.find(|letter: char| letter.is_whitespace() || is_quotation_mark(letter));
    let (value, left) = end.and_then(|end| after.split_at_checked(end)).unwrap_or((after, ""));
    *rest = left;
    Some(Piece { operator, value, is_quoted: false })
}

const fn is_quotation_mark(letter: char) -> bool {
    matches!(letter, '"' | '\u{201C}' | '\u{201D}' | '\u{201E}' | '\u{AB}' | '\u{BB}')
}

/// Where the terms stand in a text, in order and without overlaps.
#[must_use]
pub fn marks(text: &str, terms: &[Term]) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    each_match(text, terms, |place| {
        let mut whole = place;
        while let Some(last) = found.pop_if(|last| last.end >= whole.start) {
            whole = whole.start.min(last.start)..whole.end.max(last.end);
        }
        found.push(whole);
        true
    });
    found
}

/// Calls `on_match` for each place where a term stands, until it returns false.
fn each_match(text: &str, terms: &[Term], mut on_match: impl FnMut(Range<usize>) -> bool) {
    let longest = terms.iter().map(|term| term.words.len()).max().unwrap_or(0);
    let mut latest = VecDeque::with_capacity(longest);
    if longest == 0 {
        return;
    }
    for word in words(text) {
        if latest.len() == longest {
            latest.pop_front();
        }
        latest.push_back(word);
        for term in terms {
            let Some(first) = latest.len().checked_sub(term.words.len()) else { continue };
            let last = term.words.len() - 1;
            let fits =
                latest.iter().skip(first).zip(&term.words).enumerate().all(|(index, (word, wanted))| {
                    word.folded == *wanted
                        || term.is_prefix && index == last && word.folded.starts_with(wanted.as_str())
                });
            if let (true, Some(begin), Some(end)) = (fits, latest.get(first), latest.back())
                && !on_match(begin.place.start..end.place.end)
            {
                return;
            }
        }
    }
}

impl Excerpt {
    /// The marked parts of the text.
    pub fn marked(&self) -> impl Iterator<Item = &str> {
        self.marks.iter().filter_map(|mark| self.text.get(mark.clone()))
    }

    /// The part of a text around the first place where a term stands, or its beginning.
    #[must_use]
    pub fn of(text: &str, terms: &[Term]) -> Self {
        let mut at = 0;
        each_match(text, terms, |place| {
            at = place.start;
            false
        });
        let before = text.get(..at).unwrap_or_default();
        let begin = before.char_indices().rev().take(BEFORE_CHARS).last().map_or(0, |(index, _)| index);
        let begin = if before.chars().count() <= BEFORE_CHARS { 0 } else { begin };
        let rest = text.get(begin..).unwrap_or_default();
        let end = rest.char_indices().nth(EXCERPT_CHARS).map_or(rest.len(), |(index, _)| index);
        let part = rest.get(..end).unwrap_or_default();
        let mut line = clean(part).split_whitespace().collect::<Vec<_>>().join(" ");
        if begin > 0 {
            line.insert(0, '…');
        }
        if end < rest.len() {
            line.push('…');
        }
        let marks = marks(&line, terms);
        Self { text: line, marks }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn term(words: &[&str], is_prefix: bool) -> Term {
        Term { words: words.iter().map(|word| (*word).to_owned()).collect(), is_prefix }
    }

    fn date(year: i16, month: i8, day: i8) -> Date {
        Date::new(year, month, day).unwrap()
    }

    #[test]
    fn what_is_typed_is_understood() {
        let query = Query::parse(
            "Gr\u{fc}n from:ann TO:\"Bob  Lee\" \"come here\" failed: failed:cy has:file before:2026-11 after:2025/02/03 it's",
        );
        let expected = Query {
            terms: vec![term(&["grun"], true), term(&["come", "here"], false), term(&["it", "s"], true)],
            from: vec!["ann".to_owned()],
            to: vec!["Bob  Lee".to_owned()],
            failed: vec![String::new(), "cy".to_owned()],
            has_file: true,
            before: Some(date(2026, 11, 1)),
            after: Some(date(2025, 2, 3)),
            problems: Vec::new(),
        };
        assert_eq!(query, expected);
        assert_eq!(Query::parse("before:2026 before:2024-12-24").before, Some(date(2024, 12, 24)));
        assert_eq!(Query::parse("at 10:30").terms, [term(&["at"], true), term(&["10", "30"], true)]);
        assert_eq!(Query::parse("\u{201E}come here\u{201C} x").terms[0], term(&["come", "here"], false));
        assert_eq!(Query::parse("\"come he").terms, [term(&["come", "he"], false)]);
    }

    #[test]
    fn what_is_not_understood_is_named_and_what_is_half_typed_is_not() {
        let query = Query::parse("before:yesterday after:2026-13 has:wings x");
        let problems = [
            Problem::NotADate("yesterday".to_owned()),
            Problem::NotADate("2026-13".to_owned()),
            Problem::NotAThing("wings".to_owned()),
        ];
        assert_eq!((query.problems.as_slice(), query.terms.len()), (problems.as_slice(), 1));
        for half in ["", "  ", "from:", "to: ", "before:", "has:", "\"", "!?", "from:\"\""] {
            let query = Query::parse(half);
            assert!(query.is_empty() && query.problems.is_empty(), "{half}");
        }
        assert_eq!(Query::parse(&"x ".repeat(10_000)).terms.len(), SEARCH_TERMS_MAX);
    }

    #[test]
    fn what_was_found_is_marked_in_its_surroundings() {
        let terms = Query::parse("irem \"come he\" come").terms;
        let text = "\u{130}rem, come here: COME HE";
        let marked: Vec<_> = marks(text, &terms).into_iter().filter_map(|place| text.get(place)).collect();
        assert_eq!(marked, ["\u{130}rem", "come", "COME HE"]);
        let far = format!("{}\n\nand then the gr\u{fc}ne tree {}", "word ".repeat(50), "after ".repeat(60));
        let excerpt = Excerpt::of(&far, &Query::parse("grune").terms);
        assert!(excerpt.text.starts_with('…') && excerpt.text.ends_with('…'), "{}", excerpt.text);
        assert!(excerpt.text.contains("word and then the gr\u{fc}ne tree after"), "{}", excerpt.text);
        assert_eq!(excerpt.marked().collect::<Vec<_>>(), ["gr\u{fc}ne"]);
        assert_eq!(Excerpt::of("Short\u{7}.", &[]), Excerpt { text: "Short.".to_owned(), marks: vec![] });
    }

    proptest! {
        #[test]
        fn nothing_that_is_typed_or_written_is_a_panic(typed in "[a-z\"': \u{e9}\u{4f60}-]{0,40}|\\PC{0,40}", text in "\\PC{0,80}") {
            let query = Query::parse(&typed);
            for place in marks(&text, &query.terms) {
                prop_assert!(text.get(place).is_some());
            }
            let excerpt = Excerpt::of(&text, &query.terms);
            for place in &excerpt.marks {
                prop_assert!(excerpt.text.get(place.clone()).is_some());
            }
        }
    }
}
