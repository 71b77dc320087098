//! The user's settings for the conversations in the list, by their number.

use std::collections::BTreeMap;

use crate::model::journal::ConversationId;
use crate::model::marks::Marks;
use crate::model::snapshot::{ConversationHead, Settings};

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

/// The settings of all conversations that have some.
#[derive(Debug, Default)]
pub(crate) struct MarkTable(BTreeMap<ConversationId, Marks>);

impl MarkTable {
    /// The settings of these conversations.
    pub(crate) fn of(settings: &Settings, heads: &[ConversationHead]) -> Self {
        if settings.conversations.is_empty() {
            return Self::default();
        }
        let known: BTreeMap<&str, &Marks> =
            settings.conversations.iter().map(|marks| (marks.with.as_str(), marks)).collect();
        let found = heads.iter().filter_map(|head| {
            let marks = known.get(Marks::key(&head.people, head.hidden).as_str())?;
            Some((head.id, (*marks).clone()))
        });
        Self(found.collect())
    }

    /// The settings of a conversation.
    pub(crate) fn get(&self, id: ConversationId) -> &Marks {
        self.0.get(&id).unwrap_or(&NOTHING)
    }
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
