//! Nonces: issued without being stored, and valid once for each nonce count (RFC 7616 §3.3, §5.5).
//!
//! A nonce carries its time, and a keyed check over that and the address and port that it was given to. So nothing is stored
//! for those who only ask, and a valid nonce shows that its bearer received what we sent there. What is stored is
//! which nonce counts were used by senders who had the password, up to a maximum.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use super::source::NoncePlace;
use crate::limits::{NONCE_LIFETIME, NONCES_PER_USER_MAX, NONCES_USED_MAX};
use crate::proxy::secret::Secret;
use crate::random::Random;

/// The identity of a nonce: milliseconds since the start, and random bits.
type Name = (u64, u64);

/// What a nonce has in place of a port if it was given over a connection.
const CONNECTED: &str = "s";

/// See the module documentation.
#[derive(Debug)]
pub(crate) struct Nonces {
    secret: Secret,
    /// Drawn at each start: the counts used before are not known, so older nonces are not valid.
    salt: u64,
    started: Instant,
    /// The counts used under each nonce by each user (keyed hash).
    used: BTreeMap<(Name, u128), Window>,
    /// The nonces of each user.
    names: BTreeMap<u128, BTreeSet<Name>>,
    /// Nonces up to this one that are not in `used` were forgotten.
    forgotten: Option<Name>,
}

/// Whether a nonce is valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Freshness {
    Fresh,
    /// Not ours, given to another place, too old, or already used with this count.
    Stale,
}

/// One request's use of a nonce.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Use<'a> {
    pub(crate) nonce: &'a str,
    /// Where the request came from.
    pub(crate) place: NoncePlace,
    /// The user who authenticated, as a keyed hash.
    pub(crate) user: u128,
}

/// The largest count under a nonce, and which of the 64 up to it were seen: datagrams may overtake each other.
#[derive(Clone, Copy, Debug, Default)]
struct Window {
    largest: u32,
    seen: u64,
}

impl Nonces {
    pub(crate) fn new(secret: Secret, random: &mut Random, started: Instant) -> Self {
        Self {
            secret,
            salt: random.bits(),
            started,
            used: BTreeMap::new(),
            names: BTreeMap::new(),
            forgotten: None,
        }
    }

    /// Makes a nonce for a challenge to that place.
    pub(crate) fn issue(&self, random: &mut Random, place: NoncePlace, now: Instant) -> String {
        let name = (self.millis(now), random.bits());
        self.print(name, place, place.port())
    }

    /// Uses a nonce with this nonce count; without a count, it is valid once.
    pub(crate) fn take(&mut self, used: Use<'_>, count: Option<u32>, now: Instant) -> Freshness {
        self.forget_old(now);
        let Some(name) = self.fresh(used.nonce, used.place, now) else {
            return Freshness::Stale;
        };
        let key = (name, used.user);
        let is_known = self.used.contains_key(&key);
        if !is_known && !self.make_room(name, used.user) {
            return Freshness::Stale;
        }
        let window = self.used.entry(key).or_default();
        let is_new = match count {
            Some(count) => window.take(count),
            None if is_known => false,
            None => {
                *window = Window { largest: u32::MAX, seen: u64::MAX };
                true
            }
        };
        if is_new { Freshness::Fresh } else { Freshness::Stale }
    }

    /// Whether a nonce is ours, recent and given to that place; this does not use it up.
    pub(crate) fn look(&self, nonce: &str, place: NoncePlace, now: Instant) -> Freshness {
        match self.fresh(nonce, place, now) {
            Some(_) => Freshness::Fresh,
            None => Freshness::Stale,
        }
    }

    /// True if that user has authenticated with that nonce before.
    pub(crate) fn has_proved(&self, used: Use<'_>, now: Instant) -> bool {
        let name = self.fresh(used.nonce, used.place, now);
        name.is_some_and(|name| self.used.contains_key(&(name, used.user)))
    }

    fn fresh(&self, nonce: &str, place: NoncePlace, now: Instant) -> Option<Name> {
        self.read(nonce, place).filter(|name| !self.is_over(*name, now))
    }

    fn print(&self, (at, chance): Name, place: NoncePlace, port: Option<u16>) -> String {
        let port = port.map_or_else(|| CONNECTED.to_owned(), |port| format!("{port:x}"));
        let check = self.secret.nonce(self.salt, (at, chance), (place.octets(), &port));
        format!("{at:x}.{chance:016x}.{port}.{check:032x}")
    }

