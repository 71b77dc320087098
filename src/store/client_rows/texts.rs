//! The decoded text of each message and its index. Older messages get theirs in the background, newest first.

use bytes::Bytes;
use rusqlite::{Connection, ErrorCode, params};

use crate::limits::{TEXTS_FILLED_BYTES_MAX, TEXTS_FILLED_MAX};
use crate::model::fold::indexed;
use crate::sip::{Content, File, content};
use crate::store::columns::{Json, unsigned};

/// Stores and indexes the text of one message.
pub(super) fn put_text(connection: &Connection, message: i64, content: &Content) -> rusqlite::Result<()> {
    let files: Vec<&str> = content.files.iter().map(File::called).collect();
    let sql = "INSERT OR REPLACE INTO message_text (message, text, files) VALUES (?1, ?2, ?3)";
    connection.prepare_cached(sql)?.execute(params![message, content.text, Json(&files)])?;
    let files: Vec<String> = files.into_iter().map(indexed).collect();
    let sql = "INSERT INTO search (rowid, text, files) VALUES (?1, ?2, ?3)";
    let values = params![message, indexed(&content.text), files.join(" ")];
    connection.prepare_cached(sql)?.execute(values).map(drop)
}

/// Empties an index that is damaged, to be made anew from the messages; false if it is sound.
pub(super) fn empty_if_damaged(connection: &Connection) -> rusqlite::Result<bool> {
    let check = "INSERT INTO search (search) VALUES ('integrity-check')";
    match connection.execute(check, []) {
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt) => {}
        other => return other.map(|_| false),
    }
    tracing::warn!("the index of the messages is damaged; it is made anew");
    connection.execute_batch(
        "BEGIN IMMEDIATE;
         INSERT INTO search (search) VALUES ('delete-all');
         DELETE FROM message_text;
         UPDATE text_fill SET below = (SELECT coalesce(max(id), 0) + 1 FROM message);
         COMMIT",
    )?;
    Ok(true)
}

/// Decodes and indexes some of the messages that have no text yet; false once all have.
pub(super) fn fill(connection: &Connection) -> rusqlite::Result<bool> {
    let below: i64 = connection.query_row("SELECT below FROM text_fill", [], |row| row.get(0))?;
    let mut some = unfilled(connection, below)?;
    let Some((last, _, _)) = some.last() else {
        return Ok(false);
    };
    let last = *last;
    // The index takes ascending numbers best.
    some.reverse();
    connection.execute_batch("BEGIN IMMEDIATE")?;
    let written = some
        .iter()
        .try_for_each(|(id, content_type, body)| put_text(connection, *id, &content(content_type, body)))
        .and_then(|()| connection.execute("UPDATE text_fill SET below = ?1", [last]))
        .and_then(|_| connection.execute_batch("COMMIT"));
    if written.is_err() && !connection.is_autocommit() {
        connection.execute_batch("ROLLBACK")?;
    }
    written.map(|()| true)
}

type Body = (i64, String, Bytes);

/// The newest messages without a text, newest first, within the limits of one step.
fn unfilled(connection: &Connection, below: i64) -> rusqlite::Result<Vec<Body>> {
    let sql = "SELECT id, content_type, body FROM message WHERE id < ?1 ORDER BY id DESC LIMIT ?2";
    let limit = i64::try_from(TEXTS_FILLED_MAX).unwrap_or(i64::MAX);
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([below, limit])?;
    let (mut some, mut bytes) = (Vec::new(), 0);
    while let Some(row) = rows.next()? {
        let body: Bytes = row.get::<_, Vec<u8>>("body")?.into();
        bytes += body.len();
        some.push((row.get("id")?, row.get("content_type")?, body));
        if bytes >= TEXTS_FILLED_BYTES_MAX {
            break;
        }
    }
    Ok(some)
}

/// How many messages have no text yet.
pub(in crate::store) fn unfilled_count(connection: &Connection) -> rusqlite::Result<u64> {
    let sql = "SELECT count(*) FROM message WHERE id < (SELECT below FROM text_fill)";
    connection.prepare_cached(sql)?.query_row([], |row| Ok(unsigned(row.get(0)?)))
}
