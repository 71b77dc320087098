//! Messages to be deleted on this computer, and how much room the messages take. Nobody else is told: what was sent stays
//! with those who got it.

use super::journal::{ConversationId, LastRow, MessageId};
use super::snapshot::Tally;
use crate::time::Timestamp;

/// What the user wants to delete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Doomed {
    /// Some messages of a conversation.
    Messages {
        /// The conversation.
        conversation: ConversationId,
        /// The messages.
        messages: Vec<MessageId>,
    },
    /// A conversation up to this message; what came after it stays.
    Conversation {
        /// The conversation.
        conversation: ConversationId,
        /// Its newest message when the user decided.
        up_to: MessageId,
    },
    /// Everything from before this time.
    OlderThan(Timestamp),
}

/// Messages of one conversation to delete at once, and what is left of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deletion {
    /// The conversation.
    pub conversation: ConversationId,
    /// The messages, oldest first.
    pub messages: Vec<MessageId>,
    /// Those of them that others wrote.
    pub received: Vec<MessageId>,
    /// The newest message that is left, and the states of its recipients if it is ours.
    pub last: Option<(LastRow, Option<Tally>)>,
}

/// How much room the messages take on this computer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StorageUse {
    /// Bytes of the database, its index and its log included.
    pub bytes: u64,
    /// Messages.
    pub messages: u64,
    /// Messages with files.
    pub with_files: u64,
    /// Bytes of these messages.
    pub file_bytes: u64,
    /// When the oldest message was written or received.
    pub oldest: Option<Timestamp>,
}
