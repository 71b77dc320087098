//! The small window that says why Fanfare cannot start, and what can be done. Whoever starts it from a menu sees no
//! error output.

use std::sync::{Arc, Mutex, PoisonError};

use egui::{CentralPanel, Frame, RichText, Ui};

use super::kit::theme::{self, colors};
use super::kit::widgets::{banner, hint, primary};
use super::{Error, Options, native_options};
use crate::model::snapshot::Settings;

/// Why it cannot start.
#[derive(Clone, Debug, Default)]
pub struct Failure {
    /// The reason, as a sentence.
    pub why: String,
    /// What the user can copy for whoever helps.
    pub details: String,
    /// The messages can be set aside, to begin with none.
    pub can_begin_anew: bool,
}

/// What the user decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Choice {
    /// Try again: the cause may be gone.
    TryAgain,
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
    is_sure: bool,
}

impl StartFailed {
    /// Shows this failure; the decision is written to `choice`.
    #[must_use]
    pub fn new(ctx: &egui::Context, failure: Failure, choice: Arc<Mutex<Choice>>) -> Self {
        theme::install(ctx);
        theme::apply(ctx, &Settings::default());
        Self { failure, choice, is_sure: false }
    }

    fn contents(&mut self, ui: &mut Ui) -> Option<Choice> {
        ui.spacing_mut().item_spacing.y = 10.0;
        ui.label(RichText::new("Fanfare cannot start").font(theme::strong(20.0)));
        banner(ui, &self.failure.why, colors(ui).red, colors(ui).red_soft);
        if self.failure.can_begin_anew {
            let words = if self.is_sure {
                "Your messages stay on this computer, under another name, but Fanfare will not show them. Contacts and \
                 settings are kept."
            } else {
                "You can set these messages aside and begin with none. Nothing is deleted."
            };
            hint(ui, words);
        }
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing.x = 8.0;
            if primary(ui, "Try again", true).clicked() {
                return Some(Choice::TryAgain);
            }
            let label = if self.is_sure { "Set aside and begin" } else { "Begin without them…" };
            if self.failure.can_begin_anew && ui.button(label).clicked() {
                let was_sure = std::mem::replace(&mut self.is_sure, true);
                return was_sure.then_some(Choice::BeginAnew);
            }
            if ui.button("Copy details").clicked() {
                ui.ctx().copy_text(self.failure.details.clone());
            }
            ui.button("Quit").clicked().then_some(Choice::Quit)
        })
        .inner
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
        Box::new(move |creation| Ok(Box::new(StartFailed::new(&creation.egui_ctx, failure, answer)))),
    )?;
    let decided = *choice.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(decided)
}
