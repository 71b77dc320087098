//! How much strangers sent recently, and how much each of our users got from them. Strangers are not authenticated, so
//! they are counted by source, by recipient and by dialog (W31).
//!
//! A datagram may have an invented source. So what comes in datagrams, from senders whom the operator has not listed, or
//! by another method, is counted apart: none of it uses up what the others may send.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use super::source::Source;
use crate::limits::{
    STRANGER_DIALOGS_MAX, STRANGER_REQUESTS_PER_DIALOG, STRANGER_SOURCES_MAX, STRANGERS_RECIPIENTS_MAX,
};
use crate::sip::Method;

/// Limits are per minute; this fraction (one third) may come as a burst.
const BURST_PART: u32 = 3;

/// What is counted apart from everything else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Budget {
    pub(crate) what: What,
    pub(crate) standing: Standing,
    /// It came over a connection, so that its source address is true.
    pub(crate) is_connected: bool,
}

/// What strangers send.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum What {
    Message,
    Options,
    /// INVITE and whatever else.
    Call,
    /// A request within a dialog.
    InDialog,
}

/// Whether the operator has listed a sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Standing {
    Unlisted,
    /// By the name in From, which anybody may write.
    ByName,
    /// By the source address.
    ByAddress,
}

/// Whose a request is, and for whom: all that it is counted by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counted {
    pub(crate) source: Source,
    /// The keyed hash of the user of ours, and of the dialog, if there is one.
    pub(crate) recipient: Option<u128>,
    pub(crate) dialog: Option<u128>,
}

/// See the module documentation.
#[derive(Debug)]
pub(crate) struct Strangers {
    sources: Rates<(Source, Budget)>,
    recipients: Rates<(u128, Budget)>,
    dialogs: Rates<u128>,
}

impl What {
    pub(crate) const fn of(method: &Method) -> Self {
        match method {
            Method::Message => Self::Message,
            Method::Options => Self::Options,
            Method::Invite
            | Method::Ack
            | Method::Bye
            | Method::Cancel
            | Method::Register
            | Method::Notify
            | Method::Subscribe
            | Method::Other(_) => Self::Call,
        }
    }
}

impl Default for Strangers {
    fn default() -> Self {
        Self {
            sources: Rates::new(STRANGER_SOURCES_MAX),
            recipients: Rates::new(STRANGERS_RECIPIENTS_MAX),
            dialogs: Rates::new(STRANGER_DIALOGS_MAX),
        }
    }
}

impl Strangers {
    /// Counts one more request; false if that exceeds what may come a minute from its source, to its recipient, or in
    /// its dialog.
    pub(crate) fn allow(
        &mut self,
        counted: Counted,
        budget: Budget,
        (of_source, of_recipient): (u32, u32),
        now: Instant,
    ) -> bool {
        let Counted { source, recipient, dialog } = counted;
        self.sources.allows((source, budget), of_source, now)
            && dialog.is_none_or(|dialog| self.dialogs.allows(dialog, STRANGER_REQUESTS_PER_DIALOG, now))
            && recipient.is_none_or(|user| self.recipients.allows((user, budget), of_recipient, now))
    }
}

/// How many of each key came recently, kept as the time at which they are all paid for at the allowed rate.
#[derive(Debug)]
pub(crate) struct Rates<K> {
    paid_at: BTreeMap<K, Instant>,
    by_time: BTreeSet<(Instant, K)>,
    keys_max: usize,
}

impl<K: Copy + Ord> Rates<K> {
    pub(crate) const fn new(keys_max: usize) -> Self {
        Self { paid_at: BTreeMap::new(), by_time: BTreeSet::new(), keys_max }
    }

    /// Counts one more; false, and not counted, if that exceeds the rate.
    pub(crate) fn allows(&mut self, key: K, per_minute: u32, now: Instant) -> bool {
        while let Some((paid_at, key)) = self.by_time.first().copied().filter(|(at, _)| *at <= now) {
            self.remove(key, paid_at);
        }
        let each = Duration::from_secs(60) / per_minute.max(1);
        let credit = each * (per_minute / BURST_PART).max(1);
        let known = self.paid_at.get(&key).copied();
        let paid_at = known.unwrap_or(now) + each;
        if paid_at > now + credit {
            return false;
        }
        if let Some(known) = known {
            self.remove(key, known);
        } else if self.paid_at.len() >= self.keys_max
            && let Some((soonest, key)) = self.by_time.first().copied()
        {
            // Drops whoever has sent the least.
            self.remove(key, soonest);
        }
        self.paid_at.insert(key, paid_at);
        self.by_time.insert((paid_at, key));
        true
    }

    fn remove(&mut self, key: K, paid_at: Instant) {
        self.by_time.remove(&(paid_at, key));
        self.paid_at.remove(&key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Clock;

    #[test]
    fn a_third_of_a_minutes_requests_may_come_at_once_and_the_rest_as_time_goes_by() {
        let now = Clock::start().now();
        let mut rates = Rates::new(10);
        let mut allowed = |key: u8, after: u64, tries: usize| {
            let at = now.plus(Duration::from_millis(after)).mono;
            (0..tries).filter(|_| rates.allows(key, 60, at)).count()
        };
        assert_eq!(allowed(1, 0, 300), 20);
        assert_eq!(allowed(2, 0, 5), 5, "each for itself");
        assert_eq!(allowed(1, 999, 300), 0);
        assert_eq!(allowed(1, 1000, 300), 1);
        assert_eq!(allowed(1, 11_000, 300), 10);
        assert_eq!(allowed(1, 600_000, 300), 20);
    }

    #[test]
    fn the_table_has_an_end_and_keeps_whoever_sends_most() {
        let now = Clock::start().now().mono;
        let mut rates = Rates::new(100);
        for _ in 0..20 {
            assert!(rates.allows(0_u32, 60, now));
        }
        for key in 1..1000 {
            assert!(rates.allows(key, 60, now));
        }
        assert_eq!((rates.paid_at.len(), rates.by_time.len()), (100, 100));
        assert!(!rates.allows(0, 60, now));
    }
}
