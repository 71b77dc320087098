//! The menus of a right click, the text that is selected, the keys that scroll, and what is done with a message.

use std::sync::Arc;
use std::time::Duration;

use egui::accesskit::Role;
use egui::{Color32, ColorImage, Event, Key, Modifiers, OutputCommand, PointerButton, Pos2};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT, Queryable};
use fanfare::model::command::{AgentCommand, Command, Draft};
use fanfare::model::snapshot::MessageView;
use fanfare::ui::App;

use crate::fake::{Fake, ago, from, people, person, press, says, type_into};
use crate::gallery::{LARGE, SMALL, busy};

const CREW: &str = "Ann Lee, Ben Okafor, Cy Young, Dana Weiss, Eli Brandt and Fay Moreau,";

fn open(window: &mut Harness<'static, App>, name: &str) {
    window.get_by(|node| node.label().is_some_and(|label| label.starts_with(name))).click();
    window.run();
}

/// Opens the menu of what has this label.
fn menu(window: &mut Harness<'static, App>, label: &str) {
    window.get_all_by_label(label).last().unwrap().click_secondary();
    window.run();
}

/// Chooses a line of the open menu, and returns what was copied.
fn choose(window: &mut Harness<'static, App>, item: &str) -> Vec<String> {
    let lines = |node: &egui_kittest::Node<'_>| {
        node.accesskit_node().role() == Role::Button
            && node.accesskit_node().label().is_some_and(|it| it.starts_with(item))
    };
    let line = window.root().children_recursive().filter(lines).last();
    line.unwrap_or_else(|| panic!("no {item}")).click();
    copied(window)
}

fn copied(window: &mut Harness<'static, App>) -> Vec<String> {
    let mut copied = Vec::new();
    for _ in 0..6 {
        window.step();
        copied.extend(window.output().platform_output.commands.iter().filter_map(|command| {
            if let OutputCommand::CopyText(text) = command { Some(text.clone()) } else { None }
        }));
    }
    copied
}

fn text(window: &Harness<'static, App>) -> String {
    window.get_by_role_and_label(Role::MultilineTextInput, "Message").value().unwrap_or_default()
}

const FAILED: &str = "Message to 6 people, 3 delivered, 2 not delivered, 1 without report";

#[test]
fn a_message_is_copied_quoted_forwarded_and_resent_from_its_menu() {
    let fake = busy();
    let mut window = fake.window(LARGE);
    open(&mut window, CREW);
    menu(&mut window, FAILED);
    window.snapshot("message_menu_light");
    let gate = "Gate 4 is closed until 17:00. Please come in by the yard and bring the spare keys.";
    assert_eq!(choose(&mut window, "Copy text"), [gate]);
    menu(&mut window, FAILED);
    let with_delivery = choose(&mut window, "Copy with delivery").concat();
    assert!(
        with_delivery.starts_with(&format!("{gate}\n\nToday, 14:51\n2 of 6 not delivered\n")),
        "{with_delivery}"
    );
    assert!(with_delivery.contains("\nBen Okafor: not delivered, offline right now\n"), "{with_delivery}");
    menu(&mut window, FAILED);
    fake.asked();
    // The bubble has a button of the same name, below the menu.
    window.get_all_by_label("Resend to 3").next().unwrap().click();
    window.run();
    let is_resend =
        |command: &Command| matches!(command, Command::Agent(AgentCommand::Resend { only: None, .. }));
    assert_eq!(fake.asked().iter().filter(|command| is_resend(command)).count(), 1);

    menu(&mut window, "Message from Cy Young");
    choose(&mut window, "Quote");
    assert_eq!(text(&window), "Cy Young wrote:\n> On my way, ten minutes.\n");
    window.event(Event::Text("Good".into()));
    window.run();
    assert_eq!(text(&window), "Cy Young wrote:\n> On my way, ten minutes.\nGood");

    menu(&mut window, "Message from Cy Young");
    choose(&mut window, "Forward");
    window.get_by_label("To");
    assert_eq!(text(&window), "On my way, ten minutes.");
    assert!(window.get_by_label("To").is_focused());

    open(&mut window, CREW);
    menu(&mut window, "Message from Cy Young");
    choose(&mut window, "Reply to Cy Young only");
    assert!(says(&window, "See you on Monday then."), "the conversation with Cy alone");
    assert_eq!(text(&window), "Cy Young wrote:\n> On my way, ten minutes.\n");
}

