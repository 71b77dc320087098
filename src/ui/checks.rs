//! Scripts of expectations, for testers: one is opened and played in virtual time, and what came of each expectation is shown.
//!
//! Its parts; each uses only those listed after it:

mod view;

mod playing;

pub(crate) use view::{ChecksView, checks_ui};
