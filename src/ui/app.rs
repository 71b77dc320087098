//! The window's heart: takes what the source shows, draws it, and carries out what the person wants.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use eframe::egui;
use egui::{ViewportCommand, Visuals};
use jiff::tz::TimeZone;

use crate::client::account::RegistrationState;
use crate::client::command::{AgentCommand, Command, Draft, Notice};
use crate::client::contacts::address_key;
use crate::client::journal::{ConversationId, MessageId};
use crate::client::snapshot::{ConversationHead, Person, Snapshot};
use crate::ui::act::Act;
use crate::ui::composer::{self, Writing};
use crate::ui::conversations::search_id;
use crate::ui::dialogs::{ContactForm, Dialog, ListForm, Outcome, dialog_ui};
use crate::ui::keys::{self, Wish};
use crate::ui::notice::{Deed, Desk, Happened, Notes, Watching};
use crate::ui::recipients::{self, Recipients};
use crate::ui::settings::{AccountForm, Step, next_scale};
use crate::ui::shell::{Place, Shell};
use crate::ui::sign_in::{Progress, SignIn, sign_in_ui};
use crate::ui::theme;
use crate::ui::thread::ThreadView;
use crate::ui::words::Look;
use crate::ui::{Options, Source};

/// The window.
#[expect(missing_debug_implementations, reason = "a source need not be printable")]
pub struct App {
    source: Box<dyn Source>,
    snapshot: Arc<Snapshot>,
    look: Look,
    shell: Shell,
    notes: Notes,
    desk: Option<Desk>,
    told_no_service: bool,
    /// A new message was sent to these; its conversation is opened when it is there.
    awaited: Option<(Vec<String>, bool)>,
    /// What was last told to be seen.
    seen: Option<(ConversationId, usize)>,
    start: Start,
    leaving: bool,
}

/// What the program does by itself after it was opened.
#[derive(Default)]
struct Start {
    send_ready: bool,
    shot: Option<Shot>,
}

/// A picture to be taken.
struct Shot {
    file: std::path::PathBuf,
    since: Option<f64>,
    asked: bool,
    saved: Arc<AtomicBool>,
}

/// A picture is taken at the latest after so many seconds.
const SHOT_AFTER_SECS: f64 = 30.0;
/// Between the moment that the reports are in and the picture, for the rest of them to arrive.
const SHOT_SETTLE_SECS: f64 = 1.0;

impl App {
    /// The window over a source.
    #[must_use]
    pub fn new(ctx: &egui::Context, source: Box<dyn Source>, options: Options) -> Self {
        theme::install(ctx);
        let snapshot = source.snapshot();
        theme::apply(ctx, &snapshot.settings);
        let mut shell =
            Shell { sign_in: snapshot.account.is_none().then(SignIn::default), ..Shell::default() };
        if let Some((people, text)) = options.ready {
            shell.place = Place::New;
            let writing = Writing { text, to: Recipients::of(people), hidden: false };
            shell.writing.insert(Place::New, writing);
        }
        let wake = ctx.clone();
        let desk = options.notifications.then(|| Desk::start(move || wake.request_repaint()).ok()).flatten();
        let shot =
            options.screenshot.map(|file| Shot { file, since: None, asked: false, saved: Arc::default() });
        Self {
            look: Look { now: source.now(), zone: options.zone.unwrap_or_else(TimeZone::system) },
            source,
            snapshot,
            shell,
            notes: Notes::default(),
            desk,
            told_no_service: false,
            awaited: None,
            seen: None,
            start: Start { send_ready: options.send_ready, shot },
            leaving: false,
        }
    }

    fn ask(&mut self, command: Command) -> bool {
        let taken = self.source.send(command).is_ok();
        if !taken {
            self.shell.toasts.push("Fanfare is busy just now. Try again in a moment.".to_owned());
        }
        taken
    }

