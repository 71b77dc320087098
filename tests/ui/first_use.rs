//! What a new user runs into: columns that fit, drafts that can be left, dialogs and lists that stay where they are.

use egui::accesskit::{Role, Toggled};
use egui::{Event, Key, Modifiers, PointerButton, pos2, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT, Queryable};
use fanfare::model::command::Command;
use fanfare::model::journal::DeliveryState::{self, Delivered, Failed};
use fanfare::model::snapshot::Person;
use fanfare::runtime::engine::{Legs, Wire, WireTap};
use fanfare::ui::App;

use crate::fake::{Fake, ago, from, own, people, person, press, says, type_into};
use crate::gallery::{LARGE, SMALL, busy};

fn open(window: &mut Harness<'static, App>, name: &str) {
    window.get_by(|node| node.label().is_some_and(|label| label.starts_with(name))).click();
    window.run();
}

fn click(window: &mut Harness<'static, App>, label: &str) {
    window.get_by_label(label).click();
    window.run();
}

/// The wire beside a conversation.
fn watched(size: [f32; 2]) -> Harness<'static, App> {
    let fake = Fake::new();
    let crew = people(&["Ann Lee", "Ben Okafor"]);
    let message = own(5, ago(1), "Lunch", &[(&crew[0], Delivered), (&crew[1], Failed)]);
    fake.converse(1, &crew, vec![message], 0);
    fake.change(|inner| {
        inner.wire = Some(Wire { tap: WireTap::new(), legs: Legs::All });
        inner.snapshot.settings.testing = true;
    });
    let mut window = fake.window(size);
    press(&mut window, Modifiers::ALT, Key::ArrowDown);
    if window.query_by_label("Close delivery").is_none() {
        press(&mut window, Modifiers::COMMAND, Key::D);
    }
    window.get_by_role_and_label(Role::Tab, "Wire").click();
    window.run();
    window
}

fn drag(window: &mut Harness<'static, App>, from: f32, to: f32) {
    window.hover_at(pos2(from, 300.0));
    window.run();
    let button = |pos, pressed| Event::PointerButton {
        pos,
        button: PointerButton::Primary,
        pressed,
        modifiers: Modifiers::NONE,
    };
    window.event(button(pos2(from, 300.0), true));
    window.run();
    window.event(Event::PointerMoved(pos2(f32::midpoint(from, to), 300.0)));
    window.run();
    window.event(Event::PointerMoved(pos2(to, 300.0)));
    window.run();
    window.event(button(pos2(to, 300.0), false));
    window.run();
}

#[test]
fn the_wire_fits_into_its_column_and_its_edge_can_be_dragged() {
    for size in [[1000.0, 720.0], LARGE, [1300.0, 720.0], SMALL] {
        let window = watched(size);
        let left = size[0] - 400.0;
        for label in ["This message", "Everything", "Pause", "Clear", "Own window", "Close delivery"] {
            let place = window.get_by_label(label).rect();
            assert!(place.left() >= left && place.right() <= size[0], "{label} at {place:?} in {size:?}");
        }
        if size != SMALL {
            let end = window.get_by_label("Hide delivery").rect().right();
            assert!(end <= left, "the conversation ends where the column begins: {end} in {size:?}");
        }
        let cross = window.get_by_label("Close delivery").rect().right();
        assert!(cross > size[0] - 40.0, "it stands at the edge: {cross} in {size:?}");
    }
    let mut window = watched([1300.0, 720.0]);
    drag(&mut window, 900.0, 750.0);
    let end = window.get_by_label("Hide delivery").rect().right();
    assert!((710.0..=750.0).contains(&end), "{end}");
    let first = window.get_by_label("This message").rect().left();
    assert!((750.0..=770.0).contains(&first), "{first}");
}

