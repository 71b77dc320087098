//! What the client makes durable, as plain data, and what it gets back after a start.
//!
//! **Invariant:** no SQL and no file here; `store/client_rows.rs` maps these to rows.

use std::time::Duration;

use bytes::Bytes;

use crate::time::Timestamp;

/// A conversation: one set of participants (architecture: a hidden list is a pair each).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConversationId(pub u64);

/// A message of ours or of somebody else; they grow, so they sort by arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId(pub u64);

/// One durable change. A batch of them applies whole, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Write {
    /// A conversation that is new.
    Conversation(ConversationRow),
    /// A message written here: committed before the first byte leaves.
    Outgoing(OutgoingRow),
    /// One attempt at it begins, or has got on; replaces what was stored of that attempt.
    Attempt(AttemptRow),
    /// What is known of one recipient in one attempt; replaces what was stored.
    Delivery(DeliveryRow),
    /// A message received: committed before its 200 leaves.
    Incoming(IncomingRow),
    /// Everything up to this message was seen.
    Seen {
        /// Where.
        conversation: ConversationId,
        /// The last one seen.
        message: MessageId,
    },
    /// A received message's key may be forgotten (older than `limits::INBOX_REMEMBERED`).
    ForgetKeysBefore(Timestamp),
}

/// A conversation and who is in it besides ourselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConversationRow {
    /// Its number.
    pub id: ConversationId,
    /// The others, as spelled when it began, in order.
    pub people: Vec<PersonRow>,
    /// Recipients are hidden from each other (`copy=bcc`, W7).
    pub hidden: bool,
}

/// An address and the name that goes with it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PersonRow {
    /// A URI as spelled.
    pub address: String,
    /// Display name, empty when unknown.
    pub name: String,
}

/// A message written here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutgoingRow {
    /// Its number.
    pub id: MessageId,
    /// Where it was written.
    pub conversation: ConversationId,
    /// When.
    pub at: Timestamp,
    /// Media type of the body.
    pub content_type: String,
    /// The body.
    pub body: Bytes,
    /// To whom, in order: indexes of deliveries.
    pub recipients: Vec<PersonRow>,
}

/// One attempt at a message: one MESSAGE on the wire, or one for each where the server does not fan out (W6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttemptRow {
    /// Of which message.
    pub message: MessageId,
    /// 1 for the first, 2 for the first resend.
    pub number: u32,
    /// Which recipients, by index; the first stands in `To`.
    pub recipients: Vec<u32>,
    /// Call-ID, the same when it is sent again after a crash (W10).
    pub call_id: String,
    /// From tag.
    pub from_tag: String,
    /// CSeq.
    pub cseq: u32,
    /// The `Delivery-Report` value as sent, `each;detail;id=TOKEN` (W9, W12): the same when it is sent again.
    pub report: String,
    /// How it leaves.
    pub way: Way,
    /// Whether its text leaves in CPIM, and asks to be told that it was delivered and seen (RFC 5438, W28).
    pub asks: bool,
    /// How far it is.
    pub stage: AttemptStage,
    /// When the stage was reached.
    pub at: Timestamp,
}

/// How an attempt leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// ONE MESSAGE for all (W1, W2).
    FanOut,
    /// ONE MESSAGE with a list of all in its body (W27).
    ByList,
    /// An ordinary MESSAGE for each (W6).
    OneByOne,
}

/// How far an attempt is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttemptStage {
    /// Committed; no byte has left, or none that counts.
    Queued,
    /// Bytes may have left; no final response yet.
    Sent,
    /// 2xx with this To tag; a report is owed.
    Accepted {
        /// To tag of the 202: From tag of the reports (W22, W25).
        to_tag: String,
    },
    /// Nothing more is awaited: all outcomes known, refused, or withdrawn.
    Closed,
}

