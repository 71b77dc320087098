//! Look-ups of names under way: few at a time, each name once however many ask for it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::{Semaphore, mpsc};

use super::NetEvent;
use super::resolve::{Name, Resolver};
use crate::limits::{LOOKUPS_MAX, LOOKUPS_WAITING_MAX};
use crate::machine::ResolveId;

/// See the head of this file.
#[derive(Debug)]
pub(super) struct Lookups {
    resolver: Resolver,
    /// Who waits for which name.
    waiting: Mutex<BTreeMap<Name, Vec<ResolveId>>>,
    free: Semaphore,
}

/// What becomes of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lookup {
    /// It is to be looked up: call [`Lookups::look_up`].
    First,
    /// It is being looked up for somebody else.
    Joined,
    /// Too many names wait.
    Full,
}

impl Lookups {
    pub(super) fn new(server: Option<SocketAddr>) -> Self {
        Self {
            resolver: Resolver::new(server),
            waiting: Mutex::new(BTreeMap::new()),
            free: Semaphore::new(LOOKUPS_MAX),
        }
    }

    /// Somebody wants to know where a name leads.
    pub(super) fn join(&self, name: &Name, id: ResolveId) -> Lookup {
        let mut waiting = self.waiting();
        if let Some(ids) = waiting.get_mut(name) {
            ids.push(id);
            return Lookup::Joined;
        }
        if waiting.len() >= LOOKUPS_WAITING_MAX {
            return Lookup::Full;
        }
        waiting.insert(name.clone(), vec![id]);
        Lookup::First
    }

    /// Looks a name up when it is its turn, and tells all who wait for it.
    pub(super) async fn look_up(&self, name: Name, events: mpsc::Sender<NetEvent>) {
        let Ok(free) = self.free.acquire().await else { return };
        let found = self.resolver.look_up(&name).await;
        drop(free);
        let ids = self.waiting().remove(&name).unwrap_or_default();
        let event = |id| match &found {
            Ok(hops) => NetEvent::Resolved { id, hops: hops.clone() },
            Err(why) => NetEvent::ResolveFailed { id, why: why.as_str().into() },
        };
        for id in ids {
            if events.send(event(id)).await.is_err() {
                return;
            }
        }
    }

    fn waiting(&self) -> MutexGuard<'_, BTreeMap<Name, Vec<ResolveId>>> {
        // Nothing that is done under the lock leaves the table half changed.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
