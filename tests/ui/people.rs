//! Contacts, lists, recipients, account and settings.

use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT, Queryable};
use fanfare::model::account::{ConnectStep, RegistrationState};
use fanfare::model::command::{AgentCommand, Command};
use fanfare::model::contacts::{AddressBook, Contact};
use fanfare::model::journal::DeliveryState::Delivered;
use fanfare::model::snapshot::{MessageView, Notifications, PasswordPlace, Theme};
use fanfare::ui::App;

use crate::fake::{Fake, ago, from, open_advanced, own, people, person, press, says, type_into};
use crate::gallery::{LARGE, SMALL};

#[test]
fn many_addresses_are_pasted_bad_ones_flagged_and_backspace_removes() {
    let fake = Fake::new();
    let mut window = fake.window(LARGE);
    press(&mut window, Modifiers::COMMAND, Key::N);
    window.event(egui::Event::Paste("gus@example.com, Ida <ida@example.com>; nobody at all".into()));
    window.run();
    window.get_by_label("Remove gus");
    window.get_by_label("Remove Ida");
    window.get_by_label("Remove nobody at all: Not a SIP address. Enter one like ann@example.com");
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
    window.get_by_label("This is not a SIP address. Enter one like ann@example.com.");
    press(&mut window, Modifiers::NONE, Key::Escape);
    window.get_by_label("Discard").click();
    window.run();

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
    let [Command::RemoveContact { address }, Command::PutContact(contact), Command::PutList(_)] =
        asked.as_slice()
    else {
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
    window.get_by_label("Save as list…").click();
    window.run();
    type_into(&mut window, "List name", "Team");
    window.get_by_label("Save list").click();
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
    open_advanced(&mut window);
    type_into(&mut window, "Proxy", "no where");
    window.get_by_label("Connect").click();
    window.run();
    assert!(fake.asked().is_empty(), "what makes no sense is not asked");
    assert!(says(&window, "is not a server address"));
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
        (ConnectStep::Finding, "Looking up 192.0.2.1…"),
        (ConnectStep::Opening, "Connecting to 192.0.2.1…"),
        (ConnectStep::Asking { is_encrypted: false }, "Signing in to 192.0.2.1…"),
        (ConnectStep::Waiting { is_encrypted: false }, "No answer from 192.0.2.1 yet, still trying…"),
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
    fake.change(|inner| inner.snapshot.registration = RegistrationState::Connecting(ConnectStep::Finding));
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
    for label in ["Dark", "Hide content", "Enter sends, Shift+Enter starts a new line"] {
        window.get_by_label(label).scroll_to_me();
        window.run();
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

#[test]
fn an_account_takes_messages_without_a_server_once_that_is_switched_on() {
    const WORDS: &str = "Anyone who can reach this computer can write to you; senders are not verified.";
    let fake = Fake::new();
    let mut window = fake.window(LARGE);
    let mut switch = |is_on: bool| {
        window.get_by_label("Settings").click();
        window.run();
        let label = "Without a server (peer to peer)";
        window.get_by_role_and_label(Role::CheckBox, label).scroll_to_me();
        window.run();
        assert!(says(&window, WORDS));
        window.get_by_role_and_label(Role::CheckBox, label).click();
        window.run();
        window.get_by_label("Save account").scroll_to_me();
        window.run();
        fake.asked();
        window.get_by_label("Save account").click();
        window.run();
        let asked = fake.asked();
        let [Command::PutAccount(account), Command::Agent(AgentCommand::Connect)] = asked.as_slice() else {
            panic!("{asked:?}")
        };
        assert_eq!(account.peer_to_peer, is_on);
        press(&mut window, Modifiers::NONE, Key::Escape);
    };
    switch(true);
    switch(false);
}

#[test]
fn who_is_not_verified_is_marked_in_the_list_and_in_the_thread() {
    let fake = Fake::new();
    let (ann, ben) = (person("Ann Lee"), person("Ben Okafor"));
    let direct = MessageView { verified: false, ..from(1, ago(4), &ann, "Please pay this.") };
    fake.converse(1, std::slice::from_ref(&ann), vec![direct], 1);
    fake.converse(2, std::slice::from_ref(&ben), vec![from(2, ago(3), &ben, "Lunch?")], 1);
    let mut window = fake.window(LARGE);
    window.get_by_label("Ben Okafor, Lunch?, 1 unread");
    window.get_by_label("Ann Lee, Not verified, Please pay this., 1 unread").click();
    window.run();
    let mark = window.get_by_role_and_label(Role::Label, "Not verified");
    let bubble = window.get_by_label("Message from Ann Lee").rect();
    assert!(mark.rect().top() >= bubble.bottom() && mark.rect().left() < bubble.right() + 80.0);
    mark.hover();
    window.run();
    assert!(says(&window, "This did not come through your server. Nobody has checked who sent it"));

    // An answer of ours is nothing to be doubted; their next message is marked again.
    let answer = own(3, ago(2), "Who are you?", &[(&ann, Delivered)]);
    let first = MessageView { verified: false, ..from(1, ago(4), &ann, "Please pay this.") };
    fake.converse(1, std::slice::from_ref(&ann), vec![first.clone(), answer.clone()], 0);
    window.run();
    window.get_by_label("Ann Lee, Who are you?");
    assert_eq!(window.get_all_by_label("Not verified").count(), 1);
    let second = MessageView { verified: false, ..from(4, ago(1), &ann, "The boss.") };
    fake.converse(1, std::slice::from_ref(&ann), vec![first, answer, second], 0);
    window.run();
    window.get_by_label("Ann Lee, Not verified, The boss.");
    assert_eq!(window.get_all_by_label("Not verified").count(), 2);
}

#[test]
fn each_dialog_begins_at_its_top() {
    let fake = Fake::new();
    let mut window = fake.window(SMALL);
    press(&mut window, Modifiers::COMMAND, Key::Comma);
    window.get_by_label("Save account").scroll_to_me();
    window.run();
    let in_view = |window: &Harness<'static, App>, label: &str| {
        window.ctx.content_rect().contains_rect(window.get_by_label(label).rect())
    };
    assert!(in_view(&window, "Save account") && !in_view(&window, "Appearance"));
    let size = window.get_by_label("Save account").rect().size();
    press(&mut window, Modifiers::NONE, Key::Escape);
    press(&mut window, Modifiers::COMMAND, Key::Slash);
    assert!(in_view(&window, "Keyboard shortcuts") && in_view(&window, "Ctrl+N"));
    press(&mut window, Modifiers::NONE, Key::Escape);
    press(&mut window, Modifiers::COMMAND, Key::Comma);
    assert!(in_view(&window, "Appearance") && !in_view(&window, "Save account"));
    assert_eq!(window.get_by_label("Save account").rect().size(), size, "and has its own size");
    assert!(!eframe::App::persist_egui_memory(window.state()), "for this run of the program only");
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
        inner.snapshot.book =
            std::sync::Arc::new(AddressBook { contacts, lists: Vec::new(), ..AddressBook::default() });
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

#[test]
fn a_saved_list_gives_its_conversation_a_name_and_the_header_lists_everybody_on_a_click() {
    let fake = Fake::new();
    let crew = people(&["Ann Lee", "Ben Okafor", "Cy Young"]);
    fake.converse(1, &crew, vec![from(1, ago(3), &crew[0], "Who takes Monday?")], 0);
    fake.converse(2, &crew[..1], vec![from(2, ago(2), &crew[0], "Just us")], 0);
    let mut window = fake.window(LARGE);
    window.get_by_label("Night shift, Who takes Monday?").click();
    window.run();
    window.get_by_label("To Ann Lee, Ben Okafor and Cy Young").click();
    window.run();
    window.get_by_label("Ben Okafor, ben.okafor@example.com");
    window.snapshot("everybody_light");
    window.get_by_label("Ann Lee, ann.lee@example.com").click();
    window.run();
    assert!(says(&window, "Just us"), "the conversation with Ann alone");
}
