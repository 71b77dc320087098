//! The connection pool: connections by number and by peer; reuse, limits, closing.

use std::collections::BTreeMap;
use std::future::Future;
use std::net::IpAddr;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use bytes::Bytes;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::AbortHandle;

use super::NetEvent;
use super::backlog::{Backlog, Burden};
use super::descriptors::Shortage;
use super::inbound_limits::{InboundPeers, StreamLimits};
use super::outbound_peers::OutboundPeers;
use super::write_queue::{Unwritten, WriteQueue, write_queue};
use crate::limits::{DIALS_MAX, STREAM_BYTES_WAITING_MAX, network};
use crate::machine::{ConnectId, ConnectionId, Flow, Hop};

/// Who opened a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opened {
    ByUs,
    ByPeer,
}

/// The result of asking for a connection.
#[derive(Debug)]
pub(super) enum Attempt {
    /// One is open.
    Open(Flow),
    /// One is being opened already.
    Joined,
    /// The caller has to open one.
    Dial,
    /// There are too many connections.
    Full,
}

/// The other end of a connection: a hop, and the domain that its certificate must name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Peer {
    pub(super) hop: Hop,
    /// None without TLS, and if the certificate names the address.
    pub(super) domain: Option<Arc<str>>,
}

impl Peer {
    /// The peer of a stream without TLS, known by its address only.
    pub(super) const fn at(flow: Flow) -> Self {
        Self { hop: Hop { transport: flow.transport, remote: flow.remote }, domain: None }
    }

    /// The peer that a machine asks for.
    pub(super) fn wanted(hop: Hop, domain: Option<Arc<str>>) -> Self {
        Self { hop, domain: domain.filter(|_| hop.transport.is_secure()) }
    }
}

/// The writing end of one connection.
#[derive(Debug)]
struct Writer {
    flow: Flow,
    /// The peer it can be reused for; none for one accepted under TLS.
    peer: Option<Peer>,
    opened: Opened,
    queue: WriteQueue,
    task: Option<AbortHandle>,
}

/// The serving task's end of a connection's queue.
#[derive(Debug)]
pub(super) struct Outbound {
    pub(super) flow: Flow,
    pub(super) opened: Opened,
    pub(super) queue: Unwritten,
}

/// Why bytes were not queued for a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotQueued {
    /// Too much waits there already; the connection stays.
    NoRoom,
    /// The connection is closed.
    Closed,
}

#[derive(Debug, Default)]
struct Table {
    /// The latest number given out. Flows are stored, so numbers must differ from those of earlier runs.
    last: u64,
    closed: bool,
    writers: BTreeMap<ConnectionId, Writer>,
    inbound: InboundPeers,
    outbound: OutboundPeers,
    /// Bytes waiting to be written, by address.
    backlogs: BTreeMap<IpAddr, Weak<AtomicUsize>>,
    by_peer: BTreeMap<Peer, ConnectionId>,
    dialing: BTreeMap<Peer, Vec<ConnectId>>,
}

impl Table {
    /// The bytes waiting for all connections with that address.
    fn backlog_of(&mut self, ip: IpAddr) -> Arc<AtomicUsize> {
        if self.backlogs.len() > 2 * self.writers.len() + 16 {
            self.backlogs.retain(|_, backlog| backlog.strong_count() > 0);
        }
        let known = self.backlogs.entry(network(ip)).or_default();
        known.upgrade().unwrap_or_else(|| {
            let backlog = Arc::default();
            *known = Arc::downgrade(&backlog);
            backlog
        })
    }
}

/// All connections of one [`super::Net`].
#[derive(Debug)]
pub(super) struct Connections {
    table: Mutex<Table>,
    sender: mpsc::Sender<NetEvent>,
    /// Room for bytes of messages not yet taken by the machine.
    room: Semaphore,
    /// Bytes waiting to be written, beyond each connection's free allowance.
    queued: Arc<AtomicUsize>,
    limits: StreamLimits,
    pub(super) shortage: Shortage,
}

impl Connections {
    /// `before_first`: all numbers given out are larger than this.
    pub(super) fn new(sender: mpsc::Sender<NetEvent>, before_first: u64, limits: StreamLimits) -> Self {
        let table = Mutex::new(Table { last: before_first, ..Table::default() });
        let (room, queued) = (Semaphore::new(STREAM_BYTES_WAITING_MAX), Arc::default());
        Self { table, sender, room, queued, limits, shortage: Shortage::default() }
    }

    /// The limits that the tasks obey.
    pub(super) const fn limits(&self) -> StreamLimits {
        self.limits
    }

    /// Where the tasks send their events.
    pub(super) const fn events(&self) -> &mpsc::Sender<NetEvent> {
        &self.sender
    }

