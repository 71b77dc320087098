//! The contacts tab: import and export, jumping to a name, lists, one selection; and what is told while typing.

use egui::accesskit::Role;
use egui::{Event, Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT, Queryable};
use fanfare::model::command::{AgentCommand, Command};
use fanfare::model::contacts::{Contact, List};
use fanfare::model::journal::ConversationId;
use fanfare::model::snapshot::Settings;
use fanfare::ui::App;

use crate::fake::{Fake, NOW, ago, from, people, person, press, says, type_into};
use crate::gallery::{LARGE, SMALL};

/// The contacts tab of a window.
fn contacts(fake: &Fake, size: [f32; 2]) -> Harness<'static, App> {
    let mut window = fake.window(size);
    window.get_by_role_and_label(Role::Tab, "Contacts").click();
    window.run();
    window
}

fn click(window: &mut Harness<'static, App>, label: &str) {
    window.get_by_label(label).click();
    window.run();
}

fn menu(window: &mut Harness<'static, App>, label: &str, item: &str) {
    window.get_by(|node| node.label().is_some_and(|it| it.starts_with(label))).click_secondary();
    window.run();
    let is_item = |node: &egui_kittest::Node<'_>| {
        node.accesskit_node().role() == Role::Button
            && node.accesskit_node().label().is_some_and(|it| it.trim_start_matches("• ").starts_with(item))
    };
    let found = window.root().children_recursive().filter(is_item).last();
    found.unwrap_or_else(|| panic!("no {item}")).click();
    window.run();
}

const PASTED: &str = "Gus Hall <gus@example.com>\nAnn Lee <ann.lee@example.com>\n\
                      Benjamin <ben.okafor@example.com>\nida@example.com\nnobody at all\nmailto:x@example.com\n";

/// Pastes contacts in a window of this size, and imports them.
fn imports_what_was_pasted(size: [f32; 2], snapshot: &str) {
    let fake = Fake::new();
    let mut window = contacts(&fake, size);
    click(&mut window, "Import…");
    assert!(says(&window, "Only SIP addresses count"));
    window.event(Event::Paste(PASTED.into()));
    window.run();
    // The dialog has grown, and is put into the middle again.
    (0..4).for_each(|_| window.step());
    assert!(says(&window, "2 new · 1 already known · 1 known under another name · 2 not understood"));
    window.get_by_label("nobody at all, Line 5: there is no SIP address in it, No SIP address");
    window.snapshot(snapshot);
    click(&mut window, "Import 2 contacts");
    let asked = fake.asked();
    let [Command::AddContacts { contacts, lists }] = asked.as_slice() else { panic!("{asked:?}") };
    let found: Vec<_> = contacts.iter().map(|it| (it.name.as_str(), it.address.as_str())).collect();
    assert_eq!(found, [("Gus Hall", "sip:gus@example.com"), ("", "sip:ida@example.com")]);
    assert!(lists.is_empty() && window.query_by_label("Import contacts").is_none(), "and it closes");
}

#[test]
fn pasted_contacts_are_shown_before_they_are_imported() {
    imports_what_was_pasted(LARGE, "import_light");
}

#[test]
fn pasted_contacts_are_imported_in_a_small_window_too() {
    imports_what_was_pasted(SMALL, "import_small_light");
}

