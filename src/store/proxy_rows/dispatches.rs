//! Messages: what is written about them, and what a start reads.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};

use super::{lists, lists_column};
use crate::machine::Flow;
use crate::proxy::journal::{
    AcceptedRow, DispatchId, DispatchRows, OutcomeRow, OutcomeState, RememberedRow, ReportRow, Stored, Tag,
    WaitRow,
};
use crate::sip::{kept_reason, without_body};
use crate::store::columns::{FlowColumn, Json, millis, signed, timestamp, timestamp_option, unsigned};

pub(super) fn put_accepted(connection: &Connection, accepted: &AcceptedRow) -> rusqlite::Result<()> {
    let sql = "INSERT INTO dispatch (id, key, to_tag, accepted_at, flow, recipients, request, lists)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    let mut statement = connection.prepare_cached(sql)?;
    statement
        .execute(params![
            signed(accepted.id.0),
            accepted.key,
            accepted.to_tag,
            accepted.accepted_at.as_millis_i64(),
            FlowColumn(accepted.flow),
            Json(&accepted.recipients),
            accepted.request.as_ref(),
            lists_column(&accepted.lists),
        ])
        .map(drop)
}

/// `[recipient, state, status, reason, tries, after_ms]`, followed by `branches, [device, ...]` if something is still
/// to be tried. Borrowed for writing, owned after reading.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum OutcomeColumns<Text, Devices> {
    Waits(u32, Text, u16, Text, u32, u64, u32, Devices),
    Ended(u32, Text, u16, Text, u32, u64),
}

type OutcomeWritten<'a> = OutcomeColumns<&'a str, &'a [String]>;
type OutcomeRead = OutcomeColumns<String, Vec<String>>;

pub(super) fn put_outcomes(
    connection: &Connection,
    dispatch: DispatchId,
    outcomes: &[OutcomeRow],
) -> rusqlite::Result<()> {
    let alone = match outcomes {
        [] => return Ok(()),
        [one] => Some(one.recipient),
        [..] => None,
    };
    let columns: Vec<OutcomeWritten<'_>> = outcomes.iter().map(outcome_columns).collect();
    let sql = "INSERT OR REPLACE INTO outcome (dispatch, recipient, outcomes) VALUES (?1, ?2, ?3)";
    connection.prepare_cached(sql)?.execute(params![signed(dispatch.0), alone, Json(columns)]).map(drop)
}

fn outcome_columns(outcome: &OutcomeRow) -> OutcomeWritten<'_> {
    let state = match outcome.state {
        OutcomeState::Delivered => "delivered",
        OutcomeState::Failed => "failed",
        OutcomeState::Deferred => "deferred",
    };
    let OutcomeRow { recipient, status, tries, .. } = *outcome;
    let (reason, after) = (outcome.reason.as_str(), unsigned(millis(outcome.after)));
    match &outcome.waits {
        None => OutcomeColumns::Ended(recipient, state, status, reason, tries, after),
        Some(WaitRow { branches, devices }) => {
            OutcomeColumns::Waits(recipient, state, status, reason, tries, after, *branches, devices)
        }
    }
}

pub(super) fn put_report(
    connection: &Connection,
    dispatch: DispatchId,
    report: &ReportRow,
) -> rusqlite::Result<()> {
    let sql = "INSERT INTO report (dispatch, cseq, answered, rounds, due_at, closed)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (dispatch)
               DO UPDATE SET cseq = ?2, answered = ?3, rounds = ?4, due_at = ?5, closed = ?6";
    let due_at = report.due_at.map(|at| at.as_millis_i64());
    let ReportRow { cseq, answered, rounds, closed, .. } = *report;
    let mut statement = connection.prepare_cached(sql)?;
    statement.execute(params![signed(dispatch.0), cseq, answered, rounds, due_at, closed]).map(drop)
}

pub(super) fn move_flow(connection: &Connection, dispatch: DispatchId, flow: Flow) -> rusqlite::Result<()> {
    let sql = "UPDATE dispatch SET flow = ?2 WHERE id = ?1";
    connection.prepare_cached(sql)?.execute(params![signed(dispatch.0), FlowColumn(flow)]).map(drop)
}

pub(super) fn forget(connection: &Connection, dispatch: DispatchId) -> rusqlite::Result<()> {
    // This deletes outcomes and report too: ON DELETE CASCADE.
    connection.prepare_cached("DELETE FROM dispatch WHERE id = ?1")?.execute([signed(dispatch.0)]).map(drop)
}

/// Nothing more is due for this message: deletes its body, so that SQLite can reuse the pages.
pub(super) fn remember(connection: &Connection, row: &RememberedRow) -> rusqlite::Result<()> {
    let id = signed(row.id.0);
    let mut select = connection.prepare_cached("SELECT request FROM dispatch WHERE id = ?1")?;
    let whole: Option<Vec<u8>> = select.query_row([id], |row| row.get(0)).optional()?;
    let Some(whole) = whole.map(Bytes::from) else { return Ok(()) };
    let sql = "UPDATE dispatch SET request = ?2, is_brief = 1, content = ?3 WHERE id = ?1";
    connection.prepare_cached(sql)?.execute(params![id, without_body(&whole).as_ref(), row.content])?;
    let sql = "INSERT OR REPLACE INTO remembered
               (dispatch, double, content, to_tag, is_reported, head_bytes, keep_until) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let until = row.keep_until.as_millis_i64();
    let RememberedRow { double, content, to_tag, is_reported, head_bytes, .. } = row;
    let mut insert = connection.prepare_cached(sql)?;
    insert.execute(params![id, double, content, to_tag.as_str(), is_reported, head_bytes, until]).map(drop)
}

