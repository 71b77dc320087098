//! What the client stores durably, as plain data, and what it gets back after a start.
//!
//! **Invariant:** no SQL and no files here; `store/client_rows.rs` maps these to rows.

mod delivery_state;

use std::time::Duration;

use bytes::Bytes;

use super::reason::Phrase;
use crate::sip::{File, ReportOptions};
use crate::time::Timestamp;

pub use delivery_state::DeliveryState;

/// A conversation: one set of participants (a hidden list is a conversation with each of them).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConversationId(pub u64);

/// A message sent or received; numbers grow, so they sort by arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId(pub u64);

/// One durable change. A batch of them is applied as a whole, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Write {
    /// A new conversation.
    Conversation(ConversationRow),
    /// A message written here: committed before the first byte leaves.
    Outgoing(OutgoingRow),
    /// An address among a conversation's people was corrected.
    People {
        /// The conversation.
        conversation: ConversationId,
        /// All its people.
        people: Vec<PersonRow>,
    },
    /// An address among the recipients of a message written here was corrected.
    Recipients {
        /// The message.
        message: MessageId,
        /// All its recipients, in the same order.
        people: Vec<PersonRow>,
    },
    /// An attempt has begun or progressed; replaces what was stored of it.
    Attempt(AttemptRow),
    /// What is known of one recipient in one attempt; replaces what was stored.
    Delivery(DeliveryRow),
    /// What a report said of somebody to whom the attempt was not sent; replaces what was stored.
    Stranger(StrangerRow),
    /// A report as it came.
    Report(ReportRow),
    /// A message that is being written; replaces what was stored of it.
    Draft {
        /// It, as it is now.
        row: DraftRow,
        /// Its files are other ones than those stored.
        has_new_files: bool,
    },
    /// Nothing is being written there any more.
    ForgetDraft(DraftPlace),
    /// These messages of a conversation are no more, nor is anything known of them; the conversation goes with the last.
    Delete {
        /// The conversation.
        conversation: ConversationId,
        /// The messages.
        messages: Vec<MessageId>,
    },
    /// A received message: committed before its 200 leaves.
    Incoming(IncomingRow),
    /// Everything up to this message has been seen.
    Seen {
        /// The conversation.
        conversation: ConversationId,
        /// The last one seen.
        message: MessageId,
    },
    /// Keys of received messages older than this may be forgotten (`limits::INBOX_REMEMBERED`).
    ForgetKeysBefore(Timestamp),
}

/// A conversation and its participants besides ourselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConversationRow {
    /// Its number.
    pub id: ConversationId,
    /// The others, as spelled when the conversation began or corrected since, in order.
    pub people: Vec<PersonRow>,
    /// Recipients are hidden from each other (`copy=bcc`, W7).
    pub hidden: bool,
}

/// Where a message is being written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DraftPlace {
    /// Written, and sent at a later time; by number.
    Later(u32),
    /// To people who are still being chosen.
    NewMessage,
    /// In a conversation.
    In(ConversationId),
}

/// A message that is being written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DraftRow {
    /// Where.
    pub place: DraftPlace,
    /// When it was last changed; set by the machine. Of one that is sent later, the time at which it is to be sent.
    pub at: Timestamp,
    /// The text so far.
    pub text: String,
    /// The people chosen so far, for a new message.
    pub people: Vec<PersonRow>,
    /// Recipients are to be hidden from each other.
    pub hidden: bool,
    /// Attached files.
    pub files: Vec<File>,
}

impl DraftRow {
    /// True if there is nothing to keep.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.text.is_empty() && self.files.is_empty() && self.people.is_empty()
    }
}

/// An address and its display name.
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
    /// Its conversation.
    pub conversation: ConversationId,
    /// When it was written.
    pub at: Timestamp,
    /// Media type of the body.
    pub content_type: String,
    /// The body.
    pub body: Bytes,
    /// The recipients in order; deliveries refer to them by index.
    pub recipients: Vec<PersonRow>,
}

/// One attempt at a message: one MESSAGE on the wire, or one per recipient if the server does not fan out (W6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttemptRow {
    /// The message.
    pub message: MessageId,
    /// 1 for the first, 2 for the first resend.
    pub number: u32,
    /// The recipients' indexes; the first stands in `To`.
    pub recipients: Vec<u32>,
    /// Call-ID, the same when the attempt is sent again after a crash (W10).
    pub call_id: String,
    /// From tag.
    pub from_tag: String,
    /// CSeq.
    pub cseq: u32,
    /// The `Delivery-Report` value as sent, `each;detail;id=TOKEN` (W9, W12): the same when it is sent again.
    pub report: ReportOptions,
    /// How it is sent.
    pub way: Way,
    /// Whether its text is sent in CPIM and asks for delivery and display notifications (RFC 5438, W28).
    pub asks: bool,
    /// How far it has progressed.
    pub stage: AttemptStage,
    /// When the stage was reached.
    pub at: Timestamp,
}

#[cfg(test)]
impl AttemptRow {
    /// A submission to the first two recipients of which nothing more is awaited.
    pub(crate) fn closed(message: MessageId, number: u32) -> Self {
        Self {
            message,
            number,
            recipients: vec![0, 1],
            call_id: "c".to_owned(),
            from_tag: "t".to_owned(),
            cseq: 1,
            report: ReportOptions::default(),
            way: Way::FanOut,
            asks: false,
            stage: AttemptStage::Closed,
            at: Timestamp::default(),
        }
    }
}

