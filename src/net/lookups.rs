//! Name look-ups in progress: only a few at a time, each when its turn comes, and each name once, however many messages
//! of whoever pays for it wait for it.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::time::Instant;

use super::NetEvent;
use super::lookup_queue::{Joined, LookupQueue};
use super::name_cache::NameCache;
use super::resolve::{Name, Resolver};
use crate::machine::{Hop, LookupPayer, LookupTerms, ResolveId};

/// See the top of this file.
#[derive(Debug)]
pub(super) struct Lookups {
    resolver: Resolver,
    queue: Mutex<LookupQueue<oneshot::Sender<Arc<Semaphore>>>>,
    known: Mutex<NameCache>,
}

/// How a look-up is handled.
#[derive(Debug)]
pub(super) enum Lookup {
    /// The caller has to look it up with [`Lookups::look_up`].
    First(Turn),
    /// It was looked up a moment ago.
    Known(Vec<Hop>),
    /// It is being looked up already.
    Joined,
    /// Too many names are waiting.
    Full,
}

/// A look-up that waits for its turn.
#[derive(Debug)]
pub(super) struct Turn {
    payer: LookupPayer,
    name: Name,
    /// Says that it is there, with the permits for questions.
    begins: oneshot::Receiver<Arc<Semaphore>>,
}

impl Lookups {
    pub(super) fn new(server: Option<SocketAddr>) -> Self {
        Self { resolver: Resolver::new(server), queue: Mutex::default(), known: Mutex::default() }
    }

    /// Asks where a name leads.
    pub(super) fn join(&self, name: Name, id: ResolveId, terms: LookupTerms) -> Lookup {
        if let Some(hops) = self.known().get(&name, Instant::now().into_std()) {
            return Lookup::Known(hops);
        }
        let (ticket, begins) = oneshot::channel();
        let mut queue = self.queue();
        match queue.join((&name, id), &terms, ticket, Instant::now().into_std()) {
            Joined::First => {
                go_on(&mut queue);
                Lookup::First(Turn { payer: terms.payer, name, begins })
            }
            Joined::Again => Lookup::Joined,
            Joined::Full => Lookup::Full,
        }
    }

    /// Looks a name up when its turn comes, and tells everybody who waits for it.
    pub(super) async fn look_up(&self, turn: Turn, events: mpsc::Sender<NetEvent>) {
        let Turn { payer, name, begins } = turn;
        // Its turn does not come if nobody waits for it any more.
        let Ok(questions) = begins.await else { return };
        let found = self.resolver.look_up(&name, questions).await;
        if let Ok(found) = &found {
            self.known().put(&name, found, Instant::now().into_std());
        }
        let ids = {
            let mut queue = self.queue();
            let ids = queue.end(&payer, &name);
            go_on(&mut queue);
            ids
        };
        let event = |id| match &found {
            Ok(found) => NetEvent::Resolved { id, hops: found.hops.clone() },
            Err(why) => NetEvent::ResolveFailed { id, why: why.as_str().into() },
        };
        for id in ids {
            if events.send(event(id)).await.is_err() {
                return;
            }
        }
    }

    fn known(&self) -> MutexGuard<'_, NameCache> {
        // Ignoring poison is safe: at worst a name is looked up once more.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn queue(&self) -> MutexGuard<'_, LookupQueue<oneshot::Sender<Arc<Semaphore>>>> {
        // Ignoring poison is safe: nothing under this lock can leave the queue half changed.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Lets all look-ups begin that may.
fn go_on(queue: &mut LookupQueue<oneshot::Sender<Arc<Semaphore>>>) {
    while let Some((ticket, questions)) = queue.next(Instant::now().into_std()) {
        // Its task is gone only if all of them are.
        drop(ticket.send(questions));
    }
}
