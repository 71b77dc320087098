//! Captures that are opened or made, on a thread of their own: the window does not wait for a disk, nor for much to be read.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use super::opened::Opened;
use crate::inspect::WireMessage;
use crate::runtime::engine::{open_capture, pcapng};
use crate::sip::File;
use crate::ui::text::{self, say};

/// What the thread has done.
#[derive(Debug)]
pub(super) enum CaptureDone {
    /// A capture was read, or cannot be.
    Opened(Result<Box<Opened>, String>),
    /// A capture was made, or cannot be.
    Made(Result<File, String>),
}

/// The thread, if one works.
#[derive(Debug, Default)]
pub(super) struct CaptureFiles {
    works: Option<Receiver<CaptureDone>>,
}

impl CaptureFiles {
    /// One file at a time.
    pub(super) const fn is_busy(&self) -> bool {
        self.works.is_some()
    }

    /// Begins to read a capture.
    pub(super) fn open(&mut self, ctx: &egui::Context, path: PathBuf) {
        self.begin(ctx, move || CaptureDone::Opened(open(&path)));
    }

    /// Begins to make a capture of these messages.
    pub(super) fn make(&mut self, ctx: &egui::Context, name: &str, messages: Vec<WireMessage>) {
        let name = format!("{name}.pcapng");
        self.begin(ctx, move || {
            let made = pcapng(&messages).map_err(|error| say!("capture-cannot-save", why = error));
            let media_type = "application/octet-stream".to_owned();
            CaptureDone::Made(made.map(|bytes| File { name: Some(name), media_type, bytes: bytes.into() }))
        });
    }

    fn begin(&mut self, ctx: &egui::Context, work: impl FnOnce() -> CaptureDone + Send + 'static) {
        if self.is_busy() {
            return;
        }
        let (tell, done) = sync_channel(1);
        let ctx = ctx.clone();
        let work = move || {
            // If the window is gone, nobody wants it.
            tell.send(work()).ok();
            ctx.request_repaint_after(Duration::from_millis(1));
        };
        if text::spawn("capture", work).is_ok() {
            self.works = Some(done);
        }
    }

    /// What was done, once.
    pub(super) fn done(&mut self) -> Option<CaptureDone> {
        let done = self.works.as_ref()?.try_recv().ok()?;
        self.works = None;
        Some(done)
    }
}

fn open(path: &Path) -> Result<Box<Opened>, String> {
    let capture =
        open_capture(path).map_err(|why| say!("file-cannot-be-read", file = path.display(), why = why))?;
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Ok(Box::new(Opened::of(name, capture)))
}