#[test]
fn a_file_of_contacts_is_read_by_its_path() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("all.vcf");
    let cards = "BEGIN:VCARD\nFN:Gus\nX-SIP:gus@example.com\nEND:VCARD\n\
                 BEGIN:VCARD\nKIND:group\nFN:Crew\nMEMBER:sip:gus@example.com\nEND:VCARD\n\
                 BEGIN:VCARD\nFN:Mail\nEMAIL:mail@example.com\nEND:VCARD\n";
    std::fs::write(&path, cards).unwrap();
    let fake = Fake::new();
    let mut window = contacts(&fake, LARGE);
    click(&mut window, "Import…");
    type_into(&mut window, "File", "/nonexistent.vcf");
    click(&mut window, "Read file");
    window.run();
    assert!(says(&window, "No such file"));
    window.get_by_role_and_label(Role::TextInput, "File").focus();
    window.run();
    press(&mut window, Modifiers::COMMAND, Key::A);
    type_into(&mut window, "File", path.to_str().unwrap());
    click(&mut window, "Read file");
    window.run();
    assert!(says(&window, "1 new · 1 list · 1 not understood"));
    fake.asked();
    click(&mut window, "Import 1 contact and 1 list");
    let asked = fake.asked();
    let [Command::AddContacts { contacts, lists }] = asked.as_slice() else { panic!("{asked:?}") };
    assert_eq!((contacts.len(), lists.len()), (1, 1));
    assert!(window.query_by_label("List Crew").is_some(), "it is there");

    click(&mut window, "Export");
    assert!(fake.asked().iter().any(|command| matches!(command, Command::ExportContacts)));
    window.run();
    assert!(says(&window, "Saved as /downloads/contacts.vcf"));
}

#[test]
fn letters_jump_to_a_name() {
    let fake = Fake::new();
    fake.change(|inner| {
        let mut book = (*inner.snapshot.book).clone();
        for number in 0..200 {
            let name = format!("Person {number:03}");
            book.put(Contact { address: format!("sip:p{number}@example.com"), name, simulated: false });
        }
        book.put(Contact { address: "sip:o@example.com".into(), name: "Ödön".into(), simulated: false });
        inner.snapshot.book = book.into();
    });
    let mut window = contacts(&fake, LARGE);
    assert!(window.query_by_label("Person 150").is_none());
    window.event(Event::Text("p".into()));
    window.event(Event::Text("erson 15".into()));
    (0..12).for_each(|_| window.step());
    window.run();
    assert!(window.get_by_label("Person 150").is_focused(), "so that the space bar ticks it");
    (0..80).for_each(|_| window.step());
    window.event(Event::Text("o".into()));
    (0..12).for_each(|_| window.step());
    window.run();
    assert!(window.get_by_label("Ödön").is_focused());
}

#[test]
fn there_is_one_selection_in_the_tab_and_in_the_new_message() {
    let fake = Fake::new();
    let mut window = contacts(&fake, LARGE);
    window.get_by_role_and_label(Role::CheckBox, "Dana Weiss").click();
    window.run();
    press(&mut window, Modifiers::COMMAND, Key::N);
    window.get_by_label("Remove Dana Weiss");
    let ticked = |window: &Harness<'static, App>, name: &str| {
        let rows = window.root().children_recursive().filter(|node| {
            node.accesskit_node().role() == Role::CheckBox
                && node.accesskit_node().label().as_deref() == Some(name)
        });
        let states: Vec<_> = rows.map(|node| node.accesskit_node().toggled()).collect();
        assert_eq!(states.len(), 2, "in the tab and in the list to pick from");
        assert_eq!(states[0], states[1], "{name}");
        states[0] == Some(egui::accesskit::Toggled::True)
    };
    assert!(ticked(&window, "Dana Weiss") && !ticked(&window, "Ann Lee"));
    window.get_all_by_label("Ann Lee").next().unwrap().click();
    window.run();
    assert!(ticked(&window, "Ann Lee"));
    window.get_by_label("Remove Ann Lee");
    type_into(&mut window, "To", "nobody at all,");
    assert!(says(&window, "New message to 2 people"), "the header counts as the button does");
    window.get_by_label("Send to 2");
    assert!(window.query_by_label("Clear selection").is_none(), "there is no other selection");
}

