//! The first run: an address, a server, **Connect**, and one sentence if it fails.

mod offers;

mod progress;

mod fields;

use std::sync::Arc;

use egui::style::ScrollAnimation;
use egui::{Key, Modifiers, RichText, Ui, Vec2, vec2};

use self::fields::{Fields, Takes, fields_ui, lead};
pub(crate) use self::offers::{DemoOffer, Offers};
use self::offers::{nearby_ui, offers_ui};
use self::progress::{failure_ui, steps_ui, under_way};
use super::typed::{AccountField, account_problem};
use crate::model::account::{Account, ConnectStep, RegistrationState};
use crate::model::command::{AgentCommand, Command};
use crate::model::snapshot::Snapshot;
use crate::ui::actions::Act;
use crate::ui::kit::theme::{self, colors};
use crate::ui::kit::widgets::{hint, keep_focus_in_view, primary, small_button};
use crate::ui::kit::words::{self, Look};
use crate::ui::text::say;

/// What is typed on the first screen, and how the sign-in attempt stands.
#[derive(Debug, Default)]
pub(crate) struct SignInForm {
    fields: Fields,
    /// What the form offers besides an account.
    pub(crate) offers: Offers,
    /// Its fields come from a file.
    is_handed_out: bool,
    problem: Option<String>,
    attempt: Option<Attempt>,
    /// Why the last finished attempt failed.
    failure: Option<Failure>,
    /// The failure has not been scrolled into view yet.
    has_news: bool,
    /// It has been drawn: its first empty field has the focus.
    is_shown: bool,
    /// This field is wrong: it takes the focus.
    corrects: Option<AccountField>,
    /// Height of the form in the last frame.
    height: f32,
    /// The same without what stands below its button.
    height_of_fields: f32,
    /// Space available to the form in the last frame.
    room: Vec2,
}

/// An attempt to sign in. While the user waits for it, the form is disabled.
#[derive(Debug)]
struct Attempt {
    /// The server being tried, as shown to the user.
    server: String,
    /// The previous account, until the engine has taken over this one.
    before: Option<Arc<Account>>,
    is_begun: bool,
    /// It failed once; the engine keeps retrying by itself.
    has_failed: bool,
    /// Whether the server is reached over TLS; unknown until it is asked.
    is_encrypted: Option<bool>,
}

impl Attempt {
    /// True once the engine tries this account, and no longer the one before.
    fn begins(&mut self, snapshot: &Snapshot) -> bool {
        self.is_begun |= match (&self.before, &snapshot.account) {
            (Some(before), Some(now)) => !Arc::ptr_eq(before, now),
            (None, now) => now.is_some(),
            (Some(_), None) => false,
        };
        self.is_begun
    }
}

#[derive(Debug)]
struct Failure {
    sentence: String,
    /// The server answered and refused; false if it was not reached.
    is_refusal: bool,
}

/// State of the sign-in attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SignInStage {
    /// There is no attempt.
    None,
    /// The user is waiting for it.
    Waiting,
    /// It failed, and is being retried in the background.
    Repeating,
    /// Signed in.
    Done,
}

impl SignInForm {
    /// Fills the form from an account that never worked, and shows the attempt that the engine makes with it at the
    /// start.
    pub(crate) fn of(account: Option<&Account>) -> Self {
        let Some(account) = account else { return Self::default() };
        let mut form = Self { fields: Fields::of(account), ..Self::default() };
        let server = form.fields.server();
        let attempt = Attempt { server, before: None, is_begun: true, has_failed: false, is_encrypted: None };
        form.attempt = Some(attempt);
        form
    }

    /// Shows the attempt that the window itself makes, with an account that takes the place of `before`.
    pub(crate) fn trying(account: &Account, before: Option<Arc<Account>>) -> Self {
        let mut form = Self::of(Some(account));
        if let Some(attempt) = &mut form.attempt {
            (attempt.before, attempt.is_begun) = (before, false);
        }
        form
    }

    /// Fills the form from a provisioning file. Nothing is tried yet, and the server is shown.
    pub(crate) fn handed_out(account: &Account) -> Self {
        Self { fields: Fields::handed_out(account), is_handed_out: true, ..Self::default() }
    }

    /// Says what is wrong with what the user chose.
    pub(crate) fn complain(&mut self, why: String) {
        (self.problem, self.has_news) = (Some(why), true);
    }

    /// What the user is told once the server has let them in; nothing if the form was not what led there.
    pub(crate) fn welcome(&self, snapshot: &Snapshot) -> Option<String> {
        let attempt = self.attempt.as_ref().filter(|_| is_in(snapshot))?;
        let server = &attempt.server;
        Some(match attempt.is_encrypted {
            Some(true) => say!("welcome-encrypted", server = server),
            Some(false) => say!("welcome-clear", server = server),
            None => say!("welcome", server = server),
        })
    }

