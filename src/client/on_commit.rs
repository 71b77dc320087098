//! What happens once a batch is committed or has failed: the other half of the promise rule.

use std::collections::BTreeSet;

use super::UserAgent;
use super::agent::core::Action;
use super::inbox::is_own;
use crate::machine::{BatchId, Durability};
use crate::model::command::{Event, WindowEvent};
use crate::model::journal::MessageId;
use crate::time::Now;

impl UserAgent {
    /// The fate of a batch is known: runs the actions that waited for it.
    pub(super) fn release(&mut self, id: BatchId, fate: Durability, now: Now) {
        let mut counted = BTreeSet::new();
        for action in self.core.release(id) {
            match fate {
                Durability::Durable => self.act(action, &mut counted, now),
                Durability::Lost => self.give_up(action, &mut counted, now),
            }
        }
        // Once for each message, however many of its recipients were in the batch.
        for message in counted {
            self.count(message);
        }
    }

    /// What is promised is stored. Messages whose recipients have to be counted again are added to `counted`.
    fn act(&mut self, action: Action, counted: &mut BTreeSet<MessageId>, now: Now) {
        match action {
            Action::DraftKept(_) | Action::StateKept(_) => {}
            Action::LaterKept(number) => self.later.kept(&mut self.core, number, now),
            Action::LaterSent(number) => self.later.sent(&mut self.core, number),
            Action::Tell(event) | Action::TellAnyway(event) | Action::TellOf(_, event) => {
                counted.extend(self.tell(event));
            }
            Action::StateRewritten(id) => self.outbox.saved(id),
            Action::Submitted(id, _) => self.outbox.kept(&mut self.core, &mut self.conversations, id),
            Action::MayLeave(id, attempt) => self.outbox.may_leave((id, attempt)),
            Action::AttemptKept(id, attempt) => {
                self.outbox.further_kept(&mut self.core, (id, attempt));
                counted.insert(id);
            }
            Action::ReportTaken { message, kept, lost } => {
                let is_kept = self.outbox.is_kept(message);
                self.core.respond(if is_kept { kept } else { lost }, now);
            }
            Action::Deleted(conversation) => {
                self.core.tell(Event::Window(WindowEvent::Deleted { conversation, is_done: true }));
            }
            Action::Seen(conversation, message) => {
                self.core.tell(Event::Window(WindowEvent::Changed { conversation, message: None }));
                self.receipts.seen(&self.conversations, conversation, message);
            }
            Action::Incoming { row, kept, .. } => {
                // The owner hears of it before its sender hears that it was delivered.
                let event = self.inbox.kept(&mut self.conversations, &row, &self.core.profile);
                self.core.tell(event);
                self.core.respond(kept, now);
                if is_own(&row, &self.core.profile) {
                    self.conversations.seen_own(&mut self.core, row.conversation, row.id);
                }
                self.receipts.came(&self.core.profile, &self.conversations, &row);
            }
            Action::Repeated { key, kept, lost } => {
                let answer = self.inbox.repeated(&key, kept, lost);
                self.core.respond(answer, now);
            }
        }
    }

    /// What was to be promised is not stored.
    fn give_up(&mut self, action: Action, counted: &mut BTreeSet<MessageId>, now: Now) {
        match action {
            Action::Tell(_) | Action::MayLeave(..) | Action::Seen(..) => {}
            Action::Deleted(conversation) => {
                self.conversations.not_forgotten(conversation);
                self.core.tell(Event::Window(WindowEvent::Deleted { conversation, is_done: false }));
            }
            Action::DraftKept(place) => self.drafts.unsaved(&mut self.core, place),
            Action::TellAnyway(event) => counted.extend(self.tell(event)),
            Action::TellOf(id, event) => self.outbox.untold(id, event, now),
            Action::StateKept(id) => self.outbox.unsaved(id, now),
            Action::StateRewritten(id) => {
                self.outbox.saved(id);
                self.outbox.unsaved(id, now);
            }
            Action::Submitted(id, draft) => {
                let goes_back = !self.later.has_back(&draft);
                self.outbox.lost(&mut self.core, &mut self.conversations, id, goes_back.then_some(*draft));
            }
            Action::LaterKept(number) => self.later.unsaved(&mut self.core, number, now),
            Action::LaterSent(number) => self.later.not_sent(number, now),
            Action::AttemptKept(id, attempt) => {
                self.outbox.further_lost(&mut self.core, &mut self.conversations, (id, attempt));
            }
            Action::ReportTaken { lost, .. } | Action::Repeated { lost, .. } => {
                self.core.respond(lost, now);
            }
            Action::Incoming { row, lost, .. } => {
                self.inbox.lost(&mut self.conversations, &row.key, row.conversation);
                self.core.tell(Event::Window(WindowEvent::NotStored));
                self.core.respond(lost, now);
            }
        }
    }

    /// Tells the owner; returns the message of which a recipient's state changed.
    fn tell(&mut self, event: Event) -> Option<MessageId> {
        if !self.outbox.is_news(&event) {
            return None;
        }
        let moved = if let Event::Delivery { message, .. } = &event { Some(*message) } else { None };
        self.core.tell(event);
        moved
    }

    /// Updates a message's state in the list to what is committed.
    fn count(&mut self, message: MessageId) {
        if let Some(counted) = self.outbox.tally(message) {
            self.conversations.tally(message, counted);
        }
    }
}
