//! The people to pick from while a new message is written; the typed text filters them.

use egui::{Rect, Role, ScrollArea, Sense, Ui, WidgetInfo, pos2, vec2};

use super::contacts::{ROW_HEIGHT, check_row, rows_in_view};
use crate::model::names::{KnownList, Names};
use crate::ui::compose::recipients::Recipients;
use crate::ui::compose::suggestions::{Acquaintances, Suggestion, Suggestions};
use crate::ui::kit::icons::focus_ring;
use crate::ui::kit::theme::{self, colors};
use crate::ui::kit::widgets::{one_line, paint_avatar, put};
use crate::ui::kit::words;
use crate::ui::text::say;

/// Lists, contacts, and others with whom there is a conversation. Enter takes the one that is marked.
pub(crate) fn picker_ui(ui: &mut Ui, (names, others): (&Names, &Acquaintances), recipients: &mut Recipients) {
    let typing = recipients.typing.clone();
    let suggestions = Suggestions::of(&typing, names, others);
    let marked = recipients.marked(&suggestions);
    ScrollArea::vertical().id_salt("picker").auto_shrink(false).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        ui.add_space(4.0);
        let top = ui.cursor().left_top();
        if let Some(place) = marked.filter(|_| std::mem::take(&mut recipients.has_moved)) {
            let row = Rect::from_min_size(top + vec2(0.0, place as f32 * ROW_HEIGHT), vec2(1.0, ROW_HEIGHT));
            ui.scroll_to_rect(row, None);
        }
        rows_in_view(ui, suggestions.len(), |ui, place| {
            let rect = ui.allocate_space(vec2(ui.available_width(), ROW_HEIGHT)).1;
            if marked == Some(place) {
                ui.painter().rect_filled(rect.shrink2(vec2(8.0, 1.0)), 8.0, colors(ui).selected);
            }
            let Some(suggestion) = suggestions.get(place) else { return };
            let is_taken = match suggestion {
                Suggestion::List(list) => list_row(ui, rect, list),
                Suggestion::Contact(_) | Suggestion::Other(_) => {
                    person_row(ui, rect, suggestion, recipients);
                    false
                }
            };
            if is_taken {
                recipients.take(suggestion);
            }
        });
    });
}

fn person_row(ui: &Ui, rect: Rect, suggestion: Suggestion<'_>, recipients: &mut Recipients) {
    let [person] = suggestion.people() else { return };
    if check_row(ui, rect, person, suggestion.is_there(|key| recipients.has(key)), 0.0).clicked() {
        recipients.toggle(person.clone());
        recipients.typing.clear();
    }
}

fn list_row(ui: &Ui, rect: Rect, list: &KnownList) -> bool {
    let label = say!("list-with", name = list.name, people = words::people_count(list.members.len()));
    let response = ui.interact(rect, ui.scope_id().with(("pick", &list.name)), Sense::click());
    if response.hovered() {
        ui.painter().rect_filled(rect.shrink2(vec2(8.0, 1.0)), 8.0, colors(ui).hover);
    }
    focus_ring(ui, &response, rect.shrink2(vec2(8.0, 1.0)), 8.0);
    let only = if list.members.len() == 1 { list.members.as_slice() } else { &[] };
    paint_avatar(ui, pos2(rect.left() + 62.0, rect.center().y), 32.0, only);
    let galley = one_line(ui, &label, theme::regular(14.0), colors(ui).text, rect.width() - 104.0);
    put(ui.painter(), pos2(rect.left() + 88.0, rect.center().y - galley.size().y / 2.0), galley);
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &label));
    response.clicked()
}
