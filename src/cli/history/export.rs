//! `fanfare history export`: one page of the history at a time is in memory.

use std::path::Path;
use std::process::ExitCode;

use super::rows::MessageJson;
use super::{ExportFormat, Opened, html};
use crate::cli::output::utc;
use crate::cli::writer::{Writer, local};
use crate::model::delivery::best;
use crate::model::document::{csv, json_line, safe};
use crate::model::journal::{DeliveryRow, PersonRow};
use crate::model::names::Names;
use crate::model::page;
use crate::model::text::shown;
use crate::sip::Uri;
use crate::store::history::StoredMessage;
use crate::store::history::pages::Part;
use crate::terminal;

/// The columns of CSV.
const COLUMNS: [&str; 9] =
    ["message", "conversation", "at", "from", "to", "text", "files", "verified", "deliveries"];

pub(super) fn run(
    opened: &Opened,
    with: Option<&Uri>,
    format: ExportFormat,
    out: Option<&Path>,
) -> anyhow::Result<ExitCode> {
    let reader = opened.history.reader();
    let part = match with {
        None => Part::All,
        Some(address) => {
            let conversations = reader.conversations_with(address.as_str())?;
            anyhow::ensure!(!conversations.is_empty(), "there is no conversation with {address}");
            Part::Of(conversations)
        }
    };
    write(opened, part, format, out)?;
    Ok(ExitCode::SUCCESS)
}

/// Writes this part of the history.
pub(super) fn write(
    opened: &Opened,
    part: Part,
    format: ExportFormat,
    out: Option<&Path>,
) -> anyhow::Result<()> {
    let reader = opened.history.reader();
    let mut out = Writer::open(out)?;
    let mut goes_on = out.put(&head(format))?;
    for page in reader.pages(part) {
        for stored in &page? {
            goes_on = goes_on && out.put(&message(format, stored, &opened.names)?)?;
        }
        if !goes_on {
            return Ok(());
        }
    }
    if format == ExportFormat::Html {
        out.put(page::END)?;
    }
    out.finish()
}

fn head(format: ExportFormat) -> String {
    match format {
        ExportFormat::Text | ExportFormat::Json => String::new(),
        ExportFormat::Csv => csv(&COLUMNS),
        ExportFormat::Html => page::begin("Messages"),
    }
}

fn message(format: ExportFormat, stored: &StoredMessage, names: &Names) -> anyhow::Result<String> {
    Ok(match format {
        ExportFormat::Text => text(stored, names),
        ExportFormat::Json => json_line(&MessageJson::of(stored))?,
        ExportFormat::Csv => line(stored),
        ExportFormat::Html => html::message(stored, names),
    })
}

/// Each recipient of a message of ours with what is known of him; nobody in a received one.
pub(super) fn outcomes(stored: &StoredMessage) -> Vec<(&PersonRow, Option<&DeliveryRow>)> {
    match stored {
        StoredMessage::Ours(rows) => {
            let recipients = &rows.outgoing.recipients;
            recipients.iter().zip(best(&rows.deliveries, recipients.len())).collect()
        }
        StoredMessage::Theirs(_) => Vec::new(),
    }
}

/// `delivered`, or `failed: 404 Not Found`.
pub(super) fn outcome(row: &DeliveryRow) -> String {
    let said = match row.status {
        Some(status) => format!("{status} {}", row.phrase),
        None => row.phrase.to_string(),
    };
    let said = said.trim();
    if said.is_empty() { row.state.word().to_owned() } else { format!("{}: {said}", row.state.word()) }
}

/// A block for people: who and when, the text indented so that no line of it can be taken for one of ours, and the
/// outcome for each recipient.
fn text(stored: &StoredMessage, names: &Names) -> String {
    let name = |row: &PersonRow| names.person(row).name;
    let all = |rows: &[PersonRow]| rows.iter().map(name).collect::<Vec<_>>().join(", ");
    let (at, who, content) = match stored {
        StoredMessage::Ours(rows) => {
            let outgoing = &rows.outgoing;
            let who = format!("me to {}", all(&outgoing.recipients));
            (outgoing.at, who, shown(&outgoing.content_type, &outgoing.body))
        }
        StoredMessage::Theirs(row) => {
            let doubt = if row.verified { "" } else { " (not verified)" };
            let others = if row.also_to.is_empty() {
                String::new()
            } else {
                format!(" also to {}", all(&row.also_to))
            };
            let who = format!("{}{doubt}{others}", name(&row.from));
            (row.at, who, shown(&row.content_type, &row.body))
        }
    };
    let mut lines = vec![format!("{} {} {}", stored.id().0, local(at), one_line(&who))];
    lines.extend(content.text.lines().map(|line| format!("    {}", safe(line))));
    lines.extend(content.files.iter().map(|file| {
        format!("    [{}, {}, {} bytes]", one_line(&file.name), one_line(&file.media_type), file.bytes)
    }));
    lines.extend(outcomes(stored).into_iter().filter_map(|(person, row)| {
        Some(format!("  {}: {}", one_line(&name(person)), one_line(&outcome(row?))))
    }));
    lines.push("\n".to_owned());
    lines.join("\n")
}

fn one_line(text: &str) -> String {
    terminal::shown(&text.replace(['\n', '\r'], " "))
}

fn line(stored: &StoredMessage) -> String {
    let addresses =
        |rows: &[PersonRow]| rows.iter().map(|row| row.address.as_str()).collect::<Vec<_>>().join(" ");
    let (conversation, at, from, to, verified, content) = match stored {
        StoredMessage::Ours(rows) => {
            let row = &rows.outgoing;
            let content = shown(&row.content_type, &row.body);
            (row.conversation, row.at, "", addresses(&row.recipients), "", content)
        }
        StoredMessage::Theirs(row) => {
            let verified = if row.verified { "yes" } else { "no" };
            let content = shown(&row.content_type, &row.body);
            (row.conversation, row.at, row.from.address.as_str(), addresses(&row.also_to), verified, content)
        }
    };
    let files = content.files.iter().map(|file| file.name.as_str()).collect::<Vec<_>>().join("\n");
    let deliveries: Vec<String> = outcomes(stored)
        .into_iter()
        .filter_map(|(person, row)| Some(format!("{} {}", person.address, outcome(row?))))
        .collect();
    csv(&[
        &stored.id().0.to_string(),
        &conversation.0.to_string(),
        &utc(at),
        from,
        &to,
        &content.text,
        &files,
        verified,
        &deliveries.join("\n"),
    ])
}