    /// Updates the state of the attempt from a snapshot.
    fn follow(&mut self, snapshot: &Snapshot) -> SignInStage {
        let is_in = is_in(snapshot);
        let Some(attempt) = &mut self.attempt else {
            // For example after trusting a certificate authority in its dialog.
            return if is_in && snapshot.account.is_some() { SignInStage::Done } else { SignInStage::None };
        };
        if !attempt.begins(snapshot) {
            return SignInStage::Waiting;
        }
        let failure = match &snapshot.registration {
            RegistrationState::Connected | RegistrationState::ByList | RegistrationState::NoFanOut => {
                return SignInStage::Done;
            }
            RegistrationState::Connecting(
                ConnectStep::Asking { is_encrypted } | ConnectStep::Waiting { is_encrypted },
            ) => {
                attempt.is_encrypted = Some(*is_encrypted);
                None
            }
            RegistrationState::Idle | RegistrationState::Connecting(_) => None,
            RegistrationState::Offline { .. } => {
                let sentence = words::outage(snapshot).map(|why| format!("{why}."));
                let silent = || say!("no-answer-check", server = attempt.server);
                Some(Failure { sentence: sentence.unwrap_or_else(silent), is_refusal: false })
            }
            RegistrationState::Refused { .. } => {
                words::refusal(snapshot).map(|sentence| Failure { sentence, is_refusal: true })
            }
        };
        if let Some(failure) = failure {
            self.has_news |= !attempt.has_failed;
            attempt.has_failed = true;
            self.failure = Some(failure);
        }
        if attempt.has_failed { SignInStage::Repeating } else { SignInStage::Waiting }
    }

    /// The space above the form: it stays where it is when something appears below its button, as long as there is room.
    fn space_above(&self, room: f32) -> f32 {
        let at_rest = (room - self.height_of_fields - NEWS_HEIGHT) / 2.0;
        at_rest.min(room - self.height - MARGIN).max(MARGIN)
    }

    /// After the window was resized, the failure must be scrolled into view again.
    fn fit_into(&mut self, room: Vec2) {
        self.has_news |= self.room != room && (self.failure.is_some() || self.problem.is_some());
        self.room = room;
    }

    /// Records the form's height, and requests another layout if it changed.
    fn measured(&mut self, ui: &Ui, height: f32) {
        if (self.height - height).abs() > 0.5 {
            self.height = height;
            ui.ctx().request_discard("the form has another height");
        }
    }

    /// Scrolls to the failure, once, after the layout has settled.
    fn scroll_to_news(&mut self, ui: &Ui, news: egui::Rect) {
        if self.has_news && !ui.ctx().will_discard() {
            self.has_news = false;
            let place = news.expand2(vec2(0.0, MARGIN));
            ui.scroll_to_rect_animation(place, Some(egui::Align::BOTTOM), ScrollAnimation::none());
        }
    }

    /// Cancels the attempt because the user wants to change something.
    fn give_up(&mut self, acts: &mut Vec<Act>) {
        if self.attempt.take().is_some() {
            acts.push(Act::Ask(Command::Agent(AgentCommand::Disconnect)));
        }
    }
}

/// Draws the first screen. Returns `Done` once connected, or if the user continues offline.
pub(crate) fn sign_in_ui(
    ui: &mut Ui,
    form: &mut SignInForm,
    snapshot: &Snapshot,
    look: &Look,
    acts: &mut Vec<Act>,
) -> Progress {
    let room = ui.available_size();
    let shape = if room.y < LOW_BELOW && room.x > WIDE { Shape::Wide } else { Shape::Tall };
    let width = if shape == Shape::Wide { WIDE } else { TALL };
    form.fit_into(room);
    let mut progress = Progress::Here;
    egui::ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        ui.vertical_centered(|ui| {
            ui.add_space(form.space_above(room.y));
            let shown = ui.allocate_ui(vec2(width, 0.0), |ui| {
                ui.set_width(width);
                ui.with_layout(egui::Layout::top_down(egui::Align::Min), |ui| {
                    progress = form_ui(ui, form, shape, (snapshot, look), acts);
                });
            });
            form.measured(ui, shown.response.rect.height());
            ui.add_space(MARGIN);
        });
        keep_focus_in_view(ui);
    });
    progress
}

/// Below this height there is no room to stack the fields.
const LOW_BELOW: f32 = 520.0;
const TALL: f32 = 360.0;
const WIDE: f32 = 560.0;
const MARGIN: f32 = 16.0;
/// The usual height of what appears below the button.
const NEWS_HEIGHT: f32 = 72.0;

/// The layout of the fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// Stacked.
    Tall,
    /// Two per row.
    Wide,
}

/// Whether to leave the first screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// Not yet.
    Here,
    /// Continue to the conversations.
    Done,
}

