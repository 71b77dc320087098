//! Deleting messages and conversations, and changing one's mind; what the messages take; a day to go to.

use egui::accesskit::Role;
use egui::{Event, Key, Modifiers, PointerButton};
use egui_kittest::kittest::{NodeT, Queryable};
use egui_kittest::{Harness, SnapshotResults};
use fanfare::model::command::{Command, Notice};
use fanfare::model::deletion::Doomed;
use fanfare::model::journal::{ConversationId, MessageId};
use fanfare::model::search::Found;
use fanfare::model::snapshot::{MessageView, Theme};
use fanfare::ui::App;

use crate::fake::{Fake, ago, from, person, press, says};
use crate::gallery::{LARGE, SMALL, busy};

const HERE: ConversationId = ConversationId(10);

fn numbered() -> Fake {
    let fake = busy();
    let ann = person("Ann Lee");
    let messages: Vec<MessageView> =
        (101..=160).map(|id| from(id, ago(200 - id), &ann, &format!("Message number {id}."))).collect();
    fake.converse(10, &[ann], messages, 0);
    fake
}

fn open(window: &mut Harness<'static, App>, name: &str) {
    window.get_by(|node| node.label().is_some_and(|label| label.starts_with(name))).click();
    window.run();
}

fn is_text(node: &egui_kittest::Node<'_>, words: &str) -> bool {
    let node = node.accesskit_node();
    node.role() == Role::Label && node.value().is_some_and(|text| text == words)
}

/// Opens the menu of the bubble with this text, and chooses a line.
fn choose(window: &mut Harness<'static, App>, text: &str, item: &str) {
    let node = window.root().children_recursive().find(|node| is_text(node, text));
    node.unwrap_or_else(|| panic!("no {text}")).click_secondary();
    window.run();
    line(window, item);
}

fn line(window: &mut Harness<'static, App>, item: &str) {
    let is_line = |node: &egui_kittest::Node<'_>| {
        let node = node.accesskit_node();
        node.role() == Role::Button && node.label().is_some_and(|label| label == item)
    };
    window.root().children_recursive().filter(is_line).last().unwrap_or_else(|| panic!("no {item}")).click();
    window.run();
}

fn click_with(window: &mut Harness<'static, App>, modifiers: Modifiers, text: &str) {
    let node = window.root().children_recursive().find(|node| is_text(node, text));
    let pos = node.unwrap_or_else(|| panic!("no {text}")).rect().center();
    window.hover_at(pos);
    window.run();
    window.event(Event::ModifiersChanged(modifiers));
    for pressed in [true, false] {
        window.event(Event::PointerButton { pos, button: PointerButton::Primary, pressed, modifiers });
    }
    window.run();
    window.event(Event::ModifiersChanged(Modifiers::NONE));
    window.run();
}

fn press_in_view(window: &mut Harness<'static, App>, label: &str) {
    window.get_by_role_and_label(Role::Button, label).scroll_to_me();
    window.run();
    window.get_by_role_and_label(Role::Button, label).click();
}

fn deleted(fake: &Fake) -> Vec<Doomed> {
    let doomed = |command| if let Command::Delete(doomed) = command { Some(doomed) } else { None };
    fake.asked().into_iter().filter_map(doomed).collect()
}

fn wait(window: &mut Harness<'static, App>, secs: u32) {
    (0..secs * 4).for_each(|_| window.step());
}

fn messages(ids: &[u64]) -> Doomed {
    let messages = ids.iter().map(|id| MessageId(*id)).collect();
    Doomed::Messages { conversation: HERE, messages }
}

#[test]
fn a_message_is_hidden_at_once_and_deleted_when_it_can_no_longer_be_brought_back() {
    let fake = numbered();
    let mut window = fake.window(LARGE);
    open(&mut window, "Ann Lee, Message number 160.");
    choose(&mut window, "Message number 160.", "Delete");
    assert!(!says(&window, "Message number 160.") && says(&window, "Message number 159."));
    assert!(says(&window, "The message is deleted on this computer. The others keep it."));
    window.get_by_label("Ann Lee, Message number 159.");
    window.snapshot("deleted_light");
    wait(&mut window, 5);
    assert_eq!(deleted(&fake), []);
    window.get_by_role_and_label(Role::Button, "Undo").click();
    window.run();
    assert!(says(&window, "Message number 160."));
    wait(&mut window, 12);
    assert_eq!(deleted(&fake), [], "who changes his mind loses nothing");
    choose(&mut window, "Message number 160.", "Delete");
    choose(&mut window, "Message number 158.", "Delete");
    assert!(says(&window, "2 messages are deleted on this computer. The others keep them."));
    wait(&mut window, 11);
    assert_eq!(deleted(&fake), [messages(&[158, 160])]);
    assert!(window.query_by_label("Undo").is_none());
    assert!(!says(&window, "Message number 160."), "it does not come back while the engine deletes it");
    // The engine could not.
    fake.change(|inner| inner.notices.push(Notice::NotDeleted));
    window.run();
    assert!(says(&window, "Message number 160.") && says(&window, "It could not be deleted."));
}

