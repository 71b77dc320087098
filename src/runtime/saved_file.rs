//! Saves a file that somebody sent into a folder under its own name, never overwriting an existing file.

use std::fs::Permissions;
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::sip::File;

/// Most bytes of a file's name: what file systems take, and room for the ` (1)` of a second file of that name.
const NAME_BYTES_MAX: usize = 255;
/// Longest ending that is kept whole.
const ENDING_BYTES_MAX: usize = 40;
/// Names tried before giving up: `cat.png`, `cat (1).png`, ...
const NAMES_TRIED_MAX: u32 = 1000;

/// Saves a file there under its own name; nothing is overwritten.
///
/// # Errors
/// It cannot be written there, or there are too many files of that name.
pub fn save_into(folder: &Path, file: &File) -> io::Result<PathBuf> {
    save_with(folder, file, for_everybody(), |to| to.write_all(&file.bytes))
}

/// The same, readable by the user alone: it says who wrote what to whom.
///
/// # Errors
/// The same.
pub fn save_private(folder: &Path, file: &File) -> io::Result<PathBuf> {
    save_with(folder, file, Permissions::from_mode(0o600), |to| to.write_all(&file.bytes))
}

/// Saves a file at the path that the user chose, in place of what is there; a full disk leaves that as it was.
///
/// # Errors
/// It cannot be written there.
pub fn save_as(path: &Path, file: &File) -> io::Result<()> {
    let folder =
        path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    let mut aside =
        tempfile::Builder::new().prefix(".fanfare-").permissions(for_everybody()).tempfile_in(folder)?;
    aside.write_all(&file.bytes)?;
    aside.persist(path).map_err(|refused| refused.error)?;
    Ok(())
}

/// Writes the file aside and renames it once it is complete, so that a full disk leaves nothing behind.
fn save_with(
    folder: &Path,
    file: &File,
    permissions: Permissions,
    write: impl FnOnce(&mut std::fs::File) -> io::Result<()>,
) -> io::Result<PathBuf> {
    let name = safe_name(file);
    let (stem, ending) = match name.rsplit_once('.') {
        Some((stem, ending)) if !stem.is_empty() => (stem, format!(".{ending}")),
        Some(_) | None => (name.as_str(), String::new()),
    };
    let mut aside =
        tempfile::Builder::new().prefix(".fanfare-").permissions(permissions).tempfile_in(folder)?;
    write(aside.as_file_mut())?;
    for number in 0..NAMES_TRIED_MAX {
        let number = if number == 0 { String::new() } else { format!(" ({number})") };
        let path = folder.join(fitted(stem, &format!("{number}{ending}")));
        // An existing file is never overwritten, nor is a symbolic link followed.
        match aside.persist_noclobber(&path) {
            Ok(_) => return Ok(path),
            Err(refused) if refused.error.kind() == ErrorKind::AlreadyExists => aside = refused.file,
            Err(refused) => return Err(refused.error),
        }
    }
    Err(io::Error::other("there are too many files of that name"))
}

/// Like any new file: what the user's umask leaves of it.
fn for_everybody() -> Permissions {
    Permissions::from_mode(0o666)
}

/// The stem with as much of its end cut off as makes the whole name fit; what follows it stays.
fn fitted(stem: &str, rest: &str) -> String {
    let room = NAME_BYTES_MAX.saturating_sub(rest.len());
    let end = stem.floor_char_boundary(room);
    format!("{}{rest}", stem.get(..end).unwrap_or_default().trim_end())
}

/// A safe file name for this system, from a name that a stranger chose; it may still be too long.
fn safe_name(file: &File) -> String {
    let given = file.name.as_deref().unwrap_or_default();
    let last = given.rsplit(['/', '\\']).next().unwrap_or_default();
    let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '.' | '-' | '_' | '(' | ')' | '+' | ',');
    let name: String = last.chars().filter(kept).collect();
    let name = name.trim_matches(['.', ' ']);
    if !name.is_empty() {
        return shortened(name);
    }
    let subtype = file.media_type.split('/').nth(1).unwrap_or_default();
    let is_plain = !subtype.is_empty() && subtype.chars().all(|c| c.is_ascii_alphanumeric());
    format!("file.{}", if is_plain { shortened(subtype) } else { "bin".to_owned() })
}

/// A name of which the ending is an ending: one that is longer than any is part of the name.
fn shortened(name: &str) -> String {
    match name.rsplit_once('.') {
        Some((_, ending)) if ending.len() <= ENDING_BYTES_MAX => name.to_owned(),
        Some(_) | None => {
            let end = name.floor_char_boundary(NAME_BYTES_MAX - ENDING_BYTES_MAX);
            name.get(..end).unwrap_or_default().trim_end_matches(['.', ' ']).to_owned()
        }
    }
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

    #[test]
    fn where_the_user_chose_what_is_there_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("chosen.png");
        std::fs::write(&path, "what was there").unwrap();
        save_as(&path, &file(Some("cat.png"), "image/png")).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"x");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        assert!(save_as(Path::new("/nonexistent/a"), &file(None, "a/b")).is_err());
    }

    #[test]
    fn a_long_name_loses_its_end_and_keeps_its_ending() {
        let folder = tempfile::tempdir().unwrap();
        let saved = |name: &str| {
            let path = save_into(folder.path(), &file(Some(name), "a/b")).unwrap();
            path.file_name().unwrap().to_str().unwrap().to_owned()
        };
        let japanese = format!("{}.pdf", "\u{8cc7}\u{6599}".repeat(64));
        let first = saved(&japanese);
        assert!(first.starts_with("\u{8cc7}\u{6599}") && first.ends_with(".pdf"), "{first}");
        assert!((250..=NAME_BYTES_MAX).contains(&first.len()), "{}", first.len());
        let second = saved(&japanese);
        assert!(second.ends_with(" (1).pdf") && second.len() <= NAME_BYTES_MAX, "{second}");
        let latin = saved(&format!("{}.tar.gz", "x".repeat(500)));
        assert_eq!((latin.len(), latin.ends_with("x.gz") || latin.ends_with(".gz")), (NAME_BYTES_MAX, true));
        // What follows the last dot of this one is no ending.
        assert!(saved(&format!("a.{}", "y".repeat(400))).len() <= NAME_BYTES_MAX);
    }

    #[test]
    fn a_full_disk_leaves_no_part_of_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let full = |to: &mut std::fs::File| {
            to.write_all(b"the first half")?;
            Err(io::Error::from(ErrorKind::StorageFull))
        };
        let error =
            save_with(folder.path(), &file(Some("cat.png"), "image/png"), for_everybody(), full).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::StorageFull);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
