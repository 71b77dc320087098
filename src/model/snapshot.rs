//! Everything the window can see: plain, shared values that never change once handed out.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::account::{Account, RegistrationState};
use super::contacts::AddressBook;
pub use super::contacts::Person;
use super::journal::{ConversationId, DeliveryState, MessageId, Way};
use super::later::Later;
use super::locale::{FirstDay, Hours, Language};
use super::marks::Marks;
use super::names::Names;
use super::reason::Phrase;
use super::text::FileShown;
use crate::time::Timestamp;

/// One snapshot of everything, made by the engine.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snapshot {
    /// The account, if one is set up.
    pub account: Option<Arc<Account>>,
    /// Where its password is kept.
    pub password: PasswordPlace,
    /// The account's state at its server.
    pub registration: RegistrationState,
    /// When the next try is due, while offline.
    pub retry_at: Option<Timestamp>,
    /// The last message received could not be stored, so it was refused: the disk is full, or fails.
    pub not_stored: bool,
    /// The server's certificate, if it prevents the connection and the user may decide to trust it.
    pub untrusted: Option<Arc<UntrustedCertificate>>,
    /// Messages of ours that wait to be sent, or to be answered by the proxy.
    pub unsent: usize,
    /// Where the account's server has redirected us, if it has.
    pub redirected_to: Option<String>,
    /// Messages that wait for the time at which they are to be sent, the first first.
    pub later: Arc<[Later]>,
    /// Entries of the conversation list in the order shown: those with unseen failures first, then by time.
    pub conversations: Arc<[ConversationHead]>,
    /// The open conversation.
    pub thread: Option<Arc<Thread>>,
    /// Who is typing, and where.
    pub writing: Arc<[Writing]>,
    /// Contacts and saved lists.
    pub book: Arc<AddressBook>,
    /// The same, parsed.
    pub names: Arc<Names>,
    /// Settings.
    pub settings: Settings,
    /// True in the demo: everybody except us is simulated.
    pub demo: bool,
}

/// A certificate that no trusted authority issued, for the user to decide on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UntrustedCertificate {
    /// The server name that it should have proven.
    pub server: String,
    /// The subject that the certificate states.
    pub subject: String,
    /// Its SHA-256 fingerprint, `4F:0A:…`.
    pub sha256: String,
    /// When it expires.
    pub ends: Timestamp,
    /// The servers that it names, if it does not name this one; an empty list if it names none.
    pub other_names: Option<Vec<String>>,
    /// The fingerprint of the certificate trusted for this server so far, if it is a different one.
    pub trusted_before: Option<String>,
}

/// Where the account's password is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum PasswordPlace {
    /// There is none, or it is kept only while the program runs.
    #[default]
    None,
    /// The system's keyring was asked for it.
    Coming,
    /// The system's keyring was asked, but does not answer.
    Unanswered,
    /// In the system's keyring.
    Keyring,
    /// In this file, readable by its owner only, as there is no keyring.
    File(PathBuf),
}

impl PasswordPlace {
    /// A sentence for the user; none if no password is kept.
    #[must_use]
    pub fn in_words(&self) -> Option<String> {
        match self {
            Self::None => None,
            Self::Coming => Some("Waiting for the password from this system's keyring.".to_owned()),
            Self::Unanswered => Some(
                "This system's keyring does not answer. Unlock it, or type the password again.".to_owned(),
            ),
            Self::Keyring => Some("The password is kept in this system's keyring.".to_owned()),
            Self::File(path) => Some(format!(
                "The password is kept in {}, a plain file that only you can read.",
                path.display()
            )),
        }
    }
}

/// Settings of the window, stored in a RON file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Light, dark, or as the system says.
    pub theme: Theme,
    /// Desktop notifications.
    pub notifications: Notifications,
    /// Enter sends and Shift+Enter starts a new line; if false, the other way round.
    pub enter_sends: bool,
    /// Scale of the whole window, 0.75 to 3.
    pub scale: f32,
    /// For so many seconds a message waits after `Send` and can be taken back.
    pub undo_send_secs: u8,
    /// What the user has set for single conversations.
    pub conversations: Vec<Marks>,
    /// Tell the other person of a conversation that the user is typing.
    pub typing: bool,
    /// No notifications before this time, in milliseconds since 1970 ("Do not disturb").
    pub quiet_until: Option<u64>,
    /// Notifications wait while the desktop says that something is presented.
    pub pause_presenting: bool,
    /// Testing mode: the messages on the wire can be watched.
    pub testing: bool,
    /// Emoji that were chosen lately, latest first.
    pub recent_emoji: Vec<String>,
    /// Closing the window leaves the program running; none until the user was asked.
    pub background: Option<bool>,
    /// The language of the window.
    pub language: Language,
    /// How many hours its clocks count to.
    pub hours: Hours,
    /// The day that its weeks begin with.
    pub first_day: FirstDay,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            theme: Theme::System,
            notifications: Notifications::Full,
            enter_sends: true,
            scale: 1.0,
            undo_send_secs: 0,
            conversations: Vec::new(),
            typing: true,
            quiet_until: None,
            pause_presenting: true,
            testing: false,
            recent_emoji: Vec::new(),
            background: None,
            language: Language::System,
            hours: Hours::System,
            first_day: FirstDay::System,
        }
    }
}

