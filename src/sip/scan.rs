//! Finds the start line, header spans and body length in bytes (RFC 3261 §7), without parsing the fields' values.
//!
//! Line ends are CRLF; a lone CR or LF in the head is an error, since the next hop might see other lines than we do.
//! Only a response's head is repaired in that case, see [`mend`].

use std::borrow::Cow;

use super::charset::{HeaderCharset, header_text};
use super::cursor::is_token;
use super::error::Error;
use super::names::{CheckedField, is_name};
use crate::limits::{HEAD_BYTES_MAX, HEADER_FIELDS_MAX};

/// One header field: offsets in the message, which are the same in [`Head::text`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    start: usize,
    name_end: usize,
    value: usize,
    value_end: usize,
    end: usize,
    known: CheckedField,
}

impl Span {
    /// Which of the fields checked in every message it is.
    pub(super) fn known(&self) -> CheckedField {
        self.known
    }

    /// The whole line, or several if it is folded, with the last CRLF.
    pub(super) fn line(&self) -> std::ops::Range<usize> {
        self.start..self.end
    }
}

/// A value with non-ASCII bytes in a head that is not UTF-8.
#[derive(Debug)]
struct Foreign {
    at: usize,
    text: Box<str>,
    is_utf8: bool,
}

/// The head of a message, with its fields located.
#[derive(Debug)]
pub(super) struct Head {
    /// The head as text of the same length, with the CRLF of folded lines replaced by two spaces. If the head is not
    /// UTF-8, each non-ASCII byte is a `?` here, and `foreign` has the values with such bytes.
    text: Box<str>,
    /// In a head that is not UTF-8: the start line and values with non-ASCII bytes, by their offset.
    foreign: Vec<Foreign>,
    spans: Vec<Span>,
    start_line_end: usize,
}

impl Head {
    /// The start line without its CRLF.
    pub(super) fn start_line(&self) -> &str {
        self.text_at(0, self.start_line_end)
    }

    /// The start line without its CRLF, with its original bytes.
    pub(super) fn raw_start_line<'a>(&self, message: &'a [u8]) -> &'a [u8] {
        message.get(..self.start_line_end).unwrap_or_default()
    }

    /// Length of the head including the blank line.
    pub(super) fn len(&self) -> usize {
        self.text.len()
    }

    pub(super) fn spans(&self) -> &[Span] {
        &self.spans
    }

    /// The name as written.
    pub(super) fn name(&self, span: &Span) -> &str {
        self.text.get(span.start..span.name_end).unwrap_or_default()
    }

    /// The value, unfolded and trimmed.
    pub(super) fn value(&self, span: &Span) -> &str {
        self.text_at(span.value, span.value_end)
    }

    /// The bytes of the value, unfolded and trimmed, as they are passed on (RFC 3261 §16.3 step 1).
    pub(super) fn raw_value<'a>(span: &Span, message: &'a [u8]) -> Cow<'a, [u8]> {
        let value = message.get(span.value..span.value_end).unwrap_or_default();
        if !value.contains(&b'\n') {
            return Cow::Borrowed(value);
        }
        let unfold = |byte: &u8| if matches!(byte, b'\r' | b'\n') { b' ' } else { *byte };
        value.iter().map(unfold).collect()
    }

    fn text_at(&self, start: usize, end: usize) -> &str {
        self.foreign(start)
            .map_or_else(|| self.text.get(start..end).unwrap_or_default(), |foreign| &foreign.text)
    }

    fn foreign(&self, start: usize) -> Option<&Foreign> {
        let found = self.foreign.binary_search_by_key(&start, |foreign| foreign.at);
        found.ok().and_then(|index| self.foreign.get(index))
    }

    /// The charset in which [`Self::value`] was read.
    pub(super) fn charset(&self, span: &Span) -> HeaderCharset {
        match self.foreign(span.value) {
            Some(foreign) if !foreign.is_utf8 => HeaderCharset::Latin1,
            Some(_) | None => HeaderCharset::Utf8,
        }
    }

    /// The values of all fields of that (long) name.
    pub(super) fn every<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> + 'a {
        self.spans.iter().filter(move |span| is_name(self.name(span), name)).map(|span| self.value(span))
    }
}

