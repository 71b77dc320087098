//! Sending, at once or after a while in which it can be taken back; quoting, replying and forwarding.

use std::time::Duration;

use egui::{Context, Key, Modifiers};

use super::App;
use super::held::Held;
use super::shell::{Forwarding, MiddleView};
use crate::limits::FILES_PER_MESSAGE_MAX;
use crate::model::command::{AgentCommand, Command, Draft};
use crate::model::contacts::address_key;
use crate::model::journal::{MessageId, PersonRow};
use crate::model::snapshot::Person;
use crate::ui::compose::composer::{self, Writing};
use crate::ui::compose::recipients::{self, Recipients};
use crate::ui::kit::edit;
use crate::ui::kit::words;

impl App {
    /// Sends a draft from where it was written, or holds it for as long as the settings say.
    pub(super) fn send(&mut self, ctx: &Context, draft: Draft) {
        let place = self.shell.place;
        let wait = self.snapshot.settings.undo_send_secs;
        if wait == 0 {
            if self.dispatch(draft, place) {
                self.clear_draft(ctx, place);
            }
            return;
        }
        self.shell.held_count += 1;
        let since = ctx.input(|input| input.time);
        let due = since + f64::from(wait);
        self.shell.held.push(Held { number: self.shell.held_count, draft, place, since, due });
        self.clear_draft(ctx, place);
    }

    pub(super) fn clear_draft(&mut self, ctx: &Context, place: MiddleView) {
        self.shell.writing.remove(&place);
        edit::forget(ctx, composer::field_id(self.shell.open()));
        if place == MiddleView::New {
            self.shell.forwarding = None;
            edit::forget(ctx, recipients::field_id());
        }
    }

    /// Hands a draft to the engine; false if that takes nothing.
    fn dispatch(&mut self, draft: Draft, place: MiddleView) -> bool {
        let people: Vec<String> = draft.to.iter().map(|row| row.address.clone()).collect();
        let hidden = draft.hidden;
        if !self.ask(Command::Agent(AgentCommand::Send(draft))) {
            return false;
        }
        self.shell.has_new_writing = true;
        if self.shell.place != place {
            return true;
        }
        self.shell.thread.chosen = None;
        if place == MiddleView::New {
            match self.conversation_of(&people, hidden) {
                Some(id) => self.open(id),
                None => self.awaited = Some((people, hidden)),
            }
        } else {
            self.shell.thread.go_to_bottom();
        }
        true
    }

    /// Sends the held drafts whose time has come.
    pub(super) fn send_due(&mut self, ctx: &Context) {
        let now = ctx.input(|input| input.time);
        let due: Vec<u64> =
            self.shell.held.iter().filter(|held| held.due <= now).map(|held| held.number).collect();
        due.into_iter().for_each(|number| self.send_now(number));
        if let Some(next) = self.shell.held.iter().map(|held| held.due).reduce(f64::min) {
            // Once a second, for the countdown.
            let left = next - now;
            let step = if left.fract() > 0.0 { left.fract() } else { 1.0 };
            ctx.request_repaint_after(Duration::from_secs_f64(step + 0.01));
        }
    }

    /// Sends a held draft now.
    pub(super) fn send_now(&mut self, number: u64) {
        if let Some(held) = self.take_held(number) {
            let (draft, place) = (held.draft.clone(), held.place);
            if !self.dispatch(held.draft, held.place) {
                self.restore(draft, place);
            }
        }
    }

    /// Sends everything that is held: the window closes.
    pub(super) fn send_all_held(&mut self) {
        for held in std::mem::take(&mut self.shell.held) {
            let _busy = self.source.send(Command::Agent(AgentCommand::Send(held.draft))).is_err();
        }
    }

    /// Puts a held draft back to where it was written.
    pub(super) fn take_back(&mut self, ctx: &Context, number: u64) {
        if let Some(held) = self.take_held(number) {
            let place = held.place;
            self.restore(held.draft, place);
            self.write_on(ctx, place);
        }
    }

    /// Ctrl+Z takes back what was sent last from here, unless something else was done since that it undoes.
    pub(super) fn take_back_by_key(&mut self, ctx: &Context) {
        let last = self.shell.held.iter().rev().find(|held| held.place == self.shell.place);
        let Some((number, since)) = last.map(|held| (held.number, held.since)) else { return };
        let field = composer::field_id(self.shell.open());
        let is_composer = ctx.memory(|memory| memory.has_focus(field));
        let is_typed = ctx.text_edit_focused() && (!is_composer || edit::can_undo(ctx, field));
        if is_typed || self.deletions.last_at().is_some_and(|at| at > since) {
            return;
        }
        if ctx.input_mut(|input| input.consume_key(Modifiers::COMMAND, Key::Z)) {
            self.take_back(ctx, number);
            ctx.request_repaint();
        }
    }

