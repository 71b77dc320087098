//! Which states of a recipient are an outcome for `send`, and what it calls them.
//!
//! A refusal of the whole message is told before the failures that follow from it. So whatever else is told of a recipient
//! comes from somebody who has the message, whether or not his 202 has come (W25).

use std::collections::BTreeSet;

use crate::model::contacts::address_key;
use crate::model::journal::DeliveryState;

/// How many people these addresses are: one who is named twice, in whatever spelling, gets one message.
pub(super) fn people<'a>(addresses: impl IntoIterator<Item = &'a str>) -> usize {
    addresses.into_iter().map(address_key).collect::<BTreeSet<_>>().len()
}

/// True for a state that shows that the message has left us and was taken, unless the whole message was refused.
pub(super) const fn is_taken(state: DeliveryState) -> bool {
    !matches!(state, DeliveryState::Queued | DeliveryState::Sending | DeliveryState::Cancelled)
}

/// True for a state that ends the wait for a recipient, if only for now.
pub(super) const fn is_outcome(state: DeliveryState) -> bool {
    match state {
        DeliveryState::Queued | DeliveryState::Sending | DeliveryState::Accepted => false,
        DeliveryState::Failed
        | DeliveryState::NoReport
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
