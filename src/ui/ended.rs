//! What the window shows when the engine behind it has ended by a fault: a bar over everything, and a button to start it anew.

use eframe::egui;
use egui::{Align, Frame, Layout, Panel, RichText, Ui};

use crate::ui::act::Act;
use crate::ui::theme::{self, colors};

/// What the bar says.
const WORDS: &str = "Fanfare has stopped working because of a fault of its own. Nothing is sent or received. \
                     What was sent and received before is kept.";

/// The bar; drawn before the columns.
pub(super) fn ended_ui(ui: &mut Ui, acts: &mut Vec<Act>) {
    let frame = Frame::NONE.fill(colors(ui).side).inner_margin(egui::Margin::symmetric(16, 8));
    Panel::top("ended").frame(frame).resizable(false).show_separator_line(true).show(ui, |ui| {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if ui.button("Start again").clicked() {
                acts.push(Act::StartAgain);
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                ui.add(egui::Label::new(RichText::new(WORDS).font(theme::strong(13.0))).wrap());
            });
        });
    });
}
