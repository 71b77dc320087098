//! Messages deleted for good, with their texts, index entries and all that is known of their recipients.

use rusqlite::Connection;

use crate::model::journal::{ConversationId, MessageId};
use crate::store::columns::signed;

/// What refers to a message, and the message last.
const STATEMENTS: [&str; 6] = [
    "DELETE FROM attempt WHERE message = ?1",
    "DELETE FROM delivery WHERE message = ?1",
    "DELETE FROM stranger WHERE message = ?1",
    "DELETE FROM report WHERE message = ?1",
    "DELETE FROM message_text WHERE message = ?1",
    "DELETE FROM message WHERE id = ?1",
];

pub(super) fn delete(
    connection: &Connection,
    conversation: ConversationId,
    messages: &[MessageId],
) -> rusqlite::Result<()> {
    // The bytes of what is deleted are overwritten in the file.
    connection.pragma_update_and_check(None, "secure_delete", "ON", |_| Ok(()))?;
    for message in messages {
        let id = signed(message.0);
        let has_text = "SELECT 1 FROM message_text WHERE message = ?1";
        if connection.prepare_cached(has_text)?.exists([id])? {
            connection.prepare_cached("DELETE FROM search WHERE rowid = ?1")?.execute([id])?;
        }
        for sql in STATEMENTS {
            connection.prepare_cached(sql)?.execute([id])?;
        }
    }
    let sql = "DELETE FROM conversation WHERE id = ?1
               AND NOT EXISTS (SELECT 1 FROM message WHERE conversation = ?1)";
    connection.prepare_cached(sql)?.execute([signed(conversation.0)]).map(drop)
}
