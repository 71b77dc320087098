//! Plain values that the client and the window both know: accounts, contacts, messages and how they fared, snapshots, commands.
//!
//! **Invariant:** nothing here acts; the machines fill these values and the window draws them.

pub mod view;

pub mod summary;

pub mod delivery;

pub mod reason;

pub mod command;

pub mod snapshot;

pub mod names;

pub mod contacts;

pub mod text;

pub mod account;

pub mod server;

pub mod journal;
