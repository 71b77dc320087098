//! The client machine (to be written by its author).
pub mod account;
pub mod command;
pub mod contacts;
pub mod journal;
pub mod snapshot;
