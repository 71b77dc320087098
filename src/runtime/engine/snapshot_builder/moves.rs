//! A recipient's state moves: the one row that shows it is changed, and nothing is read from the disk for that.

use std::time::Instant;

use super::SnapshotBuilder;
use crate::model::command::Event;
use crate::model::journal::{ConversationId, DeliveryRow, MessageId};
use crate::runtime::engine::alarms::Change;
use crate::runtime::engine::open_thread::Moved;

/// Changes of recipients kept while the history is read; over it, the message is read once more.
const MOVED_MEANWHILE_MAX: usize = 4096;

impl SnapshotBuilder {
    /// A recipient's state is committed: the one place that shows it changes, and nothing is read for that.
    pub(super) fn delivered(&mut self, event: Event, now: Instant) {
        let Some((conversation, row)) = row_of(event) else { return };
        let (message, attempt, state) = (row.message, row.attempt, row.state);
        let is_due = self.alarms.hear(Change { conversation, message, attempt, state }, now);
        let thread = self.thread.as_mut().filter(|thread| thread.conversation == conversation);
        let is_open = thread.is_some();
        let moved = thread.map_or(Moved::Unseen, |thread| thread.deliver(&row));
        if matches!(moved, Moved::NewAttempt) {
            self.stale.insert(message);
        }
        if is_due {
            self.check(message);
        }
        // What is being read may be older.
        if is_open && self.asking {
            if self.moved_meanwhile.len() < MOVED_MEANWHILE_MAX {
                self.moved_meanwhile.push(row);
            } else {
                self.stale.insert(message);
            }
        }
    }

    /// Checks whether a notice is due for a message, which is read if it is not loaded.
    pub(super) fn check(&mut self, message: MessageId) {
        let Some(view) = self.thread.as_ref().and_then(|thread| thread.view(message)) else {
            self.stale.insert(message);
            return;
        };
        if let Some(notice) = self.alarms.look_at(view) {
            self.tell(notice);
        }
    }

    /// Applies to what was read all that became known while it was read.
    pub(super) fn deliver_again(&mut self) {
        let moved = std::mem::take(&mut self.moved_meanwhile);
        if let Some(thread) = &mut self.thread {
            for row in &moved {
                thread.deliver(row);
            }
        }
    }
}

/// What a delivery event says, as it is stored.
fn row_of(event: Event) -> Option<(ConversationId, DeliveryRow)> {
    let Event::Delivery {
        conversation,
        message,
        attempt,
        recipient,
        address: _,
        state,
        status,
        reason: phrase,
        after,
        at,
    } = event
    else {
        return None;
    };
    Some((
        conversation,
        DeliveryRow { message, attempt, recipient, state, status, phrase, tries: None, after, at },
    ))
}
