//! The client's files: account, contacts with lists, and the window's settings, each in RON.

use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::limits::ACCOUNTS_MAX;
use crate::model::account::Account;
use crate::model::contacts::AddressBook;
use crate::model::snapshot::Settings;
use crate::store::OpenErrorKind;
use crate::store::lock_file::LockFile;
use crate::store::ron_file::{self, RonError};

const ACCOUNT_FILE: &str = "account.ron";
const CONTACTS_FILE: &str = "contacts.ron";
const SETTINGS_FILE: &str = "settings.ron";
/// The folder of the accounts besides the first.
const ACCOUNTS_FOLDER: &str = "accounts";

/// Where this system keeps a user's files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folders {
    /// Account, contacts, settings.
    pub settings: PathBuf,
    /// Messages.
    pub data: PathBuf,
}

impl Folders {
    /// The folders of the current user; none if the system knows no home folder.
    #[must_use]
    pub fn of_this_person() -> Option<Self> {
        let folders = directories::ProjectDirs::from("", "", "fanfare")?;
        Some(Self { settings: folders.config_dir().to_owned(), data: folders.data_dir().to_owned() })
    }

    /// Those of a further account, which has all of its own: `accounts/2`, below these.
    #[must_use]
    pub fn of_account(&self, number: u32) -> Self {
        let below = |folder: &Path| folder.join(ACCOUNTS_FOLDER).join(number.to_string());
        Self { settings: below(&self.settings), data: below(&self.data) }
    }

    /// The numbers of the further accounts, lowest first; the first account is in these folders themselves and has none.
    /// What is in the folder besides is nobody's.
    #[must_use]
    pub fn accounts(&self) -> Vec<u32> {
        let entries = std::fs::read_dir(self.settings.join(ACCOUNTS_FOLDER)).into_iter().flatten().flatten();
        let numbers = entries.filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let number: u32 = name.parse().ok().filter(|number| *number > 1)?;
            // `02` would be another folder than the one that is made of its number.
            (name == number.to_string() && entry.path().join(ACCOUNT_FILE).is_file()).then_some(number)
        });
        let mut numbers: Vec<u32> = numbers.collect();
        numbers.sort_unstable();
        numbers.truncate(ACCOUNTS_MAX - 1);
        numbers
    }

    /// A number that no account has, and no messages are left of.
    #[must_use]
    pub fn free_account(&self) -> u32 {
        let is_free = |number: &u32| {
            let folders = self.of_account(*number);
            !folders.settings.exists() && !folders.data.exists()
        };
        (2..).find(is_free).unwrap_or(u32::MAX)
    }

    /// Removes all of a further account, which must not be in use.
    ///
    /// # Errors
    /// Something of it is still there.
    pub fn remove_account(&self, number: u32) -> std::io::Result<()> {
        let Self { settings, data } = self.of_account(number);
        for folder in [data, settings] {
            match std::fs::remove_dir_all(&folder) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
                Ok(()) | Err(_) => {}
            }
        }
        Ok(())
    }

    /// Both within one folder (`--data DIR`, the demo).
    #[must_use]
    pub fn under(folder: &Path) -> Self {
        Self { settings: folder.to_owned(), data: folder.to_owned() }
    }
}

/// The folder of what this user's desktop starts at login (Desktop Application Autostart Specification).
#[must_use]
pub fn autostart_folder() -> Option<PathBuf> {
    Some(directories::BaseDirs::new()?.config_dir().join("autostart"))
}

/// Another process has reserved the settings folder.
#[derive(Debug, thiserror::Error)]
#[error("cannot use the folder {}: another running fanfare uses it", .0.display())]
pub struct InUse(PathBuf);

/// The contents of the files.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClientSettings {
    /// The account, if one is set up.
    pub account: Option<Account>,
    /// Contacts and lists.
    pub book: AddressBook,
    /// Settings of the window.
    pub settings: Settings,
    /// A sentence for each file that was unusable and was moved aside.
    pub problems: Vec<String>,
}

/// The files of one client; without a folder nothing is saved.
#[derive(Clone, Debug)]
pub struct ClientFiles {
    folder: Option<PathBuf>,
}

impl ClientFiles {
    /// The files in this folder.
    #[must_use]
    pub const fn new(folder: Option<PathBuf>) -> Self {
        Self { folder }
    }

