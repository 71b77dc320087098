//! The wire, for testers: the ladder of a message, the list of everything, and one message in full.

use std::time::Duration;

use bytes::Bytes;
use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use fanfare::injection::Mark;
use fanfare::inspect::Direction;
use fanfare::machine::Flow;
use fanfare::model::command::Command;
use fanfare::model::journal::DeliveryState::{Delivered, Failed};
use fanfare::model::journal::MessageId;
use fanfare::model::record::{RecordFormat, RecordRequest};
use fanfare::model::snapshot::{Settings, Theme};
use fanfare::runtime::engine::{Legs, Wire, WireTap};
use fanfare::time::Timestamp;
use fanfare::ui::App;

use crate::fake::{Fake, NOW, ago, own, people, press, says, type_into};
use crate::gallery::{LARGE, SMALL};

/// A message as the proxy saw it.
fn pass(tap: &WireTap, after: u64, direction: Direction, port: u16, text: &str) {
    let flow = Flow::udp(([192, 0, 2, 9], 5060).into(), ([192, 0, 2, 1], port).into());
    let at = Timestamp::from_millis(NOW - 60_000 + after);
    tap.record(at, direction, flow, &Bytes::from(text.replace('\n', "\r\n")));
}

fn request(method: &str, to: &str, call_id: &str, more: &str) -> String {
    format!(
        "{method} sip:{to}@example.com SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK{call_id}{method}\n\
         Max-Forwards: 70\nFrom: <sip:james@example.com>;tag={call_id}\nTo: <sip:{to}@example.com>\n\
         Call-ID: {call_id}\nCSeq: 1 {method}\n{more}Content-Length: 5\n\nLunch"
    )
}

fn answer(request: &str, status: &str) -> String {
    let copied = ["Via:", "From:", "To:", "Call-ID:", "CSeq:"];
    let fields: Vec<_> =
        request.lines().filter(|line| copied.iter().any(|name| line.starts_with(name))).collect();
    format!("SIP/2.0 {status}\n{}\nContent-Length: 0\n\n", fields.join("\n"))
}

/// A message to Ann, who is silent at first, and to Ben, who is busy.
pub(crate) fn story(tap: &WireTap) {
    let sent =
        request("MESSAGE", "ann.lee", "call-5@192.0.2.1", "Secondary-To: <sip:ben.okafor@example.com>\n");
    let (ann, ben) = (request("MESSAGE", "ann.lee", "a1", ""), request("MESSAGE", "ben.okafor", "b1", ""));
    pass(tap, 0, Direction::Received, 40_000, &sent);
    pass(tap, 2, Direction::Sent, 40_000, &answer(&sent, "202 Accepted"));
    pass(tap, 3, Direction::Sent, 5071, &ann);
    pass(tap, 3, Direction::Sent, 5072, &ben);
    pass(tap, 20, Direction::Received, 5072, &answer(&ben, "486 Busy Here"));
    pass(tap, 503, Direction::Sent, 5071, &ann);
    pass(tap, 520, Direction::Received, 5071, &answer(&ann, "200 OK"));
    pass(tap, 600, Direction::Received, 5073, "NOT SIP AT ALL\u{202e}\n\n");
}

pub(crate) fn testing(legs: Legs) -> (Fake, WireTap) {
    let (fake, tap) = (Fake::new(), WireTap::new());
    let crew = people(&["Ann Lee", "Ben Okafor"]);
    let message = own(5, ago(1), "Lunch", &[(&crew[0], Delivered), (&crew[1], Failed)]);
    fake.converse(1, &crew, vec![message], 0);
    fake.change(|inner| {
        inner.wire = Some(Wire { tap: tap.clone(), legs });
        inner.snapshot.settings.testing = true;
    });
    (fake, tap)
}

/// The window with the message chosen and the wire beside it.
fn opened(fake: &Fake, size: [f32; 2]) -> Harness<'static, App> {
    let mut window = fake.window(size);
    press(&mut window, Modifiers::ALT, Key::ArrowDown);
    if size == SMALL {
        click(&mut window, "Show delivery");
    }
    window.get_by_role_and_label(Role::Tab, "Wire").click();
    window.run();
    window
}

fn click(window: &mut Harness<'static, App>, label: &str) {
    window.get_by_label(label).click();
    window.run();
}

