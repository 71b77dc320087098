//! The history page by page, oldest first: at most one page is in memory, however long the history is.

use std::collections::BTreeSet;
use std::fmt;

use rusqlite::Connection;

use super::{ReadError, Reader, StoredMessage, stored};
use crate::limits::{PAGE_BYTES_MAX, PAGE_MESSAGES_MAX};
use crate::model::contacts::address_key;
use crate::model::journal::{ConversationId, MessageId};
use crate::store::columns::{people, signed, unsigned};

/// Which messages are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Part {
    /// All.
    #[default]
    All,
    /// Those of these conversations.
    Of(BTreeSet<ConversationId>),
}

/// Gives page after page, and nothing after an error.
pub struct Pages<'a> {
    reader: &'a dyn Reader,
    part: Part,
    after: Option<MessageId>,
    is_over: bool,
}

impl fmt::Debug for Pages<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages").field("part", &self.part).field("after", &self.after).finish_non_exhaustive()
    }
}

impl<'a> Pages<'a> {
    pub(super) fn new(reader: &'a dyn Reader, part: Part) -> Self {
        Self { reader, part, after: None, is_over: false }
    }
}

impl Part {
    /// Whether a message of this conversation is wanted.
    pub(in crate::store) fn holds(&self, conversation: ConversationId) -> bool {
        match self {
            Self::All => true,
            Self::Of(conversations) => conversations.contains(&conversation),
        }
    }
}

/// Whether a page is full.
pub(in crate::store) const fn is_full(messages: usize, bytes: usize) -> bool {
    messages >= PAGE_MESSAGES_MAX || bytes >= PAGE_BYTES_MAX
}

pub(super) fn page(
    connection: &Connection,
    part: &Part,
    after: Option<MessageId>,
) -> Result<Vec<StoredMessage>, ReadError> {
    let sql = "SELECT id, conversation, at, sent_at, from_address, from_name, people, content_type, body, unverified
               FROM message WHERE id > ?1 ORDER BY id";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([after.map_or(0, |id| signed(id.0))])?;
    let (mut page, mut bytes) = (Vec::new(), 0);
    while let Some(row) = rows.next()? {
        if !part.holds(ConversationId(unsigned(row.get("conversation")?))) {
            continue;
        }
        let stored = stored(connection, row)?;
        bytes += stored.body_bytes();
        page.push(stored);
        if is_full(page.len(), bytes) {
            break;
        }
    }
    Ok(page)
}

pub(super) fn conversations_with(
    connection: &Connection,
    address: &str,
) -> Result<BTreeSet<ConversationId>, ReadError> {
    let wanted = address_key(address);
    let mut statement = connection.prepare_cached("SELECT id, people FROM conversation")?;
    let rows = statement.query_map([], |row| {
        let is_there = people(row, "people")?.iter().any(|person| address_key(&person.address) == wanted);
        Ok((ConversationId(unsigned(row.get("id")?)), is_there))
    })?;
    let rows: Vec<_> = rows.collect::<rusqlite::Result<_>>()?;
    Ok(rows.into_iter().filter(|(_, is_there)| *is_there).map(|(id, _)| id).collect())
}

impl Iterator for Pages<'_> {
    type Item = Result<Vec<StoredMessage>, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let page = self.reader.page(&self.part, self.after);
        match &page {
            Ok(messages) => {
                self.after = messages.last().map(StoredMessage::id).or(self.after);
                self.is_over = messages.is_empty();
            }
            Err(_) => self.is_over = true,
        }
        (!matches!(&page, Ok(messages) if messages.is_empty())).then_some(page)
    }
}