    fn take_snapshot(&mut self) {
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
                Some(id) => self.open(id),
                None => self.awaited = Some((people, hidden)),
            }
        }
    }

    fn take_notices(&mut self, ctx: &egui::Context) {
        let watching = Watching { focused: ctx.input(|input| input.focused), open: self.shell.open() };
        for notice in self.source.notices() {
            for deed in self.notes.of(&notice, &self.snapshot, watching, self.look.now) {
                match (&self.desk, deed) {
                    (Some(desk), Deed::Raise(note)) => desk.raise(note),
                    (Some(desk), Deed::Withdraw(about)) => desk.withdraw(about),
                    (None, _) => {}
                }
            }
            match notice {
                Notice::NotSent { draft, why } => self.give_back(draft, why),
                Notice::Problem(words) => self.shell.toasts.push(words),
                Notice::Missed(count) => {
                    self.shell.toasts.push(format!("{count} things happened that are not shown here."))
                }
                Notice::NotDelivered { .. } | Notice::Delivered { .. } | Notice::Received { .. } => {}
            }
        }
    }

    fn take_clicks(&mut self, ctx: &egui::Context) {
        for happened in self.desk.as_ref().map(Desk::happened).unwrap_or_default() {
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
                        "This desktop shows no notifications. Failures are marked here, in the list."
                            .to_owned(),
                    );
                }
            }
        }
    }

    /// The text of a draft that was not sent goes back to where it was written.
    fn give_back(&mut self, draft: Draft, why: String) {
        let people: Vec<String> = draft.to.iter().map(|row| row.address.clone()).collect();
        self.awaited = None;
        let place = conversation_of(&self.snapshot.conversations, &people, draft.hidden)
            .map_or(Place::New, Place::Conversation);
        let writing = self.shell.writing.entry(place).or_default();
        writing.text =
            if writing.text.is_empty() { draft.text } else { format!("{}\n{}", draft.text, writing.text) };
        if place == Place::New {
            let person = |row: crate::client::journal::PersonRow| Person {
                address: row.address,
                name: row.name,
                simulated: false,
            };
            writing.to = Recipients::of(draft.to.into_iter().map(person).collect());
            writing.hidden = draft.hidden;
            self.shell.place = Place::New;
        }
        self.shell.toasts.push(why);
    }

    /// What is looked at to its end was seen.
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
        if looked_at && (head.unread > 0 || head.failed > 0) && self.seen != Some(state) {
            let told =
                self.source.send(Command::Agent(AgentCommand::Seen { conversation: thread.conversation }));
            self.seen = told.ok().map(|()| state);
        }
        if head.unread == 0 && head.failed == 0 {
            self.seen = None;
        }
    }

    fn carry_out(&mut self, ctx: &egui::Context, act: Act) {
        match act {
            Act::Ask(command) => {
                self.ask(command);
            }
            Act::Send(draft) => self.send(draft),
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
            Act::Settings => self.settings(),
        }
        ctx.request_repaint();
    }

    fn settings(&mut self) {
        let form = AccountForm::of(self.snapshot.account.as_deref());
        self.shell.dialog = Some(Dialog::Settings(Box::new(form)));
    }

    fn send(&mut self, draft: Draft) {
        let people: Vec<String> = draft.to.iter().map(|row| row.address.clone()).collect();
        let hidden = draft.hidden;
        if !self.ask(Command::Agent(AgentCommand::Send(draft))) {
            return;
        }
        self.shell.writing.remove(&self.shell.place);
        self.shell.thread.chosen = None;
        if self.shell.place == Place::New {
            match conversation_of(&self.snapshot.conversations, &people, hidden) {
                Some(id) => self.open(id),
                None => self.awaited = Some((people, hidden)),
            }
        } else {
            self.shell.thread.go_to_bottom();
        }
    }

    fn write(&mut self, ctx: &egui::Context, people: Vec<Person>) {
        self.shell.place = Place::New;
        let writing = self.shell.writing.entry(Place::New).or_default();
        let field = if people.is_empty() { recipients::field_id() } else { composer::field_id() };
        people.into_iter().for_each(|person| writing.to.push(person));
        ctx.memory_mut(|memory| memory.request_focus(field));
    }

    fn open(&mut self, id: ConversationId) {
        if self.shell.place == Place::Conversation(id) {
            return;
        }
        self.shell.place = Place::Conversation(id);
        self.shell.thread = ThreadView::default();
        self.shell.drawer = false;
        self.ask(Command::Open(id));
        if let Some(thread) = self.shell.thread(&self.snapshot).cloned() {
            self.shell.thread.adopt(thread);
        }
    }

    fn back(&mut self) {
        self.shell.place = Place::Nothing;
        self.shell.drawer = false;
        self.ask(Command::Close);
    }

    fn show_details(&mut self, message: MessageId) {
        self.shell.thread.chosen = Some(message);
        self.shell.thread.go_to(message);
        self.shell.show_delivery(true);
    }

    fn wish(&mut self, ctx: &egui::Context, wish: Wish) {
        let focus = |id: egui::Id| ctx.memory_mut(|memory| memory.request_focus(id));
        match wish {
            Wish::NewMessage => self.write(ctx, Vec::new()),
            Wish::Search => focus(search_id()),
            Wish::ConversationUp => self.step(ctx, -1, |_| true),
            Wish::ConversationDown => self.step(ctx, 1, |_| true),
            Wish::UnreadUp => self.step(ctx, -1, |head| head.unread > 0),
            Wish::UnreadDown => self.step(ctx, 1, |head| head.unread > 0),
            Wish::Delivery => self.carry_out(ctx, Act::ToggleDelivery),
            Wish::ResendToFailed => self.resend_shown(),
            Wish::NextFailed => {
                if let Some(message) = self.shell.thread.next_failed() {
                    self.show_details(message);
                }
            }
            Wish::NextColumn => self.next_column(ctx),
            Wish::Larger => self.scale(next_scale(self.snapshot.settings.scale, Step::Larger)),
            Wish::Smaller => self.scale(next_scale(self.snapshot.settings.scale, Step::Smaller)),
            Wish::NormalSize => self.scale(1.0),
            Wish::Settings => self.settings(),
            Wish::Keys => self.shell.dialog = Some(Dialog::Keys),
            Wish::Quit => self.quit(ctx),
            Wish::Escape => self.escape(),
        }
        ctx.request_repaint();
    }

    fn scale(&mut self, scale: f32) {
        let settings = crate::client::snapshot::Settings { scale, ..self.snapshot.settings.clone() };
        self.ask(Command::PutSettings(settings));
    }

    fn resend_shown(&mut self) {
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

    /// From search to messages to composer and round again.
    fn next_column(&mut self, ctx: &egui::Context) {
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

    /// Goes to the conversation above or below the open one.
    fn step(&mut self, ctx: &egui::Context, direction: isize, wanted: impl Fn(&ConversationHead) -> bool) {
        let heads = Arc::clone(&self.snapshot.conversations);
        let open = self.shell.open();
        let here = heads.iter().position(|head| Some(head.id) == open);
        let candidates = heads.iter().enumerate().filter(|(_, head)| wanted(head));
        let target = match (direction.is_negative(), here) {
            (true, Some(here)) => candidates.filter(|(place, _)| *place < here).last(),
            (true, None) => candidates.last(),
            (false, Some(here)) => candidates.filter(|(place, _)| *place > here).next(),
            (false, None) => candidates.into_iter().next(),
        };
        if let Some((_, head)) = target {
            self.open(head.id);
            ctx.memory_mut(|memory| memory.request_focus(composer::field_id()));
        }
    }

    /// Closes dialog, drawer, search, in that order; never a draft.
    fn escape(&mut self) {
        if self.shell.dialog.is_some() || self.shell.toasts.dismiss() {
            return;
        }
        if self.shell.drawer {
            self.shell.drawer = false;
        } else if !self.shell.left.search.is_empty() {
            self.shell.left.search.clear();
        }
    }

    fn quit(&mut self, ctx: &egui::Context) {
        let under_way =
            |head: &&ConversationHead| head.last.is_some_and(|tally| tally.queued + tally.sending > 0);
        let waiting = self.snapshot.conversations.iter().filter(under_way).count();
        if waiting > 0 && !self.leaving {
            self.shell.dialog = Some(Dialog::Leaving { waiting });
        } else {
            self.leaving = true;
            ctx.send_viewport_cmd(ViewportCommand::Close);
        }
    }

    fn dialog(&mut self, ctx: &egui::Context, acts: &mut Vec<Act>) {
        let Some(dialog) = &mut self.shell.dialog else {
            return;
        };
        match dialog_ui(ctx, dialog, &self.snapshot, acts) {
            Outcome::Open => {}
            Outcome::Closed => self.shell.dialog = None,
            Outcome::Leave => {
                self.leaving = true;
                ctx.send_viewport_cmd(ViewportCommand::Close);
            }
        }
    }

    /// The one clock on the screen: the seconds until the next try.
    fn count_down(&self, ctx: &egui::Context) {
        let offline = matches!(self.snapshot.registration, RegistrationState::Offline { .. });
        if let Some(at) = self.snapshot.retry_at.filter(|at| offline && *at > self.look.now) {
            let left = at.since(self.look.now);
            let step = if left < Duration::from_secs(90) { left.as_millis() % 1000 } else { 30_000 };
            ctx.request_repaint_after(Duration::from_millis(u64::try_from(step).unwrap_or(1000) + 20));
        }
    }

    /// Sends the message that stands ready, once the server knows us.
    fn send_ready(&mut self) {
        if !self.start.send_ready || self.snapshot.registration != RegistrationState::Connected {
            return;
        }
        let Some(writing) = self.shell.writing.get(&Place::New) else {
            return;
        };
        self.start.send_ready = false;
        let report = crate::sip::ReportWish { mode: crate::sip::ReportMode::Each, detail: true, id: None };
        let draft = Draft { to: writing.to.rows(), text: writing.text.clone(), hidden: false, report };
        self.send(draft);
    }

    fn take_shot(&mut self, ctx: &egui::Context) {
        let reported = self.shell.thread.detailed().is_some_and(|message| {
            let tally = &message.tally;
            (tally.delivered > 0 && tally.failed > 0) || (tally.total > 0 && tally.under_way() == 0)
        });
        let Some(shot) = &mut self.start.shot else {
            return;
        };
        let now = ctx.input(|input| input.time);
        if shot.saved.load(Ordering::Acquire) {
            return ctx.send_viewport_cmd(ViewportCommand::Close);
        }
        ctx.request_repaint_after(Duration::from_millis(100));
        let due = match shot.since {
            Some(since) => now - since >= SHOT_SETTLE_SECS,
            None => now >= SHOT_AFTER_SECS,
        };
        if reported && shot.since.is_none() {
            shot.since = Some(now);
        }
        if due && !shot.asked {
            shot.asked = true;
            let (file, saved, wake) = (shot.file.clone(), Arc::clone(&shot.saved), ctx.clone());
            ctx.request_screenshot(move |picture| {
                if let Err(error) = save_png(&file, &picture) {
                    tracing::warn!(%error, "the picture could not be saved");
                }
                saved.store(true, Ordering::Release);
                wake.request_repaint();
            });
        }
    }
}

fn save_png(file: &std::path::Path, picture: &egui::ColorImage) -> Result<(), image::ImageError> {
    let bytes: Vec<u8> = picture.pixels.iter().flat_map(|pixel| [pixel.r(), pixel.g(), pixel.b()]).collect();
    let (width, height) =
        (u32::try_from(picture.width()).unwrap_or(0), u32::try_from(picture.height()).unwrap_or(0));
    image::save_buffer_with_format(
        file,
        &bytes,
        width,
        height,
        image::ExtendedColorType::Rgb8,
        image::ImageFormat::Png,
    )
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

impl App {
    /// Takes what is new: before every frame, and while the window is hidden.
    pub fn update(&mut self, ctx: &egui::Context) {
        self.take_snapshot();
        self.take_notices(ctx);
        self.take_clicks(ctx);
        self.send_ready();
        theme::apply(ctx, &self.snapshot.settings);
        self.tell_seen(ctx);
        self.count_down(ctx);
        self.take_shot(ctx);
    }

    /// Draws a frame, and carries out what was asked in it.
    pub fn draw(&mut self, ui: &mut egui::Ui) {
        let ctx = ui.ctx().clone();
        let mut acts = Vec::new();
        if self.shell.dialog.is_none() {
            keys::wishes(&ctx).into_iter().for_each(|wish| self.wish(&ctx, wish));
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

    fn on_exit(&mut self, _gl: Option<&eframe::glow::Context>) {
        // The engine un-registers and ends; when its queue is full it ends with the process.
        let _busy = self.source.send(Command::Quit).is_err();
    }
}
