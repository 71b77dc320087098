//! Ticks, crosses and icons, painted as lines: no font has all of them in one style.

use egui::{Color32, Painter, Pos2, Rect, Response, Role, Sense, Stroke, Ui, WidgetInfo, pos2, vec2};

use super::theme::{self, Colors};
use crate::model::journal::DeliveryState;

/// The color of a state (the table in screen.md).
pub(crate) const fn state_color(state: DeliveryState, colors: &Colors) -> Color32 {
    match state {
        DeliveryState::Queued
        | DeliveryState::Sending
        | DeliveryState::Accepted
        | DeliveryState::PassedOn
        | DeliveryState::Cancelled => colors.weak,
        DeliveryState::Delivered | DeliveryState::Read => colors.green,
        DeliveryState::Deferred | DeliveryState::NoReport => colors.amber,
        DeliveryState::Failed => colors.red,
    }
}

/// Paints the icon of a state; `ground` is the background color that shows through the filled cross.
pub(crate) fn paint_state(
    painter: &Painter,
    rect: Rect,
    state: DeliveryState,
    color: Color32,
    ground: Color32,
) {
    let pen = Pen { painter, rect, stroke: Stroke::new(1.5 * rect.width() / 16.0, color) };
    match state {
        DeliveryState::Queued => pen.clock(pos2(8.0, 8.0), 6.2),
        DeliveryState::Sending => pen.dotted_ring(),
        DeliveryState::Accepted => pen.line(&[(3.0, 8.4), (6.6, 12.0), (13.0, 4.6)]),
        DeliveryState::Delivered => {
            pen.line(&[(1.0, 8.4), (4.4, 11.8), (10.4, 4.8)]);
            pen.line(&[(7.2, 11.0), (8.2, 11.8), (14.6, 4.8)]);
        }
        DeliveryState::Read => {
            // The same two, on a filled rectangle.
            let field = Rect::from_min_max(pen.at(-0.8, 1.6), pen.at(16.8, 14.4));
            painter.rect_filled(field, pen.length(4.0), color);
            let checks = Pen { stroke: Stroke::new(pen.stroke.width * 1.1, ground), ..pen };
            checks.line(&[(1.6, 8.4), (4.6, 11.4), (9.8, 5.2)]);
            checks.line(&[(7.4, 10.6), (8.2, 11.4), (13.8, 5.2)]);
        }
        DeliveryState::PassedOn => {
            pen.line(&[(1.0, 7.6), (3.8, 10.4), (8.8, 4.4)]);
            pen.line(&[(8.0, 11.6), (14.6, 11.6)]);
            pen.line(&[(12.2, 9.2), (14.6, 11.6), (12.2, 14.0)]);
        }
        DeliveryState::Deferred => {
            pen.clock(pos2(6.6, 6.8), 5.2);
            pen.line(&[(9.0, 13.4), (14.8, 13.4)]);
            pen.line(&[(12.6, 11.2), (14.8, 13.4), (12.6, 15.6)]);
        }
        DeliveryState::Failed => {
            painter.circle_filled(pen.at(8.0, 8.0), pen.length(6.8), color);
            let cross = Pen { stroke: Stroke::new(pen.stroke.width * 1.1, ground), ..pen };
            cross.line(&[(5.6, 5.6), (10.4, 10.4)]);
            cross.line(&[(10.4, 5.6), (5.6, 10.4)]);
        }
        DeliveryState::NoReport => {
            pen.circle(pos2(8.0, 8.0), 6.4);
            pen.question_mark();
        }
        DeliveryState::Cancelled => {
            pen.circle(pos2(8.0, 8.0), 6.2);
            pen.line(&[(5.2, 8.0), (10.8, 8.0)]);
        }
    }
}

/// An icon on a button.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Icon {
    /// Search.
    Search,
    /// Settings.
    Sliders,
    /// Close, remove.
    Close,
    /// Back to the list.
    Back,
    /// Jump to the newest message, to a newer one.
    Down,
    /// To an older one.
    Up,
    /// A date.
    Calendar,
    /// Edit, write.
    Pencil,
    /// The delivery column.
    Column,
    /// Several people.
    People,
    /// All recipients see each other.
    Eye,
    /// No recipient sees the others.
    Hidden,
    /// Attach a file.
    Clip,
    /// Emoji.
    Smile,
    /// A menu with more.
    More,
    /// Stays at the top of the list.
    Pin,
    /// Raises no notifications.
    Mute,
    /// In a window of its own.
    Window,
}

/// An icon button, 28 by 28; `label` is its tooltip and its name for screen readers.
pub(crate) fn icon_button(ui: &mut Ui, icon: Icon, label: &str) -> Response {
    icon_button_with(ui, icon, label, label)
}

