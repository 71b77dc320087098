//! `application/delivery-report`, parsed and printed (W20, W21).

use std::fmt::Write as _;
use std::time::Duration;

use super::charset::header_text;
use super::cursor::{Cursor, is_token, number, quote};
use super::error::Error;
use super::header::{Param, next_param};
use super::message::kept_reason;
use super::uri::check_uri;
use crate::limits::{REPORT_DATAGRAM_BYTES_MAX, REPORT_LINES_MAX};

const SUBJECT: &str = "delivery-report";

/// A recipient's reported state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReportState {
    /// Delivered.
    Success,
    /// Not delivered, for good.
    Failure,
    /// Outcome not known yet.
    Pending,
    /// Waits until the recipient is back online.
    Deferred,
    /// A word from a later version than this reader, as written.
    Unknown(String),
}

/// One recipient's line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportLine {
    /// As spelled in the submission.
    pub address: String,
    /// The state.
    pub state: ReportState,
    /// The status of the response that decided it.
    pub status: Option<u16>,
    /// The reason phrase.
    pub reason: Option<String>,
    /// How often the leg was transmitted.
    pub tries: Option<u32>,
    /// Time since the acceptance.
    pub after: Option<Duration>,
}

impl ReportState {
    fn of(word: &str) -> Self {
        let known = [Self::Success, Self::Failure, Self::Pending, Self::Deferred];
        let found = known.into_iter().find(|state| word.eq_ignore_ascii_case(state.as_str()));
        found.unwrap_or_else(|| Self::Unknown(word.to_owned()))
    }

    /// The word on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Pending => "pending",
            Self::Deferred => "deferred",
            Self::Unknown(word) => word,
        }
    }
}

/// Reads a report (W20, W21). Case, blank lines, a bare LF, a byte order mark, angle brackets and a blank after the scheme are
/// tolerated; unknown parameters, and known ones with an invalid value, are ignored. So is a line that does not follow the
/// grammar, since what the others say is true all the same: nothing is known of whoever it is about.
///
/// # Errors
/// No line follows the grammar (the first is named by its number), or there are too many.
pub fn read_report(body: &[u8]) -> Result<Vec<ReportLine>, Error> {
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
    let (mut lines, mut count, mut fault) = (Vec::new(), 0, None);
    for (index, line) in body.split(|byte| *byte == b'\n').enumerate() {
        // A device wrote the reason phrase, in whatever bytes. A CR that ends no line becomes a space, as when printed.
        let line = header_text(line.strip_suffix(b"\r").unwrap_or(line)).replace('\r', " ");
        let line = line.trim_matches([' ', '\t']);
        if !line.is_empty() {
            if count >= REPORT_LINES_MAX {
                return Err(Error::whole(SUBJECT, "too many lines"));
            }
            count += 1;
            match read_line(line) {
                Ok(line) => lines.push(line),
                Err(what) => drop(fault.get_or_insert_with(|| Error::in_line(SUBJECT, what, index + 1))),
            }
        }
    }
    fault.filter(|_| lines.is_empty()).map_or(Ok(lines), Err)
}

fn read_line(line: &str) -> Result<ReportLine, &'static str> {
    let mut cursor = Cursor::new(line);
    let mut address = word(&mut cursor).to_owned();
    if is_scheme(&address) {
        // `im: ann@domain.com`, as the patent prints it.
        address.push_str(word(&mut cursor));
    }
    if let Some(inside) = address.strip_prefix('<').and_then(|rest| rest.strip_suffix('>')) {
        address = inside.to_owned();
    }
    if check_uri(&address).is_err() {
        return Err("no address");
    }
    if !word(&mut cursor).eq_ignore_ascii_case("delivery") {
        return Err("no word delivery");
    }
    let state = cursor.take_while(is_token);
    if state.is_empty() {
        return Err("no state");
    }
    let state = ReportState::of(state);
    let mut read = ReportLine { address, state, status: None, reason: None, tries: None, after: None };
    while let Some(param) = next_param(&mut cursor).or(Err("bad parameter"))? {
        read.take(param);
    }
    if cursor.is_end() { Ok(read) } else { Err("more than a state") }
}

/// True for a scheme and its colon with nothing after it.
fn is_scheme(address: &str) -> bool {
    address.strip_suffix(':').is_some_and(|scheme| !scheme.contains(':'))
}

/// Passes everything up to the next blank, and the blanks.
fn word<'a>(cursor: &mut Cursor<'a>) -> &'a str {
    let word = cursor.take_while(|byte| !matches!(byte, b' ' | b'\t'));
    cursor.skip_blanks();
    word
}

impl ReportLine {
    fn take(&mut self, param: Param<'_>) {
        let value = param.value.text().unwrap_or_default();
        match param.name.to_ascii_lowercase().as_str() {
            "status" => self.status = number(&value),
            "reason" => self.reason = Some(kept_reason(&value).to_owned()),
            "tries" => self.tries = number(&value),
            "after" => self.after = number(&value).map(Duration::from_millis),
            _ => {}
        }
    }
}

/// Writes a report, one CRLF-ended line per recipient; the parameters of W21 only with `detail`, and the reason phrases
/// only if the whole then fits into a datagram: recipients choose how long they are.
#[must_use]
pub fn write_report(lines: &[ReportLine], detail: bool) -> String {
    if !detail {
        return written(lines, Detail::None);
    }
    let whole = written(lines, Detail::Whole);
    if whole.len() > REPORT_DATAGRAM_BYTES_MAX { written(lines, Detail::WithoutReason) } else { whole }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Detail {
    None,
    WithoutReason,
    Whole,
}

fn written(lines: &[ReportLine], detail: Detail) -> String {
    let mut out = String::with_capacity(lines.len() * 64);
    for line in lines {
        out.extend(line.address.chars().filter(|character| !character.is_ascii_whitespace()));
        out.push_str(" delivery ");
        out.push_str(line.state.as_str());
        if detail != Detail::None {
            write_detail(line, detail, &mut out);
        }
        out.push_str("\r\n");
    }
    out
}

fn write_detail(line: &ReportLine, detail: Detail, out: &mut String) {
    if let Some(status) = line.status {
        push_number("status", u128::from(status), out);
    }
    if let Some(reason) = line.reason.as_ref().filter(|_| detail == Detail::Whole) {
        out.push_str(";reason=");
        // Writing to a string cannot fail.
        quote(reason, out).unwrap_or_default();
    }
    if let Some(tries) = line.tries {
        push_number("tries", u128::from(tries), out);
    }
    if let Some(after) = line.after {
        push_number("after", after.as_millis(), out);
    }
}

fn push_number(name: &str, value: u128, out: &mut String) {
    write!(out, ";{name}={value}").unwrap_or_default();
}
