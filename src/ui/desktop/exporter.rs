//! Writes a conversation into a file that the user chose.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use crate::model::journal::ConversationId;

/// Exports that may be under way; further ones are refused.
const EXPORTS_MAX: usize = 4;

/// Writes the messages of a conversation into this file, in place of what is there; the ending of its name says the format.
/// An error says why it cannot, without full stop.
#[derive(Clone)]
pub struct Exporter(pub Arc<Export>);

/// The function that does it.
type Export = dyn Fn(ConversationId, &Path) -> Result<(), String> + Send + Sync;

impl fmt::Debug for Exporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exporter").finish_non_exhaustive()
    }
}

/// The exporter, which runs on threads of its own.
#[derive(Debug)]
pub(crate) struct Exporting {
    exporter: Exporter,
    ctx: egui::Context,
    tell: SyncSender<Result<PathBuf, String>>,
    done: Receiver<Result<PathBuf, String>>,
}

impl Exporting {
    /// Wakes the window of `ctx` once an export is done.
    pub(crate) fn new(ctx: &egui::Context, exporter: Exporter) -> Self {
        let (tell, done) = sync_channel(EXPORTS_MAX);
        Self { exporter, ctx: ctx.clone(), tell, done }
    }

    /// Begins to write.
    pub(crate) fn begin(&self, conversation: ConversationId, path: PathBuf) {
        let (exporter, ctx, tell) = (self.exporter.clone(), self.ctx.clone(), self.tell.clone());
        let work = move || {
            let written = (exporter.0)(conversation, &path).map(|()| path);
            // If the window is gone, nobody waits for it.
            tell.try_send(written).ok();
            ctx.request_repaint_after(Duration::from_millis(1));
        };
        if let Err(error) = std::thread::Builder::new().name("export".to_owned()).spawn(work) {
            tracing::warn!(%error, "a conversation cannot be exported");
        }
    }

    /// What was written meanwhile, or why it was not.
    pub(crate) fn done(&self) -> Vec<Result<PathBuf, String>> {
        self.done.try_iter().collect()
    }
}
