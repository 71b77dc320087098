//! TLS and WebSocket handshakes in progress on connections that peers opened (W31): each costs a task and some work
//! before it is known who the peer is. One address may have only a part of them; when there are too many, the oldest is
//! closed, so that peers who connect and say nothing keep nobody out. They are computed on a thread of their own.

pub(super) mod thread;

use std::collections::BTreeMap;
use std::future::Future;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::task::AbortHandle;

use self::thread::Thread;
use crate::limits::network;

/// See the top of this file.
#[derive(Debug)]
pub(super) struct Greetings {
    table: Arc<Mutex<Table>>,
    max: usize,
    per_address_max: usize,
    thread: Thread,
}

#[derive(Debug, Default)]
struct Table {
    last: u64,
    /// By number, so that the oldest comes first.
    all: BTreeMap<u64, Greeted>,
    /// The count for each address, or each /64 of IPv6.
    counts: BTreeMap<IpAddr, usize>,
}

#[derive(Debug)]
struct Greeted {
    network: IpAddr,
    task: Option<AbortHandle>,
}

/// The slot of one handshake; released when it is dropped.
#[derive(Debug)]
pub(super) struct HandshakeSlot {
    /// Not all of [`Greetings`]: the task that holds this slot must not keep its own thread alive.
    table: Arc<Mutex<Table>>,
    number: u64,
}

impl Greetings {
    pub(super) fn new(max: usize, per_address_max: usize) -> Self {
        Self { table: Arc::default(), max, per_address_max, thread: Thread::default() }
    }

    /// A peer has connected. None if its address has too many handshakes in progress.
    pub(super) fn enter(&self, ip: IpAddr) -> Option<HandshakeSlot> {
        let mut table = locked(&self.table);
        let network = network(ip);
        if table.counts.get(&network).is_some_and(|count| *count >= self.per_address_max) {
            tracing::debug!(%ip, "too many handshakes of one address");
            return None;
        }
        if table.all.len() >= self.max
            && let Some(first) = table.all.keys().next().copied()
            && let Some(task) = table.leave(first)
        {
            tracing::debug!("too many handshakes: the first one is hung up on");
            task.abort();
        }
        table.last += 1;
        let number = table.last;
        table.all.insert(number, Greeted { network, task: None });
        *table.counts.entry(network).or_default() += 1;
        Some(HandshakeSlot { table: Arc::clone(&self.table), number })
    }

    /// Closes the oldest one; false if there is none.
    pub(super) fn hang_up_on_the_first(&self) -> bool {
        let mut table = locked(&self.table);
        let first = table.all.keys().next().copied();
        let task = first.and_then(|first| table.leave(first));
        task.inspect(AbortHandle::abort).is_some()
    }

    /// Computes a handshake on the thread for that, where it can be aborted from here.
    pub(super) fn serve(&self, number: u64, handshake: impl Future<Output = ()> + Send + 'static) {
        let task = self.thread.spawn(handshake);
        match locked(&self.table).all.get_mut(&number) {
            Some(greeted) => greeted.task = Some(task),
            // It has ended, or has made room for others.
            None => task.abort(),
        }
    }
}

fn locked(table: &Mutex<Table>) -> MutexGuard<'_, Table> {
    // Ignoring poison is safe: nothing under this lock can leave the table half changed.
    table.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Table {
    fn leave(&mut self, number: u64) -> Option<AbortHandle> {
        let Greeted { network, task } = self.all.remove(&number)?;
        if let Some(count) = self.counts.get_mut(&network) {
            *count -= 1;
            if *count == 0 {
                self.counts.remove(&network);
            }
        }
        task
    }
}

impl HandshakeSlot {
    pub(super) const fn number(&self) -> u64 {
        self.number
    }
}

impl Drop for HandshakeSlot {
    fn drop(&mut self) {
        locked(&self.table).leave(self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn w31_one_address_has_its_part_of_the_handshakes_and_the_first_one_makes_room() {
        let greetings = Greetings::new(3, 2);
        let [a, b, c]: [IpAddr; 3] = ["192.0.2.1", "192.0.2.2", "192.0.2.3"].map(|ip| ip.parse().unwrap());
        let first = greetings.enter(a).unwrap();
        let second = greetings.enter(a).unwrap();
        assert!(greetings.enter(a).is_none(), "its part");
        let third = greetings.enter(b).unwrap();
        let fourth = greetings.enter(c).unwrap();
        let numbers: Vec<_> = locked(&greetings.table).all.keys().copied().collect();
        assert_eq!(numbers, [second.number(), third.number(), fourth.number()]);
        drop(first);
        assert_eq!(
            locked(&greetings.table).counts.get(&a),
            Some(&1),
            "what was hung up on is not counted twice"
        );
        drop((second, third, fourth));
        let table = locked(&greetings.table);
        assert!(table.all.is_empty() && table.counts.is_empty(), "{table:?}");
    }

    #[test]
    fn w31_one_64_of_ipv6_is_one_address() {
        let greetings = Greetings::new(9, 1);
        let _one = greetings.enter("2001:db8::1".parse().unwrap()).unwrap();
        assert!(greetings.enter("2001:db8::ffff".parse().unwrap()).is_none());
        assert!(greetings.enter("2001:db8:0:1::1".parse().unwrap()).is_some());
    }
}
