//! What the window says: who somebody is, what day it is, what is wrong, how much is unread.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use egui::{OutputCommand, ViewportCommand, ViewportId};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT, Queryable};
use fanfare::model::command::{AgentCommand, Command};
use fanfare::model::contacts::AddressBook;
use fanfare::model::journal::DeliveryState::Delivered;
use fanfare::model::journal::PersonRow;
use fanfare::model::names::Names;
use fanfare::model::snapshot::Person;
use fanfare::ui::desktop::browser::Opener;
use fanfare::ui::desktop::chooser::Chooser;
use fanfare::ui::{App, Choice, Failure, Options, StartFailed};
use jiff::tz::TimeZone;

use crate::fake::{Fake, NOW, ago, book, from, own, people, person, press, says, type_into};
use crate::gallery::{LARGE, busy};

fn open(window: &mut Harness<'static, App>, name: &str) {
    window.get_by(|node| node.label().is_some_and(|label| label.starts_with(name))).click();
    window.run();
}

/// Somebody who calls herself as one of the contacts does.
fn impostor() -> Person {
    let row = PersonRow { address: "sip:mallory@example.net".into(), name: "Ann Lee".into() };
    Names::of(&book()).person(&row)
}

#[test]
fn somebody_who_calls_himself_like_a_contact_is_told_apart() {
    let fake = busy();
    let mallory = impostor();
    fake.converse(
        20,
        std::slice::from_ref(&mallory),
        vec![from(200, ago(3), &mallory, "Send me the keys")],
        1,
    );
    let crew = [mallory.clone(), person("Ben Okafor")];
    fake.converse(21, &crew, vec![from(210, ago(2), &mallory, "Me again")], 1);
    let mut window = fake.window(LARGE);
    open(&mut window, "~Ann Lee (mallory@example.net), Send me the keys");
    type_into(&mut window, "Message", "Who are you?");
    fake.asked();
    press(&mut window, egui::Modifiers::NONE, egui::Key::Enter);
    let asked = fake.asked();
    let [Command::Agent(AgentCommand::Send(draft)), ..] = asked.as_slice() else { panic!("{asked:?}") };
    assert_eq!(draft.to[0].name, "Ann Lee", "the mark is ours, and does not go over the wire");
    open(&mut window, "~Ann Lee and Ben Okafor,");
    window.get_by_label("Message from ~Ann Lee (mallory@example.net)");
    window.snapshot("told_apart");
}

#[test]
fn today_becomes_yesterday_at_midnight() {
    let fake = busy();
    let mut window = fake.window(LARGE);
    let delay = window.output().viewport_output[&ViewportId::ROOT].repaint_delay;
    // It is 15:00.
    let nine_hours = Duration::from_secs(9 * 3600);
    assert!(delay > nine_hours && delay < nine_hours + Duration::from_secs(1), "{delay:?}");
    let row = |window: &Harness<'static, App>| window.query_by_label("Night shift, Lunch?").is_some();
    assert!(row(&window));
    fake.change(|inner| inner.now = NOW + 9 * 3_600_000 + 1);
    window.run();
    let delay = window.output().viewport_output[&ViewportId::ROOT].repaint_delay;
    assert!(delay > Duration::from_secs(23 * 3600), "{delay:?}");
}

#[test]
fn the_title_counts_what_is_unread() {
    let fake = Fake::new();
    let ann = person("Ann Lee");
    fake.converse(1, std::slice::from_ref(&ann), vec![from(1, ago(3), &ann, "Hello")], 3);
    let mut window = fake.window(LARGE);
    fake.converse(1, std::slice::from_ref(&ann), vec![from(1, ago(3), &ann, "Hello")], 4);
    let titles = titles(&mut window);
    assert_eq!(titles, ["Fanfare (4)"]);
    fake.converse(1, std::slice::from_ref(&ann), vec![from(1, ago(3), &ann, "Hello")], 0);
    assert_eq!(self::titles(&mut window), ["Fanfare"]);
}

fn titles(window: &mut Harness<'static, App>) -> Vec<String> {
    let mut titles = Vec::new();
    for _ in 0..4 {
        window.step();
        let commands = &window.output().viewport_output[&ViewportId::ROOT].commands;
        titles.extend(commands.iter().filter_map(|command| {
            if let ViewportCommand::Title(title) = command { Some(title.clone()) } else { None }
        }));
    }
    titles
}

