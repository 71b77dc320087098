//! Copies a store as it is at one instant, while its machine keeps running.

use std::path::{Path, PathBuf};

use tempfile::{Builder, NamedTempFile};

use crate::store::{Audited, OpenError, OpenErrorKind, check, folder};

/// Why a backup was not made. No part of it is left behind, and existing files are unchanged.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// Opening the source.
    #[error(transparent)]
    Source(#[from] OpenError),
    /// The destination exists already.
    #[error("{} already exists; a backup overwrites nothing", .0.display())]
    Exists(PathBuf),
    /// Writing the copy failed.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The destination.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// The copy was read back, and something in it is wrong.
    #[error("no backup was made, because the store is not sound: {0}")]
    Unsound(String),
}

/// Copies the store `from` into the file `to`, which is afterwards complete, checked and on the disk, or absent.
///
/// # Errors
/// Why it cannot be made, as a sentence.
pub fn backup<S: Audited>(from: &Path, to: &Path) -> Result<(), BackupError> {
    let unwritten = |source| BackupError::Write { path: to.to_owned(), source };
    if std::fs::symlink_metadata(to).is_ok() {
        return Err(BackupError::Exists(to.to_owned()));
    }
    let folder = folder::above(to);
    // Readable by its owner only, as the store is.
    let aside = Builder::new().prefix(".fanfare-backup-").tempfile_in(folder).map_err(unwritten)?;
    copy::<S>(from, &aside)?;
    let findings = check::check::<S>(aside.path())?;
    if let Some(fault) = findings.audit.faults.into_iter().next() {
        return Err(BackupError::Unsound(fault));
    }
    aside.as_file().sync_all().map_err(unwritten)?;
    aside.persist_noclobber(to).map_err(|refused| {
        let is_taken = refused.error.kind() == std::io::ErrorKind::AlreadyExists;
        if is_taken { BackupError::Exists(to.to_owned()) } else { unwritten(refused.error) }
    })?;
    folder::sync(folder).map_err(unwritten)
}

fn copy<S: Audited>(from: &Path, to: &NamedTempFile) -> Result<(), OpenError> {
    let copied = check::reader::<S>(from).and_then(|(store, _)| Ok(check::copy(&store, to.path())?));
    copied.map_err(|kind: OpenErrorKind| OpenError { path: from.to_owned(), kind })
}
