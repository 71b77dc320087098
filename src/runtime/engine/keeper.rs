//! Saves what is kept outside the store: account, contacts, settings, password. A disk may be slow, and a keyring may
//! have to be unlocked or not answer at all, so all of it runs on separate threads and the loop never waits.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use tokio::sync::mpsc;

use crate::config::client::ClientFiles;
use crate::config::passwords::Passwords;
use crate::limits::KEEPING_WAITING_MAX;
use crate::model::account::{Account, Password};
use crate::model::command::Notice;
use crate::model::contacts::AddressBook;
use crate::model::snapshot::{PasswordPlace, Settings};
use crate::store::ron_file::RonError;

use super::out::Out;

/// How long shutdown waits for saves in progress.
const FINISH_WAIT: Duration = Duration::from_secs(3);

/// Something to save in place of its previous version.
#[derive(Debug)]
pub(super) enum Kept {
    /// Contacts and lists.
    Book(Arc<AddressBook>),
    /// Settings of the window.
    Settings(Settings),
    /// The account, without its password.
    Account(Arc<Account>),
    /// The account's password.
    Password(Arc<Account>),
    /// Nothing: the account is removed, with its contacts.
    NoAccount,
}

/// The result of loading or saving an account's password.
#[derive(Debug)]
pub(super) struct PasswordNews {
    /// The account's address.
    pub(super) address: String,
    pub(super) outcome: PasswordOutcome,
}

/// The result.
#[derive(Debug)]
pub(super) enum PasswordOutcome {
    /// It was loaded, or could not be.
    Loaded(Result<(Password, PasswordPlace), RonError>),
    /// It was saved, or deleted if the account has none.
    Kept(Result<PasswordPlace, RonError>),
}

/// Saves things one after the other.
#[derive(Debug)]
pub(super) struct Keeper {
    jobs: SyncSender<Kept>,
    /// Closed when the thread ends.
    done: mpsc::Receiver<()>,
    passwords: Passwords,
    news: mpsc::Sender<PasswordNews>,
    out: Arc<Out>,
}

impl Keeper {
    /// Starts the thread.
    ///
    /// # Errors
    /// The system cannot start a thread.
    pub(super) fn start(
        files: ClientFiles,
        passwords: Passwords,
        news: mpsc::Sender<PasswordNews>,
        out: Arc<Out>,
    ) -> std::io::Result<Self> {
        let (jobs, waiting) = sync_channel(KEEPING_WAITING_MAX);
        let (running, done) = mpsc::channel(1);
        let work = Work { files, passwords: passwords.clone(), news: news.clone(), out: Arc::clone(&out) };
        std::thread::Builder::new().name("keeper".to_owned()).spawn(move || {
            work.go_on(&waiting);
            drop(running);
        })?;
        Ok(Self { jobs, done, passwords, news, out })
    }

    /// Saves this. A failure is reported, and the new value stays in use until the program ends.
    pub(super) fn keep(&self, thing: Kept) {
        if self.jobs.try_send(thing).is_err() {
            let words = "A change is not kept: the disk, or the keyring, does not answer.";
            self.out.tell(Notice::Problem(words.to_owned()));
        }
    }

    /// Loads an account's password, however long that takes.
    pub(super) fn load_password(&self, account: &Account) {
        let (passwords, news, account) = (self.passwords.clone(), self.news.clone(), account.clone());
        let work = move || {
            let outcome = PasswordOutcome::Loaded(passwords.load(&account));
            // If the engine is gone, nobody needs the password.
            news.blocking_send(PasswordNews { address: account.address, outcome }).ok();
        };
        if let Err(error) = std::thread::Builder::new().name("password".to_owned()).spawn(work) {
            self.out.tell(Notice::Problem(format!("The password cannot be read: {error}.")));
        }
    }

    /// Whether a keyring is to be used.
    pub(super) fn wants_keyring(&self) -> bool {
        self.passwords.wants_keyring()
    }

    /// Waits, for a limited time, until everything is saved.
    pub(super) async fn finish(self) {
        let Self { jobs, mut done, .. } = self;
        drop(jobs);
        if tokio::time::timeout(FINISH_WAIT, done.recv()).await.is_err() {
            tracing::warn!("the last change may not be kept: the disk, or the keyring, does not answer");
        }
    }
}

struct Work {
    files: ClientFiles,
    passwords: Passwords,
    news: mpsc::Sender<PasswordNews>,
    out: Arc<Out>,
}

impl Work {
    fn go_on(&self, jobs: &Receiver<Kept>) {
        while let Ok(thing) = jobs.recv() {
            let kept = match thing {
                Kept::Book(book) => self.files.keep_book(&book),
                Kept::Settings(settings) => self.files.keep_settings(&settings),
                Kept::Account(account) => self.files.keep_account(&account),
                Kept::NoAccount => self.files.remove_account(),
                Kept::Password(account) => {
                    let outcome = PasswordOutcome::Kept(self.passwords.keep(&account));
                    let address = account.address.clone();
                    self.news.blocking_send(PasswordNews { address, outcome }).ok();
                    Ok(())
                }
            };
            if let Err(error) = kept {
                self.out.tell(Notice::Problem(format!("{error}.")));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::passwords::Keyring;
    use crate::model::account::SignIn;

    #[test]
    fn what_waits_for_a_slow_disk_has_an_end_and_that_it_is_not_kept_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let own = || Some(folder.path().to_owned());
        // The password's result is not taken out of the channel, so the thread blocks after saving one.
        let (news, mut heard) = mpsc::channel(1);
        let nobody = || PasswordNews {
            address: String::new(),
            outcome: PasswordOutcome::Kept(Ok(PasswordPlace::None)),
        };
        news.try_send(nobody()).unwrap();
        let out = Arc::new(Out::new(Arc::new(|| ())));
        let passwords = Passwords::new(own(), Keyring::Unused);
        let keeper = Keeper::start(ClientFiles::new(own()), passwords, news, Arc::clone(&out)).unwrap();
        let sign_in = SignIn { password: Password::new("sesame".to_owned()), ..SignIn::default() };
        let address = "sip:james@domain.com".to_owned();
        keeper.keep(Kept::Password(Arc::new(Account { address, sign_in, ..Account::default() })));
        while !folder.path().join("password.ron").exists() {
            std::thread::yield_now();
        }
        for _ in 0..KEEPING_WAITING_MAX {
            keeper.keep(Kept::Settings(Settings::default()));
        }
        assert_eq!(out.take_notices(), [], "as many wait");
        let scale = 1.5;
        keeper.keep(Kept::Settings(Settings { scale, ..Settings::default() }));
        let words = "A change is not kept: the disk, or the keyring, does not answer.".to_owned();
        assert_eq!(out.take_notices(), [Notice::Problem(words)]);
        assert_eq!(heard.blocking_recv().unwrap().address, "");
        assert_eq!(heard.blocking_recv().unwrap().address, "sip:james@domain.com", "and then it goes on");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(keeper.finish());
        let kept = ClientFiles::new(own()).load().unwrap().settings;
        assert!((kept.scale - scale).abs() > 0.1, "the one over the end is not kept");
    }
}
