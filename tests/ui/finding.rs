//! Finding messages in one conversation and in all, and going to people, lists and commands by name.

use std::sync::Arc;

use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable;
use egui_kittest::{Harness, SnapshotResults};
use fanfare::model::command::{Command, Notice};
use fanfare::model::journal::{ConversationId, MessageId};
use fanfare::model::search::{Excerpt, Found, Hit, Query, Search, marks};
use fanfare::model::snapshot::{MessageView, Theme};
use fanfare::ui::App;

use crate::fake::{Fake, ago, from, own, person, press, says, type_into};
use crate::gallery::{LARGE, SMALL, busy};

const HERE: &str = "Search in this conversation";
const ALL: &str = "Search all messages";

/// A conversation in which three of sixty messages are about tea.
fn teas() -> Fake {
    let fake = busy();
    let ann = person("Ann Lee");
    let delivered = fanfare::model::journal::DeliveryState::Delivered;
    let text = |id: u64| match id {
        103 => "Is there any tea left? The green one, https://tea.example.com/green".to_owned(),
        120 => "Tea at four.".to_owned(),
        158 => "The team will have TEA with us.".to_owned(),
        _ => format!("Message number {id}."),
    };
    let message = |id: u64| match id % 2 {
        0 => own(id, ago(200 - id), &text(id), &[(&ann, delivered)]),
        _ => from(id, ago(200 - id), &ann, &text(id)),
    };
    fake.converse(10, std::slice::from_ref(&ann), (101..=160).map(message).collect(), 0);
    fake
}

fn open(window: &mut Harness<'static, App>, name: &str) {
    window.get_by(|node| node.label().is_some_and(|label| label.starts_with(name))).click();
    window.run();
}

/// A moment, in which typing rests.
fn rest(window: &mut Harness<'static, App>) {
    (0..3).for_each(|_| window.step());
    window.run();
}

/// The searches that were asked for.
fn searches(fake: &Fake) -> Vec<Search> {
    let search = |command| if let Command::Search(search) = command { Some(search) } else { None };
    fake.asked().into_iter().filter_map(search).collect()
}

/// What an engine would find.
fn found(fake: &Fake, search: &Search) -> Found {
    let query = Query::parse(&search.text);
    let holds = |message: &Arc<MessageView>| {
        let is_older = search.older_than.is_none_or(|than| message.id < than);
        is_older && !marks(&message.text, &query.terms).is_empty()
    };
    let fits = fake
        .messages()
        .into_iter()
        .filter(|(id, message)| search.within.is_none_or(|within| within == *id) && holds(message));
    let hits: Vec<Hit> = fits
        .map(|(conversation, message)| Hit {
            message: message.id,
            conversation,
            at: message.at,
            from: message.from.clone(),
            to: message.deliveries.iter().map(|delivery| delivery.person.clone()).collect(),
            excerpt: Excerpt::of(&message.text, &query.terms),
        })
        .collect();
    let all = if search.within.is_some() { hits.iter().map(|hit| hit.message).collect() } else { Vec::new() };
    let (search, terms) = (search.clone(), query.terms.into());
    Found { search, terms, hits, all, has_more: false, unindexed: 0, problems: query.problems }
}

fn tell(window: &mut Harness<'static, App>, fake: &Fake, found: Found) {
    fake.change(|inner| inner.notices.push(Notice::Found(Box::new(found))));
    window.run();
}

/// Lets typing rest, and answers the search.
fn answer(window: &mut Harness<'static, App>, fake: &Fake) -> Search {
    rest(window);
    let search = searches(fake).pop().expect("a search");
    let found = found(fake, &search);
    tell(window, fake, found);
    search
}

fn row(window: &Harness<'static, App>, name: &str) -> bool {
    window.query_all_by(|node| is_row(node, name)).next().is_some()
}

fn is_row(node: &egui_kittest::kittest::AccessKitNode<'_>, name: &str) -> bool {
    node.role() == Role::ListBoxOption && node.label().is_some_and(|label| label.starts_with(name))
}

