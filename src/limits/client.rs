//! Limits of the client's work while much arrives, and of what those who write to it, or answer it, can cause.

use std::time::Duration;

/// Servers that a registrar may put into the way of our messages (RFC 3608), and bytes of each; of more, none is taken.
pub const SERVICE_ROUTES_MAX: usize = 8;
/// See above.
pub const SERVICE_ROUTE_BYTES_MAX: usize = 512;
/// Attempts whose recipients' addresses are kept parsed, to look up who a report is about.
pub const DIRECTORIES_KEPT: usize = 8;
/// Time from one commit of a client to the next while many come: well below T1 (RFC 3261 §17.1.1.1), so that no sender
/// repeats what it sent.
pub const COMMITS_APART: Duration = Duration::from_millis(50);
/// Commits of a client that follow each other without a wait after a quiet time: more than one message takes.
pub const COMMITS_AT_ONCE: u32 = 8;
/// Messages of one conversation that a snapshot carries with their text.
pub const SNAPSHOT_MESSAGES_MAX: usize = 300;
/// Screen updates a second at most.
pub const SNAPSHOTS_PER_SEC_MAX: u64 = 60;
/// Screen updates a second during long activity while the person does nothing.
pub const SNAPSHOTS_PER_SEC_BUSY: u64 = 4;
/// Files of messages that one `fanfare listen --save-files` saves; further ones are named and not saved.
pub const SAVED_FILES_MAX: usize = 10_000;
/// Bytes of these; over it, further ones are named and not saved.
pub const SAVED_BYTES_MAX: usize = 1024 * 1024 * 1024;
/// Recipients to whom a client sends nothing for a while because their answers asked for that; over it, no further one is
/// waited for.
pub const RECIPIENTS_HELD_MAX: usize = 1000;
/// Bytes of messages in a day that a client stores from all who are neither contacts nor were written to; over it, 413.
pub const STRANGERS_BYTES_A_DAY: usize = 200 * 1024 * 1024;
/// The same from one domain.
pub const STRANGER_DOMAIN_BYTES_A_DAY: usize = 50 * 1024 * 1024;
/// Conversations that these people may begin in a day; over it, 413. Filling `CONVERSATIONS_MAX` takes
/// them weeks, and a help desk does not notice.
pub const STRANGERS_CONVERSATIONS_A_DAY: usize = 5000;
/// The same from one domain.
pub const STRANGER_DOMAIN_CONVERSATIONS_A_DAY: usize = 2000;
/// Domains whose messages are counted; those of further ones count together.
pub const STRANGER_DOMAINS_MAX: usize = 1000;
/// Sessions of a client with recipients whose answers asked for the password; over it, the oldest is forgotten, and that
/// recipient's next answer may ask again.
pub const RECIPIENT_SESSIONS_MAX: usize = 64;
/// Bytes of nonce and opaque in a challenge that may be a recipient's; over it, it is not answered.
pub const CHALLENGE_BYTES_MAX: usize = 2048;
/// Messages that wait for the time at which they are to be sent; over it, a further one goes back to the composer.
pub const LATER_MAX: usize = 100;
/// How far ahead a message can be sent.
pub const LATER_WITHIN: Duration = Duration::from_secs(366 * 24 * 3600);
/// How often the clock is looked at while a message waits for its time: somebody may have set it.
pub const LATER_LOOK: Duration = Duration::from_secs(600);
/// Bytes of a text that the window puts in order if words in it are written from right to left; a longer one stands as it was
/// written.
pub const ORDERED_BYTES_MAX: usize = 64 * 1024;
/// Texts whose order the window remembers, so that it is not worked out anew in each frame. Those that were not shown of late
/// are forgotten first.
pub const ORDERS_REMEMBERED_MAX: usize = 256;
/// Characters of a name, or of another line of the window, that are put in order; no window is wide enough for more.
pub const LINE_CHARS_MAX: usize = 400;
/// How long the place that a redirect names may be silent while another one is left, in units of T1 (8 s).
pub const REDIRECT_WAIT_T1: u32 = 16;
/// How long messages wait for a registrar to say in which realm it asks, in units of T1 (4 s).
pub const REALM_WAIT_T1: u32 = 8;
