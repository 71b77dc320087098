//! Everything that is known of the delivery of one message.

use std::time::Duration;

use rusqlite::{Connection, Row};

use super::{ReadError, Reader, StoredMessage};
use crate::model::journal::{MessageId, ReportRow, StrangerRow};
use crate::model::record::DeliveryRecord;
use crate::store::columns::{signed, timestamp, unsigned};

pub(super) fn record(connection: &Connection, id: MessageId) -> Result<Option<DeliveryRecord>, ReadError> {
    let Some(StoredMessage::Ours(message)) = connection.message(id)? else {
        return Ok(None);
    };
    let strangers =
        "SELECT message, attempt, address, state, status, phrase, tries, after_ms, at FROM stranger
                         WHERE message = ?1 ORDER BY attempt, address";
    let mut statement = connection.prepare_cached(strangers)?;
    let strangers = statement.query_map([signed(id.0)], stranger)?.collect::<rusqlite::Result<Vec<_>>>()?;
    let reports = "SELECT message, attempt, at, body FROM report WHERE message = ?1 ORDER BY attempt, number";
    let mut statement = connection.prepare_cached(reports)?;
    let reports = statement.query_map([signed(id.0)], report)?.collect::<rusqlite::Result<Vec<_>>>()?;
    Ok(Some(DeliveryRecord { message, strangers, reports }))
}

fn stranger(row: &Row<'_>) -> rusqlite::Result<StrangerRow> {
    let after: Option<i64> = row.get("after_ms")?;
    Ok(StrangerRow {
        message: MessageId(unsigned(row.get("message")?)),
        attempt: row.get("attempt")?,
        address: row.get("address")?,
        state: row.get("state")?,
        status: row.get("status")?,
        phrase: row.get("phrase")?,
        tries: row.get("tries")?,
        after: after.map(|after| Duration::from_millis(unsigned(after))),
        at: timestamp(row, "at")?,
    })
}

fn report(row: &Row<'_>) -> rusqlite::Result<ReportRow> {
    Ok(ReportRow {
        message: MessageId(unsigned(row.get("message")?)),
        attempt: row.get("attempt")?,
        at: timestamp(row, "at")?,
        body: row.get::<_, Vec<u8>>("body")?.into(),
    })
}
