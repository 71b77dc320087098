//! Carries out what the user asks for: the views' actions, and keyboard shortcuts.

use std::path::PathBuf;
use std::sync::Arc;

use egui::ViewportCommand;

use super::shell::MiddleView;
use crate::model::command::{AgentCommand, Command, Draft};
use crate::model::journal::{ConversationId, MessageId};
use crate::model::snapshot::{ConversationHead, Person, Settings};
use crate::ui::actions::Act;
use crate::ui::compose::{composer, recipients};
use crate::ui::keys::KeyCommand;
use crate::ui::panels::dialogs::{ContactForm, Dialog, ListForm};
use crate::ui::panels::settings::{AccountForm, ScaleStep, next_scale};
use crate::ui::sidebar::conversations::search_id;
use crate::ui::thread::ThreadView;

use super::{App, conversation_of};

impl App {
    pub(super) fn carry_out(&mut self, ctx: &egui::Context, act: Act) {
        match act {
            Act::Ask(command) => {
                self.ask(command);
            }
            Act::Send(draft) => self.send(draft),
            Act::Attach(path) => self.attach(path),
            Act::AskForFile => self.shell.dialog = Some(Dialog::Attach(String::new())),
            Act::AskForAuthority => self.shell.dialog = Some(Dialog::Authority(String::new())),
            Act::ShowCertificate => self.shell.dialog = Some(Dialog::Certificate),
            Act::Write(people) => self.write(ctx, people),
            Act::Open(id) => {
                self.open(id);
                ctx.memory_mut(|memory| memory.request_focus(composer::field_id()));
            }
            Act::Back => self.back(),
            Act::Details(message) => self.show_details(message),
            Act::ToggleDelivery => {
                let shown = self.shell.delivery_shown();
                self.shell.show_delivery(!shown);
            }
            Act::EditContact(contact) => self.shell.dialog = Some(Dialog::Contact(ContactForm::of(contact))),
            Act::SaveList(people) => self.shell.dialog = Some(Dialog::List(ListForm::of(people))),
            Act::OpenLink(target) => ctx.open_url(egui::OpenUrl::new_tab(target)),
            Act::Settings => self.settings(),
            Act::StartAgain => self.start_again(),
        }
        ctx.request_repaint();
    }

    /// Starts reading a file; it is attached to the draft that is open now.
    pub(super) fn attach(&mut self, path: PathBuf) {
        if self.shell.place == MiddleView::Nothing {
            return self.shell.toasts.push("Open a conversation first, then attach the file.".to_owned());
        }
        if self.ask(Command::Attach(path.clone())) {
            self.attaching.push((path, self.shell.place));
        }
    }

    /// Restarts the engine after a fault. The new engine reads the store, but must be told which conversation is open.
    fn start_again(&mut self) {
        if let Err(why) = self.source.start_again() {
            return self.shell.toasts.push(format!("Fanfare could not be restarted: {why}."));
        }
        if let MiddleView::Conversation(id) = self.shell.place {
            self.ask(Command::Open(id));
        }
    }

    pub(super) fn settings(&mut self) {
        let form = AccountForm::of(self.snapshot.account.as_deref());
        self.shell.dialog = Some(Dialog::Settings(Box::new(form)));
    }

    pub(super) fn send(&mut self, draft: Draft) {
        let people: Vec<String> = draft.to.iter().map(|row| row.address.clone()).collect();
        let hidden = draft.hidden;
        if !self.ask(Command::Agent(AgentCommand::Send(draft))) {
            return;
        }
        self.shell.writing.remove(&self.shell.place);
        self.shell.thread.chosen = None;
        if self.shell.place == MiddleView::New {
            match conversation_of(&self.snapshot.conversations, &people, hidden) {
                Some(id) => self.open(id),
                None => self.awaited = Some((people, hidden)),
            }
        } else {
            self.shell.thread.go_to_bottom();
        }
    }

    pub(super) fn write(&mut self, ctx: &egui::Context, people: Vec<Person>) {
        self.shell.place = MiddleView::New;
        let writing = self.shell.writing.entry(MiddleView::New).or_default();
        let field = if people.is_empty() { recipients::field_id() } else { composer::field_id() };
        people.into_iter().for_each(|person| writing.to.push(person));
        ctx.memory_mut(|memory| memory.request_focus(field));
    }

    pub(super) fn open(&mut self, id: ConversationId) {
        if self.shell.place == MiddleView::Conversation(id) {
            return;
        }
        self.shell.place = MiddleView::Conversation(id);
        self.shell.thread = ThreadView::default();
        self.shell.drawer = false;
        self.ask(Command::Open(id));
        if let Some(thread) = self.shell.thread(&self.snapshot).cloned() {
            self.shell.thread.adopt(thread);
        }
    }

    pub(super) fn back(&mut self) {
        self.shell.place = MiddleView::Nothing;
        self.shell.drawer = false;
        self.ask(Command::Close);
    }

    pub(super) fn show_details(&mut self, message: MessageId) {
        self.shell.thread.chosen = Some(message);
        self.shell.thread.go_to(message);
        self.shell.show_delivery(true);
    }

