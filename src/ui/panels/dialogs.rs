//! The dialogs in front of the window: settings, contact, list, keyboard shortcuts, quitting, and more.

use egui::{Align, Id, Layout, Modal, Rect, Response, RichText, Ui, vec2};

use super::account::{leaving_ui, password_ui, put_account, remove_ui};
use super::asking::{DiscardChoice, asking_ui};
use super::certificate::{Decision, authority_ui, certificate_ui};
use super::correct::{CorrectForm, correct_ui};
use super::export::{ExportForm, export_ui};
use super::hosting::{HostForm, hosting_ui};
use super::import::{ImportForm, import_ui};
use super::later::{LaterForm, later_ui};
use super::people::{ContactForm, FormOutcome, ListForm, RenameForm, contact_ui, list_ui, rename_ui};
use super::record::{RecordForm, record_ui};
use super::settings::{AccountForm, settings_ui};
use super::starting::{WayBack, background_ui};
use super::whole::{WholeText, whole_ui};
use crate::model::hosting::HostView;
use crate::model::snapshot::Snapshot;
use crate::ui::actions::{Act, TestingAct};
use crate::ui::commands;
use crate::ui::compose::attach::{AttachForm, attach_ui, capture_ui};
use crate::ui::kit::edit;
use crate::ui::kit::icons::{Icon, icon_button};
use crate::ui::kit::theme::{self, colors};
use crate::ui::kit::widgets::{banner, entered, hide_tooltip};
use crate::ui::kit::words::{self, Look};
use crate::ui::text::say;

/// What a dialog is about.
#[derive(Debug)]
pub(crate) enum Dialog {
    /// The settings.
    Settings(Box<AccountForm>),
    /// A contact.
    Contact(ContactForm),
    /// A list, new or known.
    List(ListForm),
    /// A conversation's name.
    Rename(RenameForm),
    /// Contacts to import.
    Import(Box<ImportForm>),
    /// The corrected address of a recipient.
    Correct(CorrectForm),
    /// How to save a delivery record.
    Record(RecordForm),
    /// How to export a conversation.
    Export(ExportForm),
    /// All of a long text.
    Whole(WholeText),
    /// When to send a message.
    Later(Box<LaterForm>),
    /// Which file to attach, by path.
    Attach(AttachForm),
    /// Which capture to look into, by path.
    Capture(String),
    /// The certificate authority to trust, by the path of its file.
    Authority(String),
    /// A server on this computer.
    Hosting(Box<HostForm>),
    /// The server's certificate.
    Certificate,
    /// What closing the window does, asked once.
    Background(WayBack),
    /// Another password for the account, as typed so far.
    Password(String),
    /// Whether the account is removed.
    RemoveAccount,
    /// The keyboard shortcuts.
    Keys,
    /// Quitting while messages are still waiting to be sent.
    Leaving {
        /// How many.
        waiting: usize,
    },
}

/// What happens to a dialog after this frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It stays open.
    Open,
    /// It closes.
    Closed,
    /// The user quits.
    Leave,
}

impl From<FormOutcome> for Outcome {
    fn from(outcome: FormOutcome) -> Self {
        match outcome {
            FormOutcome::Open => Self::Open,
            FormOutcome::Closed => Self::Closed,
        }
    }
}

/// A dialog on the screen.
#[derive(Debug)]
pub(crate) struct OpenDialog {
    dialog: Dialog,
    /// Makes the ids of its fields its own: nothing typed into an earlier dialog can be undone into this one.
    number: u64,
    /// It has not been drawn yet: it takes the focus.
    is_new: bool,
    /// The user wants to close it although something was typed, and is asked.
    is_asking: bool,
}

impl OpenDialog {
    /// Opens a dialog; `number` differs from those of all others.
    pub(crate) const fn new(dialog: Dialog, number: u64) -> Self {
        Self { dialog, number, is_new: true, is_asking: false }
    }

    fn id(&self) -> Id {
        // Each begins at its top, and with the size that the window has room for now.
        Id::unique(("dialog", self.number))
    }

    /// Where it was drawn in the last frame.
    pub(crate) fn rect(&self, ctx: &egui::Context) -> Option<Rect> {
        ctx.memory(|memory| memory.area_rect(self.id()))
    }

    /// Something was typed that closing would lose.
    fn holds_typing(&self, snapshot: &Snapshot) -> bool {
        match &self.dialog {
            Dialog::Contact(form) => form.is_changed(),
            Dialog::List(form) => form.is_changed(),
            Dialog::Rename(form) => form.is_changed(),
            Dialog::Import(form) => form.is_changed(),
            Dialog::Correct(form) => form.is_changed(),
            Dialog::Later(form) => form.is_changed(),
            Dialog::Attach(form) => form.is_changed(),
            Dialog::Authority(text) | Dialog::Capture(text) | Dialog::Password(text) => {
                !text.trim().is_empty()
            }
            Dialog::Settings(form) => form.is_changed(snapshot.account.as_deref()),
            Dialog::Hosting(form) => form.is_changed(),
            Dialog::Record(_)
            | Dialog::Export(_)
            | Dialog::Whole(_)
            | Dialog::Certificate
            | Dialog::Background(_)
            | Dialog::RemoveAccount
            | Dialog::Keys
            | Dialog::Leaving { .. } => false,
        }
    }

