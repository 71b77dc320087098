//! Contacts and saved lists: find them, tick several, write to all of them at once.

use std::collections::BTreeSet;

use eframe::egui;
use egui::{Align, Layout, Rect, RichText, ScrollArea, Sense, Stroke, Ui, pos2, vec2};

use crate::client::contacts::{AddressBook, Contact, List, address_key};
use crate::client::journal::PersonRow;
use crate::client::names::Names;
use crate::client::snapshot::Person;
use crate::ui::act::Act;
use crate::ui::icons::{Icon, icon_button};
use crate::ui::recipients::{Recipients, members};
use crate::ui::theme::{self, colors};
use crate::ui::widgets::{hint, one_line, paint_avatar, paint_simulated, primary, put, small_button, within};
use crate::ui::words;

/// Height of a contact's row.
pub(crate) const ROW_HEIGHT: f32 = 48.0;

/// Who is ticked in the contacts.
#[derive(Debug, Default)]
pub(crate) struct Chosen(BTreeSet<String>);

impl Chosen {
    fn has(&self, address: &str) -> bool {
        self.0.contains(&address_key(address))
    }

    fn toggle(&mut self, address: &str) {
        let key = address_key(address);
        if !self.0.remove(&key) {
            self.0.insert(key);
        }
    }

    fn set(&mut self, addresses: &[String], ticked: bool) {
        for address in addresses {
            if self.has(address) != ticked {
                self.toggle(address);
            }
        }
    }

    /// The ticked ones as people, in the order of the contacts; members of lists that are no contacts follow.
    fn people(&self, book: &AddressBook) -> Vec<Person> {
        let names = Names::of(book);
        let listed = book.lists.iter().flat_map(|list| list.members.iter());
        let addresses = book.contacts.iter().map(|contact| &contact.address).chain(listed);
        let mut seen = BTreeSet::new();
        addresses
            .filter(|address| self.has(address) && seen.insert(address_key(address)))
            .map(|address| names.person(&PersonRow { address: address.clone(), name: String::new() }))
            .collect()
    }
}

/// The contacts tab.
pub(crate) fn contacts_ui(
    ui: &mut Ui,
    book: &AddressBook,
    chosen: &mut Chosen,
    search: &str,
    acts: &mut Vec<Act>,
) {
    let people = chosen.people(book);
    if !people.is_empty() {
        egui::Panel::bottom("chosen").frame(egui::Frame::NONE).show_separator_line(false).show(ui, |ui| {
            chosen_bar(ui, people, chosen, acts);
        });
    }
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        let lists: Vec<&List> = book.lists.iter().filter(|list| matches(&list.name, search)).collect();
        if !lists.is_empty() {
            heading(ui, "Saved lists");
        }
        for list in lists {
            list_row(ui, list, book, chosen, acts);
        }
        heading_with_add(ui, acts);
        let mut any = false;
        for contact in book.search(search) {
            any = true;
            let ticked = chosen.has(&contact.address);
            match contact_row(ui, contact, ticked, Editing::Yes) {
                RowAct::Toggled => chosen.toggle(&contact.address),
                RowAct::Edit => acts.push(Act::EditContact(Some(contact.clone()))),
                RowAct::None => {}
            }
        }
        if !any {
            nobody(ui, book);
        }
    });
}

fn matches(name: &str, search: &str) -> bool {
    name.to_lowercase().contains(&search.trim().to_lowercase())
}

fn nobody(ui: &mut Ui, book: &AddressBook) {
    let sentence = if book.contacts.is_empty() {
        "No contacts yet. Add the people you write to; then you can tick several and write to all of them."
    } else {
        "Nobody of that name."
    };
    egui::Frame::NONE.inner_margin(egui::Margin::symmetric(16, 8)).show(ui, |ui| hint(ui, sentence));
}

fn heading(ui: &mut Ui, text: &str) {
    let rect = ui.allocate_space(vec2(ui.available_width(), 32.0)).1;
    let galley = one_line(ui, text, theme::strong(12.0), colors(ui).weak, rect.width());
    put(ui.painter(), pos2(rect.left() + 16.0, rect.center().y - galley.size().y / 2.0), galley);
}

fn heading_with_add(ui: &mut Ui, acts: &mut Vec<Act>) {
    let rect = ui.allocate_space(vec2(ui.available_width(), 36.0)).1;
    let galley = one_line(ui, "Contacts", theme::strong(12.0), colors(ui).weak, rect.width());
    put(ui.painter(), pos2(rect.left() + 16.0, rect.center().y - galley.size().y / 2.0), galley);
    let right = rect.shrink2(vec2(12.0, 0.0));
    within(ui, right, Layout::right_to_left(Align::Center), |ui| {
        if small_button(ui, "Add contact").clicked() {
            acts.push(Act::EditContact(None));
        }
    });
}

