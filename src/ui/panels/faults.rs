//! The faults of the demo, or of the server that is hosted here: a bar that says which are on, with a button that ends them, and where they are chosen.

use std::time::Duration;

use egui::{Align, Context, Frame, Id, LayerId, Layout, Order, Panel, RichText, Stroke, StrokeKind, Ui};

use crate::injection::{FaultBoard, Injection, PRESETS};
use crate::ui::kit::theme::{self, colors};
use crate::ui::kit::widgets::{entered_in, field, problem_line, small_button};
use crate::ui::text::say;

/// Width of the frame around the window while faults are on.
const EDGE: f32 = 3.0;

/// How often it is looked whether a fault has ended.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// The faults, and what is being typed.
#[derive(Debug, Default)]
pub(crate) struct FaultsPanel {
    /// None where no proxy can have faults.
    board: Option<FaultBoard>,
    text: String,
    problem: Option<String>,
}

impl FaultsPanel {
    pub(crate) fn of(board: Option<FaultBoard>) -> Self {
        Self { board, ..Self::default() }
    }

    fn set(&mut self, text: &str) {
        self.problem = self.board.as_ref().and_then(|board| board.set(text).err());
    }
}

/// Draws the bar while faults are on, and the choice of faults where that is wanted.
pub(crate) fn faults_ui(ui: &mut Ui, panel: &mut FaultsPanel, is_choosing: bool) {
    let Some(board) = panel.board.clone() else { return };
    let on = board.on();
    // Above the bar, so that nothing moves away from the pointer when the first fault is set.
    if is_choosing {
        choose_ui(ui, panel);
    }
    if !on.is_empty() {
        on_ui(ui, panel, &board, &on);
        edge_ui(ui.ctx(), colors(ui).red);
        // Some end by themselves.
        ui.ctx().request_repaint_after(LOOK_EVERY);
    }
}

fn on_ui(ui: &mut Ui, panel: &mut FaultsPanel, board: &FaultBoard, on: &[Injection]) {
    let frame = Frame::NONE.fill(colors(ui).red_soft).inner_margin(egui::Margin::symmetric(16, 8));
    let names: Vec<_> = on.iter().map(Injection::to_string).collect();
    let words = say!("faults-on", faults = names.join("   "));
    Panel::top("faults on").frame(frame).resizable(false).show_separator_line(true).show(ui, |ui| {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if small_button(ui, say!("turn-off")).clicked() {
                panel.problem = board.end_all().err();
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                let words = RichText::new(words).font(theme::strong(13.0)).color(colors(ui).red);
                ui.add(egui::Label::new(words).wrap());
            });
        });
    });
}

/// A frame around the whole window, so that nobody takes for a failure what a tester has asked for.
fn edge_ui(ctx: &Context, ink: egui::Color32) {
    let painter = ctx.layer_painter(LayerId::new(Order::Foreground, Id::unique("faults edge")));
    painter.rect_stroke(ctx.content_rect(), 0.0, Stroke::new(EDGE, ink), StrokeKind::Inside);
}

fn choose_ui(ui: &mut Ui, panel: &mut FaultsPanel) {
    let frame = Frame::NONE.fill(colors(ui).side).inner_margin(egui::Margin::symmetric(16, 8));
    Panel::top("faults to choose").frame(frame).resizable(false).show_separator_line(true).show(ui, |ui| {
        let typed = field(ui, say!("fault"), &mut panel.text, "ben:486, path:loss=20%, notify:drop=3 …");
        let is_entered = entered_in(ui, &typed);
        problem_line(ui, panel.problem.as_deref());
        ui.horizontal_wrapped(|ui| {
            if (small_button(ui, say!("set-fault")).clicked() || is_entered) && !panel.text.trim().is_empty()
            {
                let text = std::mem::take(&mut panel.text);
                panel.set(&text);
                if panel.problem.is_some() {
                    panel.text = text;
                }
            }
            for preset in PRESETS {
                if small_button(ui, preset.name).on_hover_text(preset.what).clicked() {
                    panel.set(preset.name);
                }
            }
        });
    });
}
