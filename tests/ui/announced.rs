//! What a screen reader says by itself.

use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT, Queryable};
use fanfare::model::account::RegistrationState;
use fanfare::model::command::Notice;
use fanfare::model::journal::ConversationId;
use fanfare::model::journal::DeliveryState::{Accepted, Delivered, Failed};
use fanfare::model::outage::Outage;
use fanfare::ui::App;

use crate::fake::{Fake, ago, own, people, press};
use crate::gallery::LARGE;

/// What is being said.
fn said(window: &Harness<'static, App>) -> Option<String> {
    let nodes = window.root().children_recursive();
    let status = nodes.filter(|node| node.accesskit_node().role() == Role::Status);
    status.filter_map(|node| node.accesskit_node().label()).find(|words| !words.is_empty())
}

fn came(from: &str, text: &str) -> Notice {
    Notice::Received { conversation: ConversationId(1), from: from.to_owned(), text: text.to_owned() }
}

#[test]
fn what_comes_into_the_open_conversation_is_said_each_time() {
    let fake = Fake::new();
    let crew = people(&["Ann Lee", "Ben Okafor"]);
    let [ann, ben] = crew.as_slice() else { panic!("two") };
    fake.converse(1, &crew, vec![own(5, ago(0), "Lunch?", &[(ann, Accepted), (ben, Accepted)])], 0);
    let mut window = fake.window(LARGE);
    fake.change(|inner| inner.notices.push(came("Ann Lee", "Yes")));
    window.run();
    assert_eq!(said(&window), None, "it is not open: a notification says it");
    press(&mut window, Modifiers::ALT, Key::ArrowDown);
    for _ in 0..2 {
        fake.change(|inner| inner.notices.push(came("Ben Okafor", "Me too")));
        window.run();
        assert_eq!(said(&window).as_deref(), Some("Ben Okafor: Me too"));
    }
    fake.change(|inner| {
        inner.notices.extend([came("Ann Lee", "One"), came("Ben Okafor", &"x".repeat(1000))]);
    });
    window.run();
    let words = said(&window).unwrap();
    assert!(words.starts_with("Ann Lee: One\nBen Okafor: xxx") && words.len() < 400, "{words}");
}

#[test]
fn how_a_message_of_ours_ended_is_said_once() {
    let fake = Fake::new();
    let crew = people(&["Ann Lee", "Ben Okafor"]);
    let [ann, ben] = crew.as_slice() else { panic!("two") };
    let mut window = fake.window(LARGE);
    let states = [(Accepted, Accepted), (Delivered, Accepted), (Delivered, Failed)];
    let told = [None, None, Some("Message to 2 people, 1 delivered, 1 not delivered")];
    for ((first, second), words) in states.into_iter().zip(told) {
        fake.converse(1, &crew, vec![own(5, ago(0), "Lunch?", &[(ann, first), (ben, second)])], 0);
        window.run();
        press(&mut window, Modifiers::ALT, Key::ArrowDown);
        assert_eq!(said(&window).as_deref(), words);
    }
}

#[test]
fn the_state_of_the_account_is_said_when_it_changes() {
    let fake = Fake::new();
    let mut window = fake.window(LARGE);
    assert_eq!(said(&window), None);
    let offline =
        RegistrationState::Offline { retry_after: std::time::Duration::ZERO, why: Outage::NoAnswer };
    fake.change(|inner| inner.snapshot.registration = offline);
    window.run();
    assert!(said(&window).is_some_and(|words| words.starts_with("Offline")), "{:?}", said(&window));
    fake.change(|inner| inner.snapshot.registration = RegistrationState::Connected);
    window.run();
    assert_eq!(said(&window).as_deref(), Some("Connected"));
}

#[test]
fn the_window_is_named_by_its_title_and_a_notice_in_it_is_read_aloud() {
    let fake = Fake::new();
    let mut window = fake.window(LARGE);
    fake.change(|inner| inner.notices.push(Notice::Problem("The disk is full.".to_owned())));
    window.run();
    let notice = window.get_by_label("The disk is full.");
    assert_eq!(notice.accesskit_node().live(), egui::accesskit::Live::Polite);
    assert_eq!(window.root().accesskit_node().label().as_deref(), Some("Fanfare"));
}
