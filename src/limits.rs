//! Every maximum, named, in one table. Over a maximum is a named outcome (413, 503, `Full`), never growth.

mod abuse;
mod wire;

use std::time::Duration;

pub use self::abuse::*;
pub use self::wire::*;

/// Disposition notifications of ours under way at a time; the others wait.
pub const RECEIPTS_OPEN_MAX: usize = 8;
/// Disposition notifications of ours that wait; over it the oldest is not sent.
pub const RECEIPTS_WAITING_MAX: usize = 1000;
/// Received messages that are not seen and whose sender wants to hear when they are; over it the oldest gets no answer.
pub const RECEIPTS_OWED_MAX: usize = 1000;
/// People at a time of whom it is shown that they are writing; over it, further ones are not.
pub const COMPOSING_MAX: usize = 100;
/// Recipients of one submission unless the settings say otherwise (W13).
pub const RECIPIENTS_MAX: usize = 500;
/// Lists within lists, the outermost counted (W16).
pub const ALIAS_DEPTH_MAX: usize = 8;
/// Aliases and lists of one proxy.
pub const ALIASES_MAX: usize = 10_000;
/// Members of all lists in one message, those that are in several counted for each; over it, 403.
pub const MEMBERS_PER_MESSAGE_MAX: usize = 4 * RECIPIENTS_MAX;
/// Addresses in one submission for each recipient that is allowed, so that a person may be named twice; over it, 403.
pub const ADDRESSES_PER_RECIPIENT_MAX: usize = 2;
/// Spellings of one foreign address in a submission that are compared with each other; a further one counts as one more
/// person (W3).
pub const SPELLINGS_COMPARED_MAX: usize = 8;
/// Bytes of a request that still goes over UDP (RFC 3261 §18.1.1).
pub const UDP_REQUEST_BYTES_MAX: usize = 1300;
/// Bytes of the largest datagram that is read.
pub const DATAGRAM_BYTES_MAX: usize = 65_535;
/// Bytes of the largest message that a datagram holds: 65,535 less the headers of IPv4 and UDP. IP options, or an interface that
/// does not fragment, take less; what they refuse is told of that message alone.
pub const DATAGRAM_PAYLOAD_BYTES_MAX: usize = 65_507;
/// How long a TCP connection may take before a large request goes over UDP all the same (W4).
pub const CONNECT_WAIT: Duration = Duration::from_secs(2);
/// How long it is remembered that a hop takes no stream (W4).
pub const STREAM_REFUSED_REMEMBERED: Duration = Duration::from_secs(600);
/// Hops of which that is remembered.
pub const STREAM_REFUSED_MAX: usize = 10_000;
/// Bindings of one address-of-record.
pub const BINDINGS_PER_AOR_MAX: usize = 20;
/// Bytes of one binding: its Contact, its device, the Call-ID of its REGISTER; over it, 403.
pub const BINDING_BYTES_MAX: usize = 8 * 1024;
/// Bytes of all bindings; over it, a REGISTER that makes or refreshes one gets 503.
pub const BINDINGS_BYTES_MAX: usize = 256 * 1024 * 1024;
/// Bytes of the REGISTERs whose 200 waits for the disk; over it, 503.
pub const REGISTERS_WAITING_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Contacts in one REGISTER; over it, 403.
pub const CONTACTS_PER_REGISTER_MAX: usize = 2 * BINDINGS_PER_AOR_MAX;
/// Addresses-of-record with a binding.
pub const AORS_MAX: usize = 200_000;
/// Seconds that a binding lives when REGISTER does not say (RFC 3261 §10.3 step 6).
pub const BINDING_EXPIRES_DEFAULT_SECS: u32 = 3600;
/// Seconds that a binding lives at most.
pub const BINDING_EXPIRES_MAX_SECS: u32 = 24 * 3600;
/// Seconds below which a REGISTER gets 423 Interval Too Brief.
pub const BINDING_EXPIRES_MIN_SECS: u32 = 10;
/// Targets tried for one recipient, redirects included (W18).
pub const REDIRECT_TARGETS_MAX: usize = 10;
/// Redirects followed in a row (W18).
pub const REDIRECT_STEPS_MAX: u8 = 5;
/// Messages that a proxy has accepted and not yet reported on; over it, 503.
pub const DISPATCHES_OPEN_MAX: usize = 100_000;
/// Requests with one submission whose 202 waits for the disk; over it, a further one gets 503.
pub const DOUBLES_WAITING_MAX: usize = 8;
/// Messages that a proxy remembers in all, those reported on too; over it, the oldest of these is forgotten before its time.
pub const DISPATCHES_REMEMBERED_MAX: usize = 1_000_000;
/// Bytes that the heads of those of which nothing is owed take in the store; over it, the oldest of them is forgotten before
/// its time.
pub const REMEMBERED_BYTES_MAX: usize = 1024 * 1024 * 1024;
/// Messages that the store is asked for at a time because their double came (W12); over it, the double gets its 202 alone, and no
/// report.
pub const DISPATCHES_WANTED_MAX: usize = 256;
/// Users of a proxy.
pub const USERS_MAX: usize = 200_000;
/// Senders that one user does not want.
pub const BLOCKED_PER_USER_MAX: usize = 1000;
/// How long a nonce is good for; after it, `stale=true` (W30).
pub const NONCE_LIFETIME: Duration = Duration::from_secs(3600);
/// Nonces of which it is remembered what was said under them, to refuse it a second time; over it the oldest is stale.
pub const NONCES_USED_MAX: usize = 100_000;
/// The same of one user: over it, his own oldest is stale.
pub const NONCES_PER_USER_MAX: usize = 1000;
/// Wrong passwords of one user from one source (an IPv4 address or a /64) within the time below; over it, 403 until that
/// is over (W30).
pub const WRONG_PASSWORDS_MAX: u32 = 10;
/// See above.
pub const WRONG_PASSWORDS_WITHIN: Duration = Duration::from_secs(60);
/// Pairs of user and source of which wrong passwords are counted; over it the one with the fewest is forgotten.
pub const WRONG_PASSWORD_PLACES_MAX: usize = 10_000;
/// Contacts in a response that a client looks at, for how long its binding stands and for where it is redirected.
pub const CONTACTS_READ_MAX: usize = 100;
/// Addresses of its server that a client takes requests from; further ones of a look-up are not.
pub const SERVER_ADDRESSES_MAX: usize = 64;
/// Requests of strangers that a client answers within one second, each by one stateless 403; over it they get silence. Datagrams are
/// counted apart from connections, and MESSAGE apart from all other methods.
pub const STRANGERS_ANSWERED_MAX: u32 = 20;
/// How often the client answers challenges of one realm to the same request (W30).
pub const CHALLENGES_ANSWERED_MAX: u8 = 3;
/// Realms that the client answers of those that challenge the same request; further ones are not answered.
pub const REALMS_PER_REQUEST_MAX: usize = 4;
/// Characters of a realm that are told to a person.
pub const REALM_CHARS_TOLD: usize = 80;
/// Realms that a client keeps a nonce of.
pub const REALMS_MAX: usize = 16;
/// Ordinary requests under way at a time; over it, 503.
pub const RELAYS_OPEN_MAX: usize = 100_000;
/// Legs under way at a time in one proxy; over it, submissions get 503.
pub const LEGS_OPEN_MAX: usize = 500_000;
/// Bytes that these legs may take, a copy of its message for each; over it, submissions get 503. One message of a
/// megabyte to 500 people fits.
pub const LEG_BYTES_OPEN_MAX: usize = 512 * 1024 * 1024;
/// Legs under way at a time of one user's messages, unless the settings say otherwise; over it, 503 (W31).
pub const LEGS_PER_USER_MAX: usize = 50_000;
/// Branches into which an ordinary request may be split, here and further on, where it does not say (RFC 5393 §5.3.3.1;
/// W31); over it, 440.
pub const MAX_BREADTH: u32 = 60;
/// Requests and responses of sessions that wait for a connection or a name; over it, 503.
pub const SESSION_REQUESTS_WAITING_MAX: usize = 10_000;
/// Bytes of these; over it, a request gets 503 and a response is dropped.
pub const SESSION_BYTES_WAITING_MAX: usize = 64 * 1024 * 1024;
/// Bytes of the heads of further 401 and 407 that one ordinary request keeps for their challenges (RFC 3261 §16.7 step 7);
/// over it, the challenge of a further one does not go back.
pub const RELAY_CHALLENGE_BYTES_MAX: usize = 32 * 1024;
/// Seconds for which a Record-Route of ours lets requests of its dialog pass, to the full hour above (W29).
pub const SESSION_ROUTE_SECS: u64 = 24 * 3600;
/// Bytes of what is remembered of INVITEs that passed, so that a CANCEL and the ACK of a failure go where each of them went; over it,
/// the oldest of the source (an IPv4 address or a /64) that has the most is forgotten.
pub const SESSION_INVITES_BYTES_MAX: usize = 8 * 1024 * 1024;
/// How long that is remembered after the INVITE, or the last response to it, has passed.
pub const SESSION_INVITE_KEPT: Duration = Duration::from_secs(300);
/// Bytes of what is remembered of where the parties of dialogs are; over it, the oldest of the source that has the most is
/// forgotten.
pub const SESSION_PARTIES_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Bytes of an ACK or a CANCEL, whose sender cannot be asked for credentials; over it, an ACK is dropped and a CANCEL gets 413.
pub const UNCHALLENGED_BYTES_MAX: usize = 16 * 1024;
/// Places remembered of one party of a dialog: its Contact, and the proxies before it.
pub const SESSION_PARTY_PLACES_MAX: usize = 8;
/// Values of Route or Record-Route in one request; over it, 400. No request passes more proxies (RFC 3261 §8.1.1.6).
pub const ROUTES_MAX: usize = 70;
/// Bytes of the ordinary requests under way, a copy for each branch, and of the responses that are kept until all have come; over it, 503.
pub const RELAY_BYTES_OPEN_MAX: usize = 256 * 1024 * 1024;
/// Inputs waiting for the proxy from which on new messages get 503.
pub const INPUTS_BUSY: usize = 1024;
/// Inputs waiting for the proxy down to which they do.
pub const INPUTS_CALM: usize = 256;
/// Inputs waiting for the proxy from which on every new request gets 503, registrations too.
pub const INPUTS_SWAMPED: usize = INPUTS_WAITING_MAX / 4 * 3;
/// Batches waiting for the disk from which on new messages get 503.
pub const BATCHES_BUSY: usize = BATCHES_WAITING_MAX / 2;
/// A batch that the disk has not answered for so long means 503 for new messages.
pub const COMMIT_WAIT_BUSY: Duration = Duration::from_secs(1);
/// Requests that were turned away and are remembered by their key, to tell their retransmissions; over it the oldest
/// is forgotten.
pub const TURNED_AWAY_MAX: usize = 200_000;
/// When nothing was turned away for so long, the overload is over, and the log says so.
pub const OVERLOAD_CALM: Duration = Duration::from_secs(2);
/// Requests of others in one machine that are being answered, or were until Timer J; over it, requests get 503.
pub const SERVER_TRANSACTIONS_MAX: usize = 300_000;
/// Bytes of the answers that are kept to be repeated until Timer J; over it, the oldest go, and a retransmission is not answered.
pub const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Bytes of an answer that is kept although it would be made the same again (a refusal, the answer to OPTIONS); a larger one
/// leaves no transaction behind (RFC 3261 §8.2.7).
pub const ANSWER_AGAIN_BYTES_MAX: usize = 2048;
/// How long a submission is remembered to tell a double (W12).
pub const DISPATCH_REMEMBERED: Duration = Duration::from_secs(24 * 3600);
/// How long a received message is remembered to tell a double (W15).
pub const INBOX_REMEMBERED: Duration = Duration::from_secs(8 * 24 * 3600);
/// Outcomes gathered into one interim report (W9).
pub const REPORT_GATHER: Duration = Duration::from_millis(100);
/// Bytes of the reports in memory, each with the NOTIFY that carries it; over it, a complete report waits in the store for its turn.
pub const REPORT_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Places of which nobody knows whether they want it at which one message's reports are tried, each once; over it, no further one is.
pub const REPORT_PLACES_PROBED_MAX: usize = 32;
/// How long an unanswered report is kept (W23).
pub const REPORT_KEPT: Duration = Duration::from_secs(24 * 3600);
/// Seconds told in Retry-After of a 503, at least.
pub const RETRY_AFTER_SECS: u32 = 5;
/// Seconds for which a message waits in the mailbox at most, and for which any Expires counts (W8, W18): 7 days.
pub const MAILBOX_SECS_MAX: u32 = 7 * 24 * 3600;
/// Messages that wait for one recipient, or for one of his devices, unless the settings say less; over it, plain failure.
pub const MAILBOX_PER_USER_MAX: usize = 1000;
/// Recipients that wait in one proxy's mailbox; over it, plain failure.
pub const MAILBOX_MAX: usize = 50_000;
/// Bytes of submissions that wait there; over it, plain failure.
pub const MAILBOX_BYTES_MAX: usize = 512 * 1024 * 1024;
/// Messages that are owed to devices while another device has them (W16); over it, those devices do not get them.
pub const AWAY_MAX: usize = 50_000;
/// Bytes of submissions that are kept for those.
pub const AWAY_BYTES_MAX: usize = 256 * 1024 * 1024;
/// How long a device is remembered after it registered last (W16).
pub const DEVICE_REMEMBERED: Duration = Duration::from_secs(30 * 24 * 3600);
/// Devices remembered of one address-of-record; over it, the one that was seen longest ago is forgotten.
pub const DEVICES_PER_AOR_MAX: usize = 10;
/// Devices remembered in all; over it, the one that was seen longest ago is forgotten.
pub const DEVICES_MAX: usize = 400_000;
/// Bytes of a `+sip.instance` by which a device is remembered.
pub const DEVICE_NAME_BYTES_MAX: usize = 256;
/// So many more by chance in a proxy's, so that not all who were turned away come back at once.
pub const RETRY_AFTER_SPREAD_SECS: u32 = 5;
/// Changes of settings, contacts and account that wait for a slow disk or keyring; over it, one is not kept, and that is said.
pub const KEEPING_WAITING_MAX: usize = 64;
/// How long the account waits for its password out of the keyring before it signs in without, and how long a new one waits
/// for the keyring before it goes into a file. The keyring's own password may have to be typed first.
pub const KEYRING_WAIT: Duration = Duration::from_secs(30);
/// Commands waiting for the engine.
pub const COMMANDS_WAITING_MAX: usize = 256;
/// Events waiting for the window.
pub const EVENTS_WAITING_MAX: usize = 1024;
/// Inputs waiting for one machine; sockets are not read while it is full.
pub const INPUTS_WAITING_MAX: usize = 4096;
/// Batches waiting for the store's writer thread.
pub const BATCHES_WAITING_MAX: usize = 4096;
/// Connections of one process, or as many as its limit of open files allows; over it whoever has said nothing whole yet
/// makes room, else the new one is closed.
pub const CONNECTIONS_MAX: usize = 10_000;
/// Handshakes under way of those who connect to one process, under TLS or by WebSocket; over it the one that began first is hung
/// up on.
pub const GREETINGS_MAX: usize = 1000;
/// Those of one address (of IPv6, one /64); over it a new one is hung up on.
pub const GREETINGS_PER_ADDRESS_MAX: usize = 100;
/// Connections being opened by one process at a time; over it a further one cannot be had.
pub const DIALS_MAX: usize = 1000;
/// Connections that one address (of IPv6, one /64) may have opened; over it a new one is closed.
pub const CONNECTIONS_PER_ADDRESS_MAX: usize = 500;
/// Open files that connections leave to the rest of the process, questions to two name servers among it; where the system allows
/// fewer than twice as many, half of them.
pub const DESCRIPTORS_KEPT_FREE: usize = 2 * DNS_QUESTIONS_MAX + 64;
/// That there are no file descriptors left is told once within this.
pub const SHORTAGE_TOLD_WITHIN: Duration = Duration::from_secs(60);
/// Bytes that came in on streams and are no whole message yet; over it, or when one address has a quarter of it, the
/// connection that brings more is closed.
pub const STREAM_BYTES_MAX: usize = 256 * 1024 * 1024;
/// Bytes of these that each connection may have without being counted.
pub const STREAM_BYTES_FREE: usize = 16 * 1024;
/// Bytes of whole messages of streams that wait for the machine; over it no stream is read.
pub const STREAM_BYTES_WAITING_MAX: usize = 64 * 1024 * 1024;
/// Bytes waiting to be written to one connection; over it the connection is closed.
pub const CONNECTION_QUEUE_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Bytes of these that each connection may have without a look at the others.
pub const CONNECTION_QUEUE_BYTES_FREE: usize = 16 * 1024;
/// Bytes waiting to be written to all connections, beyond these; over it, or when one address has a quarter of it, one that is to
/// get more and does not read is closed.
pub const OUTPUT_BYTES_WAITING_MAX: usize = 256 * 1024 * 1024;
/// What is written to a connection has to be taken by its peer within this, message by message.
pub const STREAM_WRITE_WAIT: Duration = Duration::from_secs(60);
/// A connection on which nothing moved for so long is closed.
pub const CONNECTION_IDLE: Duration = Duration::from_secs(15 * 60);
/// A stream over which nothing of what was sent has arrived for so long is gone.
pub const STREAM_UNACKNOWLEDGED: Duration = Duration::from_secs(30);
/// A ping is to be answered within this by a peer that has answered one before (RFC 5626 §4.4.1).
pub const PONG_WAIT: Duration = Duration::from_secs(10);
/// From one keep-alive to the next on a stream, less up to 15 % (RFC 5626 §4.4.1: 95 to 120 s).
pub const KEEP_ALIVE_STREAM: Duration = Duration::from_secs(120);
/// The same for datagrams behind a NAT (RFC 5626 §4.4.2: 24 to 29 s).
pub const KEEP_ALIVE_DATAGRAM: Duration = Duration::from_secs(29);
/// A registration over datagrams through a NAT is refreshed after this at the latest: the NAT may have shown us elsewhere by then, and
/// tells nobody.
pub const NAT_REFRESH: Duration = Duration::from_secs(60);
/// What the proxy asks of clients that register a flow (RFC 5626 §5.4).
pub const FLOW_TIMER_SECS: u64 = KEEP_ALIVE_STREAM.as_secs();
/// No server gets a keep-alive more often than that.
pub const FLOW_TIMER_MIN: Duration = Duration::from_secs(15);
/// A message on a stream must be whole this long after its first byte, and the first one of a peer that opened a
/// connection this long after that.
pub const STREAM_MESSAGE_WAIT: Duration = Duration::from_secs(30);
/// Messages of one conversation that a snapshot carries with their text.
pub const SNAPSHOT_MESSAGES_MAX: usize = 300;
/// Screen updates a second at most.
pub const SNAPSHOTS_PER_SEC_MAX: u64 = 60;
/// Screen updates a second while much happens for long, and the person does nothing.
pub const SNAPSHOTS_PER_SEC_BUSY: u64 = 4;
/// Seconds for which the client registers (RFC 3261 §10.2.1.1).
pub const REGISTER_EXPIRES_SECS: u32 = 600;
/// How long the client waits before its second try to reach its server; doubled each time.
pub const RETRY_FIRST: Duration = Duration::from_secs(2);
/// How long the client waits at most between two tries, its server's Retry-After apart.
pub const RETRY_MAX: Duration = Duration::from_secs(120);
/// How long a Retry-After is honoured at most.
pub const RETRY_AFTER_MAX: Duration = Duration::from_secs(3600);
/// How long the client waits before it tries again where its server refused it without saying when to come again; doubled each time.
pub const REFUSED_RETRY_FIRST: Duration = Duration::from_secs(120);
/// How long it waits at most then.
pub const REFUSED_RETRY_MAX: Duration = Duration::from_secs(1800);
/// How long the client waits for a connection to its server before it counts as a failed try.
pub const STREAM_OPEN_WAIT: Duration = Duration::from_secs(10);
/// How long the client waits for the answer to its un-registration.
pub const UNREGISTER_WAIT: Duration = Duration::from_secs(2);
/// Submissions of one client under way at a time; the others wait.
pub const SUBMISSIONS_OPEN_MAX: usize = 32;
/// Messages under way at a time of those that go one by one, as the server does not fan out (W6); the others wait.
pub const SINGLES_OPEN_MAX: usize = 16;
/// Bytes of addresses that such a message names in Also-To; over it, it names nobody, so that it still fits a datagram.
pub const ALSO_TO_BYTES_MAX: usize = 600;
/// How often one submission is sent when its connection breaks each time.
pub const SUBMISSION_SENDINGS_MAX: u8 = 3;
/// How long after it first left a submission without an answer is sent again by itself: less than its proxy remembers it for, so that
/// a double is known there (W12).
pub const SUBMISSION_REPEATED_WITHIN: Duration = Duration::from_secs(23 * 3600);
/// Messages waiting to be sent; over it a draft goes back to the composer.
pub const OUTBOX_WAITING_MAX: usize = 10_000;
/// Messages with a good end that the client remembers for a repeated report.
pub const OUTBOX_FINISHED_MAX: usize = 1000;
/// Conversations of one client; over it a stranger's message gets 503.
pub const CONVERSATIONS_MAX: usize = 100_000;
/// Received messages remembered to tell a double; over it the oldest is forgotten.
pub const INBOX_KEYS_MAX: usize = 500_000;
/// How long the client waits before it writes again what the disk did not take.
pub const SAVE_AGAIN: Duration = Duration::from_secs(5);
/// Questions of the screen that wait for the history's reader.
pub const QUESTIONS_WAITING_MAX: usize = 64;
/// Messages that missed somebody and are kept ready to be sent again after a start; older ones stay in the history.
pub const OPEN_LOADED_MAX: usize = 1000;
/// Messages that asked to be told that they were seen, and whose readers are known again after a start.
pub const ASKING_LOADED_MAX: usize = OUTBOX_FINISHED_MAX;
/// Bytes of a text that asks for it; a longer one leaves as it is, so that it does not grow past a bound by that.
pub const ASKING_BYTES_MAX: usize = 32 * 1024;
/// People of whom it is remembered that their program does not take CPIM; over it somebody is asked again.
pub const CPIM_REFUSERS_MAX: usize = 10_000;
/// Names being looked up at a time; the others wait. Who asks for one that is being looked up is told with the first.
pub const LOOKUPS_MAX: usize = 64;
/// Names that are being looked up or wait for it; over it, there is no route to a further one.
pub const LOOKUPS_WAITING_MAX: usize = 1000;
/// Servers that are looked at for one name (RFC 3263); those of NAPTR and of SRV records after them are not.
pub const LOOKUP_PLACES_MAX: usize = 8;
/// Addresses that the look-up of one name may give.
pub const LOOKUP_HOPS_MAX: usize = 8;
/// How long the look-up of a name may take. Its three rounds of questions (NAPTR; SRV; addresses) are over before, each by the two
/// below.
pub const LOOKUP_WAIT: Duration = Duration::from_secs(10);
/// How long a question to DNS is waited for that is asked with EDNS (RFC 6891), and, where that is not answered, as long without.
pub const QUESTION_WAIT: Duration = Duration::from_millis(1250);
/// Questions to DNS under way at a time; the others wait.
pub const DNS_QUESTIONS_MAX: usize = 128;
/// How much longer the addresses of one family are waited for when those of the other are known (RFC 8305 §3).
pub const OTHER_FAMILY_WAIT: Duration = Duration::from_millis(250);
/// Datagrams waiting for a socket whose buffer is full; over it they are lost, as the network may lose them.
/// Their bytes are shared with the transactions that would send them again.
pub const DATAGRAMS_WAITING_MAX: usize = 65_536;
/// Bytes of these.
pub const DATAGRAM_BYTES_WAITING_MAX: usize = 64 * 1024 * 1024;
/// Bytes that one datagram address was sent and is not known to have read; while it is reached the next leg waits.
/// With the overhead below it is about 60 datagrams of 1,200 bytes, two thirds of what Linux holds by default.
pub const PACE_UNREAD_BYTES_MAX: usize = 128 * 1024;
/// What a datagram takes of its reader's buffer beside its bytes.
pub const PACE_DATAGRAM_OVERHEAD_BYTES: usize = 1024;
/// A peer that answers nothing for so long is taken to have read what it was sent.
pub const PACE_SILENCE: Duration = Duration::from_millis(100);
/// Messages whose failures the engine watches for notices; over it the oldest is let go.
pub const ALARMS_MAX: usize = 1000;
/// Lines of the log that wait to be written; over it, further ones are lost and counted.
pub const LOG_LINES_WAITING_MAX: usize = 1024;
/// Bytes of one line of the log; the rest of a longer one is cut off.
pub const LOG_LINE_BYTES_MAX: usize = 16 * 1024;
/// How long the end of the program waits for the log to be written.
pub const LOG_FLUSH_WAIT: Duration = Duration::from_secs(1);
/// How long a program that was told to end waits for the disk to take what it knows.
pub const STOP_WAIT: Duration = Duration::from_secs(5);

