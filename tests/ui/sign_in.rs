//! The first screen: what is tried, why it failed, a certificate that nobody vouches for.

#[path = "sign_in/certificates.rs"]
mod certificates;

pub(crate) use self::certificates::{NOBODY_VOUCHES, changed, untrusted};

use std::sync::Arc;
use std::time::Duration;

use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT, Queryable};
use fanfare::model::account::{Account, ConnectStep, Password, RegistrationState, TrustedCertificate};
use fanfare::model::command::{AgentCommand, Command};
use fanfare::model::outage::Outage;
use fanfare::model::sign_in_fault::SignInFault;
use fanfare::model::snapshot::{PasswordPlace, UntrustedCertificate};
use fanfare::time::Timestamp;
use fanfare::ui::App;

use crate::fake::{Fake, account, press, says, type_into};
use crate::gallery::{LARGE, SMALL};

const SHA256: &str =
    "4F:0A:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:4F:0A:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE";

fn nobody() -> Fake {
    let fake = Fake::new();
    fake.change(|inner| {
        inner.snapshot.account = None;
        inner.snapshot.registration = RegistrationState::Idle;
    });
    fake
}

/// Types an account, and presses Connect.
fn connect(fake: &Fake) -> Harness<'static, App> {
    connect_in(fake, LARGE)
}

fn connect_in(fake: &Fake, size: [f32; 2]) -> Harness<'static, App> {
    let mut window = fake.window(size);
    type_into(&mut window, "SIP address", "james@example.com");
    type_into(&mut window, "Password", "sesame");
    type_into(&mut window, "Proxy", "tls:one.example");
    window.get_by_label("Connect").click();
    window.run();
    window
}

fn state(fake: &Fake, window: &mut Harness<'static, App>, state: RegistrationState) {
    fake.change(|inner| inner.snapshot.registration = state);
    window.run();
}

pub(crate) fn offline(why: &str) -> RegistrationState {
    RegistrationState::Offline { retry_after: Duration::from_secs(2), why: Outage::Untrusted(why.into()) }
}

fn is_locked(window: &Harness<'static, App>, field: &str) -> bool {
    window.get_by_role_and_label(Role::TextInput, field).accesskit_node().is_disabled()
}

/// That is what was asked, and nothing else.
fn gives_up(fake: &Fake) -> bool {
    matches!(fake.asked().as_slice(), [Command::Agent(AgentCommand::Disconnect)])
}

fn puts(fake: &Fake) -> Vec<Account> {
    let put = |command| if let Command::PutAccount(account) = command { Some(account) } else { None };
    fake.asked().into_iter().filter_map(put).collect()
}

#[test]
fn nothing_can_be_changed_while_a_server_is_tried_and_the_server_that_is_named_is_that_one() {
    let fake = nobody();
    let mut window = connect(&fake);
    state(&fake, &mut window, RegistrationState::Connecting(ConnectStep::Asking));
    window.get_by_label("Signing in to tls:one.example…");
    assert!(is_locked(&window, "Proxy") && is_locked(&window, "SIP address"));
    assert!(window.get_by_label("Connecting…").accesskit_node().is_disabled());

    fake.asked();
    window.get_by_label("Cancel").click();
    window.run();
    assert!(gives_up(&fake));
    state(&fake, &mut window, RegistrationState::Idle);
    assert!(!is_locked(&window, "Proxy"));
    assert!(!says(&window, "Signing in"));

    // What is typed after a failure changes nothing of what is still being tried by itself.
    window.get_by_label("Connect").click();
    window.run();
    state(&fake, &mut window, offline("the server one.example cannot be found"));
    assert!(!is_locked(&window, "Proxy"));
    state(&fake, &mut window, RegistrationState::Connecting(ConnectStep::Finding));
    assert!(says(&window, "The server one.example cannot be found."), "the reason stays");
    assert!(!says(&window, "Looking up"), "what is repeated by itself is not told beside it");
    fake.asked();
    type_into(&mut window, "Proxy", "x");
    assert!(gives_up(&fake), "something else is wanted");
    assert!(says(&window, "The server one.example cannot be found."), "until the next attempt");
    press(&mut window, Modifiers::NONE, Key::Enter);
    state(&fake, &mut window, RegistrationState::Connecting(ConnectStep::Finding));
    window.get_by_label("Looking up tls:one.examplex…");
    assert!(!says(&window, "cannot be found"), "it says nothing of this attempt");
    state(
        &fake,
        &mut window,
        RegistrationState::Refused { status: 404, reason: "Not Found".into(), why: None, retry_after: None },
    );
    assert!(!says(&window, "cannot be found"));
    assert!(says(&window, "The server does not know this address (404 Not Found)."));
}

