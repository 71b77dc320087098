//! The grid: a row for each person, a column for each of the last messages, a shape in each cell.

use std::sync::Arc;

use egui::{Align2, Id, Rect, ScrollArea, Sense, Ui, WidgetInfo, pos2, vec2};

use super::person::person_ui;
use crate::model::matrix::{Matrix, MatrixCell, MatrixOrder, MatrixPerson, MatrixSource};
use crate::ui::kit::icons::{focus_ring, paint_state, state_color};
use crate::ui::kit::theme::{self, colors};
use crate::ui::kit::widgets::{one_line, pill, put};
use crate::ui::kit::words::{self, Look};
use crate::ui::text::say;

const ROW: f32 = 28.0;
const HEAD: f32 = 26.0;
const CELL: f32 = 18.0;
const ICON: f32 = 14.0;
const SIDE: f32 = 12.0;
/// Width of the names at least and at most.
const NAME_MIN: f32 = 96.0;
const NAME_MAX: f32 = 220.0;
/// Width of the share.
const SHARE: f32 = 46.0;
/// Width of each of the two times; from this width of the view on they are shown.
const TIME: f32 = 58.0;
const TIMES_FROM: f32 = 620.0;

/// How the grid is sorted, and whose figures are shown below it.
#[derive(Debug, Default)]
pub(crate) struct GridState {
    order: MatrixOrder,
    /// By address.
    picked: Option<String>,
    /// The matrix as it is sorted here, and what it was made of.
    sorted: Option<(Arc<Matrix>, MatrixOrder, Matrix)>,
}

impl GridState {
    /// Lets the user choose the order.
    pub(crate) fn order_ui(&mut self, ui: &mut Ui) {
        for (order, label) in
            [(MatrixOrder::Worst, say!("worst-first")), (MatrixOrder::Name, say!("by-name"))]
        {
            if pill(ui, self.order == order, label).clicked() {
                self.order = order;
            }
        }
    }

    fn sort(&mut self, matrix: &Arc<Matrix>) {
        let is_known = |(of, order, _): &(Arc<Matrix>, MatrixOrder, Matrix)| {
            Arc::ptr_eq(of, matrix) && *order == self.order
        };
        if !self.sorted.as_ref().is_some_and(is_known) {
            let mut sorted = Matrix::clone(matrix);
            sorted.sort(self.order);
            self.sorted = Some((Arc::clone(matrix), self.order, sorted));
        }
    }
}

/// Where things stand in a row.
#[derive(Clone, Copy)]
struct Places {
    name: f32,
    /// The first column that is shown; older ones have no room.
    first: usize,
    columns: usize,
    has_times: bool,
}

impl Places {
    fn of(width: f32, matrix: &Matrix) -> Self {
        // Where all columns fit, and the times too, those are shown.
        let least = 2.0 * SIDE + SHARE + NAME_MIN + matrix.columns.len() as f32 * CELL;
        let has_times = width >= TIMES_FROM || width >= least + 2.0 * TIME;
        let times = if has_times { 2.0 * TIME } else { 0.0 };
        let room = width - 2.0 * SIDE - SHARE - times;
        let fitting = ((room - NAME_MIN) / CELL).max(1.0) as usize;
        let columns = matrix.columns.len().min(fitting);
        let name = (room - columns as f32 * CELL).clamp(NAME_MIN, NAME_MAX);
        Self { name, first: matrix.columns.len() - columns, columns, has_times }
    }

    fn cell(self, row: Rect, column: usize) -> Rect {
        let left = row.left() + SIDE + self.name + column as f32 * CELL;
        Rect::from_min_size(pos2(left, row.top()), vec2(CELL, row.height()))
    }

    /// Where the figures begin.
    fn figures(self, row: Rect) -> f32 {
        row.left() + SIDE + self.name + self.columns as f32 * CELL
    }
}

/// Draws the grid, and below it the figures of the person who was clicked; returns the message of the cell that was
/// clicked. Only the rows that are visible are laid out.
pub(crate) fn grid_ui(
    ui: &mut Ui,
    state: &mut GridState,
    matrix: &Arc<Matrix>,
    look: &Look,
) -> Option<MatrixSource> {
    state.sort(matrix);
    let (_, _, matrix) = state.sorted.as_ref()?;
    let picked = state
        .picked
        .as_ref()
        .and_then(|address| matrix.people.iter().find(|person| person.address == *address));
    if let Some(person) = picked {
        let frame = egui::Frame::NONE.inner_margin(egui::Margin::symmetric(12, 8)).fill(colors(ui).hover);
        egui::Panel::bottom(ui.scope_id().with("figures")).frame(frame).resizable(false).show(ui, |ui| {
            person_ui(ui, person);
        });
    }
    let mut clicked = None;
    let mut chosen = None;
    egui::CentralPanel::default().frame(egui::Frame::NONE).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        let places = Places::of(ui.available_width(), matrix);
        head_ui(ui, matrix, places, look);
        let area = ScrollArea::vertical().id_salt("matrix").auto_shrink(false);
        area.show_rows(ui, ROW, matrix.people.len(), |ui, rows| {
            for person in matrix.people.get(rows).unwrap_or_default() {
                let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::hover());
                let is_picked = picked.is_some_and(|picked| picked.address == person.address);
                if name_ui(ui, rect, places, person, is_picked) {
                    chosen = Some((person.address.clone(), is_picked));
                }
                if let Some(source) = cells_ui(ui, rect, places, (matrix, person), look) {
                    clicked = Some(source);
                }
                figures_ui(ui, rect, places, person);
            }
        });
    });
    if let Some((address, was_picked)) = chosen {
        state.picked = (!was_picked).then_some(address);
    }
    clicked
}

