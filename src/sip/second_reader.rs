//! Reads the same bytes with rsip, an independent implementation: for tests and for people to compare. It decides
//! nothing.
//!
//! A small normalizer runs first, because rsip refuses folded lines and blanks before a colon, does not know compact
//! names, and takes everything after the head for the body.

use rsip::SipMessage;
use rsip::message::HasHeaders as _;

use super::names::long_name;

/// A message as rsip reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The start line.
    pub start: Start,
    /// Names (long forms) and values in order.
    pub fields: Vec<(String, String)>,
    /// Cut to the length that Content-Length gives.
    pub body: Vec<u8>,
}

/// A start line as rsip reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// Method and Request-URI.
    Request {
        /// In upper case, whatever was written.
        method: String,
        /// As rsip prints it.
        uri: String,
    },
    /// The status; the phrase is lost if rsip knows the status.
    Response {
        /// 202 is read correctly; only rsip's own name for it is wrong.
        status: u16,
    },
}

/// Reads one message.
///
/// # Errors
/// In the words of rsip or of the normalizer.
pub fn read(bytes: &[u8]) -> Result<Reading, String> {
    let end = memchr::memmem::find(bytes, b"\r\n\r\n").ok_or("no blank line")?;
    let head = bytes.get(..end).unwrap_or_default();
    let head = std::str::from_utf8(head).map_err(|error| error.to_string())?;
    let lines = unfold(head);
    let length =
        lines.iter().find(|line| line.starts_with("Content-Length:")).and_then(|line| line.split(':').nth(1));
    let body = bytes.get(end + 4..).unwrap_or_default();
    let length = length
        .map_or(Ok(body.len()), |length| length.trim().parse::<usize>().map_err(|error| error.to_string()))?;
    let body = body.get(..length).ok_or("body is shorter than Content-Length")?;
    let head = format!("{}\r\n\r\n", lines.join("\r\n"));
    let message = SipMessage::try_from(head.as_bytes()).map_err(|error| error.to_string())?;
    let fields = message.headers().iter().map(|header| split(&header.to_string())).collect();
    let start = match &message {
        SipMessage::Request(request) => {
            Start::Request { method: request.method.to_string(), uri: request.uri.to_string() }
        }
        SipMessage::Response(response) => Start::Response { status: response.status_code.code() },
    };
    Ok(Reading { start, fields, body: body.to_vec() })
}

/// The start line, then one line per field with its name in long form.
fn unfold(head: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for line in head.split("\r\n") {
        match lines.last_mut() {
            Some(last) if line.starts_with([' ', '\t']) => {
                last.push(' ');
                last.push_str(line.trim_start());
            }
            None => lines.push(line.to_owned()),
            Some(_) => lines.push(line.split_once(':').map_or_else(
                || line.to_owned(),
                |(name, value)| format!("{}: {}", long_name(name.trim_end()), value.trim()),
            )),
        }
    }
    lines
}

fn split(line: &str) -> (String, String) {
    let (name, value) = line.split_once(':').unwrap_or((line, ""));
    (name.trim().to_owned(), value.trim().to_owned())
}