/// A row offers a pencil, or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Editing {
    Yes,
    No,
}

/// What was done to a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RowAct {
    None,
    Toggled,
    Edit,
}

/// One contact: check box, circle, name, address.
pub(crate) fn contact_row(ui: &mut Ui, contact: &Contact, ticked: bool, editing: Editing) -> RowAct {
    let rect = ui.allocate_space(vec2(ui.available_width(), ROW_HEIGHT)).1;
    if !ui.is_rect_visible(rect) {
        return RowAct::None;
    }
    let name = if contact.name.is_empty() { words::address(&contact.address) } else { contact.name.clone() };
    let person = Person { address: contact.address.clone(), name, simulated: contact.simulated };
    let toggled = check_row(ui, rect, &person, ticked);
    let edit = editing == Editing::Yes && pencil(ui, rect, &format!("Edit {}", person.name));
    match (toggled, edit) {
        (_, true) => RowAct::Edit,
        (true, false) => RowAct::Toggled,
        (false, false) => RowAct::None,
    }
}

/// A row that is one large check box.
fn check_row(ui: &Ui, rect: Rect, person: &Person, ticked: bool) -> bool {
    let response = ui.interact(rect, ui.scope_id().with(("tick", &person.address)), Sense::click());
    if response.hovered() {
        ui.painter().rect_filled(rect.shrink2(vec2(8.0, 1.0)), 8.0, colors(ui).hover);
    }
    check_box(ui, pos2(rect.left() + 26.0, rect.center().y), ticked);
    crate::ui::icons::focus_ring(ui, &response, rect.shrink2(vec2(8.0, 1.0)), 8.0);
    paint_avatar(ui, pos2(rect.left() + 62.0, rect.center().y), 32.0, std::slice::from_ref(person));
    let left = rect.left() + 88.0;
    let width = rect.right() - 48.0 - left;
    let tag = if person.simulated { 68.0 } else { 0.0 };
    let name = one_line(ui, &person.name, theme::regular(14.0), colors(ui).text, width + 36.0 - tag);
    let address =
        one_line(ui, &words::address(&person.address), theme::regular(12.0), colors(ui).weak, width);
    let top = rect.center().y - (name.size().y + address.size().y) / 2.0;
    let (name_width, name_height) = (name.size().x, name.size().y);
    put(ui.painter(), pos2(left, top), name);
    put(ui.painter(), pos2(left, top + name_height), address);
    if person.simulated {
        paint_simulated(ui, pos2(left + name_width + 8.0, top + name_height / 2.0));
    }
    response.widget_info(|| egui::WidgetInfo::selected(egui::Role::CheckBox, true, ticked, &person.name));
    response.clicked()
}

fn check_box(ui: &Ui, center: egui::Pos2, ticked: bool) {
    let colors = colors(ui);
    let rect = Rect::from_center_size(center, vec2(18.0, 18.0));
    if ticked {
        ui.painter().rect_filled(rect, 5.0, colors.accent);
        let at = |x: f32, y: f32| rect.min + vec2(x, y);
        ui.painter()
            .line(vec![at(4.2, 9.4), at(7.6, 12.6), at(13.8, 5.8)], Stroke::new(2.0, colors.on_accent));
    } else {
        ui.painter().rect(rect, 5.0, colors.field, Stroke::new(1.5, colors.border), egui::StrokeKind::Inside);
    }
}

fn pencil(ui: &mut Ui, rect: Rect, label: &str) -> bool {
    let place = Rect::from_center_size(pos2(rect.right() - 28.0, rect.center().y), vec2(28.0, 28.0));
    within(ui, place, Layout::default(), |ui| icon_button(ui, Icon::Pencil, label).clicked())
}