#[test]
fn the_ladder_shows_what_passed_for_the_chosen_message_and_each_message_in_full() {
    let (fake, tap) = testing(Legs::All);
    story(&tap);
    let mut window = opened(&fake, LARGE);
    window.get_by_label("0.000 s MESSAGE, from james@example.com to proxy");
    window.get_by_label("0.002 s 202 Accepted, from proxy to james@example.com");
    window.get_by_label("0.020 s 486 Busy Here, from ben.okafor@example.com to proxy");
    let twice = "0.003 s MESSAGE ×2, from proxy to ann.lee@example.com";
    click(&mut window, twice);
    window.get_by_label("0.503 s MESSAGE (transmission 2), from proxy to ann.lee@example.com");
    assert!(says(&window, "MESSAGE sip:ann.lee@example.com SIP/2.0\nVia: SIP/2.0/UDP"), "in full");
    click(&mut window, "Fields");
    assert!(says(&window, "Both readers agree."));
    window.get_all_by_label("<sip:ann.lee@example.com>").next().unwrap();
    // A second click puts the message away, and the retransmissions too.
    click(&mut window, "0.003 s MESSAGE, from proxy to ann.lee@example.com");
    assert!(!says(&window, "Both readers agree."));
    window.get_by_label(twice);
}

/// The story on a path with faults: the first leg to Ann and Ben's answer are lost, hers is late.
fn faulty_story(tap: &WireTap) {
    let whole = WireTap::new();
    story(&whole);
    let late = Mark::Arrived { late: Duration::from_millis(250), is_double: false, tampering: None };
    for (place, entry) in whole.since(0).entries.into_iter().enumerate() {
        let mark = match place {
            2 | 4 => Some(Mark::Lost),
            6 => Some(late),
            _ => None,
        };
        tap.record_marked(entry.at, entry.direction, entry.flow, &entry.bytes, mark);
    }
}

#[test]
fn what_a_fault_did_to_a_message_is_said_in_the_ladder_in_the_list_and_beside_the_message() {
    let (fake, tap) = testing(Legs::All);
    faulty_story(&tap);
    let mut window = opened(&fake, LARGE);
    window.get_by_label("0.003 s MESSAGE ×2, 1 of 2 lost, from proxy to ann.lee@example.com");
    window.get_by_label("0.520 s 200 OK, 0.3 s late, from ann.lee@example.com to proxy");
    click(&mut window, "0.020 s 486 Busy Here, lost, from ben.okafor@example.com to proxy");
    assert!(says(&window, "What a fault did: lost"));
    window.snapshot("wire_faults_light");
    let mut window = opened(&fake, LARGE);
    click(&mut window, "Everything");
    window.get_by_label_contains("received 486 Busy Here to MESSAGE, lost, from ");
}

#[test]
fn the_list_has_everything_and_is_filtered_by_words_and_ways() {
    let (fake, tap) = testing(Legs::All);
    story(&tap);
    let mut window = opened(&fake, LARGE);
    click(&mut window, "Everything");
    assert!(says(&window, "8 messages"));
    type_into(&mut window, "Filter", "4xx ben");
    assert!(says(&window, "1 of 8 messages"));
    let mut window = opened(&fake, LARGE);
    click(&mut window, "Everything");
    click(&mut window, "Received");
    assert!(says(&window, "4 of 8 messages"));
    click(&mut window, "Both ways");
    let choose = |window: &mut Harness<'static, App>, person: &str| {
        window.get_by_role(Role::ComboBox).click();
        window.run();
        click(window, person);
    };
    choose(&mut window, "ben.okafor@example.com");
    assert!(says(&window, "2 of 8 messages"), "the leg to Ben and his answer");
    choose(&mut window, "Anybody");
    click(&mut window, "Received");
    click(&mut window, "Pause");
    pass(&tap, 900, Direction::Received, 5074, &request("OPTIONS", "ann.lee", "o1", ""));
    window.run();
    assert!(says(&window, "4 of 8 messages"), "nothing new while paused");
    click(&mut window, "Continue");
    assert!(says(&window, "5 of 9 messages"));
    click(&mut window, "14:59:00.600 received not readable, from  to ");
    click(&mut window, "Fields");
    assert!(says(&window, "Fanfare cannot read it"), "and says why");
    click(&mut window, "Clear");
    assert!(says(&window, "0 messages"));
}

#[test]
fn at_the_client_it_says_what_it_cannot_see() {
    let (fake, _tap) = testing(Legs::Unseen);
    let window = opened(&fake, LARGE);
    assert!(says(&window, "the proxy's messages to the recipients do not pass here"));
    assert!(says(&window, "Nothing was recorded for this message, or it has been dropped since."));
}

