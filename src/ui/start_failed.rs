//! The small window that says why Fanfare cannot start, or that its messages are damaged, and what can be done. Whoever
//! starts it from a menu sees no error output.

use std::sync::{Arc, Mutex, PoisonError};

use egui::{CentralPanel, Frame, RichText, Ui};
use jiff::tz::TimeZone;

use super::kit::theme::{self, colors, use_system_fonts};
use super::kit::widgets::{banner, hint, primary};
use super::kit::words::Look;
use super::{Error, Options, native_options};
use crate::model::snapshot::Settings;
use crate::time::Timestamp;
use crate::ui::text::{Customs, say};

/// Why it cannot start.
#[derive(Clone, Debug, Default)]
pub struct Failure {
    /// The reason, as a sentence.
    pub why: String,
    /// What the user can copy for whoever helps.
    pub details: String,
    /// The messages can be set aside, to begin with none.
    pub can_begin_anew: bool,
    /// When the backup that can be restored was made, if there is one.
    pub backup: Option<Timestamp>,
    /// It can start all the same.
    pub can_go_on: bool,
    /// The time zone for displayed times; the system's if none is given.
    pub zone: Option<TimeZone>,
    /// The language, and how times are written.
    pub customs: Customs,
}

/// What the user decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Choice {
    /// Try again: the cause may be gone, or does not matter.
    TryAgain,
    /// Put the backup in the place of the messages, which are set aside.
    Restore,
    /// Set the messages aside and begin with none.
    BeginAnew,
    /// Give up.
    #[default]
    Quit,
}

/// The contents of that window.
#[derive(Debug)]
pub struct StartFailed {
    failure: Failure,
    choice: Arc<Mutex<Choice>>,
    /// What is done if it is asked for once more.
    asked: Option<Choice>,
    look: Look,
}

impl StartFailed {
    /// Shows this failure; the decision is written to `choice`.
    #[must_use]
    pub fn new(ctx: &egui::Context, failure: Failure, choice: Arc<Mutex<Choice>>) -> Self {
        failure.customs.speak();
        theme::install(ctx);
        theme::apply(ctx, &Settings::default());
        let zone = failure.zone.clone().unwrap_or_else(TimeZone::system);
        let look = Look { now: failure.backup.unwrap_or_default(), zone };
        Self { failure, choice, asked: None, look }
    }

    fn contents(&mut self, ui: &mut Ui) -> Option<Choice> {
        ui.spacing_mut().item_spacing.y = 10.0;
        ui.label(RichText::new(self.title()).font(theme::strong(20.0)));
        banner(ui, &self.failure.why, colors(ui).red, colors(ui).red_soft);
        if let Some(words) = self.words() {
            hint(ui, &words);
        }
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing.x = 8.0;
            let again = if self.failure.can_go_on { say!("open-anyway") } else { say!("try-again") };
            if primary(ui, again, true).clicked() {
                return Some(Choice::TryAgain);
            }
            let asked_for = self.drastic(ui);
            if ui.button(say!("copy-details")).clicked() {
                ui.ctx().copy_text(self.failure.details.clone());
            }
            let quits = ui.button(say!("quit")).clicked().then_some(Choice::Quit);
            // What sets messages aside is asked for twice.
            let is_sure = asked_for.is_some() && self.asked == asked_for;
            self.asked = asked_for.or(self.asked);
            quits.or_else(|| asked_for.filter(|_| is_sure))
        })
        .inner
    }

    fn title(&self) -> &'static str {
        if self.failure.can_go_on { say!("messages-damaged") } else { say!("cannot-start") }
    }

    /// What can be done, or what will be done.
    fn words(&self) -> Option<String> {
        let from =
            self.failure.backup.map(|at| format!("{}, {}", self.look.full_date(at), self.look.clock(at)));
        match (self.asked, from) {
            (Some(Choice::Restore), Some(from)) => Some(say!("restore-why", from = from)),
            (Some(Choice::BeginAnew), _) => Some(say!("begin-anew-why").to_owned()),
            (_, Some(from)) => Some(say!("backup-from", from = from)),
            (_, None) if self.failure.can_begin_anew => Some(say!("set-aside").to_owned()),
            (_, None) => None,
        }
    }

    /// The buttons that set the messages aside.
    fn drastic(&self, ui: &mut Ui) -> Option<Choice> {
        let is_asked = |choice| self.asked == Some(choice);
        let restore = if is_asked(Choice::Restore) { say!("restore-it") } else { say!("restore-backup") };
        if self.failure.backup.is_some() && ui.button(restore).clicked() {
            return Some(Choice::Restore);
        }
        let begin = if is_asked(Choice::BeginAnew) { say!("set-aside-begin") } else { say!("begin-without") };
        (self.failure.can_begin_anew && ui.button(begin).clicked()).then_some(Choice::BeginAnew)
    }
}

impl eframe::App for StartFailed {
    fn ui(&mut self, ui: &mut Ui, _frame: &mut eframe::Frame) {
        let frame = Frame::NONE.fill(colors(ui).middle).inner_margin(24);
        let decided = CentralPanel::default().frame(frame).show(ui, |ui| self.contents(ui)).inner;
        if let Some(choice) = decided {
            *self.choice.lock().unwrap_or_else(PoisonError::into_inner) = choice;
            ui.ctx().send_viewport_cmd(egui::ViewportCommand::Close);
        }
    }
}

/// Opens that window, and returns the decision; closing it means to quit.
///
/// # Errors
/// There is no display to draw on.
pub fn say_that_it_failed(failure: Failure) -> Result<Choice, Error> {
    let mut native = native_options(&Options::default());
    native.viewport = native.viewport.with_inner_size([560.0, 300.0]).with_min_inner_size([400.0, 240.0]);
    native.persist_window = false;
    let choice = Arc::new(Mutex::new(Choice::default()));
    let answer = Arc::clone(&choice);
    eframe::run_native(
        "fanfare",
        native,
        Box::new(move |creation| {
            use_system_fonts(&creation.egui_ctx);
            Ok(Box::new(StartFailed::new(&creation.egui_ctx, failure, answer)))
        }),
    )?;
    let decided = *choice.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(decided)
}
