//! The proxy's journal as rows.

use std::collections::BTreeMap;
use std::time::Duration;

use rusqlite::{Connection, Row, params};
use serde::{Deserialize, Serialize};

pub(super) use self::aliases::aliases;
pub(super) use self::users::users;
use crate::machine::Flow;
use crate::proxy::journal::{
    AcceptedRow, BindingRow, DeviceRow, DispatchId, DispatchRows, OutcomeRow, OutcomeState, Reach, ReportRow,
    Rows, WaitRow, Write,
};
use crate::sip::{Aor, Uri};
use crate::store::Schema;
use crate::store::columns::{FlowColumn, Json, millis, signed, timestamp, timestamp_option, unsigned};

mod aliases;

mod audit;

mod users;

/// The tables of a proxy.
#[derive(Debug)]
pub struct ProxySchema;

impl Schema for ProxySchema {
    type Write = Write;
    type Rows = Rows;
    const NAME: &'static str = "proxy";
    const APPLICATION_ID: i32 = 0x4641_4e50; // "FANP"
    const MIGRATIONS: &'static [&'static str] = &[
        include_str!("proxy_1.sql"),
        include_str!("proxy_2.sql"),
        include_str!("proxy_3.sql"),
        include_str!("proxy_4.sql"),
        include_str!("proxy_5.sql"),
    ];

    fn apply(connection: &Connection, write: &Write) -> rusqlite::Result<()> {
        match write {
            Write::Secret(key) => put_secret(connection, key),
            Write::Bind(binding) => put_binding(connection, binding),
            Write::Unbind { aor, contact } => take_binding(connection, aor, contact),
            Write::Device(device) => put_device(connection, device),
            Write::ForgetDevice { aor, instance } => take_device(connection, aor, instance),
            Write::Accept(accepted) => put_accepted(connection, accepted),
            Write::Outcomes { dispatch, outcomes } => put_outcomes(connection, *dispatch, outcomes),
            Write::Report { dispatch, report } => put_report(connection, *dispatch, report),
            Write::Moved { dispatch, flow } => move_flow(connection, *dispatch, *flow),
            Write::Forget(dispatch) => forget(connection, *dispatch),
        }
    }

    fn load(connection: &Connection) -> rusqlite::Result<Rows> {
        Ok(Rows {
            secret: secret(connection)?,
            bindings: bindings(connection)?,
            devices: devices(connection)?,
            aliases: aliases(connection)?,
            users: users(connection)?,
            dispatches: dispatches(connection)?,
        })
    }
}

fn put_secret(connection: &Connection, key: &[u8; 16]) -> rusqlite::Result<()> {
    let sql = "INSERT INTO secret (only_one, key) VALUES (1, ?1)";
    connection.prepare_cached(sql)?.execute(params![key]).map(drop)
}

fn put_binding(connection: &Connection, binding: &BindingRow) -> rusqlite::Result<()> {
    let sql =
        "INSERT OR REPLACE INTO binding (aor, contact, q_permille, call_id, cseq, instance, expires_at, flow, reach, reg_id)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
    let mut statement = connection.prepare_cached(sql)?;
    statement
        .execute(params![
            binding.aor.as_str(),
            binding.contact.as_str(),
            binding.q_permille,
            binding.call_id,
            binding.cseq,
            binding.instance,
            binding.expires_at.as_millis_i64(),
            FlowColumn(binding.flow),
            match binding.reach {
                Reach::Contact => "contact",
                Reach::Flow => "flow",
            },
            binding.reg_id,
        ])
        .map(drop)
}

fn take_binding(connection: &Connection, aor: &Aor, contact: &Uri) -> rusqlite::Result<()> {
    let sql = "DELETE FROM binding WHERE aor = ?1 AND contact = ?2";
    connection.prepare_cached(sql)?.execute(params![aor.as_str(), contact.as_str()]).map(drop)
}

fn put_device(connection: &Connection, device: &DeviceRow) -> rusqlite::Result<()> {
    let sql = "INSERT INTO device (aor, instance, seen_at) VALUES (?1, ?2, ?3)
               ON CONFLICT (aor, instance) DO UPDATE SET seen_at = ?3";
    let mut statement = connection.prepare_cached(sql)?;
    statement.execute(params![device.aor.as_str(), device.instance, device.seen_at.as_millis_i64()]).map(drop)
}

fn take_device(connection: &Connection, aor: &Aor, instance: &str) -> rusqlite::Result<()> {
    let sql = "DELETE FROM device WHERE aor = ?1 AND instance = ?2";
    connection.prepare_cached(sql)?.execute(params![aor.as_str(), instance]).map(drop)
}

fn put_accepted(connection: &Connection, accepted: &AcceptedRow) -> rusqlite::Result<()> {
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
            aliases::lists_column(&accepted.lists),
        ])
        .map(drop)
}

/// `[recipient, state, status, reason, tries, after_ms]`, and where something is still to be tried
/// `branches, [device, ...]` after it. Borrowed to be written, owned as read.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum OutcomeColumns<Text, Devices> {
    Waits(u32, Text, u16, Text, u32, u64, u32, Devices),
    Ended(u32, Text, u16, Text, u32, u64),
}

type OutcomeWritten<'a> = OutcomeColumns<&'a str, &'a [String]>;
type OutcomeRead = OutcomeColumns<String, Vec<String>>;