    /// Reserves the files for this process, which may then change them, until the lock is dropped.
    ///
    /// # Errors
    /// Another process has reserved them. That they cannot be reserved for another reason is no error: saving tells.
    pub fn reserve(&self) -> Result<Option<LockFile>, InUse> {
        let Some(folder) = &self.folder else { return Ok(None) };
        match LockFile::take(&folder.join(CONTACTS_FILE)) {
            Ok(lock) => Ok(Some(lock)),
            Err(OpenErrorKind::InUse) => Err(InUse(folder.clone())),
            Err(error) => {
                tracing::warn!(%error, "the settings folder cannot be reserved");
                Ok(None)
            }
        }
    }

    /// Reads contacts and lists alone.
    ///
    /// # Errors
    /// The file cannot be read, or it is invalid.
    pub fn book(&self) -> Result<AddressBook, RonError> {
        let read = |folder: &PathBuf| ron_file::read(&folder.join(CONTACTS_FILE));
        Ok(self.folder.as_ref().map(read).transpose()?.flatten().unwrap_or_default())
    }

    /// Reads all files; a missing one gives the defaults.
    ///
    /// # Errors
    /// A file exists and cannot be read or moved aside.
    pub fn load(&self) -> Result<ClientSettings, RonError> {
        let mut problems = Vec::new();
        Ok(ClientSettings {
            account: self.read(ACCOUNT_FILE, &mut problems)?,
            book: self.read(CONTACTS_FILE, &mut problems)?.unwrap_or_default(),
            settings: self.read(SETTINGS_FILE, &mut problems)?.unwrap_or_default(),
            problems,
        })
    }

    /// Reads contacts and lists and changes nothing; none if there is no file.
    ///
    /// # Errors
    /// The file cannot be read, or is not valid.
    pub fn read_book(&self) -> Result<AddressBook, RonError> {
        let Some(folder) = &self.folder else { return Ok(AddressBook::default()) };
        Ok(ron_file::read(&folder.join(CONTACTS_FILE))?.unwrap_or_default())
    }

    /// Saves the account.
    ///
    /// # Errors
    /// It is not on the disk; the old one still is.
    pub fn keep_account(&self, account: &Account) -> Result<(), RonError> {
        self.write(ACCOUNT_FILE, account)
    }

