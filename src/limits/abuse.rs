//! Maxima that keep strangers, and one user, from taking what is for all.

use std::time::Duration;

/// Transmissions of one request to a destination that somebody else named, and that has not answered anything yet (RFC 9000
/// §8.1 allows three times what came from there).
pub const UNPROVEN_TRANSMISSIONS_MAX: u32 = 3;
/// Requests to one address of that kind within the time below, one for each message; over it, 408. As many connections
/// are tried.
pub const UNPROVEN_REQUESTS_MAX: usize = 10;
/// See above.
pub const UNPROVEN_REQUESTS_WITHIN: Duration = Duration::from_secs(60);
/// Addresses of that kind that are counted; over it the oldest is forgotten.
pub const DESTINATIONS_UNPROVEN_MAX: usize = 10_000;
/// How long it is remembered that a destination answered something.
pub const DESTINATIONS_ANSWERED_REMEMBERED: Duration = Duration::from_secs(24 * 3600);
/// Destinations of which that is remembered; over it, the one that answered longest ago counts as new.
pub const DESTINATIONS_ANSWERED_MAX: usize = 50_000;
/// Requests a minute of strangers from one source (an IPv4 address or a /64) to our users, unless the settings say otherwise;
/// a third of them may come at once; over it, 503 (W31).
pub const STRANGER_REQUESTS_PER_SOURCE: u32 = 60;
/// Requests a minute of all strangers to one of our users, unless the settings say otherwise; a third of them may come at once;
/// over it, 503 (W31).
pub const STRANGER_REQUESTS_PER_RECIPIENT: u32 = 90;
/// Sources of strangers that are counted; over it, the one that sent least counts as new.
pub const STRANGER_SOURCES_MAX: usize = 20_000;
/// Users of ours for whom strangers are counted; over it, the one who had least counts as new.
pub const STRANGERS_RECIPIENTS_MAX: usize = 20_000;
/// A refusal of one kind is told to the operator once within this for each source (an IPv4 address or a /64).
pub const REFUSALS_TOLD_WITHIN: Duration = Duration::from_secs(60);
/// Kinds and sources of which that is remembered, so that a log grows by so many lines within that time at most; over it,
/// further ones are counted together.
pub const REFUSALS_TOLD_MAX: usize = 1000;
/// What one sender, and one recipient, may have in the mailbox, or of what is owed to devices: with what he has already, at most
/// this part of what would be left; so however many there are, others always have room. Strangers are one sender.
pub const MAILBOX_PART: usize = 4;
/// The same of the legs that are under way, of the messages that are open, and of the ordinary requests under way, with their bytes.
pub const UNDER_WAY_PART: usize = 4;
/// The same of the bytes of legs. More than of anything else, since each leg counts with its whole message.
pub const LEG_BYTES_PART: usize = 1;
