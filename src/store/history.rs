//! What only a screen reads: outlines and messages. It has its own named thread with a read-only connection.
//!
//! **Invariant:** nothing here writes, and nothing here runs on the engine's loop.

pub mod search;

pub mod pages;

mod record;

mod latest_sent;

mod usage;

pub mod opened;

use std::collections::BTreeSet;
use std::error::Error;
use std::fmt;
use std::path::Path;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, Row};

use crate::limits::QUESTIONS_WAITING_MAX;
use crate::model::deletion::StorageUse;
use crate::model::journal::{ConversationId, IncomingRow, MessageId, OpenRows, PersonRow, Write};
use crate::model::names::Names;
use crate::model::record::DeliveryRecord;
use crate::model::search::{Found, Search};
use crate::sip::content;
use crate::store::OpenErrorKind;
use crate::store::client_rows::{attempts, deliveries, outgoing};
use crate::store::columns::{people, signed, timestamp, timestamp_option, unsigned};
use crate::store::tables::Journal;
use crate::time::Timestamp;

use self::pages::{Pages, Part};
use self::search::LatestSearch;

type Question = crate::store::tables::Question<Write>;

/// The history could not be read.
#[derive(Debug, thiserror::Error)]
#[error("the stored messages cannot be read: {0}")]
pub struct ReadError(Box<dyn Error + Send + Sync>);

impl From<rusqlite::Error> for ReadError {
    fn from(error: rusqlite::Error) -> Self {
        Self(error.into())
    }
}

/// What the height of a message on the screen is estimated from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutlineRow {
    /// The message.
    pub id: MessageId,
    /// Characters of its text.
    pub chars: u32,
    /// Line breaks in its text.
    pub newlines: u32,
    /// Recipients; 0 for a received message.
    pub recipients: u32,
}

/// One stored message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoredMessage {
    /// Written here, with all its attempts and the state of each recipient.
    Ours(OpenRows),
    /// Received. Its key is not read: it serves to detect duplicates, not for display.
    Theirs(IncomingRow),
}

impl StoredMessage {
    /// The bytes of its body.
    #[must_use]
    pub const fn body_bytes(&self) -> usize {
        match self {
            Self::Ours(rows) => rows.outgoing.body.len(),
            Self::Theirs(row) => row.body.len(),
        }
    }

    /// Whether it has parts that are not text.
    #[must_use]
    pub fn has_files(&self) -> bool {
        let (content_type, body) = match self {
            Self::Ours(rows) => (&rows.outgoing.content_type, &rows.outgoing.body),
            Self::Theirs(row) => (&row.content_type, &row.body),
        };
        !content(content_type, body).files.is_empty()
    }

    /// The message's id.
    #[must_use]
    pub const fn id(&self) -> MessageId {
        match self {
            Self::Ours(rows) => rows.outgoing.id,
            Self::Theirs(row) => row.id,
        }
    }
}

/// Handle of the reader thread.
pub struct History {
    ask: Option<Box<dyn Fn(Question) -> bool + Send + Sync>>,
    thread: Option<JoinHandle<()>>,
}

impl fmt::Debug for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("History").finish_non_exhaustive()
    }
}

