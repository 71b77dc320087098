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
    let field = secret_field(ui, "New password", typed, "");
    if is_new {
        field.request_focus();
    }
    hint(
        ui,
        "This changes the password that is kept on this computer, not the one at the server. It is kept once the server has \
         accepted it.",
    );
    let is_filled = !typed.is_empty();
    if primary(ui, "Change password", is_filled).clicked() || (entered(ui) && is_filled) {
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
    let conversations = match snapshot.conversations.len() {
        0 => "Its contacts".to_owned(),
        1 => "Its conversation, its contacts".to_owned(),
        many => format!("Its {many} conversations, its contacts"),
    };
    ui.label(format!(
        "{} is removed from this computer. {conversations} and its password are deleted here for good. The account stays at \
         its server, and others keep their messages.",
        words::address(&account.address)
    ));
    let waiting = snapshot.unsent + snapshot.later.len();
    if waiting > 0 {
        ui.label(format!("{} still to be sent, and will not be.", messages(waiting)));
    }
    ui.add_space(4.0);
    ui.horizontal(|ui| {
        let keep = primary(ui, "Keep the account", true);
        if is_new {
            keep.request_focus();
        }
        if keep.clicked() {
            return Outcome::Closed;
        }
        if mend_button(ui, "Remove and delete").clicked() {
            acts.push(Act::Ask(Command::RemoveAccount));
            return Outcome::Closed;
        }
        Outcome::Open
    })
    .inner
}

fn messages(count: usize) -> String {
    if count == 1 { "1 message is".to_owned() } else { format!("{count} messages are") }
}

/// Why the server does not let us in, and the way to ask it again: the account may be right, and the server have changed.
pub(super) fn refusal_ui(ui: &mut Ui, snapshot: &Snapshot, acts: &mut Vec<Act>) {
    let Some(why) = words::refusal(snapshot) else { return };
    banner(ui, &why, colors(ui).red, colors(ui).red_soft);
    if small_button(ui, "Sign in again").clicked() {
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
    let sentence = match waiting {
        1 => "1 message has not been sent yet. It will be sent when you start Fanfare again.".to_owned(),
        many => {
            format!("{many} messages have not been sent yet. They will be sent when you start Fanfare again.")
        }
    };
    ui.label(sentence);
    ui.add_space(8.0);
    ui.horizontal(|ui| {
        let stay = primary(ui, "Stay", true);
        if is_new {
            stay.request_focus();
        }
        if stay.clicked() {
            return Outcome::Closed;
        }
        if ui.button("Quit").clicked() { Outcome::Leave } else { Outcome::Open }
    })
    .inner
}
