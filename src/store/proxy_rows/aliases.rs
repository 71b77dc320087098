//! Aliases and lists, and the members that a list had when a message was accepted.

use rusqlite::Connection;

use crate::proxy::journal::{AliasRow, ListRow};
use crate::sip::{Aor, Uri};
use crate::store::columns::Json;

/// All aliases and lists, by address, each with its members in order. An unreadable one is skipped: it leads to nobody.
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

/// The lists in a column; an unreadable member shows up as missing when the message's recipients are read.
pub(super) fn lists(Json(column): Json<Vec<(u32, Vec<String>)>>) -> Vec<ListRow> {
    let members = |texts: Vec<String>| texts.iter().filter_map(|text| Uri::parse(text).ok()).collect();
    column.into_iter().map(|(place, texts)| ListRow { place, members: members(texts) }).collect()
}
