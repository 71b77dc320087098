//! The account at its server: signed in, registered, reachable (RFC 3261 §10, §22; RFC 5626).

pub(super) mod registration;

pub(super) mod keep_alive;

pub(super) mod interval;

pub(super) mod capabilities;

pub(super) mod strangers;

pub(super) mod route;

pub(super) mod core;

pub(super) mod own_contact;

pub(super) mod sign_in;

pub(super) mod server_connection;

mod reach;

mod device;

pub(super) mod service_route;

pub(super) mod redirect;
