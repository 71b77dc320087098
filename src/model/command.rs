//! What the window and the command line can ask for, and the events they are told.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::account::Account;
pub use super::account::{ConnectStep, RegistrationState};
use super::contacts::{Contact, List};
use super::deletion::{Deletion, Doomed};
pub use super::draft::{Draft, DraftFault};
use super::journal::{ConversationId, DeliveryState, DraftPlace, DraftRow, MessageId, PersonRow};
pub use super::notice::Notice;
use super::reason::Phrase;
use super::record::RecordRequest;
use super::search::Search;
use super::snapshot::Settings;
use super::text::FileShown;
use crate::sip::File;
use crate::time::Timestamp;

/// What the window can ask of the engine.
#[derive(Clone, Debug)]
pub enum Command {
    /// Something for the client machine to do.
    Agent(AgentCommand),
    /// Show a conversation, scrolled to its end.
    Open(ConversationId),
    /// Show the messages around this position of the open conversation's outline.
    ShowAround {
        /// Index into `Thread::outline`.
        index: usize,
    },
    /// Close the open conversation.
    Close,
    /// Add a contact, or change the one with this address.
    PutContact(Contact),
    /// Read a file of contacts, to be shown before anything is imported.
    ReadContacts(PathBuf),
    /// Save all contacts and lists as vCard in the downloads folder.
    ExportContacts,
    /// Add the contacts whose addresses nobody has yet, and the saved lists whose names are free (an import).
    AddContacts {
        /// The contacts.
        contacts: Vec<Contact>,
        /// The lists.
        lists: Vec<List>,
    },
    /// Remove a contact.
    RemoveContact {
        /// Its address.
        address: String,
    },
    /// Block somebody, or no longer: what he writes is refused.
    Block {
        /// His address.
        address: String,
        /// False to unblock.
        is_blocked: bool,
    },
    /// Add a saved list, or change the one with this name.
    PutList(List),
    /// Remove a saved list.
    RemoveList {
        /// Its name.
        name: String,
    },
    /// Use this account from now on, and save it.
    PutAccount(Account),
    /// Sign off, and stay away from the server until [`AgentCommand::Connect`], also after a restart.
    SignOut,
    /// Sign off, and delete the account on this computer with its password, contacts and messages.
    RemoveAccount,
    /// Read a provisioning file; the answer is [`Notice::Provisioned`].
    ReadProvision(PathBuf),
    /// Save these settings.
    PutSettings(Settings),
    /// Read a file to attach to a message.
    Attach(PathBuf),
    /// Save a file of a message.
    SaveFile {
        /// The message.
        message: MessageId,
        /// The index of the file.
        file: usize,
        /// Where, as the user chose it; if none, in the downloads folder under its own name.
        to: Option<PathBuf>,
    },
    /// Read a file of a message; the answer is [`Notice::FileRead`].
    ReadFile {
        /// The message.
        message: MessageId,
        /// The index of the file.
        file: usize,
    },
    /// Save the delivery record of a message in the downloads folder.
    SaveRecord(RecordRequest),
    /// Save this in the downloads folder, under its own name.
    Save(File),
    /// Count what became of the latest messages of ours in a conversation; the answer is [`Notice::Matrix`].
    CountOutcomes(ConversationId),
    /// Look for messages; the answer is [`Notice::Found`].
    Search(Search),
    /// Delete messages on this computer; they are gone for good.
    Delete(Doomed),
    /// Find out how much room the messages take; the answer is [`Notice::Storage`].
    MeasureStorage,
    /// Un-register and exit.
    Quit,
}

/// What the client machine can be asked to do.
#[derive(Clone, Debug)]
pub enum AgentCommand {
    /// Send one message to several people: one MESSAGE (W1, W2).
    Send(Draft),
    /// Resend a message to the failed recipients: one new MESSAGE, recorded as the next attempt.
    Resend {
        /// The message.
        message: MessageId,
        /// Only this recipient, by index; if none, all that failed or have no report.
        only: Option<u32>,
    },
    /// Resend a message to one failed recipient at a corrected address, which takes the place of the wrong one in the
    /// message and in its conversation.
    ResendTo {
        /// The message.
        message: MessageId,
        /// The recipient, by index.
        recipient: u32,
        /// The corrected address.
        address: String,
    },
    /// Cancel what is still queued.
    Withdraw {
        /// The message.
        message: MessageId,
    },
    /// The user has seen the conversation to its end.
    Seen {
        /// The conversation.
        conversation: ConversationId,
    },
    /// Keep what is being written, in place of what was kept of it; an empty one is forgotten. Sent from time to time
    /// while somebody writes. A message that is sent takes its draft along: the same place, text and files.
    KeepDraft(DraftRow),
    /// Keep this message, and send it at this time.
    SendLater {
        /// The message.
        draft: Draft,
        /// The time.
        due: Timestamp,
    },
    /// Send a message that waits for its time at this time instead.
    PutOff {
        /// Its number.
        number: u32,
        /// The time.
        due: Timestamp,
    },
    /// Forget a message that waits for its time: it is not sent.
    TakeLaterBack {
        /// Its number.
        number: u32,
    },
    /// The user has seen the conversation up to this message, not to its end.
    SeenUpTo {
        /// The conversation.
        conversation: ConversationId,
        /// A message of others.
        message: MessageId,
        /// How many messages of others follow it.
        unread: u32,
    },
    /// The user has changed the text of a message to this conversation: the other person may be told (RFC 3994).
    Typing {
        /// The conversation.
        conversation: ConversationId,
        /// False if nothing is left of the text.
        has_text: bool,
    },
    /// Delete these messages, and forget what is still expected of them.
    Delete(Deletion),
    /// Register now (or, for an account that does not register, ask what the proxy supports).
    Connect,
    /// Un-register and stop.
    Disconnect,
}