    /// The form for an import, if it is open.
    pub(crate) fn import_form(&mut self) -> Option<&mut ImportForm> {
        if let Dialog::Import(form) = &mut self.dialog { Some(form) } else { None }
    }

    /// What an open dialog shows of a server on this computer.
    #[expect(clippy::wildcard_enum_match_arm, reason = "the other dialogs show nothing of it")]
    pub(crate) const fn host_view(&mut self) -> Option<&mut HostView> {
        match &mut self.dialog {
            Dialog::Hosting(form) => Some(&mut form.view),
            Dialog::Settings(form) => Some(&mut form.hosted),
            _ => None,
        }
    }

    /// The settings, if they are open.
    pub(crate) fn settings_form(&mut self) -> Option<&mut AccountForm> {
        if let Dialog::Settings(form) = &mut self.dialog { Some(form) } else { None }
    }

    /// The form for a file to attach, if it is open.
    pub(crate) fn attach_form(&mut self) -> Option<&mut AttachForm> {
        if let Dialog::Attach(form) = &mut self.dialog { Some(form) } else { None }
    }

    /// The user wants to close it: asks first where something was typed.
    fn close(&mut self, snapshot: &Snapshot) -> Outcome {
        // The path of a file is soon typed again.
        let is_worth_asking = !matches!(self.dialog, Dialog::Attach(_)) && self.holds_typing(snapshot);
        if !self.is_asking && is_worth_asking {
            self.is_asking = true;
            return Outcome::Open;
        }
        Outcome::Closed
    }
}

/// Draws the dialog.
pub(crate) fn dialog_ui(
    ctx: &egui::Context,
    open: &mut OpenDialog,
    (snapshot, look): (&Snapshot, &Look),
    acts: &mut Vec<Act>,
) -> Outcome {
    let dark = ctx.global_style().visuals.dark_mode;
    let frame = egui::Frame::popup(&ctx.global_style()).inner_margin(20);
    let (id, room) = (open.id(), ctx.content_rect().size());
    // Otherwise it is 400 high, however much space there is.
    let area = Modal::default_area(id).default_height(room.y);
    let modal = Modal::new(id).area(area).backdrop_color(theme::veil(dark)).frame(frame);
    let is_new = std::mem::take(&mut open.is_new);
    if is_new {
        hide_tooltip(ctx);
    }
    let number = open.number;
    let draw = |ui: &mut Ui| {
        let dialog = &open.dialog;
        let is_wide = matches!(
            dialog,
            Dialog::Settings(_)
                | Dialog::Keys
                | Dialog::Certificate
                | Dialog::Import(_)
                | Dialog::Hosting(_)
                | Dialog::Whole(_)
        );
        ui.set_width((room.x - 80.0).min(if is_wide { 520.0 } else { 400.0 }));
        // Otherwise it stays as low as it was in a window that was lower.
        ui.set_max_height(room.y);
        let close = title_ui(ui, title(dialog));
        if is_new {
            // A field takes it from here, if there is one.
            close.request_focus();
        }
        let answer = if open.is_asking { asking_ui(ui) } else { None };
        let outcome = contents_ui(ui, &mut open.dialog, is_new, (snapshot, look), acts);
        (close.clicked(), answer, outcome)
    };
    let shown = edit::in_dialog(ctx, number, || modal.show(ctx, draw));
    let beside = shown.backdrop_response.clicked();
    // Esc is consumed here, and a click beside the dialog comes with it.
    let escape = shown.should_close() && !beside;
    let (closed, answer, outcome) = shown.inner;
    match answer {
        Some(DiscardChoice::Discard) => return Outcome::Closed,
        // The field takes the focus again.
        Some(DiscardChoice::Keep) => (open.is_asking, open.is_new) = (false, true),
        None => {}
    }
    if outcome != Outcome::Open {
        return outcome;
    }
    if escape && open.is_asking {
        open.is_asking = false;
        return Outcome::Open;
    }
    // A click beside may have been a mistake: it closes only what holds nothing.
    if closed || escape || (beside && !open.holds_typing(snapshot)) {
        return open.close(snapshot);
    }
    Outcome::Open
}

