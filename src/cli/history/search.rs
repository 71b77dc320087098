//! `fanfare history search`.

use std::process::ExitCode;

use serde::Serialize;

use super::Opened;
use crate::cli::output::note;
use crate::cli::output::utc;
use crate::cli::writer::{Writer, local};
use crate::model::document::{json_line, safe};
use crate::model::record::PersonJson;
use crate::model::search::{Hit, Search};
use crate::model::snapshot::Person;
use crate::store::history::search::LatestSearch;

/// A message that was found; scripts rely on the field names.
#[derive(Debug, Serialize)]
struct HitJson<'a> {
    message: u64,
    conversation: u64,
    at: String,
    /// Absent in a message of ours.
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<PersonJson<'a>>,
    to: Vec<PersonJson<'a>>,
    /// The text around what was found, on one line.
    excerpt: &'a str,
    /// Where in the excerpt it stands: first byte, and the byte after the last.
    marks: Vec<[usize; 2]>,
}

impl<'a> From<&'a Hit> for HitJson<'a> {
    fn from(hit: &'a Hit) -> Self {
        Self {
            message: hit.message.0,
            conversation: hit.conversation.0,
            at: utc(hit.at),
            from: hit.from.as_ref().map(person),
            to: hit.to.iter().map(person).collect(),
            excerpt: &hit.excerpt.text,
            marks: hit.excerpt.marks.iter().map(|mark| [mark.start, mark.end]).collect(),
        }
    }
}

fn person(person: &Person) -> PersonJson<'_> {
    PersonJson { address: &person.address, name: &person.name }
}

pub(super) fn run(opened: &Opened, text: &str, json: bool, limit: usize) -> anyhow::Result<ExitCode> {
    let latest = LatestSearch::default();
    let mut search = Search { id: 0, text: text.to_owned(), within: None, older_than: None };
    let mut out = Writer::open(None)?;
    let mut printed = 0;
    loop {
        let Some(found) = opened.history.reader().search(&search, &opened.names, &latest)? else { break };
        if let Some(problem) = found.problems.first() {
            anyhow::bail!("{problem}");
        }
        if printed == 0 && found.unindexed > 0 {
            note(&format!(
                "{} older messages are not indexed yet and are not searched for words; they are indexed while the window is open",
                found.unindexed
            ));
        }
        for hit in found.hits.iter().take(limit.saturating_sub(printed)) {
            let line = if json { json_line(&HitJson::from(hit))? } else { plain(hit) };
            if !out.put(&line)? {
                return Ok(ExitCode::SUCCESS);
            }
            printed += 1;
        }
        search.older_than = found.hits.last().map(|hit| hit.message);
        if !found.has_more || printed >= limit || found.hits.is_empty() {
            break;
        }
    }
    out.finish()?;
    Ok(if printed > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn plain(hit: &Hit) -> String {
    let names = hit.to.iter().map(|person| person.name.as_str()).collect::<Vec<_>>().join(", ");
    let who = match &hit.from {
        Some(from) if names.is_empty() => from.name.clone(),
        Some(from) => format!("{} (also to {names})", from.name),
        None => format!("to {names}"),
    };
    format!("{} {} {}: {}\n", hit.message.0, local(hit.at), safe(&who), safe(&hit.excerpt.text))
}
