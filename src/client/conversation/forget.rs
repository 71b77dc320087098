//! Conversations of which messages are deleted.

use super::{Conversations, Last};
use crate::model::journal::{ConversationId, LastRow, MessageId};
use crate::model::snapshot::Tally;

impl Conversations {
    /// Messages are deleted; `last` is the newest one left. Without any, the conversation is shown no more until there is
    /// a new one.
    pub(in crate::client) fn forget(
        &mut self,
        id: ConversationId,
        (messages, received): (&[MessageId], &[MessageId]),
        last: Option<(LastRow, Option<Tally>)>,
    ) {
        let Some(conversation) = self.all.get_mut(&id) else {
            return;
        };
        let is_unread = |message: &&MessageId| Some(**message) > conversation.seen;
        let unread = u32::try_from(received.iter().filter(is_unread).count()).unwrap_or(u32::MAX);
        conversation.unread = conversation.unread.saturating_sub(unread);
        for message in messages {
            conversation.failures.remove(message);
        }
        // Otherwise a newer one has come meanwhile.
        if conversation.last.as_ref().is_some_and(|last| messages.contains(&last.id)) {
            conversation.last = last.map(|(row, tally)| Last { tally, ..Last::recover(row) });
            // Its row goes with its last message.
            conversation.kept = conversation.last.is_some();
        }
    }

    /// The disk refused to delete messages of this conversation: its row is still there.
    pub(in crate::client) fn not_forgotten(&mut self, id: ConversationId) {
        if let Some(conversation) = self.all.get_mut(&id) {
            conversation.kept = true;
        }
    }
}
