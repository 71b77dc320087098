//! The wire: literal bytes on one side, the RFC's torture messages, and what no input may do.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on says so by a panic"
)]

#[path = "wire/addresses.rs"]
mod addresses;
#[path = "wire/bytes.rs"]
mod bytes;
#[path = "wire/corpus.rs"]
mod corpus;
#[path = "wire/cost.rs"]
mod cost;
#[path = "wire/hostile.rs"]
mod hostile;
#[path = "wire/printing.rs"]
mod printing;
#[path = "wire/properties.rs"]
mod properties;
#[path = "wire/reading.rs"]
mod reading;
#[path = "wire/storm.rs"]
mod storm;
#[path = "wire/torture.rs"]
mod torture;
