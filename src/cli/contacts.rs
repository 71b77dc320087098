//! `fanfare contacts`: imports, exports and prints the contacts of the window.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, Subcommand};
use serde::Serialize;

use super::output::{note, say};
use super::writer::Writer;
use crate::config::client::{ClientFiles, Folders};
use crate::limits::IMPORT_BYTES_MAX;
use crate::model::contacts::AddressBook;
use crate::model::export;
use crate::model::import::{Import, Standing};
use crate::model::names::Names;
use crate::runtime::console::{put, say_json};

#[derive(Debug, Subcommand)]
pub(super) enum ContactsVerb {
    /// Add contacts from files: vCard, CSV, or text with addresses in any mix. Existing contacts are not changed.
    Import {
        /// Files to read.
        #[arg(value_name = "FILE", required = true)]
        files: Vec<PathBuf>,
        /// Only say what would be imported.
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        place: ProfilePlace,
    },
    /// Write all contacts and saved lists as vCard 4.0 (safe while the window is open).
    Export {
        /// File to create; it must not exist yet (default: standard output).
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        #[command(flatten)]
        place: ProfilePlace,
    },
    /// Print all contacts and saved lists (safe while the window is open).
    List {
        /// Print one JSON object per line.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        place: ProfilePlace,
    },
}

/// Whose contacts they are.
#[derive(Debug, Args)]
pub(super) struct ProfilePlace {
    /// Folder that was given to the window (default: the usual folder of this system).
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

impl ProfilePlace {
    fn files(&self) -> anyhow::Result<ClientFiles> {
        let folders = match &self.data {
            Some(folder) => Folders::under(folder),
            None => Folders::of_this_person()
                .context("this user has no home folder; give a folder with --data DIR")?,
        };
        Ok(ClientFiles::new(Some(folders.settings)))
    }
}

/// A line of `list --json`; scripts rely on the field names.
#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum Listed<'a> {
    Contact { name: &'a str, address: &'a str },
    List { name: &'a str, members: &'a [String] },
}

pub(super) fn run(verb: &ContactsVerb) -> anyhow::Result<ExitCode> {
    match verb {
        ContactsVerb::Import { files, dry_run: true, place } => {
            let mut book = place.files()?.book()?;
            import(files, &mut book, "would be imported")
        }
        ContactsVerb::Import { files, dry_run: false, place } => {
            let profile = place.files()?;
            let _reserved = profile
                .reserve()
                .context("close the window of Fanfare first, or import the contacts there")?;
            let mut book = profile.book()?;
            let before = book.clone();
            let status = import(files, &mut book, "imported")?;
            if book != before {
                profile.keep_book(&book)?;
            }
            Ok(status)
        }
        ContactsVerb::Export { out, place } => {
            export(&place.files()?.book()?, out.as_deref())?;
            Ok(ExitCode::SUCCESS)
        }
        ContactsVerb::List { json, place } => {
            list(&place.files()?.book()?, *json);
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// What came of all files.
#[derive(Debug, Default)]
struct Tally {
    contacts: usize,
    lists: usize,
    known: usize,
    other_name: usize,
    again: usize,
    misread: usize,
    left_out: usize,
}

/// Adds what the files have to the contacts; status 1 if something was not understood.
fn import(files: &[PathBuf], book: &mut AddressBook, done: &str) -> anyhow::Result<ExitCode> {
    let mut tally = Tally::default();
    for path in files {
        let import = Import::read(&read(path)?, book).with_context(|| format!("{}", path.display()))?;
        tell(path, &import, &mut tally);
        let (contacts, lists) = book.add(import.contacts(), import.lists);
        tally.contacts += contacts;
        tally.lists += lists;
    }
    say(&tally.sentence(done));
    Ok(if tally.misread + tally.left_out == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let most = u64::try_from(IMPORT_BYTES_MAX).unwrap_or(u64::MAX).saturating_add(1);
    File::open(path)
        .and_then(|file| file.take(most).read_to_end(&mut bytes))
        .with_context(|| format!("cannot read {}", path.display()))?;
    Ok(bytes)
}

/// Says what is not imported, line by line.
fn tell(path: &Path, import: &Import, tally: &mut Tally) {
    let place = |line: usize| format!("{}:{line}", path.display());
    for (entry, standing) in &import.people {
        match standing {
            Standing::New => {}
            Standing::Known => tally.known += 1,
            Standing::Again { .. } => tally.again += 1,
            Standing::OtherName { known_as } => {
                tally.other_name += 1;
                let known =
                    if known_as.is_empty() { "without a name".into() } else { format!("as {known_as:?}") };
                note(&format!(
                    "{}: {} is known {known}, here as {:?}; the contact stays as it is",
                    place(entry.line),
                    entry.address,
                    entry.name
                ));
            }
        }
    }
    for name in &import.known_lists {
        note(&format!("{}: there is a list {name:?}, which stays as it is", path.display()));
    }
    for misread in &import.misread {
        note(&format!("{}: {:?}: {}", place(misread.line), misread.text, misread.why));
    }
    tally.misread += import.misread_count();
    tally.left_out += import.left_out;
}

impl Tally {
    fn sentence(&self, done: &str) -> String {
        let some = |count: usize, one: &str, many: &str| {
            (count > 0).then(|| format!("{count} {}", if count == 1 { one } else { many }))
        };
        let contacts = if self.contacts == 1 { "contact" } else { "contacts" };
        let parts = [
            Some(format!("{} {contacts} {done}", self.contacts)),
            some(self.lists, "list", "lists").map(|lists| format!("{lists} {done}")),
            some(self.known, "already known", "already known"),
            some(self.other_name, "known under another name", "known under other names"),
            some(self.again, "repeated", "repeated"),
            some(self.misread, "line not understood", "lines not understood"),
            some(self.left_out, "left out, too many at once", "left out, too many at once"),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}

fn export(book: &AddressBook, out: Option<&Path>) -> anyhow::Result<()> {
    if out.is_none() {
        put(&export::cards(book));
        return Ok(());
    }
    let mut out = Writer::open(out)?;
    out.put(&export::cards(book))?;
    out.finish()
}

fn list(book: &AddressBook, json: bool) {
    let names = Names::of(book);
    let contacts = names.contacts().iter().filter_map(|known| book.contacts.get(known.place));
    let contacts = contacts.map(|it| Listed::Contact { name: &it.name, address: &it.address });
    let lists = book.lists.iter().map(|it| Listed::List { name: &it.name, members: &it.members });
    for listed in contacts.chain(lists) {
        if json {
            say_json(&serde_json::to_string(&listed).unwrap_or_default());
        } else {
            say(&match listed {
                Listed::Contact { name: "", address } => address.to_owned(),
                Listed::Contact { name, address } => format!("{name} <{address}>"),
                Listed::List { name, members } => format!("{name}: {}", members.join(", ")),
            });
        }
    }
}
