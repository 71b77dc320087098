//! In the settings: those from whom the user wants nothing.

use egui::{Align, Label, Layout, Role, Ui, WidgetInfo};

use crate::model::journal::PersonRow;
use crate::model::snapshot::Snapshot;
use crate::ui::actions::Act;
use crate::ui::kit::theme::CONTROL_HEIGHT;
use crate::ui::kit::widgets::{hint, small_button};
use crate::ui::kit::words;
use crate::ui::text::say;

/// Everybody who is blocked, the latest first, each with the way back.
pub(super) fn blocked_ui(ui: &mut Ui, snapshot: &Snapshot, acts: &mut Vec<Act>) {
    for address in snapshot.book.blocked.iter().rev() {
        let person = snapshot.names.person(&PersonRow { address: address.clone(), name: String::new() });
        let shown = words::address(&person.address);
        let words = if shown == person.name { shown } else { format!("{}, {shown}", person.name) };
        ui.horizontal(|ui| {
            ui.set_min_height(CONTROL_HEIGHT);
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let button = small_button(ui, say!("unblock"));
                let name = say!("unblock-name", name = person.name);
                button.widget_info(|| WidgetInfo::labeled(Role::Button, true, name.as_str()));
                if button.clicked() {
                    acts.push(Act::Block(person.clone(), false));
                }
                ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                    ui.add(Label::new(words).truncate());
                });
            });
        });
    }
    hint(ui, say!("blocked-why"));
}
