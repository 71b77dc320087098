//! What can be done about a recipient who does not have the message: the buttons of a row.

use crate::model::command::{AgentCommand, Command, Draft};
use crate::model::contacts::address_key;
use crate::model::journal::{DeliveryState, MessageId, PersonRow};
use crate::model::reason::{Fix, cause};
use crate::model::snapshot::{DeliveryView, MessageView};
use crate::sip::{ReportMode, ReportOptions};
use crate::ui::actions::{Act, WrongAddress};
use crate::ui::text::TextId;

/// What a button in a row does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mend {
    Resend,
    SendText,
    EditAddress,
    AccountSettings,
}

/// The recipient's client refused the attachment or the multipart body; it may accept the text alone (RFC 3428 §5).
pub(super) fn text_alone(message: &MessageView, delivery: &DeliveryView) -> bool {
    let fix = cause(delivery.status, &delivery.phrase).fix();
    let is_mixed = !message.files.is_empty() && !message.text.trim().is_empty();
    delivery.state == DeliveryState::Failed && fix == Fix::SendAsText && is_mixed
}

/// The buttons of a row: label and action. Every failure can be retried.
pub(super) fn mends(delivery: &DeliveryView) -> impl Iterator<Item = (&'static str, Mend)> {
    let fix = cause(delivery.status, &delivery.phrase).fix();
    let buttons: &[(TextId, Mend)] = match (delivery.state, fix) {
        (DeliveryState::Failed, Fix::EditAddress | Fix::UpdateContact) => {
            &[(TextId("edit-address"), Mend::EditAddress), (TextId("resend"), Mend::Resend)]
        }
        (DeliveryState::Failed, Fix::CheckPassword) => {
            &[(TextId("check-account"), Mend::AccountSettings), (TextId("resend"), Mend::Resend)]
        }
        (DeliveryState::Failed, Fix::ResendMayDouble) => &[(TextId("resend-may-double"), Mend::Resend)],
        (
            DeliveryState::Failed,
            Fix::Nothing
            | Fix::Resend
            | Fix::SendAsText
            | Fix::Shorten
            | Fix::TellAdministrator
            | Fix::Details,
        )
        | (DeliveryState::NoReport, _) => &[(TextId("resend"), Mend::Resend)],
        (
            DeliveryState::Queued
            | DeliveryState::Sending
            | DeliveryState::Accepted
            | DeliveryState::Deferred
            | DeliveryState::Cancelled
            | DeliveryState::PassedOn
            | DeliveryState::Delivered
            | DeliveryState::Read,
            _,
        ) => &[],
    };
    buttons.iter().map(|(label, mend)| (label.say(), *mend))
}

pub(super) fn resend(message: MessageId, only: Option<u32>) -> Act {
    Act::Ask(Command::Agent(AgentCommand::Resend { message, only }))
}

pub(super) fn deed(mend: Mend, message: &MessageView, delivery: &DeliveryView) -> Act {
    let person = &delivery.person;
    match mend {
        Mend::Resend => {
            let index = message.deliveries.iter().position(|other| other.person.address == person.address);
            resend(message.id, index.and_then(|index| u32::try_from(index).ok()))
        }
        // As a new message to this recipient only.
        Mend::SendText => Act::Ask(Command::Agent(AgentCommand::Send(Draft {
            to: vec![PersonRow { address: person.address.clone(), name: person.name.clone() }],
            text: message.text.clone(),
            files: Vec::new(),
            hidden: false,
            report: ReportOptions { mode: ReportMode::Each, detail: true, id: None },
        }))),
        Mend::EditAddress => {
            let all = || message.deliveries.iter().map(|other| address_key(&other.person.address));
            let key = address_key(&person.address);
            let recipient = all().position(|other| other == key).and_then(|index| u32::try_from(index).ok());
            Act::CorrectAddress(WrongAddress {
                message: message.id,
                recipient: recipient.unwrap_or(u32::MAX),
                others: all().filter(|other| *other != key).collect(),
                person: person.clone(),
            })
        }
        Mend::AccountSettings => Act::CheckAccount,
    }
}
