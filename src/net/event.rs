//! The events that a machine's sockets report.

use std::sync::Arc;

use bytes::Bytes;

use crate::machine::{ConnectFault, ConnectId, Flow, Hop, Input, RequestId, ResolveId, SendFault};

/// An event from the network.
#[derive(Clone, Debug)]
pub enum NetEvent {
    /// One whole message.
    Received {
        /// The flow it came on.
        flow: Flow,
        /// The message.
        bytes: Bytes,
    },
    /// A connection is open.
    Connected {
        /// The request for it.
        id: ConnectId,
        /// The connection.
        flow: Flow,
    },
    /// A connection could not be opened.
    ConnectFailed {
        /// The request for it.
        id: ConnectId,
        /// The reason.
        fault: ConnectFault,
    },
    /// A datagram could not be sent.
    NotSent {
        /// Its flow.
        flow: Flow,
        /// The request in it, if any.
        request: Option<RequestId>,
        /// The reason.
        fault: SendFault,
    },
    /// A connection is closed.
    Disconnected {
        /// Its flow.
        flow: Flow,
    },
    /// A look-up has ended, with or without a route.
    Resolved {
        /// The look-up.
        id: ResolveId,
        /// The hops, best first.
        hops: Vec<Hop>,
    },
    /// No route is known because DNS did not answer.
    ResolveFailed {
        /// The look-up.
        id: ResolveId,
        /// The unanswered query, as a sentence without full stop.
        why: Arc<str>,
    },
}

impl NetEvent {
    /// The event as an input of a machine.
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
