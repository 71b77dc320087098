//! The first run: an address, a server, **Connect**, and one sentence when it fails.

use std::net::{IpAddr, SocketAddr};

use eframe::egui;
use egui::{Key, Modifiers, RichText, Ui, vec2};

use crate::client::account::{Account, Password, RegistrationState, Step};
use crate::client::command::{AgentCommand, Command};
use crate::client::reason::account_words;
use crate::client::snapshot::Snapshot;
use crate::sip::Uri;
use crate::ui::act::Act;
use crate::ui::theme::{self, colors};
use crate::ui::widgets::{banner, field, hint, primary, secret_field};
use crate::ui::words::{self, Look};

/// A week: how long a message waits for somebody who is offline, where the server keeps it (W8).
pub(crate) const EXPIRES_DEFAULT_SECS: u32 = 604_800;

/// What may be typed for the proxy.
pub(crate) const PROXY_HINT: &str = "found by your address, or sip.example.com";

/// What is typed on the first screen.
#[derive(Debug, Default)]
pub(crate) struct SignInForm {
    name: String,
    address: String,
    password: String,
    proxy: String,
    problem: Option<String>,
    /// Connect was pressed: what the engine says now is about it.
    asked: bool,
}

/// The account as typed: a bare address becomes `sip:`, a bare server `udp:…:5060`.
pub(crate) fn typed_account(name: &str, address: &str, proxy: &str) -> Account {
    let address =
        Uri::typed(address).map_or_else(|_| address.trim().to_owned(), |uri| uri.as_str().to_owned());
    Account {
        address,
        name: name.trim().to_owned(),
        proxy: typed_proxy(proxy),
        expires_secs: Some(EXPIRES_DEFAULT_SECS),
        ..Account::default()
    }
}

/// `127.0.0.1` and `127.0.0.1:5070` are meant as UDP, port 5060 where none is given; a name is looked up as it stands, and
/// nothing at all is the domain of the address (RFC 3263).
pub(crate) fn typed_proxy(text: &str) -> String {
    let place = text.trim().replace("localhost", "127.0.0.1");
    let literal = place.trim_matches(['[', ']']);
    if literal.parse::<IpAddr>().is_ok() {
        format!("udp:{place}:5060")
    } else if place.parse::<SocketAddr>().is_ok() {
        format!("udp:{place}")
    } else {
        place
    }
}

/// The first screen. `Done` once connected, or when the person goes on offline.
pub(crate) fn sign_in_ui(
    ui: &mut Ui,
    form: &mut SignInForm,
    snapshot: &Snapshot,
    look: &Look,
    acts: &mut Vec<Act>,
) -> Progress {
    let height = ui.available_height();
    let mut progress = Progress::Here;
    egui::ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        ui.vertical_centered(|ui| {
            ui.add_space(((height - 480.0) / 2.0).max(16.0));
            ui.allocate_ui(vec2(360.0, 0.0), |ui| {
                ui.set_width(360.0);
                ui.with_layout(egui::Layout::top_down(egui::Align::Min), |ui| {
                    progress = form_ui(ui, form, snapshot, look, acts);
                });
            });
        });
    });
    progress
}

/// Whether the first screen is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// Not yet.
    Here,
    /// On to the conversations.
    Done,
}

fn form_ui(
    ui: &mut Ui,
    form: &mut SignInForm,
    snapshot: &Snapshot,
    look: &Look,
    acts: &mut Vec<Act>,
) -> Progress {
    ui.spacing_mut().item_spacing.y = 10.0;
    ui.label(RichText::new("Fanfare").font(theme::strong(28.0)));
    ui.label(
        RichText::new("Add your SIP address to start, or try the demo (fanfare demo).")
            .color(colors(ui).weak),
    );
    ui.add_space(8.0);
    field(ui, "SIP address", &mut form.address, "james@example.com");
    secret_field(ui, "Password", &mut form.password, "");
    field(ui, "Proxy", &mut form.proxy, PROXY_HINT);
    field(ui, "Your name", &mut form.name, "James");
    ui.add_space(4.0);
    let entered = ui.input(|input| input.key_pressed(Key::Enter) && input.modifiers == Modifiers::NONE);
    let busy = form.asked && matches!(snapshot.registration, RegistrationState::Connecting(_));
    let filled = !form.address.trim().is_empty();
    let label = if busy { "Connecting…" } else { "Connect" };
    let pressed = ui.vertical_centered_justified(|ui| primary(ui, label, filled && !busy).clicked()).inner;
    if (pressed || entered) && filled && !busy {
        connect(form, acts);
    }
    outcome_ui(ui, form, snapshot, look)
}

