//! Short notices inside the window: what went wrong, and what happened meanwhile.

use egui::{Align, Align2, Area, Id, Layout, Order, RichText, vec2};

use super::icons::{Icon, icon_button};
use super::theme::colors;

/// Most notices shown at a time; older ones are removed.
const TOASTS_MAX: usize = 4;
/// How long a notice stays, in seconds.
const STAYS_SECS: f64 = 12.0;

/// The notices on the screen.
#[derive(Debug, Default)]
pub(crate) struct Toasts(Vec<Toast>);

#[derive(Debug)]
struct Toast {
    words: String,
    /// When it disappears, in egui's seconds; unknown before the first frame.
    until: Option<f64>,
}

impl Toasts {
    /// Shows a notice; the same text is shown only once.
    pub(crate) fn push(&mut self, words: String) {
        self.0.retain(|toast| toast.words != words);
        self.0.push(Toast { words, until: None });
        let over = self.0.len().saturating_sub(TOASTS_MAX);
        self.0.drain(..over);
    }

    /// Removes the newest notice; false if there is none.
    pub(crate) fn dismiss(&mut self) -> bool {
        self.0.pop().is_some()
    }

    /// Draws the notices, and schedules a repaint for when the first one expires.
    pub(crate) fn show(&mut self, ctx: &egui::Context) {
        let now = ctx.input(|input| input.time);
        for toast in &mut self.0 {
            toast.until.get_or_insert(now + STAYS_SECS);
        }
        self.0.retain(|toast| toast.until.is_none_or(|until| until > now));
        let Some(next) = self.0.iter().filter_map(|toast| toast.until).reduce(f64::min) else {
            return;
        };
        ctx.request_repaint_after(std::time::Duration::from_secs_f64((next - now).max(0.01)));
        let mut closed = None;
        Area::new(Id::unique("toasts"))
            .order(Order::Foreground)
            .anchor(Align2::CENTER_TOP, vec2(0.0, 68.0))
            .show(ctx, |ui| {
                ui.spacing_mut().item_spacing.y = 8.0;
                for (index, toast) in self.0.iter().enumerate() {
                    if toast_ui(ui, &toast.words) {
                        closed = Some(index);
                    }
                }
            });
        if let Some(index) = closed {
            self.0.remove(index);
        }
    }
}

fn toast_ui(ui: &mut egui::Ui, words: &str) -> bool {
    let colors = colors(ui);
    let frame = egui::Frame::NONE
        .fill(colors.field)
        .stroke(egui::Stroke::new(1.0, colors.border))
        .corner_radius(10)
        .shadow(egui::Shadow { offset: [0, 4], blur: 16, spread: 0, color: colors.veil.gamma_multiply(0.5) })
        .inner_margin(egui::Margin { left: 16, right: 8, top: 6, bottom: 6 });
    frame
        .show(ui, |ui| {
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                ui.set_max_width(420.0);
                ui.add(egui::Label::new(RichText::new(words)).wrap());
                icon_button(ui, Icon::Close, "Dismiss").clicked()
            })
            .inner
        })
        .inner
}
