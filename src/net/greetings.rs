//! TLS and WebSocket handshakes in progress on connections that peers opened (W31): each costs a task and some work
//! before it is known who the peer is. One address may have only a part of them; when there are too many, the oldest is
//! closed, so that peers who connect and say nothing keep nobody out.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::task::AbortHandle;

use crate::limits::network;

/// See the top of this file.
#[derive(Debug)]
pub(super) struct Greetings {
    table: Mutex<Table>,
    max: usize,
    per_address_max: usize,
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
    greetings: Arc<Greetings>,
    number: u64,
}

impl Greetings {
    pub(super) fn new(max: usize, per_address_max: usize) -> Self {
        Self { table: Mutex::new(Table::default()), max, per_address_max }
    }

    /// A peer has connected. None if its address has too many handshakes in progress.
    pub(super) fn enter(greetings: &Arc<Self>, ip: IpAddr) -> Option<HandshakeSlot> {
        let mut table = greetings.table();
        let network = network(ip);
        if table.counts.get(&network).is_some_and(|count| *count >= greetings.per_address_max) {
            tracing::debug!(%ip, "too many handshakes of one address");
            return None;
        }
        if table.all.len() >= greetings.max
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
        Some(HandshakeSlot { greetings: Arc::clone(greetings), number })
    }

    /// Closes the oldest one; false if there is none.
    pub(super) fn hang_up_on_the_first(&self) -> bool {
        let mut table = self.table();
        let first = table.all.keys().next().copied();
        let task = first.and_then(|first| table.leave(first));
        task.inspect(AbortHandle::abort).is_some()
    }

    /// Registers the task of a handshake, so that it can be aborted from here.
    pub(super) fn served_by(&self, number: u64, task: AbortHandle) {
        if let Some(greeted) = self.table().all.get_mut(&number) {
            greeted.task = Some(task);
        }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        // Ignoring poison is safe: nothing under this lock can leave the table half changed.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
        self.greetings.table().leave(self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn w31_one_address_has_its_part_of_the_handshakes_and_the_first_one_makes_room() {
        let greetings = Arc::new(Greetings::new(3, 2));
        let [a, b, c]: [IpAddr; 3] = ["192.0.2.1", "192.0.2.2", "192.0.2.3"].map(|ip| ip.parse().unwrap());
        let first = Greetings::enter(&greetings, a).unwrap();
        let second = Greetings::enter(&greetings, a).unwrap();
        assert!(Greetings::enter(&greetings, a).is_none(), "its part");
        let third = Greetings::enter(&greetings, b).unwrap();
        let fourth = Greetings::enter(&greetings, c).unwrap();
        let numbers: Vec<_> = greetings.table().all.keys().copied().collect();
        assert_eq!(numbers, [second.number(), third.number(), fourth.number()]);
        drop(first);
        assert_eq!(greetings.table().counts.get(&a), Some(&1), "what was hung up on is not counted twice");
        drop((second, third, fourth));
        let table = greetings.table();
        assert!(table.all.is_empty() && table.counts.is_empty(), "{table:?}");
    }

    #[test]
    fn w31_one_64_of_ipv6_is_one_address() {
        let greetings = Arc::new(Greetings::new(9, 1));
        let _one = Greetings::enter(&greetings, "2001:db8::1".parse().unwrap()).unwrap();
        assert!(Greetings::enter(&greetings, "2001:db8::ffff".parse().unwrap()).is_none());
        assert!(Greetings::enter(&greetings, "2001:db8:0:1::1".parse().unwrap()).is_some());
    }
}
