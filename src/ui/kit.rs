//! What all of the window is built from: theme, widgets, icons, toasts, words.

pub(super) mod toast;

pub(super) mod widgets;

pub(super) mod icons;

pub(super) mod words;

pub(super) mod theme;
