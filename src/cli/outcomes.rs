//! Which states of a recipient are an outcome for `send`, and what it calls them.

use crate::model::journal::DeliveryState;

/// True for a state that ends the wait for a recipient, if only for now.
pub(super) const fn is_outcome(state: DeliveryState, is_accepted: bool) -> bool {
    match state {
        DeliveryState::Queued | DeliveryState::Sending | DeliveryState::Accepted => false,
        // A refusal of the whole message is reported once, by its own line.
        DeliveryState::Failed => is_accepted,
        DeliveryState::NoReport
        | DeliveryState::Deferred
        | DeliveryState::Cancelled
        | DeliveryState::PassedOn
        | DeliveryState::Delivered
        | DeliveryState::Read => true,
    }
}

/// The words of the delivery report (W20).
pub(super) const fn word(state: DeliveryState) -> &'static str {
    match state {
        DeliveryState::Delivered | DeliveryState::PassedOn | DeliveryState::Read => "success",
        DeliveryState::Failed | DeliveryState::Cancelled => "failure",
        DeliveryState::Deferred => "deferred",
        DeliveryState::NoReport => "unknown",
        DeliveryState::Queued | DeliveryState::Sending | DeliveryState::Accepted => "pending",
    }
}
