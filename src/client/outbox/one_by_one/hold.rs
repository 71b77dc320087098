//! Recipients who asked us to wait, by a 503 with Retry-After (RFC 3261 §21.5.4). Where each recipient gets a MESSAGE of
//! his own, such an answer may be his: it holds back what goes to him, and nobody else's.

use std::collections::BTreeMap;
use std::time::Instant;

use super::Outbox;
use crate::client::agent::core::Single;
use crate::client::agent::interval::retry_after;
use crate::limits::{RECIPIENTS_HELD_MAX, RETRY_AFTER_MAX};
use crate::model::contacts::address_key;
use crate::sip::Response;
use crate::time::Now;

/// See the top of this file.
#[derive(Debug, Default)]
pub(super) struct Holds {
    /// Until when nothing goes to a recipient, by [`address_key`].
    until: BTreeMap<String, Instant>,
    /// What waits for that.
    held: BTreeMap<Single, Instant>,
}

impl Holds {
    /// What is held back.
    pub(super) fn held(&self) -> impl Iterator<Item = &Single> {
        self.held.keys()
    }

    /// Keeps only what is so.
    pub(super) fn retain(&mut self, is_so: impl Fn(&Single) -> bool) {
        self.held.retain(|single, _| is_so(single));
    }
}

impl Outbox {
    /// Holds back further messages to the recipient who answered this, if he asks for that.
    pub(super) fn hold_recipient(&mut self, single: Single, response: &Response, now: Now) {
        let wait = retry_after(response.fields()).filter(|_| response.status() == 503);
        let (Some(wait), Some(key)) = (wait, self.recipient_key(single)) else {
            return;
        };
        let until = &mut self.singles.holds.until;
        until.retain(|_, until| *until > now.mono);
        if until.len() < RECIPIENTS_HELD_MAX || until.contains_key(&key) {
            until.insert(key, now.mono + wait.min(RETRY_AFTER_MAX));
        }
    }

    /// Whether this one is held back now: it then waits until its recipient may be written to again.
    pub(super) fn is_held(&mut self, single: Single, now: Now) -> bool {
        if self.singles.holds.until.is_empty() {
            return false;
        }
        let until = self.recipient_key(single).and_then(|key| self.singles.holds.until.get(&key).copied());
        let Some(until) = until.filter(|until| *until > now.mono) else {
            return false;
        };
        self.singles.holds.held.insert(single, until);
        true
    }

    /// Queues again what was held back until now.
    pub(in crate::client::outbox) fn release_held(&mut self, now: Now) {
        let singles = &mut self.singles;
        let due = singles.holds.held.iter().filter(|(_, until)| **until <= now.mono);
        singles.waiting.extend(due.map(|(single, _)| *single));
        singles.holds.held.retain(|_, until| *until > now.mono);
    }

    /// When the first of them may go.
    pub(in crate::client::outbox) fn held_until(&self) -> Option<Instant> {
        self.singles.holds.held.values().min().copied()
    }

    fn recipient_key(&self, single: Single) -> Option<String> {
        let (entry, _) = self.find((single.message, single.attempt))?;
        Some(address_key(entry.address(single.recipient)))
    }
}
