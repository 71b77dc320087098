//! The question before what was typed into a dialog is lost.

use egui::Ui;

use crate::ui::kit::theme::colors;
use crate::ui::kit::widgets::{banner, mend_button, small_button};
use crate::ui::text::say;

/// What the user answers when a dialog with something typed is to be closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DiscardChoice {
    /// Go on editing.
    Keep,
    /// Close it.
    Discard,
}

/// Asks; none while nothing was answered.
pub(super) fn asking_ui(ui: &mut Ui) -> Option<DiscardChoice> {
    banner(ui, say!("discard-ask"), colors(ui).amber, colors(ui).amber_soft);
    let answer = ui.horizontal(|ui| {
        if mend_button(ui, say!("discard")).clicked() {
            return Some(DiscardChoice::Discard);
        }
        small_button(ui, say!("keep-editing")).clicked().then_some(DiscardChoice::Keep)
    });
    ui.add_space(4.0);
    answer.inner
}
