//! A message as long as a message may be: the field shows a part of it, and what is done concerns the whole.

use egui::accesskit::Role;
use egui::{Event, Key, Modifiers, Rect, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use fanfare::model::command::{AgentCommand, Command};
use fanfare::ui::App;

use crate::fake::{Fake, ago, from, person, press};
use crate::gallery::{LARGE, busy};

/// A megabyte of numbered words.
fn megabyte() -> String {
    (0..90_909).map(|number| format!("w{number:09} ")).collect()
}

fn shown(window: &Harness<'static, App>) -> String {
    window.get_by_label("Message").value().unwrap_or_default()
}

fn pasted(fake: &Fake, text: &str) -> Harness<'static, App> {
    let mut window = fake.window(LARGE);
    window.get_by(|node| node.label().is_some_and(|label| label.starts_with("Cy Young,"))).click();
    window.run();
    window.get_by_label("Message").focus();
    window.run();
    window.event(Event::Paste(text.to_owned()));
    window.run();
    window
}

fn typed(window: &mut Harness<'static, App>, text: &str) {
    window.event(Event::Text(text.to_owned()));
    window.run();
}

fn copied(window: &Harness<'static, App>) -> String {
    let text = |command: &egui::OutputCommand| {
        if let egui::OutputCommand::CopyText(text) = command { Some(text.clone()) } else { None }
    };
    window.output().platform_output.commands.iter().rev().find_map(text).unwrap_or_default()
}

fn place(window: &Harness<'static, App>) -> Rect {
    window.get_by_label("Message").rect()
}

#[test]
fn of_a_megabyte_that_was_pasted_a_part_is_laid_out_and_the_whole_is_sent() {
    let fake = busy();
    let text = megabyte();
    let mut window = pasted(&fake, &text);
    assert!(shown(&window).len() < 64 * 1024, "{} bytes are laid out", shown(&window).len());
    assert!(shown(&window).ends_with("w000090908 "), "the cursor is behind it");
    let send = window.get_by_label("Send to 1").rect();
    assert!((place(&window).bottom() - send.bottom()).abs() < 20.0, "its end is in view");
    typed(&mut window, "the end");
    press(&mut window, Modifiers::COMMAND, Key::Home);
    typed(&mut window, "The start ");
    assert!(shown(&window).starts_with("The start w000000000 "));
    assert!(place(&window).top() > send.top() - 200.0, "its beginning is in view");
    press(&mut window, Modifiers::NONE, Key::Enter);
    let sent = fake.asked().into_iter().find_map(|command| {
        if let Command::Agent(AgentCommand::Send(draft)) = command { Some(draft.text) } else { None }
    });
    assert!(sent == Some(format!("The start {text}the end")), "the whole text is sent");
}

#[test]
fn everything_of_a_long_text_is_selected_copied_deleted_and_brought_back() {
    let fake = busy();
    let text = megabyte();
    let mut window = pasted(&fake, &text);
    press(&mut window, Modifiers::COMMAND, Key::A);
    window.event(Event::Copy);
    window.step();
    assert!(copied(&window) == text, "all of it is copied");
    press(&mut window, Modifiers::NONE, Key::Delete);
    assert_eq!(shown(&window), "");
    press(&mut window, Modifiers::COMMAND, Key::Z);
    assert!(shown(&window).ends_with("w000090908 "));
    press(&mut window, Modifiers::COMMAND, Key::A);
    typed(&mut window, "x");
    assert_eq!(shown(&window), "x", "what is typed takes the place of all of it");
    press(&mut window, Modifiers::COMMAND, Key::Z);
    press(&mut window, Modifiers::COMMAND, Key::A);
    press(&mut window, Modifiers::SHIFT, Key::Enter);
    assert_eq!(shown(&window), "\n");
}

