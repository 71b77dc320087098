//! A client's rows in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;

use super::{apply_all, searching};
use crate::limits::{ASKING_LOADED_MAX, OPEN_LOADED_MAX, RECIPIENTS_MAX, REPORTS_KEPT_BYTES_MAX};
use crate::machine::Batch;
use crate::model::contacts::address_key;
use crate::model::deletion::StorageUse;
use crate::model::delivery::is_reached;
use crate::model::journal::{
    AttemptRow, AttemptStage, ConversationHeadRow, ConversationId, ConversationRow, DeliveryRow,
    DeliveryState, DraftPlace, DraftRow, IncomingRow, KeyRow, LastRow, MessageId, OpenRows, OutgoingRow,
    ReportRow, Rows, StrangerRow, Write,
};
use crate::model::names::Names;
use crate::model::record::DeliveryRecord;
use crate::model::search::{Found, Search};
use crate::sip::content;
use crate::store::OpenError;
use crate::store::client_rows::preview;
use crate::store::history::pages::{Part, is_full};
use crate::store::history::search::LatestSearch;
use crate::store::history::{OutlineRow, ReadError, Reader, StoredMessage};
use crate::store::tables::{Journal, Tables, Unwritten};
use crate::time::Timestamp;

/// A conversation, and the last message of it that was seen.
type Conversation = (ConversationRow, Option<MessageId>);

/// The rows of a client.
#[derive(Clone, Debug, Default)]
pub struct ClientMemory {
    pub(super) conversations: BTreeMap<ConversationId, Conversation>,
    /// Messages written here.
    pub outgoing: BTreeMap<MessageId, OutgoingRow>,
    /// Messages received.
    pub incoming: BTreeMap<MessageId, IncomingRow>,
    /// By message and number.
    pub attempts: BTreeMap<(MessageId, u32), AttemptRow>,
    /// By message, attempt and recipient.
    pub deliveries: BTreeMap<(MessageId, u32, u32), DeliveryRow>,
    /// By message, attempt and address.
    pub(super) strangers: BTreeMap<(MessageId, u32, String), StrangerRow>,
    /// By message and attempt, as they came.
    pub(super) reports: BTreeMap<(MessageId, u32), Vec<ReportRow>>,
    drafts: BTreeMap<DraftPlace, DraftRow>,
    keys: BTreeMap<String, Timestamp>,
}

impl ClientMemory {
    /// The numbers of all conversations.
    pub fn conversations(&self) -> impl Iterator<Item = ConversationId> {
        self.conversations.keys().copied()
    }

    /// What is known of a message's recipients, by attempt.
    pub fn deliveries_of(&self, id: MessageId) -> impl Iterator<Item = &DeliveryRow> {
        self.deliveries.range((id, 0, 0)..=(id, u32::MAX, u32::MAX)).map(|(_, row)| row)
    }

    /// Whether the client's owner has seen a received message.
    #[must_use]
    pub fn has_seen(&self, row: &IncomingRow) -> bool {
        let seen = self.conversations.get(&row.conversation).and_then(|(_, seen)| *seen);
        Some(row.id) <= seen
    }

    /// Recipients of a message whom no attempt has reached.
    pub(super) fn missed(&self, id: MessageId) -> impl Iterator<Item = u32> {
        let is_missed = |state| matches!(state, DeliveryState::Failed | DeliveryState::NoReport);
        let made_good = move |recipient| {
            self.deliveries_of(id).any(|other| other.recipient == recipient && is_reached(other.state))
        };
        let missed = self.deliveries_of(id).filter(move |row| is_missed(row.state));
        missed.map(|row| row.recipient).filter(move |recipient| !made_good(*recipient))
    }

    fn has_conversation(&self, id: ConversationId) -> Result<(), String> {
        self.conversations.get(&id).map(drop).ok_or_else(|| format!("no conversation {}", id.0))
    }

    fn has_room_for(&self, id: MessageId) -> Result<(), String> {
        let is_taken = self.outgoing.contains_key(&id) || self.incoming.contains_key(&id);
        if is_taken { Err(format!("message {} is there", id.0)) } else { Ok(()) }
    }

