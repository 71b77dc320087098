//! `--trace` of `send` and `listen`: every message that passes is printed on standard error.

use std::cell::Cell;

use super::output::{tell, utc};
use crate::limits::TRACE_SHOWN_BYTES_MAX;
use crate::model::text::counted;
use crate::runtime::wire_tap::{Direction, WireEntry, WireTap};

/// What is printed so far.
#[derive(Debug)]
pub(super) struct Trace {
    /// None without `--trace`.
    tap: Option<WireTap>,
    next: Cell<u64>,
}

impl Trace {
    /// Prints nothing.
    pub(super) const fn off() -> Self {
        Self { tap: None, next: Cell::new(0) }
    }

    /// Prints what passes at its [tap](Self::tap), if that is asked for.
    pub(super) fn new(is_asked_for: bool) -> Self {
        Self { tap: is_asked_for.then(WireTap::new), next: Cell::new(0) }
    }

    /// Where the messages are to be recorded.
    pub(super) fn tap(&self) -> Option<WireTap> {
        self.tap.clone()
    }

    /// Prints what has passed since the last call.
    pub(super) fn print(&self) {
        let Some(tap) = &self.tap else { return };
        let unseen = tap.since(self.next.get());
        self.next.set(unseen.next);
        if unseen.lost > 0 {
            let lost = usize::try_from(unseen.lost).unwrap_or(usize::MAX);
            tell(&format!("{} passed too fast to be shown", counted(lost, "message", "messages")));
        }
        for entry in &unseen.entries {
            tell(&text(entry));
        }
    }
}

/// One message for people: when, which way, over which flow; then the message itself. What others wrote in it is made
/// safe where it is printed.
fn text(entry: &WireEntry) -> String {
    let bytes = &entry.bytes;
    let (word, arrow) = match entry.direction {
        Direction::Received => ("received", "<-"),
        Direction::Sent => ("sent", "->"),
    };
    let (flow, length) = (entry.flow, bytes.len());
    let head = format!("{} {word} {} {} {arrow} {}", utc(entry.at), flow.transport, flow.local, flow.remote);
    if bytes.trim_ascii().is_empty() {
        return format!("{head}, a keep-alive");
    }
    let shown = bytes.get(..TRACE_SHOWN_BYTES_MAX).unwrap_or(bytes);
    let rest = match length - shown.len() {
        0 => String::new(),
        rest => format!("\n({rest} more bytes)"),
    };
    format!("{head}, {length} bytes\n{}{rest}", String::from_utf8_lossy(shown).trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::Flow;
    use crate::terminal::shown;
    use crate::time::Timestamp;
    use bytes::Bytes;

    fn entry(direction: Direction, bytes: &[u8]) -> WireEntry {
        let flow = Flow::udp(([127, 0, 0, 1], 40_000).into(), ([127, 0, 0, 1], 5060).into());
        let (at, bytes) = (Timestamp::from_millis(1_764_636_000_007), Bytes::copy_from_slice(bytes));
        WireEntry { at, direction, flow, bytes, mark: None }
    }

    #[test]
    fn a_message_is_shown_with_its_time_its_way_and_its_flow_and_nothing_in_it_acts() {
        let sent = entry(Direction::Sent, b"OPTIONS sip:a@b SIP/2.0\r\nTo: \x1b[2J\r\n\r\n");
        assert_eq!(
            shown(&text(&sent)),
            "2025-12-02T00:40:00.007Z sent UDP 127.0.0.1:40000 -> 127.0.0.1:5060, 37 bytes\n    \
             OPTIONS sip:a@b SIP/2.0\n    To: ⟨U+001B⟩[2J"
        );
        let received = entry(Direction::Received, b"\r\n\r\n");
        assert_eq!(
            text(&received),
            "2025-12-02T00:40:00.007Z received UDP 127.0.0.1:40000 <- 127.0.0.1:5060, a keep-alive"
        );
    }

    #[test]
    fn of_a_long_message_the_rest_is_counted() {
        let long = entry(Direction::Sent, &vec![b'x'; TRACE_SHOWN_BYTES_MAX + 5]);
        assert!(text(&long).ends_with("xx\n(5 more bytes)"));
    }
}
