//! Carries out what the user asks for: the views' actions, and keyboard shortcuts.

use std::path::PathBuf;
use std::sync::Arc;

use super::shell::MiddleView;
use crate::model::command::{AgentCommand, Command};
use crate::model::contacts::address_key;
use crate::model::journal::{ConversationId, MessageId};
use crate::model::marks::Marks;
use crate::model::snapshot::{ConversationHead, Person, Settings};
use crate::ui::actions::{Act, WrongAddress};
use crate::ui::commands::UiCommand;
use crate::ui::compose::{composer, recipients};
use crate::ui::panels::correct::CorrectForm;
use crate::ui::panels::dialogs::Dialog;
use crate::ui::panels::people::{ContactForm, RenameForm};
use crate::ui::panels::settings::{ScaleStep, next_scale};
use crate::ui::sidebar::conversations::search_id;
use crate::ui::sidebar::marks::with_marks;
use crate::ui::text::say;
use crate::ui::thread::ThreadView;

use super::App;

impl App {
    pub(super) fn carry_out(&mut self, ctx: &egui::Context, act: Act) {
        match act {
            Act::Ask(command) => {
                self.ask(command);
            }
            Act::Send(draft) => self.send(ctx, draft),
            Act::Attach(path) => self.attach(path),
            Act::AskForFile => self.choose_files(),
            Act::AskForAuthority => self.shell.show(Dialog::Authority(String::new())),
            Act::ShowCertificate => self.shell.show(Dialog::Certificate),
            Act::Write(people) => self.write(ctx, people),
            Act::Open(id) => self.open_to_write(ctx, id),
            Act::Back => self.back(),
            Act::Details(message) => self.show_details(message),
            Act::Testing(act) => self.carry_out_for_tester(ctx, act),
            Act::ToggleDelivery => {
                let shown = self.shell.delivery_shown();
                self.shell.show_delivery(!shown);
            }
            Act::CorrectAddress(wrong) => self.ask_for_correction(wrong),
            Act::SendCorrected { message, recipient, address } => {
                self.send_corrected(message, recipient, address);
            }
            Act::EditContact(contact) => self.shell.show(Dialog::Contact(ContactForm::of(contact))),
            Act::AddContact(person) => self.add_contact(&person),
            Act::Import => self.shell.show(Dialog::Import(Box::default())),
            Act::ChooseContacts => self.choose_contacts(),
            Act::List(act) => self.list(act),
            Act::Typed(conversation, has_text) => self.typed(ctx, conversation, has_text),
            Act::RemoveContact(contact) => self.remove_contact(contact),
            Act::OpenLink(target) => self.open_link(ctx, target),
            Act::Copy(text) => ctx.copy_text(text),
            Act::Quote(quoted) => self.insert_text(ctx, &quoted),
            Act::ReplyTo(person, quoted) => self.reply_to(ctx, person, &quoted),
            Act::Forward(text, files) => self.forward(ctx, text, files),
            Act::DiscardNew => self.discard_new(ctx),
            Act::TakeUp(draft) => self.take_up(ctx, draft),
            Act::Picture(act) => self.picture(act),
            Act::Emoji(emoji) => self.insert_emoji(ctx, emoji),
            Act::Waiting(act) => self.waiting(ctx, act),
            Act::Mark(marks) => self.mark(marks),
            Act::Block(person, is_blocked) => self.block(person, is_blocked),
            Act::Rename(marks) => self.shell.show(Dialog::Rename(RenameForm::of(marks))),
            Act::WriteTo(people) => self.write_to(ctx, people),
            Act::FindHere => self.find_here(ctx),
            Act::FindEverywhere(text) => self.find_everywhere(ctx, Some(text)),
            Act::StepHit(step) => self.step_hit(step),
            Act::OpenHit(conversation, message) => self.open_hit(conversation, message),
            Act::CloseFind => {
                self.close_find(ctx);
            }
            Act::Delete(doomed) => self.delete(ctx, doomed),
            Act::DeleteMessage(message) => self.delete_message(ctx, message),
            Act::Undelete(number) => self.undelete(number),
            Act::Pick(message, to_here) => self.shell.thread.pick(message, to_here),
            Act::Unpick => self.unpick(),
            Act::GoToDate => self.choose_date(ctx),
            Act::ShowAll(row) => self.show_all(row),
            Act::Export(ending) => self.export_as(ending),
            Act::Run(command) => self.command(ctx, command),
            Act::Settings => self.settings(ctx),
            Act::CheckAccount => self.check_account(ctx),
            Act::Host(act) => self.host(act),
            Act::Demo(act) => self.demo(ctx, act),
            Act::Closing(act) => self.closing(ctx, act),
            Act::StartAgain => self.start_again(),
        }
        ctx.request_repaint();
    }

