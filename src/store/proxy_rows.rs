//! The proxy's journal as rows.

use std::collections::BTreeMap;
use std::time::Duration;

use rusqlite::{Connection, Row, params};

use crate::machine::Flow;
use crate::proxy::journal::{
    AcceptedRow, BindingRow, DispatchId, DispatchRows, OutcomeRow, OutcomeState, ReportRow, Rows, Write,
};
use crate::sip::{Aor, Uri};
use crate::store::Schema;
use crate::store::columns::{FlowColumn, Json, millis, signed, timestamp, timestamp_option, unsigned};

/// The tables of a proxy.
#[derive(Debug)]
pub struct ProxySchema;

impl Schema for ProxySchema {
    type Write = Write;
    type Rows = Rows;
    const NAME: &'static str = "proxy";
    const APPLICATION_ID: i32 = 0x4641_4e50; // "FANP"
    const MIGRATIONS: &'static [&'static str] = &[include_str!("proxy_1.sql")];

    fn apply(connection: &Connection, write: &Write) -> rusqlite::Result<()> {
        match write {
            Write::Secret(key) => put_secret(connection, key),
            Write::Bind(binding) => put_binding(connection, binding),
            Write::Unbind { aor, contact } => take_binding(connection, aor, contact),
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
        "INSERT OR REPLACE INTO binding (aor, contact, q_permille, call_id, cseq, instance, expires_at, flow)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
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
        ])
        .map(drop)
}

fn take_binding(connection: &Connection, aor: &Aor, contact: &Uri) -> rusqlite::Result<()> {
    let sql = "DELETE FROM binding WHERE aor = ?1 AND contact = ?2";
    connection.prepare_cached(sql)?.execute(params![aor.as_str(), contact.as_str()]).map(drop)
}

fn put_accepted(connection: &Connection, accepted: &AcceptedRow) -> rusqlite::Result<()> {
    let sql = "INSERT INTO dispatch (id, key, to_tag, accepted_at, flow, recipients, request)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
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
        ])
        .map(drop)
}

/// `[recipient, state, status, reason, tries, after_ms]`.
type OutcomeColumns<Text> = (u32, Text, u16, Text, u32, u64);

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
    let columns: Vec<OutcomeColumns<&str>> = outcomes.iter().map(outcome_columns).collect();
    let sql = "INSERT OR REPLACE INTO outcome (dispatch, recipient, outcomes) VALUES (?1, ?2, ?3)";
    connection.prepare_cached(sql)?.execute(params![signed(dispatch.0), alone, Json(columns)]).map(drop)
}

fn outcome_columns(outcome: &OutcomeRow) -> OutcomeColumns<&str> {
    let state = match outcome.state {
        OutcomeState::Delivered => "delivered",
        OutcomeState::Failed => "failed",
        OutcomeState::Deferred => "deferred",
    };
    (
        outcome.recipient,
        state,
        outcome.status,
        &outcome.reason,
        outcome.tries,
        unsigned(millis(outcome.after)),
    )
}

fn put_report(connection: &Connection, dispatch: DispatchId, report: &ReportRow) -> rusqlite::Result<()> {
    let sql = "INSERT INTO report (dispatch, cseq, rounds, due_at, closed) VALUES (?1, ?2, ?3, ?4, ?5)
               ON CONFLICT (dispatch) DO UPDATE SET cseq = ?2, rounds = ?3, due_at = ?4, closed = ?5";
    let due_at = report.due_at.map(|at| at.as_millis_i64());
    let mut statement = connection.prepare_cached(sql)?;
    statement
        .execute(params![signed(dispatch.0), report.cseq, report.rounds, due_at, report.closed])
        .map(drop)
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
    let sql = "SELECT aor, contact, q_permille, call_id, cseq, instance, expires_at, flow FROM binding
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
    }))
}

fn dispatches(connection: &Connection) -> rusqlite::Result<Vec<DispatchRows>> {
    let mut outcomes = outcomes(connection)?;
    let mut reports = reports(connection)?;
    let sql = "SELECT id, key, to_tag, accepted_at, flow, recipients, request FROM dispatch ORDER BY id";
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
        let Json(columns): Json<Vec<OutcomeColumns<String>>> = row.get(1)?;
        dispatch.extend(columns.into_iter().filter_map(outcome).map(|outcome| (outcome.recipient, outcome)));
    }
    Ok(known)
}

fn outcome((recipient, state, status, reason, tries, after): OutcomeColumns<String>) -> Option<OutcomeRow> {
    let state = match state.as_str() {
        "delivered" => OutcomeState::Delivered,
        "failed" => OutcomeState::Failed,
        "deferred" => OutcomeState::Deferred,
        _ => return None,
    };
    Some(OutcomeRow { recipient, state, status, reason, tries, after: Duration::from_millis(after) })
}

