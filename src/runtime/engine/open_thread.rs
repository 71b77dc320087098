//! The open conversation: its outline, the messages around the view, and what has to be read again.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::limits::SNAPSHOT_MESSAGES_MAX;
use crate::model::delivery::{best_of, rank};
use crate::model::journal::{ConversationId, DeliveryRow, MessageId};
use crate::model::names::Names;
use crate::model::snapshot::{MessageView, Outline, Person, Thread};
use crate::model::view::{incoming_view, message_view, move_delivery};
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
    messages: Vec<LoadedMessage>,
    unread_from: Option<MessageId>,
}

/// A message as the engine keeps it.
#[derive(Debug)]
pub(super) struct LoadedMessage {
    /// As shown.
    pub(super) view: Arc<MessageView>,
    /// If it is ours: what is known of each attempt, ordered by attempt and recipient.
    deliveries: Vec<DeliveryRow>,
}

impl LoadedMessage {
    pub(super) fn of(stored: StoredMessage, names: &Names) -> Self {
        match stored {
            StoredMessage::Ours(rows) => {
                Self { view: Arc::new(message_view(&rows, names)), deliveries: rows.deliveries }
            }
            StoredMessage::Theirs(row) => {
                Self { view: Arc::new(incoming_view(&row, names)), deliveries: Vec::new() }
            }
        }
    }

    /// Takes in the state of one recipient in one attempt. False if as much was known: the history may have been read
    /// after the commit that we hear of now.
    fn deliver(&mut self, row: &DeliveryRow) -> bool {
        let place = (row.attempt, row.recipient);
        match self.deliveries.binary_search_by_key(&place, |known| (known.attempt, known.recipient)) {
            Ok(index) => {
                let known = self.deliveries.get_mut(index);
                let Some(known) = known.filter(|known| is_at_least(row, known) && *known != row) else {
                    return false;
                };
                *known = row.clone();
            }
            Err(index) => self.deliveries.insert(index, row.clone()),
        }
        if let Some(best) = best_of(&self.deliveries, row.recipient) {
            // A copy is made once for each snapshot, however many recipients move between two of them.
            move_delivery(Arc::make_mut(&mut self.view), best);
        }
        true
    }
}

fn is_at_least(row: &DeliveryRow, known: &DeliveryRow) -> bool {
    rank(row.state, &row.phrase) >= rank(known.state, &known.phrase)
}

/// Where a change of a recipient's state is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moved {
    /// Nowhere: the message is not loaded.
    Unseen,
    /// It belongs to an attempt that was not read yet: the message has to be read.
    NewAttempt,
    /// In its place.
    Shown,
}

impl Loaded {
    /// True when the newest message is among those loaded.
    fn is_at_end(&self) -> bool {
        self.first + self.messages.len() == self.outline.len()
    }

    /// The index of a message among those loaded.
    fn place(&self, id: MessageId) -> Option<usize> {
        self.messages.binary_search_by_key(&id, |message| message.view.id).ok()
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
        self.view(id).is_some()
    }

    /// Changes the one place that shows this recipient; nothing is read for that.
    pub(super) fn deliver(&mut self, row: &DeliveryRow) -> Moved {
        let Some(loaded) = &mut self.loaded else { return Moved::Unseen };
        let Some(message) = loaded.place(row.message).and_then(|place| loaded.messages.get_mut(place)) else {
            return Moved::Unseen;
        };
        if row.attempt > message.view.attempts {
            return Moved::NewAttempt;
        }
        if message.deliver(row) {
            self.published = None;
        }
        Moved::Shown
    }

    /// A loaded message.
    pub(super) fn view(&self, id: MessageId) -> Option<&MessageView> {
        let loaded = self.loaded.as_ref()?;
        loaded.messages.get(loaded.place(id)?).map(|message| &*message.view)
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
        let views = read.messages.into_iter().map(|stored| LoadedMessage::of(stored, names));
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

    /// Replaces one message by what was read anew.
    pub(super) fn replace(&mut self, message: LoadedMessage) {
        let Some(loaded) = &mut self.loaded else { return };
        let place = loaded.place(message.view.id).and_then(|place| loaded.messages.get_mut(place));
        if let Some(place) = place {
            *place = message;
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
            messages: loaded.messages.iter().map(|message| Arc::clone(&message.view)).collect(),
            unread_from: loaded.unread_from,
        });
        self.published = Some(Arc::clone(&thread));
        Some(thread)
    }
}

