//! What a view asks the window to do.

use std::path::PathBuf;

use crate::model::command::{Command, Draft};
use crate::model::contacts::{Contact, List};
use crate::model::deletion::Doomed;
use crate::model::hosting::HostOrder;
use crate::model::journal::{ConversationId, MessageId};
use crate::model::marks::Marks;
use crate::model::snapshot::Person;
use crate::time::Timestamp;
use crate::ui::commands::UiCommand;

/// From one hit of a search to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HitStep {
    /// To an older message.
    Older,
    /// To a newer message.
    Newer,
}

/// What is asked of a saved list.
#[derive(Clone, Debug)]
pub(crate) enum ListAct {
    /// Edit the one of this name.
    Edit(String),
    /// Remove it; a notice offers to undo it.
    Remove(String),
    /// Save these people as a list.
    SaveAs(Vec<Person>),
    /// Save this list, in place of the one before; a notice offers to undo it.
    Put(Option<List>, List),
    /// Bring the first one back, in place of the one of this name.
    BringBack(List, String),
}

/// What is asked of a message that waits to be sent.
#[derive(Clone, Debug)]
pub(crate) enum WaitingAct {
    /// Take it back into the composer.
    TakeBack(u64),
    /// Send it now.
    SendNow(u64),
    /// Send this draft later, from where it was written.
    SendLater(Box<Draft>, When),
    /// Ask for another time for the message of this number.
    AskWhen(u32),
    /// Send that message at this time.
    PutOff(u32, Timestamp),
    /// Take that message back into the composer.
    TakeLaterBack(u32),
}

/// When a message is to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    /// In an hour.
    InAnHour,
    /// Tomorrow at nine.
    Tomorrow,
    /// On the next Monday at nine.
    Monday,
    /// At this time.
    At(Timestamp),
    /// The user is asked.
    Ask,
}

/// What is asked of a picture: its message, and its index among the files there.
#[derive(Clone, Debug)]
pub(crate) enum PictureAct {
    /// Read it: it is in view.
    Show((MessageId, usize)),
    /// Show it enlarged; its name.
    Enlarge((MessageId, usize), String),
    /// Close the one that is enlarged.
    Close,
    /// Let the user choose where to save a file of this name.
    SaveAs((MessageId, usize), String),
    /// Make the picture in this file, which is too large, small enough and attach it.
    ShrinkFile(PathBuf),
    /// Make the attached pictures small enough.
    ShrinkAttached,
}

/// A recipient who was not reached, perhaps because the address is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WrongAddress {
    /// The message.
    pub(crate) message: MessageId,
    /// The recipient, by index.
    pub(crate) recipient: u32,
    /// The same, with the address as it is.
    pub(crate) person: Person,
    /// The address keys of the message's other recipients.
    pub(crate) others: Vec<String>,
}

/// What a tester asks for.
#[derive(Clone, Debug)]
pub(crate) enum TestingAct {
    /// Ask how to save the delivery record of this message.
    SaveRecord(MessageId),
    /// Show the delivery state of this message in place of the matrix.
    OpenReport(MessageId),
    /// Let the user choose a capture to look into.
    AskForCapture,
    /// Look into this capture.
    OpenCapture(PathBuf),
    /// Let the user choose a script to play.
    AskForScript,
}

/// What is asked about the demo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DemoAct {
    /// Start it in this window.
    Try,
    /// Leave it: the window is as it was before.
    Leave,
}

/// What is asked about a server on this computer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum HostAct {
    /// Show it.
    Show,
    /// Ask this of it.
    Ask(HostOrder),
}

/// What is asked about the end of the window, and the start of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClosingAct {
    /// Closing the window leaves the program running, or ends it.
    Keep(bool),
    /// The same, and the window closes now.
    Close {
        /// The program goes on.
        keeps: bool,
    },
    /// Start the program when the user logs in, or not.
    StartAtLogin(bool),
}

