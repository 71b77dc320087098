//! What a connection holds of a message that has not come in full.

use std::sync::Arc;

use super::connections::Connections;
use crate::machine::Flow;

/// The bytes that one connection holds of incomplete messages; released when it ends.
#[derive(Debug)]
pub(super) struct Half {
    connections: Arc<Connections>,
    flow: Flow,
    bytes: usize,
}

impl Half {
    /// Holds nothing yet.
    pub(super) fn of(connections: &Arc<Connections>, flow: Flow) -> Self {
        Self { connections: Arc::clone(connections), flow, bytes: 0 }
    }

    /// Holds this many bytes from now on; false if that is too much.
    pub(super) fn holds(&mut self, bytes: usize) -> bool {
        let is_granted = bytes == self.bytes || self.connections.hold(self.flow, bytes);
        if is_granted {
            self.bytes = bytes;
        }
        is_granted
    }
}

impl Drop for Half {
    fn drop(&mut self) {
        self.holds(0);
    }
}
