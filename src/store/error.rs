//! What can be wrong with a store, in sentences.

use std::path::PathBuf;

/// A store that cannot be used, with the place and the cause.
#[derive(Debug, thiserror::Error)]
#[error("cannot use the store {}: {kind}", path.display())]
pub struct OpenError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it: a part of the sentence, so that it is no cause to be told after it.
    pub kind: OpenErrorKind,
}

/// What is wrong with a store.
#[derive(Debug, thiserror::Error)]
pub enum OpenErrorKind {
    /// The folder cannot be made.
    #[error("its folder cannot be created ({0})")]
    Folder(#[source] std::io::Error),
    /// The file cannot be made or written.
    #[error("it cannot be written ({0})")]
    Unwritable(#[source] std::io::Error),
    /// Another process has it open.
    #[error("another running fanfare uses it")]
    InUse,
    /// The file is no database.
    #[error("the file is not a database, or it is damaged")]
    NotADatabase,
    /// A database, but of another program or another kind of machine.
    #[error("the file is not a store of a {wanted}")]
    Foreign {
        /// What was to be opened.
        wanted: &'static str,
    },
    /// Written by a newer version.
    #[error("it was written by a newer fanfare (schema {found}, this one knows {known}); use that version")]
    Newer {
        /// Steps in the file.
        found: usize,
        /// Steps that we know.
        known: usize,
    },
    /// Written by an older version, and its rows do not fit the tables of today.
    #[error(
        "its tables cannot be brought from schema {found} to {known}: rows name others that are not there"
    )]
    Unmigrated {
        /// Steps in the file.
        found: usize,
        /// Steps that we know.
        known: usize,
    },
    /// There is nothing to read.
    #[error("there is no such file")]
    Missing,
    /// SQLite says so.
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