#[test]
fn what_is_typed_is_found_in_the_open_conversation_from_the_newest_to_the_oldest() {
    let fake = teas();
    let mut window = fake.window(LARGE);
    open(&mut window, "Ann Lee, Message number 160.");
    fake.asked();
    press(&mut window, Modifiers::COMMAND, Key::F);
    assert!(window.get_by_role_and_label(Role::TextInput, HERE).is_focused());
    type_into(&mut window, HERE, "te");
    type_into(&mut window, HERE, "a");
    rest(&mut window);
    let asked = searches(&fake);
    let last = asked.last().unwrap();
    assert_eq!((last.text.as_str(), last.within, last.older_than), ("tea", Some(ConversationId(10)), None));
    // An answer to something that was typed before does not count.
    let mut old = found(&fake, &Search { text: "message".into(), ..last.clone() });
    old.search.id -= 1;
    tell(&mut window, &fake, old);
    assert!(!says(&window, " of "));
    let now = found(&fake, last);
    tell(&mut window, &fake, now);
    assert!(says(&window, "1 of 3") && says(&window, "The team will have TEA with us."));
    window.snapshot("find_here_light");
    press(&mut window, Modifiers::NONE, Key::Enter);
    rest(&mut window);
    assert!(says(&window, "2 of 3") && says(&window, "Tea at four."), "older ones come into view");
    assert!(!says(&window, "The team will have TEA with us."));
    window.get_by_role_and_label(Role::Button, "Older result (Enter)").click();
    rest(&mut window);
    assert!(says(&window, "3 of 3") && says(&window, "Is there any tea left?"));
    press(&mut window, Modifiers::SHIFT, Key::Enter);
    rest(&mut window);
    assert!(says(&window, "2 of 3") && says(&window, "Tea at four."));
    assert!(window.get_by_role_and_label(Role::TextInput, HERE).is_focused(), "so that one can go on typing");
    press(&mut window, Modifiers::NONE, Key::Escape);
    assert!(window.query_by_label("Close search").is_none());
    assert!(window.get_by_label("Message").is_focused());
    assert!(says(&window, "Tea at four."), "it stays where it is");
}

#[test]
fn what_finds_nothing_or_is_not_understood_is_said() {
    let fake = teas();
    let mut window = fake.window(LARGE);
    open(&mut window, "Ann Lee, Message number 160.");
    window.get_by_role_and_label(Role::Button, HERE).click();
    window.run();
    fake.asked();
    type_into(&mut window, HERE, "coffee before:yesterday");
    rest(&mut window);
    let search = searches(&fake).pop().unwrap();
    let found = Found { unindexed: 1200, ..found(&fake, &search) };
    tell(&mut window, &fake, found);
    assert!(says(&window, "No results"));
    assert!(says(&window, "Not a date: \"yesterday\" (write 2026-11-30, 2026-11 or 2026)"));
    assert!(says(&window, "1,200 older messages are still being prepared for the search."));
    // Another conversation is not searched for the same.
    open(&mut window, "Cy Young,");
    assert!(
        window.query_by_label("Close search").is_none() && window.query_by_label("Older result").is_none()
    );
}

#[test]
fn all_messages_are_searched_and_a_hit_is_gone_to() {
    let fake = teas();
    let mut window = fake.window(LARGE);
    open(&mut window, "Cy Young,");
    fake.asked();
    press(&mut window, Modifiers::COMMAND | Modifiers::SHIFT, Key::F);
    assert!(window.get_by_role_and_label(Role::TextInput, ALL).is_focused());
    for operator in ["from:", "to:", "failed:", "has:file", "before:", "after:"] {
        window.get_by_role_and_label(Role::Button, operator);
    }
    type_into(&mut window, ALL, "tea");
    let search = answer(&mut window, &fake);
    assert_eq!((search.within, search.older_than), (None, None));
    assert!(row(&window, "You to Ann Lee, 14:18: The team will have TEA with us."));
    assert!(row(&window, "You to Ann Lee, 13:40: Tea at four."));
    assert!(row(&window, "Ann Lee, 13:23: Is there any tea left?"));
    window.snapshot("find_everywhere_light");
    press(&mut window, Modifiers::NONE, Key::ArrowDown);
    press(&mut window, Modifiers::NONE, Key::ArrowDown);
    press(&mut window, Modifiers::NONE, Key::ArrowUp);
    press(&mut window, Modifiers::NONE, Key::Enter);
    rest(&mut window);
    assert!(window.query_by_role_and_label(Role::TextInput, ALL).is_none());
    assert!(says(&window, "Tea at four.") && !says(&window, "Message number 160."));
    let mut bubbles = window.query_all_by_label("Message to 1 person, 1 delivered");
    assert!(bubbles.any(|bubble| bubble.is_focused()), "the keys go on from the message");
    drop(bubbles);
    answer(&mut window, &fake);
    assert!(says(&window, "2 of 3"), "and the conversation is searched for the same");
}

