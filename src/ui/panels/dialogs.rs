//! The dialogs in front of the window: settings, contact, list, keyboard shortcuts, quitting, and more.

use egui::{Align, Id, Key, Layout, Modal, Modifiers, RichText, Ui, vec2};

use super::certificate::{Decision, authority_ui, certificate_ui};
use super::settings::{AccountForm, settings_ui};
use crate::model::account::Account;
use crate::model::command::{AgentCommand, Command};
use crate::model::contacts::{Contact, List, address_key};
use crate::model::snapshot::{Person, Snapshot};
use crate::sip::Uri;
use crate::ui::actions::Act;
use crate::ui::compose::attach::attach_ui;
use crate::ui::keys;
use crate::ui::kit::icons::{Icon, icon_button};
use crate::ui::kit::theme::{self, colors};
use crate::ui::kit::widgets::{banner, field, hint, mend_button, primary};
use crate::ui::kit::words::{self, Look};

/// The open dialog.
#[derive(Debug)]
pub(crate) enum Dialog {
    /// The settings.
    Settings(Box<AccountForm>),
    /// A contact.
    Contact(ContactForm),
    /// A new list.
    List(ListForm),
    /// Which file to attach, by path.
    Attach(String),
    /// The certificate authority to trust, by the path of its file.
    Authority(String),
    /// The server's certificate.
    Certificate,
    /// The keyboard shortcuts.
    Keys,
    /// Quitting while messages are still waiting to be sent.
    Leaving {
        /// How many.
        waiting: usize,
    },
}

/// A contact being edited.
#[derive(Debug)]
pub(crate) struct ContactForm {
    before: Option<Contact>,
    name: String,
    address: String,
    problem: Option<String>,
}

impl ContactForm {
    /// Edits a contact, or a new one.
    pub(crate) fn of(contact: Option<Contact>) -> Self {
        let (name, address) =
            contact.as_ref().map(|old| (old.name.clone(), words::address(&old.address))).unwrap_or_default();
        Self { before: contact, name, address, problem: None }
    }
}

/// A new list being named.
#[derive(Debug)]
pub(crate) struct ListForm {
    people: Vec<Person>,
    name: String,
}

impl ListForm {
    /// A list of these people, still without a name.
    pub(crate) fn of(people: Vec<Person>) -> Self {
        Self { people, name: String::new() }
    }
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

/// Draws the dialog.
pub(crate) fn dialog_ui(
    ctx: &egui::Context,
    dialog: &mut Dialog,
    (snapshot, look): (&Snapshot, &Look),
    acts: &mut Vec<Act>,
) -> Outcome {
    let dark = ctx.global_style().visuals.dark_mode;
    let frame = egui::Frame::popup(&ctx.global_style()).inner_margin(20);
    // Each kind has its own id, so that none inherits the size or scroll position of another.
    let (id, room) = (Id::unique(("dialog", title(dialog))), ctx.content_rect().size());
    // Otherwise it is 400 high, however much space there is.
    let area = Modal::default_area(id).default_height(room.y);
    let modal = Modal::new(id).area(area).backdrop_color(theme::veil(dark)).frame(frame);
    let shown = modal.show(ctx, |ui| {
        let is_wide = matches!(dialog, Dialog::Settings(_) | Dialog::Keys | Dialog::Certificate);
        ui.set_width((room.x - 80.0).min(if is_wide { 520.0 } else { 400.0 }));
        let closed = title_ui(ui, title(dialog));
        let outcome = match dialog {
            Dialog::Settings(form) => {
                settings_ui(ui, form, snapshot, acts);
                Outcome::Open
            }
            Dialog::Contact(form) => contact_ui(ui, form, acts),
            Dialog::List(form) => list_ui(ui, form, acts),
            Dialog::Attach(path) => match attach_ui(ui, path, enter(ui)) {
                Some(path) => {
                    acts.push(Act::Attach(path));
                    Outcome::Closed
                }
                None => Outcome::Open,
            },
            Dialog::Authority(path) => match authority_ui(ui, path, enter(ui)) {
                Some(path) => {
                    put_account(snapshot, acts, |account| account.tls_ca = Some(path));
                    Outcome::Closed
                }
                None => Outcome::Open,
            },
            Dialog::Certificate => certificate_dialog(ui, (snapshot, look), acts),
            Dialog::Keys => keys_ui(ui),
            Dialog::Leaving { waiting } => leaving_ui(ui, *waiting),
        };
        if closed { Outcome::Closed } else { outcome }
    });
    if shown.inner == Outcome::Open && shown.should_close() { Outcome::Closed } else { shown.inner }
}

const fn title(dialog: &Dialog) -> &'static str {
    match dialog {
        Dialog::Settings(_) => "Settings",
        Dialog::Contact(ContactForm { before: Some(_), .. }) => "Edit contact",
        Dialog::Contact(ContactForm { before: None, .. }) => "Add contact",
        Dialog::List(_) => "Save as list",
        Dialog::Attach(_) => "Attach a file",
        Dialog::Authority(_) => "Choose an authority",
        Dialog::Certificate => "Is this your server?",
        Dialog::Keys => "Keyboard shortcuts",
        Dialog::Leaving { .. } => "Messages are still waiting",
    }
}

