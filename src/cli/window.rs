//! `fanfare` and `fanfare demo`: the window with its engine.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;

use super::{runtime, stopped};
use crate::config::client::Folders;
use crate::config::passwords::Keyring;
use crate::demo::{DemoRun, FIRST_MESSAGE};
use crate::model::contacts::Contact;
use crate::model::snapshot::Person;
use crate::runtime::engine::{Engine, EngineOptions, Quitter, Wake};
use crate::runtime::logs;
use crate::ui::{self, Options, Waker};

/// File with the window's size and position, in the folder of the messages.
const WINDOW_STATE: &str = "window.ron";

/// Opens the window with the user's data, or with the data in `data`.
pub(super) fn run(data: Option<&Path>) -> anyhow::Result<ExitCode> {
    let folders = match data {
        Some(folder) => Folders::under(folder),
        None => Folders::of_this_person()
            .context("this user has no home folder; give a folder with --data DIR")?,
    };
    let waker = Waker::default();
    let state = Some(folders.data.join(WINDOW_STATE));
    let engine = Engine::start(EngineOptions {
        settings: Some(folders.settings),
        // With --data, everything is in that folder.
        keyring: if data.is_some() { Keyring::Unused } else { Keyring::System },
        data: Some(folders.data),
        account: None,
        book: None,
        demo: false,
        wake: wake(&waker),
    })?;
    quit_when_stopped(engine.quitter())?;
    ui::run(engine, &waker, Options { notifications: true, state, ..Options::default() })?;
    Ok(ExitCode::SUCCESS)
}

/// SIGINT and SIGTERM quit like the window does: the account signs off, and everything known is stored.
fn quit_when_stopped(quitter: Quitter) -> anyhow::Result<()> {
    let runtime = runtime()?;
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        match runtime.block_on(stopped()) {
            Ok(()) => {
                let has_ended = quitter.quit();
                logs::flush();
                std::process::exit(i32::from(!has_ended));
            }
            Err(error) => tracing::warn!(%error, "signals cannot be waited for"),
        }
    })?;
    Ok(())
}

/// Opens the window with the demo and its first message ready to send. For a screenshot the message is sent
/// automatically, and the window closes once the screenshot is saved.
pub(super) fn run_demo(screenshot: Option<PathBuf>) -> anyhow::Result<ExitCode> {
    let stage = DemoRun::set()?;
    let book = stage.book();
    let everybody = book.contacts.iter().map(person).collect();
    let waker = Waker::default();
    let engine = Engine::start(EngineOptions {
        settings: Some(stage.folder()),
        keyring: Keyring::Unused,
        data: Some(stage.folder()),
        account: Some(stage.account()),
        book: Some(book),
        demo: true,
        wake: wake(&waker),
    })?;
    let options = Options {
        ready: Some((everybody, FIRST_MESSAGE.to_owned())),
        send_ready: screenshot.is_some(),
        notifications: screenshot.is_none(),
        screenshot: screenshot.clone(),
        zone: None,
        state: Some(stage.folder().join(WINDOW_STATE)),
    };
    ui::run(engine, &waker, options)?;
    match screenshot {
        Some(file) if !file.exists() => anyhow::bail!("the picture could not be saved as {}", file.display()),
        Some(_) | None => Ok(ExitCode::SUCCESS),
    }
}

fn wake(waker: &Waker) -> Wake {
    let waker = waker.clone();
    Box::new(move || waker.wake())
}

fn person(contact: &Contact) -> Person {
    Person { address: contact.address.clone(), name: contact.name.clone(), simulated: contact.simulated }
}