#[test]
fn conversations_and_contacts_have_menus_too() {
    let fake = busy();
    let mut window = fake.window(LARGE);
    let label = "Dana Weiss and Ann Lee, The plan for Saturday: meet at the north entrance.";
    menu(&mut window, label);
    let addresses = choose(&mut window, "Copy addresses");
    assert_eq!(addresses, ["sip:dana.weiss@example.com, sip:ann.lee@example.com"]);
    window.get_by_role_and_label(Role::Tab, "Contacts").click();
    window.run();
    menu(&mut window, "Cy Young");
    window.snapshot("contact_menu_light");
    choose(&mut window, "Write a message");
    window.get_by_label("Remove Cy Young");
    window.get_all_by_label("Fay Moreau").next().unwrap().click_secondary();
    window.run();
    choose(&mut window, "Remove contact");
    assert!(says(&window, "Fay Moreau is no longer a contact."));
}

/// The labels of the rows in the list, from the top.
fn rows(window: &Harness<'static, App>) -> Vec<String> {
    let is_row = |label: &String| label.contains(", ") && !label.starts_with("Go to");
    let nodes = window.root().children_recursive();
    let labels = nodes.filter(|node| node.accesskit_node().role() == Role::Button);
    labels.filter_map(|node| node.accesskit_node().label()).filter(is_row).collect()
}