    /// Reads a nonce of ours that was given to that place.
    fn read(&self, nonce: &str, place: NoncePlace) -> Option<Name> {
        let mut parts = nonce.split('.');
        let at = u64::from_str_radix(parts.next()?, 16).ok()?;
        let chance = u64::from_str_radix(parts.next()?, 16).ok()?;
        let port = match parts.next()? {
            CONNECTED => None,
            port => Some(u16::from_str_radix(port, 16).ok()?),
        };
        if !place.takes(port) {
            return None;
        }
        let name = (at, chance);
        // Compared in our own spelling, so that each nonce has only one.
        let ours = self.print(name, place, port);
        bool::from(subtle::ConstantTimeEq::ct_eq(ours.as_bytes(), nonce.as_bytes())).then_some(name)
    }

    fn is_over(&self, (at, _): Name, now: Instant) -> bool {
        let lifetime = u64::try_from(NONCE_LIFETIME.as_millis()).unwrap_or(u64::MAX);
        self.millis(now).saturating_sub(at) > lifetime
    }

    fn forget_old(&mut self, now: Instant) {
        while let Some(((name, user), _)) = self.used.first_key_value()
            && self.is_over(*name, now)
        {
            self.forget(*name, *user);
        }
    }

    /// Makes room for one more nonce of a user: drops the user's oldest if there are many, else the oldest of all if
    /// the table is full. False if that is the new one itself, or if it is as old as a forgotten one.
    fn make_room(&mut self, name: Name, user: u128) -> bool {
        let full = self.names.get(&user).filter(|names| names.len() >= NONCES_PER_USER_MAX);
        let own = full.and_then(|names| names.first().copied());
        let was_forgotten = self.forgotten.is_some_and(|forgotten| name <= forgotten);
        // A user's forgotten nonces are older than all that are kept, which are as many as allowed until they expire.
        if was_forgotten || own.is_some_and(|own| own > name) {
            return false;
        }
        if let Some(own) = own {
            self.forget(own, user);
        } else if self.used.len() >= NONCES_USED_MAX
            && let Some((oldest, other)) = self.used.first_key_value().map(|(key, _)| *key)
        {
            if oldest > name {
                return false;
            }
            self.forgotten = Some(oldest);
            self.forget(oldest, other);
        }
        self.names.entry(user).or_default().insert(name);
        true
    }

    fn forget(&mut self, name: Name, user: u128) {
        self.used.remove(&(name, user));
        if let Some(names) = self.names.get_mut(&user) {
            names.remove(&name);
            if names.is_empty() {
                self.names.remove(&user);
            }
        }
    }

    fn millis(&self, now: Instant) -> u64 {
        u64::try_from(now.saturating_duration_since(self.started).as_millis()).unwrap_or(u64::MAX)
    }
}

impl Window {
    /// True once for each count.
    const fn take(&mut self, count: u32) -> bool {
        if count > self.largest {
            let step = count - self.largest;
            self.seen = if step < 64 { self.seen << step } else { 0 };
            self.seen |= 1;
            self.largest = count;
            return true;
        }
        let back = self.largest - count;
        // Nonce counts start at 1 (RFC 7616 §3.4).
        if count == 0 || back >= 64 || self.seen & (1 << back) != 0 {
            return false;
        }
        self.seen |= 1 << back;
        true
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::machine::Flow;
    use crate::sip::Transport;
    use crate::time::{Clock, Now};

    const USER: u128 = 7;

    fn at(remote: &str) -> NoncePlace {
        NoncePlace::of(Flow::udp("192.0.2.100:5060".parse().unwrap(), remote.parse().unwrap()))
    }

    fn connected(remote: &str) -> NoncePlace {
        let stream = Flow {
            transport: Transport::Tcp,
            ..Flow::udp("192.0.2.100:5060".parse().unwrap(), remote.parse().unwrap())
        };
        NoncePlace::of(stream)
    }

    fn here() -> NoncePlace {
        at("192.0.2.1:5060")
    }

    fn used(nonce: &str) -> Use<'_> {
        Use { nonce, place: here(), user: USER }
    }

    fn start() -> (Nonces, Random, Now) {
        let now = Clock::start().now();
        let mut random = Random::from_seed(1);
        (Nonces::new(Secret::new([7; 16]), &mut random, now.mono), random, now)
    }

    #[test]
    fn each_number_counts_once_and_datagrams_may_overtake_each_other() {
        let (mut nonces, mut random, now) = start();
        let nonce = nonces.issue(&mut random, here(), now.mono);
        let mut take = |count| nonces.take(used(&nonce), Some(count), now.mono) == Freshness::Fresh;
        assert!(take(1) && take(3) && take(2));
        assert!(!take(1) && !take(2) && !take(3) && !take(0));
        assert!(take(1000) && take(937) && !take(937) && !take(936), "64 numbers are remembered");
        assert!(take(u32::MAX) && !take(u32::MAX));
    }

