//! The first screen: what is tried, why it failed, a certificate that nobody vouches for.

#[path = "sign_in/certificates.rs"]
mod certificates;

pub(crate) use self::certificates::{changed, untrusted};

use std::sync::Arc;
use std::time::Duration;

use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT, Queryable};
use fanfare::machine::{CertificateFault, TlsFault, Untrusted};
use fanfare::model::account::{Account, ConnectStep, Password, RegistrationState, TrustedCertificate};
use fanfare::model::command::{AgentCommand, Command};
use fanfare::model::outage::Outage;
use fanfare::model::sign_in_fault::SignInFault;
use fanfare::model::snapshot::{PasswordPlace, UntrustedCertificate};
use fanfare::time::Timestamp;
use fanfare::ui::{App, Options};

use crate::fake::{Fake, account, open_advanced, press, says, type_into};
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
    open_advanced(&mut window);
    type_into(&mut window, "Proxy", "tls:one.example");
    window.get_by_label("Connect").scroll_to_me();
    window.run();
    window.get_by_label("Connect").click();
    window.run();
    window
}

fn state(fake: &Fake, window: &mut Harness<'static, App>, state: RegistrationState) {
    fake.change(|inner| inner.snapshot.registration = state);
    window.run();
}

pub(crate) fn offline(why: Outage) -> RegistrationState {
    RegistrationState::Offline { retry_after: Duration::from_secs(2), why }
}

pub(crate) fn nobody_vouches() -> Outage {
    let fault = TlsFault::Certificate(CertificateFault::UnknownIssuer);
    Outage::Untrusted(Untrusted { server: "one.example".into(), fault }.into())
}

fn not_found(server: &str) -> Outage {
    Outage::NotFound { server: server.into(), fault: None }
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
    state(&fake, &mut window, RegistrationState::Connecting(ConnectStep::Asking { is_encrypted: false }));
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
    state(&fake, &mut window, offline(not_found("one.example")));
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
        assert!(is_in_view(&window, "Connecting…"), "{size:?}");
        fake.change(|inner| inner.snapshot.untrusted = Some(untrusted("one.example")));
        state(&fake, &mut window, offline(nobody_vouches()));
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
        let fields = ["Certificate authority", "Your name", "Realm", "Sign-in name", "UDP", "TCP", "TLS"];
        let first = ["Automatic", "Port", "Proxy", "Advanced", "Show password", "Password", "SIP address"];
        for field in ["Connect"].into_iter().chain(fields).chain(first) {
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
    state(&fake, &mut window, offline(nobody_vouches()));
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
        state(&fake, &mut window, RegistrationState::Connecting(ConnectStep::Asking { is_encrypted: false }));
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
fn a_port_that_is_none_is_named_in_its_own_field() {
    for typed in ["5980x", "99999", "0"] {
        let fake = nobody();
        let mut window = fake.window(LARGE);
        type_into(&mut window, "SIP address", "james@example.com");
        open_advanced(&mut window);
        type_into(&mut window, "Port", typed);
        press(&mut window, Modifiers::NONE, Key::Enter);
        window.run();
        let words = format!("\"{typed}\" is not a port. Enter a number from 1 to 65535, or nothing.");
        assert!(says(&window, &words), "{typed}");
        assert!(window.get_by_role_and_label(Role::TextInput, "Port").is_focused(), "{typed}");
        assert_eq!(puts(&fake), [], "{typed}");
    }
}

#[test]
fn an_account_that_never_worked_is_asked_for_again_as_it_was_typed() {
    let fake = Fake::new();
    let mut tried = Account { worked: false, ..account() };
    tried.sign_in.password = Password::new("sesame".into());
    fake.change(|inner| {
        inner.snapshot.account = Some(Arc::new(tried.clone()));
        inner.snapshot.registration = offline(not_found("example.com"));
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
    fake.change(|inner| inner.snapshot.registration = offline(not_found("example.com")));
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

#[test]
fn two_fields_come_first_and_the_first_one_has_the_cursor() {
    let fake = nobody();
    let mut window = fake.window(LARGE);
    assert!(window.get_by_role_and_label(Role::TextInput, "SIP address").is_focused());
    for hidden in ["Proxy", "Port", "Realm", "Your name", "Sign-in name", "Certificate authority"] {
        assert!(window.query_by_role_and_label(Role::TextInput, hidden).is_none(), "{hidden}");
    }
    type_into(&mut window, "SIP address", "james@example.com");
    open_advanced(&mut window);
    for (field, text) in
        [("Port", "5070"), ("Realm", "office"), ("Sign-in name", "j7"), ("Your name", "James")]
    {
        type_into(&mut window, field, text);
    }
    window.get_by_label("TLS").click();
    window.run();
    press(&mut window, Modifiers::NONE, Key::Enter);
    let put = puts(&fake).remove(0);
    assert_eq!(
        (put.proxy.as_str(), put.sign_in.realm.as_str(), put.sign_in.username.as_str(), put.name.as_str()),
        ("tls:example.com:5070", "office", "j7", "James")
    );
}

#[test]
fn a_password_is_shown_only_while_that_is_wanted() {
    let fake = nobody();
    let mut window = fake.window(LARGE);
    type_into(&mut window, "Password", "sesame");
    let shown = |window: &Harness<'static, App>| {
        window.query_by_role_and_label(Role::TextInput, "Password").map(|field| field.value())
    };
    assert_eq!(shown(&window), None);
    window.get_by_label("Show password").click();
    window.run();
    assert_eq!(shown(&window), Some(Some("sesame".to_owned())));
    window.get_by_label("Hide password").click();
    window.run();
    assert_eq!(shown(&window), None);
}

#[test]
fn each_step_is_told_when_it_is_done_and_the_last_one_in_the_window() {
    for (is_encrypted, words) in [(true, "Encrypted"), (false, "Not encrypted")] {
        let fake = nobody();
        let mut window = connect(&fake);
        state(&fake, &mut window, RegistrationState::Connecting(ConnectStep::Finding));
        assert!(!says(&window, "Found"));
        state(&fake, &mut window, RegistrationState::Connecting(ConnectStep::Opening));
        window.get_by_label("Found one.example");
        assert!(!says(&window, "ncrypted"));
        state(&fake, &mut window, RegistrationState::Connecting(ConnectStep::Asking { is_encrypted }));
        window.get_by_label("Found one.example");
        window.get_by_label(words);
        window.get_by_label("Signing in to tls:one.example…");
        state(&fake, &mut window, RegistrationState::Connected);
        let not = if is_encrypted { "" } else { "not " };
        window.get_by_label(&format!("Signed in to tls:one.example. The connection is {not}encrypted."));
    }
}

#[test]
fn a_window_that_cannot_show_the_demo_does_not_offer_it() {
    let mut window = nobody().window(LARGE);
    assert!(window.query_by_label("Try the demo").is_none());
    let options = Options { demo: Some("/nowhere/fanfare".into()), ..Options::default() };
    window = nobody().window_with(LARGE, options);
    window.get_by_label("Try the demo").click();
    // The thread that finds no program wakes the window.
    for _ in 0..1000 {
        if says(&window, "The demo cannot be started: ") {
            break;
        }
        std::thread::sleep(Duration::from_millis(20));
        window.run();
    }
    assert!(says(&window, "The demo cannot be started: "));
    window.get_by_label("Try the demo");
}
