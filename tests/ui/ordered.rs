//! Messages with words that are written from right to left.

use egui::OutputCommand;
use egui::accesskit::Role;
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use fanfare::model::journal::DeliveryState::Delivered;
use fanfare::ui::App;

use crate::fake::{Fake, ago, from, own, person, says};
use crate::gallery::LARGE;

const LINK: &str = "https://example.com/plans";

/// The conversation with Ann, who wrote this.
fn window(text: &str) -> Harness<'static, App> {
    let fake = Fake::new();
    let ann = person("Ann Lee");
    let message = from(1, ago(9), &ann, text);
    fake.converse(1, &[ann], vec![message], 0);
    let mut window = fake.window(LARGE);
    window.get_by(|node| node.label().is_some_and(|label| label.starts_with("Ann Lee,"))).click();
    window.run();
    window
}

#[test]
fn a_screen_reader_gets_what_was_written_and_a_link_in_it_is_where_it_stands() {
    let text = format!("ראה {LINK} היום");
    let mut window = window(&text);
    let message = window.get_by_role_and_label(Role::Label, &text).rect();
    let link = window.get_by_role_and_label(Role::Link, LINK);
    let place = link.rect();
    // The first word stands at the right of it, the last at its left.
    assert!(
        message.left() + 10.0 < place.left() && place.right() + 10.0 < message.right(),
        "{place:?} in {message:?}"
    );
    link.click();
    let mut opened = Vec::new();
    for _ in 0..6 {
        window.step();
        opened.extend(window.output().platform_output.commands.iter().cloned());
    }
    let is_it = |command: &OutputCommand| matches!(command, OutputCommand::OpenUrl(open) if open.url == LINK);
    assert!(opened.iter().any(is_it), "{opened:?}");
}

#[test]
fn names_are_read_to_whoever_does_not_see_them_as_they_are_written() {
    let fake = Fake::new();
    let people = [person("Ann Lee"), person("דנה כהן")];
    let message = own(1, ago(9), "שלום לכולם", &[(&people[0], Delivered), (&people[1], Delivered)]);
    fake.converse(1, &people, vec![message], 0);
    let mut window = fake.window(LARGE);
    window.get_by(|node| node.label().is_some_and(|label| label.starts_with("Ann Lee and"))).click();
    window.run();
    assert!(says(&window, "שלום לכולם"));
    assert!(window.query_all_by_label_contains("דנה כהן").next().is_some(), "as it is written");
}

#[test]
#[expect(clippy::disallowed_methods, reason = "how long it takes by the real clock")]
fn what_is_made_to_be_slow_is_shown_in_time() {
    let worst = [
        "א1 ".repeat(13_000),
        "אa(".repeat(16_000),
        "א\u{200b}".repeat(12_000),
        format!("{}https://example.com/ש", "א\u{200b}".repeat(6000)).repeat(3),
        "\u{2067}א".repeat(12_000),
        format!("א{}", "\u{5b0}".repeat(32_000)),
        format!("א{}", "x".repeat(65_000)),
    ];
    for text in worst {
        let began = std::time::Instant::now();
        let mut window = window(&text);
        let shown = began.elapsed();
        let began = std::time::Instant::now();
        (0..10).for_each(|_| window.step());
        let frame = began.elapsed() / 10;
        assert!(shown.as_secs() < 20 && frame.as_millis() < 1000, "{shown:?}, then {frame:?} a frame");
    }
}