    #[test]
    fn who_does_not_count_uses_a_nonce_once() {
        let (mut nonces, mut random, now) = start();
        let nonce = nonces.issue(&mut random, here(), now.mono);
        assert_eq!(nonces.take(used(&nonce), None, now.mono), Freshness::Fresh);
        assert_eq!(nonces.take(used(&nonce), None, now.mono), Freshness::Stale);
        assert_eq!(nonces.take(used(&nonce), Some(9), now.mono), Freshness::Stale);
        let nonce = nonces.issue(&mut random, here(), now.mono);
        assert_eq!(nonces.take(used(&nonce), Some(1), now.mono), Freshness::Fresh);
        assert_eq!(nonces.take(used(&nonce), None, now.mono), Freshness::Stale);
    }

    #[test]
    fn what_is_old_or_not_ours_is_stale() {
        let (mut nonces, mut random, now) = start();
        let nonce = nonces.issue(&mut random, here(), now.mono);
        let late = now.plus(NONCE_LIFETIME + Duration::from_millis(1));
        assert_eq!(nonces.take(used(&nonce), Some(1), late.mono), Freshness::Stale);
        assert_eq!(nonces.take(used(&nonce), Some(1), now.plus(NONCE_LIFETIME).mono), Freshness::Fresh);
        let changed = nonce.replacen('.', "0.", 1);
        for foreign in ["", "..", "1.2.3", "1.2.3.4", &nonce.to_uppercase(), &changed, &format!("{nonce}.")] {
            assert_eq!(nonces.take(used(foreign), Some(1), now.mono), Freshness::Stale, "{foreign}");
        }
        // The same key after a restart: the counts used before are not known, so the nonce is not valid.
        let mut again = Nonces::new(Secret::new([7; 16]), &mut random, now.mono);
        assert_eq!(again.take(used(&nonce), Some(2), now.mono), Freshness::Stale);
    }

    #[test]
    fn a_nonce_is_good_where_it_was_given_to_and_nowhere_else() {
        let (mut nonces, mut random, now) = start();
        let nonce = nonces.issue(&mut random, here(), now.mono);
        for elsewhere in
            ["192.0.2.2:5060", "192.0.2.1:5061", "192.0.2.1:0", "[2001:db8::1]:5060", "[::192.0.2.1]:5060"]
        {
            let place = at(elsewhere);
            assert_eq!(nonces.look(&nonce, place, now.mono), Freshness::Stale, "{elsewhere}");
            let foreign = Use { place, ..used(&nonce) };
            assert_eq!(nonces.take(foreign, Some(1), now.mono), Freshness::Stale, "{elsewhere}");
        }
        assert!(!nonces.has_proved(used(&nonce), now.mono));
        assert_eq!(nonces.take(used(&nonce), Some(1), now.mono), Freshness::Fresh);
        assert!(nonces.has_proved(used(&nonce), now.mono));
        assert!(!nonces.has_proved(Use { user: USER + 1, ..used(&nonce) }, now.mono), "not that user");
        assert_eq!(nonces.look(&nonce, at("[::ffff:192.0.2.1]:5060"), now.mono), Freshness::Fresh);
        // A neighbour in the same network of IPv6 is somebody else.
        let nonce = nonces.issue(&mut random, at("[2001:db8::1]:5060"), now.mono);
        assert_eq!(nonces.look(&nonce, at("[2001:db8::2]:5060"), now.mono), Freshness::Stale);
        assert_eq!(nonces.look(&nonce, at("[2001:db8::1]:5060"), now.mono), Freshness::Fresh);
    }

    #[test]
    fn over_a_connection_the_address_is_shown_and_a_datagram_shows_nothing_by_itself() {
        let (nonces, mut random, now) = start();
        let by_datagram = nonces.issue(&mut random, here(), now.mono);
        let look = |nonce: &str, place| nonces.look(nonce, place, now.mono);
        assert_eq!(look(&by_datagram, connected("192.0.2.1:40000")), Freshness::Fresh);
        assert_eq!(look(&by_datagram, connected("192.0.2.2:5060")), Freshness::Stale);
        let by_stream = nonces.issue(&mut random, connected("192.0.2.1:5060"), now.mono);
        assert_eq!(look(&by_stream, connected("192.0.2.1:40001")), Freshness::Fresh, "another connection");
        for port in ["5060", "0", "28"] {
            assert_eq!(look(&by_stream, at(&format!("192.0.2.1:{port}"))), Freshness::Stale, "{port}");
        }
        let renamed = by_datagram.replace(".13c4.", ".13c5.");
        assert_eq!(look(&renamed, at("192.0.2.1:5061")), Freshness::Stale, "the check covers the port");
    }

