//! Maxima of the history: what is read of it at a time, what a search may ask and give, and what is kept of reports.

use super::OUTBOX_FINISHED_MAX;

/// Queries of the screen that wait for the history's reader.
pub const QUESTIONS_WAITING_MAX: usize = 64;
/// Messages that missed somebody and are kept ready to be resent after a restart; older ones stay in the history.
pub const OPEN_LOADED_MAX: usize = 1000;
/// Messages that asked for a read notification, and whose readers are restored after a restart.
pub const ASKING_LOADED_MAX: usize = OUTBOX_FINISHED_MAX;
/// Characters of a query that are read.
pub const SEARCH_TEXT_CHARS_MAX: usize = 1000;
/// Words of a query, values of one operator, and words of one phrase; further ones are not looked for.
pub const SEARCH_TERMS_MAX: usize = 16;
/// Hits of one search; more with another search for older ones.
pub const SEARCH_HITS_MAX: usize = 50;
/// Messages that a search in one conversation lists.
pub const SEARCH_IDS_MAX: usize = 10_000;
/// Messages that one search examines one by one, for `from:` and `to:`; over it, the search ends there and says that
/// there may be more.
pub const SEARCH_ROWS_MAX: usize = 200_000;
/// Messages whose text is decoded and indexed between two batches, and bytes of their bodies, after an upgrade.
pub const TEXTS_FILLED_MAX: usize = 256;
/// See [`TEXTS_FILLED_MAX`].
pub const TEXTS_FILLED_BYTES_MAX: usize = 1024 * 1024;
/// Messages that are read at a time from the history, and bytes of their bodies.
pub const PAGE_MESSAGES_MAX: usize = 200;
/// See [`PAGE_MESSAGES_MAX`]; the message with which it is reached is still read.
pub const PAGE_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Bytes of the reports that are kept as they came, for one attempt; further ones are still read, and not kept.
pub const REPORTS_KEPT_BYTES_MAX: usize = 256 * 1024;
/// Messages that are deleted at once; the others wait until these are gone.
pub const DELETED_AT_ONCE_MAX: usize = 500;
/// Bytes of a client's store of which a backup is made by itself, at most one a day.
pub const BACKUP_BYTES_MAX: u64 = 1024 * 1024 * 1024;
/// How many times the bytes of the store must be free on the disk before a backup is made: messages need room too.
pub const BACKUP_ROOM: u64 = 4;
