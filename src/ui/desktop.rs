//! Desktop integration: notifications, web browser, file chooser.

pub mod notifications;

pub mod browser;

pub mod chooser;
