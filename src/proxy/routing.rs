//! Where a request goes: domains, users, aliases, static routes, and the calls that passed here (RFC 3261 §16.5).

pub(super) mod aliases;

pub(super) mod calls;

pub(super) mod router;

pub(super) mod users;

pub(super) mod domains;