#[test]
fn a_state_of_the_attempt_before_is_not_taken_for_that_of_the_next() {
    let fake = nobody();
    let mut window = connect(&fake);
    state(
        &fake,
        &mut window,
        RegistrationState::Refused { status: 403, reason: "Forbidden".into(), why: None, retry_after: None },
    );
    fake.change(|inner| inner.holds_back = true);
    window.get_by_label("Connect").click();
    window.run();
    window.get_by_label("Connecting to tls:one.example…");
    assert!(is_locked(&window, "Proxy"), "the engine has not begun");
}

#[test]
fn a_wrong_password_says_so() {
    let fake = nobody();
    let mut window = connect(&fake);
    let refused = || RegistrationState::Refused {
        status: 401,
        reason: "Unauthorized".into(),
        why: None,
        retry_after: None,
    };
    state(&fake, &mut window, refused());
    assert!(says(&window, "Wrong password or sign-in name (401 Unauthorized)."));

    fake.change(|inner| {
        let mut account = account();
        account.sign_in.password = Password::default();
        inner.snapshot.account = Some(Arc::new(Account { worked: false, ..account }));
        inner.snapshot.registration = refused();
    });
    let window = fake.window(LARGE);
    assert!(says(&window, "This server asks for a password (401 Unauthorized)."));
}

#[test]
fn a_refused_password_is_told_with_its_realm_and_another_reason_is_not_called_a_wrong_password() {
    let fake = nobody();
    let mut window = connect(&fake);
    let refused = |why: SignInFault| RegistrationState::Refused {
        status: 401,
        reason: "Unauthorized".into(),
        why: Some(why),
        retry_after: None,
    };
    state(&fake, &mut window, refused(SignInFault::WrongPassword("one.example".to_owned())));
    window.get_by_label("Wrong password or sign-in name (401, realm one.example).");

    state(&fake, &mut window, refused(SignInFault::NoPassword("two.example".to_owned())));
    assert!(!says(&window, "Wrong password"));
    assert!(says(
        &window,
        "(401 Unauthorized). The server asks for a password in the realm \"two.example\", and this account has none."
    ));
}

/// The whole of it is on the screen.
fn is_in_view(window: &Harness<'static, App>, label: &str) -> bool {
    window.ctx.content_rect().contains_rect(window.get_by_label(label).rect())
}

#[test]
fn what_went_wrong_is_scrolled_to_and_its_buttons_are_reached_by_keyboard_at_every_size() {
    for size in [LARGE, SMALL] {
        let fake = nobody();
        let mut window = connect_in(&fake, size);
        assert!(is_in_view(&window, "SIP address") && is_in_view(&window, "Connecting…"), "{size:?}");
        fake.change(|inner| inner.snapshot.untrusted = Some(untrusted("one.example")));
        state(&fake, &mut window, offline(NOBODY_VOUCHES));
        let buttons = ["Trust this certificate", "Choose a CA certificate file…", "Continue offline"];
        for button in buttons {
            assert!(is_in_view(&window, button), "{button} at {size:?}");
        }
        window.get_by_label("Connect").focus();
        window.run();
        assert!(is_in_view(&window, "Connect"), "{size:?}");
        for button in buttons {
            press(&mut window, Modifiers::NONE, Key::Tab);
            assert!(window.get_by_label(button).accesskit_node().is_focused(), "{button} at {size:?}");
            assert!(is_in_view(&window, button), "{button} at {size:?}");
        }
        for field in ["Connect", "Your name", "Proxy", "Password", "SIP address"] {
            let last = if field == "Connect" { 3 } else { 1 };
            (0..last).for_each(|_| press(&mut window, Modifiers::SHIFT, Key::Tab));
            let place = window
                .get_by(|node| node.is_focused() && node.label().is_some_and(|label| label == field))
                .rect();
            assert!(window.ctx.content_rect().contains_rect(place), "{field} at {size:?}");
        }
        fake.asked();
        window.get_by_label("Trust this certificate").focus();
        window.run();
        press(&mut window, Modifiers::NONE, Key::Space);
        assert_eq!(puts(&fake).len(), 1, "by keyboard at {size:?}");
    }
}

