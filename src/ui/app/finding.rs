//! Opens and closes the searches, asks the engine for what is typed into them, and goes to what was found.

use std::time::Duration;

use egui::{Align2, Context, Modal, vec2};

use super::App;
use super::shell::MiddleView;
use crate::model::command::Command;
use crate::model::journal::{ConversationId, MessageId};
use crate::model::search::Found;
use crate::model::snapshot::Person;
use crate::ui::actions::{Act, HitStep};
use crate::ui::compose::composer;
use crate::ui::find::bar::{self, Bar};
use crate::ui::find::calendar::{Calendar, calendar_ui};
use crate::ui::find::emoji::{EmojiPicker, emoji_ui};
use crate::ui::find::everywhere::everywhere_ui;
use crate::ui::find::finder::{FoundPlace, Overlay};
use crate::ui::find::palette::{Palette, palette_ui};
use crate::ui::kit::widgets::hide_tooltip;
use crate::ui::kit::{edit, theme};
use crate::ui::text::say;

/// Widest search over the window.
const WIDTH_MAX: f32 = 620.0;
/// Width of the picker of emoji: ten columns.
const EMOJI_WIDTH: f32 = 408.0;
/// How many emoji are remembered as used.
const RECENT_EMOJI_MAX: usize = 20;

impl App {
    /// Opens the search of the open conversation; where none is open, of all messages.
    pub(super) fn find_here(&mut self, ctx: &Context) {
        let Some(conversation) = self.shell.open() else { return self.find_everywhere(ctx, None) };
        match &mut self.shell.finder.bar {
            Some(bar) if bar.conversation == conversation => bar.take_focus(),
            bar => {
                *bar = Some(Bar::new(conversation));
                self.shell.finder.focus_before = ctx.memory(egui::Memory::focused);
            }
        }
        let length = self.shell.finder.bar.as_ref().map_or(0, |bar| bar.typed.text.chars().count());
        edit::select_all(ctx, bar::field_id(), length);
    }

    /// Opens the search of all messages, with this text or what was looked for last.
    pub(super) fn find_everywhere(&mut self, ctx: &Context, text: Option<String>) {
        self.begin_overlay(ctx, Overlay::Everywhere);
        let state = &mut self.shell.finder.everywhere;
        state.takes_focus = true;
        if let Some(text) = text {
            state.look_for(text);
        }
        // Something may have come since.
        state.typed.again();
    }

    /// Opens the palette.
    pub(super) fn open_palette(&mut self, ctx: &Context) {
        let palette = Palette::of(&self.snapshot);
        self.begin_overlay(ctx, Overlay::Palette(palette));
    }

    /// Opens the calendar for the open conversation.
    pub(super) fn choose_date(&mut self, ctx: &Context) {
        let Some(conversation) = self.shell.open() else {
            return self.shell.toasts.push(say!("open-to-date").to_owned());
        };
        let today = self.look.date(self.look.now);
        self.begin_overlay(ctx, Overlay::Calendar(Calendar::new(conversation, today)));
    }

    /// Opens the picker of emoji for the message being written.
    pub(super) fn choose_emoji(&mut self, ctx: &Context) {
        if self.shell.place == MiddleView::Nothing {
            return self.shell.toasts.push(say!("open-to-emoji").to_owned());
        }
        let picker = EmojiPicker::new(ctx, &self.snapshot.settings.recent_emoji);
        self.begin_overlay(ctx, Overlay::Emoji(picker));
        // It belongs to the message, whatever had the focus.
        self.shell.finder.focus_before = Some(composer::field_id(self.shell.open()));
    }

    /// Writes an emoji where the cursor is, and remembers that it was used.
    pub(super) fn insert_emoji(&mut self, ctx: &Context, emoji: &'static str) {
        self.close_find(ctx);
        let field = composer::field_id(self.shell.open());
        let writing = self.shell.writing.entry(self.shell.place).or_default();
        let cursor = edit::cursor(ctx, field, &writing.text).unwrap_or(writing.text.len());
        edit::replace(ctx, field, &mut writing.text, cursor..cursor, emoji);
        let mut settings = self.snapshot.settings.clone();
        settings.recent_emoji.retain(|known| known != emoji);
        settings.recent_emoji.insert(0, emoji.to_owned());
        settings.recent_emoji.truncate(RECENT_EMOJI_MAX);
        self.ask(Command::PutSettings(settings));
    }

    /// Gives the focus back, once nothing stands over the window any more: until the frame after that, egui takes it from
    /// everything below.
    pub(super) fn give_focus_back(&mut self, ctx: &Context) {
        if self.shell.finder.gives_focus_to.is_none() {
            return;
        }
        if ctx.memory(|memory| memory.top_modal_layer().is_some()) {
            return ctx.request_repaint();
        }
        if let Some(id) = self.shell.finder.gives_focus_to.take() {
            ctx.memory_mut(|memory| memory.request_focus(id));
        }
    }

