//! A copy of a store as it stands at one instant, while its machine goes on.

use std::path::{Path, PathBuf};

use tempfile::{Builder, NamedTempFile};

use crate::store::{Audited, OpenError, OpenErrorKind, check, folder};

/// A backup that was not made. Nothing of it is left, and what was there before is as it was.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// What was to be copied.
    #[error(transparent)]
    Source(#[from] OpenError),
    /// Something has that name.
    #[error("{} is there already; a backup overwrites nothing", .0.display())]
    Exists(PathBuf),
    /// The copy is not on the disk.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The backup.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The copy was read again, and something in it is wrong.
    #[error("no backup was made, because the store is not sound: {0}")]
    Unsound(String),
}

/// Copies the store in `from` into the file `to`, which is there whole, checked and on the disk, or not at all.
///
/// # Errors
/// What is in its way, in a sentence.
pub fn backup<S: Audited>(from: &Path, to: &Path) -> Result<(), BackupError> {
    let unwritten = |source| BackupError::Write { path: to.to_owned(), source };
    if std::fs::symlink_metadata(to).is_ok() {
        return Err(BackupError::Exists(to.to_owned()));
    }
    let folder = folder::above(to);
    // Private to its owner, as the store is.
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
