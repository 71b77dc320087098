//! Requests that have no flow yet: what each has asked the world for, where it may go then, and until when it waits.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use super::{Rest, User};
use crate::machine::{ConnectId, Flow, ResolveId};

/// One request that waits.
#[derive(Debug)]
pub(super) struct Wait {
    pub(super) asked: Question,
    pub(super) rest: Rest,
    /// Nothing but TLS will do (W32).
    pub(super) is_sips: bool,
    /// The request is large for a datagram, so that a stream is tried in its place (W4).
    pub(super) large: Option<Large>,
    pub(super) ends: Instant,
}

/// A request that is large for a datagram.
#[derive(Clone, Copy, Debug)]
pub(super) struct Large {
    /// Where its datagram would go.
    pub(super) flow: Flow,
    /// Whether a datagram holds it at all.
    pub(super) fits: bool,
}

/// What the world was asked for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Question {
    Connect(ConnectId),
    Resolve(ResolveId),
}

/// All of them, found by the answer that they wait for and by the end of their patience.
#[derive(Debug, Default)]
pub(super) struct OpenQuestions {
    all: BTreeMap<User, Wait>,
    connects: BTreeMap<ConnectId, User>,
    resolves: BTreeMap<ResolveId, User>,
    ends: BTreeSet<(Instant, User)>,
}

impl OpenQuestions {
    pub(super) fn add(&mut self, user: User, wait: Wait) {
        match wait.asked {
            Question::Connect(id) => drop(self.connects.insert(id, user)),
            Question::Resolve(id) => drop(self.resolves.insert(id, user)),
        }
        self.ends.insert((wait.ends, user));
        self.all.insert(user, wait);
    }

    /// Who waits for that connection.
    pub(super) fn take_connect(&mut self, id: ConnectId) -> Option<(User, Wait)> {
        let user = *self.connects.get(&id)?;
        self.take(user)
    }

    /// Who waits for that route.
    pub(super) fn take_resolve(&mut self, id: ResolveId) -> Option<(User, Wait)> {
        let user = *self.resolves.get(&id)?;
        self.take(user)
    }

    /// One who has waited long enough.
    pub(super) fn take_due(&mut self, now: Instant) -> Option<(User, Wait)> {
        let (_, user) = *self.ends.first().filter(|(ends, _)| *ends <= now)?;
        self.take(user)
    }

    /// When the first one has.
    pub(super) fn first_end(&self) -> Option<Instant> {
        self.ends.first().map(|(ends, _)| *ends)
    }

    fn take(&mut self, user: User) -> Option<(User, Wait)> {
        let wait = self.all.remove(&user)?;
        self.ends.remove(&(wait.ends, user));
        match wait.asked {
            Question::Connect(id) => drop(self.connects.remove(&id)),
            Question::Resolve(id) => drop(self.resolves.remove(&id)),
        }
        Some((user, wait))
    }
}
