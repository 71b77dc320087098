//! Which destinations have agreed to be sent to, after RFC 9000 §8: a destination that somebody else named gets little
//! until it answers.
//!
//! The Contact of a REGISTER says where requests should go. For the address that the REGISTER came from, that counts,
//! since it returned a nonce that was sent there; any other address may belong to somebody who never asked. Such a
//! destination gets few transmissions of each request, one request per message whatever its names, and few requests a
//! minute, until it has answered one. An answer shows receipt, since it repeats a branch that nobody can guess.
//!
//! What a sender sends to an address that he named himself needs no consent; [`Unanswered`] bounds how many recipients of one
//! message, and how many attempts, an address gets that never answers.
//!
//! **Invariant:** this counts real destination addresses: a name, an `maddr` or a redirect changes nothing.

mod unanswered;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use self::unanswered::Unanswered;

use super::next_hop::{Consent, User};
use crate::limits::{
    DESTINATIONS_ANSWERED_MAX, DESTINATIONS_ANSWERED_REMEMBERED, DESTINATIONS_UNPROVEN_MAX,
    UNPROVEN_NETWORK_BRANCHES_MAX, UNPROVEN_NETWORK_REQUESTS_MAX, UNPROVEN_REQUESTS_MAX,
    UNPROVEN_REQUESTS_WITHIN, UNPROVEN_TRANSMISSIONS_MAX, neighbourhood,
};
use crate::machine::Flow;
use crate::sip::Method;

/// How much may be sent to a destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Allowance {
    /// No limit but Timer E.
    Full,
    /// At most so many transmissions.
    Few(u32),
    /// Nothing now.
    Nothing,
}

/// Who sends what to a destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trial {
    Datagrams,
    Connection,
}

/// See the module documentation.
#[derive(Debug, Default)]
pub(crate) struct Validation {
    /// Destinations that have answered, and when they last did.
    answered: BTreeMap<SocketAddr, Instant>,
    answered_by_age: BTreeSet<(Instant, SocketAddr)>,
    /// What was sent to addresses that have not agreed.
    unproven: Windows,
    /// The same by network, a /24 of IPv4 or a /48 of IPv6: many addresses may be one victim.
    networks: Windows,
    unanswered: Unanswered,
}

/// What was sent within the last minute, by where it went.
#[derive(Debug, Default)]
struct Windows {
    all: BTreeMap<IpAddr, Window>,
    by_age: BTreeSet<(Instant, IpAddr)>,
}

#[derive(Debug)]
struct Window {
    since: Instant,
    requests: Vec<(User, Trial)>,
    /// Requests that passed without a transaction.
    passed: BTreeMap<u128, Transmissions>,
}

/// How often an INVITE (or another request), its CANCEL and its ACK were sent.
#[derive(Debug, Default)]
struct Transmissions {
    request: u32,
    cancel: u32,
    ack: u32,
}

impl Window {
    fn count(&self, trial: Trial) -> usize {
        let passed = if trial == Trial::Datagrams { self.passed.len() } else { 0 };
        passed + self.requests.iter().filter(|(_, known)| *known == trial).count()
    }

    /// How many branches of that request there are.
    fn branches(&self, user: User, trial: Trial) -> usize {
        let is_branch = |other: &&(User, Trial)| other.1 == trial && is_same(other.0, user);
        self.requests.iter().filter(is_branch).count()
    }
}

impl Windows {
    /// What was sent to an address, or a network, within the last minute.
    fn at(&mut self, ip: IpAddr, now: Instant) -> &mut Window {
        self.forget_old(now);
        if !self.all.contains_key(&ip) {
            if self.all.len() >= DESTINATIONS_UNPROVEN_MAX
                && let Some((_, oldest)) = self.by_age.pop_first()
            {
                self.all.remove(&oldest);
            }
            self.by_age.insert((now, ip));
        }
        let new = || Window { since: now, requests: Vec::new(), passed: BTreeMap::new() };
        self.all.entry(ip).or_insert_with(new)
    }

    fn forget_old(&mut self, now: Instant) {
        while let Some((since, ip)) = self.by_age.first().copied()
            && now.saturating_duration_since(since) >= UNPROVEN_REQUESTS_WITHIN
        {
            self.by_age.remove(&(since, ip));
            if self.all.get(&ip).is_some_and(|window| window.since == since) {
                self.all.remove(&ip);
            }
        }
    }
}

impl Validation {
    /// How much of a request may be sent; counts it if it may.
    pub(crate) fn allow(
        &mut self,
        consent: Consent,
        (user, trial): (User, Trial),
        remote: SocketAddr,
        now: Instant,
    ) -> Allowance {
        if consent == Consent::BySender || self.has_agreed(consent, remote, now) {
            return Allowance::Full;
        }
        let ip = remote.ip().to_canonical();
        let (window, network) = (self.unproven.at(ip, now), self.networks.at(neighbourhood(ip), now));
        if window.count(trial) >= UNPROVEN_REQUESTS_MAX
            || window.branches(user, trial) > 0
            || network.count(trial) >= UNPROVEN_NETWORK_REQUESTS_MAX
            || network.branches(user, trial) >= UNPROVEN_NETWORK_BRANCHES_MAX
        {
            return Allowance::Nothing;
        }
        window.requests.push((user, trial));
        network.requests.push((user, trial));
        Allowance::Few(UNPROVEN_TRANSMISSIONS_MAX)
    }