    /// Removes the account with its contacts and lists; the settings stay.
    ///
    /// # Errors
    /// It is still there.
    pub fn remove_account(&self) -> Result<(), RonError> {
        let Some(folder) = &self.folder else { return Ok(()) };
        // The account last: as long as it is there, it can be removed again.
        for name in [CONTACTS_FILE, ACCOUNT_FILE] {
            let path = folder.join(name);
            match std::fs::remove_file(&path) {
                Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                    return Err(RonError::Write { path, source });
                }
                Ok(()) | Err(_) => {}
            }
        }
        Ok(())
    }

    /// Saves contacts and lists.
    ///
    /// # Errors
    /// They are not on the disk; the old ones still are.
    pub fn keep_book(&self, book: &AddressBook) -> Result<(), RonError> {
        self.write(CONTACTS_FILE, book)
    }

    /// Saves the settings.
    ///
    /// # Errors
    /// They are not on the disk; the old ones still are.
    pub fn keep_settings(&self, settings: &Settings) -> Result<(), RonError> {
        self.write(SETTINGS_FILE, settings)
    }

    fn read<T: DeserializeOwned>(
        &self,
        name: &str,
        problems: &mut Vec<String>,
    ) -> Result<Option<T>, RonError> {
        let Some(folder) = &self.folder else { return Ok(None) };
        let kept = ron_file::read_or_keep_aside(&folder.join(name))?;
        problems.extend(kept.problem);
        Ok(kept.value)
    }

    fn write<T: Serialize>(&self, name: &str, value: &T) -> Result<(), RonError> {
        self.folder.as_ref().map_or(Ok(()), |folder| ron_file::write(&folder.join(name), value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::contacts::Contact;

    #[test]
    fn what_is_kept_is_there_at_the_next_start() {
        let folder = tempfile::tempdir().unwrap();
        let files = ClientFiles::new(Some(folder.path().join("fanfare")));
        assert_eq!(files.load().unwrap(), ClientSettings::default());
        let account: Account =
            ron::from_str("(address: \"sip:james@domain.com\", proxy: \"udp:127.0.0.1:5060\")").unwrap();
        let mut book = AddressBook::default();
        book.put(Contact { address: "sip:ann@domain.com".into(), name: "Ann".into(), simulated: false });
        let settings = Settings { scale: 1.5, ..Settings::default() };
        files.keep_account(&account).unwrap();
        files.keep_book(&book).unwrap();
        files.keep_settings(&settings).unwrap();
        let expected = ClientSettings { account: Some(account), book, settings, problems: vec![] };
        assert_eq!(files.load().unwrap(), expected);
    }

    #[test]
    fn one_broken_file_does_not_take_the_others_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let files = ClientFiles::new(Some(folder.path().to_owned()));
        let settings = Settings { scale: 2.0, ..Settings::default() };
        files.keep_settings(&settings).unwrap();
        std::fs::write(folder.path().join(ACCOUNT_FILE), "(address: 7)").unwrap();
        let loaded = files.load().unwrap();
        assert_eq!((loaded.account, loaded.settings), (None, settings));
        assert!(loaded.problems[0].contains("account.ron:1:"), "{:?}", loaded.problems);
    }

    #[test]
    fn one_process_at_a_time_may_change_the_files() {
        let folder = tempfile::tempdir().unwrap();
        let files = ClientFiles::new(Some(folder.path().join("new")));
        let lock = files.reserve().unwrap();
        let why = files.reserve().unwrap_err().to_string();
        assert!(why.ends_with("new: another running fanfare uses it"), "{why}");
        assert_eq!(files.book().unwrap(), AddressBook::default(), "reading needs no lock");
        drop(lock);
        assert!(files.reserve().unwrap().is_some());
    }

    #[test]
    fn further_accounts_have_folders_of_their_own_below_the_first() {
        let folder = tempfile::tempdir().unwrap();
        let folders = Folders { settings: folder.path().join("config"), data: folder.path().join("data") };
        assert_eq!(folders.accounts(), Vec::<u32>::new());
        assert_eq!(folders.free_account(), 2);
        let account: Account = ron::from_str("(address: \"sip:james@domain.com\")").unwrap();
        for number in [3, 2, 10] {
            let of = folders.of_account(number);
            assert_eq!(of.data, folder.path().join(format!("data/accounts/{number}")));
            ClientFiles::new(Some(of.settings)).keep_account(&account).unwrap();
        }
        for stray in ["02", "1", "notes", "4"] {
            std::fs::create_dir_all(folders.settings.join("accounts").join(stray)).unwrap();
        }
        assert_eq!(folders.accounts(), [2, 3, 10]);
        // What was left behind without an account is not given to another one.
        assert_eq!(folders.free_account(), 5);
        folders.remove_account(2).unwrap();
        folders.remove_account(2).unwrap();
        assert_eq!((folders.accounts(), folders.free_account()), (vec![3, 10], 2));
        let all_in_one = Folders::under(folder.path()).of_account(7);
        assert_eq!(
            (&all_in_one.settings, &all_in_one.data),
            (&all_in_one.data, &folder.path().join("accounts/7"))
        );
        for number in 11..30 {
            ClientFiles::new(Some(folders.of_account(number).settings)).keep_account(&account).unwrap();
        }
        assert_eq!(folders.accounts().len(), ACCOUNTS_MAX - 1, "the number of accounts has an end");
    }

    #[test]
    fn an_account_is_removed_with_its_contacts_and_the_settings_stay() {
        let folder = tempfile::tempdir().unwrap();
        let files = ClientFiles::new(Some(folder.path().to_owned()));
        let settings = Settings { scale: 1.5, ..Settings::default() };
        files.keep_settings(&settings).unwrap();
        files.keep_account(&ron::from_str("(address: \"sip:james@domain.com\")").unwrap()).unwrap();
        files.keep_book(&AddressBook::default()).unwrap();
        files.remove_account().unwrap();
        files.remove_account().unwrap();
        assert_eq!(files.load().unwrap(), ClientSettings { settings, ..ClientSettings::default() });
        assert!(!folder.path().join(CONTACTS_FILE).exists());
    }

    #[test]
    fn without_a_folder_nothing_is_kept() {
        let files = ClientFiles::new(None);
        files.keep_settings(&Settings::default()).unwrap();
        assert_eq!(files.load().unwrap(), ClientSettings::default());
    }
}
