//! Forwards a received message with changes (RFC 3261 §16.6, §16.7): the rest stays byte for byte.

use std::borrow::Cow;
use std::fmt::{self, Write as _};
use std::net::SocketAddr;

use bytes::Bytes;

use super::compose::{OneLine, write_field, write_top_via};
use super::cursor::{element_end, number, raw_elements};
use super::fields::Fields;
use super::message::{Message, Request, Response, parse};
use super::names::{CheckedField, is_name};
use super::scan::{Head, Span};
use super::uri::Uri;

/// A received message to be forwarded with changes: unknown header fields, order and body stay byte for byte.
#[derive(Debug)]
pub struct Edit<'a> {
    fields: &'a Fields,
    bytes: &'a [u8],
    /// Replaces the received start line.
    start: Option<String>,
    lines: Vec<EditedLine<'a>>,
    /// Replaces the received body.
    body: Option<Bytes>,
}

#[derive(Debug)]
enum EditedLine<'a> {
    Kept(&'a Span),
    New { name: String, value: Vec<u8> },
}

fn new_line<'a>(name: &str, value: impl fmt::Display) -> EditedLine<'a> {
    let mut bytes = Vec::new();
    // Writing to memory cannot fail.
    write!(OneLine(&mut bytes), "{value}").unwrap_or_default();
    EditedLine::New { name: name.to_owned(), value: bytes }
}

impl<'a> Edit<'a> {
    /// Starts from a request as it was received.
    #[must_use]
    pub fn request(request: &'a Request) -> Self {
        Self::of(request.fields(), request.bytes())
    }

    /// Starts from a response as it was received.
    #[must_use]
    pub fn response(response: &'a Response) -> Self {
        Self::of(response.fields(), response.bytes())
    }

    fn of(fields: &'a Fields, bytes: &'a [u8]) -> Self {
        let lines = fields.spans().iter().map(EditedLine::Kept).collect();
        Self { fields, bytes, start: None, lines, body: None }
    }

    /// Replaces the Request-URI; a response has none and stays unchanged.
    #[must_use]
    pub fn uri(mut self, uri: &Uri) -> Self {
        let mut words = self.fields.head().start_line().splitn(3, ' ');
        if let Some(method) = words.next().filter(|word| !word.contains('/')) {
            self.start = Some(format!("{method} {uri} SIP/2.0"));
        }
        self
    }

    /// Completes the topmost Via with where the request came from (RFC 3261 §18.2.1, RFC 3581 §4).
    #[must_use]
    pub fn came_from(mut self, source: SocketAddr) -> Self {
        let Some(at) = self.position("Via") else { return self };
        if let Some(line) = self.lines.get_mut(at) {
            let mut value = Vec::new();
            write_top_via(&mut value, &line.value(self.bytes), source);
            *line = EditedLine::New { name: line.name(self.fields).to_owned(), value };
        }
        self
    }

    /// Adds a field before the others of that name (Via, Record-Route); before all fields if there is none.
    #[must_use]
    pub fn push_front(mut self, name: &str, value: impl fmt::Display) -> Self {
        let at = self.position(name).unwrap_or(0);
        self.lines.insert(at, new_line(name, value));
        self
    }

    /// Adds a field after the others of that name; after all fields if there is none.
    #[must_use]
    pub fn push_back(self, name: &str, value: impl fmt::Display) -> Self {
        self.insert_back(name, new_line(name, value))
    }

    /// Adds every field of that name of another message after the others, byte for byte as it was received.
    #[must_use]
    pub fn push_back_from(self, name: &str, other: &Response) -> Self {
        let received = other.raw_fields().filter(|(this, _)| is_name(this, name));
        received.fold(self, |edit, (_, value)| {
            edit.insert_back(name, EditedLine::New { name: name.to_owned(), value: value.into_owned() })
        })
    }

    fn insert_back(mut self, name: &str, line: EditedLine<'a>) -> Self {
        let at = self.last_position(name).map_or(self.lines.len(), |last| last + 1);
        self.lines.insert(at, line);
        self
    }

    /// Replaces all fields of that name by one (added if there was none).
    #[must_use]
    pub fn set(mut self, name: &str, value: impl fmt::Display) -> Self {
        let at = self.position(name).unwrap_or(self.lines.len());
        self = self.remove(name);
        self.lines.insert(at, new_line(name, value));
        self
    }

    /// Removes all fields of that name.
    #[must_use]
    pub fn remove(mut self, name: &str) -> Self {
        let fields = self.fields;
        self.lines.retain(|line| !is_name(line.name(fields), name));
        self
    }

    /// Replaces the body.
    #[must_use]
    pub fn body(self, body: Bytes) -> Self {
        let edit = self.set("Content-Length", body.len());
        Self { body: Some(body), ..edit }
    }

    /// Keeps only those fields of that name whose value `keep` accepts.
    #[must_use]
    pub fn retain(mut self, name: &str, keep: impl Fn(&str) -> bool) -> Self {
        let fields = self.fields;
        self.lines.retain(|line| !is_name(line.name(fields), name) || keep(&line.text(fields)));
        self
    }

    /// Removes the topmost value (first element of a comma list) of Via or Route.
    #[must_use]
    pub fn pop(self, name: &str) -> Self {
        self.pop_many(name, 1)
    }

