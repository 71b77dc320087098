//! A cursor that moves over a header field's value, and the character classes of RFC 3261 §25.1.

use super::error::Error;

/// A position in a text.
#[derive(Clone, Debug)]
pub(super) struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// Bytes passed so far.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    pub(super) fn is_end(&self) -> bool {
        self.at >= self.text.len()
    }

    /// The remaining text.
    pub(super) fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// The text passed since `start`.
    pub(super) fn since(&self, start: usize) -> &'a str {
        self.text.get(start..self.at).unwrap_or_default()
    }

    /// Passes `bytes` bytes.
    pub(super) fn skip(&mut self, bytes: usize) {
        self.at = self.at.saturating_add(bytes).min(self.text.len());
    }

    /// Passes `wanted` if it is next.
    pub(super) fn eat(&mut self, wanted: u8) -> bool {
        let next = self.peek() == Some(wanted);
        if next {
            self.at += 1;
        }
        next
    }

    pub(super) fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t')) {
            self.at += 1;
        }
    }

    /// Skips the empty elements of a list (RFC 9110 §5.6.1.2) and the blanks around them.
    pub(super) fn skip_empty(&mut self, is_separator: impl Fn(u8) -> bool) {
        self.take_while(|byte| matches!(byte, b' ' | b'\t') || is_separator(byte));
    }

    /// Passes blanks, `wanted` and blanks; an error if it is missing.
    pub(super) fn expect(&mut self, wanted: u8, fault: &'static str) -> Result<(), Error> {
        self.skip_blanks();
        if !self.eat(wanted) {
            return Err(self.fault(fault));
        }
        self.skip_blanks();
        Ok(())
    }

    /// Passes the bytes that `wanted` accepts. It must accept all bytes of a non-ASCII character or none.
    pub(super) fn take_while(&mut self, wanted: impl Fn(u8) -> bool) -> &'a str {
        let rest = self.rest();
        let length = rest.bytes().position(|byte| !wanted(byte)).unwrap_or(rest.len());
        self.at += length;
        rest.get(..length).unwrap_or_default()
    }

    /// Passes a token; an error if there is none.
    pub(super) fn token(&mut self, fault: &'static str) -> Result<&'a str, Error> {
        let token = self.take_while(is_token);
        if token.is_empty() { Err(self.fault(fault)) } else { Ok(token) }
    }

    /// Passes a quoted string that starts here; returns what is between the quotes, with its escapes.
    pub(super) fn quoted(&mut self) -> Result<&'a str, Error> {
        let open = self.at;
        self.at += 1;
        let start = self.at;
        while let Some(byte) = self.peek() {
            match byte {
                b'"' => {
                    let inside = self.since(start);
                    self.at += 1;
                    return Ok(inside);
                }
                // A quoted pair is `\` and one ASCII character; as the text is UTF-8, a step must not end inside a
                // character.
                b'\\' if self.text.as_bytes().get(self.at + 1).is_some_and(u8::is_ascii) => {
                    self.at += 2;
                }
                _ => self.at += 1,
            }
        }
        Err(Error::at("quote not closed", open))
    }

    /// An error at this position.
    pub(super) fn fault(&self, what: &'static str) -> Error {
        Error::at(what, self.at)
    }
}

/// True for the characters of a `token`.
#[inline]
pub(super) fn is_token(byte: u8) -> bool {
    TOKEN.get(usize::from(byte)).is_some_and(|is| *is)
}

/// A table, since every byte of every header name is looked up.
#[expect(clippy::indexing_slicing, reason = "in a constant: a place that is not there does not compile")]
const TOKEN: [bool; 256] = {
    let mut table = [false; 256];
    let mut rest: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-.!%*_+`'~";
    while let [first, others @ ..] = rest {
        table[*first as usize] = true;
        rest = others;
    }
    table
};

/// True for exactly one non-empty token.
pub(super) fn is_token_text(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(is_token)
}

/// Resolves the escapes in a quoted string's content.
pub(super) fn unescape(inside: &str) -> String {
    let mut out = String::with_capacity(inside.len());
    let mut escaped = false;
    for character in inside.chars() {
        if character == '\\' && !escaped {
            escaped = true;
        } else {
            out.push(character);
            escaped = false;
        }
    }
    out
}

/// Writes `text` between quotes. CR and LF, which not even a quoted pair may hold, become spaces.
pub(super) fn quote(text: &str, out: &mut impl std::fmt::Write) -> std::fmt::Result {
    out.write_char('"')?;
    for character in text.chars() {
        match character {
            '\r' | '\n' => out.write_char(' ')?,
            '"' | '\\' => {
                out.write_char('\\')?;
                out.write_char(character)?;
            }
            '\t' => out.write_char('\t')?,
            control if control.is_ascii_control() => {
                out.write_char('\\')?;
                out.write_char(control)?;
            }
            other => out.write_char(other)?,
        }
    }
    out.write_char('"')
}

/// The elements of a comma-separated value, trimmed; commas in quotes and angle brackets do not count.
pub(super) fn elements(value: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(value);
    std::iter::from_fn(move || {
        let text = rest?;
        let end = element_end(text.as_bytes());
        rest = text.get(end + 1..);
        Some(text.get(..end).unwrap_or(text).trim_matches([' ', '\t']))
    })
}

/// The same for a value with arbitrary bytes.
pub(super) fn raw_elements(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(value);
    std::iter::from_fn(move || {
        let value = rest?;
        let end = element_end(value);
        rest = value.get(end + 1..);
        Some(value.get(..end).unwrap_or(value).trim_ascii())
    })
}

/// Where the first element of a comma-separated value ends.
pub(super) fn element_end(value: &[u8]) -> usize {
    end_at(value, |byte| byte == b',')
}

/// Offset of the first byte accepted by `stop` outside quotes and angle brackets; else the end.
pub(super) fn end_at(value: &[u8], stop: impl Fn(u8) -> bool) -> usize {
    let (mut quoted, mut escaped, mut angle) = (false, false, false);
    for (at, byte) in value.iter().copied().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' if !angle => quoted = !quoted,
            b'<' if !quoted => angle = true,
            b'>' if !quoted => angle = false,
            _ if !quoted && !angle && stop(byte) => return at,
            _ => {}
        }
    }
    value.len()
}

/// A decimal number with nothing around it.
pub(super) fn number<N: TryFrom<u64>>(text: &str) -> Option<N> {
    if text.is_empty() {
        return None;
    }
    let mut value: u64 = 0;
    for byte in text.bytes() {
        let digit = char::from(byte).to_digit(10)?;
        value = value.checked_mul(10)?.checked_add(u64::from(digit))?;
    }
    N::try_from(value).ok()
}
