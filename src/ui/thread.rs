//! The open conversation: its people as a header, its messages, and the button that jumps to the newest.

mod picked;

mod view;

mod bubble;

mod menu;

mod ticks;

mod enlarged;

mod files;

pub(crate) mod album;

mod links;

mod anchored_list;

mod heights;

use std::sync::Arc;

use egui::{
    Align, Button, Layout, Popup, Rect, RichText, Role, ScrollArea, Sense, Stroke, Ui, WidgetInfo, pos2, vec2,
};

use self::album::Album;
use self::anchored_list::{Rows, Seen};
use self::bubble::Row;
pub(crate) use self::bubble::focus_id;
pub(crate) use self::enlarged::enlarged_ui;
use self::picked::Picked;
pub(crate) use self::picked::picked_ui;
use self::view::message_at;
pub(crate) use self::view::{ScrollPlace, ThreadView};
use super::actions::Act;
use super::commands::UiCommand;
use super::kit::icons::{Icon, focus_ring, icon_button, paint_icon};
use super::kit::theme::{self, HEADER_HEIGHT, colors};
use super::kit::widgets::{one_line, paint_avatar, put, within};
use super::kit::words::{self, Look};
use crate::model::command::Command;
use crate::model::journal::MessageId;
use crate::model::names::Names;
use crate::model::search::Term;
use crate::model::snapshot::{Person, Thread};
use crate::ui::text::say;

/// What a search marks in the messages.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Marked<'a> {
    /// The words.
    pub(crate) terms: &'a [Term],
    /// The message that it stands at.
    pub(crate) hit: Option<MessageId>,
}

/// How many messages beyond the view are loaded ahead of scrolling.
const AHEAD: usize = 60;

/// What the header needs to know about the rest of the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Around {
    /// There is only one column, so a Back button is needed.
    pub(crate) back: bool,
    /// The delivery column is visible.
    pub(crate) delivery: bool,
}

/// The header with the people of the conversation, and the name that the user gave it.
pub(crate) fn header_ui(ui: &mut Ui, (thread, name): (&Thread, &str), around: Around, acts: &mut Vec<Act>) {
    let rect = ui.allocate_space(vec2(ui.available_width(), HEADER_HEIGHT)).1;
    ui.painter().hline(rect.x_range(), rect.bottom() - 0.5, Stroke::new(1.0, colors(ui).line));
    let inner = rect.shrink2(vec2(16.0, 0.0));
    within(ui, inner, Layout::left_to_right(Align::Center), |ui| {
        if around.back && icon_button(ui, Icon::Back, say!("back")).clicked() {
            acts.push(Act::Back);
        }
        let (avatar, _) = ui.allocate_exact_size(vec2(36.0, 36.0), Sense::hover());
        paint_avatar(ui, avatar.center(), 36.0, &thread.people);
        let words_width = (ui.available_width() - 78.0).max(0.0);
        let (place, response) = ui.allocate_exact_size(vec2(words_width, 44.0), Sense::click());
        focus_ring(ui, &response, place, 6.0);
        title(ui, place, thread, name);
        let everybody = words::people(&thread.people, thread.people.len());
        response.widget_info(|| {
            WidgetInfo::labeled(Role::Heading, true, say!("to-everybody", people = everybody))
        });
        Popup::menu(&response).show(|ui| everybody_ui(ui, &thread.people, acts));
        response.on_hover_text(everybody);
        if icon_button(ui, Icon::Search, UiCommand::FindHere.label())
            .on_hover_text(UiCommand::FindHere.tooltip())
            .clicked()
        {
            acts.push(Act::FindHere);
        }
        let label = if around.delivery { say!("hide-delivery") } else { say!("show-delivery") };
        if icon_button(ui, Icon::Column, label).clicked() {
            acts.push(Act::ToggleDelivery);
        }
    });
}

