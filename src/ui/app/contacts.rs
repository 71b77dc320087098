//! Contacts and saved lists added, edited and removed; what is removed can be brought back.

use super::App;
use crate::model::command::Command;
use crate::model::contacts::Contact;
use crate::model::snapshot::Person;
use crate::ui::actions::Act;
use crate::ui::panels::dialogs::Dialog;
use crate::ui::panels::people::{ContactForm, ListForm};

impl App {
    /// Removes a contact, and offers to undo it.
    pub(super) fn remove_contact(&mut self, contact: Contact) {
        if self.ask(Command::RemoveContact { address: contact.address.clone() }) {
            let name = if contact.name.is_empty() { &contact.address } else { &contact.name };
            let words = format!("{name} is no longer a contact.");
            self.shell.toasts.offer(words, "Undo", Act::Ask(Command::PutContact(contact)));
        }
    }

    pub(super) fn add_contact(&mut self, person: &Person) {
        let form = match self.snapshot.book.find(&person.address) {
            Some(known) => ContactForm::of(Some(known.clone())),
            None => ContactForm::from_person(person),
        };
        self.shell.show(Dialog::Contact(form));
    }

    pub(super) fn edit_list(&mut self, name: &str) {
        let saved = self.snapshot.book.lists.iter().find(|list| list.name == name);
        let known = self.snapshot.names.lists().iter().find(|list| list.name == name);
        if let (Some(saved), Some(known)) = (saved, known) {
            self.shell.show(Dialog::List(ListForm::edit(known, saved.clone())));
        }
    }

    /// Removes a saved list, and offers to undo it.
    pub(super) fn remove_list(&mut self, name: String) {
        let list = self.snapshot.book.lists.iter().find(|list| list.name == name).cloned();
        let words = format!("The list {name} was removed.");
        if self.ask(Command::RemoveList { name })
            && let Some(list) = list
        {
            self.shell.toasts.offer(words, "Undo", Act::Ask(Command::PutList(list)));
        }
    }
}