impl History {
    pub(super) fn open(path: &Path) -> Result<Self, OpenErrorKind> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(Duration::from_secs(5))?;
        let (questions, waiting) = sync_channel::<Question>(QUESTIONS_WAITING_MAX);
        let thread = std::thread::Builder::new()
            .name("history".to_owned())
            .spawn(move || answer_all(&connection, &waiting))
            .map_err(OpenErrorKind::Thread)?;
        let ask = Box::new(move |question| questions.try_send(question).is_ok());
        Ok(Self { ask: Some(ask), thread: Some(thread) })
    }

    /// Reads through another connection: a store in memory cannot have a second one.
    pub(super) fn through(ask: Box<dyn Fn(Question) -> bool + Send + Sync>) -> Self {
        Self { ask: Some(ask), thread: None }
    }

    /// Runs `question` on the reader thread; it must pass its answer on by itself. Returns false if
    /// `limits::QUESTIONS_WAITING_MAX` wait already: try again later.
    #[must_use]
    pub fn ask(&self, question: impl FnOnce(&(dyn Reader + 'static)) + Send + 'static) -> bool {
        self.ask.as_ref().is_some_and(|ask| ask(Box::new(question)))
    }
}

impl Drop for History {
    fn drop(&mut self) {
        drop(self.ask.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the history's reader ended by a panic");
        }
    }
}

fn answer_all(connection: &Connection, questions: &Receiver<Question>) {
    for question in questions {
        question(connection);
    }
}

/// The available queries.
pub trait Reader {
    /// The outline of all messages of a conversation after this one (`None`: of all), oldest first.
    ///
    /// # Errors
    /// The store cannot be read.
    fn outline(&self, of: ConversationId, after: Option<MessageId>) -> Result<Vec<OutlineRow>, ReadError>;

    /// The messages of a conversation from `first` to `last`, both included, oldest first.
    ///
    /// # Errors
    /// The store cannot be read.
    fn messages(
        &self,
        of: ConversationId,
        first: MessageId,
        last: MessageId,
    ) -> Result<Vec<StoredMessage>, ReadError>;

    /// One message.
    ///
    /// # Errors
    /// The store cannot be read.
    fn message(&self, id: MessageId) -> Result<Option<StoredMessage>, ReadError>;

    /// The messages after this one (`None`: from the beginning), oldest first, within the limits of a page; empty at
    /// the end.
    ///
    /// # Errors
    /// The store cannot be read.
    fn page(&self, part: &Part, after: Option<MessageId>) -> Result<Vec<StoredMessage>, ReadError>;

    /// The conversations in which somebody with this address is, however it is spelled.
    ///
    /// # Errors
    /// The store cannot be read.
    fn conversations_with(&self, address: &str) -> Result<BTreeSet<ConversationId>, ReadError>;

    /// All messages from before this time, by conversation and number.
    ///
    /// # Errors
    /// The store cannot be read.
    fn older_than(&self, at: Timestamp) -> Result<Vec<(ConversationId, MessageId)>, ReadError>;

    /// How much room the messages take.
    ///
    /// # Errors
    /// The store cannot be read.
    fn storage_use(&self) -> Result<StorageUse, ReadError>;

    /// The record of a message of ours; none for one that is not there or was received.
    ///
    /// # Errors
    /// The store cannot be read.
    fn record(&self, id: MessageId) -> Result<Option<DeliveryRecord>, ReadError>;

    /// The newest messages of ours in a conversation without their bodies, oldest first: at most so many, and no more
    /// after so many rows of deliveries.
    ///
    /// # Errors
    /// The store cannot be read.
    fn latest_sent(
        &self,
        of: ConversationId,
        messages: usize,
        deliveries: usize,
    ) -> Result<Vec<OpenRows>, ReadError>;

    /// The newest messages that a search finds; none if a later search was asked for meanwhile.
    ///
    /// # Errors
    /// The store cannot be read.
    fn search(
        &self,
        search: &Search,
        names: &Names,
        latest: &LatestSearch,
    ) -> Result<Option<Found>, ReadError>;
}

impl Journal for Write {
    type Reader = dyn Reader;
}

impl dyn Reader + '_ {
    /// The pages of a part of the history.
    #[must_use]
    pub fn pages(&self, part: Part) -> Pages<'_> {
        Pages::new(self, part)
    }
}

const OUTLINE: &str = "SELECT id, chars, newlines, recipient_count FROM message
                       WHERE conversation = ?1 AND id > ?2 ORDER BY id";
