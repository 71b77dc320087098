//! Remembers calls that passed, for requests that cannot be challenged for credentials: an ACK or CANCEL goes where its
//! INVITE went, or to a party of the dialog that the INVITE created (RFC 3261 §22.1; W29).
//!
//! **Invariant:** bounded in bytes; over the maximum, the oldest entry of the source that holds most is dropped, so
//! that nobody pushes out what others need. Nothing is stored: after a restart a CANCEL finds nothing, and a
//! retransmitted 200 teaches where its ACK goes.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::{Duration, Instant};

use super::router::Target;
use crate::limits::{
    Rate, Rates, SESSION_COUNTED_WITHIN, SESSION_COUNTS_BYTES_MAX, SESSION_INVITE_KEPT,
    SESSION_INVITES_BYTES_MAX, SESSION_PARTIES_BYTES_MAX, SESSION_PARTY_PLACES_MAX,
    SESSION_RESPONSES_BYTES_MAX, SESSION_RESPONSES_MAX, SESSION_RESPONSES_UNPROVEN_BYTES_MAX,
    SESSION_ROUTE_SECS, USER_CALLERS_MAX, USER_CALLS_ELSEWHERE,
};
use crate::proxy::guard::source::Source;
use crate::sip::Uri;

/// Bytes of an entry besides its texts.
const ENTRY_BYTES: usize = 1024;

/// Whom a request may reach. A name says only once it is looked up whose device it leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reaches {
    /// Anybody.
    Anybody,
    /// Of our users, the other party of its dialog alone: its sender has proved nothing.
    Party,
    /// The caller of its dialog alone: its sender answers for somebody else.
    Caller,
}

/// Where an INVITE went.
#[derive(Clone, Debug)]
pub(crate) struct Passed {
    pub(crate) target: Target,
    pub(crate) reaches: Reaches,
    /// The branch that it was sent with.
    pub(crate) branch: String,
    /// The computer that it came from: only that one may cancel it.
    pub(crate) from: IpAddr,
}

/// What is known of one party of a dialog.
#[derive(Clone, Debug)]
struct Party {
    /// Where it is reached.
    places: Vec<String>,
    /// The computer from which the call was made.
    caller: IpAddr,
    /// A trusted peer had a part in the call on that side, so that it may be reached by way of one.
    is_behind_peer: bool,
}

/// How many responses to one request have passed, and their bytes.
#[derive(Clone, Copy, Debug)]
struct Responses {
    count: u32,
    bytes: usize,
    /// Where the request says to come from.
    caller: IpAddr,
}

/// See the module documentation.
#[derive(Debug)]
pub(crate) struct Calls {
    started: Instant,
    invites: Recent<Passed>,
    parties: Recent<Party>,
    /// How many requests of one method passed in a call, and since when they are counted.
    counts: Recent<(Instant, u32)>,
    /// The requests of strangers whose source may be forged, by the keyed hash of their branch.
    responses: Recent<Responses>,
    /// The calls of our users to addresses of others, by the keyed hash of the user.
    elsewhere: Rates<u128>,
}