impl Settings {
    /// Whether the user does not want to be disturbed now.
    #[must_use]
    pub fn is_quiet(&self, now: Timestamp) -> bool {
        self.quiet_until.is_some_and(|until| now.as_millis() < until)
    }

    /// What the user has set for a conversation.
    #[must_use]
    pub fn marks(&self, head: &ConversationHead) -> Option<&Marks> {
        if self.conversations.is_empty() {
            return None;
        }
        let key = Marks::key(&head.people, head.hidden);
        self.conversations.iter().find(|marks| marks.with == key)
    }
}

/// Colors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Theme {
    /// As the desktop says.
    #[default]
    System,
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

/// What desktop notifications show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Notifications {
    /// None are shown.
    Off,
    /// That something happened, but not what or with whom.
    HideContent,
    /// Everything.
    #[default]
    Full,
}

/// One entry of the conversation list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConversationHead {
    /// Its number.
    pub id: ConversationId,
    /// Its last message.
    pub newest: MessageId,
    /// The others.
    pub people: Arc<[Person]>,
    /// Recipients are hidden from each other.
    pub hidden: bool,
    /// The beginning of the last message, on one line; empty if there is none.
    pub preview: Arc<str>,
    /// Time of the last message.
    pub at: Timestamp,
    /// If the last message is ours: its recipients' states, counted.
    pub last: Option<Tally>,
    /// False if the last message was received and did not come from the account's server.
    pub verified: bool,
    /// Messages received and not seen.
    pub unread: u32,
    /// Recipients not reached, over all messages of ours in it: seen or not, whatever came after.
    pub failed: u32,
    /// Those of them in messages whose failure was not seen yet.
    pub failed_unseen: u32,
    /// How many messages of ours did not reach everybody.
    pub failed_messages: u32,
    /// Recipients not reached by the latest of these messages.
    pub failed_latest: u32,
    /// When the latest of these messages was written; none if everybody was reached.
    pub failed_at: Option<Timestamp>,
}

/// How many recipients of one message are in each state (the best over all attempts).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Recipients.
    pub total: u32,
    /// Queued.
    pub queued: u32,
    /// Sending.
    pub sending: u32,
    /// Accepted by the proxy.
    pub accepted: u32,
    /// Delivered.
    pub delivered: u32,
    /// Read.
    pub read: u32,
    /// Passed on.
    pub passed_on: u32,
    /// Deferred.
    pub deferred: u32,
    /// Failed.
    pub failed: u32,
    /// Without report.
    pub no_report: u32,
    /// Withdrawn.
    pub cancelled: u32,
}

/// The open conversation. `outline` has an entry for every message, so that the scroll bar is right; `messages` has
/// those around the view.
#[derive(Clone, Debug, PartialEq)]
pub struct Thread {
    /// Its number.
    pub conversation: ConversationId,
    /// The others.
    pub people: Arc<[Person]>,
    /// Recipients are hidden from each other.
    pub hidden: bool,
    /// Every message, oldest first.
    pub outline: Arc<[Outline]>,
    /// Index in `outline` of the first of `messages`.
    pub first: usize,
    /// The messages around the view, oldest first, without a gap.
    pub messages: Arc<[Arc<MessageView>]>,
    /// The first message that was not seen when the conversation was opened.
    pub unread_from: Option<MessageId>,
}

/// Somebody who is typing right now (RFC 3994).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Writing {
    /// The conversation.
    pub conversation: ConversationId,
    /// The name of whoever is typing.
    pub name: String,
}

/// The data from which the height of a message that is not loaded is estimated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outline {
    /// The message.
    pub id: MessageId,
    /// Characters of its text.
    pub chars: u32,
    /// Line ends in its text.
    pub newlines: u32,
    /// Recipients, 0 for a received message.
    pub recipients: u32,
}

/// One message.
#[derive(Clone, Debug, PartialEq)]
pub struct MessageView {
    /// Its number.
    pub id: MessageId,
    /// When it was written here or received.
    pub at: Timestamp,
    /// The sender's time, if it differs by more than 5 minutes.
    pub sent_at: Option<Timestamp>,
    /// The sender; none for our own.
    pub from: Option<Person>,
    /// Its text without control characters.
    pub text: String,
    /// Its parts that are not text.
    pub files: Vec<FileShown>,
    /// Attempts so far (0 for a received message).
    pub attempts: u32,
    /// The Call-IDs of these attempts.
    pub call_ids: Vec<String>,
    /// How the latest of them is sent.
    pub way: Way,
    /// Per recipient, in order of submission: the best over all attempts.
    pub deliveries: Vec<DeliveryView>,
    /// False for a received message that came directly from somebody and not from the account's server: nobody has
    /// verified its sender.
    pub verified: bool,
    /// The same, counted.
    pub tally: Tally,
}

/// One recipient of one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryView {
    /// The recipient.
    pub person: Person,
    /// The state.
    pub state: DeliveryState,
    /// SIP status, if reported.
    pub status: Option<u16>,
    /// The reason phrase, or what we found ourselves.
    pub phrase: Phrase,
    /// When it became known.
    pub at: Timestamp,
    /// From acceptance to outcome, if reported.
    pub after: Option<Duration>,
    /// The attempt.
    pub attempt: u32,
}
