//! What people set: files of the client in one folder, and the settings file of a proxy.
//!
//! **Invariant:** what comes out of here is checked; a file that cannot be used is never overwritten.

pub mod client;

pub mod passwords;

pub mod changes;

pub mod proxy;

pub mod text;

mod words;
