//! What a proxy in a process of its own tells the window: each message that passed, as a line that describes it and its bytes.

use std::io::{self, BufRead, Read as _, Write};
use std::sync::mpsc::Receiver;
use std::time::Duration;

use bytes::Bytes;

use super::wire_tap::{Direction, WireEntry, WireTap};
use crate::injection::{Mark, Tampering};
use crate::limits::WIRE_BYTES_MAX;
use crate::machine::{ConnectionId, Flow};
use crate::sip::Transport;
use crate::time::{Skew, Timestamp};

/// Tells another process what passes here.
#[derive(Debug)]
pub struct Telling<W> {
    tap: WireTap,
    skew: Skew,
    out: W,
    next: u64,
}

impl<W: Write> Telling<W> {
    /// Tells `out` what `tap` has. The clock of the other process is right, whatever fault (`skew`) is on ours.
    pub const fn new(tap: WireTap, skew: Skew, out: W) -> Self {
        Self { tap, skew, out, next: 0 }
    }

    /// Tells those messages for which `is_told` is true, as they pass, until `has_ended`; `woken` is what the tap wakes.
    ///
    /// # Errors
    /// The other process cannot be told.
    pub fn tell_until(
        &mut self,
        woken: &Receiver<()>,
        is_told: impl Fn(&WireEntry) -> bool,
        has_ended: impl Fn() -> bool,
    ) -> io::Result<()> {
        while !has_ended() {
            self.tap.wake_once();
            self.tell(&is_told)?;
            if woken.recv().is_err() {
                break;
            }
        }
        Ok(())
    }

    /// Tells what has passed since the last time.
    ///
    /// # Errors
    /// The other process cannot be told.
    pub fn tell(&mut self, is_told: impl Fn(&WireEntry) -> bool) -> io::Result<()> {
        let unseen = self.tap.since(self.next);
        self.next = unseen.next;
        for mut entry in unseen.entries.into_iter().filter(is_told) {
            entry.at = self.skew.system_time(entry.at);
            write_frame(&mut self.out, &entry)?;
        }
        self.out.flush()
    }
}

/// Writes one message.
fn write_frame(out: &mut impl Write, entry: &WireEntry) -> io::Result<()> {
    let way = match entry.direction {
        Direction::Received => "received",
        Direction::Sent => "sent",
    };
    let Flow { transport, local, remote, connection } = entry.flow;
    let connection = connection.map_or_else(|| "-".to_owned(), |connection| connection.0.to_string());
    let (at, transport, mark) = (entry.at.as_millis(), transport.as_str(), mark_word(entry.mark));
    writeln!(out, "{at} {way} {transport} {local} {remote} {connection} {mark} {}", entry.bytes.len())?;
    out.write_all(&entry.bytes)
}

/// Reads each one, until the other process ends.
///
/// # Errors
/// It is no frame, or the other process cannot be read.
pub fn read_frames(input: &mut impl BufRead, mut take: impl FnMut(WireEntry)) -> io::Result<()> {
    while let Some(entry) = read_frame(input)? {
        take(entry);
    }
    Ok(())
}

/// Reads the next one; None at the end.
fn read_frame(input: &mut impl BufRead) -> io::Result<Option<WireEntry>> {
    let mut line = String::new();
    if input.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let wrong = || io::Error::other("the proxy's process has written what is no message");
    let (mut entry, length) = entry(line.trim_end()).ok_or_else(wrong)?;
    if length > WIRE_BYTES_MAX {
        return Err(wrong());
    }
    let mut bytes = Vec::with_capacity(length);
    input.take(u64::try_from(length).unwrap_or(u64::MAX)).read_to_end(&mut bytes)?;
    if bytes.len() < length {
        // The process was killed while it wrote.
        return Ok(None);
    }
    entry.bytes = bytes.into();
    Ok(Some(entry))
}

