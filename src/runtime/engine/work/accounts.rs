//! The account: replacing it, and the password that comes late or not at all.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use crate::config::provisioning;
use crate::model::account::{Account, Password, RegistrationState, SignIn};
use crate::model::command::{AgentCommand, Notice};
use crate::model::contacts::AddressBook;
use crate::model::outage::Outage;
use crate::model::snapshot::{PasswordPlace, Settings};
use crate::net::check_authorities;
use crate::runtime::agent::{AgentError, OpenedAgent};

use super::super::keeper::{Kept, PasswordNews, PasswordOutcome};
use super::{Round, Work};

impl Work {
    pub(super) async fn put_account(&mut self, account: Account) {
        if let Err(error) = account.check() {
            return self.builder.tell(Notice::Problem(format!("{error}.")));
        }
        if let Some(Err(error)) = account.tls_ca.as_deref().map(check_authorities) {
            return self.builder.tell(Notice::Problem(format!("{error}.")));
        }
        // The password is still being loaded, so the window could not include it: the saved one stays valid.
        let is_same = |known: &Account| known.address == account.address;
        let is_other = !self.builder.account.as_deref().is_some_and(is_same);
        let is_coming = self.awaits_password.is_some() && account.sign_in.password.is_empty() && !is_other;
        let account = Arc::new(account);
        self.keeper.keep(Kept::Account(Arc::clone(&account)));
        if !is_coming {
            self.awaits_password = None;
            self.has_new_password = !account.sign_in.password.is_empty();
            if !self.has_new_password {
                self.keeper.keep(Kept::Password(Arc::clone(&account)));
            }
            if is_other || matches!(self.builder.password, PasswordPlace::Coming | PasswordPlace::Unanswered)
            {
                self.builder.password = PasswordPlace::None;
            }
        }
        self.leave().await;
        self.deleting.forget();
        self.builder.account = Some(Arc::clone(&account));
        let begun = match OpenedAgent::open(&account, self.data.as_deref()) {
            Ok(opened) => self.begin(opened).await,
            Err(error) => Err(error),
        };
        if let Err(error) = begun {
            self.not_started(&error);
        }
    }

    /// Connects, unless the user has signed out.
    pub(super) fn connect(&mut self) {
        if !self.is_signed_out() {
            self.ask_agent(AgentCommand::Connect);
        }
    }

    fn is_signed_out(&self) -> bool {
        self.builder.account.as_ref().is_some_and(|account| account.signed_out)
    }

    /// Whoever asks to connect signs in again.
    pub(super) fn ask_for_user(&mut self, command: AgentCommand) {
        if matches!(command, AgentCommand::Connect) {
            self.keep_signed_out(false);
        }
        self.ask_agent(command);
    }

    /// Signs off; what is written from now on waits.
    pub(super) fn sign_out(&mut self) {
        self.keep_signed_out(true);
        self.ask_agent(AgentCommand::Disconnect);
    }

    fn keep_signed_out(&mut self, signed_out: bool) {
        let account = self.builder.account.as_mut().filter(|account| account.signed_out != signed_out);
        let Some(account) = account else { return };
        Arc::make_mut(account).signed_out = signed_out;
        let account = Arc::clone(account);
        self.keeper.keep(Kept::Account(account));
        self.builder.touch();
    }

    /// Deletes the account on this computer: its messages first, so that it can be removed again if something of them stays.
    pub(super) async fn remove_account(&mut self) {
        self.leave().await;
        self.deleting.forget();
        if let Some(Err(error)) = self.backup.as_ref().map(|backup| backup.remove_store()) {
            let words = format!("The account was not removed: its messages cannot be deleted ({error}).");
            self.builder.tell(Notice::Problem(words));
            let account = self.builder.account.clone();
            if let Some(account) = account {
                self.put_account(Account::clone(&account)).await;
            }
            return;
        }
        let Some(account) = self.builder.account.take() else { return };
        let sign_in = SignIn { password: Password::default(), ..account.sign_in.clone() };
        self.keeper.keep(Kept::Password(Arc::new(Account { sign_in, ..Account::clone(&account) })));
        self.keeper.keep(Kept::NoAccount);
        (self.awaits_password, self.has_new_password) = (None, false);
        self.builder.password = PasswordPlace::None;
        self.builder.set_book(AddressBook::default());
        self.builder.close();
        self.builder.agent_changed();
    }

    /// Reads a provisioning file, on a thread of its own as a disk may be slow.
    pub(super) fn read_provision(&self, path: PathBuf) {
        let (out, settings) = (Arc::clone(self.builder.out()), self.settings.clone());
        tokio::task::spawn_blocking(move || {
            let read = provisioning::read(&path, settings.as_deref());
            out.tell(Notice::Provisioned(Box::new(read)));
        });
    }

