//! Maxima around contacts, and around those who are typing.

use std::time::Duration;

/// People shown as typing at a time; over it, further ones are not shown.
pub const COMPOSING_MAX: usize = 100;
/// How long others show that we are typing; they are told so once within this time at most (RFC 3994 §3.2).
pub const TYPING_REFRESH: Duration = Duration::from_secs(60);
/// Who has typed nothing for this long is idle (RFC 3994 §3.2).
pub const TYPING_IDLE: Duration = Duration::from_secs(15);
/// Conversations whose other person is told at a time; over it, further ones are not told.
pub const TYPING_MAX: usize = 100;
/// Conversations remembered whose other program does not want to be told; over it, one is told again.
pub const TYPING_REFUSERS_MAX: usize = 1000;
/// Bytes of one file or pasted text of contacts; a larger one is refused.
pub const IMPORT_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Contacts and members of lists taken from one import; the rest is counted and left out.
pub const IMPORT_ENTRIES_MAX: usize = 50_000;
/// Lines of one import that are kept with the reason why they were not understood; further ones are counted.
pub const IMPORT_MISREAD_MAX: usize = 1000;
/// Characters of a contact's name; the rest of a longer one is cut off at the import.
pub const NAME_CHARS_MAX: usize = 200;
/// People that a user has blocked; over it, the one blocked first is no longer blocked.
pub const BLOCKED_MAX: usize = 1000;
