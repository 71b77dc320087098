//! Contacts, lists, recipients, account and settings.

use eframe::egui;
use eframe::egui::accesskit::Role;
use eframe::egui::{Key, Modifiers};
use egui_kittest::kittest::{NodeT, Queryable};
use fanfare::client::account::{RegistrationState, Step};
use fanfare::client::command::{AgentCommand, Command};
use fanfare::client::contacts::{AddressBook, Contact};
use fanfare::client::snapshot::{Notifications, PasswordPlace, Theme};

use crate::fake::{Fake, press, says, type_into};
use crate::gallery::LARGE;

#[test]
fn many_addresses_are_pasted_bad_ones_flagged_and_backspace_removes() {
    let fake = Fake::new();
    let mut window = fake.window(LARGE);
    press(&mut window, Modifiers::COMMAND, Key::N);
    window.event(egui::Event::Paste("gus@example.com, Ida <ida@example.com>; nobody at all".into()));
    window.run();
    window.get_by_label("Remove gus");
    window.get_by_label("Remove Ida");
    window.get_by_label("Remove nobody at all: No SIP address. Write it like ann@example.com");
    type_into(&mut window, "Message", "Hi");
    assert!(window.get_by_label("Send to 2").accesskit_node().is_disabled(), "a bad one is among them");
    window.get_by_label("To").focus();
    window.run();
    press(&mut window, Modifiers::NONE, Key::Backspace);
    assert!(!window.get_by_label("Send to 2").accesskit_node().is_disabled());
}

#[test]
fn recipients_can_be_hidden_from_each_other() {
    let fake = Fake::new();
    let mut window = fake.window(LARGE);
    press(&mut window, Modifiers::COMMAND, Key::N);
    type_into(&mut window, "To", "night shift,");
    window.get_by_label("Hide recipients from each other").click();
    window.run();
    type_into(&mut window, "Message", "Quietly");
    window.get_by_label("Send to 3").click();
    window.run();
    let asked = fake.asked();
    let [Command::Agent(AgentCommand::Send(draft))] = asked.as_slice() else { panic!("{asked:?}") };
    assert!(draft.hidden);
}

#[test]
fn typing_filters_the_people_to_pick_from() {
    let fake = Fake::new();
    let mut window = fake.window(LARGE);
    press(&mut window, Modifiers::COMMAND, Key::N);
    type_into(&mut window, "To", "wei");
    assert!(window.query_by_label("Ann Lee").is_none());
    window.get_by_role_and_label(Role::CheckBox, "Dana Weiss").click();
    window.run();
    window.get_by_label("Remove Dana Weiss");
    window.get_by_role_and_label(Role::CheckBox, "Ann Lee");
}

#[test]
fn a_contact_is_added_changed_and_removed() {
    let fake = Fake::new();
    let mut window = fake.window(LARGE);
    window.get_by_role_and_label(Role::Tab, "Contacts").click();
    window.run();
    window.get_by_label("Add contact").click();
    window.run();
    type_into(&mut window, "Name", "Gus");
    type_into(&mut window, "SIP address", "no address");
    window.get_by_label("Save contact").click();
    window.run();
    window.get_by_label("This is no SIP address. Write it like ann@example.com.");
    press(&mut window, Modifiers::NONE, Key::Escape);

    window.get_by_label("Edit Ben Okafor").click();
    window.run();
    let address = window.get_by_role_and_label(Role::TextInput, "SIP address");
    assert_eq!(address.value().as_deref(), Some("ben.okafor@example.com"));
    address.focus();
    window.run();
    press(&mut window, Modifiers::COMMAND, Key::A);
    type_into(&mut window, "SIP address", "ben@work.example.com");
    fake.asked();
    window.get_by_label("Save contact").click();
    window.run();
    let asked = fake.asked();
    let [Command::RemoveContact { address }, Command::PutContact(contact)] = asked.as_slice() else {
        panic!("{asked:?}")
    };
    assert_eq!(
        (address.as_str(), contact.address.as_str(), contact.name.as_str()),
        ("sip:ben.okafor@example.com", "sip:ben@work.example.com", "Ben Okafor")
    );

    window.get_by_label("Edit Cy Young").click();
    window.run();
    window.get_by_label("Remove").click();
    window.run();
    assert!(
        matches!(fake.asked().as_slice(), [Command::RemoveContact { address }] if address == "sip:cy.young@example.com")
    );
    assert!(window.query_by_label("Cy Young").is_none());
}

#[test]
fn the_chosen_are_saved_as_a_list() {
    let fake = Fake::new();
    let mut window = fake.window(LARGE);
    window.get_by_role_and_label(Role::Tab, "Contacts").click();
    window.run();
    for name in ["Dana Weiss", "Eli Brandt"] {
        window.get_by_role_and_label(Role::CheckBox, name).click();
        window.run();
    }
    window.get_by_label("Save list").click();
    window.run();
    type_into(&mut window, "Name of the list", "Team");
    window.get_by_label("Keep list").click();
    window.run();
    let asked = fake.asked();
    let [Command::PutList(list)] = asked.as_slice() else { panic!("{asked:?}") };
    assert_eq!((list.name.as_str(), list.members.len()), ("Team", 2));
    window.get_by_label("List Team");
}

