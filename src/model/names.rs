//! The name shown for an address: from the contacts, else from the message, else from the address.
//!
//! The engine parses an address book once, so a window with 20,000 contacts parses none of its addresses again.

use std::collections::{BTreeMap, BTreeSet};

use super::contacts::{AddressBook, CLAIMED, Contact, List, Person, address_key};
use super::fold::fold;
use super::journal::PersonRow;
use super::order::Order;
use super::text::visible;
use crate::sip::Uri;

/// An address book prepared for look-ups.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// Indexes into `contacts` by address key.
    by_key: BTreeMap<String, usize>,
    /// Indexes into `contacts` by folded name as shown.
    by_name: BTreeMap<String, Vec<usize>>,
    /// What the contacts are shown under, folded.
    shown: BTreeSet<String>,
    contacts: Vec<NamedContact>,
    lists: Vec<KnownList>,
    /// The keys of those whom the user has blocked.
    blocked: BTreeSet<String>,
}

/// A contact with its address parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedContact {
    /// [`address_key`] of the address.
    pub key: String,
    /// Its index in the address book.
    pub place: usize,
    /// As shown; without a name in the contacts, under the user part of the address.
    pub person: Person,
    /// The name in the contacts as shown; empty if there is none.
    name: String,
    /// Name and address folded, for [`Names::search`].
    searched: String,
}

/// A saved list with its addresses parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownList {
    /// The user's name for it.
    pub name: String,
    /// The key of each member, in the order of `members`.
    pub keys: Vec<String>,
    /// Its members as people.
    pub members: Vec<Person>,
    /// The name folded, for [`KnownList::matches`].
    searched: String,
}

impl KnownList {
    /// Whether the name contains the typed text.
    #[must_use]
    pub fn matches(&self, typed: &str) -> bool {
        self.searched.contains(&fold(typed.trim()))
    }
}

impl Names {
    /// The names of an address book.
    #[must_use]
    pub fn of(book: &AddressBook) -> Self {
        let order = Order::default();
        let contacts =
            book.contacts.iter().enumerate().map(|(place, contact)| NamedContact::of(contact, place));
        let mut names = Self { contacts: contacts.collect(), ..Self::default() };
        names.contacts.sort_by(|one, other| {
            order.compare(&one.person.name, &other.person.name).then_with(|| one.key.cmp(&other.key))
        });
        for (place, known) in names.contacts.iter().enumerate() {
            if !known.name.is_empty() {
                names.by_name.entry(fold(&known.name)).or_default().push(place);
            }
            names.shown.insert(fold(&known.person.name));
            names.by_key.insert(known.key.clone(), place);
        }
        names.blocked = book.blocked.iter().map(|address| address_key(address)).collect();
        names.lists = book.lists.iter().map(|list| names.known_list(list)).collect();
        names.lists.sort_by(|one, other| order.compare(&one.name, &other.name));
        names
    }

    fn known_list(&self, list: &List) -> KnownList {
        let row = |address: &String| PersonRow { address: address.clone(), name: String::new() };
        KnownList {
            name: list.name.clone(),
            keys: list.members.iter().map(|address| address_key(address)).collect(),
            members: list.members.iter().map(|address| self.person(&row(address))).collect(),
            searched: fold(&list.name),
        }
    }

    /// A person as shown: the name from the contacts, else from the message and then marked by [`CLAIMED`], else the
    /// address's user part, which is marked too if a contact is shown under it.
    #[must_use]
    pub fn person(&self, row: &PersonRow) -> Person {
        let known = self.by_key.get(&address_key(&row.address)).and_then(|place| self.contacts.get(*place));
        let from_contacts = known.map(|known| known.name.clone()).filter(|name| !name.is_empty());
        // A name that only repeats the address claims nothing.
        let says_more = |name: &String| {
            !name.trim().is_empty() && user_part(&row.address).is_none_or(|user| user != *name)
        };
        // A contact is known by the address alone.
        let told = || Some(visible(&row.name)).filter(|name| known.is_none() && says_more(name));
        let is_taken = |name: &String| known.is_none() && self.shown.contains(&fold(name));
        let alike = || user_part(&row.address).filter(is_taken);
        let name = from_contacts.or_else(|| told().or_else(alike).map(|name| format!("{CLAIMED}{name}")));
        shown(&row.address, name, known.is_some_and(|known| known.person.simulated))
    }

    /// Whether a contact has this address, however it is spelled; `key` is its [`address_key`].
    #[must_use]
    pub fn knows(&self, key: &str) -> bool {
        self.by_key.contains_key(key)
    }

    /// Whether the user has blocked the person with this [`address_key`].
    #[must_use]
    pub fn is_blocked(&self, key: &str) -> bool {
        self.blocked.contains(key)
    }

    /// The contacts, sorted by name.
    #[must_use]
    pub fn contacts(&self) -> &[NamedContact] {
        &self.contacts
    }

