//! The live connections, by number and by the peer at their other end (RFC 3261 §18.2.2, RFC 5626 §5.3).

use std::collections::BTreeMap;

use crate::machine::{ConnectionId, Flow, Hop};

/// Streams on which something was received and that have not broken.
#[derive(Debug, Default)]
pub(crate) struct Streams {
    live: BTreeMap<ConnectionId, Flow>,
    by_peer: BTreeMap<Hop, ConnectionId>,
}

impl Streams {
    /// Something was received on this flow.
    pub(crate) fn heard_on(&mut self, flow: Flow) {
        if let Some(connection) = flow.connection
            && self.live.insert(connection, flow).is_none()
        {
            self.by_peer.insert(peer(flow), connection);
        }
    }

    /// The stream with that number.
    pub(crate) fn of(&self, connection: ConnectionId) -> Option<Flow> {
        self.live.get(&connection).copied()
    }

    /// The newest stream to a peer, whoever opened it.
    pub(crate) fn to(&self, hop: Hop) -> Option<Flow> {
        self.by_peer.get(&hop).and_then(|connection| self.of(*connection))
    }

    pub(crate) fn gone(&mut self, flow: Flow) {
        let Some(connection) = flow.connection else { return };
        self.live.remove(&connection);
        if self.by_peer.get(&peer(flow)) == Some(&connection) {
            self.by_peer.remove(&peer(flow));
        }
    }
}

const fn peer(flow: Flow) -> Hop {
    Hop { transport: flow.transport, remote: flow.remote }
}