    /// Puts the cursor behind what the program has written into the field of this place.
    pub(super) fn write_on(&mut self, ctx: &Context, place: MiddleView) {
        let conversation = if let MiddleView::Conversation(id) = place { Some(id) } else { None };
        edit::forget(ctx, composer::field_id(conversation));
        self.focus_composer(ctx);
    }

    fn take_held(&mut self, number: u64) -> Option<Held> {
        let place = self.shell.held.iter().position(|held| held.number == number)?;
        Some(self.shell.held.remove(place))
    }

    /// Puts text, files and recipients of a draft back, before what has been written there since.
    pub(super) fn restore(&mut self, draft: Draft, place: MiddleView) {
        self.shell.has_new_writing = true;
        let writing = self.shell.writing.entry(place).or_default();
        writing.files.splice(0..0, draft.files);
        writing.text =
            if writing.text.is_empty() { draft.text } else { format!("{}\n{}", draft.text, writing.text) };
        if place == MiddleView::New {
            writing.to = Recipients::of(draft.to.into_iter().map(person).collect());
            writing.hidden = draft.hidden;
        }
    }

    /// Writes into the message field of the open conversation.
    pub(super) fn insert_text(&mut self, ctx: &Context, text: &str) {
        let writing = self.shell.writing.entry(self.shell.place).or_default();
        let before = std::mem::take(&mut writing.text);
        let gap = if before.is_empty() || before.ends_with('\n') { "" } else { "\n" };
        writing.text = format!("{before}{gap}{text}");
        // So that the cursor goes behind the quotation.
        edit::forget(ctx, composer::field_id(self.shell.open()));
        self.focus_composer(ctx);
    }

    /// Quotes the message that is selected, else the newest.
    pub(super) fn quote_shown(&mut self, ctx: &Context) {
        if let Some(message) = self.shell.thread.quotable().filter(|message| !message.text.is_empty()) {
            let quoted = words::quoted(message);
            self.insert_text(ctx, &quoted);
        }
    }

    /// Replies to one person alone.
    pub(super) fn reply_to(&mut self, ctx: &Context, to: Person, quoted: &str) {
        match self.conversation_of(std::slice::from_ref(&to.address), false) {
            Some(id) => self.open(id),
            None => self.begin_new(Writing { to: Recipients::of(vec![to]), ..Writing::default() }),
        }
        self.insert_text(ctx, quoted);
    }

    /// Begins a new message with this text, and with these files once they were read.
    pub(super) fn forward(&mut self, ctx: &Context, text: String, files: Vec<(MessageId, usize)>) {
        let (before, from) = (self.shell.writing.get(&MiddleView::New).cloned(), self.shell.place);
        self.begin_new(Writing { text, ..Writing::default() });
        let text = self.shell.writing.get(&MiddleView::New).map(|it| it.text.clone()).unwrap_or_default();
        self.shell.forwarding = Some(Forwarding { text, before, from });
        for (message, file) in files.into_iter().take(FILES_PER_MESSAGE_MAX) {
            if self.ask(Command::ReadFile { message, file }) {
                self.forwarded_files.push((message, file));
            }
        }
        edit::forget(ctx, composer::field_id(None));
        ctx.memory_mut(|memory| memory.request_focus(recipients::field_id()));
    }

    /// Opens the new message with this draft; what was being written there stays below it.
    fn begin_new(&mut self, mut writing: Writing) {
        self.shell.leave_place();
        self.shell.place = MiddleView::New;
        if let Some(before) = self.shell.writing.remove(&MiddleView::New) {
            if !before.text.is_empty() {
                writing.text = format!("{}\n{}", writing.text, before.text);
            }
            writing.files.extend(before.files);
            writing.hidden = before.hidden;
            if writing.to.len() == 0 {
                writing.to = before.to;
            }
        }
        self.shell.writing.insert(MiddleView::New, writing);
    }

    /// The conversation or new message to which people and a draft belong.
    pub(super) fn place_of(&self, draft: &Draft) -> MiddleView {
        let people: Vec<String> = draft.to.iter().map(|row| row.address.clone()).collect();
        self.conversation_of(&people, draft.hidden).map_or(MiddleView::New, MiddleView::Conversation)
    }

    /// Our own address as a key.
    pub(super) fn own_key(&self) -> Option<String> {
        self.snapshot.account.as_ref().map(|account| address_key(&account.address))
    }
}

fn person(row: PersonRow) -> Person {
    Person { address: row.address, name: row.name, simulated: false }
}