    fn has_outgoing(&self, id: MessageId) -> Result<(), String> {
        self.outgoing.get(&id).map(drop).ok_or_else(|| format!("no message {}", id.0))
    }

    fn apply_one(&mut self, write: Write) -> Result<(), String> {
        match write {
            Write::Conversation(row) => self.add_conversation(row)?,
            Write::Outgoing(row) => {
                self.has_conversation(row.conversation)?;
                self.has_room_for(row.id)?;
                self.outgoing.insert(row.id, row);
            }
            Write::People { conversation, people } => {
                if let Some((row, _)) = self.conversations.get_mut(&conversation) {
                    row.people = people;
                }
            }
            Write::Recipients { message, people } => {
                if let Some(row) = self.outgoing.get_mut(&message) {
                    row.recipients = people;
                }
            }
            Write::Attempt(row) => {
                self.has_outgoing(row.message)?;
                self.attempts.insert((row.message, row.number), row);
            }
            Write::Delivery(row) => {
                self.has_outgoing(row.message)?;
                self.deliveries.insert((row.message, row.attempt, row.recipient), row);
            }
            Write::Stranger(row) => {
                self.has_outgoing(row.message)?;
                self.add_stranger(row);
            }
            Write::Report(row) => {
                self.has_outgoing(row.message)?;
                self.add_report(row);
            }
            Write::Draft { row, has_new_files } => self.put_draft(row, has_new_files),
            Write::ForgetDraft(place) => drop(self.drafts.remove(&place)),
            Write::Delete { conversation, messages } => self.delete(conversation, &messages),
            Write::Incoming(row) => self.add_incoming(row)?,
            Write::Seen { conversation, message } => {
                if let Some((_, seen)) = self.conversations.get_mut(&conversation) {
                    *seen = (*seen).max(Some(message));
                }
            }
            Write::ForgetKeysBefore(before) => self.keys.retain(|_, at| *at >= before),
        }
        Ok(())
    }

    fn add_conversation(&mut self, row: ConversationRow) -> Result<(), String> {
        match self.conversations.insert(row.id, (row, None)) {
            Some((old, _)) => Err(format!("conversation {} is there", old.id.0)),
            None => Ok(()),
        }
    }

    fn add_incoming(&mut self, row: IncomingRow) -> Result<(), String> {
        self.has_conversation(row.conversation)?;
        self.has_room_for(row.id)?;
        self.keys.insert(row.key.clone(), row.at);
        self.incoming.insert(row.id, row);
        Ok(())
    }

    fn add_stranger(&mut self, row: StrangerRow) {
        let of_attempt = |(message, attempt, _): &&(MessageId, u32, String)| {
            (*message, *attempt) == (row.message, row.attempt)
        };
        let others =
            self.strangers.keys().filter(of_attempt).filter(|(_, _, address)| *address != row.address);
        if others.count() < RECIPIENTS_MAX {
            self.strangers.insert((row.message, row.attempt, row.address.clone()), row);
        }
    }

    fn add_report(&mut self, row: ReportRow) {
        let known = self.reports.entry((row.message, row.attempt)).or_default();
        let bytes: usize = known.iter().map(|report| report.body.len()).sum();
        let is_new = known.iter().all(|report| report.body != row.body);
        if is_new && bytes + row.body.len() <= REPORTS_KEPT_BYTES_MAX {
            known.push(row);
        }
    }

    fn put_draft(&mut self, mut row: DraftRow, has_new_files: bool) {
        if !has_new_files {
            row.files = self.drafts.get(&row.place).map(|old| old.files.clone()).unwrap_or_default();
        }
        self.drafts.insert(row.place, row);
    }

    pub(super) fn last_in(&self, conversation: ConversationId) -> Option<MessageId> {
        let sent = self.outgoing.values().filter(|row| row.conversation == conversation).map(|row| row.id);
        let received = self.incoming.values().filter(|row| row.conversation == conversation);
        sent.max().max(received.map(|row| row.id).max())
    }

