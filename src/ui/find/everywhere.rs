//! The search of all messages: hits with who wrote them, when, where, and the text around what was found.

use std::sync::Arc;

use egui::text::{LayoutJob, TextFormat, TextWrapping};
use egui::{Galley, Margin, Rect, RichText, Ui, pos2, vec2};

use super::bar::unindexed;
use super::rows::{ChosenRow, Pressed, rows_ui};
use super::typed::Typed;
use crate::model::journal::MessageId;
use crate::model::search::{Excerpt, Found, Hit};
use crate::model::snapshot::Snapshot;
use crate::ui::actions::Act;
use crate::ui::kit::edit;
use crate::ui::kit::theme::{self, colors};
use crate::ui::kit::widgets::{hint, one_line, put, small_button};
use crate::ui::kit::words::{self, Look};
use crate::ui::text::{TextId, say};

const ROW_HEIGHT: f32 = 66.0;
/// What can be said besides words, and what it means.
const OPERATORS: [(&str, TextId); 6] = [
    ("from:", TextId("operator-from")),
    ("to:", TextId("operator-to")),
    ("failed:", TextId("operator-failed")),
    ("has:file", TextId("operator-file")),
    ("before:", TextId("operator-before")),
    ("after:", TextId("operator-after")),
];

/// What is looked for in all messages, and what was found.
#[derive(Debug, Default)]
pub(crate) struct Everywhere {
    pub(crate) typed: Typed,
    hits: Vec<Hit>,
    has_more: bool,
    /// Older hits than those shown were asked for.
    wants_more: bool,
    unindexed: u64,
    problems: Vec<String>,
    /// What is shown answers what is typed, or typed before.
    is_answered: bool,
    choice: ChosenRow,
    /// It was just opened, and takes the focus.
    pub(crate) takes_focus: bool,
}

impl Everywhere {
    /// For the next page: only messages older than this.
    pub(super) fn older_than(&self) -> Option<MessageId> {
        self.hits.last().filter(|_| self.wants_more).map(|hit| hit.message)
    }

    /// Takes in what was found.
    pub(super) fn take(&mut self, found: Found) {
        if found.search.older_than.is_some() {
            self.hits.extend(found.hits);
        } else {
            self.hits = found.hits;
            self.choice.reset();
        }
        self.wants_more = false;
        self.has_more = found.has_more;
        self.unindexed = found.unindexed;
        self.problems = found.problems.iter().map(ToString::to_string).collect();
        self.is_answered = true;
    }

    /// Looks for this text at once.
    pub(crate) fn look_for(&mut self, text: String) {
        *self = Self { typed: Typed::now(text), takes_focus: self.takes_focus, ..Self::default() };
    }

    fn changed(&mut self, now: f64) {
        self.wants_more = false;
        self.typed.changed(now);
        if self.typed.is_empty() {
            *self = Self { typed: std::mem::take(&mut self.typed), ..Self::default() };
        }
    }

    fn more(&mut self) {
        self.wants_more = true;
        self.takes_focus = true;
        self.typed.again();
    }
}

/// The id of its field.
fn field_id() -> egui::Id {
    egui::Id::unique("find everywhere field")
}

/// The contents of the search.
pub(crate) fn everywhere_ui(
    ui: &mut Ui,
    state: &mut Everywhere,
    (snapshot, look): (&Snapshot, &Look),
    acts: &mut Vec<Act>,
) {
    ui.spacing_mut().item_spacing.y = 6.0;
    let room = (ui.ctx().content_rect().height() - 210.0).clamp(140.0, 8.0 * ROW_HEIGHT);
    let page = (room / ROW_HEIGHT) as usize;
    let pressed = state.choice.take_keys(ui, field_id(), (state.hits.len(), page));
    field_ui(ui, state);
    for problem in &state.problems {
        ui.label(RichText::new(words::sentence(problem)).size(12.5).color(colors(ui).amber));
    }
    if let Some(words) = unindexed(state.unindexed) {
        hint(ui, &words);
    }
    if state.hits.is_empty() {
        ui.set_min_height(120.0);
        let is_searched = state.is_answered && !state.typed.is_empty() && !state.typed.is_awaited();
        hint(ui, if is_searched { say!("no-results-sentence") } else { say!("find-how") });
        return;
    }
    let size = (state.hits.len(), ROW_HEIGHT, room);
    let clicked = rows_ui(ui, &mut state.choice, size, |ui, index, rect| {
        state.hits.get(index).map(|hit| hit_ui(ui, hit, rect, (snapshot, look))).unwrap_or_default()
    });
    let chosen = clicked.or_else(|| (pressed == Pressed::Enter).then_some(state.choice.index));
    if let Some(hit) = chosen.and_then(|index| state.hits.get(index)) {
        acts.push(Act::OpenHit(hit.conversation, hit.message));
    }
    if state.has_more && small_button(ui, say!("show-more")).clicked() {
        state.more();
    }
}

