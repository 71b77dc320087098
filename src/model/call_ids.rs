//! The Call-IDs of what is sent for an attempt.

use super::journal::{AttemptRow, Way};

impl AttemptRow {
    /// The Call-ID of the MESSAGE to one recipient, where each gets his own (W6).
    ///
    /// The first recipient may have got the submission, so the Call-ID is the same and reveals a duplicate (W15). Each
    /// other one gets his own, because a program serving several of them would answer 482 (RFC 3261 §8.2.2.2).
    #[must_use]
    pub fn single_call_id(&self, recipient: u32) -> String {
        if self.recipients.first() == Some(&recipient) {
            self.call_id.clone()
        } else {
            format!("{}-{recipient}", self.call_id)
        }
    }

    /// The Call-IDs of all that is sent for this attempt.
    #[must_use]
    pub fn call_ids(&self) -> Vec<String> {
        match self.way {
            Way::FanOut | Way::ByList => vec![self.call_id.clone()],
            Way::OneByOne => self.recipients.iter().map(|one| self.single_call_id(*one)).collect(),
        }
    }
}
