//! The account's password: in the system's keyring if there is one, else in a separate file that only its owner can
//! read.
//!
//! The keyring is called on a separate thread: it may have to be unlocked first, and its library brings its own
//! runtime.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::limits::KEYRING_WAIT;
use crate::model::account::{Account, Password};
use crate::model::snapshot::PasswordPlace;
use crate::store::ron_file::{self, RonError};

const FILE: &str = "password.ron";

/// Whether the system's keyring is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keyring {
    /// Yes, if there is one.
    System,
    /// No: everything is kept in the folder.
    Unused,
}

/// Where one client's password is saved; without folder and keyring, nowhere.
#[derive(Clone, Debug)]
pub struct Passwords {
    folder: Option<PathBuf>,
    keyring: Keyring,
}

/// The file's contents.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    /// The account it belongs to, so that it is not used for another.
    address: String,
    password: String,
}

impl Passwords {
    /// Uses a file in this folder.
    #[must_use]
    pub const fn new(folder: Option<PathBuf>, keyring: Keyring) -> Self {
        Self { folder, keyring }
    }

    /// Whether a keyring is to be used, so that the user is told if there is none.
    #[must_use]
    pub fn wants_keyring(&self) -> bool {
        self.keyring == Keyring::System
    }

    /// Loads an account's password and says where it was; empty if none is saved. Waits for the keyring as long as it
    /// takes.
    ///
    /// # Errors
    /// The file exists and cannot be read.
    pub fn load(&self, account: &Account) -> Result<(Password, PasswordPlace), RonError> {
        if let Some(Some(found)) = self.asked(account, None, keyring::get) {
            return Ok((Password::new(found), PasswordPlace::Keyring));
        }
        let Some(path) = self.path() else {
            return Ok(Default::default());
        };
        let written: Option<Written> = ron_file::read_private(&path)?;
        Ok(match written.filter(|written| written.address == account.address) {
            Some(written) => (Password::new(written.password), PasswordPlace::File(path)),
            None => Default::default(),
        })
    }

    /// Saves the account's password in place of the previous one, or deletes it if the account has none. Waits for the
    /// keyring for [`KEYRING_WAIT`] at most.
    ///
    /// # Errors
    /// It is not on the disk; the old one still is.
    pub fn keep(&self, account: &Account) -> Result<PasswordPlace, RonError> {
        let password = account.sign_in.password.as_str().to_owned();
        if password.is_empty() {
            self.asked(account, Some(KEYRING_WAIT), keyring::forget);
            self.forget_file()?;
            return Ok(PasswordPlace::None);
        }
        let text = password.clone();
        if self.asked(account, Some(KEYRING_WAIT), move |address| keyring::set(address, &text)).is_some() {
            self.forget_file()?;
            return Ok(PasswordPlace::Keyring);
        }
        let Some(path) = self.path() else {
            return Ok(PasswordPlace::None);
        };
        ron_file::write(&path, &Written { address: account.address.clone(), password })?;
        Ok(PasswordPlace::File(path))
    }

    fn path(&self) -> Option<PathBuf> {
        self.folder.as_ref().map(|folder| folder.join(FILE))
    }

    fn forget_file(&self) -> Result<(), RonError> {
        match self.path().map(|path| (std::fs::remove_file(&path), path)) {
            Some((Err(source), path)) if source.kind() != std::io::ErrorKind::NotFound => {
                Err(RonError::Write { path, source })
            }
            Some(_) | None => Ok(()),
        }
    }

    /// The keyring's answer; none if there is no keyring, or it does not answer.
    fn asked<T: Send + 'static>(
        &self,
        account: &Account,
        patience: Option<Duration>,
        question: impl FnOnce(&str) -> Option<T> + Send + 'static,
    ) -> Option<T> {
        match self.keyring {
            Keyring::Unused => None,
            Keyring::System => keyring::ask(account.address.clone(), patience, question),
        }
    }
}

#[cfg(feature = "gui")]
mod keyring {
    use std::sync::mpsc::sync_channel;
    use std::time::Duration;