#[test]
fn that_nothing_can_be_stored_stays_on_the_screen_until_it_can() {
    let fake = busy();
    let mut window = fake.window(LARGE);
    fake.change(|inner| inner.snapshot.not_stored = true);
    window.run();
    (0..200).for_each(|_| window.step());
    assert!(says(&window, "Messages cannot be received"));
    window.snapshot("not_stored");
    fake.change(|inner| inner.snapshot.not_stored = false);
    window.run();
    assert!(!says(&window, "Messages cannot be received"));
}

#[test]
fn with_the_own_address_among_the_recipients_the_conversation_opens_all_the_same() {
    let fake = Fake::new();
    let mut window = fake.window(LARGE);
    press(&mut window, egui::Modifiers::COMMAND, egui::Key::N);
    window.get_by_label("To").type_text("sip:james@example.com, ann.lee@example.com, ");
    window.run();
    type_into(&mut window, "Message", "For the record");
    press(&mut window, egui::Modifiers::NONE, egui::Key::Enter);
    let ann = people(&["Ann Lee"]);
    fake.asked();
    fake.converse(1, &ann, vec![own(5, ago(0), "For the record", &[(&ann[0], Delivered)])], 0);
    window.run();
    assert!(matches!(fake.asked().as_slice(), [Command::Open(_), ..]));
}

#[test]
fn a_link_that_no_browser_opens_is_told_and_can_be_copied() {
    let fake = Fake::new();
    let ann = person("Ann Lee");
    fake.converse(
        1,
        std::slice::from_ref(&ann),
        vec![from(1, ago(3), &ann, "See https://example.com/plans")],
        0,
    );
    let tried = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&tried);
    let opener = Opener(Arc::new(move |target| {
        seen.store(target == "https://example.com/plans", Ordering::Release);
        false
    }));
    let options = Options { zone: Some(TimeZone::UTC), opener: Some(opener), ..Options::default() };
    let mut window = fake.window_with(LARGE, options);
    open(&mut window, "Ann Lee,");
    window.get_by_label("https://example.com/plans").click();
    let words = "No web browser could be started. The address is https://example.com/plans";
    wait_until(&mut window, |window| says(window, words));
    assert!(tried.load(Ordering::Acquire));
    window.get_by_label("Copy address").click();
    let mut copied = Vec::new();
    for _ in 0..4 {
        window.step();
        copied.extend(window.output().platform_output.commands.iter().filter_map(|command| {
            if let OutputCommand::CopyText(text) = command { Some(text.clone()) } else { None }
        }));
    }
    assert_eq!(copied, ["https://example.com/plans"]);
}