#[test]
fn several_are_selected_by_clicks_and_deleted_together() {
    let fake = numbered();
    let mut window = fake.window(LARGE);
    open(&mut window, "Ann Lee, Message number 160.");
    click_with(&mut window, Modifiers::COMMAND, "Message number 155.");
    assert!(says(&window, "1 message selected"));
    click_with(&mut window, Modifiers::SHIFT, "Message number 157.");
    assert!(says(&window, "3 messages selected"));
    click_with(&mut window, Modifiers::NONE, "Message number 159.");
    assert!(says(&window, "4 messages selected"));
    window.snapshot("selected_light");
    press(&mut window, Modifiers::NONE, Key::Escape);
    assert!(!says(&window, "selected"));
    choose(&mut window, "Message number 156.", "Select");
    click_with(&mut window, Modifiers::SHIFT, "Message number 158.");
    window.get_by_role_and_label(Role::Button, "Delete").click();
    window.run();
    for (id, is_there) in [(155, true), (156, false), (157, false), (158, false), (159, true)] {
        assert_eq!(says(&window, &format!("Message number {id}.")), is_there, "{id}");
    }
}

#[test]
fn what_is_above_the_view_may_go_and_the_view_stays() {
    let fake = numbered();
    let mut window = fake.window(LARGE);
    open(&mut window, "Ann Lee, Message number 160.");
    for _ in 0..3 {
        press(&mut window, Modifiers::NONE, Key::PageUp);
    }
    wait(&mut window, 1);
    let place = |window: &Harness<'static, App>, words: &str| {
        window.root().children_recursive().find(|node| is_text(node, words)).map(|node| node.rect().top())
    };
    let visible: Vec<u64> =
        (101..=160).filter(|id| place(&window, &format!("Message number {id}.")).is_some()).collect();
    let (kept, first) = (visible[visible.len() - 1], visible[0]);
    let kept = format!("Message number {kept}.");
    let before = place(&window, &kept).unwrap();
    // Some far above the view, as an engine would after a while.
    let ann = person("Ann Lee");
    let left = (101..=160).filter(|id| *id > 103 && *id < first - 2 || *id >= first - 1);
    let left = left.map(|id| from(id, ago(200 - id), &ann, &format!("Message number {id}."))).collect();
    fake.converse(10, &[ann], left, 0);
    wait(&mut window, 1);
    let after = place(&window, &kept).expect("it is still in view");
    assert!((after - before).abs() < 2.0, "{before} {after}");
}

#[test]
fn a_conversation_is_deleted_from_its_menu_and_comes_back_by_undo() {
    let fake = numbered();
    let mut window = fake.window(LARGE);
    let name = "Ann Lee, Message number 160.";
    open(&mut window, name);
    window.get_all_by_label(name).last().unwrap().click_secondary();
    window.run();
    line(&mut window, "Delete conversation");
    assert!(window.query_by_label(name).is_none() && !says(&window, "Message number 160."));
    assert!(says(
        &window,
        "The conversation with Ann Lee is deleted on this computer. The others keep theirs."
    ));
    window.get_by_role_and_label(Role::Button, "Undo").click();
    window.run();
    window.get_all_by_label(name).last().unwrap().click_secondary();
    window.run();
    line(&mut window, "Delete conversation");
    // A message that comes meanwhile is shown, and stays.
    let ann = person("Ann Lee");
    fake.converse(10, std::slice::from_ref(&ann), vec![from(161, ago(0), &ann, "Still there?")], 1);
    window.run();
    window.get_by_label("Ann Lee, Still there?, 1 unread");
    wait(&mut window, 11);
    assert_eq!(deleted(&fake), [Doomed::Conversation { conversation: HERE, up_to: MessageId(160) }]);
}

