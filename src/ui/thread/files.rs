//! The attachments of a message: name, kind and size, and a button to save each.

use egui::{Align, Layout, Rect, Ui, pos2, vec2};

use crate::model::command::Command;
use crate::model::snapshot::MessageView;
use crate::ui::actions::Act;
use crate::ui::kit::theme::{self, colors};
use crate::ui::kit::widgets::{one_line, put, small_button, within};
use crate::ui::kit::words;

const FILE_WIDTH: f32 = 280.0;
const FILE_HEIGHT: f32 = 40.0;
/// Width of the `Save` button.
const SAVE_WIDTH: f32 = 64.0;

/// The space that the attachments of a message take.
pub(crate) fn files_size(message: &MessageView, width: f32) -> egui::Vec2 {
    let count = message.files.len();
    if count == 0 { egui::Vec2::ZERO } else { vec2(FILE_WIDTH.min(width), count as f32 * FILE_HEIGHT) }
}

/// A row for each attachment at the bottom of the bubble: name, kind, size, and a button. None is opened automatically.
pub(crate) fn files_ui(ui: &mut Ui, message: &MessageView, inner: Rect, acts: &mut Vec<Act>) {
    let top = inner.bottom() - message.files.len() as f32 * FILE_HEIGHT;
    let colors = colors(ui);
    for (index, file) in message.files.iter().enumerate() {
        let place = Rect::from_min_size(
            pos2(inner.left(), top + index as f32 * FILE_HEIGHT),
            vec2(inner.width(), FILE_HEIGHT),
        );
        let width = place.width() - SAVE_WIDTH;
        let name = one_line(ui, &file.name, theme::strong(13.0), colors.text, width);
        let kind = format!("{} · {}", file.media_type, words::size(file.bytes));
        let kind = one_line(ui, &kind, theme::regular(12.0), colors.weak, width);
        let second = place.top() + 3.0 + name.size().y;
        put(ui.painter(), pos2(place.left(), place.top() + 3.0), name);
        put(ui.painter(), pos2(place.left(), second), kind);
        within(ui, place, Layout::right_to_left(Align::Center), |ui| {
            if small_button(ui, "Save").on_hover_text(format!("Save {}", file.name)).clicked() {
                acts.push(Act::Ask(Command::SaveFile { message: message.id, file: index }));
            }
        });
    }
}
