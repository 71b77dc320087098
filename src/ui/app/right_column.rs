//! The right column, as a column or as a drawer, and the window of the wire.

use egui::{
    Area, CentralPanel, Frame, Id, Key, Order, Panel, Rect, Sense, Stroke, StrokeKind, Ui, UiBuilder, pos2,
};

use super::shell::{ColumnCount, Shell};
use crate::model::snapshot::Snapshot;
use crate::ui::actions::Act;
use crate::ui::checks::checks_ui;
use crate::ui::kit::theme::{self, colors};
use crate::ui::kit::widgets::hint;
use crate::ui::kit::words::Look;
use crate::ui::matrix::matrix_ui;
use crate::ui::panels::delivery::{RightTab, delivery_ui, title_ui};
use crate::ui::panels::faults::choose_ui;
use crate::ui::text::say;
use crate::ui::wire::{Watched, wire_ui};

/// How much of a wide window a ladder gets at first.
const WIRE_SHARE: f32 = 0.39;

impl Shell {
    /// True if the delivery column is visible.
    pub(crate) fn delivery_shown(&self) -> bool {
        match self.room {
            Some(ColumnCount::Wide) | None => {
                let is_asked = self.delivery_asked.is_some() && self.delivery_asked == self.open();
                is_asked || (!self.delivery_closed && self.has_delivery())
            }
            Some(ColumnCount::Middle | ColumnCount::Narrow) => self.drawer,
        }
    }

    /// Whether the column has anything to say: where nothing was sent, only testers have a use for it.
    fn has_delivery(&self) -> bool {
        self.has_sent.is_none_or(|(.., has_sent)| has_sent) || self.tab != RightTab::Delivery
    }

    /// Finds out whether anything was sent in the open conversation; of a long one, only when it has changed.
    pub(super) fn look_for_sent(&mut self, snapshot: &Snapshot) {
        let Some(thread) = self.thread(snapshot) else { return };
        let now = (thread.conversation, thread.outline.len());
        if self.has_sent.is_none_or(|(conversation, count, _)| (conversation, count) != now) {
            let has_sent = thread.outline.iter().rev().any(|it| it.recipients > 0);
            self.has_sent = Some((now.0, now.1, has_sent));
        }
    }

    /// Shows or hides the delivery column.
    pub(crate) fn show_delivery(&mut self, shown: bool) {
        match self.room {
            Some(ColumnCount::Wide) | None => {
                if self.has_delivery() {
                    self.delivery_closed = !shown;
                }
                self.delivery_asked = self.open().filter(|_| shown);
            }
            Some(ColumnCount::Middle | ColumnCount::Narrow) => self.drawer = shown,
        }
    }

    pub(super) fn delivery_column(&mut self, ui: &mut Ui, look: &Look, acts: &mut Vec<Act>) {
        let panel = if !self.is_wide() {
            Panel::right("delivery").exact_size(theme::RIGHT_WIDTH).resizable(false)
        } else {
            // A ladder of many people needs more room; the conversation keeps what it needs.
            let most = (ui.available_width() - theme::MIDDLE_WIDTH_MIN).max(theme::WIRE_WIDTH);
            let width = (ui.available_width() * WIRE_SHARE).max(theme::WIRE_WIDTH);
            let panel = Panel::right("wire column").default_size(width).resizable(true);
            panel.size_range(theme::RIGHT_WIDTH..=most)
        };
        panel.show_separator_line(false).frame(Frame::NONE.fill(colors(ui).side)).show(ui, |ui| {
            let edge = ui.max_rect();
            ui.painter().vline(edge.left() + 0.5, edge.y_range(), Stroke::new(1.0, colors(ui).line));
            self.right_ui(ui, look, acts);
        });
    }

    /// The right column: who got the message, or what passed for it on the wire.
    fn right_ui(&mut self, ui: &mut Ui, look: &Look, acts: &mut Vec<Act>) {
        let tab = self.watched.is_some().then_some(&mut self.tab);
        title_ui(ui, tab, acts);
        if self.watched.is_some() && self.tab == RightTab::Wire {
            choose_ui(ui, &mut self.faults);
        }
        let open = self.open();
        match (&self.watched, self.tab) {
            (Some(wire), RightTab::Wire) if !self.wire.is_window => {
                let call_ids = self.thread.detailed().map_or(&[][..], |message| &message.call_ids);
                wire_ui(ui, &mut self.wire, Watched { wire, call_ids, look }, acts);
            }
            (Some(_), RightTab::Matrix) if !self.matrix.is_window => {
                matrix_ui(ui, &mut self.matrix, open, look, acts);
            }
            (Some(_), RightTab::Checks) => checks_ui(ui, &mut self.checks, acts),
            (Some(_), RightTab::Wire | RightTab::Matrix) => {
                hint(ui, &format!("   {}", say!("shown-elsewhere")));
            }
            (Some(_), RightTab::Delivery) | (None, _) => delivery_ui(ui, self.thread.detailed(), look, acts),
        }
    }