const MESSAGES: &str =
    "SELECT id, conversation, at, sent_at, from_address, from_name, people, content_type, body,
                               unverified
                        FROM message WHERE conversation = ?1 AND id BETWEEN ?2 AND ?3 ORDER BY id";
const MESSAGE: &str =
    "SELECT id, conversation, at, sent_at, from_address, from_name, people, content_type, body,
                               unverified
                       FROM message WHERE id = ?1";

impl Reader for Connection {
    fn outline(&self, of: ConversationId, after: Option<MessageId>) -> Result<Vec<OutlineRow>, ReadError> {
        let after = after.map_or(0, |id| signed(id.0));
        let mut statement = self.prepare_cached(OUTLINE)?;
        let rows = statement.query_map([signed(of.0), after], |row| {
            Ok(OutlineRow {
                id: MessageId(unsigned(row.get(0)?)),
                chars: row.get(1)?,
                newlines: row.get(2)?,
                recipients: row.get(3)?,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    fn messages(
        &self,
        of: ConversationId,
        first: MessageId,
        last: MessageId,
    ) -> Result<Vec<StoredMessage>, ReadError> {
        let mut statement = self.prepare_cached(MESSAGES)?;
        let rows =
            statement.query_map([signed(of.0), signed(first.0), signed(last.0)], |row| stored(self, row))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    fn message(&self, id: MessageId) -> Result<Option<StoredMessage>, ReadError> {
        let mut statement = self.prepare_cached(MESSAGE)?;
        let mut rows = statement.query_map([signed(id.0)], |row| stored(self, row))?;
        Ok(rows.next().transpose()?)
    }

    fn page(&self, part: &Part, after: Option<MessageId>) -> Result<Vec<StoredMessage>, ReadError> {
        pages::page(self, part, after)
    }

    fn conversations_with(&self, address: &str) -> Result<BTreeSet<ConversationId>, ReadError> {
        pages::conversations_with(self, address)
    }

    fn older_than(&self, at: Timestamp) -> Result<Vec<(ConversationId, MessageId)>, ReadError> {
        usage::older_than(self, at)
    }

    fn storage_use(&self) -> Result<StorageUse, ReadError> {
        usage::storage_use(self)
    }

    fn record(&self, id: MessageId) -> Result<Option<DeliveryRecord>, ReadError> {
        record::record(self, id)
    }

    fn latest_sent(
        &self,
        of: ConversationId,
        messages: usize,
        deliveries: usize,
    ) -> Result<Vec<OpenRows>, ReadError> {
        latest_sent::latest_sent(self, of, messages, deliveries)
    }

    fn search(
        &self,
        search: &Search,
        names: &Names,
        latest: &LatestSearch,
    ) -> Result<Option<Found>, ReadError> {
        search::search(self, search, names, latest)
    }
}

fn stored(connection: &Connection, row: &Row<'_>) -> rusqlite::Result<StoredMessage> {
    let (id, body): (i64, Vec<u8>) = (row.get("id")?, row.get("body")?);
    let from_address: Option<String> = row.get("from_address")?;
    let Some(address) = from_address else {
        let outgoing = outgoing(row)?;
        let (attempts, deliveries) = (attempts(connection, id)?, deliveries(connection, id)?);
        return Ok(StoredMessage::Ours(OpenRows { outgoing, attempts, deliveries }));
    };
    Ok(StoredMessage::Theirs(IncomingRow {
        id: MessageId(unsigned(id)),
        conversation: ConversationId(unsigned(row.get("conversation")?)),
        at: timestamp(row, "at")?,
        sent_at: timestamp_option(row, "sent_at")?,
        from: PersonRow { address, name: row.get::<_, Option<String>>("from_name")?.unwrap_or_default() },
        also_to: people(row, "people")?,
        content_type: row.get("content_type")?,
        body: body.into(),
        key: String::new(),
        verified: !row.get::<_, bool>("unverified")?,
    }))
}

#[cfg(test)]
mod tests;
