//! Finding: messages in one conversation and in all of them; people, lists, conversations and commands by name.
//!
//! What is shown over the window here closes by Esc and gives the focus back to where it was.

pub(super) mod finder;

pub(super) mod bar;

pub(super) mod everywhere;

pub(super) mod palette;

pub(super) mod calendar;

pub(super) mod emoji;

mod rank;

mod rows;

pub(super) mod typed;
