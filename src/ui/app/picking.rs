//! How the pointer and the keys go about the recipients of a new message.

use egui::{Event, FocusDirection, Key, Modifiers, Rect, Ui};

use crate::ui::compose::{composer, recipients};

/// Whether the pointer picks in the list: what was used last, it or the keys.
pub(super) fn picks_by_pointer(ui: &Ui, list: Option<Rect>, before: bool) -> bool {
    let is_over = |at| list.is_some_and(|list: Rect| list.contains(at));
    ui.input(|input| {
        if !input.pointer.hover_pos().is_some_and(is_over) {
            return false;
        }
        let is_key = |event: &Event| matches!(event, Event::Key { .. } | Event::Text(_) | Event::Paste(_));
        let is_typed = input.events.iter().any(is_key);
        (before && !is_typed) || input.pointer.is_moving() || input.pointer.any_down()
    })
}

/// Keeps the Tab order: `To` first, then the message. The composer is drawn first, and egui's Tab follows that order.
pub(super) fn keep_tab_order(ui: &Ui) {
    let (to, message) = (recipients::field_id(), composer::field_id(None));
    let next = ui.input(|input| match (input.key_pressed(Key::Tab), input.modifiers) {
        (true, Modifiers::NONE) => Some((to, message)),
        (true, Modifiers::SHIFT) => Some((message, to)),
        _ => None,
    });
    ui.memory_mut(|memory| {
        if let Some((from, next)) = next
            && memory.has_focus(from)
        {
            memory.move_focus(FocusDirection::None);
            memory.request_focus(next);
        }
    });
}
