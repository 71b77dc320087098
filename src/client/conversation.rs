//! Conversations: one for each set of participants, and its entry in the list.
//!
//! All heads are kept in memory with the people's names already resolved, so that a snapshot of a thousand of them is
//! cheap. Threads are not here: the engine reads them from the store.

mod forget;

mod people;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::agent::core::{Action, Core};
use crate::limits::CONVERSATIONS_MAX;
use crate::model::contacts::{address_key, uri_key};
use crate::model::journal::{
    ConversationHeadRow, ConversationId, ConversationRow, IncomingRow, LastRow, MessageId, OutgoingRow,
    PersonRow, Write,
};
use crate::model::names::Names;
use crate::model::snapshot::{ConversationHead, Person, Tally};
use crate::model::text::{Shown, preview, shown};
use crate::time::Timestamp;

/// All conversations.
#[derive(Debug, Default)]
pub(super) struct Conversations {
    all: BTreeMap<ConversationId, Conversation>,
    by_people: BTreeMap<String, ConversationId>,
    /// The keys of all to whom we have written.
    written_to: BTreeSet<String>,
    names: Arc<Names>,
    last: u64,
}

/// One conversation.
#[derive(Debug)]
struct Conversation {
    row: ConversationRow,
    /// False if its row could not be stored: it is then written again with the next message.
    kept: bool,
    people: Arc<[Person]>,
    last: Option<Last>,
    last_incoming: Option<MessageId>,
    seen: Option<MessageId>,
    unread: u32,
    failures: BTreeMap<MessageId, Failures>,
}

/// The last message.
#[derive(Debug)]
struct Last {
    id: MessageId,
    at: Timestamp,
    preview: Arc<str>,
    tally: Option<Tally>,
    verified: bool,
}

impl Last {
    /// The last message as stored; its delivery state is filled in later.
    fn recover(row: LastRow) -> Self {
        let LastRow { id, at, preview, verified, .. } = row;
        Self { id, at, preview: preview.into(), tally: None, verified }
    }
}

/// How many recipients of one message failed, and how many of those failures were seen.
#[derive(Clone, Copy, Debug, Default)]
struct Failures {
    /// When the message was written.
    at: Timestamp,
    now: u32,
    seen: u32,
}

impl Conversations {
    /// Restores the conversations from the store.
    pub(super) fn recover(heads: Vec<ConversationHeadRow>, last: u64) -> Self {
        let mut this = Self { last, ..Self::default() };
        for head in heads {
            let id = head.row.id;
            let key = people_key(&head.row.people, head.row.hidden);
            if head.is_written_to {
                this.note_written_to(&head.row.people);
            }
            let mut conversation = Conversation::new(head.row, &this.names);
            conversation.kept = true;
            conversation.unread = head.unread;
            conversation.seen = head.seen;
            conversation.last_incoming = head.last.as_ref().filter(|last| !last.mine).map(|last| last.id);
            conversation.last = head.last.map(Last::recover);
            this.last = this.last.max(id.0);
            this.by_people.insert(key, id);
            this.all.insert(id, conversation);
        }
        this
    }

    /// Uses these names from the contacts from now on.
    pub(super) fn set_names(&mut self, names: Arc<Names>) {
        self.names = names;
        for conversation in self.all.values_mut() {
            conversation.people = shown_people(&conversation.row.people, &self.names);
        }
    }

    /// The names in use.
    pub(super) fn names(&self) -> &Names {
        &self.names
    }

    /// The people of a conversation, and whether they are hidden from each other.
    pub(super) fn people(&self, id: ConversationId) -> Option<(Arc<[Person]>, bool)> {
        self.all.get(&id).map(|it| (Arc::clone(&it.people), it.row.hidden))
    }

    /// Whether the recipients in this conversation are hidden from each other.
    pub(super) fn is_hidden(&self, id: ConversationId) -> bool {
        self.all.get(&id).is_some_and(|it| it.row.hidden)
    }

