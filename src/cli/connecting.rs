//! What `send` and `listen` say of their server while it cannot be used.

use super::output::note;
use crate::model::command::ConnectStep;
use crate::model::outage::Outage;

/// Why the server cannot be used now: the reason known to the client, else the step that it reached.
pub(super) fn offline(why: &Outage, step: ConnectStep, server: &str) -> String {
    match (why.words(), step) {
        (Some(why), _) => why,
        (None, ConnectStep::Finding) => format!("{server} was not found"),
        (None, ConnectStep::Opening) => format!("no connection to {server}"),
        (None, ConnectStep::Asking { .. } | ConnectStep::Waiting { .. }) => {
            format!("no answer from {server}")
        }
    }
}

/// Says that the server is silent, so that nobody takes the program to hang.
pub(super) fn still_waiting(step: ConnectStep, server: &str) {
    if matches!(step, ConnectStep::Waiting { .. }) {
        note(&format!("no answer from {server} yet, still trying"));
    }
}
