//! The newest messages of ours in a conversation, with what became of them and without what they say.

use rusqlite::Connection;

use super::ReadError;
use crate::model::journal::{ConversationId, OpenRows};
use crate::store::client_rows::{attempts, deliveries, outgoing};
use crate::store::columns::signed;

/// Received messages have no recipients; the index of the outline finds the others without reading a message.
const LATEST: &str = "SELECT id, conversation, at, people, content_type, x'' AS body FROM message
                      WHERE conversation = ?1 AND recipient_count > 0 ORDER BY id DESC LIMIT ?2";

pub(super) fn latest_sent(
    connection: &Connection,
    of: ConversationId,
    messages: usize,
    rows: usize,
) -> Result<Vec<OpenRows>, ReadError> {
    let mut statement = connection.prepare_cached(LATEST)?;
    let limit = i64::try_from(messages).unwrap_or(i64::MAX);
    let mut found = statement.query([signed(of.0), limit])?;
    let (mut latest, mut count) = (Vec::new(), 0);
    while let Some(row) = found.next()? {
        let id: i64 = row.get("id")?;
        let known = OpenRows {
            outgoing: outgoing(row)?,
            attempts: attempts(connection, id)?,
            deliveries: deliveries(connection, id)?,
        };
        count += known.deliveries.len();
        latest.push(known);
        if count >= rows {
            break;
        }
    }
    latest.reverse();
    Ok(latest)
}
