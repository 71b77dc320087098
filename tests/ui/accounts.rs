//! The account of the window: signed out, with another password, removed, and from a file that an operator hands out.

use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT, Queryable};
use fanfare::model::command::{AgentCommand, Command};
use fanfare::ui::desktop::calls::Calls;
use fanfare::ui::{App, Options};
use jiff::tz::TimeZone;

use crate::fake::{Fake, ago, from, people, press, says};
use crate::gallery::{LARGE, SMALL};

fn click(window: &mut Harness<'static, App>, label: &str) {
    window.get_by_role_and_label(Role::Button, label).click();
    window.run();
}

fn open_menu(window: &mut Harness<'static, App>, name: &str) {
    click(window, name);
    window.run();
}

#[test]
fn who_signs_out_sees_it_and_the_way_back() {
    for size in [LARGE, SMALL] {
        let fake = Fake::new();
        let mut window = fake.window(size);
        open_menu(&mut window, "James Holt: Connected");
        click(&mut window, "Sign out");
        assert!(matches!(fake.asked()[..], [Command::SignOut]));
        window.get_by_label("James Holt: Signed out");
        assert!(window.query_by_label("New message").is_some(), "what was written can still be read");
        click(&mut window, "Sign in");
        assert!(matches!(fake.asked()[..], [Command::Agent(AgentCommand::Connect)]));
        window.get_by_label("James Holt: Connected");
    }
}

#[test]
fn the_menu_of_the_account_is_reached_by_keys() {
    let fake = Fake::new();
    let mut window = fake.window(SMALL);
    window.get_by_label("James Holt: Connected").focus();
    window.run();
    press(&mut window, Modifiers::NONE, Key::Enter);
    press(&mut window, Modifiers::NONE, Key::Enter);
    assert!(matches!(fake.asked()[..], [Command::SignOut]));
}

#[test]
fn the_kept_password_is_changed_and_the_account_signed_in_with_it() {
    let fake = Fake::new();
    let mut window = fake.window(LARGE);
    open_menu(&mut window, "James Holt: Connected");
    click(&mut window, "Change password…");
    window.get_by_role_and_label(Role::PasswordInput, "New password").type_text("sesame");
    window.run();
    press(&mut window, Modifiers::NONE, Key::Enter);
    let asked = fake.asked();
    let [Command::PutAccount(account), Command::Agent(AgentCommand::Connect)] = &asked[..] else {
        panic!("{asked:?}")
    };
    assert_eq!(account.sign_in.password.as_str(), "sesame");
    assert_eq!(account.address, "sip:james@example.com");
    assert!(window.query_by_label("New password").is_none(), "the question is over");
}

#[test]
fn an_account_is_removed_only_after_a_question_that_says_what_goes_with_it() {
    let fake = Fake::new();
    let crew = people(&["Ann Lee"]);
    fake.converse(1, &crew, vec![from(5, ago(1), &crew[0], "Lunch?")], 0);
    let mut window = fake.window(SMALL);
    press(&mut window, Modifiers::ALT, Key::ArrowDown);
    press(&mut window, Modifiers::NONE, Key::Escape);
    if window.query_by_label("Back to all messages").is_some() {
        click(&mut window, "Back to all messages");
    }
    fake.asked();
    open_menu(&mut window, "James Holt: Connected");
    click(&mut window, "Remove account…");
    assert!(says(&window, "Its conversation, its contacts and its password are deleted here for good."));
    // The harmless answer has the focus.
    press(&mut window, Modifiers::NONE, Key::Enter);
    assert!(fake.asked().is_empty());
    open_menu(&mut window, "James Holt: Connected");
    click(&mut window, "Remove account…");
    click(&mut window, "Remove and delete");
    assert!(matches!(fake.asked()[..], [Command::RemoveAccount]));
    window.get_by_role_and_label(Role::TextInput, "SIP address");
    assert!(window.query_by_label_contains("Ann Lee").is_none());
}

/// The window of somebody who has no account yet, with what a start of the program asked for.
fn first_screen(calls: &Calls) -> (Fake, Harness<'static, App>) {
    let fake = Fake::default();
    let options = Options { zone: Some(TimeZone::UTC), calls: calls.clone(), ..Options::default() };
    let window = fake.window_with(SMALL, options);
    (fake, window)
}

fn value(window: &Harness<'static, App>, field: &str) -> String {
    window.get_by_role_and_label(Role::TextInput, field).accesskit_node().value().unwrap_or_default()
}

#[test]
fn a_file_of_the_operator_fills_in_the_form_and_nothing_is_sent_before_connect() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("james.ron");
    let text =
        "(address: \"sip:james@example.com\", server: \"192.0.2.7\", transport: tls, password: \"sesame\")";
    std::fs::write(&path, text).unwrap();
    let calls = Calls::default();
    let (fake, mut window) = first_screen(&calls);
    calls.provision(path);
    window.run();
    window.run();
    assert_eq!(value(&window, "SIP address"), "james@example.com");
    assert_eq!(value(&window, "Proxy"), "tls:192.0.2.7");
    assert!(says(&window, "From the file. Check the address and the server, then connect."));
    assert!(matches!(fake.asked()[..], [Command::ReadProvision(_)]), "and nothing else yet");
    // In a small window the button is below what is in view.
    press(&mut window, Modifiers::NONE, Key::Enter);
    let asked = fake.asked();
    let Some(Command::PutAccount(account)) = asked.first() else { panic!("{asked:?}") };
    assert_eq!((account.proxy.as_str(), account.sign_in.password.as_str()), ("tls:192.0.2.7", "sesame"));
}

#[test]
fn what_is_wrong_with_a_file_stands_below_the_form() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("james.ron");
    std::fs::write(&path, "(\n    adress: \"sip:james@example.com\",\n)").unwrap();
    let calls = Calls::default();
    let (_fake, mut window) = first_screen(&calls);
    calls.provision(path);
    window.run();
    window.run();
    assert!(says(
        &window,
        "james.ron:2:5: there is no field \"adress\" here; the fields are address, name, server"
    ));
    assert_eq!(value(&window, "SIP address"), "");
}
