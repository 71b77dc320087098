//! What only a screen reads: outlines and messages, on a named thread of their own with a read-only connection.
//!
//! **Invariant:** nothing here writes, and nothing here runs on the engine's loop.

use std::fmt;
use std::path::Path;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::Bytes;
use rusqlite::{Connection, OpenFlags, Row};

use crate::client::journal::{ConversationId, DeliveryRow, MessageId, PersonRow};
use crate::limits::QUESTIONS_WAITING_MAX;
use crate::store::client_rows::{deliveries, incoming_columns};
use crate::store::columns::{people, signed, timestamp, unsigned};
use crate::store::{OpenErrorKind, Question};
use crate::time::Timestamp;

/// The history cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the stored messages cannot be read: {0}")]
pub struct ReadError(#[from] rusqlite::Error);

/// What the height of a message on the screen is guessed from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutlineRow {
    /// Which.
    pub id: MessageId,
    /// Characters of its body as text.
    pub chars: u32,
    /// Line ends in it.
    pub newlines: u32,
    /// Recipients, 0 for a received message.
    pub recipients: u32,
}

/// One message as stored, with what is known of its recipients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageRows {
    /// Which.
    pub id: MessageId,
    /// Where it belongs.
    pub conversation: ConversationId,
    /// When it was written here, or came.
    pub at: Timestamp,
    /// The sender's time.
    pub sent_at: Option<Timestamp>,
    /// Who wrote it; none for our own.
    pub from: Option<PersonRow>,
    /// Recipients of our own message; who else got a received one.
    pub people: Vec<PersonRow>,
    /// Media type of the body.
    pub content_type: String,
    /// The body.
    pub body: Bytes,
    /// Attempts so far.
    pub attempts: u32,
    /// What is known of each recipient in each attempt, by attempt and recipient.
    pub deliveries: Vec<DeliveryRow>,
}

/// The way to the reader thread.
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

    /// Asked of somebody else's connection: a store in memory has no second one.
    pub(super) fn through(ask: Box<dyn Fn(Question) -> bool + Send + Sync>) -> Self {
        Self { ask: Some(ask), thread: None }
    }

    /// Has `question` run on the reader thread; it hands its answer on by itself. False when
    /// `limits::QUESTIONS_WAITING_MAX` wait already: ask again later.
    #[must_use]
    pub fn ask(&self, question: impl FnOnce(&Reader<'_>) + Send + 'static) -> bool {
        self.ask.as_ref().is_some_and(|ask| ask(Box::new(|connection| question(&Reader { connection }))))
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

/// What can be read.
#[derive(Debug)]
pub struct Reader<'a> {
    connection: &'a Connection,
}

const OUTLINE: &str = "SELECT id, chars, newlines, recipient_count FROM message
                       WHERE conversation = ?1 AND id > ?2 ORDER BY id";
const MESSAGES: &str =
    "SELECT id, conversation, at, sent_at, from_address, from_name, people, content_type, body,
                               (SELECT coalesce(max(number), 0) FROM attempt WHERE message = id) AS attempts
                        FROM message WHERE conversation = ?1 AND id BETWEEN ?2 AND ?3 ORDER BY id";
const MESSAGE: &str =
    "SELECT id, conversation, at, sent_at, from_address, from_name, people, content_type, body,
                              (SELECT coalesce(max(number), 0) FROM attempt WHERE message = id) AS attempts
                       FROM message WHERE id = ?1";

impl Reader<'_> {
    /// Every message of a conversation after this one (`None`: all), oldest first.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn outline(
        &self,
        of: ConversationId,
        after: Option<MessageId>,
    ) -> Result<Vec<OutlineRow>, ReadError> {
        let after = after.map_or(0, |id| signed(id.0));
        let mut statement = self.connection.prepare_cached(OUTLINE)?;
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

    /// The messages of a conversation from `first` to `last`, both included, oldest first.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn messages(
        &self,
        of: ConversationId,
        first: MessageId,
        last: MessageId,
    ) -> Result<Vec<MessageRows>, ReadError> {
        let mut statement = self.connection.prepare_cached(MESSAGES)?;
        let rows = statement
            .query_map([signed(of.0), signed(first.0), signed(last.0)], |row| self.message_rows(row))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// One message.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn message(&self, id: MessageId) -> Result<Option<MessageRows>, ReadError> {
        let mut statement = self.connection.prepare_cached(MESSAGE)?;
        let mut rows = statement.query_map([signed(id.0)], |row| self.message_rows(row))?;
        Ok(rows.next().transpose()?)
    }

    fn message_rows(&self, row: &Row<'_>) -> rusqlite::Result<MessageRows> {
        let id: i64 = row.get("id")?;
        let (from, sent_at) = incoming_columns(row)?;
        let deliveries = if from.is_some() { Vec::new() } else { deliveries(self.connection, id)? };
        Ok(MessageRows {
            id: MessageId(unsigned(id)),
            conversation: ConversationId(unsigned(row.get("conversation")?)),
            at: timestamp(row, "at")?,
            sent_at,
            from,
            people: people(row, "people")?,
            content_type: row.get("content_type")?,
            body: row.get::<_, Vec<u8>>("body")?.into(),
            attempts: row.get("attempts")?,
            deliveries,
        })
    }
}

#[cfg(test)]
mod tests;
