//! The menus: those of what was right clicked, and those of buttons.

use egui::{Id, Key, Modifiers, Popup, Pos2, Response, SetOpenCommand, Ui};

use super::UiCommand;
use crate::model::contacts::{Person, address_key};
use crate::model::names::Names;
use crate::ui::text::say;

/// Where a menu that was opened by a key stands, and that its first line is to get the focus.
#[derive(Clone, Copy, Debug, Default)]
struct KeyMenu {
    at: Option<Pos2>,
    takes_focus: bool,
}

/// The menu of what was right clicked, or has the focus while Shift+F10 or the Menu key is pressed.
pub(crate) fn context_menu(response: &Response, contents: impl FnOnce(&mut Ui)) {
    let ctx = &response.ctx;
    let id = response.id.with("key menu");
    let is_asked = response.has_focus()
        && ctx.input_mut(|input| {
            input.consume_key(Modifiers::SHIFT, Key::F10) || input.consume_key(Modifiers::NONE, Key::Menu)
        });
    if is_asked {
        let at = Some(response.rect.left_bottom());
        ctx.data_mut(|data| data.insert_temp(id, KeyMenu { at, takes_focus: true }));
    } else if response.secondary_clicked() {
        ctx.data_mut(|data| data.remove_temp::<KeyMenu>(id));
    }
    let by_key: KeyMenu = ctx.data(|data| data.get_temp(id)).unwrap_or_default();
    let mut popup = Popup::context_menu(response);
    if is_asked {
        popup = popup.open_memory(SetOpenCommand::Bool(true));
    }
    if let Some(at) = by_key.at {
        popup = popup.at_position(at);
    }
    popup.show(|ui| {
        if by_key.takes_focus {
            ui.data_mut(|data| {
                data.insert_temp(Id::NULL, MenuFocus(true));
                data.insert_temp(id, KeyMenu { takes_focus: false, ..by_key });
            });
        }
        contents(ui);
    });
}

/// The menu of a button; the keyboard goes on in it.
pub(crate) fn button_menu(response: &Response, contents: impl FnOnce(&mut Ui)) {
    if response.clicked() && response.has_focus() {
        response.ctx.data_mut(|data| data.insert_temp(Id::NULL, MenuFocus(true)));
    }
    Popup::menu(response).show(contents);
}

/// The next line of a menu gets the focus.
#[derive(Clone, Copy, Debug, Default)]
struct MenuFocus(bool);

/// One line of a menu; true if it was chosen, which closes the menu.
pub(crate) fn menu_item(ui: &mut Ui, command: UiCommand) -> bool {
    named_menu_item(ui, command, command.label())
}

/// The same under a name that says more, such as whom it concerns.
pub(crate) fn named_menu_item(ui: &mut Ui, command: UiCommand, label: &str) -> bool {
    ui.spacing_mut().button_padding = egui::vec2(12.0, 4.0);
    let mut button = egui::Button::new(label);
    let shortcut = command.shortcut();
    if !shortcut.is_empty() {
        button = button.shortcut_text(shortcut);
    }
    let explanation = command.entry().and_then(|entry| entry.explanation);
    let mut response = ui.add(button);
    if let Some(explanation) = explanation {
        response = response.on_hover_text(explanation.say());
    }
    if ui.data_mut(|data| data.remove_temp::<MenuFocus>(Id::NULL)).is_some_and(|focus| focus.0) {
        response.request_focus();
    }
    if response.clicked() {
        ui.close();
    }
    response.clicked()
}

/// The line that blocks this person, or the one that ends that; what it asks for, if it was chosen.
pub(crate) fn block_item(ui: &mut Ui, person: &Person, names: &Names) -> Option<bool> {
    let is_blocked = names.is_blocked(&address_key(&person.address));
    let label = if is_blocked { say!("unblock") } else { say!("block") };
    named_menu_item(ui, UiCommand::Block, label).then_some(!is_blocked)
}
