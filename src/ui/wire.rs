//! What passes on the wire, for testers: a list of messages, the ladder of one submission, and one message in full; of this
//! computer or of a capture.
//!
//! Only testing mode and the demo have it. While it is not shown, nothing is read.
//!
//! Its parts; each uses only those listed after it:

mod view;

mod files;

mod opened;

mod sight;

mod list;

mod ladder;

mod outcomes;

mod reading;

mod passed;

pub(crate) use view::{Watched, WireView, wire_ui};
