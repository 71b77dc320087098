//! Rows of users who were removed or have a new password, and what is stored for a user who may be removed.

use rusqlite::Connection;

use super::dispatches;
use crate::proxy::journal::{AcceptedRow, OutcomeRow, OutcomeState, RemovedPart, RemovedRow, Stored, expand};
use crate::sip::Aor;
use crate::store::columns::{signed, unsigned};

/// The orders that are not carried out yet.
pub(in crate::store) fn removed(connection: &Connection) -> rusqlite::Result<Vec<RemovedRow>> {
    let mut statement = connection.prepare_cached("SELECT number, aor, what FROM removed ORDER BY number")?;
    let rows = statement.query_map([], |row| {
        let (number, aor, what): (i64, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let what = if what == "bindings" { RemovedPart::Bindings } else { RemovedPart::User };
        Ok(Aor::parse(&aor).map(|aor| RemovedRow { number: unsigned(number), aor, what }))
    })?;
    Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?.into_iter().flatten().collect())
}

/// Deletes what belonged to removed users, the bindings of those with a new password, and then the orders for it.
pub(super) fn purge(
    connection: &Connection,
    gone: &[Aor],
    signed_out: &[Aor],
    up_to: u64,
) -> rusqlite::Result<()> {
    for aor in gone {
        connection.prepare_cached("DELETE FROM device WHERE aor = ?1")?.execute([aor.as_str()])?;
    }
    for aor in gone.iter().chain(signed_out) {
        unbind_all(connection, aor)?;
    }
    let sql = "DELETE FROM removed WHERE number <= ?1";
    connection.prepare_cached(sql)?.execute([signed(up_to)]).map(drop)
}

/// Deletes all bindings of a user; returns how many there were.
pub(in crate::store) fn unbind_all(connection: &Connection, aor: &Aor) -> rusqlite::Result<usize> {
    connection.prepare_cached("DELETE FROM binding WHERE aor = ?1")?.execute([aor.as_str()])
}

/// The number of messages that wait for a user or for one of the user's devices.
pub(in crate::store) fn waiting_for(connection: &Connection, aor: &Aor) -> rusqlite::Result<usize> {
    let mut count = 0;
    dispatches::each(connection, |stored| match stored {
        Stored::Remembered(_) => {}
        Stored::Whole(rows) => {
            let waits = |known: &&OutcomeRow| known.waits.is_some() || known.state == OutcomeState::Deferred;
            let mut waiting = rows.outcomes.iter().filter(waits);
            count += usize::from(waiting.any(|known| is_to(&rows.accepted, known.recipient, aor)));
        }
    })?;
    Ok(count)
}

fn is_to(row: &AcceptedRow, recipient: u32, aor: &Aor) -> bool {
    let Ok((_, all)) = row.read_back() else { return false };
    let all = expand(&all, &row.lists);
    let place = usize::try_from(recipient).ok().and_then(|recipient| row.recipients.get(recipient));
    let addressed = place.and_then(|place| all.get(usize::try_from(*place).ok()?));
    addressed.is_some_and(|(_, addressed)| addressed.uri.aor() == *aor)
}
