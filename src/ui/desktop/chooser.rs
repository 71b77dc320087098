//! The desktop's file chooser.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use crate::time::Clock;
use crate::ui::text::{self, say};

/// Nobody closes a chooser so soon: it was never there.
const CLOSED_AFTER: Duration = Duration::from_millis(300);

/// What the user is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileRequest {
    /// Files to attach.
    Files,
    /// A file of contacts.
    Contacts,
    /// A capture.
    Capture,
    /// A script of expectations.
    Script,
    /// A provisioning file.
    Provision,
    /// Where to save a file; its suggested name.
    SaveAs(String),
}

/// Lets the user choose files, and waits until that is done; an empty list if the user chose none. None if this desktop has
/// no chooser.
#[derive(Clone)]
pub struct Chooser(pub Arc<Ask>);

/// The function that shows a chooser.
type Ask = dyn Fn(&FileRequest) -> ChosenFiles + Send + Sync;

impl Chooser {
    /// The chooser of the desktop's portal.
    #[must_use]
    pub fn system() -> Self {
        Self(Arc::new(|asked| {
            let (dialog, clock) = (rfd::FileDialog::new(), Clock::start());
            let was_there = clock.now().mono + CLOSED_AFTER;
            let chosen = match asked {
                FileRequest::Files => dialog.set_title(say!("attach-files")).pick_files(),
                FileRequest::Capture => {
                    dialog.set_title(say!("open-capture-title")).pick_file().map(|path| vec![path])
                }
                FileRequest::Script => dialog
                    .set_title(say!("open-script-title"))
                    .add_filter(say!("scripts-ron"), &["ron"])
                    .add_filter(say!("all-files"), &["*"])
                    .pick_file()
                    .map(|path| vec![path]),
                FileRequest::Provision => dialog
                    .set_title(say!("open-account-title"))
                    .add_filter(say!("accounts-ron"), &["ron"])
                    .add_filter(say!("all-files"), &["*"])
                    .pick_file()
                    .map(|path| vec![path]),
                FileRequest::Contacts => dialog
                    .set_title(say!("import-contacts-title"))
                    .add_filter(say!("contacts-files"), &["vcf", "csv", "tsv", "txt"])
                    .add_filter(say!("all-files"), &["*"])
                    .pick_file()
                    .map(|path| vec![path]),
                FileRequest::SaveAs(name) => dialog
                    .set_title(say!("save-as-title"))
                    .set_file_name(name)
                    .save_file()
                    .map(|path| vec![path]),
            };
            // The library does not say whether the user closed the chooser or there was none.
            chosen.or_else(|| (clock.now().mono >= was_there).then(Vec::new))
        }))
    }
}

impl fmt::Debug for Chooser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chooser").finish_non_exhaustive()
    }
}

/// What was chosen; none if there is no chooser.
type ChosenFiles = Option<Vec<PathBuf>>;

/// The chooser, which runs on a thread of its own, and for what it is open now: a value of type `P`.
#[derive(Debug)]
pub(crate) struct Choosing<P> {
    chooser: Chooser,
    ctx: egui::Context,
    tell: SyncSender<ChosenFiles>,
    chosen: Receiver<ChosenFiles>,
    open_for: Option<P>,
}

impl<P> Choosing<P> {
    /// Wakes the window of `ctx` once something was chosen.
    pub(crate) fn new(ctx: &egui::Context, chooser: Chooser) -> Self {
        let (tell, chosen) = sync_channel(1);
        Self { chooser, ctx: ctx.clone(), tell, chosen, open_for: None }
    }

    /// Opens the chooser, unless it is open.
    pub(crate) fn begin(&mut self, asked: FileRequest, place: P) {
        if self.open_for.is_some() {
            return;
        }
        let (chooser, ctx, tell) = (self.chooser.clone(), self.ctx.clone(), self.tell.clone());
        let work = move || {
            // If the window is gone, nobody wants the files.
            tell.send((chooser.0)(&asked)).ok();
            ctx.request_repaint_after(Duration::from_millis(1));
        };
        if text::spawn("chooser", work).is_ok() {
            self.open_for = Some(place);
        }
    }

    /// What was chosen, and what for, once the chooser was closed.
    pub(crate) fn chosen(&mut self) -> Option<(P, ChosenFiles)> {
        let chosen = self.chosen.try_recv().ok()?;
        Some((self.open_for.take()?, chosen))
    }
}
