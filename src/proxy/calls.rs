//! What is remembered of calls that passed, for the requests that nobody can be asked for credentials with: an ACK and a
//! CANCEL go where their INVITE went, or to a party of a dialog that an INVITE made (RFC 3261 §22.1; W29).
//!
//! **Invariant:** bounded in bytes, the oldest goes first. Nothing is stored: after a restart a CANCEL finds nothing, and a
//! 200 that is sent again teaches where its ACK goes.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::{Duration, Instant};

use super::router::Target;
use crate::limits::{
    SESSION_INVITE_KEPT, SESSION_INVITES_BYTES_MAX, SESSION_PARTIES_BYTES_MAX, SESSION_PARTY_PLACES_MAX,
    SESSION_ROUTE_SECS,
};

/// What an entry takes beside its texts.
const ENTRY_BYTES: usize = 1024;

/// Where an INVITE went.
#[derive(Clone, Debug)]
pub(super) struct Passed {
    pub(super) target: Target,
    /// The branch that it had there.
    pub(super) branch: String,
    /// The computer that it came from: nobody else ends it.
    pub(super) from: IpAddr,
}

/// See the head of this file.
#[derive(Debug)]
pub(super) struct Calls {
    invites: Recent<Passed>,
    parties: Recent<Vec<String>>,
}

impl Default for Calls {
    fn default() -> Self {
        Self {
            invites: Recent::new(SESSION_INVITES_BYTES_MAX, SESSION_INVITE_KEPT),
            parties: Recent::new(SESSION_PARTIES_BYTES_MAX, Duration::from_secs(SESSION_ROUTE_SECS)),
        }
    }
}

impl Calls {
    /// An INVITE is let through.
    pub(super) fn pass(&mut self, invite: u128, passed: Passed, now: Instant) {
        let bytes = passed.target.uri.as_str().len() + passed.branch.len();
        self.invites.put(invite, passed, bytes, now);
    }

    /// A response to an INVITE passes: the call is still being set up.
    pub(super) fn goes_on(&mut self, invite: u128, now: Instant) {
        if let Some(passed) = self.invites.get(invite, now).cloned() {
            self.pass(invite, passed, now);
        }
    }

    /// Where that INVITE went, which came from that computer.
    pub(super) fn passed(&self, invite: u128, from: IpAddr, now: Instant) -> Option<&Passed> {
        self.invites.get(invite, now).filter(|passed| passed.from == from)
    }

    /// A party of a dialog is reached at these places.
    pub(super) fn is_at(&mut self, party: u128, places: impl Iterator<Item = String>, now: Instant) {
        let mut all: Vec<String> = Vec::new();
        let known = self.parties.get(party, now).cloned().unwrap_or_default();
        for place in places.take(SESSION_PARTY_PLACES_MAX).chain(known) {
            if !all.contains(&place) {
                all.push(place);
            }
        }
        all.truncate(SESSION_PARTY_PLACES_MAX);
        let bytes = all.iter().map(String::len).sum();
        self.parties.put(party, all, bytes, now);
    }

    /// Whether a party of a dialog was said to be there, by itself or by the proxies before it.
    pub(super) fn knows(&self, party: u128, place: &str, now: Instant) -> bool {
        self.parties.get(party, now).is_some_and(|places| places.iter().any(|known| known == place))
    }
}

/// What is remembered for a while, up to so many bytes.
#[derive(Debug)]
struct Recent<V> {
    all: BTreeMap<u128, Entry<V>>,
    by_age: BTreeSet<(Instant, u128)>,
    bytes: usize,
    bytes_max: usize,
    kept: Duration,
}

#[derive(Debug)]
struct Entry<V> {
    at: Instant,
    bytes: usize,
    value: V,
}

impl<V> Recent<V> {
    const fn new(bytes_max: usize, kept: Duration) -> Self {
        Self { all: BTreeMap::new(), by_age: BTreeSet::new(), bytes: 0, bytes_max, kept }
    }

    fn get(&self, key: u128, now: Instant) -> Option<&V> {
        let entry = self.all.get(&key)?;
        (now.saturating_duration_since(entry.at) < self.kept).then_some(&entry.value)
    }

    fn put(&mut self, key: u128, value: V, bytes: usize, now: Instant) {
        self.take(key);
        let bytes = bytes.saturating_add(ENTRY_BYTES);
        self.bytes = self.bytes.saturating_add(bytes);
        self.by_age.insert((now, key));
        self.all.insert(key, Entry { at: now, bytes, value });
        while let Some((at, oldest)) = self.by_age.first().copied() {
            if self.bytes <= self.bytes_max && now.saturating_duration_since(at) < self.kept {
                break;
            }
            self.take(oldest);
        }
    }

    fn take(&mut self, key: u128) {
        if let Some(entry) = self.all.remove(&key) {
            self.by_age.remove(&(entry.at, key));
            self.bytes = self.bytes.saturating_sub(entry.bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::disallowed_methods, reason = "a base for virtual time")]
    fn start() -> Instant {
        Instant::now()
    }

    #[test]
    fn what_is_remembered_has_an_end_in_bytes_and_in_time_and_the_oldest_goes_first() {
        let now = start();
        let mut calls = Calls::default();
        let most = u128::try_from(SESSION_PARTIES_BYTES_MAX / (ENTRY_BYTES + 976)).unwrap();
        let place = "h".repeat(976);
        for party in 0..most {
            calls.is_at(party, [place.clone()].into_iter(), now);
        }
        assert!(calls.knows(0, &place, now) && calls.parties.bytes <= SESSION_PARTIES_BYTES_MAX);
        calls.is_at(most, [place.clone()].into_iter(), now);
        assert!(!calls.knows(0, &place, now), "the oldest has made room");
        assert!(calls.knows(1, &place, now) && calls.knows(most, &place, now));
        assert!(calls.parties.bytes <= SESSION_PARTIES_BYTES_MAX);
        let late = now + Duration::from_secs(SESSION_ROUTE_SECS);
        assert!(!calls.knows(most, &place, late));
        calls.is_at(7, [place].into_iter(), late);
        assert_eq!((calls.parties.all.len(), calls.parties.by_age.len()), (1, 1), "what is over is let go");
    }

    #[test]
    fn a_party_has_few_places_and_the_newest_stay() {
        let now = start();
        let mut calls = Calls::default();
        for number in 0..20 {
            calls.is_at(1, [format!("h{number}")].into_iter(), now);
        }
        assert!(calls.knows(1, "h19", now) && calls.knows(1, "h12", now) && !calls.knows(1, "h11", now));
    }
}
