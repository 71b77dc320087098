//! A server that refuses to sign in or is not there: why, and how to ask it again.

use std::time::Duration;

use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT, Queryable};
use fanfare::model::account::{ConnectStep, RegistrationState};
use fanfare::model::command::{AgentCommand, Command};
use fanfare::model::journal::DeliveryState::Failed;
use fanfare::model::outage::Outage;
use fanfare::model::sign_in_fault::SignInFault;
use fanfare::ui::App;

use crate::fake::{Fake, ago, delivery, own_of, people, press, says, type_into};
use crate::gallery::{LARGE, SMALL};

fn refused() -> RegistrationState {
    RegistrationState::Refused {
        status: 401,
        reason: "Unauthorized".into(),
        why: Some(SignInFault::WrongPassword("example.com".to_owned())),
        retry_after: None,
    }
}

/// A message that the server refused, with its delivery shown.
fn sent_in_vain(size: [f32; 2]) -> (Fake, Harness<'static, App>) {
    let fake = Fake::new();
    let crew = people(&["Ann Lee"]);
    let mut failed = delivery(&crew[0], Failed, ago(1));
    (failed.status, failed.phrase) = (Some(407), "Proxy Authentication Required".into());
    fake.converse(1, &crew, vec![own_of(5, ago(1), "Lunch", vec![failed])], 0);
    fake.change(|inner| {
        let mut account = (**inner.snapshot.account.as_ref().unwrap()).clone();
        account.sign_in.password = fanfare::model::account::Password::new("sesame".to_owned());
        account.worked = true;
        inner.snapshot.account = Some(std::sync::Arc::new(account));
        inner.snapshot.registration = refused();
    });
    let mut window = fake.window(size);
    press(&mut window, Modifiers::ALT, Key::ArrowDown);
    if window.query_by_label("Check account").is_none() {
        press(&mut window, Modifiers::COMMAND, Key::D);
    }
    fake.asked();
    (fake, window)
}

fn click(window: &mut Harness<'static, App>, label: &str) {
    window.get_by_label(label).click();
    window.run();
}

fn is_connect(command: &Command) -> bool {
    matches!(command, Command::Agent(AgentCommand::Connect))
}

#[test]
fn a_refused_account_is_signed_in_again_by_a_button() {
    let (fake, mut window) = sent_in_vain(LARGE);
    click(&mut window, "Sign in again");
    assert!(matches!(fake.asked().as_slice(), [command] if is_connect(command)));
    let place = window.get_by_label("Search").rect();
    fake.change(|inner| {
        inner.snapshot.registration =
            RegistrationState::Connecting(ConnectStep::Asking { is_encrypted: false });
    });
    window.run();
    assert!(window.get_by_label("Sign in again").accesskit_node().is_disabled(), "it is asked already");
    assert_eq!(window.get_by_label("Search").rect(), place, "nothing moves");
    fake.change(|inner| inner.snapshot.registration = RegistrationState::Connected);
    window.run();
    assert!(window.query_by_label("Sign in again").is_none());
}

#[test]
fn a_server_that_is_not_there_is_tried_now() {
    let (fake, mut window) = sent_in_vain(LARGE);
    let silent = RegistrationState::Offline { retry_after: Duration::from_secs(40), why: Outage::NoAnswer };
    fake.change(|inner| inner.snapshot.registration = silent);
    window.run();
    click(&mut window, "Try now");
    assert!(matches!(fake.asked().as_slice(), [command] if is_connect(command)));
}

#[test]
fn a_resend_asks_a_server_that_refused_to_let_us_in() {
    let (fake, mut window) = sent_in_vain(LARGE);
    window.get_all_by_label("Resend").last().unwrap().click();
    window.run();
    let asked = fake.asked();
    let [first, Command::Agent(AgentCommand::Resend { .. })] = asked.as_slice() else { panic!("{asked:?}") };
    assert!(is_connect(first));
    fake.change(|inner| inner.snapshot.registration = RegistrationState::Connected);
    window.run();
    window.get_all_by_label("Resend").last().unwrap().click();
    window.run();
    assert_eq!(fake.asked().len(), 1, "it is let in already");
}

#[test]
fn check_account_shows_the_account_and_why_it_is_refused() {
    for size in [LARGE, SMALL] {
        let (fake, mut window) = sent_in_vain(size);
        click(&mut window, "Check account");
        (0..3).for_each(|_| window.step());
        let dialog = window.ctx.content_rect().shrink(40.0);
        let why = "Wrong password or sign-in name (401, realm example.com).";
        for label in ["Account", why] {
            let place = window.get_by_role_and_label(Role::Label, label).rect();
            assert!(dialog.contains_rect(place), "{label} at {place:?} in {dialog:?}");
        }
        window.get_all_by_label("Sign in again").last().unwrap().click();
        window.run();
        assert!(matches!(fake.asked().as_slice(), [command] if is_connect(command)), "{size:?}");
    }
}

#[test]
fn the_same_password_can_be_saved_again() {
    let (fake, mut window) = sent_in_vain(LARGE);
    click(&mut window, "Check account");
    assert!(window.get_by_label("Save account").accesskit_node().is_disabled());
    type_into(&mut window, "Password", "sesame");
    window.get_by_label("Save account").scroll_to_me();
    window.run();
    click(&mut window, "Save account");
    let asked = fake.asked();
    let [Command::PutAccount(account), connect] = asked.as_slice() else { panic!("{asked:?}") };
    assert!(account.sign_in.password.as_str() == "sesame" && is_connect(connect));
    press(&mut window, Modifiers::NONE, Key::Escape);
    assert!(!says(&window, "Discard what you typed?") && window.query_by_label("Save account").is_none());
}
