//! Refusals that are told to the operator, and that a program such as fail2ban may act on: each kind at most once a
//! minute per source, whoever sends. Those whose source may be forged leave room for the others.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use super::source::Source;
use crate::limits::{REFUSALS_TOLD_MAX, REFUSALS_TOLD_UNVERIFIED_MAX, REFUSALS_TOLD_WITHIN};
use crate::proxy::event::{Refusal, RefusalKind};

/// The kind, the source, and whether that is verified: what somebody sends in another's name silences nothing of his.
type Key = (RefusalKind, Source, bool);

/// See the module documentation.
#[derive(Debug, Default)]
pub(crate) struct Refusals {
    told: BTreeMap<Key, Told>,
    /// When each was told, oldest first; a kind told again meanwhile is in here twice.
    order: VecDeque<(Instant, Key)>,
    /// How many in `told` are not verified.
    unverified: usize,
    /// How many were not told because there are too many sources.
    untold: u64,
    untold_told_at: Option<Instant>,
}

#[derive(Clone, Copy, Debug)]
struct Told {
    at: Instant,
    /// How many were refused since then.
    since: u64,
}

/// What to tell the operator about a refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Tell {
    Nothing,
    This(Refusal),
    /// So many were not told, because they came from too many sources.
    TooMany(u64),
}

impl Refusals {
    /// Counts a refusal and says what to tell now; fills in `refusal.count`.
    pub(crate) fn note(&mut self, refusal: Refusal, now: Instant) -> Tell {
        self.forget_old(now);
        let key = (refusal.kind, Source::of(refusal.source), refusal.is_verified);
        let is_full = self.told.len() >= REFUSALS_TOLD_MAX
            || (!refusal.is_verified && self.unverified >= REFUSALS_TOLD_UNVERIFIED_MAX);
        let before = match self.told.get_mut(&key) {
            Some(told) if is_within(told.at, REFUSALS_TOLD_WITHIN, now) => {
                told.since = told.since.saturating_add(1);
                return Tell::Nothing;
            }
            Some(told) => told.since,
            None if is_full => return self.too_many(now),
            None => 0,
        };
        if self.told.insert(key, Told { at: now, since: 0 }).is_none() && !refusal.is_verified {
            self.unverified += 1;
        }
        self.order.push_back((now, key));
        Tell::This(Refusal { count: before.saturating_add(1), ..refusal })
    }

    fn too_many(&mut self, now: Instant) -> Tell {
        self.untold = self.untold.saturating_add(1);
        if self.untold_told_at.is_some_and(|at| is_within(at, REFUSALS_TOLD_WITHIN, now)) {
            return Tell::Nothing;
        }
        self.untold_told_at = Some(now);
        Tell::TooMany(std::mem::take(&mut self.untold))
    }

    /// Entries are kept for twice as long as they silence others, so that the next line can give the count since.
    fn forget_old(&mut self, now: Instant) {
        while let Some((at, key)) = self.order.front().copied()
            && !is_within(at, REFUSALS_TOLD_WITHIN * 2, now)
        {
            self.order.pop_front();
            if self.told.get(&key).is_some_and(|told| told.at == at) {
                self.told.remove(&key);
                self.unverified -= usize::from(!key.2);
            }
        }
    }
}

fn is_within(at: Instant, span: Duration, now: Instant) -> bool {
    now.saturating_duration_since(at) < span
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::Transport;
    use crate::time::Clock;

    fn refusal(kind: RefusalKind, source: &str) -> Refusal {
        Refusal {
            kind,
            source: source.parse().unwrap(),
            transport: Transport::Udp,
            is_verified: false,
            count: 0,
            who: "eve@elsewhere.com".to_owned(),
        }
    }

    fn count(tell: &Tell) -> Option<u64> {
        match tell {
            Tell::This(refusal) => Some(refusal.count),
            Tell::Nothing | Tell::TooMany(_) => None,
        }
    }

    #[test]
    fn each_kind_is_told_once_a_minute_for_each_source_with_the_count_between() {
        let now = Clock::start().now();
        let mut refusals = Refusals::default();
        let mut note = |kind, source: &str, after: u64| {
            let tell = refusals.note(refusal(kind, source), now.plus(Duration::from_secs(after)).mono);
            count(&tell)
        };
        let (relay, rate) = (RefusalKind::RelayDenied, RefusalKind::RateLimited);
        assert_eq!(note(relay, "192.0.2.1", 0), Some(1));
        assert_eq!(note(relay, "192.0.2.1", 1), None);
        assert_eq!(note(relay, "::ffff:192.0.2.1", 59), None);
        assert_eq!(note(rate, "192.0.2.1", 59), Some(1), "another kind");
        assert_eq!(note(relay, "192.0.2.2", 59), Some(1), "another source");
        assert_eq!(note(relay, "192.0.2.1", 60), Some(3));
        assert_eq!(note(relay, "192.0.2.1", 119), None);
        assert_eq!(note(relay, "192.0.2.1", 500), Some(1), "long ago");
        assert_eq!(note(relay, "2001:db8::1", 500), Some(1));
        assert_eq!(note(relay, "2001:db8::2", 500), None, "one network of IPv6");
    }

    #[test]
    fn what_is_sent_in_the_name_of_a_source_does_not_silence_what_it_does() {
        let (now, mut refusals) = (Clock::start().now(), Refusals::default());
        let forged = || refusal(RefusalKind::WrongPassword, "192.0.2.1");
        let real = || Refusal { is_verified: true, ..forged() };
        assert_eq!(count(&refusals.note(forged(), now.mono)), Some(1));
        assert_eq!(count(&refusals.note(real(), now.mono)), Some(1));
        assert_eq!(count(&refusals.note(real(), now.mono)), None);
    }

    #[test]
    fn however_many_sources_there_are_the_log_and_the_memory_have_an_end() {
        let now = Clock::start().now();
        let mut refusals = Refusals::default();
        let mut told = Vec::new();
        for number in 0..2 * u32::try_from(REFUSALS_TOLD_MAX).unwrap() {
            let source = std::net::Ipv4Addr::from_bits(number).to_string();
            let is_verified = number >= u32::try_from(REFUSALS_TOLD_MAX).unwrap();
            let one = Refusal { is_verified, ..refusal(RefusalKind::RelayDenied, &source) };
            told.push(refusals.note(one, now.mono));
        }
        let (forged, real) = told.split_at(REFUSALS_TOLD_MAX);
        let said = |tells: &[Tell]| tells.iter().filter(|tell| count(tell).is_some()).count();
        assert_eq!(said(forged), REFUSALS_TOLD_UNVERIFIED_MAX);
        assert_eq!(said(real), REFUSALS_TOLD_MAX - REFUSALS_TOLD_UNVERIFIED_MAX, "forged ones leave room");
        assert_eq!(told.iter().filter(|tell| **tell == Tell::TooMany(1)).count(), 1);
        assert_eq!(refusals.told.len(), REFUSALS_TOLD_MAX);
        let later = now.plus(REFUSALS_TOLD_WITHIN * 2);
        assert_eq!(count(&refusals.note(refusal(RefusalKind::Banned, "192.0.2.9"), later.mono)), Some(1));
        assert_eq!((refusals.told.len(), refusals.order.len(), refusals.unverified), (1, 1, 1));
    }
}
