//! Conversations and contacts, beside the thread.

pub(super) mod conversations;

mod account;

mod row;

mod retry;

mod floating;

pub(super) mod picker;

pub(super) mod contacts;

pub(super) mod marks;

pub(super) mod ticks;
