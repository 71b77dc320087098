//! A message's recipients and the report its sender asks for: Secondary-To, Also-To, Delivery-Report (W1, W2, W7, W9).

use std::fmt;

use super::cursor::Cursor;
use super::error::Error;
use super::fields::Fields;
use super::header::{Address, NameAddr, Param, next_param, param, skip_semicolons};
use super::uri::Uri;

/// The option tag of submissions with Secondary-To (W6).
pub const SECONDARY_TO: &str = "secondary-to";

/// One recipient of a submission, as spelled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addressed {
    /// The address.
    pub uri: Uri,
    /// The display name.
    pub display: Option<String>,
    /// Named to nobody else (`;copy=bcc`).
    pub bcc: bool,
}

/// `To`, then every Secondary-To in order (W1, W2, W7). Duplicates are not removed here.
///
/// # Errors
/// An element of Secondary-To is empty or not an address, or an address has `?headers`, forbidden in a Request-URI.
pub fn recipients(fields: &Fields) -> Result<Vec<Addressed>, Error> {
    let to = fields.to();
    let bcc = is_bcc(to.params.get("copy"));
    no_headers(&to.uri, 0).map_err(|error| error.within("To", 0))?;
    let mut list = vec![Addressed { uri: to.uri, display: to.display, bcc }];
    for (field, value) in fields.every("Secondary-To").enumerate() {
        read_list(value, &mut list).map_err(|error| error.within("Secondary-To", 0).in_field(field))?;
    }
    Ok(list)
}

/// Reads one field: addresses separated by commas or semicolons, each with parameters.
fn read_list(value: &str, list: &mut Vec<Addressed>) -> Result<(), Error> {
    let mut cursor = Cursor::new(value);
    loop {
        list.push(read_one(&mut cursor)?);
        if cursor.is_end() {
            return Ok(());
        }
        if !cursor.eat(b',') && !cursor.eat(b';') {
            return Err(cursor.fault("no address"));
        }
    }
}

/// Reads one address and the parameters after it; stops before the separator of the next address.
fn read_one(cursor: &mut Cursor<'_>) -> Result<Addressed, Error> {
    let address = Address::scan(cursor)?;
    let uri = Uri::parse(address.uri).map_err(|error| error.within("", address.uri_at))?;
    no_headers(&uri, address.uri_at)?;
    let mut bcc = false;
    while cursor.peek() == Some(b';') {
        let mut ahead = cursor.clone();
        skip_semicolons(&mut ahead);
        if matches!(ahead.peek(), None | Some(b',')) {
            // What ends the parameters is no address that somebody forgot.
            *cursor = ahead;
            break;
        }
        if starts_address(&ahead) {
            break;
        }
        let param = param(&mut ahead)?;
        bcc |= param.name.eq_ignore_ascii_case("copy") && is_bcc(param.value.text().as_deref());
        *cursor = ahead;
    }
    Ok(Addressed { uri, display: address.display(), bcc })
}

/// W2: after a `;`, a piece that contains `<` or starts with a known scheme and `:` is a new address. Before it is one `;`
/// only: between two, somebody may be missing.
fn starts_address(after: &Cursor<'_>) -> bool {
    let mut piece = after.clone();
    let schemes = ["sip", "sips", "im", "pres", "tel"];
    let mut ahead = piece.clone();
    let scheme = ahead.take_while(|byte| byte.is_ascii_alphabetic());
    if ahead.eat(b':') && schemes.iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
        return true;
    }
    while let Some(byte) = piece.peek() {
        match byte {
            b'<' => return true,
            b',' | b';' => break,
            // Whoever reads it next reports the unclosed quote.
            b'"' if piece.quoted().is_err() => return false,
            b'"' => {}
            _ => piece.skip(1),
        }
    }
    false
}

fn is_bcc(copy: Option<&str>) -> bool {
    copy.is_some_and(|copy| copy.eq_ignore_ascii_case("bcc"))
}

fn no_headers(uri: &Uri, at: usize) -> Result<(), Error> {
    if uri.headers().is_some() { Err(Error::at("headers in address", at)) } else { Ok(()) }
}

/// The Also-To of a received message; malformed ones are skipped, since it only informs (W15).
#[must_use]
pub fn also_to(fields: &Fields) -> Vec<NameAddr> {
    fields.tokens("Also-To").filter_map(|address| NameAddr::parse(address).ok()).collect()
}

/// When the sender wants reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum ReportMode {
    /// One, once every outcome is known: the patent's behaviour.
    #[default]
    Final,
    /// One at once for each outcome, then the final one.
    Each,
    /// Never.
    None,
}

/// `Delivery-Report: each;detail;id=TOKEN` (W9).
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct ReportOptions {
    /// When a report is wanted.
    pub mode: ReportMode,
    /// With the parameters of W21.
    pub detail: bool,
    /// Identifies the message for W12.
    pub id: Option<String>,
}

impl ReportOptions {
    /// The default if absent; an unknown word is `Final`.
    ///
    /// # Errors
    /// It does not follow the grammar, or there are two that differ.
    pub fn of(fields: &Fields) -> Result<Self, Error> {
        let mut values = fields.every("Delivery-Report");
        let Some(value) = values.next() else {
            return Ok(Self::default());
        };
        if values.any(|other| other != value) {
            return Err(Error::whole("Delivery-Report", "two that differ"));
        }
        Self::parse(value).map_err(|error| error.within("Delivery-Report", 0))
    }

    /// Reads the value of one field.
    ///
    /// # Errors
    /// It does not follow the grammar.
    pub fn parse(value: &str) -> Result<Self, Error> {
        let mut cursor = Cursor::new(value);
        let mode = match cursor.token("no word")?.to_ascii_lowercase().as_str() {
            "each" => ReportMode::Each,
            "none" => ReportMode::None,
            _ => ReportMode::Final,
        };
        let mut report = Self { mode, ..Self::default() };
        while let Some(param) = next_param(&mut cursor)? {
            report.take(param);
        }
        if cursor.is_end() { Ok(report) } else { Err(cursor.fault("more than one word")) }
    }

    fn take(&mut self, param: Param<'_>) {
        if param.name.eq_ignore_ascii_case("detail") {
            self.detail = true;
        } else if param.name.eq_ignore_ascii_case("id") {
            self.id = param.value.text();
        }
    }
}

impl fmt::Display for ReportOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.mode {
            ReportMode::Final => "final",
            ReportMode::Each => "each",
            ReportMode::None => "none",
        })?;
        if self.detail {
            f.write_str(";detail")?;
        }
        match &self.id {
            Some(id) => super::header::write_param("id", id, f),
            None => Ok(()),
        }
    }
}