#[test]
fn older_hits_are_shown_when_they_are_wanted() {
    let fake = teas();
    let mut window = fake.window(SMALL);
    press(&mut window, Modifiers::COMMAND, Key::F);
    type_into(&mut window, ALL, "message");
    rest(&mut window);
    let search = searches(&fake).pop().unwrap();
    let mut first = found(&fake, &search);
    first.hits.truncate(5);
    let oldest = first.hits.last().unwrap().message;
    tell(&mut window, &fake, Found { has_more: true, ..first });
    window.get_by_role_and_label(Role::Button, "Show more").click();
    let search = answer(&mut window, &fake);
    assert_eq!((search.text.as_str(), search.older_than), ("message", Some(oldest)));
    assert_eq!(oldest, MessageId(155));
    assert!(window.query_by_label("Show more").is_none());
    press(&mut window, Modifiers::NONE, Key::End);
    for _ in 0..20 {
        press(&mut window, Modifiers::NONE, Key::PageDown);
    }
    assert!(row(&window, "Ann Lee, 13:21: Message number 101."), "the pages follow each other");
    press(&mut window, Modifiers::NONE, Key::Escape);
    assert!(window.query_by_role_and_label(Role::TextInput, ALL).is_none());
    // It is still there the next time, and typing replaces it.
    press(&mut window, Modifiers::COMMAND | Modifiers::SHIFT, Key::F);
    assert_eq!(window.get_by_role_and_label(Role::TextInput, ALL).value().as_deref(), Some("message"));
    window.get_by_role_and_label(Role::TextInput, ALL).type_text("tea");
    window.run();
    assert_eq!(window.get_by_role_and_label(Role::TextInput, ALL).value().as_deref(), Some("tea"));
}

#[test]
fn a_search_that_the_engine_does_not_take_is_asked_again() {
    let fake = teas();
    let mut window = fake.window(LARGE);
    press(&mut window, Modifiers::COMMAND | Modifiers::SHIFT, Key::F);
    fake.change(|inner| inner.full = true);
    type_into(&mut window, ALL, "tea");
    rest(&mut window);
    fake.change(|inner| inner.full = false);
    answer(&mut window, &fake);
    assert!(row(&window, "You to Ann Lee"));
    rest(&mut window);
    assert_eq!(searches(&fake), []);
}

#[test]
fn the_palette_goes_to_people_lists_conversations_and_commands() {
    let fake = teas();
    let mut window = fake.window(LARGE);
    let go = |window: &mut Harness<'static, App>, typed: &str| {
        press(window, Modifiers::COMMAND, Key::K);
        type_into(window, "Go to", typed);
        press(window, Modifiers::NONE, Key::Enter);
        rest(window);
    };
    press(&mut window, Modifiers::COMMAND, Key::K);
    assert!(row(&window, "Ann Lee"), "the latest conversation is first");
    type_into(&mut window, "Go to", "an");
    window.snapshot("palette_light");
    press(&mut window, Modifiers::NONE, Key::Escape);
    assert!(window.query_by_label("Go to").is_none());
    go(&mut window, "zoe");
    assert!(says(&window, "Happy birthday!"));
    go(&mut window, "fay");
    // She has no conversation of her own.
    window.get_by_label("Remove Fay Moreau");
    window.get_by_label("Remove Fay Moreau").click();
    window.run();
    go(&mut window, "nshift");
    assert!(says(&window, "Lunch?"), "the list's three people have a conversation");
    go(&mut window, "sett");
    window.get_by_role_and_label(Role::TextInput, "SIP address");
}

#[test]
fn searches_in_every_size_and_theme() {
    let mut results = SnapshotResults::new();
    for (name, theme, size) in [
        ("dark", Theme::Dark, LARGE),
        ("small_light", Theme::Light, SMALL),
        ("small_dark", Theme::Dark, SMALL),
    ] {
        let fake = teas();
        fake.change(|inner| inner.snapshot.settings.theme = theme);
        let mut window = fake.window(size);
        press(&mut window, Modifiers::COMMAND, Key::K);
        type_into(&mut window, "Go to", "an");
        window.snapshot(format!("palette_{name}"));
        press(&mut window, Modifiers::NONE, Key::Escape);
        press(&mut window, Modifiers::COMMAND | Modifiers::SHIFT, Key::F);
        type_into(&mut window, ALL, "tea before:noon");
        answer(&mut window, &fake);
        window.snapshot(format!("find_everywhere_{name}"));
        press(&mut window, Modifiers::NONE, Key::Escape);
        open(&mut window, "Ann Lee, Message number 160.");
        press(&mut window, Modifiers::COMMAND, Key::F);
        type_into(&mut window, HERE, "tea");
        answer(&mut window, &fake);
        press(&mut window, Modifiers::NONE, Key::Enter);
        press(&mut window, Modifiers::NONE, Key::Enter);
        rest(&mut window);
        window.snapshot(format!("find_here_{name}"));
        results.extend_harness(&mut window);
    }
}

#[test]
fn who_is_not_found_on_the_left_may_be_found_in_the_messages() {
    let fake = teas();
    let mut window = fake.window(LARGE);
    type_into(&mut window, "Search", "green");
    window.get_by_role_and_label(Role::Button, ALL).click();
    window.run();
    answer(&mut window, &fake);
    assert!(row(&window, "Ann Lee, 13:23: Is there any tea left?"));
}