/// How an attempt is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// ONE MESSAGE for all (W1, W2).
    FanOut,
    /// ONE MESSAGE with a list of all recipients in its body (W27).
    ByList,
    /// An ordinary MESSAGE to each recipient (W6).
    OneByOne,
}

/// How far an attempt has progressed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttemptStage {
    /// Committed; nothing has left, or nothing that counts.
    Queued,
    /// Bytes may have left; no final response yet.
    Sent,
    /// 2xx received; a report is expected.
    Accepted {
        /// To tag of the 202, which is the From tag of the reports (W22, W25).
        to_tag: String,
    },
    /// Nothing more is expected: all outcomes are known, or it was refused or withdrawn.
    Closed,
}

/// What is known of one recipient in one attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryRow {
    /// The message.
    pub message: MessageId,
    /// The attempt.
    pub attempt: u32,
    /// The recipient's index in [`OutgoingRow::recipients`].
    pub recipient: u32,
    /// The state (see the table in screen.md).
    pub state: DeliveryState,
    /// SIP status, if reported.
    pub status: Option<u16>,
    /// The reason phrase, or what we found ourselves.
    pub phrase: Phrase,
    /// Number of transmissions, if reported.
    pub tries: Option<u32>,
    /// From acceptance to outcome, if reported.
    pub after: Option<Duration>,
    /// When it became known here.
    pub at: Timestamp,
}

/// What a report said of somebody to whom its attempt was not sent, or in a state word that we do not know (W20).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StrangerRow {
    /// The message.
    pub message: MessageId,
    /// The attempt.
    pub attempt: u32,
    /// The address in the report.
    pub address: String,
    /// The state word in the report.
    pub state: String,
    /// SIP status, if reported.
    pub status: Option<u16>,
    /// Reason phrase as it came; empty if none came.
    pub phrase: String,
    /// Number of transmissions, if reported.
    pub tries: Option<u32>,
    /// From acceptance to outcome, if reported.
    pub after: Option<Duration>,
    /// When it became known here.
    pub at: Timestamp,
}

/// A report as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportRow {
    /// The message.
    pub message: MessageId,
    /// The attempt.
    pub attempt: u32,
    /// When it came.
    pub at: Timestamp,
    /// Its body.
    pub body: Bytes,
}

/// A received message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncomingRow {
    /// Its number.
    pub id: MessageId,
    /// Its conversation.
    pub conversation: ConversationId,
    /// When it came.
    pub at: Timestamp,
    /// The sender's Date, if given.
    pub sent_at: Option<Timestamp>,
    /// The sender.
    pub from: PersonRow,
    /// The other recipients (`Also-To`).
    pub also_to: Vec<PersonRow>,
    /// Media type of the body.
    pub content_type: String,
    /// The body.
    pub body: Bytes,
    /// Identifies duplicates: From tag, Call-ID, CSeq (W15).
    pub key: String,
    /// It came from the account's server, which has verified the sender. False if it came directly from somebody.
    pub verified: bool,
}

/// Everything in the store that the client machine needs after a start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rows {
    /// Conversations, with the head of each.
    pub conversations: Vec<ConversationHeadRow>,
    /// Messages with an attempt that is not closed, those with a recipient that failed or has no report and was not
    /// reached by another attempt, and the last message of each conversation if it is ours.
    pub open: Vec<OpenRows>,
    /// Keys of messages received within `limits::INBOX_REMEMBERED`.
    pub keys: Vec<KeyRow>,
    /// Received CPIM messages not seen yet: the latest `limits::RECEIPTS_OWED_MAX`, oldest first.
    pub unseen: Vec<UnseenRow>,
    /// Messages that are being written.
    pub drafts: Vec<DraftRow>,
    /// The largest conversation number in use, 0 for none.
    pub last_conversation: u64,
    /// The largest message number in use, 0 for none.
    pub last_message: u64,
    /// Identifies this store's device among its owner's: `urn:uuid:` and 36 characters (RFC 5626 §4.1); none for a
    /// store that does not last.
    pub instance: Option<String>,
}

/// The key of a received message; they sort by age.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyRow {
    /// When the message came.
    pub at: Timestamp,
    /// [`IncomingRow::key`].
    pub key: String,
}

/// A received CPIM message not seen before the program ended: its sender may want to know when it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnseenRow {
    /// Its number.
    pub id: MessageId,
    /// Its conversation.
    pub conversation: ConversationId,
    /// When it came.
    pub at: Timestamp,
    /// The sender's address.
    pub from: String,
    /// The body.
    pub body: Bytes,
}

/// A conversation and what its entry in the list shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConversationHeadRow {
    /// The conversation.
    pub row: ConversationRow,
    /// Its last message, if it has one: number, time, media type, the body's beginning, whether it is ours.
    pub last: Option<LastRow>,
    /// Messages received and not seen.
    pub unread: u32,
    /// The last message seen.
    pub seen: Option<MessageId>,
    /// It has a message written here.
    pub is_written_to: bool,
}

/// The last message of a conversation, for its entry in the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastRow {
    /// Its number.
    pub id: MessageId,
    /// When it was sent or received.
    pub at: Timestamp,
    /// The beginning of its text, at most 200 characters, on one line.
    pub preview: String,
    /// True if written here.
    pub mine: bool,
    /// False for a received message that did not come from the account's server.
    pub verified: bool,
}

/// A message that is not finished.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenRows {
    /// The message.
    pub outgoing: OutgoingRow,
    /// Its attempts.
    pub attempts: Vec<AttemptRow>,
    /// What is known of its recipients.
    pub deliveries: Vec<DeliveryRow>,
}
