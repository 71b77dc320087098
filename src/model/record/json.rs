//! The record as JSON, and the names of its fields. docs/testing.md documents them; scripts rely on them.

use serde::Serialize;

use super::{DeliveryRecord, RecordAttempt, RecordContext, doubts};
use crate::model::journal::{AttemptRow, AttemptStage, DeliveryRow, PersonRow, StrangerRow, Way};
use crate::model::reason::Phrase;
use crate::model::text::shown;
use crate::time::millis;

/// Of the fields and their meaning; it grows when one of them changes or goes.
const VERSION: u32 = 1;

/// A person.
#[derive(Debug, Serialize)]
pub struct PersonJson<'a> {
    /// As spelled.
    pub address: &'a str,
    /// Empty if it is not known.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub name: &'a str,
}

impl<'a> From<&'a PersonRow> for PersonJson<'a> {
    fn from(row: &'a PersonRow) -> Self {
        Self { address: &row.address, name: &row.name }
    }
}

/// What is known of one recipient.
#[derive(Debug, Serialize)]
pub struct DeliveryJson<'a> {
    /// Whom it is about.
    pub to: PersonJson<'a>,
    /// The word of the state.
    pub state: &'static str,
    /// SIP status, if one was reported.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The reason phrase, or what this program found itself.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// The code of what this program found itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found: Option<&'static str>,
    /// Transmissions, if they were reported.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tries: Option<u32>,
    /// From acceptance to outcome, if that was reported.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after_ms: Option<u64>,
    /// In which attempt.
    pub attempt: u32,
    /// The Call-ID of the MESSAGE to this recipient, if each got his own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call_id: Option<String>,
    /// When it became known here.
    pub at: String,
}

impl<'a> DeliveryJson<'a> {
    /// Of one row.
    #[must_use]
    pub fn of(person: &'a PersonRow, row: &DeliveryRow) -> Self {
        let found = match &row.phrase {
            Phrase::Local(found) => Some(found.code()),
            Phrase::Verbatim(_) => None,
        };
        Self {
            to: person.into(),
            state: row.state.word(),
            status: row.status,
            reason: row.phrase.to_string(),
            found,
            tries: row.tries,
            after_ms: row.after.map(millis),
            attempt: row.attempt,
            call_id: None,
            at: row.at.utc(),
        }
    }

    /// The same with the Call-ID of the MESSAGE to this recipient, if each got his own.
    pub(super) fn in_attempt(person: &'a PersonRow, row: &DeliveryRow, attempt: &AttemptRow) -> Self {
        let call_id = (attempt.way == Way::OneByOne).then(|| attempt.single_call_id(row.recipient));
        Self { call_id, ..Self::of(person, row) }
    }
}

/// What a report said of somebody to whom the attempt was not sent.
#[derive(Debug, Serialize)]
pub(super) struct OtherJson<'a> {
    pub(super) address: &'a str,
    pub(super) state: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) status: Option<u16>,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(super) reason: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tries: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) after_ms: Option<u64>,
    pub(super) at: String,
}

impl<'a> From<&'a StrangerRow> for OtherJson<'a> {
    fn from(row: &'a StrangerRow) -> Self {
        Self {
            address: &row.address,
            state: &row.state,
            status: row.status,
            reason: &row.phrase,
            tries: row.tries,
            after_ms: row.after.map(millis),
            at: row.at.utc(),
        }
    }
}

/// A report as it came.
#[derive(Debug, Serialize)]
pub(super) struct ReportJson {
    pub(super) at: String,
    pub(super) body: String,
}

/// One attempt.
#[derive(Debug, Serialize)]
pub(super) struct AttemptJson<'a> {
    pub(super) attempt: u32,
    pub(super) sent: &'static str,
    pub(super) stage: &'static str,
    pub(super) at: String,
    pub(super) call_id: &'a str,
    pub(super) from_tag: &'a str,
    pub(super) cseq: u32,
    pub(super) delivery_report: String,
    pub(super) recipients: Vec<DeliveryJson<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) others: Vec<OtherJson<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) reports: Vec<ReportJson>,
}

impl<'a> From<RecordAttempt<'a>> for AttemptJson<'a> {
    fn from(record: RecordAttempt<'a>) -> Self {
        let RecordAttempt { attempt, recipients, strangers, reports } = record;
        Self {
            attempt: attempt.number,
            sent: way(attempt.way),
            stage: stage(&attempt.stage),
            at: attempt.at.utc(),
            call_id: &attempt.call_id,
            from_tag: &attempt.from_tag,
            cseq: attempt.cseq,
            delivery_report: attempt.report.to_string(),
            recipients: recipients
                .into_iter()
                .map(|(person, row)| DeliveryJson::in_attempt(person, row, attempt))
                .collect(),
            others: strangers.into_iter().map(OtherJson::from).collect(),
            reports: reports
                .into_iter()
                .map(|report| ReportJson {
                    at: report.at.utc(),
                    body: String::from_utf8_lossy(&report.body).into_owned(),
                })
                .collect(),
        }
    }
}

/// How the clock stood by which the times were taken.
#[derive(Debug, Serialize)]
struct ClockJson<'a> {
    /// The time zone of this computer.
    #[serde(skip_serializing_if = "Option::is_none")]
    zone: Option<&'a str>,
    /// How far its local time was from UTC when the record was written.
    utc_offset: String,
    /// Why the times may not be right.
    doubts: Vec<String>,
}

/// The capture that belongs to the record.
#[derive(Debug, Serialize)]
struct CaptureJson<'a> {
    file: &'a str,
    sha256: &'a str,
    /// How many messages in it belong to this one.
    messages: usize,
}

/// The record of one message.
#[derive(Debug, Serialize)]
pub(super) struct RecordJson<'a> {
    format: &'static str,
    version: u32,
    written_at: String,
    clock: ClockJson<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    capture: Option<CaptureJson<'a>>,
    message: u64,
    conversation: u64,
    at: String,
    text: String,
    outcomes: Vec<DeliveryJson<'a>>,
    attempts: Vec<AttemptJson<'a>>,
}

impl<'a> RecordJson<'a> {
    pub(super) fn of(record: &'a DeliveryRecord, context: &RecordContext<'a>) -> Self {
        let outgoing = &record.message.outgoing;
        Self {
            format: "fanfare-delivery-record",
            version: VERSION,
            written_at: context.written_at.utc(),
            clock: ClockJson {
                zone: context.zone.iana_name(),
                utc_offset: context.offset(),
                doubts: doubts::of(record, context.written_at),
            },
            capture: context.capture.map(|capture| CaptureJson {
                file: &capture.file,
                sha256: &capture.sha256,
                messages: capture.messages,
            }),
            message: outgoing.id.0,
            conversation: outgoing.conversation.0,
            at: outgoing.at.utc(),
            text: shown(&outgoing.content_type, &outgoing.body).text,
            outcomes: record
                .outcomes()
                .filter_map(|(person, row)| Some(DeliveryJson::of(person, row?)))
                .collect(),
            attempts: record.attempts().map(AttemptJson::from).collect(),
        }
    }
}

const fn way(way: Way) -> &'static str {
    match way {
        Way::FanOut => "one message",
        Way::ByList => "one message with a list",
        Way::OneByOne => "one by one",
    }
}

const fn stage(stage: &AttemptStage) -> &'static str {
    match stage {
        AttemptStage::Queued => "queued",
        AttemptStage::Sent => "sent",
        AttemptStage::Accepted { .. } => "accepted",
        AttemptStage::Closed => "closed",
    }
}
