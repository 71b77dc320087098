//! Cuts messages out of a byte stream (RFC 3261 §18.3), with limits; keep-alives between them (RFC 5626 §4.4.1).

use bytes::{Buf, Bytes, BytesMut};

use super::cursor::number;
use super::error::Error;
use super::names::is_name;
use super::scan::head_end;
use crate::limits::{HEAD_BYTES_MAX, MESSAGE_BYTES_MAX};

/// Cuts messages out of a byte stream (RFC 3261 §18.3); CRLF keep-alives between messages are reported.
#[derive(Debug, Default)]
pub struct Framer {
    buffer: BytesMut,
    /// No head ends before this offset.
    searched: usize,
    /// Length of the first message, once its head is complete.
    wanted: Option<usize>,
    /// The last thing received was a lone CRLF.
    half_ping: bool,
    broken: Option<Error>,
}

/// An item in a stream.
#[derive(Debug, PartialEq, Eq)]
pub enum Framed {
    /// One whole message.
    Message(Bytes),
    /// CRLFCRLF: answer with CRLF (RFC 5626 §4.4.1)
    Ping,
    /// CRLF. The first half of a ping that arrived in two reads is also reported as this, before the ping.
    Pong,
}

impl Framer {
    /// Adds bytes read from the stream; then call [`Self::next`] until it returns None.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.broken.is_none() {
            self.buffer.extend_from_slice(bytes);
        }
    }

    /// None: more bytes are needed.
    ///
    /// # Errors
    /// The stream cannot be read any further (no Content-Length, or over a limit), now or later.
    #[expect(
        clippy::should_implement_trait,
        reason = "not an iterator: after None it goes on, after Err it does not"
    )]
    pub fn next(&mut self) -> Result<Option<Framed>, Error> {
        if let Some(error) = &self.broken {
            return Err(error.clone());
        }
        let next = self.cut();
        if let Err(error) = &next {
            self.broken = Some(error.clone());
            self.buffer = BytesMut::new();
        }
        next
    }

    /// True while part of a message has arrived and the rest has not.
    #[must_use]
    pub fn is_mid_message(&self) -> bool {
        !self.buffer.is_empty()
    }

    /// Bytes held until the rest of a message arrives.
    #[must_use]
    pub fn held(&self) -> usize {
        self.buffer.len()
    }

    fn cut(&mut self) -> Result<Option<Framed>, Error> {
        if self.wanted.is_none() {
            if self.searched == 0 {
                self.skip_line_feeds();
            }
            if self.buffer.first() == Some(&b'\r') && self.searched == 0 {
                match self.keep_alive() {
                    KeepAlive::Whole(framed) => return Ok(Some(framed)),
                    KeepAlive::Part => return Ok(None),
                    KeepAlive::No => {}
                }
            }
            self.wanted = self.find_length()?;
        }
        match self.wanted {
            Some(wanted) if self.buffer.len() >= wanted => {
                (self.wanted, self.searched, self.half_ping) = (None, 0, false);
                Ok(Some(Framed::Message(self.buffer.split_to(wanted).freeze())))
            }
            Some(_) | None => Ok(None),
        }
    }

    /// A lone LF before a message says nothing, and is no keep-alive either.
    fn skip_line_feeds(&mut self) {
        let count = self.buffer.iter().take_while(|byte| **byte == b'\n').count();
        self.buffer.advance(count);
    }

    fn keep_alive(&mut self) -> KeepAlive {
        if self.buffer.starts_with(b"\r\n\r\n") {
            self.buffer.advance(4);
            self.half_ping = false;
            return KeepAlive::Whole(Framed::Ping);
        }
        if self.buffer.starts_with(b"\r\n") {
            self.buffer.advance(2);
            // It is unknown here which side this is. A pong must be reported at once, and a ping split over two reads
            // must be answered; that two pongs in a row look like a ping costs the peer just two bytes to skip.
            self.half_ping = !self.half_ping;
            return KeepAlive::Whole(if self.half_ping { Framed::Pong } else { Framed::Ping });
        }
        if self.buffer.len() == 1 { KeepAlive::Part } else { KeepAlive::No }
    }

    /// Length of the first message, once its head is complete.
    fn find_length(&mut self) -> Result<Option<usize>, Error> {
        let end = head_end(&self.buffer, self.searched);
        if end.unwrap_or(self.buffer.len()) > HEAD_BYTES_MAX {
            return Err(Error::whole("head", "over the size limit").with_status(413));
        }
        let Some(end) = end else {
            self.searched = self.buffer.len();
            return Ok(None);
        };
        let body = body_length(self.buffer.get(..end).unwrap_or_default())?;
        match end.checked_add(body) {
            Some(length) if length <= MESSAGE_BYTES_MAX => Ok(Some(length)),
            Some(_) | None => Err(Error::whole("message", "over the size limit").with_status(413)),
        }
    }
}

enum KeepAlive {
    Whole(Framed),
    Part,
    No,
}

/// The value of Content-Length. The rest of the head may be malformed: then `parse` refuses this one message, and the
/// stream goes on. A response without one, though it must have one (RFC 3261 §20.14), has no body if it has no
/// Content-Type, which a body needs (§20.15): some programs answer so. A request without one ends the stream.
fn body_length(head: &[u8]) -> Result<usize, Error> {
    let is_response = head.get(..4).is_some_and(|start| start.eq_ignore_ascii_case(b"SIP/"));
    let mut has_type = false;
    let mut length: Option<usize> = None;
    let mut rest = head;
    while let Some(line) = next_line(&mut rest) {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else {
            continue;
        };
        let name = std::str::from_utf8(line.get(..colon).unwrap_or_default().trim_ascii_end());
        let is = |wanted: &str| name.is_ok_and(|name| is_name(name, wanted));
        has_type |= is_response && is("Content-Type");
        if !is("Content-Length") {
            continue;
        }
        let value = line.get(colon + 1..).unwrap_or_default().trim_ascii();
        if is_response && value.is_empty() {
            continue;
        }
        let this = std::str::from_utf8(value).ok().and_then(number);
        let this = this.ok_or_else(|| Error::whole("Content-Length", "not a length"))?;
        if length.is_some_and(|other| other != this) {
            return Err(Error::whole("Content-Length", "two that differ"));
        }
        length = Some(this);
    }
    let without = (is_response && !has_type).then_some(0);
    length.or(without).ok_or_else(|| Error::whole("Content-Length", "missing on a stream"))
}

/// Takes the next line, with its continuation lines, off `rest`.
fn next_line<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    if rest.is_empty() {
        return None;
    }
    let mut ends = memchr::memmem::find_iter(rest, b"\r\n");
    let end = ends.find(|end| !matches!(rest.get(end + 2), Some(b' ' | b'\t')));
    let end = end.unwrap_or(rest.len());
    let line = rest.get(..end)?;
    *rest = rest.get(end + 2..).unwrap_or_default();
    Some(line)
}