/// The same with another tooltip, for a command that has a shortcut.
pub(crate) fn icon_button_with(ui: &mut Ui, icon: Icon, label: &str, tooltip: &str) -> Response {
    let (rect, response) = ui.allocate_exact_size(vec2(28.0, 28.0), Sense::click());
    let colors = theme::colors(ui);
    let color = if response.hovered() || response.has_focus() { colors.text } else { colors.weak };
    if response.hovered() {
        ui.painter().rect_filled(rect, 6.0, colors.hover);
    }
    focus_ring(ui, &response, rect, 6.0);
    paint_icon(ui.painter(), Rect::from_center_size(rect.center(), vec2(16.0, 16.0)), icon, color);
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, label));
    response.on_hover_text(tooltip)
}

/// A ring around the widget that has the keyboard focus.
pub(crate) fn focus_ring(ui: &Ui, response: &Response, rect: Rect, radius: f32) {
    if response.has_focus() {
        let stroke = Stroke::new(2.0, theme::colors(ui).accent);
        ui.painter().rect_stroke(rect, radius, stroke, egui::StrokeKind::Inside);
    }
}

/// Paints an icon without a button.
pub(crate) fn paint_icon(painter: &Painter, rect: Rect, icon: Icon, color: Color32) {
    let pen = Pen { painter, rect, stroke: Stroke::new(1.5 * rect.width() / 16.0, color) };
    match icon {
        Icon::Search => {
            pen.circle(pos2(7.0, 7.0), 4.6);
            pen.line(&[(10.5, 10.5), (14.2, 14.2)]);
        }
        Icon::Sliders => {
            for (y, knob) in [(3.6, 10.6), (8.0, 5.4), (12.4, 9.4)] {
                pen.line(&[(1.6, y), (14.4, y)]);
                painter.circle_filled(pen.at(knob, y), pen.length(2.1), color);
            }
        }
        Icon::Pin => {
            pen.line(&[(5.0, 2.4), (11.0, 2.4)]);
            pen.line(&[(6.2, 2.4), (5.6, 8.0), (3.6, 10.2), (12.4, 10.2), (10.4, 8.0), (9.8, 2.4)]);
            pen.line(&[(8.0, 10.2), (8.0, 14.6)]);
        }
        Icon::Mute => {
            pen.line(&[
                (3.4, 11.4),
                (4.8, 9.4),
                (4.8, 6.4),
                (8.0, 2.8),
                (11.2, 6.4),
                (11.2, 9.4),
                (12.6, 11.4),
            ]);
            pen.line(&[(3.4, 11.4), (12.6, 11.4)]);
            pen.line(&[(1.8, 14.2), (14.2, 1.8)]);
        }
        Icon::Close => {
            pen.line(&[(3.8, 3.8), (12.2, 12.2)]);
            pen.line(&[(12.2, 3.8), (3.8, 12.2)]);
        }
        Icon::Back => {
            pen.line(&[(7.4, 3.0), (2.6, 8.0), (7.4, 13.0)]);
            pen.line(&[(2.8, 8.0), (13.6, 8.0)]);
        }
        Icon::Down => {
            pen.line(&[(8.0, 2.8), (8.0, 13.0)]);
            pen.line(&[(3.6, 8.8), (8.0, 13.2), (12.4, 8.8)]);
        }
        Icon::Up => {
            pen.line(&[(8.0, 13.2), (8.0, 3.0)]);
            pen.line(&[(3.6, 7.2), (8.0, 2.8), (12.4, 7.2)]);
        }
        Icon::Calendar => pen.calendar(),
        Icon::Pencil => {
            pen.line(&[(2.6, 13.4), (3.6, 9.8), (10.8, 2.6), (13.4, 5.2), (6.2, 12.4), (2.6, 13.4)]);
            pen.line(&[(9.0, 4.4), (11.6, 7.0)]);
        }
        Icon::Column => {
            let frame = Rect::from_min_max(pen.at(1.8, 2.8), pen.at(14.2, 13.2));
            painter.rect_stroke(frame, pen.length(2.0), pen.stroke, egui::StrokeKind::Middle);
            pen.line(&[(9.6, 2.8), (9.6, 13.2)]);
        }
        Icon::Window => pen.window(),
        Icon::Clip => pen.clip(),
        Icon::Smile => pen.smile(),
        Icon::More => pen.line(&[(4.0, 6.2), (8.0, 10.2), (12.0, 6.2)]),
        Icon::People => pen.people(),
        Icon::Eye => pen.eye(),
        Icon::Hidden => {
            pen.eye();
            pen.line(&[(2.8, 13.4), (13.2, 2.6)]);
        }
    }
}

/// Draws on a 16 by 16 grid that fills `rect`.
struct Pen<'a> {
    painter: &'a Painter,
    rect: Rect,
    stroke: Stroke,
}

