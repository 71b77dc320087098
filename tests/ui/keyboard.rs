//! The same without a pointer.

use egui::{Key, Modifiers, ViewportCommand, ViewportEvent, ViewportId};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT, Queryable};
use fanfare::model::command::{AgentCommand, Command};
use fanfare::model::journal::ConversationId;
use fanfare::model::journal::DeliveryState::{Delivered, Failed};
use fanfare::model::journal::MessageId;
use fanfare::ui::{App, Options};

use crate::fake::{Fake, ago, own, people, person, press, says, type_into};
use crate::gallery::{LARGE, SMALL, busy};

#[test]
fn a_message_to_three_is_written_sent_and_resent_by_keys_alone() {
    let fake = Fake::new();
    let mut window = fake.window(LARGE);
    press(&mut window, Modifiers::COMMAND, Key::N);
    assert!(window.get_by_label("To").is_focused());
    for typed in ["ann", "ben", "cy"] {
        type_into(&mut window, "To", typed);
        press(&mut window, Modifiers::NONE, Key::Enter);
    }
    window.get_by_label("Remove Cy Young");
    press(&mut window, Modifiers::NONE, Key::F6);
    assert!(window.get_by_label("Message").is_focused());
    press(&mut window, Modifiers::SHIFT, Key::Tab);
    assert!(window.get_by_label("To").is_focused());
    press(&mut window, Modifiers::NONE, Key::Tab);
    assert!(window.get_by_label("Message").is_focused());
    type_into(&mut window, "Message", "Who can come?");
    press(&mut window, Modifiers::SHIFT, Key::Enter);
    assert_eq!(window.get_by_label("Message").value().as_deref(), Some("Who can come?\n"));
    press(&mut window, Modifiers::NONE, Key::Enter);
    let asked = fake.asked();
    let [Command::Agent(AgentCommand::Send(draft))] = asked.as_slice() else { panic!("{asked:?}") };
    assert_eq!((draft.to.len(), draft.text.as_str()), (3, "Who can come?"));

    let crew = people(&["Ann Lee", "Ben Okafor", "Cy Young"]);
    let [ann, ben, cy] = crew.as_slice() else { panic!("three") };
    fake.converse(
        1,
        &crew,
        vec![own(5, ago(0), "Who can come?", &[(ann, Delivered), (ben, Failed), (cy, Delivered)])],
        0,
    );
    window.run();
    fake.asked();
    press(&mut window, Modifiers::COMMAND | Modifiers::SHIFT, Key::R);
    let asked = fake.asked();
    assert!(
        matches!(
            asked.as_slice(),
            [Command::Agent(AgentCommand::Resend { message: MessageId(5), only: None })]
        ),
        "{asked:?}"
    );
}

#[test]
fn what_stands_ready_is_sent_by_enter() {
    let fake = Fake::new();
    let ready = Some((people(&["Ann Lee", "Ben Okafor"]), "Lunch at noon?".to_owned()));
    let mut window = fake.window_with(LARGE, Options { ready, ..Options::default() });
    press(&mut window, Modifiers::NONE, Key::Enter);
    let asked = fake.asked();
    let [Command::Agent(AgentCommand::Send(draft))] = asked.as_slice() else { panic!("{asked:?}") };
    assert_eq!((draft.to.len(), draft.text.as_str()), (2, "Lunch at noon?"));
}

#[test]
fn enter_makes_a_line_when_the_setting_says_so() {
    let fake = busy();
    fake.change(|inner| inner.snapshot.settings.enter_sends = false);
    let mut window = fake.window(LARGE);
    press(&mut window, Modifiers::ALT, Key::ArrowDown);
    press(&mut window, Modifiers::NONE, Key::F6);
    press(&mut window, Modifiers::NONE, Key::F6);
    type_into(&mut window, "Message", "one");
    press(&mut window, Modifiers::NONE, Key::Enter);
    assert_eq!(window.get_by_label("Message").value().as_deref(), Some("one\n"));
    fake.asked();
    press(&mut window, Modifiers::SHIFT, Key::Enter);
    assert!(matches!(fake.asked().as_slice(), [Command::Agent(AgentCommand::Send(_))]));
}

#[test]
fn alt_arrows_walk_the_conversations() {
    let fake = busy();
    let mut window = fake.window(LARGE);
    press(&mut window, Modifiers::ALT, Key::ArrowDown);
    press(&mut window, Modifiers::ALT, Key::ArrowDown);
    press(&mut window, Modifiers::ALT, Key::ArrowUp);
    press(&mut window, Modifiers::ALT | Modifiers::SHIFT, Key::ArrowDown);
    let opened: Vec<u64> = fake
        .asked()
        .into_iter()
        .filter_map(|command| if let Command::Open(ConversationId(id)) = command { Some(id) } else { None })
        .collect();
    assert_eq!(opened, [1, 5, 1, 6], "down, down, up, and down to the next unread one");
}

