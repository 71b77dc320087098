//! `fanfare history`: searches and exports the stored messages, whether or not the window is open. Nothing is changed.

mod search;

mod export;

mod record;

mod rows;

mod html;

#[cfg(feature = "gui")]
use std::path::Path;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, Subcommand, ValueEnum};

use super::parse;
use crate::config::client::{ClientFiles, Folders};
#[cfg(feature = "gui")]
use crate::model::journal::ConversationId;
use crate::model::names::Names;
use crate::model::record::RecordFormat;
use crate::runtime::agent::STORE_FILE;
use crate::sip::Uri;
use crate::store::history::opened::OpenedHistory;
#[cfg(feature = "gui")]
use crate::store::history::pages::Part;

#[derive(Debug, Args)]
pub(super) struct HistoryArguments {
    #[command(subcommand)]
    verb: HistoryVerb,
}

#[derive(Debug, Subcommand)]
enum HistoryVerb {
    /// Search the stored messages; exit status 1 if nothing is found.
    ///
    /// Words match from their beginning, whatever their accents and case; "words in quotation marks" match exactly. Also:
    /// from:NAME, to:NAME (me for yourself), failed: or failed:NAME, has:file, before:2026-11-30, after:2026-11. All
    /// conditions must hold.
    Search {
        /// What to look for.
        #[arg(required = true, value_name = "TEXT")]
        text: Vec<String>,
        /// Print one JSON object per line.
        #[arg(long)]
        json: bool,
        /// How many messages to print at most, newest first.
        #[arg(long, value_name = "COUNT", default_value_t = 50)]
        limit: usize,
        #[command(flatten)]
        place: StoreFolder,
    },
    /// Write the stored messages, oldest first.
    Export {
        /// Only conversations with this person.
        #[arg(long, value_name = "ADDRESS", value_parser = parse::address)]
        with: Option<Uri>,
        /// The format; json is one object per line.
        #[arg(long, value_enum, value_name = "text|json|csv|html")]
        format: ExportFormat,
        /// File to create; it must not exist yet (default: standard output).
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        #[command(flatten)]
        place: StoreFolder,
    },
    /// Write the delivery record of a sent message: every attempt, every recipient, and what was reported.
    Record {
        /// The message's number, as search and export print it.
        #[arg(value_name = "MESSAGE-ID")]
        message: u64,
        /// The format.
        #[arg(long, value_enum, value_name = "csv|json|html")]
        format: RecordFormatArgument,
        /// File to create; it must not exist yet (default: standard output).
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// The capture that belongs to it, pcapng or pcap: its SHA-256 is written into the record.
        #[arg(long, value_name = "FILE.pcapng")]
        capture: Option<PathBuf>,
        #[command(flatten)]
        place: StoreFolder,
    },
}

/// Where the messages are.
#[derive(Debug, Args)]
struct StoreFolder {
    /// Folder of the messages, as given to the window, send or listen (default: the window's usual folder).
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ExportFormat {
    /// For people.
    Text,
    /// One object per line.
    Json,
    /// For a spreadsheet.
    Csv,
    /// One page with its pictures.
    Html,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum RecordFormatArgument {
    /// For a spreadsheet.
    Csv,
    /// One object.
    Json,
    /// One page to read and to print.
    Html,
}

impl From<RecordFormatArgument> for RecordFormat {
    fn from(format: RecordFormatArgument) -> Self {
        match format {
            RecordFormatArgument::Csv => Self::Csv,
            RecordFormatArgument::Json => Self::Json,
            RecordFormatArgument::Html => Self::Html,
        }
    }
}

/// The messages and the names in the contacts.
struct Opened {
    history: OpenedHistory,
    names: Names,
}

impl StoreFolder {
    fn open(&self) -> anyhow::Result<Opened> {
        let folders = match &self.data {
            Some(folder) => Folders::under(folder),
            None => Folders::of_this_person()
                .context("this user has no home folder; give a folder with --data DIR")?,
        };
        open(&folders)
    }
}

fn open(folders: &Folders) -> anyhow::Result<Opened> {
    let history = OpenedHistory::open(&folders.data.join(STORE_FILE))?;
    let book = ClientFiles::new(Some(folders.settings.clone())).read_book()?;
    Ok(Opened { history, names: Names::of(&book) })
}

/// Writes a conversation into a file, in place of what is there; the ending of its name says the format.
///
/// # Errors
/// The messages cannot be read, or the file cannot be written; what was there stays.
#[cfg(feature = "gui")]
pub(super) fn export_conversation(
    folders: &Folders,
    conversation: ConversationId,
    path: &Path,
) -> anyhow::Result<()> {
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    let format = match ending.as_deref() {
        Some("txt" | "text") => ExportFormat::Text,
        Some("json" | "jsonl") => ExportFormat::Json,
        Some("csv") => ExportFormat::Csv,
        Some(_) | None => ExportFormat::Html,
    };
    let folder = path.parent().context("this is not a file")?;
    let aside = tempfile::Builder::new().prefix(".fanfare-export-").tempdir_in(folder)?;
    let part = aside.path().join("part");
    export::write(&open(folders)?, Part::Of([conversation].into()), format, Some(&part))?;
    Ok(std::fs::rename(part, path)?)
}

/// Runs the command.
///
/// # Errors
/// The messages cannot be read, or the file cannot be written.
pub(super) fn run(arguments: HistoryArguments) -> anyhow::Result<ExitCode> {
    match arguments.verb {
        HistoryVerb::Search { text, json, limit, place } => {
            search::run(&place.open()?, &text.join(" "), json, limit)
        }
        HistoryVerb::Export { with, format, out, place } => {
            export::run(&place.open()?, with.as_ref(), format, out.as_deref())
        }
        HistoryVerb::Record { message, format, out, capture, place } => {
            record::run(&place.open()?, message, format.into(), (out.as_deref(), capture.as_deref()))
        }
    }
}

#[cfg(test)]
#[cfg(feature = "gui")]
mod tests;
