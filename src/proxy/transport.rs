//! How a request leaves: next hop, pacing, connection, and its response (RFC 3261 §16.6, RFC 3263).

pub(super) mod request_sender;

pub(super) mod validation;

pub(super) mod inner;

pub(super) mod next_hop;

pub(super) mod pacer;

pub(super) mod sockets;

pub(super) mod streams;
