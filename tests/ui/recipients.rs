//! Whom a new message goes to: slips of the finger, suggestions, and the keys that take them.

use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT, Queryable};
use fanfare::model::command::{AgentCommand, Command};
use fanfare::ui::App;

use crate::fake::{Fake, ago, from, own, person, press, type_into};
use crate::gallery::LARGE;
use fanfare::model::journal::DeliveryState::Delivered;

fn new_message(fake: &Fake) -> Harness<'static, App> {
    let mut window = fake.window(LARGE);
    press(&mut window, Modifiers::COMMAND, Key::N);
    window
}

/// Types letter by letter, as a person does.
fn type_slowly(window: &mut Harness<'static, App>, text: &str) {
    for letter in text.chars() {
        window.event(egui::Event::Text(letter.to_string()));
        window.run();
    }
}

fn recipients(window: &Harness<'static, App>) -> Vec<String> {
    let buttons = window.get_all_by_role(Role::Button).filter_map(|node| node.accesskit_node().label());
    buttons.filter_map(|label| label.strip_prefix("Remove ").map(str::to_owned)).collect()
}

#[test]
fn a_comma_in_a_domain_is_one_wrong_recipient_that_one_click_mends() {
    let slip = "ann@domain,com: A domain has no comma. Did you mean ann@domain.com?";
    for pasted in [false, true] {
        let fake = Fake::new();
        let mut window = new_message(&fake);
        if pasted {
            window.event(egui::Event::Paste("ann@domain,com, Ida <ida@example.com>".into()));
            window.run();
        } else {
            type_slowly(&mut window, "ann@domain,com");
            assert!(recipients(&window).is_empty(), "it is still being written");
            type_slowly(&mut window, ", ida@example.com ");
        }
        let ida = if pasted { "Ida" } else { "ida" };
        assert_eq!(recipients(&window), [slip, ida], "pasted: {pasted}");
        type_into(&mut window, "Message", "Hi");
        assert!(window.get_by_label("Send to 1").accesskit_node().is_disabled(), "never to com");
        window.get_by_role_and_label(Role::Button, "Did you mean ann@domain.com?").click();
        window.run();
        assert_eq!(recipients(&window), ["ann", ida]);
        window.get_by_label("Send to 2").click();
        window.run();
        let asked = fake.asked();
        let [Command::Agent(AgentCommand::Send(draft))] = asked.as_slice() else { panic!("{asked:?}") };
        let to: Vec<&str> = draft.to.iter().map(|row| row.address.as_str()).collect();
        assert_eq!(to, ["sip:ann@domain.com", "sip:ida@example.com"]);
    }
}

#[test]
fn enter_takes_a_suggested_list_as_it_takes_a_person() {
    let fake = Fake::new();
    let mut window = new_message(&fake);
    type_slowly(&mut window, "nig");
    press(&mut window, Modifiers::NONE, Key::Enter);
    assert_eq!(recipients(&window), ["Ann Lee", "Ben Okafor", "Cy Young"]);
    type_slowly(&mut window, "wei");
    press(&mut window, Modifiers::NONE, Key::Enter);
    assert_eq!(recipients(&window), ["Ann Lee", "Ben Okafor", "Cy Young", "Dana Weiss"]);
    let field = window.get_by_role_and_label(Role::TextInput, "To");
    assert!(field.accesskit_node().is_focused());
    assert_eq!(field.value().as_deref().unwrap_or_default(), "");
}

#[test]
fn the_arrow_keys_go_through_the_suggestions() {
    let fake = Fake::new();
    let mut window = new_message(&fake);
    press(&mut window, Modifiers::NONE, Key::ArrowDown);
    press(&mut window, Modifiers::NONE, Key::Enter);
    assert_eq!(recipients(&window), ["Ann Lee", "Ben Okafor", "Cy Young"], "the list is the first of them");

    let mut window = new_message(&fake);
    for key in [Key::ArrowDown, Key::ArrowDown, Key::ArrowDown, Key::ArrowDown, Key::ArrowUp] {
        press(&mut window, Modifiers::NONE, key);
    }
    press(&mut window, Modifiers::NONE, Key::Enter);
    assert_eq!(recipients(&window), ["Ben Okafor"], "the list, Ann, Ben, Cy, and back");

    // While an address is typed, Enter takes that, but for one that was chosen.
    let mut window = new_message(&fake);
    type_slowly(&mut window, "ann@other.org");
    press(&mut window, Modifiers::NONE, Key::Enter);
    assert_eq!(recipients(&window), ["ann"]);
    type_slowly(&mut window, "@example.com");
    press(&mut window, Modifiers::NONE, Key::ArrowDown);
    press(&mut window, Modifiers::NONE, Key::Enter);
    assert_eq!(recipients(&window), ["ann", "Ann Lee"]);
}

#[test]
fn people_of_earlier_conversations_are_suggested_after_the_contacts() {
    let fake = Fake::new();
    let (gus, ann) = (person("Gus Hale"), person("Ann Lee"));
    fake.converse(
        1,
        &[gus.clone(), ann.clone()],
        vec![own(1, ago(3), "Hi", &[(&gus, Delivered), (&ann, Delivered)])],
        0,
    );
    fake.converse(2, std::slice::from_ref(&gus), vec![from(2, ago(2), &gus, "Hello")], 0);
    let mut window = new_message(&fake);
    let names =
        || ["Ann Lee", "Gus Hale"].map(|name| window.get_all_by_role_and_label(Role::CheckBox, name).count());
    assert_eq!(names(), [1, 1], "each once");
    type_slowly(&mut window, "hal");
    press(&mut window, Modifiers::NONE, Key::Enter);
    assert_eq!(recipients(&window), ["Gus Hale"]);
    type_into(&mut window, "Message", "Again");
    window.get_by_label("Send to 1").click();
    window.run();
    let asked = fake.asked();
    let to_gus = |command: &Command| matches!(command, Command::Agent(AgentCommand::Send(draft)) if draft.to[0].address == "sip:gus.hale@example.com");
    assert!(asked.iter().any(to_gus), "{asked:?}");
}

#[test]
fn the_menu_of_a_recipient_says_who_is_in_to() {
    let fake = Fake::new();
    let mut window = new_message(&fake);
    for name in ["ann", "ben", "cy"] {
        type_slowly(&mut window, name);
        press(&mut window, Modifiers::NONE, Key::Enter);
    }
    let choose = |window: &mut Harness<'static, App>, name: &str, item: &str| {
        window.get_by_label(name).click_secondary();
        window.run();
        window.get_by_label_contains(item).click();
        window.run();
    };
    choose(&mut window, "Remove Cy Young", "Put first");
    assert_eq!(recipients(&window), ["Cy Young", "Ann Lee", "Ben Okafor"]);
    type_into(&mut window, "Message", "Hi");
    window.get_by_label("Send to 3").click();
    window.run();
    let first = fake.asked().into_iter().find_map(|command| {
        if let Command::Agent(AgentCommand::Send(draft)) = command {
            Some(draft.to[0].address.clone())
        } else {
            None
        }
    });
    assert_eq!(first, Some(person("Cy Young").address));
}
