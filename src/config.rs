//! What people configure: the client's files in one folder, and the settings file of a proxy.
//!
//! **Invariant:** everything that this module returns is checked; an unusable file is never overwritten.

pub mod client;

pub mod passwords;

pub mod provisioning;

pub mod changes;

pub mod proxy;

pub mod text;

mod words;
