//! Desktop integration: notifications, web browser, file chooser.

pub mod notifications;

mod service;

mod presenting;

pub mod notes;

pub mod browser;

pub mod chooser;

pub mod exporter;

pub mod calls;

pub mod login;

pub mod tray;
