//! Going to a person, a list, a conversation or a command by typing a part of its name.

use std::collections::BTreeSet;

use egui::{Margin, Rect, Ui, pos2, vec2};

use super::rank::Wanted;
use super::rows::{ChosenRow, Pressed, rows_ui};
use crate::model::contacts::address_key;
use crate::model::fold::fold;
use crate::model::journal::ConversationId;
use crate::model::snapshot::{ConversationHead, Person, Snapshot};
use crate::ui::actions::Act;
use crate::ui::commands::{self, UiCommand};
use crate::ui::kit::edit;
use crate::ui::kit::theme::{self, colors};
use crate::ui::kit::widgets::{hint, one_line, paint_avatar, put};
use crate::ui::kit::words;
use crate::ui::text::say;

const ROW_HEIGHT: f32 = 44.0;
/// Most rows shown.
const ROWS_MAX: usize = 100;

/// What a row goes to.
#[derive(Clone, Debug)]
enum Target {
    Conversation(ConversationId),
    Person(Person),
    List(Vec<Person>),
    Command(UiCommand),
}

/// Something that can be gone to.
#[derive(Debug)]
struct Destination {
    target: Target,
    label: String,
    /// Address, members or shortcut.
    detail: String,
    people: Vec<Person>,
    folded: String,
}

/// The palette while it is open.
#[derive(Debug)]
pub(crate) struct Palette {
    text: String,
    entries: Vec<Destination>,
    /// Indexes of the entries that fit, best first.
    shown: Vec<usize>,
    choice: ChosenRow,
    takes_focus: bool,
}

impl Palette {
    /// Over everything that there is now.
    pub(crate) fn of(snapshot: &Snapshot) -> Self {
        let mut alone = BTreeSet::new();
        let mut entries: Vec<Destination> = snapshot
            .conversations
            .iter()
            .map(|head| {
                if let [only] = &*head.people {
                    alone.insert(address_key(&only.address));
                }
                conversation(head, snapshot)
            })
            .collect();
        // Who has a conversation is there already.
        let contacts = snapshot.names.contacts().iter().filter(|known| !alone.contains(&known.key));
        entries.extend(contacts.map(|known| Destination {
            target: Target::Person(known.person.clone()),
            label: known.person.name.clone(),
            detail: words::address(&known.person.address),
            people: vec![known.person.clone()],
            folded: fold(&format!("{} {}", known.person.name, known.person.address)),
        }));
        entries.extend(snapshot.names.lists().iter().map(|list| Destination {
            target: Target::List(list.members.clone()),
            label: list.name.clone(),
            detail: say!("list-of", people = words::people_count(list.members.len())),
            people: Vec::new(),
            folded: fold(&list.name),
        }));
        entries.extend(commands::everywhere().map(|command| Destination {
            target: Target::Command(command),
            label: command.label().to_owned(),
            detail: command.shortcut(),
            people: Vec::new(),
            folded: fold(command.label()),
        }));
        let (text, choice) = (String::new(), ChosenRow::default());
        let mut this = Self { text, entries, shown: Vec::new(), choice, takes_focus: true };
        this.look();
        this
    }

    /// Finds what fits the text.
    fn look(&mut self) {
        let wanted = Wanted::of(&self.text);
        let entries = self.entries.iter().enumerate();
        let mut found: Vec<(usize, usize)> =
            entries.filter_map(|(index, entry)| Some((wanted.distance(&entry.folded)?, index))).collect();
        // The order of the entries otherwise: latest conversations first.
        found.sort_unstable();
        self.shown = found.into_iter().map(|(_, index)| index).take(ROWS_MAX).collect();
        self.choice.reset();
    }

    fn entry(&self, row: usize) -> Option<&Destination> {
        self.entries.get(*self.shown.get(row)?)
    }
}