/// Something is due for this message again.
pub(super) fn recall(connection: &Connection, dispatch: DispatchId) -> rusqlite::Result<()> {
    let id = signed(dispatch.0);
    connection.prepare_cached("DELETE FROM remembered WHERE dispatch = ?1")?.execute([id])?;
    connection.prepare_cached("UPDATE dispatch SET is_brief = 0 WHERE id = ?1")?.execute([id]).map(drop)
}

/// All messages, one at a time: first those with nothing more due.
pub(super) fn each(connection: &Connection, mut take: impl FnMut(Stored)) -> rusqlite::Result<()> {
    let sql = "SELECT dispatch, double, content, to_tag, is_reported, head_bytes, keep_until FROM remembered
               ORDER BY dispatch";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        take(Stored::Remembered(remembered(row)?));
    }
    // Uses an index of these messages alone, so that the others are not even scanned.
    each_of(connection, "WHERE is_brief = 0", |rows| take(Stored::Whole(Box::new(rows))))
}

/// All messages with their full rows, one at a time.
pub(super) fn each_row(connection: &Connection, take: impl FnMut(DispatchRows)) -> rusqlite::Result<()> {
    each_of(connection, "", take)
}

fn each_of(connection: &Connection, which: &str, mut take: impl FnMut(DispatchRows)) -> rusqlite::Result<()> {
    let mut statement = connection.prepare(&format!("SELECT {COLUMNS} FROM dispatch {which} ORDER BY id"))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        take(whole(connection, row)?);
    }
    Ok(())
}

/// Everything stored about one message.
pub(super) fn read(connection: &Connection, id: DispatchId) -> rusqlite::Result<Option<DispatchRows>> {
    let mut statement =
        connection.prepare_cached(&format!("SELECT {COLUMNS} FROM dispatch WHERE id = ?1"))?;
    statement.query_row([signed(id.0)], |row| whole(connection, row)).optional()
}

const COLUMNS: &str = "id, key, to_tag, accepted_at, flow, recipients, request, lists, content";

fn whole(connection: &Connection, row: &Row<'_>) -> rusqlite::Result<DispatchRows> {
    let accepted = accepted(row)?;
    let id = accepted.id;
    Ok(DispatchRows {
        accepted,
        outcomes: outcomes(connection, id)?,
        report: report(connection, id)?,
        content: row.get("content")?,
    })
}

fn remembered(row: &Row<'_>) -> rusqlite::Result<RememberedRow> {
    let to_tag: String = row.get("to_tag")?;
    Ok(RememberedRow {
        id: DispatchId(unsigned(row.get("dispatch")?)),
        double: row.get("double")?,
        content: row.get("content")?,
        // The table holds none that is too long.
        to_tag: Tag::new(&to_tag).unwrap_or_default(),
        is_reported: row.get("is_reported")?,
        head_bytes: row.get("head_bytes")?,
        keep_until: timestamp(row, "keep_until")?,
    })
}

fn accepted(row: &Row<'_>) -> rusqlite::Result<AcceptedRow> {
    Ok(AcceptedRow {
        id: DispatchId(unsigned(row.get("id")?)),
        key: row.get("key")?,
        to_tag: row.get("to_tag")?,
        accepted_at: timestamp(row, "accepted_at")?,
        flow: row.get::<_, FlowColumn>("flow")?.0,
        request: row.get::<_, Vec<u8>>("request")?.into(),
        recipients: row.get::<_, Json<Vec<u32>>>("recipients")?.0,
        lists: lists(row.get("lists")?),
    })
}

/// The latest outcome of each recipient.
fn outcomes(connection: &Connection, id: DispatchId) -> rusqlite::Result<Vec<OutcomeRow>> {
    let mut known = BTreeMap::new();
    let mut statement =
        connection.prepare_cached("SELECT outcomes FROM outcome WHERE dispatch = ?1 ORDER BY id")?;
    let mut rows = statement.query([signed(id.0)])?;
    while let Some(row) = rows.next()? {
        let Json(columns): Json<Vec<OutcomeRead>> = row.get(0)?;
        known.extend(columns.into_iter().filter_map(outcome).map(|outcome| (outcome.recipient, outcome)));
    }
    Ok(known.into_values().collect())
}

fn outcome(columns: OutcomeRead) -> Option<OutcomeRow> {
    let (recipient, state, status, reason, tries, after, waits) = match columns {
        OutcomeColumns::Ended(recipient, state, status, reason, tries, after) => {
            (recipient, state, status, reason, tries, after, None)
        }
        OutcomeColumns::Waits(recipient, state, status, reason, tries, after, branches, devices) => {
            (recipient, state, status, reason, tries, after, Some(WaitRow { branches, devices }))
        }
    };
    let state = match state.as_str() {
        "delivered" => OutcomeState::Delivered,
        "failed" => OutcomeState::Failed,
        "deferred" => OutcomeState::Deferred,
        _ => return None,
    };
    // Earlier versions kept the whole phrase.
    let reason = kept_reason(&reason).to_owned();
    Some(OutcomeRow { recipient, state, status, reason, tries, after: Duration::from_millis(after), waits })
}

fn report(connection: &Connection, id: DispatchId) -> rusqlite::Result<Option<ReportRow>> {
    let sql = "SELECT cseq, answered, rounds, due_at, closed FROM report WHERE dispatch = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    let report = statement.query_row([signed(id.0)], |row| {
        Ok(ReportRow {
            cseq: row.get("cseq")?,
            answered: row.get("answered")?,
            rounds: row.get("rounds")?,
            due_at: timestamp_option(row, "due_at")?,
            closed: row.get("closed")?,
        })
    });
    report.optional()
}
