//! The open conversation: its outline, the messages around the view, and what has to be read again.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::limits::SNAPSHOT_MESSAGES_MAX;
use crate::model::journal::{ConversationId, MessageId};
use crate::model::names::Names;
use crate::model::snapshot::{MessageView, Outline, Person, Thread};
use crate::model::view::{incoming_view, message_view};
use crate::store::history::StoredMessage;

use super::reading::{Part, Question, ReadPart};

/// The open conversation as the engine keeps it.
#[derive(Debug)]
pub(super) struct OpenThread {
    pub(super) conversation: ConversationId,
    /// Messages received but not yet seen when it was opened.
    unread: u32,
    loaded: Option<Loaded>,
    wanted: Option<Part>,
    /// As last published; none if something has changed since.
    published: Option<Arc<Thread>>,
}

#[derive(Debug)]
struct Loaded {
    outline: Arc<[Outline]>,
    first: usize,
    messages: Vec<Arc<MessageView>>,
    unread_from: Option<MessageId>,
}

impl Loaded {
    /// True when the newest message is among those loaded.
    fn is_at_end(&self) -> bool {
        self.first + self.messages.len() == self.outline.len()
    }
}

/// A stored message as shown.
pub(super) fn view(stored: &StoredMessage, names: &Names) -> MessageView {
    match stored {
        StoredMessage::Ours(rows) => message_view(rows, names),
        StoredMessage::Theirs(row) => incoming_view(row, names),
    }
}

impl OpenThread {
    /// Opens a conversation at its end.
    pub(super) const fn new(conversation: ConversationId, unread: u32) -> Self {
        Self { conversation, unread, loaded: None, wanted: Some(Part::End), published: None }
    }

    /// The view moved to this index in the outline.
    pub(super) const fn show_around(&mut self, index: usize) {
        self.wanted = Some(Part::Around(index));
    }

    /// Something changed that is not in any single message: all that is loaded is read again.
    pub(super) fn reload(&mut self) {
        let part = match &self.loaded {
            Some(loaded) if !loaded.is_at_end() => Part::Around(loaded.first + SNAPSHOT_MESSAGES_MAX / 2),
            Some(_) | None => Part::End,
        };
        self.wanted.get_or_insert(part);
    }

    /// Messages were added.
    pub(super) fn grew(&mut self) {
        let last = self.loaded.as_ref().and_then(|loaded| loaded.outline.last());
        let part = last.map_or(Part::End, |last| Part::After(last.id));
        self.wanted.get_or_insert(part);
    }

    /// Whether a message is among those loaded.
    pub(super) fn shows(&self, id: MessageId) -> bool {
        let messages = self.loaded.as_ref().map(|loaded| loaded.messages.as_slice()).unwrap_or_default();
        messages.binary_search_by_key(&id, |message| message.id).is_ok()
    }

    /// What has to be read, if anything; it then counts as requested.
    pub(super) const fn take_wanted(&mut self) -> Option<Part> {
        self.wanted.take()
    }

    /// The query could not be sent or answered: requests it again.
    pub(super) fn want_again(&mut self, question: &Question) {
        if let Some((conversation, part)) = question.part
            && conversation == self.conversation
        {
            self.wanted.get_or_insert(part);
        }
    }

    /// Takes in what was read; false if it is about another conversation.
    pub(super) fn take(&mut self, read: ReadPart, names: &Names) -> bool {
        if read.conversation != self.conversation {
            return false;
        }
        let views = read.messages.iter().map(|stored| Arc::new(view(stored, names)));
        match (read.part, &mut self.loaded) {
            (Part::After(_), Some(loaded)) => loaded.append(&read.outline, views),
            (Part::After(_), None) => self.wanted = Some(Part::End),
            (Part::End | Part::Around(_), loaded) => {
                let unread_from = match loaded {
                    Some(loaded) => loaded.unread_from,
                    None => unread_from(&read.outline, self.unread),
                };
                *loaded = Some(Loaded {
                    outline: read.outline.into(),
                    first: read.first,
                    messages: views.collect(),
                    unread_from,
                });
            }
        }
        self.published = None;
        true
    }

    /// Replaces the view of one message with a newer one.
    pub(super) fn replace(&mut self, view: &Arc<MessageView>) {
        let Some(loaded) = &mut self.loaded else { return };
        if let Some(place) = loaded.messages.iter_mut().find(|message| message.id == view.id) {
            *place = Arc::clone(view);
            self.published = None;
        }
    }

    /// For the snapshot; none until something was read. Unchanged parts are shared with the previous one.
    pub(super) fn publish(&mut self, people: &Arc<[Person]>, hidden: bool) -> Option<Arc<Thread>> {
        let loaded = self.loaded.as_ref()?;
        if let Some(thread) = &self.published
            && Arc::ptr_eq(&thread.people, people)
        {
            return Some(Arc::clone(thread));
        }
        let thread = Arc::new(Thread {
            conversation: self.conversation,
            people: Arc::clone(people),
            hidden,
            outline: Arc::clone(&loaded.outline),
            first: loaded.first,
            messages: loaded.messages.as_slice().into(),
            unread_from: loaded.unread_from,
        });
        self.published = Some(Arc::clone(&thread));
        Some(thread)
    }
}

impl Loaded {
    fn append(&mut self, new: &[Outline], views: impl Iterator<Item = Arc<MessageView>>) {
        // The same end may have been requested twice.
        let known: BTreeSet<MessageId> =
            self.outline.iter().rev().take(new.len()).map(|entry| entry.id).collect();
        let new = new.iter().filter(|entry| !known.contains(&entry.id));
        let was_at_end = self.is_at_end();
        self.outline = self.outline.iter().chain(new).copied().collect();
        if was_at_end {
            self.messages.extend(views.filter(|view| !known.contains(&view.id)));
            let over = self.messages.len().saturating_sub(SNAPSHOT_MESSAGES_MAX);
            self.messages.drain(..over);
            self.first = self.outline.len() - self.messages.len();
        }
    }
}

