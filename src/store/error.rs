//! What can be wrong with a store, as sentences.

use std::path::PathBuf;

use crate::store::private_file::ExposedStore;

/// Why a store cannot be used, and where it is.
#[derive(Debug, thiserror::Error)]
#[error("cannot use the store {}: {kind}", path.display())]
pub struct OpenError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong. It is part of the sentence already, so it is not also reported as the error's source.
    pub kind: OpenErrorKind,
}

/// What is wrong with a store.
#[derive(Debug, thiserror::Error)]
pub enum OpenErrorKind {
    /// The folder cannot be created.
    #[error("its folder cannot be created ({0})")]
    Folder(#[source] std::io::Error),
    /// The file cannot be created or written.
    #[error("it cannot be written ({0})")]
    Unwritable(#[source] std::io::Error),
    /// Others can read or change it.
    #[error("{0}")]
    Exposed(ExposedStore),
    /// Another process has it open.
    #[error("another running fanfare uses it")]
    InUse,
    /// The file is not a database.
    #[error("the file is not a database, or it is damaged")]
    NotADatabase,
    /// A database of another program or of another kind of machine.
    #[error("the file is not a store of a {wanted}")]
    Foreign {
        /// The kind that was expected.
        wanted: &'static str,
    },
    /// Written by a newer version.
    #[error("it was written by a newer fanfare (schema {found}, this one knows {known}); use that version")]
    Newer {
        /// Migration steps in the file.
        found: usize,
        /// Migration steps that we know.
        known: usize,
    },
    /// Written by an older version, and its rows violate the foreign keys of the current tables.
    #[error(
        "its tables cannot be brought from schema {found} to {known}: rows name others that are not there"
    )]
    Unmigrated {
        /// Migration steps in the file.
        found: usize,
        /// Migration steps that we know.
        known: usize,
    },
    /// The file does not exist.
    #[error("there is no such file")]
    Missing,
    /// An error from SQLite.
    #[error("{0}")]
    Sqlite(#[source] rusqlite::Error),
    /// The thread could not be started.
    #[error("its thread cannot be started ({0})")]
    Thread(#[source] std::io::Error),
}

impl From<rusqlite::Error> for OpenErrorKind {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::NotADatabase | rusqlite::ErrorCode::DatabaseCorrupt) => {
                Self::NotADatabase
            }
            Some(_) | None => Self::Sqlite(error),
        }
    }
}
