//! A message as it is handed over to be sent, and why one that is being written is not kept.

use super::journal::PersonRow;
use crate::sip::{File, ReportOptions};

/// A message to be sent, and its recipients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// Recipients, the first one for `To`.
    pub to: Vec<PersonRow>,
    /// Plain text; may be empty if there are files.
    pub text: String,
    /// Attached files.
    pub files: Vec<File>,
    /// Recipients are hidden from each other (W7).
    pub hidden: bool,
    /// The report asked for; the machine adds the `id`.
    pub report: ReportOptions,
}

/// Why what is being written cannot be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DraftFault {
    /// It is larger than a message may be.
    TooLarge,
    /// Too many messages are being written.
    TooMany,
    /// The disk did not take it; it is tried again with the next change.
    NotStored,
}
