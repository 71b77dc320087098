//! Files that people also edit by hand: contacts, account, settings. RON, written so that a crash leaves the old file
//! or the new one.
//!
//! **Invariant:** nothing that a person wrote is lost: a file that cannot be read is moved aside, never overwritten.

mod words;

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::store::folder::{self, private};
use crate::store::private_file::{self, Exposed};

/// Why a file cannot be read or written, and which.
#[derive(Debug, thiserror::Error)]
pub enum RonError {
    /// The file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// It contains a secret, and others may read it.
    #[error(transparent)]
    Exposed(#[from] Exposed),
    /// The file exists, but its contents are invalid.
    #[error("{}:{line}:{column}: {what}", path.display())]
    Broken {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// What is wrong.
        what: String,
    },
    /// The file cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
}

/// What was read from one of our files.
#[derive(Debug, PartialEq, Eq)]
pub struct Kept<T> {
    /// Its value; none if there was no file, or no usable one.
    pub value: Option<T>,
    /// A sentence for the user if the file was unusable and was moved aside.
    pub problem: Option<String>,
}

/// Reads a file that must be valid (`--config FILE`). `None` if there is none.
///
/// # Errors
/// It cannot be read, or it is invalid: with line and column.
pub fn read<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, RonError> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => {
            return Err(RonError::Read { path: path.to_owned(), source });
        }
    };
    from_bytes(&bytes, path).map(Some)
}

/// Reads a file that contains a secret. `None` if there is none.
///
/// # Errors
/// As for [`read`]; also if others may read it.
pub fn read_private<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, RonError> {
    match fs::File::open(path) {
        Ok(file) => private_file::check(&file, path)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(RonError::Read { path: path.to_owned(), source }),
    }
    read(path)
}

/// Parses a file's bytes; `path` is for the error.
///
/// # Errors
/// They are invalid: with line and column.
pub fn from_bytes<T: DeserializeOwned>(bytes: &[u8], path: &Path) -> Result<T, RonError> {
    parsed(&options(), bytes, path)
}

/// The same for a file in which a kind with fields of its own has one pair of parentheses: `Send(to: "Ann")`.
///
/// # Errors
/// They are invalid: with line and column.
pub fn steps_from_bytes<T: DeserializeOwned>(bytes: &[u8], path: &Path) -> Result<T, RonError> {
    let unwrapped = ron::extensions::Extensions::UNWRAP_VARIANT_NEWTYPES;
    parsed(&options().with_default_extension(unwrapped), bytes, path)
}

fn parsed<T: DeserializeOwned>(options: &ron::Options, bytes: &[u8], path: &Path) -> Result<T, RonError> {
    options.from_bytes(bytes).map_err(|error| {
        let text = std::str::from_utf8(bytes).unwrap_or_default();
        let (line, column) = words::place(&error, text);
        let what = words::fault(&error.code);
        let field = words::field_at(text, line, column);
        let what = field.map_or_else(|| what.clone(), |field| format!("{field}: {what}"));
        RonError::Broken { path: path.to_owned(), line, column, what }
    })
}

/// The text of a value for a file.
///
/// # Errors
/// RON cannot express it.
pub fn to_text<T: Serialize>(value: &T) -> io::Result<String> {
    let pretty = ron::ser::PrettyConfig::new().new_line("\n").indentor("    ").struct_names(false);
    let mut text = options().to_string_pretty(value, pretty).map_err(io::Error::other)?;
    text.push('\n');
    Ok(text)
}

/// Reads one of our files. An invalid one is moved to `NAME.broken-N` and reported.
///
/// # Errors
/// It cannot be read or moved aside: not starting is better than overwriting a contact list.
pub fn read_or_keep_aside<T: DeserializeOwned>(path: &Path) -> Result<Kept<T>, RonError> {
    let broken = match read(path) {
        Ok(value) => return Ok(Kept { value, problem: None }),
        Err(error @ RonError::Broken { .. }) => error,
        Err(error @ (RonError::Read { .. } | RonError::Exposed(_) | RonError::Write { .. })) => {
            return Err(error);
        }
    };
    let aside = keep_aside(path).map_err(|source| RonError::Write { path: path.to_owned(), source })?;
    let broken = broken.to_string();
    let end = if broken.ends_with('?') { "" } else { "." };
    let problem = format!("{broken}{end} The file was kept as {}.", aside.display());
    tracing::warn!("{problem}");
    Ok(Kept { value: None, problem: Some(problem) })
}

