//! The client machine: [`UserAgent`](https://www.rfc-editor.org/rfc/rfc3261#section-6) and its parts.
//!
//! The parts stand in this order, and each uses only those listed after it.

pub mod view;

pub mod summary;

pub mod delivery;

pub mod reason;

pub mod command;

pub mod names;

pub mod snapshot;

pub mod contacts;

pub mod text;

pub mod account;

pub mod journal;
