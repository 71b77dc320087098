//! What the engine tells the window.

use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;

use super::account::Account;
use super::deletion::StorageUse;
use super::draft::{Draft, DraftFault};
use super::journal::{ConversationId, DraftPlace, DraftRow, MessageId, PersonRow};
use super::matrix::Matrix;
use super::reason::Cause;
use super::search::Found;
use super::snapshot::{PasswordPlace, Tally};
use crate::sip::File;
use crate::time::Timestamp;

/// So many of those who were not reached are named.
pub const FAILURES_NAMED_MAX: usize = 5;

/// What the engine tells the window, each once: toasts and desktop notifications.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// Somebody was not reached (one per message; collected for 2 s).
    NotDelivered {
        /// The conversation.
        conversation: ConversationId,
        /// The message.
        message: MessageId,
        /// How many are in which state.
        tally: Tally,
        /// The names of those who were not reached and why, the first of them ([`FAILURES_NAMED_MAX`]).
        failures: Vec<(String, Cause)>,
        /// How many recipients a resend would go to.
        failed: u32,
    },
    /// A late report says it was delivered after all: withdraw this message's notification.
    Delivered {
        /// The message.
        message: MessageId,
    },
    /// A message was received.
    Received {
        /// The conversation.
        conversation: ConversationId,
        /// The sender's name or address.
        from: String,
        /// Its text.
        text: String,
    },
    /// A draft's text goes back to the composer.
    NotSent {
        /// The draft.
        draft: Draft,
        /// The reason, in plain words.
        why: String,
    },
    /// The password is kept elsewhere than the user may think, or not at all for now.
    Password(PasswordPlace),
    /// A file was saved there.
    Saved(PathBuf),
    /// A requested file was read.
    Attached {
        /// Its path.
        path: PathBuf,
        /// Its content.
        file: File,
    },
    /// A requested file could not be read, or is no file to attach.
    NotAttached {
        /// Its path.
        path: PathBuf,
        /// Why, as a sentence.
        why: String,
        /// It is larger than a message may be.
        is_too_large: bool,
    },
    /// A requested file of a message was read.
    FileRead {
        /// The message.
        message: MessageId,
        /// The index of the file.
        file: usize,
        /// The file; none if it is not there any more, or cannot be read.
        content: Option<File>,
    },
    /// What was being written when the program ended; told once after the start.
    Drafts(Vec<DraftRow>),
    /// What is being written could not be kept.
    DraftNotKept {
        /// Where.
        place: DraftPlace,
        /// Why.
        why: DraftFault,
    },
    /// The file of the messages is damaged; told after a check in the background.
    StoreDamaged {
        /// The file.
        path: PathBuf,
        /// What is wrong, at most a hundred sentences.
        faults: Vec<String>,
    },
    /// A message was sent well after its time: the program did not run then.
    SentLate {
        /// Its time.
        due: Timestamp,
        /// Its recipients.
        to: Vec<PersonRow>,
    },
    /// Messages could not be deleted, and are still there.
    NotDeleted,
    /// How much room the messages take.
    Storage(StorageUse),
    /// What became of the latest messages of ours in a conversation.
    Matrix(ConversationId, Arc<Matrix>),
    /// What the latest search found.
    Found(Box<Found>),
    /// A requested file of contacts was read.
    ContactsRead {
        /// Its content, or why it cannot be read.
        file: Result<Bytes, String>,
    },
    /// A provisioning file was read: the account in it, or what is wrong with it, as a sentence.
    Provisioned(Box<Result<Account, String>>),
    /// A sentence for the user (a broken settings file set aside, a full disk).
    Problem(String),
    /// More notices came than the window took: this many were dropped.
    Missed(u32),
}