/// What a line describes, without its bytes, and how many those are.
fn entry(line: &str) -> Option<(WireEntry, usize)> {
    let words: Vec<_> = line.split(' ').collect();
    let [at, way, transport, local, remote, connection, mark, length] = words.try_into().ok()?;
    let flow = Flow {
        transport: Transport::parse(transport)?,
        local: local.parse().ok()?,
        remote: remote.parse().ok()?,
        connection: match connection {
            "-" => None,
            number => Some(ConnectionId(number.parse().ok()?)),
        },
    };
    let direction = match way {
        "received" => Direction::Received,
        "sent" => Direction::Sent,
        _ => return None,
    };
    let at = Timestamp::from_millis(at.parse().ok()?);
    let mark = if mark == "-" { None } else { Some(mark_of(mark)?) };
    let entry = WireEntry { at, direction, flow, bytes: Bytes::new(), mark };
    Some((entry, length.parse().ok()?))
}

fn mark_word(mark: Option<Mark>) -> String {
    match mark {
        None => "-".to_owned(),
        Some(Mark::Lost) => "lost".to_owned(),
        Some(Mark::Cut) => "cut".to_owned(),
        Some(Mark::Arrived { late, is_double, tampering }) => {
            let tampering = match tampering {
                None => "whole",
                Some(Tampering::Truncated) => "truncated",
                Some(Tampering::Forged) => "forged",
            };
            format!("{},{},{tampering}", late.as_micros(), if is_double { "twice" } else { "once" })
        }
    }
}

fn mark_of(word: &str) -> Option<Mark> {
    match word {
        "lost" => return Some(Mark::Lost),
        "cut" => return Some(Mark::Cut),
        _ => {}
    }
    let words: Vec<_> = word.split(',').collect();
    let [late, times, tampering] = words.try_into().ok()?;
    let tampering = match tampering {
        "whole" => None,
        "truncated" => Some(Tampering::Truncated),
        "forged" => Some(Tampering::Forged),
        _ => return None,
    };
    let late = Duration::from_micros(late.parse().ok()?);
    Some(Mark::Arrived { late, is_double: times == "twice", tampering })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again_and_what_is_cut_off_ends_it() {
        let flow = Flow::udp(([127, 0, 0, 1], 5060).into(), ([127, 0, 0, 1], 40_000).into());
        let stream = Flow { transport: Transport::Wss, connection: Some(ConnectionId(u64::MAX)), ..flow };
        let late = Duration::from_micros(1500);
        let entries = [
            (Direction::Sent, flow, &b"\r\n\r\n"[..], None),
            (Direction::Received, stream, b"", Some(Mark::Lost)),
            (Direction::Sent, stream, b"\xff 5\n", Some(Mark::Cut)),
            (Direction::Sent, flow, b"x", Some(Mark::Arrived { late, is_double: true, tampering: None })),
            (
                Direction::Received,
                flow,
                b"y",
                Some(Mark::Arrived { late, is_double: false, tampering: Some(Tampering::Forged) }),
            ),
        ]
        .map(|(direction, flow, bytes, mark)| WireEntry {
            at: Timestamp::from_millis(1_800_000_000_123),
            direction,
            flow,
            bytes: Bytes::copy_from_slice(bytes),
            mark,
        });
        let mut written = Vec::new();
        entries.iter().for_each(|entry| write_frame(&mut written, entry).unwrap());
        let mut input = &written[..];
        let read: Vec<_> = std::iter::from_fn(|| read_frame(&mut input).unwrap()).collect();
        assert_eq!(read, entries);
        let mut cut = &written[..written.len() - 1];
        assert_eq!(std::iter::from_fn(|| read_frame(&mut cut).unwrap()).count(), entries.len() - 1);
        for wrong in ["hello\n", "1 sent UDP 127.0.0.1:1 127.0.0.1:2 - - 99999999999\n"] {
            read_frame(&mut wrong.as_bytes()).unwrap_err();
        }
    }
}
