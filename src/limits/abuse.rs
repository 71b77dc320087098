//! Maxima that keep strangers, or one user, from taking what everybody shares.

use std::time::Duration;

/// Transmissions of one request to a destination that somebody else named and that has not answered anything yet (RFC
/// 9000 §8.1 allows three times what was received from there).
pub const UNPROVEN_TRANSMISSIONS_MAX: u32 = 3;
/// Requests to one such address within the time below, one per message; over it, 408. Connection attempts have the same
/// limit.
pub const UNPROVEN_REQUESTS_MAX: usize = 10;
/// Such requests to one network (a /24 of IPv4, a /48 of IPv6) within that time.
pub const UNPROVEN_NETWORK_REQUESTS_MAX: usize = 30;
/// Branches of one such request to one network.
pub const UNPROVEN_NETWORK_BRANCHES_MAX: usize = 2;
/// Recipients of one message to whom it goes in full at one address that their sender named and that has not answered yet,
/// within the time below. The others wait until it answers; if it does not, 408.
pub const UNANSWERED_LEGS_MAX: usize = 4;
/// Bytes of these together, if there are several.
pub const UNANSWERED_LEG_BYTES_MAX: usize = 16 * 1024;
/// Messages that are counted for one such address; of a further one, all recipients wait.
pub const UNANSWERED_MESSAGES_MAX: usize = 10_000;
/// Bytes that go in full, with all their transmissions, to those addresses of one network that their senders named and that
/// have not answered, within that time; as many more are sent once, and others wait until their address answers.
pub const UNANSWERED_NETWORK_BYTES_MAX: usize = 256 * 1024;
/// The time for [`UNPROVEN_REQUESTS_MAX`].
pub const UNPROVEN_REQUESTS_WITHIN: Duration = Duration::from_secs(60);
/// Such addresses that are counted; over it, the oldest is forgotten.
pub const DESTINATIONS_UNPROVEN_MAX: usize = 10_000;
/// How long a destination is remembered to have answered.
pub const DESTINATIONS_ANSWERED_REMEMBERED: Duration = Duration::from_secs(24 * 3600);
/// Destinations remembered to have answered; over it, the one that answered longest ago counts as new.
pub const DESTINATIONS_ANSWERED_MAX: usize = 50_000;
/// Requests per minute of strangers from one source (an IPv4 address or a /64) to our users, unless the settings say
/// otherwise; a third of them may come at once; over it, 503 (W31). Datagrams and connections, listed senders and others,
/// and MESSAGE, OPTIONS, calls and what is in a dialog are each counted apart.
pub const STRANGER_REQUESTS_PER_SOURCE: u32 = 60;
/// Requests per minute of all strangers to one of our users, unless the settings say otherwise; a third of them may
/// come at once; over it, 503 (W31).
pub const STRANGER_REQUESTS_PER_RECIPIENT: u32 = 90;
/// Requests per minute of strangers in one dialog; a third of them may come at once; over it, 503 (W31).
pub const STRANGER_REQUESTS_PER_DIALOG: u32 = 60;
/// Dialogs with strangers that are counted; over it, the one with the fewest requests counts as new.
pub const STRANGER_DIALOGS_MAX: usize = 20_000;
/// Requests of calls per minute of one user to addresses of others that this user named, and in no dialog that we know; a
/// third of them may come at once; over it, 503 (W31).
pub const USER_CALLS_ELSEWHERE: u32 = 120;
/// Users whose calls are counted; over it, the one who made the fewest counts as new.
pub const USER_CALLERS_MAX: usize = 20_000;
/// Transmissions of one such INVITE in [`SESSION_COUNTED_WITHIN`]; over it, 503.
pub const USER_INVITE_TRANSMISSIONS_MAX: u32 = 11;
/// Sources of strangers that are counted; over it, the one that sent least counts as new.
pub const STRANGER_SOURCES_MAX: usize = 20_000;
/// Users of ours for whom strangers are counted; over it, the one who got least counts as new.
pub const STRANGERS_RECIPIENTS_MAX: usize = 20_000;
/// A refusal of one kind is told to the operator once within this time per source (an IPv4 address or a /64).
pub const REFUSALS_TOLD_WITHIN: Duration = Duration::from_secs(60);
/// Pairs of kind and source for which that is remembered, so that the log grows by at most so many lines within that
/// time; over it, further ones are counted together.
pub const REFUSALS_TOLD_MAX: usize = 1000;
/// How many of these may be from sources that are not verified: whoever invents sources leaves room for the others.
pub const REFUSALS_TOLD_UNVERIFIED_MAX: usize = 800;
/// What one sender, and one recipient, may have in the mailbox, or of what is owed to devices: at most this fraction
/// (1/n) of what would then be left. So others always have room, however many there are. Strangers count as one sender.
pub const MAILBOX_PART: usize = 4;
/// The same for legs under way, open messages, and ordinary requests under way, including their bytes.
pub const UNDER_WAY_PART: usize = 4;
/// The same for the bytes of legs: a larger share than of anything else, since each leg counts with its whole message.
pub const LEG_BYTES_PART: usize = 1;
/// ACKs of one sender that pass in one call within the time below; over it, they are dropped. Each 200 that is repeated
/// gets one (RFC 3261 §13.3.1.4), also if the call is forked.
pub const SESSION_ACKS_MAX: u32 = 64;
/// The same for its BYEs: one has 11 transmissions (RFC 3261 §17.1.2.2); over it, 503.
pub const SESSION_BYES_MAX: u32 = 11;
/// The same for its CANCELs.
pub const SESSION_CANCELS_MAX: u32 = 11;
/// The time for these three.
pub const SESSION_COUNTED_WITHIN: Duration = Duration::from_secs(300);
/// Responses to one request of a call that pass back to a datagram's source within that time; over it, they are dropped.
pub const SESSION_RESPONSES_MAX: u32 = 64;
/// Bytes of all responses to one request of a call whose sender has not shown that he receives where its datagram says to
/// come from; over it, or over [`SESSION_RESPONSES_MAX`] in all, they are dropped.
pub const SESSION_RESPONSES_UNPROVEN_BYTES_MAX: usize = 64 * 1024;
/// Bytes remembered of such requests; over it, the oldest of the source that has most is forgotten.
pub const SESSION_RESPONSES_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Bytes of the answer to one request that are sent again in all when its datagram is repeated: a small answer as often as
/// Timer E may ask for it, a large one less often.
pub const ANSWER_REPEATED_BYTES_MAX: usize = 32 * 1024;
/// Bytes remembered of these counts; over it, the oldest of the source that has most is forgotten.
pub const SESSION_COUNTS_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Parameters of a Contact's URI in a REGISTER; over it, 403. Devices have a dozen at most.
pub const CONTACT_PARAMS_MAX: usize = 32;
/// Proxies on the Path of a REGISTER (RFC 3327); with more, it is refused with 400.
pub const PATH_ELEMENTS_MAX: usize = 5;
/// Bytes of the Path of a REGISTER: each binding keeps them; with more, it is refused with 400.
pub const PATH_BYTES_MAX: usize = 1024;
/// Connections that are opened at a time for one user, or for one source of strangers; further ones wait for their turn.
pub const DIALS_PER_PAYER_MAX: usize = 100;
/// Places on this computer from which trusted peers have sent datagrams: requests may go there.
pub const NEAR_PEERS_MAX: usize = 64;
/// Parameters, or header fields, of one URI; over it, it is none. URIs are compared by all of them.
pub const URI_PARAMS_MAX: usize = 128;
/// How many times the bytes that came in datagrams from a network (a /24 of IPv4 or a /48 of IPv6) are answered there.
pub const REFLECTED_RATIO: usize = 3;
/// Bytes that are answered besides, until as much was received in excess.
pub const REFLECTED_BURST_BYTES: usize = 256 * 1024;
/// Networks for which that is counted; over it, the one that may be answered most is forgotten.
pub const REFLECTED_NETWORKS_MAX: usize = 10_000;
/// Bytes of that which one address and port keeps for its own answers; more is its network's.
pub const REFLECTED_ADDRESS_BYTES: usize = 8 * 1024;
/// Addresses whose bytes are remembered; the one that was silent longest makes room. 70 bytes each.
pub const REFLECTED_ADDRESSES_MAX: usize = 50_000;
/// Session requests and responses that wait for a connection or a lookup; over it, 503.
pub const SESSION_REQUESTS_WAITING_MAX: usize = 10_000;
/// Bytes of these; over it, a request gets 503 and a response is dropped.
pub const SESSION_BYTES_WAITING_MAX: usize = 64 * 1024 * 1024;
/// Of both, one of so many parts is for responses alone.
pub const SESSION_RESPONSES_PART: usize = 4;
