//! What is wrong with bytes, and where: in words that fit a reason phrase and reveal no content.

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

/// Where an error was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FaultPlace {
    Whole,
    Byte(usize),
    Line(usize),
}

impl Error {
    /// The status to answer a request with this error: 400, 413, 505.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// "Bad Secondary-To: no address at byte 12": short, fits a reason phrase, reveals no content.
    ///
    /// Bytes count from 0 within the value of the header field (or the URI, or the message); a number after the name
    /// says which field of that name it was, if not the first.
    #[must_use]
    pub fn reason(&self) -> String {
        self.to_string()
    }

    /// An error at a byte of the text being read.
    pub(super) fn at(what: &'static str, byte: usize) -> Self {
        Self { status: 400, subject: "", what, field: 0, place: FaultPlace::Byte(byte) }
    }

    /// An error about the whole.
    pub(super) fn whole(subject: &'static str, what: &'static str) -> Self {
        Self { status: 400, subject, what, field: 0, place: FaultPlace::Whole }
    }

    /// An error in a line (counted from 1) of a body.
    pub(super) fn in_line(subject: &'static str, what: &'static str, line: usize) -> Self {
        Self { status: 400, subject, what, field: 0, place: FaultPlace::Line(line) }
    }

    /// The same error with this status.
    pub(super) fn with_status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    /// The same error as seen from the text that contains the faulty one at `offset`.
    pub(super) fn within(self, subject: &'static str, offset: usize) -> Self {
        let place = match self.place {
            FaultPlace::Byte(byte) => FaultPlace::Byte(byte.saturating_add(offset)),
            FaultPlace::Whole | FaultPlace::Line(_) => self.place,
        };
        Self { subject, place, ..self }
    }

    /// The same error in the field with this index (from 0) among those of its name.
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
