//! A search of a client's rows in memory: every message is compared with the query.

use super::ClientMemory;
use crate::limits::{SEARCH_HITS_MAX, SEARCH_IDS_MAX};
use crate::model::fold::words;
use crate::model::journal::{ConversationId, MessageId};
use crate::model::names::Names;
use crate::model::search::{Found, Query, Search, Term};
use crate::sip::content;
use crate::store::history::search::{Candidate, LatestSearch, People, begins, is_me, nothing_found};

pub(super) fn search(
    rows: &ClientMemory,
    search: &Search,
    names: &Names,
    latest: &LatestSearch,
) -> Option<Found> {
    let query = Query::parse(&search.text);
    let mut found = nothing_found(search, &query, 0);
    if query.is_empty() {
        return Some(found);
    }
    if latest.is_over(search.id) {
        return None;
    }
    let mut people = People::new(names);
    let is_asked = |id: MessageId, conversation: ConversationId| {
        search.older_than.is_none_or(|older| id < older) && search.within.is_none_or(|it| it == conversation)
    };
    for (id, conversation) in rows.messages().into_iter().rev().filter(|(id, it)| is_asked(*id, *it)) {
        let Some((candidate, text, files)) = candidate(rows, id, conversation) else { continue };
        let has_terms = query.terms.iter().all(|term| holds(&text, term) || holds(&files.join(" "), term));
        let has_file = !query.has_file || !files.is_empty();
        if !has_terms || !has_file || !fits(rows, &candidate, &query, &mut people) {
            continue;
        }
        if found.hits.len() < SEARCH_HITS_MAX {
            found.hits.push(candidate.hit(&text, &files, &query.terms, names));
        } else {
            found.has_more = true;
        }
        if search.within.is_some() && found.all.len() < SEARCH_IDS_MAX {
            found.all.push(id);
        }
    }
    Some(found)
}

/// A message with its text and the names of its files.
fn candidate(
    rows: &ClientMemory,
    id: MessageId,
    conversation: ConversationId,
) -> Option<(Candidate, String, Vec<String>)> {
    let (candidate, content) = if let Some(row) = rows.outgoing.get(&id) {
        let people = row.recipients.clone();
        (
            Candidate { id, conversation, at: row.at, from: None, people },
            content(&row.content_type, &row.body),
        )
    } else {
        let row = rows.incoming.get(&id)?;
        let (from, people) = (Some(row.from.clone()), row.also_to.clone());
        (Candidate { id, conversation, at: row.at, from, people }, content(&row.content_type, &row.body))
    };
    let files = content.files.iter().map(|file| file.called().to_owned()).collect();
    Some((candidate, content.text, files))
}

/// Whether a message is of the days and the people that a query names.
fn fits(rows: &ClientMemory, candidate: &Candidate, query: &Query, people: &mut People<'_>) -> bool {
    let at = candidate.at.as_millis_i64();
    let is_of_days =
        query.after.is_none_or(|day| at >= begins(day)) && query.before.is_none_or(|day| at < begins(day));
    let members = rows.conversations.get(&candidate.conversation).map(|(row, _)| row.people.as_slice());
    let members = members.unwrap_or_default();
    let mut named = query.from.iter().chain(&query.to).filter(|part| !is_me(part));
    let is_among = named.all(|part| members.iter().any(|person| people.is_meant(person, part)));
    is_of_days && is_among && people.fit(candidate, query) && failed_for(rows, candidate, query, people)
}

/// Whether it failed for each person whom `failed:` names.
fn failed_for(rows: &ClientMemory, candidate: &Candidate, query: &Query, people: &mut People<'_>) -> bool {
    let index = |index: u32| candidate.people.get(usize::try_from(index).ok()?);
    let missed: Vec<_> = rows.missed(candidate.id).filter_map(index).collect();
    query.failed.iter().all(|part| {
        let is_anybody = part.trim().is_empty();
        missed.iter().any(|person| is_anybody || people.is_meant(person, part))
    })
}

/// Whether the words of a term follow each other in a text.
fn holds(text: &str, term: &Term) -> bool {
    let text: Vec<String> = words(text).map(|word| word.folded).collect();
    let Some((last, begin)) = term.words.split_last() else { return true };
    text.windows(term.words.len()).any(|window| {
        let Some((end, before)) = window.split_last() else { return false };
        before == begin && if term.is_prefix { end.starts_with(last.as_str()) } else { end == last }
    })
}
