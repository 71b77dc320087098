//! Each conversation's row in the list, and its unseen messages.

use bytes::Bytes;
use rusqlite::{Connection, Row};

use crate::limits::RECEIPTS_OWED_MAX;
use crate::model::journal::{
    ConversationHeadRow, ConversationId, ConversationRow, LastRow, MessageId, UnseenRow,
};
use crate::sip::{Content, content};
use crate::store::columns::{Json, people, timestamp, unsigned};

/// Characters of a preview, and bytes read for them.
pub(super) const PREVIEW_CHARS_MAX: usize = 200;
const PREVIEW_BYTES: usize = 4000;

pub(super) fn heads(connection: &Connection) -> rusqlite::Result<Vec<ConversationHeadRow>> {
    let sql = format!(
        "SELECT c.id, c.people, c.hidden, c.seen, m.id AS last, m.at, m.content_type, m.recipient_count, m.unverified,
                substr(t.text, 1, {PREVIEW_BYTES}) AS text, t.files,
                CASE WHEN t.text IS NULL THEN substr(m.body, 1, {PREVIEW_BYTES}) END AS beginning,
                (SELECT count(*) FROM message u WHERE u.conversation = c.id AND u.id > coalesce(c.seen, 0)
                    AND u.recipient_count = 0) AS unread,
                EXISTS (SELECT 1 FROM message w WHERE w.conversation = c.id AND w.recipient_count > 0) AS is_written_to
         FROM conversation c
         LEFT JOIN message m ON m.id = (SELECT max(l.id) FROM message l WHERE l.conversation = c.id)
         LEFT JOIN message_text t ON t.message = m.id
         ORDER BY c.id"
    );
    let mut statement = connection.prepare(&sql)?;
    statement.query_map([], head)?.collect()
}

fn head(row: &Row<'_>) -> rusqlite::Result<ConversationHeadRow> {
    let last = match row.get::<_, Option<i64>>("last")? {
        None => None,
        Some(id) => Some(LastRow {
            id: MessageId(unsigned(id)),
            at: timestamp(row, "at")?,
            preview: match row.get::<_, Option<String>>("text")? {
                Some(text) => line(text, &row.get::<_, Json<Vec<String>>>("files")?.0),
                None => preview(
                    &row.get::<_, String>("content_type")?,
                    &row.get::<_, Vec<u8>>("beginning")?.into(),
                ),
            },
            mine: row.get::<_, u32>("recipient_count")? > 0,
            verified: !row.get::<_, bool>("unverified")?,
        }),
    };
    Ok(ConversationHeadRow {
        row: ConversationRow {
            id: ConversationId(unsigned(row.get("id")?)),
            people: people(row, "people")?,
            hidden: row.get("hidden")?,
        },
        last,
        unread: row.get("unread")?,
        seen: row.get::<_, Option<i64>>("seen")?.map(|id| MessageId(unsigned(id))),
        is_written_to: row.get("is_written_to")?,
    })
}

/// Received CPIM messages that are not seen yet, oldest first: their bodies say who wants a receipt (W28).
pub(super) fn unseen(connection: &Connection) -> rusqlite::Result<Vec<UnseenRow>> {
    let sql = "SELECT u.id, u.conversation, u.at, u.from_address, u.body FROM conversation c
               JOIN message u ON u.conversation = c.id AND u.id > coalesce(c.seen, 0)
               WHERE u.recipient_count = 0 AND u.content_type LIKE 'message/cpim%'
               ORDER BY u.id DESC LIMIT ?1";
    let mut statement = connection.prepare(sql)?;
    let limit = i64::try_from(RECEIPTS_OWED_MAX).unwrap_or(i64::MAX);
    let rows = statement.query_map([limit], |row| {
        Ok(UnseenRow {
            id: MessageId(unsigned(row.get("id")?)),
            conversation: ConversationId(unsigned(row.get("conversation")?)),
            at: timestamp(row, "at")?,
            from: row.get("from_address")?,
            body: row.get::<_, Vec<u8>>("body")?.into(),
        })
    })?;
    let mut unseen: Vec<UnseenRow> = rows.collect::<rusqlite::Result<_>>()?;
    unseen.reverse();
    Ok(unseen)
}

/// The beginning of a text, on one line; for anything else its name or media type.
pub(in crate::store) fn preview(content_type: &str, body: &Bytes) -> String {
    let Content { text, files } = content(content_type, body);
    line(text, &files.iter().map(|file| file.called().to_owned()).collect::<Vec<_>>())
}

fn line(mut text: String, files: &[String]) -> String {
    if text.trim().is_empty() {
        text = files.join(", ");
    }
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().filter(|character| !character.is_control()).take(PREVIEW_CHARS_MAX).collect()
}
