//! The forms of a contact and of a saved list.

use egui::{Align, Layout, RichText, Role, ScrollArea, Ui, WidgetInfo};

use crate::model::command::Command;
use crate::model::contacts::{AddressBook, Contact, List, address_key};
use crate::model::import::recipients;
use crate::model::journal::PersonRow;
use crate::model::marks::Marks;
use crate::model::names::{KnownList, Names};
use crate::model::snapshot::Person;
use crate::sip::Uri;
use crate::ui::actions::{Act, ListAct};
use crate::ui::kit::icons::{Icon, icon_button};
use crate::ui::kit::reasons;
use crate::ui::kit::theme::{self, CONTROL_HEIGHT, colors};
use crate::ui::kit::widgets::{
    entered, entered_in, field, hint, mend_button, one_line, primary, problem_line, small_button,
};
use crate::ui::kit::words;
use crate::ui::text::say;

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

    /// Another contact that has the address already: it is not overwritten.
    fn known<'a>(&self, book: &'a AddressBook) -> Option<&'a Contact> {
        let own = self.before.as_ref().map(|before| address_key(&before.address));
        let key = address_key(&self.address);
        book.find(&self.address).filter(|_| own.is_none_or(|own| own != key))
    }

    /// A new contact for somebody who wrote.
    pub(crate) fn from_person(person: &Person) -> Self {
        let (name, address) = (person.plain_name().to_owned(), words::address(&person.address));
        Self { before: None, name, address, problem: None }
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

/// A list being named or edited.
#[derive(Debug)]
pub(crate) struct ListForm {
    /// The list as it is saved.
    before: Option<List>,
    people: Vec<Person>,
    name: String,
    /// Who is to be added.
    more: String,
    problem: Option<String>,
}

impl ListForm {
    /// Something was typed, or somebody added or removed, that is not saved.
    pub(crate) fn is_changed(&self) -> bool {
        let name = self.before.as_ref().map_or("", |before| before.name.as_str());
        let members = || self.people.iter().map(|person| &person.address);
        let is_other = self.before.as_ref().is_some_and(|before| !before.members.iter().eq(members()));
        self.name.trim() != name || is_other || !self.more.trim().is_empty()
    }

    /// It edits a list that exists.
    pub(crate) const fn edits(&self) -> bool {
        self.before.is_some()
    }

    /// A list of these people, still without a name.
    pub(crate) fn of(people: Vec<Person>) -> Self {
        Self { before: None, people, name: String::new(), more: String::new(), problem: None }
    }

    /// Edits a saved list.
    pub(crate) fn edit(list: &KnownList, saved: List) -> Self {
        let people = list.members.iter().zip(&saved.members);
        // As they are spelled in the file, so that nothing is changed that the user does not change.
        let people = people.map(|(person, address)| Person { address: address.clone(), ..person.clone() });
        Self {
            people: people.collect(),
            name: saved.name.clone(),
            before: Some(saved),
            ..Self::of(Vec::new())
        }
    }

    /// Adds those whose names or addresses were typed; what is neither stays in the field.
    fn add_typed(&mut self, names: &Names) {
        let mut rest = Vec::new();
        for piece in recipients(&std::mem::take(&mut self.more)) {
            let named = names.named(&piece.address).map(|known| known.person.clone());
            let address = Uri::typed(&piece.address).ok().filter(Uri::names_somebody);
            let typed = address.map(|uri| {
                let row = PersonRow { address: uri.as_str().to_owned(), name: piece.name.clone() };
                names.person(&row)
            });
            let listed = names.list(&piece.address).map(|list| list.members.clone());
            let found = listed.or_else(|| Some(vec![named.or(typed)?]));
            match found {
                Some(people) => people.into_iter().for_each(|person| self.add(person)),
                None => rest.push(piece.address),
            }
        }
        self.more = rest.join(", ");
        let slip = || rest.iter().find_map(|typed| reasons::slip_in(typed));
        let neither = || say!("neither-address-nor-name").to_owned();
        self.problem = (!rest.is_empty()).then(|| slip().unwrap_or_else(neither));
    }

    fn add(&mut self, person: Person) {
        let key = address_key(&person.address);
        if !self.people.iter().any(|known| address_key(&known.address) == key) {
            self.people.push(person);
        }
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
    let name = field(ui, say!("conversation-name"), &mut form.name, say!("conversation-name-hint"));
    if is_new {
        name.request_focus();
    }
    hint(ui, say!("conversation-name-why"));
    let entered = entered(ui);
    ui.add_space(4.0);
    if primary(ui, say!("save-name"), true).clicked() || entered {
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
    book: &AddressBook,
    acts: &mut Vec<Act>,
) -> FormOutcome {
    ui.spacing_mut().item_spacing.y = 8.0;
    let name = field(ui, say!("name"), &mut form.name, "Ann Lee");
    if is_new {
        name.request_focus();
    }
    let address = field(ui, say!("sip-address"), &mut form.address, "ann@example.com");
    if address.changed() {
        form.problem = None;
    }
    let known = form.known(book);
    if below_address(ui, form.problem.as_deref(), known) {
        acts.extend(known.map(|known| Act::EditContact(Some(known.clone()))));
        return FormOutcome::Closed;
    }
    let entered = entered(ui);
    ui.horizontal(|ui| {
        let filled = known.is_none() && !form.address.trim().is_empty();
        if primary(ui, say!("save-contact"), filled).clicked() || (entered && filled) {
            if save_contact(form, book, acts) {
                return FormOutcome::Closed;
            }
            address.request_focus();
        }
        if let Some(before) = &form.before
            && mend_button(ui, say!("remove")).clicked()
        {
            acts.push(Act::RemoveContact(before.clone()));
            return FormOutcome::Closed;
        }
        FormOutcome::Open
    })
    .inner
}

/// What is wrong with the address, on a line that is always there; true if another contact that has it is to be edited.
fn below_address(ui: &mut Ui, problem: Option<&str>, known: Option<&Contact>) -> bool {
    let line = ui.horizontal(|ui| {
        ui.set_min_height(CONTROL_HEIGHT);
        let Some(known) = known else {
            problem_line(ui, problem);
            return false;
        };
        let name = if known.name.is_empty() { say!("contact-without-name") } else { &known.name };
        let words = say!("contact-has-address", name = name);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let is_asked = small_button(ui, say!("edit-that-contact")).clicked();
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                ui.add(egui::Label::new(RichText::new(words).size(12.5).color(colors(ui).amber)).truncate());
            });
            is_asked
        })
        .inner
    });
    line.inner
}