fn field_ui(ui: &mut Ui, state: &mut Everywhere) {
    let width = ui.available_width();
    let response = edit::text_field(ui, field_id(), &mut state.typed.text, |text| {
        egui::TextEdit::singleline(text)
            .hint_text(say!("find-everywhere"))
            .desired_width(width)
            .align(egui::Align2::LEFT_CENTER)
            .margin(Margin::symmetric(10, 6))
            .min_size(vec2(0.0, 34.0))
    })
    .accessible_name(say!("find-everywhere"));
    let mut is_changed = response.changed();
    // After it was drawn: in the first frame, in which its size is found out, it would lose the focus again.
    if std::mem::take(&mut state.takes_focus) {
        response.request_focus();
        // So that typing replaces what was looked for before.
        edit::select_all(ui.ctx(), field_id(), state.typed.text.chars().count());
    }
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 6.0;
        for (operator, meaning) in OPERATORS {
            if small_button(ui, operator).on_hover_text(meaning.say()).clicked() {
                let text = &mut state.typed.text;
                let gap = if text.is_empty() || text.ends_with(' ') { "" } else { " " };
                *text = format!("{text}{gap}{operator}");
                // So that the cursor goes behind it.
                edit::forget(ui.ctx(), field_id());
                ui.memory_mut(|memory| memory.request_focus(field_id()));
                is_changed = true;
            }
        }
    });
    if is_changed {
        state.changed(ui.input(|input| input.time));
    }
}

/// Paints one hit; returns its name.
fn hit_ui(ui: &Ui, hit: &Hit, rect: Rect, (snapshot, look): (&Snapshot, &Look)) -> String {
    let colors = colors(ui);
    let (left, right) = (rect.left() + 10.0, rect.right() - 10.0);
    let time = look.short(hit.at);
    let shown_time = one_line(ui, &time, theme::regular(12.0), colors.weak, 120.0);
    let from = hit.from.as_ref().map_or_else(|| say!("you").to_owned(), |from| from.told_apart());
    let room = right - left - shown_time.size().x - 12.0;
    let name = one_line(ui, &from, theme::strong(13.5), colors.text, room);
    let beside = room - name.size().x - 8.0;
    put(ui.painter(), pos2(right - shown_time.size().x, rect.top() + 8.0), shown_time);
    let second = left + name.size().x + 8.0;
    put(ui.painter(), pos2(left, rect.top() + 7.0), name);
    let place = place(hit, snapshot);
    if beside > 40.0 && !place.is_empty() {
        let place = one_line(ui, &place, theme::regular(12.5), colors.weak, beside);
        put(ui.painter(), pos2(second, rect.top() + 8.0), place);
    }
    put(ui.painter(), pos2(left, rect.top() + 26.0), marked(ui, &hit.excerpt, right - left));
    let place = if place.is_empty() { String::new() } else { format!(" {place}") };
    format!("{from}{place}, {time}: {}", hit.excerpt.text)
}

/// Where it was written, as far as the name of the sender does not say it.
fn place(hit: &Hit, snapshot: &Snapshot) -> String {
    let head = snapshot.conversations.iter().find(|head| head.id == hit.conversation);
    let Some(head) = head else { return String::new() };
    let given = snapshot.settings.marks(head).map(|marks| marks.name.as_str()).unwrap_or_default();
    match (&hit.from, given) {
        (Some(_), "") if head.people.len() == 1 => String::new(),
        (Some(_), "") => say!("hit-in", name = words::people(&head.people, 3)),
        (Some(_), given) => say!("hit-in", name = given),
        (None, "") => say!("hit-to", name = words::people(&head.people, 3)),
        (None, given) => say!("hit-to", name = given),
    }
}

/// Two lines of an excerpt with what was found marked.
fn marked(ui: &Ui, excerpt: &Excerpt, width: f32) -> Arc<Galley> {
    let colors = colors(ui);
    let plain = TextFormat::simple(theme::regular(13.0), colors.weak);
    let mark = TextFormat { color: colors.text, background: colors.mark, ..plain.clone() };
    let wrap =
        TextWrapping { max_width: width, max_rows: 2, break_anywhere: false, ..TextWrapping::default() };
    let mut job = LayoutJob { wrap, ..LayoutJob::default() };
    let mut done = 0;
    for range in &excerpt.marks {
        job.append(excerpt.text.get(done..range.start).unwrap_or_default(), 0.0, plain.clone());
        job.append(excerpt.text.get(range.clone()).unwrap_or_default(), 0.0, mark.clone());
        done = range.end;
    }
    job.append(excerpt.text.get(done..).unwrap_or_default(), 0.0, plain);
    ui.painter().layout_job(job)
}
