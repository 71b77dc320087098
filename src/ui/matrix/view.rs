//! Asks for the matrix of the open conversation while it is shown, and draws it.

use std::sync::Arc;
use std::time::Duration;

use egui::{RichText, Ui, vec2};

use super::grid::{GridState, grid_ui};
use crate::model::command::Command;
use crate::model::journal::ConversationId;
use crate::model::matrix::{Matrix, MatrixSource};
use crate::sip::File;
use crate::ui::actions::{Act, TestingAct};
use crate::ui::kit::icons::{Icon, icon_button};
use crate::ui::kit::theme;
use crate::ui::kit::widgets::{hint, small_button};
use crate::ui::kit::words::Look;
use crate::ui::text::say;

/// While much happens, it is counted anew so often.
const ASK_EVERY: f64 = 0.5;

/// The state of the view.
#[derive(Debug, Default)]
pub(crate) struct MatrixView {
    shown: Option<(ConversationId, Arc<Matrix>)>,
    /// Something has changed since it was last asked for.
    is_stale: bool,
    /// For which conversation it was last asked, and when, in egui's seconds; the answer may be on its way.
    asked: Option<(ConversationId, f64)>,
    grid: GridState,
    /// It has a window of its own.
    pub(crate) is_window: bool,
}

impl MatrixView {
    /// Something has changed; it matters only while the matrix is shown.
    pub(crate) const fn may_have_changed(&mut self) {
        self.is_stale = true;
    }

    /// Takes in what was counted.
    pub(crate) fn take(&mut self, conversation: ConversationId, matrix: Arc<Matrix>) {
        self.shown = Some((conversation, matrix));
    }

    /// Asks for it if something has changed, not too often.
    fn ask(&mut self, ui: &Ui, open: ConversationId, acts: &mut Vec<Act>) {
        let now = ui.input(|input| input.time);
        let wait = match self.asked {
            Some((asked, at)) if asked == open => {
                if !self.is_stale {
                    return;
                }
                at + ASK_EVERY - now
            }
            Some(_) | None => 0.0,
        };
        if wait > 0.0 {
            ui.ctx().request_repaint_after(Duration::from_secs_f64(wait));
            return;
        }
        (self.asked, self.is_stale) = (Some((open, now)), false);
        acts.push(Act::Ask(Command::CountOutcomes(open)));
    }
}

/// Draws the view.
pub(crate) fn matrix_ui(
    ui: &mut Ui,
    view: &mut MatrixView,
    open: Option<ConversationId>,
    look: &Look,
    acts: &mut Vec<Act>,
) {
    let Some(open) = open else {
        return empty(ui, say!("matrix-open-conversation"));
    };
    view.ask(ui, open, acts);
    let matrix = view.shown.as_ref().filter(|(of, _)| *of == open).map(|(_, matrix)| Arc::clone(matrix));
    let Some(matrix) = matrix.filter(|matrix| !matrix.columns.is_empty()) else {
        return empty(ui, say!("matrix-nothing-sent"));
    };
    egui::Frame::NONE.inner_margin(egui::Margin::symmetric(10, 8)).show(ui, |ui| {
        ui.style_mut().wrap_mode = Some(egui::TextWrapMode::Extend);
        ui.horizontal_wrapped(|ui| {
            view.grid.order_ui(ui);
            if small_button(ui, say!("export-csv")).clicked() {
                acts.push(Act::Ask(Command::Save(csv_file(&matrix))));
            }
            if !view.is_window && icon_button(ui, Icon::Window, say!("own-window")).clicked() {
                view.is_window = true;
            }
        });
    });
    let clicked = grid_ui(ui, &mut view.grid, &matrix, look);
    if let Some(MatrixSource::Message(_, message)) = clicked {
        acts.push(Act::Testing(TestingAct::OpenReport(message)));
    }
}

/// The file that the matrix is exported as.
pub(crate) fn csv_file(matrix: &Matrix) -> File {
    let name = Some("delivery-matrix.csv".to_owned());
    File { name, media_type: "text/csv".to_owned(), bytes: matrix.csv().into() }
}

fn empty(ui: &mut Ui, sentence: &str) {
    egui::Frame::NONE.inner_margin(egui::Margin::symmetric(16, 16)).show(ui, |ui| {
        ui.set_min_size(vec2(ui.available_width(), 40.0));
        ui.label(RichText::new(say!("matrix-nothing")).font(theme::strong(14.0)));
        hint(ui, sentence);
    });
}