    /// The conversation with these people (besides ourselves), created if there is none; its row is then in this
    /// turn's batch. None when there are too many conversations.
    pub(super) fn place(
        &mut self,
        core: &mut Core,
        people: &[PersonRow],
        hidden: bool,
    ) -> Option<ConversationId> {
        let people = without(people, &uri_key(&core.profile.address));
        // With a single recipient there is nobody to hide from.
        let hidden = hidden && people.len() > 1;
        let key = people_key(&people, hidden);
        if let Some(id) = self.by_people.get(&key).copied() {
            if let Some(known) = self.all.get_mut(&id).filter(|known| !known.kept) {
                known.kept = true;
                core.write(Write::Conversation(known.row.clone()));
            }
            return Some(id);
        }
        if self.all.len() >= CONVERSATIONS_MAX {
            return None;
        }
        self.last += 1;
        let id = ConversationId(self.last);
        let row = ConversationRow { id, people, hidden };
        core.write(Write::Conversation(row.clone()));
        let mut conversation = Conversation::new(row, &self.names);
        conversation.kept = true;
        self.by_people.insert(key, id);
        self.all.insert(id, conversation);
        Some(id)
    }

    /// The conversation with these people, none of them hidden, if there is one.
    pub(super) fn find(&self, people: &[PersonRow], core: &Core) -> Option<ConversationId> {
        let people = without(people, &uri_key(&core.profile.address));
        self.by_people.get(&people_key(&people, false)).copied()
    }

    /// A batch with a message of this conversation failed; the conversation's own row may have been in that batch.
    pub(super) fn not_kept(&mut self, id: ConversationId) {
        if let Some(conversation) = self.all.get_mut(&id).filter(|it| it.last.is_none()) {
            conversation.kept = false;
        }
    }

    /// A message of ours is stored.
    pub(super) fn wrote(&mut self, row: &OutgoingRow, tally: Tally) {
        self.note_written_to(&row.recipients);
        if let Some(conversation) = self.all.get_mut(&row.conversation) {
            let preview = preview(&shown(&row.content_type, &row.body)).into();
            conversation.put_last(Last {
                id: row.id,
                at: row.at,
                preview,
                tally: Some(tally),
                verified: true,
            });
        }
    }

    /// Updates the counts of recipient states for one of our messages.
    pub(super) fn tally(&mut self, message: MessageId, (id, at, tally): (ConversationId, Timestamp, Tally)) {
        let Some(conversation) = self.all.get_mut(&id) else {
            return;
        };
        if let Some(last) = conversation.last.as_mut().filter(|last| last.id == message) {
            last.tally = Some(tally);
        }
        if tally.failed > 0 {
            let failures = conversation.failures.entry(message).or_default();
            failures.at = at;
            failures.now = tally.failed;
            failures.seen = failures.seen.min(tally.failed);
        } else {
            conversation.failures.remove(&message);
        }
    }

    /// After a start: failures of messages up to the last seen one count as seen.
    pub(super) fn forget_seen_failures(&mut self) {
        for conversation in self.all.values_mut() {
            let seen = conversation.seen;
            for (message, failures) in &mut conversation.failures {
                if seen.is_some_and(|seen| *message <= seen) {
                    failures.seen = failures.now;
                }
            }
        }
    }

    /// A message from somebody else is stored.
    /// `is_own` if it is a copy of what this user wrote, from another device or sent to the own address too.
    pub(super) fn received(&mut self, row: &IncomingRow, shown: &Shown, is_own: bool) {
        if let Some(conversation) = self.all.get_mut(&row.conversation) {
            let preview = preview(shown).into();
            conversation.put_last(Last {
                id: row.id,
                at: row.at,
                preview,
                tally: None,
                verified: row.verified,
            });
            conversation.last_incoming = conversation.last_incoming.max(Some(row.id));
            if !is_own {
                conversation.unread = conversation.unread.saturating_add(1);
            }
        }
    }

    /// What the user wrote needs no reading: a copy of it counts as seen, after a start too.
    pub(super) fn seen_own(&mut self, core: &mut Core, id: ConversationId, message: MessageId) {
        let conversation = self.all.get_mut(&id).filter(|it| it.unread == 0);
        if let Some(conversation) = conversation.filter(|it| it.seen < Some(message)) {
            conversation.seen = Some(message);
            core.write(Write::Seen { conversation: id, message });
        }
    }

    /// The user has seen the conversation to its end; if that is new, it is written in this turn's batch.
    pub(super) fn seen(&mut self, core: &mut Core, id: ConversationId) {
        let Some(conversation) = self.all.get_mut(&id) else {
            return;
        };
        let Some(message) = conversation.seen_up_to() else {
            return;
        };
        let unseen = conversation.unread > 0 || conversation.failed_unseen() > 0;
        if !unseen && conversation.seen >= Some(message) {
            return;
        }
        conversation.unread = 0;
        for failures in conversation.failures.values_mut() {
            failures.seen = failures.now;
        }
        conversation.seen = conversation.seen.max(Some(message));
        core.write(Write::Seen { conversation: id, message });
        core.promise(Action::Seen(id, message));
    }

