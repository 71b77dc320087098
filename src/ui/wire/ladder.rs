//! The ladder of one submission: a line for each party, an arrow for each message.

use std::collections::BTreeSet;
use std::time::Duration;

use egui::{Align2, Id, Pos2, Rect, ScrollArea, Sense, Stroke, Ui, WidgetInfo, pos2, vec2};

use super::list::status_color;
use crate::injection::Mark;
use crate::inspect::{Ladder, Party, Row};
use crate::model::text::visible;
use crate::ui::kit::theme::{self, colors};
use crate::ui::kit::widgets::{one_line, put};
use crate::ui::text::{decimal, say};

/// Height of one arrow with its label.
const STEP: f32 = 30.0;
/// Height of the names.
const HEAD: f32 = 40.0;
/// Width of the times.
const TIMES: f32 = 72.0;
/// Least distance of two lines.
const COLUMN_MIN: f32 = 104.0;
const TIP: f32 = 5.0;
/// How far the arrow of a lost message goes.
const LOST_AT: f32 = 0.8;

/// What is drawn: a message, or one of its retransmissions where they are unfolded.
struct LadderStep<'a> {
    row: &'a Row,
    /// Which transmission: 0 for the first.
    turn: usize,
}

/// Draws the ladder. Returns the place in the trace of the message that was clicked. `unfolded` has the first places of
/// those rows whose retransmissions are shown one by one.
pub(super) fn ladder_ui(
    ui: &mut Ui,
    ladder: &Ladder,
    times: &dyn Fn(usize) -> Duration,
    chosen: Option<usize>,
    unfolded: &mut BTreeSet<usize>,
) -> Option<usize> {
    let steps = steps(ladder, unfolded);
    let parties = ladder.parties.len().max(1) as f32;
    let column = ((ui.available_width() - TIMES - 16.0) / parties).max(COLUMN_MIN);
    let width = TIMES + column * parties;
    let mut clicked = None;
    ui.spacing_mut().item_spacing.y = 0.0;
    ScrollArea::horizontal().id_salt("ladder across").auto_shrink(false).show(ui, |ui| {
        ui.set_min_width(width);
        head(ui, ladder, column);
        let down = ScrollArea::vertical().id_salt("ladder down").auto_shrink(false);
        down.show_rows(ui, STEP, steps.len(), |ui, visible| {
            for step in steps.get(visible).unwrap_or_default() {
                let (rect, _) = ui.allocate_exact_size(vec2(width, STEP), Sense::hover());
                lines(ui, rect, ladder.parties.len(), column);
                if let Some(place) = step_ui(ui, rect, column, step, (ladder, times, chosen), unfolded) {
                    clicked = Some(place);
                }
            }
        });
    });
    clicked
}

fn steps<'a>(ladder: &'a Ladder, unfolded: &BTreeSet<usize>) -> Vec<LadderStep<'a>> {
    let turns = |row: &'a Row| {
        let is_unfolded = row.messages.first().is_some_and(|first| unfolded.contains(first));
        (0..if is_unfolded { row.messages.len() } else { 1 }).map(move |turn| LadderStep { row, turn })
    };
    let mut steps: Vec<LadderStep<'a>> = ladder.rows.iter().flat_map(turns).collect();
    // Retransmissions stand where they passed, among the other messages.
    steps.sort_by_key(|step| step.row.messages.get(step.turn).copied());
    steps
}

fn head(ui: &mut Ui, ladder: &Ladder, column: f32) {
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), HEAD), Sense::hover());
    for (number, party) in ladder.parties.iter().enumerate() {
        let center = x(rect, number, column);
        let name = one_line(ui, &shown(party), theme::strong(12.5), colors(ui).text, column - 8.0);
        let place = party.place.as_deref().unwrap_or_else(|| say!("not-seen-here"));
        let place = one_line(ui, place, theme::regular(11.0), colors(ui).weak, column - 8.0);
        put(ui.painter(), pos2(center - name.size().x / 2.0, rect.top() + 4.0), name);
        put(ui.painter(), pos2(center - place.size().x / 2.0, rect.top() + 21.0), place);
    }
    ui.painter().hline(rect.x_range(), rect.bottom() - 0.5, Stroke::new(1.0, colors(ui).line));
}

fn x(rect: Rect, party: usize, column: f32) -> f32 {
    rect.left() + TIMES + column * (party as f32 + 0.5)
}

fn lines(ui: &Ui, rect: Rect, parties: usize, column: f32) {
    for party in 0..parties {
        let stroke = Stroke::new(1.0, colors(ui).line);
        ui.painter().vline(x(rect, party, column), rect.y_range(), stroke);
    }
}