    pub(super) fn put_settings(&mut self, settings: Settings) {
        self.keeper.keep(Kept::Settings(settings.clone()));
        let is_testing_changed = settings.testing != self.builder.settings.testing;
        self.builder.settings = settings;
        self.builder.touch();
        if is_testing_changed {
            self.watch();
        }
    }

    /// The account is valid, but its machine cannot be started: shows why in the account's status.
    pub(super) fn not_started(&mut self, error: &AgentError) {
        let why = error.to_string();
        self.builder.not_started(&why);
        self.builder.tell(Notice::Problem(format!("{why}.")));
    }

    /// An attempt to reach the server goes on, or has ended.
    pub(super) fn registration_changed(&mut self, state: &RegistrationState) {
        match state {
            RegistrationState::Connected | RegistrationState::ByList | RegistrationState::NoFanOut => {
                self.builder.met_certificate(None);
                self.keep_that_it_worked();
                self.keep_new_password();
            }
            RegistrationState::Offline { why: Outage::Untrusted(_), .. } => {
                let running = self.running.as_ref();
                let refused = running.and_then(|running| running.agent.shell().net().refused_certificate());
                self.builder.met_certificate(refused);
            }
            RegistrationState::Offline { .. } | RegistrationState::Refused { .. } => {
                self.builder.met_certificate(None);
            }
            RegistrationState::Idle | RegistrationState::Connecting(_) => {}
        }
    }

    /// Records that the account has worked, so that the next start does not ask for it again.
    fn keep_that_it_worked(&mut self) {
        let Some(account) = self.builder.account.as_mut().filter(|account| !account.worked) else { return };
        Arc::make_mut(account).worked = true;
        let account = Arc::clone(account);
        self.keeper.keep(Kept::Account(account));
    }

    /// Saves a new password only once it was accepted. A refused one is never saved: the next start tries the previous
    /// one.
    fn keep_new_password(&mut self) {
        if let Some(account) = self.builder.account.as_ref().filter(|_| self.has_new_password) {
            self.has_new_password = false;
            self.keeper.keep(Kept::Password(Arc::clone(account)));
        }
    }

    pub(super) fn heard_of_password(&mut self, PasswordNews { address, outcome }: PasswordNews) -> Round {
        // The result is about a previous account and is of no use.
        if self.builder.account.as_ref().is_none_or(|account| account.address != address) {
            return Round::Next;
        }
        match outcome {
            PasswordOutcome::Kept(Ok(place)) => {
                if self.keeper.wants_keyring() && place != self.builder.password {
                    self.tell_of_the_file(&place);
                }
                self.builder.password = place;
            }
            PasswordOutcome::Kept(Err(error)) => self.builder.tell(Notice::Problem(format!("{error}."))),
            // The user has typed it meanwhile.
            PasswordOutcome::Loaded(_) if !self.is_without_password() => {}
            PasswordOutcome::Loaded(Ok((password, place))) => self.take_password(password, place),
            PasswordOutcome::Loaded(Err(error)) => {
                self.builder.tell(Notice::Problem(format!("{error}.")));
                self.take_password(Password::default(), PasswordPlace::None);
            }
        }
        self.builder.touch();
        Round::Next
    }

    /// The password was requested and has not come.
    fn is_without_password(&self) -> bool {
        matches!(self.builder.password, PasswordPlace::Coming | PasswordPlace::Unanswered)
    }

    /// The password came, however late: signs in with it.
    fn take_password(&mut self, password: Password, place: PasswordPlace) {
        self.awaits_password = None;
        self.builder.password = place;
        if let Some(account) = &mut self.builder.account {
            Arc::make_mut(account).sign_in.password = password.clone();
        }
        if let Some(running) = &mut self.running {
            running.agent.machine_mut().set_password(password);
        }
        self.connect();
    }

    /// The keyring has not answered in time: signs in without a password, as some servers need none.
    pub(super) fn wait_for_password_no_longer(&mut self, now: Instant) {
        if self.awaits_password.is_none_or(|until| until > now) {
            return;
        }
        self.awaits_password = None;
        self.builder.password = PasswordPlace::Unanswered;
        self.builder.tell(Notice::Password(PasswordPlace::Unanswered));
        self.connect();
    }

    /// Tells the user once if the password is saved in a plain file because there is no keyring.
    fn tell_of_the_file(&mut self, place: &PasswordPlace) {
        if matches!(place, PasswordPlace::File(_)) {
            self.builder.tell(Notice::Password(place.clone()));
        }
    }
}
