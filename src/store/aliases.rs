//! The aliases and lists of a proxy, which commands change while the proxy runs or not (W16).
//!
//! **Invariant:** the running proxy's lock is not touched, and it notices a change by itself.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, params};

use crate::limits::{ALIAS_DEPTH_MAX, ALIASES_MAX, RECIPIENTS_MAX};
use crate::proxy::journal::AliasRow;
use crate::sip::{Aor, Uri};
use crate::store::outside::{change, open_beside};
use crate::store::served::{Doubt, doubt_about_member, doubts_about};
use crate::store::{OpenError, proxy_rows};

/// Why a change was not made.
#[derive(Debug, thiserror::Error)]
pub enum AliasesError {
    /// Opening the store.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// There is no such alias or list.
    #[error("{0} is not an alias or a list")]
    Unknown(Aor),
    /// A user has this address, and messages to that user would go to the list instead.
    #[error(
        "{0} is a user, and messages to that user would go to the list; remove the user first with: fanfare proxy user remove \
         {0}"
    )]
    User(Aor),
    /// Not a member.
    #[error("{} is not a member of {alias}", member.short())]
    NoMember {
        /// The list.
        alias: Aor,
        /// Who is not a member.
        member: Uri,
    },
    /// The list would contain itself, directly or through other lists.
    #[error("the list would contain itself: {0}")]
    Loop(String),
    /// Lists are nested too deeply.
    #[error("lists may be nested at most {ALIAS_DEPTH_MAX} deep, and this would be deeper: {0}")]
    TooDeep(String),
    /// A limit is reached.
    #[error("there is no room: the limit is {0}")]
    Full(String),
}

/// The aliases and lists in the store of a proxy.
#[derive(Debug)]
pub struct Aliases {
    connection: Connection,
    path: PathBuf,
}

type AliasRefusal = Result<(), AliasesError>;

impl Aliases {
    /// Opens a proxy's store. If no proxy uses it, it is created or migrated where needed.
    ///
    /// # Errors
    /// A sentence about what is wrong with the place or the file.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        Ok(Self { connection: open_beside(path)?, path: path.to_owned() })
    }

    /// All aliases and lists, by address.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn list(&self) -> Result<Vec<AliasRow>, AliasesError> {
        Ok(proxy_rows::aliases(&self.connection).map_err(|error| self.failed(error))?)
    }

    /// Adds members to an alias or list; existing members keep their places. Returns warnings about possible mistakes.
    ///
    /// # Errors
    /// The address is a user's, the list would contain itself or be nested too deeply, a limit is reached, or the
    /// change is not on the disk.
    pub fn add(&mut self, alias: &Aor, members: &[Uri]) -> Result<Vec<Doubt>, AliasesError> {
        change(&mut self.connection, &self.path, |change| {
            let is_user = "SELECT EXISTS (SELECT 1 FROM user WHERE aor = ?1)";
            if change.query_row(is_user, [alias.as_str()], |row| row.get(0))? {
                return Ok(Err(AliasesError::User(alias.clone())));
            }
            let sql = "INSERT OR IGNORE INTO alias (alias, place, member)
                       VALUES (?1, (SELECT coalesce(max(place), 0) + 1 FROM alias WHERE alias = ?1), ?2)";
            for member in members {
                change.execute(sql, params![alias.as_str(), member.as_str()])?;
            }
            if let Err(refused) = judge(&proxy_rows::aliases(change)?, alias) {
                return Ok(Err(refused));
            }
            let mut doubts = doubts_about(change, alias)?;
            for member in members {
                doubts.extend(doubt_about_member(change, member)?);
            }
            Ok(Ok(doubts))
        })
    }

    /// Removes members, or the whole alias if none is named.
    ///
    /// # Errors
    /// There is no such alias, one is not a member, or the change is not on the disk.
    pub fn remove(&mut self, alias: &Aor, members: &[Uri]) -> Result<(), AliasesError> {
        change(&mut self.connection, &self.path, |change| {
            for member in members {
                let sql = "DELETE FROM alias WHERE alias = ?1 AND member = ?2";
                if change.execute(sql, [alias.as_str(), member.as_str()])? == 0 {
                    return Ok(Err(AliasesError::NoMember { alias: alias.clone(), member: member.clone() }));
                }
            }
            let is_whole = members.is_empty();
            if is_whole && change.execute("DELETE FROM alias WHERE alias = ?1", [alias.as_str()])? == 0 {
                return Ok(Err(AliasesError::Unknown(alias.clone())));
            }
            Ok(Ok(()))
        })
    }

    fn failed(&self, error: rusqlite::Error) -> OpenError {
        OpenError { path: self.path.clone(), kind: error.into() }
    }
}

/// What is wrong with the table after a list was changed.
fn judge(rows: &[AliasRow], changed: &Aor) -> AliasRefusal {
    if rows.len() > ALIASES_MAX {
        return Err(AliasesError::Full(format!("{ALIASES_MAX} aliases")));
    }
    let table: BTreeMap<&Aor, &[Uri]> = rows.iter().map(|row| (&row.alias, row.members.as_slice())).collect();
    if table.get(changed).is_some_and(|members| members.len() > RECIPIENTS_MAX) {
        return Err(AliasesError::Full(format!("{RECIPIENTS_MAX} members of a list")));
    }
    let mut sound = BTreeMap::new();
    for row in rows {
        walk(&table, &row.alias, &mut Vec::new(), &mut sound)?;
    }
    Ok(())
}

