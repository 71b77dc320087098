//! The forms of a contact and of a saved list.

use egui::Ui;

use crate::model::command::Command;
use crate::model::contacts::{Contact, List, address_key};
use crate::model::marks::Marks;
use crate::model::snapshot::Person;
use crate::sip::Uri;
use crate::ui::actions::Act;
use crate::ui::kit::theme::colors;
use crate::ui::kit::widgets::{banner, entered, field, hint, mend_button, primary};
use crate::ui::kit::words;

/// A contact being edited.
#[derive(Debug)]
pub(crate) struct ContactForm {
    before: Option<Contact>,
    name: String,
    address: String,
    problem: Option<String>,
}

impl ContactForm {
    /// Something was typed that is not saved.
    pub(crate) fn is_changed(&self) -> bool {
        let fresh = Self::of(self.before.clone());
        (&self.name, &self.address) != (&fresh.name, &fresh.address)
    }

    /// It edits a contact that exists.
    pub(crate) const fn edits(&self) -> bool {
        self.before.is_some()
    }

    /// Edits a contact, or a new one.
    pub(crate) fn of(contact: Option<Contact>) -> Self {
        let (name, address) =
            contact.as_ref().map(|old| (old.name.clone(), words::address(&old.address))).unwrap_or_default();
        Self { before: contact, name, address, problem: None }
    }
}

/// A new list being named.
#[derive(Debug)]
pub(crate) struct ListForm {
    people: Vec<Person>,
    name: String,
}

impl ListForm {
    /// A name was typed that is not saved.
    pub(crate) fn is_changed(&self) -> bool {
        !self.name.trim().is_empty()
    }

    /// A list of these people, still without a name.
    pub(crate) fn of(people: Vec<Person>) -> Self {
        Self { people, name: String::new() }
    }
}

/// A conversation being named.
#[derive(Debug)]
pub(crate) struct RenameForm {
    marks: Marks,
    name: String,
}

impl RenameForm {
    /// Names the conversation with these settings.
    pub(crate) fn of(marks: Marks) -> Self {
        let name = marks.name.clone();
        Self { marks, name }
    }

    /// Something was typed that is not saved.
    pub(crate) fn is_changed(&self) -> bool {
        self.name != self.marks.name
    }
}

/// The form of a conversation's name.
pub(crate) fn rename_ui(
    ui: &mut Ui,
    form: &mut RenameForm,
    is_new: bool,
    acts: &mut Vec<Act>,
) -> FormOutcome {
    ui.spacing_mut().item_spacing.y = 8.0;
    let name = field(ui, "Conversation name", &mut form.name, "the names of its people");
    if is_new {
        name.request_focus();
    }
    hint(ui, "Only you see this name.");
    let entered = entered(ui);
    ui.add_space(4.0);
    if primary(ui, "Save name", true).clicked() || entered {
        acts.push(Act::Mark(Marks { name: form.name.trim().to_owned(), ..form.marks.clone() }));
        return FormOutcome::Closed;
    }
    FormOutcome::Open
}

/// Whether a form stays open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FormOutcome {
    /// It stays open.
    Open,
    /// It is done.
    Closed,
}

/// The form of a contact; `is_new` in the first frame, in which it takes the focus.
pub(crate) fn contact_ui(
    ui: &mut Ui,
    form: &mut ContactForm,
    is_new: bool,
    acts: &mut Vec<Act>,
) -> FormOutcome {
    ui.spacing_mut().item_spacing.y = 8.0;
    let name = field(ui, "Name", &mut form.name, "Ann Lee");
    if is_new {
        name.request_focus();
    }
    field(ui, "SIP address", &mut form.address, "ann@example.com");
    if let Some(problem) = &form.problem {
        banner(ui, problem, colors(ui).red, colors(ui).red_soft);
    }
    let entered = entered(ui);
    ui.add_space(4.0);
    ui.horizontal(|ui| {
        let filled = !form.address.trim().is_empty();
        if (primary(ui, "Save contact", filled).clicked() || (entered && filled)) && save_contact(form, acts)
        {
            return FormOutcome::Closed;
        }
        if let Some(before) = &form.before
            && mend_button(ui, "Remove").clicked()
        {
            acts.push(Act::RemoveContact(before.clone()));
            return FormOutcome::Closed;
        }
        FormOutcome::Open
    })
    .inner
}

/// Saves the contact; if the address is invalid, sets an error message and returns false.
fn save_contact(form: &mut ContactForm, acts: &mut Vec<Act>) -> bool {
    let uri = Uri::typed(&form.address).ok().filter(Uri::names_somebody);
    let Some(uri) = uri else {
        form.problem = Some("This is not a SIP address. Enter one like ann@example.com.".to_owned());
        return false;
    };
    let address = uri.as_str().to_owned();
    let simulated = form.before.as_ref().is_some_and(|before| before.simulated);
    if let Some(before) = &form.before
        && address_key(&before.address) != address_key(&address)
    {
        acts.push(Act::Ask(Command::RemoveContact { address: before.address.clone() }));
    }
    acts.push(Act::Ask(Command::PutContact(Contact {
        address,
        name: form.name.trim().to_owned(),
        simulated,
    })));
    true
}

/// The form of a new list.
pub(crate) fn list_ui(ui: &mut Ui, form: &mut ListForm, is_new: bool, acts: &mut Vec<Act>) -> FormOutcome {
    ui.spacing_mut().item_spacing.y = 8.0;
    hint(ui, &words::people(&form.people, 8));
    let name = field(ui, "List name", &mut form.name, "Team");
    if is_new {
        name.request_focus();
    }
    let filled = !form.name.trim().is_empty();
    let entered = entered(ui);
    ui.add_space(4.0);
    if primary(ui, "Save list", filled).clicked() || (entered && filled) {
        let members = form.people.iter().map(|person| person.address.clone()).collect();
        acts.push(Act::Ask(Command::PutList(List { name: form.name.trim().to_owned(), members })));
        return FormOutcome::Closed;
    }
    FormOutcome::Open
}
