//! The state of the open conversation's view: what is loaded, where it is scrolled to, what is selected.

use std::sync::Arc;

use egui::Ui;
use egui::text_edit::TextEditState;

use super::anchored_list::{AnchoredList, RowPosition};
use super::bubble::focus_id;
use super::picked::Picked;
use crate::model::journal::MessageId;
use crate::model::names::Names;
use crate::model::snapshot::{MessageView, Outline, Thread};

/// The state of the open conversation's view.
#[derive(Debug, Default)]
pub(crate) struct ThreadView {
    pub(super) shown: Option<Arc<Thread>>,
    pub(super) list: AnchoredList,
    /// The message whose details are shown, if one was selected.
    pub(crate) chosen: Option<MessageId>,
    /// Which range of messages was requested last, and what was loaded at that time.
    pub(super) asked: Option<(usize, usize)>,
    /// How many messages there were when the end was last in view.
    pub(super) len_at_bottom: usize,
    /// True while the end is in view.
    pub(crate) at_bottom: bool,
    /// The message that is to get the keyboard focus.
    pub(super) focus: Option<usize>,
    /// The messages that are selected.
    pub(super) picked: Picked,
    /// Who is a contact.
    pub(crate) names: Arc<Names>,
    /// The message to show as soon as its conversation is loaded, and whether it gets the keyboard focus.
    sought: Option<(MessageId, Focus)>,
    /// The first message that somebody did not get is to be shown as soon as it is loaded.
    pub(crate) seeks_failed: bool,
    /// Where the view was when the conversation was left.
    left_at: Option<ScrollPlace>,
}

/// Whether a message that is shown gets the keyboard focus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Focus {
    Taken,
    Left,
}

/// How far a conversation is scrolled.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ScrollPlace {
    /// The message at the top of the view.
    message: MessageId,
    /// How much of it is above the view.
    above: f32,
}

impl ThreadView {
    /// The view of a conversation that was left at this place.
    pub(crate) fn returning_to(left_at: Option<ScrollPlace>) -> Self {
        Self { left_at, ..Self::default() }
    }

    /// Where the view is, unless the end is in view.
    pub(crate) fn place(&self) -> Option<ScrollPlace> {
        let (index, above) = self.list.place()?;
        let line = self.shown.as_ref()?.outline.get(index)?;
        Some(ScrollPlace { message: line.id, above })
    }

    /// The message of others that is lowest in view, and how many of theirs follow it.
    pub(crate) fn seen_up_to(&self) -> Option<(MessageId, u32)> {
        let thread = self.shown.as_ref()?;
        // The last row in view may be only half visible.
        let end = self.list.in_view().end.checked_sub(1)?;
        let theirs = |line: &&Outline| line.recipients == 0;
        let last = thread.outline.get(..end)?.iter().rev().find(theirs)?;
        let left = thread.outline.get(end..)?.iter().filter(theirs).count();
        Some((last.id, u32::try_from(left).unwrap_or(u32::MAX)))
    }

