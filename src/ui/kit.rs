//! The building blocks of the window: theme, widgets, icons, toasts, words.

pub(super) mod toast;

pub(super) mod announcer;

pub(super) mod widgets;

pub(super) mod edit;

mod part;

pub(super) mod icons;

pub(super) mod ordered;

pub(super) mod picture;

pub(super) mod words;

pub(super) mod reasons;

pub(super) mod states;

pub(super) mod look;

pub(super) mod theme;

mod bidi;
mod emoji_font;
mod missing;
mod system_fonts;