    /// The saved lists, sorted by name.
    #[must_use]
    pub fn lists(&self) -> &[KnownList] {
        &self.lists
    }

    /// The contact of this name, compared as in every search; none if it could be one of several and none of them is
    /// spelled so.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&NamedContact> {
        let places = self.by_name.get(&fold(name))?;
        let found: Vec<_> = places.iter().filter_map(|place| self.contacts.get(*place)).collect();
        meant(&found, name, |known| &known.name)
    }

    /// The saved list of this name, compared in the same way.
    #[must_use]
    pub fn list(&self, name: &str) -> Option<&KnownList> {
        let folded = fold(name);
        let found: Vec<_> = self.lists.iter().filter(|list| list.searched == folded).collect();
        meant(&found, name, |list| &list.name)
    }

    /// The index of the first contact whose name does not sort before these letters.
    #[must_use]
    pub fn first_from(&self, letters: &str) -> usize {
        let order = Order::default();
        self.contacts.partition_point(|known| order.compare(&known.person.name, letters).is_lt())
    }

    /// The indexes of the contacts whose name or address contains every word of the query, sorted by name.
    pub fn search(&self, query: &str) -> impl Iterator<Item = usize> {
        let words: Vec<String> = query.split_whitespace().map(fold).collect();
        let found = move |known: &NamedContact| words.iter().all(|word| known.searched.contains(word));
        self.contacts.iter().enumerate().filter(move |(_, known)| found(known)).map(|(place, _)| place)
    }
}

/// Of those whose folded names are the same: the one that is spelled like this but for its capitals, else the only one.
/// So nobody is written to in the place of somebody whose name differs by an accent.
fn meant<'a, T>(found: &[&'a T], name: &str, name_of: impl Fn(&T) -> &str) -> Option<&'a T> {
    let lower = name.to_lowercase();
    let spelled = found.iter().find(|it| name_of(it).to_lowercase() == lower);
    if let (None, [only]) = (spelled, found) { Some(only) } else { spelled.copied() }
}

impl NamedContact {
    fn of(contact: &Contact, place: usize) -> Self {
        let name = visible(&contact.name);
        let person =
            shown(&contact.address, Some(name.clone()).filter(|name| !name.is_empty()), contact.simulated);
        let searched = fold(&format!("{} {}", contact.name, contact.address));
        Self { key: address_key(&contact.address), place, person, name, searched }
    }
}

/// Gives a person another address; returns the one before. A name that only repeated that is forgotten with it, and not
/// taken for one that the person claims.
pub fn readdress(person: &mut PersonRow, address: String) -> String {
    if user_part(&person.address).is_some_and(|user| user == person.name) {
        person.name.clear();
    }
    std::mem::replace(&mut person.address, address)
}