#[test]
fn outside_of_testing_mode_there_is_no_wire_and_the_key_says_where_to_switch_it_on() {
    let (fake, tap) = testing(Legs::All);
    fake.change(|inner| inner.snapshot.settings.testing = false);
    let mut window = fake.window(LARGE);
    press(&mut window, Modifiers::ALT, Key::ArrowDown);
    assert!(window.query_by_role_and_label(Role::Tab, "Wire").is_none());
    press(&mut window, Modifiers::COMMAND | Modifiers::SHIFT, Key::W);
    assert!(says(&window, "Switch testing mode on in the settings"));
    story(&tap);
    window.run();
    press(&mut window, Modifiers::COMMAND, Key::Comma);
    window.get_by_label("Testing mode").scroll_to_me();
    window.run();
    click(&mut window, "Testing mode");
    let put = |command: &Command| matches!(command, Command::PutSettings(Settings { testing: true, .. }));
    assert!(fake.asked().iter().any(put));
}

#[test]
fn it_has_a_window_of_its_own() {
    let (fake, tap) = testing(Legs::All);
    story(&tap);
    let mut window = opened(&fake, LARGE);
    click(&mut window, "Own window");
    assert!(says(&window, "It is shown in a window of its own."));
    window.get_by_label("0.000 s MESSAGE, from james@example.com to proxy");
    press(&mut window, Modifiers::NONE, Key::Escape);
    assert!(!says(&window, "It is shown in a window of its own."));
}

#[test]
fn the_delivery_record_is_saved_from_the_menu_of_the_message_with_what_passed_on_the_wire() {
    let (fake, tap) = testing(Legs::All);
    story(&tap);
    let mut window = opened(&fake, LARGE);
    let message = "Message to 2 people, 1 delivered, 1 not delivered";
    window.get_by_label(message).click_secondary();
    window.run();
    click(&mut window, "Save delivery record…");
    click(&mut window, "JSON");
    assert!(says(&window, "One object for programs."));
    window.snapshot("record_light");
    click(&mut window, "Save in Downloads");
    let request = RecordRequest { message: MessageId(5), format: RecordFormat::Json, with_capture: true };
    let saved = |command: &Command| matches!(command, Command::SaveRecord(asked) if *asked == request);
    assert!(fake.asked().iter().any(saved));
    window.run();
    window.get_by_label_contains("Saved as /downloads/delivery-record-5.json");
}

/// Takes a picture in the theme that its name ends with.
fn picture(name: &str, first: &[&str]) {
    picture_in(LARGE, name, first);
}

fn picture_in(size: [f32; 2], name: &str, first: &[&str]) {
    let (fake, tap) = testing(Legs::All);
    fake.change(|inner| {
        inner.snapshot.settings.theme = if name.ends_with("dark") { Theme::Dark } else { Theme::Light };
    });
    story(&tap);
    let mut window = opened(&fake, size);
    first.iter().for_each(|label| click(&mut window, label));
    window.snapshot(name);
}

const LADDER: &[&str] = &["0.000 s MESSAGE, from james@example.com to proxy"];
const LIST: &[&str] =
    &["Everything", "14:59:00.000 received MESSAGE, from james@example.com to ann.lee@example.com", "Fields"];

#[test]
fn picture_of_the_ladder_in_light() {
    picture("wire_ladder_light", LADDER);
}

#[test]
fn picture_of_the_ladder_in_dark() {
    picture("wire_ladder_dark", LADDER);
}

#[test]
fn picture_of_the_list_in_light() {
    picture("wire_list_light", LIST);
}

#[test]
fn picture_of_the_list_in_dark() {
    picture("wire_list_dark", LIST);
}

#[test]
fn picture_of_the_ladder_in_a_small_dark_window() {
    picture_in(SMALL, "wire_ladder_small_dark", &[]);
}

#[test]
fn picture_of_a_message_in_a_small_window() {
    picture_in(SMALL, "wire_message_small_light", LADDER);
}

#[test]
fn picture_of_retransmissions_one_by_one() {
    let folded = "0.003 s MESSAGE ×2, from proxy to ann.lee@example.com";
    picture("wire_unfolded_light", &[folded]);
}

#[test]
fn picture_of_a_message_that_the_two_readers_read_differently() {
    let (fake, tap) = testing(Legs::All);
    // A method is what its letters are; rsip makes capitals of them.
    pass(&tap, 0, Direction::Received, 40_000, &request("Message", "ann.lee", "call-9@192.0.2.1", ""));
    let mut window = opened(&fake, LARGE);
    let line = "14:59:00.000 received Message, from james@example.com to ann.lee@example.com";
    ["Everything", line, "Fields"].iter().for_each(|label| click(&mut window, label));
    assert!(!says(&window, "Both readers agree."));
    window.snapshot("wire_differs_light");
}

#[test]
fn picture_of_a_message_that_was_not_watched() {
    let (fake, _tap) = testing(Legs::Unseen);
    let mut window = opened(&fake, LARGE);
    window.snapshot("wire_not_watched_light");
}