#[test]
fn a_sender_is_added_and_a_known_address_is_not_overwritten() {
    let fake = Fake::new();
    let gus = person("Gus Hall");
    fake.converse(1, std::slice::from_ref(&gus), vec![from(1, ago(5), &gus, "Hello")], 0);
    let mut window = fake.window(LARGE);
    menu(&mut window, "Gus Hall,", "Add to contacts");
    let address = window.get_by_role_and_label(Role::TextInput, "SIP address");
    assert_eq!(address.value().as_deref(), Some("gus.hall@example.com"));
    fake.asked();
    click(&mut window, "Save contact");
    let asked = fake.asked();
    assert!(
        matches!(asked.as_slice(), [Command::PutContact(contact)] if contact.name == "Gus Hall"),
        "{asked:?}"
    );

    window.get_by_role_and_label(Role::Tab, "Contacts").click();
    window.run();
    click(&mut window, "Add contact");
    type_into(&mut window, "Name", "Another Ann");
    type_into(&mut window, "SIP address", "im:ann.lee@EXAMPLE.com");
    assert!(says(&window, "Ann Lee has this address already."));
    assert!(window.get_by_label("Save contact").accesskit_node().is_disabled());
    press(&mut window, Modifiers::NONE, Key::Enter);
    assert_eq!(fake.asked().len(), 0, "nothing is overwritten");
    click(&mut window, "Edit that contact");
    let name = window.get_by_role_and_label(Role::TextInput, "Name");
    assert_eq!(name.value().as_deref(), Some("Ann Lee"));
}

#[test]
fn a_list_is_renamed_and_its_members_are_changed() {
    let fake = Fake::new();
    let mut window = contacts(&fake, LARGE);
    click(&mut window, "Edit list Night shift");
    assert!(says(&window, "3 people"));
    window.snapshot("edit_list_light");
    click(&mut window, "Remove Ben Okafor");
    type_into(&mut window, "Add people", "dana weiss, gus@example.com, nobody");
    press(&mut window, Modifiers::NONE, Key::Enter);
    assert!(says(&window, "neither a SIP address nor the name of a contact"));
    window.get_by_role_and_label(Role::TextInput, "Add people").focus();
    window.run();
    press(&mut window, Modifiers::COMMAND, Key::A);
    press(&mut window, Modifiers::NONE, Key::Backspace);
    window.get_by_role_and_label(Role::TextInput, "List name").focus();
    window.run();
    press(&mut window, Modifiers::COMMAND, Key::A);
    type_into(&mut window, "List name", "Late shift");
    fake.asked();
    click(&mut window, "Save list");
    let asked = fake.asked();
    let [Command::RemoveList { name }, Command::PutList(List { name: new, members })] = asked.as_slice()
    else {
        panic!("{asked:?}")
    };
    assert_eq!((name.as_str(), new.as_str()), ("Night shift", "Late shift"));
    let expected = ["ann.lee", "cy.young", "dana.weiss", "gus"].map(|user| format!("sip:{user}@example.com"));
    assert_eq!(*members, expected);
}

#[test]
fn the_list_to_pick_from_does_not_move_under_the_pointer() {
    let fake = Fake::new();
    let mut window = fake.window([900.0, 600.0]);
    press(&mut window, Modifiers::COMMAND, Key::N);
    let place = |window: &Harness<'static, App>| {
        let rows = window.root().children_recursive().filter(|node| {
            node.accesskit_node().role() == Role::CheckBox
                && node.accesskit_node().label().as_deref() == Some("Ann Lee")
        });
        rows.map(|node| node.rect()).last().unwrap()
    };
    let before = place(&window);
    for name in ["Ann Lee", "Ben Okafor", "Cy Young", "Dana Weiss", "Eli Brandt", "Fay Moreau"] {
        window.get_by_role_and_label(Role::CheckBox, name).hover();
        window.run();
        window.get_by_role_and_label(Role::CheckBox, name).click();
        window.run();
        assert_eq!(place(&window), before, "after {name}");
    }
    window.hover_at(egui::pos2(600.0, 590.0));
    window.run();
    assert!(place(&window).top() > before.top(), "the recipients take the lines that they need");
}