fn shown(address: &str, name: Option<String>, simulated: bool) -> Person {
    let name = name.or_else(|| user_part(address));
    let address = visible(address);
    let name = name.unwrap_or_else(|| if address.is_empty() { "?".to_owned() } else { address.clone() });
    Person { address, name, simulated }
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
        assert_eq!(name("im:bob@domain.com", "Bobby"), "~Bobby");
        assert_eq!(name("im:bob@domain.com", "bob"), "bob");
        let mallory = names.person(&row("sip:mallory@example.net", "Ann Lee"));
        assert_eq!(
            mallory.told_apart(),
            "~Ann Lee (mallory@example.net)",
            "she is not the contact of that name"
        );
        assert_eq!((mallory.is_claimed(), mallory.plain_name()), (true, "Ann Lee"));
        assert_eq!(names.person(&row("sip:ann@domain.com", "Mallory")).told_apart(), "Ann Lee");
        assert_eq!(name("im:bob@domain.com", " "), "bob");
        assert_eq!(name("rubbish", ""), "rubbish");
        assert_eq!(name("", ""), "?");
        assert!(names.person(&row("im:ann@domain.com", "")).simulated);
    }

    #[test]
    fn an_address_that_begins_like_the_name_of_a_contact_is_told_apart() {
        let mut book = AddressBook::default();
        book.put(Contact { address: "sip:ann.lee@domain.com".into(), name: "Ann".into(), simulated: false });
        book.put(Contact { address: "sip:bob@domain.com".into(), name: String::new(), simulated: false });
        let names = Names::of(&book);
        let shown = |address: &str| names.person(&row(address, "")).told_apart();
        assert_eq!(shown("sip:ann@example.net"), "~ann (ann@example.net)");
        assert_eq!(shown("sip:bob@example.net"), "~bob (bob@example.net)");
        assert_eq!((shown("sip:bob@domain.com"), shown("sip:cy@example.net")), ("bob".into(), "cy".into()));
    }

    #[test]
    fn somebody_whose_address_was_corrected_claims_no_name() {
        let mut book = AddressBook::default();
        let shown = |book: &AddressBook, row: &PersonRow| Names::of(book).person(row).name;
        let mut zoe = row("sip:zoe@exmaple.com", "zoe");
        assert_eq!(readdress(&mut zoe, "sip:zoe.k@example.com".into()), "sip:zoe@exmaple.com");
        assert_eq!((shown(&book, &zoe).as_str(), zoe.address.as_str()), ("zoe.k", "sip:zoe.k@example.com"));
        let mut named = row("sip:zoe@exmaple.com", "Zoe");
        readdress(&mut named, "sip:zoe.k@example.com".into());
        assert_eq!(shown(&book, &named), "~Zoe");
        book.put(Contact { address: "sip:zoe.k@example.com".into(), name: String::new(), simulated: false });
        assert_eq!(shown(&book, &named), "zoe.k", "a contact without a name is a contact");
    }

    #[test]
    fn contacts_are_sorted_as_people_look_for_them() {
        let contact = |(place, name): (usize, &&str)| Contact {
            address: format!("sip:p{place}@domain.com"),
            name: (*name).to_owned(),
            simulated: false,
        };
        let names = [
            "Zoe", "ann", "Äpfel", "Bob", "Apfel", "Ann", "Ölberg", "Oskar", "Éva", "Eve", "Łukasz", "Lukas",
            "陳",
        ];
        let contacts = names.iter().enumerate().map(contact).collect();
        let lists = ["übrige", "Alle"].map(|name| List { name: name.into(), members: vec![] }).to_vec();
        let names = Names::of(&AddressBook { contacts, lists, ..AddressBook::default() });
        let sorted: Vec<&str> = names.contacts().iter().map(|known| known.person.name.as_str()).collect();
        let expected = [
            "ann", "Ann", "Apfel", "Äpfel", "Bob", "Éva", "Eve", "Lukas", "Łukasz", "Ölberg", "Oskar", "Zoe",
            "陳",
        ];
        assert_eq!(sorted, expected);
        assert_eq!(names.contacts()[0].place, 1, "where it is in the book");
        assert_eq!(names.lists()[0].name, "Alle");
        let jump =
            |letters: &str| names.contacts().get(names.first_from(letters)).map(|it| it.person.name.as_str());
        assert_eq!(
            (jump("e"), jump("os"), jump("Z"), jump("zz")),
            (Some("Éva"), Some("Oskar"), Some("Zoe"), Some("陳"))
        );
    }

    #[test]
    fn contacts_and_lists_are_found_by_name_and_by_what_is_typed() {
        let contact = |address: &str, name: &str| Contact {
            address: address.into(),
            name: name.into(),
            simulated: false,
        };
        let lists = vec![List { name: "Night Shift".into(), members: vec!["im:ann@DOMAIN.com".into()] }];
        let contacts = vec![contact("sip:ann@domain.com", "Ann LEE"), contact("bob@domain.com", "")];
        let names = Names::of(&AddressBook { contacts, lists, ..AddressBook::default() });
        let known = |name: &str| names.named(name).map(|known| known.person.address.as_str());
        assert_eq!((known("ann lee"), known("bob"), known("")), (Some("sip:ann@domain.com"), None, None));
        let list = names.list("night SHIFT").unwrap();
        assert_eq!(
            (list.members[0].name.as_str(), &list.keys),
            ("Ann LEE", &vec![names.contacts()[0].key.clone()])
        );
        assert!(list.matches(" shift") && !list.matches("day"));
        let found = |query: &str| names.search(query).collect::<Vec<_>>();
        assert_eq!((found("LEE ann@"), found("domain"), found("lee bob")), (vec![0], vec![0, 1], vec![]));
        assert_eq!(names.contacts()[1].person.name, "bob");
        let similar =
            ["M\u{f6}ller", "Moller", "\u{c9}va"].map(|name| contact(&format!("sip:{name}@x"), name));
        let lists = vec![List { name: "Caf\u{e9}".into(), members: Vec::new() }];
        let names = Names::of(&AddressBook { contacts: similar.into(), lists, ..AddressBook::default() });
        let known = |name: &str| names.named(name).map(|known| known.person.name.as_str());
        assert_eq!((known("moller"), known("M\u{d6}LLER")), (Some("Moller"), Some("M\u{f6}ller")));
        assert_eq!((known("M\u{f3}ller"), known("EVA")), (None, Some("\u{c9}va")));
        assert_eq!(names.list("CAFE").map(|list| list.name.as_str()), Some("Caf\u{e9}"));
        let contacts =
            vec![contact("sip:irem@x", "\u{130}rem Y\u{131}ld\u{131}z"), contact("sip:e@x", "Andre\u{301}")];
        let names = Names::of(&AddressBook { contacts, lists: Vec::new(), ..AddressBook::default() });
        let found = |query: &str| names.search(query).collect::<Vec<_>>();
        assert_eq!((found("irem yil"), found("ANDR\u{c9}"), found("andre")), (vec![1], vec![0], vec![0]));
    }
}
