//! What happens once a batch is committed or has failed: the other half of the promise rule.

use super::UserAgent;
use super::agent::core::{Action, Core};
use crate::machine::BatchId;
use crate::model::command::Event;
use crate::model::journal::MessageId;
use crate::time::Now;

impl UserAgent {
    /// A batch has ended: runs the actions that waited for it.
    pub(super) fn release(&mut self, id: BatchId, end: fn(&mut Core, BatchId) -> Vec<Action>, now: Now) {
        for action in end(&mut self.core, id) {
            self.act(action, now);
        }
    }

    fn act(&mut self, action: Action, now: Now) {
        match action {
            Action::Nothing => {}
            Action::Tell(event) => self.tell(event),
            Action::Answer(answer) => self.core.respond(answer, now),
            Action::DraftKept(id) => self.outbox.kept(&mut self.core, &mut self.conversations, id),
            Action::DraftLost(id, draft) => {
                self.outbox.lost(&mut self.core, &mut self.conversations, id, *draft);
            }
            Action::MayLeave(id, attempt) => self.outbox.may_leave((id, attempt)),
            Action::AttemptKept(id, attempt) => {
                self.outbox.further_kept(&mut self.core, (id, attempt));
                self.count(id);
            }
            Action::AttemptLost(id, attempt) => {
                self.outbox.further_lost(&mut self.core, (id, attempt));
            }
            Action::Unsaved(id) => self.outbox.unsaved(id, now),
            Action::Saved(id) => self.outbox.saved(id),
            Action::SavedNot(id) => {
                self.outbox.saved(id);
                self.outbox.unsaved(id, now);
            }
            Action::Untold(id, event) => self.outbox.untold(id, *event, now),
            Action::ReportTaken { message, kept, lost } => {
                let is_kept = self.outbox.is_kept(message);
                self.core.respond(if is_kept { kept } else { lost }, now);
            }
            Action::Seen(conversation, message) => {
                self.core.tell(Event::Changed { conversation });
                self.receipts.seen(conversation, message);
            }
            Action::IncomingKept(row, answer) => {
                // The owner hears of it before its sender hears that it was delivered.
                let event = self.inbox.kept(&mut self.conversations, &row);
                self.core.tell(event);
                self.core.respond(answer, now);
                self.receipts.came(&self.core.profile, &row);
            }
            Action::IncomingLost(row, answer) => {
                self.inbox.lost(&mut self.conversations, &row);
                self.core.respond(answer, now);
            }
            Action::Repeated { key, kept, lost } => {
                let answer = self.inbox.repeated(&key, kept, lost);
                self.core.respond(answer, now);
            }
        }
    }

    fn tell(&mut self, event: Event) {
        if !self.outbox.is_news(&event) {
            return;
        }
        if let Event::Delivery { message, .. } = &event {
            self.count(*message);
        }
        self.core.tell(event);
    }

    /// Updates a message's state in the list to what is committed.
    fn count(&mut self, message: MessageId) {
        if let Some((conversation, tally)) = self.outbox.tally(message) {
            self.conversations.tally(conversation, message, tally);
        }
    }
}