    /// True while faults can be chosen beside the wire.
    pub(super) fn shows_faults(&self, snapshot: &Snapshot) -> bool {
        let is_wire = self.faults.scene.is_some() && self.watched.is_some() && self.tab == RightTab::Wire;
        is_wire && self.sign_in.is_none() && self.delivery_shown() && self.thread(snapshot).is_some()
    }

    /// What testers look at needs more room.
    fn is_wide(&self) -> bool {
        self.tab != RightTab::Delivery && self.watched.is_some()
    }

    /// The wire in a window of its own.
    pub(crate) fn wire_window(&mut self, ctx: &egui::Context, look: &Look, acts: &mut Vec<Act>) {
        let Some(wire) = self.watched.as_ref().filter(|_| self.wire.is_window) else { return };
        let call_ids = self.thread.detailed().map_or(&[][..], |message| &message.call_ids);
        let view = &mut self.wire;
        let closes = own_window(ctx, say!("window-wire"), |ui| {
            wire_ui(ui, view, Watched { wire, call_ids, look }, acts);
        });
        self.wire.is_window &= !closes;
    }

    /// The matrix in a window of its own.
    pub(crate) fn matrix_window(&mut self, ctx: &egui::Context, look: &Look, acts: &mut Vec<Act>) {
        if self.watched.is_none() || !self.matrix.is_window {
            return;
        }
        let open = self.open();
        let view = &mut self.matrix;
        let closes = own_window(ctx, say!("window-matrix"), |ui| matrix_ui(ui, view, open, look, acts));
        self.matrix.is_window &= !closes;
    }

    /// Draws the delivery column over the conversation, within what the bars leave of the window.
    pub(super) fn drawer_ui(&mut self, ui: &Ui, whole: Rect, look: &Look, acts: &mut Vec<Act>) {
        let width = if self.is_wide() { theme::WIRE_WIDTH } else { theme::RIGHT_WIDTH };
        let width = width.min(whole.width());
        let place = Rect::from_min_max(pos2(whole.right() - width, whole.top()), whole.max);
        let colors = colors(ui);
        // What does not fit is below the window, not above the drawer.
        let area = Area::new(Id::unique("drawer")).order(Order::Middle).fixed_pos(place.min).constrain(false);
        area.show(ui.ctx(), |ui| {
            let color = colors.veil.gamma_multiply(0.6);
            let shadow = egui::Shadow { offset: [-4, 0], blur: 24, spread: 0, color };
            ui.painter().add(shadow.as_shape(place, 0));
            let line = Stroke::new(1.0, colors.line);
            ui.painter().rect(place, 0.0, colors.side, line, StrokeKind::Outside);
            ui.allocate_rect(place, Sense::hover());
            // What does not fit is not drawn over what stands below.
            let mut inside = ui.new_child(UiBuilder::new().max_rect(place));
            inside.set_clip_rect(place.intersect(ui.clip_rect()));
            // What scrolls fades into the colour of its frame.
            Frame::NONE.fill(colors.side).show(&mut inside, |ui| self.right_ui(ui, look, acts));
        });
    }
}

/// A window for testers; true if the user closes it.
fn own_window(ctx: &egui::Context, name: &str, contents: impl FnMut(&mut Ui)) -> bool {
    let builder = egui::ViewportBuilder::default()
        .with_title(format!("Fanfare: {name}"))
        .with_app_id("fanfare")
        .with_inner_size([900.0, 600.0])
        .with_min_inner_size([420.0, 300.0]);
    let mut contents = contents;
    ctx.show_viewport_immediate(egui::ViewportId::from_hash_of(name), builder, |ui, _class| {
        let frame = Frame::NONE.fill(colors(ui).middle);
        CentralPanel::default().frame(frame).show(ui, &mut contents);
        ui.input(|input| input.viewport().close_requested() || input.key_pressed(Key::Escape))
    })
}
