//! Why the times of a record may not be right. They are by this computer's clock, which may have been set meanwhile; only
//! how long a delivery took is by the server's.

use std::time::Duration;

use super::DeliveryRecord;
use crate::time::Timestamp;

/// A server's clock need not run as ours does.
const SLACK: Duration = Duration::from_secs(1);

/// A sentence for each contradiction between the times.
pub(super) fn of(record: &DeliveryRecord, written_at: Timestamp) -> Vec<String> {
    let message = &record.message;
    let begin = message.outgoing.at;
    let deliveries = message.deliveries.iter().map(|row| row.at);
    let reports = record.reports.iter().map(|row| row.at);
    let strangers = record.strangers.iter().map(|row| row.at);
    let attempts = message.attempts.iter().map(|row| row.at);
    let times: Vec<Timestamp> = deliveries.chain(reports).chain(strangers).chain(attempts).collect();
    let too_long = |after: Duration, at: Timestamp| after > at.since(begin) + SLACK;
    let takes_too_long =
        message.deliveries.iter().any(|row| row.after.is_some_and(|after| too_long(after, row.at)));
    let goes_back = record
        .reports
        .iter()
        .zip(record.reports.iter().skip(1))
        .any(|(one, next)| one.attempt == next.attempt && next.at < one.at);
    let findings = [
        (times.iter().any(|at| *at < begin), "Something is dated before the message was written."),
        (times.iter().chain([&begin]).any(|at| *at > written_at), "Something is dated after this record."),
        (goes_back, "A report is dated before the one that came before it."),
        (takes_too_long, "A delivery took longer by the server's clock than there was time for by this one."),
    ];
    findings.into_iter().filter(|(is_found, _)| *is_found).map(|(_, words)| words.to_owned()).collect()
}
