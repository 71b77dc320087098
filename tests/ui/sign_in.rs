//! The first screen: what is tried, why it failed, a certificate that nobody vouches for.

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

pub(crate) fn untrusted(server: &str) -> Arc<UntrustedCertificate> {
    Arc::new(UntrustedCertificate {
        server: server.into(),
        subject: "CN=one.example, O=Holt".into(),
        sha256: SHA256.into(),
        ends: Timestamp::from_millis(1_829_000_000_000),
        other_names: None,
        trusted_before: None,
    })
}

pub(crate) const NOBODY_VOUCHES: &str =
    "the certificate of one.example was not issued by anyone this computer trusts";

#[test]
fn a_certificate_that_nobody_vouches_for_is_shown_and_can_be_trusted() {
    let fake = nobody();
    let mut window = connect(&fake);
    fake.change(|inner| inner.snapshot.untrusted = Some(untrusted("one.example")));
    state(&fake, &mut window, offline(NOBODY_VOUCHES));
    for words in [
        "The certificate of one.example was not issued by anyone this computer trusts.",
        "Certificate of one.example",
        "Issued to CN=one.example, O=Holt",
        "Valid until 16 December 2027",
        SHA256,
    ] {
        assert!(says(&window, words), "{words}");
    }
    fake.asked();
    window.get_by_label("Trust this certificate").scroll_to_me();
    window.run();
    window.get_by_label("Trust this certificate").click();
    window.run();
    let accounts = puts(&fake);
    let [put] = accounts.as_slice() else { panic!("{accounts:?}") };
    let trusted = TrustedCertificate { server: "one.example".into(), sha256: SHA256.into() };
    assert_eq!((put.trusted.as_ref(), put.sign_in.password.as_str()), (Some(&trusted), "sesame"));
}

#[test]
fn an_authority_can_be_chosen_instead() {
    let fake = nobody();
    let mut window = connect(&fake);
    fake.change(|inner| inner.snapshot.untrusted = Some(untrusted("one.example")));
    state(&fake, &mut window, offline(NOBODY_VOUCHES));
    window.get_by_label("Choose a CA certificate file…").scroll_to_me();
    window.run();
    window.get_by_label("Choose a CA certificate file…").click();
    window.run();
    fake.asked();
    type_into(&mut window, "CA certificate file", "/etc/ssl/holt.pem");
    press(&mut window, Modifiers::NONE, Key::Enter);
    let accounts = puts(&fake);
    let [put] = accounts.as_slice() else { panic!("{accounts:?}") };
    assert_eq!(put.tls_ca.as_deref(), Some("/etc/ssl/holt.pem".as_ref()));
    state(&fake, &mut window, RegistrationState::Connected);
    window.get_by_label("New message");
}

#[test]
fn a_certificate_that_changed_later_is_asked_about_in_the_window() {
    let fake = Fake::new();
    let mut window = fake.window(LARGE);
    fake.change(|inner| inner.snapshot.untrusted = Some(untrusted("example.com")));
    state(&fake, &mut window, offline(NOBODY_VOUCHES));
    window.get_by_label("View the server's certificate").click();
    window.run();
    window.get_by_label("Trust this certificate").click();
    window.run();
    let accounts = puts(&fake);
    let [put] = accounts.as_slice() else { panic!("{accounts:?}") };
    assert_eq!(put.trusted.as_ref().map(|trusted| trusted.sha256.as_str()), Some(SHA256));

    // What is trusted stands in the settings, and can be forgotten there.
    window.get_by_label("Settings").click();
    window.run();
    window.get_by_label("Forget the certificate").scroll_to_me();
    window.run();
    window.get_by_label("Forget the certificate").click();
    window.run();
    window.get_by_label("Save account").scroll_to_me();
    window.run();
    window.get_by_label("Save account").click();
    window.run();
    assert_eq!(puts(&fake).pop().map(|put| put.trusted), Some(None));
}

const OTHER_SHA256: &str =
    "00:0A:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:4F:0A:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE";

/// Another certificate than the one that was trusted so far.
pub(crate) fn changed(server: &str) -> Arc<UntrustedCertificate> {
    let mut shown = UntrustedCertificate::clone(&untrusted(server));
    shown.trusted_before = Some(OTHER_SHA256.into());
    shown.into()
}

/// The certificate of other servers.
fn of_others(server: &str, names: &[&str]) -> Arc<UntrustedCertificate> {
    let mut shown = UntrustedCertificate::clone(&untrusted(server));
    shown.other_names = Some(names.iter().map(|name| (*name).to_owned()).collect());
    shown.into()
}

#[test]
fn a_certificate_in_place_of_a_trusted_one_is_called_changed() {
    let fake = Fake::new();
    fake.change(|inner| {
        inner.snapshot.untrusted = Some(changed("example.com"));
        inner.snapshot.registration = offline(NOBODY_VOUCHES);
    });
    let mut window = fake.window(LARGE);
    window.get_by_label("James Holt: Server certificate changed");
    window.get_by_label("View the server's certificate").click();
    window.run();
    for words in [
        "The certificate of example.com has changed.",
        "SHA-256 fingerprint that you trusted",
        OTHER_SHA256,
        "SHA-256 fingerprint of the new certificate",
        SHA256,
        "Someone may be intercepting the connection.",
    ] {
        assert!(says(&window, words), "{words}");
    }
    assert!(window.query_by_label("Trust this certificate").is_none());
    fake.asked();
    window.get_by_label("Trust the new certificate").click();
    window.run();
    let accounts = puts(&fake);
    let [put] = accounts.as_slice() else { panic!("{accounts:?}") };
    assert_eq!(put.trusted.as_ref().map(|trusted| trusted.sha256.as_str()), Some(SHA256));
}

#[test]
fn a_first_certificate_is_not_called_changed_and_a_changed_one_is_on_the_first_screen_too() {
    let fake = nobody();
    let mut window = connect(&fake);
    fake.change(|inner| inner.snapshot.untrusted = Some(untrusted("one.example")));
    state(&fake, &mut window, offline(NOBODY_VOUCHES));
    assert!(says(&window, "Certificate of one.example") && !says(&window, "has changed"));
    window.get_by_label("Trust this certificate");

    fake.change(|inner| inner.snapshot.untrusted = Some(changed("one.example")));
    window.run();
    assert!(says(&window, "The certificate of one.example has changed."));
    window.get_by_label("Trust the new certificate");
}

#[test]
fn a_certificate_for_another_name_says_for_which_and_that_it_is_not_the_servers() {
    let fake = nobody();
    let mut window = connect(&fake);
    for (names, words) in [
        (&["two.example"][..], "This certificate is for two.example, not for one.example."),
        (
            &["two.example", "192.0.2.1", "sip:three.example"],
            "This certificate is for two.example, 192.0.2.1 and sip:three.example, not for one.example.",
        ),
        (
            &["a.example", "b.example", "c.example", "d.example", "e.example"],
            "c.example, d.example and 1 more, not for",
        ),
        (&[], "This certificate is not for one.example: it names no server at all."),
    ] {
        fake.change(|inner| inner.snapshot.untrusted = Some(of_others("one.example", names)));
        state(&fake, &mut window, offline(NOBODY_VOUCHES));
        assert!(says(&window, words), "{words}");
    }
    fake.change(|inner| inner.snapshot.untrusted = Some(untrusted("one.example")));
    window.run();
    assert!(!says(&window, "This certificate is"));
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
