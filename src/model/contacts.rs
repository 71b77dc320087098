//! Contacts and saved lists, as stored in a RON file.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::limits::BLOCKED_MAX;
use crate::sip::Uri;

/// Somebody to write to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contact {
    /// A URI, as written.
    pub address: String,
    /// The user's name for them.
    #[serde(default)]
    pub name: String,
    /// A scripted person of the demo, shown as simulated.
    #[serde(default, skip_serializing_if = "is_false")]
    pub simulated: bool,
}

/// Several contacts under one name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// The user's name for it.
    pub name: String,
    /// Addresses, as in the contacts.
    pub members: Vec<String>,
}

/// A person as shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// A URI as spelled.
    pub address: String,
    /// The name from the contacts, else from the message, else the user part of the address; never empty.
    pub name: String,
    /// A scripted person of the demo.
    pub simulated: bool,
}

impl Person {
    /// The name is only what a message said: this person is not among the contacts, and may use the name of one.
    #[must_use]
    pub fn is_claimed(&self) -> bool {
        self.name.starts_with(CLAIMED)
    }

    /// The name as its owner writes it.
    #[must_use]
    pub fn plain_name(&self) -> &str {
        self.name.strip_prefix(CLAIMED).unwrap_or(&self.name)
    }

    /// The name; with the address if the name proves nothing: `~Ann (mallory@example.net)`.
    #[must_use]
    pub fn told_apart(&self) -> String {
        if self.is_claimed() {
            let address = self.address.strip_prefix("sip:").unwrap_or(&self.address);
            format!("{} ({address})", self.name)
        } else {
            self.name.clone()
        }
    }
}

/// Stands before the name that somebody who is not a contact gives himself.
pub const CLAIMED: char = '~';

/// The contacts file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AddressBook {
    /// Everybody, in the order shown.
    pub contacts: Vec<Contact>,
    /// Saved lists.
    pub lists: Vec<List>,
    /// The addresses of those from whom the user wants nothing, the latest last; what they write is refused.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub blocked: Vec<String>,
}

impl AddressBook {
    /// Adds a contact at the end, or replaces the one with this address.
    pub fn put(&mut self, contact: Contact) {
        let key = address_key(&contact.address);
        match self.contacts.iter_mut().find(|known| address_key(&known.address) == key) {
            Some(known) => *known = contact,
            None => self.contacts.push(contact),
        }
    }

    /// Adds the contacts whose addresses nobody has yet, and the lists whose names are free; returns how many contacts
    /// and lists were added.
    pub fn add(&mut self, contacts: Vec<Contact>, lists: Vec<List>) -> (usize, usize) {
        let before = (self.contacts.len(), self.lists.len());
        let mut keys: BTreeSet<String> = self.contacts.iter().map(|it| address_key(&it.address)).collect();
        self.contacts.extend(contacts.into_iter().filter(|it| keys.insert(address_key(&it.address))));
        let mut taken: BTreeSet<String> = self.lists.iter().map(|list| list.name.clone()).collect();
        self.lists.extend(lists.into_iter().filter(|list| taken.insert(list.name.clone())));
        (self.contacts.len() - before.0, self.lists.len() - before.1)
    }

    /// Removes a contact; lists keep its address.
    pub fn remove(&mut self, address: &str) {
        let key = address_key(address);
        self.contacts.retain(|known| address_key(&known.address) != key);
    }

    /// Blocks somebody, or no longer. Over [`BLOCKED_MAX`], the one blocked first makes room.
    pub fn block(&mut self, address: &str, is_blocked: bool) {
        let key = address_key(address);
        self.blocked.retain(|known| address_key(known) != key);
        if is_blocked {
            let over = (self.blocked.len() + 1).saturating_sub(BLOCKED_MAX);
            self.blocked.drain(..over);
            self.blocked.push(address.to_owned());
        }
    }

    /// The contact with this address, however it is spelled.
    #[must_use]
    pub fn find(&self, address: &str) -> Option<&Contact> {
        let key = address_key(address);
        self.contacts.iter().find(|known| address_key(&known.address) == key)
    }

    /// The user's name for this address, if any.
    #[must_use]
    pub fn name_of(&self, address: &str) -> Option<&str> {
        self.find(address).map(|contact| contact.name.as_str()).filter(|name| !name.is_empty())
    }

    /// Adds a saved list at the end, or replaces the one with this name.
    pub fn put_list(&mut self, list: List) {
        match self.lists.iter_mut().find(|known| known.name == list.name) {
            Some(known) => *known = list,
            None => self.lists.push(list),
        }
    }

