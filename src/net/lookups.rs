//! Name look-ups in progress: only a few at a time, and each name once, however many ask for it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::{Semaphore, mpsc};

use super::NetEvent;
use super::resolve::{Name, Resolver};
use crate::limits::{LOOKUPS_MAX, LOOKUPS_WAITING_MAX};
use crate::machine::ResolveId;

/// See the top of this file.
#[derive(Debug)]
pub(super) struct Lookups {
    resolver: Resolver,
    /// Who waits for each name.
    waiting: Mutex<BTreeMap<Name, Vec<ResolveId>>>,
    free: Semaphore,
}

/// How a look-up is handled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lookup {
    /// The caller has to look it up with [`Lookups::look_up`].
    First,
    /// It is being looked up already.
    Joined,
    /// Too many names are waiting.
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

    /// Asks where a name leads.
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

    /// Looks a name up when its turn comes, and tells everybody who waits for it.
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
        // Ignoring poison is safe: nothing under this lock can leave the table half changed.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
