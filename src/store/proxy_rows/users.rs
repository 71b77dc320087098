//! The users of a proxy and the senders they have blocked.

use std::collections::BTreeMap;

use rusqlite::Connection;

use crate::proxy::journal::UserRow;
use crate::sip::Aor;
use crate::sip::digest::{Algorithm, Ha1};

/// All users, by address. An unreadable one is skipped: nobody can sign in with it.
pub(in crate::store) fn users(connection: &Connection) -> rusqlite::Result<Vec<UserRow>> {
    let mut blocked = blocked(connection)?;
    let mut statement = connection.prepare_cached("SELECT aor, sha256, md5 FROM user ORDER BY aor")?;
    let rows = statement.query_map([], |row| {
        let (aor, sha256, md5): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let blocked = blocked.remove(&aor).unwrap_or_default();
        Ok(Aor::parse(&aor).map(|aor| UserRow {
            aor,
            sha256: Ha1::stored(Algorithm::Sha256, sha256),
            md5: Ha1::stored(Algorithm::Md5, md5),
            blocked,
        }))
    })?;
    Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?.into_iter().flatten().collect())
}

fn blocked(connection: &Connection) -> rusqlite::Result<BTreeMap<String, Vec<Aor>>> {
    let mut blocked: BTreeMap<String, Vec<Aor>> = BTreeMap::new();
    let mut statement = connection.prepare_cached("SELECT aor, sender FROM block ORDER BY aor, sender")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let sender: String = row.get(1)?;
        blocked.entry(row.get(0)?).or_default().extend(Aor::parse(&sender));
    }
    Ok(blocked)
}