/// Finds the start line and fields of the message that starts at the first byte.
pub(super) fn scan(bytes: &[u8]) -> Result<Head, Error> {
    let mut spans: Vec<Span> = Vec::with_capacity(16);
    let mut folds = Vec::new();
    let start_line_end = line_end(bytes, 0)?;
    let mut at = start_line_end + 2;
    loop {
        let end = line_end(bytes, at)?;
        if end == at {
            break;
        }
        if matches!(bytes.get(at), Some(b' ' | b'\t')) {
            // RFC 3261 §7.3.1: a line that starts with a blank continues the one before it.
            let Some(last) = spans.last_mut() else {
                return Err(Error::at("blank after start line", at).within("head", 0));
            };
            folds.push(at - 2);
            last.value_end = end;
            last.end = end + 2;
        } else {
            if spans.len() >= HEADER_FIELDS_MAX {
                return Err(Error::whole("head", "too many fields").with_status(413));
            }
            spans.push(field(bytes, at, end)?);
        }
        at = end + 2;
    }
    let head = unfold(bytes, at + 2, &folds);
    for span in &mut spans {
        trim(&head, span);
    }
    let (text, foreign) = match String::from_utf8(head) {
        Ok(text) => (text.into_boxed_str(), Vec::new()),
        Err(error) => text_of(error.as_bytes(), start_line_end, &spans),
    };
    Ok(Head { text, foreign, spans, start_line_end })
}

/// The message with its head repaired: each line ends with CRLF, and lines that are not header fields are removed.
/// Linear in its length.
pub(super) fn mend(bytes: &[u8]) -> Result<Vec<u8>, Error> {
    let mut out = Vec::with_capacity(bytes.len() + 64);
    let mut rest = bytes;
    let mut keeps_last = false;
    loop {
        let end = find_line_break(rest);
        let (line, behind) = rest.split_at_checked(end).unwrap_or_default();
        let Some(after) = after_line_break(behind) else {
            return Err(Error::at("ends early", bytes.len()).within("head", 0));
        };
        if out.len() + line.len() > HEAD_BYTES_MAX {
            return Err(Error::whole("head", "over the size limit").with_status(413));
        }
        let ended_by = behind.get(..behind.len() - after.len()).unwrap_or_default();
        rest = after;
        if line.is_empty() && ended_by.ends_with(b"\n") {
            break;
        }
        let is_continued = matches!(line.first(), Some(b' ' | b'\t'));
        let is_start_line = out.is_empty();
        let is_kept =
            if is_continued { keeps_last } else { is_start_line || field(line, 0, line.len()).is_ok() };
        // Nothing goes on with the start line.
        keeps_last = is_kept && !is_start_line;
        if is_kept {
            out.extend_from_slice(line);
            out.extend_from_slice(b"\r\n");
        }
    }
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(rest);
    Ok(out)
}

/// What follows a line end at the start: any number of CRs, and an optional LF.
fn after_line_break(bytes: &[u8]) -> Option<&[u8]> {
    let returns = bytes.iter().take_while(|byte| **byte == b'\r').count();
    let feeds = usize::from(bytes.get(returns) == Some(&b'\n'));
    bytes.get(returns + feeds..).filter(|_| returns + feeds > 0)
}

/// The end of the line that starts at `start`: the offset of its CRLF.
fn line_end(bytes: &[u8], start: usize) -> Result<usize, Error> {
    let rest = bytes.get(start..).unwrap_or_default();
    let end = start + find_line_break(rest);
    if end > HEAD_BYTES_MAX {
        return Err(Error::whole("head", "over the size limit").with_status(413));
    }
    match (bytes.get(end), bytes.get(end + 1)) {
        (Some(b'\r'), Some(b'\n')) => Ok(end),
        (None, _) | (Some(b'\r'), None) => Err(Error::at("ends early", end).within("head", 0)),
        _ => Err(Error::at("line end not CRLF", end).within("head", 0)),
    }
}