fn step_ui(
    ui: &Ui,
    rect: Rect,
    column: f32,
    step: &LadderStep<'_>,
    (ladder, times, chosen): (&Ladder, &dyn Fn(usize) -> Duration, Option<usize>),
    unfolded: &mut BTreeSet<usize>,
) -> Option<usize> {
    let (row, place) = (step.row, *step.row.messages.get(step.turn)?);
    let first = *row.messages.first()?;
    let response = ui.interact(rect, Id::unique(("ladder step", place)), Sense::click());
    let count = row.messages.len();
    let is_folded = count > 1 && !unfolded.contains(&first);
    let (befell, is_lost) = befell(step, is_folded);
    let words = said(step, is_folded, befell.as_deref());
    let name = |party: usize| ladder.parties.get(party).map(shown).unwrap_or_default();
    let at = decimal(&format!("{:.3} s", times(place).as_secs_f64()));
    let label = say!("wire-from-to", at = at, what = words, from = name(row.from), to = name(row.to));
    let is_chosen = chosen == Some(place);
    response.widget_info(|| WidgetInfo::selected(egui::Role::ListItem, true, is_chosen, &label));
    if is_chosen || response.hovered() || response.has_focus() {
        let ground = if is_chosen { colors(ui).selected } else { colors(ui).hover };
        ui.painter().rect_filled(rect, 4.0, ground.gamma_multiply(0.7));
        lines(ui, rect, ladder.parties.len(), column);
    }
    let time = pos2(rect.left() + 6.0, rect.bottom() - 8.0);
    ui.painter().text(time, Align2::LEFT_CENTER, at, theme::regular(11.5), colors(ui).weak);
    let usual = row.status.map_or_else(|| colors(ui).text, |status| status_color(ui, status));
    let ink = if befell.is_some() { colors(ui).red } else { usual };
    let y = rect.bottom() - 8.0;
    let (from, to) = (x(rect, row.from, column), x(rect, row.to, column));
    if is_lost {
        lost_arrow(ui, pos2(from, y), pos2(to, y), ink);
    } else {
        arrow(ui, pos2(from, y), pos2(to, y), ink);
    }
    // What a fault did, and which transmission it is, is said in full: nothing else stands beside the arrow.
    let is_long = befell.is_some() || step.turn > 0;
    let room = if is_long { (from - to).abs().max(column * 2.0) } else { (from - to).abs().max(40.0) };
    let galley = one_line(ui, &words, theme::regular(12.0), ink, room - 12.0);
    let left = (f32::midpoint(from, to) - galley.size().x / 2.0).max(rect.left() + TIMES);
    put(ui.painter(), pos2(left, y - galley.size().y - 2.0), galley);
    if response.clicked() && count > 1 && step.turn == 0 && !unfolded.remove(&first) {
        unfolded.insert(first);
    }
    response.clicked().then_some(place)
}

/// What stands at the arrow: the method or the status, which transmissions it is, and what a fault did.
fn said(step: &LadderStep<'_>, is_folded: bool, befell: Option<&str>) -> String {
    let which = match step.turn {
        _ if is_folded => format!(" ×{}", step.row.messages.len()),
        0 => String::new(),
        turn => format!(" {}", say!("transmission", number = turn + 1)),
    };
    let befell = befell.map(|what| format!(", {what}")).unwrap_or_default();
    format!("{}{which}{befell}", step.row.label)
}

/// What a fault did to what this step shows, and whether none of it arrived.
fn befell(step: &LadderStep<'_>, is_folded: bool) -> (Option<String>, bool) {
    if is_folded {
        return (step.row.befell(), step.row.is_lost());
    }
    let mark = step.row.marks.get(step.turn).copied().flatten();
    (mark.map(|mark| mark.to_string()), mark.is_some_and(Mark::is_lost))
}

/// An arrow that does not arrive: it ends with a cross.
fn lost_arrow(ui: &Ui, from: Pos2, to: Pos2, ink: egui::Color32) {
    let (stroke, end) = (Stroke::new(1.3, ink), from + (to - from) * LOST_AT);
    ui.painter().line_segment([from, end], stroke);
    for down in [-TIP, TIP] {
        ui.painter().line_segment([end - vec2(TIP, down), end + vec2(TIP, down)], stroke);
    }
}

fn arrow(ui: &Ui, from: Pos2, to: Pos2, ink: egui::Color32) {
    let stroke = Stroke::new(1.3, ink);
    let back = if to.x > from.x { -TIP } else { TIP };
    ui.painter().line_segment([from, to], stroke);
    ui.painter().line_segment([to, to + vec2(back, -TIP * 0.7)], stroke);
    ui.painter().line_segment([to, to + vec2(back, TIP * 0.7)], stroke);
}

/// A party's address without its scheme and parameters, safe to show.
fn shown(party: &Party) -> String {
    let Some(address) = &party.address else { return party.name().to_owned() };
    let text = address.without_params();
    visible(text.split_once(':').map_or(text, |(_, rest)| rest))
}
