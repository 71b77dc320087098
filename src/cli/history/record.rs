//! `fanfare history record`: the delivery record of one message.

use std::path::Path;
use std::process::ExitCode;

use super::rows::{DeliveryJson, OtherJson, RecordJson};
use super::{Opened, RecordFormat, html};
use crate::cli::writer::{Writer, csv, json_line};
use crate::model::journal::MessageId;
use crate::model::record::DeliveryRecord;

/// The columns of CSV: a line for each recipient of each attempt, and for each other address in its reports.
const COLUMNS: [&str; 12] = [
    "message", "attempt", "call_id", "who", "address", "name", "state", "status", "reason", "tries",
    "after_ms", "at",
];

pub(super) fn run(
    opened: &Opened,
    message: u64,
    format: RecordFormat,
    out: Option<&Path>,
) -> anyhow::Result<ExitCode> {
    let record = opened.history.reader().record(MessageId(message))?;
    let Some(record) = record else {
        anyhow::bail!("there is no sent message {message}");
    };
    let text = match format {
        RecordFormat::Csv => lines(&record),
        RecordFormat::Json => json_line(&RecordJson::from(&record))?,
        RecordFormat::Html => html::record(&record, &opened.names),
    };
    let mut out = Writer::open(out)?;
    out.put(&text)?;
    out.finish()?;
    Ok(ExitCode::SUCCESS)
}

fn lines(record: &DeliveryRecord) -> String {
    let message = record.message.outgoing.id.0.to_string();
    let mut text = csv(&COLUMNS);
    let number = |number: Option<u64>| number.map(|number| number.to_string()).unwrap_or_default();
    for attempt in record.attempts() {
        let (count, call_id) = (attempt.attempt.number.to_string(), attempt.attempt.call_id.as_str());
        for (person, row) in &attempt.recipients {
            let row = DeliveryJson::of(person, row);
            text.push_str(&csv(&[
                &message,
                &count,
                call_id,
                "recipient",
                row.to.address,
                row.to.name,
                row.state,
                &number(row.status.map(u64::from)),
                &row.reason,
                &number(row.tries.map(u64::from)),
                &number(row.after_ms),
                &row.at,
            ]));
        }
        for row in attempt.strangers {
            let row = OtherJson::from(row);
            text.push_str(&csv(&[
                &message,
                &count,
                call_id,
                "other",
                row.address,
                "",
                row.state,
                &number(row.status.map(u64::from)),
                row.reason,
                &number(row.tries.map(u64::from)),
                &number(row.after_ms),
                &row.at,
            ]));
        }
    }
    text
}
