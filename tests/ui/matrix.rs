//! The matrix, and captures that are looked into.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use fanfare::inspect::WireMessage;
use fanfare::model::command::Command;
use fanfare::model::journal::DeliveryState::{Accepted, Deferred, Delivered, Failed, NoReport, PassedOn};
use fanfare::model::journal::{ConversationId, DeliveryState, MessageId};
use fanfare::model::matrix::{Matrix, MatrixCell, MatrixMessage, MatrixOrder, MatrixOutcome, MatrixSource};
use fanfare::model::snapshot::Theme;
use fanfare::runtime::engine::{Legs, Wire, WireTap, pcapng};
use fanfare::sip::Transport;
use fanfare::time::Timestamp;
use fanfare::ui::desktop::chooser::Chooser;
use fanfare::ui::{App, Options};
use jiff::tz::TimeZone;

use crate::fake::{Fake, NOW, ago, own, people, press, says};
use crate::gallery::{LARGE, SMALL};

const NAMES: [&str; 6] = ["Ann Lee", "Ben Okafor", "Cy Young", "Dana Weiss", "Eli Brandt", "Fay Moreau"];

/// What became of a message for somebody: Ann gets all, Ben none, the others something between.
fn state(person: usize, message: u64) -> DeliveryState {
    match (person, message % 5) {
        (1, _) | (3, 0 | 3) => Failed,
        (2, 2) => NoReport,
        (4, 4) => Deferred,
        (5, 1) => PassedOn,
        (5, 2) => Accepted,
        _ => Delivered,
    }
}

fn matrix() -> Matrix {
    let crew = people(&NAMES);
    let messages: Vec<_> = (1..=24_u64)
        .map(|number| {
            let outcomes = crew.iter().enumerate().filter(|(person, _)| *person != 5 || number > 8);
            let outcomes = outcomes.map(|(person, one)| {
                let state = state(person, number);
                let millis = 40 + person as u64 * 300 + number * 7 % 90;
                let took = (state == Delivered).then(|| Duration::from_millis(millis));
                let status = (state == Failed).then_some(486);
                let cell = MatrixCell { state, status, took };
                MatrixOutcome { address: one.address.clone(), name: one.name.clone(), cell }
            });
            MatrixMessage {
                source: MatrixSource::Message(ConversationId(1), MessageId(number)),
                at: Timestamp::from_millis(NOW - 3_600_000 + number * 60_000),
                outcomes: outcomes.collect(),
            }
        })
        .collect();
    Matrix::of(&messages, MatrixOrder::Worst)
}

/// The conversation with its messages, as if it had changed.
fn converse(fake: &Fake) {
    let crew = people(&NAMES);
    let messages = (1..=24_u64).map(|number| {
        let states: Vec<_> =
            crew.iter().enumerate().map(|(person, one)| (one, state(person, number))).collect();
        own(number, ago(60 - number), &format!("Message {number}"), &states)
    });
    fake.converse(1, &crew, messages.collect(), 0);
}

fn fake(theme: Theme) -> Fake {
    let fake = Fake::new();
    converse(&fake);
    fake.change(|inner| {
        inner.wire = Some(Wire { tap: WireTap::new(), legs: Legs::All });
        inner.snapshot.settings.testing = true;
        inner.snapshot.settings.theme = theme;
        inner.matrix = Some(Arc::new(matrix()));
    });
    fake
}

fn click(window: &mut Harness<'static, App>, label: &str) {
    window.get_by_label(label).click();
    window.run();
}

fn tab(window: &mut Harness<'static, App>, name: &str) {
    window.get_by_role_and_label(Role::Tab, name).click();
    window.run();
}

fn opened(fake: &Fake, size: [f32; 2]) -> Harness<'static, App> {
    let mut window = fake.window(size);
    press(&mut window, Modifiers::ALT, Key::ArrowDown);
    if size == SMALL {
        click(&mut window, "Show delivery");
    }
    tab(&mut window, "Matrix");
    window.run();
    window
}

#[test]
fn the_matrix_says_who_got_what_and_a_click_opens_that_report() {
    let fake = fake(Theme::Light);
    let mut window = opened(&fake, LARGE);
    window.get_by_label("Ben Okafor, reached 0 of 24, 24 not delivered");
    click(&mut window, "Cy Young, reached 19 of 24, 5 without report");
    assert!(says(&window, "Reached 19 of 24, 5 without report (79.1 %)"));
    assert!(says(&window, "Median 0.7 s, 95 of 100 within 0.7 s"));
    click(&mut window, "Dana Weiss, 14:20:00: Failed 486");
    assert!(window.query_by_label("Worst first").is_none(), "the delivery takes its place");
    assert!(says(&window, "2 of 6 not delivered"));
}