/// Saves the contact; if the address is invalid, sets an error message and returns false.
fn save_contact(form: &mut ContactForm, book: &AddressBook, acts: &mut Vec<Act>) -> bool {
    let uri = Uri::typed(&form.address).ok().filter(Uri::names_somebody);
    let Some(uri) = uri else {
        let slip = reasons::slip_in(&form.address);
        form.problem = Some(slip.unwrap_or_else(|| say!("no-sip-address").to_owned()));
        return false;
    };
    let (address, name) = (uri.as_str().to_owned(), form.name.trim().to_owned());
    match &form.before {
        Some(before) => {
            let named = Contact { name, ..before.clone() };
            acts.extend(moved(&named, &address, book).into_iter().map(Act::Ask));
        }
        None => acts.push(Act::Ask(Command::PutContact(Contact { address, name, simulated: false }))),
    }
    true
}

/// What gives a contact another address: in the saved lists too.
pub(crate) fn moved(contact: &Contact, address: &str, book: &AddressBook) -> Vec<Command> {
    let put = Command::PutContact(Contact { address: address.to_owned(), ..contact.clone() });
    let wrong = address_key(&contact.address);
    if wrong == address_key(address) {
        return vec![put];
    }
    let is_wrong = |member: &String| address_key(member) == wrong;
    let lists = book.lists.iter().filter(|list| list.members.iter().any(is_wrong));
    let lists = lists.map(|list| {
        let member = |it: &String| if is_wrong(it) { address.to_owned() } else { it.clone() };
        Command::PutList(List { name: list.name.clone(), members: list.members.iter().map(member).collect() })
    });
    let remove = Command::RemoveContact { address: contact.address.clone() };
    [remove, put].into_iter().chain(lists).collect()
}

