//! The simulation: proxy, clients and people in virtual time, over a network and on disks that fail as real ones do.
//!
//! `SIM_SEED=7 cargo test --test sim` runs one seed again; `SIM_TRACE=1` beside it prints everything that happens.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test that cannot go on says so by a panic, and shows what led there"
)]

mod cast;
mod checks;
mod disk;
mod host;
mod model;
mod network;
mod patent;
mod trace;
mod world;
