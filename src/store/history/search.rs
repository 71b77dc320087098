//! Finds messages by what a person typed. Words come from the index; everything else is compared row by row.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use rusqlite::types::Value;
use rusqlite::{Connection, Row, params_from_iter};

use super::ReadError;
use crate::limits::{SEARCH_HITS_MAX, SEARCH_IDS_MAX, SEARCH_ROWS_MAX};
use crate::model::fold::holds_all;
use crate::model::journal::{ConversationId, MessageId, PersonRow};
use crate::model::names::Names;
use crate::model::search::{Excerpt, Found, Hit, Query, Search, Term};
use crate::store::client_rows::unfilled_count;
use crate::store::columns::{self, Json, signed, timestamp, unsigned};

/// How many rows are read between two looks at whether a later search was asked for.
const ROWS_BETWEEN_LOOKS: usize = 256;

/// The number of the latest search that was asked for: an older one that still runs ends early.
#[derive(Debug, Default)]
pub struct LatestSearch(AtomicU64);

impl LatestSearch {
    /// Notes that this search was asked for.
    pub fn asked(&self, id: u64) {
        self.0.store(id, Ordering::Relaxed);
    }

    /// Whether a later one than this was asked for.
    pub(in crate::store) fn is_over(&self, id: u64) -> bool {
        self.0.load(Ordering::Relaxed) != id
    }
}

/// A row that the words have found, before it is compared with the rest of the query.
pub(in crate::store) struct Candidate {
    pub(in crate::store) id: MessageId,
    pub(in crate::store) conversation: ConversationId,
    pub(in crate::store) at: crate::time::Timestamp,
    pub(in crate::store) from: Option<PersonRow>,
    pub(in crate::store) people: Vec<PersonRow>,
}

impl Candidate {
    /// It as a hit; the excerpt is from its text, or from the names of its files.
    pub(in crate::store) fn hit(&self, text: &str, files: &[String], terms: &[Term], names: &Names) -> Hit {
        let mut excerpt = Excerpt::of(text, terms);
        if excerpt.text.is_empty() || excerpt.marks.is_empty() && !terms.is_empty() {
            // The words stand in the name of a file, or partly.
            let named = Excerpt::of(&files.join(", "), terms);
            if excerpt.text.is_empty() || !named.marks.is_empty() {
                excerpt = named;
            }
        }
        Hit {
            message: self.id,
            conversation: self.conversation,
            at: self.at,
            from: self.from.as_ref().map(|person| names.person(person)),
            to: self.people.iter().map(|person| names.person(person)).collect(),
            excerpt,
        }
    }
}

pub(super) fn search(
    connection: &Connection,
    search: &Search,
    names: &Names,
    latest: &LatestSearch,
) -> Result<Option<Found>, ReadError> {
    Searcher { connection }.search(search, names, latest)
}

struct Searcher<'a> {
    connection: &'a Connection,
}