/// Everybody in a conversation, with their addresses; a click writes to one alone.
fn everybody_ui(ui: &mut Ui, people: &[Person], acts: &mut Vec<Act>) {
    ui.set_min_width(280.0);
    ScrollArea::vertical().max_height(320.0).show(ui, |ui| {
        for person in people {
            let address = words::address(&person.address);
            let words =
                if address == person.name { address } else { format!("{}, {address}", person.told_apart()) };
            let button = Button::new(words).truncate().min_size(vec2(280.0, theme::CONTROL_HEIGHT));
            if ui.add(button).on_hover_text(UiCommand::WriteTo.label()).clicked() {
                acts.push(Act::WriteTo(vec![person.clone()]));
            }
        }
    });
}

fn title(ui: &Ui, place: Rect, thread: &Thread, name: &str) {
    let colors = colors(ui);
    // The address of one person alone is on the second line.
    let names = match &*thread.people {
        _ if !name.is_empty() => name.to_owned(),
        [only] => only.name.clone(),
        people => words::people(people, 12),
    };
    let names = one_line(ui, &names, theme::strong(15.0), colors.text, place.width());
    let below = match thread.people.first() {
        Some(_) if !name.is_empty() => words::people(&thread.people, 12),
        Some(only) if thread.people.len() == 1 && only.simulated => {
            format!("{} · {}", words::address(&only.address), say!("simulated"))
        }
        Some(only) if thread.people.len() == 1 => words::address(&only.address),
        _ => {
            let hidden = thread.hidden.then(|| say!("hidden-from-each-other"));
            let simulated = thread.people.iter().all(|person| person.simulated).then(|| say!("simulated"));
            let count = words::people_count(thread.people.len());
            std::iter::once(&*count).chain(hidden).chain(simulated).collect::<Vec<_>>().join(" · ")
        }
    };
    let below = one_line(ui, &below, theme::regular(12.5), colors.weak, place.width());
    let top = place.center().y - (names.size().y + below.size().y + 1.0) / 2.0;
    let second = top + names.size().y + 1.0;
    put(ui.painter(), pos2(place.left(), top), names);
    put(ui.painter(), pos2(place.left(), second), below);
}

/// Draws the messages.
pub(crate) fn messages_ui(
    ui: &mut Ui,
    (view, marked): (&mut ThreadView, Marked<'_>),
    (album, look): (&Album, &Look),
    acts: &mut Vec<Act>,
) {
    let Some(thread) = view.shown.clone() else {
        return;
    };
    if thread.outline.is_empty() {
        return empty(ui);
    }
    view.move_focus(ui, &thread);
    view.scroll_by_keys(ui);
    let area = ui.available_rect_before_wrap();
    ui.spacing_mut().item_spacing = vec2(0.0, 0.0);
    let chosen = view.chosen;
    let (picked, names) = (&view.picked, &*view.names);
    let mut rows = Messages { thread: &thread, album, look, chosen, marked, picked, names, acts };
    let seen = view.list.show(ui, &mut rows);
    view.at_bottom = seen.at_bottom;
    if seen.at_bottom {
        view.len_at_bottom = thread.outline.len();
    }
    ask_for_more(view, &thread, seen, acts);
    give_focus(ui, view, &thread);
    if !seen.at_bottom && down_button(ui, area, thread.outline.len().saturating_sub(view.len_at_bottom)) {
        view.list.go_to_bottom();
        ui.ctx().request_repaint();
    }
}

fn empty(ui: &mut Ui) {
    let sentence = RichText::new(say!("thread-empty")).color(colors(ui).weak);
    ui.centered_and_justified(|ui| ui.label(sentence));
}

fn give_focus(ui: &Ui, view: &mut ThreadView, thread: &Thread) {
    if let Some(message) = view.focus.and_then(|index| message_at(thread, index)) {
        ui.memory_mut(|memory| memory.request_focus(focus_id(message)));
        view.focus = None;
        ui.ctx().request_repaint();
    }
}

/// Requests the messages around the view before scrolling reaches the edge of the loaded range.
fn ask_for_more(view: &mut ThreadView, thread: &Thread, seen: Seen, acts: &mut Vec<Act>) {
    let (first, end) = (thread.first, thread.first + thread.messages.len());
    let above = first > 0 && seen.first < first.saturating_add(AHEAD);
    let below = end < thread.outline.len() && seen.end.saturating_add(AHEAD) > end;
    if !above && !below {
        return;
    }
    let index = seen.first.midpoint(seen.end);
    let repeated = view.asked.is_some_and(|(at, loaded)| loaded == first && at.abs_diff(index) < AHEAD / 2);
    if !repeated {
        view.asked = Some((index, first));
        acts.push(Act::Ask(Command::ShowAround { index }));
    }
}

/// The button that jumps to the newest message; `count` messages came in meanwhile.
fn down_button(ui: &Ui, area: Rect, count: usize) -> bool {
    let side = 36.0;
    let rect = Rect::from_min_size(area.right_bottom() - vec2(side + 20.0, side + 12.0), vec2(side, side));
    let response = ui.interact(rect, ui.scope_id().with("newest"), Sense::click());
    let colors = colors(ui);
    let ground = if response.hovered() { colors.hover } else { colors.field };
    ui.painter().circle(rect.center(), side / 2.0, ground, Stroke::new(1.0, colors.border));
    paint_icon(
        ui.painter(),
        Rect::from_center_size(rect.center(), vec2(16.0, 16.0)),
        Icon::Down,
        colors.text,
    );
    focus_ring(ui, &response, rect, side / 2.0);
    if count > 0 {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        super::kit::widgets::paint_badge(ui, pos2(rect.right() + 4.0, rect.top()), count);
    }
    let label = if count > 0 { say!("go-newest-new", count = count) } else { say!("go-newest").to_owned() };
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &label));
    response.on_hover_text(&label).clicked()
}