#[test]
fn a_settings_dialog_has_the_room_of_the_window_and_begins_at_its_top() {
    let fake = Fake::new();
    let mut window = fake.window(SMALL);
    press(&mut window, Modifiers::COMMAND, Key::Comma);
    press(&mut window, Modifiers::NONE, Key::Escape);
    window.set_size(vec2(LARGE[0], LARGE[1]));
    window.run();
    press(&mut window, Modifiers::COMMAND, Key::Comma);
    (0..3).for_each(|_| window.step());
    let top = |window: &Harness<'static, App>| window.get_by_label("Close").rect().top();
    assert!(top(&window) < 90.0, "{}", top(&window));
    window.set_size(vec2(SMALL[0], SMALL[1]));
    (0..4).for_each(|_| window.step());
    window.set_size(vec2(LARGE[0], LARGE[1]));
    (0..4).for_each(|_| window.step());
    assert!(top(&window) < 90.0, "while it is open: {}", top(&window));
    window.get_by_label("Save account").scroll_to_me();
    window.run();
    press(&mut window, Modifiers::NONE, Key::Escape);
    press(&mut window, Modifiers::COMMAND, Key::Comma);
    (0..3).for_each(|_| window.step());
    let title = window.get_by_role_and_label(Role::Label, "Appearance").rect().top();
    assert!(title > top(&window), "{title}");
    // A screen with much room is used too.
    window.set_size(vec2(LARGE[0], 1050.0));
    (0..4).for_each(|_| window.step());
    assert!(top(&window) < 90.0, "in a tall window: {}", top(&window));
}

#[test]
fn the_demo_says_that_it_is_in_testing_mode() {
    let fake = Fake::new();
    fake.change(|inner| inner.snapshot.demo = true);
    let mut window = fake.window(LARGE);
    press(&mut window, Modifiers::COMMAND, Key::Comma);
    let mode = window.get_by_role_and_label(Role::CheckBox, "Testing mode");
    assert!(mode.accesskit_node().toggled() == Some(Toggled::True) && mode.accesskit_node().is_disabled());
}

#[test]
fn a_new_message_that_was_left_is_a_draft_in_the_list_and_can_be_thrown_away() {
    let fake = busy();
    let mut window = fake.window(LARGE);
    press(&mut window, Modifiers::COMMAND, Key::N);
    assert!(window.query_by_label("Discard").is_none());
    window.get_by_label("To").type_text("ann.lee@example.com, ");
    window.run();
    type_into(&mut window, "Message", "half a thou");
    open(&mut window, "Cy Young,");
    click(&mut window, "New message, Draft: half a thou");
    assert_eq!(window.get_by_label("Message").value().as_deref(), Some("half a thou"));
    click(&mut window, "Discard");
    assert_eq!(window.get_by_label("Message").value().unwrap_or_default(), "");
    assert!(window.query_by_label("Remove Ann Lee").is_none());
    click(&mut window, "Undo");
    assert_eq!(window.get_by_label("Message").value().as_deref(), Some("half a thou"));
    window.get_by_label("Remove Ann Lee");
    click(&mut window, "Discard");
    open(&mut window, "Cy Young,");
    let is_draft = |label: String| label.starts_with("New message, Draft");
    assert!(window.query_by(|node| node.label().is_some_and(is_draft)).is_none());
}

/// Opens the menu of a message, and chooses a line.
fn choose(window: &mut Harness<'static, App>, text: &str, item: &str) {
    let is_text = |node: &egui_kittest::Node<'_>| {
        let node = node.accesskit_node();
        node.role() == Role::Label && node.value().is_some_and(|value| value == text)
    };
    window.root().children_recursive().find(is_text).unwrap_or_else(|| panic!("no {text}")).click_secondary();
    window.run();
    window.get_by_role_and_label(Role::Button, item).click();
    window.run();
}

#[test]
fn a_forwarded_message_that_is_left_with_escape_is_gone_and_what_was_written_before_is_back() {
    let fake = Fake::new();
    let ann = person("Ann Lee");
    fake.converse(10, std::slice::from_ref(&ann), vec![from(101, ago(5), &ann, "Secret plans")], 0);
    let mut window = fake.window(LARGE);
    press(&mut window, Modifiers::COMMAND, Key::N);
    type_into(&mut window, "Message", "before");
    open(&mut window, "Ann Lee, Secret");
    choose(&mut window, "Secret plans", "Forward");
    assert_eq!(window.get_by_label("Message").value().as_deref(), Some("Secret plans\nbefore"));
    press(&mut window, Modifiers::NONE, Key::Escape);
    window.get_by_label("To Ann Lee");
    press(&mut window, Modifiers::COMMAND, Key::N);
    assert_eq!(window.get_by_label("Message").value().as_deref(), Some("before"));
    // What was added to is a draft like any other.
    open(&mut window, "Ann Lee, Secret");
    choose(&mut window, "Secret plans", "Forward");
    type_into(&mut window, "Message", " indeed");
    press(&mut window, Modifiers::NONE, Key::Escape);
    assert!(window.get_by_label("Message").value().unwrap().contains("indeed"));
}

