//! A further attempt at a message, and withdrawal of what has not left yet.

use super::entry::Identity;
use super::{AttemptId, Outbox};
use crate::client::agent::core::{Action, Core};
use crate::model::command::Event;
use crate::model::delivery::News;
use crate::model::journal::{AttemptStage, DeliveryState, MessageId};
use crate::model::reason::LocalReason;
use crate::time::Now;

impl Outbox {
    /// Resends a message to those who failed or have no report: ONE new MESSAGE, the next attempt.
    pub(crate) fn resend(&mut self, core: &mut Core, id: MessageId, only: Option<u32>, now: Now) {
        let Some(entry) = self.entries.get(&id) else {
            return;
        };
        let recipients = entry.resendable(only);
        if recipients.is_empty() {
            return;
        }
        let number = entry.next_number();
        let latest = entry.attempts.values().rev().find(|attempt| !attempt.is_withdrawn());
        // It is unknown whether the proxy has the last attempt: under the same Call-ID it drops the duplicate (W12).
        let same = latest.filter(|latest| latest.is_ambiguous() && latest.row.recipients == recipients);
        let ids = match (same, latest) {
            (Some(same), _) => Identity::of(&same.row),
            (None, latest) => {
                let wish = latest.map(|latest| latest.row.report.clone()).unwrap_or_default();
                Identity::fresh(core, &wish)
            }
        };
        self.begin_attempt(core, id, ids, recipients, now);
        core.promise(Action::AttemptKept(id, number));
    }

    /// A further attempt is committed.
    pub(crate) fn further_kept(&mut self, core: &mut Core, place: AttemptId) {
        self.attempt_kept(place);
        let Some((entry, attempt)) = self.find(place) else {
            return;
        };
        // Changes since then are told once the disk has them.
        for row in attempt.deliveries.iter().filter(|row| row.state == DeliveryState::Queued) {
            core.tell(entry.delivery_event(row));
        }
    }

    /// A further attempt could not be stored.
    pub(crate) fn further_lost(&mut self, core: &mut Core, place: AttemptId) {
        let (message, attempt) = place;
        if let Some(entry) = self.entries.get_mut(&message) {
            entry.attempts.remove(&attempt);
        }
        let reason = LocalReason::NotStored.into();
        core.tell(Event::Refused { message, attempt, status: 503, reason });
    }

    /// Withdraws what is still queued; what has left cannot be withdrawn.
    pub(crate) fn withdraw(&mut self, core: &mut Core, id: MessageId, now: Now) {
        let Some(entry) = self.entries.get(&id) else {
            return;
        };
        let conversation = entry.row.conversation;
        let queued: Vec<_> =
            entry.attempts.values().filter(|it| it.is_queued()).map(|it| it.row.number).collect();
        if queued.is_empty() {
            return;
        }
        for number in queued {
            self.waiting.remove(&(id, number));
            self.large.remove(&(id, number));
            self.singles.withdraw((id, number));
            self.learn_all(core, (id, number), &News::bare(DeliveryState::Cancelled), now);
            self.set_stage(core, (id, number), AttemptStage::Closed, now);
        }
        core.promise(Action::TellOf(id, Event::Changed { conversation, message: Some(id) }));
        self.retire(id);
    }
}