#[test]
fn the_key_deletes_the_message_that_has_the_focus_and_opens_its_menu() {
    let fake = numbered();
    let mut window = fake.window(LARGE);
    open(&mut window, "Ann Lee, Message number 160.");
    window.get_all_by_label("Message from Ann Lee").last().unwrap().focus();
    window.run();
    press(&mut window, Modifiers::SHIFT, Key::F10);
    let first = window.get_by_role_and_label(Role::Button, "Copy text");
    assert!(first.is_focused(), "the arrows go on from the first line");
    press(&mut window, Modifiers::NONE, Key::Escape);
    assert!(window.query_by_label("Copy text").is_none());
    window.get_all_by_label("Message from Ann Lee").last().unwrap().focus();
    window.run();
    press(&mut window, Modifiers::NONE, Key::Menu);
    window.get_by_role_and_label(Role::Button, "Copy text");
    press(&mut window, Modifiers::NONE, Key::Escape);
    window.get_all_by_label("Message from Ann Lee").last().unwrap().focus();
    window.run();
    press(&mut window, Modifiers::NONE, Key::Delete);
    assert!(!says(&window, "Message number 160."));
    window.get_by_label("Ann Lee, Message number 159.").focus();
    window.run();
    press(&mut window, Modifiers::SHIFT, Key::F10);
    window.get_by_role_and_label(Role::Button, "Delete conversation");
}

#[test]
fn the_settings_say_what_the_messages_take_and_delete_old_ones_after_a_question() {
    let fake = busy();
    let mut window = fake.window(LARGE);
    press(&mut window, Modifiers::COMMAND, Key::Comma);
    window.run();
    assert!(says(&window, "12,345 messages, 34.0 MB; 120 with files, 30.0 MB"));
    assert!(says(&window, "The oldest message is from 10 October 2024."));
    press_in_view(&mut window, "1 year");
    window.run();
    assert!(says(&window, "Delete all messages from before 14 November 2024 on this computer?"));
    press_in_view(&mut window, "Keep them");
    window.run();
    assert_eq!(deleted(&fake), []);
    press_in_view(&mut window, "1 month");
    window.run();
    press_in_view(&mut window, "Delete them");
    window.run();
    let asked = fake.asked();
    let at = ago(30 * 24 * 60);
    assert!(
        asked.iter().any(|it| matches!(it, Command::Delete(Doomed::OlderThan(before)) if *before == at)),
        "{asked:?}"
    );
    fake.change(|inner| assert_eq!(inner.measured, 2, "it is measured anew"));
}

#[test]
fn a_day_is_gone_to_in_the_open_conversation() {
    let fake = numbered();
    let mut window = fake.window(LARGE);
    open(&mut window, "Ann Lee, Message number 160.");
    fake.asked();
    press(&mut window, Modifiers::COMMAND, Key::G);
    assert!(says(&window, "November 2025"));
    window.snapshot("calendar_light");
    press(&mut window, Modifiers::NONE, Key::ArrowUp);
    press(&mut window, Modifiers::NONE, Key::ArrowLeft);
    press(&mut window, Modifiers::NONE, Key::Enter);
    wait(&mut window, 1);
    let search = fake
        .asked()
        .into_iter()
        .find_map(|command| if let Command::Search(search) = command { Some(search) } else { None });
    let search = search.unwrap();
    assert_eq!((search.text.as_str(), search.within), ("before:2025-11-06", Some(HERE)));
    let (hits, problems, all) = (Vec::new(), Vec::new(), vec![MessageId(109), MessageId(108)]);
    let found = Found { search, terms: [].into(), hits, all, has_more: false, unindexed: 0, problems };
    fake.change(|inner| inner.notices.push(Notice::Found(Box::new(found))));
    window.run();
    wait(&mut window, 1);
    assert!(says(&window, "Message number 110.") && !says(&window, "November 2025"));
    let mut bubbles = window.get_all_by_label("Message from Ann Lee");
    assert!(bubbles.any(|bubble| bubble.accesskit_node().is_focused()));
}

#[test]
fn deleting_in_the_small_and_the_dark_window() {
    let mut results = SnapshotResults::new();
    for (name, theme, size) in [("dark", Theme::Dark, LARGE), ("small_light", Theme::Light, SMALL)] {
        let fake = numbered();
        fake.change(|inner| inner.snapshot.settings.theme = theme);
        let mut window = fake.window(size);
        open(&mut window, "Ann Lee, Message number 160.");
        choose(&mut window, "Message number 160.", "Select");
        choose(&mut window, "Message number 159.", "Select");
        window.snapshot(format!("selected_{name}"));
        window.get_by_role_and_label(Role::Button, "Delete").click();
        window.run();
        window.snapshot(format!("deleted_{name}"));
        press(&mut window, Modifiers::COMMAND, Key::G);
        window.snapshot(format!("calendar_{name}"));
        results.extend_harness(&mut window);
    }
}
