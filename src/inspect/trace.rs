//! A message as it passed, and what our reader makes of it.

use std::net::SocketAddr;

use bytes::Bytes;

use crate::injection::Mark;
use crate::sip::{self, Fields, Message, Transport, parse};
use crate::time::Timestamp;

/// Which way a message went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// To the machine that is watched.
    Received,
    /// From it.
    Sent,
}

/// One message as it passed on the wire, or one keep-alive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WireMessage {
    /// When it passed.
    pub at: Timestamp,
    /// Which way it went at the machine that was watched; None in a capture of others.
    pub direction: Option<Direction>,
    /// Who sent it.
    pub from: SocketAddr,
    /// Who got it.
    pub to: SocketAddr,
    /// What carried it.
    pub transport: Transport,
    /// The message.
    pub bytes: Bytes,
    /// What a fault of a tester did to it, where that is known.
    pub mark: Option<Mark>,
}

impl WireMessage {
    /// False if a fault is known to have lost it on its way.
    #[must_use]
    pub fn has_arrived(&self) -> bool {
        !self.mark.is_some_and(Mark::is_lost)
    }
}

/// A message with what our reader makes of it.
#[derive(Clone, Debug)]
pub struct Traced {
    /// As it passed.
    pub wire: WireMessage,
    /// As it was read.
    pub read: Read,
}

/// What our reader makes of some bytes.
#[derive(Clone, Debug)]
pub enum Read {
    /// A request or a response.
    Message(Message),
    /// Line ends only (RFC 5626 section 3.5.1).
    KeepAlive,
    /// Not a SIP message, or one that nobody may act upon.
    Unreadable(sip::Error),
}

impl Traced {
    /// Reads a message.
    #[must_use]
    pub fn of(wire: WireMessage) -> Self {
        let read = if wire.bytes.trim_ascii().is_empty() {
            Read::KeepAlive
        } else {
            parse(wire.bytes.clone()).map_or_else(Read::Unreadable, Read::Message)
        };
        Self { wire, read }
    }

    /// Its header fields, if it is a message.
    #[must_use]
    pub fn fields(&self) -> Option<&Fields> {
        match &self.read {
            Read::Message(Message::Request(request)) => Some(request.fields()),
            Read::Message(Message::Response(response)) => Some(response.fields()),
            Read::KeepAlive | Read::Unreadable(_) => None,
        }
    }
}
