//! The JSON of a history. docs/operating.md documents the fields.

use serde::Serialize;

use crate::cli::output::utc;
use crate::model::delivery::best;
use crate::model::record::{DeliveryJson, PersonJson};
use crate::model::text::{Shown, shown};
use crate::store::history::StoredMessage;

/// A file of a message.
#[derive(Debug, Serialize)]
pub(super) struct FileJson {
    pub(super) name: String,
    #[serde(rename = "type")]
    pub(super) media_type: String,
    pub(super) bytes: usize,
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
