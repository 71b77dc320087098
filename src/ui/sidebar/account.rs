//! Our account at the top of the left column: who we are, how it stands with the server, and its menu.

use egui::{Layout, Pos2, Rect, Role, Sense, Stroke, Ui, WidgetInfo, pos2, vec2};

use crate::model::account::RegistrationState;
use crate::model::snapshot::{Person, Snapshot};
use crate::ui::actions::Act;
use crate::ui::commands::{UiCommand, button_menu, menu_item};
use crate::ui::kit::icons::{Icon, focus_ring, icon_button_with};
use crate::ui::kit::theme::{self, HEADER_HEIGHT, colors};
use crate::ui::kit::widgets::{one_line, paint_avatar, put, small_button, within};
use crate::ui::kit::words::{self, Look};
use crate::ui::text::say;

/// Our name, the account's status, and the settings button.
pub(super) fn account_ui(ui: &mut Ui, snapshot: &Snapshot, look: &Look, acts: &mut Vec<Act>) {
    let rect = ui.allocate_space(vec2(ui.available_width(), HEADER_HEIGHT)).1;
    let colors = colors(ui);
    ui.painter().hline(rect.x_range(), rect.bottom() - 0.5, Stroke::new(1.0, colors.line));
    let person = own_person(snapshot);
    paint_avatar(ui, pos2(rect.left() + 34.0, rect.center().y), 36.0, std::slice::from_ref(&person));
    let left = rect.left() + 62.0;
    let width = rect.right() - 48.0 - left;
    let word = look.account(snapshot);
    let name = one_line(ui, &person.name, theme::strong(14.0), colors.text, width);
    let state = one_line(ui, &word, theme::regular(12.0), colors.weak, width - 14.0);
    let top = rect.center().y - (name.size().y + state.size().y + 1.0) / 2.0;
    let second = top + name.size().y + 1.0;
    paint_lamp(ui, pos2(left + 4.0, second + state.size().y / 2.0), snapshot);
    put(ui.painter(), pos2(left, top), name);
    put(ui.painter(), pos2(left + 14.0, second), state);
    let place = Rect::from_min_max(pos2(left, rect.top()), pos2(rect.right() - 48.0, rect.bottom()));
    let has_menu = snapshot.account.is_some() && !snapshot.demo;
    let sense = if has_menu { Sense::click() } else { Sense::hover() };
    let response = ui.interact(place, ui.scope_id().with("account"), sense);
    let role = if has_menu { Role::Button } else { Role::Label };
    response.widget_info(|| WidgetInfo::labeled(role, true, format!("{}: {word}", person.name)));
    if has_menu {
        focus_ring(ui, &response, place.shrink2(vec2(-4.0, 6.0)), 8.0);
        button_menu(&response, |ui| account_menu(ui, snapshot, acts));
    }
    response.on_hover_text(format!("{}\n{word}", words::address(&person.address)));
    let gear = Rect::from_center_size(pos2(rect.right() - 30.0, rect.center().y), vec2(28.0, 28.0));
    within(ui, gear, Layout::default(), |ui| {
        if icon_button_with(ui, Icon::Sliders, say!("settings"), &UiCommand::Settings.tooltip()).clicked() {
            acts.push(Act::Settings);
        }
    });
}

fn own_person(snapshot: &Snapshot) -> Person {
    let Some(account) = &snapshot.account else {
        return Person { address: String::new(), name: say!("no-account").to_owned(), simulated: false };
    };
    let name =
        if account.name.trim().is_empty() { words::address(&account.address) } else { account.name.clone() };
    Person { address: account.address.clone(), name, simulated: false }
}

/// The lamp of an account's state: filled while it is to be connected, a ring while the user has signed out.
fn paint_lamp(ui: &Ui, center: Pos2, snapshot: &Snapshot) {
    let colors = colors(ui);
    let color = match snapshot.registration {
        RegistrationState::Connected | RegistrationState::ByList | RegistrationState::NoFanOut => {
            colors.green
        }
        RegistrationState::Idle | RegistrationState::Connecting(_) => colors.weak,
        RegistrationState::Offline { .. } => colors.amber,
        RegistrationState::Refused { .. } => colors.red,
    };
    if is_signed_out(snapshot) {
        ui.painter().circle_stroke(center, 3.5, Stroke::new(1.5, color));
    } else {
        ui.painter().circle_filled(center, 4.0, color);
    }
}

fn is_signed_out(snapshot: &Snapshot) -> bool {
    snapshot.account.as_ref().is_some_and(|account| account.signed_out)
}

/// What can be done with the account.
fn account_menu(ui: &mut Ui, snapshot: &Snapshot, acts: &mut Vec<Act>) {
    let sign = if is_signed_out(snapshot) { UiCommand::SignIn } else { UiCommand::SignOut };
    for command in [sign, UiCommand::ChangePassword, UiCommand::RemoveAccount] {
        if menu_item(ui, command) {
            acts.push(Act::Run(command));
        }
    }
}

/// The way back for whoever has signed out.
pub(super) fn signed_out_ui(ui: &mut Ui, snapshot: &Snapshot, acts: &mut Vec<Act>) {
    if !is_signed_out(snapshot) {
        return;
    }
    let frame = egui::Frame::NONE.inner_margin(egui::Margin { left: 16, right: 16, top: 8, bottom: 0 });
    frame.show(ui, |ui| {
        if small_button(ui, UiCommand::SignIn.label()).clicked() {
            acts.push(Act::Run(UiCommand::SignIn));
        }
    });
}
