//! All of a long text: the message itself shows the beginning.

use std::sync::Arc;

use egui::Ui;

use crate::ui::kit::edit;
use crate::ui::kit::widgets::hint;
use crate::ui::text::say;

/// A text to read, select and copy.
#[derive(Debug)]
pub(crate) struct WholeText {
    text: Arc<str>,
    /// What the field shows; it cannot be changed.
    shown: String,
}

impl WholeText {
    pub(crate) fn of(text: &str) -> Self {
        Self { text: text.into(), shown: text.to_owned() }
    }
}

/// Draws the text; `is_new` in the first frame, in which it takes the focus.
pub(super) fn whole_ui(ui: &mut Ui, whole: &mut WholeText, is_new: bool) {
    let id = edit::field_id(ui, say!("whole-message"));
    let height = (ui.ctx().content_rect().height() - 200.0).clamp(160.0, 700.0);
    let width = ui.available_width();
    edit::scrolling().max_height(height).auto_shrink([false, true]).show(ui, |ui| {
        let response = edit::long_text_field(ui, id, &mut whole.shown, |text| {
            egui::TextEdit::multiline(text).frame(egui::Frame::NONE).desired_width(width - 8.0)
        })
        .accessible_name(say!("whole-message"));
        if is_new {
            edit::select_all(ui.ctx(), id, 0);
            response.request_focus();
        }
        if response.changed() {
            whole.shown = whole.text.to_string();
        }
    });
    hint(ui, say!("whole-keys"));
}