#[test]
fn somebody_who_is_a_contact_is_not_added_again() {
    let fake = Fake::new();
    let (ann, gus) = (person("Ann Lee"), person("Gus Hall"));
    fake.converse(10, std::slice::from_ref(&ann), vec![from(101, ago(5), &ann, "From Ann")], 0);
    fake.converse(11, std::slice::from_ref(&gus), vec![from(102, ago(4), &gus, "From Gus")], 0);
    let mut window = fake.window(LARGE);
    for (name, text, offered, other) in [
        ("Ann Lee, From", "From Ann", "Edit contact", "Add to contacts"),
        ("Gus Hall, From", "From Gus", "Add to contacts", "Edit contact"),
    ] {
        open(&mut window, name);
        let is_text = |node: &egui_kittest::Node<'_>| {
            let node = node.accesskit_node();
            node.role() == Role::Label && node.value().is_some_and(|value| value == text)
        };
        window.root().children_recursive().find(is_text).unwrap().click_secondary();
        window.run();
        assert!(window.query_by_label(offered).is_some() && window.query_by_label(other).is_none(), "{name}");
        press(&mut window, Modifiers::NONE, Key::Escape);
        window.get_by(|node| node.label().is_some_and(|it| it.starts_with(name))).click_secondary();
        window.run();
        assert!(window.query_by_label(offered).is_some() && window.query_by_label(other).is_none(), "{name}");
        press(&mut window, Modifiers::NONE, Key::Escape);
    }
}

#[test]
fn the_buttons_for_contacts_stand_in_one_line() {
    for size in [LARGE, SMALL] {
        let fake = Fake::new();
        let mut window = fake.window(size);
        window.get_by_role_and_label(Role::Tab, "Contacts").click();
        window.run();
        let width = if size == SMALL { size[0] } else { 280.0 };
        let places = ["Add contact", "Import…", "Export"].map(|label| window.get_by_label(label).rect());
        assert!(
            places.iter().all(|place| (place.center().y - places[0].center().y).abs() < 0.5),
            "{places:?}"
        );
        assert!(
            places.iter().all(|place| place.right() <= width - 12.0 && place.left() >= 12.0),
            "{places:?}"
        );
    }
}

#[test]
fn a_failed_conversation_stays_above_the_others_while_it_is_open() {
    let fake = Fake::new();
    let (ann, ben, cy) = (person("Ann Lee"), person("Ben Okafor"), person("Cy Young"));
    fake.converse(12, std::slice::from_ref(&cy), vec![from(103, ago(3), &cy, "From Cy")], 0);
    fake.converse(10, std::slice::from_ref(&ann), vec![own(101, ago(9), "To Ann", &[(&ann, Failed)])], 0);
    fake.converse(11, std::slice::from_ref(&ben), vec![from(104, ago(1), &ben, "From Ben")], 0);
    let order = |window: &Harness<'static, App>| {
        let top = |name: &str| {
            let is_row = |label: String| label.starts_with(name);
            window.get_by(|node| node.role() == Role::Button && node.label().is_some_and(is_row)).rect().top()
        };
        (top("Ann Lee,") < top("Ben Okafor,"), top("Ben Okafor,") < top("Cy Young,"))
    };
    // The engine puts the unseen failure first, and by its time once it was seen.
    let arrange = |unseen: u32| {
        fake.change(|inner| {
            let mut heads = inner.snapshot.conversations.to_vec();
            heads.iter_mut().filter(|head| head.failed > 0).for_each(|head| head.failed_unseen = unseen);
            heads.sort_by_key(|head| (head.failed_unseen == 0, std::cmp::Reverse(head.newest)));
            inner.snapshot.conversations = heads.into();
        });
    };
    arrange(1);
    let mut window = fake.window(LARGE);
    assert_eq!(order(&window), (true, true));
    open(&mut window, "Ann Lee,");
    arrange(0);
    window.run();
    assert!(order(&window).0, "it does not move away from under the pointer");
    open(&mut window, "Ben Okafor,");
    assert!(order(&window).0, "nor does another");
    window.hover_at(pos2(500.0, 300.0));
    window.run();
    assert!(!order(&window).0, "once the pointer has left the list it stands by its time");
}