fn contents_ui(
    ui: &mut Ui,
    dialog: &mut Dialog,
    is_new: bool,
    (snapshot, look): (&Snapshot, &Look),
    acts: &mut Vec<Act>,
) -> Outcome {
    match dialog {
        Dialog::Settings(form) => {
            settings_ui(ui, form, (snapshot, look), acts);
            Outcome::Open
        }
        Dialog::Contact(form) => contact_ui(ui, form, is_new, &snapshot.book, acts).into(),
        Dialog::List(form) => list_ui(ui, form, is_new, (&snapshot.book, &snapshot.names), acts).into(),
        Dialog::Import(form) => import_ui(ui, form, is_new, &snapshot.book, acts).into(),
        Dialog::Rename(form) => rename_ui(ui, form, is_new, acts).into(),
        Dialog::Correct(form) => correct_ui(ui, form, is_new, &snapshot.book, acts).into(),
        Dialog::Export(form) => export_ui(ui, form, is_new, acts).into(),
        Dialog::Whole(text) => {
            whole_ui(ui, text, is_new);
            Outcome::Open
        }
        Dialog::Record(form) => record_ui(ui, form, is_new, acts).into(),
        Dialog::Later(form) => later_ui(ui, form, is_new, look, acts).into(),
        Dialog::Attach(form) => {
            // It closes once the file was read.
            acts.extend(attach_ui(ui, form, entered(ui)).map(Act::Attach));
            Outcome::Open
        }
        Dialog::Capture(path) => match capture_ui(ui, path, entered(ui)) {
            Some(path) => {
                acts.push(Act::Testing(TestingAct::OpenCapture(path)));
                Outcome::Closed
            }
            None => Outcome::Open,
        },
        Dialog::Authority(path) => match authority_ui(ui, path, entered(ui)) {
            Some(path) => {
                put_account(snapshot, acts, |account| account.tls_ca = Some(path));
                Outcome::Closed
            }
            None => Outcome::Open,
        },
        Dialog::Hosting(form) => {
            let own = snapshot.account.as_ref().map_or("", |account| account.address.as_str());
            hosting_ui(ui, form, is_new, own, acts);
            Outcome::Open
        }
        Dialog::Certificate => certificate_dialog(ui, (snapshot, look), acts),
        Dialog::Background(way_back) if background_ui(ui, is_new, *way_back, acts) => Outcome::Closed,
        Dialog::Background(_) => Outcome::Open,
        Dialog::Password(typed) => password_ui(ui, typed, is_new, snapshot, acts),
        Dialog::RemoveAccount => remove_ui(ui, is_new, snapshot, acts),
        Dialog::Keys => keys_ui(ui),
        Dialog::Leaving { waiting } => leaving_ui(ui, *waiting, is_new),
    }
}

fn title(dialog: &Dialog) -> &'static str {
    match dialog {
        Dialog::Settings(_) => say!("settings"),
        Dialog::Contact(form) if form.edits() => say!("edit-contact"),
        Dialog::Contact(_) => say!("add-contact-title"),
        Dialog::List(form) if form.edits() => say!("edit-list"),
        Dialog::List(_) => say!("save-as-list-title"),
        Dialog::Rename(_) => say!("rename-title"),
        Dialog::Import(_) => say!("import-title"),
        Dialog::Correct(_) => say!("correct-title"),
        Dialog::Whole(_) => say!("whole-title"),
        Dialog::Export(_) => say!("export-title"),
        Dialog::Record(_) => say!("record-title"),
        Dialog::Later(_) => say!("later-title"),
        Dialog::Attach(_) => say!("attach-title"),
        Dialog::Capture(_) => say!("capture-title"),
        Dialog::Authority(_) => say!("authority-title"),
        Dialog::Hosting(_) => say!("hosting-title"),
        Dialog::Certificate => say!("certificate-title"),
        Dialog::Background(_) => say!("background-title"),
        Dialog::Password(_) => say!("change-password"),
        Dialog::RemoveAccount => say!("remove-account-title"),
        Dialog::Keys => say!("keys-title"),
        Dialog::Leaving { .. } => say!("leaving-title"),
    }
}

/// Closes by itself once the server is trusted.
fn certificate_dialog(ui: &mut Ui, (snapshot, look): (&Snapshot, &Look), acts: &mut Vec<Act>) -> Outcome {
    let Some(untrusted) = &snapshot.untrusted else { return Outcome::Closed };
    if let Some(why) = words::outage(snapshot) {
        banner(ui, &format!("{why}."), colors(ui).amber, colors(ui).amber_soft);
    }
    match certificate_ui(ui, untrusted, look) {
        Some(Decision::Trust(trusted)) => {
            put_account(snapshot, acts, |account| account.trusted = Some(trusted));
            Outcome::Closed
        }
        Some(Decision::ChooseAuthority) => {
            acts.push(Act::AskForAuthority);
            Outcome::Open
        }
        None => Outcome::Open,
    }
}

/// The title, and the button that closes the dialog.
fn title_ui(ui: &mut Ui, title: &str) -> Response {
    let close = ui.horizontal(|ui| {
        ui.label(RichText::new(title).font(theme::strong(17.0)));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| icon_button(ui, Icon::Close, say!("close")))
            .inner
    });
    ui.add_space(4.0);
    close.inner
}

fn keys_ui(ui: &mut Ui) -> Outcome {
    let height = (ui.ctx().content_rect().height() - 160.0).clamp(120.0, 480.0);
    egui::ScrollArea::vertical().max_height(height).show(ui, |ui| {
        egui::Grid::new("keys").num_columns(2).spacing(vec2(24.0, 4.0)).show(ui, |ui| {
            for (keys, what) in commands::sheet() {
                ui.label(RichText::new(keys).font(theme::strong(13.0)));
                ui.label(RichText::new(what).color(colors(ui).weak));
                ui.end_row();
            }
        });
    });
    Outcome::Open
}
