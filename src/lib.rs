//! Fanfare: a group messenger for SIP. Say it once, know who heard.

pub mod check;
pub mod cli;
pub mod client;
pub mod config;
pub mod demo;
pub mod injection;
pub mod inspect;
pub mod limits;
pub mod machine;
pub mod model;
pub mod net;
pub mod person;
pub mod proxy;
pub mod random;
pub mod runtime;
pub mod simulation;
pub mod sip;
pub mod store;
pub mod terminal;
pub mod time;
pub mod transaction;
#[cfg(feature = "gui")]
pub mod ui;
