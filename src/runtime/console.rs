//! Standard output and standard error: the only code that writes to them.
//!
//! What is printed may contain text from strangers, so all of it goes through [`terminal`].
//!
//! **Invariant:** that something could not be printed on standard output is not forgotten: [`failure`] says so from then on,
//! and nothing more is printed there, so that no line can stand behind a gap.

use std::io::{self, IsTerminal, Write};
use std::sync::OnceLock;

use crate::terminal;

/// Why standard output could not be written, the first time that it could not.
static FAILURE: OnceLock<io::Error> = OnceLock::new();

/// Why something could not be printed on standard output; none if everything could.
#[must_use]
pub fn failure() -> Option<&'static io::Error> {
    FAILURE.get()
}

/// Notes that standard output could not be written; for what is printed there by others.
pub fn failed(error: io::Error) {
    FAILURE.set(error).ok();
}

/// Prints a line for people, flushed at once; further lines of the text are indented. See [`failure`].
pub fn say(text: &str) {
    to_stdout(|out| print(out, &terminal::shown(text)));
}

/// Prints a line of JSON, flushed at once. See [`failure`].
pub fn say_json(text: &str) {
    to_stdout(|out| print(out, &terminal::json(text)));
}

/// Prints a text for a file or another program as it is; on a terminal, line by line for people. See [`failure`].
pub fn put(text: &str) {
    to_stdout(|out| {
        if out.is_terminal() {
            text.lines().try_for_each(|line| print(out, &terminal::shown(line)))
        } else {
            out.write_all(text.as_bytes()).and_then(|()| out.flush())
        }
    });
}

fn to_stdout(print: impl FnOnce(&mut io::StdoutLock<'static>) -> io::Result<()>) {
    if failure().is_none()
        && let Err(error) = print(&mut io::stdout().lock())
    {
        failed(error);
    }
}

/// Prints a line on standard error.
pub fn complain(text: &str) {
    print(&mut io::stderr().lock(), &terminal::shown(text)).ok();
}

/// Writes a text as it is to standard output; whoever made it has made texts of others in it safe.
///
/// # Errors
/// The pipe is closed, or the disk is full; see also [`failure`].
pub fn write(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    if let Err(error) = &written {
        let system = error.raw_os_error().map(io::Error::from_raw_os_error);
        failed(system.unwrap_or_else(|| error.kind().into()));
    }
    written
}

fn print(out: &mut impl Write, line: &str) -> io::Result<()> {
    writeln!(out, "{line}").and_then(|()| out.flush())
}

/// Makes each event of the log safe for a terminal on its way to `W`; an event is written at once.
#[derive(Debug)]
pub struct SafeLog<W>(pub W);

impl<W: Write> Write for SafeLog<W> {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        let shown = terminal::shown(text.trim_end_matches('\n'));
        self.0.write_all(format!("{shown}\n").as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_of_the_log_is_one_line_with_its_rest_indented() {
        let mut written = Vec::new();
        SafeLog(&mut written).write_all(b"WARN no\x1b[31m\nERROR forged\xff\n").unwrap();
        assert_eq!(String::from_utf8(written).unwrap(), "WARN no⟨U+001B⟩[31m\n    ERROR forged\u{fffd}\n");
    }
}
