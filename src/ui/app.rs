//! The core of the window: reads the source, draws it, and carries out the user's actions.

mod right_column;
mod same_people;

mod shell;

mod held;

mod later;

mod contacts;

mod deleting;

mod ended;

mod finding;

mod failures;

mod exporting;

mod handle_actions;

mod testing;

mod notices;

mod pictures;

mod typing;

mod waits;

mod seen;

mod blocked;

mod picking;

mod calls;

mod closing;

mod demo;

mod hosting;

mod drafts;

mod screens;

mod sending;

mod start;

mod account;

mod announced;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use egui::Visuals;
use jiff::tz::TimeZone;

use self::closing::Closing;
use self::deleting::Deletions;
use self::demo::Trial;
use self::drafts::KeptDrafts;
use self::hosting::Neighbours;
use self::pictures::ChosenFor;
use self::screens::Showing;
use self::seen::SeenSoFar;
use self::shell::{MiddleView, Shell};
use super::actions::Act;
use super::compose::attach;
use super::compose::pictures::Pictures;
use super::desktop::browser::Browser;
use super::desktop::calls::Calls;
use super::desktop::chooser::Choosing;
use super::desktop::exporter::Exporting;
use super::desktop::notes::Notes;
use super::desktop::notifications::DesktopNotifications;
use super::kit::announcer::Announcer;
use super::kit::theme;
use super::kit::words::Look;
use super::panels::dialogs::{Outcome, dialog_ui};
use super::panels::faults::{FaultsPanel, faults_ui};
use super::panels::sign_in::{Progress, sign_in_ui};
use super::thread::album::Album;
use super::thread::enlarged_ui;
use crate::model::command::{AgentCommand, Command};
use crate::model::journal::{ConversationId, MessageId};
use crate::model::snapshot::Snapshot;
use crate::ui::text::{Customs, say};
use crate::ui::{Options, Source, commands};

pub(super) use self::start::LAST_OPEN;
use self::start::{Shot, Start};

/// In the first frames the desktop may still be moving the window.
const PLACE_CHECKS: u8 = 3;

/// The window.
#[expect(missing_debug_implementations, reason = "a source need not be printable")]
pub struct App {
    source: Box<dyn Source>,
    /// As the source gave it.
    latest: Arc<Snapshot>,
    /// The same without what is being deleted.
    snapshot: Arc<Snapshot>,
    deletions: Deletions,
    look: Look,
    shell: Shell,
    notes: Notes,
    notifier: Option<DesktopNotifications>,
    told_no_service: bool,
    /// What was last said about typing: the conversation, and when, in egui's seconds.
    said_typing: Option<(ConversationId, f64)>,
    /// A new message was sent to these people; their conversation is opened as soon as it exists.
    awaited: Option<(Vec<String>, bool)>,
    /// Files being read, and the view each was requested in.
    attaching: Vec<(PathBuf, MiddleView)>,
    seen: SeenSoFar,
    drafts: KeptDrafts,
    start: Start,
    leaving: bool,
    browser: Option<Browser>,
    choosing: Option<Choosing<ChosenFor>>,
    exporting: Option<Exporting>,
    calls: Calls,
    /// The demo, which may be in the place of all else.
    trial: Trial,
    neighbours: Neighbours,
    closing: Closing,
    pictures: Pictures<MiddleView>,
    /// Pictures in the messages.
    album: Album,
    /// Files of messages that are read to be forwarded.
    forwarded_files: Vec<(MessageId, usize)>,
    /// Pictures that are too large for a message, and the view each was to be attached in.
    oversized: Vec<(PathBuf, MiddleView)>,
    /// How often it was checked that the window is on a screen.
    placed: u8,
    /// That the window is shown.
    showing: Showing,
    /// The title that the window has.
    title: String,
    announcer: Announcer,
    /// Those of the system.
    customs: Customs,
}

