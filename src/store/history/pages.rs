//! The history page by page, oldest first: at most one page is in memory, however long the history is.

use std::collections::BTreeSet;

use super::{ReadError, Reader, StoredMessage};
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
#[derive(Debug)]
pub struct Pages<'a> {
    reader: &'a Reader<'a>,
    part: Part,
    after: Option<MessageId>,
    is_over: bool,
}

impl<'a> Reader<'a> {
    /// The pages of a part of the history.
    #[must_use]
    pub const fn pages(&'a self, part: Part) -> Pages<'a> {
        Pages { reader: self, part, after: None, is_over: false }
    }

    /// The messages after this one (`None`: from the beginning), oldest first, within the limits of a page; empty at
    /// the end.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn page(&self, part: &Part, after: Option<MessageId>) -> Result<Vec<StoredMessage>, ReadError> {
        let sql = "SELECT id, conversation, at, sent_at, from_address, from_name, people, content_type, body, unverified
                   FROM message WHERE id > ?1 ORDER BY id";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query([after.map_or(0, |id| signed(id.0))])?;
        let (mut page, mut bytes) = (Vec::new(), 0);
        while let Some(row) = rows.next()? {
            if let Part::Of(conversations) = part {
                let conversation = ConversationId(unsigned(row.get("conversation")?));
                if !conversations.contains(&conversation) {
                    continue;
                }
            }
            let stored = self.stored(row)?;
            bytes += stored.body_bytes();
            page.push(stored);
            if page.len() >= PAGE_MESSAGES_MAX || bytes >= PAGE_BYTES_MAX {
                break;
            }
        }
        Ok(page)
    }

    /// The conversations in which somebody with this address is, however it is spelled.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn conversations_with(&self, address: &str) -> Result<BTreeSet<ConversationId>, ReadError> {
        let wanted = address_key(address);
        let mut statement = self.connection.prepare_cached("SELECT id, people FROM conversation")?;
        let rows = statement.query_map([], |row| {
            let is_there = people(row, "people")?.iter().any(|person| address_key(&person.address) == wanted);
            Ok((ConversationId(unsigned(row.get("id")?)), is_there))
        })?;
        let rows: Vec<_> = rows.collect::<rusqlite::Result<_>>()?;
        Ok(rows.into_iter().filter(|(_, is_there)| *is_there).map(|(id, _)| id).collect())
    }
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