    /// Queues a message for the machine, once there is room for it.
    pub(super) async fn deliver(&self, flow: Flow, bytes: Bytes) -> Result<(), ()> {
        let size = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        let room = self.room.acquire_many(size).await.map_err(|_closed| ())?;
        self.sender.send(NetEvent::Received { flow, bytes }).await.map_err(|_closed| ())?;
        // Released by `taken`.
        room.forget();
        Ok(())
    }

    /// The machine has taken this event.
    pub(super) fn taken(&self, event: &NetEvent) {
        if let NetEvent::Received { flow, bytes } = event
            && flow.connection.is_some()
        {
            self.room.add_permits(bytes.len());
        }
    }

    /// A complete message has arrived on this connection.
    pub(super) fn spoke(&self, flow: Flow) {
        if let Some(connection) = flow.connection {
            let table = &mut *self.table();
            table.inbound.spoke(flow.remote.ip(), connection);
            table.outbound.spoke(connection);
        }
    }

    /// An incomplete message on a connection has that many bytes now; others may be closed for it. False if that is too
    /// much.
    pub(super) fn hold(&self, flow: Flow, bytes: usize) -> bool {
        let Some(connection) = flow.connection else { return true };
        let closed: Option<Vec<Flow>> = {
            let mut table = self.table();
            let closed = table.inbound.hold((flow.remote.ip(), connection), bytes, self.limits);
            closed.map(|closed| {
                closed.iter().filter_map(|id| table.writers.get(id)).map(|it| it.flow).collect()
            })
        };
        let Some(closed) = closed else { return false };
        for flow in closed {
            tracing::debug!(%flow, "too much is half said, and most of it there");
            self.close(flow);
        }
        true
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        // Ignoring poison is safe: nothing under this lock can leave the table half changed.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks for a connection to a peer.
    pub(super) fn find_or_dial(&self, id: ConnectId, peer: &Peer) -> Attempt {
        let mut table = self.table();
        let open = table.by_peer.get(peer).and_then(|connection| table.writers.get(connection));
        if let Some(writer) = open {
            return Attempt::Open(writer.flow);
        }
        if let Some(waiting) = table.dialing.get_mut(peer) {
            waiting.push(id);
            return Attempt::Joined;
        }
        // Of those that we opened, one makes room.
        let is_full = table.outbound.is_empty()
            && table.writers.len() + table.dialing.len() >= self.limits.connections_max;
        if is_full || table.dialing.len() >= DIALS_MAX {
            tracing::debug!(remote = %peer.hop.remote, "too many connections, or too many being opened: no further one");
            return Attempt::Full;
        }
        table.dialing.insert(peer.clone(), vec![id]);
        Attempt::Dial
    }

    /// Who was waiting for a connection to this peer; called once it is open or has failed.
    pub(super) fn dialed(&self, peer: &Peer) -> Vec<ConnectId> {
        self.table().dialing.remove(peer).unwrap_or_default()
    }

    /// Registers a new connection; none if there are too many.
    pub(super) fn add(&self, mut flow: Flow, peer: Option<Peer>, opened: Opened) -> Option<Outbound> {
        match opened {
            Opened::ByUs => self.make_room_for_ours(),
            Opened::ByPeer => self.make_room_for_own(flow.remote.ip()),
        }
        if self.is_full() {
            self.make_room(flow.remote.ip())?;
        }
        let mut table = self.table();
        if table.closed {
            return None;
        }
        let connection = ConnectionId(table.last + 1);
        if opened == Opened::ByPeer && !table.inbound.enter(flow.remote.ip(), connection, self.limits) {
            tracing::debug!(%flow, "too many connections from one address");
            return None;
        }
        if opened == Opened::ByUs {
            table.outbound.enter(connection);
        }
        table.last = connection.0;
        flow.connection = Some(connection);
        let (own, unwritten) =
            write_queue(Backlog::new(table.backlog_of(flow.remote.ip()), Arc::clone(&self.queued)));
        if let Some(peer) = peer.clone() {
            table.by_peer.insert(peer, connection);
        }
        table.writers.insert(connection, Writer { flow, peer, opened, queue: own, task: None });
        Some(Outbound { flow, opened, queue: unwritten })
    }

    fn is_full(&self) -> bool {
        self.table().writers.len() >= self.limits.connections_max
    }

    /// If we have opened half of all connections, closes one of them to open another.
    fn make_room_for_ours(&self) {
        let max = self.limits.connections_max;
        if let Some(flow) = self.chosen(|table| table.outbound.makes_room(max)) {
            tracing::debug!(%flow, "we have opened too many connections");
            self.close(flow);
        }
    }

    /// If an address has all the silent connections that it may have, closes its oldest for another one of its own.
    fn make_room_for_own(&self, newcomer: IpAddr) {
        if let Some(silent) = self.chosen(|table| table.inbound.makes_room_for_own(newcomer, self.limits)) {
            tracing::debug!(flow = %silent, "silent, and its address opens another connection");
            self.close(silent);
        }
    }

    /// Closes a connection to make room for one from this address.
    pub(super) fn make_room(&self, newcomer: IpAddr) -> Option<()> {
        let flow =
            self.chosen(|table| table.inbound.makes_room(newcomer).or_else(|| table.outbound.first_silent()));
        tracing::debug!(closed = flow.is_some(), "too many connections");
        self.close(flow?).then_some(())
    }

    fn chosen(&self, choose: impl FnOnce(&Table) -> Option<ConnectionId>) -> Option<Flow> {
        let table = self.table();
        choose(&table).and_then(|connection| table.writers.get(&connection)).map(|writer| writer.flow)
    }

    /// Closes a connection for the sake of another one; false if it was closed already.
    fn close(&self, flow: Flow) -> bool {
        let is_closed = self.remove(flow);
        let events = self.sender.clone();
        // Sent by a separate task: whoever makes room must not wait for the machine.
        tokio::spawn(async move { events.send(NetEvent::Disconnected { flow }).await.ok() });
        is_closed
    }

    /// Starts the task that serves a connection until it returns why it ended; the machine is then told.
    pub(super) fn serve(
        pool: &Arc<Self>,
        flow: Flow,
        served: impl Future<Output = &'static str> + Send + 'static,
    ) {
        let own = Arc::clone(pool);
        let task = tokio::spawn(async move {
            let ended = served.await;
            tracing::debug!(%flow, ended, "connection closed");
            // Sent by a separate task, because the removal aborts this one.
            tokio::spawn(async move {
                if own.remove(flow) {
                    own.events().send(NetEvent::Disconnected { flow }).await.ok();
                }
            });
        });
        pool.served_by(flow, task.abort_handle());
    }

    /// Registers the task that serves a connection, so that it can be aborted from here.
    fn served_by(&self, flow: Flow, task: AbortHandle) {
        let connection = flow.connection.unwrap_or(ConnectionId(0));
        match self.table().writers.get_mut(&connection) {
            Some(writer) => writer.task = Some(task),
            None => task.abort(),
        }
    }

    /// Queues bytes for a connection. A request without room stays behind alone; one that does not read our answers is
    /// closed.
    pub(super) fn send(&self, flow: Flow, bytes: Bytes, burden: Burden) -> Result<(), NotQueued> {
        let table = self.table();
        let writer = flow.connection.and_then(|connection| table.writers.get(&connection));
        let writer = writer.ok_or(NotQueued::Closed)?;
        if writer.queue.add(bytes, burden) {
            return Ok(());
        }
        drop(table);
        if burden == Burden::Request {
            tracing::debug!(%flow, "too much waits for this connection: a request is not sent");
            return Err(NotQueued::NoRoom);
        }
        tracing::debug!(%flow, "a peer does not read what is sent to it: its connection is closed");
        self.remove(flow);
        Err(NotQueued::Closed)
    }

    /// A connection is gone. True if it was registered until now.
    pub(super) fn remove(&self, flow: Flow) -> bool {
        let Some(connection) = flow.connection else { return false };
        let mut table = self.table();
        let Some(writer) = table.writers.remove(&connection) else { return false };
        if writer.opened == Opened::ByPeer {
            table.inbound.leave(flow.remote.ip(), connection);
        } else {
            table.outbound.leave(connection);
        }
        if let Some(peer) = &writer.peer
            && table.by_peer.get(peer) == Some(&connection)
        {
            table.by_peer.remove(peer);
        }
        if let Some(task) = writer.task {
            task.abort();
        }
        true
    }

    /// Closes every connection.
    pub(super) fn close_all(&self) {
        let mut table = self.table();
        table.closed = true;
        table.by_peer.clear();
        for (_, writer) in std::mem::take(&mut table.writers) {
            if let Some(task) = writer.task {
                task.abort();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::Transport;

    fn peer(number: usize) -> Peer {
        let port = u16::try_from(number + 1).unwrap();
        let hop = Hop { transport: Transport::Tcp, remote: ([192, 0, 2, 1], port).into() };
        Peer { hop, domain: None }
    }

    #[test]
    fn w31_connections_being_opened_have_an_end_and_one_that_is_decided_makes_room() {
        let (sender, _events) = mpsc::channel(1);
        let connections = Connections::new(sender, 0, StreamLimits::USUAL);
        let ask = |number: usize| connections.find_or_dial(ConnectId(0), &peer(number));
        for number in 0..DIALS_MAX {
            assert!(matches!(ask(number), Attempt::Dial), "{number}");
        }
        assert!(matches!(ask(DIALS_MAX), Attempt::Full));
        assert!(matches!(ask(0), Attempt::Joined), "who waits for one of them waits with the first");
        assert_eq!(connections.dialed(&peer(0)).len(), 2);
        assert!(matches!(ask(DIALS_MAX), Attempt::Dial));
        assert!(matches!(ask(0), Attempt::Full));
    }
}