#[test]
fn a_conversation_is_pinned_muted_named_marked_and_put_away() {
    let fake = busy();
    let mut window = fake.window(LARGE);
    let zoe = "Zoë Ångström, Happy birthday!";
    menu(&mut window, zoe);
    window.snapshot("conversation_menu_light");
    choose(&mut window, "Pin");
    assert_eq!(rows(&window).first().map(String::as_str), Some("Zoë Ångström, Happy birthday!, pinned"));
    menu(&mut window, "Zoë Ångström, Happy birthday!, pinned");
    choose(&mut window, "Mute");
    menu(&mut window, "Zoë Ångström, Happy birthday!, pinned, muted");
    choose(&mut window, "Rename");
    type_into(&mut window, "Conversation name", "Birthdays");
    press(&mut window, Modifiers::NONE, Key::Enter);
    open(&mut window, "Birthdays, Happy birthday!, pinned, muted");
    assert!(says(&window, "Happy birthday!"));
    window.snapshot("conversation_named_light");
    menu(&mut window, "Birthdays, Happy birthday!, pinned, muted");
    choose(&mut window, "Mark as unread");
    window.get_by_label("Birthdays, Happy birthday!, marked as unread, pinned, muted");
    window.get_by_label("Unread 2");
    open(&mut window, "Cy Young,");
    open(&mut window, "Birthdays,");
    window.get_by_label("Unread 1");
    menu(&mut window, "Birthdays, Happy birthday!, pinned, muted");
    choose(&mut window, "Mark as unread");
    menu(&mut window, "Birthdays, Happy birthday!, marked as unread, pinned, muted");
    choose(&mut window, "Archive");
    assert!(!rows(&window).iter().any(|row| row.starts_with("Birthdays,")), "what is put away is done with");
    let edge = window.get_by_label("New message").rect().right();
    assert!(window.get_by_label("Archived").rect().right() <= edge + 1.0, "it is within its column");
    window.get_by_label("Archived").click();
    window.run();
    menu(&mut window, "Birthdays, Happy birthday!, pinned, muted");
    choose(&mut window, "Take out of the archive");
    window.get_by_label("All").click();
    window.run();
    assert!(rows(&window).first().is_some_and(|row| row.starts_with("Birthdays,")));
    // All of it is kept with the settings.
    let kept = fake.asked().into_iter().rev().find_map(|command| {
        if let Command::PutSettings(settings) = command { Some(settings.conversations) } else { None }
    });
    let kept = kept.unwrap();
    assert_eq!(
        (kept.len(), kept[0].name.as_str(), kept[0].pinned, kept[0].archived),
        (1, "Birthdays", true, false)
    );
    // What is muted does not count in the title.
    let zoe = people(&["Zoë Ångström"]);
    fake.converse(9, &zoe, vec![from(91, ago(1), &zoe[0], "Thank you")], 5);
    let titles: Vec<String> = (0..4)
        .flat_map(|_| {
            window.step();
            let commands = &window.output().viewport_output[&egui::ViewportId::ROOT].commands;
            let title = |command: &egui::ViewportCommand| {
                if let egui::ViewportCommand::Title(title) = command { Some(title.clone()) } else { None }
            };
            commands.iter().filter_map(title).collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(titles, [""; 0]);
}

fn at(window: &mut Harness<'static, App>, pos: Pos2, pressed: bool) {
    let (button, modifiers) = (PointerButton::Primary, Modifiers::NONE);
    window.event(Event::PointerButton { pos, button, pressed, modifiers });
    window.run();
}

#[test]
fn text_is_selected_across_messages_and_copied() {
    let fake = Fake::new();
    let ann = person("Ann Lee");
    let messages = vec![from(1, ago(9), &ann, "The first text"), from(2, ago(8), &ann, "The second text")];
    fake.converse(1, std::slice::from_ref(&ann), messages, 0);
    let mut window = fake.window(LARGE);
    open(&mut window, "Ann Lee,");
    let place = |window: &Harness<'static, App>, words: &str| {
        let mut nodes = window.root().children_recursive();
        let found = nodes.find(|node| {
            let node = node.accesskit_node();
            node.role() == Role::Label && node.value().is_some_and(|text| text == words)
        });
        found.unwrap_or_else(|| panic!("no {words}")).rect()
    };
    let (first, second) = (place(&window, "The first text"), place(&window, "The second text"));
    let (start, end) =
        (first.left_center() + egui::vec2(30.0, 0.0), second.right_center() - egui::vec2(1.0, 0.0));
    window.hover_at(start);
    window.run();
    at(&mut window, start, true);
    for step in 1..=4 {
        let part = step as f32 / 4.0;
        window.hover_at(start + (end - start) * part);
        window.run();
    }
    at(&mut window, end, false);
    window.event(Event::Copy);
    let copied = copied(&mut window).concat();
    assert!(copied.contains("first text") && copied.ends_with("The second text"), "{copied:?}");
    assert!(!copied.starts_with("The first"), "only what was selected: {copied:?}");
}

#[test]
fn page_keys_scroll_the_messages() {
    let fake = Fake::new();
    let ann = person("Ann Lee");
    let messages: Vec<MessageView> =
        (1..=80).map(|id| from(id, ago(90 - id), &ann, &format!("Message number {id}."))).collect();
    fake.converse(1, &[ann], messages, 0);
    let mut window = fake.window(SMALL);
    open(&mut window, "Ann Lee,");
    assert!(says(&window, "Message number 80."));
    let settle = |window: &mut Harness<'static, App>, key: Key| {
        press(window, Modifiers::NONE, key);
        (0..4).for_each(|_| window.step());
    };
    settle(&mut window, Key::PageUp);
    assert!(!says(&window, "Message number 80."), "from the message field too");
    settle(&mut window, Key::PageDown);
    settle(&mut window, Key::PageDown);
    assert!(says(&window, "Message number 80."));
    // Home and End move the cursor while a text is being edited.
    settle(&mut window, Key::Home);
    assert!(says(&window, "Message number 80."));
    window.get_all_by_label("Message from Ann Lee").last().unwrap().focus();
    window.run();
    settle(&mut window, Key::Home);
    assert!(says(&window, "Message number 1."));
    settle(&mut window, Key::End);
    assert!(says(&window, "Message number 80."));
}

fn sent(fake: &Fake) -> Vec<Draft> {
    let draft = |command| {
        if let Command::Agent(AgentCommand::Send(draft)) = command { Some(draft) } else { None }
    };
    fake.asked().into_iter().filter_map(draft).collect()
}

/// A few frames, a quarter of a second each.
fn settle(window: &mut Harness<'static, App>) {
    (0..4).for_each(|_| window.step());
}

