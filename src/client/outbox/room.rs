//! How much of what was written here is under way at a time: so many messages, and so many bytes of them, so that what waits to
//! be written to the server's connection stays small.

use super::{AttemptId, Outbox};
use crate::limits::{MESSAGE_BYTES_OPEN_MAX, SINGLES_OPEN_MAX, SUBMISSIONS_OPEN_MAX};

impl Outbox {
    /// True if one more submission may leave.
    pub(super) fn has_room(&self) -> bool {
        let open = || self.under_way.iter().chain(&self.leaving).copied();
        self.hold_until.is_none() && open().count() < SUBMISSIONS_OPEN_MAX && self.bytes_fit(open())
    }

    /// True if one more message may leave to one of its recipients.
    pub(super) fn has_room_for_single(&self) -> bool {
        let open = || self.singles.under_way().map(|single| (single.message, single.attempt));
        self.hold_until.is_none() && open().count() < SINGLES_OPEN_MAX && self.bytes_fit(open())
    }

    fn bytes_fit(&self, open: impl Iterator<Item = AttemptId>) -> bool {
        let bytes =
            open.filter_map(|(message, _)| self.entries.get(&message)).map(|entry| entry.row.body.len());
        bytes.sum::<usize>() < MESSAGE_BYTES_OPEN_MAX
    }
}
