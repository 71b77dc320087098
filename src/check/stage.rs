//! What a script is played on: machines in virtual time, or real sockets.

use std::net::SocketAddr;
use std::time::Duration;

use crate::injection::Injection;
use crate::inspect::WireMessage;
use crate::model::command::AgentCommand;
use crate::model::journal::{OpenRows, OutgoingRow};
use crate::store::memory::ClientMemory;
use crate::time::Timestamp;

/// The script is right, but wants what this proxy or this sender cannot do: a sentence without a full stop.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unplayable(pub String);

/// See the top of this file.
pub(super) trait Stage {
    /// The sender's owner wants something.
    fn command(&mut self, command: AgentCommand);
    /// A fault begins or ends.
    fn inject(&mut self, fault: &Injection) -> Result<(), Unplayable>;
    /// The sender's program is killed.
    fn crash_sender(&mut self);
    /// The sender's program is started again.
    fn start_sender(&mut self);
    /// Time passes.
    fn run_for(&mut self, time: Duration);
    /// The time, on nobody's clock.
    fn now(&self) -> Timestamp;
    /// What was seen so far.
    fn seen(&self) -> Seen<'_>;
}

/// What was seen.
pub(super) struct Seen<'a> {
    /// What was sent, in order; each message once.
    pub(super) wire: &'a [WireMessage],
    /// The messages of the sender with all that is known of them, in order.
    pub(super) messages: Vec<OpenRows>,
    /// Why drafts were refused.
    pub(super) refused: &'a [String],
    /// Where each person is; None for somebody who is not played.
    pub(super) people: &'a [Option<SocketAddr>],
    /// Where the proxy is.
    pub(super) proxy: SocketAddr,
}

/// The messages in a sender's tables.
pub(super) fn messages(store: &ClientMemory) -> Vec<OpenRows> {
    let rows = |outgoing: &OutgoingRow| OpenRows {
        outgoing: outgoing.clone(),
        attempts: store
            .attempts
            .range((outgoing.id, 0)..=(outgoing.id, u32::MAX))
            .map(|(_, attempt)| attempt.clone())
            .collect(),
        deliveries: store.deliveries_of(outgoing.id).cloned().collect(),
    };
    store.outgoing.values().map(rows).collect()
}
