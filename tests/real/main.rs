//! The real binary over real sockets. One side is always literal bytes from a bare socket, or a third-party SIP
//! program: nothing here parses or prints with Fanfare's own code.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "tests of a real process run by the real clock, and end where something is not as thought"
)]

mod answers;
mod auth;
mod baresip;
mod burst;
mod check;
mod ci;
mod cli;
mod common;
mod contacts;
mod crash;
mod descriptors;
#[cfg(feature = "gui")]
mod desktop;
mod disk;
#[cfg(feature = "gui")]
mod fonts;
mod history;
#[cfg(feature = "gui")]
mod hosting;
mod hostile;
mod interop;
mod ipv6;
mod kamailio;
mod lists;
mod lookups;
mod loopback;
mod mailbox;
mod manual;
mod memory;
mod nat;
mod one_by_one;
mod operating;
mod patent;
mod peers;
mod program;
mod received_files;
mod receipts;
#[cfg(feature = "gui")]
mod screen;
#[cfg(feature = "gui")]
mod screen_reader;
#[cfg(feature = "gui")]
mod second_start;
mod silence;
mod socket;
mod statuses;
mod stop;
mod stream;
mod strangers;
mod terminal;
mod tls;
mod trace;
mod upkeep;
mod websocket;