/// Turns the wheel over the field, by points; positive shows what is above.
fn scrolled(window: &mut Harness<'static, App>, points: f32) {
    let button = window.get_by_label("Send to 1").rect();
    window.hover_at(button.left_center() - vec2(60.0, 0.0));
    window.event(Event::MouseWheel {
        unit: egui::MouseWheelUnit::Point,
        delta: vec2(0.0, points),
        phase: egui::TouchPhase::Move,
        modifiers: Modifiers::NONE,
        source: egui::MouseWheelSource::Unknown,
    });
    window.run();
}

#[test]
fn a_long_text_scrolls_from_its_end_to_its_start_and_typing_goes_on_at_the_cursor() {
    let fake = busy();
    let words: String = (0..9_000).map(|number| format!("w{number:09} ")).collect();
    let mut window = pasted(&fake, &words);
    let mut seen = vec![shown(&window)];
    for _ in 0..60 {
        scrolled(&mut window, 600.0);
        let part = shown(&window);
        if seen.last() != Some(&part) {
            seen.push(part);
        }
    }
    assert!(shown(&window).starts_with("w000000000 "), "{:.20}", shown(&window));
    assert!(seen.len() > 5 && seen.len() < 20, "{} parts", seen.len());
    typed(&mut window, "here");
    assert!(shown(&window).ends_with("w000008999 here"));
    press(&mut window, Modifiers::COMMAND, Key::Home);
    for _ in 0..60 {
        scrolled(&mut window, -600.0);
    }
    assert!(shown(&window).ends_with("w000008999 here"));
}

#[test]
fn the_lines_that_are_seen_stay_where_they_are_when_the_part_moves() {
    let fake = busy();
    // With lines of their own, so that each is broken alike wherever the part begins.
    let lines: String = (0..9_000)
        .map(|number| format!("w{number:09}{}", if number % 5 == 4 { '\n' } else { ' ' }))
        .collect();
    let mut window = pasted(&fake, &lines);
    let mut moved = 0;
    for _ in 0..20 {
        let (before, bottom) = (shown(&window), place(&window).bottom());
        scrolled(&mut window, 280.0);
        // The end of the text is in the part all the while, so it goes down by as much as the wheel was turned.
        assert!(shown(&window).ends_with("w000008999\n"));
        let by = place(&window).bottom() - bottom;
        assert!((by - 280.0).abs() < 1.5, "scrolled by {by}");
        moved += usize::from(before != shown(&window));
    }
    assert!(moved > 0);
}

#[test]
fn of_a_long_message_the_beginning_is_laid_out_and_a_click_shows_all_of_it() {
    let fake = Fake::new();
    let (ann, text) = (person("Ann Lee"), megabyte());
    fake.converse(1, std::slice::from_ref(&ann), vec![from(1, ago(1), &ann, &text)], 0);
    let mut window = fake.window(LARGE);
    window.get_by(|node| node.label().is_some_and(|label| label.starts_with("Ann Lee,"))).click();
    window.run();
    let laid_out: usize = window
        .query_all_by(|node| node.value().is_some_and(|value| value.contains("w0000")))
        .map(|node| node.value().unwrap_or_default().len())
        .sum();
    assert!(laid_out < 100_000, "{laid_out} bytes are laid out");
    window.get_by_role_and_label(Role::Link, "… Show all 1000 KB").click();
    window.run();
    let whole =
        |window: &Harness<'static, App>| window.get_by_label("Whole message").value().unwrap_or_default();
    assert!(whole(&window).starts_with("w000000000 ") && whole(&window).len() < 64 * 1024);
    press(&mut window, Modifiers::COMMAND, Key::End);
    assert!(whole(&window).ends_with("w000090908 "));
    typed(&mut window, "not to be changed");
    assert!(whole(&window).ends_with("w000090908 "));
    press(&mut window, Modifiers::COMMAND, Key::A);
    window.event(Event::Copy);
    window.step();
    assert!(copied(&window) == text, "all of it is copied");
}
