//! The faults of the demo, or of the server that is hosted here: where they are chosen, and a bar below the columns that says
//! which are on, with a button that ends them.

use std::time::Duration;

use egui::{Align, Context, Frame, Id, LayerId, Layout, Order, Panel, RichText, Stroke, StrokeKind, Ui};

use crate::injection::{FaultBoard, Injection, PRESETS, Passing};
use crate::model::account::Account;
use crate::sip::Transport;
use crate::ui::kit::theme::{self, colors};
use crate::ui::kit::widgets::{entered_in, field, hint, one_line, problem_line, small_button};
use crate::ui::text::{TextId, say};

/// Width of the frame around the window while faults are on.
const EDGE: f32 = 3.0;

/// What the button beside the field needs besides its words.
const BESIDE_FIELD: f32 = 32.0;

/// How often it is looked whether a fault has ended.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// What each of [`PRESETS`] is called, and what it is like.
const PRESET_TEXTS: [(TextId, TextId); PRESETS.len()] = [
    (TextId("preset-tunnel"), TextId("preset-tunnel-why")),
    (TextId("preset-flapping"), TextId("preset-flapping-why")),
    (TextId("preset-slow"), TextId("preset-slow-why")),
    (TextId("preset-crash"), TextId("preset-crash-why")),
    (TextId("preset-reports"), TextId("preset-reports-why")),
];

/// The faults, and what is being typed.
#[derive(Debug, Default)]
pub(crate) struct FaultsPanel {
    /// None where no proxy can have faults.
    board: Option<FaultBoard>,
    /// Where the faults are; none while no proxy runs here.
    pub(crate) scene: Option<FaultScene>,
    text: String,
    problem: Option<String>,
}

/// Where the faults are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FaultScene {
    /// In the demo, with its simulated people.
    Demo,
    /// At the server that is hosted here; the account reaches its own server over this.
    Hosted(Option<Transport>),
}

impl FaultScene {
    /// At the server that is hosted here.
    pub(crate) fn hosted(account: Option<&Account>) -> Self {
        let profile = account.and_then(|account| account.check().ok());
        Self::Hosted(profile.and_then(|profile| profile.server.transport()))
    }

    /// An example of what can be typed here.
    const fn example(self) -> &'static str {
        match self {
            Self::Demo => "ann:offline, path:loss=20%",
            Self::Hosted(Some(Transport::Tcp | Transport::Tls)) => "connections:delay=2s",
            Self::Hosted(_) => "path:loss=20%",
        }
    }

    /// What the account is connected over, if faults of datagrams do nothing to it.
    fn stream(self) -> Option<Transport> {
        let Self::Hosted(transport) = self else { return None };
        transport.filter(|transport| matches!(transport, Transport::Tcp | Transport::Tls))
    }
}

impl FaultsPanel {
    pub(crate) fn of(board: Option<FaultBoard>) -> Self {
        Self { board, ..Self::default() }
    }

    fn set(&mut self, text: &str) {
        self.problem = self.board.as_ref().and_then(|board| board.set(text).err());
    }

    /// The faults of datagrams that are on, if nothing happens to the account by them; and what it is connected over.
    fn in_vain<'a>(&self, on: &'a [Injection]) -> Option<(Transport, Vec<&'a Injection>)> {
        let stream = self.scene.and_then(FaultScene::stream)?;
        let is_of = |fault: &Injection, connections: bool| matches!(fault, Injection::Path { of, .. } if (*of == Passing::Connections) == connections);
        let datagrams: Vec<_> = on.iter().filter(|fault| is_of(fault, false)).collect();
        let is_touched = on.iter().any(|fault| is_of(fault, true));
        (!is_touched && !datagrams.is_empty()).then_some((stream, datagrams))
    }
}

