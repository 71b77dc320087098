//! Saves a file of a message, or reads it for the window.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use directories::UserDirs;

use crate::model::command::Notice;
use crate::model::journal::MessageId;
use crate::sip::{File, content};
use crate::store::history::{History, Reader, StoredMessage};

use super::out::Out;
use crate::runtime::saved_file::{save_as, save_into, save_private};

/// A file: its message, and its index there.
type FileOf = (MessageId, usize);

/// Saves a file of a message on the history's thread and reports the result; false if too much is waiting there.
pub(super) fn save(history: &History, (message, file): FileOf, to: Option<PathBuf>, out: &Arc<Out>) -> bool {
    let out = Arc::clone(out);
    history.ask(move |reader| {
        let saved = match to {
            Some(path) => read(reader, message, file).and_then(|file| save_as(&path, &file).map(|()| path)),
            None => downloads().and_then(|folder| save_into(&folder, &read(reader, message, file)?)),
        };
        out.tell(match saved {
            Ok(path) => Notice::Saved(path),
            Err(error) => Notice::Problem(format!("The file could not be saved: {error}.")),
        });
    })
}

/// Reads a file of a message on the history's thread and gives it to the window; false if too much is waiting there.
pub(super) fn hand_over(history: &History, (message, file): FileOf, out: &Arc<Out>) -> bool {
    let out = Arc::clone(out);
    history.ask(move |reader| {
        let content = read(reader, message, file).ok();
        out.tell(Notice::FileRead { message, file, content });
    })
}

/// Saves a file that the window has made on a thread of its own and reports the result.
pub(super) fn save_made(file: File, out: &Arc<Out>) {
    let out = Arc::clone(out);
    tokio::task::spawn_blocking(move || {
        out.tell(match downloads().and_then(|folder| save_private(&folder, &file)) {
            Ok(path) => Notice::Saved(path),
            Err(error) => Notice::Problem(format!("The file could not be saved: {error}.")),
        });
    });
}

/// The folder for files that are saved.
pub(super) fn downloads() -> io::Result<PathBuf> {
    let dirs = UserDirs::new().ok_or_else(|| io::Error::other("this account has no home folder"))?;
    Ok(dirs.download_dir().unwrap_or_else(|| dirs.home_dir()).to_owned())
}

fn read(reader: &dyn Reader, message: MessageId, file: usize) -> io::Result<File> {
    let stored = reader.message(message).map_err(io::Error::other)?;
    let content = stored.map(|stored| match stored {
        StoredMessage::Ours(rows) => content(&rows.outgoing.content_type, &rows.outgoing.body),
        StoredMessage::Theirs(row) => content(&row.content_type, &row.body),
    });
    let file = content.and_then(|content| content.files.into_iter().nth(file));
    file.ok_or_else(|| io::Error::other("it is not there any more"))
}