#[test]
fn ctrl_z_brings_back_what_was_deleted() {
    let fake = Fake::new();
    let ann = person("Ann Lee");
    let messages = vec![from(101, ago(5), &ann, "The first"), from(102, ago(4), &ann, "The second")];
    fake.converse(10, std::slice::from_ref(&ann), messages, 0);
    let mut window = fake.window(LARGE);
    open(&mut window, "Ann Lee,");
    choose(&mut window, "The second", "Delete");
    assert!(!says(&window, "The second"));
    press(&mut window, Modifiers::COMMAND, Key::Z);
    assert!(says(&window, "The second") && window.query_by_label("Undo").is_none());
    choose(&mut window, "The second", "Delete");
    type_into(&mut window, "Message", "typed");
    press(&mut window, Modifiers::COMMAND, Key::Z);
    assert_eq!(window.get_by_label("Message").value().unwrap_or_default(), "", "it belongs to the text");
    assert!(!says(&window, "The second"));
    (0..60).for_each(|_| window.step());
    assert!(fake.asked().iter().any(|command| matches!(command, Command::Delete(_))));
}

#[test]
fn the_path_of_a_file_is_left_without_a_question() {
    let fake = busy();
    let mut window = fake.window(LARGE);
    open(&mut window, "Cy Young,");
    click(&mut window, "Attach a file");
    type_into(&mut window, "File path", "~/cat");
    press(&mut window, Modifiers::NONE, Key::Escape);
    assert!(!says(&window, "Discard what you typed?") && window.query_by_label("File path").is_none());
}

#[test]
fn the_delivery_column_is_closed_where_nothing_was_sent_unless_it_is_asked_for() {
    let fake = busy();
    let mut window = fake.window(LARGE);
    let open = |window: &mut Harness<'static, App>, name: &str| {
        window.get_by(|node| node.label().is_some_and(|label| label.starts_with(name))).click();
        window.run();
        window.query_by_label("Close delivery").is_some()
    };
    assert!(!open(&mut window, "Cy Young,"), "he wrote, and nothing was sent to him");
    press(&mut window, Modifiers::COMMAND, Key::D);
    assert!(window.query_by_label("Close delivery").is_some(), "it was asked for");
    assert!(open(&mut window, "Zoë Ångström,"), "she was written to");
    assert!(open(&mut window, "Cy Young,"), "it was asked for here");
    press(&mut window, Modifiers::COMMAND, Key::D);
    assert!(open(&mut window, "Zoë Ångström,"), "closed there, it is not closed here");
    press(&mut window, Modifiers::COMMAND, Key::D);
    assert!(window.query_by_label("Close delivery").is_none());
}

#[test]
fn the_list_counts_messages_to_one_person_and_people_in_a_group() {
    let fake = Fake::new();
    let (ann, ben, cy) = (person("Ann Lee"), person("Ben Okafor"), person("Cy Young"));
    let to = |id, states: &[(&Person, DeliveryState)]| own(id, ago(200 - id), "Where are you?", states);
    fake.converse(1, std::slice::from_ref(&ann), (1..5).map(|id| to(id, &[(&ann, Failed)])).collect(), 0);
    fake.converse(2, std::slice::from_ref(&ben), vec![to(11, &[(&ben, Failed)])], 0);
    let group = [to(21, &[(&ann, Failed), (&cy, Failed)]), to(22, &[(&ann, Failed), (&cy, Delivered)])];
    fake.converse(3, &[ann, cy], group.to_vec(), 0);
    let window = fake.window(LARGE);
    for row in [
        "Ann Lee, 4 messages not delivered",
        "Ben Okafor, Not delivered",
        "Ann Lee and Cy Young, 1 not delivered",
    ] {
        window.get_by_label(row);
    }
}