impl App {
    /// Creates the window over a source.
    #[must_use]
    pub fn new(ctx: &egui::Context, source: Box<dyn Source>, options: Options) -> Self {
        theme::install(ctx);
        let (trial, neighbours, closing) =
            (Trial::of(&options), Neighbours::of(&options), Closing::of(&options));
        let snapshot = source.snapshot();
        options.customs.chosen(&snapshot.settings).speak();
        theme::apply(ctx, &snapshot.settings);
        let mut shell = Shell::at_start(ctx, &snapshot, options.ready);
        shell.faults = FaultsPanel::of(options.faults);
        let wake = ctx.clone();
        let notifier = options
            .notifications
            .then(|| {
                DesktopNotifications::start(move || wake.request_repaint_after(Duration::from_millis(1))).ok()
            })
            .flatten();
        let shot = options.screenshot.map(Shot::new);
        Self {
            look: Look { now: source.now(), zone: options.zone.unwrap_or_else(TimeZone::system) },
            source,
            latest: Arc::clone(&snapshot),
            snapshot,
            deletions: Deletions::default(),
            shell,
            notes: Notes::default(),
            notifier,
            told_no_service: false,
            said_typing: None,
            awaited: None,
            attaching: Vec::new(),
            seen: SeenSoFar::default(),
            drafts: KeptDrafts::default(),
            start: Start { send_ready: options.send_ready, shot, last_open: options.last_open },
            leaving: false,
            browser: options.opener.map(|opener| Browser::new(ctx, opener)),
            choosing: options.chooser.map(|chooser| Choosing::new(ctx, chooser)),
            exporting: options.exporter.map(|exporter| Exporting::new(ctx, exporter)),
            calls: options.calls,
            trial,
            neighbours,
            closing,
            pictures: Pictures::new(ctx),
            album: Album::new(ctx),
            forwarded_files: Vec::new(),
            oversized: Vec::new(),
            placed: 0,
            showing: Showing::default(),
            title: String::new(),
            announcer: Announcer::default(),
            customs: options.customs,
        }
    }

    fn ask(&mut self, command: Command) -> bool {
        if self.needs_sign_in(&command) {
            // Busy: the command itself says so.
            let _busy = self.source.send(Command::Agent(AgentCommand::Connect)).is_err();
        }
        let taken = self.source.send(command).is_ok();
        if !taken {
            self.shell.toasts.push(say!("busy").to_owned());
        }
        taken
    }