#[test]
fn lines_pasted_into_the_recipients_are_not_joined() {
    let fake = Fake::new();
    let mut window = fake.window(LARGE);
    press(&mut window, Modifiers::COMMAND, Key::N);
    window.event(Event::Paste("Gus Hall\tgus@example.com\nIda\tida@example.com\n".into()));
    window.run();
    window.get_by_label("Remove Gus Hall");
    window.get_by_label("Remove Ida");
    type_into(&mut window, "Message", "Hi");
    window.get_by_label("Send to 2");
    assert!(says(&window, "New message to 2 people"));
}

#[test]
fn typing_is_told_in_a_conversation_of_two_unless_it_is_switched_off() {
    let told = |people: &[fanfare::model::snapshot::Person], typing: bool| {
        let fake = Fake::new();
        fake.change(|inner| inner.snapshot.settings.typing = typing);
        fake.converse(1, people, vec![from(1, ago(5), &people[0], "Hello")], 0);
        let mut window = fake.window(LARGE);
        window.get_by(|node| node.label().is_some_and(|label| label.starts_with("Ann Lee"))).click();
        window.run();
        fake.asked();
        type_into(&mut window, "Message", "On");
        type_into(&mut window, "Message", " my");
        press(&mut window, Modifiers::COMMAND, Key::A);
        press(&mut window, Modifiers::NONE, Key::Backspace);
        let is_typing = |command: Command| {
            if let Command::Agent(AgentCommand::Typing { conversation: ConversationId(1), has_text }) =
                command
            {
                Some(has_text)
            } else {
                None
            }
        };
        fake.asked().into_iter().filter_map(is_typing).collect::<Vec<_>>()
    };
    assert_eq!(told(&people(&["Ann Lee"]), true), [true, false], "once, and that the text was deleted");
    assert!(told(&people(&["Ann Lee"]), false).is_empty());
    assert!(told(&people(&["Ann Lee", "Ben Okafor"]), true).is_empty());
}

#[test]
fn notifications_are_set_for_one_conversation_and_paused_for_all() {
    let fake = Fake::new();
    let ann = person("Ann Lee");
    fake.converse(1, std::slice::from_ref(&ann), vec![from(1, ago(5), &ann, "Hello")], 0);
    let mut window = fake.window(LARGE);
    let settings = |fake: &Fake| {
        let asked = fake.asked();
        let found = asked.into_iter().rev().find_map(|command| {
            if let Command::PutSettings(settings) = command { Some(settings) } else { None }
        });
        found.unwrap_or_default()
    };
    let marks = |fake: &Fake| {
        let marks = settings(fake).conversations.into_iter().next().unwrap_or_default();
        (marks.muted, marks.silent)
    };
    menu(&mut window, "Ann Lee,", "Mute");
    assert_eq!(marks(&fake), (true, false), "failures only");
    menu(&mut window, "Ann Lee,", "Mute failures too");
    assert_eq!(marks(&fake), (true, true), "nothing");
    menu(&mut window, "Ann Lee,", "Unmute");
    assert_eq!(marks(&fake), (false, false), "everything");

    press(&mut window, Modifiers::COMMAND, Key::Comma);
    click(&mut window, "Until tomorrow, 08:00");
    // 15 November 2025, 08:00 UTC.
    let Settings { quiet_until, .. } = settings(&fake);
    assert_eq!(quiet_until, Some(1_763_193_600_000));
    assert!(says(&window, "until tomorrow, 08:00"));
    click(&mut window, "Turn off");
    assert_eq!(settings(&fake).quiet_until, None);
    click(&mut window, "For 1 hour");
    assert_eq!(settings(&fake).quiet_until, Some(NOW + 3_600_000));
    assert!(says(&window, "until 16:00"));
    assert!(settings(&fake).pause_presenting, "unless the user says otherwise");
    click(&mut window, "Pause while presenting");
    assert!(!settings(&fake).pause_presenting);
}
