//! Opens web addresses in the browser, and tells if there is none.

use std::fmt;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

/// How many failures may wait for the window; more say nothing new.
const FAILED_WAITING_MAX: usize = 4;

/// Opens an address; true if a browser took it.
#[derive(Clone)]
pub struct Opener(pub Arc<dyn Fn(&str) -> bool + Send + Sync>);

impl Opener {
    /// The system's browser.
    #[must_use]
    pub fn system() -> Self {
        Self(Arc::new(|target| match webbrowser::open(target) {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!(%error, "no browser opens a link");
                false
            }
        }))
    }
}

impl fmt::Debug for Opener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opener").finish_non_exhaustive()
    }
}

/// The way to the browser. Starting one may take long, so each address is opened on a thread of its own.
#[derive(Debug)]
pub(crate) struct Browser {
    opener: Opener,
    ctx: egui::Context,
    tell: SyncSender<String>,
    failed: Receiver<String>,
}

impl Browser {
    /// Wakes the window of `ctx` when an address could not be opened.
    pub(crate) fn new(ctx: &egui::Context, opener: Opener) -> Self {
        let (tell, failed) = sync_channel(FAILED_WAITING_MAX);
        Self { opener, ctx: ctx.clone(), tell, failed }
    }

    /// Opens an address.
    pub(crate) fn open(&self, target: String) {
        let (opener, ctx, tell) = (self.opener.clone(), self.ctx.clone(), self.tell.clone());
        let work = {
            let target = target.clone();
            move || {
                if !(opener.0)(&target) && tell.try_send(target).is_ok() {
                    ctx.request_repaint_after(Duration::from_millis(1));
                }
            }
        };
        if std::thread::Builder::new().name("browser".to_owned()).spawn(work).is_err() {
            let _full = self.tell.try_send(target).is_err();
        }
    }

    /// The addresses that could not be opened since the last call.
    pub(crate) fn failed(&self) -> Vec<String> {
        self.failed.try_iter().collect()
    }
}
