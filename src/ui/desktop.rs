//! What the desktop does for us: notifications.

pub mod notifications;