fn reports(connection: &Connection) -> rusqlite::Result<BTreeMap<DispatchId, ReportRow>> {
    let mut statement = connection.prepare("SELECT dispatch, cseq, rounds, due_at, closed FROM report")?;
    let rows = statement.query_map([], |row| {
        let report = ReportRow {
            cseq: row.get("cseq")?,
            rounds: row.get("rounds")?,
            due_at: timestamp_option(row, "due_at")?,
            closed: row.get("closed")?,
        };
        Ok((DispatchId(unsigned(row.get("dispatch")?)), report))
    })?;
    rows.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::{opened, write_all};
    use crate::time::Timestamp;
    use bytes::Bytes;

    fn flow() -> Flow {
        Flow::udp("127.0.0.1:5060".parse().unwrap(), "127.0.0.1:40000".parse().unwrap())
    }

    fn accepted_row(id: u64) -> AcceptedRow {
        AcceptedRow {
            id: DispatchId(id),
            key: format!("james|{id}"),
            to_tag: "t1".to_owned(),
            accepted_at: Timestamp::from_millis(1_700_000_000_123),
            flow: flow(),
            request: Bytes::from_static(b"MESSAGE sip:a@b SIP/2.0\r\n\xff\x00"),
            recipients: vec![0, 2, 1],
        }
    }

    fn outcome_row(recipient: u32, state: OutcomeState) -> OutcomeRow {
        let after = Duration::from_millis(32_000);
        OutcomeRow {
            recipient,
            state,
            status: 408,
            reason: "Request \"Timeout\"".to_owned(),
            tries: 11,
            after,
        }
    }

    #[test]
    fn what_was_accepted_comes_back_with_its_latest_outcomes_and_report() {
        let connection = opened::<ProxySchema>();
        let (mine, other) = (DispatchId(7), DispatchId(8));
        let early = ReportRow { cseq: 1, rounds: 0, due_at: Some(Timestamp::from_millis(9)), closed: false };
        let late = ReportRow { cseq: 2, rounds: 3, due_at: None, closed: true };
        let deferred = |state| vec![outcome_row(0, state)];
        let rest = vec![outcome_row(1, OutcomeState::Delivered), outcome_row(2, OutcomeState::Failed)];
        let moved = Flow { remote: "127.0.0.1:41000".parse().unwrap(), ..flow() };
        write_all::<ProxySchema>(
            &connection,
            &[
                Write::Secret([9; 16]),
                Write::Accept(accepted_row(7)),
                Write::Accept(accepted_row(8)),
                Write::Outcomes { dispatch: mine, outcomes: deferred(OutcomeState::Deferred) },
                Write::Outcomes { dispatch: mine, outcomes: rest.clone() },
                Write::Outcomes { dispatch: mine, outcomes: deferred(OutcomeState::Delivered) },
                Write::Outcomes { dispatch: other, outcomes: Vec::new() },
                Write::Report { dispatch: mine, report: early },
                Write::Report { dispatch: mine, report: late },
                Write::Moved { dispatch: mine, flow: moved },
            ],
        );
        let rows = ProxySchema::load(&connection).unwrap();
        assert_eq!(rows.secret, Some([9; 16]));
        let mut outcomes = deferred(OutcomeState::Delivered);
        outcomes.extend(rest);
        let mut accepted = accepted_row(7);
        accepted.flow = moved;
        assert_eq!(
            rows.dispatches,
            [
                DispatchRows { accepted, outcomes, report: Some(late) },
                DispatchRows { accepted: accepted_row(8), outcomes: vec![], report: None },
            ]
        );
    }

    #[test]
    fn a_single_outcome_replaces_the_single_one_before_so_that_retries_do_not_pile_up() {
        let connection = opened::<ProxySchema>();
        let again = Write::Outcomes {
            dispatch: DispatchId(7),
            outcomes: vec![outcome_row(3, OutcomeState::Deferred)],
        };
        write_all::<ProxySchema>(
            &connection,
            &[Write::Accept(accepted_row(7)), again.clone(), again.clone(), again],
        );
        let rows: i64 = connection.query_row("SELECT count(*) FROM outcome", [], |row| row.get(0)).unwrap();
        assert_eq!(rows, 1);
    }

    #[test]
    fn what_is_forgotten_takes_all_with_it() {
        let connection = opened::<ProxySchema>();
        let report = ReportRow { cseq: 1, rounds: 0, due_at: None, closed: true };
        write_all::<ProxySchema>(
            &connection,
            &[
                Write::Accept(accepted_row(7)),
                Write::Outcomes {
                    dispatch: DispatchId(7),
                    outcomes: vec![outcome_row(0, OutcomeState::Failed)],
                },
                Write::Report { dispatch: DispatchId(7), report },
                Write::Forget(DispatchId(7)),
            ],
        );
        let left = "SELECT (SELECT count(*) FROM outcome) + (SELECT count(*) FROM report)";
        assert_eq!(connection.query_row(left, [], |row| row.get::<_, i64>(0)).unwrap(), 0);
        assert_eq!(ProxySchema::load(&connection).unwrap(), Rows::default());
    }

    #[test]
    fn an_outcome_of_nothing_is_refused() {
        let connection = opened::<ProxySchema>();
        let stray =
            Write::Outcomes { dispatch: DispatchId(7), outcomes: vec![outcome_row(0, OutcomeState::Failed)] };
        assert!(ProxySchema::apply(&connection, &stray).is_err());
    }

    #[test]
    fn a_binding_is_replaced_and_removed_by_address_and_contact() {
        let connection = opened::<ProxySchema>();
        let contact = Uri::parse("sip:bob@127.0.0.1:5070").unwrap();
        let aor = Aor::parse("bob@domain.com").unwrap();
        let row = BindingRow {
            aor: aor.clone(),
            contact: contact.clone(),
            q_permille: 1000,
            call_id: "c1".to_owned(),
            cseq: 1,
            instance: Some("<urn:uuid:1>".to_owned()),
            expires_at: Timestamp::from_millis(5),
            flow: flow(),
        };
        let newer = BindingRow { cseq: 2, instance: None, ..row.clone() };
        write_all::<ProxySchema>(&connection, &[Write::Bind(row), Write::Bind(newer.clone())]);
        assert_eq!(ProxySchema::load(&connection).unwrap().bindings, [newer]);
        write_all::<ProxySchema>(&connection, &[Write::Unbind { aor, contact }]);
        assert_eq!(ProxySchema::load(&connection).unwrap(), Rows::default());
    }
}