impl Searcher<'_> {
    fn search(
        &self,
        search: &Search,
        names: &Names,
        latest: &LatestSearch,
    ) -> Result<Option<Found>, ReadError> {
        let query = Query::parse(&search.text);
        let unindexed = if query.terms.is_empty() { 0 } else { unfilled_count(self.connection)? };
        let mut found = nothing_found(search, &query, unindexed);
        if query.is_empty() {
            return Ok(Some(found));
        }
        if latest.is_over(search.id) {
            return Ok(None);
        }
        let mut people = People::new(names);
        let conversations = self.conversations_of(&query, &mut people)?;
        let (sql, values) = statement(&query, search, conversations.as_deref());
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query(params_from_iter(values))?;
        let mut count = 0;
        while let Some(row) = rows.next()? {
            count += 1;
            if count % ROWS_BETWEEN_LOOKS == 0 && latest.is_over(search.id) {
                return Ok(None);
            }
            let is_only_counted = found.hits.len() >= SEARCH_HITS_MAX && !query.names_somebody();
            let candidate = if is_only_counted { uncompared(row)? } else { candidate(row)? };
            let fits = people.fit(&candidate, &query) && self.failed_for(&candidate, &query, &mut people)?;
            if fits {
                if found.hits.len() < SEARCH_HITS_MAX {
                    found.hits.push(self.hit(&candidate, &query.terms, names)?);
                } else {
                    found.has_more = true;
                }
                if search.within.is_some() && found.all.len() < SEARCH_IDS_MAX {
                    found.all.push(candidate.id);
                }
            }
            let lists_all = search.within.is_some() && found.all.len() < SEARCH_IDS_MAX;
            if found.has_more && !lists_all || count >= SEARCH_ROWS_MAX {
                found.has_more = true;
                break;
            }
        }
        Ok(Some(found))
    }

    /// The conversations in which there is somebody for each part of a name; none if the query has no such part.
    fn conversations_of(
        &self,
        query: &Query,
        people: &mut People<'_>,
    ) -> Result<Option<Vec<i64>>, ReadError> {
        let parts: Vec<&String> = query.from.iter().chain(&query.to).filter(|part| !is_me(part)).collect();
        if parts.is_empty() {
            return Ok(None);
        }
        let mut statement = self.connection.prepare_cached("SELECT id, people FROM conversation")?;
        let mut rows = statement.query([])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let members = columns::people(row, "people")?;
            if parts.iter().all(|part| members.iter().any(|person| people.is_meant(person, part))) {
                found.push(row.get("id")?);
            }
        }
        Ok(Some(found))
    }

    fn hit(&self, candidate: &Candidate, terms: &[Term], names: &Names) -> Result<Hit, ReadError> {
        let sql = "SELECT text, files FROM message_text WHERE message = ?1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query([signed(candidate.id.0)])?;
        let (text, files) = match rows.next()? {
            Some(row) => (row.get::<_, String>("text")?, row.get::<_, Json<Vec<String>>>("files")?.0),
            None => (String::new(), Vec::new()),
        };
        Ok(candidate.hit(&text, &files, terms, names))
    }

    /// Whether it failed for each person whom `failed:` names.
    fn failed_for(
        &self,
        candidate: &Candidate,
        query: &Query,
        people: &mut People<'_>,
    ) -> Result<bool, ReadError> {
        let mut named = query.failed.iter().filter(|part| !part.trim().is_empty()).peekable();
        if named.peek().is_none() {
            return Ok(true);
        }
        let sql = format!("SELECT DISTINCT d.recipient {MISSED} AND d.message = ?1");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let rows = statement.query_map([signed(candidate.id.0)], |row| row.get::<_, u32>(0))?;
        let missed: Vec<u32> = rows.collect::<rusqlite::Result<_>>()?;
        let missed: Vec<&PersonRow> = missed
            .into_iter()
            .filter_map(|index| candidate.people.get(usize::try_from(index).ok()?))
            .collect();
        Ok(named.all(|part| missed.iter().any(|person| people.is_meant(person, part))))
    }
}

/// Recipients whom no attempt has reached.
const MISSED: &str = "FROM delivery d WHERE d.state IN ('failed', 'no-report')
    AND NOT EXISTS (SELECT 1 FROM delivery g WHERE g.message = d.message AND g.recipient = d.recipient
                    AND g.state IN ('delivered', 'passed-on', 'read'))";

/// The result of a search before its first hit.
pub(in crate::store) fn nothing_found(search: &Search, query: &Query, unindexed: u64) -> Found {
    Found {
        search: search.clone(),
        terms: query.terms.as_slice().into(),
        hits: Vec::new(),
        all: Vec::new(),
        has_more: false,
        unindexed,
        problems: query.problems.clone(),
    }
}

