//! What the window is started for, and what later starts of the program say to the one that runs.

use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::model::link::Link;
use crate::runtime::handover::Doorbell;
use crate::ui::Waker;
use crate::ui::desktop::calls::Calls;

/// What a later start says to end this one; no link is like that.
pub(super) const QUIT: &str = "quit";
/// What one says that is not to be seen.
pub(super) const HIDDEN: &str = "hidden";
/// What stands before the path of an account file.
const PROVISION: &str = "provision:";

/// What a start of the window is for.
pub(in crate::cli) enum StartedFor {
    /// To see it.
    Window,
    /// To run without one.
    Hidden,
    /// To write to somebody.
    Link(Link),
    /// To add an account from this file, an absolute path.
    Provision(String),
}

impl StartedFor {
    /// An error if the file's path cannot be handed over.
    pub(in crate::cli) fn of(
        link: Option<Link>,
        file: Option<PathBuf>,
        is_hidden: bool,
    ) -> anyhow::Result<Self> {
        Ok(match (link, file) {
            (Some(link), _) => Self::Link(link),
            (None, Some(file)) => {
                let path = std::path::absolute(file)?;
                let path = path.to_str().filter(|path| !path.contains(char::is_control));
                Self::Provision(path.context("the path of the account file is not readable text")?.to_owned())
            }
            (None, None) if is_hidden => Self::Hidden,
            (None, None) => Self::Window,
        })
    }

    /// The line for the window that runs already. Whoever starts it hidden does not want to see that one.
    pub(super) fn line(&self) -> String {
        match self {
            Self::Window => String::new(),
            Self::Hidden => HIDDEN.to_owned(),
            Self::Link(link) => link.written.clone(),
            Self::Provision(path) => format!("{PROVISION}{path}"),
        }
    }

    pub(super) fn tell(self, calls: &Calls) {
        match self {
            Self::Window | Self::Hidden => {}
            Self::Link(link) => calls.open(link),
            Self::Provision(path) => calls.provision(path.into()),
        }
    }
}

/// From now on, this window answers when the program is started again for this folder.
pub(super) fn hear_later_starts(folder: &Path, calls: &Calls, waker: &Waker) -> Option<Doorbell> {
    let (calls, waker) = (calls.clone(), waker.clone());
    let heard = move |line: &str| {
        let file = line.strip_prefix(PROVISION);
        file.into_iter().for_each(|path| calls.provision(path.into()));
        match Link::parse(line) {
            _ if file.is_some() => {}
            _ if line == HIDDEN => return,
            _ if line == QUIT => calls.quit(),
            Ok(link) => calls.open(link),
            Err(why) if !line.is_empty() => tracing::warn!("the link of a second start {why}"),
            Err(_) => {}
        }
        if line != QUIT {
            calls.show();
        }
        waker.wake();
    };
    let bell = Doorbell::hang(folder, heard);
    bell.inspect_err(|error| tracing::warn!(%error, "a second start will not find this window")).ok()
}