/// So that people need not write `Some(...)` around values.
fn options() -> ron::Options {
    ron::Options::default().with_default_extension(ron::extensions::Extensions::IMPLICIT_SOME)
}

fn keep_aside(path: &Path) -> io::Result<PathBuf> {
    let mut number = 1_u32;
    loop {
        let aside = beside(path, &format!(".broken-{number}"));
        // A hard link fails if the name is taken, where a rename would overwrite.
        match fs::hard_link(path, &aside) {
            Ok(()) => {
                fs::remove_file(path)?;
                return Ok(aside);
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
            // A file system without hard links.
            Err(_) if !aside.exists() => {
                fs::rename(path, &aside)?;
                return Ok(aside);
            }
            Err(error) => return Err(error),
        }
    }
}

/// Replaces the file atomically: writes a temporary file, syncs it, renames it, and syncs the folder.
///
/// # Errors
/// The value is not on the disk; the old file is unchanged.
pub fn write<T: Serialize>(path: &Path, value: &T) -> Result<(), RonError> {
    let written = to_text(value).and_then(|text| write_bytes(path, text.as_bytes()));
    written.map_err(|source| RonError::Write { path: path.to_owned(), source })
}

/// The same for a file that is no RON.
///
/// # Errors
/// The bytes are not on the disk; the old file is unchanged.
pub fn write_bytes(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = folder::above(path);
    folder::create(folder)?;
    let aside = beside(path, ".new");
    let mut file = private(OpenOptions::new().write(true).create(true).truncate(true)).open(&aside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    drop(file);
    fs::rename(&aside, path)?;
    folder::sync(folder)
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::contacts::{AddressBook, Contact};

    fn book() -> AddressBook {
        let ann = Contact {
            address: "sip:ann@domain.com".to_owned(),
            name: "Ann \"A\"".to_owned(),
            simulated: false,
        };
        AddressBook { contacts: vec![ann], lists: vec![], ..AddressBook::default() }
    }

    #[test]
    fn what_was_written_is_read_and_people_can_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/contacts.ron");
        assert_eq!(read::<AddressBook>(&path).unwrap(), None);
        write(&path, &book()).unwrap();
        write(&path, &book()).unwrap();
        assert_eq!(read::<AddressBook>(&path).unwrap(), Some(book()));
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains("\n    contacts: [\n"), "{text}");
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn a_broken_file_is_kept_aside_and_its_place_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("contacts.ron");
        for number in 1..=2 {
            let broken = format!("(\n    contacts: [\n        (adress: \"{number}\"),\n    ],\n)");
            fs::write(&path, &broken).unwrap();
            let kept: Kept<AddressBook> = read_or_keep_aside(&path).unwrap();
            assert_eq!(kept.value, None);
            let problem = kept.problem.unwrap();
            assert!(problem.contains("contacts.ron:3:"), "{problem}");
            assert!(problem.contains(&format!("contacts.ron.broken-{number}")), "{problem}");
            let aside = folder.path().join(format!("contacts.ron.broken-{number}"));
            assert_eq!(fs::read_to_string(aside).unwrap(), broken);
            assert!(!path.exists());
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_a_broken_file_too() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("contacts.ron");
        fs::write(&path, b"(\n\xff\xfe)").unwrap();
        let kept: Kept<AddressBook> = read_or_keep_aside(&path).unwrap();
        assert!(kept.problem.is_some());
    }

    #[test]
    fn a_place_that_cannot_be_written_is_named_and_the_old_file_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("contacts.ron");
        write(&path, &book()).unwrap();
        fs::create_dir(folder.path().join("contacts.ron.new")).unwrap();
        let error = write(&path, &AddressBook::default()).unwrap_err().to_string();
        assert!(error.contains("cannot write") && error.contains("contacts.ron"), "{error}");
        assert_eq!(read::<AddressBook>(&path).unwrap(), Some(book()));
    }
}
