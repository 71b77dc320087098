//! What the readers find: addresses that were understood, and lines that were not.

use crate::limits::{IMPORT_ENTRIES_MAX, IMPORT_MISREAD_MAX, NAME_CHARS_MAX, URI_BYTES_MAX};
use crate::model::contacts::List;
use crate::model::slip;
use crate::sip::{Scheme, Uri};

/// Most characters shown of a line that was not understood.
const SHOWN_CHARS_MAX: usize = 120;

/// An address with its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundPerson {
    /// The line in which it stands, or in which its card begins, from 1.
    pub line: usize,
    /// The name; empty if there is none.
    pub name: String,
    /// The address, with its scheme.
    pub address: String,
}

/// Something that was not understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misread {
    /// The line in which it stands, from 1.
    pub line: usize,
    /// Its beginning.
    pub text: String,
    /// Why, as a sentence without its end: `"ann" names no user`.
    pub why: String,
}

impl Misread {
    /// There may be somebody in it, but without an address that a message can be sent to.
    #[must_use]
    pub fn lacks_address(&self) -> bool {
        self.why.contains("no SIP address")
    }
}

/// All that was found in one text.
#[derive(Debug, Default)]
pub(super) struct ImportFound {
    pub(super) entries: Vec<FoundPerson>,
    pub(super) lists: Vec<List>,
    pub(super) misread: Vec<Misread>,
    pub(super) misread_more: usize,
    pub(super) left_out: usize,
    /// Members of the lists so far.
    members: usize,
}

impl ImportFound {
    /// Takes an address with its name, or keeps it as misread; `shown` is where it stood.
    pub(super) fn person(&mut self, line: usize, (name, address): (&str, &str), shown: &str) {
        match checked(address) {
            Ok(_) if self.entries.len() >= IMPORT_ENTRIES_MAX => self.left_out += 1,
            Ok(address) => {
                let name = one_line(name);
                // Mail programs, and our own export, write the address where there is no name.
                let is_address = checked(&name).is_ok_and(|it| it.eq_ignore_ascii_case(&address));
                let name = if is_address { String::new() } else { name };
                self.entries.push(FoundPerson { line, name, address });
            }
            Err(why) => self.misread(line, shown, &why),
        }
    }

    /// Takes a list of addresses that were checked.
    pub(super) fn list(&mut self, name: String, members: Vec<String>) {
        self.members += members.len();
        if self.members > IMPORT_ENTRIES_MAX {
            self.left_out += members.len();
        } else {
            self.lists.push(List { name, members });
        }
    }

    /// Keeps a line that was not understood.
    pub(super) fn misread(&mut self, line: usize, text: &str, why: &str) {
        if self.misread.len() >= IMPORT_MISREAD_MAX {
            self.misread_more += 1;
            return;
        }
        let shown = one_line(text);
        let mut text: String = shown.chars().take(SHOWN_CHARS_MAX).collect();
        if text.len() < shown.len() {
            text.push('…');
        }
        self.misread.push(Misread { line, text, why: why.to_owned() });
    }
}

/// The address as it is kept, or why it cannot be one.
pub(super) fn checked(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err("there is no address".to_owned());
    }
    if text.len() > URI_BYTES_MAX {
        return Err("the address is too long".to_owned());
    }
    let uri = if text.contains(char::is_control) { None } else { Uri::typed(text).ok() };
    match uri {
        Some(uri) if uri.names_somebody() => Ok(uri.as_str().to_owned()),
        Some(uri) => Err(match uri.scheme() {
            Scheme::Other(scheme) => format!("{scheme}: is not the beginning of a SIP address"),
            Scheme::Tel => "it has no digits".to_owned(),
            Scheme::Sip | Scheme::Sips | Scheme::Im | Scheme::Pres if text.contains(['@', ':']) => {
                "the address names no user".to_owned()
            }
            Scheme::Sip | Scheme::Sips | Scheme::Im | Scheme::Pres => NO_ADDRESS.to_owned(),
        }),
        None if text.contains('@') => Err(match slip::meant(text) {
            Some(meant) => format!("a domain has no comma; did you mean {meant}"),
            None => "this is not a SIP address".to_owned(),
        }),
        None => Err(NO_ADDRESS.to_owned()),
    }
}

/// The reason for words without an address.
pub(super) const NO_ADDRESS: &str = "there is no SIP address in it";

/// A name on one line: blanks and control characters become single blanks, and what is too long is cut.
pub(super) fn one_line(text: &str) -> String {
    let is_gap = |letter: char| letter.is_whitespace() || letter.is_control() || letter == '\u{feff}';
    let mut line = String::new();
    let mut chars = 0;
    for word in text.split(is_gap).filter(|word| !word.is_empty()) {
        if chars > 0 {
            line.push(' ');
            chars += 1;
        }
        for letter in word.chars() {
            if chars >= NAME_CHARS_MAX {
                return line;
            }
            line.push(letter);
            chars += 1;
        }
    }
    line
}
