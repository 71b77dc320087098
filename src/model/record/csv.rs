//! The record as CSV: a line for each recipient of each attempt, for each other address in its reports, and for each
//! report.

use super::json::{DeliveryJson, OtherJson};
use super::{DeliveryRecord, RecordAttempt, RecordContext};
use crate::model::document::csv;

/// Scripts rely on their names and their order: new ones come last.
const COLUMNS: [&str; 18] = [
    "message",
    "attempt",
    "call_id",
    "who",
    "address",
    "name",
    "state",
    "status",
    "reason",
    "tries",
    "after_ms",
    "at",
    "from_tag",
    "cseq",
    "body",
    "written_at",
    "utc_offset",
    "capture_sha256",
];

/// What is different in each line of an attempt.
#[derive(Default)]
struct CsvLine<'a> {
    who: &'a str,
    /// Of the recipient's own MESSAGE.
    call_id: Option<&'a str>,
    address: &'a str,
    name: &'a str,
    state: &'a str,
    status: Option<u16>,
    reason: &'a str,
    tries: Option<u32>,
    after_ms: Option<u64>,
    at: &'a str,
    body: &'a str,
}

pub(super) fn lines(record: &DeliveryRecord, context: &RecordContext<'_>) -> String {
    let message = record.message.outgoing.id.0.to_string();
    let (written_at, offset) = (context.written_at.utc(), context.offset());
    let sha256 = context.capture.map_or("", |capture| capture.sha256.as_str());
    let mut text = csv(&COLUMNS);
    for attempt in record.attempts() {
        let (count, cseq) = (attempt.attempt.number.to_string(), attempt.attempt.cseq.to_string());
        let (own, from_tag) = (&attempt.attempt.call_id, &attempt.attempt.from_tag);
        each_line(&attempt, &mut |line| {
            let number = |number: Option<u64>| number.map(|number| number.to_string()).unwrap_or_default();
            text.push_str(&csv(&[
                &message,
                &count,
                line.call_id.unwrap_or(own),
                line.who,
                line.address,
                line.name,
                line.state,
                &number(line.status.map(u64::from)),
                line.reason,
                &number(line.tries.map(u64::from)),
                &number(line.after_ms),
                line.at,
                from_tag,
                &cseq,
                line.body,
                &written_at,
                &offset,
                sha256,
            ]));
        });
    }
    text
}

fn each_line(attempt: &RecordAttempt<'_>, take: &mut dyn FnMut(CsvLine<'_>)) {
    for (person, row) in &attempt.recipients {
        let row = DeliveryJson::in_attempt(person, row, attempt.attempt);
        take(CsvLine {
            who: "recipient",
            call_id: row.call_id.as_deref(),
            address: row.to.address,
            name: row.to.name,
            state: row.state,
            status: row.status,
            reason: &row.reason,
            tries: row.tries,
            after_ms: row.after_ms,
            at: &row.at,
            ..CsvLine::default()
        });
    }
    for row in &attempt.strangers {
        let row = OtherJson::from(*row);
        take(CsvLine {
            who: "other",
            address: row.address,
            state: row.state,
            status: row.status,
            reason: row.reason,
            tries: row.tries,
            after_ms: row.after_ms,
            at: &row.at,
            ..CsvLine::default()
        });
    }
    for report in &attempt.reports {
        let body = String::from_utf8_lossy(&report.body);
        take(CsvLine { who: "report", at: &report.at.utc(), body: &body, ..CsvLine::default() });
    }
}
