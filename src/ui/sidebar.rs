//! Conversations and contacts, beside the thread.

pub(super) mod conversations;

pub(super) mod contacts;
