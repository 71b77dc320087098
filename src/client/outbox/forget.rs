//! Messages of ours that are deleted.

use super::{AttemptId, Outbox};
use crate::model::journal::MessageId;

impl Outbox {
    /// Forgets a message: what waits of it does not leave, and a report on it finds nothing (W25).
    pub(crate) fn forget(&mut self, id: MessageId) {
        let Some(entry) = self.entries.remove(&id) else { return };
        for attempt in entry.attempts.values() {
            self.by_call.remove(&attempt.row.call_id);
        }
        let is_other = |place: &AttemptId| place.0 != id;
        for places in [&mut self.waiting, &mut self.leaving, &mut self.large, &mut self.under_way] {
            places.retain(is_other);
        }
        self.singles.forget(id);
        self.windows.retain(|(_, message, _)| *message != id);
        self.directories.retain(|place, _| is_other(place));
        self.unsaved.remove(&id);
        self.untold.remove(&id);
        self.finished.remove(&id);
    }
}
