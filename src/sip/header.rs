//! Typed values of header fields: parameters and addresses (RFC 3261 §20, §25.1).
//!
//! Each grammar exists once: an allocation-free scan with which `parse` checks a message, and a constructor that builds
//! the owned value from its result.

use std::fmt;

use super::cursor::{Cursor, end_at, is_token, quote, unescape};
use super::error::Error;
use super::uri::{Uri, check_uri};
use crate::limits::{ADDRESS_BYTES_MAX, PARAMS_MAX};

/// `;name=value` parameters in order; values without their quotes, none for a flag.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Params(pub Vec<(String, Option<String>)>);

impl Params {
    /// The value of the first parameter of that name in any case, without quotes; "" for a flag.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(this, _)| this.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_deref().unwrap_or_default())
    }

    /// True if there is a parameter of that name, with or without a value.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Reads the rest of a value as parameters.
    pub(super) fn read(cursor: &mut Cursor<'_>) -> Result<Self, Error> {
        let mut params = Self::default();
        while let Some(param) = next_param(cursor)? {
            check_count(cursor, params.0.len())?;
            params.0.push(param.owned());
        }
        Ok(params)
    }

    /// Those that can be read of a value of which not everything has to be: what cannot be read is left out.
    pub(super) fn read_leniently(text: &str) -> Self {
        let mut params = Self::default();
        let mut rest = Some(text);
        while let Some(text) = rest.filter(|_| params.0.len() < PARAMS_MAX) {
            let end = end_at(text.as_bytes(), |byte| byte == b';');
            let mut cursor = Cursor::new(text.get(..end).unwrap_or_default());
            cursor.skip_blanks();
            params.0.extend(param(&mut cursor).ok().map(|param| param.owned()));
            rest = text.get(end + 1..);
        }
        params
    }
}

impl fmt::Display for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in &self.0 {
            match value {
                Some(value) => write_param(name, value, f)?,
                None => write!(f, ";{name}")?,
            }
        }
        Ok(())
    }
}

/// Writes `;name=value`, quoted if the value requires it.
pub(super) fn write_param(name: &str, value: &str, out: &mut impl fmt::Write) -> fmt::Result {
    if !value.is_empty() && value.bytes().all(is_bare) {
        return write!(out, ";{name}={value}");
    }
    write!(out, ";{name}=")?;
    quote(value, out)
}

/// A parameter as scanned.
#[derive(Clone, Copy, Debug)]
pub(super) struct Param<'a> {
    pub(super) name: &'a str,
    pub(super) value: Value<'a>,
}

/// A parameter's value as scanned.
#[derive(Clone, Copy, Debug)]
pub(super) enum Value<'a> {
    Flag,
    Bare(&'a str),
    /// The text between the quotes, with its escapes.
    Quoted(&'a str),
}

impl Param<'_> {
    pub(super) fn owned(&self) -> (String, Option<String>) {
        (self.name.to_owned(), self.value.text())
    }
}

impl Value<'_> {
    pub(super) fn text(&self) -> Option<String> {
        match self {
            Self::Flag => None,
            Self::Bare(text) => Some((*text).to_owned()),
            Self::Quoted(inside) => Some(unescape(inside)),
        }
    }
}

/// Bytes accepted in an unquoted value: letters beyond ASCII occur in practice.
fn is_bare_to_read(byte: u8) -> bool {
    is_bare(byte) || !byte.is_ascii()
}

/// Bytes written without quotes. Wider than `token / host`: tags with `@`, `/` or `=` occur in practice.
fn is_bare(byte: u8) -> bool {
    is_token(byte)
        || matches!(
            byte,
            b'[' | b']' | b':' | b'@' | b'/' | b'=' | b'$' | b'&' | b'(' | b')' | b'?' | b'{' | b'}' | b'#'
        )
}

/// Passes one `;name[=value]`; None if there is none. Programs that append parameters one by one may leave a `;` at the
/// end, or two in a row: what is empty is passed over.
pub(super) fn next_param<'a>(cursor: &mut Cursor<'a>) -> Result<Option<Param<'a>>, Error> {
    if !skip_semicolons(cursor) || matches!(cursor.peek(), None | Some(b',')) {
        return Ok(None);
    }
    param(cursor).map(Some)
}

