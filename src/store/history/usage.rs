//! What is old, and how much room there is in use.

use rusqlite::Connection;

use super::ReadError;
use crate::model::deletion::StorageUse;
use crate::model::journal::{ConversationId, MessageId};
use crate::store::columns::{timestamp_option, unsigned};
use crate::time::Timestamp;

pub(super) fn older_than(
    connection: &Connection,
    at: Timestamp,
) -> Result<Vec<(ConversationId, MessageId)>, ReadError> {
    let sql = "SELECT conversation, id FROM message WHERE at < ?1 ORDER BY conversation, id";
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map([at.as_millis_i64()], |row| {
        Ok((ConversationId(unsigned(row.get(0)?)), MessageId(unsigned(row.get(1)?))))
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn storage_use(connection: &Connection) -> Result<StorageUse, ReadError> {
    let number = |pragma: &str| connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
    let bytes = unsigned(number("page_count")?).saturating_mul(unsigned(number("page_size")?));
    let sql = "SELECT count(*) AS messages, min(at) AS oldest,
                      (SELECT count(*) FROM message_text WHERE files <> '[]') AS with_files,
                      (SELECT coalesce(sum(length(m.body)), 0) FROM message_text t JOIN message m ON m.id = t.message
                       WHERE t.files <> '[]') AS file_bytes
               FROM message";
    Ok(connection.prepare_cached(sql)?.query_row([], |row| {
        Ok(StorageUse {
            bytes,
            messages: unsigned(row.get("messages")?),
            with_files: unsigned(row.get("with_files")?),
            file_bytes: unsigned(row.get("file_bytes")?),
            oldest: timestamp_option(row, "oldest")?,
        })
    })?)
}