    fn open_link(&self, ctx: &egui::Context, target: String) {
        match &self.browser {
            Some(browser) => browser.open(target),
            None => ctx.open_url(egui::OpenUrl::new_tab(target)),
        }
    }

    fn ask_for_correction(&mut self, wrong: WrongAddress) {
        let form = CorrectForm::of(wrong, &self.snapshot.book);
        self.shell.show(Dialog::Correct(form));
    }

    /// Starts reading a file; it is attached to the draft that is open now.
    pub(super) fn attach(&mut self, path: PathBuf) {
        self.attach_to(self.shell.place, path);
    }

    /// Starts reading a file that belongs to the draft in this place.
    pub(super) fn attach_to(&mut self, place: MiddleView, path: PathBuf) {
        if place == MiddleView::Nothing {
            return self.shell.toasts.push(say!("open-to-attach-first").to_owned());
        }
        if self.ask(Command::Attach(path.clone())) {
            self.attaching.push((path, place));
        }
    }

    /// Restarts the engine after a fault. The new engine reads the store, but must be told which conversation is open.
    fn start_again(&mut self) {
        if let Err(why) = self.source.start_again() {
            return self.shell.toasts.push(say!("not-restarted", why = why));
        }
        if let MiddleView::Conversation(id) = self.shell.place {
            self.ask(Command::Open(id));
        }
    }

    pub(super) fn write(&mut self, ctx: &egui::Context, people: Vec<Person>) {
        self.shell.leave_place();
        self.shell.place = MiddleView::New;
        // Who was ticked among the contacts is meant; from here on there is one selection.
        let people =
            if people.is_empty() { self.shell.left.take_chosen(&self.snapshot.names) } else { people };
        let writing = self.shell.writing.entry(MiddleView::New).or_default();
        let field = if people.is_empty() { recipients::field_id() } else { composer::field_id(None) };
        people.into_iter().for_each(|person| writing.to.push(person));
        ctx.memory_mut(|memory| memory.request_focus(field));
    }

    /// Opens a conversation, with the cursor in the message field.
    fn open_to_write(&mut self, ctx: &egui::Context, id: ConversationId) {
        self.open(id);
        self.focus_composer(ctx);
    }

    pub(super) fn open(&mut self, id: ConversationId) {
        if self.shell.place == MiddleView::Conversation(id) {
            return;
        }
        self.shell.leave_place();
        self.shell.place = MiddleView::Conversation(id);
        self.shell.thread = ThreadView::returning_to(self.shell.places.remove(&id));
        self.album.clear();
        self.shell.drawer = false;
        self.ask(Command::Open(id));
        if self.shell.left.marks.get(id).unread {
            self.mark(Marks { unread: false, ..self.shell.left.marks.get(id).clone() });
        }
        if let Some(thread) = self.shell.thread(&self.snapshot).cloned() {
            self.shell.thread.adopt(thread);
        }
    }

    pub(super) fn back(&mut self) {
        self.shell.leave_place();
        self.shell.place = MiddleView::Nothing;
        self.shell.drawer = false;
        self.ask(Command::Close);
    }

    pub(super) fn show_details(&mut self, message: MessageId) {
        self.shell.thread.chosen = Some(message);
        self.shell.thread.go_to(message);
        self.shell.show_delivery(true);
    }

