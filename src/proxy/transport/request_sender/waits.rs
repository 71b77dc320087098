//! Requests without a flow yet: what each has asked the outside world, where it may go then, and how long it waits.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::time::Instant;

use super::{RequestSender, Rest, User};
use crate::limits::{DIALS_PER_PAYER_MAX, UNANSWERED_LEGS_MAX};
use crate::machine::{ConnectId, Flow, Hop, ResolveId};
use crate::proxy::journal::DispatchId;

/// A request that waits.
#[derive(Debug)]
pub(super) struct Wait {
    pub(super) asked: Question,
    pub(super) rest: Rest,
    /// Only TLS is allowed (W32).
    pub(super) is_sips: bool,
    /// Set if the request is too large for UDP, so that a stream is tried instead (W4).
    pub(super) large: Option<Large>,
    pub(super) ends: Instant,
}

/// A request that is too large for UDP.
#[derive(Clone, Copy, Debug)]
pub(super) struct Large {
    /// The flow on which its datagram would go.
    pub(super) flow: Flow,
    /// Whether it fits a datagram at all.
    pub(super) fits: bool,
}

/// No user of a request is lower.
const LOWEST: User = User::Leg { dispatch: DispatchId(0), recipient: 0, branch: 0 };

/// What was asked for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Question {
    Connect(ConnectId),
    Resolve(ResolveId),
    /// Whether anybody is there: it waits for the answer to another request over this flow.
    Answer(Flow),
    /// Nothing yet: whoever sends it has many connections opened, and it waits for one of them before that to this hop.
    Turn(Hop),
}

/// All waiting requests, by the answer that they wait for and by their deadline.
#[derive(Debug, Default)]
pub(super) struct OpenQuestions {
    all: BTreeMap<User, Wait>,
    connects: BTreeMap<ConnectId, User>,
    resolves: BTreeMap<ResolveId, User>,
    answers: BTreeSet<(SocketAddr, User)>,
    /// How many connections are being opened, by payer.
    dials: BTreeMap<u128, usize>,
    /// The requests of each payer that wait for their turn, in order; those that have ended meanwhile are in it too.
    turns: BTreeMap<u128, VecDeque<User>>,
    /// Payers of whom a connection is decided.
    decided: Vec<u128>,
    ends: BTreeSet<(Instant, User)>,
}

impl RequestSender {
    /// How many requests wait for a connection or a look-up.
    pub(crate) fn waiting_count(&self) -> usize {
        self.waits.all.len()
    }
}

impl OpenQuestions {
    pub(super) fn add(&mut self, user: User, wait: Wait) {
        match wait.asked {
            Question::Connect(id) => {
                self.connects.insert(id, user);
                *self.dials.entry(wait.rest.payer).or_default() += 1;
            }
            Question::Resolve(id) => drop(self.resolves.insert(id, user)),
            Question::Answer(flow) => drop(self.answers.insert((flow.remote, user))),
            Question::Turn(_) => self.turns.entry(wait.rest.payer).or_default().push_back(user),
        }
        self.ends.insert((wait.ends, user));
        self.all.insert(user, wait);
    }

    /// The request that waits for this connection.
    pub(super) fn take_connect(&mut self, id: ConnectId) -> Option<(User, Wait)> {
        let user = *self.connects.get(&id)?;
        self.take(user)
    }

    /// The request that waits for this lookup.
    pub(super) fn take_resolve(&mut self, id: ResolveId) -> Option<(User, Wait)> {
        let user = *self.resolves.get(&id)?;
        self.take(user)
    }

    /// The requests that waited for an answer from there: all of them, and as many as may be tried at other ports.
    pub(super) fn take_answered(&mut self, remote: SocketAddr) -> Vec<(User, Wait)> {
        let (first, last) = (SocketAddr::new(remote.ip(), 0), SocketAddr::new(remote.ip(), u16::MAX));
        let is_there = |place: &SocketAddr| (first..=last).contains(place);
        let from_first = || self.answers.range((first, LOWEST)..).take_while(|(place, _)| is_there(place));
        let others = from_first().filter(|(place, _)| *place != remote).take(UNANSWERED_LEGS_MAX);
        let there = self.answers.range((remote, LOWEST)..).take_while(|(place, _)| *place == remote);
        let users: Vec<_> = there.chain(others).map(|(_, user)| *user).collect();
        users.into_iter().filter_map(|user| self.take(user)).collect()
    }

    /// True if that payer has as many connections opened at a time as one may.
    pub(super) fn has_all_dials(&self, payer: u128) -> bool {
        self.dials.get(&payer).is_some_and(|dials| *dials >= DIALS_PER_PAYER_MAX)
    }

    fn decided(&mut self, payer: u128) {
        if let Some(dials) = self.dials.get_mut(&payer) {
            *dials -= 1;
            if *dials == 0 {
                self.dials.remove(&payer);
            }
        }
        if self.turns.contains_key(&payer) {
            self.decided.push(payer);
        }
    }

    /// A request whose turn it is to have a connection opened.
    pub(super) fn take_turn(&mut self) -> Option<(User, Hop, Wait)> {
        while let Some(payer) = self.decided.pop() {
            while !self.has_all_dials(payer)
                && let Some(user) = self.turns.get_mut(&payer).and_then(VecDeque::pop_front)
            {
                // Otherwise it has ended.
                let Some(Question::Turn(hop)) = self.all.get(&user).map(|wait| wait.asked) else { continue };
                if let Some((user, wait)) = self.take(user) {
                    return Some((user, hop, wait));
                }
            }
            if self.turns.get(&payer).is_some_and(VecDeque::is_empty) {
                self.turns.remove(&payer);
            }
        }
        None
    }

    /// A request whose deadline has passed.
    pub(super) fn take_due(&mut self, now: Instant) -> Option<(User, Wait)> {
        let (_, user) = *self.ends.first().filter(|(ends, _)| *ends <= now)?;
        self.take(user)
    }

    /// The earliest deadline.
    pub(super) fn first_end(&self) -> Option<Instant> {
        self.ends.first().map(|(ends, _)| *ends)
    }

    fn take(&mut self, user: User) -> Option<(User, Wait)> {
        let wait = self.all.remove(&user)?;
        self.ends.remove(&(wait.ends, user));
        match wait.asked {
            Question::Connect(id) => {
                self.connects.remove(&id);
                self.decided(wait.rest.payer);
            }
            Question::Resolve(id) => drop(self.resolves.remove(&id)),
            Question::Answer(flow) => drop(self.answers.remove(&(flow.remote, user))),
            Question::Turn(_) => {}
        }
        Some((user, wait))
    }
}
