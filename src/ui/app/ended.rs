//! The bars at the top of the window: the engine behind it has failed, with a button that restarts it; the disk takes
//! nothing; what is shown is the demo.

use egui::{Align, Frame, Layout, Panel, RichText, Ui};

use super::App;
use super::demo::demo_ui;
use crate::ui::actions::Act;
use crate::ui::kit::theme::{self, colors};
use crate::ui::text::{TextId, say};

/// What the bar says.
const WORDS: TextId = TextId("ended");

/// What the bar says while nothing received can be stored.
const NOT_STORED: TextId = TextId("not-stored");

impl App {
    /// Draws those that there are.
    pub(super) fn bars(&self, ui: &mut Ui, acts: &mut Vec<Act>) {
        if self.source.has_ended() {
            ended_ui(ui, acts);
        }
        if self.snapshot.not_stored {
            not_stored_ui(ui);
        }
        if self.trial.is_on() {
            demo_ui(ui, acts);
        }
    }
}

/// The bar while messages are refused because they cannot be stored; it goes by itself when one can be.
fn not_stored_ui(ui: &mut Ui) {
    let frame = Frame::NONE.fill(colors(ui).red_soft).inner_margin(egui::Margin::symmetric(16, 8));
    Panel::top("not stored").frame(frame).resizable(false).show_separator_line(true).show(ui, |ui| {
        let words = RichText::new(NOT_STORED.say()).font(theme::strong(13.0)).color(colors(ui).red);
        ui.add(egui::Label::new(words).wrap());
    });
}

/// The bar; drawn before the columns.
fn ended_ui(ui: &mut Ui, acts: &mut Vec<Act>) {
    let frame = Frame::NONE.fill(colors(ui).side).inner_margin(egui::Margin::symmetric(16, 8));
    Panel::top("ended").frame(frame).resizable(false).show_separator_line(true).show(ui, |ui| {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if ui.button(say!("restart")).clicked() {
                acts.push(Act::StartAgain);
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                ui.add(egui::Label::new(RichText::new(WORDS.say()).font(theme::strong(13.0))).wrap());
            });
        });
    });
}
