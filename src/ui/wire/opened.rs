//! A capture that was opened: its submissions with what became of them, its ladders, everything in it, and the matrix.

use std::sync::Arc;

use egui::{Id, RichText, ScrollArea, Sense, Ui, WidgetInfo, pos2, vec2};

use super::list::list_ui;
use super::outcomes::{outcomes_ui, summary};
use super::passed::Passed;
use super::sight::{Meant, Sight, chosen_ui, filter_ui, submission_ui};
use crate::inspect::{CaptureFile, Cut, counted};
use crate::limits::{CAPTURE_OPENED_BYTES_MAX, CAPTURE_OPENED_MESSAGES_MAX, INSPECT_PACKETS_MAX};
use crate::model::delivery::is_reached;
use crate::model::matrix::{Matrix, MatrixOrder, MatrixSource};
use crate::ui::actions::Act;
use crate::ui::kit::theme::{self, colors};
use crate::ui::kit::widgets::{hint, one_line, pill, put, small_button};
use crate::ui::kit::words::{self, Look};
use crate::ui::matrix::{GridState, csv_file, grid_ui};
use crate::ui::text::say;

/// Height of a submission in the list.
const LINE: f32 = 40.0;

/// What is shown of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum OpenedExtent {
    /// Its submissions.
    #[default]
    Submissions,
    /// All messages.
    All,
    /// People and submissions.
    Matrix,
}

/// A capture that was opened.
#[derive(Debug)]
pub(super) struct Opened {
    /// The name of its file.
    pub(super) name: String,
    /// What in it was not read.
    notes: Vec<String>,
    sight: Sight,
    extent: OpenedExtent,
    /// The submission whose ladder is shown.
    picked: Option<usize>,
    matrix: Arc<Matrix>,
    grid: GridState,
}

impl Opened {
    /// Puts together what was read; not on the thread of the window.
    pub(super) fn of(name: String, capture: CaptureFile) -> Self {
        let notes = notes(&capture);
        let passed = Passed::of(capture.messages);
        let all: Vec<_> =
            passed.submissions().iter().enumerate().map(|(place, one)| counted(place, one)).collect();
        let matrix = Arc::new(Matrix::of(&all, MatrixOrder::default()));
        Self {
            name,
            notes,
            sight: Sight::of(passed),
            extent: OpenedExtent::default(),
            picked: None,
            matrix,
            grid: GridState::default(),
        }
    }

    /// What is shown, for a capture of it.
    pub(super) fn messages(&self) -> Vec<crate::inspect::WireMessage> {
        let picked = self.picked.filter(|_| self.extent == OpenedExtent::Submissions);
        self.sight.messages(picked.map(Meant::Place))
    }
}

fn notes(capture: &CaptureFile) -> Vec<String> {
    let cut = capture.cut.as_ref().map(|cut| match cut {
        Cut::TooMany => say!(
            "cut-messages",
            messages = CAPTURE_OPENED_MESSAGES_MAX,
            size = CAPTURE_OPENED_BYTES_MAX / 1024 / 1024
        ),
        Cut::TooManyPackets => {
            say!("cut-packets", packets = INSPECT_PACKETS_MAX)
        }
        Cut::Damaged(why) => say!("cut-damaged", why = crate::model::text::visible(why)),
    });
    let stream =
        (capture.stream_segments > 0).then(|| say!("tcp-passed-over", count = capture.stream_segments));
    cut.into_iter().chain(stream).collect()
}

/// Draws the choice of what is shown.
pub(super) fn opened_bar_ui(ui: &mut Ui, opened: &mut Opened, acts: &mut Vec<Act>) {
    ui.horizontal_wrapped(|ui| {
        let extents = [
            (OpenedExtent::Submissions, say!("submissions")),
            (OpenedExtent::All, say!("all-messages")),
            (OpenedExtent::Matrix, say!("its-matrix")),
        ];
        for (extent, label) in extents {
            if pill(ui, opened.extent == extent, label).clicked() {
                opened.extent = extent;
                opened.sight.chosen = None;
            }
        }
        if opened.extent == OpenedExtent::Matrix {
            opened.grid.order_ui(ui);
            if small_button(ui, say!("export-csv")).clicked() {
                acts.push(Act::Ask(crate::model::command::Command::Save(csv_file(&opened.matrix))));
            }
        } else if opened.picked.is_some()
            && opened.extent == OpenedExtent::Submissions
            && small_button(ui, say!("all-submissions")).clicked()
        {
            opened.picked = None;
            opened.sight.chosen = None;
        }
    });
    if opened.extent == OpenedExtent::All {
        filter_ui(ui, &mut opened.sight, false, |_| {});
        opened.sight.filter();
    }
    for note in &opened.notes {
        hint(ui, note);
    }
}

