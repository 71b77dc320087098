//! Addresses in any mix: one in a line or many, with commas, semicolons, tabs or blanks between them, alone or with a
//! name: `Ann Lee <ann@example.com>`, `"Lee, Ann" <sip:ann@example.com>`, `Ann Lee ann@example.com`.

use super::found::{ImportFound, NO_ADDRESS, checked};
use crate::model::slip;

/// One part of a mix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// The line in which it begins, from 1.
    pub line: usize,
    /// The name beside the address; empty if there is none.
    pub name: String,
    /// The address as written, or a text without one.
    pub address: String,
    /// All of it, as written.
    pub text: String,
}

impl Piece {
    fn of(line: usize, text: &str) -> Self {
        let (name, address) = name_and_address(text);
        Self { line, name, address, text: text.to_owned() }
    }

    fn is_address(&self) -> bool {
        self.address.contains('@') || (self.address.contains(':') && checked(&self.address).is_ok())
    }
}

/// Reads a mix. If `joins`, words beside the only address of a line are its name.
pub(super) fn read(text: &str, joins: bool, found: &mut ImportFound) {
    let pieces = pieces(text);
    for line in pieces.chunk_by(|one, other| one.line == other.line) {
        let addresses: Vec<&Piece> = line.iter().filter(|piece| piece.is_address()).collect();
        let words: Vec<&Piece> = line.iter().filter(|piece| !piece.is_address()).collect();
        if let ([piece], [word], true) = (addresses.as_slice(), words.as_slice(), joins)
            && piece.name.is_empty()
            && word.name.is_empty()
            && checked(&piece.address).is_ok()
        {
            found.person(piece.line, (&word.address, &piece.address), "");
            continue;
        }
        for piece in line {
            if piece.is_address() {
                found.person(piece.line, (&piece.name, &piece.address), &piece.address);
            } else {
                let why = checked(&piece.address).err();
                found.misread(piece.line, &piece.address, why.as_deref().unwrap_or(NO_ADDRESS));
            }
        }
    }
}

/// The parts of a text. Commas and semicolons separate them, ends of lines, and blanks after an address; not inside
/// `<…>` or quotes, which end with their line at the latest. A comma that somebody typed in a domain, where a dot was
/// meant, separates nothing: there is one address, which is wrong.
#[must_use]
pub fn pieces(text: &str) -> Vec<Piece> {
    pieces_of(text, |before, rest| slip::is_in_domain(before, first_word(rest)))
}

/// The same while somebody types: a comma at the end may turn out to stand in a domain, so it separates nothing yet.
#[must_use]
pub fn pieces_so_far(text: &str) -> Vec<Piece> {
    pieces_of(text, |before, rest| {
        let word = first_word(rest);
        slip::is_in_domain(before, word) || (word == rest && slip::may_be_in_domain(before, word))
    })
}

/// What stands before the next separator.
fn first_word(rest: &str) -> &str {
    let ends = |letter: char| matches!(letter, ',' | ';' | '<' | '>' | '"') || letter.is_whitespace();
    rest.split(ends).next().unwrap_or_default()
}

fn pieces_of(text: &str, is_in_domain: impl Fn(&str, &str) -> bool) -> Vec<Piece> {
    let mut found: Vec<Piece> = Vec::new();
    let text = text.replace("\r\n", "\n");
    for (index, line) in text.split(['\n', '\r']).enumerate() {
        for piece in join_parameters(split(line, &is_in_domain)) {
            found.push(Piece::of(index + 1, &piece));
        }
    }
    found
}

fn split(line: &str, is_in_domain: &dyn Fn(&str, &str) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    let mut piece = String::new();
    let (mut in_brackets, mut in_quotes, mut has_at) = (false, false, false);
    let mut letters = line.char_indices().peekable();
    while let Some((place, letter)) = letters.next() {
        match letter {
            '"' if !in_brackets => in_quotes = !in_quotes,
            '<' if !in_quotes => in_brackets = true,
            '>' if !in_quotes => in_brackets = false,
            _ => {}
        }
        let is_free = !in_brackets && !in_quotes;
        has_at |= is_free && matches!(letter, '@' | '>');
        // In `ann@example.com <sip:ann@example.com>` the first is the name.
        let ends_address = letter.is_whitespace()
            && has_at
            && letters.peek().is_some_and(|(_, next)| !next.is_whitespace() && *next != '<');
        let is_slip = || {
            letter == ',' && has_at && is_in_domain(piece.trim(), line.get(place + 1..).unwrap_or_default())
        };
        if is_free && (matches!(letter, ',' | ';') || ends_address) && !is_slip() {
            found.push(std::mem::take(&mut piece));
            has_at = false;
        } else {
            piece.push(letter);
        }
    }
    found.push(piece);
    found
}

/// Rejoins parameters of a URI split at a semicolon: `transport=tcp` belongs to the address before it.
fn join_parameters(pieces: Vec<String>) -> Vec<String> {
    let mut joined: Vec<String> = Vec::new();
    for piece in pieces.iter().map(|piece| piece.trim()).filter(|piece| !piece.is_empty()) {
        match joined.last_mut() {
            Some(address) if piece.contains('=') && !piece.contains('@') && address.contains('@') => {
                address.push(';');
                address.push_str(piece);
            }
            _ => joined.push(piece.to_owned()),
        }
    }
    joined
}

fn name_and_address(piece: &str) -> (String, String) {
    let piece = piece.trim();
    if let Some((name, rest)) = piece.rsplit_once('<') {
        let address = rest.split_once('>').map_or(rest, |(address, _after)| address);
        return (unquoted(name), address.trim().to_owned());
    }
    match piece.rsplit_once(char::is_whitespace) {
        Some((name, last)) if last.contains('@') && !name.contains('@') && checked(last).is_ok() => {
            (unquoted(name), last.to_owned())
        }
        _ => (String::new(), piece.to_owned()),
    }
}

fn unquoted(name: &str) -> String {
    let name = name.trim();
    let inner = name.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    inner.map_or_else(|| name.to_owned(), |inner| inner.replace("\\\"", "\"").trim().to_owned())
}
