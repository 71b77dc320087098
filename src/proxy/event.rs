//! What a proxy is asked by its owner, and what it tells it.

use std::sync::Arc;

use super::config::ProxyConfig;
use super::journal::{AliasRow, DispatchId, DispatchRows, OutcomeState, RemovedRow, UserRow};

/// What the owner may ask.
#[derive(Clone, Debug)]
pub enum ProxyCommand {
    /// The process ends soon: make durable at once what is known.
    Flush,
    /// So many inputs wait to be handed over, this one apart: what is too much is refused (W13).
    InputsWaiting(usize),
    /// These addresses stand for others, and no others do (W16).
    Aliases(Arc<[AliasRow]>),
    /// These are the users, and nobody else (W30).
    Users(Arc<[UserRow]>),
    /// The answer to [`ProxyEvent::Wanted`]: what the store holds of that message; none where it cannot be read.
    Read(DispatchId, Option<Box<DispatchRows>>),
    /// The settings were read again; what can be changed while the proxy runs holds from now on ([`ProxyConfig::adopt`]).
    Settings(Box<ProxyConfig>),
    /// These were removed, whether somebody has their address again or not: what was theirs is purged (W30).
    Removed(Arc<[RemovedRow]>),
}

/// What is worth a log line, a count or a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProxyEvent {
    /// A submission's 202 leaves; it is on stable storage (W11).
    Accepted {
        /// Its number.
        dispatch: DispatchId,
        /// How many people it goes to.
        recipients: u32,
    },
    /// What became of one recipient.
    Outcome {
        /// Of which message.
        dispatch: DispatchId,
        /// Which, in the order of submission without doubles.
        recipient: u32,
        /// The end of it.
        state: OutcomeState,
        /// The SIP status that is told.
        status: u16,
    },
    /// A report leaves.
    Reporting {
        /// Of which message.
        dispatch: DispatchId,
        /// The CSeq of the NOTIFY.
        cseq: u32,
    },
    /// Nothing more is owed to the sender of a message.
    Closed {
        /// Of which message.
        dispatch: DispatchId,
    },
    /// What the store holds of this message is wanted, and is to come as [`ProxyCommand::Read`].
    Wanted {
        /// Which message.
        dispatch: DispatchId,
    },
    /// A request was refused.
    Refused {
        /// With this status.
        status: u16,
    },
    /// More comes in than can be served: from now on some requests are turned away with 503.
    Busy,
    /// That is over; `limits::OVERLOAD_CALM` has passed without.
    Calm {
        /// How many were turned away.
        refused: u64,
    },
    /// The store did not take a batch.
    StoreFailed,
}
