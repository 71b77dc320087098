//! Undo and redo belong to the field in which something was typed, and lose nothing.

use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT, Queryable};
use fanfare::model::command::{AgentCommand, Command};
use fanfare::ui::App;

use crate::fake::{Fake, press, type_into};
use crate::gallery::{LARGE, busy};

fn open(window: &mut Harness<'static, App>, name: &str) {
    window.get_by(|node| node.label().is_some_and(|label| label.starts_with(name))).click();
    window.run();
}

fn text(window: &Harness<'static, App>, field: &str) -> String {
    window.get_by_label(field).value().unwrap_or_default()
}

#[test]
fn undo_does_not_bring_the_text_of_one_conversation_into_another() {
    let fake = busy();
    let mut window = fake.window(LARGE);
    open(&mut window, "Cy Young,");
    type_into(&mut window, "Message", "for Cy alone");
    open(&mut window, "Ben Okafor,");
    window.get_by_label("Message").focus();
    window.run();
    press(&mut window, Modifiers::COMMAND, Key::Z);
    assert_eq!(text(&window, "Message"), "");
    open(&mut window, "Cy Young,");
    press(&mut window, Modifiers::COMMAND, Key::Z);
    assert_eq!(text(&window, "Message"), "");
    press(&mut window, Modifiers::COMMAND | Modifiers::SHIFT, Key::Z);
    assert_eq!(text(&window, "Message"), "for Cy alone");
}

#[test]
fn text_that_was_typed_fast_and_deleted_comes_back() {
    let fake = busy();
    let mut window = fake.window(LARGE);
    open(&mut window, "Cy Young,");
    type_into(&mut window, "Message", "quick");
    for key in [Key::A, Key::Delete] {
        let modifiers = if key == Key::A { Modifiers::COMMAND } else { Modifiers::NONE };
        press(&mut window, modifiers, key);
    }
    assert_eq!(text(&window, "Message"), "");
    press(&mut window, Modifiers::COMMAND, Key::Z);
    assert_eq!(text(&window, "Message"), "quick");
    press(&mut window, Modifiers::COMMAND, Key::Y);
    assert_eq!(text(&window, "Message"), "");
    press(&mut window, Modifiers::COMMAND, Key::Z);
    assert_eq!(text(&window, "Message"), "quick");
    // What was sent cannot be brought back by undo, and so cannot be sent twice by mistake.
    press(&mut window, Modifiers::NONE, Key::Enter);
    press(&mut window, Modifiers::COMMAND, Key::Z);
    assert_eq!(text(&window, "Message"), "");
}

#[test]
fn undo_does_not_cross_dialogs_or_sent_recipients() {
    let fake = busy();
    let mut window = fake.window(LARGE);
    window.get_by_role_and_label(Role::Tab, "Contacts").click();
    window.run();
    window.get_by_label("Edit Ann Lee").click();
    window.run();
    type_into(&mut window, "Name", "X");
    window.get_by_label("Save contact").click();
    window.run();
    window.get_by_label("Edit Ben Okafor").click();
    window.run();
    window.get_by_role_and_label(Role::TextInput, "Name").focus();
    window.run();
    press(&mut window, Modifiers::COMMAND, Key::Z);
    let name = window.get_by_role_and_label(Role::TextInput, "Name").value();
    assert_eq!(name.as_deref(), Some("Ben Okafor"));
    press(&mut window, Modifiers::NONE, Key::Escape);
    type_into(&mut window, "Search", "cy");
    press(&mut window, Modifiers::COMMAND, Key::N);
    press(&mut window, Modifiers::COMMAND, Key::Z);
    assert_eq!((text(&window, "To"), text(&window, "Search")), (String::new(), "cy".into()));
    window.get_by_label("To").type_text("ann@example.com, ");
    window.run();
    press(&mut window, Modifiers::COMMAND, Key::Z);
    assert_eq!(text(&window, "To"), "", "it has become a recipient");
    assert!(window.get_by_label("To").accesskit_node().is_focused());
    // Typing goes on in the same field.
    window.event(egui::Event::Text("ben".into()));
    window.run();
    assert_eq!((text(&window, "To").as_str(), text(&window, "Message").as_str()), ("ben", ""));
}

#[test]
fn ctrl_z_takes_back_what_was_just_sent_unless_something_typed_can_be_undone() {
    let fake = busy();
    fake.change(|inner| inner.snapshot.settings.undo_send_secs = 10);
    let mut window = fake.window(LARGE);
    open(&mut window, "Cy Young,");
    let undo = |window: &mut Harness<'static, App>| {
        press(window, Modifiers::COMMAND, Key::Z);
        text(window, "Message")
    };
    let sent = |fake: &Fake| {
        let is_sent = |command: &Command| matches!(command, Command::Agent(AgentCommand::Send(_)));
        fake.asked().iter().filter(|command| is_sent(command)).count()
    };
    type_into(&mut window, "Message", "Too early");
    press(&mut window, Modifiers::NONE, Key::Enter);
    assert_eq!(undo(&mut window), "Too early");
    assert!(window.get_by_label("Message").is_focused() && window.query_by_label("Undo").is_none());
    press(&mut window, Modifiers::NONE, Key::Enter);
    type_into(&mut window, "Message", "next");
    assert_eq!(undo(&mut window), "", "it belongs to the text first");
    assert!(window.query_by_label("Undo").is_some());
    assert_eq!(undo(&mut window), "Too early");
    press(&mut window, Modifiers::NONE, Key::Enter);
    open(&mut window, "Ben Okafor,");
    assert_eq!(undo(&mut window), "", "it was sent elsewhere");
    assert_eq!(sent(&fake), 0);
}