    /// How much of a request with so many bytes may be sent to an address that its sender named; counts it if it may. `None`:
    /// it waits until that address answers.
    pub(crate) fn allow_named(
        &mut self,
        (user, bytes): (User, usize),
        remote: SocketAddr,
        now: Instant,
    ) -> Option<Allowance> {
        if self.has_answered(remote, now) {
            return Some(Allowance::Full);
        }
        self.unanswered.allow((user, bytes), remote.ip().to_canonical(), now)
    }

    /// Whether a request without a transaction may be sent once more; counts it if it may. A request, its CANCEL and
    /// its ACK share a key and count as one; too many transmissions of one of them are `Few(0)`.
    pub(crate) fn pass(
        &mut self,
        consent: Consent,
        (request, method): (u128, &Method),
        remote: SocketAddr,
        now: Instant,
    ) -> Allowance {
        if self.has_agreed(consent, remote, now) {
            return Allowance::Full;
        }
        let ip = remote.ip().to_canonical();
        let (window, network) = (self.unproven.at(ip, now), self.networks.at(neighbourhood(ip), now));
        if !window.passed.contains_key(&request) {
            if window.count(Trial::Datagrams) >= UNPROVEN_REQUESTS_MAX
                || network.count(Trial::Datagrams) >= UNPROVEN_NETWORK_REQUESTS_MAX
            {
                return Allowance::Nothing;
            }
            network.passed.entry(request).or_default();
        }
        let sent = window.passed.entry(request).or_default();
        let sent = match method {
            Method::Cancel => &mut sent.cancel,
            Method::Ack => &mut sent.ack,
            Method::Invite
            | Method::Bye
            | Method::Message
            | Method::Register
            | Method::Notify
            | Method::Options
            | Method::Subscribe
            | Method::Other(_) => &mut sent.request,
        };
        if *sent >= UNPROVEN_TRANSMISSIONS_MAX {
            return Allowance::Few(0);
        }
        *sent += 1;
        Allowance::Few(1)
    }

    /// Whether an address agreed to be sent to: by its registration, or by an answer.
    fn has_agreed(&self, consent: Consent, remote: SocketAddr, now: Instant) -> bool {
        consent.is_given_for(remote.ip()) || self.has_answered(remote, now)
    }

    /// True if something was sent to that address lately that had not agreed.
    pub(crate) fn is_trying(&self, remote: SocketAddr) -> bool {
        self.unproven.all.contains_key(&remote.ip().to_canonical())
    }

    /// A request that was sent over this flow was answered.
    pub(crate) fn answered(&mut self, flow: Flow, now: Instant) {
        self.unanswered.answered(flow.remote.ip().to_canonical());
        if let Some(before) = self.answered.insert(flow.remote, now) {
            self.answered_by_age.remove(&(before, flow.remote));
        }
        self.answered_by_age.insert((now, flow.remote));
        if self.answered.len() > DESTINATIONS_ANSWERED_MAX
            && let Some((_, oldest)) = self.answered_by_age.pop_first()
        {
            self.answered.remove(&oldest);
        }
    }

    fn has_answered(&self, remote: SocketAddr, now: Instant) -> bool {
        let last = self.answered.get(&remote);
        last.is_some_and(|at| now.saturating_duration_since(*at) < DESTINATIONS_ANSWERED_REMEMBERED)
    }
}

