//! The first run: an address, a server, **Connect**, and one sentence when it fails.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use eframe::egui;
use egui::{Key, Modifiers, RichText, Ui, vec2};

use crate::client::account::{Account, Password, RegistrationState, Step};
use crate::client::command::{AgentCommand, Command};
use crate::client::snapshot::{PasswordPlace, Snapshot};
use crate::sip::Uri;
use crate::ui::act::Act;
use crate::ui::certificate::{Decision, certificate_ui};
use crate::ui::theme::{self, colors};
use crate::ui::widgets::{banner, field, hint, primary, secret_field, small_button};
use crate::ui::words::{self, Look};

/// A week: how long a message waits for somebody who is offline, where the server keeps it (W8).
pub(crate) const EXPIRES_DEFAULT_SECS: u32 = 604_800;

/// What may be typed for the proxy.
pub(crate) const PROXY_HINT: &str = "found by your address, or sip.example.com";

/// What is typed on the first screen, and what came of it.
#[derive(Debug, Default)]
pub(crate) struct SignInForm {
    name: String,
    address: String,
    /// Empty while it is not changed.
    password: String,
    proxy: String,
    problem: Option<String>,
    attempt: Option<Attempt>,
    /// Why the last attempt that has ended came to nothing.
    failure: Option<Failure>,
}

/// An attempt to sign in. While the person waits for it nothing can be changed.
#[derive(Debug)]
struct Attempt {
    /// The server that is tried, as a person would call it.
    server: String,
    /// The account before, until the engine has this one.
    before: Option<Arc<Account>>,
    is_begun: bool,
    /// It failed once; the engine tries again by itself.
    has_failed: bool,
}

#[derive(Debug)]
struct Failure {
    sentence: String,
    /// The server answered, and refused; else it was not reached.
    is_refusal: bool,
}

/// How an attempt stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// There is none.
    None,
    /// The person waits for it.
    Waiting,
    /// It failed, and is repeated in the background.
    Repeating,
    /// We are in.
    Done,
}

impl SignInForm {
    /// What an account that never worked was made of, and the attempt that the engine makes with it at the start.
    pub(crate) fn of(account: Option<&Account>) -> Self {
        let Some(account) = account else { return Self::default() };
        let mut form = Self {
            name: account.name.clone(),
            address: words::address(&account.address),
            proxy: account.proxy.clone(),
            ..Self::default()
        };
        let server = form.server();
        form.attempt = Some(Attempt { server, before: None, is_begun: true, has_failed: false });
        form
    }

    /// The server, as a person would call it.
    fn server(&self) -> String {
        let typed = self.proxy.trim();
        let home = || self.address.rsplit('@').next().unwrap_or_default().trim().to_owned();
        if typed.is_empty() { home() } else { typed.to_owned() }
    }

    /// The account as typed; what this form does not show stays as it was for the same address.
    fn account(&self, before: Option<&Account>) -> Account {
        let typed = typed_account(&self.name, &self.address, &self.proxy);
        let before = before.filter(|before| before.address == typed.address);
        let mut account = Account { worked: false, ..before.cloned().unwrap_or_else(|| typed.clone()) };
        (account.name, account.proxy) = (typed.name, typed.proxy);
        if !self.password.is_empty() {
            account.sign_in.password = Password::new(self.password.clone());
        }
        account
    }

    /// Takes in what became of the attempt.
    fn follow(&mut self, snapshot: &Snapshot) -> Stage {
        let is_in = matches!(
            snapshot.registration,
            RegistrationState::Connected | RegistrationState::ByList | RegistrationState::NoFanOut
        );
        let Some(attempt) = &mut self.attempt else {
            // By an authority that was chosen in its dialog, say.
            return if is_in && snapshot.account.is_some() { Stage::Done } else { Stage::None };
        };
        if !attempt.is_begun {
            let is_new = match (&attempt.before, &snapshot.account) {
                (Some(before), Some(now)) => !Arc::ptr_eq(before, now),
                (None, now) => now.is_some(),
                (Some(_), None) => false,
            };
            if !is_new {
                return Stage::Waiting;
            }
            attempt.is_begun = true;
        }
        let failure = match &snapshot.registration {
            RegistrationState::Connected | RegistrationState::ByList | RegistrationState::NoFanOut => {
                return Stage::Done;
            }
            RegistrationState::Idle | RegistrationState::Connecting(_) => None,
            RegistrationState::Offline { why, .. } => {
                let sentence = why.as_deref().map(|why| format!("{}.", words::sentence(why)));
                let silent = || {
                    format!(
                        "No answer from {}. Check the proxy's address and that you are online.",
                        attempt.server
                    )
                };
                Some(Failure { sentence: sentence.unwrap_or_else(silent), is_refusal: false })
            }
            RegistrationState::Refused { status, reason, why, .. } => {
                let has_password =
                    snapshot.account.as_ref().is_some_and(|account| !account.sign_in.password.is_empty());
                let mut sentence = words::refusal(*status, reason, has_password);
                if let Some(why) = why {
                    sentence.push_str(&format!(" {}.", words::sentence(why)));
                }
                Some(Failure { sentence, is_refusal: true })
            }
        };
        if let Some(failure) = failure {
            attempt.has_failed = true;
            self.failure = Some(failure);
        }
        if attempt.has_failed { Stage::Repeating } else { Stage::Waiting }
    }

