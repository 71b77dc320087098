//! A message that is sent at a time that the user chose.

use super::draft::Draft;
use crate::time::Timestamp;

/// A message that waits for its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Later {
    /// Its number.
    pub number: u32,
    /// When it is to be sent.
    pub due: Timestamp,
    /// The message.
    pub draft: Draft,
}