/// Passes any number of `;` and the blanks around them; false if there is none.
pub(super) fn skip_semicolons(cursor: &mut Cursor<'_>) -> bool {
    cursor.skip_blanks();
    let start = cursor.at();
    while cursor.eat(b';') {
        cursor.skip_blanks();
    }
    cursor.at() > start
}

/// Passes one `name[=value]` and the blanks after it.
pub(super) fn param<'a>(cursor: &mut Cursor<'a>) -> Result<Param<'a>, Error> {
    let name = cursor.token("no parameter name")?;
    cursor.skip_blanks();
    if !cursor.eat(b'=') {
        return Ok(Param { name, value: Value::Flag });
    }
    cursor.skip_blanks();
    let value = if cursor.peek() == Some(b'"') {
        Value::Quoted(cursor.quoted()?)
    } else {
        let start = cursor.at();
        match cursor.take_while(is_bare_to_read) {
            "" => return Err(Error::at("no parameter value", start)),
            value => Value::Bare(value),
        }
    };
    cursor.skip_blanks();
    Ok(Param { name, value })
}

pub(super) fn skip_params(cursor: &mut Cursor<'_>) -> Result<(), Error> {
    let mut count = 0;
    while next_param(cursor)?.is_some() {
        check_count(cursor, count)?;
        count += 1;
    }
    Ok(())
}

/// Whether a value with this many parameters may have one more.
pub(super) fn check_count(cursor: &Cursor<'_>, count: usize) -> Result<(), Error> {
    if count < PARAMS_MAX { Ok(()) } else { Err(cursor.fault("too many parameters")) }
}

/// `"Ann" <sip:ann@domain.com>;tag=x`, or a bare addr-spec, whose parameters then belong to the header (§20).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameAddr {
    /// Without quotes and escapes; None if absent.
    pub display: Option<String>,
    /// The address.
    pub uri: Uri,
    /// The header's parameters.
    pub params: Params,
}

impl NameAddr {
    /// Reads exactly one address.
    ///
    /// # Errors
    /// It is not an address, or something follows it.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let mut cursor = Cursor::new(text);
        let address = Self::read(&mut cursor)?;
        if cursor.is_end() { Ok(address) } else { Err(cursor.fault("more than one address")) }
    }

    /// The tag, if present and not empty.
    #[must_use]
    pub fn tag(&self) -> Option<&str> {
        self.params.get("tag").filter(|tag| !tag.is_empty())
    }

    /// Reads a comma-separated list; together with those in it already, no more than `max`.
    pub(super) fn read_list(text: &str, list: &mut Vec<Self>, max: usize) -> Result<(), Error> {
        let mut cursor = Cursor::new(text);
        loop {
            cursor.skip_empty(|byte| byte == b',');
            if cursor.is_end() {
                return Ok(());
            }
            if list.len() >= max {
                return Err(cursor.fault("too many addresses"));
            }
            list.push(Self::read(&mut cursor)?);
            if cursor.is_end() {
                return Ok(());
            }
            if !cursor.eat(b',') {
                return Err(cursor.fault("not of an address"));
            }
        }
    }

    /// Reads the first address of a comma-separated list, and nothing after it.
    pub(super) fn read_first(text: &str) -> Result<Self, Error> {
        let mut cursor = Cursor::new(text);
        cursor.skip_empty(|byte| byte == b',');
        let address = Self::read(&mut cursor)?;
        let is_whole = cursor.is_end() || cursor.peek() == Some(b',');
        if is_whole { Ok(address) } else { Err(cursor.fault("not of an address")) }
    }

    /// What can be read of an address of which nothing has to be: for one that cannot, [`Uri::unreadable`].
    pub(super) fn read_leniently(text: &str) -> Self {
        if let Ok(address) = Self::parse(text) {
            return address;
        }
        let (address, params) = match text.rsplit_once('>') {
            Some((address, params)) => (address.rsplit_once('<').map_or("", |(_, inside)| inside), params),
            None => text.split_once(';').unwrap_or((text, "")),
        };
        let uri = Uri::parse(address.trim_matches([' ', '\t'])).unwrap_or_else(|_| Uri::unreadable());
        Self { display: None, uri, params: Params::read_leniently(params) }
    }

    fn read(cursor: &mut Cursor<'_>) -> Result<Self, Error> {
        let address = Address::scan(cursor)?;
        let uri = Uri::parse(address.uri).map_err(|error| error.within("", address.uri_at))?;
        Ok(Self { display: address.display(), uri, params: Params::read(cursor)? })
    }
}

