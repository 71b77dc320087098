//! Contacts and saved lists added, edited and removed; what is removed can be brought back.

use super::App;
use crate::model::command::Command;
use crate::model::contacts::{Contact, List};
use crate::model::snapshot::Person;
use crate::ui::actions::{Act, ListAct};
use crate::ui::panels::dialogs::Dialog;
use crate::ui::panels::people::{ContactForm, ListForm};
use crate::ui::text::say;

impl App {
    /// Removes a contact, and offers to undo it.
    pub(super) fn remove_contact(&mut self, contact: Contact) {
        if self.ask(Command::RemoveContact { address: contact.address.clone() }) {
            let name = if contact.name.is_empty() { &contact.address } else { &contact.name };
            let words = say!("contact-removed", name = name);
            self.shell.toasts.offer(words, say!("undo"), Act::Ask(Command::PutContact(contact)));
        }
    }

    /// Blocks somebody or no longer, and offers to undo it.
    pub(super) fn block(&mut self, person: Person, is_blocked: bool) {
        let address = person.address.clone();
        if self.ask(Command::Block { address, is_blocked }) {
            self.block_at_own_server(&person.address, is_blocked);
            let words = if is_blocked {
                say!("person-blocked", name = person.told_apart())
            } else {
                say!("person-unblocked", name = person.told_apart())
            };
            self.shell.toasts.offer(words, say!("undo"), Act::Block(person, !is_blocked));
        }
    }

    pub(super) fn add_contact(&mut self, person: &Person) {
        let form = match self.snapshot.book.find(&person.address) {
            Some(known) => ContactForm::of(Some(known.clone())),
            None => ContactForm::from_person(person),
        };
        self.shell.show(Dialog::Contact(form));
    }

    /// Does what the user wants with a saved list.
    pub(super) fn list(&mut self, act: ListAct) {
        match act {
            ListAct::Edit(name) => self.edit_list(&name),
            ListAct::Remove(name) => self.remove_list(name),
            ListAct::SaveAs(people) => self.shell.show(Dialog::List(ListForm::of(people))),
            ListAct::Put(before, list) => self.put_list(before, list),
            ListAct::BringBack(list, instead_of) => {
                if list.name != instead_of {
                    self.ask(Command::RemoveList { name: instead_of });
                }
                self.ask(Command::PutList(list));
            }
        }
    }

    /// Saves a list, and offers to undo it if it was changed.
    fn put_list(&mut self, before: Option<List>, list: List) {
        if let Some(before) = before.as_ref().filter(|before| before.name != list.name) {
            self.ask(Command::RemoveList { name: before.name.clone() });
        }
        let name = list.name.clone();
        if self.ask(Command::PutList(list.clone()))
            && let Some(before) = before.filter(|before| *before != list)
        {
            let words = say!("list-changed", name = name);
            self.shell.toasts.offer(words, say!("undo"), Act::List(ListAct::BringBack(before, name)));
        }
    }

    fn edit_list(&mut self, name: &str) {
        let saved = self.snapshot.book.lists.iter().find(|list| list.name == name);
        let known = self.snapshot.names.lists().iter().find(|list| list.name == name);
        if let (Some(saved), Some(known)) = (saved, known) {
            self.shell.show(Dialog::List(ListForm::edit(known, saved.clone())));
        }
    }

    /// Removes a saved list, and offers to undo it.
    fn remove_list(&mut self, name: String) {
        let list = self.snapshot.book.lists.iter().find(|list| list.name == name).cloned();
        let words = say!("list-removed", name = name);
        if self.ask(Command::RemoveList { name })
            && let Some(list) = list
        {
            self.shell.toasts.offer(words, say!("undo"), Act::Ask(Command::PutList(list)));
        }
    }
}
