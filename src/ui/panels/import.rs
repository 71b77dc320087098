//! Importing contacts: pasted or from a file, with a preview of what was understood and what was not.

use std::path::PathBuf;

use bytes::Bytes;
use egui::{Rect, ScrollArea, Sense, Ui, WidgetInfo, pos2, vec2};

use super::people::FormOutcome;
use crate::limits::IMPORT_BYTES_MAX;
use crate::model::command::Command;
use crate::model::contacts::AddressBook;
use crate::model::import::{Import, Standing};
use crate::model::text::visible;
use crate::ui::actions::Act;
use crate::ui::kit::edit;
use crate::ui::kit::theme::{self, colors};
use crate::ui::kit::widgets::{banner, entered_in, field, hint, one_line, primary, put, small_button};
use crate::ui::kit::words;
use crate::ui::text::say;

const ROW_HEIGHT: f32 = 40.0;
/// A pasted text longer than this is shown cut off, because laying it out would hold up the window.
const SHOWN_CHARS_MAX: usize = 4000;

/// What is to be imported.
#[derive(Debug, Default)]
pub(crate) struct ImportForm {
    text: String,
    path: String,
    /// The file is being read.
    awaits: bool,
    /// The text that was pasted, or the file that was read.
    source: Option<Bytes>,
    /// How many contacts there were when it was understood.
    contacts: usize,
    found: Option<Import>,
    problem: Option<String>,
}

impl ImportForm {
    /// Something was pasted or chosen that is not imported.
    pub(crate) const fn is_changed(&self) -> bool {
        self.source.is_some()
    }

    /// The file was read, or could not be.
    pub(crate) fn take_file(&mut self, file: Result<Bytes, String>, book: &AddressBook) {
        self.awaits = false;
        match file {
            Ok(bytes) => {
                self.text.clear();
                self.understand(bytes, book);
            }
            Err(why) => self.problem = Some(why),
        }
    }

    fn understand(&mut self, bytes: Bytes, book: &AddressBook) {
        (self.found, self.problem) = match Import::read(&bytes, book) {
            Ok(found) => (Some(found), None),
            Err(error) => (None, Some(format!("{error}."))),
        };
        self.contacts = book.contacts.len();
        self.source = (!bytes.is_empty()).then_some(bytes);
    }
}

/// Draws the form; `is_new` in the first frame, in which the text takes the focus.
pub(crate) fn import_ui(
    ui: &mut Ui,
    form: &mut ImportForm,
    is_new: bool,
    book: &AddressBook,
    acts: &mut Vec<Act>,
) -> FormOutcome {
    ui.spacing_mut().item_spacing.y = 8.0;
    // What was pasted, or read from a file, leaves its room to the preview.
    let is_file = form.source.is_some() && form.text.is_empty();
    if !is_file {
        text_ui(ui, form, is_new, book);
    }
    if form.source.is_none() || is_file {
        file_ui(ui, form, acts);
    }
    if let Some(problem) = &form.problem {
        banner(ui, problem, colors(ui).red, colors(ui).red_soft);
    }
    // The contacts have changed since: what is new may be known now.
    if form.contacts != book.contacts.len()
        && let Some(source) = form.source.clone()
    {
        form.understand(source, book);
    }
    let Some(found) = form.found.as_ref().filter(|_| form.source.is_some()) else {
        hint(ui, say!("import-what"));
        return FormOutcome::Open;
    };
    ui.label(summary(found));
    preview_ui(ui, found);
    let (contacts, lists) = (found.new_count(), found.lists.len());
    let label = match (contacts, lists) {
        (0, 0) => say!("import-nothing").to_owned(),
        (_, 0) => say!("import-contacts", contacts = contacts),
        (0, _) => say!("import-lists", lists = lists),
        _ => say!("import-both", contacts = contacts, lists = lists),
    };
    if primary(ui, &label, contacts + lists > 0).clicked() {
        let (contacts, lists) = (found.contacts(), found.lists.clone());
        acts.push(Act::Ask(Command::AddContacts { contacts, lists }));
        return FormOutcome::Closed;
    }
    FormOutcome::Open
}

fn text_ui(ui: &mut Ui, form: &mut ImportForm, is_new: bool, book: &AddressBook) {
    let id = edit::field_id(ui, say!("contacts"));
    let width = ui.available_width();
    ScrollArea::vertical().id_salt("pasted").max_height(64.0).auto_shrink([false, true]).show(ui, |ui| {
        let response = edit::text_field(ui, id, &mut form.text, |text| {
            egui::TextEdit::multiline(text)
                .hint_text(say!("paste-contacts"))
                .desired_rows(3)
                .desired_width(width)
                .char_limit(IMPORT_BYTES_MAX / 4)
        })
        .accessible_name(say!("contacts"));
        if is_new {
            response.request_focus();
        }
        if response.changed() {
            let text = std::mem::take(&mut form.text);
            form.understand(Bytes::from(text.clone()), book);
            // What was understood is in the table below; laying out megabytes would hold up the window.
            form.text = match text.char_indices().nth(SHOWN_CHARS_MAX) {
                Some((place, _)) => format!("{}…", text.get(..place).unwrap_or_default()),
                None => text,
            };
        }
    });
}

