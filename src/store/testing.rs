//! What the tests of the store share.

use rusqlite::Connection;

use crate::store::{Schema, migrate};

/// A fresh database in memory with the schema's tables.
pub(super) fn opened<S: Schema>() -> Connection {
    let mut connection = Connection::open_in_memory().unwrap();
    connection.pragma_update(None, "foreign_keys", "ON").unwrap();
    migrate::migrate::<S>(&mut connection).unwrap();
    connection
}

/// Applies writes in order.
pub(super) fn write_all<S: Schema>(connection: &Connection, writes: &[S::Write]) {
    for write in writes {
        S::apply(connection, write).unwrap();
    }
}