    /// The person wants something else than what is tried.
    fn give_up(&mut self, acts: &mut Vec<Act>) {
        if self.attempt.take().is_some() {
            acts.push(Act::Ask(Command::Agent(AgentCommand::Disconnect)));
        }
    }
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
        worked: false,
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
    let stage = form.follow(snapshot);
    if stage == Stage::Done {
        return Progress::Done;
    }
    let is_waiting = stage == Stage::Waiting;
    let edited = ui.add_enabled_ui(!is_waiting, |ui| fields_ui(ui, form, snapshot)).inner;
    if edited {
        form.give_up(acts);
    }
    ui.add_space(4.0);
    let is_in_front = ui.memory(|memory| memory.top_modal_layer().is_none());
    let entered =
        is_in_front && ui.input(|input| input.key_pressed(Key::Enter) && input.modifiers == Modifiers::NONE);
    let filled = !form.address.trim().is_empty();
    let label = if is_waiting { "Connecting…" } else { "Connect" };
    let ready = filled && !is_waiting;
    let pressed = ui.vertical_centered_justified(|ui| primary(ui, label, ready).clicked()).inner;
    if (pressed || entered) && ready {
        connect(form, snapshot, acts);
    }
    let mut progress = Progress::Here;
    if let Some(words) = form.attempt.as_ref().and_then(|attempt| under_way(attempt, snapshot)) {
        ui.horizontal(|ui| {
            hint(ui, &words);
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                if is_waiting && small_button(ui, "Cancel").clicked() {
                    form.give_up(acts);
                }
            });
        });
    }
    if failure_ui(ui, form, snapshot, look, acts) {
        progress = Progress::Done;
    }
    progress
}

/// True when something was changed.
fn fields_ui(ui: &mut Ui, form: &mut SignInForm, snapshot: &Snapshot) -> bool {
    let is_known = snapshot.account.as_ref().is_some_and(|account| !account.sign_in.password.is_empty());
    let unchanged = if is_known { "unchanged" } else { "" };
    [
        field(ui, "SIP address", &mut form.address, "james@example.com"),
        secret_field(ui, "Password", &mut form.password, unchanged),
        field(ui, "Proxy", &mut form.proxy, PROXY_HINT),
        field(ui, "Your name", &mut form.name, "James"),
    ]
    .iter()
    .any(egui::Response::changed)
}

fn connect(form: &mut SignInForm, snapshot: &Snapshot, acts: &mut Vec<Act>) {
    let account = form.account(snapshot.account.as_deref());
    form.problem = account.check().err().map(|wrong| wrong.to_string());
    if form.problem.is_none() {
        begin(form, account, snapshot, acts);
    }
}

fn begin(form: &mut SignInForm, account: Account, snapshot: &Snapshot, acts: &mut Vec<Act>) {
    let (server, before) = (form.server(), snapshot.account.clone());
    form.attempt = Some(Attempt { server, before, is_begun: false, has_failed: false });
    acts.push(Act::Ask(Command::PutAccount(account)));
    acts.push(Act::Ask(Command::Agent(AgentCommand::Connect)));
}

/// What is under way, at the server that is tried.
fn under_way(attempt: &Attempt, snapshot: &Snapshot) -> Option<String> {
    let server = &attempt.server;
    let step = match &snapshot.registration {
        _ if !attempt.is_begun => return Some(format!("Connecting to {server}…")),
        RegistrationState::Idle if snapshot.password == PasswordPlace::Coming => {
            return snapshot.password.in_words();
        }
        RegistrationState::Connecting(step) => *step,
        RegistrationState::Idle => return Some(format!("Connecting to {server}…")),
        RegistrationState::Connected
        | RegistrationState::ByList
        | RegistrationState::NoFanOut
        | RegistrationState::Offline { .. }
        | RegistrationState::Refused { .. } => return None,
    };
    Some(match step {
        Step::Finding => format!("Looking up {server}…"),
        Step::Opening => format!("Connecting to {server}…"),
        Step::Asking => format!("Signing in at {server}…"),
    })
}

/// Why nothing came of it, and what can be done; true when the person goes on offline.
fn failure_ui(
    ui: &mut Ui,
    form: &mut SignInForm,
    snapshot: &Snapshot,
    look: &Look,
    acts: &mut Vec<Act>,
) -> bool {
    let colors = colors(ui);
    if let Some(problem) = &form.problem {
        banner(ui, problem, colors.red, colors.red_soft);
        return false;
    }
    let Some(failure) = &form.failure else { return false };
    if failure.is_refusal {
        banner(ui, &failure.sentence, colors.red, colors.red_soft);
        return false;
    }
    let is_resting = matches!(snapshot.registration, RegistrationState::Offline { why: None, .. });
    let sentence = if is_resting && form.attempt.is_some() {
        format!("{} {}.", failure.sentence, look.account(snapshot))
    } else {
        failure.sentence.clone()
    };
    banner(ui, &sentence, colors.amber, colors.amber_soft);
    if let Some(untrusted) = &snapshot.untrusted {
        match certificate_ui(ui, untrusted, look) {
            Some(Decision::Trust(trusted)) => {
                let account = form.account(snapshot.account.as_deref());
                let account = Account { trusted: Some(trusted), ..account };
                begin(form, account, snapshot, acts);
            }
            Some(Decision::ChooseAuthority) => acts.push(Act::AskForAuthority),
            None => {}
        }
    }
    ui.button("Go on offline").clicked()
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
        assert_eq!((account.expires_secs, account.worked), (Some(604_800), false));
        assert!(typed_account("", "james", "nowhere").check().is_err());
        assert!(typed_account("", "james@example.com", "").check().is_ok());
    }
}
