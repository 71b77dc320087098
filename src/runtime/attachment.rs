//! Reads a local file to attach to a message.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::limits::MESSAGE_BYTES_MAX;
use crate::model::text::size;
use crate::sip::File;

/// Why a file cannot be attached.
#[derive(Debug, thiserror::Error)]
pub enum AttachError {
    /// The system does not allow reading it.
    #[error("{path} cannot be read: {why}", path = path.display(), why = words(error))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The reason.
        error: io::Error,
    },
    /// A folder, or a device.
    #[error("{path} is not a file", path = .0.display())]
    NoFile(PathBuf),
    /// It is empty.
    #[error("{path} is empty", path = .0.display())]
    Empty(PathBuf),
    /// It is larger than a message may be.
    #[error("{path} is too large for a message: it has {}, and the limit is {}", size(*bytes), size(MESSAGE_BYTES_MAX as u64), path = path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size.
        bytes: u64,
    },
}

/// Without the system's number of the error, for the usual ones.
fn words(error: &io::Error) -> String {
    let kind = error.kind();
    if kind == io::ErrorKind::NotFound {
        "there is no such file".to_owned()
    } else if kind == io::ErrorKind::PermissionDenied {
        "you may not read it".to_owned()
    } else {
        error.to_string()
    }
}

/// Reads a file, with its name and the media type that its name implies.
///
/// # Errors
/// Why it cannot be attached, as a sentence without full stop.
pub fn read(path: &Path) -> Result<File, AttachError> {
    let unreadable = |error| AttachError::Unreadable { path: path.to_owned(), error };
    let about = fs::metadata(path).map_err(unreadable)?;
    if !about.is_file() {
        return Err(AttachError::NoFile(path.to_owned()));
    }
    let most = u64::try_from(MESSAGE_BYTES_MAX).unwrap_or(u64::MAX);
    if about.len() > most {
        return Err(AttachError::TooLarge { path: path.to_owned(), bytes: about.len() });
    }
    let mut bytes = Vec::new();
    // The file may grow while it is read.
    fs::File::open(path).and_then(|file| file.take(most).read_to_end(&mut bytes)).map_err(unreadable)?;
    if bytes.is_empty() {
        return Err(AttachError::Empty(path.to_owned()));
    }
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
    let media_type = mime_guess::from_path(path).first_or_octet_stream().essence_str().to_owned();
    Ok(File { name, media_type, bytes: bytes.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_comes_with_its_name_and_what_it_is() {
        let folder = tempfile::tempdir().unwrap();
        for (name, media_type) in
            [("Katze.PNG", "image/png"), ("a.txt", "text/plain"), ("b", "application/octet-stream")]
        {
            let path = folder.path().join(name);
            fs::write(&path, "x").unwrap();
            let file = read(&path).unwrap();
            assert_eq!(
                (file.called(), file.media_type.as_str(), &file.bytes[..]),
                (name, media_type, &b"x"[..])
            );
        }
    }

    #[test]
    fn what_cannot_go_is_told_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let (empty, large) = (folder.path().join("empty"), folder.path().join("large.iso"));
        fs::write(&empty, "").unwrap();
        fs::File::create(&large).unwrap().set_len(5 << 30).unwrap();
        let cases = [
            (folder.path().join("gone"), "gone cannot be read: there is no such file"),
            (folder.path().to_owned(), "is not a file"),
            (empty, "empty is empty"),
            (large, "large.iso is too large for a message: it has 5368.7 MB, and the limit is 1.0 MB"),
        ];
        for (path, words) in cases {
            let why = read(&path).unwrap_err().to_string();
            assert!(why.contains(words), "{why}");
        }
    }
}
