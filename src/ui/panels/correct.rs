//! Corrects the address of a recipient who was not reached, and sends that person's copy there.

use egui::Ui;

use super::people::{FormOutcome, moved};
use crate::model::contacts::{AddressBook, Contact, address_key};
use crate::sip::Uri;
use crate::ui::actions::{Act, WrongAddress};
use crate::ui::kit::reasons;
use crate::ui::kit::widgets::{entered, field, hint, primary, problem_line};
use crate::ui::kit::words;
use crate::ui::text::say;

/// The address being corrected.
#[derive(Debug)]
pub(crate) struct CorrectForm {
    wrong: WrongAddress,
    /// The contact that has the wrong address.
    contact: Option<Contact>,
    address: String,
    changes_contact: bool,
    problem: Option<String>,
}

impl CorrectForm {
    /// Begins with the address as it is.
    pub(crate) fn of(wrong: WrongAddress, book: &AddressBook) -> Self {
        let address = words::address(&wrong.person.address);
        let contact = book.find(&wrong.person.address).cloned();
        Self { changes_contact: contact.is_some(), contact, wrong, address, problem: None }
    }

    /// Something was typed that is not sent.
    pub(crate) fn is_changed(&self) -> bool {
        self.address.trim() != words::address(&self.wrong.person.address)
    }

    /// The contact that would get the corrected address: nobody, if another contact has it already.
    fn contact_to_change(&self, book: &AddressBook) -> Option<&Contact> {
        let contact = self.contact.as_ref()?;
        let other = book.find(&self.address).filter(|other| other.address != contact.address);
        other.is_none().then_some(contact)
    }

    /// The address as it is sent to, or what is wrong with it.
    fn checked(&self) -> Result<String, String> {
        let uri = Uri::typed(self.address.trim()).ok().filter(Uri::names_somebody);
        let Some(uri) = uri else {
            let slip = reasons::slip_in(&self.address);
            return Err(slip.unwrap_or_else(|| say!("no-sip-address").to_owned()));
        };
        if self.wrong.others.contains(&address_key(uri.as_str())) {
            return Err(say!("recipient-already").to_owned());
        }
        Ok(uri.as_str().to_owned())
    }
}

/// Draws the form; `is_new` in the first frame, in which the address takes the focus.
pub(crate) fn correct_ui(
    ui: &mut Ui,
    form: &mut CorrectForm,
    is_new: bool,
    book: &AddressBook,
    acts: &mut Vec<Act>,
) -> FormOutcome {
    ui.spacing_mut().item_spacing.y = 8.0;
    let name = form.wrong.person.plain_name().to_owned();
    hint(ui, &say!("correct-why", name = name));
    let typed = field(ui, say!("sip-address"), &mut form.address, "ann@example.com");
    if is_new {
        typed.request_focus();
    }
    if typed.changed() {
        form.problem = None;
    }
    problem_line(ui, form.problem.as_deref());
    // Its place is kept when nothing is offered, so that the button below does not move.
    let offer = form.contact_to_change(book).is_some();
    if form.contact.is_some() {
        let label = say!("change-contact-too", name = name);
        ui.add_enabled(offer, egui::Checkbox::new(&mut form.changes_contact, label));
    }
    ui.add_space(4.0);
    let is_ready = form.is_changed() && !form.address.trim().is_empty();
    let is_asked = primary(ui, say!("send-to-address"), is_ready).clicked() || (entered(ui) && is_ready);
    if !is_asked {
        return FormOutcome::Open;
    }
    match form.checked() {
        Ok(address) => {
            if let Some(contact) = form.contact_to_change(book).filter(|_| form.changes_contact) {
                acts.extend(moved(contact, &address, book).into_iter().map(Act::Ask));
            }
            let (message, recipient) = (form.wrong.message, form.wrong.recipient);
            acts.push(Act::SendCorrected { message, recipient, address });
            FormOutcome::Closed
        }
        Err(why) => {
            form.problem = Some(why);
            // Enter has taken the focus away.
            typed.request_focus();
            FormOutcome::Open
        }
    }
}