/// One action; the window carries it out after the frame is laid out.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// Send a command to the engine.
    Ask(Command),
    /// Send this draft from where it was written; its text is cleared once the engine has taken it.
    Send(Draft),
    /// Attach this file to the current draft.
    Attach(PathBuf),
    /// Let the user choose a file to attach.
    AskForFile,
    /// Let the user choose the certificate authority to trust.
    AskForAuthority,
    /// Show the server's certificate, so that the user can decide whether to trust it.
    ShowCertificate,
    /// Start a new message to these people.
    Write(Vec<Person>),
    /// Show a conversation.
    Open(ConversationId),
    /// Close the conversation (with one column: go back to the list).
    Back,
    /// Keep these settings for a conversation.
    Mark(Marks),
    /// Give the conversation with these settings a name.
    Rename(Marks),
    /// Block this person, or no longer.
    Block(Person, bool),
    /// Show the delivery state of this message, recipient by recipient.
    Details(MessageId),
    /// What a tester asks for.
    Testing(TestingAct),
    /// Show or hide the delivery column.
    ToggleDelivery,
    /// Ask for the corrected address of a recipient who was not reached.
    CorrectAddress(WrongAddress),
    /// Send a recipient's copy of a message to this address.
    SendCorrected {
        /// The message.
        message: MessageId,
        /// The recipient, by index.
        recipient: u32,
        /// The corrected address.
        address: String,
    },
    /// Edit a contact, or add one if none is given.
    EditContact(Option<Contact>),
    /// Add somebody to the contacts, or edit the contact that has the address.
    AddContact(Person),
    /// Import contacts.
    Import,
    /// Let the user choose a file of contacts for the open dialog.
    ChooseContacts,
    /// Something with a saved list.
    List(ListAct),
    /// The text of a message to this conversation was changed; false if nothing is left of it.
    Typed(ConversationId, bool),
    /// Remove a contact; a notice offers to undo it.
    RemoveContact(Contact),
    /// Write this quotation into the message field.
    Quote(String),
    /// Reply to this person alone, with this quotation.
    ReplyTo(Person, String),
    /// Begin a new message with this text and these files of messages.
    Forward(String, Vec<(MessageId, usize)>),
    /// Throw away the new message that is being written.
    DiscardNew,
    /// Go on with this new message, which was thrown away.
    TakeUp(Draft),
    /// Write this emoji where the cursor is.
    Emoji(&'static str),
    /// Something with a picture.
    Picture(PictureAct),
    /// Something with a message that waits.
    Waiting(WaitingAct),
    /// Copy this text to the clipboard.
    Copy(String),
    /// Show all of a long text: of the message whose row takes the focus under this id.
    ShowAll(egui::Id),
    /// Open this web address in the browser.
    OpenLink(String),
    /// Write to these people: in their conversation if there is one.
    WriteTo(Vec<Person>),
    /// Search the open conversation.
    FindHere,
    /// Search all messages for this text.
    FindEverywhere(String),
    /// Go to the next message that the search of the open conversation has found.
    StepHit(HitStep),
    /// Go to this message, which the search of all messages has found.
    OpenHit(ConversationId, MessageId),
    /// Close the search.
    CloseFind,
    /// Delete this on this computer; a notice offers to undo it.
    Delete(Doomed),
    /// Delete this message of the open conversation, or all selected ones if it is one of them.
    DeleteMessage(MessageId),
    /// Bring back what was deleted a moment ago.
    Undelete(u64),
    /// Select this message or no longer; if true, all from the one before it.
    Pick(MessageId, bool),
    /// Select no messages any more.
    Unpick,
    /// Choose a day to go to in the open conversation.
    GoToDate,
    /// Export the open conversation into a file whose name has this ending.
    Export(&'static str),
    /// Carry out a command that needs no target.
    Run(UiCommand),
    /// Show the settings.
    Settings,
    /// Show the account in the settings, and why the server refuses it.
    CheckAccount,
    /// A server on this computer.
    Host(HostAct),
    /// The demo.
    Demo(DemoAct),
    /// The end of the window.
    Closing(ClosingAct),
    /// Restart the engine after it has ended because of a fault.
    StartAgain,
}
