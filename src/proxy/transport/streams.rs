//! The connections that live: by number, and by the peer at their other end (RFC 3261 §18.2.2, RFC 5626 §5.3).

use std::collections::BTreeMap;

use crate::machine::{ConnectionId, Flow, Hop};

/// Streams on which something was heard and that did not break.
#[derive(Debug, Default)]
pub(crate) struct Streams {
    live: BTreeMap<ConnectionId, Flow>,
    by_peer: BTreeMap<Hop, ConnectionId>,
}

impl Streams {
    /// Something came in on this flow.
    pub(crate) fn heard_on(&mut self, flow: Flow) {
        if let Some(connection) = flow.connection
            && self.live.insert(connection, flow).is_none()
        {
            self.by_peer.insert(peer(flow), connection);
        }
    }

    /// The stream of that number.
    pub(crate) fn of(&self, connection: ConnectionId) -> Option<Flow> {
        self.live.get(&connection).copied()
    }

    /// The newest one to a peer, whoever opened it.
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