    /// Messages in progress, not delivered to somebody in any attempt, last of their conversation, or recent and perhaps
    /// unread.
    fn open(&self) -> Vec<OpenRows> {
        let mut open: BTreeSet<MessageId> = BTreeSet::new();
        let under_way = self.attempts.values().filter(|attempt| attempt.stage != AttemptStage::Closed);
        open.extend(under_way.map(|attempt| attempt.message));
        let newest = || self.outgoing.keys().rev().copied();
        open.extend(newest().filter(|id| self.missed(*id).next().is_some()).take(OPEN_LOADED_MAX));
        let last = self.conversations.keys().filter_map(|id| self.last_in(*id));
        open.extend(last.filter(|id| self.outgoing.contains_key(id)));
        let asks = |id: &MessageId| self.attempts_of(*id).any(|attempt| attempt.asks);
        open.extend(newest().filter(asks).take(ASKING_LOADED_MAX));
        open.into_iter().filter_map(|id| self.open_rows(id)).collect()
    }

    fn attempts_of(&self, id: MessageId) -> impl Iterator<Item = &AttemptRow> {
        self.attempts.range((id, 0)..=(id, u32::MAX)).map(|(_, attempt)| attempt)
    }

    pub(super) fn open_rows(&self, id: MessageId) -> Option<OpenRows> {
        Some(OpenRows {
            outgoing: self.outgoing.get(&id)?.clone(),
            attempts: self.attempts_of(id).cloned().collect(),
            deliveries: self.deliveries_of(id).cloned().collect(),
        })
    }

    fn head(&self, (row, seen): &Conversation) -> ConversationHeadRow {
        let last = self.last_in(row.id).and_then(|id| self.stored(id)).map(|stored| match stored {
            StoredMessage::Ours(OpenRows { outgoing, .. }) => LastRow {
                id: outgoing.id,
                at: outgoing.at,
                preview: preview(&outgoing.content_type, &outgoing.body),
                mine: true,
                verified: true,
            },
            StoredMessage::Theirs(row) => LastRow {
                id: row.id,
                at: row.at,
                preview: preview(&row.content_type, &row.body),
                mine: false,
                verified: row.verified,
            },
        });
        let is_unread = |message: &&IncomingRow| message.conversation == row.id && Some(message.id) > *seen;
        let unread = u32::try_from(self.incoming.values().filter(is_unread).count()).unwrap_or(u32::MAX);
        let is_written_to = self.outgoing.values().any(|sent| sent.conversation == row.id);
        ConversationHeadRow { row: row.clone(), last, unread, seen: *seen, is_written_to }
    }

    /// A message as a reader gives it.
    pub(super) fn stored(&self, id: MessageId) -> Option<StoredMessage> {
        let ours = self.open_rows(id).map(StoredMessage::Ours);
        let theirs = || {
            let row = self.incoming.get(&id)?;
            Some(StoredMessage::Theirs(IncomingRow { key: String::new(), ..row.clone() }))
        };
        ours.or_else(theirs)
    }

    /// The numbers of all messages, in order, and the conversation of each.
    pub(super) fn messages(&self) -> BTreeMap<MessageId, ConversationId> {
        let sent = self.outgoing.values().map(|row| (row.id, row.conversation));
        sent.chain(self.incoming.values().map(|row| (row.id, row.conversation))).collect()
    }
}

impl Tables for ClientMemory {
    type Write = Write;
    type Rows = Rows;
    type Streamed = Infallible;
    const NAME: &'static str = "client";

    fn apply(&mut self, group: &[Batch<Write>]) -> Result<(), Unwritten> {
        apply_all(self, group, Self::apply_one)
    }

    /// There is no number of a device: a store that does not last is none.
    fn recover(&self) -> Result<Rows, OpenError> {
        let mut keys: Vec<_> =
            self.keys.iter().map(|(key, at)| KeyRow { at: *at, key: key.clone() }).collect();
        keys.sort();
        let seen = self.conversations.values().filter_map(|(_, seen)| *seen).max();
        let last = self.messages().last_key_value().map(|(id, _)| *id).max(seen).map_or(0, |id| id.0);
        Ok(Rows {
            conversations: self.conversations.values().map(|row| self.head(row)).collect(),
            open: self.open(),
            keys,
            unseen: self.unseen(),
            drafts: self.drafts.values().cloned().collect(),
            last_conversation: self.conversations.last_key_value().map_or(0, |(id, _)| id.0),
            last_message: last,
            instance: None,
        })
    }

