//! The history of a store that a window, or another command, may have open: read only, nothing in it is changed.

use std::path::Path;

use rusqlite::Connection;
use tempfile::NamedTempFile;

use super::Reader;
use crate::store::client_rows::ClientSchema;
use crate::store::{OpenError, OpenErrorKind, Schema, check};

/// A history opened for reading.
#[derive(Debug)]
pub struct OpenedHistory {
    connection: Connection,
    /// A store of an older schema is read from a copy that was brought up to date.
    _copy: Option<NamedTempFile>,
}

impl OpenedHistory {
    /// Opens the client's store in this file.
    ///
    /// # Errors
    /// A sentence about what is wrong with the file.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        open(path).map_err(|kind| OpenError { path: path.to_owned(), kind })
    }

    /// The queries.
    #[must_use]
    pub fn reader(&self) -> &dyn Reader {
        &self.connection
    }
}

fn open(path: &Path) -> Result<OpenedHistory, OpenErrorKind> {
    let (connection, schema) = check::reader::<ClientSchema>(path)?;
    if schema == ClientSchema::MIGRATIONS.len() {
        return Ok(OpenedHistory { connection, _copy: None });
    }
    let (file, copied) = check::updated::<ClientSchema>(&connection)?;
    while ClientSchema::tend(&copied)? {}
    Ok(OpenedHistory { connection: copied, _copy: Some(file) })
}
