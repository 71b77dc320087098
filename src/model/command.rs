//! All that the screen and the command line can ask, and what is worth telling them.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::account::Account;
pub use super::account::{ConnectStep, RegistrationState};
use super::contacts::{Contact, List};
use super::journal::{ConversationId, DeliveryState, MessageId, PersonRow};
use super::snapshot::Settings;
use super::text::FileShown;
use crate::sip::{File, ReportWish};

/// What the window can ask of the engine.
#[derive(Clone, Debug)]
pub enum Command {
    /// Something that the client machine does.
    Agent(AgentCommand),
    /// Show a conversation, at its end.
    Open(ConversationId),
    /// Show the messages around this place of the open conversation's outline.
    ShowAround {
        /// Index into `Thread::outline`.
        index: usize,
    },
    /// Show no conversation.
    Close,
    /// Add a contact, or change the one with this address.
    PutContact(Contact),
    /// Take a contact out.
    RemoveContact {
        /// Its address.
        address: String,
    },
    /// Add a saved list, or change the one with this name.
    PutList(List),
    /// Take a saved list out.
    RemoveList {
        /// Its name.
        name: String,
    },
    /// Use this account from now on, and keep it.
    PutAccount(Account),
    /// Keep these settings.
    PutSettings(Settings),
    /// Read a file that is to go with a message.
    Attach(PathBuf),
    /// Put a file that came in a message where downloads go.
    SaveFile {
        /// Which message.
        message: MessageId,
        /// Which of its files, by index.
        file: usize,
    },
    /// Un-register and end.
    Quit,
}

/// What the client machine can be asked.
#[derive(Clone, Debug)]
pub enum AgentCommand {
    /// Write once to several people: one MESSAGE (W1, W2).
    Send(Draft),
    /// The failed ones of a message again, as one new MESSAGE, folded in as the next attempt.
    Resend {
        /// Which message.
        message: MessageId,
        /// Only this recipient, by index; all that failed or have no report, when none.
        only: Option<u32>,
    },
    /// Do not send what is still queued.
    Withdraw {
        /// Which message.
        message: MessageId,
    },
    /// The conversation was looked at to its end.
    Seen {
        /// Which.
        conversation: ConversationId,
    },
    /// Register now (or ask the proxy what it can, for an account that does not register).
    Connect,
    /// Un-register and stop.
    Disconnect,
}

/// What is to be sent to whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// Recipients, the first for `To`.
    pub to: Vec<PersonRow>,
    /// Plain text; may be empty where there are files.
    pub text: String,
    /// What goes with it.
    pub files: Vec<File>,
    /// Recipients are hidden from each other (W7).
    pub hidden: bool,
    /// The report wished for; the machine adds the `id`.
    pub report: ReportWish,
}

/// What the client machine tells its owner (engine, command line, simulation's model).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The account's state changed.
    Registration(RegistrationState),
    /// A draft became a message and is committed.
    Queued {
        /// Where.
        conversation: ConversationId,
        /// Which.
        message: MessageId,
    },
    /// A draft could not be kept or may not be sent; the text goes back to the composer.
    NotSent {
        /// What was to be sent.
        draft: Draft,
        /// Why, in plain words.
        why: String,
    },
    /// The proxy has it.
    Accepted {
        /// Which.
        message: MessageId,
        /// Which attempt.
        attempt: u32,
        /// The response's status.
        status: u16,
        /// Since the submission was written.
        after: Duration,
    },
    /// The server does not fan out: each recipient of this attempt gets a MESSAGE of his own (W6).
    OneByOne {
        /// Which.
        message: MessageId,
        /// Which attempt.
        attempt: u32,
    },
    /// The server has it for all of them, and does not tell what becomes of it (W27): nothing more is awaited.
    Unreported {
        /// Which.
        message: MessageId,
        /// Which attempt.
        attempt: u32,
    },
    /// The proxy refused it, or gave no answer: nobody gets it by this attempt.
    Refused {
        /// Which.
        message: MessageId,
        /// Which attempt.
        attempt: u32,
        /// SIP status; 408 when there was no answer.
        status: u16,
        /// Reason phrase.
        reason: String,
    },
    /// A recipient's state changed, and the change is committed.
    Delivery {
        /// Where.
        conversation: ConversationId,
        /// Which.
        message: MessageId,
        /// Which attempt.
        attempt: u32,
        /// Who, by index and address.
        recipient: u32,
        /// The address as spelled in the submission.
        address: String,
        /// The new state.
        state: DeliveryState,
        /// SIP status, where told.
        status: Option<u16>,
        /// Reason phrase, where told.
        reason: String,
        /// From acceptance, where told.
        after: Option<Duration>,
    },
    /// A report named somebody that the message did not go to: for testers, never dropped silently.
    ReportedStranger {
        /// Which.
        message: MessageId,
        /// Which attempt.
        attempt: u32,
        /// The address in the report.
        address: String,
        /// The state word in the report.
        state: String,
    },
    /// The last report of an attempt is in and committed; of one that goes one by one, the last answer.
    Reported {
        /// Which.
        message: MessageId,
        /// Which attempt.
        attempt: u32,
    },
    /// A message came and is committed (its 200 leaves after the owner has been told).
    Received {
        /// Where it belongs.
        conversation: ConversationId,
        /// Which.
        message: MessageId,
        /// Who wrote.
        from: PersonRow,
        /// Who else got it.
        also_to: Vec<PersonRow>,
        /// Media type.
        content_type: String,
        /// As text; empty when it is none.
        text: String,
        /// What is no text in it.
        files: Vec<FileShown>,
        /// It came from the server of the account. Nobody knows who wrote what came straight from somebody.
        verified: bool,
    },
    /// Somebody writes, or has stopped writing (RFC 3994). It is not kept.
    Composing {
        /// Where.
        conversation: ConversationId,
        /// Who.
        from: PersonRow,
        /// It holds until then, if nothing else is heard; none when he has stopped.
        until: Option<Instant>,
    },
    /// Something in a conversation changed that is on none of the lines above (seen, withdrawn).
    Changed {
        /// Which.
        conversation: ConversationId,
    },
    /// Un-registered and done.
    Disconnected,
}

/// What the engine tells the window, once each: toasts and desktop notifications.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// Somebody was not reached (one per message; gathered for 2 s).
    NotDelivered {
        /// Where.
        conversation: ConversationId,
        /// Which.
        message: MessageId,
        /// `2 of 6 not delivered`.
        title: String,
        /// `Ben: offline. Dana: no such address.`
        body: String,
        /// How many a resend would go to.
        failed: u32,
    },
    /// A late report delivered after all: withdraw the notification of this message.
    Delivered {
        /// Which.
        message: MessageId,
    },
    /// A message came.
    Received {
        /// Where.
        conversation: ConversationId,
        /// Name or address.
        from: String,
        /// Its text.
        text: String,
    },
    /// The text of a draft goes back to the composer.
    NotSent {
        /// What was to be sent.
        draft: Draft,
        /// Why, in plain words.
        why: String,
    },
    /// A file was put there.
    Saved(PathBuf),
    /// A file that was asked for was read.
    Attached {
        /// From where.
        path: PathBuf,
        /// What is in it.
        file: File,
    },
    /// A sentence for the person (a broken settings file kept aside, a full disk).
    Problem(String),
    /// More notices than the window took: some were dropped.
    Missed(u32),
}
