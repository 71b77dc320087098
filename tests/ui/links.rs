//! Web addresses in a message open by a click on them, and by nothing else.

use egui::accesskit::Role;
use egui::{Key, Modifiers, OutputCommand};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT, Queryable};
use fanfare::model::command::Command;
use fanfare::model::journal::DeliveryState::Delivered;
use fanfare::ui::App;

use crate::fake::{Fake, ago, from, own, person};
use crate::gallery::LARGE;

const LONG: &str =
    "https://example.com/a/very/long/address/that/does/not/fit/on/one/line/of/the/bubble/and/goes/on/below";

/// The conversation with Ann, who sent links, and was sent one.
fn window() -> Harness<'static, App> {
    let fake = Fake::new();
    let ann = person("Ann Lee");
    let messages = vec![
        from(
            1,
            ago(9),
            &ann,
            "Plans: https://example.com/plans. Not ftp://example.com/x, nor sip:ann@example.com",
        ),
        own(2, ago(8), &format!("Mine is {LONG}"), &[(&ann, Delivered)]),
    ];
    fake.converse(1, &[ann], messages, 0);
    let mut window = fake.window(LARGE);
    window.get_by(|node| node.label().is_some_and(|name| name.starts_with("Ann Lee,"))).click();
    window.run();
    let asked = fake.asked();
    assert!(matches!(asked.as_slice(), [Command::Open(_), ..]), "{asked:?}");
    window
}

/// Steps frame by frame, as what a frame asks of the system is gone with the next.
fn opened(window: &mut Harness<'static, App>) -> Vec<String> {
    let mut opened = Vec::new();
    for _ in 0..6 {
        window.step();
        let commands = window.output().platform_output.commands.iter();
        opened.extend(commands.filter_map(|command| {
            if let OutputCommand::OpenUrl(open) = command { Some(open.url.clone()) } else { None }
        }));
    }
    opened
}

#[test]
fn a_click_on_a_link_opens_it_and_only_web_addresses_are_links() {
    let mut window = window();
    let links: Vec<String> = window
        .root()
        .children_recursive()
        .filter(|node| node.accesskit_node().role() == Role::Link)
        .filter_map(|node| node.accesskit_node().label())
        .collect();
    assert_eq!(links, ["https://example.com/plans", LONG]);
    assert_eq!(opened(&mut window), [""; 0], "nothing opens by itself");
    window.get_by_label("https://example.com/plans").click();
    assert_eq!(opened(&mut window), ["https://example.com/plans"]);
    assert_eq!(opened(&mut window), [""; 0], "once");
}

#[test]
fn a_click_beside_a_link_opens_nothing_and_each_of_its_lines_opens_it() {
    let mut window = window();
    let bubble = window.get_by_label("Message from Ann Lee").rect();
    let at = |window: &Harness<'static, App>, place| {
        window.hover_at(place);
        for pressed in [true, false] {
            window.event(egui::Event::PointerButton {
                pos: place,
                button: egui::PointerButton::Primary,
                pressed,
                modifiers: Modifiers::NONE,
            });
        }
    };
    at(&window, bubble.right_bottom() - egui::vec2(3.0, 3.0));
    assert_eq!(opened(&mut window), [""; 0]);
    let first_line = window.get_by_label(LONG).rect();
    at(&window, first_line.center() + egui::vec2(0.0, first_line.height()));
    assert_eq!(opened(&mut window), [LONG], "the second line of the same link");
}

#[test]
fn a_link_opens_by_the_keyboard_too() {
    let mut window = window();
    window.get_by_label("https://example.com/plans").focus();
    window.run();
    assert!(window.get_by_label("https://example.com/plans").is_focused());
    window.key_down(Key::Enter);
    assert_eq!(opened(&mut window), ["https://example.com/plans"]);
}
