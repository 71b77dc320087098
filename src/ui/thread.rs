//! The open conversation: its people as a header, its messages, and the button that jumps to the newest.

mod bubble;

mod files;

mod links;

mod anchored_list;

use std::sync::Arc;

use egui::{Align, Layout, Rect, RichText, Role, Sense, Stroke, Ui, WidgetInfo, pos2, vec2};

use self::anchored_list::{AnchoredList, RowPosition, Rows, Seen};
use self::bubble::{Row, focus_id};
use super::actions::Act;
use super::kit::icons::{Icon, focus_ring, icon_button, paint_icon};
use super::kit::theme::{self, HEADER_HEIGHT, colors};
use super::kit::widgets::{one_line, paint_avatar, put, within};
use super::kit::words::{self, Look};
use crate::model::command::Command;
use crate::model::journal::MessageId;
use crate::model::snapshot::{MessageView, Thread};

/// How many messages beyond the view are loaded ahead of scrolling.
const AHEAD: usize = 60;

/// The state of the open conversation's view.
#[derive(Debug, Default)]
pub(crate) struct ThreadView {
    shown: Option<Arc<Thread>>,
    list: AnchoredList,
    /// The message whose details are shown, if one was selected.
    pub(crate) chosen: Option<MessageId>,
    /// Which range of messages was requested last, and what was loaded at that time.
    asked: Option<(usize, usize)>,
    /// How many messages there were when the end was last in view.
    len_at_bottom: usize,
    /// True while the end is in view.
    pub(crate) at_bottom: bool,
    /// The message that is to get the keyboard focus.
    focus: Option<usize>,
}

impl ThreadView {
    /// Takes in the latest snapshot; rows that changed are measured again.
    pub(crate) fn adopt(&mut self, thread: Arc<Thread>) {
        let Some(before) = self.shown.replace(Arc::clone(&thread)) else {
            return self.begin(&thread);
        };
        if before.conversation != thread.conversation || first_id(&before) != first_id(&thread) {
            *self = Self { shown: Some(Arc::clone(&thread)), ..Self::default() };
            return self.begin(&thread);
        }
        if Arc::ptr_eq(&before, &thread) {
            return;
        }
        if before.first != thread.first {
            // The rows at the edges of the loaded range gained or lost sight of the message before them.
            self.list.changed(before.first);
            self.list.changed(thread.first);
        }
        if before.outline.len() != thread.outline.len() {
            // It was the last row and had a margin below it.
            self.list.changed(before.outline.len().saturating_sub(1));
        }
        for (offset, message) in thread.messages.iter().enumerate() {
            let index = thread.first + offset;
            let known = message_at(&before, index);
            if !known.is_some_and(|known| Arc::ptr_eq(known, message)) {
                self.list.changed(index);
            }
        }
    }

    fn begin(&mut self, thread: &Thread) {
        self.len_at_bottom = thread.outline.len();
        let unread = thread.unread_from.and_then(|id| thread.outline.iter().position(|line| line.id == id));
        if let Some(index) = unread {
            self.list.reveal(index.saturating_sub(1), RowPosition::Top);
        }
    }

    /// Scrolls a message into view and gives it the keyboard focus.
    pub(crate) fn go_to(&mut self, message: MessageId) {
        let place =
            self.shown.as_ref().and_then(|thread| thread.outline.iter().position(|line| line.id == message));
        if let Some(index) = place {
            self.list.reveal(index, RowPosition::View);
            self.focus = Some(index);
        }
    }

    /// Scrolls to the newest message.
    pub(crate) fn go_to_bottom(&mut self) {
        self.list.go_to_bottom();
    }

    /// The message whose details the delivery column shows: the selected one, else our latest.
    pub(crate) fn detailed(&self) -> Option<&Arc<MessageView>> {
        let messages = &self.shown.as_ref()?.messages;
        match self.chosen {
            Some(id) => messages.iter().find(|message| message.id == id),
            None => messages.iter().rev().find(|message| message.from.is_none()),
        }
    }

    /// Our next loaded message after the selected one that somebody did not get; wraps around at the end.
    pub(crate) fn next_failed(&self) -> Option<MessageId> {
        let messages = &self.shown.as_ref()?.messages;
        let failed: Vec<MessageId> = messages
            .iter()
            .filter(|message| message.tally.resendable() > 0)
            .map(|message| message.id)
            .collect();
        let after = failed.iter().find(|id| self.chosen.is_some_and(|chosen| **id > chosen));
        after.or_else(|| failed.first()).copied()
    }

