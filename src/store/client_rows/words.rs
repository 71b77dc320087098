//! The words under which states are stored.

use crate::model::journal::{DeliveryState, Way};

pub(super) const fn way_word(way: Way) -> &'static str {
    match way {
        // Both are ONE MESSAGE for all; `by_list` tells them apart.
        Way::FanOut | Way::ByList => "fan-out",
        Way::OneByOne => "one-by-one",
    }
}

pub(super) fn way(word: &str, by_list: bool) -> Option<Way> {
    Some(match word {
        "fan-out" if by_list => Way::ByList,
        "fan-out" => Way::FanOut,
        "one-by-one" => Way::OneByOne,
        _ => return None,
    })
}

pub(super) fn state(word: &str) -> Option<DeliveryState> {
    Some(match word {
        "queued" => DeliveryState::Queued,
        "sending" => DeliveryState::Sending,
        "accepted" => DeliveryState::Accepted,
        "no-report" => DeliveryState::NoReport,
        "deferred" => DeliveryState::Deferred,
        "failed" => DeliveryState::Failed,
        "cancelled" => DeliveryState::Cancelled,
        "passed-on" => DeliveryState::PassedOn,
        "delivered" => DeliveryState::Delivered,
        "read" => DeliveryState::Read,
        _ => return None,
    })
}
