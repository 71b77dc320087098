//! Messages deleted on this computer: nothing is sent of them any more, and what arrives about them changes nothing.

use super::UserAgent;
use super::agent::core::Action;
use crate::model::deletion::Deletion;
use crate::model::journal::Write;

impl UserAgent {
    /// Deletes messages of one conversation. What waits to leave does not leave; what has left cannot be called back.
    pub(super) fn delete(&mut self, deletion: Deletion) {
        let last = deletion.last.as_ref().map(|(row, _)| row.id);
        let tally = last.and_then(|id| self.outbox.tally(id)).map(|(.., tally)| tally);
        for message in &deletion.messages {
            self.outbox.forget(*message);
            self.receipts.forget(*message);
        }
        let Deletion { conversation, messages, received, last } = deletion;
        let last = last.map(|(row, read)| (row, tally.or(read)));
        self.conversations.forget(conversation, (&messages, &received), last);
        self.core.write(Write::Delete { conversation, messages });
        self.core.promise(Action::Deleted(conversation));
    }
}