/// The first of the last `unread` received messages.
fn unread_from(outline: &[Outline], unread: u32) -> Option<MessageId> {
    let back = usize::try_from(unread).ok()?.checked_sub(1)?;
    let mut received = outline.iter().rev().filter(|entry| entry.recipients == 0);
    received.nth(back).map(|entry| entry.id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::journal::{IncomingRow, PersonRow};
    use crate::time::Timestamp;
    use bytes::Bytes;

    const HERE: ConversationId = ConversationId(1);

    fn entry(id: u64, recipients: u32) -> Outline {
        Outline { id: MessageId(id), chars: 1, newlines: 0, recipients }
    }

    fn stored(id: u64) -> StoredMessage {
        StoredMessage::Theirs(IncomingRow {
            id: MessageId(id),
            conversation: HERE,
            at: Timestamp::from_millis(id),
            sent_at: None,
            from: PersonRow { address: "sip:ann@x".to_owned(), name: String::new() },
            also_to: vec![],
            content_type: "text/plain".to_owned(),
            body: Bytes::from_static(b"x"),
            key: String::new(),
            verified: true,
        })
    }

    /// What the reader would answer for a conversation with these messages.
    fn read(part: Part, outline: std::ops::RangeInclusive<u64>, first: usize, count: u64) -> ReadPart {
        let start = outline.start() + first as u64;
        let messages = (start..start + count).map(stored).collect();
        let outline = outline.map(|id| entry(id, 0)).collect();
        ReadPart { conversation: HERE, part, outline, first, messages }
    }

    fn published(thread: &mut OpenThread) -> Arc<Thread> {
        thread.publish(&Arc::from([]), false).unwrap()
    }

    fn ids(thread: &Thread) -> Vec<u64> {
        thread.messages.iter().map(|message| message.id.0).collect()
    }

    #[test]
    fn what_comes_is_appended_while_the_end_is_in_view() {
        let mut thread = OpenThread::new(HERE, 2);
        assert_eq!(thread.take_wanted(), Some(Part::End));
        assert!(thread.take(read(Part::End, 1..=3, 0, 3), &Names::default()));
        assert_eq!(published(&mut thread).unread_from, Some(MessageId(2)));
        thread.grew();
        assert_eq!(thread.take_wanted(), Some(Part::After(MessageId(3))));
        assert!(thread.take(read(Part::After(MessageId(3)), 4..=5, 0, 2), &Names::default()));
        // Repeating the same answer changes nothing.
        assert!(thread.take(read(Part::After(MessageId(3)), 4..=5, 0, 2), &Names::default()));
        let shown = published(&mut thread);
        assert_eq!((ids(&shown), shown.outline.len(), shown.first), (vec![1, 2, 3, 4, 5], 5, 0));
        assert_eq!(shown.unread_from, Some(MessageId(2)));
    }

    #[test]
    fn what_comes_while_the_view_is_elsewhere_lengthens_the_outline_alone() {
        let mut thread = OpenThread::new(HERE, 0);
        let _asked = thread.take_wanted();
        assert!(thread.take(read(Part::Around(2), 1..=9, 2, 3), &Names::default()));
        assert!(thread.take(read(Part::After(MessageId(9)), 10..=10, 0, 1), &Names::default()));
        let shown = published(&mut thread);
        assert_eq!((ids(&shown), shown.outline.len(), shown.first), (vec![3, 4, 5], 10, 2));
    }

    #[test]
    fn the_window_of_messages_stays_bounded() {
        let mut thread = OpenThread::new(HERE, 0);
        let most = SNAPSHOT_MESSAGES_MAX as u64;
        assert!(thread.take(read(Part::End, 1..=most, 0, most), &Names::default()));
        assert!(
            thread.take(read(Part::After(MessageId(most)), most + 1..=most + 5, 0, 5), &Names::default())
        );
        let shown = published(&mut thread);
        assert_eq!((shown.messages.len(), shown.first), (SNAPSHOT_MESSAGES_MAX, 5));
        assert_eq!(shown.messages[0].id, shown.outline[shown.first].id);
    }

    #[test]
    fn what_did_not_change_is_shared_between_snapshots() {
        let mut thread = OpenThread::new(HERE, 0);
        assert!(thread.take(read(Part::End, 1..=3, 0, 3), &Names::default()));
        let people: Arc<[Person]> = Arc::from([]);
        let first = thread.publish(&people, false).unwrap();
        assert!(Arc::ptr_eq(&first, &thread.publish(&people, false).unwrap()));
        thread.replace(&Arc::new(view(&stored(2), &Names::default())));
        assert!(!Arc::ptr_eq(&first, &thread.publish(&people, false).unwrap()));
    }

    #[test]
    fn an_answer_about_another_conversation_is_let_go() {
        let mut thread = OpenThread::new(ConversationId(9), 0);
        assert!(!thread.take(read(Part::End, 1..=3, 0, 3), &Names::default()));
        assert!(thread.publish(&Arc::from([]), false).is_none());
    }

    #[test]
    fn unread_counts_received_messages_from_the_end() {
        let outline = [entry(1, 0), entry(2, 0), entry(3, 2), entry(4, 0)];
        assert_eq!(unread_from(&outline, 0), None);
        assert_eq!(unread_from(&outline, 2), Some(MessageId(2)));
        assert_eq!(unread_from(&outline, 9), None);
    }
}