/// Applies a change to the account at once.
fn put_account(snapshot: &Snapshot, acts: &mut Vec<Act>, change: impl FnOnce(&mut Account)) {
    if let Some(account) = &snapshot.account {
        let mut account = Account::clone(account);
        change(&mut account);
        acts.push(Act::Ask(Command::PutAccount(account)));
        acts.push(Act::Ask(Command::Agent(AgentCommand::Connect)));
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

fn title_ui(ui: &mut Ui, title: &str) -> bool {
    let closed = ui.horizontal(|ui| {
        ui.label(RichText::new(title).font(theme::strong(17.0)));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            icon_button(ui, Icon::Close, "Close").clicked()
        })
        .inner
    });
    ui.add_space(4.0);
    closed.inner
}

fn enter(ui: &Ui) -> bool {
    ui.input(|input| input.key_pressed(Key::Enter) && input.modifiers == Modifiers::NONE)
}

fn contact_ui(ui: &mut Ui, form: &mut ContactForm, acts: &mut Vec<Act>) -> Outcome {
    ui.spacing_mut().item_spacing.y = 8.0;
    field(ui, "Name", &mut form.name, "Ann Lee");
    field(ui, "SIP address", &mut form.address, "ann@example.com");
    if let Some(problem) = &form.problem {
        banner(ui, problem, colors(ui).red, colors(ui).red_soft);
    }
    let entered = enter(ui);
    ui.add_space(4.0);
    ui.horizontal(|ui| {
        let filled = !form.address.trim().is_empty();
        if (primary(ui, "Save contact", filled).clicked() || (entered && filled)) && save_contact(form, acts)
        {
            return Outcome::Closed;
        }
        if let Some(before) = &form.before
            && mend_button(ui, "Remove").clicked()
        {
            acts.push(Act::Ask(Command::RemoveContact { address: before.address.clone() }));
            return Outcome::Closed;
        }
        Outcome::Open
    })
    .inner
}

/// Saves the contact; if the address is invalid, sets an error message and returns false.
fn save_contact(form: &mut ContactForm, acts: &mut Vec<Act>) -> bool {
    let uri = Uri::typed(&form.address).ok().filter(Uri::names_somebody);
    let Some(uri) = uri else {
        form.problem = Some("This is not a SIP address. Enter one like ann@example.com.".to_owned());
        return false;
    };
    let address = uri.as_str().to_owned();
    let simulated = form.before.as_ref().is_some_and(|before| before.simulated);
    if let Some(before) = &form.before
        && address_key(&before.address) != address_key(&address)
    {
        acts.push(Act::Ask(Command::RemoveContact { address: before.address.clone() }));
    }
    acts.push(Act::Ask(Command::PutContact(Contact {
        address,
        name: form.name.trim().to_owned(),
        simulated,
    })));
    true
}

fn list_ui(ui: &mut Ui, form: &mut ListForm, acts: &mut Vec<Act>) -> Outcome {
    ui.spacing_mut().item_spacing.y = 8.0;
    hint(ui, &words::people(&form.people, 8));
    field(ui, "List name", &mut form.name, "Team");
    let filled = !form.name.trim().is_empty();
    let entered = enter(ui);
    ui.add_space(4.0);
    if primary(ui, "Save list", filled).clicked() || (entered && filled) {
        let members = form.people.iter().map(|person| person.address.clone()).collect();
        acts.push(Act::Ask(Command::PutList(List { name: form.name.trim().to_owned(), members })));
        return Outcome::Closed;
    }
    Outcome::Open
}

fn keys_ui(ui: &mut Ui) -> Outcome {
    let height = (ui.ctx().content_rect().height() - 160.0).clamp(120.0, 480.0);
    egui::ScrollArea::vertical().max_height(height).show(ui, |ui| {
        egui::Grid::new("keys").num_columns(2).spacing(vec2(24.0, 4.0)).show(ui, |ui| {
            for (keys, what) in keys::TABLE {
                ui.label(RichText::new(*keys).font(theme::strong(13.0)));
                ui.label(RichText::new(*what).color(colors(ui).weak));
                ui.end_row();
            }
        });
    });
    Outcome::Open
}

fn leaving_ui(ui: &mut Ui, waiting: usize) -> Outcome {
    let sentence = match waiting {
        1 => "1 message has not been sent yet. It will be sent when you start Fanfare again.".to_owned(),
        many => {
            format!("{many} messages have not been sent yet. They will be sent when you start Fanfare again.")
        }
    };
    ui.label(sentence);
    ui.add_space(8.0);
    ui.horizontal(|ui| {
        if primary(ui, "Stay", true).clicked() {
            return Outcome::Closed;
        }
        if ui.button("Quit").clicked() { Outcome::Leave } else { Outcome::Open }
    })
    .inner
}
