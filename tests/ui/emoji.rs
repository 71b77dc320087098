//! Emoji: chosen from a picker, or by their names while one writes.

use egui::{Event, Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT, Queryable};
use fanfare::model::journal::DeliveryState::Delivered;
use fanfare::model::snapshot::Theme;
use fanfare::ui::App;

use crate::fake::{Fake, ago, own, people, press, says, type_into};
use crate::gallery::{LARGE, SMALL};

fn with_ann(fake: &Fake, size: [f32; 2]) -> Harness<'static, App> {
    let ann = people(&["Ann Lee"]);
    fake.converse(1, &ann, vec![own(1, ago(3), "Hello 😀 ❤️ 👍", &[(&ann[0], Delivered)])], 0);
    let mut window = fake.window(size);
    window.get_by(|node| node.label().is_some_and(|name| name.starts_with("Ann Lee,"))).click();
    window.run();
    window
}

fn written(window: &Harness<'static, App>) -> String {
    window.get_by_label("Message").accesskit_node().value().unwrap_or_default()
}

fn write(window: &mut Harness<'static, App>, text: &str) {
    for letter in text.chars() {
        window.event(Event::Text(letter.to_string()));
        window.run();
    }
}

#[test]
fn an_emoji_is_chosen_by_name_and_goes_where_the_cursor_is() {
    let fake = Fake::new();
    let mut window = with_ann(&fake, LARGE);
    type_into(&mut window, "Message", "Good day");
    press(&mut window, Modifiers::NONE, Key::ArrowLeft);
    press(&mut window, Modifiers::NONE, Key::ArrowLeft);
    press(&mut window, Modifiers::NONE, Key::ArrowLeft);
    press(&mut window, Modifiers::COMMAND, Key::Period);
    assert!(window.get_by_label("Emoji").is_focused());
    window.snapshot("emoji_light");
    write(&mut window, "thumbs up");
    assert!(says(&window, ":+1:"));
    press(&mut window, Modifiers::NONE, Key::Enter);
    assert_eq!(written(&window), "Good 👍day");
    write(&mut window, " ");
    assert_eq!(written(&window), "Good 👍 day", "the cursor is behind it");
    press(&mut window, Modifiers::COMMAND, Key::Z);
    press(&mut window, Modifiers::COMMAND, Key::Z);
    assert_eq!(written(&window), "Good day", "it can be undone");

    // Used before, it is the first to be offered.
    press(&mut window, Modifiers::COMMAND, Key::Period);
    press(&mut window, Modifiers::NONE, Key::Enter);
    assert_eq!(written(&window), "Good 👍day");
    press(&mut window, Modifiers::COMMAND, Key::Period);
    press(&mut window, Modifiers::NONE, Key::Escape);
    assert!(window.query_by_label("Emoji").is_none());
    assert!(window.get_by_label("Message").is_focused());
    assert_eq!(written(&window), "Good 👍day");
}

#[test]
fn the_picker_in_a_small_dark_window() {
    let fake = Fake::new();
    fake.change(|inner| {
        inner.snapshot.settings.theme = Theme::Dark;
        inner.snapshot.settings.recent_emoji = vec!["🎉".into(), "no emoji".into()];
    });
    let mut window = with_ann(&fake, SMALL);
    window.get_by_label("Insert an emoji").click();
    window.run();
    window.snapshot("emoji_small_dark");
    press(&mut window, Modifiers::NONE, Key::ArrowRight);
    assert!(says(&window, "grinning face"));
}

#[test]
fn a_name_between_colons_becomes_its_emoji() {
    let fake = Fake::new();
    let mut window = with_ann(&fake, LARGE);
    type_into(&mut window, "Message", "See you ");
    write(&mut window, ":tada:");
    assert_eq!(written(&window), "See you 🎉");
    write(&mut window, " at 12:30: sip:ann:");
    assert_eq!(written(&window), "See you 🎉 at 12:30: sip:ann:");
    // All within one frame, as on a slow computer.
    for letter in " :tada: Great".chars() {
        window.event(Event::Text(letter.to_string()));
    }
    window.run();
    assert_eq!(written(&window), "See you 🎉 at 12:30: sip:ann: 🎉 Great");
    press(&mut window, Modifiers::COMMAND, Key::A);
    write(&mut window, ":tada:");
    press(&mut window, Modifiers::COMMAND, Key::Z);
    assert_eq!(written(&window), ":tada:", "who means the letters gets them back");
}

#[test]
fn while_a_name_is_typed_emoji_are_suggested() {
    let fake = Fake::new();
    let mut window = with_ann(&fake, LARGE);
    type_into(&mut window, "Message", "Fine ");
    write(&mut window, ":smi");
    window.get_by_label("😄 :smile:");
    window.snapshot("emoji_suggested_light");
    press(&mut window, Modifiers::NONE, Key::Tab);
    assert_eq!(written(&window), "Fine 😄");
    assert!(window.get_by_label("Message").is_focused());
    write(&mut window, ":smi");
    press(&mut window, Modifiers::NONE, Key::ArrowDown);
    press(&mut window, Modifiers::NONE, Key::Enter);
    let second = written(&window);
    assert!(second.starts_with("Fine 😄") && second != "Fine 😄" && !second.contains(':'), "{second}");
    let is_sent = |command: &fanfare::model::command::Command| format!("{command:?}").contains("Send(");
    assert!(!fake.asked().iter().any(is_sent), "Enter took the suggestion and sent nothing");
}
