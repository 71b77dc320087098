//! Addresses that stand for others, and what a list in a message stood for.

use rusqlite::Connection;

use crate::proxy::journal::{AliasRow, ListRow};
use crate::sip::{Aor, Uri};
use crate::store::columns::Json;

/// All of them, by address, each with its members in order. What cannot be read is left out: nobody is reached by it.
pub(in crate::store) fn aliases(connection: &Connection) -> rusqlite::Result<Vec<AliasRow>> {
    let mut statement = connection.prepare_cached("SELECT alias, member FROM alias ORDER BY alias, place")?;
    let mut rows = statement.query([])?;
    let mut all: Vec<AliasRow> = Vec::new();
    while let Some(row) = rows.next()? {
        let (alias, member): (String, String) = (row.get(0)?, row.get(1)?);
        let (Some(alias), Ok(member)) = (Aor::parse(&alias), Uri::parse(&member)) else { continue };
        match all.last_mut().filter(|last| last.alias == alias) {
            Some(last) => last.members.push(member),
            None => all.push(AliasRow { alias, members: vec![member] }),
        }
    }
    Ok(all)
}

/// Lists as `[[place, [member, ...]], ...]`.
pub(super) fn lists_column(lists: &[ListRow]) -> Json<Vec<(u32, Vec<&str>)>> {
    Json(lists.iter().map(|list| (list.place, list.members.iter().map(Uri::as_str).collect())).collect())
}

/// Lists read back; a member that cannot be read is missed by whoever reads the message's recipients.
pub(super) fn lists(Json(column): Json<Vec<(u32, Vec<String>)>>) -> Vec<ListRow> {
    let members = |texts: Vec<String>| texts.iter().filter_map(|text| Uri::parse(text).ok()).collect();
    column.into_iter().map(|(place, texts)| ListRow { place, members: members(texts) }).collect()
}
