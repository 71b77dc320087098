//! The dialogs: what has the focus, what an error moves, and an address that is corrected.

use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT, Queryable};
use fanfare::model::account::{Account, RegistrationState};
use fanfare::model::command::{AgentCommand, Command};
use fanfare::model::contacts::{Contact, List};
use fanfare::model::journal::DeliveryState::{Delivered, Failed};
use fanfare::model::journal::MessageId;
use fanfare::model::marks::Marks;
use fanfare::model::snapshot::Settings;
use fanfare::ui::App;

use crate::fake::{Fake, account, ago, delivery, own_of, people, person, press, says, type_into};
use crate::gallery::{LARGE, SMALL};

const THREE: [&str; 3] = ["Ann Lee", "Ben Okafor", "Cy Young"];

/// A conversation with a message that Ben did not get, because his address is unknown.
fn wrote_to_ben(fake: &Fake) {
    let crew = people(&THREE);
    let mut wrong = delivery(&crew[1], Failed, ago(3));
    (wrong.status, wrong.phrase) = (Some(404), "Not Found".into());
    let deliveries =
        vec![delivery(&crew[0], Delivered, ago(3)), wrong, delivery(&crew[2], Delivered, ago(3))];
    fake.converse(1, &crew, vec![own_of(5, ago(3), "Who can come?", deliveries)], 0);
}

/// The same, and its delivery is open.
fn to_ben_in_vain(fake: &Fake, size: [f32; 2]) -> Harness<'static, App> {
    wrote_to_ben(fake);
    let mut window = fake.window(size);
    window.get_by(|node| node.label().is_some_and(|name| name.starts_with("Night shift,"))).click();
    window.run();
    if window.query_by_label("Edit address").is_none() {
        press(&mut window, Modifiers::COMMAND, Key::D);
    }
    window.get_by_label("Edit address").click();
    window.run();
    fake.asked();
    window
}

fn retype(window: &mut Harness<'static, App>, field: &str, text: &str) {
    window.get_by_role_and_label(Role::TextInput, field).focus();
    window.run();
    press(window, Modifiers::COMMAND, Key::A);
    type_into(window, field, text);
}

fn has_focus(window: &Harness<'static, App>, role: Role, label: &str) -> bool {
    window.get_by_role_and_label(role, label).accesskit_node().is_focused()
}

#[test]
fn a_copy_is_sent_to_the_corrected_address_and_the_contact_is_changed_if_wanted() {
    for (changes, size) in [(true, LARGE), (false, SMALL)] {
        let fake = Fake::new();
        let mut window = to_ben_in_vain(&fake, size);
        assert!(has_focus(&window, Role::TextInput, "SIP address"));
        let field = window.get_by_role_and_label(Role::TextInput, "SIP address");
        assert_eq!(field.value().as_deref(), Some("ben.okafor@example.com"));
        assert!(window.get_by_label("Send to this address").accesskit_node().is_disabled(), "it is the same");
        if !changes {
            window.get_by_role_and_label(Role::CheckBox, "Change the contact Ben Okafor too").click();
            window.run();
        }
        retype(&mut window, "SIP address", "ben@work.example.com");
        press(&mut window, Modifiers::NONE, Key::Enter);
        let asked = fake.asked();
        let (resend, contact) = asked.split_last().unwrap();
        let Command::Agent(AgentCommand::ResendTo { message: MessageId(5), recipient: 1, address }) = resend
        else {
            panic!("{asked:?}")
        };
        assert_eq!(address, "sip:ben@work.example.com");
        assert!(window.query_by_label("Send to this address").is_none(), "the dialog is gone");
        if !changes {
            assert!(contact.is_empty(), "{contact:?}");
            continue;
        }
        let [Command::RemoveContact { .. }, Command::PutContact(contact), Command::PutList(list)] = contact
        else {
            panic!("{contact:?}")
        };
        assert_eq!((contact.name.as_str(), &contact.address), ("Ben Okafor", address));
        assert_eq!(list.members[1], *address, "in the saved lists too");
    }
}

