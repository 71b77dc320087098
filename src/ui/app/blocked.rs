//! Says, above the message field, who in this conversation is blocked.

use egui::{Align, Layout, RichText, Ui};

use crate::model::contacts::{Person, address_key};
use crate::model::names::Names;
use crate::ui::actions::Act;
use crate::ui::kit::theme::{self, colors};
use crate::ui::kit::widgets::{line_ui, small_button};
use crate::ui::kit::words;
use crate::ui::text::say;

/// The people of this conversation whom the user has blocked, and the way back.
pub(super) fn blocked_ui(ui: &mut Ui, people: &[Person], names: &Names, acts: &mut Vec<Act>) {
    let is_blocked = |person: &&Person| names.is_blocked(&address_key(&person.address));
    let blocked: Vec<Person> = people.iter().filter(is_blocked).cloned().collect();
    if blocked.is_empty() {
        return;
    }
    ui.horizontal(|ui| {
        ui.set_min_height(theme::CONTROL_HEIGHT);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            // Of several, each has a line of his own in the settings.
            if let [only] = blocked.as_slice()
                && small_button(ui, say!("unblock")).clicked()
            {
                acts.push(Act::Block(only.clone(), false));
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                let words = say!("blocked-here", people = words::people(&blocked, 2));
                let amber = colors(ui).amber;
                let shown = line_ui(ui, &words, theme::strong(12.5), amber);
                shown.on_hover_text(RichText::new(words));
            });
        });
    });
}
