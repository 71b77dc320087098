//! What the sockets of a machine have to tell it.

use std::sync::Arc;

use bytes::Bytes;

use crate::machine::{ConnectFault, ConnectId, Flow, Hop, Input, RequestId, ResolveId, SendFault};

/// What came from the network.
#[derive(Clone, Debug)]
pub enum NetEvent {
    /// One whole message.
    Received {
        /// Where it came from.
        flow: Flow,
        /// The message.
        bytes: Bytes,
    },
    /// A connection is there.
    Connected {
        /// The wish.
        id: ConnectId,
        /// The connection.
        flow: Flow,
    },
    /// A connection cannot be had.
    ConnectFailed {
        /// The wish.
        id: ConnectId,
        /// Why.
        fault: ConnectFault,
    },
    /// A datagram did not leave.
    NotSent {
        /// Where it was to go.
        flow: Flow,
        /// Whose it is.
        request: Option<RequestId>,
        /// Why.
        fault: SendFault,
    },
    /// A connection is gone.
    Disconnected {
        /// Which.
        flow: Flow,
    },
    /// A route, or none.
    Resolved {
        /// The question.
        id: ResolveId,
        /// Best first.
        hops: Vec<Hop>,
    },
    /// No route is known: DNS did not answer.
    ResolveFailed {
        /// The question.
        id: ResolveId,
        /// What it did not answer, a sentence without full stop.
        why: Arc<str>,
    },
}

impl NetEvent {
    /// As a machine takes it.
    #[must_use]
    pub fn into_input<C>(self) -> Input<C> {
        match self {
            Self::Received { flow, bytes } => Input::Received { flow, bytes },
            Self::Connected { id, flow } => Input::Connected { id, flow },
            Self::ConnectFailed { id, fault } => Input::ConnectFailed { id, fault },
            Self::NotSent { flow, request, fault } => Input::NotSent { flow, request, fault },
            Self::Disconnected { flow } => Input::Disconnected { flow },
            Self::Resolved { id, hops } => Input::Resolved { id, hops },
            Self::ResolveFailed { id, why } => Input::ResolveFailed { id, why },
        }
    }
}
