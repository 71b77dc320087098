//! The client machine: [`UserAgent`](https://www.rfc-editor.org/rfc/rfc3261#section-6) and its parts.
//!
//! The parts stand in this order, and each uses only those listed after it.

pub mod summary;
pub mod reason;
pub mod command;
pub mod snapshot;
pub mod contacts;
pub mod account;
pub mod journal;
