//! The list of messages: when, which way, what, from whom to whom.

use egui::{Align2, Id, ScrollArea, Sense, Ui, WidgetInfo, pos2, vec2};

use super::passed::{Passed, Passing};
use crate::inspect::{Direction, Read, Traced};
use crate::sip::Message;
use crate::ui::kit::theme::{self, colors};
use crate::ui::kit::widgets::{one_line, put};
use crate::ui::kit::words::Look;
use crate::ui::text::say;

/// Height of a line.
const LINE: f32 = 22.0;
/// Width of the time.
const TIME: f32 = 84.0;
/// Below this width from and to are left out.
const NARROW: f32 = 420.0;

/// Draws the list; only what is visible is laid out. Returns the message that was clicked.
pub(super) fn list_ui(
    ui: &mut Ui,
    passed: &Passed,
    chosen: Option<usize>,
    follows: bool,
    look: &Look,
) -> Option<usize> {
    let mut clicked = None;
    let area = ScrollArea::vertical().id_salt("wire list").auto_shrink(false).stick_to_bottom(follows);
    ui.spacing_mut().item_spacing.y = 0.0;
    area.show_rows(ui, LINE, passed.shown().len(), |ui, lines| {
        for place in lines.filter_map(|line| passed.shown().get(line).copied()) {
            let Some(passing) = passed.passing(place) else { continue };
            if line_ui(ui, place, passing, chosen == Some(place), look) {
                clicked = Some(place);
            }
        }
    });
    clicked
}

/// Draws one line; true if it was clicked.
fn line_ui(ui: &mut Ui, place: usize, passing: &Passing, is_chosen: bool, look: &Look) -> bool {
    let (traced, what, [from, to]) = (&passing.traced, &passing.what, &passing.ends);
    let [from_short, to_short] = &passing.short_ends;
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), LINE), Sense::hover());
    let response = ui.interact(rect, Id::unique(("wire line", place)), Sense::click());
    let at = look.clock_millis(traced.wire.at);
    let befell = traced.wire.mark.map_or_else(String::new, |mark| format!(", {mark}"));
    let what = format!("{what}{befell}");
    let name = say!("wire-way-from-to", at = at, way = way(traced), what = what, from = from, to = to);
    response.widget_info(|| WidgetInfo::selected(egui::Role::ListItem, true, is_chosen, &name));
    let colors = colors(ui);
    if is_chosen || response.has_focus() || response.hovered() {
        let ground = if is_chosen { colors.selected } else { colors.hover };
        ui.painter().rect_filled(rect, 4.0, ground);
    }
    let ink = if traced.wire.mark.is_some() { colors.red } else { ink(ui, traced) };
    let font = theme::regular(12.5);
    ui.painter().text(
        pos2(rect.left() + 8.0, rect.center().y),
        Align2::LEFT_CENTER,
        at,
        font.clone(),
        colors.weak,
    );
    let middle = rect.left() + TIME + 8.0;
    let arrow = if traced.wire.direction == Some(Direction::Received) { "←" } else { "→" };
    ui.painter().text(pos2(middle, rect.center().y), Align2::LEFT_CENTER, arrow, font.clone(), colors.weak);
    let start = middle + 18.0;
    let words = if rect.width() < NARROW || from.is_empty() {
        what
    } else {
        format!("{what}    {from_short} → {to_short}")
    };
    let galley = one_line(ui, &words, font, ink, (rect.right() - start - 8.0).max(0.0));
    let top = rect.center().y - galley.size().y / 2.0;
    put(ui.painter(), pos2(start, top), galley);
    response.clicked()
}

fn way(traced: &Traced) -> &'static str {
    match traced.wire.direction {
        Some(Direction::Received) => say!("wire-received"),
        Some(Direction::Sent) => say!("wire-sent"),
        None => say!("wire-seen"),
    }
}

/// Refusals are red, successes green, what does not read amber.
fn ink(ui: &Ui, traced: &Traced) -> egui::Color32 {
    let colors = colors(ui);
    match &traced.read {
        Read::Message(Message::Response(response)) => status_color(ui, response.status()),
        Read::Message(Message::Request(_)) => colors.text,
        Read::KeepAlive => colors.weak,
        Read::Unreadable(_) => colors.amber,
    }
}

/// The color of a status.
pub(super) fn status_color(ui: &Ui, status: u16) -> egui::Color32 {
    let colors = colors(ui);
    match status {
        0..=199 => colors.weak,
        200..=299 => colors.green,
        300..=499 if matches!(status, 401 | 407) => colors.amber,
        _ => colors.red,
    }
}