fn form_ui(
    ui: &mut Ui,
    form: &mut SignInForm,
    shape: Shape,
    (snapshot, look): (&Snapshot, &Look),
    acts: &mut Vec<Act>,
) -> Progress {
    ui.spacing_mut().item_spacing.y = 10.0;
    ui.label(RichText::new("Fanfare").font(theme::strong(28.0)));
    ui.label(RichText::new(lead(form.is_handed_out)).color(colors(ui).weak));
    if shape == Shape::Tall {
        ui.add_space(8.0);
    }
    let stage = form.follow(snapshot);
    if stage == SignInStage::Done {
        return Progress::Done;
    }
    let is_waiting = stage == SignInStage::Waiting;
    let nearby = nearby_ui(ui, &form.offers.nearby).filter(|_| !is_waiting);
    let edited = ui.add_enabled_ui(!is_waiting, |ui| typing_ui(ui, form, shape, snapshot)).inner;
    if edited || nearby.is_some() {
        form.give_up(acts);
    }
    if let Some(server) = nearby {
        form.fields.choose(&server.domain, server.server);
        // In the next frame, when the button has given the focus away.
        form.corrects = Some(AccountField::Address);
        ui.ctx().request_repaint();
    }
    ui.add_space(4.0);
    if connect_asked(ui, form, is_waiting) {
        connect(form, snapshot, acts);
    }
    offers_ui(ui, &form.offers, acts);
    form.height_of_fields = ui.min_rect().height();
    attempt_ui(ui, form, snapshot, is_waiting, acts);
    let top = ui.cursor().left_top();
    let is_done = failure_ui(ui, form, snapshot, look, acts);
    form.scroll_to_news(ui, egui::Rect::from_min_max(top, ui.min_rect().max));
    if is_done { Progress::Done } else { Progress::Here }
}

/// The button; true if it was pressed, or Enter was.
fn connect_asked(ui: &mut Ui, form: &SignInForm, is_waiting: bool) -> bool {
    let is_in_front = ui.memory(|memory| memory.top_modal_layer().is_none());
    let entered =
        is_in_front && ui.input(|input| input.key_pressed(Key::Enter) && input.modifiers == Modifiers::NONE);
    let label = if is_waiting { say!("connecting-button") } else { say!("connect") };
    let ready = !is_waiting && !form.fields.address.trim().is_empty();
    let pressed = ui.vertical_centered_justified(|ui| primary(ui, label, ready).clicked()).inner;
    (pressed || entered) && ready
}

/// What has been done so far, what is under way, and a button to give that up.
fn attempt_ui(
    ui: &mut Ui,
    form: &mut SignInForm,
    snapshot: &Snapshot,
    is_waiting: bool,
    acts: &mut Vec<Act>,
) {
    let Some(attempt) = &form.attempt else { return };
    steps_ui(ui, attempt, snapshot);
    let Some(words) = under_way(attempt, snapshot) else { return };
    ui.horizontal(|ui| {
        hint(ui, &words);
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            if is_waiting && small_button(ui, say!("cancel")).clicked() {
                form.give_up(acts);
            }
        });
    });
}

/// Draws the fields; true if one was changed.
fn typing_ui(ui: &mut Ui, form: &mut SignInForm, shape: Shape, snapshot: &Snapshot) -> bool {
    let is_known = snapshot.account.as_ref().is_some_and(|account| !account.sign_in.password.is_empty());
    let kept = if is_known { say!("unchanged") } else { "" };
    // Only then can something be typed at once.
    let is_new = ui.is_enabled() && !std::mem::replace(&mut form.is_shown, true);
    let corrects = form.corrects.take();
    let address = (is_new && form.fields.address.is_empty()) || corrects == Some(AccountField::Address);
    // A server that was not reached is not reached with another password either: what is offered stays in view.
    let is_about_password = form.failure.as_ref().is_none_or(|failure| failure.is_refusal);
    let password = is_new && !address && is_about_password;
    let takes = |field: AccountField| corrects == Some(field);
    let focus =
        Takes { address, password, proxy: takes(AccountField::Proxy), port: takes(AccountField::Port) };
    fields_ui(ui, &mut form.fields, shape, focus, kept)
}

/// The server has let us in.
const fn is_in(snapshot: &Snapshot) -> bool {
    matches!(
        snapshot.registration,
        RegistrationState::Connected | RegistrationState::ByList | RegistrationState::NoFanOut
    )
}

fn connect(form: &mut SignInForm, snapshot: &Snapshot, acts: &mut Vec<Act>) {
    let account = form.fields.account(snapshot.account.as_deref());
    let wrong = form.fields.wrong_port();
    let wrong = wrong.or_else(|| account.check().err().map(|wrong| account_problem(&wrong)));
    form.corrects = wrong.as_ref().map(|(field, _)| *field);
    form.corrects.into_iter().for_each(|field| form.fields.show(field));
    form.problem = wrong.map(|(_, words)| words);
    if form.problem.is_none() {
        begin(form, account, snapshot, acts);
    } else {
        form.has_news = true;
    }
}

fn begin(form: &mut SignInForm, account: Account, snapshot: &Snapshot, acts: &mut Vec<Act>) {
    let (server, before) = (form.fields.server(), snapshot.account.clone());
    form.attempt = Some(Attempt { server, before, is_begun: false, has_failed: false, is_encrypted: None });
    // What went wrong before says nothing of this attempt.
    form.failure = None;
    acts.push(Act::Ask(Command::PutAccount(account)));
    acts.push(Act::Ask(Command::Agent(AgentCommand::Connect)));
}
