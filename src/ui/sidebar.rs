//! Conversations and contacts, beside the thread.

pub(super) mod conversations;

mod row;

pub(super) mod picker;

pub(super) mod contacts;

pub(super) mod marks;

pub(super) mod ticks;