/// A saved list: ticked when all its members are.
fn list_row(ui: &mut Ui, list: &List, book: &AddressBook, chosen: &mut Chosen, acts: &mut Vec<Act>) {
    let rect = ui.allocate_space(vec2(ui.available_width(), ROW_HEIGHT)).1;
    if !ui.is_rect_visible(rect) {
        return;
    }
    let people = members(list, book);
    let ticked = !list.members.is_empty() && list.members.iter().all(|address| chosen.has(address));
    let response = ui.interact(rect, ui.scope_id().with(("list", &list.name)), Sense::click());
    if response.hovered() {
        ui.painter().rect_filled(rect.shrink2(vec2(8.0, 1.0)), 8.0, colors(ui).hover);
    }
    check_box(ui, pos2(rect.left() + 26.0, rect.center().y), ticked);
    crate::ui::icons::focus_ring(ui, &response, rect.shrink2(vec2(8.0, 1.0)), 8.0);
    paint_avatar(ui, pos2(rect.left() + 62.0, rect.center().y), 32.0, &[]);
    let (left, width) = (rect.left() + 88.0, rect.width() - 88.0 - 48.0);
    let name = one_line(ui, &list.name, theme::regular(14.0), colors(ui).text, width);
    let below = format!("{}: {}", words::people_count(people.len()), words::people(&people, 3));
    let below = one_line(ui, &below, theme::regular(12.0), colors(ui).weak, width);
    let top = rect.center().y - (name.size().y + below.size().y) / 2.0;
    let second = top + name.size().y;
    put(ui.painter(), pos2(left, top), name);
    put(ui.painter(), pos2(left, second), below);
    response.widget_info(|| {
        egui::WidgetInfo::selected(egui::Role::CheckBox, true, ticked, format!("List {}", list.name))
    });
    if response.clicked() {
        chosen.set(&list.members, !ticked);
    }
    let place = Rect::from_center_size(pos2(rect.right() - 28.0, rect.center().y), vec2(28.0, 28.0));
    within(ui, place, Layout::default(), |ui| {
        if icon_button(ui, Icon::Close, &format!("Remove list {}", list.name)).clicked() {
            acts.push(Act::Ask(crate::client::command::Command::RemoveList { name: list.name.clone() }));
        }
    });
}

/// `3 chosen · Write`, at the foot.
fn chosen_bar(ui: &mut Ui, people: Vec<Person>, chosen: &mut Chosen, acts: &mut Vec<Act>) {
    ui.painter().hline(ui.max_rect().x_range(), ui.max_rect().top() + 0.5, Stroke::new(1.0, colors(ui).line));
    egui::Frame::NONE.inner_margin(egui::Margin::symmetric(16, 8)).show(ui, |ui| {
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = 8.0;
            if icon_button(ui, Icon::Close, "Choose nobody").clicked() {
                chosen.0.clear();
            }
            ui.label(RichText::new(format!("{} chosen", people.len())).font(theme::strong(13.5)));
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let write = primary(ui, "Write", true);
                if small_button(ui, "Save list").clicked() {
                    acts.push(Act::SaveList(people.clone()));
                }
                if write.clicked() {
                    acts.push(Act::Write(people));
                    chosen.0.clear();
                }
            });
        });
    });
}

/// The list to pick from on the page of a new message; what is typed filters it.
pub(crate) fn picker_ui(ui: &mut Ui, book: &AddressBook, recipients: &mut Recipients) {
    let search = recipients.typing.clone();
    ScrollArea::vertical().id_salt("picker").auto_shrink(false).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        ui.add_space(4.0);
        for list in book.lists.iter().filter(|list| matches(&list.name, &search)) {
            let everybody = members(list, book);
            let label = format!("List {}: {}", list.name, words::people_count(everybody.len()));
            if pick_list_row(ui, &label, &everybody) {
                everybody.into_iter().for_each(|person| recipients.push(person));
                recipients.typing.clear();
            }
        }
        let names = Names::of(book);
        for contact in book.search(&search) {
            let ticked = recipients.has(&contact.address);
            if contact_row(ui, contact, ticked, Editing::No) == RowAct::Toggled {
                recipients.toggle(
                    names.person(&PersonRow { address: contact.address.clone(), name: String::new() }),
                );
                recipients.typing.clear();
            }
        }
    });
}

fn pick_list_row(ui: &mut Ui, label: &str, people: &[Person]) -> bool {
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW_HEIGHT), Sense::click());
    if response.hovered() {
        ui.painter().rect_filled(rect.shrink2(vec2(8.0, 1.0)), 8.0, colors(ui).hover);
    }
    crate::ui::icons::focus_ring(ui, &response, rect.shrink2(vec2(8.0, 1.0)), 8.0);
    paint_avatar(
        ui,
        pos2(rect.left() + 62.0, rect.center().y),
        32.0,
        if people.len() == 1 { people } else { &[] },
    );
    let galley = one_line(ui, label, theme::regular(14.0), colors(ui).text, rect.width() - 104.0);
    put(ui.painter(), pos2(rect.left() + 88.0, rect.center().y - galley.size().y / 2.0), galley);
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, label));
    response.clicked()
}
