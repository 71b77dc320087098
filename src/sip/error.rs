//! What is wrong with bytes, and where: in words that fit a reason phrase and name no content.

use std::fmt;

/// What is wrong with bytes, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    status: u16,
    subject: &'static str,
    what: &'static str,
    /// Which field of that name, from 0.
    field: usize,
    place: FaultPlace,
}

/// Where the fault was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FaultPlace {
    Whole,
    Byte(usize),
    Line(usize),
}

impl Error {
    /// The status that a request with this fault gets: 400, 413, 505.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// "Bad Secondary-To: no address at byte 12": short, fits a reason phrase, names no content.
    ///
    /// Bytes count from 0 within the value of the header field (of the URI, of the message); a number after the name
    /// says which field of that name it was, when it was not the first.
    #[must_use]
    pub fn reason(&self) -> String {
        self.to_string()
    }

    /// A fault at a byte of what is being read.
    pub(super) fn at(what: &'static str, byte: usize) -> Self {
        Self { status: 400, subject: "", what, field: 0, place: FaultPlace::Byte(byte) }
    }

    /// A fault of the whole thing.
    pub(super) fn whole(subject: &'static str, what: &'static str) -> Self {
        Self { status: 400, subject, what, field: 0, place: FaultPlace::Whole }
    }

    /// A fault in a line (counted from 1) of a body.
    pub(super) fn in_line(subject: &'static str, what: &'static str, line: usize) -> Self {
        Self { status: 400, subject, what, field: 0, place: FaultPlace::Line(line) }
    }

    /// The same fault with the status that it gets.
    pub(super) fn with_status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    /// The same fault, seen from what contains the faulty text at `offset`.
    pub(super) fn within(self, subject: &'static str, offset: usize) -> Self {
        let place = match self.place {
            FaultPlace::Byte(byte) => FaultPlace::Byte(byte.saturating_add(offset)),
            FaultPlace::Whole | FaultPlace::Line(_) => self.place,
        };
        Self { subject, place, ..self }
    }

    /// The same fault, in the field of that number (from 0) among those of its name.
    pub(super) fn in_field(self, field: usize) -> Self {
        Self { field, ..self }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bad {}", if self.subject.is_empty() { "value" } else { self.subject })?;
        if self.field > 0 {
            write!(f, " {}", self.field.saturating_add(1))?;
        }
        write!(f, ": {}", self.what)?;
        match self.place {
            FaultPlace::Whole => Ok(()),
            FaultPlace::Byte(byte) => write!(f, " at byte {byte}"),
            FaultPlace::Line(line) => write!(f, " in line {line}"),
        }
    }
}

impl std::error::Error for Error {}