/// The form of a list.
pub(crate) fn list_ui(
    ui: &mut Ui,
    form: &mut ListForm,
    is_new: bool,
    (book, names): (&AddressBook, &Names),
    acts: &mut Vec<Act>,
) -> FormOutcome {
    ui.spacing_mut().item_spacing.y = 8.0;
    let name = field(ui, say!("list-name"), &mut form.name, say!("list-name-example"));
    if is_new {
        name.request_focus();
    }
    let new_name = form.name.trim();
    let is_taken = form.before.as_ref().is_none_or(|before| before.name != new_name)
        && book.lists.iter().any(|list| list.name == new_name);
    let taken = is_taken.then(|| say!("list-exists", name = new_name));
    problem_line(ui, taken.as_deref());
    members_ui(ui, form);
    let adds = add_ui(ui, form, names);
    let filled = !is_taken && !form.name.trim().is_empty() && !form.people.is_empty();
    let entered = entered(ui) && !adds && form.more.trim().is_empty();
    ui.add_space(4.0);
    ui.horizontal(|ui| {
        if primary(ui, say!("save-list"), filled).clicked() || (entered && filled) {
            form.add_typed(names);
            if form.problem.is_none() {
                save_list(form, acts);
                return FormOutcome::Closed;
            }
        }
        if let Some(before) = &form.before
            && mend_button(ui, say!("remove")).clicked()
        {
            acts.push(Act::List(ListAct::Remove(before.name.clone())));
            return FormOutcome::Closed;
        }
        FormOutcome::Open
    })
    .inner
}

/// The field for further people; true in the frame in which Enter adds them.
fn add_ui(ui: &mut Ui, form: &mut ListForm, names: &Names) -> bool {
    let more = field(ui, say!("add-people"), &mut form.more, say!("name-or-address"));
    let adds = entered_in(ui, &more);
    if more.changed() {
        form.problem = None;
    }
    if adds {
        form.add_typed(names);
        more.request_focus();
    }
    problem_line(ui, form.problem.as_deref());
    adds
}

/// The members, each with a button that removes it.
fn members_ui(ui: &mut Ui, form: &mut ListForm) {
    hint(ui, &words::people_count(form.people.len()));
    let height = (ui.ctx().content_rect().height() - 380.0).clamp(64.0, 224.0);
    let mut removed = None;
    ScrollArea::vertical().max_height(height).auto_shrink([false, true]).show_rows(
        ui,
        CONTROL_HEIGHT,
        form.people.len(),
        |ui, range| {
            for (offset, person) in form.people.get(range.clone()).unwrap_or_default().iter().enumerate() {
                ui.horizontal(|ui| {
                    if icon_button(ui, Icon::Close, &say!("remove-name", name = person.name)).clicked() {
                        removed = Some(range.start + offset);
                    }
                    let width = ui.available_width() - 8.0;
                    let words = format!("{}  {}", person.name, words::address(&person.address));
                    let line = one_line(ui, &words, theme::regular(13.5), colors(ui).text, width);
                    let shown = ui.label(line);
                    shown.widget_info(|| WidgetInfo::labeled(Role::Label, true, &words));
                });
            }
        },
    );
    if let Some(index) = removed {
        form.people.remove(index);
    }
}

fn save_list(form: &ListForm, acts: &mut Vec<Act>) {
    let name = form.name.trim().to_owned();
    let members = form.people.iter().map(|person| person.address.clone()).collect();
    acts.push(Act::List(ListAct::Put(form.before.clone(), List { name, members })));
}
