//! Standard output and standard error: the only code that writes to them.
//!
//! What is printed may contain text from strangers, so all of it goes through [`terminal`].

use std::io::{self, IsTerminal, Write};

use crate::terminal;

/// Prints a line for people, flushed at once; further lines of the text are indented. A closed pipe is not an error.
pub fn say(text: &str) {
    print(&mut io::stdout().lock(), &terminal::shown(text));
}

/// Prints a line of JSON, flushed at once.
pub fn say_json(text: &str) {
    print(&mut io::stdout().lock(), &terminal::json(text));
}

/// Prints a text for a file or another program as it is; on a terminal, line by line for people.
pub fn put(text: &str) {
    let mut out = io::stdout().lock();
    if out.is_terminal() {
        text.lines().for_each(|line| print(&mut out, &terminal::shown(line)));
    } else {
        out.write_all(text.as_bytes()).and_then(|()| out.flush()).ok();
    }
}

/// Prints a line on standard error.
pub fn complain(text: &str) {
    print(&mut io::stderr().lock(), &terminal::shown(text));
}

/// Writes a text as it is to standard output; whoever made it has made texts of others in it safe.
///
/// # Errors
/// The pipe is closed, or the disk is full.
pub fn write(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

fn print(out: &mut impl Write, line: &str) {
    writeln!(out, "{line}").and_then(|()| out.flush()).ok();
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
