//! Messages that are selected, to copy, forward or delete them together.

use std::collections::BTreeSet;

use egui::{Align, Layout, RichText, Ui};

use super::view::ThreadView;
use crate::model::deletion::Doomed;
use crate::model::journal::MessageId;
use crate::ui::actions::Act;
use crate::ui::kit::theme;
use crate::ui::kit::widgets::small_button;
use crate::ui::text::say;

/// Which messages are selected.
#[derive(Debug, Default)]
pub(crate) struct Picked {
    messages: BTreeSet<MessageId>,
    /// Where a selection of several in a row begins.
    anchor: Option<MessageId>,
}

impl Picked {
    /// Nothing is selected.
    pub(super) fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    pub(super) fn has(&self, message: MessageId) -> bool {
        self.messages.contains(&message)
    }

    /// Selects a message, or no longer.
    fn toggle(&mut self, message: MessageId) {
        if !self.messages.remove(&message) {
            self.messages.insert(message);
        }
        self.anchor = Some(message);
    }
}

impl ThreadView {
    /// Selects a message or no longer; with `to_here`, all from the last one to it.
    pub(crate) fn pick(&mut self, message: MessageId, to_here: bool) {
        let Some(from) = self.picked.anchor.filter(|_| to_here) else { return self.picked.toggle(message) };
        let (first, last) = (from.min(message), from.max(message));
        let outline = self.shown.as_ref().map(|thread| &*thread.outline).unwrap_or_default();
        let between = outline.iter().map(|line| line.id).filter(|id| (first..=last).contains(id));
        self.picked.messages.extend(between);
    }

    /// Nothing is selected any more; false if nothing was.
    pub(crate) fn unpick(&mut self) -> bool {
        !std::mem::take(&mut self.picked).messages.is_empty()
    }

    /// The texts of those selected messages that are loaded.
    fn picked_texts(&self) -> Vec<String> {
        let loaded = self.shown.as_ref().map(|thread| &*thread.messages).unwrap_or_default();
        let picked = loaded.iter().filter(|message| self.picked.has(message.id));
        picked.map(|message| message.text.clone()).filter(|text| !text.is_empty()).collect()
    }

    /// The files of those selected messages that are loaded.
    fn picked_files(&self) -> Vec<(MessageId, usize)> {
        let loaded = self.shown.as_ref().map(|thread| &*thread.messages).unwrap_or_default();
        let picked = loaded.iter().filter(|message| self.picked.has(message.id));
        picked.flat_map(|message| (0..message.files.len()).map(|index| (message.id, index))).collect()
    }

    /// What is to be deleted: the selected messages if this is one of them, else this one alone.
    pub(crate) fn doomed(&self, message: MessageId) -> Option<Doomed> {
        let conversation = self.shown.as_ref()?.conversation;
        let messages = if self.picked.has(message) {
            self.picked.messages.iter().copied().collect()
        } else {
            vec![message]
        };
        Some(Doomed::Messages { conversation, messages })
    }
}

/// What can be done with the selected messages, above the message field.
pub(crate) fn picked_ui(ui: &mut Ui, view: &ThreadView, acts: &mut Vec<Act>) {
    let Some(first) = view.picked.messages.first() else { return };
    ui.horizontal(|ui| {
        ui.set_min_height(theme::CONTROL_HEIGHT);
        let words = say!("selected", count = view.picked.messages.len());
        ui.label(RichText::new(words).font(theme::strong(12.5)));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if small_button(ui, say!("cancel")).clicked() {
                acts.push(Act::Unpick);
            }
            if small_button(ui, say!("delete")).clicked() {
                acts.push(Act::DeleteMessage(*first));
            }
            if small_button(ui, say!("forward")).clicked() {
                acts.push(Act::Unpick);
                acts.push(Act::Forward(view.picked_texts().join("\n\n"), view.picked_files()));
            }
            if small_button(ui, say!("copy")).clicked() {
                acts.push(Act::Copy(view.picked_texts().join("\n\n")));
                acts.push(Act::Unpick);
            }
        });
    });
}