    /// Removes a saved list.
    pub fn remove_list(&mut self, name: &str) {
        self.lists.retain(|known| known.name != name);
    }
}

/// The key shared by all spellings of one person's address: the address-of-record. `im:ann@Domain.com`,
/// `sip:ann@domain.com.:5070` and `sip:%61nn@domain.com;transport=tcp` have the same key, because to that domain's
/// server they are the same person, and it lets nobody else write under that name. A host given as an IP address may
/// have no such server but a different program at each port: there, a port other than SIP's default counts.
#[must_use]
pub fn address_key(address: &str) -> String {
    Uri::typed(address).map_or_else(|_| address.trim().to_lowercase(), |uri| uri_key(&uri))
}

/// [`address_key`] of a parsed address.
#[must_use]
pub fn uri_key(uri: &Uri) -> String {
    if uri.host().is_empty() {
        return uri.aor().as_str().to_lowercase();
    }
    match uri.port().filter(|port| *port != 5060 && uri.host_ip().is_some()) {
        None => uri.aor().as_str().to_owned(),
        Some(port) => format!("{}:{port}", uri.aor()),
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
const fn is_false(value: &bool) -> bool {
    !*value
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contact(address: &str, name: &str) -> Contact {
        Contact { address: address.to_owned(), name: name.to_owned(), simulated: false }
    }

    fn book() -> AddressBook {
        let mut book = AddressBook::default();
        book.put(contact("sip:ann@domain.com", "Ann Lee"));
        book.put(contact("bob@domain.com", ""));
        book
    }

    #[test]
    fn one_person_is_one_contact_however_spelled() {
        let mut book = book();
        book.put(contact("im:ann@DOMAIN.com", "Ann"));
        assert_eq!(book.contacts.len(), 2);
        assert_eq!(book.name_of("ann@domain.com"), Some("Ann"));
        assert_eq!(book.name_of("sip:bob@domain.com"), None);
        for bob in [
            "bob@domain.com:5061",
            "sips:bob@domain.com.",
            "sip:%62ob@DOMAIN.com:5060",
            "<sip:bob@domain.com;x=1>",
        ] {
            let bob = bob.trim_matches(['<', '>']);
            assert!(book.find(bob).is_some(), "{bob}: a port makes nobody another person");
        }
        assert!(
            book.find("sip:bob@domain.com.evil.org").is_none() && book.find("sip:Bob@domain.com").is_none()
        );
        book.put(contact("sip:me@[::ffff:192.0.2.7]:5070", "Me"));
        assert_eq!(book.name_of("sip:me@192.0.2.7:5070"), Some("Me"));
        assert!(book.find("sip:me@192.0.2.7:5071").is_none(), "another program");
        book.remove("sip:me@192.0.2.7:5070");
        book.remove("sip:ann@domain.com");
        assert_eq!(book.contacts.len(), 1);
    }

    #[test]
    fn what_is_added_changes_nobody_who_is_there() {
        let mut book = book();
        let new = vec![
            contact("im:ann@domain.com", "Annie"),
            contact("eve@x.org", "Eve"),
            contact("sip:eve@x.org", ""),
        ];
        let lists = vec![
            List { name: "team".into(), members: vec![] },
            List { name: "team".into(), members: vec![] },
        ];
        assert_eq!(book.add(new, lists), (1, 1));
        assert_eq!(
            (book.name_of("ann@domain.com"), book.name_of("eve@x.org")),
            (Some("Ann Lee"), Some("Eve"))
        );
    }

    #[test]
    fn whoever_is_blocked_is_blocked_under_each_spelling_and_the_first_makes_room() {
        let mut book = book();
        book.block("sip:eve@x.org", true);
        book.block("im:eve@X.org:5060", true);
        assert_eq!(book.blocked, ["im:eve@X.org:5060"]);
        book.block("eve@x.org", false);
        assert!(book.blocked.is_empty());
        (0..=BLOCKED_MAX).for_each(|number| book.block(&format!("sip:eve{number}@x.org"), true));
        assert_eq!((book.blocked.len(), book.blocked[0].as_str()), (BLOCKED_MAX, "sip:eve1@x.org"));
    }

    #[test]
    fn a_list_is_known_by_its_name() {
        let mut book = book();
        book.put_list(List { name: "team".into(), members: vec![] });
        book.put_list(List { name: "team".into(), members: vec!["sip:ann@domain.com".into()] });
        assert_eq!(book.lists.len(), 1);
        book.remove_list("team");
        assert!(book.lists.is_empty());
    }
}