#[test]
fn the_first_run_asks_for_an_address_and_a_proxy() {
    let fake = Fake::new();
    fake.change(|inner| {
        inner.snapshot.account = None;
        inner.snapshot.registration = RegistrationState::Idle;
    });
    let mut window = fake.window(LARGE);
    type_into(&mut window, "SIP address", "james@example.com");
    type_into(&mut window, "Proxy", "no where");
    window.get_by_label("Connect").click();
    window.run();
    assert!(fake.asked().is_empty(), "what makes no sense is not asked");
    assert!(says(&window, "is no server"));
    window.get_by_role_and_label(Role::TextInput, "Proxy").focus();
    window.run();
    press(&mut window, Modifiers::COMMAND, Key::A);
    type_into(&mut window, "Proxy", "192.0.2.1");
    type_into(&mut window, "Password", "sesame");
    assert!(!says(&window, "sesame"), "nobody reads it over a shoulder");
    press(&mut window, Modifiers::NONE, Key::Enter);
    let asked = fake.asked();
    let [Command::PutAccount(account), Command::Agent(AgentCommand::Connect)] = asked.as_slice() else {
        panic!("{asked:?}")
    };
    assert_eq!(
        (account.address.as_str(), account.proxy.as_str(), account.sign_in.password.as_str()),
        ("sip:james@example.com", "udp:192.0.2.1:5060", "sesame")
    );
    for (step, words) in [
        (Step::Finding, "Looking up 192.0.2.1…"),
        (Step::Opening, "Connecting to 192.0.2.1…"),
        (Step::Asking, "Signing in at 192.0.2.1…"),
    ] {
        fake.change(|inner| inner.snapshot.registration = RegistrationState::Connecting(step));
        window.run();
        window.get_by_label(words);
    }
    fake.change(|inner| inner.snapshot.registration = RegistrationState::Connected);
    window.run();
    window.get_by_label("New message");
}

#[test]
fn an_address_and_a_password_are_enough() {
    let fake = Fake::new();
    fake.change(|inner| {
        inner.snapshot.account = None;
        inner.snapshot.registration = RegistrationState::Idle;
    });
    let mut window = fake.window(LARGE);
    type_into(&mut window, "SIP address", "james@example.com");
    type_into(&mut window, "Password", "sesame");
    window.get_by_label("Connect").click();
    window.run();
    let asked = fake.asked();
    let Some(Command::PutAccount(account)) = asked.first() else { panic!("{asked:?}") };
    assert_eq!((account.address.as_str(), account.proxy.as_str()), ("sip:james@example.com", ""));
    fake.change(|inner| inner.snapshot.registration = RegistrationState::Connecting(Step::Finding));
    window.run();
    window.get_by_label("Looking up example.com…");
}

#[test]
fn a_password_is_changed_in_the_settings_which_say_where_it_is_kept() {
    let fake = Fake::new();
    fake.change(|inner| inner.snapshot.password = PasswordPlace::File("/home/james/password.ron".into()));
    let mut window = fake.window(LARGE);
    window.get_by_label("Settings").click();
    window.run();
    assert!(says(&window, "kept in /home/james/password.ron, a plain file that only you can read"));
    type_into(&mut window, "Password", "sesame");
    type_into(&mut window, "Sign-in name", "j7");
    window.get_by_label("Save account").scroll_to_me();
    window.run();
    window.get_by_label("Save account").click();
    window.run();
    let asked = fake.asked();
    let [Command::PutAccount(account), Command::Agent(AgentCommand::Connect)] = asked.as_slice() else {
        panic!("{asked:?}")
    };
    let sign_in = &account.sign_in;
    assert_eq!((sign_in.username.as_str(), sign_in.password.as_str()), ("j7", "sesame"));
}

#[test]
fn settings_are_kept_as_they_are_chosen() {
    let fake = Fake::new();
    let mut window = fake.window(LARGE);
    window.get_by_label("Settings").click();
    window.run();
    for label in ["Dark", "Hide content", "Enter sends, Shift+Enter makes a new line"] {
        window.get_by_label(label).click();
        window.run();
    }
    let settings = |command| if let Command::PutSettings(settings) = command { Some(settings) } else { None };
    let last = fake.asked().into_iter().filter_map(settings).next_back().unwrap();
    assert_eq!(
        (last.theme, last.notifications, last.enter_sends),
        (Theme::Dark, Notifications::HideContent, false)
    );
    assert!(window.get_by_label("Save account").accesskit_node().is_disabled(), "nothing changed");
    type_into(&mut window, "Your name", " Jr.");
    window.get_by_label("Save account").scroll_to_me();
    window.run();
    window.get_by_label("Save account").click();
    window.run();
    let asked = fake.asked();
    let [Command::PutAccount(account), Command::Agent(AgentCommand::Connect)] = asked.as_slice() else {
        panic!("{asked:?}")
    };
    assert!(account.name.contains("Jr."));
    assert_eq!(account.t1_ms, 500);
}

/// With each address read anew for each contact this took 20 s of an optimized build, and minutes of this one.
#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "the bound is far above what it takes, and far below what it took"
)]
fn five_hundred_addresses_are_pasted_beside_twenty_thousand_contacts() {
    let fake = Fake::new();
    let contact = |number: u32| Contact {
        address: format!("sip:person{number}@example.com"),
        name: format!("Person {number}"),
        simulated: false,
    };
    fake.change(|inner| {
        let contacts = (0..20_000).map(contact).collect();
        inner.snapshot.book = std::sync::Arc::new(AddressBook { contacts, lists: Vec::new() });
    });
    let mut window = fake.window(LARGE);
    press(&mut window, Modifiers::COMMAND, Key::N);
    let pasted: Vec<String> = (0..500).map(|number| format!("person{}@example.com", number * 39)).collect();
    let start = std::time::Instant::now();
    window.event(egui::Event::Paste(pasted.join(", ")));
    window.run();
    assert!(start.elapsed() < std::time::Duration::from_secs(5), "{:?}", start.elapsed());
    window.get_by_label("New message to 500 people");
    window.get_by_label("Remove Person 39");
}
