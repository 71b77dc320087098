//! What the hosted server passes on for the person who hosts it, shown beside what passes at the person's own window.

use std::io::{BufReader, Write as _};
use std::os::unix::net::UnixStream;

use super::Keeper;
use crate::hosting::process::WATCH;
use crate::runtime::wire_frames::read_frame;
use crate::runtime::wire_tap::WireTap;

impl Keeper {
    /// Tells the process whose messages are to be shown.
    pub(super) fn pass_on_watched(&mut self) {
        let whose = self.watched.as_deref().unwrap_or_default();
        if let Some(running) = &mut self.running
            && let Err(error) = writeln!(running.input, "{WATCH} {whose}")
        {
            tracing::error!(%error, "the hosted server cannot be told whose messages to show");
        }
    }
}

/// Shows what the process tells, until it ends.
pub(super) fn show_legs(mut output: BufReader<UnixStream>, wire: &WireTap) {
    loop {
        match read_frame(&mut output) {
            Ok(Some(entry)) => {
                wire.record_marked(entry.at, entry.direction, entry.flow, &entry.bytes, entry.mark);
            }
            Ok(None) => return,
            Err(error) => {
                tracing::error!(%error, "what the hosted server passes on is no longer shown");
                std::io::copy(&mut output, &mut std::io::sink()).unwrap_or_default();
                return;
            }
        }
    }
}
