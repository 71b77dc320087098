//! Who an address belongs to, as shown: the name from the contacts, else from the message, else from the address.

use std::collections::BTreeMap;

use crate::client::contacts::{AddressBook, Contact, address_key};
use crate::client::journal::PersonRow;
use crate::client::snapshot::Person;
use crate::client::text::visible;
use crate::sip::Uri;

/// Names by address, made once for an address book, so that a thousand lines of a list find theirs quickly.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names(BTreeMap<String, Named>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Named {
    name: String,
    simulated: bool,
}

impl Names {
    /// The names of an address book.
    #[must_use]
    pub fn of(book: &AddressBook) -> Self {
        let named = |contact: &Contact| Named { name: visible(&contact.name), simulated: contact.simulated };
        Self(book.contacts.iter().map(|contact| (address_key(&contact.address), named(contact))).collect())
    }

    /// A person as shown: the name from the contacts, else from the message, else the address's user part.
    #[must_use]
    pub fn person(&self, row: &PersonRow) -> Person {
        let address = visible(&row.address);
        let named = self.0.get(&address_key(&row.address));
        let simulated = named.is_some_and(|named| named.simulated);
        let from_contacts = named.map(|named| named.name.clone()).filter(|name| !name.is_empty());
        let name = from_contacts
            .or_else(|| Some(visible(&row.name)).filter(|name| !name.trim().is_empty()))
            .or_else(|| user_part(&row.address))
            .unwrap_or_else(|| if address.is_empty() { "?".to_owned() } else { address.clone() });
        Person { address, name, simulated }
    }
}

fn user_part(address: &str) -> Option<String> {
    let uri = Uri::typed(address).ok()?;
    uri.user().map(visible).filter(|user| !user.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(address: &str, name: &str) -> PersonRow {
        PersonRow { address: address.to_owned(), name: name.to_owned() }
    }

    #[test]
    fn a_person_always_has_a_name() {
        let mut book = AddressBook::default();
        book.put(Contact { address: "sip:ann@domain.com".into(), name: "Ann Lee".into(), simulated: true });
        let names = Names::of(&book);
        let name = |address: &str, told: &str| names.person(&row(address, told)).name;
        assert_eq!(name("im:ann@domain.com", "Annie"), "Ann Lee");
        assert_eq!(name("im:bob@domain.com", "Bobby"), "Bobby");
        assert_eq!(name("im:bob@domain.com", " "), "bob");
        assert_eq!(name("rubbish", ""), "rubbish");
        assert_eq!(name("", ""), "?");
        assert!(names.person(&row("im:ann@domain.com", "")).simulated);
    }
}
