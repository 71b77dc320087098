//! Saves a file from a message into the downloads folder under its own name, never overwriting an existing file.

use std::fs::OpenOptions;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use directories::UserDirs;

use crate::model::command::Notice;
use crate::model::journal::MessageId;
use crate::sip::{File, content};
use crate::store::history::{History, Reader, StoredMessage};

use super::out::Out;

/// Most characters kept of a file's name.
const NAME_CHARS_MAX: usize = 100;
/// Names tried before giving up: `cat.png`, `cat (1).png`, ...
const NAMES_TRIED_MAX: u32 = 1000;

/// Saves a file of a message on the history's thread and reports the result; false if too much is waiting there.
pub(super) fn save(history: &History, message: MessageId, file: usize, out: &Arc<Out>) -> bool {
    let out = Arc::clone(out);
    history.ask(move |reader| {
        let saved = downloads().and_then(|folder| save_into(&folder, &read(reader, message, file)?));
        out.tell(match saved {
            Ok(path) => Notice::Saved(path),
            Err(error) => Notice::Problem(format!("The file could not be saved: {error}.")),
        });
    })
}

fn downloads() -> io::Result<PathBuf> {
    let dirs = UserDirs::new().ok_or_else(|| io::Error::other("this account has no home folder"))?;
    Ok(dirs.download_dir().unwrap_or_else(|| dirs.home_dir()).to_owned())
}

fn read(reader: &Reader<'_>, message: MessageId, file: usize) -> io::Result<File> {
    let stored = reader.message(message).map_err(io::Error::other)?;
    let content = stored.map(|stored| match stored {
        StoredMessage::Ours(rows) => content(&rows.outgoing.content_type, &rows.outgoing.body),
        StoredMessage::Theirs(row) => content(&row.content_type, &row.body),
    });
    let file = content.and_then(|content| content.files.into_iter().nth(file));
    file.ok_or_else(|| io::Error::other("it is not there any more"))
}

fn save_into(folder: &Path, file: &File) -> io::Result<PathBuf> {
    let name = safe_name(file);
    let (stem, ending) = match name.rsplit_once('.') {
        Some((stem, ending)) if !stem.is_empty() => (stem.to_owned(), format!(".{ending}")),
        Some(_) | None => (name, String::new()),
    };
    for number in 0..NAMES_TRIED_MAX {
        let number = if number == 0 { String::new() } else { format!(" ({number})") };
        let path = folder.join(format!("{stem}{number}{ending}"));
        // An existing file is never overwritten, nor is a symbolic link followed.
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(mut to) => {
                to.write_all(&file.bytes)?;
                return Ok(path);
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::other("there are too many files of that name"))
}

/// A safe file name for this system, from a name that a stranger chose.
fn safe_name(file: &File) -> String {
    let given = file.name.as_deref().unwrap_or_default();
    let last = given.rsplit(['/', '\\']).next().unwrap_or_default();
    let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '.' | '-' | '_' | '(' | ')' | '+' | ',');
    let name: String = last.chars().filter(kept).take(NAME_CHARS_MAX).collect();
    let name = name.trim_matches(['.', ' ']);
    if !name.is_empty() {
        return name.to_owned();
    }
    let subtype = file.media_type.split('/').nth(1).unwrap_or_default();
    let is_plain = !subtype.is_empty() && subtype.chars().all(|c| c.is_ascii_alphanumeric());
    format!("file.{}", if is_plain { subtype } else { "bin" })
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn file(name: Option<&str>, media_type: &str) -> File {
        File { name: name.map(str::to_owned), media_type: media_type.into(), bytes: Bytes::from_static(b"x") }
    }

    #[test]
    fn a_name_leads_nowhere_else_and_hides_nothing() {
        let table = [
            (Some("../../.bashrc"), "bashrc"),
            (Some("C:\\autoexec.bat"), "autoexec.bat"),
            (Some("a\u{202E}gnp.exe"), "agnp.exe"),
            (Some("Gr\u{fc}\u{df}e (2).txt"), "Gr\u{fc}\u{df}e (2).txt"),
            (Some(".."), "file.png"),
            (None, "file.png"),
        ];
        for (given, name) in table {
            assert_eq!(safe_name(&file(given, "image/png")), name);
        }
        assert_eq!(safe_name(&file(None, "application/x-odd+zip")), "file.bin");
        assert_eq!(safe_name(&file(Some(&"x".repeat(500)), "a/b")).len(), NAME_CHARS_MAX);
    }

    #[test]
    fn nothing_that_is_there_is_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let names: Vec<_> = (0..3)
            .map(|_| save_into(folder.path(), &file(Some("cat.png"), "image/png")).unwrap())
            .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
            .collect();
        assert_eq!(names, ["cat.png", "cat (1).png", "cat (2).png"]);
        assert_eq!(std::fs::read(folder.path().join("cat.png")).unwrap(), b"x");
        assert!(save_into(Path::new("/nonexistent"), &file(None, "a/b")).is_err());
    }
}
