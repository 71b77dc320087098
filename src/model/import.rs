//! Contacts from files and pasted texts: vCard (2.1, 3 and 4), tables (CSV), and addresses in any mix.
//!
//! **Invariant:** what is understood and what is not stay apart. Each line that is not understood is kept alone, with
//! its number and the reason; two lines never become one contact, and no known contact is changed.

// In this order, a part uses only those after it.
mod cards;

mod table;

mod mix;

mod found;

use std::collections::{BTreeMap, BTreeSet};

use encoding_rs::{Encoding, WINDOWS_1252};

use self::found::ImportFound;
pub use self::found::{FoundPerson, Misread};
pub use self::mix::{Piece, pieces, pieces_so_far};
use super::contacts::{AddressBook, Contact, List, address_key};
use crate::limits::IMPORT_BYTES_MAX;

/// The file or text has more than [`IMPORT_BYTES_MAX`] bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("more than {} MiB of contacts cannot be imported at once", IMPORT_BYTES_MAX / (1024 * 1024))]
pub struct TooLarge;

/// How an address that was understood stands to the contacts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nobody has it yet.
    New,
    /// A contact has it, with this name or while no other name was given.
    Known,
    /// A contact has it under another name, which stays.
    OtherName {
        /// The contact's name.
        known_as: String,
    },
    /// It was in this line already.
    Again {
        /// The line, from 1.
        line: usize,
    },
}

/// What an import would do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Import {
    /// What was understood, in the order of the text.
    pub people: Vec<(FoundPerson, Standing)>,
    /// Saved lists whose names are not taken yet.
    pub lists: Vec<List>,
    /// Names of lists that exist already and stay as they are.
    pub known_lists: Vec<String>,
    /// What was not understood, line by line.
    pub misread: Vec<Misread>,
    /// How many more were not understood.
    pub misread_more: usize,
    /// How many more were understood than one import takes.
    pub left_out: usize,
}

impl Import {
    /// Reads a file or a pasted text and compares it with the contacts.
    ///
    /// # Errors
    /// It is too large.
    pub fn read(bytes: &[u8], book: &AddressBook) -> Result<Self, TooLarge> {
        let ImportFound { entries, lists, misread, misread_more, left_out, .. } =
            found_in(bytes, Joins::NamesOfALine)?;
        let known: BTreeMap<String, &str> =
            book.contacts.iter().map(|it| (address_key(&it.address), it.name.as_str())).collect();
        let mut lines = BTreeMap::new();
        let judge = |entry: FoundPerson| {
            let key = address_key(&entry.address);
            let standing = match (lines.get(&key), known.get(&key)) {
                (Some(line), _) => Standing::Again { line: *line },
                (None, Some(name)) if entry.name.is_empty() || entry.name == *name => Standing::Known,
                (None, Some(name)) => Standing::OtherName { known_as: (*name).to_owned() },
                (None, None) => Standing::New,
            };
            lines.entry(key).or_insert(entry.line);
            (entry, standing)
        };
        let people = entries.into_iter().map(judge).collect();
        let mut taken: BTreeSet<String> = book.lists.iter().map(|list| list.name.clone()).collect();
        let (lists, known_lists): (Vec<List>, Vec<List>) =
            lists.into_iter().partition(|list| taken.insert(list.name.clone()));
        let known_lists = known_lists.into_iter().map(|list| list.name).collect();
        Ok(Self { people, lists, known_lists, misread, misread_more, left_out })
    }

    /// The contacts that it would add.
    #[must_use]
    pub fn contacts(&self) -> Vec<Contact> {
        let new = self.people.iter().filter(|(_, standing)| *standing == Standing::New);
        new.map(|(entry, _)| Contact {
            address: entry.address.clone(),
            name: entry.name.clone(),
            simulated: false,
        })
        .collect()
    }

    /// How many contacts it would add.
    #[must_use]
    pub fn new_count(&self) -> usize {
        self.people.iter().filter(|(_, standing)| *standing == Standing::New).count()
    }

    /// How many lines were not understood.
    #[must_use]
    pub fn misread_count(&self) -> usize {
        self.misread.len() + self.misread_more
    }
}

/// The recipients in a typed or pasted text: addresses with their names, and what may be the name of a contact or of a
/// list. A card or a table gives its addresses.
#[must_use]
pub fn recipients(text: &str) -> Vec<Piece> {
    if !cards::are_in(text.as_bytes()) && !table::is_one(text) {
        return pieces(text);
    }
    let found = found_in(text.as_bytes(), Joins::Nothing).unwrap_or_default();
    let good = found.entries.into_iter().map(|FoundPerson { line, name, address }| {
        let text = address.clone();
        Piece { line, name, address, text }
    });
    let bad = found.misread.into_iter().map(|Misread { line, text, .. }| {
        let address = text.clone();
        Piece { line, name: String::new(), address, text }
    });
    good.chain(bad).collect()
}

/// Whether words beside the only address of a line are its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Joins {
    NamesOfALine,
    Nothing,
}

fn found_in(bytes: &[u8], joins: Joins) -> Result<ImportFound, TooLarge> {
    if bytes.len() > IMPORT_BYTES_MAX {
        return Err(TooLarge);
    }
    let mut found = ImportFound::default();
    let marked = Encoding::for_bom(bytes).map(|(encoding, _)| encoding.decode(bytes).0);
    let bytes = marked.as_ref().map_or(bytes, |text| text.as_bytes());
    if cards::are_in(bytes) {
        cards::read(bytes, &mut found);
        return Ok(found);
    }
    let text = plain(bytes);
    if !table::read(&text, &mut found) {
        mix::read(&text, joins == Joins::NamesOfALine, &mut found);
    }
    Ok(found)
}

/// UTF-8, or what old Windows programs write.
fn plain(bytes: &[u8]) -> std::borrow::Cow<'_, str> {
    match str::from_utf8(bytes) {
        Ok(text) => text.into(),
        Err(_not_utf8) => WINDOWS_1252.decode_without_bom_handling(bytes).0,
    }
}

#[cfg(test)]
mod tests;