fn conversation(head: &ConversationHead, snapshot: &Snapshot) -> Destination {
    let given = snapshot.settings.marks(head).map(|marks| marks.name.clone()).unwrap_or_default();
    let people = words::people(&head.people, head.people.len());
    let mut searched = format!("{given} {people}").trim_start().to_owned();
    if let [only] = &*head.people {
        searched.push_str(&format!(" {}", only.address));
    }
    let (label, detail) = match &*head.people {
        _ if !given.is_empty() => (given, people),
        [only] => (people, words::address(&only.address)),
        several => (people, words::people_count(several.len())),
    };
    Destination {
        target: Target::Conversation(head.id),
        label,
        detail,
        people: head.people.to_vec(),
        folded: fold(&searched),
    }
}

/// The id of its field.
fn field_id() -> egui::Id {
    egui::Id::unique("palette field")
}

/// The contents of the palette; closes by going somewhere.
pub(crate) fn palette_ui(ui: &mut Ui, palette: &mut Palette, acts: &mut Vec<Act>) {
    ui.spacing_mut().item_spacing.y = 6.0;
    let room = (ui.ctx().content_rect().height() - 160.0).clamp(140.0, 10.0 * ROW_HEIGHT);
    let page = (room / ROW_HEIGHT) as usize;
    let pressed = palette.choice.take_keys(ui, field_id(), (palette.shown.len(), page));
    let width = ui.available_width();
    let response = edit::text_field(ui, field_id(), &mut palette.text, |text| {
        egui::TextEdit::singleline(text)
            .hint_text(say!("palette-hint"))
            .desired_width(width)
            .align(egui::Align2::LEFT_CENTER)
            .margin(Margin::symmetric(10, 6))
            .min_size(vec2(0.0, 34.0))
    })
    .accessible_name(say!("go-to"));
    // After it was drawn: in the first frame, in which its size is found out, it would lose the focus again.
    if std::mem::take(&mut palette.takes_focus) {
        edit::forget(ui.ctx(), field_id());
        response.request_focus();
    }
    if response.changed() {
        palette.look();
    }
    if palette.shown.is_empty() {
        return hint(ui, say!("palette-none"));
    }
    let size = (palette.shown.len(), ROW_HEIGHT, room);
    let mut choice = std::mem::take(&mut palette.choice);
    let clicked = rows_ui(ui, &mut choice, size, |ui, row, rect| {
        palette.entry(row).map(|entry| entry_ui(ui, entry, rect)).unwrap_or_default()
    });
    palette.choice = choice;
    let chosen = clicked.or_else(|| (pressed == Pressed::Enter).then_some(palette.choice.index));
    if let Some(entry) = chosen.and_then(|row| palette.entry(row)) {
        acts.push(Act::CloseFind);
        acts.push(match &entry.target {
            Target::Conversation(id) => Act::Open(*id),
            Target::Person(person) => Act::WriteTo(vec![person.clone()]),
            Target::List(people) => Act::WriteTo(people.clone()),
            Target::Command(command) => Act::Run(*command),
        });
    }
}

/// Paints one row; returns its name.
fn entry_ui(ui: &Ui, entry: &Destination, rect: Rect) -> String {
    let colors = colors(ui);
    let middle = rect.center().y;
    if let Target::Command(_) = entry.target {
        let sign = one_line(ui, ">", theme::strong(14.0), colors.weak, 20.0);
        put(ui.painter(), pos2(rect.left() + 22.0, middle - sign.size().y / 2.0), sign);
    } else {
        paint_avatar(ui, pos2(rect.left() + 26.0, middle), 28.0, &entry.people);
    }
    let (left, right) = (rect.left() + 52.0, rect.right() - 12.0);
    let detail = one_line(ui, &entry.detail, theme::regular(12.0), colors.weak, (right - left) * 0.45);
    let label_width = right - left - detail.size().x - 12.0;
    let label = one_line(ui, &entry.label, theme::regular(14.0), colors.text, label_width);
    put(ui.painter(), pos2(left, middle - label.size().y / 2.0), label);
    put(ui.painter(), pos2(right - detail.size().x, middle - detail.size().y / 2.0), detail);
    match entry.target {
        Target::List(_) => say!("list-named", name = entry.label),
        Target::Command(_) | Target::Person(_) | Target::Conversation(_) => entry.label.clone(),
    }
}