#[test]
fn a_message_can_be_taken_back_while_it_waits() {
    let fake = busy();
    fake.change(|inner| inner.snapshot.settings.undo_send_secs = 5);
    let mut window = fake.window(LARGE);
    open(&mut window, "Cy Young,");
    fake.asked();
    type_into(&mut window, "Message", "Too early");
    window.get_by_label("Send to 1").click();
    settle(&mut window);
    assert!(sent(&fake).is_empty() && text(&window).is_empty());
    assert!(says(&window, "Will be sent in "));
    window.get_by_label("Undo").click();
    settle(&mut window);
    assert_eq!((text(&window).as_str(), sent(&fake).len()), ("Too early", 0));
    window.event(Event::Text("!".to_owned()));
    settle(&mut window);
    assert_eq!(text(&window), "Too early!", "one goes on at the end");
    window.get_by_label("Send to 1").click();
    settle(&mut window);
    window.get_by_label("Send now").click();
    settle(&mut window);
    assert_eq!(sent(&fake).first().map(|draft| draft.text.clone()).as_deref(), Some("Too early!"));
    // Untouched, it leaves after the time, and once.
    type_into(&mut window, "Message", "On time");
    window.get_by_label("Send to 1").click();
    let mut drafts = Vec::new();
    for _ in 0..400 {
        window.step();
        drafts.extend(sent(&fake));
    }
    assert_eq!(drafts.iter().map(|draft| draft.text.as_str()).collect::<Vec<_>>(), ["On time"]);
}

#[test]
fn a_picture_that_is_pasted_goes_with_the_message() {
    let fake = busy();
    let mut window = fake.window(LARGE);
    open(&mut window, "Cy Young,");
    let picture = ColorImage::new([40, 30], vec![Color32::from_rgb(200, 60, 20); 1200]);
    window.event(Event::PasteImage(Arc::new(picture)));
    for _ in 0..2000 {
        window.run();
        if window.query_by_label("Remove Pasted picture.png").is_some() {
            break;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    window.get_by_label("Remove Pasted picture.png");
    window.run();
    window.snapshot("pasted_picture_light");
    fake.asked();
    window.get_by_label("Send to 1").click();
    window.run();
    let drafts = sent(&fake);
    assert!(drafts[0].files[0].bytes.starts_with(b"\x89PNG"), "{:?}", drafts[0].files);
    assert_eq!(people(&["Cy Young"])[0].address, drafts[0].to[0].address);
}

#[test]
fn the_sheet_of_shortcuts_is_made_of_the_commands() {
    let fake = busy();
    let mut window = fake.window(LARGE);
    press(&mut window, Modifiers::COMMAND, Key::Slash);
    for (keys, words) in [
        ("Ctrl+N", "New message"),
        ("Ctrl+R", "Quote"),
        ("Ctrl+,", "Settings"),
        ("Page Up, Page Down", "Scroll the messages"),
    ] {
        assert!(says(&window, keys) && says(&window, words), "{keys}");
    }
}

#[test]
fn somebody_is_blocked_from_a_menu_and_unblocked_in_the_conversation_or_in_the_settings() {
    let fake = busy();
    let mut window = fake.window(LARGE);
    open(&mut window, "Cy Young,");
    menu(&mut window, "Message from Cy Young");
    choose(&mut window, "Block");
    let cy = person("Cy Young").address;
    assert_eq!(blocked(&fake), std::slice::from_ref(&cy));
    assert!(says(&window, "Cy Young is blocked. What they write is refused."));
    assert!(says(&window, "Blocked: Cy Young. What they write is refused."));
    window.snapshot("blocked_light");
    window.get_by_label("Unblock").click();
    window.run();
    assert!(blocked(&fake).is_empty());
    assert!(!says(&window, "Blocked: Cy Young. What they write is refused."));

    window.get_by_role_and_label(Role::Tab, "Contacts").click();
    window.run();
    menu(&mut window, "Cy Young");
    choose(&mut window, "Block");
    assert_eq!(blocked(&fake), [cy]);
    press(&mut window, Modifiers::COMMAND, Key::Comma);
    window.get_by_label("Unblock Cy Young").click();
    window.run();
    assert!(blocked(&fake).is_empty());
}

fn blocked(fake: &Fake) -> Vec<String> {
    let mut blocked = Vec::new();
    fake.change(|inner| blocked.clone_from(&inner.snapshot.book.blocked));
    blocked
}
