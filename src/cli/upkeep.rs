//! `fanfare proxy backup`, `check`, `alias` and `user`: a proxy's store looked after, while the proxy runs or not.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;

use super::lines::{complain, say};
use super::{StorePlace, Upkeep, alias, user};
use crate::config::proxy::ProxySettings;
use crate::runtime::server::store_in;
use crate::store::check::{Findings, check};
use crate::store::{ProxySchema, backup::backup};

/// What cannot be looked at is not sound, and what cannot be copied is not backed up: both are 1.
pub(super) fn run(upkeep: Upkeep) -> ExitCode {
    let done = match upkeep {
        Upkeep::Backup { file, place } => copy(&place, &file),
        Upkeep::Check { place } => look_through(&place),
        Upkeep::Alias(verb) => {
            store(verb.place()).and_then(|store| alias::run(&verb, &store)).map(|()| ExitCode::SUCCESS)
        }
        Upkeep::User(verb) => {
            store(verb.place()).and_then(|store| user::run(&verb, &store)).map(|()| ExitCode::SUCCESS)
        }
    };
    done.unwrap_or_else(|error| {
        complain(&error);
        ExitCode::FAILURE
    })
}

fn copy(place: &StorePlace, file: &Path) -> anyhow::Result<ExitCode> {
    let store = store(place)?;
    backup::<ProxySchema>(&store, file)?;
    say(&format!("{} holds what {} held", file.display(), store.display()));
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
        return format!("schema {schema}, that of this fanfare");
    }
    format!("schema {schema}; a start brings it to {newest}, as was tried on a copy")
}

fn store(place: &StorePlace) -> anyhow::Result<PathBuf> {
    if let Some(folder) = &place.data {
        return Ok(store_in(folder));
    }
    let settings = place.config.as_deref().map(ProxySettings::read).transpose()?;
    let folder = settings.and_then(|settings| settings.data);
    Ok(store_in(&folder.context("the settings name no folder of the store; give --data DIR")?))
}