/// What is known of one recipient in one attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryRow {
    /// Of which message.
    pub message: MessageId,
    /// In which attempt.
    pub attempt: u32,
    /// Which recipient, by index in [`OutgoingRow::recipients`].
    pub recipient: u32,
    /// The state (screen.md's table).
    pub state: DeliveryState,
    /// SIP status, where one was told.
    pub status: Option<u16>,
    /// Reason phrase, verbatim.
    pub phrase: String,
    /// Transmissions, where told.
    pub tries: Option<u32>,
    /// From acceptance to outcome, where told.
    pub after: Option<Duration>,
    /// When it became known here.
    pub at: Timestamp,
}

/// State of one recipient; `delivery.rs` says what may follow what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DeliveryState {
    /// Committed, before any byte leaves.
    Queued,
    /// Written, no final response.
    Sending,
    /// The proxy's 2xx: it has it, the report is awaited.
    Accepted,
    /// The report window passed.
    NoReport,
    /// Offline; will be delivered later.
    Deferred,
    /// The report says failure, or the submission was refused.
    Failed,
    /// Withdrawn while queued.
    Cancelled,
    /// Success with status 202: passed on, arrival not confirmed.
    PassedOn,
    /// The report says success.
    Delivered,
    /// Their program says that they have seen it (RFC 5438, W28).
    Read,
}

/// A received message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncomingRow {
    /// Its number.
    pub id: MessageId,
    /// Where it belongs.
    pub conversation: ConversationId,
    /// When it came.
    pub at: Timestamp,
    /// The sender's Date, where it gave one.
    pub sent_at: Option<Timestamp>,
    /// Who wrote it.
    pub from: PersonRow,
    /// Who else got it (`Also-To`).
    pub also_to: Vec<PersonRow>,
    /// Media type of the body.
    pub content_type: String,
    /// The body.
    pub body: Bytes,
    /// What tells a double: From tag, Call-ID, CSeq (W15).
    pub key: String,
    /// It came from the server of the account, which has looked at who wrote it. False for what came straight from somebody.
    pub verified: bool,
}

/// All that a store holds that the client machine needs after a start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rows {
    /// Conversations, with the head of each.
    pub conversations: Vec<ConversationHeadRow>,
    /// Messages that have an attempt which is not closed, those with a recipient that failed or has no report
    /// and is not made good by another attempt, and the last message of each conversation where it is ours.
    pub open: Vec<OpenRows>,
    /// Keys of messages received within `limits::INBOX_REMEMBERED`, with when.
    pub keys: Vec<(String, Timestamp)>,
    /// Received messages in CPIM that are not seen, the latest `limits::RECEIPTS_OWED_MAX`, oldest first.
    pub unseen: Vec<UnseenRow>,
    /// The largest conversation number in use, 0 for none.
    pub last_conversation: u64,
    /// The largest message number in use, 0 for none.
    pub last_message: u64,
    /// What tells this store's device from others of its owner: `urn:uuid:` and 36 characters (RFC 5626 §4.1); none for
    /// a store that does not last.
    pub instance: Option<String>,
}

/// A received message that was not seen at the last end, wrapped in CPIM: its sender may want to hear when it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnseenRow {
    /// Its number.
    pub id: MessageId,
    /// Where it belongs.
    pub conversation: ConversationId,
    /// When it came.
    pub at: Timestamp,
    /// Address of who wrote it.
    pub from: String,
    /// The body.
    pub body: Bytes,
}

/// A conversation and what its line in the list shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConversationHeadRow {
    /// The conversation.
    pub row: ConversationRow,
    /// Its last message, if it has one: number, time, media type, the body's beginning, whether it is ours.
    pub last: Option<LastRow>,
    /// Received and not seen.
    pub unread: u32,
    /// Up to where it was seen.
    pub seen: Option<MessageId>,
}

/// The last message of a conversation, for its line in the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastRow {
    /// Its number.
    pub id: MessageId,
    /// When.
    pub at: Timestamp,
    /// The beginning of its text, at most 200 characters, on one line.
    pub preview: String,
    /// Written here.
    pub mine: bool,
    /// False for a received message that did not come from the server of the account.
    pub verified: bool,
}

/// A message that is not finished.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenRows {
    /// The message.
    pub outgoing: OutgoingRow,
    /// Its attempts.
    pub attempts: Vec<AttemptRow>,
    /// What is known.
    pub deliveries: Vec<DeliveryRow>,
}
