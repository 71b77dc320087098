//! How values that are more than a number or a text are stored in a column.
//!
//! Lists are JSON, so that people can read them with `sqlite3` and SQL queries can take them apart.

use std::net::SocketAddr;
use std::time::Duration;

use rusqlite::types::{FromSqlError, FromSqlResult, ToSqlOutput, ValueRef};
use rusqlite::{Row, ToSql};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::machine::{ConnectionId, Flow};
use crate::model::journal::PersonRow;
use crate::sip::Transport;
use crate::time::Timestamp;

/// Converts to SQLite's signed numbers; ours stay far below the limit.
pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Converts back; we never write a negative number, so one counts as 0.
pub(super) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// Milliseconds of a duration.
pub(super) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// A column of milliseconds since 1970.
pub(super) fn timestamp(row: &Row<'_>, column: &str) -> rusqlite::Result<Timestamp> {
    Ok(Timestamp::from_millis(unsigned(row.get(column)?)))
}

/// A column of milliseconds since 1970, or NULL.
pub(super) fn timestamp_option(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<Timestamp>> {
    Ok(row.get::<_, Option<i64>>(column)?.map(|at| Timestamp::from_millis(unsigned(at))))
}

/// A value as JSON.
#[derive(Debug)]
pub(super) struct Json<T>(pub(super) T);

impl<T: Serialize> ToSql for Json<T> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let text = serde_json::to_string(&self.0)
            .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
        Ok(text.into())
    }
}

impl<T: DeserializeOwned> rusqlite::types::FromSql for Json<T> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        serde_json::from_str(value.as_str()?).map(Json).map_err(FromSqlError::other)
    }
}

/// A flow as stored in a column.
#[derive(Debug)]
pub(super) struct FlowColumn(pub(super) Flow);

impl ToSql for FlowColumn {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let Flow { transport, local, remote, connection } = self.0;
        let text = match connection {
            None => format!("{} {local} {remote}", transport.as_str()),
            Some(ConnectionId(connection)) => {
                format!("{} {local} {remote} {connection}", transport.as_str())
            }
        };
        Ok(text.into())
    }
}

impl rusqlite::types::FromSql for FlowColumn {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        read_flow(value.as_str()?).map(Self).ok_or(FromSqlError::InvalidType)
    }
}

fn read_flow(text: &str) -> Option<Flow> {
    let mut words = text.split(' ');
    let transport = Transport::parse(words.next()?)?;
    let local: SocketAddr = words.next()?.parse().ok()?;
    let remote: SocketAddr = words.next()?.parse().ok()?;
    let connection = match words.next() {
        None => None,
        Some(number) => Some(ConnectionId(number.parse().ok()?)),
    };
    Some(Flow { transport, local, remote, connection })
}

/// People as `[[address, name], ...]`.
pub(super) fn people_column(people: &[PersonRow]) -> Json<Vec<(&str, &str)>> {
    Json(people.iter().map(|person| (person.address.as_str(), person.name.as_str())).collect())
}

/// The people in a column.
pub(super) fn people(row: &Row<'_>, column: &str) -> rusqlite::Result<Vec<PersonRow>> {
    let Json(pairs): Json<Vec<(String, String)>> = row.get(column)?;
    Ok(pairs.into_iter().map(|(address, name)| PersonRow { address, name }).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flow_comes_back_as_it_was() {
        let connection = rusqlite::Connection::open_in_memory().unwrap();
        let udp = Flow::udp("127.0.0.1:5060".parse().unwrap(), "[::1]:5061".parse().unwrap());
        let tcp = Flow { transport: Transport::Tcp, connection: Some(ConnectionId(1 << 60)), ..udp };
        for flow in [udp, tcp] {
            let FlowColumn(read) =
                connection.query_row("SELECT ?1", [FlowColumn(flow)], |row| row.get(0)).unwrap();
            assert_eq!(read, flow);
        }
        for wrong in [
            "",
            "UDP",
            "UDP 127.0.0.1:1 nowhere",
            "SCTP 127.0.0.1:1 127.0.0.1:2",
            "TCP 127.0.0.1:1 127.0.0.1:2 x",
        ] {
            assert_eq!(read_flow(wrong), None, "{wrong}");
        }
    }
}
