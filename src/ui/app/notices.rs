//! What others tell the window: the engine's notices, clicks on desktop notifications, files dropped on it.

use std::path::Path;
use std::sync::Arc;

use egui::{Event, ViewportCommand};

use super::App;
use super::shell::MiddleView;
use crate::model::command::{AgentCommand, Command, Draft, Notice};
use crate::model::journal::{ConversationId, PersonRow};
use crate::model::snapshot::Person;
use crate::sip::{File, ReportMode, ReportOptions};
use crate::ui::actions::Act;
use crate::ui::compose::attach::{self, AttachForm};
use crate::ui::desktop::browser::Browser;
use crate::ui::desktop::notes::{DesktopTask, Watching};
use crate::ui::desktop::notifications::{DesktopNotifications, Happened};
use crate::ui::kit::reasons;
use crate::ui::panels::dialogs::OpenDialog;
use crate::ui::panels::storage;
use crate::ui::text::{TextId, say};

impl App {
    pub(super) fn take_notices(&mut self, ctx: &egui::Context) {
        let watching = Watching { focused: ctx.input(|input| input.focused), open: self.shell.open() };
        for notice in self.source.notices() {
            let deeds = self.notes.of(&notice, &self.snapshot, watching, self.look.now);
            if deeds.is_empty() {
                self.announce(&notice);
            }
            deeds.into_iter().for_each(|deed| self.do_on_desktop(deed));
            match notice {
                Notice::NotSent { draft, why } => self.give_back(draft, why),
                Notice::Attached { path, file } => self.attached(&path, file),
                Notice::NotAttached { path, why, is_too_large } => {
                    self.not_attached(&path, why, is_too_large);
                }
                Notice::FileRead { message, file, content } => self.file_read((message, file), content),
                Notice::ContactsRead { file } => {
                    let form = self.shell.dialog.as_mut().and_then(OpenDialog::import_form);
                    if let Some(form) = form {
                        form.take_file(file, &self.snapshot.book);
                    }
                }
                Notice::Saved(path) => self.shell.toasts.push(say!("saved-as", path = path.display())),
                Notice::Provisioned(read) => self.provisioned(*read),
                Notice::Password(place) => self.shell.toasts.push(reasons::password_told(&place)),
                Notice::Problem(words) => self.shell.toasts.push(words),
                Notice::Missed(count) => {
                    self.album.ask_again();
                    self.shell.toasts.push(say!("notices-missed", count = count));
                }
                Notice::Drafts(rows) => self.take_drafts(rows),
                Notice::DraftNotKept { why, .. } => self.draft_not_kept(why),
                Notice::SentLate { due, to } => self.sent_late(due, &to),
                Notice::NotDeleted => self.not_deleted(),
                Notice::Storage(found) => storage::measured(ctx, found),
                Notice::Matrix(conversation, matrix) => self.shell.matrix.take(conversation, matrix),
                Notice::Found(found) => self.take_found(*found),
                Notice::StoreDamaged { path, .. } => {
                    let words = say!("store-damaged", path = path.display());
                    self.shell.toasts.push(words);
                }
                Notice::NotDelivered { .. } | Notice::Delivered { .. } | Notice::Received { .. } => {}
            }
        }
    }

    fn do_on_desktop(&self, deed: DesktopTask) {
        match (&self.notifier, deed) {
            (Some(notifier), DesktopTask::Raise(note)) => notifier.raise(note),
            (Some(notifier), DesktopTask::Withdraw(about)) => notifier.withdraw(about),
            (None, _) => {}
        }
    }

    /// Removes the notifications of messages that have been read meanwhile, here or elsewhere.
    pub(super) fn withdraw_read(&mut self) {
        if let Some(notifier) = &self.notifier {
            notifier.pause_while_presenting(self.snapshot.settings.pause_presenting);
        }
        let deeds = self.notes.read(&self.snapshot.conversations);
        deeds.into_iter().for_each(|deed| self.do_on_desktop(deed));
    }

    /// Says that a link could not be opened; the address can be copied instead.
    pub(super) fn take_unopened(&mut self) {
        for target in self.browser.as_ref().map(Browser::failed).unwrap_or_default() {
            let words = say!("no-browser", address = target);
            self.shell.toasts.offer(words, TextId("cmd-copy-address").say(), Act::Copy(target));
        }
    }

    /// A file was read: attaches it to the draft that was being written when it was requested.
    fn attached(&mut self, path: &Path, file: File) {
        let asked = self.attaching.iter().position(|(asked, _)| asked == path);
        let place = asked.map_or(self.shell.place, |index| self.attaching.remove(index).1);
        if self.attach_form(path).is_some() {
            self.shell.dialog = None;
        }
        self.add_file(place, file);
    }

