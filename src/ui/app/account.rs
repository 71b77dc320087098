//! The settings, with the account in view where it is refused; and a resend, which asks a server that refused to let us in.

use super::App;
use crate::model::account::RegistrationState;
use crate::model::command::{AgentCommand, Command};
use crate::ui::desktop::notifications::DesktopNotifications;
use crate::ui::panels::dialogs::Dialog;
use crate::ui::panels::settings::AccountForm;
use crate::ui::panels::storage;

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
        form.says_presenting = self.notifier.as_ref().and_then(DesktopNotifications::says_presenting);
        self.shell.show(Dialog::Settings(Box::new(form)));
    }

    /// A resend can only leave once the server lets us in, and a server that refused the password is not asked again
    /// by itself.
    pub(super) fn needs_sign_in(&self, command: &Command) -> bool {
        let is_resend =
            matches!(command, Command::Agent(AgentCommand::Resend { .. } | AgentCommand::ResendTo { .. }));
        is_resend && matches!(self.snapshot.registration, RegistrationState::Refused { .. })
    }
}
