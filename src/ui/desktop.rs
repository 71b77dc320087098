//! Desktop integration: notifications.

pub mod notifications;