    /// Takes in the latest snapshot; rows that changed are measured again.
    pub(crate) fn adopt(&mut self, thread: Arc<Thread>) {
        let Some(before) = self.shown.replace(Arc::clone(&thread)) else {
            return self.begin(&thread);
        };
        let places = rearranged(&before.outline, &thread.outline);
        let is_other = places.as_ref().is_some_and(|places| places.iter().all(Option::is_none));
        if before.conversation != thread.conversation || is_other {
            let (sought, seeks_failed) = (self.sought, self.seeks_failed);
            *self = Self { shown: Some(Arc::clone(&thread)), sought, seeks_failed, ..Self::default() };
            return self.begin(&thread);
        }
        if Arc::ptr_eq(&before, &thread) {
            return;
        }
        if let Some(places) = places {
            // Some were deleted, or brought back.
            self.list.rearrange(&places);
            (thread.first..thread.first + thread.messages.len()).for_each(|index| self.list.changed(index));
            (self.focus, self.asked) = (None, None);
            self.len_at_bottom = self.len_at_bottom.min(thread.outline.len());
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
        self.list = AnchoredList::of(thread.conversation.0);
        let index_of = |id| thread.outline.iter().position(|line| line.id == id);
        if let Some(ScrollPlace { message: id, above: part }) = self.left_at.take()
            && let Some(index) = index_of(id)
        {
            self.list.reveal(index, RowPosition::Above(part));
        }
        let unread = thread.unread_from.and_then(index_of);
        if let Some(index) = unread {
            self.list.reveal(index.saturating_sub(1), RowPosition::Top);
        }
        self.seek();
        // It may have been deleted.
        self.sought = None;
    }

    /// Scrolls a message into view and gives it the keyboard focus, at once or when the conversation is loaded.
    pub(crate) fn go_to(&mut self, message: MessageId) {
        self.sought = Some((message, Focus::Taken));
        self.seek();
    }

    /// Scrolls a message into view; the focus stays where it is.
    pub(crate) fn show_hit(&mut self, message: MessageId) {
        self.sought = Some((message, Focus::Left));
        self.seek();
    }

    fn seek(&mut self) {
        let (Some((message, focus)), Some(thread)) = (self.sought, &self.shown) else { return };
        let Some(index) = thread.outline.iter().position(|line| line.id == message) else { return };
        self.sought = None;
        match focus {
            Focus::Taken => {
                self.list.reveal(index, RowPosition::View);
                self.focus = Some(index);
            }
            Focus::Left => self.list.reveal_inside(index),
        }
    }

    /// These messages look different: a picture in them has come.
    pub(crate) fn repainted(&mut self, messages: &[MessageId]) {
        let Some(thread) = &self.shown else { return };
        for id in messages {
            if let Some(index) = thread.outline.iter().position(|line| line.id == *id) {
                self.list.changed(index);
            }
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

    /// The message that a quotation is of: the selected one, else the newest.
    pub(crate) fn quotable(&self) -> Option<&Arc<MessageView>> {
        let messages = &self.shown.as_ref()?.messages;
        match self.chosen {
            Some(id) => messages.iter().find(|message| message.id == id),
            None => messages.last(),
        }
    }

    /// Some of its messages are loaded.
    pub(crate) const fn is_loaded(&self) -> bool {
        self.shown.is_some()
    }

    /// Our loaded messages that somebody did not get.
    fn failed(&self) -> impl Iterator<Item = MessageId> {
        let messages = self.shown.iter().flat_map(|thread| thread.messages.iter());
        messages.filter(|message| message.tally.resendable() > 0).map(|message| message.id)
    }

    /// The first of them.
    pub(crate) fn first_failed(&self) -> Option<MessageId> {
        self.failed().next()
    }

    /// The next of them after the selected message; the first one if none is selected.
    pub(crate) fn later_failed(&self) -> Option<MessageId> {
        self.failed().find(|id| self.chosen.is_none_or(|chosen| *id > chosen))
    }

    /// Moves the focus between messages with Up and Down while one of them has it.
    pub(super) fn move_focus(&mut self, ui: &Ui, thread: &Thread) {
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

    /// Scrolls with Page Up and Page Down, and with Home and End where no text is being edited.
    pub(super) fn scroll_by_keys(&mut self, ui: &Ui) {
        let focused = ui.memory(egui::Memory::focused);
        let is_editing = focused.is_some_and(|id| TextEditState::load(ui.ctx(), id).is_some());
        if ui.memory(|memory| memory.top_modal_layer().is_some()) {
            return;
        }
        let (up, down, home, end) = ui.input_mut(|input| {
            let mut pressed = |key| input.consume_key(egui::Modifiers::NONE, key);
            let (up, down) = (pressed(egui::Key::PageUp), pressed(egui::Key::PageDown));
            let edges =
                if is_editing { (false, false) } else { (pressed(egui::Key::Home), pressed(egui::Key::End)) };
            (up, down, edges.0, edges.1)
        });
        if up || down {
            self.list.turn_page(if up { -1.0 } else { 1.0 });
        } else if home {
            self.list.reveal(0, RowPosition::Top);
        } else if end {
            self.list.go_to_bottom();
        }
        if up || down || home || end {
            ui.ctx().request_repaint();
        }
    }

    /// Gives the keyboard focus to the last message in view.
    pub(crate) fn take_focus(&mut self) {
        self.focus = self.shown.as_ref().and_then(|thread| thread.outline.len().checked_sub(1));
    }
}

/// Where each message stood before; none if at most some were added at the end.
fn rearranged(before: &[Outline], after: &[Outline]) -> Option<Vec<Option<usize>>> {
    let id = |line: Option<&Outline>| line.map(|line| line.id);
    let last = before.len().checked_sub(1).and_then(|last| after.get(last));
    if id(before.first()) == id(after.first().filter(|_| !before.is_empty())) && id(before.last()) == id(last)
    {
        return None;
    }
    let mut known = before.iter().enumerate().peekable();
    let place = |line: &Outline| {
        while known.next_if(|(_, old)| old.id < line.id).is_some() {}
        known.next_if(|(_, old)| old.id == line.id).map(|(index, _)| index)
    };
    Some(after.iter().map(place).collect())
}

pub(super) fn message_at(thread: &Thread, index: usize) -> Option<&Arc<MessageView>> {
    thread.messages.get(index.checked_sub(thread.first)?)
}