fn connect(form: &mut SignInForm, acts: &mut Vec<Act>) {
    let mut account = typed_account(&form.name, &form.address, &form.proxy);
    account.sign_in.password = Password::new(form.password.clone());
    form.problem = account.check().err().map(|wrong| wrong.to_string());
    form.asked = form.problem.is_none();
    if form.asked {
        acts.push(Act::Ask(Command::PutAccount(account)));
        acts.push(Act::Ask(Command::Agent(AgentCommand::Connect)));
    }
}

impl SignInForm {
    /// The server, as a person would call it.
    fn server(&self) -> String {
        let typed = self.proxy.trim();
        let home = || self.address.rsplit('@').next().unwrap_or_default().trim().to_owned();
        if typed.is_empty() { home() } else { typed.to_owned() }
    }
}

/// What is under way.
fn step_words(step: Step, server: &str) -> String {
    match step {
        Step::Finding => format!("Looking up {server}…"),
        Step::Opening => format!("Connecting to {server}…"),
        Step::Asking => format!("Signing in at {server}…"),
    }
}

fn outcome_ui(ui: &mut Ui, form: &SignInForm, snapshot: &Snapshot, look: &Look) -> Progress {
    let colors = colors(ui);
    if let Some(problem) = &form.problem {
        banner(ui, problem, colors.red, colors.red_soft);
        return Progress::Here;
    }
    if !form.asked || snapshot.account.is_none() {
        return Progress::Here;
    }
    match &snapshot.registration {
        RegistrationState::Connected | RegistrationState::ByList | RegistrationState::NoFanOut => {
            return Progress::Done;
        }
        RegistrationState::Idle => {}
        RegistrationState::Connecting(step) => hint(ui, &step_words(*step, &form.server())),
        RegistrationState::Offline { why, .. } => {
            let sentence = why.as_deref().map(|why| format!("{}.", words::sentence(why)));
            let sentence = sentence.unwrap_or_else(|| {
                format!(
                    "No answer from {}. Check the proxy's address and that you are online. {}.",
                    form.server(),
                    look.account(snapshot)
                )
            });
            banner(ui, &sentence, colors.amber, colors.amber_soft);
            if ui.button("Go on offline").clicked() {
                return Progress::Done;
            }
        }
        RegistrationState::Refused { status, reason } => {
            let sentence = format!("{} ({status} {reason}).", account_words(*status));
            banner(ui, &sentence, colors.red, colors.red_soft);
        }
    }
    Progress::Here
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_number_is_meant_as_udp_port_5060_and_a_name_is_looked_up() {
        for (typed, meant) in [
            ("192.0.2.1", "udp:192.0.2.1:5060"),
            ("192.0.2.1:5070", "udp:192.0.2.1:5070"),
            ("TCP:192.0.2.1", "TCP:192.0.2.1"),
            ("tls:sip.example.com", "tls:sip.example.com"),
            (" sip.example.com ", "sip.example.com"),
            ("", ""),
            ("udp:[::1]:5060", "udp:[::1]:5060"),
            ("[::1]", "udp:[::1]:5060"),
            ("localhost:5062", "udp:127.0.0.1:5062"),
        ] {
            assert_eq!(typed_proxy(typed), meant);
        }
    }

    #[test]
    fn a_typed_account_makes_sense_to_the_engine() {
        let account = typed_account(" James ", "james@example.com", "192.0.2.1");
        assert!(account.check().is_ok());
        assert_eq!((account.address.as_str(), account.name.as_str()), ("sip:james@example.com", "James"));
        assert_eq!(account.expires_secs, Some(604_800));
        assert!(typed_account("", "james", "nowhere").check().is_err());
        assert!(typed_account("", "james@example.com", "").check().is_ok());
    }
}
