//! Contacts and saved lists: search them, tick several, write to all of them at once.

use egui::{Align, Layout, Rect, Response, ScrollArea, Sense, Stroke, Ui, pos2, vec2};

use super::ticks::{Chosen, Jump, Ticks};
use crate::model::command::Command;
use crate::model::contacts::AddressBook;
use crate::model::names::{KnownList, NamedContact, Names};
use crate::model::snapshot::Person;
use crate::ui::actions::{Act, ListAct};
use crate::ui::commands::{UiCommand, block_item, context_menu, menu_item};
use crate::ui::kit::icons::{Icon, icon_button};
use crate::ui::kit::theme::{self, colors};
use crate::ui::kit::widgets::{
    hint, one_line, paint_avatar, paint_simulated, primary, put, small_button, within,
};
use crate::ui::kit::words;
use crate::ui::text::say;

/// Height of a contact's row.
pub(crate) const ROW_HEIGHT: f32 = 48.0;

/// From this width on, the buttons for contacts stand beside their heading.
const BUTTONS_BESIDE_FROM: f32 = 400.0;

/// Height of the bar below the contacts while some are ticked.
pub(crate) const CHOSEN_HEIGHT: f32 = 52.0;

/// The contacts tab.
pub(crate) fn contacts_ui(
    ui: &mut Ui,
    (book, names): (&AddressBook, &Names),
    (mut ticks, jump): (Ticks<'_>, &mut Jump),
    search: &str,
    acts: &mut Vec<Act>,
) {
    if let Ticks::Chosen(chosen) = &mut ticks {
        chosen_panel(ui, names, chosen, acts);
    }
    let found: Vec<usize> = names.search(search).collect();
    jump.take_letters(ui, names, &found);
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        let lists: Vec<&KnownList> = names.lists().iter().filter(|list| list.matches(search)).collect();
        if !lists.is_empty() {
            heading(ui, say!("saved-lists"));
        }
        rows_in_view(ui, lists.len(), |ui, place| {
            if let Some(list) = lists.get(place) {
                list_row(ui, list, &mut ticks, acts);
            }
        });
        heading_with_add(ui, book.contacts.is_empty() && book.lists.is_empty(), acts);
        if let Some(row) = jump.row {
            let top = ui.cursor().top() + row as f32 * ROW_HEIGHT;
            let place = Rect::from_min_size(pos2(ui.cursor().left(), top), vec2(1.0, ROW_HEIGHT));
            ui.scroll_to_rect(place, Some(Align::Min));
        }
        rows_in_view(ui, found.len(), |ui, place| {
            let Some(known) = found_at(names, &found, place) else { return };
            if jump.row == Some(place) {
                jump.row = None;
                let id = tick_id(ui, &known.person);
                ui.memory_mut(|memory| memory.request_focus(id));
            }
            let asked = contact_row(ui, known, ticks.has(&known.key), names);
            if asked == RowAct::Toggled {
                ticks.toggle(&known.key, &known.person);
            }
            acts.extend(asked.act(known, book));
        });
        if found.is_empty() {
            nobody(ui, book);
        }
    });
}

/// The bar at the bottom, while contacts are ticked.
fn chosen_panel(ui: &mut Ui, names: &Names, chosen: &mut Chosen, acts: &mut Vec<Act>) {
    let people = chosen.people(names);
    if people.is_empty() {
        return;
    }
    let panel = egui::Panel::bottom("chosen").frame(egui::Frame::NONE).show_separator_line(false);
    panel.show(ui, |ui| chosen_bar(ui, people, chosen, acts));
}

/// The contact at index `place` of the search results.
fn found_at<'a>(names: &'a Names, found: &[usize], place: usize) -> Option<&'a NamedContact> {
    names.contacts().get(*found.get(place)?)
}

/// `count` rows, of which only the visible ones are created.
pub(super) fn rows_in_view(ui: &mut Ui, count: usize, mut row: impl FnMut(&mut Ui, usize)) {
    let top = ui.cursor().top();
    let place = |y: f32| (((y - top) / ROW_HEIGHT).max(0.0) as usize).min(count);
    let clip = ui.clip_rect();
    let (first, end) = (place(clip.top()), place(clip.bottom() + ROW_HEIGHT));
    let space = |ui: &mut Ui, rows: usize| {
        if rows > 0 {
            ui.allocate_space(vec2(ui.available_width(), rows as f32 * ROW_HEIGHT));
        }
    };
    space(ui, first);
    for index in first..end {
        // Ids by index, so that widgets keep theirs when rows above scroll out of view.
        ui.push_id(index, |ui| row(ui, index));
    }
    space(ui, count - end);
}

