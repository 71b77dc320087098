//! What the disk of a stage holds, and what a store would return of it after a restart.

use super::*;

impl Stage {
    /// The latest committed state of each recipient of an attempt.
    pub(super) fn stored(&self, attempt: u32) -> Vec<DeliveryState> {
        let mut states = std::collections::BTreeMap::new();
        for write in &self.rows {
            if let Write::Delivery(row) = write
                && row.attempt == attempt
            {
                states.insert(row.recipient, row.state);
            }
        }
        states.into_values().collect()
    }

    /// The rows that a store would return after a restart, built from what was committed.
    pub(super) fn stored_rows(&self) -> Rows {
        let mut rows = Rows { last_conversation: 100, last_message: 100, ..Rows::default() };
        for write in &self.rows {
            match write.clone() {
                Write::Conversation(row) => {
                    rows.conversations.push(crate::model::journal::ConversationHeadRow {
                        row,
                        last: None,
                        unread: 0,
                        seen: None,
                        is_written_to: false,
                    });
                }
                Write::Outgoing(outgoing) => {
                    let mut heads = rows.conversations.iter_mut();
                    let head = heads.find(|head| head.row.id == outgoing.conversation);
                    head.into_iter().for_each(|head| head.is_written_to = true);
                    rows.open.push(OpenRows { outgoing, attempts: Vec::new(), deliveries: Vec::new() });
                }
                Write::People { conversation, people } => {
                    let head = rows.conversations.iter_mut().find(|head| head.row.id == conversation);
                    head.unwrap().row.people = people;
                }
                Write::Recipients { message, people } => {
                    let open = rows.open.iter_mut().find(|open| open.outgoing.id == message);
                    open.unwrap().outgoing.recipients = people;
                }
                Write::Attempt(row) => {
                    let open = rows.open.iter_mut().find(|open| open.outgoing.id == row.message).unwrap();
                    open.attempts.retain(|old| old.number != row.number);
                    open.attempts.push(row);
                }
                Write::Delivery(row) => {
                    let open = rows.open.iter_mut().find(|open| open.outgoing.id == row.message).unwrap();
                    open.deliveries
                        .retain(|old| (old.attempt, old.recipient) != (row.attempt, row.recipient));
                    open.deliveries.push(row);
                }
                Write::Incoming(row) => {
                    rows.unseen.push(UnseenRow {
                        id: row.id,
                        conversation: row.conversation,
                        at: row.at,
                        from: row.from.address,
                        body: row.body,
                    });
                    rows.keys.push(KeyRow { at: row.at, key: row.key });
                }
                Write::Seen { conversation, message } => {
                    rows.unseen.retain(|row| row.conversation != conversation || row.id > message);
                }
                Write::Draft { row, .. } => {
                    rows.drafts.retain(|old| old.place != row.place);
                    rows.drafts.push(row);
                }
                Write::ForgetDraft(place) => rows.drafts.retain(|old| old.place != place),
                Write::Delete { messages, .. } => {
                    rows.open.retain(|open| !messages.contains(&open.outgoing.id));
                }
                Write::Stranger(_) | Write::Report(_) | Write::ForgetKeysBefore(_) => {}
            }
        }
        rows
    }
}