    /// Moves the focus between messages with Up and Down while one of them has it.
    fn move_focus(&mut self, ui: &Ui, thread: &Thread) {
        let Some(focused) = ui.memory(egui::Memory::focused) else {
            return;
        };
        // A focused message was drawn, so only rows in view need checking.
        let mut in_view = self.list.in_view();
        let has_focus =
            |index: &usize| message_at(thread, *index).is_some_and(|row| focus_id(row) == focused);
        let Some(index) = in_view.find(has_focus) else {
            return;
        };
        let (up, down) = ui.input_mut(|input| {
            let mut pressed = |key| input.consume_key(egui::Modifiers::NONE, key);
            (pressed(egui::Key::ArrowUp), pressed(egui::Key::ArrowDown))
        });
        let next = if up {
            index.checked_sub(1)
        } else {
            Some(index + 1).filter(|next| down && *next < thread.outline.len())
        };
        if let Some(next) = next {
            self.list.reveal_if_hidden(next);
            self.focus = Some(next);
        }
    }

    /// Gives the keyboard focus to the last message in view.
    pub(crate) fn take_focus(&mut self) {
        self.focus = self.shown.as_ref().and_then(|thread| thread.outline.len().checked_sub(1));
    }
}

fn first_id(thread: &Thread) -> Option<MessageId> {
    thread.outline.first().map(|line| line.id)
}

fn message_at(thread: &Thread, index: usize) -> Option<&Arc<MessageView>> {
    thread.messages.get(index.checked_sub(thread.first)?)
}

/// What the header needs to know about the rest of the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Around {
    /// There is only one column, so a Back button is needed.
    pub(crate) back: bool,
    /// The delivery column is visible.
    pub(crate) delivery: bool,
}

/// The header with the people of the conversation.
pub(crate) fn header_ui(ui: &mut Ui, thread: &Thread, around: Around, acts: &mut Vec<Act>) {
    let rect = ui.allocate_space(vec2(ui.available_width(), HEADER_HEIGHT)).1;
    ui.painter().hline(rect.x_range(), rect.bottom() - 0.5, Stroke::new(1.0, colors(ui).line));
    let inner = rect.shrink2(vec2(16.0, 0.0));
    within(ui, inner, Layout::left_to_right(Align::Center), |ui| {
        if around.back && icon_button(ui, Icon::Back, "Back to all messages").clicked() {
            acts.push(Act::Back);
        }
        let (avatar, _) = ui.allocate_exact_size(vec2(36.0, 36.0), Sense::hover());
        paint_avatar(ui, avatar.center(), 36.0, &thread.people);
        let words_width = (ui.available_width() - 44.0).max(0.0);
        let (place, response) = ui.allocate_exact_size(vec2(words_width, 44.0), Sense::hover());
        title(ui, place, thread);
        let everybody = words::people(&thread.people, thread.people.len());
        response.widget_info(|| WidgetInfo::labeled(Role::Heading, true, format!("To {everybody}")));
        response.on_hover_text(everybody);
        let label = if around.delivery { "Hide delivery" } else { "Show delivery" };
        if icon_button(ui, Icon::Column, label).clicked() {
            acts.push(Act::ToggleDelivery);
        }
    });
}

fn title(ui: &Ui, place: Rect, thread: &Thread) {
    let colors = colors(ui);
    let names = words::people(&thread.people, 12);
    let names = one_line(ui, &names, theme::strong(15.0), colors.text, place.width());
    let below = match thread.people.first() {
        Some(only) if thread.people.len() == 1 && only.simulated => {
            format!("{} · simulated", words::address(&only.address))
        }
        Some(only) if thread.people.len() == 1 => words::address(&only.address),
        _ => {
            let hidden = if thread.hidden { " · hidden from each other" } else { "" };
            let simulated =
                if thread.people.iter().all(|person| person.simulated) { " · simulated" } else { "" };
            format!("{}{hidden}{simulated}", words::people_count(thread.people.len()))
        }
    };
    let below = one_line(ui, &below, theme::regular(12.5), colors.weak, place.width());
    let top = place.center().y - (names.size().y + below.size().y + 1.0) / 2.0;
    let second = top + names.size().y + 1.0;
    put(ui.painter(), pos2(place.left(), top), names);
    put(ui.painter(), pos2(place.left(), second), below);
}

/// Draws the messages.
pub(crate) fn messages_ui(ui: &mut Ui, view: &mut ThreadView, look: &Look, acts: &mut Vec<Act>) {
    let Some(thread) = view.shown.clone() else {
        return;
    };
    if thread.outline.is_empty() {
        return empty(ui);
    }
    view.move_focus(ui, &thread);
    let area = ui.available_rect_before_wrap();
    ui.spacing_mut().item_spacing = vec2(0.0, 0.0);
    let chosen = view.chosen;
    let mut rows = Messages { thread: &thread, look, chosen, acts };
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
    let sentence = RichText::new("Nothing here yet. Write the first message below.").color(colors(ui).weak);
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
    let label = if count > 0 {
        format!("Go to the newest message, {count} new")
    } else {
        "Go to the newest message".to_owned()
    };
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &label));
    response.on_hover_text(&label).clicked()
}

/// The messages as rows for the list.
struct Messages<'a> {
    thread: &'a Thread,
    look: &'a Look,
    chosen: Option<MessageId>,
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
            is_group: self.thread.people.len() > 1,
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
