//! `fanfare proxy backup`, `check`, `alias` and `user`: maintenance of a proxy's store, whether or not the proxy runs.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;

use super::output::{complain, note, say};
use super::{StorePlace, Upkeep, alias, user};
use crate::config::proxy::ProxySettings;
use crate::runtime::server::store_in;
use crate::store::check::{Findings, check};
use crate::store::{ProxySchema, backup::backup};

/// Runs the command; a store that cannot be checked or copied gives exit status 1, like an unsound one.
///
/// # Errors
/// No store is named, which is a usage error.
pub(super) fn run(upkeep: Upkeep) -> anyhow::Result<ExitCode> {
    upkeep.place().check()?;
    Ok(act(upkeep).unwrap_or_else(|error| {
        complain(&error);
        ExitCode::FAILURE
    }))
}

fn act(upkeep: Upkeep) -> anyhow::Result<ExitCode> {
    match upkeep {
        Upkeep::Backup { file, place } => copy(&place, &file),
        Upkeep::Check { place } => look_through(&place),
        Upkeep::Alias(verb) => {
            alias::run(&verb, &store_to_change(verb.place(), verb.creates())?)?;
            Ok(ExitCode::SUCCESS)
        }
        Upkeep::User(verb) => {
            let store = store_to_change(verb.place(), verb.creates())?;
            user::run(&verb, &store, &verb.place().domains()?)?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

impl Upkeep {
    const fn place(&self) -> &StorePlace {
        match self {
            Self::Backup { place, .. } | Self::Check { place } => place,
            Self::Alias(verb) => verb.place(),
            Self::User(verb) => verb.place(),
        }
    }
}

impl StorePlace {
    /// The domains that the settings file names, if one is given.
    fn domains(&self) -> anyhow::Result<Vec<String>> {
        let settings = self.config.as_deref().map(ProxySettings::read).transpose()?;
        Ok(settings.map(|settings| settings.domains).unwrap_or_default())
    }

    fn check(&self) -> anyhow::Result<()> {
        let is_given = self.data.is_some() || self.config.is_some();
        anyhow::ensure!(is_given, "say where the proxy's store is, with --data DIR or --config FILE");
        Ok(())
    }
}

fn copy(place: &StorePlace, file: &Path) -> anyhow::Result<ExitCode> {
    let store = store(place)?;
    backup::<ProxySchema>(&store, file)?;
    say(&format!("{} was copied to {}", store.display(), file.display()));
    Ok(ExitCode::SUCCESS)
}

fn look_through(place: &StorePlace) -> anyhow::Result<ExitCode> {
    let store = store(place)?;
    let findings = check::<ProxySchema>(&store)?;
    say(&format!("store {}", store.display()));
    say(&schema(&findings));
    for line in &findings.audit.contents {
        say(line);
    }
    for fault in &findings.audit.faults {
        say(&format!("fault: {fault}"));
    }
    if findings.is_sound() {
        say("sound");
        return Ok(ExitCode::SUCCESS);
    }
    say("not sound");
    Ok(ExitCode::FAILURE)
}

fn schema(Findings { schema, newest, .. }: &Findings) -> String {
    if schema == newest {
        return format!("schema {schema}, the current one");
    }
    format!("schema {schema}; the next start upgrades it to {newest} (tried on a copy)")
}

/// The store of a command that changes it. A mistyped folder must not silently become a new store.
fn store_to_change(place: &StorePlace, may_create: bool) -> anyhow::Result<PathBuf> {
    let store = store(place)?;
    anyhow::ensure!(
        may_create || store.exists(),
        "there is no proxy store at {}; starting the proxy on that folder, or adding the first user, creates it",
        store.display()
    );
    if !store.exists() {
        note(&format!("creating a new store at {}", store.display()));
    }
    Ok(store)
}

fn store(place: &StorePlace) -> anyhow::Result<PathBuf> {
    if let Some(folder) = &place.data {
        return Ok(store_in(folder));
    }
    let settings = place.config.as_deref().map(ProxySettings::read).transpose()?;
    let folder = settings.and_then(|settings| settings.data);
    Ok(store_in(
        &folder
            .context("the settings file does not name the store's folder (data); give it with --data DIR")?,
    ))
}
