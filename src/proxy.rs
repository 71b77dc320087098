//! The server machine (to be written by its author).
pub mod journal;