/// What is above the contacts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ContactsButton {
    Add,
    Import,
    Export,
}

impl ContactsButton {
    const ALL: [Self; 3] = [Self::Add, Self::Import, Self::Export];

    fn label(self) -> &'static str {
        match self {
            Self::Add => say!("add-contact-button"),
            Self::Import => say!("import-button"),
            Self::Export => say!("export-button"),
        }
    }
}

fn nobody(ui: &mut Ui, book: &AddressBook) {
    let sentence = if book.contacts.is_empty() { say!("no-contacts") } else { say!("no-matching-contacts") };
    egui::Frame::NONE.inner_margin(egui::Margin::symmetric(16, 8)).show(ui, |ui| hint(ui, sentence));
}

fn heading(ui: &mut Ui, text: &str) {
    let rect = ui.allocate_space(vec2(ui.available_width(), 32.0)).1;
    let galley = one_line(ui, text, theme::strong(12.0), colors(ui).weak, rect.width());
    put(ui.painter(), pos2(rect.left() + 16.0, rect.center().y - galley.size().y / 2.0), galley);
}

/// `Contacts`, and the buttons that add to them or save them.
fn heading_with_add(ui: &mut Ui, is_empty: bool, acts: &mut Vec<Act>) {
    // In a wide column beside the heading, else in a line of their own.
    let is_wide = ui.available_width() >= BUTTONS_BESIDE_FROM;
    let (rect, side) = if is_wide {
        let rect = ui.allocate_space(vec2(ui.available_width(), 36.0)).1;
        let galley = one_line(ui, say!("contacts"), theme::strong(12.0), colors(ui).weak, rect.width());
        put(ui.painter(), pos2(rect.left() + 16.0, rect.center().y - galley.size().y / 2.0), galley);
        (rect, Layout::right_to_left(Align::Center))
    } else {
        heading(ui, say!("contacts"));
        (ui.allocate_space(vec2(ui.available_width(), 36.0)).1, Layout::left_to_right(Align::Center))
    };
    within(ui, rect.shrink2(vec2(16.0, 0.0)), side, |ui| {
        ui.spacing_mut().item_spacing.x = 6.0;
        let mut buttons = ContactsButton::ALL;
        if is_wide {
            buttons.reverse();
        }
        for button in buttons {
            let is_on = !is_empty || button != ContactsButton::Export;
            if ui.add_enabled_ui(is_on, |ui| small_button(ui, button.label()).clicked()).inner {
                acts.push(match button {
                    ContactsButton::Add => Act::EditContact(None),
                    ContactsButton::Import => Act::Import,
                    ContactsButton::Export => Act::Ask(Command::ExportContacts),
                });
            }
        }
    });
}

/// What the user did with a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RowAct {
    None,
    Toggled,
    Edit,
    Write,
    CopyAddress,
    Block(bool),
    Remove,
}

impl RowAct {
    /// What is to be done with this contact.
    fn act(self, known: &NamedContact, book: &AddressBook) -> Option<Act> {
        let contact = || book.contacts.get(known.place).cloned();
        match self {
            Self::None | Self::Toggled => None,
            Self::Edit => contact().map(|contact| Act::EditContact(Some(contact))),
            Self::Write => Some(Act::Write(vec![known.person.clone()])),
            Self::CopyAddress => Some(Act::Copy(known.person.address.clone())),
            Self::Block(is_blocked) => Some(Act::Block(known.person.clone(), is_blocked)),
            Self::Remove => contact().map(Act::RemoveContact),
        }
    }
}

/// One contact: check box, circle, name, address.
fn contact_row(ui: &mut Ui, known: &NamedContact, ticked: bool, names: &Names) -> RowAct {
    let rect = ui.allocate_space(vec2(ui.available_width(), ROW_HEIGHT)).1;
    let NamedContact { person, .. } = known;
    let response = check_row(ui, rect, person, ticked, 36.0);
    let edit = pencil(ui, rect, &say!("edit-name", name = person.name));
    let mut act = match (response.clicked(), edit) {
        (_, true) => RowAct::Edit,
        (true, false) => RowAct::Toggled,
        (false, false) => RowAct::None,
    };
    context_menu(&response, |ui| {
        for (command, chosen) in [
            (UiCommand::WriteTo, RowAct::Write),
            (UiCommand::EditContact, RowAct::Edit),
            (UiCommand::CopyAddress, RowAct::CopyAddress),
            (UiCommand::RemoveContact, RowAct::Remove),
        ] {
            if menu_item(ui, command) {
                act = chosen;
            }
        }
        act = block_item(ui, person, names).map_or(act, RowAct::Block);
    });
    act
}

fn tick_id(ui: &Ui, person: &Person) -> egui::Id {
    ui.scope_id().with(("tick", &person.address))
}

