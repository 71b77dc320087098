//! `fanfare listen --save-files DIR`: files of messages, each saved under its own name before its sender hears that it came.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;
use bytes::Bytes;

use super::output::note;
use crate::limits::{SAVED_BYTES_MAX, SAVED_FILES_MAX};
use crate::runtime::saved_file::save_into;
use crate::sip::{self, File};
use crate::terminal::system_words;

/// A file could not be saved, and nothing else keeps it; that a run saves no more than its limits is no failure.
static HAS_LOST: AtomicBool = AtomicBool::new(false);

/// True once a file was lost that should have been saved.
pub(super) fn has_lost() -> bool {
    HAS_LOST.load(Ordering::Relaxed)
}

/// The folder, and what may still be saved there: what strangers send must not fill the disk.
#[derive(Debug)]
pub(super) struct SavedFiles {
    folder: PathBuf,
    files_left: usize,
    bytes_left: usize,
    is_full: bool,
    /// The messages are kept with their files, so that one which cannot be saved is not lost.
    is_kept: bool,
}

impl SavedFiles {
    /// Saves into this folder, which is created if it does not exist.
    pub(super) fn in_folder(folder: &Path, is_kept: bool) -> anyhow::Result<Self> {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("cannot create the folder {} for received files", folder.display()))?;
        Ok(Self { is_kept, ..Self::with(folder, SAVED_FILES_MAX, SAVED_BYTES_MAX) })
    }

    fn with(folder: &Path, files_left: usize, bytes_left: usize) -> Self {
        Self { folder: folder.to_owned(), files_left, bytes_left, is_full: false, is_kept: false }
    }

    /// Saves the files of a body; returns for each where it is, if it was saved.
    pub(super) fn save(&mut self, content_type: &str, body: &Bytes) -> Vec<Option<String>> {
        let files = sip::content(content_type, body).files;
        files.iter().map(|file| self.save_one(file)).collect()
    }

    fn save_one(&mut self, file: &File) -> Option<String> {
        let room = self.bytes_left.checked_sub(file.bytes.len()).zip(self.files_left.checked_sub(1));
        let Some((bytes_left, files_left)) = room else {
            if !std::mem::replace(&mut self.is_full, true) {
                note(&format!(
                    "{} is not saved, and others may not be either: one run saves at most {SAVED_FILES_MAX} files and \
                     {SAVED_BYTES_MAX} bytes",
                    file.called()
                ));
            }
            return None;
        };
        match save_into(&self.folder, file) {
            Ok(path) => {
                (self.bytes_left, self.files_left) = (bytes_left, files_left);
                Some(path.display().to_string())
            }
            Err(error) => {
                note(&format!(
                    "{} cannot be saved in {}: {}",
                    file.called(),
                    self.folder.display(),
                    system_words(&error)
                ));
                HAS_LOST.fetch_or(!self.is_kept, Ordering::Relaxed);
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: &str = "multipart/mixed;boundary=b";
    const BODY: &[u8] =
        b"--b\r\nContent-Type: image/png\r\nContent-Disposition: attachment; filename=\"../a.png\"\r\n\r\n\
        123\r\n--b\r\nContent-Type: text/plain\r\n\r\nHi\r\n--b\r\nContent-Type: image/png\r\n\
        Content-Disposition: attachment; filename=\"a.png\"\r\n\r\n45678\r\n--b--\r\n";

    #[test]
    fn files_are_saved_under_safe_names_and_nothing_is_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let inside = folder.path().join("new/files");
        let saved = SavedFiles::in_folder(&inside, false).unwrap().save(TWO, &Bytes::from_static(BODY));
        let path = |name: &str| inside.join(name).display().to_string();
        assert_eq!(saved, [Some(path("a.png")), Some(path("a (1).png"))]);
        assert_eq!(std::fs::read(inside.join("a.png")).unwrap(), b"123");
        assert_eq!(std::fs::read(inside.join("a (1).png")).unwrap(), b"45678");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn w31_what_strangers_send_does_not_fill_the_disk() {
        let folder = tempfile::tempdir().unwrap();
        let body = Bytes::from_static(BODY);
        let mut few = SavedFiles::with(folder.path(), 3, 1000);
        assert_eq!(few.save(TWO, &body).iter().flatten().count(), 2);
        let saved = few.save(TWO, &body);
        assert_eq!((saved[0].is_some(), saved[1].is_some()), (true, false));
        let mut small = SavedFiles::with(folder.path(), 100, 7);
        let saved = small.save(TWO, &body);
        assert_eq!((saved[0].is_some(), saved[1].is_some()), (true, false), "3 of 7 bytes, and 5 more");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 4);
    }
}
