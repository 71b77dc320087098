//! The core of the window: reads the source, draws it, and carries out the user's actions.

mod shell;

mod ended;

mod handle_actions;
mod start;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use egui::{ViewportCommand, Visuals};
use jiff::tz::TimeZone;

use self::ended::ended_ui;
use self::shell::{MiddleView, Shell};
use super::actions::Act;
use super::compose::attach;
use super::compose::composer::{self, Writing};
use super::compose::recipients::Recipients;
use super::desktop::notifications::{DesktopNotifications, DesktopTask, Happened, Notes, Watching};
use super::kit::theme;
use super::kit::words::Look;
use super::panels::dialogs::{Outcome, dialog_ui};
use super::panels::sign_in::{Progress, SignInForm, sign_in_ui};
use crate::model::account::RegistrationState;
use crate::model::command::{AgentCommand, Command, Draft, Notice};
use crate::model::contacts::address_key;
use crate::model::journal::ConversationId;
use crate::model::snapshot::{ConversationHead, Person, Snapshot};
use crate::sip::File;
use crate::ui::keys;
use crate::ui::{Options, Source};

use self::start::{Shot, Start};

/// The window.
#[expect(missing_debug_implementations, reason = "a source need not be printable")]
pub struct App {
    source: Box<dyn Source>,
    snapshot: Arc<Snapshot>,
    look: Look,
    shell: Shell,
    notes: Notes,
    desk: Option<DesktopNotifications>,
    told_no_service: bool,
    /// A new message was sent to these people; their conversation is opened as soon as it exists.
    awaited: Option<(Vec<String>, bool)>,
    /// Files being read, and the view each was requested in.
    attaching: Vec<(PathBuf, MiddleView)>,
    /// What was last reported to the engine as seen.
    seen: Option<(ConversationId, usize)>,
    start: Start,
    leaving: bool,
}

impl App {
    /// Creates the window over a source.
    #[must_use]
    pub fn new(ctx: &egui::Context, source: Box<dyn Source>, options: Options) -> Self {
        theme::install(ctx);
        let snapshot = source.snapshot();
        theme::apply(ctx, &snapshot.settings);
        let account = snapshot.account.as_deref();
        let has_to_sign_in = account.is_none_or(|account| !account.worked);
        let mut shell =
            Shell { sign_in: has_to_sign_in.then(|| SignInForm::of(account)), ..Shell::default() };
        if let Some((people, text)) = options.ready {
            shell.place = MiddleView::New;
            let writing = Writing { text, to: Recipients::of(people), ..Writing::default() };
            shell.writing.insert(MiddleView::New, writing);
            // So that Enter sends it.
            ctx.memory_mut(|memory| memory.request_focus(composer::field_id()));
        }
        let wake = ctx.clone();
        let desk = options
            .notifications
            .then(|| {
                DesktopNotifications::start(move || wake.request_repaint_after(Duration::from_millis(1))).ok()
            })
            .flatten();
        let shot = options.screenshot.map(Shot::new);
        Self {
            look: Look { now: source.now(), zone: options.zone.unwrap_or_else(TimeZone::system) },
            source,
            snapshot,
            shell,
            notes: Notes::default(),
            desk,
            told_no_service: false,
            awaited: None,
            attaching: Vec::new(),
            seen: None,
            start: Start { send_ready: options.send_ready, shot },
            leaving: false,
        }
    }

    fn ask(&mut self, command: Command) -> bool {
        let taken = self.source.send(command).is_ok();
        if !taken {
            self.shell.toasts.push("Fanfare is busy. Try again in a moment.".to_owned());
        }
        taken
    }

    fn take_snapshot(&mut self, ctx: &egui::Context) {
        let snapshot = self.source.snapshot();
        self.look.now = self.source.now();
        if Arc::ptr_eq(&snapshot, &self.snapshot) {
            return;
        }
        self.snapshot = snapshot;
        if let Some(thread) = self.shell.thread(&self.snapshot).cloned() {
            self.shell.thread.adopt(thread);
        }
        if let Some((people, hidden)) = self.awaited.take() {
            match conversation_of(&self.snapshot.conversations, &people, hidden) {
                Some(id) => {
                    self.open(id);
                    // So that the next message can be typed at once.
                    ctx.memory_mut(|memory| memory.request_focus(composer::field_id()));
                }
                None => self.awaited = Some((people, hidden)),
            }
        }
    }