#[test]
fn nothing_is_counted_unless_the_matrix_is_shown_and_then_not_for_each_change() {
    let fake = fake(Theme::Light);
    let mut window = fake.window(LARGE);
    press(&mut window, Modifiers::ALT, Key::ArrowDown);
    let counted = |fake: &Fake| {
        let count = |command: &Command| matches!(command, Command::CountOutcomes(ConversationId(1)));
        fake.asked().iter().filter(|command| count(command)).count()
    };
    assert_eq!(counted(&fake), 0);
    tab(&mut window, "Matrix");
    assert_eq!(counted(&fake), 1);
    // A step of this window is a quarter of a second.
    for _ in 0..10 {
        converse(&fake);
        window.step();
    }
    let count = counted(&fake);
    assert!((1..=6).contains(&count), "{count}");
    tab(&mut window, "Delivery");
    window.run();
    counted(&fake);
    converse(&fake);
    window.run();
    assert_eq!(counted(&fake), 0, "it is not shown");
}

#[test]
fn the_matrix_is_sorted_and_exported_and_has_a_window_of_its_own() {
    let fake = fake(Theme::Light);
    let mut window = opened(&fake, LARGE);
    let top = |window: &Harness<'static, App>, name: &str| {
        window.get_by_label_contains(&format!("{name}, reached")).rect().top()
    };
    assert!(top(&window, "Ben Okafor") < top(&window, "Ann Lee"));
    click(&mut window, "By name");
    assert!(top(&window, "Ben Okafor") > top(&window, "Ann Lee"));
    click(&mut window, "Export CSV");
    let saved = fake
        .asked()
        .into_iter()
        .find_map(|command| if let Command::Save(file) = command { Some(file) } else { None });
    let file = saved.unwrap();
    assert_eq!(file.name.as_deref(), Some("delivery-matrix.csv"));
    assert!(file.bytes.starts_with(b"address,name,messages,reached,"));
    click(&mut window, "Own window");
    assert!(says(&window, "It is shown in a window of its own."));
    press(&mut window, Modifiers::NONE, Key::Escape);
    assert!(!says(&window, "It is shown in a window of its own."));
}

fn picture(name: &str, size: [f32; 2], theme: Theme) {
    let mut window = opened(&fake(theme), size);
    click(&mut window, "Dana Weiss, reached 15 of 24, 9 not delivered");
    window.snapshot(name);
}

#[test]
fn picture_of_the_matrix_in_light() {
    picture("matrix_light", LARGE, Theme::Light);
}

#[test]
fn picture_of_the_matrix_in_dark() {
    picture("matrix_dark", LARGE, Theme::Dark);
}

#[test]
fn picture_of_the_matrix_in_a_small_window() {
    picture("matrix_small_light", SMALL, Theme::Light);
}

#[test]
fn picture_of_the_matrix_in_a_small_dark_window() {
    picture("matrix_small_dark", SMALL, Theme::Dark);
}

/// A submission of somebody else to Ann, who is silent at first, and to Ben, who is busy, as a capture has it.
fn capture(path: &std::path::Path) {
    let request = |to: &str, call_id: &str, more: &str| {
        format!(
            "MESSAGE sip:{to}@example.com SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK{call_id}\r\n\
             Max-Forwards: 70\r\nFrom: <sip:otto@example.com>;tag={call_id}\r\nTo: <sip:{to}@example.com>\r\n\
             Call-ID: {call_id}\r\nCSeq: 1 MESSAGE\r\n{more}Content-Length: 5\r\n\r\nLunch"
        )
    };
    let answer = |request: &str, status: &str| {
        let copied = ["Via:", "From:", "To:", "Call-ID:", "CSeq:"];
        let fields: Vec<_> =
            request.lines().filter(|line| copied.iter().any(|name| line.starts_with(name))).collect();
        format!("SIP/2.0 {status}\r\n{}\r\nContent-Length: 0\r\n\r\n", fields.join("\r\n"))
    };
    let sent = request("ann", "c1@host", "Secondary-To: <sip:ben@example.com>\r\n");
    let (ann, ben) = (request("ann", "a1", ""), request("ben", "b1", ""));
    let trace = [
        (0, 1, 9, sent.clone()),
        (2, 9, 1, answer(&sent, "202 Accepted")),
        (3, 9, 2, ann.clone()),
        (3, 9, 3, ben.clone()),
        (20, 3, 9, answer(&ben, "486 Busy Here")),
        (503, 9, 2, ann.clone()),
        (520, 2, 9, answer(&ann, "200 OK")),
    ];
    let wire = trace.map(|(after, from, to, text)| WireMessage {
        at: Timestamp::from_millis(NOW - 60_000 + after),
        direction: None,
        from: ([192, 0, 2, from], 5060).into(),
        to: ([192, 0, 2, to], 5060).into(),
        transport: Transport::Udp,
        bytes: Bytes::from(text),
        mark: None,
    });
    std::fs::write(path, pcapng(&wire).unwrap()).unwrap();
}