/// Bytes that the entries of one message take of which nothing is owed, in its trees.
pub const REMEMBERED_MESSAGE_BYTES: usize = 200;
/// Bytes that one server transaction takes beside its answer, in its trees.
pub const SERVER_TRANSACTION_BYTES: usize = 384;
/// Bytes that one request takes which was turned away.
pub const TURNED_AWAY_BYTES: usize = 96;
/// What a proxy may hold for others, by what it is: the most that each may take, in bytes, all the others being at their
/// most. Beside these it needs what its users, lists and settings take, which its operator decides.
pub const PROXY_HELD_BYTES: [(&str, usize); 20] = [
    ("legs under way", LEG_BYTES_OPEN_MAX),
    ("reports under way", REPORT_BYTES_MAX + 2 * MESSAGE_BYTES_MAX),
    ("messages in the mailbox", MAILBOX_BYTES_MAX),
    ("messages owed to devices", AWAY_BYTES_MAX),
    ("messages remembered", DISPATCHES_REMEMBERED_MAX * REMEMBERED_MESSAGE_BYTES),
    ("ordinary requests under way", RELAY_BYTES_OPEN_MAX),
    ("requests of sessions that wait", SESSION_BYTES_WAITING_MAX),
    ("answers kept for retransmissions", ANSWER_BYTES_MAX),
    ("server transactions", SERVER_TRANSACTIONS_MAX * SERVER_TRANSACTION_BYTES),
    ("requests that were turned away", TURNED_AWAY_MAX * TURNED_AWAY_BYTES),
    ("bindings", BINDINGS_BYTES_MAX),
    ("registrations that wait for the disk", REGISTERS_WAITING_BYTES_MAX),
    ("devices", DEVICES_MAX * (2 * DEVICE_NAME_BYTES_MAX + 512)),
    ("nonces used", NONCES_USED_MAX * 192),
    ("wrong passwords", WRONG_PASSWORD_PLACES_MAX * (URI_BYTES_MAX + 128)),
    ("messages of streams that are not whole", STREAM_BYTES_MAX + CONNECTIONS_MAX * STREAM_BYTES_FREE),
    ("messages of streams that wait for the machine", STREAM_BYTES_WAITING_MAX),
    (
        "bytes to be written to streams",
        OUTPUT_BYTES_WAITING_MAX + CONNECTIONS_MAX * CONNECTION_QUEUE_BYTES_FREE,
    ),
    ("datagrams that wait for the machine", INPUTS_WAITING_MAX * DATAGRAM_BYTES_MAX),
    ("datagrams that wait for their socket", DATAGRAM_BYTES_WAITING_MAX),
];