/// When the first and the last column were written, and what the figures are.
fn head_ui(ui: &mut Ui, matrix: &Matrix, places: Places, look: &Look) {
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), HEAD), Sense::hover());
    let (font, ink) = (theme::regular(11.0), colors(ui).weak);
    let shown = matrix.columns.get(places.first..).unwrap_or_default();
    let (left, right) = (places.cell(rect, 0).left(), places.figures(rect));
    let y = rect.center().y;
    if let (Some((_, oldest)), Some((_, newest))) = (shown.first(), shown.last()) {
        let newest = one_line(ui, &look.clock(*newest), font.clone(), ink, 60.0);
        let oldest = one_line(ui, &look.clock(*oldest), font.clone(), ink, 60.0);
        let start = right - newest.size().x - 2.0;
        if start > left + oldest.size().x + 6.0 {
            put(ui.painter(), pos2(left + 2.0, y - oldest.size().y / 2.0), oldest);
        }
        put(ui.painter(), pos2(start.max(left), y - newest.size().y / 2.0), newest);
    }
    let mut at = right + SHARE;
    let mut titles = vec![say!("share")];
    if places.has_times {
        titles.extend([say!("median"), say!("percentile")]);
    }
    for title in titles {
        ui.painter().text(pos2(at, y), Align2::RIGHT_CENTER, title, font.clone(), ink);
        at += TIME;
    }
    ui.painter().hline(rect.x_range(), rect.bottom() - 0.5, egui::Stroke::new(1.0, colors(ui).line));
}

fn name_ui(ui: &Ui, rect: Rect, places: Places, person: &MatrixPerson, is_picked: bool) -> bool {
    let place = Rect::from_min_size(rect.min, vec2(SIDE + places.name, rect.height()));
    let response = ui.interact(place, Id::unique(("matrix person", &person.address)), Sense::click());
    let label = format!("{}, {}", person.name, summary(person));
    response.widget_info(|| WidgetInfo::selected(egui::Role::Button, true, is_picked, &label));
    if is_picked || response.hovered() || response.has_focus() {
        let ground = if is_picked { colors(ui).selected } else { colors(ui).hover };
        ui.painter().rect_filled(place, 4.0, ground);
    }
    focus_ring(ui, &response, place, 4.0);
    let name = one_line(ui, &person.name, theme::regular(13.0), colors(ui).text, places.name - 6.0);
    put(ui.painter(), pos2(rect.left() + SIDE, rect.center().y - name.size().y / 2.0), name);
    let is_clicked = response.clicked();
    response.on_hover_text(format!("{}\n{}", words::address(&person.address), summary(person)));
    is_clicked
}

/// `reached 17 of 20, 2 not delivered, 1 without report`.
pub(super) fn summary(person: &MatrixPerson) -> String {
    let mut words = say!("matrix-reached", reached = person.reached, all = person.messages);
    let rest = [
        (person.failed, say!("matrix-not-delivered", count = person.failed)),
        (person.no_report, say!("matrix-no-report", count = person.no_report)),
        (person.open, say!("matrix-open", count = person.open)),
    ];
    for (_, what) in rest.into_iter().filter(|(count, _)| *count > 0) {
        words.push_str(", ");
        words.push_str(&what);
    }
    words
}

/// The cells of a row; returns the message of the one that was clicked.
fn cells_ui(
    ui: &Ui,
    rect: Rect,
    places: Places,
    (matrix, person): (&Matrix, &MatrixPerson),
    look: &Look,
) -> Option<MatrixSource> {
    let mut clicked = None;
    for column in 0..places.columns {
        let number = places.first + column;
        let (Some(Some(cell)), Some((source, at))) = (person.cells.get(number), matrix.columns.get(number))
        else {
            continue;
        };
        let place = places.cell(rect, column);
        let id = Id::unique(("matrix cell", &person.address, number));
        let response = ui.interact(place, id, Sense::click());
        if response.hovered() {
            ui.painter().rect_filled(place, 4.0, colors(ui).hover);
        }
        focus_ring(ui, &response, place, 4.0);
        let ink = state_color(cell.state, colors(ui));
        let icon = Rect::from_center_size(place.center(), vec2(ICON, ICON));
        paint_state(ui.painter(), icon, cell.state, ink, colors(ui).middle);
        let label = || format!("{}, {}: {}", person.name, look.clock_secs(*at), cell_words(cell));
        response.widget_info(|| WidgetInfo::labeled(egui::Role::Button, true, label()));
        if response.clicked() {
            clicked = Some(*source);
        }
        response.on_hover_ui(|ui| {
            ui.label(label());
        });
    }
    clicked
}

/// `Failed 486`, `Delivered after 0.4 s`.
fn cell_words(cell: &MatrixCell) -> String {
    let status = cell.status.map(|status| format!(" {status}")).unwrap_or_default();
    let took = cell
        .took
        .map(|took| format!(" {}", say!("after-time", time = words::latency(took))))
        .unwrap_or_default();
    format!("{}{status}{took}", words::state_word(cell.state))
}

/// The share, and the times where there is room.
fn figures_ui(ui: &Ui, rect: Rect, places: Places, person: &MatrixPerson) {
    let mut at = places.figures(rect) + SHARE;
    let share = person.share_permille();
    let ink =
        if share < 1000 && person.failed + person.no_report > 0 { colors(ui).red } else { colors(ui).text };
    let write = |at: f32, words: &str, ink| {
        let place = pos2(at, rect.center().y);
        ui.painter().text(place, Align2::RIGHT_CENTER, words, theme::regular(12.5), ink);
    };
    write(at, &format!("{} %", share / 10), ink);
    if places.has_times {
        for took in [person.median, person.p95] {
            at += TIME;
            write(at, &took.map_or_else(|| "–".to_owned(), words::latency), colors(ui).weak);
        }
    }
}