/// Draws until the thread that works on a capture is done.
fn wait_until(window: &mut Harness<'static, App>, done: impl Fn(&Harness<'static, App>) -> bool) {
    for _ in 0..1000 {
        window.step();
        if done(window) {
            window.run();
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("it never came");
}

/// The window with the capture of this content opened.
fn looked_into(
    size: [f32; 2],
    theme: Theme,
    write: impl FnOnce(&std::path::Path),
) -> (Fake, Harness<'static, App>, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("theirs.pcapng");
    write(&path);
    let fake = fake(theme);
    let chooser = Some(Chooser(Arc::new(move |_| Some(vec![path.clone()]))));
    let options = Options { zone: Some(TimeZone::UTC), chooser, ..Options::default() };
    let mut window = fake.window_with(size, options);
    press(&mut window, Modifiers::ALT, Key::ArrowDown);
    if size == SMALL {
        click(&mut window, "Show delivery");
    }
    tab(&mut window, "Wire");
    window.get_by_label("Open capture…").click();
    (fake, window, folder)
}

const LINE: &str = "14:59:00.000 otto@example.com: 1 of 2 reached";

#[test]
fn a_capture_of_somebody_else_shows_its_submissions_its_ladder_its_outcomes_and_its_matrix() {
    let (fake, mut window, _folder) = looked_into(LARGE, Theme::Light, capture);
    wait_until(&mut window, |window| window.query_by_label(LINE).is_some());
    click(&mut window, LINE);
    window.get_by_label("0.003 s MESSAGE ×2, from proxy to ann@example.com");
    assert!(says(&window, "Failed, 486 Busy Here, after 17 ms (by the recipient's answer; no report seen)"));
    click(&mut window, "Its matrix");
    click(&mut window, "ben@example.com, 14:59:00: Failed 486 after 17 ms");
    window.get_by_label("0.000 s MESSAGE, from otto@example.com to proxy");
    click(&mut window, "All messages");
    assert!(says(&window, "7 messages"));
    fake.asked();
    click(&mut window, "Save capture…");
    wait_until(&mut window, |window| window.query_by_label_contains("Saved as /downloads/wire").is_some());
    let saved = fake
        .asked()
        .into_iter()
        .find_map(|command| if let Command::Save(file) = command { Some(file) } else { None });
    let read = fanfare::inspect::read_capture(saved.unwrap().bytes.as_ref()).unwrap();
    assert_eq!(read.messages.len(), 7);
    click(&mut window, "Close theirs.pcapng");
    window.get_by_label("This message");
}

#[test]
fn what_is_no_capture_is_told_and_what_passes_here_stays() {
    let (_fake, mut window, folder) =
        looked_into(LARGE, Theme::Light, |path| std::fs::write(path, "no capture").unwrap());
    let path = folder.path().join("theirs.pcapng");
    let words = format!("{} cannot be read: this is not a capture: neither pcapng nor pcap.", path.display());
    wait_until(&mut window, |window| says(window, &words));
    window.get_by_label("This message");
    window.get_by_label("Save capture…").click();
    wait_until(&mut window, |window| says(window, "There is nothing to save."));
}

#[test]
fn picture_of_a_capture_in_light() {
    let (_fake, mut window, _folder) = looked_into(LARGE, Theme::Light, capture);
    wait_until(&mut window, |window| window.query_by_label(LINE).is_some());
    click(&mut window, LINE);
    window.snapshot("capture_light");
}

#[test]
fn picture_of_a_capture_in_dark() {
    let (_fake, mut window, _folder) = looked_into(SMALL, Theme::Dark, capture);
    wait_until(&mut window, |window| window.query_by_label(LINE).is_some());
    window.snapshot("capture_small_dark");
}