/// A row that acts as one large check box; `beside` is the width of what stands at its right end.
pub(super) fn check_row(ui: &Ui, rect: Rect, person: &Person, ticked: bool, beside: f32) -> Response {
    let response = ui.interact(rect, tick_id(ui, person), Sense::click());
    if response.hovered() {
        ui.painter().rect_filled(rect.shrink2(vec2(8.0, 1.0)), 8.0, colors(ui).hover);
    }
    check_box(ui, pos2(rect.left() + 26.0, rect.center().y), ticked);
    crate::ui::kit::icons::focus_ring(ui, &response, rect.shrink2(vec2(8.0, 1.0)), 8.0);
    paint_avatar(ui, pos2(rect.left() + 62.0, rect.center().y), 32.0, std::slice::from_ref(person));
    let left = rect.left() + 88.0;
    let width = rect.right() - 12.0 - beside - left;
    let tag = if person.simulated { 68.0 } else { 0.0 };
    let name = one_line(ui, &person.name, theme::regular(14.0), colors(ui).text, width - tag);
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
    response
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

/// A saved list; ticked if all its members are.
fn list_row(ui: &mut Ui, list: &KnownList, ticks: &mut Ticks<'_>, acts: &mut Vec<Act>) {
    let rect = ui.allocate_space(vec2(ui.available_width(), ROW_HEIGHT)).1;
    let ticked = !list.keys.is_empty() && list.keys.iter().all(|key| ticks.has(key));
    let response = ui.interact(rect, ui.scope_id().with(("list", &list.name)), Sense::click());
    if response.hovered() {
        ui.painter().rect_filled(rect.shrink2(vec2(8.0, 1.0)), 8.0, colors(ui).hover);
    }
    check_box(ui, pos2(rect.left() + 26.0, rect.center().y), ticked);
    crate::ui::kit::icons::focus_ring(ui, &response, rect.shrink2(vec2(8.0, 1.0)), 8.0);
    paint_avatar(ui, pos2(rect.left() + 62.0, rect.center().y), 32.0, &[]);
    let (left, width) = (rect.left() + 88.0, rect.width() - 88.0 - 48.0);
    let name = one_line(ui, &list.name, theme::regular(14.0), colors(ui).text, width);
    let below = format!("{}: {}", words::people_count(list.members.len()), words::people(&list.members, 3));
    let below = one_line(ui, &below, theme::regular(12.0), colors(ui).weak, width);
    let top = rect.center().y - (name.size().y + below.size().y) / 2.0;
    let second = top + name.size().y;
    put(ui.painter(), pos2(left, top), name);
    put(ui.painter(), pos2(left, second), below);
    response.widget_info(|| {
        egui::WidgetInfo::selected(egui::Role::CheckBox, true, ticked, say!("list-named", name = list.name))
    });
    if response.clicked() {
        ticks.set(list, !ticked);
    }
    context_menu(&response, |ui| {
        if menu_item(ui, UiCommand::WriteTo) {
            acts.push(Act::Write(list.members.clone()));
        }
        if menu_item(ui, UiCommand::EditList) {
            acts.push(Act::List(ListAct::Edit(list.name.clone())));
        }
        if menu_item(ui, UiCommand::RemoveList) {
            acts.push(Act::List(ListAct::Remove(list.name.clone())));
        }
    });
    let place = Rect::from_center_size(pos2(rect.right() - 28.0, rect.center().y), vec2(28.0, 28.0));
    within(ui, place, Layout::default(), |ui| {
        if icon_button(ui, Icon::Pencil, &say!("edit-list-name", name = list.name)).clicked() {
            acts.push(Act::List(ListAct::Edit(list.name.clone())));
        }
    });
}

/// `Save as list…` and `Write to 3`, at the bottom.
fn chosen_bar(ui: &mut Ui, people: Vec<Person>, chosen: &mut Chosen, acts: &mut Vec<Act>) {
    ui.painter().hline(ui.max_rect().x_range(), ui.max_rect().top() + 0.5, Stroke::new(1.0, colors(ui).line));
    egui::Frame::NONE.inner_margin(egui::Margin::symmetric(16, 8)).show(ui, |ui| {
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = 8.0;
            if icon_button(ui, Icon::Close, say!("clear-selection")).clicked() {
                chosen.clear();
            }
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let write = primary(ui, &say!("write-to-count", count = people.len()), true);
                if small_button(ui, say!("save-as-list")).clicked() {
                    acts.push(Act::List(ListAct::SaveAs(people.clone())));
                }
                if write.clicked() {
                    acts.push(Act::Write(people));
                    chosen.clear();
                }
            });
        });
    });
}