/// The nesting depth of a list. `path` is the lists on the way to it; `sound` are those already checked.
fn walk(
    table: &BTreeMap<&Aor, &[Uri]>,
    list: &Aor,
    path: &mut Vec<Aor>,
    sound: &mut BTreeMap<Aor, usize>,
) -> Result<usize, AliasesError> {
    let told = |path: &[Aor]| {
        let names: Vec<_> = path.iter().chain([list]).map(ToString::to_string).collect();
        names.join(", ")
    };
    if let Some(start) = path.iter().position(|above| above == list) {
        return Err(AliasesError::Loop(told(path.get(start..).unwrap_or_default())));
    }
    let known = sound.get(list).copied();
    if path.len() + known.unwrap_or(1) > ALIAS_DEPTH_MAX {
        return Err(AliasesError::TooDeep(told(path)));
    }
    if let Some(known) = known {
        return Ok(known);
    }
    path.push(list.clone());
    let within: BTreeSet<Aor> = table
        .get(list)
        .into_iter()
        .flat_map(|members| members.iter().map(Uri::aor))
        .filter(|member| table.contains_key(member))
        .collect();
    let mut depth = 1;
    for inner in &within {
        depth = depth.max(1 + walk(table, inner, path, sound)?);
    }
    path.pop();
    sound.insert(list.clone(), depth);
    Ok(depth)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::outside::Watch;
    use crate::store::tables::Changes;
    use crate::store::{ProxySchema, Store};

    fn aor(text: &str) -> Aor {
        Aor::parse(text).unwrap()
    }

    fn uris(texts: &[&str]) -> Vec<Uri> {
        texts.iter().map(|text| Uri::parse(text).unwrap()).collect()
    }

    fn book() -> (tempfile::TempDir, Aliases) {
        let folder = tempfile::tempdir().unwrap();
        let book = Aliases::open(&folder.path().join("proxy.sqlite3")).unwrap();
        (folder, book)
    }

    #[test]
    fn w16_members_keep_their_order_and_are_there_once() {
        let (_folder, mut book) = book();
        book.add(&aor("team@d.com"), &uris(&["sip:bob@d.com", "sip:ann@d.com"])).unwrap();
        book.add(&aor("team@d.com"), &uris(&["sip:ann@d.com", "sip:cy@else.org"])).unwrap();
        let team = AliasRow {
            alias: aor("team@d.com"),
            members: uris(&["sip:bob@d.com", "sip:ann@d.com", "sip:cy@else.org"]),
        };
        assert_eq!(book.list().unwrap(), [team]);
        book.remove(&aor("team@d.com"), &uris(&["sip:ann@d.com"])).unwrap();
        assert_eq!(book.list().unwrap()[0].members, uris(&["sip:bob@d.com", "sip:cy@else.org"]));
        let refusal = book.remove(&aor("team@d.com"), &uris(&["sip:cy@else.org", "sip:ann@d.com"]));
        let refusal = refusal.unwrap_err().to_string();
        assert_eq!(refusal, "ann@d.com is not a member of team@d.com");
        assert_eq!(book.list().unwrap()[0].members.len(), 2, "nothing of it was done");
        book.remove(&aor("team@d.com"), &[]).unwrap();
        assert_eq!(book.list().unwrap(), []);
        let refusal = book.remove(&aor("team@d.com"), &[]).unwrap_err().to_string();
        assert_eq!(refusal, "team@d.com is not an alias or a list");
    }

    #[test]
    fn w16_a_circle_and_too_much_depth_are_refused_by_name() {
        let (_folder, mut book) = book();
        let itself = book.add(&aor("a@d.com"), &uris(&["im:a@d.com"])).unwrap_err().to_string();
        assert_eq!(itself, "the list would contain itself: a@d.com, a@d.com");
        book.add(&aor("a@d.com"), &uris(&["sip:b@d.com"])).unwrap();
        book.add(&aor("b@d.com"), &uris(&["sip:c@d.com"])).unwrap();
        let circle =
            book.add(&aor("c@d.com"), &uris(&["sip:x@d.com", "sip:a@d.com"])).unwrap_err().to_string();
        assert_eq!(circle, "the list would contain itself: a@d.com, b@d.com, c@d.com, a@d.com");
        assert_eq!(book.list().unwrap().len(), 2);
        // Reaching the same list twice is not a loop.
        book.add(&aor("d@d.com"), &uris(&["sip:a@d.com", "sip:b@d.com"])).unwrap();

        for depth in 1..ALIAS_DEPTH_MAX {
            let (list, member) = (format!("l{depth}@d.com"), format!("sip:l{}@d.com", depth - 1));
            book.add(&aor(&list), &uris(&[&member])).unwrap();
        }
        let deeper = book.add(&aor("l0@d.com"), &uris(&["sip:a@d.com"])).unwrap_err().to_string();
        assert!(
            deeper.starts_with("lists may be nested at most 8 deep, and this would be deeper: l"),
            "{deeper}"
        );
        book.add(&aor("l0@d.com"), &uris(&["sip:ann@d.com"])).unwrap();
    }

    #[test]
    fn w16_a_change_is_seen_by_a_proxy_that_has_the_store() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("proxy.sqlite3");
        let running = Store::<ProxySchema>::open(&path).unwrap();
        let mut watch = Watch::new(&path).unwrap();
        watch.changed().unwrap();
        let mut book = Aliases::open(&path).unwrap();
        book.add(&aor("team@d.com"), &uris(&["sip:ann@d.com"])).unwrap();
        assert_eq!(watch.changed().unwrap().unwrap().aliases, book.list().unwrap());
        assert_eq!(watch.changed().unwrap(), None);
        book.remove(&aor("team@d.com"), &[]).unwrap();
        assert_eq!(watch.changed().unwrap().unwrap().aliases, []);
        assert_eq!(running.load().unwrap().aliases, []);
    }
}