/// The messages as rows for the list.
struct Messages<'a> {
    thread: &'a Thread,
    album: &'a Album,
    look: &'a Look,
    chosen: Option<MessageId>,
    marked: Marked<'a>,
    picked: &'a Picked,
    names: &'a Names,
    acts: &'a mut Vec<Act>,
}

impl Messages<'_> {
    fn at(&self, index: usize) -> Option<Row<'_>> {
        let message = message_at(self.thread, index)?;
        Some(Row {
            message,
            before: index.checked_sub(1).and_then(|before| message_at(self.thread, before)).map(Arc::as_ref),
            is_first: index == 0,
            is_first_new: self.thread.unread_from == Some(message.id),
            is_selected: self.chosen == Some(message.id),
            terms: self.marked.terms,
            is_picked: self.picked.has(message.id),
            is_picking: !self.picked.is_empty(),
            is_hit: self.marked.hit == Some(message.id),
            is_group: self.thread.people.len() > 1,
            names: self.names,
            album: self.album,
        })
    }
}

impl Rows for Messages<'_> {
    fn count(&self) -> usize {
        self.thread.outline.len()
    }

    fn guess(&self, index: usize, width: f32) -> f32 {
        self.thread.outline.get(index).map_or(0.0, |line| bubble::guess(line, width))
    }

    fn loaded(&self, index: usize) -> bool {
        message_at(self.thread, index).is_some()
    }

    fn height(&self, ui: &Ui, index: usize, width: f32) -> f32 {
        self.at(index).map_or(0.0, |row| bubble::height(ui, &row, self.look, width) + self.foot(index))
    }

    fn row(&mut self, ui: &mut Ui, index: usize) {
        let mut acts = Vec::new();
        if let Some(row) = self.at(index) {
            bubble::message_ui(ui, &row, self.look, &mut acts);
        }
        self.acts.append(&mut acts);
    }
}

impl Messages<'_> {
    /// The margin below the last message.
    fn foot(&self, index: usize) -> f32 {
        if index + 1 == self.thread.outline.len() { 12.0 } else { 0.0 }
    }
}
