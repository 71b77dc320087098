//! Who is typing, as reported to us, and until when that is valid (RFC 3994).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use crate::limits::COMPOSING_MAX;
use crate::model::journal::ConversationId;
use crate::model::snapshot::{Person, Writing};

/// The people who are typing, by conversation and address.
#[derive(Debug, Default)]
pub(super) struct Composing(BTreeMap<(ConversationId, String), (String, Instant)>);

impl Composing {
    /// Somebody is typing until that time, or has stopped.
    pub(super) fn hear(&mut self, conversation: ConversationId, person: Person, until: Option<Instant>) {
        let key = (conversation, person.address);
        match until {
            Some(until) if self.0.len() < COMPOSING_MAX || self.0.contains_key(&key) => {
                self.0.insert(key, (person.name, until));
            }
            Some(_) => {}
            None => drop(self.0.remove(&key)),
        }
    }

    /// Removes expired entries; true if there were any.
    pub(super) fn forget(&mut self, now: Instant) -> bool {
        let before = self.0.len();
        self.0.retain(|_, (_, until)| *until > now);
        self.0.len() < before
    }

    /// The entries for the snapshot.
    pub(super) fn shown(&self) -> Arc<[Writing]> {
        let writing = |((conversation, _), (name, _)): (&(ConversationId, String), &(String, Instant))| {
            Writing { conversation: *conversation, name: name.clone() }
        };
        self.0.iter().map(writing).collect()
    }

    /// When the first entry expires.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.0.values().map(|(_, until)| *until).min()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::time::Clock;

    #[test]
    fn who_writes_is_shown_until_his_time_is_over_or_he_stops() {
        let ann = || Person { address: "sip:ann@x".into(), name: "Ann".into(), simulated: false };
        let (here, now) = (ConversationId(1), Clock::start().now().mono);
        let until = now + Duration::from_secs(90);
        let mut composing = Composing::default();
        composing.hear(here, ann(), Some(until));
        assert_eq!(*composing.shown(), [Writing { conversation: here, name: "Ann".into() }]);
        assert_eq!(composing.deadline(), Some(until));
        assert!(!composing.forget(now));
        assert!(composing.forget(until) && composing.shown().is_empty());
        composing.hear(here, ann(), Some(until));
        composing.hear(here, ann(), None);
        assert!(composing.shown().is_empty() && composing.deadline().is_none());
    }
}
