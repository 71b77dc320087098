//! What later starts of the program ask of the window that is open: to show itself, to write to somebody, and to end.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::limits::LINKS_WAITING_MAX;
use crate::model::link::Link;

/// Shared between the window and whoever hears later starts.
#[derive(Clone, Debug, Default)]
pub struct Calls(Arc<Mutex<Waiting>>);

#[derive(Debug, Default)]
struct Waiting {
    links: VecDeque<Link>,
    /// The provisioning file that was named last.
    provision: Option<PathBuf>,
    is_called: bool,
    is_quit: bool,
    is_staying: bool,
}

impl Calls {
    /// Opens this link as soon as the user can write; over [`LINKS_WAITING_MAX`] the oldest is forgotten.
    pub fn open(&self, link: Link) {
        let mut waiting = self.waiting();
        if waiting.links.len() == LINKS_WAITING_MAX {
            waiting.links.pop_front();
        }
        waiting.links.push_back(link);
    }

    /// Fills in the form of an account from this provisioning file; of several, the last counts.
    pub fn provision(&self, path: PathBuf) {
        self.waiting().provision = Some(path);
    }

    /// Shows the window.
    pub fn show(&self) {
        self.waiting().is_called = true;
    }

    /// Ends the program.
    pub fn quit(&self) {
        self.waiting().is_quit = true;
    }

    /// The window closes, and the program is to go on without it.
    pub(crate) fn stay(&self) {
        self.waiting().is_staying = true;
    }

    /// Whether the window that closes leaves the program running.
    pub(crate) fn is_staying(&self) -> bool {
        self.waiting().is_staying
    }

    /// Whether the window that was closed has left the program running.
    #[must_use]
    pub fn take_stay(&self) -> bool {
        std::mem::take(&mut self.waiting().is_staying)
    }

    /// True if the program is to end.
    pub(crate) fn is_quit(&self) -> bool {
        self.waiting().is_quit
    }

    /// True if there is a window to be shown; that is still so afterwards.
    pub(crate) fn is_called(&self) -> bool {
        self.waiting().is_called
    }

    /// True if the window is to show itself.
    pub(crate) fn take_call(&self) -> bool {
        std::mem::take(&mut self.waiting().is_called)
    }

    /// The provisioning file to open.
    pub(crate) fn take_provision(&self) -> Option<PathBuf> {
        self.waiting().provision.take()
    }

    /// The next link.
    pub(crate) fn take_link(&self) -> Option<Link> {
        self.waiting().links.pop_front()
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