    fn begin_overlay(&mut self, ctx: &Context, overlay: Overlay) {
        self.shell.finder.focus_before = ctx.memory(egui::Memory::focused);
        self.shell.finder.overlay = Some(overlay);
        hide_tooltip(ctx);
    }

    /// Closes what stands over the window, else the bar, and gives the focus back; false if nothing was open.
    pub(super) fn close_find(&mut self, ctx: &Context) -> bool {
        let finder = &mut self.shell.finder;
        if finder.overlay.take().is_none() && finder.bar.take().is_none() {
            return false;
        }
        match finder.focus_before.take() {
            Some(before) => {
                self.shell.finder.gives_focus_to = Some(before);
                ctx.request_repaint();
            }
            None => self.focus_composer(ctx),
        }
        true
    }

    /// Goes to a message that was found, and marks the same in its conversation.
    pub(super) fn open_hit(&mut self, conversation: ConversationId, message: MessageId) {
        self.shell.finder.overlay = None;
        self.open(conversation);
        self.shell.thread.go_to(message);
        let text = self.shell.finder.everywhere.typed.text.clone();
        self.shell.finder.bar = Some(Bar::at(conversation, text, message));
    }

    /// Goes to the next hit in the open conversation.
    pub(super) fn step_hit(&mut self, step: HitStep) {
        if let Some(message) = self.shell.finder.bar.as_mut().and_then(|bar| bar.step(step)) {
            self.shell.thread.show_hit(message);
        }
    }

    /// Takes in what was found.
    pub(super) fn take_found(&mut self, found: Found) {
        match self.shell.finder.take(found) {
            Some(FoundPlace::Hit(message)) => self.shell.thread.show_hit(message),
            Some(FoundPlace::After(before)) => {
                self.shell.finder.overlay = None;
                let outline = self.shell.thread(&self.snapshot).map(|thread| &*thread.outline);
                let outline: Vec<MessageId> =
                    outline.unwrap_or_default().iter().map(|line| line.id).collect();
                if let Some(message) = Calendar::first_after(before, &outline) {
                    self.shell.thread.go_to(message);
                }
            }
            None => {}
        }
    }

    /// Asks for what was typed a moment ago.
    pub(super) fn search_due(&mut self, ctx: &Context) {
        let now = ctx.input(|input| input.time);
        let open = self.shell.open();
        let length = self.shell.thread(&self.snapshot).map(|thread| thread.outline.len());
        let finder = &mut self.shell.finder;
        finder.heed_place(open);
        if let (Some(bar), Some(length)) = (&mut finder.bar, length) {
            bar.heed_length(length);
        }
        finder.ask_due(now, |command| self.source.send(command).is_ok());
        if let Some(due) = finder.due() {
            ctx.request_repaint_after(Duration::from_secs_f64((due - now).max(0.0) + 0.005));
        }
    }

    /// Draws what stands over the window.
    pub(super) fn overlay(&mut self, ctx: &Context, acts: &mut Vec<Act>) {
        let finder = &mut self.shell.finder;
        let Some(overlay) = &mut finder.overlay else { return };
        let (id, room) = (overlay.id(), ctx.content_rect().size());
        let style = ctx.global_style();
        let frame = egui::Frame::popup(&style).inner_margin(12);
        let down = (room.y * 0.06).min(56.0);
        let area = Modal::default_area(id).anchor(Align2::CENTER_TOP, vec2(0.0, down)).default_height(room.y);
        let veil = theme::veil(style.visuals.dark_mode);
        let modal = Modal::new(id).area(area).backdrop_color(veil).frame(frame);
        let seen = (&*self.snapshot, &self.look);
        let shown = modal.show(ctx, |ui| {
            let width = (room.x - 64.0).min(WIDTH_MAX);
            match overlay {
                Overlay::Everywhere => {
                    ui.set_width(width);
                    everywhere_ui(ui, &mut finder.everywhere, seen, acts);
                }
                Overlay::Palette(palette) => {
                    ui.set_width(width);
                    palette_ui(ui, palette, acts);
                }
                Overlay::Calendar(calendar) => calendar_ui(ui, calendar, acts),
                Overlay::Emoji(picker) => {
                    ui.set_width(width.min(EMOJI_WIDTH));
                    emoji_ui(ui, picker, acts);
                }
            }
        });
        if shown.should_close() && acts.is_empty() {
            acts.push(Act::CloseFind);
        }
    }

    /// Writes to these people: in their conversation if there is one, else a new message.
    pub(super) fn write_to(&mut self, ctx: &Context, people: Vec<Person>) {
        let addresses: Vec<String> = people.iter().map(|person| person.address.clone()).collect();
        match self.conversation_of(&addresses, false) {
            Some(id) => {
                self.open(id);
                self.focus_composer(ctx);
            }
            None => self.write(ctx, people),
        }
    }
}