#[test]
fn arrows_walk_the_messages_and_f8_finds_the_failed_one() {
    let fake = busy();
    let mut window = fake.window(LARGE);
    press(&mut window, Modifiers::ALT, Key::ArrowDown);
    press(&mut window, Modifiers::NONE, Key::F8);
    let failed = "Message to 6 people, 3 delivered, 2 not delivered, 1 without report";
    assert!(window.get_by_label(failed).is_focused());
    press(&mut window, Modifiers::NONE, Key::ArrowDown);
    assert!(window.get_by_label("Message from Cy Young").is_focused());
    press(&mut window, Modifiers::NONE, Key::ArrowUp);
    assert!(window.get_by_label(failed).is_focused());
}

#[test]
fn f8_goes_on_to_the_next_conversation_with_a_failure_and_says_if_there_is_none() {
    let fake = busy();
    let (ben, cy) = (person("Ben Okafor"), person("Cy Young"));
    let lost = own(110, ago(2), "The other one", &[(&ben, Failed), (&cy, Delivered)]);
    fake.converse(11, &[ben, cy], vec![lost], 0);
    let mut window = fake.window(LARGE);
    let other = "Message to 2 people, 1 delivered, 1 not delivered";
    let first = "Message to 6 people, 3 delivered, 2 not delivered, 1 without report";
    for expected in [other, first, other] {
        press(&mut window, Modifiers::NONE, Key::F8);
        assert!(window.get_by_label(expected).is_focused(), "{expected}");
    }
    let fake = Fake::new();
    let mut window = fake.window(LARGE);
    press(&mut window, Modifiers::NONE, Key::F8);
    assert!(window.query_by_label("Nothing that you sent has failed.").is_some());
}

#[test]
fn escape_closes_the_drawer_and_never_a_draft() {
    let fake = busy();
    let mut window = fake.window(SMALL);
    press(&mut window, Modifiers::ALT, Key::ArrowDown);
    type_into(&mut window, "Message", "draft");
    press(&mut window, Modifiers::COMMAND, Key::D);
    window.get_by_label("Close delivery");
    press(&mut window, Modifiers::NONE, Key::Escape);
    assert!(window.query_by_label("Close delivery").is_none());
    assert_eq!(window.get_by_label("Message").value().as_deref(), Some("draft"));
    window.get_by_label("Back to all messages").click();
    window.run();
    window.get_by_label("Search");
}

#[test]
fn scale_and_search_have_keys() {
    let fake = busy();
    let mut window = fake.window(LARGE);
    press(&mut window, Modifiers::COMMAND, Key::Plus);
    assert!(matches!(fake.asked().as_slice(), [Command::PutSettings(settings)] if settings.scale == 1.1));
    press(&mut window, Modifiers::COMMAND, Key::Num0);
    press(&mut window, Modifiers::NONE, Key::F6);
    assert!(window.get_by_label("Search").is_focused());
    type_into(&mut window, "Search", "zoë");
    assert!(window.query_by(|node| node.label().is_some_and(|label| label.starts_with("Zoë"))).is_some());
    assert!(
        window.query_by(|node| node.label().is_some_and(|label| label.starts_with("Cy Young,"))).is_none()
    );
}

/// Leaves as by the window's own button: the system says that the window is to be closed.
fn press_close(window: &mut Harness<'static, App>) -> bool {
    let root = window.input_mut().viewports.entry(ViewportId::ROOT).or_default();
    root.events.push(ViewportEvent::Close);
    window.step();
    // What eframe looks for: without it the window is gone after this frame.
    let stays =
        window.output().viewport_output[&ViewportId::ROOT].commands.contains(&ViewportCommand::CancelClose);
    let root = window.input_mut().viewports.entry(ViewportId::ROOT).or_default();
    root.events.clear();
    window.run();
    stays
}

#[test]
fn leaving_says_how_many_messages_wait() {
    let fake = Fake::new();
    fake.change(|inner| inner.snapshot.unsent = 1);
    let mut window = fake.window(LARGE);
    press(&mut window, Modifiers::COMMAND, Key::Q);
    assert!(says(&window, "1 message has not been sent yet."));
    window.get_by_label("Stay").click();
    window.run();
    assert!(window.query_by_label("Stay").is_none());
    assert!(!window.get_by_label("Settings").accesskit_node().is_disabled());
}

#[test]
fn the_close_button_of_the_window_says_the_same_as_the_key() {
    let fake = Fake::new();
    fake.change(|inner| inner.snapshot.unsent = 2);
    let mut window = fake.window(LARGE);
    assert!(press_close(&mut window), "the window stays");
    assert!(says(&window, "2 messages have not been sent yet."));
    assert!(press_close(&mut window), "and stays until the question is answered");
    window.get_by_label("Quit").click();
    let mut closes = false;
    for _ in 0..4 {
        window.step();
        closes |=
            window.output().viewport_output[&ViewportId::ROOT].commands.contains(&ViewportCommand::Close);
    }
    assert!(closes);
    assert!(!press_close(&mut window), "it is not asked twice");
}

#[test]
fn the_window_closes_at_once_when_nothing_waits() {
    let fake = busy();
    let mut window = fake.window(LARGE);
    assert!(!press_close(&mut window));
    assert!(!says(&window, "not been sent yet"));
}
