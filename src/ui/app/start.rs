//! What the program does by itself at the start, such as to send the prepared message and to take a screenshot, and at the
//! end.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::shell::{MiddleView, Shell};
use crate::model::account::RegistrationState;
use crate::model::command::{Command, Draft};
use crate::model::contacts::Person;
use crate::model::marks::Marks;
use crate::model::snapshot::{ConversationHead, Snapshot};
use crate::sip::{ReportMode, ReportOptions};
use crate::ui::compose::composer::{self, Writing};
use crate::ui::compose::recipients::Recipients;
use crate::ui::panels::sign_in::SignInForm;
use crate::ui::sidebar::marks::MarkTable;

use super::App;

/// What the program does by itself once the window is open.
#[derive(Default)]
pub(super) struct Start {
    pub(super) send_ready: bool,
    pub(super) shot: Option<Shot>,
    /// The conversation that was open last.
    pub(super) last_open: Option<String>,
}

/// The name under which the open conversation is kept.
pub(in crate::ui) const LAST_OPEN: &str = "open conversation";

/// A screenshot to be taken.
pub(super) struct Shot {
    file: PathBuf,
    since: Option<f64>,
    asked: bool,
    saved: Arc<AtomicBool>,
}

/// The screenshot is taken after this many seconds at the latest.
const SHOT_AFTER_SECS: f64 = 30.0;
/// Wait between the first complete reports and the screenshot, so that late ones can still arrive.
const SHOT_SETTLE_SECS: f64 = 1.0;

impl Shot {
    /// Requests a screenshot, saved in this file.
    pub(super) fn new(file: PathBuf) -> Self {
        Self { file, since: None, asked: false, saved: Arc::default() }
    }
}

impl Shell {
    /// As it is at the start; `ready` is a message that is ready to be sent.
    pub(super) fn at_start(
        ctx: &egui::Context,
        snapshot: &Snapshot,
        ready: Option<(Vec<Person>, String)>,
    ) -> Self {
        let account = snapshot.account.as_deref();
        let has_to_sign_in = account.is_none_or(|account| !account.worked);
        let sign_in = has_to_sign_in.then(|| SignInForm::of(account));
        let mut shell = Self { sign_in, ..Self::default() };
        shell.left.marks = MarkTable::of(snapshot);
        if let Some((people, text)) = ready {
            shell.place = MiddleView::New;
            let writing = Writing { text, to: Recipients::of(people), ..Writing::default() };
            shell.writing.insert(MiddleView::New, writing);
            // So that Enter sends it.
            ctx.memory_mut(|memory| memory.request_focus(composer::field_id(None)));
        }
        shell
    }
}

impl App {
    /// What is kept of the open conversation: its people, as its number is another one in another store.
    pub(in crate::ui) fn open_now(&self) -> String {
        let head = self.snapshot.conversations.iter().find(|head| Some(head.id) == self.shell.open());
        head.map(|head| Marks::key(&head.people, head.hidden)).unwrap_or_default()
    }

    /// Opens the conversation that was open last, once the list is there.
    pub(super) fn open_last(&mut self) {
        if self.shell.place != MiddleView::Nothing || self.shell.sign_in.is_some() {
            self.start.last_open = None;
        }
        if self.start.last_open.is_none() || self.snapshot.conversations.is_empty() {
            return;
        }
        let Some(key) = self.start.last_open.take() else { return };
        let is_it = |head: &&ConversationHead| Marks::key(&head.people, head.hidden) == key;
        if let Some(id) = self.snapshot.conversations.iter().find(is_it).map(|head| head.id) {
            self.open(id);
            self.shell.wants_composer = true;
        }
    }

    /// Stores what would otherwise be lost with this window.
    pub(in crate::ui) fn rest(&mut self) {
        self.send_all_held();
        self.delete_all_now();
        self.keep_drafts_now();
    }

    /// The same, and ends the engine.
    pub(in crate::ui) fn close(&mut self) {
        self.rest();
        // The engine un-registers and ends; if its queue is full, it ends with the process instead.
        let _busy = self.source.send(Command::Quit).is_err();
    }

    /// Sends the prepared message once we are registered.
    pub(super) fn send_ready(&mut self, ctx: &egui::Context) {
        if !self.start.send_ready || self.snapshot.registration != RegistrationState::Connected {
            return;
        }
        let Some(writing) = self.shell.writing.get(&MiddleView::New) else {
            return;
        };
        self.start.send_ready = false;
        let report = ReportOptions { mode: ReportMode::Each, detail: true, id: None };
        let draft = Draft {
            to: writing.to.rows(),
            text: writing.text.clone(),
            files: writing.files.clone(),
            hidden: false,
            report,
        };
        self.send(ctx, draft);
    }

    pub(super) fn take_shot(&mut self, ctx: &egui::Context) {
        let reported = self.shell.thread.detailed().is_some_and(|message| {
            let tally = &message.tally;
            (tally.delivered > 0 && tally.failed > 0) || (tally.total > 0 && tally.under_way() == 0)
        });
        if self.start.shot.as_ref().is_some_and(|shot| shot.saved.load(Ordering::Acquire)) {
            return self.leave(ctx);
        }
        let Some(shot) = &mut self.start.shot else {
            return;
        };
        let now = ctx.input(|input| input.time);
        ctx.request_repaint_after(Duration::from_millis(100));
        let due = match shot.since {
            Some(since) => now - since >= SHOT_SETTLE_SECS,
            None => now >= SHOT_AFTER_SECS,
        };
        if reported && shot.since.is_none() {
            shot.since = Some(now);
        }
        if due && !shot.asked {
            shot.asked = true;
            let (file, saved, wake) = (shot.file.clone(), Arc::clone(&shot.saved), ctx.clone());
            ctx.request_screenshot(move |picture| {
                if let Err(error) = save_png(&file, &picture) {
                    tracing::warn!(%error, "the picture could not be saved");
                }
                saved.store(true, Ordering::Release);
                wake.request_repaint();
            });
        }
    }
}

fn save_png(file: &std::path::Path, picture: &egui::ColorImage) -> Result<(), image::ImageError> {
    let bytes: Vec<u8> = picture.pixels.iter().flat_map(|pixel| [pixel.r(), pixel.g(), pixel.b()]).collect();
    let (width, height) =
        (u32::try_from(picture.width()).unwrap_or(0), u32::try_from(picture.height()).unwrap_or(0));
    image::save_buffer_with_format(
        file,
        &bytes,
        width,
        height,
        image::ExtendedColorType::Rgb8,
        image::ImageFormat::Png,
    )
}