impl Pen<'_> {
    /// A frame that an arrow leaves.
    fn window(&self) {
        self.line(&[(8.0, 3.2), (2.4, 3.2), (2.4, 13.6), (12.8, 13.6), (12.8, 8.0)]);
        self.line(&[(7.0, 9.0), (13.8, 2.2)]);
        self.line(&[(9.6, 2.2), (13.8, 2.2), (13.8, 6.4)]);
    }

    /// A paper clip: two loops, one inside the other.
    fn clip(&self) {
        self.line(&[
            (12.6, 7.4),
            (7.4, 12.6),
            (5.4, 13.4),
            (3.2, 12.8),
            (2.4, 10.6),
            (3.2, 8.6),
            (8.8, 3.0),
            (10.4, 2.4),
            (12.0, 3.2),
            (12.4, 4.8),
            (11.6, 6.2),
            (6.6, 11.2),
            (5.6, 11.2),
            (5.2, 10.2),
            (9.6, 5.8),
        ]);
    }

    fn smile(&self) {
        self.circle(pos2(8.0, 8.0), 6.2);
        self.line(&[(5.0, 9.6), (6.2, 11.0), (8.0, 11.5), (9.8, 11.0), (11.0, 9.6)]);
        for eye in [5.9, 10.1] {
            self.painter.circle_filled(self.at(eye, 6.3), self.length(0.95), self.stroke.color);
        }
    }

    fn calendar(&self) {
        let sheet = Rect::from_min_max(self.at(2.2, 3.4), self.at(13.8, 13.8));
        self.painter.rect_stroke(sheet, self.length(2.0), self.stroke, egui::StrokeKind::Middle);
        self.line(&[(2.2, 6.8), (13.8, 6.8)]);
        self.line(&[(5.4, 1.8), (5.4, 4.6)]);
        self.line(&[(10.6, 1.8), (10.6, 4.6)]);
    }

    fn length(&self, length: f32) -> f32 {
        length * self.rect.width() / 16.0
    }

    fn at(&self, x: f32, y: f32) -> Pos2 {
        self.rect.min + vec2(self.length(x), self.length(y))
    }

    fn line(&self, points: &[(f32, f32)]) {
        let points: Vec<Pos2> = points.iter().map(|(x, y)| self.at(*x, *y)).collect();
        // Round line ends: a dot on each.
        for end in [points.first(), points.last()].into_iter().flatten() {
            self.painter.circle_filled(*end, self.stroke.width / 2.0, self.stroke.color);
        }
        self.painter.line(points, self.stroke);
    }

    fn circle(&self, center: Pos2, radius: f32) {
        self.painter.circle_stroke(self.at(center.x, center.y), self.length(radius), self.stroke);
    }

    fn clock(&self, center: Pos2, radius: f32) {
        self.circle(center, radius);
        let (x, y) = (center.x, center.y);
        self.line(&[(x, y - radius * 0.58), (x, y), (x + radius * 0.5, y + radius * 0.22)]);
    }

    fn dotted_ring(&self) {
        for step in 0..8_u8 {
            let angle = f32::from(step) * std::f32::consts::TAU / 8.0;
            let dot = self.at(8.0 + 5.8 * angle.cos(), 8.0 + 5.8 * angle.sin());
            self.painter.circle_filled(dot, self.length(1.15), self.stroke.color);
        }
    }

    fn question_mark(&self) {
        let hook = [
            (6.0, 6.6),
            (6.3, 5.4),
            (7.2, 4.7),
            (8.6, 4.7),
            (9.7, 5.5),
            (9.8, 6.8),
            (9.0, 7.8),
            (8.1, 8.4),
            (8.0, 9.2),
        ];
        self.line(&hook);
        self.painter.circle_filled(self.at(8.0, 11.4), self.length(0.95), self.stroke.color);
    }

    fn people(&self) {
        self.circle(pos2(6.0, 5.4), 2.6);
        self.line(&[
            (1.4, 13.2),
            (1.9, 11.2),
            (3.6, 9.9),
            (6.0, 9.6),
            (8.4, 9.9),
            (10.1, 11.2),
            (10.6, 13.2),
        ]);
        self.line(&[(10.6, 3.0), (12.2, 4.0), (12.4, 5.9), (10.9, 7.6)]);
        self.line(&[(12.2, 9.9), (13.9, 11.0), (14.6, 13.2)]);
    }

    fn eye(&self) {
        self.line(&[
            (1.2, 8.0),
            (3.6, 5.2),
            (8.0, 3.8),
            (12.4, 5.2),
            (14.8, 8.0),
            (12.4, 10.8),
            (8.0, 12.2),
            (3.6, 10.8),
            (1.2, 8.0),
        ]);
        self.circle(pos2(8.0, 8.0), 2.0);
    }
}
