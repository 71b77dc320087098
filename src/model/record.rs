//! The record of one message's delivery: every attempt, every recipient in it, and what reports said as they said it; and
//! the documents that it is written as.

mod html;

mod csv;

mod json;

mod doubts;

use jiff::tz::TimeZone;

use super::delivery::best;
use super::document::json_line;
use super::journal::{AttemptRow, DeliveryRow, MessageId, OpenRows, PersonRow, ReportRow, StrangerRow};
use super::names::Names;
use crate::time::Timestamp;

pub use json::{DeliveryJson, PersonJson};

/// All that is known of the delivery of one message of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryRecord {
    /// The message, its attempts and a row for each recipient of each attempt.
    pub message: OpenRows,
    /// What reports said of others, or in words that we do not know.
    pub strangers: Vec<StrangerRow>,
    /// The reports as they came, oldest first.
    pub reports: Vec<ReportRow>,
}

/// One attempt of a record.
#[derive(Clone, Debug)]
pub struct RecordAttempt<'a> {
    /// The attempt.
    pub attempt: &'a AttemptRow,
    /// Its recipients in the order of the message.
    pub recipients: Vec<(&'a PersonRow, &'a DeliveryRow)>,
    /// What its reports said of others.
    pub strangers: Vec<&'a StrangerRow>,
    /// Its reports.
    pub reports: Vec<&'a ReportRow>,
}

/// What a record is written as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RecordFormat {
    /// One page to be read and printed.
    #[default]
    Html,
    /// One object.
    Json,
    /// For a spreadsheet.
    Csv,
}

impl RecordFormat {
    /// All, as they are offered.
    pub const ALL: [Self; 3] = [Self::Html, Self::Json, Self::Csv];

    /// The ending of its files.
    #[must_use]
    pub const fn ending(self) -> &'static str {
        match self {
            Self::Html => "html",
            Self::Json => "json",
            Self::Csv => "csv",
        }
    }

    /// The media type of its files.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Html => "text/html",
            Self::Json => "application/json",
            Self::Csv => "text/csv",
        }
    }
}

/// A record that is to be saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordRequest {
    /// The message.
    pub message: MessageId,
    /// What it is written as.
    pub format: RecordFormat,
    /// Save what passed on the wire for it too.
    pub with_capture: bool,
}

/// The capture that belongs to a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaptureIdentity {
    /// The name of its file.
    pub file: String,
    /// SHA-256 of its bytes, in hexadecimal.
    pub sha256: String,
    /// How many messages in it belong to the message of the record.
    pub messages: usize,
}

/// What a record says besides what is stored.
#[derive(Clone, Copy, Debug)]
pub struct RecordContext<'a> {
    /// The names in the contacts.
    pub names: &'a Names,
    /// When it is written.
    pub written_at: Timestamp,
    /// The time zone of this computer.
    pub zone: &'a TimeZone,
    /// The capture that belongs to it.
    pub capture: Option<&'a CaptureIdentity>,
}

impl RecordContext<'_> {
    fn local(&self, at: Timestamp) -> jiff::ZonedDateTime {
        let at = jiff::Timestamp::from_millisecond(at.as_millis_i64()).unwrap_or_default();
        at.to_zoned_datetime(self.zone.clone())
    }

    /// How far local time is from UTC: `+01:00`.
    fn offset(&self) -> String {
        self.local(self.written_at).strftime("%:z").to_string()
    }

    /// `2026-11-30 14:05:00.007 +01:00`.
    fn clock(&self, at: Timestamp) -> String {
        self.local(at).strftime("%Y-%m-%d %H:%M:%S%.3f %:z").to_string()
    }
}

impl DeliveryRecord {
    /// The attempts, first to last.
    pub fn attempts(&self) -> impl Iterator<Item = RecordAttempt<'_>> {
        self.message.attempts.iter().map(|attempt| RecordAttempt {
            attempt,
            recipients: self
                .message
                .deliveries
                .iter()
                .filter(|row| row.attempt == attempt.number)
                .filter_map(|row| Some((self.person(row.recipient)?, row)))
                .collect(),
            strangers: self.strangers.iter().filter(|row| row.attempt == attempt.number).collect(),
            reports: self.reports.iter().filter(|row| row.attempt == attempt.number).collect(),
        })
    }

    /// For each recipient the row that counts, over all attempts.
    pub fn outcomes(&self) -> impl Iterator<Item = (&PersonRow, Option<&DeliveryRow>)> {
        let recipients = &self.message.outgoing.recipients;
        recipients.iter().zip(best(&self.message.deliveries, recipients.len()))
    }

    /// The record as a document.
    #[must_use]
    pub fn document(&self, format: RecordFormat, context: &RecordContext<'_>) -> String {
        match format {
            RecordFormat::Html => html::page(self, context),
            // It has no keys but names of fields.
            RecordFormat::Json => json_line(&json::RecordJson::of(self, context)).unwrap_or_default(),
            RecordFormat::Csv => csv::lines(self, context),
        }
    }

    fn person(&self, index: u32) -> Option<&PersonRow> {
        self.message.outgoing.recipients.get(usize::try_from(index).ok()?)
    }
}

#[cfg(test)]
mod tests;
