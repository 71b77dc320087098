//! What reports said, as they said it.

use rusqlite::{Connection, params};

use crate::limits::{RECIPIENTS_MAX, REPORTS_KEPT_BYTES_MAX};
use crate::model::journal::{ReportRow, StrangerRow};
use crate::store::columns::{millis, signed};

/// Keeps what a report said of somebody else, for at most `RECIPIENTS_MAX` addresses of an attempt.
pub(super) fn put_stranger(connection: &Connection, row: &StrangerRow) -> rusqlite::Result<()> {
    let sql = "INSERT INTO stranger (message, attempt, address, state, status, phrase, tries, after_ms, at)
               SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9
               WHERE (SELECT count(*) FROM stranger WHERE message = ?1 AND attempt = ?2 AND address <> ?3) < ?10
               ON CONFLICT (message, attempt, address) DO UPDATE SET
                   state = ?4, status = ?5, phrase = ?6, tries = ?7, after_ms = ?8, at = ?9";
    let most = i64::try_from(RECIPIENTS_MAX).unwrap_or(i64::MAX);
    connection
        .prepare_cached(sql)?
        .execute(params![
            signed(row.message.0),
            row.attempt,
            row.address,
            row.state,
            row.status,
            row.phrase,
            row.tries,
            row.after.map(millis),
            row.at.as_millis_i64(),
            most,
        ])
        .map(drop)
}

/// Keeps a report as it came, unless the attempt has one like it or as many bytes of them as are kept.
pub(super) fn put_report(connection: &Connection, row: &ReportRow) -> rusqlite::Result<()> {
    let sql = "INSERT INTO report (message, attempt, number, at, body)
               SELECT ?1, ?2, (SELECT count(*) FROM report WHERE message = ?1 AND attempt = ?2), ?3, ?4
               WHERE NOT EXISTS (SELECT 1 FROM report WHERE message = ?1 AND attempt = ?2 AND body = ?4)
                 AND (SELECT coalesce(sum(length(body)), 0) FROM report WHERE message = ?1 AND attempt = ?2)
                     + length(?4) <= ?5";
    let most = i64::try_from(REPORTS_KEPT_BYTES_MAX).unwrap_or(i64::MAX);
    connection
        .prepare_cached(sql)?
        .execute(params![signed(row.message.0), row.attempt, row.at.as_millis_i64(), row.body.as_ref(), most])
        .map(drop)
}