    /// Removes this many of the topmost values of Via or Route, and the empty elements before them.
    #[must_use]
    pub fn pop_many(mut self, name: &str, count: usize) -> Self {
        let (fields, bytes) = (self.fields, self.bytes);
        let mut left = count;
        self.lines.retain_mut(|line| {
            if left == 0 || !is_name(line.name(fields), name) {
                return true;
            }
            let value = line.value(bytes);
            let mut rest: &[u8] = &value;
            while left > 0 {
                let end = element_end(rest);
                let is_empty = rest.get(..end).unwrap_or_default().trim_ascii().is_empty();
                left -= usize::from(!is_empty);
                rest = rest.get(end + 1..).unwrap_or_default().trim_ascii();
                if rest.is_empty() {
                    return false;
                }
            }
            let rest = rest.trim_ascii().to_vec();
            let keep = !rest.is_empty();
            *line = EditedLine::New { name: line.name(fields).to_owned(), value: rest };
            keep
        });
        self
    }

    /// Removes the last value (last element of a comma list) of Route.
    #[must_use]
    pub fn pop_back(mut self, name: &str) -> Self {
        let (fields, bytes) = (self.fields, self.bytes);
        let has_any = |line: &EditedLine<'_>| raw_elements(&line.value(bytes)).any(|this| !this.is_empty());
        let last = self.lines.iter().rposition(|line| is_name(line.name(fields), name) && has_any(line));
        let Some(at) = last else {
            return self;
        };
        let line = self.lines.remove(at);
        let value = line.value(bytes);
        let mut kept: Vec<_> = raw_elements(&value).filter(|this| !this.is_empty()).collect();
        kept.pop();
        if !kept.is_empty() {
            let value = kept.join(&b", "[..]);
            let new = EditedLine::New { name: line.name(self.fields).to_owned(), value };
            self.lines.insert(at, new);
        }
        self
    }

    /// Removes one token from a comma list; the field goes if none is left.
    #[must_use]
    pub fn remove_token(mut self, name: &str, token: &str) -> Self {
        let (fields, bytes) = (self.fields, self.bytes);
        self.lines.retain_mut(|line| {
            if !is_name(line.name(fields), name) {
                return true;
            }
            let value = line.value(bytes);
            if !raw_elements(&value).any(|this| this.eq_ignore_ascii_case(token.as_bytes())) {
                return true;
            }
            let value = without_token(&value, token);
            let keep = !value.is_empty();
            *line = EditedLine::New { name: line.name(fields).to_owned(), value };
            keep
        });
        self
    }

    /// Sets Content-Length to the body's real length if the message had none; a received one was checked already.
    #[must_use]
    pub fn print(self) -> Bytes {
        let head = self.fields.head();
        let received = self.bytes.get(head.len()..).unwrap_or_default();
        let body = self.body.as_deref().unwrap_or(received);
        let mut out = Vec::with_capacity(self.bytes.len() + 512);
        let start = self.start.as_deref().map(str::as_bytes);
        out.extend_from_slice(start.unwrap_or_else(|| head.raw_start_line(self.bytes)));
        out.extend_from_slice(b"\r\n");
        let mut has_length = self.position("Content-Length").is_some();
        for line in &self.lines {
            match line {
                // Only a response has a length that cannot be read, which on a stream would hide where it ends.
                EditedLine::Kept(span) if self.hides_length(span) => has_length = false,
                EditedLine::Kept(span) => {
                    out.extend_from_slice(self.bytes.get(span.line()).unwrap_or_default());
                }
                EditedLine::New { name, value } => {
                    for piece in [name.as_bytes(), b": ", value, b"\r\n"] {
                        out.extend_from_slice(piece);
                    }
                }
            }
        }
        if !has_length {
            write_field(&mut out, "Content-Length", body.len());
        }
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(body);
        out.into()
    }

    fn hides_length(&self, span: &Span) -> bool {
        span.known() == CheckedField::ContentLength
            && number::<usize>(self.fields.head().value(span)).is_none()
    }

    fn last_position(&self, name: &str) -> Option<usize> {
        self.lines.iter().rposition(|line| is_name(line.name(self.fields), name))
    }

    fn position(&self, name: &str) -> Option<usize> {
        self.lines.iter().position(|line| is_name(line.name(self.fields), name))
    }
}

impl<'a> EditedLine<'a> {
    fn name<'s>(&'s self, fields: &'a Fields) -> &'s str {
        match self {
            Self::Kept(span) => fields.head().name(span),
            Self::New { name, .. } => name,
        }
    }

    fn value<'s>(&'s self, message: &'s [u8]) -> Cow<'s, [u8]> {
        match self {
            Self::Kept(span) => Head::raw_value(span, message),
            Self::New { value, .. } => Cow::Borrowed(value),
        }
    }

    fn text<'s>(&'s self, fields: &'a Fields) -> Cow<'s, str> {
        match self {
            Self::Kept(span) => Cow::Borrowed(fields.head().value(span)),
            Self::New { value, .. } => String::from_utf8_lossy(value),
        }
    }
}

/// A request without its body; anything else stays unchanged.
#[must_use]
pub fn without_body(bytes: &Bytes) -> Bytes {
    match parse(bytes.clone()) {
        Ok(Message::Request(request)) => Edit::request(&request).body(Bytes::new()).print(),
        Ok(Message::Response(_)) | Err(_) => bytes.clone(),
    }
}

/// A comma list without the elements equal to `token` in any case.
pub(super) fn without_token(value: &[u8], token: &str) -> Vec<u8> {
    let is_other = |this: &&[u8]| !this.is_empty() && !this.eq_ignore_ascii_case(token.as_bytes());
    raw_elements(value).filter(is_other).collect::<Vec<_>>().join(&b", "[..])
}
