//! The newest of a client's rows in memory: received messages that were not seen, and what became of sent ones.

use bytes::Bytes;

use super::ClientMemory;
use crate::limits::RECEIPTS_OWED_MAX;
use crate::model::journal::{ConversationId, IncomingRow, OpenRows, UnseenRow};

impl ClientMemory {
    pub(super) fn unseen(&self) -> Vec<UnseenRow> {
        let is_cpim = |row: &IncomingRow| row.content_type.to_ascii_lowercase().starts_with("message/cpim");
        let unseen = self.incoming.values().rev().filter(|row| is_cpim(row) && !self.has_seen(row));
        let mut unseen: Vec<_> = unseen
            .take(RECEIPTS_OWED_MAX)
            .map(|row| UnseenRow {
                id: row.id,
                conversation: row.conversation,
                at: row.at,
                from: row.from.address.clone(),
                body: row.body.clone(),
            })
            .collect();
        unseen.reverse();
        unseen
    }

    /// The newest messages of ours in a conversation without their bodies, oldest first.
    pub(super) fn newest_of_ours(&self, of: ConversationId, messages: usize, rows: usize) -> Vec<OpenRows> {
        let mut latest = Vec::new();
        let mut count = 0;
        let newest = self.outgoing.values().rev().filter(|row| row.conversation == of);
        for mut known in newest.take(messages).filter_map(|row| self.open_rows(row.id)) {
            known.outgoing.body = Bytes::new();
            count += known.deliveries.len();
            latest.push(known);
            if count >= rows {
                break;
            }
        }
        latest.reverse();
        latest
    }
}