#[test]
fn a_corrected_address_that_cannot_be_sent_to_is_said_below_the_field() {
    let fake = Fake::new();
    let mut window = to_ben_in_vain(&fake, LARGE);
    let button = window.get_by_label("Send to this address").rect();
    for (typed, why) in [
        ("nobody", "This is not a SIP address."),
        ("ben@domain,com", "Did you mean ben@domain.com?"),
        ("cy.young@example.com:5070", "among the recipients already"),
    ] {
        retype(&mut window, "SIP address", typed);
        window.get_by_label("Send to this address").click();
        window.run();
        assert!(says(&window, why), "{typed}");
        assert!(fake.asked().is_empty(), "{typed}");
        assert_eq!(window.get_by_label("Send to this address").rect().left_top(), button.left_top());
        press(&mut window, Modifiers::NONE, Key::Enter);
        assert!(has_focus(&window, Role::TextInput, "SIP address"), "it can be typed again at once");
    }
    retype(&mut window, "SIP address", "dana.weiss@example.com");
    let change = window.get_by_role_and_label(Role::CheckBox, "Change the contact Ben Okafor too");
    assert!(change.accesskit_node().is_disabled(), "Dana has that address");
    window.get_by_label("Send to this address").click();
    window.run();
    assert!(matches!(fake.asked().as_slice(), [Command::Agent(AgentCommand::ResendTo { .. })]));
}

#[test]
fn what_is_set_for_a_conversation_stays_when_an_address_in_it_is_corrected() {
    let fake = Fake::new();
    let with = Marks::key(&people(&THREE), false);
    let marks = Marks { with, name: "Gate crew".into(), pinned: true, ..Marks::default() };
    fake.change(|inner| {
        inner.snapshot.settings = Settings { conversations: vec![marks], ..inner.snapshot.settings.clone() };
    });
    wrote_to_ben(&fake);
    let mut window = fake.window(LARGE);
    window.get_by(|node| node.label().is_some_and(|name| name.starts_with("Gate crew"))).click();
    window.run();
    window.get_by_label("Edit address").click();
    window.run();
    retype(&mut window, "SIP address", "ben@work.example.com");
    fake.asked();
    press(&mut window, Modifiers::NONE, Key::Enter);
    let asked = fake.asked();
    let put = |command: &Command| {
        let Command::PutSettings(settings) = command else { return None };
        Some(settings.clone())
    };
    let settings = asked.iter().find_map(put).unwrap();
    let mut corrected = people(&THREE);
    corrected[1].address = "sip:ben@work.example.com".into();
    let kept = settings.conversations.iter().find(|it| it.with == Marks::key(&corrected, false)).unwrap();
    assert_eq!((kept.name.as_str(), kept.pinned), ("Gate crew", true));
}

#[test]
fn an_edited_contact_moves_in_the_saved_lists_too() {
    let fake = Fake::new();
    let mut window = fake.window(LARGE);
    window.get_by_role_and_label(Role::Tab, "Contacts").click();
    window.run();
    window.get_by_label("Edit Cy Young").click();
    window.run();
    retype(&mut window, "SIP address", "cy@work.example.com");
    fake.asked();
    window.get_by_label("Save contact").click();
    window.run();
    let asked = fake.asked();
    let [Command::RemoveContact { .. }, Command::PutContact(Contact { address, .. }), Command::PutList(list)] =
        asked.as_slice()
    else {
        panic!("{asked:?}")
    };
    let List { name, members } = list;
    assert_eq!((name.as_str(), members.len(), &members[2]), ("Night shift", 3, address));
}