#[test]
fn what_went_wrong_stays_in_view_when_the_window_becomes_smaller() {
    let fake = nobody();
    let mut window = connect_in(&fake, LARGE);
    fake.change(|inner| inner.snapshot.untrusted = Some(untrusted("one.example")));
    state(&fake, &mut window, offline(NOBODY_VOUCHES));
    window.set_size(SMALL.into());
    window.run();
    for button in ["Trust this certificate", "Choose a CA certificate file…", "Continue offline"] {
        assert!(is_in_view(&window, button), "{button}");
    }
}

#[test]
fn a_refusal_and_an_address_that_makes_no_sense_are_scrolled_to() {
    let wrong = "Wrong password or sign-in name (401 Unauthorized).";
    for size in [LARGE, SMALL, [640.0, 300.0]] {
        let fake = nobody();
        let mut window = connect_in(&fake, size);
        let refused = || RegistrationState::Refused {
            status: 401,
            reason: "Unauthorized".into(),
            why: None,
            retry_after: None,
        };
        state(&fake, &mut window, refused());
        assert!(is_in_view(&window, wrong), "{size:?}");

        // The same again, after the person has gone back to the top.
        window.get_by_role_and_label(Role::TextInput, "SIP address").focus();
        window.run();
        window.get_by_label("Connect").focus();
        press(&mut window, Modifiers::NONE, Key::Space);
        state(&fake, &mut window, RegistrationState::Connecting(ConnectStep::Asking));
        state(&fake, &mut window, refused());
        assert!(is_in_view(&window, wrong), "{size:?}");

        type_into(&mut window, "Proxy", " no where");
        press(&mut window, Modifiers::NONE, Key::Enter);
        let problem = window.get_by(|node| {
            node.role() == Role::Label
                && node.value().is_some_and(|text| text.contains("is not a server address"))
        });
        assert!(window.ctx.content_rect().contains_rect(problem.rect()), "{size:?}");
    }
}

#[test]
fn an_account_that_never_worked_is_asked_for_again_as_it_was_typed() {
    let fake = Fake::new();
    let mut tried = Account { worked: false, ..account() };
    tried.sign_in.password = Password::new("sesame".into());
    fake.change(|inner| {
        inner.snapshot.account = Some(Arc::new(tried.clone()));
        inner.snapshot.registration = offline("the server example.com cannot be found");
    });
    let mut window = fake.window(LARGE);
    assert_eq!(window.get_by_label("SIP address").value().as_deref(), Some("james@example.com"));
    assert!(says(&window, "The server example.com cannot be found."));
    window.get_by_label("Connect").click();
    window.run();
    assert_eq!(puts(&fake), [tried], "with the password that is kept");
    state(&fake, &mut window, RegistrationState::Connected);
    window.get_by_label("New message");

    let fake = Fake::new();
    fake.change(|inner| inner.snapshot.registration = offline("the server example.com cannot be found"));
    fake.window(LARGE).get_by_label("New message");
}

#[test]
fn the_window_is_there_while_the_password_is_awaited() {
    let fake = Fake::new();
    fake.change(|inner| {
        inner.snapshot.registration = RegistrationState::Idle;
        inner.snapshot.password = PasswordPlace::Coming;
    });
    let window = fake.window(LARGE);
    window.get_by_label("James Holt: Waiting for the keyring…");
}
