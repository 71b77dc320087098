//! Time of a frame of the wire view with 10,000 messages: laid out and tessellated, not painted. Run:
//! `cargo bench --bench frames`.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement, not a part of the program")]

use std::cell::RefCell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use egui::{Event, Key, Modifiers, pos2, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use fanfare::inspect::Direction;
use fanfare::machine::Flow;
use fanfare::model::account::{Account, RegistrationState};
use fanfare::model::command::{Command, Notice};
use fanfare::model::snapshot::{Settings, Snapshot};
use fanfare::runtime::engine::{Legs, Wire, WireTap};
use fanfare::time::Timestamp;
use fanfare::ui::{App, CommandsFull, Options, Source};

const FRAMES: usize = 300;

fn main() {
    // `cargo test --benches` only checks that it runs.
    let is_trial = !std::env::args().any(|argument| argument == "--bench");
    let entries = if is_trial { 500 } else { 10_000 };
    let tap = WireTap::new();
    (0..entries).for_each(|number| pass(&tap, number));
    let mut window = Window::open(&tap);
    window.report("takes in what was there", |_window, _number| {});
    window.report("nothing new", |_window, _number| {});
    window.report("scrolls", |window, number| {
        let way = if number % 20 < 10 { 400.0 } else { -400.0 };
        window.harness.event(Event::PointerMoved(pos2(300.0, 400.0)));
        window.harness.event(Event::MouseWheel {
            unit: egui::MouseWheelUnit::Point,
            source: egui::MouseWheelSource::Trackpad,
            delta: vec2(0.0, way),
            phase: egui::TouchPhase::Move,
            modifiers: Modifiers::NONE,
        });
    });
    window.report("100 messages more in each frame", |window, number| {
        let first = entries + number as u64 * 100;
        (first..first + 100).for_each(|number| pass(&window.tap, number));
    });
}

fn pass(tap: &WireTap, number: u64) {
    let submission = number / 4;
    let (direction, start) = match number % 4 {
        0 => (Direction::Received, "MESSAGE sip:ann@domain.com SIP/2.0"),
        1 => (Direction::Sent, "SIP/2.0 202 Accepted"),
        2 => (Direction::Sent, "NOTIFY sip:james@domain.com SIP/2.0"),
        _ => (Direction::Received, "SIP/2.0 200 OK"),
    };
    let method = if number % 4 < 2 { "MESSAGE" } else { "NOTIFY" };
    let text = format!(
        "{start}\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK{number}\r\nMax-Forwards: 70\r\n\
         From: <sip:james{}@domain.com>;tag={submission}\r\nTo: <sip:ann@domain.com>\r\n\
         Call-ID: call-{submission}@192.0.2.1\r\nCSeq: 1 {method}\r\nSecondary-To: <sip:ben@domain.com>\r\n\
         Delivery-Report: each\r\nContent-Length: 10\r\n\r\n{number:010}",
        submission % 50
    );
    let flow = Flow::udp(([192, 0, 2, 1], 5060).into(), ([192, 0, 2, 9], 5060).into());
    tap.record(Timestamp::from_millis(number), direction, flow, &Bytes::from(text));
}

/// A source that has nothing but what passes on the wire.
struct Watched(RefCell<Arc<Snapshot>>, WireTap);

impl Source for Watched {
    fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.0.borrow())
    }
    fn notices(&self) -> Vec<Notice> {
        Vec::new()
    }
    fn send(&self, _command: Command) -> Result<(), CommandsFull> {
        Ok(())
    }
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_763_132_400_000)
    }
    fn wire(&self) -> Option<Wire> {
        Some(Wire { tap: self.1.clone(), legs: Legs::All })
    }
    fn has_ended(&self) -> bool {
        false
    }
    fn start_again(&mut self) -> Result<(), String> {
        Ok(())
    }
}

/// The window without a screen; what a screen reader would be told is made too.
struct Window {
    harness: Harness<'static, App>,
    tap: WireTap,
}

impl Window {
    fn open(tap: &WireTap) -> Self {
        let account = Account {
            address: "sip:james@domain.com".to_owned(),
            proxy: "udp:127.0.0.1:5060".to_owned(),
            worked: true,
            ..Account::default()
        };
        let snapshot = Snapshot {
            account: Some(Arc::new(account)),
            registration: RegistrationState::Connected,
            settings: Settings { testing: true, ..Settings::default() },
            ..Snapshot::default()
        };
        let source = Watched(RefCell::new(Arc::new(snapshot)), tap.clone());
        let mut harness = Harness::builder()
            .with_size([1100.0, 720.0])
            .build_eframe(|creation| App::new(&creation.egui_ctx, Box::new(source), Options::default()));
        harness.key_press_modifiers(Modifiers::COMMAND | Modifiers::SHIFT, Key::W);
        (0..5).for_each(|_| harness.step());
        harness.get_by_label("Everything").click();
        Self { harness, tap: tap.clone() }
    }

    fn draw(&mut self) -> Duration {
        let start = now();
        self.harness.step();
        let shapes = self.harness.output().shapes.clone();
        std::hint::black_box(self.harness.ctx.tessellate(shapes, 1.0));
        start.elapsed()
    }

    fn report(&mut self, what: &str, mut before: impl FnMut(&mut Self, usize)) {
        let mut times: Vec<Duration> = (0..FRAMES)
            .map(|number| {
                before(self, number);
                self.draw()
            })
            .collect();
        times.sort_unstable();
        let at = |percent: usize| {
            let index = (times.len() * percent).div_ceil(100).saturating_sub(1);
            times.get(index).copied().unwrap().as_secs_f64() * 1000.0
        };
        println!("{what}: median {:.2} ms, 99 % {:.2} ms, most {:.2} ms", at(50), at(99), at(100));
    }
}

#[expect(clippy::disallowed_methods, reason = "a measurement reads the clock")]
fn now() -> Instant {
    Instant::now()
}