    /// The user has seen the conversation up to a message of others, and so many of theirs follow it.
    pub(super) fn seen_so_far(
        &mut self,
        core: &mut Core,
        id: ConversationId,
        (message, unread): (MessageId, u32),
    ) {
        let Some(conversation) = self.all.get_mut(&id) else {
            return;
        };
        if unread >= conversation.unread || conversation.seen >= Some(message) {
            return;
        }
        conversation.unread = unread;
        conversation.seen = Some(message);
        for (failed, failures) in &mut conversation.failures {
            if *failed <= message {
                failures.seen = failures.now;
            }
        }
        core.write(Write::Seen { conversation: id, message });
        core.promise(Action::Seen(id, message));
    }

    /// The entries of the list: those with an unseen failure first, then in the order in which their last messages came,
    /// whatever the clock said then.
    pub(super) fn heads(&self) -> Vec<ConversationHead> {
        let last = |it: &Conversation| it.last.as_ref().map(|last| last.id);
        let heads = self.all.iter().filter_map(|(id, it)| Some((last(it), it.head(*id)?)));
        let mut heads: Vec<_> = heads.collect();
        heads.sort_by_key(|(last, head)| (head.failed_unseen == 0, Reverse(*last)));
        heads.into_iter().map(|(_, head)| head).collect()
    }
}

impl Conversation {
    fn new(row: ConversationRow, names: &Names) -> Self {
        Self {
            people: shown_people(&row.people, names),
            row,
            kept: false,
            last: None,
            last_incoming: None,
            seen: None,
            unread: 0,
            failures: BTreeMap::new(),
        }
    }

    fn put_last(&mut self, last: Last) {
        // A message is stored, so the conversation row it refers to is stored too.
        self.kept = true;
        if self.last.as_ref().is_none_or(|known| known.id <= last.id) {
            self.last = Some(last);
        }
    }

    /// How many recipients were not reached, over all messages.
    fn failed(&self) -> u32 {
        self.failures.values().map(|it| it.now).sum()
    }

    /// The same, counting only messages with a failure that was not seen.
    fn failed_unseen(&self) -> u32 {
        self.failures.values().filter(|it| it.now > it.seen).map(|it| it.now).sum()
    }

    /// How far the conversation may be marked as seen: not past a message of ours that still awaits an outcome, so
    /// that its failure still counts as unseen after a restart.
    fn seen_up_to(&self) -> Option<MessageId> {
        let last = self.last.as_ref()?;
        let open = last.tally.is_some_and(|tally| tally.under_way() + tally.deferred > 0);
        if open { self.last_incoming } else { Some(last.id) }
    }

    /// None while no message of it is stored.
    fn head(&self, id: ConversationId) -> Option<ConversationHead> {
        let (last, latest) = (self.last.as_ref()?, self.failures.values().next_back());
        Some(ConversationHead {
            id,
            newest: last.id,
            people: Arc::clone(&self.people),
            hidden: self.row.hidden,
            preview: Arc::clone(&last.preview),
            at: last.at,
            last: last.tally,
            verified: last.verified,
            unread: self.unread,
            failed: self.failed(),
            failed_unseen: self.failed_unseen(),
            failed_messages: u32::try_from(self.failures.len()).unwrap_or(u32::MAX),
            failed_latest: latest.map_or(0, |it| it.now),
            failed_at: latest.map(|it| it.at),
        })
    }
}

fn shown_people(people: &[PersonRow], names: &Names) -> Arc<[Person]> {
    people.iter().map(|row| names.person(row)).collect()
}

/// The people without ourselves; for somebody who writes to himself, just himself.
fn without(people: &[PersonRow], own_key: &str) -> Vec<PersonRow> {
    let others: Vec<_> = people.iter().filter(|it| address_key(&it.address) != own_key).cloned().collect();
    if others.is_empty() { people.iter().take(1).cloned().collect() } else { others }
}

/// A key that is the same for the same set of people, in any order and spelling.
fn people_key(people: &[PersonRow], hidden: bool) -> String {
    let keys: BTreeSet<_> = people.iter().map(|person| address_key(&person.address)).collect();
    let mut key = if hidden { "hidden".to_owned() } else { String::new() };
    for person in keys {
        key.push(' ');
        key.push_str(&person);
    }
    key
}
