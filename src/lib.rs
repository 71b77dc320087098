//! Fanfare: a group messenger for SIP. Say it once, know who heard.
//!
//! The rooms, from the lowest level to the highest. Each uses only lower ones; `ARCHITECTURE.md` says why.
//!
//! - [`limits`], [`random`], [`terminal`], [`time`]: every maximum, seeded randomness, safe output, the clock
//! - [`sip`]: reads, checks, prints and patches messages
//! - [`machine`]: the contract of all machines: inputs and the time in, outputs and the next deadline out
//! - [`transaction`]: RFC 3261 section 17 for requests other than INVITE
//! - [`model`]: plain values that the client and the window share
//! - [`injection`]: the faults that a tester injects
//! - [`proxy`], [`client`], [`person`]: the three machines; start reading here
//! - [`inspect`]: what became of each message, from a trace or a capture
//! - [`net`], [`store`]: sockets and look-ups; what is on the disk
//! - [`config`], [`simulation`]: settings files; machines in virtual time
//! - [`runtime`]: the loop around a machine, the engine behind the window, logs
//! - [`check`], [`demo`], `hosting` (feature `gui`): scripts for testers; the demo; a server for the local network
//! - `ui` (feature `gui`): the window
//! - [`cli`]: the command line

pub mod check;
pub mod cli;
pub mod client;
pub mod config;
pub mod demo;
#[cfg(feature = "gui")]
pub mod hosting;
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