impl fmt::Display for NameAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_address(self.display.as_deref(), &self.uri, f)?;
        fmt::Display::fmt(&self.params, f)
    }
}

/// Writes `"Display" <uri>`, without a display name `<uri>`.
pub(super) fn write_address(display: Option<&str>, uri: &Uri, out: &mut impl fmt::Write) -> fmt::Result {
    if let Some(display) = display {
        quote(display, out)?;
        out.write_char(' ')?;
    }
    write!(out, "<{uri}>")
}

/// Display name and URI as scanned, without the header's parameters.
#[derive(Clone, Copy, Debug)]
pub(super) struct Address<'a> {
    display: Value<'a>,
    pub(super) uri: &'a str,
    pub(super) uri_at: usize,
}

impl<'a> Address<'a> {
    /// Passes one address and the blanks around it. The URI is not checked yet.
    pub(super) fn scan(cursor: &mut Cursor<'a>) -> Result<Self, Error> {
        cursor.skip_blanks();
        let start = cursor.at();
        let display = match cursor.peek() {
            None => return Err(Error::at("no address", start)),
            Some(b'"') => Value::Quoted(cursor.quoted()?),
            Some(b'<') => Value::Flag,
            Some(_) => match Self::unquoted_display(cursor) {
                Some(display) => Value::Bare(display),
                None => return Self::bare(cursor),
            },
        };
        cursor.skip_blanks();
        if !cursor.eat(b'<') {
            return Err(cursor.fault("no address"));
        }
        let uri_at = cursor.at();
        let uri = cursor.take_while(|byte| byte != b'>');
        if !cursor.eat(b'>') {
            return Err(Error::at("bracket not closed", uri_at.saturating_sub(1)));
        }
        cursor.skip_blanks();
        Ok(Self { display, uri, uri_at })
    }

    /// Passes tokens and blanks up to `<`; None, and nothing passed, if something else comes first. Accepts UTF-8 too.
    fn unquoted_display(cursor: &mut Cursor<'a>) -> Option<&'a str> {
        let mut ahead = cursor.clone();
        let display =
            ahead.take_while(|byte| is_token(byte) || matches!(byte, b' ' | b'\t') || !byte.is_ascii());
        (ahead.peek() == Some(b'<')).then(|| *cursor = ahead)?;
        Some(display.trim_end_matches([' ', '\t']))
    }

    /// §20: a URI with a comma, question mark or semicolon must be in brackets, so a bare one ends there.
    fn bare(cursor: &mut Cursor<'a>) -> Result<Self, Error> {
        let uri_at = cursor.at();
        let uri = cursor.take_while(|byte| !matches!(byte, b' ' | b'\t' | b',' | b';' | b'?'));
        if cursor.peek() == Some(b'?') {
            return Err(cursor.fault("URI with ? not in brackets"));
        }
        if uri.is_empty() {
            return Err(Error::at("no address", uri_at));
        }
        cursor.skip_blanks();
        Ok(Self { display: Value::Flag, uri, uri_at })
    }

    /// The display name without its quotes.
    pub(super) fn display(&self) -> Option<String> {
        self.display.text().filter(|display| !display.is_empty())
    }
}

/// The same check as [`NameAddr::parse`] without building a value.
pub(super) fn check_name_addr(text: &str) -> Result<(), Error> {
    if text.len() > ADDRESS_BYTES_MAX {
        return Err(Error::whole("", "too long"));
    }
    let mut cursor = Cursor::new(text);
    let address = Address::scan(&mut cursor)?;
    check_uri(address.uri).map_err(|error| error.within("", address.uri_at))?;
    skip_params(&mut cursor)?;
    if cursor.is_end() { Ok(()) } else { Err(cursor.fault("more than one address")) }
}