/// What the client machine tells its owner (engine, command line, simulation's model).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The account's state changed.
    Registration(RegistrationState),
    /// A draft is committed as a message.
    Queued {
        /// The conversation.
        conversation: ConversationId,
        /// The message.
        message: MessageId,
    },
    /// A draft could not be stored or may not be sent; its text goes back to the composer.
    NotSent {
        /// The draft.
        draft: Draft,
        /// The reason, in plain words.
        why: String,
    },
    /// The proxy has accepted it.
    Accepted {
        /// The message.
        message: MessageId,
        /// The attempt.
        attempt: u32,
        /// The status of the response.
        status: u16,
        /// Time since the submission was sent.
        after: Duration,
    },
    /// The server does not fan out: each recipient of this attempt gets a MESSAGE of his own (W6).
    OneByOne {
        /// The message.
        message: MessageId,
        /// The attempt.
        attempt: u32,
    },
    /// The server accepted it for all recipients and reports no outcomes (W27): nothing more is expected.
    Unreported {
        /// The message.
        message: MessageId,
        /// The attempt.
        attempt: u32,
    },
    /// The proxy refused it or did not answer: nobody gets it by this attempt.
    Refused {
        /// The message.
        message: MessageId,
        /// The attempt.
        attempt: u32,
        /// SIP status; 408 if there was no answer.
        status: u16,
        /// Reason phrase, or what we found ourselves.
        reason: Phrase,
    },
    /// A recipient's state changed, and the change is committed.
    Delivery {
        /// The conversation.
        conversation: ConversationId,
        /// The message.
        message: MessageId,
        /// The attempt.
        attempt: u32,
        /// The recipient's index.
        recipient: u32,
        /// The recipient's address as written in the submission.
        address: String,
        /// The new state.
        state: DeliveryState,
        /// SIP status, if reported.
        status: Option<u16>,
        /// Reason phrase, or what we found ourselves.
        reason: Phrase,
        /// Time since acceptance, if reported.
        after: Option<Duration>,
        /// When it became known.
        at: Timestamp,
    },
    /// A report named somebody to whom the message was not sent: shown for testers, never dropped silently.
    ReportedStranger {
        /// The message.
        message: MessageId,
        /// The attempt.
        attempt: u32,
        /// The address in the report.
        address: String,
        /// The state word in the report.
        state: String,
    },
    /// The final report of an attempt is committed; for an attempt sent one by one, the last answer.
    Reported {
        /// The message.
        message: MessageId,
        /// The attempt.
        attempt: u32,
    },
    /// A received message is committed (its 200 leaves after the owner has been told).
    Received {
        /// Its conversation.
        conversation: ConversationId,
        /// The message.
        message: MessageId,
        /// Its sender.
        from: PersonRow,
        /// Its other recipients.
        also_to: Vec<PersonRow>,
        /// Media type.
        content_type: String,
        /// Its text; empty if it has none.
        text: String,
        /// Its parts that are not text.
        files: Vec<FileShown>,
        /// It came from the account's server. The sender of what comes directly from somebody is not verified.
        verified: bool,
        /// When it came.
        at: Timestamp,
        /// Its Call-ID, by which a trace shows it.
        call_id: Box<str>,
        /// Its body, with its files.
        body: Bytes,
    },
    /// What strangers may have stored in a day is used up: further messages of theirs are refused. Told once a day.
    StrangersRefused,
    /// What only a window shows.
    Window(WindowEvent),
    /// Un-registered; nothing more follows.
    Disconnected,
}

/// What only a window shows: the other programs that run a client have no use for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WindowEvent {
    /// Somebody is typing, or has stopped (RFC 3994). Not stored.
    Composing {
        /// The conversation.
        conversation: ConversationId,
        /// The sender.
        from: PersonRow,
        /// When it lapses unless renewed; none if he has stopped.
        until: Option<Instant>,
    },
    /// What is being written could not be kept; it is still on the screen only.
    DraftNotKept {
        /// Where.
        place: DraftPlace,
        /// Why.
        why: DraftFault,
    },
    /// A message waits for its time from now on, or no longer.
    LaterChanged,
    /// A message was handed over to be sent well after its time: the program did not run then.
    SentLate {
        /// Its time.
        due: Timestamp,
        /// Its recipients.
        to: Vec<PersonRow>,
    },
    /// Messages of this conversation are deleted for good; or the disk refused that, and they are still stored.
    Deleted {
        /// The conversation.
        conversation: ConversationId,
        /// Whether they are gone.
        is_done: bool,
    },
    /// A received message could not be stored; its sender was told to try again later.
    NotStored,
    /// Something else in a conversation changed that no other event covers.
    Changed {
        /// The conversation.
        conversation: ConversationId,
        /// The message that changed (withdrawn, more is known); none if only the conversation did (seen).
        message: Option<MessageId>,
    },
}
