//! One window for each folder of messages: a second start hands what it was given over to the first, over a socket in that
//! folder, and ends. Only the user who owns the socket can connect to it.

use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::limits::LINK_BYTES_MAX;

/// The socket, beside the messages.
const SOCKET: &str = "window.socket";
/// What the window says once it has taken over what it was told.
const TAKEN: &[u8] = b"taken\n";
/// How long one side waits for the other.
const PATIENCE: Duration = Duration::from_secs(2);

/// Asks the window of this folder to show itself and to take this line, which may be empty. False if there is no window, or
/// none that answers.
#[must_use]
pub fn hand_over(folder: &Path, line: &str) -> bool {
    tell(folder, line).unwrap_or_else(|error| {
        tracing::debug!(%error, "no window takes over");
        false
    })
}

fn tell(folder: &Path, line: &str) -> io::Result<bool> {
    let mut window = UnixStream::connect(folder.join(SOCKET))?;
    window.set_read_timeout(Some(PATIENCE))?;
    window.set_write_timeout(Some(PATIENCE))?;
    window.write_all(format!("{line}\n").as_bytes())?;
    let mut answer = Vec::new();
    window.take(TAKEN.len() as u64).read_to_end(&mut answer)?;
    Ok(answer == TAKEN)
}

/// Waits for later starts until this is dropped.
#[derive(Debug)]
pub struct Doorbell {
    path: PathBuf,
}

impl Doorbell {
    /// Calls `ring` with the line of each later start, on a thread of its own. The caller has the lock of the messages in
    /// this folder: a socket that is there already was left behind by a process that has ended.
    ///
    /// # Errors
    /// The socket cannot be created.
    pub fn hang(folder: &Path, ring: impl Fn(&str) + Send + 'static) -> io::Result<Self> {
        // Before the first account, nothing else has made it.
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let path = folder.join(SOCKET);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        let listener = UnixListener::bind(&path)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
        std::thread::Builder::new().name("doorbell".to_owned()).spawn(move || {
            for visitor in listener.incoming() {
                if let Err(error) = visitor.and_then(|visitor| answer(visitor, &ring)) {
                    tracing::debug!(%error, "a second start is not understood");
                }
            }
        })?;
        Ok(Self { path })
    }
}

impl Drop for Doorbell {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.path) {
            tracing::debug!(%error, "the socket of the window stays");
        }
    }
}

/// Takes one line of at most [`LINK_BYTES_MAX`] bytes.
fn answer(mut visitor: UnixStream, ring: &impl Fn(&str)) -> io::Result<()> {
    visitor.set_read_timeout(Some(PATIENCE))?;
    visitor.set_write_timeout(Some(PATIENCE))?;
    let mut line = String::new();
    BufReader::new((&visitor).take(LINK_BYTES_MAX as u64 + 1)).read_line(&mut line)?;
    let line = line.strip_suffix('\n').ok_or(io::ErrorKind::InvalidData)?;
    ring(line);
    visitor.write_all(TAKEN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::sync_channel;

    #[test]
    fn a_second_start_hands_its_line_over_and_a_socket_left_behind_is_no_window() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("messages");
        assert!(!hand_over(&folder, "sip:a@b"), "nobody is there");
        drop(Doorbell::hang(&folder, |_| {}).unwrap());
        // As a process that was killed leaves it.
        drop(UnixListener::bind(folder.join(SOCKET)).unwrap());
        assert!(!hand_over(&folder, "sip:a@b"), "nobody is there any more");

        let (tell, told) = sync_channel(4);
        let bell = Doorbell::hang(&folder, move |line| tell.send(line.to_owned()).unwrap()).unwrap();
        let mode = fs::metadata(folder.join(SOCKET)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        for line in ["sip:ann@example.com?body=Hi", ""] {
            assert!(hand_over(&folder, line));
            assert_eq!(told.recv_timeout(PATIENCE).unwrap(), line);
        }
        assert!(!hand_over(&folder, &"x".repeat(LINK_BYTES_MAX + 1)), "too long");
        drop(UnixStream::connect(folder.join(SOCKET)).unwrap());
        assert!(hand_over(&folder, "later"), "what others do wrong does not end it");
        assert_eq!(told.recv_timeout(PATIENCE).unwrap(), "later");
        drop(bell);
        assert!(!folder.join(SOCKET).exists());
    }
}