impl Calls {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            started: now,
            invites: Recent::new(SESSION_INVITES_BYTES_MAX, SESSION_INVITE_KEPT),
            parties: Recent::new(SESSION_PARTIES_BYTES_MAX, Duration::from_secs(SESSION_ROUTE_SECS)),
            counts: Recent::new(SESSION_COUNTS_BYTES_MAX, SESSION_COUNTED_WITHIN),
            responses: Recent::new(SESSION_RESPONSES_BYTES_MAX, SESSION_INVITE_KEPT),
            elsewhere: Rates::new(USER_CALLERS_MAX),
        }
    }

    /// Remembers an INVITE that passed.
    pub(crate) fn pass(&mut self, invite: u128, passed: Passed, now: Instant) {
        let bytes = passed.target.uri.as_str().len()
            + passed.branch.len()
            + passed.target.routes.iter().map(String::len).sum::<usize>();
        let holder = Source::of(passed.from);
        self.invites.put(invite, (passed, bytes), holder, now);
    }

    /// A response to an INVITE passed: its call is still being set up, so it is remembered for longer.
    pub(crate) fn goes_on(&mut self, invite: u128, now: Instant) {
        if let Some(passed) = self.invites.get(invite, now).cloned() {
            self.pass(invite, passed, now);
        }
    }

    /// Where that INVITE was sent, if it went to an address.
    pub(crate) fn was_sent_to(&self, invite: u128, now: Instant) -> Option<IpAddr> {
        let place = self.invites.get(invite, now)?.target.place()?;
        Some(place.ip())
    }

    /// The target of that INVITE.
    pub(crate) fn went_to(&self, invite: u128, now: Instant) -> Option<&Uri> {
        self.invites.get(invite, now).map(|passed| &passed.target.uri)
    }

    /// What is known of that INVITE, if it came from that computer.
    pub(crate) fn passed(&self, invite: u128, from: IpAddr, now: Instant) -> Option<&Passed> {
        self.invites.get(invite, now).filter(|passed| passed.from == from)
    }

    /// Remembers where a party of a dialog is reached, in a call made from that computer.
    pub(crate) fn is_at(
        &mut self,
        party: u128,
        places: impl Iterator<Item = String>,
        (caller, is_behind_peer): (IpAddr, bool),
        now: Instant,
    ) {
        let mut all: Vec<String> = Vec::new();
        let known = self.parties.get(party, now);
        let is_behind_peer = is_behind_peer || known.is_some_and(|known| known.is_behind_peer);
        let known = known.map(|known| known.places.clone()).unwrap_or_default();
        for place in places.take(SESSION_PARTY_PLACES_MAX).chain(known) {
            if !all.contains(&place) {
                all.push(place);
            }
        }
        all.truncate(SESSION_PARTY_PLACES_MAX);
        let bytes = all.iter().map(String::len).sum();
        let known = Party { places: all, caller, is_behind_peer };
        self.parties.put(party, (known, bytes), Source::of(caller), now);
    }

    /// Counts one more request of a call; false, and not counted, if that exceeds the maximum.
    pub(crate) fn spend(&mut self, key: u128, most: u32, from: IpAddr, now: Instant) -> bool {
        let known = self.counts.get(key, now).copied();
        let is_recent = |since: Instant| now.saturating_duration_since(since) < SESSION_COUNTED_WITHIN;
        let (since, count) = known.filter(|(since, _)| is_recent(*since)).unwrap_or((now, 0));
        if count >= most {
            return false;
        }
        self.counts.put(key, ((since, count + 1), 0), Source::of(from), now);
        true
    }

    /// Responses to that request of a stranger may pass from now on.
    pub(crate) fn expect_responses(&mut self, request: u128, caller: IpAddr, now: Instant) {
        if self.responses.get(request, now).is_none() {
            let none = Responses { count: 0, bytes: 0, caller };
            self.responses.put(request, (none, 0), Source::of(caller), now);
        }
    }

    /// Counts one more response to a request of a stranger; false, and not counted, if that exceeds what goes back to where
    /// it says to come from, or if that request is not known (any more). Shortly after a start it may be one from before.
    pub(crate) fn takes_response(
        &mut self,
        (request, caller): (u128, IpAddr),
        bytes: usize,
        now: Instant,
    ) -> bool {
        let is_early = now.saturating_duration_since(self.started) < SESSION_INVITE_KEPT;
        let from_before = || is_early.then_some(Responses { count: 0, bytes: 0, caller });
        let Some(known) = self.responses.get(request, now).copied().or_else(from_before) else {
            return false;
        };
        let (count, bytes) = (known.count + 1, known.bytes.saturating_add(bytes));
        if count > SESSION_RESPONSES_MAX || bytes > SESSION_RESPONSES_UNPROVEN_BYTES_MAX {
            return false;
        }
        let known = Responses { count, bytes, ..known };
        self.responses.put(request, (known, 0), Source::of(known.caller), now);
        true
    }

    /// Counts one more call of a user to an address of others; false if that exceeds what one may make in a minute.
    pub(crate) fn may_call_elsewhere(&mut self, user: u128, now: Instant) -> bool {
        self.elsewhere.allows(user, Rate::per_minute(USER_CALLS_ELSEWHERE), now)
    }

    /// Whether a party of a dialog said to be there, or a proxy before it did.
    pub(crate) fn knows(&self, party: u128, place: &str, now: Instant) -> bool {
        self.parties.get(party, now).is_some_and(|known| known.places.iter().any(|known| known == place))
    }

    /// Whether a trusted peer had a part in the call on the side of that party.
    pub(crate) fn is_behind_peer(&self, party: u128, now: Instant) -> bool {
        self.parties.get(party, now).is_some_and(|known| known.is_behind_peer)
    }

    /// True if the call with that party was made from this computer.
    pub(crate) fn was_made_from(&self, party: u128, from: IpAddr, now: Instant) -> bool {
        self.caller_of(party, now) == Some(from)
    }

    /// The computer from which the call with that party was made.
    pub(crate) fn caller_of(&self, party: u128, now: Instant) -> Option<IpAddr> {
        self.parties.get(party, now).map(|known| known.caller)
    }
}

/// Entries that are remembered for a while, up to a number of bytes.
#[derive(Debug)]
struct Recent<V> {
    all: BTreeMap<u128, CallEntry<V>>,
    by_age: BTreeSet<(Instant, u128)>,
    /// The bytes and the entries of each source.
    held: BTreeMap<Source, (usize, BTreeSet<(Instant, u128)>)>,
    by_size: BTreeSet<(usize, Source)>,
    bytes: usize,
    bytes_max: usize,
    kept: Duration,
}

#[derive(Debug)]
struct CallEntry<V> {
    at: Instant,
    bytes: usize,
    holder: Source,
    value: V,
}

impl<V> Recent<V> {
    const fn new(bytes_max: usize, kept: Duration) -> Self {
        Self {
            all: BTreeMap::new(),
            by_age: BTreeSet::new(),
            held: BTreeMap::new(),
            by_size: BTreeSet::new(),
            bytes: 0,
            bytes_max,
            kept,
        }
    }

