//! What a view asks of the window.

use std::path::PathBuf;

use crate::model::command::{Command, Draft};
use crate::model::contacts::Contact;
use crate::model::journal::{ConversationId, MessageId};
use crate::model::snapshot::Person;

/// One wish; the window carries it out after the frame is laid out.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// Something for the engine.
    Ask(Command),
    /// Send this from where it was written; the text goes when it was taken.
    Send(Draft),
    /// Let this file go with what is being written.
    Attach(PathBuf),
    /// Ask which file.
    AskForFile,
    /// Ask for the authority that is to be trusted.
    AskForAuthority,
    /// Show the server's certificate, for the person to decide on.
    ShowCertificate,
    /// Write a new message, to these people.
    Write(Vec<Person>),
    /// Show a conversation.
    Open(ConversationId),
    /// Show no conversation (one column: back to the list).
    Back,
    /// Show how this message stands, person by person.
    Details(MessageId),
    /// Show or hide the delivery column.
    ToggleDelivery,
    /// Change a contact, or add one.
    EditContact(Option<Contact>),
    /// Save these people as a list.
    SaveList(Vec<Person>),
    /// Open this web address in the browser.
    OpenLink(String),
    /// Show the settings.
    Settings,
    /// Start the engine, which has ended by a fault, anew.
    StartAgain,
}