    pub(super) fn wish(&mut self, ctx: &egui::Context, wish: KeyCommand) {
        let focus = |id: egui::Id| ctx.memory_mut(|memory| memory.request_focus(id));
        match wish {
            KeyCommand::NewMessage => self.write(ctx, Vec::new()),
            KeyCommand::Search => focus(search_id()),
            KeyCommand::ConversationUp => self.step(ctx, -1, |_| true),
            KeyCommand::ConversationDown => self.step(ctx, 1, |_| true),
            KeyCommand::UnreadUp => self.step(ctx, -1, |head| head.unread > 0),
            KeyCommand::UnreadDown => self.step(ctx, 1, |head| head.unread > 0),
            KeyCommand::Delivery => self.carry_out(ctx, Act::ToggleDelivery),
            KeyCommand::ResendToFailed => self.resend_shown(),
            KeyCommand::NextFailed => {
                if let Some(message) = self.shell.thread.next_failed() {
                    self.show_details(message);
                }
            }
            KeyCommand::NextColumn => self.next_column(ctx),
            KeyCommand::Larger => self.scale(next_scale(self.snapshot.settings.scale, ScaleStep::Larger)),
            KeyCommand::Smaller => self.scale(next_scale(self.snapshot.settings.scale, ScaleStep::Smaller)),
            KeyCommand::NormalSize => self.scale(1.0),
            KeyCommand::Settings => self.settings(),
            KeyCommand::Keys => self.shell.dialog = Some(Dialog::Keys),
            KeyCommand::Quit => self.quit(ctx),
            KeyCommand::Escape => self.escape(),
        }
        ctx.request_repaint();
    }

    pub(super) fn scale(&mut self, scale: f32) {
        let settings = Settings { scale, ..self.snapshot.settings.clone() };
        self.ask(Command::PutSettings(settings));
    }

    pub(super) fn resend_shown(&mut self) {
        let message = self
            .shell
            .thread
            .detailed()
            .filter(|message| message.tally.resendable() > 0)
            .map(|message| message.id);
        if let Some(message) = message.filter(|_| self.shell.thread(&self.snapshot).is_some()) {
            self.ask(Command::Agent(AgentCommand::Resend { message, only: None }));
        }
    }

    /// Moves the focus from search to messages to composer, and round again.
    pub(super) fn next_column(&mut self, ctx: &egui::Context) {
        let focused = ctx.memory(egui::Memory::focused);
        let has_messages = self.shell.thread(&self.snapshot).is_some_and(|thread| !thread.outline.is_empty());
        if focused == Some(search_id()) && has_messages {
            self.shell.thread.take_focus();
        } else if focused == Some(search_id()) || (focused.is_some() && focused != Some(composer::field_id()))
        {
            ctx.memory_mut(|memory| memory.request_focus(composer::field_id()));
        } else {
            ctx.memory_mut(|memory| memory.request_focus(search_id()));
        }
    }

    /// Opens the conversation above or below the open one.
    pub(super) fn step(
        &mut self,
        ctx: &egui::Context,
        direction: isize,
        wanted: impl Fn(&ConversationHead) -> bool,
    ) {
        let heads = Arc::clone(&self.snapshot.conversations);
        let open = self.shell.open();
        let here = heads.iter().position(|head| Some(head.id) == open);
        let mut candidates = heads.iter().enumerate().filter(|(_, head)| wanted(head));
        let target = match (direction.is_negative(), here) {
            (true, Some(here)) => candidates.filter(|(place, _)| *place < here).last(),
            (true, None) => candidates.last(),
            (false, Some(here)) => candidates.find(|(place, _)| *place > here),
            (false, None) => candidates.next(),
        };
        if let Some((_, head)) = target {
            self.open(head.id);
            ctx.memory_mut(|memory| memory.request_focus(composer::field_id()));
        }
    }

    /// Closes the dialog, the drawer or the search, in that order; never a draft.
    pub(super) fn escape(&mut self) {
        if self.shell.dialog.is_some() || self.shell.toasts.dismiss() {
            return;
        }
        if self.shell.drawer {
            self.shell.drawer = false;
        } else if !self.shell.left.search.is_empty() {
            self.shell.left.search.clear();
        }
    }

    pub(super) fn quit(&mut self, ctx: &egui::Context) {
        if self.snapshot.unsent > 0 && !self.leaving {
            self.shell.dialog = Some(Dialog::Leaving { waiting: self.snapshot.unsent });
        } else {
            self.leave(ctx);
        }
    }

    /// Handles a close request from the window's own button or the desktop, with the same question as the shortcut.
    pub(super) fn heed_close(&mut self, ctx: &egui::Context) {
        let asked = ctx.input(|input| input.viewport().close_requested());
        if asked && self.snapshot.unsent > 0 && !self.leaving {
            ctx.send_viewport_cmd(ViewportCommand::CancelClose);
            self.quit(ctx);
        }
    }

    /// Closes the window without asking.
    pub(super) fn leave(&mut self, ctx: &egui::Context) {
        self.leaving = true;
        ctx.send_viewport_cmd(ViewportCommand::Close);
    }
}