/// Draws until a thread of the window has done its work.
fn wait_until(window: &mut Harness<'static, App>, done: impl Fn(&Harness<'static, App>) -> bool) {
    for _ in 0..2000 {
        window.run();
        if done(window) {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("it never came");
}

#[test]
fn files_are_chosen_in_the_chooser_of_the_desktop_and_by_path_where_there_is_none() {
    let fake = Fake::new();
    let ann = people(&["Ann Lee"]);
    fake.converse(1, &ann, vec![own(5, ago(3), "Hello.", &[(&ann[0], Delivered)])], 0);
    let chooser = |answer: Option<Vec<&'static str>>| {
        let answer = answer.map(|paths| paths.into_iter().map(Into::into).collect::<Vec<_>>());
        let chooser = Some(Chooser(Arc::new(move |_| answer.clone())));
        Options { zone: Some(TimeZone::UTC), chooser, ..Options::default() }
    };
    let mut window =
        fake.window_with(LARGE, chooser(Some(vec!["/home/james/cat.png", "/home/james/dog.png"])));
    open(&mut window, "Ann Lee,");
    window.get_by_label("Attach a file").click();
    wait_until(&mut window, |window| window.query_by_label("Remove dog.png").is_some());
    window.get_by_label("Remove cat.png");
    let mut window = fake.window_with(LARGE, chooser(None));
    open(&mut window, "Ann Lee,");
    window.get_by_label("Attach a file").click();
    wait_until(&mut window, |window| window.query_by_label("File path").is_some());
    // Nothing was chosen: nothing happens.
    let mut window = fake.window_with(LARGE, chooser(Some(Vec::new())));
    open(&mut window, "Ann Lee,");
    fake.asked();
    window.get_by_label("Attach a file").click();
    (0..50).for_each(|_| window.step());
    assert!(!fake.asked().iter().any(|command| matches!(command, Command::Attach(_))));
}

#[test]
fn a_long_name_ends_before_the_pencil() {
    let fake = Fake::new();
    let long = "Maximiliane Alexandrina von Hohenlohe-Waldenburg-Schillingsfürst";
    fake.change(|inner| {
        let mut known: AddressBook = book();
        known.contacts[0].name = long.into();
        inner.snapshot.book = Arc::new(known);
    });
    let mut window = fake.window(LARGE);
    window.get_by_role_and_label(egui::accesskit::Role::Tab, "Contacts").click();
    window.run();
    window.snapshot("long_contact_light");
    assert!(window.get_by_label(&format!("Edit {long}")).accesskit_node().bounding_box().is_some());
}

/// The window of a start that failed, and where its decision is written.
pub(crate) fn start_failed(failure: Failure) -> (Harness<'static, StartFailed>, Arc<Mutex<Choice>>) {
    let choice = Arc::new(Mutex::new(Choice::Quit));
    let answer = Arc::clone(&choice);
    let mut window = Harness::builder()
        .with_size([560.0, 300.0])
        .build_eframe(move |creation| StartFailed::new(&creation.egui_ctx, failure, answer));
    window.run();
    (window, choice)
}

const NO_DATABASE: &str =
    "Cannot use the store /data/messages.sqlite3: the file is not a database, or it is damaged.";

#[test]
fn a_start_that_fails_says_why_and_what_can_be_done() {
    let failure = |can_begin_anew| Failure {
        why: NO_DATABASE.into(),
        details: "Fanfare 0.1".into(),
        can_begin_anew,
        ..Failure::default()
    };
    let (mut damaged, choice) = start_failed(failure(true));
    damaged.get_by_label(NO_DATABASE);
    assert!(damaged.query_by_label("Restore the backup…").is_none(), "there is none");
    damaged.snapshot("start_failed");
    damaged.get_by_label("Begin without them…").click();
    damaged.run();
    assert_eq!(*choice.lock().unwrap(), Choice::Quit, "it is asked twice");
    damaged.get_by_label("Set aside and begin").click();
    damaged.run();
    assert_eq!(*choice.lock().unwrap(), Choice::BeginAnew);
    let (mut in_use, choice) = start_failed(failure(false));
    assert!(in_use.query_by_label("Begin without them…").is_none());
    in_use.get_by_label("Copy details").click();
    in_use.step();
    let copied = |window: &Harness<'static, StartFailed>| {
        window.output().platform_output.commands.contains(&OutputCommand::CopyText("Fanfare 0.1".into()))
    };
    let mut has_copied = copied(&in_use);
    in_use.step();
    has_copied |= copied(&in_use);
    assert!(has_copied);
    in_use.get_by_label("Try again").click();
    in_use.run();
    assert_eq!(*choice.lock().unwrap(), Choice::TryAgain);
}

#[test]
fn a_damaged_store_is_replaced_by_its_backup_if_that_is_asked_for_twice() {
    let failure = Failure {
        why: NO_DATABASE.into(),
        can_begin_anew: true,
        backup: Some(fanfare::time::Timestamp::from_millis(1_796_210_580_000)),
        zone: Some(TimeZone::UTC),
        ..Failure::default()
    };
    let (mut window, choice) = start_failed(failure.clone());
    window.get_by_label_contains("There is a backup from 2 December 2026, 11:23.");
    window.get_by_label("Begin without them…").click();
    window.run();
    // Another button is no second time.
    window.get_by_label("Restore the backup…").click();
    window.run();
    assert_eq!(*choice.lock().unwrap(), Choice::Quit);
    window.get_by_label_contains("What came later is missing.");
    window.snapshot("start_failed_restore");
    window.get_by_label("Restore it").click();
    window.run();
    assert_eq!(*choice.lock().unwrap(), Choice::Restore);
    let (mut window, choice) = start_failed(Failure { can_go_on: true, ..failure });
    window.get_by_label("Your messages are damaged");
    window.get_by_label("Open anyway").click();
    window.run();
    assert_eq!(*choice.lock().unwrap(), Choice::TryAgain);
}