/// Draws what is shown.
pub(super) fn opened_ui(ui: &mut Ui, opened: &mut Opened, look: &Look, acts: &mut Vec<Act>) {
    if opened.extent == OpenedExtent::Matrix {
        let clicked = grid_ui(ui, &mut opened.grid, &opened.matrix, look);
        if let Some(MatrixSource::Submission(place)) = clicked {
            (opened.extent, opened.picked) = (OpenedExtent::Submissions, Some(place));
        }
        return;
    }
    chosen_ui(ui, &mut opened.sight, look, acts);
    egui::CentralPanel::default().frame(egui::Frame::NONE).show(ui, |ui| {
        match (opened.extent, opened.picked) {
            (OpenedExtent::Submissions, Some(place)) => {
                let frame = egui::Frame::NONE.inner_margin(egui::Margin::symmetric(12, 6));
                if let Some(submission) = opened.sight.passed.submissions().get(place) {
                    let most = (ui.available_height() * 0.35).max(60.0);
                    frame.show(ui, |ui| {
                        let area = ScrollArea::vertical().id_salt("outcomes").max_height(most);
                        area.auto_shrink([false, true]).show(ui, |ui| outcomes_ui(ui, submission));
                    });
                }
                submission_ui(ui, &mut opened.sight, Meant::Place(place));
            }
            (OpenedExtent::Submissions, None) => {
                if let Some(place) = submissions_ui(ui, &opened.sight.passed, look) {
                    opened.picked = Some(place);
                }
            }
            (OpenedExtent::All | OpenedExtent::Matrix, _) => {
                let clicked = list_ui(ui, &opened.sight.passed, opened.sight.chosen, false, look);
                opened.sight.clicked(clicked);
            }
        }
    });
}

/// A line for each submission; returns the one that was clicked. Only what is visible is laid out.
fn submissions_ui(ui: &mut Ui, passed: &Passed, look: &Look) -> Option<usize> {
    let all = passed.submissions();
    if all.is_empty() {
        egui::Frame::NONE.inner_margin(egui::Margin::symmetric(16, 16)).show(ui, |ui| {
            ui.label(RichText::new(say!("no-message-in-it")).font(theme::strong(14.0)));
        });
        return None;
    }
    let mut clicked = None;
    ui.spacing_mut().item_spacing.y = 0.0;
    let area = ScrollArea::vertical().id_salt("submissions").auto_shrink(false);
    area.show_rows(ui, LINE, all.len(), |ui, lines| {
        for place in lines {
            let Some(submission) = all.get(place) else { continue };
            let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), LINE), Sense::hover());
            let response = ui.interact(rect, Id::unique(("submission", place)), Sense::click());
            let (at, from) = (look.clock_millis(submission.at), words::address(submission.from.as_str()));
            let summary = summary(submission);
            let label = format!("{at} {from}: {summary}");
            response.widget_info(|| WidgetInfo::labeled(egui::Role::Button, true, &label));
            if response.hovered() || response.has_focus() {
                ui.painter().rect_filled(rect, 4.0, colors(ui).hover);
            }
            let outcomes = counted(place, submission).outcomes;
            let is_good = outcomes.iter().all(|one| is_reached(one.cell.state));
            let ink = if is_good { colors(ui).green } else { colors(ui).red };
            let width = (rect.width() - 24.0).max(0.0);
            let first = one_line(ui, &from, theme::strong(13.0), colors(ui).text, width);
            put(ui.painter(), pos2(rect.left() + 12.0, rect.top() + 3.0), first);
            let left = one_line(ui, &summary, theme::regular(12.0), ink, width);
            let start = rect.left() + 12.0 + left.size().x + 10.0;
            put(ui.painter(), pos2(rect.left() + 12.0, rect.top() + 21.0), left);
            let call_id = crate::model::text::visible(&submission.call_id);
            let rest = format!("{at}, Call-ID {call_id}");
            let room = (rect.right() - 12.0 - start).max(0.0);
            let rest = one_line(ui, &rest, theme::regular(12.0), colors(ui).weak, room);
            put(ui.painter(), pos2(start, rect.top() + 21.0), rest);
            if response.clicked() {
                clicked = Some(place);
            }
        }
    });
    clicked
}
