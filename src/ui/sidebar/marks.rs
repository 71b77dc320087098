//! The user's settings for the conversations in the list, by their number.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::model::contacts::address_key;
use crate::model::journal::ConversationId;
use crate::model::marks::Marks;
use crate::model::names::Names;
use crate::model::snapshot::{ConversationHead, Settings, Snapshot};

/// What is set for a conversation for which nothing is set.
static NOTHING: Marks = Marks {
    with: String::new(),
    name: String::new(),
    pinned: false,
    muted: false,
    silent: false,
    archived: false,
    unread: false,
};

/// The settings of all conversations that have some, and the names of those whose people are a saved list.
#[derive(Debug, Default)]
pub(crate) struct MarkTable {
    marks: BTreeMap<ConversationId, Marks>,
    lists: BTreeMap<ConversationId, String>,
}

impl MarkTable {
    /// The settings of these conversations.
    pub(crate) fn of(snapshot: &Snapshot) -> Self {
        let (settings, heads) = (&snapshot.settings, &snapshot.conversations);
        let lists = lists_of(heads, &snapshot.names);
        if settings.conversations.is_empty() {
            return Self { marks: BTreeMap::new(), lists };
        }
        let known: BTreeMap<&str, &Marks> =
            settings.conversations.iter().map(|marks| (marks.with.as_str(), marks)).collect();
        let found = heads.iter().filter_map(|head| {
            let marks = known.get(Marks::key(&head.people, head.hidden).as_str())?;
            Some((head.id, (*marks).clone()))
        });
        Self { marks: found.collect(), lists }
    }

    /// Made anew if one snapshot differs from the other in what is shown here.
    pub(crate) fn follow(&mut self, before: &Snapshot, now: &Snapshot) {
        if !Arc::ptr_eq(&before.conversations, &now.conversations)
            || !Arc::ptr_eq(&before.names, &now.names)
            || before.settings.conversations != now.settings.conversations
        {
            *self = Self::of(now);
        }
    }

    /// The settings of a conversation.
    pub(crate) fn get(&self, id: ConversationId) -> &Marks {
        self.marks.get(&id).unwrap_or(&NOTHING)
    }

    /// The name that the user gave a conversation, else that of the saved list whose people are in it; empty if there is
    /// neither.
    pub(crate) fn called(&self, id: ConversationId) -> &str {
        let given = self.get(id).name.as_str();
        if given.is_empty() { self.lists.get(&id).map_or("", String::as_str) } else { given }
    }
}

/// The conversations whose people are exactly those of a saved list, with its name.
fn lists_of(heads: &[ConversationHead], names: &Names) -> BTreeMap<ConversationId, String> {
    let lists: Vec<(BTreeSet<&str>, &str)> = names
        .lists()
        .iter()
        .map(|list| (list.keys.iter().map(String::as_str).collect(), list.name.as_str()))
        .collect();
    let mut found = BTreeMap::new();
    for head in heads.iter().filter(|head| head.people.len() > 1) {
        let mut keys: Option<BTreeSet<String>> = None;
        for (list, name) in lists.iter().filter(|(list, _)| list.len() == head.people.len()) {
            let keys = keys.get_or_insert_with(|| {
                head.people.iter().map(|person| address_key(&person.address)).collect()
            });
            if keys.iter().map(String::as_str).eq(list.iter().copied()) {
                found.entry(head.id).or_insert_with(|| (*name).to_owned());
            }
        }
    }
    found
}

/// The settings of the window with these for one conversation.
pub(crate) fn with_marks(settings: &Settings, marks: Marks) -> Settings {
    let mut settings = settings.clone();
    settings.conversations.retain(|known| known.with != marks.with);
    if !marks.is_empty() {
        settings.conversations.push(marks);
    }
    settings
}