    use ::keyring::v1::{Entry, Error, Result};

    /// The program name under which passwords are saved.
    const SERVICE: &str = "fanfare";
    /// Calls the keyring on a separate thread, and waits for the answer for at most `patience`, if given.
    pub(super) fn ask<T: Send + 'static>(
        address: String,
        patience: Option<Duration>,
        question: impl FnOnce(&str) -> Option<T> + Send + 'static,
    ) -> Option<T> {
        let (sender, answer) = sync_channel(1);
        let work = move || drop(sender.send(question(&address)));
        let thread = std::thread::Builder::new().name("keyring".to_owned()).spawn(work);
        thread.ok().and_then(|_| match patience {
            Some(wait) => answer.recv_timeout(wait).ok().flatten(),
            None => answer.recv().ok().flatten(),
        })
    }

    /// Outer `None`: there is no keyring. Inner `None`: nothing is saved there.
    pub(super) fn get(address: &str) -> Option<Option<String>> {
        match entry(address).and_then(|entry| entry.get_password()) {
            Ok(password) => Some(Some(password)),
            Err(Error::NoEntry) => Some(None),
            Err(error) => missing(&error),
        }
    }

    pub(super) fn set(address: &str, password: &str) -> Option<()> {
        match entry(address).and_then(|entry| entry.set_password(password)) {
            Ok(()) => Some(()),
            Err(error) => missing(&error),
        }
    }

    pub(super) fn forget(address: &str) -> Option<()> {
        match entry(address).and_then(|entry| entry.delete_credential()) {
            Ok(()) | Err(Error::NoEntry) => Some(()),
            Err(error) => missing(&error),
        }
    }

    fn entry(address: &str) -> Result<Entry> {
        Entry::new(SERVICE, address)
    }

    fn missing<T>(error: &Error) -> Option<T> {
        tracing::info!(%error, "there is no keyring to keep a password in");
        None
    }
}

/// Without a window, the program uses no keyring.
#[cfg(not(feature = "gui"))]
mod keyring {
    use std::time::Duration;

    pub(super) fn ask<T>(_: String, _: Option<Duration>, _: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        None
    }

    pub(super) const fn get(_: &str) -> Option<Option<String>> {
        None
    }

    pub(super) const fn set(_: &str, _: &str) -> Option<()> {
        None
    }

    pub(super) const fn forget(_: &str) -> Option<()> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(address: &str, password: &str) -> Account {
        let mut account: Account =
            ron::from_str(&format!("(address: {address:?}, proxy: \"udp:127.0.0.1:5060\")")).unwrap();
        account.sign_in.password = Password::new(password.to_owned());
        account
    }

    #[test]
    fn without_a_keyring_a_password_is_in_a_file_of_its_own_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let passwords = Passwords::new(Some(folder.path().to_owned()), Keyring::Unused);
        let james = account("sip:james@domain.com", "open \"sesame\"");
        let path = folder.path().join(FILE);
        assert_eq!(passwords.load(&james).unwrap(), Default::default());
        assert_eq!(passwords.keep(&james).unwrap(), PasswordPlace::File(path.clone()));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
            let refusal = passwords.load(&james).unwrap_err().to_string();
            assert!(refusal.contains("others may read or change"), "{refusal}");
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        }
        let (password, place) = passwords.load(&james).unwrap();
        assert_eq!((password, place), (james.sign_in.password, PasswordPlace::File(path.clone())));
        let other = account("sip:ann@domain.com", "");
        assert_eq!(passwords.load(&other).unwrap(), Default::default(), "it is nobody else's");
        assert_eq!(passwords.keep(&account("sip:james@domain.com", "")).unwrap(), PasswordPlace::None);
        assert!(!path.exists());
    }

    #[test]
    fn no_file_of_the_account_has_the_password() {
        let written = ron::to_string(&account("sip:james@domain.com", "sesame")).unwrap();
        assert!(!written.contains("sesame") && !written.contains("password"), "{written}");
    }
}
