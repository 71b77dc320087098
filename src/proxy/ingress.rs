//! What comes in: whether a request is taken, and from whom (RFC 3261 §16.3, §22; W13, W14).

pub(super) mod admission;

pub(super) mod auth;

pub(super) mod inbound;