    fn take_snapshot(&mut self, ctx: &egui::Context) {
        let latest = self.source.snapshot();
        self.look.now = self.source.now();
        if !self.deletions.take_change() && Arc::ptr_eq(&latest, &self.latest) {
            return;
        }
        self.latest = Arc::clone(&latest);
        let snapshot = self.deletions.without_hidden(latest);
        let before = std::mem::replace(&mut self.snapshot, snapshot);
        if before.thread.as_ref().map(Arc::as_ptr) != self.snapshot.thread.as_ref().map(Arc::as_ptr) {
            self.shell.matrix.may_have_changed();
        }
        let address = |snapshot: &Snapshot| snapshot.account.as_ref().map(|account| account.address.clone());
        if address(&before) != address(&self.snapshot) {
            // The messages of another account have the same numbers.
            self.album.clear();
        }
        self.announce_changes(&before);
        if before.account.is_some() && self.snapshot.account.is_none() {
            self.account_removed(ctx);
        }
        self.withdraw_read();
        self.shell.left.marks.follow(&before, &self.snapshot);
        if let Some(thread) = self.shell.thread(&self.snapshot).cloned() {
            self.shell.thread.adopt(thread);
        }
        if let Some((people, hidden)) = self.awaited.take() {
            match self.conversation_of(&people, hidden) {
                Some(id) => {
                    self.open(id);
                    // So that the next message can be typed at once.
                    self.focus_composer(ctx);
                }
                None => self.awaited = Some((people, hidden)),
            }
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

    /// Takes in what is new; called before every frame, and while the window is hidden.
    pub fn update(&mut self, ctx: &egui::Context) {
        self.take_demo(ctx);
        self.take_neighbours();
        self.take_snapshot(ctx);
        self.customs.chosen(&self.snapshot.settings).speak();
        self.take_notices(ctx);
        self.take_clicks(ctx);
        self.take_drops(ctx);
        self.take_unopened();
        self.take_chosen(ctx);
        self.take_exported();
        self.show_sought_failed();
        self.take_pictures(ctx);
        self.take_decoded();
        self.open_last();
        self.take_calls(ctx);
        self.send_ready(ctx);
        self.send_due(ctx);
        self.delete_due(ctx);
        self.keep_drafts(ctx);
        theme::apply(ctx, &self.snapshot.settings);
        self.tell_seen(ctx);
        self.count_down(ctx);
        self.wait_for_midnight(ctx);
        self.show_title(ctx);
        self.take_shot(ctx);
        self.heed_close(ctx);
    }

    /// Draws a frame, and carries out the actions requested in it.
    pub fn draw(&mut self, ui: &mut egui::Ui) {
        let ctx = ui.ctx().clone();
        let mut acts = Vec::new();
        self.give_focus_back(&ctx);
        if self.shell.dialog.is_none() && self.shell.finder.overlay.is_none() && self.album.large.is_none() {
            commands::pressed(&ctx).into_iter().for_each(|command| self.command(&ctx, command));
            self.take_back_by_key(&ctx);
            self.undelete_by_key(&ctx);
            self.take_typing(&ctx);
        }
        self.bars(ui, &mut acts);
        let wire = self.source.wire().filter(|_| self.snapshot.settings.testing || self.snapshot.demo);
        self.shell.watched = wire.map(|wire| self.neighbours.with_own_legs(wire));
        self.shell.faults.scene = self.fault_scene();
        let is_choosing = self.shell.shows_faults(&self.snapshot);
        faults_ui(ui, &mut self.shell.faults, is_choosing);
        self.shell.area = Some(ui.available_rect_before_wrap());
        // A click in the column opens it; until the next frame the view is still drawn there.
        let (has_wire_window, has_matrix_window) = (self.shell.wire.is_window, self.shell.matrix.is_window);
        if let Some(form) = &mut self.shell.sign_in {
            form.offers = self.trial.offers(&self.neighbours, self.choosing.is_some());
            let frame = egui::Frame::NONE.fill(theme::colors(ui).middle);
            let progress = egui::CentralPanel::default()
                .frame(frame)
                .show(ui, |ui| sign_in_ui(ui, form, &self.snapshot, &self.look, &mut acts));
            if progress.inner == Progress::Done {
                form.welcome(&self.snapshot).into_iter().for_each(|words| self.shell.toasts.push(words));
                self.shell.sign_in = None;
                ctx.request_repaint();
            }
        } else {
            let seen = (&*self.snapshot, (self.pictures.previews(), &self.album));
            self.shell.ui(ui, seen, &self.look, &mut acts);
        }
        if has_wire_window {
            self.shell.wire_window(&ctx, &self.look, &mut acts);
        }
        if has_matrix_window {
            self.shell.matrix_window(&ctx, &self.look, &mut acts);
        }
        self.dialog(&ctx, &mut acts);
        enlarged_ui(&ctx, &mut self.album, self.shell.thread(&self.snapshot).map(Arc::as_ref), &mut acts);
        self.overlay(&ctx, &mut acts);
        attach::hover_ui(&ctx, self.shell.place != MiddleView::Nothing);
        let places = self.shell.toast_places(&ctx);
        acts.extend(self.shell.toasts.show(&ctx, &places));
        self.shell.has_new_writing |= !acts.is_empty();
        acts.into_iter().for_each(|act| self.carry_out(&ctx, act));
        self.search_due(&ctx);
        self.announcer.show(&ctx, &self.title);
    }
}

impl eframe::App for App {
    fn logic(&mut self, ctx: &egui::Context, frame: &mut eframe::Frame) {
        if self.placed < PLACE_CHECKS {
            self.placed += 1;
            screens::bring_back(ctx, frame);
        }
        self.showing.see_to(ctx, frame);
        self.update(ctx);
    }

    fn ui(&mut self, ui: &mut egui::Ui, _frame: &mut eframe::Frame) {
        self.draw(ui);
    }

    fn clear_color(&self, visuals: &Visuals) -> [f32; 4] {
        visuals.panel_fill.to_normalized_gamma_f32()
    }

    fn save(&mut self, storage: &mut dyn eframe::Storage) {
        storage.set_string(LAST_OPEN, self.own().open_now());
    }

    /// A program that is killed loses at most this much of where it was.
    fn auto_save_interval(&self) -> Duration {
        Duration::from_secs(5)
    }

    /// Besides the open conversation only the window's size and position are kept for the next start. The rest of egui's memory, such as scroll
    /// positions, is valid for this run only.
    fn persist_egui_memory(&self) -> bool {
        false
    }

    fn on_exit(&mut self, _gl: Option<&eframe::glow::Context>) {
        if self.stays() {
            self.rest();
        } else {
            self.close();
        }
        self.end_demo();
    }
}