#[test]
fn the_first_field_has_the_focus() {
    let fake = Fake::new();
    fake.change(|inner| {
        inner.snapshot.account = None;
        inner.snapshot.registration = RegistrationState::Idle;
    });
    for size in [LARGE, SMALL] {
        let window = fake.window(size);
        assert!(has_focus(&window, Role::TextInput, "SIP address"), "{size:?}");
    }
    fake.change(|inner| {
        inner.snapshot.account = Some(Account { worked: false, ..account() }.into());
        inner.snapshot.registration = RegistrationState::Refused {
            status: 401,
            reason: "Unauthorized".into(),
            why: None,
            retry_after: None,
        };
    });
    assert!(has_focus(&fake.window(LARGE), Role::PasswordInput, "Password"), "the address is known");

    let fake = Fake::new();
    let mut window = fake.window(LARGE);
    window.get_by_role_and_label(Role::Tab, "Contacts").click();
    window.run();
    pointer_click(&mut window, "Add contact");
    assert!(has_focus(&window, Role::TextInput, "Name"));
    press(&mut window, Modifiers::NONE, Key::Escape);
    for name in ["Dana Weiss", "Eli Brandt"] {
        window.get_by_role_and_label(Role::CheckBox, name).click();
        window.run();
    }
    pointer_click(&mut window, "Save as list…");
    assert!(has_focus(&window, Role::TextInput, "List name"));
}

#[test]
fn a_dialog_leaves_no_tooltip_over_it_and_a_button_has_one() {
    let fake = Fake::new();
    let mut window = fake.window(LARGE);
    let button = window.get_by_label("Settings").rect().center();
    window.event(egui::Event::PointerMoved(button));
    (0..90).for_each(|_| window.step());
    let tooltips = |window: &Harness<'static, App>| {
        let labels =
            window.root().children_recursive().filter(|node| node.accesskit_node().role() == Role::Label);
        labels
            .filter(|node| node.accesskit_node().value().is_some_and(|text| text.starts_with("Settings")))
            .count()
    };
    assert_eq!(tooltips(&window), 1, "one, with its shortcut");
    assert!(says(&window, "Settings (Ctrl+,)"));
    press(&mut window, Modifiers::COMMAND, Key::Comma);
    assert!(!says(&window, "Settings (Ctrl+,)"), "the dialog is over it");
}

#[test]
fn no_tooltip_lies_over_a_search_or_the_emoji() {
    let fake = Fake::new();
    wrote_to_ben(&fake);
    let mut window = fake.window(LARGE);
    press(&mut window, Modifiers::ALT, Key::ArrowDown);
    let (ctrl, shift) = (Modifiers::COMMAND, Modifiers::SHIFT);
    for (modifiers, key) in [(ctrl | shift, Key::F), (ctrl, Key::K), (ctrl, Key::G), (ctrl, Key::Period)] {
        let button = window.get_by_label("Settings").rect().center();
        window.event(egui::Event::PointerMoved(button));
        (0..90).for_each(|_| window.step());
        assert!(says(&window, "Settings (Ctrl+,)"));
        press(&mut window, modifiers, key);
        (0..3).for_each(|_| window.step());
        assert!(!says(&window, "Settings (Ctrl+,)"), "below what {key:?} opens");
        press(&mut window, Modifiers::NONE, Key::Escape);
        window.event(egui::Event::PointerMoved(button + egui::vec2(0.0, 300.0)));
        window.run();
    }
}

#[test]
fn who_keeps_editing_types_on() {
    let fake = Fake::new();
    let mut window = fake.window(LARGE);
    window.get_by_role_and_label(Role::Tab, "Contacts").click();
    window.run();
    window.get_by_label("Add contact").click();
    window.run();
    type_into(&mut window, "Name", "Gus");
    press(&mut window, Modifiers::NONE, Key::Escape);
    pointer_click(&mut window, "Keep editing");
    assert!(has_focus(&window, Role::TextInput, "Name"));
    let name = window.get_by_role_and_label(Role::TextInput, "Name");
    assert_eq!(name.value().as_deref(), Some("Gus"));
}

/// Clicks as a person does: the pointer stays where it is.
fn pointer_click(window: &mut Harness<'static, App>, label: &str) {
    let pos = window.get_by_label(label).rect().center();
    window.event(egui::Event::PointerMoved(pos));
    window.run();
    for pressed in [true, false] {
        let modifiers = Modifiers::NONE;
        window.event(egui::Event::PointerButton {
            pos,
            button: egui::PointerButton::Primary,
            pressed,
            modifiers,
        });
        window.run();
    }
}

