//! The ticks beside a message of ours: initials and state of each of few recipients.

use egui::{Rect, Role, Sense, Ui, WidgetInfo, pos2, vec2};

use crate::model::snapshot::DeliveryView;
use crate::ui::kit::icons::{paint_state, state_color};
use crate::ui::kit::theme::{self, colors};
use crate::ui::kit::widgets::{one_line, put, words_ui};
use crate::ui::kit::words::{self, Look};

/// Width of a tick, and the room to the next.
pub(super) const TICK_WIDTH: f32 = 52.0;
const TICK_HEIGHT: f32 = 22.0;

/// The room that so many ticks take.
pub(super) fn ticks_size(count: usize) -> egui::Vec2 {
    let columns = if count == 4 { 2 } else { count.min(3) };
    let rows = count.div_ceil(columns.max(1));
    vec2(columns as f32 * TICK_WIDTH, rows as f32 * (TICK_HEIGHT + 4.0) - 4.0)
}

/// Initials and state icon of each recipient, beside the bubble.
pub(super) fn ticks(ui: &Ui, place: Rect, deliveries: &[DeliveryView], look: &Look) {
    let columns = if deliveries.len() == 4 { 2 } else { deliveries.len().min(3) };
    for (index, delivery) in deliveries.iter().enumerate() {
        let (column, row) = (index % columns.max(1), index / columns.max(1));
        let corner = place.min + vec2(column as f32 * TICK_WIDTH, row as f32 * (TICK_HEIGHT + 4.0));
        tick(ui, Rect::from_min_size(corner, vec2(TICK_WIDTH - 4.0, TICK_HEIGHT)), delivery, look);
    }
}

fn tick(ui: &Ui, rect: Rect, delivery: &DeliveryView, look: &Look) {
    let colors = colors(ui);
    let color = state_color(delivery.state, colors);
    let ground = if color == colors.red {
        colors.red_soft
    } else if color == colors.green {
        colors.green_soft
    } else if color == colors.amber {
        colors.amber_soft
    } else {
        colors.hover
    };
    ui.painter().rect_filled(rect, rect.height() / 2.0, ground);
    let initials =
        one_line(ui, &words::initials(&delivery.person.name), theme::strong(11.0), colors.text, 22.0);
    let at = pos2(rect.left() + 16.0 - initials.size().x / 2.0, rect.center().y - initials.size().y / 2.0);
    put(ui.painter(), at, initials);
    let icon = Rect::from_center_size(pos2(rect.right() - 13.0, rect.center().y), vec2(14.0, 14.0));
    paint_state(ui.painter(), icon, delivery.state, color, ground);
    let name = words::state_name(delivery, look);
    let response = ui.interact(rect, ui.scope_id().with(("tick", &delivery.person.address)), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, &name));
    response.on_hover_ui(|ui| {
        let ink = ui.visuals().text_color();
        words_ui(ui, &name, theme::regular(14.0), ink);
    });
}