    fn each(&self, _take: &mut dyn FnMut(Infallible)) -> Result<(), OpenError> {
        Ok(())
    }

    fn reader(&self) -> &<Write as Journal>::Reader {
        self
    }
}

impl Reader for ClientMemory {
    fn outline(&self, of: ConversationId, after: Option<MessageId>) -> Result<Vec<OutlineRow>, ReadError> {
        let outlined = |id: MessageId| {
            let (content_type, body, recipients) = match (self.outgoing.get(&id), self.incoming.get(&id)) {
                (Some(row), _) => (&row.content_type, &row.body, row.recipients.len()),
                (None, Some(row)) => (&row.content_type, &row.body, 0),
                (None, None) => return None,
            };
            let text = content(content_type, body).text;
            let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
            let newlines = text.bytes().filter(|byte| *byte == b'\n').count();
            Some(OutlineRow {
                id,
                chars: count(text.chars().count()),
                newlines: count(newlines),
                recipients: count(recipients),
            })
        };
        let messages = self.messages().into_iter().filter(|(id, it)| *it == of && Some(*id) > after);
        Ok(messages.filter_map(|(id, _)| outlined(id)).collect())
    }

    fn messages(
        &self,
        of: ConversationId,
        first: MessageId,
        last: MessageId,
    ) -> Result<Vec<StoredMessage>, ReadError> {
        let all = Self::messages(self);
        let wanted = all.into_iter().filter(|(id, it)| *it == of && (first..=last).contains(id));
        Ok(wanted.filter_map(|(id, _)| self.stored(id)).collect())
    }

    fn message(&self, id: MessageId) -> Result<Option<StoredMessage>, ReadError> {
        Ok(self.stored(id))
    }

    fn page(&self, part: &Part, after: Option<MessageId>) -> Result<Vec<StoredMessage>, ReadError> {
        let (mut page, mut bytes) = (Vec::new(), 0);
        let wanted = Self::messages(self).into_iter().filter(|(id, it)| Some(*id) > after && part.holds(*it));
        for stored in wanted.filter_map(|(id, _)| self.stored(id)) {
            bytes += stored.body_bytes();
            page.push(stored);
            if is_full(page.len(), bytes) {
                break;
            }
        }
        Ok(page)
    }

    fn conversations_with(&self, address: &str) -> Result<BTreeSet<ConversationId>, ReadError> {
        let wanted = address_key(address);
        let is_there =
            |row: &ConversationRow| row.people.iter().any(|person| address_key(&person.address) == wanted);
        Ok(self.conversations.values().filter(|(row, _)| is_there(row)).map(|(row, _)| row.id).collect())
    }

    fn older_than(&self, at: Timestamp) -> Result<Vec<(ConversationId, MessageId)>, ReadError> {
        Ok(self.messages_before(at))
    }

    fn storage_use(&self) -> Result<StorageUse, ReadError> {
        Ok(self.room_in_use())
    }

    fn record(&self, id: MessageId) -> Result<Option<DeliveryRecord>, ReadError> {
        let Some(message) = self.open_rows(id) else { return Ok(None) };
        let strangers = self.strangers.values().filter(|row| row.message == id).cloned().collect();
        let of_message = self.reports.range((id, 0)..=(id, u32::MAX));
        let reports = of_message.flat_map(|(_, reports)| reports.iter().cloned()).collect();
        Ok(Some(DeliveryRecord { message, strangers, reports }))
    }

    fn latest_sent(
        &self,
        of: ConversationId,
        messages: usize,
        deliveries: usize,
    ) -> Result<Vec<OpenRows>, ReadError> {
        Ok(self.newest_of_ours(of, messages, deliveries))
    }

    fn search(
        &self,
        search: &Search,
        names: &Names,
        latest: &LatestSearch,
    ) -> Result<Option<Found>, ReadError> {
        Ok(searching::search(self, search, names, latest))
    }
}