/// Offset of the first CR or LF; the length if there is none.
fn find_line_break(bytes: &[u8]) -> usize {
    // In steps of 16 bytes without branches, which the compiler turns into vector instructions.
    let is_break = |byte: &u8| (*byte == b'\r') | (*byte == b'\n');
    let (steps, _) = bytes.as_chunks::<16>();
    let has_none = |step: &&[u8; 16]| !step.iter().fold(false, |any, byte| any | is_break(byte));
    let start = steps.iter().take_while(has_none).count() * 16;
    let rest = bytes.get(start..).unwrap_or_default();
    start + rest.iter().position(is_break).unwrap_or(rest.len())
}

/// The end of the head including the blank line; `from` is where an earlier search without result stopped.
pub(super) fn head_end(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from.saturating_sub(3);
    loop {
        let rest = bytes.get(at..).filter(|rest| !rest.is_empty())?;
        at += find_line_break(rest);
        if bytes.get(at..)?.starts_with(b"\r\n\r\n") {
            return Some(at + 4);
        }
        at += 1;
    }
}

/// The field in the line `start..end`.
fn field(bytes: &[u8], start: usize, end: usize) -> Result<Span, Error> {
    let line = bytes.get(start..end).unwrap_or_default();
    let length = line.iter().take_while(|byte| is_token(**byte)).count();
    let (name, rest) = line.split_at_checked(length).unwrap_or_default();
    let blanks = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    if name.is_empty() || rest.get(blanks) != Some(&b':') {
        return Err(Error::at("no field name", start).within("head", 0));
    }
    let name_end = start + length;
    let (value, known) = (name_end + blanks + 1, CheckedField::of(name));
    Ok(Span { start, name_end, value, value_end: end, end: end + 2, known })
}

/// The head with the CRLF of folds replaced by spaces.
fn unfold(bytes: &[u8], end: usize, folds: &[usize]) -> Vec<u8> {
    let mut head = bytes.get(..end).unwrap_or_default().to_vec();
    for fold in folds {
        head.iter_mut().skip(*fold).take(2).for_each(|byte| *byte = b' ');
    }
    head
}

/// The text of a head that is not UTF-8: only what is needed must be readable (RFC 3261 §16.3 step 1).
fn text_of(head: &[u8], start_line_end: usize, spans: &[Span]) -> (Box<str>, Vec<Foreign>) {
    let places = spans.iter().map(|span| (span.value, span.value_end));
    let values = std::iter::once((0, start_line_end)).chain(places);
    let values = values.map(|(start, end)| (start, head.get(start..end).unwrap_or_default()));
    let foreign = values.filter(|(_, value)| !value.is_ascii());
    let foreign = foreign.map(|(at, value)| {
        let is_utf8 = std::str::from_utf8(value).is_ok();
        Foreign { at, text: header_text(value).into(), is_utf8 }
    });
    let foreign = foreign.collect();
    let ascii = |byte: &u8| if byte.is_ascii() { char::from(*byte) } else { '?' };
    (head.iter().map(ascii).collect::<String>().into(), foreign)
}

fn trim(head: &[u8], span: &mut Span) {
    let value = head.get(span.value..span.value_end).unwrap_or_default();
    let is_blank = |byte: &&u8| matches!(byte, b' ' | b'\t');
    let front = value.iter().take_while(is_blank).count();
    if front == value.len() {
        span.value_end = span.value;
    } else {
        span.value_end -= value.iter().rev().take_while(is_blank).count();
        span.value += front;
    }
}

/// Counts the bytes of the line ends before a start line: CRLF (RFC 3261 §7.5), or a lone LF.
pub(super) fn leading_line_ends(bytes: &[u8]) -> usize {
    let mut rest = bytes;
    while let Some(after) = rest.strip_prefix(b"\r\n").or_else(|| rest.strip_prefix(b"\n")) {
        rest = after;
    }
    bytes.len() - rest.len()
}