/// True for two branches of one request to one person.
fn is_same(one: User, other: User) -> bool {
    match (one, other) {
        (User::Leg { dispatch, recipient, .. }, User::Leg { dispatch: other, recipient: another, .. }) => {
            (dispatch, recipient) == (other, another)
        }
        (User::Relay { relay, .. }, User::Relay { relay: other, .. }) => relay == other,
        (one, other) => one == other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Clock;

    const CLIENT: &str = "192.0.2.9:5060";
    const THIRD: &str = "192.0.2.50:5060";

    fn consent() -> Consent {
        Consent::From(CLIENT.parse::<SocketAddr>().unwrap().ip())
    }

    fn relay(relay: u64, branch: u32) -> (User, Trial) {
        (User::Relay { relay, branch }, Trial::Datagrams)
    }

    fn flow(remote: &str) -> Flow {
        Flow::udp("192.0.2.100:5060".parse().unwrap(), remote.parse().unwrap())
    }

    #[test]
    fn where_it_registered_from_is_free_and_a_third_party_gets_little_until_it_answers() {
        let now = Clock::start().now().mono;
        let mut validation = Validation::default();
        let allow = |validation: &mut Validation, what, remote: &str, now| {
            validation.allow(consent(), what, remote.parse().unwrap(), now)
        };
        for remote in [CLIENT, "192.0.2.9:40000", "[::ffff:192.0.2.9]:5060"] {
            assert_eq!(allow(&mut validation, relay(1, 0), remote, now), Allowance::Full, "{remote}");
        }
        let few = Allowance::Few(UNPROVEN_TRANSMISSIONS_MAX);
        assert_eq!(allow(&mut validation, relay(1, 1), THIRD, now), few);
        // Another name or port of the same destination.
        for (branch, remote) in [(2, THIRD), (3, "192.0.2.50:5061"), (4, "[::ffff:192.0.2.50]:7")] {
            assert_eq!(allow(&mut validation, relay(1, branch), remote, now), Allowance::Nothing, "{remote}");
        }
        let connection = (relay(1, 5).0, Trial::Connection);
        assert_eq!(allow(&mut validation, connection, THIRD, now), few);
        for number in 2..=u64::try_from(UNPROVEN_REQUESTS_MAX).unwrap() {
            assert_eq!(allow(&mut validation, relay(number, 0), THIRD, now), few);
        }
        assert_eq!(allow(&mut validation, relay(99, 0), THIRD, now), Allowance::Nothing);
        assert_eq!(allow(&mut validation, relay(99, 1), "192.0.2.51:5060", now), few, "another one");
        let later = now + UNPROVEN_REQUESTS_WITHIN;
        assert_eq!(allow(&mut validation, relay(99, 2), THIRD, later), few);
        validation.answered(flow(THIRD), later);
        assert_eq!(allow(&mut validation, relay(99, 3), THIRD, later), Allowance::Full);
        assert_eq!(
            allow(&mut validation, relay(99, 4), "192.0.2.50:9", later),
            Allowance::Nothing,
            "its port"
        );
        let much_later = later + DESTINATIONS_ANSWERED_REMEMBERED;
        assert_eq!(allow(&mut validation, relay(100, 0), THIRD, much_later), few);
    }

    #[test]
    fn many_addresses_of_one_network_are_not_many_who_may_get_little() {
        let few = Allowance::Few(UNPROVEN_TRANSMISSIONS_MAX);
        for network in ["198.51.100.", "2001:db8:7:"] {
            let now = Clock::start().now().mono;
            let mut validation = Validation::default();
            let at = |number: usize| match network {
                "198.51.100." => format!("{network}{number}:5060"),
                _ => format!("[{network}{number:x}::1]:5060"),
            };
            let mut allow = |what, number: usize, now| {
                validation.allow(consent(), what, at(number).parse().unwrap(), now)
            };
            // Branches of one request.
            for number in 0..UNPROVEN_NETWORK_BRANCHES_MAX {
                assert_eq!(allow(relay(1, 0), number, now), few);
            }
            assert_eq!(allow(relay(1, 0), 200, now), Allowance::Nothing, "{network}");
            // Requests.
            for number in UNPROVEN_NETWORK_BRANCHES_MAX..UNPROVEN_NETWORK_REQUESTS_MAX {
                let request = u64::try_from(number + 10).unwrap();
                assert_eq!(allow(relay(request, 0), number, now), few, "{network}{number}");
            }
            assert_eq!(allow(relay(99, 0), 201, now), Allowance::Nothing, "{network}");
            assert_eq!(allow(relay(99, 0), 201, now + UNPROVEN_REQUESTS_WITHIN), few, "{network}");
            assert_eq!(
                validation.allow(consent(), relay(99, 1), "203.0.113.1:5060".parse().unwrap(), now),
                few
            );
        }
    }

    #[test]
    fn what_passes_without_a_transaction_is_counted_by_network_too() {
        let (now, mut validation) = (Clock::start().now().mono, Validation::default());
        let mut pass = |request: u128, number: u128| {
            let remote = format!("198.51.100.{number}:5060").parse().unwrap();
            validation.pass(consent(), (request, &Method::Invite), remote, now)
        };
        let most = u128::try_from(UNPROVEN_NETWORK_REQUESTS_MAX).unwrap();
        for number in 0..most {
            assert_eq!(pass(number, number), Allowance::Few(1));
        }
        assert_eq!(pass(most, most), Allowance::Nothing);
        assert_eq!(pass(0, 0), Allowance::Few(1), "a retransmission is nothing new");
    }

    #[test]
    fn what_is_remembered_has_an_end() {
        let now = Clock::start().now().mono;
        let mut validation = Validation::default();
        let remote = |number: usize| {
            let ip = std::net::Ipv4Addr::from_bits(u32::try_from(number).unwrap() + 1);
            SocketAddr::from((ip, 5060))
        };
        for number in 0..=DESTINATIONS_UNPROVEN_MAX {
            let relay = relay(u64::try_from(number).unwrap(), 0);
            validation.allow(consent(), relay, remote(number), now);
        }
        for number in 0..=DESTINATIONS_ANSWERED_MAX {
            validation.answered(flow(&remote(number).to_string()), now);
        }
        let full = DESTINATIONS_UNPROVEN_MAX;
        assert_eq!((validation.unproven.all.len(), validation.unproven.by_age.len()), (full, full));
        let full = DESTINATIONS_ANSWERED_MAX;
        assert_eq!((validation.answered.len(), validation.answered_by_age.len()), (full, full));
    }
}