fn put_outcomes(
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

fn put_report(connection: &Connection, dispatch: DispatchId, report: &ReportRow) -> rusqlite::Result<()> {
    let sql = "INSERT INTO report (dispatch, cseq, answered, rounds, due_at, closed)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (dispatch)
               DO UPDATE SET cseq = ?2, answered = ?3, rounds = ?4, due_at = ?5, closed = ?6";
    let due_at = report.due_at.map(|at| at.as_millis_i64());
    let ReportRow { cseq, answered, rounds, closed, .. } = *report;
    let mut statement = connection.prepare_cached(sql)?;
    statement.execute(params![signed(dispatch.0), cseq, answered, rounds, due_at, closed]).map(drop)
}

fn move_flow(connection: &Connection, dispatch: DispatchId, flow: Flow) -> rusqlite::Result<()> {
    let sql = "UPDATE dispatch SET flow = ?2 WHERE id = ?1";
    connection.prepare_cached(sql)?.execute(params![signed(dispatch.0), FlowColumn(flow)]).map(drop)
}

fn forget(connection: &Connection, dispatch: DispatchId) -> rusqlite::Result<()> {
    // Outcomes and report go with it: ON DELETE CASCADE.
    connection.prepare_cached("DELETE FROM dispatch WHERE id = ?1")?.execute([signed(dispatch.0)]).map(drop)
}

fn secret(connection: &Connection) -> rusqlite::Result<Option<[u8; 16]>> {
    let mut statement = connection.prepare("SELECT key FROM secret")?;
    let mut rows = statement.query([])?;
    rows.next()?.map(|row| row.get(0)).transpose()
}

fn bindings(connection: &Connection) -> rusqlite::Result<Vec<BindingRow>> {
    let sql = "SELECT aor, contact, q_permille, call_id, cseq, instance, expires_at, flow, reach, reg_id FROM binding
               ORDER BY aor, contact";
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([], binding)?;
    // A binding that cannot be read is worth less than a start: its owner registers again.
    Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?.into_iter().flatten().collect())
}

fn binding(row: &Row<'_>) -> rusqlite::Result<Option<BindingRow>> {
    let (aor, contact): (String, String) = (row.get("aor")?, row.get("contact")?);
    let (Some(aor), Ok(contact)) = (Aor::parse(&aor), Uri::parse(&contact)) else {
        tracing::warn!("a stored binding cannot be read and is left out");
        return Ok(None);
    };
    Ok(Some(BindingRow {
        aor,
        contact,
        q_permille: row.get("q_permille")?,
        call_id: row.get("call_id")?,
        cseq: row.get("cseq")?,
        instance: row.get("instance")?,
        expires_at: timestamp(row, "expires_at")?,
        flow: row.get::<_, FlowColumn>("flow")?.0,
        reach: if row.get::<_, String>("reach")? == "flow" { Reach::Flow } else { Reach::Contact },
        reg_id: row.get("reg_id")?,
    }))
}

fn devices(connection: &Connection) -> rusqlite::Result<Vec<DeviceRow>> {
    let mut statement =
        connection.prepare("SELECT aor, instance, seen_at FROM device ORDER BY aor, instance")?;
    let rows = statement.query_map([], |row| {
        let aor: String = row.get("aor")?;
        let (instance, seen_at) = (row.get("instance")?, timestamp(row, "seen_at")?);
        // As with bindings: one that cannot be read is worth less than a start.
        Ok(Aor::parse(&aor).map(|aor| DeviceRow { aor, instance, seen_at }))
    })?;
    Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?.into_iter().flatten().collect())
}

fn dispatches(connection: &Connection) -> rusqlite::Result<Vec<DispatchRows>> {
    let mut outcomes = outcomes(connection)?;
    let mut reports = reports(connection)?;
    let sql =
        "SELECT id, key, to_tag, accepted_at, flow, recipients, request, lists FROM dispatch ORDER BY id";
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([], accepted)?;
    rows.map(|accepted| {
        let accepted = accepted?;
        let outcomes = outcomes.remove(&accepted.id).unwrap_or_default().into_values().collect();
        let report = reports.remove(&accepted.id);
        Ok(DispatchRows { accepted, outcomes, report })
    })
    .collect()
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
        lists: aliases::lists(row.get("lists")?),
    })
}

/// The latest outcome of each recipient of each message.
type Outcomes = BTreeMap<DispatchId, BTreeMap<u32, OutcomeRow>>;

fn outcomes(connection: &Connection) -> rusqlite::Result<Outcomes> {
    let mut known = Outcomes::new();
    let mut statement = connection.prepare("SELECT dispatch, outcomes FROM outcome ORDER BY id")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let dispatch = known.entry(DispatchId(unsigned(row.get(0)?))).or_default();
        let Json(columns): Json<Vec<OutcomeRead>> = row.get(1)?;
        dispatch.extend(columns.into_iter().filter_map(outcome).map(|outcome| (outcome.recipient, outcome)));
    }
    Ok(known)
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
    Some(OutcomeRow { recipient, state, status, reason, tries, after: Duration::from_millis(after), waits })
}

fn reports(connection: &Connection) -> rusqlite::Result<BTreeMap<DispatchId, ReportRow>> {
    let mut statement =
        connection.prepare("SELECT dispatch, cseq, answered, rounds, due_at, closed FROM report")?;
    let rows = statement.query_map([], |row| {
        let report = ReportRow {
            cseq: row.get("cseq")?,
            answered: row.get("answered")?,
            rounds: row.get("rounds")?,
            due_at: timestamp_option(row, "due_at")?,
            closed: row.get("closed")?,
        };
        Ok((DispatchId(unsigned(row.get("dispatch")?)), report))
    })?;
    rows.collect()
}

#[cfg(test)]
mod tests;
