//! What became of a submission for one recipient, by what passed on the wire.

use std::time::Duration;

use super::submissions::{FinalAnswer, Leg, Recipient, Submission};
use crate::sip::{ReportLine, ReportState};

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It arrived.
    Delivered,
    /// It did not, for good.
    Failed,
    /// It waits until the recipient is back online.
    Deferred,
    /// Nothing final has been seen.
    Open,
}

/// Which message on the wire says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A report to the sender.
    Report,
    /// The answer of the recipient's device.
    Leg,
    /// The answer to the message itself.
    Answer,
}

/// What became of a submission for one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What became of it.
    pub state: State,
    /// What says so; None while nothing does.
    pub source: Option<Source>,
    /// The status that decided it, where one was told.
    pub status: Option<u16>,
    /// The reason phrase beside it.
    pub reason: Option<String>,
    /// MESSAGEs to this person: those seen, else those that the report counts.
    pub transmissions: Option<u32>,
    /// From the first MESSAGE to this person to the answer; else what the report says.
    pub took: Option<Duration>,
    /// The report says otherwise than the answer of the recipient's device: status and reason of that answer.
    pub contradicted_by: Option<FinalAnswer>,
}

/// What became of a submission for one of its recipients.
///
/// A report decides, since that is what the sender is told. Without one the recipient's own answer counts, and of an
/// ordinary MESSAGE the answer to it.
#[must_use]
pub fn verdict(submission: &Submission, recipient: &Recipient) -> Verdict {
    let leg = recipient.leg.as_ref();
    let answer = leg.and_then(|leg| leg.answer.as_ref());
    let mut verdict = match (&recipient.reported, answer, &submission.answer) {
        (Some(line), _, _) => by_report(line, answer),
        (None, Some(answer), _) => by_answer(answer, Source::Leg),
        (None, None, Some(answer)) if !submission.is_fan_out || answer.status >= 300 => {
            by_answer(answer, Source::Answer)
        }
        (None, None, _) => Verdict {
            state: State::Open,
            source: None,
            status: None,
            reason: None,
            transmissions: None,
            took: None,
            contradicted_by: None,
        },
    };
    if let Some(leg) = leg {
        verdict.transmissions = Some(leg.transmissions);
        verdict.took = took(leg).or(verdict.took);
    } else if verdict.source == Some(Source::Answer) {
        verdict.took = submission.answer.as_ref().map(|answer| answer.at.since(submission.at));
    }
    verdict
}

fn took(leg: &Leg) -> Option<Duration> {
    leg.answer.as_ref().map(|answer| answer.at.since(leg.at))
}

fn by_report(line: &ReportLine, answer: Option<&FinalAnswer>) -> Verdict {
    let state = match line.state {
        ReportState::Success => State::Delivered,
        ReportState::Failure => State::Failed,
        ReportState::Deferred => State::Deferred,
        ReportState::Pending | ReportState::Unknown(_) => State::Open,
    };
    let is_contradiction = |answer: &&FinalAnswer| match state {
        State::Delivered => answer.status >= 300,
        State::Failed | State::Deferred => answer.status < 300,
        State::Open => false,
    };
    Verdict {
        state,
        source: Some(Source::Report),
        status: line.status,
        reason: line.reason.clone(),
        transmissions: line.tries,
        took: line.after,
        contradicted_by: answer.filter(is_contradiction).cloned(),
    }
}

fn by_answer(answer: &FinalAnswer, source: Source) -> Verdict {
    Verdict {
        state: if answer.status < 300 { State::Delivered } else { State::Failed },
        source: Some(source),
        status: Some(answer.status),
        reason: Some(answer.reason.clone()),
        transmissions: None,
        took: None,
        contradicted_by: None,
    }
}
