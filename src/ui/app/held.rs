//! Messages that wait after `Send`, so that they can be taken back.

use egui::{Align, Layout, RichText, Ui};

use super::shell::MiddleView;
use crate::model::command::Draft;
use crate::ui::actions::{Act, WaitingAct};
use crate::ui::kit::theme::{self, colors};
use crate::ui::kit::widgets::{line_ui, small_button};
use crate::ui::text::say;

/// A message that waits so that it can be taken back.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    pub(crate) number: u64,
    pub(crate) draft: Draft,
    /// Where it was written.
    pub(crate) place: MiddleView,
    /// When `Send` was pressed, in egui's seconds.
    pub(crate) since: f64,
    /// When it is sent.
    pub(crate) due: f64,
}

/// The messages written here that wait, each with the time left and the way back.
pub(super) fn held_ui(ui: &mut Ui, held: &[Held], place: MiddleView, acts: &mut Vec<Act>) {
    let now = ui.input(|input| input.time);
    for held in held.iter().filter(|held| held.place == place) {
        ui.horizontal(|ui| {
            ui.set_min_height(theme::CONTROL_HEIGHT);
            let left = (held.due - now).max(0.0).ceil();
            let words = say!("sent-in", secs = format!("{left}"));
            ui.label(RichText::new(words).font(theme::strong(12.5)));
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                if small_button(ui, say!("send-now")).clicked() {
                    acts.push(Act::Waiting(WaitingAct::SendNow(held.number)));
                }
                if small_button(ui, say!("undo")).clicked() {
                    acts.push(Act::Waiting(WaitingAct::TakeBack(held.number)));
                }
                let text = held.draft.text.replace('\n', " ");
                let weak = colors(ui).weak;
                line_ui(ui, &text, theme::regular(12.5), weak);
            });
        });
    }
}
