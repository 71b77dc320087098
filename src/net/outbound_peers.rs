//! The connections that we opened: they have half of the pool, and those on which nobody ever spoke make room first.
//!
//! Whoever has messages sent to many ports of his, each of which takes a connection and says nothing, keeps nobody out by
//! that.

use std::collections::BTreeSet;

use crate::machine::ConnectionId;

/// See the top of this file.
#[derive(Debug, Default)]
pub(super) struct OutboundPeers {
    /// Those on which no complete message has arrived yet. Numbers grow, so the oldest is first.
    silent: BTreeSet<ConnectionId>,
    /// The others.
    spoken: BTreeSet<ConnectionId>,
}

impl OutboundPeers {
    /// We opened a connection.
    pub(super) fn enter(&mut self, connection: ConnectionId) {
        self.silent.insert(connection);
    }

    /// A complete message has arrived on it.
    pub(super) fn spoke(&mut self, connection: ConnectionId) {
        if self.silent.remove(&connection) {
            self.spoken.insert(connection);
        }
    }

    /// It is gone.
    pub(super) fn leave(&mut self, connection: ConnectionId) {
        self.silent.remove(&connection);
        self.spoken.remove(&connection);
    }

    /// True if we have opened none.
    pub(super) fn is_empty(&self) -> bool {
        self.silent.is_empty() && self.spoken.is_empty()
    }

    /// The one to close if a pool of this size is to take another one that we open.
    pub(super) fn makes_room(&self, pool: usize) -> Option<ConnectionId> {
        let is_full = self.silent.len() + self.spoken.len() >= (pool / 2).max(1);
        self.silent.first().or_else(|| self.spoken.first()).copied().filter(|_| is_full)
    }

    /// The oldest one on which nobody ever spoke.
    pub(super) fn first_silent(&self) -> Option<ConnectionId> {
        self.silent.first().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn w31_connections_that_we_open_have_half_of_the_pool_and_silent_ones_make_room_first() {
        let mut peers = OutboundPeers::default();
        (1..=5).for_each(|number| peers.enter(ConnectionId(number)));
        peers.spoke(ConnectionId(1));
        assert_eq!(peers.makes_room(12), None);
        assert_eq!(peers.makes_room(10), Some(ConnectionId(2)), "the first one has spoken");
        assert_eq!(peers.first_silent(), Some(ConnectionId(2)));
        (2..=5).for_each(|number| peers.spoke(ConnectionId(number)));
        assert_eq!(peers.makes_room(10), Some(ConnectionId(1)), "the oldest");
        assert_eq!(peers.first_silent(), None);
        peers.leave(ConnectionId(1));
        assert_eq!(peers.makes_room(10), None);
    }
}