    fn take_notices(&mut self, ctx: &egui::Context) {
        let watching = Watching { focused: ctx.input(|input| input.focused), open: self.shell.open() };
        for notice in self.source.notices() {
            for deed in self.notes.of(&notice, &self.snapshot, watching, self.look.now) {
                match (&self.desk, deed) {
                    (Some(desk), DesktopTask::Raise(note)) => desk.raise(note),
                    (Some(desk), DesktopTask::Withdraw(about)) => desk.withdraw(about),
                    (None, _) => {}
                }
            }
            match notice {
                Notice::NotSent { draft, why } => self.give_back(draft, why),
                Notice::Attached { path, file } => self.attached(&path, file),
                Notice::Saved(path) => self.shell.toasts.push(format!("Saved as {}", path.display())),
                Notice::Problem(words) => self.shell.toasts.push(words),
                Notice::Missed(count) => {
                    self.shell
                        .toasts
                        .push(format!("{count} notifications are missing here: too many came at once."));
                }
                Notice::NotDelivered { .. }
                | Notice::Delivered { .. }
                | Notice::Received { .. }
                | Notice::Found(_)
                | Notice::Drafts(_) => {}
                Notice::DraftNotKept { .. } => {}
                Notice::StoreDamaged { path, .. } => {
                    self.shell
                        .toasts
                        .push(format!("{} is damaged: some messages may be wrong.", path.display()));
                }
            }
        }
    }

    /// A file was read: attaches it to the draft that was being written when it was requested.
    fn attached(&mut self, path: &Path, file: File) {
        let asked = self.attaching.iter().position(|(asked, _)| asked == path);
        let place = asked.map_or(self.shell.place, |index| self.attaching.remove(index).1);
        self.shell.writing.entry(place).or_default().files.push(file);
    }

    /// Attaches files dropped on the window to the current draft.
    fn take_drops(&mut self, ctx: &egui::Context) {
        for path in attach::dropped(ctx) {
            self.attach(path);
        }
    }