    /// One of many users, each with as many nonces as allowed.
    fn one_of_many(number: usize) -> u128 {
        u128::try_from(100 + number / NONCES_PER_USER_MAX).unwrap()
    }

    #[test]
    fn memory_is_bounded_and_what_was_forgotten_does_not_count_again() {
        let (mut nonces, mut random, now) = start();
        let first = nonces.issue(&mut random, here(), now.mono);
        assert_eq!(nonces.take(used(&first), Some(1), now.mono), Freshness::Fresh);
        let unused = nonces.issue(&mut random, here(), now.plus(Duration::from_millis(1)).mono);
        for number in 0..NONCES_USED_MAX {
            let later = now.plus(Duration::from_millis(2 + u64::try_from(number).unwrap() / 100));
            let nonce = nonces.issue(&mut random, here(), later.mono);
            let used = Use { user: one_of_many(number), ..used(&nonce) };
            assert_eq!(nonces.take(used, Some(1), later.mono), Freshness::Fresh);
        }
        let later = now.plus(Duration::from_secs(2));
        assert_eq!(nonces.used.len(), NONCES_USED_MAX, "the first gave way");
        assert_eq!(nonces.take(used(&first), Some(2), later.mono), Freshness::Stale);
        assert_eq!(
            nonces.take(used(&unused), Some(1), later.mono),
            Freshness::Stale,
            "older than all of them"
        );
        let nonce = nonces.issue(&mut random, here(), later.mono);
        assert_eq!(nonces.take(used(&nonce), Some(1), later.mono), Freshness::Fresh);
        assert_eq!(nonces.used.len(), NONCES_USED_MAX);
        let names: usize = nonces.names.values().map(BTreeSet::len).sum();
        assert_eq!(names, NONCES_USED_MAX);
        let end = later.plus(NONCE_LIFETIME + Duration::from_secs(10));
        let nonce = nonces.issue(&mut random, here(), end.mono);
        assert_eq!(nonces.take(used(&nonce), Some(1), end.mono), Freshness::Fresh);
        assert_eq!((nonces.used.len(), nonces.names.len()), (1, 1), "what is over is let go");
    }

    #[test]
    fn one_user_makes_no_other_users_nonces_stale() {
        let (mut nonces, mut random, now) = start();
        let others = nonces.issue(&mut random, here(), now.mono);
        let other = |nonce| Use { user: USER + 1, ..used(nonce) };
        assert_eq!(nonces.take(other(&others), Some(1), now.mono), Freshness::Fresh);
        let mut own = Vec::new();
        for number in 0..3 * NONCES_PER_USER_MAX {
            let at = now.plus(Duration::from_millis(u64::try_from(number).unwrap() / 10)).mono;
            let nonce = nonces.issue(&mut random, here(), at);
            assert_eq!(nonces.take(used(&nonce), Some(1), at), Freshness::Fresh);
            own.push(nonce);
        }
        let later = now.plus(Duration::from_secs(1)).mono;
        assert_eq!(nonces.used.len(), NONCES_PER_USER_MAX + 1);
        assert_eq!(nonces.take(other(&others), Some(2), later), Freshness::Fresh);
        for (number, nonce) in own.iter().enumerate() {
            let is_kept = number >= 2 * NONCES_PER_USER_MAX;
            // Never again with the same count, whether that is known or was forgotten.
            assert_eq!(nonces.take(used(nonce), Some(1), later), Freshness::Stale, "{number}");
            let next = nonces.take(used(nonce), Some(2), later) == Freshness::Fresh;
            assert_eq!(next, is_kept, "{number}");
        }
        // Under another user's nonce, each user has counts of its own.
        assert_eq!(nonces.take(used(&others), Some(2), later), Freshness::Stale, "it is old for this one");
        let fresh = nonces.issue(&mut random, here(), later);
        assert_eq!(nonces.take(used(&fresh), Some(1), later), Freshness::Fresh);
        assert_eq!(nonces.take(other(&fresh), Some(1), later), Freshness::Fresh);
        assert_eq!(nonces.take(other(&fresh), Some(1), later), Freshness::Stale);
    }
}