#[test]
fn a_wrong_path_stays_with_its_error_until_a_file_was_read() {
    for size in [LARGE, SMALL] {
        let fake = Fake::new();
        let ann = person("Ann Lee");
        fake.converse(1, std::slice::from_ref(&ann), Vec::new(), 0);
        let mut window = fake.window(size);
        window.get_by(|node| node.label().is_some_and(|name| name.starts_with("Ann Lee,"))).click();
        window.run();
        window.get_by_label("Attach a file").click();
        window.run();
        type_into(&mut window, "File path", "/home/james/nothing");
        let button = window.get_by_label("Attach").rect();
        press(&mut window, Modifiers::NONE, Key::Enter);
        assert!(says(&window, "/home/james/nothing cannot be read: there is no such file."), "{size:?}");
        assert_eq!(window.get_by_label("Attach").rect(), button);
        assert!(has_focus(&window, Role::TextInput, "File path"));
        retype(&mut window, "File path", "/home/james/cat.png");
        assert!(!says(&window, "there is no such file"));
        window.get_by_label("Attach").click();
        window.run();
        window.run();
        assert!(window.query_by_label("File path").is_none(), "the dialog is gone");
        window.get_by_label("Remove cat.png");
    }
}

#[test]
fn an_error_moves_nothing() {
    let fake = Fake::new();
    let mut window = fake.window(LARGE);
    window.get_by_role_and_label(Role::Tab, "Contacts").click();
    window.run();
    window.get_by_label("Add contact").click();
    window.run();
    type_into(&mut window, "Name", "Gus");
    type_into(&mut window, "SIP address", "nobody");
    let before = window.get_by_label("Save contact").rect();
    window.get_by_label("Save contact").click();
    window.run();
    assert!(says(&window, "This is not a SIP address."));
    assert_eq!(window.get_by_label("Save contact").rect(), before);
    retype(&mut window, "SIP address", "ben.okafor@example.com");
    assert!(says(&window, "Ben Okafor has this address already."));
    assert_eq!(window.get_by_label("Save contact").rect(), before);

    fake.change(|inner| {
        inner.snapshot.account = None;
        inner.snapshot.registration = RegistrationState::Idle;
    });
    let mut window = fake.window(LARGE);
    type_into(&mut window, "SIP address", "ann@domain,com");
    let before = window.get_by_label("Connect").rect();
    window.get_by_label("Connect").click();
    window.run();
    assert!(says(
        &window,
        "\"ann@domain,com\" is not a valid address: a domain has no comma. Did you mean ann@domain.com?"
    ));
    assert_eq!(window.get_by_label("Connect").rect(), before);
    assert!(has_focus(&window, Role::TextInput, "SIP address"));
}

#[test]
fn an_error_in_the_settings_is_scrolled_to() {
    for (field, typed, why) in [
        ("SIP address", "ann@domain,com", "Did you mean ann@domain.com?"),
        ("Proxy", "no where", "is not a server address"),
    ] {
        for size in [LARGE, SMALL] {
            let fake = Fake::new();
            let mut window = fake.window(size);
            press(&mut window, Modifiers::COMMAND, Key::Comma);
            retype(&mut window, field, typed);
            window.get_by_label("Save account").scroll_to_me();
            window.run();
            window.get_by_label("Save account").click();
            window.run();
            let problem = window
                .get_by(|node| {
                    node.role() == Role::Label && node.value().is_some_and(|text| text.contains(why))
                })
                .rect();
            // What is scrolled out of view is cut off by the dialog.
            let title = |text: &str| text == "Settings";
            let dialog = window
                .get_by(|node| node.role() == Role::Label && node.value().is_some_and(|text| title(&text)))
                .rect();
            let seen = egui::Rect::from_min_max(dialog.left_bottom(), egui::pos2(size[0], size[1] - 40.0));
            assert!(seen.contains_rect(problem), "{field} at {size:?}: {problem:?} in {seen:?}");
        }
    }
}
