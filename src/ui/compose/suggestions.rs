//! Whom the text in `To:` may mean: saved lists, contacts, and others with whom there is a conversation.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::limits::{ACQUAINTANCES_MAX, ACQUAINTANCES_SOUGHT_MAX};
use crate::model::contacts::address_key;
use crate::model::fold::fold;
use crate::model::names::{KnownList, NamedContact, Names};
use crate::model::snapshot::{ConversationHead, Person, Snapshot};

/// Somebody with whom there is a conversation and who is not a contact.
#[derive(Debug)]
pub(crate) struct Acquaintance {
    /// [`address_key`] of the address.
    pub(crate) key: String,
    pub(crate) person: Person,
    /// Name and address folded.
    searched: String,
}

/// All of them, those of the latest conversations first.
#[derive(Debug, Default)]
pub(crate) struct Acquaintances {
    people: Vec<Acquaintance>,
    /// What they were read from.
    source: Option<(Arc<[ConversationHead]>, Arc<Names>)>,
}

impl Acquaintances {
    /// Reads them anew if the conversations or the contacts have changed.
    pub(crate) fn refresh(&mut self, snapshot: &Snapshot) {
        let (heads, names) = (&snapshot.conversations, &snapshot.names);
        let is_same = |(old_heads, old_names): &(Arc<[ConversationHead]>, Arc<Names>)| {
            Arc::ptr_eq(old_heads, heads) && Arc::ptr_eq(old_names, names)
        };
        if self.source.as_ref().is_some_and(is_same) {
            return;
        }
        let mut seen: BTreeSet<String> =
            snapshot.account.iter().map(|account| address_key(&account.address)).collect();
        let mut spellings = BTreeSet::new();
        let people = heads.iter().flat_map(|head| head.people.iter()).take(ACQUAINTANCES_SOUGHT_MAX);
        // One person may be in many conversations, and reading an address costs more than comparing it.
        let people = people.filter(|person| spellings.insert(person.address.as_str()));
        let acquaintance = |person: &Person| {
            let key = address_key(&person.address);
            let is_new = !names.knows(&key) && seen.insert(key.clone());
            let searched = || fold(&format!("{} {}", person.name, person.address));
            is_new.then(|| Acquaintance { key, searched: searched(), person: person.clone() })
        };
        self.people = people.filter_map(acquaintance).take(ACQUAINTANCES_MAX).collect();
        self.source = Some((Arc::clone(heads), Arc::clone(names)));
    }
}

/// One of those that a text may mean.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Suggestion<'a> {
    List(&'a KnownList),
    Contact(&'a NamedContact),
    Other(&'a Acquaintance),
}

impl<'a> Suggestion<'a> {
    /// Who it stands for.
    pub(crate) fn people(self) -> &'a [Person] {
        match self {
            Self::List(list) => &list.members,
            Self::Contact(known) => std::slice::from_ref(&known.person),
            Self::Other(other) => std::slice::from_ref(&other.person),
        }
    }

    /// All of them are there already, as `has` says of each address key.
    pub(crate) fn is_there(self, has: impl Fn(&str) -> bool) -> bool {
        match self {
            Self::List(list) => list.keys.iter().all(|key| has(key)),
            Self::Contact(known) => has(&known.key),
            Self::Other(other) => has(&other.key),
        }
    }

    fn is_named(self, name: &str) -> bool {
        match self {
            Self::List(list) => fold(&list.name) == name,
            Self::Contact(known) => fold(&known.person.name) == name,
            Self::Other(_) => false,
        }
    }
}

/// Those that a text may mean, in the order of the list to pick from.
#[derive(Debug)]
pub(crate) struct Suggestions<'a> {
    names: &'a Names,
    typed: String,
    lists: Vec<&'a KnownList>,
    /// Indexes into the contacts.
    contacts: Vec<usize>,
    others: Vec<&'a Acquaintance>,
}

impl<'a> Suggestions<'a> {
    /// For what is typed; all of them if that is nothing.
    pub(crate) fn of(typed: &str, names: &'a Names, others: &'a Acquaintances) -> Self {
        let words: Vec<String> = typed.split_whitespace().map(fold).collect();
        let is_meant = |other: &&Acquaintance| words.iter().all(|word| other.searched.contains(word));
        Self {
            names,
            typed: fold(typed.trim()),
            lists: names.lists().iter().filter(|list| list.matches(typed)).collect(),
            contacts: names.search(typed).collect(),
            others: others.people.iter().filter(is_meant).collect(),
        }
    }

    /// How many there are.
    pub(crate) const fn len(&self) -> usize {
        self.lists.len() + self.contacts.len() + self.others.len()
    }

    /// The one at this place.
    pub(crate) fn get(&self, place: usize) -> Option<Suggestion<'a>> {
        if let Some(list) = self.lists.get(place) {
            return Some(Suggestion::List(list));
        }
        let place = place.checked_sub(self.lists.len())?;
        if let Some(index) = self.contacts.get(place) {
            return self.names.contacts().get(*index).map(Suggestion::Contact);
        }
        let place = place.checked_sub(self.contacts.len())?;
        self.others.get(place).copied().map(Suggestion::Other)
    }

    /// The place of the one that is most likely meant, of those who are not recipients yet (`has` says so of an address
    /// key): a list or contact with exactly that name, else a contact, else a list, else somebody else.
    pub(crate) fn best(&self, has: impl Fn(&str) -> bool) -> Option<usize> {
        let new = |place: &usize| self.get(*place).is_some_and(|it| !it.is_there(&has));
        let named = (0..self.len()).find(|place| {
            let is_named = self.get(*place).is_some_and(|it| it.is_named(&self.typed));
            is_named && new(place)
        });
        let (lists, contacts) = (self.lists.len(), self.contacts.len());
        let first = |mut range: std::ops::Range<usize>| range.find(new);
        let contact = || first(lists..lists + contacts);
        named.or_else(contact).or_else(|| first(0..lists)).or_else(|| first(lists + contacts..self.len()))
    }
}