    /// Carries out a command that needs no target.
    pub(super) fn command(&mut self, ctx: &egui::Context, command: UiCommand) {
        let focus = |id: egui::Id| ctx.memory_mut(|memory| memory.request_focus(id));
        match command {
            UiCommand::NewMessage => self.write(ctx, Vec::new()),
            UiCommand::Palette => self.open_palette(ctx),
            UiCommand::FindHere => self.find_here(ctx),
            UiCommand::FindEverywhere => self.find_everywhere(ctx, None),
            UiCommand::GoToDate => self.choose_date(ctx),
            UiCommand::Emoji => self.choose_emoji(ctx),
            UiCommand::Attach => self.choose_files(),
            UiCommand::Export => self.export(),
            UiCommand::Search => focus(search_id()),
            UiCommand::ConversationUp => self.step(ctx, -1, |_| true),
            UiCommand::ConversationDown => self.step(ctx, 1, |_| true),
            UiCommand::UnreadUp => self.step(ctx, -1, |head| head.unread > 0),
            UiCommand::UnreadDown => self.step(ctx, 1, |head| head.unread > 0),
            UiCommand::Delivery => self.carry_out(ctx, Act::ToggleDelivery),
            UiCommand::Wire => self.toggle_wire(),
            UiCommand::ResendToFailed => self.resend_shown(),
            UiCommand::NextFailed => self.next_failed(),
            UiCommand::NextColumn => self.next_column(ctx),
            UiCommand::Larger => self.scale(next_scale(self.snapshot.settings.scale, ScaleStep::Larger)),
            UiCommand::Smaller => self.scale(next_scale(self.snapshot.settings.scale, ScaleStep::Smaller)),
            UiCommand::NormalSize => self.scale(1.0),
            UiCommand::Settings => self.settings(ctx),
            UiCommand::OpenProvision
            | UiCommand::SignOut
            | UiCommand::SignIn
            | UiCommand::ChangePassword
            | UiCommand::RemoveAccount => self.account_command(command),
            UiCommand::Keys => self.shell.show(Dialog::Keys),
            UiCommand::Quit => self.quit(ctx),
            UiCommand::Escape => self.escape(ctx),
            UiCommand::Quote => self.quote_shown(ctx),
            // These come from menus, with the message, conversation or contact that they are about.
            UiCommand::CopyText
            | UiCommand::CopyWithDelivery
            | UiCommand::ReplyToSender
            | UiCommand::Forward
            | UiCommand::SaveFileAs
            | UiCommand::Details
            | UiCommand::SaveRecord
            | UiCommand::Resend
            | UiCommand::Select
            | UiCommand::Delete
            | UiCommand::DeleteConversation
            | UiCommand::Pin
            | UiCommand::Mute
            | UiCommand::MuteFailures
            | UiCommand::MarkUnread
            | UiCommand::Archive
            | UiCommand::Rename
            | UiCommand::Block
            | UiCommand::CopyAddresses
            | UiCommand::CopyAddress
            | UiCommand::WriteTo
            | UiCommand::EditContact
            | UiCommand::AddContact
            | UiCommand::PutFirst
            | UiCommand::RemoveRecipient
            | UiCommand::EditList
            | UiCommand::RemoveList
            | UiCommand::RemoveContact => {}
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

    fn mark(&mut self, marks: Marks) {
        let settings = with_marks(&self.snapshot.settings, marks);
        self.ask(Command::PutSettings(settings));
    }

    /// Sends a recipient's copy to the corrected address. What the user has set for the conversation stays with it: it is
    /// known by its people's addresses.
    fn send_corrected(&mut self, message: MessageId, recipient: u32, address: String) {
        let wrong = self.shell.thread.detailed().filter(|shown| shown.id == message).and_then(|shown| {
            let index = usize::try_from(recipient).ok()?;
            shown.deliveries.get(index).map(|delivery| address_key(&delivery.person.address))
        });
        let people =
            self.shell.thread(&self.snapshot).map(|thread| (Arc::clone(&thread.people), thread.hidden));
        let marks = self.shell.open().map(|id| self.shell.left.marks.get(id).clone());
        if let (Some(wrong), Some((people, hidden)), Some(marks)) = (wrong, people, marks)
            && !marks.is_empty()
        {
            let corrected = |person: &Person| {
                let is_wrong = address_key(&person.address) == wrong;
                if is_wrong { Person { address: address.clone(), ..person.clone() } } else { person.clone() }
            };
            let people: Vec<Person> = people.iter().map(corrected).collect();
            self.mark(Marks { with: Marks::key(&people, hidden), ..marks });
        }
        self.ask(Command::Agent(AgentCommand::ResendTo { message, recipient, address }));
    }

    /// Puts the cursor into the message field, as soon as that is there: a conversation is loaded first.
    pub(super) fn focus_composer(&mut self, ctx: &egui::Context) {
        self.shell.wants_composer = true;
        ctx.request_repaint();
    }

    /// Moves the focus from search to messages to composer, and round again.
    pub(super) fn next_column(&mut self, ctx: &egui::Context) {
        let focused = ctx.memory(egui::Memory::focused);
        let message = composer::field_id(self.shell.open());
        let has_messages = self.shell.thread(&self.snapshot).is_some_and(|thread| !thread.outline.is_empty());
        if focused == Some(search_id()) && has_messages {
            self.shell.thread.take_focus();
        } else if focused == Some(search_id()) || (focused.is_some() && focused != Some(message)) {
            self.focus_composer(ctx);
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
            self.open_to_write(ctx, head.id);
        }
    }

    /// Closes the dialog, the drawer or a search, in that order; never a draft.
    pub(super) fn escape(&mut self, ctx: &egui::Context) {
        if self.shell.dialog.is_some() || self.shell.toasts.dismiss() {
            return;
        }
        if self.shell.drawer {
            self.shell.drawer = false;
            return;
        }
        if !self.close_find(ctx) && !self.shell.thread.unpick() && !self.leave_forward(ctx) {
            self.shell.left.search.clear();
        }
    }
}