    fn get(&self, key: u128, now: Instant) -> Option<&V> {
        let entry = self.all.get(&key)?;
        (now.saturating_duration_since(entry.at) < self.kept).then_some(&entry.value)
    }

    fn put(&mut self, key: u128, (value, bytes): (V, usize), holder: Source, now: Instant) {
        self.take(key);
        let bytes = bytes.saturating_add(ENTRY_BYTES);
        self.by_age.insert((now, key));
        self.all.insert(key, CallEntry { at: now, bytes, holder, value });
        let (mut held, mut keys) = self.release(holder);
        held = held.saturating_add(bytes);
        keys.insert((now, key));
        self.hold(holder, (held, keys));
        self.bytes = self.bytes.saturating_add(bytes);
        while let Some((at, oldest)) = self.by_age.first().copied()
            && now.saturating_duration_since(at) >= self.kept
        {
            self.take(oldest);
        }
        while self.bytes > self.bytes_max
            && let Some((_, most)) = self.by_size.last()
            && let Some((_, oldest)) = self.held.get(most).and_then(|(_, keys)| keys.first().copied())
        {
            self.take(oldest);
        }
    }

    fn take(&mut self, key: u128) {
        let Some(entry) = self.all.remove(&key) else { return };
        self.by_age.remove(&(entry.at, key));
        let (mut held, mut keys) = self.release(entry.holder);
        held = held.saturating_sub(entry.bytes);
        keys.remove(&(entry.at, key));
        self.hold(entry.holder, (held, keys));
        self.bytes = self.bytes.saturating_sub(entry.bytes);
    }

    fn release(&mut self, holder: Source) -> (usize, BTreeSet<(Instant, u128)>) {
        let (held, keys) = self.held.remove(&holder).unwrap_or_default();
        self.by_size.remove(&(held, holder));
        (held, keys)
    }

    fn hold(&mut self, holder: Source, (held, keys): (usize, BTreeSet<(Instant, u128)>)) {
        if !keys.is_empty() {
            self.by_size.insert((held, holder));
            self.held.insert(holder, (held, keys));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn here() -> IpAddr {
        IpAddr::from([192, 0, 2, 1])
    }

    #[expect(clippy::disallowed_methods, reason = "a base for virtual time")]
    fn start() -> Instant {
        Instant::now()
    }

    #[test]
    fn what_is_remembered_has_an_end_in_bytes_and_in_time_and_the_oldest_goes_first() {
        let now = start();
        let mut calls = Calls::new(now);
        let most = u128::try_from(SESSION_PARTIES_BYTES_MAX / (ENTRY_BYTES + 976)).unwrap();
        let place = "h".repeat(976);
        for party in 0..most {
            calls.is_at(party, [place.clone()].into_iter(), (here(), false), now);
        }
        assert!(calls.knows(0, &place, now) && calls.parties.bytes <= SESSION_PARTIES_BYTES_MAX);
        calls.is_at(most, [place.clone()].into_iter(), (here(), false), now);
        assert!(!calls.knows(0, &place, now), "the oldest has made room");
        assert!(calls.knows(1, &place, now) && calls.knows(most, &place, now));
        assert!(calls.parties.bytes <= SESSION_PARTIES_BYTES_MAX);
        let late = now + Duration::from_secs(SESSION_ROUTE_SECS);
        assert!(!calls.knows(most, &place, late));
        calls.is_at(7, [place].into_iter(), (here(), false), late);
        let parties = &calls.parties;
        assert_eq!((parties.all.len(), parties.by_age.len()), (1, 1), "what is over is let go");
        assert_eq!((parties.held.len(), parties.by_size.len()), (1, 1));
    }

    #[test]
    fn whoever_holds_most_makes_room_and_of_ipv6_a_network_is_one_holder() {
        let now = start();
        let [one, next, other] =
            ["2001:db8::1", "2001:db8::2", "192.0.2.1"].map(|address| address.parse::<IpAddr>().unwrap());
        let mut calls = Calls::new(now);
        let place = || ["h".to_owned()].into_iter();
        calls.is_at(0, place(), (other, false), now);
        calls.is_at(1, place(), (next, false), now);
        for party in 2..20_000 {
            calls.is_at(party, place(), (one, false), now + Duration::from_millis(1));
        }
        assert!(calls.parties.bytes <= SESSION_PARTIES_BYTES_MAX);
        assert!(calls.knows(0, "h", now), "another's stays, though it is the oldest");
        assert!(!calls.knows(1, "h", now) && !calls.knows(2, "h", now), "his neighbour's does not");
        assert!(calls.knows(19_999, "h", now));
        assert!(calls.was_made_from(0, other, now) && !calls.was_made_from(0, one, now));
    }

    #[test]
    fn a_party_has_few_places_and_the_newest_stay() {
        let now = start();
        let mut calls = Calls::new(now);
        for number in 0..20 {
            calls.is_at(1, [format!("h{number}")].into_iter(), (here(), false), now);
        }
        assert!(calls.knows(1, "h19", now) && calls.knows(1, "h12", now) && !calls.knows(1, "h11", now));
    }
}