/// The statement that finds the candidates of a query, newest first, and its values.
fn statement(query: &Query, search: &Search, conversations: Option<&[i64]>) -> (String, Vec<Value>) {
    let mut values = Vec::new();
    let mut sql = "SELECT m.id, m.conversation, m.at, m.from_address, m.from_name, m.people FROM ".to_owned();
    let id = if query.terms.is_empty() {
        sql.push_str("message m WHERE true");
        "m.id"
    } else {
        values.push(Value::Text(expression(&query.terms)));
        sql.push_str("search s CROSS JOIN message m ON m.id = s.rowid WHERE search MATCH ?1");
        "s.rowid"
    };
    let mut compare = |condition: &str, value: i64| {
        values.push(Value::Integer(value));
        sql.push_str(&format!(" AND {condition} ?{}", values.len()));
    };
    if let Some(older_than) = search.older_than {
        compare(&format!("{id} <"), signed(older_than.0));
    }
    if let Some(within) = search.within {
        compare("m.conversation =", signed(within.0));
    }
    if let Some(after) = query.after {
        compare("m.at >=", begins(after));
    }
    if let Some(before) = query.before {
        compare("m.at <", begins(before));
    }
    if let Some(conversations) = conversations {
        let list = conversations.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        values.push(Value::Text(format!("[{list}]")));
        sql.push_str(&format!(" AND m.conversation IN (SELECT value FROM json_each(?{}))", values.len()));
    }
    let mut and = |condition: &str| sql.push_str(&format!(" AND {condition}"));
    if query.has_file {
        and("m.id IN (SELECT f.message FROM message_text f WHERE f.files <> '[]')");
    }
    if !query.failed.is_empty() {
        and(&format!("m.id IN (SELECT d.message {MISSED})"));
    }
    sql.push_str(&format!(" ORDER BY {id} DESC"));
    (sql, values)
}

/// The terms as FTS5 reads them. Each stands in quotation marks, so nothing in it is an operator; a folded word has no
/// quotation mark.
fn expression(terms: &[Term]) -> String {
    let mut expression = String::new();
    for term in terms {
        if !expression.is_empty() {
            expression.push_str(" AND ");
        }
        let words = term.words.join(" ").replace('"', " ");
        expression.push_str(&format!("\"{words}\""));
        if term.is_prefix {
            expression.push('*');
        }
    }
    expression
}

/// When a day begins here, in milliseconds since 1970.
pub(in crate::store) fn begins(day: Date) -> i64 {
    day.to_zoned_datetime(TimeZone::system()).map_or(0, |at| at.timestamp().as_millisecond())
}

/// A candidate of which only the number counts.
fn uncompared(row: &Row<'_>) -> rusqlite::Result<Candidate> {
    Ok(Candidate {
        id: MessageId(unsigned(row.get("id")?)),
        conversation: ConversationId(unsigned(row.get("conversation")?)),
        at: timestamp(row, "at")?,
        from: None,
        people: Vec::new(),
    })
}

fn candidate(row: &Row<'_>) -> rusqlite::Result<Candidate> {
    let from: Option<String> = row.get("from_address")?;
    let name = || row.get::<_, Option<String>>("from_name");
    Ok(Candidate {
        id: MessageId(unsigned(row.get("id")?)),
        conversation: ConversationId(unsigned(row.get("conversation")?)),
        at: timestamp(row, "at")?,
        from: match from {
            Some(address) => Some(PersonRow { address, name: name()?.unwrap_or_default() }),
            None => None,
        },
        people: columns::people(row, "people")?,
    })
}

/// Whether a part of a query means the person himself.
pub(in crate::store) const fn is_me(part: &str) -> bool {
    part.eq_ignore_ascii_case("me")
}

/// Compares people with parts of names; each address is looked up once for each part.
pub(in crate::store) struct People<'a> {
    names: &'a Names,
    known: BTreeMap<String, BTreeMap<String, bool>>,
}

impl<'a> People<'a> {
    pub(in crate::store) const fn new(names: &'a Names) -> Self {
        Self { names, known: BTreeMap::new() }
    }

    pub(in crate::store) fn fit(&mut self, candidate: &Candidate, query: &Query) -> bool {
        let wrote = query.from.iter().all(|part| match &candidate.from {
            Some(from) => self.is_meant(from, part),
            None => is_me(part),
        });
        wrote
            && query.to.iter().all(|part| {
                candidate.from.is_some() && is_me(part)
                    || candidate.people.iter().any(|person| self.is_meant(person, part))
            })
    }

    pub(in crate::store) fn is_meant(&mut self, person: &PersonRow, part: &str) -> bool {
        if let Some(known) = self.known.get(part).and_then(|known| known.get(&person.address)) {
            return *known;
        }
        let name = self.names.person(person).name;
        let is_meant = holds_all(&[&person.address, &person.name, &name], part);
        self.known.entry(part.to_owned()).or_default().insert(person.address.clone(), is_meant);
        is_meant
    }
}