/// Draws the bar while faults are on, and while they are chosen, so that nothing moves when the first one is set.
pub(crate) fn faults_ui(ui: &mut Ui, panel: &mut FaultsPanel, is_choosing: bool) {
    let Some(board) = panel.board.clone() else { return };
    let on = board.on();
    if on.is_empty() && !is_choosing {
        return;
    }
    let ground = if on.is_empty() { colors(ui).side } else { colors(ui).red_soft };
    let frame = Frame::NONE.fill(ground).inner_margin(egui::Margin::symmetric(16, 8));
    Panel::bottom("faults on").frame(frame).resizable(false).show_separator_line(true).show(ui, |ui| {
        on_ui(ui, panel, &board, &on);
        in_vain_ui(ui, panel, &on);
    });
    if !on.is_empty() {
        edge_ui(ui.ctx(), colors(ui).red);
        // Some end by themselves.
        ui.ctx().request_repaint_after(LOOK_EVERY);
    }
}

fn on_ui(ui: &mut Ui, panel: &mut FaultsPanel, board: &FaultBoard, on: &[Injection]) {
    let names: Vec<_> = on.iter().map(Injection::to_string).collect();
    let words = say!("faults-on", faults = names.join("   "));
    ui.horizontal(|ui| {
        ui.set_min_height(theme::CONTROL_HEIGHT);
        if on.is_empty() {
            return hint(ui, say!("faults-off"));
        }
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

/// Says that a fault does nothing to the account, and offers one that does.
fn in_vain_ui(ui: &mut Ui, panel: &mut FaultsPanel, on: &[Injection]) {
    let Some((transport, datagrams)) = panel.in_vain(on) else { return };
    ui.horizontal_wrapped(|ui| {
        ui.label(RichText::new(say!("fault-in-vain", transport = transport)).size(12.5));
        for fault in datagrams.iter().filter_map(|fault| fault.on_connections()) {
            if small_button(ui, &say!("set-this-fault", fault = fault)).clicked() {
                panel.set(&fault.to_string());
            }
        }
    });
}

/// A frame around the whole window, so that nobody takes for a failure what a tester has asked for.
fn edge_ui(ctx: &Context, ink: egui::Color32) {
    let painter = ctx.layer_painter(LayerId::new(Order::Foreground, Id::unique("faults edge")));
    painter.rect_stroke(ctx.content_rect(), 0.0, Stroke::new(EDGE, ink), StrokeKind::Inside);
}

/// Draws the choice of faults, where a proxy runs that can have them.
pub(crate) fn choose_ui(ui: &mut Ui, panel: &mut FaultsPanel) {
    let (Some(board), Some(scene)) = (panel.board.clone(), panel.scene) else { return };
    let frame = Frame::NONE.inner_margin(egui::Margin { left: 10, right: 10, top: 8, bottom: 0 });
    frame.show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 4.0;
        type_ui(ui, panel, scene);
        problem_line(ui, panel.problem.as_deref());
        ui.horizontal_wrapped(|ui| {
            for (preset, (name, what)) in PRESETS.iter().zip(PRESET_TEXTS) {
                if board.fits(preset) && small_button(ui, name.say()).on_hover_text(what.say()).clicked() {
                    panel.set(preset.name);
                }
            }
        });
        ui.separator();
    });
}

/// The field for a fault, and its button.
fn type_ui(ui: &mut Ui, panel: &mut FaultsPanel, scene: FaultScene) {
    let label = say!("set-fault");
    let words = one_line(ui, label, theme::regular(12.5), colors(ui).text, f32::INFINITY);
    let width = ui.available_width() - words.size().x - BESIDE_FIELD;
    ui.horizontal_top(|ui| {
        let typed = ui.vertical(|ui| {
            ui.set_width(width);
            field(ui, say!("fault"), &mut panel.text, scene.example())
        });
        let is_pressed = ui.vertical(|ui| {
            // Beside the field, not beside its name.
            ui.add_space(typed.inner.rect.center().y - ui.cursor().top() - theme::CONTROL_HEIGHT / 2.0);
            small_button(ui, label).clicked()
        });
        let is_asked = is_pressed.inner || entered_in(ui, &typed.inner);
        if is_asked && !panel.text.trim().is_empty() {
            let text = std::mem::take(&mut panel.text);
            panel.set(&text);
            if panel.problem.is_some() {
                panel.text = text;
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_preset_is_called_in_english_as_it_is_typed() {
        for (preset, (name, what)) in PRESETS.iter().zip(PRESET_TEXTS) {
            assert_eq!((preset.name, preset.what), (name.say(), what.say()));
        }
    }
}