    /// A file could not be read: the dialog that asks for its path says so, else a notice.
    fn not_attached(&mut self, path: &Path, why: String, is_too_large: bool) {
        let asked = self.attaching.iter().position(|(asked, _)| asked == path);
        let place = asked.map_or(self.shell.place, |index| self.attaching.remove(index).1);
        if is_too_large && self.offer_to_shrink(path, place) {
            if self.attach_form(path).is_some() {
                self.shell.dialog = None;
            }
            return;
        }
        match self.attach_form(path) {
            Some(form) => form.failed(why),
            None => self.shell.toasts.push(why),
        }
    }

    /// The dialog that waits for this file.
    fn attach_form(&mut self, path: &Path) -> Option<&mut AttachForm> {
        let form = self.shell.dialog.as_mut().and_then(OpenDialog::attach_form);
        form.filter(|form| form.awaits(path))
    }

    /// Attaches pictures pasted from the clipboard, and drops previews that are no longer needed.
    pub(super) fn take_pictures(&mut self, ctx: &egui::Context) {
        let place = self.shell.place;
        if place != MiddleView::Nothing && self.shell.dialog.is_none() {
            let picture = |event: &Event| {
                if let Event::PasteImage(picture) = event { Some(Arc::clone(picture)) } else { None }
            };
            let pasted: Vec<_> = ctx.input(|input| input.events.iter().filter_map(picture).collect());
            pasted.into_iter().for_each(|picture| self.pictures.paste(place, picture));
        }
        for (place, made) in self.pictures.pasted() {
            match made {
                Ok(file) => self.add_file(place, file),
                Err(why) => self.shell.toasts.push(say!("picture-not-attached", why = why)),
            }
        }
        let drafts = self.shell.writing.values().flat_map(|writing| &writing.files);
        let held = self.shell.held.iter().flat_map(|held| &held.draft.files);
        self.pictures.keep_only(drafts.chain(held));
    }

    /// Attaches files dropped on the window to the current draft.
    pub(super) fn take_drops(&mut self, ctx: &egui::Context) {
        for path in attach::dropped(ctx) {
            self.attach(path);
        }
    }

    pub(super) fn take_clicks(&mut self, ctx: &egui::Context) {
        for happened in self.notifier.as_ref().map(DesktopNotifications::happened).unwrap_or_default() {
            match happened {
                Happened::Show { conversation, message } => {
                    self.open(conversation);
                    if let Some(message) = message {
                        self.show_details(message);
                    }
                    ctx.send_viewport_cmd(ViewportCommand::Focus);
                }
                Happened::Resend(message) => {
                    self.ask(Command::Agent(AgentCommand::Resend { message, only: None }));
                }
                Happened::Reply(conversation) => {
                    self.open(conversation);
                    self.focus_composer(ctx);
                    ctx.send_viewport_cmd(ViewportCommand::Focus);
                }
                Happened::Replied { conversation, text } => self.reply(conversation, text),
                Happened::MarkRead(conversation) => {
                    self.ask(Command::Agent(AgentCommand::Seen { conversation }));
                }
                Happened::NoService if self.told_no_service => {}
                Happened::NoService => {
                    self.told_no_service = true;
                    self.shell.toasts.push(say!("no-notifications").to_owned());
                }
            }
        }
    }

    /// Sends what was written in a notification to everybody in its conversation, whose messages have been read.
    fn reply(&mut self, conversation: ConversationId, text: String) {
        let heads = Arc::clone(&self.snapshot.conversations);
        let Some(head) = heads.iter().find(|head| head.id == conversation) else { return };
        if text.trim().is_empty() {
            return;
        }
        let row = |person: &Person| PersonRow {
            address: person.address.clone(),
            name: person.plain_name().to_owned(),
        };
        let report = ReportOptions { mode: ReportMode::Each, detail: true, id: None };
        let to = head.people.iter().map(row).collect();
        let draft = Draft { to, text, files: Vec::new(), hidden: head.hidden, report };
        if self.ask(Command::Agent(AgentCommand::Send(draft))) {
            self.ask(Command::Agent(AgentCommand::Seen { conversation }));
        }
    }

    /// Puts the text of a draft that could not be sent back where it was written.
    fn give_back(&mut self, draft: Draft, why: String) {
        self.awaited = None;
        let place = self.place_of(&draft);
        self.restore(draft, place);
        if place == MiddleView::New {
            self.shell.place = MiddleView::New;
        }
        self.shell.toasts.push(why);
    }
}
