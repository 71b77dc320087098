//! Limits on how peers begin and end their streams.

use std::time::Duration;

/// TLS and WebSocket handshakes under way of peers that connect to one process; over it, the oldest is
/// dropped.
pub const GREETINGS_MAX: usize = 400;
/// The same for one address (or one IPv6 /64); over it, its oldest is dropped.
pub const GREETINGS_PER_ADDRESS_MAX: usize = 100;
/// Handshakes that one address (or one IPv6 /64) may begin at once; over it, a connection is closed without one.
pub const GREETINGS_AT_ONCE: u32 = 100;
/// Handshakes a second that it may begin after that.
pub const GREETINGS_PER_SECOND: u32 = 20;
/// Addresses whose handshakes are counted; over it, the one that began the fewest counts as new.
pub const GREETING_NETWORKS_MAX: usize = 10_000;
/// Bytes of the head with which a client asks for a WebSocket; over it, the connection is closed.
pub const UPGRADE_HEAD_BYTES_MAX: usize = 8 * 1024;
/// Bytes of one handshake under way: a message of TLS that is not whole (64 KiB, where the TLS library ends it), a record
/// each way, and the head of a WebSocket with what is read at a time.
pub const GREETING_BYTES: usize = (64 + 2 * 17 + 8) * 1024 + UPGRADE_HEAD_BYTES_MAX;
/// A peer that has ended its half of a stream gets the answers to its requests for this long.
pub const HALF_CLOSED_WAIT: Duration = Duration::from_secs(5);
/// Requests of one stream of which it is remembered that they have no final answer; over it, the oldest is forgotten.
pub const STREAM_UNANSWERED_MAX: usize = 64;
/// Bytes of pongs that wait until a WebSocket's peer takes them; over it, the peer is not read from either.
pub const PONGS_UNREAD_BYTES_MAX: usize = 2 * 1024;
