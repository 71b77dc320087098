//! The dialogs about the account itself: another password, removing it; and quitting while it has something to send.

use egui::Ui;

use super::dialogs::Outcome;
use crate::model::account::{Account, Password};
use crate::model::command::{AgentCommand, Command};
use crate::model::snapshot::Snapshot;
use crate::ui::actions::Act;
use crate::ui::commands::UiCommand;
use crate::ui::kit::theme::colors;
use crate::ui::kit::widgets::{banner, entered, hint, mend_button, primary, secret_field, small_button};
use crate::ui::kit::words;
use crate::ui::text::say;

/// Applies a change to the account at once.
pub(super) fn put_account(snapshot: &Snapshot, acts: &mut Vec<Act>, change: impl FnOnce(&mut Account)) {
    if let Some(account) = &snapshot.account {
        let mut account = Account::clone(account);
        change(&mut account);
        acts.push(Act::Ask(Command::PutAccount(account)));
        acts.push(Act::Ask(Command::Agent(AgentCommand::Connect)));
    }
}

/// Asks for another password; the account is signed in with it.
pub(super) fn password_ui(
    ui: &mut Ui,
    typed: &mut String,
    is_new: bool,
    snapshot: &Snapshot,
    acts: &mut Vec<Act>,
) -> Outcome {
    ui.spacing_mut().item_spacing.y = 8.0;
    let field = secret_field(ui, say!("new-password"), typed, "");
    if is_new {
        field.request_focus();
    }
    hint(ui, say!("change-password-why"));
    let is_filled = !typed.is_empty();
    if primary(ui, say!("change-password"), is_filled).clicked() || (entered(ui) && is_filled) {
        let password = Password::new(std::mem::take(typed));
        put_account(snapshot, acts, |account| account.sign_in.password = password);
        return Outcome::Closed;
    }
    Outcome::Open
}

/// Asks whether the account is to be removed, and says what goes with it.
pub(super) fn remove_ui(ui: &mut Ui, is_new: bool, snapshot: &Snapshot, acts: &mut Vec<Act>) -> Outcome {
    let Some(account) = &snapshot.account else { return Outcome::Closed };
    ui.spacing_mut().item_spacing.y = 8.0;
    let (address, count) = (words::address(&account.address), snapshot.conversations.len());
    ui.label(say!("remove-account-ask", address = address, count = count));
    let waiting = snapshot.unsent + snapshot.later.len();
    if waiting > 0 {
        ui.label(say!("remove-account-waiting", count = waiting));
    }
    ui.add_space(4.0);
    ui.horizontal(|ui| {
        let keep = primary(ui, say!("keep-account"), true);
        if is_new {
            keep.request_focus();
        }
        if keep.clicked() {
            return Outcome::Closed;
        }
        if mend_button(ui, say!("remove-and-delete")).clicked() {
            acts.push(Act::Ask(Command::RemoveAccount));
            return Outcome::Closed;
        }
        Outcome::Open
    })
    .inner
}

/// Why the server does not let us in, and the way to ask it again: the account may be right, and the server have changed.
pub(super) fn refusal_ui(ui: &mut Ui, snapshot: &Snapshot, acts: &mut Vec<Act>) {
    let Some(why) = words::refusal(snapshot) else { return };
    banner(ui, &why, colors(ui).red, colors(ui).red_soft);
    if small_button(ui, say!("sign-in-again")).clicked() {
        acts.push(Act::Ask(Command::Agent(AgentCommand::Connect)));
    }
}

/// What can be done with the account, in the settings.
pub(super) fn account_row_ui(ui: &mut Ui, snapshot: &Snapshot, acts: &mut Vec<Act>) {
    let Some(account) = snapshot.account.as_ref().filter(|_| !snapshot.demo) else { return };
    let sign = if account.signed_out { UiCommand::SignIn } else { UiCommand::SignOut };
    ui.horizontal_wrapped(|ui| {
        for command in [sign, UiCommand::ChangePassword, UiCommand::RemoveAccount] {
            if small_button(ui, command.label()).clicked() {
                acts.push(Act::Run(command));
            }
        }
    });
}

/// Asks whether to quit although messages wait.
pub(super) fn leaving_ui(ui: &mut Ui, waiting: usize, is_new: bool) -> Outcome {
    ui.label(say!("leaving-waiting", count = waiting));
    ui.add_space(8.0);
    ui.horizontal(|ui| {
        let stay = primary(ui, say!("stay"), true);
        if is_new {
            stay.request_focus();
        }
        if stay.clicked() {
            return Outcome::Closed;
        }
        if ui.button(say!("quit")).clicked() { Outcome::Leave } else { Outcome::Open }
    })
    .inner
}
