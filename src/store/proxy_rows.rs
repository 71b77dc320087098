//! How the proxy's journal is stored as rows.

use rusqlite::{Connection, Row, params};

pub(super) use self::aliases::aliases;
use self::aliases::{lists, lists_column};
pub(super) use self::departed::{removed, unbind_all, waiting_for};
pub(super) use self::users::users;
use crate::proxy::journal::{BindingRow, DeviceRow, DispatchId, DispatchRows, Reach, Rows, Stored, Write};
use crate::sip::{Aor, Uri};
use crate::store::columns::{FlowColumn, timestamp};
use crate::store::tables::Journal;
use crate::store::{Schema, Writer};

mod audit;

mod dispatches;

mod aliases;

mod departed;

mod users;

/// The tables of a proxy.
#[derive(Debug)]
pub struct ProxySchema;

impl Schema for ProxySchema {
    type Write = Write;
    type Rows = Rows;
    type Streamed = Stored;
    const NAME: &'static str = "proxy";
    const APPLICATION_ID: i32 = 0x4641_4e50; // "FANP"
    const IS_SECRET: bool = true;
    const MIGRATIONS: &'static [&'static str] = &[
        include_str!("proxy_1.sql"),
        include_str!("proxy_2.sql"),
        include_str!("proxy_3.sql"),
        include_str!("proxy_4.sql"),
        include_str!("proxy_5.sql"),
        include_str!("proxy_6.sql"),
        include_str!("proxy_7.sql"),
        include_str!("proxy_8.sql"),
        include_str!("proxy_9.sql"),
    ];

    fn apply(connection: &Connection, write: &Write) -> rusqlite::Result<()> {
        match write {
            Write::Secret(key) => put_secret(connection, key),
            Write::Bind(binding) => put_binding(connection, binding),
            Write::Unbind { aor, contact } => take_binding(connection, aor, contact),
            Write::Device(device) => put_device(connection, device),
            Write::ForgetDevice { aor, instance } => take_device(connection, aor, instance),
            Write::Accept(accepted) => dispatches::put_accepted(connection, accepted),
            Write::Outcomes { dispatch, outcomes } => {
                dispatches::put_outcomes(connection, *dispatch, outcomes)
            }
            Write::Report { dispatch, report } => dispatches::put_report(connection, *dispatch, report),
            Write::Moved { dispatch, flow } => dispatches::move_flow(connection, *dispatch, *flow),
            Write::Remember(row) => dispatches::remember(connection, row),
            Write::Recall(dispatch) => dispatches::recall(connection, *dispatch),
            Write::Forget(dispatch) => dispatches::forget(connection, *dispatch),
            Write::Purge { aors, signed_out, up_to } => departed::purge(connection, aors, signed_out, *up_to),
        }
    }

    fn load(connection: &Connection) -> rusqlite::Result<Rows> {
        let mut rows = Self::recover(connection)?;
        Self::each(connection, &mut |stored| rows.add(stored))?;
        Ok(rows)
    }

    /// Everything except the messages.
    fn recover(connection: &Connection) -> rusqlite::Result<Rows> {
        Ok(Rows {
            secret: secret(connection)?,
            bindings: bindings(connection)?,
            devices: devices(connection)?,
            aliases: aliases(connection)?,
            users: users(connection)?,
            removed: removed(connection)?,
            ..Rows::default()
        })
    }

    /// The messages: first those with nothing left to do, without their bodies.
    fn each(connection: &Connection, take: &mut dyn FnMut(Stored)) -> rusqlite::Result<()> {
        dispatches::each(connection, take)
    }

    fn reader(connection: &Connection) -> &<Write as Journal>::Reader {
        connection
    }
}

/// What a running proxy reads back from its store.
pub trait MessageReader {
    /// What is stored of one message.
    ///
    /// # Errors
    /// The store cannot be read: why, for the log.
    fn message(&self, id: DispatchId) -> Result<Option<DispatchRows>, String>;
}

impl Journal for Write {
    type Reader = dyn MessageReader;
}

impl MessageReader for Connection {
    fn message(&self, id: DispatchId) -> Result<Option<DispatchRows>, String> {
        dispatches::read(self, id).map_err(|error| error.to_string())
    }
}

impl Writer<Write> {
    /// Reads what is stored of one message, between two groups; calls `answer` on the writer's thread. Returns false if
    /// too much is waiting there already.
    #[must_use]
    pub fn read(
        &self,
        id: DispatchId,
        answer: impl FnOnce(Option<Box<DispatchRows>>) + Send + 'static,
    ) -> bool {
        self.try_ask(Box::new(move |reader| {
            let rows = reader.message(id).unwrap_or_else(|error| {
                tracing::warn!(%error, "a stored message cannot be read");
                None
            });
            answer(rows.map(Box::new));
        }))
    }
}

fn put_secret(connection: &Connection, key: &[u8; 16]) -> rusqlite::Result<()> {
    let sql = "INSERT INTO secret (only_one, key) VALUES (1, ?1)";
    connection.prepare_cached(sql)?.execute(params![key]).map(drop)
}

fn put_binding(connection: &Connection, binding: &BindingRow) -> rusqlite::Result<()> {
    let sql =
        "INSERT OR REPLACE INTO binding (aor, contact, q_permille, call_id, cseq, instance, expires_at, flow, reach, reg_id, path)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
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
            binding.path.join("\n"),
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

fn secret(connection: &Connection) -> rusqlite::Result<Option<[u8; 16]>> {
    let mut statement = connection.prepare("SELECT key FROM secret")?;
    let mut rows = statement.query([])?;
    rows.next()?.map(|row| row.get(0)).transpose()
}

fn bindings(connection: &Connection) -> rusqlite::Result<Vec<BindingRow>> {
    let sql = "SELECT aor, contact, q_permille, call_id, cseq, instance, expires_at, flow, reach, reg_id, path FROM binding
               ORDER BY aor, contact";
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([], binding)?;
    // A binding that cannot be read must not prevent the start: its owner will register again.
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
        path: row.get::<_, String>("path")?.lines().map(str::to_owned).collect(),
    }))
}

fn devices(connection: &Connection) -> rusqlite::Result<Vec<DeviceRow>> {
    let mut statement =
        connection.prepare("SELECT aor, instance, seen_at FROM device ORDER BY aor, instance")?;
    let rows = statement.query_map([], |row| {
        let aor: String = row.get("aor")?;
        let (instance, seen_at) = (row.get("instance")?, timestamp(row, "seen_at")?);
        // As with bindings: a device that cannot be read must not prevent the start.
        Ok(Aor::parse(&aor).map(|aor| DeviceRow { aor, instance, seen_at }))
    })?;
    Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?.into_iter().flatten().collect())
}

#[cfg(test)]
mod tests;
