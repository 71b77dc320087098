//! Messages deleted, those that are old, and how much room all of them take.

use super::client::ClientMemory;
use crate::model::deletion::StorageUse;
use crate::model::journal::{ConversationId, MessageId};
use crate::time::Timestamp;

impl ClientMemory {
    pub(super) fn delete(&mut self, conversation: ConversationId, messages: &[MessageId]) {
        let is_kept = |id: &MessageId| !messages.contains(id);
        self.outgoing.retain(|id, _| is_kept(id));
        self.incoming.retain(|id, _| is_kept(id));
        self.attempts.retain(|(id, _), _| is_kept(id));
        self.deliveries.retain(|(id, _, _), _| is_kept(id));
        self.strangers.retain(|(id, _, _), _| is_kept(id));
        self.reports.retain(|(id, _), _| is_kept(id));
        if self.last_in(conversation).is_none() {
            self.conversations.remove(&conversation);
        }
    }

    pub(super) fn messages_before(&self, at: Timestamp) -> Vec<(ConversationId, MessageId)> {
        let sent = self.outgoing.values().map(|row| (row.at, row.conversation, row.id));
        let all = sent.chain(self.incoming.values().map(|row| (row.at, row.conversation, row.id)));
        let mut found: Vec<_> = all.filter(|it| it.0 < at).map(|(_, of, id)| (of, id)).collect();
        found.sort_unstable();
        found
    }

    pub(super) fn room_in_use(&self) -> StorageUse {
        let bodies =
            |id: &MessageId| self.stored(*id).map(|stored| (stored.has_files(), stored.body_bytes()));
        let all: Vec<(bool, usize)> = Self::messages(self).keys().filter_map(bodies).collect();
        let count = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        let files = || all.iter().filter(|(has_files, _)| *has_files).map(|(_, bytes)| *bytes);
        let sent = self.outgoing.values().map(|row| row.at);
        StorageUse {
            bytes: count(all.iter().map(|(_, bytes)| bytes).sum()),
            messages: count(all.len()),
            with_files: count(files().count()),
            file_bytes: count(files().sum()),
            oldest: sent.chain(self.incoming.values().map(|row| row.at)).min(),
        }
    }
}