impl Loaded {
    fn append(&mut self, new: &[Outline], views: impl Iterator<Item = LoadedMessage>) {
        // The same end may have been requested twice.
        let known: BTreeSet<MessageId> =
            self.outline.iter().rev().take(new.len()).map(|entry| entry.id).collect();
        let new = new.iter().filter(|entry| !known.contains(&entry.id));
        let was_at_end = self.is_at_end();
        self.outline = self.outline.iter().chain(new).copied().collect();
        if was_at_end {
            self.messages.extend(views.filter(|message| !known.contains(&message.view.id)));
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
    use crate::model::journal::{AttemptRow, DeliveryState, IncomingRow, OpenRows, OutgoingRow, PersonRow};
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
        thread.replace(LoadedMessage::of(stored(2), &Names::default()));
        assert!(!Arc::ptr_eq(&first, &thread.publish(&people, false).unwrap()));
    }

    fn ours(deliveries: Vec<DeliveryRow>) -> StoredMessage {
        let person = |address: &str| PersonRow { address: address.to_owned(), name: String::new() };
        StoredMessage::Ours(OpenRows {
            outgoing: OutgoingRow {
                id: MessageId(1),
                conversation: HERE,
                at: Timestamp::from_millis(1),
                content_type: "text/plain".to_owned(),
                body: Bytes::from_static(b"x"),
                recipients: vec![person("sip:ann@x"), person("sip:bob@x")],
            },
            attempts: vec![attempt(1), attempt(2)],
            deliveries,
        })
    }

    fn attempt(number: u32) -> AttemptRow {
        AttemptRow::closed(MessageId(1), number)
    }

    fn delivery(attempt: u32, recipient: u32, state: DeliveryState) -> DeliveryRow {
        DeliveryRow {
            message: MessageId(1),
            attempt,
            recipient,
            state,
            status: None,
            phrase: Default::default(),
            tries: None,
            after: None,
            at: Timestamp::from_millis(2),
        }
    }

    #[test]
    fn a_change_of_one_recipient_is_shown_as_if_all_were_read_anew() {
        use DeliveryState::{Accepted, Cancelled, Delivered, Failed, Sending};
        let rows = |second: DeliveryState| {
            vec![delivery(1, 0, Failed), delivery(1, 1, Accepted), delivery(2, 0, second)]
        };
        let read_anew = |rows: Vec<DeliveryRow>| LoadedMessage::of(ours(rows), &Names::default()).view;
        let mut thread = OpenThread::new(HERE, 0);
        let part = ReadPart {
            conversation: HERE,
            part: Part::End,
            outline: vec![entry(1, 2)],
            first: 0,
            messages: vec![ours(rows(Sending))],
        };
        assert!(thread.take(part, &Names::default()));
        let before = published(&mut thread);
        assert_eq!(before.messages[0].deliveries[0].state, Sending);
        // The second attempt is withdrawn, so the first one's failure is what is shown.
        assert_eq!(thread.deliver(&delivery(2, 0, Cancelled)), Moved::Shown);
        let shown = published(&mut thread);
        assert_eq!(shown.messages[0], read_anew(rows(Cancelled)));
        assert_eq!(shown.messages[0].deliveries[0].state, Failed);
        assert_eq!(before.messages[0].deliveries[0].state, Sending, "what was handed out stays as it was");
        // A recipient of whom the second attempt knew nothing yet.
        assert_eq!(thread.deliver(&delivery(2, 1, Delivered)), Moved::Shown);
        let mut known = rows(Cancelled);
        known.push(delivery(2, 1, Delivered));
        let shown = published(&mut thread);
        assert_eq!(shown.messages[0], read_anew(known));
        // An older event about what was read after it changes nothing, and nothing is published again.
        assert_eq!(thread.deliver(&delivery(2, 1, Sending)), Moved::Shown);
        assert!(Arc::ptr_eq(&shown, &thread.publish(&shown.people, false).unwrap()));
        assert_eq!(thread.deliver(&delivery(3, 1, Delivered)), Moved::NewAttempt);
        let elsewhere = DeliveryRow { message: MessageId(7), ..delivery(1, 1, Delivered) };
        assert_eq!(thread.deliver(&elsewhere), Moved::Unseen);
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
