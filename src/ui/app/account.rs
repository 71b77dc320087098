//! The settings, with the account in view where it is refused; and a resend, which asks a server that refused to let us in.

use std::path::PathBuf;

use super::App;
use super::shell::Shell;
use crate::model::account::{Account, RegistrationState};
use crate::model::command::{AgentCommand, Command};
use crate::ui::commands::UiCommand;
use crate::ui::desktop::notifications::DesktopNotifications;
use crate::ui::kit::edit;
use crate::ui::panels::dialogs::Dialog;
use crate::ui::panels::settings::AccountForm;
use crate::ui::panels::sign_in::SignInForm;
use crate::ui::panels::storage;
use crate::ui::text::{TextId, say};

/// What is said to whoever opens an account file and has an account.
const HAS_ACCOUNT: TextId = TextId("has-account");

impl App {
    /// Shows the settings.
    pub(super) fn settings(&mut self, ctx: &egui::Context) {
        let form = AccountForm::of(self.snapshot.account.as_deref());
        self.show_settings(ctx, form);
    }

    /// Shows the account in the settings.
    pub(super) fn check_account(&mut self, ctx: &egui::Context) {
        let form = AccountForm::at_account(self.snapshot.account.as_deref());
        self.show_settings(ctx, form);
    }

    fn show_settings(&mut self, ctx: &egui::Context, mut form: AccountForm) {
        storage::forget(ctx);
        form.starting = self.closing.starting();
        form.hosted = self.hosted();
        form.says_presenting = self.notifier.as_ref().and_then(DesktopNotifications::says_presenting);
        self.shell.show(Dialog::Settings(Box::new(form)));
    }

    /// Signs out and in, and what else concerns the account alone.
    #[expect(clippy::wildcard_enum_match_arm, reason = "the other commands are carried out elsewhere")]
    pub(super) fn account_command(&mut self, command: UiCommand) {
        if self.snapshot.demo || (self.snapshot.account.is_none() && command != UiCommand::OpenProvision) {
            return self.shell.toasts.push(say!("no-account-here").to_owned());
        }
        match command {
            UiCommand::SignOut => {
                self.ask(Command::SignOut);
            }
            UiCommand::SignIn => {
                self.ask(Command::Agent(AgentCommand::Connect));
            }
            UiCommand::ChangePassword => self.shell.show(Dialog::Password(String::new())),
            UiCommand::RemoveAccount => self.shell.show(Dialog::RemoveAccount),
            UiCommand::OpenProvision => self.choose_provision(),
            _ => {}
        }
    }

    /// Has a provisioning file read.
    pub(super) fn provision(&mut self, path: PathBuf) {
        if self.shell.sign_in.is_none() {
            return self.shell.toasts.push(HAS_ACCOUNT.say().to_owned());
        }
        self.ask(Command::ReadProvision(path));
    }

    /// A provisioning file was read: fills in the form, which the user looks at before anything is sent.
    pub(super) fn provisioned(&mut self, read: Result<Account, String>) {
        let Some(form) = &mut self.shell.sign_in else {
            let words = read.err().unwrap_or_else(|| say!("nothing-taken").to_owned());
            return self.shell.toasts.push(words);
        };
        match read {
            Ok(account) => *form = SignInForm::handed_out(&account),
            Err(why) => form.complain(why),
        }
    }

    /// The account is gone, and with it everything that was open in the window.
    pub(super) fn account_removed(&mut self, ctx: &egui::Context) {
        let (toasts, faults) =
            (std::mem::take(&mut self.shell.toasts), std::mem::take(&mut self.shell.faults));
        self.shell = Shell { toasts, faults, sign_in: Some(SignInForm::default()), ..Shell::default() };
        (self.drafts, self.seen, self.notes) = Default::default();
        self.awaited = None;
        self.attaching.clear();
        self.album.clear();
        edit::forget_all(ctx);
    }

    /// A resend can only leave once the server lets us in, and a server that refused the password is not asked again
    /// by itself.
    pub(super) fn needs_sign_in(&self, command: &Command) -> bool {
        let is_resend =
            matches!(command, Command::Agent(AgentCommand::Resend { .. } | AgentCommand::ResendTo { .. }));
        is_resend && matches!(self.snapshot.registration, RegistrationState::Refused { .. })
    }
}
