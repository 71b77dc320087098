//! Scripts of expectations that are played in the window.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use egui::accesskit::Role;
use egui::{Key, Modifiers, OutputCommand};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use fanfare::model::journal::DeliveryState::Delivered;
use fanfare::model::snapshot::Theme;
use fanfare::runtime::engine::{Legs, Wire, WireTap};
use fanfare::ui::desktop::chooser::{Chooser, FileRequest};
use fanfare::ui::{App, Options};
use jiff::tz::TimeZone;

use crate::fake::{Fake, ago, own, people, press, says};
use crate::gallery::{LARGE, SMALL};

/// Ben is busy, and the script says that he is not.
const WRONG_ABOUT_BEN: &str = "Script(
    about: \"Ben is said to get it\",
    people: [Person(name: \"Ann\"), Person(name: \"Ben\", does: \"486\")],
    steps: [
        Send(to: [\"Ann\", \"Ben\"], text: \"Outcome(\"),
        WaitForOutcomes(\"5s\"),
        Expect([
            Outcome(of: \"Ann\", is: Delivered),
            // Outcome(
            Outcome(of: \"Ben\", is: Delivered),
        ]),
    ],
)";

fn click(window: &mut Harness<'static, App>, label: &str) {
    window.get_by_label(label).click();
    window.run();
}

/// Draws until the thread that plays is done and this is said; a click counts only in the frame after it.
fn wait_until_said(window: &mut Harness<'static, App>, words: &str) {
    for _ in 0..2000 {
        window.step();
        let is_done = window.query_by_label("Copy result").is_some();
        if is_done && window.query_all_by_label_contains(words).next().is_some() {
            window.run();
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("it never said {words}");
}

/// The window with the tab open; the chooser gives the script with this text.
fn opened(size: [f32; 2], theme: Theme, text: &str) -> (Harness<'static, App>, PathBuf, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ben.ron");
    std::fs::write(&path, text).unwrap();
    let fake = Fake::new();
    let crew = people(&["Ann Lee"]);
    fake.converse(1, &crew, vec![own(5, ago(1), "Lunch", &[(&crew[0], Delivered)])], 0);
    fake.change(|inner| {
        inner.wire = Some(Wire { tap: WireTap::new(), legs: Legs::All });
        inner.snapshot.settings.testing = true;
        inner.snapshot.settings.theme = theme;
    });
    let given = path.clone();
    let chooser = Some(Chooser(Arc::new(move |asked| {
        assert_eq!(*asked, FileRequest::Script);
        Some(vec![given.clone()])
    })));
    let options = Options { zone: Some(TimeZone::UTC), chooser, ..Options::default() };
    let mut window = fake.window_with(size, options);
    press(&mut window, Modifiers::ALT, Key::ArrowDown);
    if size == SMALL {
        click(&mut window, "Show delivery");
    }
    window.get_by_role_and_label(Role::Tab, "Checks").click();
    window.run();
    (window, path, folder)
}

#[test]
fn a_script_is_opened_played_for_each_seed_mended_and_played_again() {
    let (mut window, path, _folder) = opened(LARGE, Theme::Light, WRONG_ABOUT_BEN);
    assert!(says(&window, "No script is open"));
    click(&mut window, "10 runs");
    window.get_by_label("Open script…").click();
    wait_until_said(&mut window, "0 of 10 runs passed");
    assert!(says(&window, "0 of 10 runs passed"));
    window.get_by_label("Seed 10 failed");
    window.get_by_label_contains("Passed, line 8, after ");
    window.get_by_label_contains("Failed, line 10, after ");
    window.get_by_label_contains("Seen instead: Failed, status 486, sent once, known after ");
    std::fs::write(&path, WRONG_ABOUT_BEN.replace("\"Ben\", is: Delivered", "\"Ben\", is: Failed")).unwrap();
    click(&mut window, "1 run");
    window.get_by_label("Run again").click();
    wait_until_said(&mut window, "1 of 1 runs passed");
    assert!(says(&window, "1 of 1 runs passed"));
    window.get_by_label_contains("Passed, line 10, after ");
    window.get_by_label("Seed 1 passed");
}

#[test]
fn the_result_is_copied() {
    let (mut window, _path, _folder) = opened(LARGE, Theme::Light, WRONG_ABOUT_BEN);
    window.get_by_label("Open script…").click();
    wait_until_said(&mut window, "0 of 1 runs passed");
    window.get_by_label("Copy result").click();
    let mut copied = None;
    for _ in 0..4 {
        window.step();
        for command in &window.output().platform_output.commands {
            if let OutputCommand::CopyText(text) = command {
                copied = Some(text.clone());
            }
        }
    }
    let copied = copied.unwrap();
    assert!(copied.starts_with("FAIL ben.ron, seed 1: Ben is said to get it\n"), "{copied}");
    assert!(copied.contains("(line 10)\n") && copied.ends_with("\n0 of 1 runs passed\n"), "{copied}");
}

#[test]
fn what_is_wrong_with_a_script_is_said_with_its_line_and_column() {
    let (mut window, path, _folder) =
        opened(LARGE, Theme::Light, &WRONG_ABOUT_BEN.replace("Outcome(of: \"Ben\"", "Outcome(of: \"Bem\""));
    window.get_by_label("Open script…").click();
    wait_until_said(&mut window, "ben.ron: line 10, column ");
    window.get_by_label_contains("ben.ron: line 10, column ");
    assert!(window.query_by_label_contains("Seed 1").is_none());
    std::fs::remove_file(&path).unwrap();
    window.get_by_label("Run again").click();
    wait_until_said(&mut window, "cannot be read: ");
    window.get_by_label_contains(&format!("{} cannot be read: ", path.display()));
}

#[test]
fn a_script_of_the_documentation_is_played() {
    let (mut window, _path, _folder) = opened(LARGE, Theme::Light, "");
    click(&mut window, "Example script");
    window.get_by_label("01_patent.ron").click();
    window.step();
    wait_until_said(&mut window, "1 of 1 runs passed");
    assert!(says(&window, "1 of 1 runs passed"));
}

#[test]
fn picture_of_a_failed_check_in_light() {
    let (mut window, _path, _folder) = opened(LARGE, Theme::Light, WRONG_ABOUT_BEN);
    window.get_by_label("Open script…").click();
    wait_until_said(&mut window, "0 of 1 runs passed");
    window.snapshot("checks_light");
}

#[test]
fn picture_of_a_passed_check_in_a_small_dark_window() {
    let right = WRONG_ABOUT_BEN.replace("\"Ben\", is: Delivered", "\"Ben\", is: Failed");
    let (mut window, _path, _folder) = opened(SMALL, Theme::Dark, &right);
    click(&mut window, "10 runs");
    window.get_by_label("Open script…").click();
    wait_until_said(&mut window, "10 of 10 runs passed");
    window.snapshot("checks_small_dark");
}
