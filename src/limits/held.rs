//! The most bytes that a proxy holds for others, by kind.

use super::*;

/// Bytes of the table entries of one remembered message of which nothing is owed.
pub const REMEMBERED_MESSAGE_BYTES: usize = 200;
/// Bytes of one server transaction's table entries, besides its answer.
pub const SERVER_TRANSACTION_BYTES: usize = 400;
/// Bytes of the table entries of one request that was turned away.
pub const TURNED_AWAY_BYTES: usize = 96;
/// What a proxy may hold for others, by kind: the most bytes of each, even when all the others are at their most.
/// Users, lists and settings come on top; these are up to the operator.
pub const PROXY_HELD_BYTES: [(&str, usize); 23] = [
    ("legs under way", LEG_BYTES_OPEN_MAX),
    ("reports under way", REPORT_BYTES_MAX + 2 * MESSAGE_BYTES_MAX),
    ("messages in the mailbox", MAILBOX_BYTES_MAX),
    ("messages owed to devices", AWAY_BYTES_MAX),
    ("messages remembered", DISPATCHES_REMEMBERED_MAX * REMEMBERED_MESSAGE_BYTES),
    ("ordinary requests under way", RELAY_BYTES_OPEN_MAX),
    ("requests of sessions that wait", SESSION_BYTES_WAITING_MAX),
    ("names that were looked up", NAMES_KNOWN_MAX * NAME_KNOWN_BYTES),
    ("answers kept for retransmissions", ANSWER_BYTES_MAX),
    ("server transactions", SERVER_TRANSACTIONS_MAX * SERVER_TRANSACTION_BYTES),
    ("requests that were turned away", TURNED_AWAY_MAX * TURNED_AWAY_BYTES),
    ("bindings", BINDINGS_BYTES_MAX),
    ("registrations that wait for the disk", REGISTERS_WAITING_BYTES_MAX),
    ("devices", DEVICES_MAX * (2 * DEVICE_NAME_BYTES_MAX + 512)),
    ("nonces used", NONCES_USED_MAX * 192),
    ("wrong passwords", WRONG_PASSWORD_PLACES_MAX * (URI_BYTES_MAX + 128)),
    ("handshakes of peers that connect", GREETINGS_MAX * GREETING_BYTES),
    ("requests on streams that are not answered", CONNECTIONS_MAX * STREAM_UNANSWERED_MAX * size_of::<u64>()),
    ("messages of streams that are not whole", STREAM_BYTES_MAX + CONNECTIONS_MAX * STREAM_BYTES_FREE),
    ("messages of streams that wait for the machine", STREAM_BYTES_WAITING_MAX),
    (
        "bytes to be written to streams",
        OUTPUT_BYTES_WAITING_MAX
            + CONNECTIONS_MAX * (CONNECTION_QUEUE_BYTES_FREE + 2 * PONGS_UNREAD_BYTES_MAX),
    ),
    ("datagrams that wait for the machine", INPUTS_WAITING_MAX * DATAGRAM_BYTES_MAX),
    ("datagrams that wait for their socket", DATAGRAM_BYTES_WAITING_MAX),
];
