//! After a start: queued or sent attempts leave again under the same Call-ID, CSeq and `id` (W10); those that went one
//! by one go only to recipients without an answer (W6). Accepted attempts wait for their report, with the window
//! counted from the acceptance.

use super::Outbox;
use super::entry::OutboxEntry;
use crate::client::agent::core::Core;
use crate::client::conversation::Conversations;
use crate::model::delivery::is_refused_by_type;
use crate::model::journal::{AttemptStage, MessageId, OpenRows, Way};
use crate::time::Now;

impl Outbox {
    /// Restores the messages that the store holds as open.
    pub(crate) fn recover(
        open: Vec<OpenRows>,
        conversations: &mut Conversations,
        core: &Core,
        now: Now,
    ) -> Self {
        let mut this = Self::default();
        for rows in open {
            let hidden =
                conversations.is_hidden(rows.outgoing.conversation) && rows.outgoing.recipients.len() > 1;
            let entry = OutboxEntry::recover(rows, hidden);
            let id = entry.row.id;
            let mut unsent = Vec::new();
            for attempt in entry.attempts.values() {
                let place = (id, attempt.row.number);
                this.by_call.insert(attempt.row.call_id.clone(), id);
                if attempt.row.asks {
                    let refused = attempt.deliveries.iter().filter(|row| is_refused_by_type(row));
                    this.remember_refusers(refused.map(|row| entry.address(row.recipient)));
                }
                match attempt.row.stage {
                    AttemptStage::Queued | AttemptStage::Sent => unsent.push((place, attempt.row.way)),
                    AttemptStage::Accepted { .. } => {
                        let ends = now.mono_at(attempt.row.at.plus(core.profile.report_window));
                        this.windows.insert((ends, place.0, place.1));
                    }
                    AttemptStage::Closed => {}
                }
            }
            conversations.tally(id, entry.counted());
            this.entries.insert(id, entry);
            for (place, way) in unsent {
                match way {
                    Way::FanOut | Way::ByList => drop(this.waiting.insert(place)),
                    Way::OneByOne => this.resume_one_by_one(place),
                }
            }
            this.retire(id);
        }
        if !core.profile.register {
            this.call_reports();
        }
        conversations.forget_seen_failures();
        this
    }

    /// The stage of the latest attempt at a message; what is queued or sent leaves again after a restart.
    pub(crate) fn stage(&self, id: MessageId) -> Option<&AttemptStage> {
        let (_, attempt) = self.entries.get(&id)?.attempts.last_key_value()?;
        Some(&attempt.row.stage)
    }
}
