//! Plain values shared by the client and the window: accounts, contacts, messages and their delivery states, snapshots,
//! commands.
//!
//! **Invariant:** nothing here acts; the machines fill in these values and the window draws them.

pub mod import;

pub mod export;

pub mod view;

pub mod summary;

pub mod command;

pub mod notice;

pub mod matrix;

pub mod record;

pub mod page;

pub mod delivery;

pub mod deletion;

pub mod search;

pub mod snapshot;

pub mod locale;

pub mod marks;

pub mod hosting;

pub mod link;

pub mod names;

pub mod fold;

pub mod order;

pub mod contacts;

pub mod account;

pub mod outage;

pub mod server;

pub mod later;

pub mod draft;

mod call_ids;

pub mod journal;

pub mod reason;

pub mod sign_in_fault;

pub mod slip;

pub mod text;

pub mod document;
