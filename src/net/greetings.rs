//! TLS and WebSocket handshakes in progress on connections that peers opened (W31): each costs a task and some work
//! before it is known who the peer is. One address may begin only so many a second, and have only a part of them; when there
//! are too many, of one address or of all, the oldest is closed, so that peers who connect and say nothing keep nobody out.
//! They are computed on a thread of their own.

pub(super) mod thread;

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::task::AbortHandle;

use self::thread::Thread;
use crate::limits::{GREETING_NETWORKS_MAX, GREETINGS_AT_ONCE, GREETINGS_PER_SECOND, Rate, Rates, network};

/// See the top of this file.
#[derive(Debug)]
pub(super) struct Greetings {
    table: Arc<Mutex<Table>>,
    rates: Mutex<Rates<IpAddr>>,
    max: usize,
    per_address_max: usize,
    thread: Thread,
}

#[derive(Debug, Default)]
struct Table {
    last: u64,
    /// By number, so that the oldest comes first.
    all: BTreeMap<u64, Greeted>,
    /// The numbers of each address, or of each /64 of IPv6.
    by_network: BTreeMap<IpAddr, BTreeSet<u64>>,
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
        let rates = Mutex::new(Rates::new(GREETING_NETWORKS_MAX));
        Self { table: Arc::default(), rates, max, per_address_max, thread: Thread::default() }
    }

    /// Counts one more handshake of an address; false, and not counted, if that is too many a second. Without that, who
    /// connects without end would have every handshake of his neighbours behind the same NAT give way to his own.
    pub(super) fn may_begin(&self, ip: IpAddr, now: Instant) -> bool {
        let rate = Rate::per_second(GREETINGS_PER_SECOND, GREETINGS_AT_ONCE);
        locked(&self.rates).allows(network(ip), rate, now)
    }

    /// A peer has connected. If there are too many handshakes in progress, of its address or of all, the oldest gives way.
    pub(super) fn enter(&self, ip: IpAddr) -> HandshakeSlot {
        let mut table = locked(&self.table);
        let network = network(ip);
        let own = table.by_network.get(&network).filter(|own| own.len() >= self.per_address_max);
        let gives_way = match own {
            Some(own) => own.first(),
            None if table.all.len() >= self.max => table.all.keys().next(),
            None => None,
        };
        if let Some(first) = gives_way.copied() {
            tracing::debug!(%ip, "too many handshakes: the first one is hung up on");
            table.hang_up_on(first);
        }
        table.last += 1;
        let number = table.last;
        table.all.insert(number, Greeted { network, task: None });
        table.by_network.entry(network).or_default().insert(number);
        HandshakeSlot { table: Arc::clone(&self.table), number }
    }

    /// Closes the oldest one; false if there is none.
    pub(super) fn hang_up_on_the_first(&self) -> bool {
        let mut table = locked(&self.table);
        let first = table.all.keys().next().copied();
        first.is_some_and(|first| table.hang_up_on(first))
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

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Ignoring poison is safe: nothing under these locks can leave a table half changed.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Table {
    fn leave(&mut self, number: u64) -> Option<AbortHandle> {
        let Greeted { network, task } = self.all.remove(&number)?;
        if let Some(own) = self.by_network.get_mut(&network) {
            own.remove(&number);
            if own.is_empty() {
                self.by_network.remove(&network);
            }
        }
        task
    }

    /// False if its task has not started; it will not, then.
    fn hang_up_on(&mut self, number: u64) -> bool {
        self.leave(number).inspect(AbortHandle::abort).is_some()
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
    use std::time::Duration;

    use super::*;
    use crate::limits::RETRY_FIRST;
    use crate::random::Random;
    use crate::time::Clock;

    fn numbers(greetings: &Greetings) -> Vec<u64> {
        locked(&greetings.table).all.keys().copied().collect()
    }

    #[test]
    fn w31_one_address_has_its_part_of_the_handshakes_and_the_first_one_makes_room() {
        let greetings = Greetings::new(3, 2);
        let [a, b, c]: [IpAddr; 3] = ["192.0.2.1", "192.0.2.2", "192.0.2.3"].map(|ip| ip.parse().unwrap());
        let other = greetings.enter(b);
        let [first, second] = [greetings.enter(a), greetings.enter(a)];
        let third = greetings.enter(a);
        assert_eq!(
            numbers(&greetings),
            [other.number(), second.number(), third.number()],
            "its own oldest, not that of another address"
        );
        let fourth = greetings.enter(c);
        assert_eq!(numbers(&greetings), [second.number(), third.number(), fourth.number()]);
        drop(first);
        let left = locked(&greetings.table).by_network.get(&a).map(BTreeSet::len);
        assert_eq!(left, Some(2), "what was hung up on is not counted twice");
        drop((other, second, third, fourth));
        let table = locked(&greetings.table);
        assert!(table.all.is_empty() && table.by_network.is_empty(), "{table:?}");
    }

    #[test]
    fn w31_one_64_of_ipv6_is_one_address() {
        let greetings = Greetings::new(9, 1);
        let _one = greetings.enter("2001:db8::1".parse().unwrap());
        let next = greetings.enter("2001:db8::ffff".parse().unwrap());
        let far = greetings.enter("2001:db8:0:1::1".parse().unwrap());
        assert_eq!(numbers(&greetings), [next.number(), far.number()]);
    }

    #[test]
    fn w31_one_address_begins_a_hundred_handshakes_at_once_and_then_twenty_a_second() {
        let greetings = Greetings::new(1000, 100);
        let start = Clock::start().now().mono;
        let begun = |ip: &str, millis: u64| {
            let (ip, now) = (ip.parse().unwrap(), start + Duration::from_millis(millis));
            (0..500).filter(|_| greetings.may_begin(ip, now)).count()
        };
        assert_eq!(begun("192.0.2.1", 0), 100);
        assert_eq!(begun("192.0.2.2", 0), 100, "each for itself");
        assert_eq!((begun("2001:db8::1", 0), begun("2001:db8::2", 0)), (100, 0), "a /64 is one");
        assert_eq!(begun("192.0.2.1", 1000), 20, "those that were refused cost nothing");
        assert_eq!(begun("192.0.2.1", 60_000), 100);
    }

    #[test]
    fn w31_500_clients_behind_one_nat_are_all_in_within_half_a_minute() {
        let greetings = Greetings::new(1000, 100);
        let (ip, start) = ("192.0.2.1".parse().unwrap(), Clock::start().now().mono);
        let mut random = Random::from_seed(10);
        // Their server was away; each tries again as our client does.
        let mut tries: BTreeSet<(Duration, u32, u32)> =
            (0..500).map(|client| (Duration::ZERO, client, 0)).collect();
        let mut last = Duration::ZERO;
        while let Some((at, client, failures)) = tries.pop_first() {
            last = at;
            if !greetings.may_begin(ip, start + at) {
                let wait = random.jitter(RETRY_FIRST * 2_u32.pow(failures));
                tries.insert((at + wait, client, failures + 1));
            }
        }
        assert!(last < Duration::from_secs(31), "{last:?}");
    }
}