fn file_ui(ui: &mut Ui, form: &mut ImportForm, acts: &mut Vec<Act>) {
    let before = form.path.clone();
    let response = field(ui, say!("file"), &mut form.path, "/home/james/contacts.vcf");
    let entered = entered_in(ui, &response);
    let is_asked = ui
        .horizontal(|ui| {
            if small_button(ui, say!("choose-file")).clicked() {
                acts.push(Act::ChooseContacts);
            }
            let can_read = !form.path.trim().is_empty() && !form.awaits;
            ui.add_enabled_ui(can_read, |ui| {
                small_button(ui, if form.awaits { say!("reading") } else { say!("read-file") }).clicked()
            })
            .inner
        })
        .inner;
    if form.path != before {
        form.problem = None;
    }
    if (is_asked || entered) && !form.path.trim().is_empty() {
        form.awaits = true;
        acts.push(Act::Ask(Command::ReadContacts(PathBuf::from(form.path.trim()))));
    }
}

/// `12 new · 2 already known · 1 under another name · 3 not understood`.
fn summary(found: &Import) -> String {
    let count = |is: fn(&Standing) -> bool| found.people.iter().filter(|(_, standing)| is(standing)).count();
    let known = count(|it| matches!(it, Standing::Known));
    let other = count(|it| matches!(it, Standing::OtherName { .. }));
    let again = count(|it| matches!(it, Standing::Again { .. }));
    let some = |count: usize, words: fn(usize) -> String| (count > 0).then(|| words(count));
    let parts = [
        Some(say!("import-new", count = found.new_count())),
        some(found.lists.len(), |count| say!("import-found-lists", count = count)),
        some(known, |count| say!("import-known", count = count)),
        some(other, |count| say!("import-other-name", count = count)),
        some(again, |count| say!("import-repeated", count = count)),
        some(found.misread_count(), |count| say!("import-misread", count = count)),
        some(found.left_out, |count| say!("import-left-out", count = count)),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

/// First what was not understood, then what is new, then what is known.
fn preview_ui(ui: &mut Ui, found: &Import) {
    let is_new = |standing: &Standing| *standing == Standing::New;
    let new = found.people.iter().filter(|(_, standing)| is_new(standing));
    let known = found.people.iter().filter(|(_, standing)| !is_new(standing));
    let misread = found.misread.iter().map(ImportLine::Misread);
    let people = new.chain(known).map(|(entry, standing)| ImportLine::Person(entry, standing));
    let lines: Vec<ImportLine<'_>> = misread.chain(people).collect();
    let height = (ui.ctx().content_rect().height() - 330.0).clamp(ROW_HEIGHT * 2.0, ROW_HEIGHT * 7.0);
    ui.scope(|ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        ScrollArea::vertical().id_salt("preview").max_height(height).auto_shrink([false, true]).show_rows(
            ui,
            ROW_HEIGHT,
            lines.len(),
            |ui, range| {
                let first = range.start;
                for (offset, line) in lines.get(range).unwrap_or_default().iter().enumerate() {
                    // The same contact may be in the text twice.
                    ui.push_id(first + offset, |ui| line_ui(ui, line));
                }
            },
        );
    });
}

enum ImportLine<'a> {
    Person(&'a crate::model::import::FoundPerson, &'a Standing),
    Misread(&'a crate::model::import::Misread),
}

fn line_ui(ui: &mut Ui, line: &ImportLine<'_>) {
    let rect = ui.allocate_space(vec2(ui.available_width(), ROW_HEIGHT)).1;
    let colors = colors(ui);
    let (top, below, word, ink) = match line {
        ImportLine::Misread(misread) => (
            visible(&misread.text),
            say!("import-line", line = misread.line, why = misread.why),
            if misread.lacks_address() { say!("import-no-address") } else { say!("import-not-understood") }
                .to_owned(),
            colors.red,
        ),
        ImportLine::Person(entry, standing) => {
            let address = words::address(&entry.address);
            let (top, below) = if entry.name.is_empty() {
                (address, String::new())
            } else {
                (visible(&entry.name), address)
            };
            let (word, ink) = match standing {
                Standing::New => (say!("import-is-new").to_owned(), colors.green),
                Standing::Known => (say!("import-already-known").to_owned(), colors.weak),
                Standing::OtherName { known_as } if known_as.is_empty() => {
                    (say!("import-no-name").to_owned(), colors.amber)
                }
                Standing::OtherName { known_as } => {
                    (say!("import-known-as", name = visible(known_as)), colors.amber)
                }
                Standing::Again { line } => (say!("import-again", line = line), colors.weak),
            };
            (top, below, word, ink)
        }
    };
    let tag = one_line(ui, &word, theme::regular(12.0), ink, rect.width() * 0.45);
    let width = rect.width() - tag.size().x - 24.0;
    let tag_place = pos2(rect.right() - tag.size().x - 12.0, rect.top() + 3.0);
    let first = one_line(ui, &top, theme::regular(13.5), colors.text, width);
    let second = one_line(ui, &below, theme::regular(12.0), colors.weak, rect.width() - 12.0);
    let height = first.size().y;
    put(ui.painter(), tag_place, tag);
    put(ui.painter(), pos2(rect.left(), rect.top() + 2.0), first);
    put(ui.painter(), pos2(rect.left(), rect.top() + 2.0 + height), second);
    let place = Rect::from_min_max(rect.min, pos2(rect.right() - 12.0, rect.bottom()));
    let response = ui.interact(place, ui.scope_id().with(("line", &top, &below)), Sense::hover());
    let told = format!("{top}, {below}, {word}");
    response.widget_info(|| WidgetInfo::labeled(egui::Role::Label, true, &told));
    response.on_hover_text(told);
}
