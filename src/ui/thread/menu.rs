//! The menu of a message, opened by a right click on it.

use egui::{Response, Ui};

use crate::model::command::{AgentCommand, Command};
use crate::model::names::Names;
use crate::model::snapshot::MessageView;
use crate::ui::actions::{Act, PictureAct, TestingAct};
use crate::ui::commands::{UiCommand, block_item, context_menu, menu_item, named_menu_item};
use crate::ui::kit::words::{self, Look};
use crate::ui::text::say;

/// Files of a message that its menu offers to save.
const FILES_LISTED_MAX: usize = 4;

/// Shows the menu of a message after a right click on `response`.
pub(super) fn message_menu(
    response: &Response,
    (message, is_group, names): (&MessageView, bool, &Names),
    look: &Look,
    acts: &mut Vec<Act>,
) {
    context_menu(response, |ui| {
        content_items(ui, (message, is_group), look, acts);
        if let Some(from) = &message.from {
            if menu_item(ui, UiCommand::for_contact(from, names)) {
                acts.push(Act::AddContact(from.clone()));
            }
            acts.extend(block_item(ui, from, names).map(|is_blocked| Act::Block(from.clone(), is_blocked)));
        }
        if message.from.is_none() {
            ui.separator();
            delivery_items(ui, message, acts);
        }
        ui.separator();
        if menu_item(ui, UiCommand::Select) {
            acts.push(Act::Pick(message.id, false));
        }
        if menu_item(ui, UiCommand::Delete) {
            acts.push(Act::DeleteMessage(message.id));
        }
    });
}

/// What can be done with the text and the files of a message.
fn content_items(ui: &mut Ui, (message, is_group): (&MessageView, bool), look: &Look, acts: &mut Vec<Act>) {
    let has_text = !message.text.is_empty();
    if has_text && menu_item(ui, UiCommand::CopyText) {
        acts.push(Act::Copy(message.text.clone()));
    }
    if message.from.is_none() && menu_item(ui, UiCommand::CopyWithDelivery) {
        acts.push(Act::Copy(with_delivery(message, look)));
    }
    if has_text {
        if menu_item(ui, UiCommand::Quote) {
            acts.push(Act::Quote(words::quoted(message)));
        }
        if let Some(from) = message.from.as_ref().filter(|_| is_group)
            && named_menu_item(ui, UiCommand::ReplyToSender, &say!("reply-only", name = from.name))
        {
            acts.push(Act::ReplyTo(from.clone(), words::quoted(message)));
        }
    }
    if (has_text || !message.files.is_empty()) && menu_item(ui, UiCommand::Forward) {
        let files = (0..message.files.len()).map(|index| (message.id, index)).collect();
        acts.push(Act::Forward(message.text.clone(), files));
    }
    for (index, file) in message.files.iter().enumerate().take(FILES_LISTED_MAX) {
        if named_menu_item(ui, UiCommand::SaveFileAs, &say!("save-file-as", name = file.name)) {
            acts.push(Act::Picture(PictureAct::SaveAs((message.id, index), file.name.clone())));
        }
    }
}

/// What can be done about the delivery of a message of ours.
fn delivery_items(ui: &mut Ui, message: &MessageView, acts: &mut Vec<Act>) {
    if menu_item(ui, UiCommand::Details) {
        acts.push(Act::Details(message.id));
    }
    if menu_item(ui, UiCommand::SaveRecord) {
        acts.push(Act::Testing(TestingAct::SaveRecord(message.id)));
    }
    let count = message.tally.resendable();
    if count > 0 && named_menu_item(ui, UiCommand::Resend, &say!("resend-to", count = count)) {
        let resend = AgentCommand::Resend { message: message.id, only: None };
        acts.push(Act::Ask(Command::Agent(resend)));
    }
}

/// The text, and below it who got it and who did not.
fn with_delivery(message: &MessageView, look: &Look) -> String {
    let people = message.deliveries.iter().map(|delivery| words::state_name(delivery, look));
    let lines =
        [format!("{}, {}", look.day(message.at), look.clock(message.at)), words::message_line(message)];
    let all: Vec<String> = std::iter::once(message.text.clone())
        .chain(std::iter::once(String::new()))
        .chain(lines)
        .chain(people)
        .collect();
    all.join("\n")
}
