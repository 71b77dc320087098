//! A submission as the matrix counts it.

use super::submissions::Submission;
use super::verdict::{State, verdict};
use crate::model::journal::DeliveryState;
use crate::model::matrix::{MatrixCell, MatrixMessage, MatrixOutcome, MatrixSource};

/// What became of the submission at this place among all of a trace.
#[must_use]
pub fn counted(place: usize, submission: &Submission) -> MatrixMessage {
    let is_accepted = submission.answer.as_ref().is_some_and(|answer| answer.status < 300);
    let outcomes = submission.recipients.iter().map(|recipient| {
        let verdict = verdict(submission, recipient);
        let state = match verdict.state {
            State::Delivered if verdict.status == Some(202) => DeliveryState::PassedOn,
            State::Delivered => DeliveryState::Delivered,
            State::Failed => DeliveryState::Failed,
            State::Deferred => DeliveryState::Deferred,
            State::Open if is_accepted => DeliveryState::Accepted,
            State::Open => DeliveryState::Sending,
        };
        let address = recipient.address.as_str();
        let name = address.split_once(':').map_or(address, |(_, rest)| rest);
        MatrixOutcome {
            address: address.to_owned(),
            name: crate::model::text::visible(name),
            cell: MatrixCell { state, status: verdict.status, took: verdict.took },
        }
    });
    MatrixMessage { source: MatrixSource::Submission(place), at: submission.at, outcomes: outcomes.collect() }
}