    fn take_clicks(&mut self, ctx: &egui::Context) {
        for happened in self.desk.as_ref().map(DesktopNotifications::happened).unwrap_or_default() {
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
                Happened::NoService if self.told_no_service => {}
                Happened::NoService => {
                    self.told_no_service = true;
                    self.shell.toasts.push(
                        "This desktop does not show notifications. Failed messages are marked in the list."
                            .to_owned(),
                    );
                }
            }
        }
    }

    /// Puts the text of a draft that could not be sent back where it was written.
    fn give_back(&mut self, draft: Draft, why: String) {
        let people: Vec<String> = draft.to.iter().map(|row| row.address.clone()).collect();
        self.awaited = None;
        let place = conversation_of(&self.snapshot.conversations, &people, draft.hidden)
            .map_or(MiddleView::New, MiddleView::Conversation);
        let writing = self.shell.writing.entry(place).or_default();
        writing.files.splice(0..0, draft.files);
        writing.text =
            if writing.text.is_empty() { draft.text } else { format!("{}\n{}", draft.text, writing.text) };
        if place == MiddleView::New {
            let person = |row: crate::model::journal::PersonRow| Person {
                address: row.address,
                name: row.name,
                simulated: false,
            };
            writing.to = Recipients::of(draft.to.into_iter().map(person).collect());
            writing.hidden = draft.hidden;
            self.shell.place = MiddleView::New;
        }
        self.shell.toasts.push(why);
    }

    /// Reports the open conversation as seen once it is scrolled to its end.
    fn tell_seen(&mut self, ctx: &egui::Context) {
        let Some(thread) = self.shell.thread(&self.snapshot) else {
            return;
        };
        let Some(head) = self.snapshot.conversations.iter().find(|head| head.id == thread.conversation)
        else {
            return;
        };
        let looked_at = ctx.input(|input| input.focused) && self.shell.thread.at_bottom;
        let state = (thread.conversation, thread.outline.len());
        if looked_at && (head.unread > 0 || head.failed_unseen > 0) && self.seen != Some(state) {
            let told =
                self.source.send(Command::Agent(AgentCommand::Seen { conversation: thread.conversation }));
            self.seen = told.ok().map(|()| state);
        }
        if head.unread == 0 && head.failed_unseen == 0 {
            self.seen = None;
        }
    }

    fn dialog(&mut self, ctx: &egui::Context, acts: &mut Vec<Act>) {
        let Some(dialog) = &mut self.shell.dialog else {
            return;
        };
        match dialog_ui(ctx, dialog, (&self.snapshot, &self.look), acts) {
            Outcome::Open => {}
            Outcome::Closed => self.shell.dialog = None,
            Outcome::Leave => self.leave(ctx),
        }
    }

    /// The only countdown on the screen: the seconds until the next attempt to reach the server.
    fn count_down(&self, ctx: &egui::Context) {
        let offline = matches!(self.snapshot.registration, RegistrationState::Offline { .. });
        if let Some(at) = self.snapshot.retry_at.filter(|at| offline && *at > self.look.now) {
            let left = at.since(self.look.now);
            let step = if left < Duration::from_secs(90) { left.as_millis() % 1000 } else { 30_000 };
            ctx.request_repaint_after(Duration::from_millis(u64::try_from(step).unwrap_or(1000) + 20));
        }
    }

    /// Takes in what is new; called before every frame, and while the window is hidden.
    pub fn update(&mut self, ctx: &egui::Context) {
        self.take_snapshot(ctx);
        self.take_notices(ctx);
        self.take_clicks(ctx);
        self.take_drops(ctx);
        self.send_ready();
        theme::apply(ctx, &self.snapshot.settings);
        self.tell_seen(ctx);
        self.count_down(ctx);
        self.take_shot(ctx);
        self.heed_close(ctx);
    }

    /// Draws a frame, and carries out the actions requested in it.
    pub fn draw(&mut self, ui: &mut egui::Ui) {
        let ctx = ui.ctx().clone();
        let mut acts = Vec::new();
        if self.shell.dialog.is_none() {
            keys::wishes(&ctx).into_iter().for_each(|wish| self.wish(&ctx, wish));
        }
        if self.source.has_ended() {
            ended_ui(ui, &mut acts);
        }
        if let Some(form) = &mut self.shell.sign_in {
            let frame = egui::Frame::NONE.fill(theme::colors(ui).middle);
            let progress = egui::CentralPanel::default()
                .frame(frame)
                .show(ui, |ui| sign_in_ui(ui, form, &self.snapshot, &self.look, &mut acts));
            if progress.inner == Progress::Done {
                self.shell.sign_in = None;
                ctx.request_repaint();
            }
        } else {
            self.shell.ui(ui, &self.snapshot, &self.look, &mut acts);
        }
        self.dialog(&ctx, &mut acts);
        attach::hover_ui(&ctx, self.shell.place != MiddleView::Nothing);
        self.shell.toasts.show(&ctx);
        acts.into_iter().for_each(|act| self.carry_out(&ctx, act));
    }
}

impl eframe::App for App {
    fn logic(&mut self, ctx: &egui::Context, _frame: &mut eframe::Frame) {
        self.update(ctx);
    }

    fn ui(&mut self, ui: &mut egui::Ui, _frame: &mut eframe::Frame) {
        self.draw(ui);
    }

    fn clear_color(&self, visuals: &Visuals) -> [f32; 4] {
        visuals.panel_fill.to_normalized_gamma_f32()
    }

    /// Only the window's size and position are kept for the next start. The rest of egui's memory, such as scroll
    /// positions, is valid for this run only.
    fn persist_egui_memory(&self) -> bool {
        false
    }

    fn on_exit(&mut self, _gl: Option<&eframe::glow::Context>) {
        // The engine un-registers and ends; if its queue is full, it ends with the process instead.
        let _busy = self.source.send(Command::Quit).is_err();
    }
}

/// The conversation with exactly these people.
fn conversation_of(heads: &[ConversationHead], people: &[String], hidden: bool) -> Option<ConversationId> {
    let keys = |addresses: &mut dyn Iterator<Item = &str>| -> Vec<String> {
        let mut keys: Vec<String> = addresses.map(address_key).collect();
        keys.sort();
        keys.dedup();
        keys
    };
    let wanted = keys(&mut people.iter().map(String::as_str));
    heads
        .iter()
        .filter(|head| head.hidden == hidden && head.people.len() == wanted.len())
        .find(|head| keys(&mut head.people.iter().map(|person| person.address.as_str())) == wanted)
        .map(|head| head.id)
}
