//! Every maximum, by name, in one table. Over a maximum there is a named outcome (413, 503, `Full`), never growth.

mod abuse;
mod accounts;
mod client;
mod held;
mod history;
mod hosting;
mod lookups;
mod nearness;
mod network;
mod people;
mod pictures;
mod rates;
mod streams;
mod testing;
mod wire;

use std::time::Duration;

pub use self::abuse::*;
pub use self::accounts::*;
pub use self::client::*;
pub use self::held::*;
pub use self::history::*;
pub use self::hosting::*;
pub use self::lookups::*;
pub use self::nearness::{Interfaces, Nearness};
pub use self::network::{neighbourhood, network};
pub use self::people::*;
pub use self::pictures::*;
pub(crate) use self::rates::{Rate, Rates};
pub use self::streams::*;
pub use self::testing::*;
pub use self::wire::*;

/// Disposition notifications that we send at a time; the others wait.
pub const RECEIPTS_OPEN_MAX: usize = 8;
/// Disposition notifications of ours that wait to be sent; over it, the oldest is dropped.
pub const RECEIPTS_WAITING_MAX: usize = 1000;
/// Received messages not yet read whose sender wants to know when they are; over it, the oldest gets no notification.
pub const RECEIPTS_OWED_MAX: usize = 1000;
/// Recipients of one submission, unless the settings say otherwise (W13).
pub const RECIPIENTS_MAX: usize = 500;
/// Nesting depth of lists, counting the outermost (W16).
pub const ALIAS_DEPTH_MAX: usize = 8;
/// Aliases and lists of one proxy.
pub const ALIASES_MAX: usize = 10_000;
/// Members of all lists in one message, counting those in several lists each time; over it, 403.
pub const MEMBERS_PER_MESSAGE_MAX: usize = 4 * RECIPIENTS_MAX;
/// Addresses in one submission per allowed recipient, so that a person may be named twice; over it, 403.
pub const ADDRESSES_PER_RECIPIENT_MAX: usize = 2;
/// Spellings of one foreign address in a submission that are compared with each other; each further one counts as
/// another person (W3).
pub const SPELLINGS_COMPARED_MAX: usize = 8;
/// Bytes of the largest request that is sent over UDP (RFC 3261 §18.1.1).
pub const UDP_REQUEST_BYTES_MAX: usize = 1300;
/// Bytes of the largest datagram that is read.
pub const DATAGRAM_BYTES_MAX: usize = 65_535;
/// Bytes of the largest message that fits a datagram: 65,535 less the IPv4 and UDP headers. With IP options, or on an
/// interface that does not fragment, less fits; if a message is refused for that, only that message fails.
pub const DATAGRAM_PAYLOAD_BYTES_MAX: usize = 65_507;
/// How long a TCP connection may take before a large request is sent over UDP instead (W4).
pub const CONNECT_WAIT: Duration = Duration::from_secs(2);
/// How long a hop is remembered to take no stream (W4).
pub const STREAM_REFUSED_REMEMBERED: Duration = Duration::from_secs(600);
/// Hops remembered to take no stream.
pub const STREAM_REFUSED_MAX: usize = 10_000;
/// Bindings of one address-of-record.
pub const BINDINGS_PER_AOR_MAX: usize = 20;
/// Bytes of one binding (its Contact, its device, the Call-ID of its REGISTER); over it, 403.
pub const BINDING_BYTES_MAX: usize = 8 * 1024;
/// Bytes of all bindings; over it, a REGISTER that makes or refreshes one gets 503.
pub const BINDINGS_BYTES_MAX: usize = 256 * 1024 * 1024;
/// Bytes of the REGISTERs whose 200 waits for the disk; over it, 503.
pub const REGISTERS_WAITING_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Contacts in one REGISTER; over it, 403.
pub const CONTACTS_PER_REGISTER_MAX: usize = 2 * BINDINGS_PER_AOR_MAX;
/// Addresses-of-record that have a binding.
pub const AORS_MAX: usize = 200_000;
/// Seconds that a binding lives if REGISTER does not say (RFC 3261 §10.3 step 6).
pub const BINDING_EXPIRES_DEFAULT_SECS: u32 = 3600;
/// The most seconds that a binding lives.
pub const BINDING_EXPIRES_MAX_SECS: u32 = 24 * 3600;
/// A REGISTER that asks for fewer seconds gets 423 Interval Too Brief.
pub const BINDING_EXPIRES_MIN_SECS: u32 = 10;
/// Targets tried for one recipient, including redirects (W18).
pub const REDIRECT_TARGETS_MAX: usize = 10;
/// Redirects followed in a row (W18).
pub const REDIRECT_STEPS_MAX: u8 = 5;
/// Messages that a proxy has accepted but not finished reporting on; over it, 503.
pub const DISPATCHES_OPEN_MAX: usize = 100_000;
/// Requests for one submission whose 202 waits for the disk; over it, a further one gets 503.
pub const DOUBLES_WAITING_MAX: usize = 8;
/// Messages that a proxy remembers in all; over it, the oldest of those with nothing owed is forgotten before its time.
pub const DISPATCHES_REMEMBERED_MAX: usize = 1_000_000;
/// Bytes in the store of the header sections of messages of which nothing is owed; over it, the oldest of these is
/// forgotten before its time.
pub const REMEMBERED_BYTES_MAX: usize = 1024 * 1024 * 1024;
/// Messages read back from the store at a time because they were repeated (W12); over it, a repetition gets its 202,
/// but no report.
pub const DISPATCHES_WANTED_MAX: usize = 256;
/// Users of a proxy.
pub const USERS_MAX: usize = 200_000;
/// Senders that one user may block.
pub const BLOCKED_PER_USER_MAX: usize = 1000;
/// Labels from the end of a sender's domain that are compared with blocked domains, which hold for what is below them.
pub const BLOCKED_LABELS_MAX: usize = 16;
/// How long a nonce is valid; after that, `stale=true` (W30).
pub const NONCE_LIFETIME: Duration = Duration::from_secs(3600);
/// Nonces whose used counts are remembered, to refuse them a second time; over it, the oldest nonce becomes stale.
pub const NONCES_USED_MAX: usize = 100_000;
/// The same per user; over it, the user's oldest nonce becomes stale.
pub const NONCES_PER_USER_MAX: usize = 1000;
/// Wrong passwords for one user from one source (an IPv4 address or a /64) within the time below; over it, 403 until
/// that time is over (W30).
pub const WRONG_PASSWORDS_MAX: u32 = 10;
/// Wrong passwords from one source, whoever's they are, within that time; over it, 403 too.
pub const WRONG_PASSWORDS_PER_SOURCE_MAX: u32 = 100;
/// The time for [`WRONG_PASSWORDS_MAX`].
pub const WRONG_PASSWORDS_WITHIN: Duration = Duration::from_secs(60);
/// Pairs of user and source whose wrong passwords are counted, and sources; over it, the one with the fewest is forgotten.
pub const WRONG_PASSWORD_PLACES_MAX: usize = 10_000;
/// Contacts in a 3xx that a client reads, to find its redirect targets.
pub const CONTACTS_READ_MAX: usize = 100;
/// Addresses of its server from which a client accepts requests; further ones of a lookup are ignored.
pub const SERVER_ADDRESSES_MAX: usize = 64;
/// Requests of strangers that a client answers per second, each with a stateless 403; over it, they get silence.
/// Datagrams and connections are counted separately, and so are MESSAGE and all other methods.
pub const STRANGERS_ANSWERED_MAX: u32 = 20;
/// How often the client answers challenges of one realm to the same request (W30).
pub const CHALLENGES_ANSWERED_MAX: u8 = 3;
/// Realms whose challenges to one request the client answers; further ones are not answered.
pub const REALMS_PER_REQUEST_MAX: usize = 4;
/// Characters of a realm that are shown to a person.
pub const REALM_CHARS_TOLD: usize = 80;
/// Realms for which a client keeps a nonce.
pub const REALMS_MAX: usize = 16;
/// Ordinary requests under way at a time; over it, 503.
pub const RELAYS_OPEN_MAX: usize = 100_000;
/// Legs under way at a time in one proxy; over it, submissions get 503.
pub const LEGS_OPEN_MAX: usize = 500_000;
/// Bytes of these legs, each with its own copy of the message; over it, submissions get 503. One message of a megabyte
/// to 500 people fits.
pub const LEG_BYTES_OPEN_MAX: usize = 512 * 1024 * 1024;
/// Legs under way at a time of one user's messages, unless the settings say otherwise; over it, 503 (W31).
pub const LEGS_PER_USER_MAX: usize = 50_000;
/// Max-Breadth of an ordinary request that has none: branches into which it may be split, here and downstream
/// (RFC 5393 §5.3.3.1; W31); over it, 440.
pub const MAX_BREADTH: u32 = 60;
/// Bytes of the header sections of further 401s and 407s that one ordinary request keeps for their challenges (RFC 3261
/// §16.7 step 7); over it, a further challenge is not passed back.
pub const RELAY_CHALLENGE_BYTES_MAX: usize = 32 * 1024;
/// Seconds for which our Record-Route lets requests of its dialog pass, rounded up to the hour (W29).
pub const SESSION_ROUTE_SECS: u64 = 24 * 3600;
/// Bytes remembered of INVITEs that passed, so that a CANCEL or the ACK of a failure goes where its INVITE went; over
/// it, the oldest of the source (an IPv4 address or a /64) that has most is forgotten.
pub const SESSION_INVITES_BYTES_MAX: usize = 8 * 1024 * 1024;
/// How long an INVITE is remembered after it, or the last response to it, has passed.
pub const SESSION_INVITE_KEPT: Duration = Duration::from_secs(300);
/// Bytes remembered of where the parties of dialogs are; over it, the oldest of the source that has most is
/// forgotten.
pub const SESSION_PARTIES_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Bytes of an ACK or CANCEL, which cannot be challenged for credentials, and of a BYE, which passes at any rate; over
/// it, ACK is dropped and the others get 413.
pub const UNCHALLENGED_BYTES_MAX: usize = 16 * 1024;
/// Places remembered per party of a dialog: its Contact, and the proxies before it.
pub const SESSION_PARTY_PLACES_MAX: usize = 8;
/// Values of Route or Record-Route in one request; over it, 400. No request passes more proxies (RFC 3261 §8.1.1.6).
pub const ROUTES_MAX: usize = 70;
/// Bytes of ordinary requests under way (a copy per branch), and of responses kept until all have come; over it, 503.
pub const RELAY_BYTES_OPEN_MAX: usize = 256 * 1024 * 1024;
/// With so many inputs waiting for the proxy, new messages begin to get 503.
pub const INPUTS_BUSY: usize = 1024;
/// With no more than so many inputs waiting, they no longer do.
pub const INPUTS_CALM: usize = 256;
/// With so many inputs waiting for the proxy, every new request gets 503, even REGISTER.
pub const INPUTS_SWAMPED: usize = INPUTS_WAITING_MAX / 4 * 3;
/// With so many batches waiting for the disk, new messages get 503.
pub const BATCHES_BUSY: usize = BATCHES_WAITING_MAX / 2;
/// If a batch has waited for the disk for so long, new messages get 503.
pub const COMMIT_WAIT_BUSY: Duration = Duration::from_secs(1);
/// Requests that were turned away and whose key is remembered, to recognise retransmissions; over it, the oldest
/// is forgotten.
pub const TURNED_AWAY_MAX: usize = 200_000;
/// If nothing was turned away for so long, the overload is over, and the log says so.
pub const OVERLOAD_CALM: Duration = Duration::from_secs(2);
/// Server transactions of one machine, under way or until Timer J; over it, requests get 503.
pub const SERVER_TRANSACTIONS_MAX: usize = 300_000;
/// Bytes of answers kept for retransmissions until Timer J; over it, the oldest go and are not sent again.
pub const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Bytes of an answer that is kept although it would come out the same again (a refusal, the answer to OPTIONS); a
/// larger one leaves no transaction behind (RFC 3261 §8.2.7).
pub const ANSWER_AGAIN_BYTES_MAX: usize = 2048;
/// How long a submission is remembered to recognise a repetition (W12).
pub const DISPATCH_REMEMBERED: Duration = Duration::from_secs(24 * 3600);
/// How long a received message is remembered to recognise a repetition (W15).
pub const INBOX_REMEMBERED: Duration = Duration::from_secs(8 * 24 * 3600);
/// How long outcomes are gathered for one interim report (W9).
pub const REPORT_GATHER: Duration = Duration::from_millis(100);
/// Bytes of reports in memory, each with its NOTIFY; over it, a complete report waits in the store for its turn.
pub const REPORT_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Places that may not want a message's reports but where they are tried, once each; over it, no further one is tried.
pub const REPORT_PLACES_PROBED_MAX: usize = 32;
/// How long an unanswered report is kept (W23).
pub const REPORT_KEPT: Duration = Duration::from_secs(24 * 3600);
/// The least number of seconds in the Retry-After of a 503.
pub const RETRY_AFTER_SECS: u32 = 5;
/// The most seconds that a message waits in the mailbox, and that any Expires counts (W8, W18): 7 days.
pub const MAILBOX_SECS_MAX: u32 = 7 * 24 * 3600;
/// Messages that wait for one recipient, or for one device, unless the settings say less; over it, plain failure.
pub const MAILBOX_PER_USER_MAX: usize = 1000;
/// Waiting recipients in one proxy's mailbox; over it, plain failure.
pub const MAILBOX_MAX: usize = 50_000;
/// Bytes of the submissions that wait there; over it, plain failure.
pub const MAILBOX_BYTES_MAX: usize = 512 * 1024 * 1024;
/// Messages owed to devices after another device has taken them (W16); over it, those devices do not get them.
pub const AWAY_MAX: usize = 50_000;
/// Bytes of the submissions kept for those devices.
pub const AWAY_BYTES_MAX: usize = 256 * 1024 * 1024;
/// How long a device is remembered after its last registration (W16).
pub const DEVICE_REMEMBERED: Duration = Duration::from_secs(30 * 24 * 3600);
/// Devices remembered per address-of-record; over it, the one not seen for longest is forgotten.
pub const DEVICES_PER_AOR_MAX: usize = 10;
/// Devices remembered in all; over it, the one not seen for longest is forgotten.
pub const DEVICES_MAX: usize = 400_000;
/// Bytes of the longest `+sip.instance` by which a device is remembered.
pub const DEVICE_NAME_BYTES_MAX: usize = 256;
/// Up to so many random seconds are added to a proxy's Retry-After, so that not everybody comes back at once.
pub const RETRY_AFTER_SPREAD_SECS: u32 = 5;
/// Changes of settings, contacts and account that wait for a slow disk or keyring; over it, one is reported as lost.
pub const KEEPING_WAITING_MAX: usize = 64;
/// How long signing in waits for the password from the keyring before it goes on without, and how long a new password
/// waits for the keyring before it is written to a file. The person may first have to unlock the keyring.
pub const KEYRING_WAIT: Duration = Duration::from_secs(30);
/// Commands waiting for the engine.
pub const COMMANDS_WAITING_MAX: usize = 256;
/// Events waiting for the window.
pub const EVENTS_WAITING_MAX: usize = 1024;
/// Inputs waiting for one machine; sockets are not read while it is full.
pub const INPUTS_WAITING_MAX: usize = 4096;
/// Batches waiting for the store's writer thread.
pub const BATCHES_WAITING_MAX: usize = 4096;
/// Connections of one process, or as many as its limit of open files allows. Over it, a connection on which no whole
/// message has come yet makes room; else the new one is closed.
pub const CONNECTIONS_MAX: usize = 10_000;
/// Connections that one process opens at a time; over it, a further one fails.
pub const DIALS_MAX: usize = 1000;
/// Connections opened by one address (or one IPv6 /64); over it, a new one is closed.
pub const CONNECTIONS_PER_ADDRESS_MAX: usize = 500;
/// File descriptors that connections leave to the rest of the process, including questions to two name servers; if the
/// system allows fewer than twice as many, half of them.
pub const DESCRIPTORS_KEPT_FREE: usize = 2 * DNS_QUESTIONS_MAX + 64;
/// How often at most it is logged that no file descriptors are left.
pub const SHORTAGE_TOLD_WITHIN: Duration = Duration::from_secs(60);
/// Bytes received on streams that are not yet a whole message; over it, the newest connection of the neighbourhood that
/// has most is closed. If one address has a quarter of it, its connection that brings more is closed.
pub const STREAM_BYTES_MAX: usize = 256 * 1024 * 1024;
/// Bytes of these that each connection may have uncounted.
pub const STREAM_BYTES_FREE: usize = 16 * 1024;
/// Bytes of whole messages from streams that wait for the machine; over it, no stream is read.
pub const STREAM_BYTES_WAITING_MAX: usize = 64 * 1024 * 1024;
/// Bytes of answers waiting to be written to one connection; over it the connection is closed.
pub const CONNECTION_ANSWER_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Bytes waiting to be written to one connection, over which a further request to it fails; the connection stays.
pub const CONNECTION_REQUEST_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Bytes of these that each connection may have uncounted.
pub const CONNECTION_QUEUE_BYTES_FREE: usize = 16 * 1024;
/// Counted bytes waiting to be written to all connections; over it, or if one address has a quarter of it, a further request
/// fails, and a connection that should get an answer but does not read is closed.
pub const OUTPUT_BYTES_WAITING_MAX: usize = 256 * 1024 * 1024;
/// How long a peer may take to accept each message written to its connection.
pub const STREAM_WRITE_WAIT: Duration = Duration::from_secs(60);
/// A connection that was idle for so long is closed.
pub const CONNECTION_IDLE: Duration = Duration::from_secs(15 * 60);
/// A stream whose peer has acknowledged nothing of what was sent for so long counts as gone.
pub const STREAM_UNACKNOWLEDGED: Duration = Duration::from_secs(30);
/// How soon a peer that has answered a ping before must answer one (RFC 5626 §4.4.1).
pub const PONG_WAIT: Duration = Duration::from_secs(10);
/// The time between keep-alives on a stream, less up to 15 % (RFC 5626 §4.4.1: 95 to 120 s).
pub const KEEP_ALIVE_STREAM: Duration = Duration::from_secs(120);
/// The same for datagrams behind a NAT (RFC 5626 §4.4.2: 24 to 29 s).
pub const KEEP_ALIVE_DATAGRAM: Duration = Duration::from_secs(29);
/// A registration over UDP through a NAT is refreshed at least this often: the NAT may have changed our outside
/// address, and tells nobody.
pub const NAT_REFRESH: Duration = Duration::from_secs(60);
/// The Flow-Timer that the proxy asks of clients that register a flow (RFC 5626 §5.4).
pub const FLOW_TIMER_SECS: u64 = KEEP_ALIVE_STREAM.as_secs();
/// The shortest time between keep-alives to a server, whatever it asks for.
pub const FLOW_TIMER_MIN: Duration = Duration::from_secs(15);
/// A message on a stream must be complete this long after its first byte, and the first one from a peer that opened a
/// connection this long after that.
pub const STREAM_MESSAGE_WAIT: Duration = Duration::from_secs(30);
/// Seconds for which the client registers (RFC 3261 §10.2.1.1).
pub const REGISTER_EXPIRES_SECS: u32 = 600;
/// How long the client waits before it retries to reach its server; doubled each time.
pub const RETRY_FIRST: Duration = Duration::from_secs(2);
/// The longest wait between two retries, unless the server's Retry-After says more.
pub const RETRY_MAX: Duration = Duration::from_secs(120);
/// The longest Retry-After that is honoured.
pub const RETRY_AFTER_MAX: Duration = Duration::from_secs(3600);
/// How long the client waits to retry after a refusal without a Retry-After; doubled each time.
pub const REFUSED_RETRY_FIRST: Duration = Duration::from_secs(120);
/// The longest such wait.
pub const REFUSED_RETRY_MAX: Duration = Duration::from_secs(1800);
/// How long the client waits for a connection to its server before that counts as a failed try.
pub const STREAM_OPEN_WAIT: Duration = Duration::from_secs(10);
/// Bytes up to which a part of a dialog (a Call-ID, an address, a tag) is sealed in a Route as it is; a longer one by its
/// hash, made once for a request, whatever its number of Routes.
pub const SEALED_PART_BYTES_MAX: usize = 256;
/// How long a server may be silent while we connect before the user is told: a datagram to a closed port gets no answer.
pub const SILENCE_TOLD_AFTER: Duration = Duration::from_secs(4);
/// How long the client waits for the answer to its un-registration.
pub const UNREGISTER_WAIT: Duration = Duration::from_secs(2);
/// People who are not contacts that the window suggests as recipients.
pub const ACQUAINTANCES_MAX: usize = 500;
/// Members of conversations among whom it looks for them, latest conversations first.
pub const ACQUAINTANCES_SOUGHT_MAX: usize = 20_000;
/// Submissions of one client under way at a time; the others wait.
pub const SUBMISSIONS_OPEN_MAX: usize = 32;
/// Messages sent one by one at a time, if the server does not fan out (W6); the others wait.
pub const SINGLES_OPEN_MAX: usize = 16;
/// Bytes of the bodies of messages that one client has under way; once it has as many, the others wait.
pub const MESSAGE_BYTES_OPEN_MAX: usize = 4 * 1024 * 1024;
/// Bytes of addresses in the Also-To of such a message; over it, it has no Also-To, so that it still fits a datagram.
pub const ALSO_TO_BYTES_MAX: usize = 600;
/// How often one submission is sent if its connection breaks each time.
pub const SUBMISSION_SENDINGS_MAX: u8 = 3;
/// How long after it was first sent an unanswered submission is sent again automatically: less than its proxy remembers
/// it, so that the repetition is recognised (W12).
pub const SUBMISSION_REPEATED_WITHIN: Duration = Duration::from_secs(23 * 3600);
/// Messages waiting to be sent; over it, a draft goes back to the composer.
pub const OUTBOX_WAITING_MAX: usize = 10_000;
/// Successful messages that the client remembers in case a report is repeated.
pub const OUTBOX_FINISHED_MAX: usize = 1000;
/// Conversations of one client; over it, a stranger's message gets 503.
pub const CONVERSATIONS_MAX: usize = 100_000;
/// Received messages remembered to recognise repetitions; over it, the oldest is forgotten.
pub const INBOX_KEYS_MAX: usize = 500_000;
/// How long the client waits before it retries a write that the disk refused.
pub const SAVE_AGAIN: Duration = Duration::from_secs(5);
/// Bytes of a text that can ask for a read notification; a longer one is sent without, to stay within its bounds.
pub const ASKING_BYTES_MAX: usize = 32 * 1024;
/// People remembered not to take CPIM; over it, somebody is asked again.
pub const CPIM_REFUSERS_MAX: usize = 10_000;
/// Datagrams waiting for a socket whose buffer is full; over it they are lost, as the network may lose them.
/// Their bytes are shared with the transactions that would retransmit them.
pub const DATAGRAMS_WAITING_MAX: usize = 65_536;
/// Bytes of these.
pub const DATAGRAM_BYTES_WAITING_MAX: usize = 64 * 1024 * 1024;
/// Bytes sent to one UDP address and not known to have been read; above that, the next leg waits.
/// With the overhead below it is about 60 datagrams of 1,200 bytes, two thirds of what Linux buffers by default.
pub const PACE_UNREAD_BYTES_MAX: usize = 128 * 1024;
/// What a datagram costs in its reader's buffer besides its bytes.
pub const PACE_DATAGRAM_OVERHEAD_BYTES: usize = 1024;
/// A peer that answers nothing for so long is assumed to have read everything.
pub const PACE_SILENCE: Duration = Duration::from_millis(100);
/// Bytes of legs sent on one connection whose answers have not come; above that, the next leg waits.
pub const PACE_STREAM_UNREAD_BYTES_MAX: usize = 2 * 1024 * 1024;
/// How long after that legs go on to a connection that answers nothing, until there is no room for them
/// ([`CONNECTION_REQUEST_BYTES_MAX`]).
pub const PACE_STREAM_SILENCE: Duration = Duration::from_millis(500);
/// Messages whose failures the engine watches to notify the person; over it, the oldest is dropped.
pub const ALARMS_MAX: usize = 1000;
/// Log lines that wait to be written; over it, further ones are lost and counted.
pub const LOG_LINES_WAITING_MAX: usize = 1024;
/// Bytes of one log line; the rest of a longer one is cut off.
pub const LOG_LINE_BYTES_MAX: usize = 16 * 1024;
/// How long the program waits at its end for the log to be written.
pub const LOG_FLUSH_WAIT: Duration = Duration::from_secs(1);
/// How long a program that was told to stop waits for the disk to take its writes.
pub const STOP_WAIT: Duration = Duration::from_secs(5);
