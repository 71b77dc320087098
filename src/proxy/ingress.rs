//! Admission: whether a request is accepted, and from whom (RFC 3261 §16.3, §22; W13, W14).

pub(super) mod admission;

pub(super) mod auth;

pub(super) mod inbound;
