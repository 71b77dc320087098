//! The record of one message's delivery: every attempt, every recipient in it, and what reports said as they said it.

use super::delivery::best;
use super::journal::{AttemptRow, DeliveryRow, OpenRows, PersonRow, ReportRow, StrangerRow};

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
pub struct AttemptRecord<'a> {
    /// The attempt.
    pub attempt: &'a AttemptRow,
    /// Its recipients in the order of the message.
    pub recipients: Vec<(&'a PersonRow, &'a DeliveryRow)>,
    /// What its reports said of others.
    pub strangers: Vec<&'a StrangerRow>,
    /// Its reports.
    pub reports: Vec<&'a ReportRow>,
}

impl DeliveryRecord {
    /// The attempts, first to last.
    pub fn attempts(&self) -> impl Iterator<Item = AttemptRecord<'_>> {
        self.message.attempts.iter().map(|attempt| AttemptRecord {
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

    fn person(&self, index: u32) -> Option<&PersonRow> {
        self.message.outgoing.recipients.get(usize::try_from(index).ok()?)
    }
}
