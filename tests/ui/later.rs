//! Messages that are sent at a time that the user chooses.

use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT, Queryable};
use fanfare::model::command::{AgentCommand, Command, Notice};
use fanfare::model::journal::DeliveryState::Delivered;
use fanfare::model::journal::PersonRow;
use fanfare::model::snapshot::Theme;
use fanfare::time::Timestamp;
use fanfare::ui::App;

use crate::fake::{Fake, NOW, ago, own, people, press, says, type_into};
use crate::gallery::{LARGE, SMALL};

const HOUR: u64 = 3_600_000;

fn with_ann(fake: &Fake, size: [f32; 2]) -> Harness<'static, App> {
    let ann = people(&["Ann Lee"]);
    fake.converse(1, &ann, vec![own(1, ago(3), "Hello.", &[(&ann[0], Delivered)])], 0);
    let mut window = fake.window(size);
    window.get_by(|node| node.label().is_some_and(|name| name.starts_with("Ann Lee,"))).click();
    window.run();
    window
}

fn later(fake: &Fake) -> Vec<(String, u64)> {
    let told = |command: Command| {
        let Command::Agent(AgentCommand::SendLater { draft, due }) = command else { return None };
        Some((draft.text, due.as_millis()))
    };
    fake.asked().into_iter().filter_map(told).collect()
}

/// Writes a message and opens the menu beside the button.
fn written(window: &mut Harness<'static, App>, text: &str) {
    type_into(window, "Message", text);
    window.get_by_label("Send later…").click();
    window.run();
}

#[test]
fn a_time_is_chosen_in_the_menu_beside_send() {
    let fake = Fake::new();
    let mut window = with_ann(&fake, LARGE);
    assert!(window.get_by_label("Send later…").accesskit_node().is_disabled(), "nothing is written");
    written(&mut window, "The gate opens at eight.");
    window.snapshot("send_at_menu_light");
    window.get_by_label("Tomorrow at 9:00").click();
    window.run();
    // It is Friday, 15:00.
    assert_eq!(later(&fake), [("The gate opens at eight.".to_owned(), NOW + 18 * HOUR)]);
    assert!(says(&window, "Will be sent to 1 person tomorrow at 09:00"));
    assert_eq!(window.get_by_label("Message").accesskit_node().value().unwrap_or_default(), "");
    written(&mut window, "Monday it is.");
    window.get_by_label("On Monday at 9:00").click();
    window.run();
    assert_eq!(later(&fake), [("Monday it is.".to_owned(), NOW + (9 + 48 + 9) * HOUR)]);
    assert!(says(&window, "Will be sent to 1 person on 17 Nov at 09:00"));
    window.snapshot("sent_later_light");
}

#[test]
fn another_time_is_typed_and_one_that_is_past_is_not_taken() {
    let fake = Fake::new();
    let mut window = with_ann(&fake, LARGE);
    written(&mut window, "Happy new year!");
    window.get_by_label("At another time…").click();
    window.run();
    let put = |window: &mut Harness<'static, App>, field: &str, text: &str| {
        window.get_by_role_and_label(Role::TextInput, field).focus();
        window.run();
        press(window, Modifiers::COMMAND, Key::A);
        type_into(window, field, text);
    };
    put(&mut window, "Day", "2025-11-14");
    put(&mut window, "Time", "14:59");
    press(&mut window, Modifiers::NONE, Key::Enter);
    assert!(says(&window, "This time is in the past."));
    let has_focus = |window: &Harness<'static, App>, field: &str| {
        window.get_by_role_and_label(Role::TextInput, field).accesskit_node().is_focused()
    };
    assert!(has_focus(&window, "Time"), "the day is today's");
    put(&mut window, "Day", "14.11.");
    window.get_by_label("Schedule").click();
    window.run();
    assert!(says(&window, "Write the day like 2026-12-24.") && has_focus(&window, "Day"));
    put(&mut window, "Time", "noon");
    put(&mut window, "Day", "2025-11-15");
    window.get_by_label("Schedule").click();
    window.run();
    assert!(says(&window, "Write the time like 18:30.") && has_focus(&window, "Time"));
    put(&mut window, "Day", "2026-01-01");
    put(&mut window, "Time", "00:00");
    assert!(says(&window, "Sent on Thursday, 1 January at 00:00, or when Fanfare is next started."));
    window.snapshot("send_at_dialog_light");
    press(&mut window, Modifiers::NONE, Key::Enter);
    assert_eq!(later(&fake), [("Happy new year!".to_owned(), 1_767_225_600_000)]);
    let field = window.get_by_role_and_label(Role::MultilineTextInput, "Message");
    assert!(field.accesskit_node().is_focused(), "the next message can be typed at once");
}

#[test]
fn what_waits_is_changed_sent_now_or_taken_back() {
    let fake = Fake::new();
    fake.change(|inner| inner.snapshot.settings.theme = Theme::Dark);
    let mut window = with_ann(&fake, SMALL);
    written(&mut window, "In an hour, then.");
    window.get_by_label("In an hour").click();
    window.run();
    window.snapshot("sent_later_small_dark");
    fake.asked();
    window.get_by_label("Change time").click();
    window.run();
    window.get_by_role_and_label(Role::TextInput, "Time").focus();
    window.run();
    press(&mut window, Modifiers::COMMAND, Key::A);
    type_into(&mut window, "Time", "17:30");
    press(&mut window, Modifiers::NONE, Key::Enter);
    assert!(says(&window, "Will be sent to 1 person at 17:30"));
    window.get_by_label("Send now").click();
    window.run();
    let now = Timestamp::from_millis(NOW);
    let is_now = |command: &Command| matches!(command, Command::Agent(AgentCommand::PutOff { number: 1, due }) if *due == now);
    assert!(fake.asked().iter().any(is_now));
    window.get_by_label("Take back").click();
    window.run();
    assert_eq!(window.get_by_label("Message").accesskit_node().value().as_deref(), Some("In an hour, then."));
    assert!(!says(&window, "Will be sent"));
}

#[test]
fn what_was_sent_late_is_said() {
    let fake = Fake::new();
    let mut window = with_ann(&fake, LARGE);
    let to = vec![PersonRow { address: people(&["Ben Okafor"])[0].address.clone(), name: String::new() }];
    fake.change(|inner| inner.notices.push(Notice::SentLate { due: ago(90), to }));
    window.run();
    assert!(says(
        &window,
        "A message to Ben Okafor was due at 13:30. Fanfare was not running then, so it was sent just now."
    ));
}
