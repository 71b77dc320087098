//! The JSON of a history. docs/operating.md documents the fields.

use serde::Serialize;

use crate::cli::output::millis;
use crate::cli::output::utc;
use crate::model::delivery::best;
use crate::model::journal::{AttemptStage, DeliveryRow, PersonRow, StrangerRow, Way};
use crate::model::reason::Phrase;
use crate::model::record::{AttemptRecord, DeliveryRecord};
use crate::model::text::{Shown, shown};
use crate::store::history::StoredMessage;

/// A person.
#[derive(Debug, Serialize)]
pub(super) struct PersonJson<'a> {
    pub(super) address: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(super) name: &'a str,
}

impl<'a> From<&'a PersonRow> for PersonJson<'a> {
    fn from(row: &'a PersonRow) -> Self {
        Self { address: &row.address, name: &row.name }
    }
}

/// A file of a message.
#[derive(Debug, Serialize)]
pub(super) struct FileJson {
    pub(super) name: String,
    #[serde(rename = "type")]
    pub(super) media_type: String,
    pub(super) bytes: usize,
}

/// What is known of one recipient.
#[derive(Debug, Serialize)]
pub(super) struct DeliveryJson<'a> {
    pub(super) to: PersonJson<'a>,
    pub(super) state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) status: Option<u16>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) reason: String,
    /// The code of what this program found itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) found: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tries: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) after_ms: Option<u64>,
    pub(super) attempt: u32,
    pub(super) at: String,
}

impl<'a> DeliveryJson<'a> {
    pub(super) fn of(person: &'a PersonRow, row: &DeliveryRow) -> Self {
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
            at: utc(row.at),
        }
    }
}

/// A message.
#[derive(Debug, Serialize)]
pub(super) struct MessageJson<'a> {
    pub(super) message: u64,
    pub(super) conversation: u64,
    pub(super) at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sent_at: Option<String>,
    /// Absent in a message of ours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) from: Option<PersonJson<'a>>,
    pub(super) to: Vec<PersonJson<'a>>,
    #[serde(rename = "type")]
    pub(super) content_type: &'a str,
    pub(super) text: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) files: Vec<FileJson>,
    /// Present only as false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) verified: Option<bool>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) deliveries: Vec<DeliveryJson<'a>>,
}

impl<'a> MessageJson<'a> {
    pub(super) fn of(stored: &'a StoredMessage) -> Self {
        let (content_type, body) = match stored {
            StoredMessage::Ours(rows) => (&rows.outgoing.content_type, &rows.outgoing.body),
            StoredMessage::Theirs(row) => (&row.content_type, &row.body),
        };
        let Shown { text, files } = shown(content_type, body);
        let files = files
            .into_iter()
            .map(|file| FileJson { name: file.name, media_type: file.media_type, bytes: file.bytes })
            .collect();
        match stored {
            StoredMessage::Ours(rows) => {
                let recipients = &rows.outgoing.recipients;
                let known = best(&rows.deliveries, recipients.len());
                let deliveries = recipients.iter().zip(known);
                Self {
                    message: rows.outgoing.id.0,
                    conversation: rows.outgoing.conversation.0,
                    at: utc(rows.outgoing.at),
                    sent_at: None,
                    from: None,
                    to: recipients.iter().map(PersonJson::from).collect(),
                    content_type,
                    text,
                    files,
                    verified: None,
                    deliveries: deliveries
                        .filter_map(|(person, row)| Some(DeliveryJson::of(person, row?)))
                        .collect(),
                }
            }
            StoredMessage::Theirs(row) => Self {
                message: row.id.0,
                conversation: row.conversation.0,
                at: utc(row.at),
                sent_at: row.sent_at.map(utc),
                from: Some((&row.from).into()),
                to: row.also_to.iter().map(PersonJson::from).collect(),
                content_type,
                text,
                files,
                verified: (!row.verified).then_some(false),
                deliveries: Vec::new(),
            },
        }
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
            at: utc(row.at),
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

impl<'a> From<AttemptRecord<'a>> for AttemptJson<'a> {
    fn from(record: AttemptRecord<'a>) -> Self {
        let AttemptRecord { attempt, recipients, strangers, reports } = record;
        Self {
            attempt: attempt.number,
            sent: way(attempt.way),
            stage: stage(&attempt.stage),
            at: utc(attempt.at),
            call_id: &attempt.call_id,
            from_tag: &attempt.from_tag,
            cseq: attempt.cseq,
            delivery_report: attempt.report.to_string(),
            recipients: recipients.into_iter().map(|(person, row)| DeliveryJson::of(person, row)).collect(),
            others: strangers.into_iter().map(OtherJson::from).collect(),
            reports: reports
                .into_iter()
                .map(|report| ReportJson {
                    at: utc(report.at),
                    body: String::from_utf8_lossy(&report.body).into_owned(),
                })
                .collect(),
        }
    }
}

/// The record of one message.
#[derive(Debug, Serialize)]
pub(super) struct RecordJson<'a> {
    pub(super) message: u64,
    pub(super) conversation: u64,
    pub(super) at: String,
    pub(super) text: String,
    pub(super) outcomes: Vec<DeliveryJson<'a>>,
    pub(super) attempts: Vec<AttemptJson<'a>>,
}

impl<'a> From<&'a DeliveryRecord> for RecordJson<'a> {
    fn from(record: &'a DeliveryRecord) -> Self {
        let outgoing = &record.message.outgoing;
        Self {
            message: outgoing.id.0,
            conversation: outgoing.conversation.0,
            at: utc(outgoing.at),
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
