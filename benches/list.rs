//! Time of a frame of the whole window over a conversation of 100,000 messages (median, 99 of 100, longest): at rest,
//! scrolled, flung, with one more message in each frame, with another width in each frame. Then the field `To:` with
//! 20,000 contacts. Run: `cargo bench --bench list`.

#![expect(
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a measurement, not a part of the program"
)]

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{BatchSize, Criterion, criterion_group};
use fanfare::model::command::{Command, Notice};
use fanfare::model::contacts::{AddressBook, Contact};
use fanfare::model::journal::{ConversationId, DeliveryState, MessageId, Way};
use fanfare::model::names::Names;
use fanfare::model::snapshot::{
    ConversationHead, DeliveryView, MessageView, Outline, Person, Snapshot, Tally, Thread,
};
use fanfare::runtime::engine::Wire;
use fanfare::time::Timestamp;
use fanfare::ui::{App, CommandsFull, Options, Source};

const MESSAGES: u64 = 100_000;
const NOW: u64 = 1_763_132_400_000;
const WORDS: [&str; 12] = [
    "hello",
    "the",
    "meeting",
    "Straße",
    "naïve",
    "delivery",
    "sip:alice@example.org",
    "tomorrow",
    "we",
    "shall",
    "привет",
    "κόσμε",
];

#[derive(Clone, Default)]
struct Archive(Rc<RefCell<Arc<Snapshot>>>);

impl Source for Archive {
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
        Timestamp::from_millis(NOW)
    }

    fn wire(&self) -> Option<Wire> {
        None
    }
}

fn person(name: &str) -> Person {
    Person { address: format!("sip:{name}@example.com"), name: name.to_owned(), simulated: false }
}

fn message(id: u64, people: &[Person]) -> Arc<MessageView> {
    let mut chance = id.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    let length = [4, 9, 14, 40, 120][usize::try_from(chance >> 61).unwrap_or(0).min(4)];
    let words: Vec<&str> = (0..length)
        .map(|_| {
            chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            WORDS[usize::try_from(chance >> 33).unwrap_or(0) % WORDS.len()]
        })
        .collect();
    let at = Timestamp::from_millis(NOW + id * 40_000 - MESSAGES * 40_000);
    let mine = id.is_multiple_of(2);
    let delivery = |(index, person): (usize, &Person)| DeliveryView {
        person: person.clone(),
        state: if (id + index as u64).is_multiple_of(12) {
            DeliveryState::Failed
        } else {
            DeliveryState::Delivered
        },
        status: Some(200),
        phrase: "OK".into(),
        at,
        after: Some(Duration::from_millis(400)),
        attempt: 1,
    };
    let deliveries: Vec<DeliveryView> =
        if mine { people.iter().enumerate().map(delivery).collect() } else { Vec::new() };
    Arc::new(MessageView {
        verified: true,
        id: MessageId(id),
        at,
        sent_at: None,
        from: (!mine).then(|| people[usize::try_from(id % 5).unwrap_or(0)].clone()),
        text: words.join(" "),
        files: Vec::new(),
        attempts: 1,
        call_ids: Vec::new(),
        way: Way::FanOut,
        tally: Tally::of(deliveries.iter().map(|delivery| delivery.state)),
        deliveries,
    })
}

fn outline_of(message: &MessageView) -> Outline {
    Outline {
        id: message.id,
        chars: u32::try_from(message.text.chars().count()).unwrap_or(0),
        newlines: 0,
        recipients: u32::try_from(message.deliveries.len()).unwrap_or(0),
    }
}

fn archive(count: u64) -> Snapshot {
    let people: Vec<Person> = ["Ann", "Ben", "Cy", "Dana", "Eli"].map(person).to_vec();
    let messages: Vec<Arc<MessageView>> =
        (MESSAGES - count + 1..=MESSAGES).map(|id| message(id, &people)).collect();
    let outline = messages.iter().map(|message| outline_of(message));
    let head = ConversationHead {
        id: ConversationId(1),
        newest: messages.last().map_or(MessageId(0), |message| message.id),
        people: people.clone().into(),
        hidden: false,
        preview: "hello".into(),
        at: Timestamp::from_millis(NOW),
        last: None,
        verified: true,
        unread: 0,
        failed: 0,
        failed_unseen: 0,
        failed_messages: 0,
        failed_latest: 0,
        failed_at: None,
    };
    let account = fanfare::model::account::Account {
        address: "sip:james@example.com".to_owned(),
        name: "James".to_owned(),
        proxy: "udp:192.0.2.1:5060".to_owned(),
        ..fanfare::model::account::Account::default()
    };
    let thread = Thread {
        conversation: ConversationId(1),
        people: people.into(),
        hidden: false,
        outline: outline.collect(),
        first: 0,
        messages: messages.into(),
        unread_from: None,
    };
    Snapshot {
        account: Some(Arc::new(account)),
        conversations: vec![head].into(),
        thread: Some(Arc::new(thread)),
        ..Snapshot::default()
    }
}

/// The window without a screen: laid out and tessellated, not painted.
struct Window {
    ctx: egui::Context,
    app: App,
    shown: Archive,
    width: f32,
    frames: u32,
}

impl Window {
    fn open(snapshot: &Snapshot) -> Self {
        let ctx = egui::Context::default();
        let archive = Archive(Rc::new(RefCell::new(Arc::new(snapshot.clone()))));
        let app = App::new(&ctx, Box::new(archive.clone()), Options::default());
        let mut window = Self { ctx, app, shown: archive, width: 1100.0, frames: 0 };
        window.frame(&[key(egui::Key::ArrowDown, egui::Modifiers::ALT)]);
        (0..8).for_each(|_| window.frame(&[]));
        window
    }

    /// One more message at the end of the conversation, as the engine would publish it.
    fn take_in(&self, id: u64) {
        let mut snapshot = Snapshot::clone(&self.shown.0.borrow());
        if let Some(thread) = &snapshot.thread {
            let one = message(MESSAGES + id, &thread.people);
            let outline = thread.outline.iter().copied().chain([outline_of(&one)]).collect();
            let messages = thread.messages.iter().cloned().chain([one]).collect();
            let thread = Thread { outline, messages, ..Thread::clone(thread) };
            snapshot.thread = Some(Arc::new(thread));
        }
        self.shown.0.replace(Arc::new(snapshot));
    }

    fn frame(&mut self, events: &[egui::Event]) {
        self.frames += 1;
        let input = egui::RawInput {
            screen_rect: Some(egui::Rect::from_min_size(egui::Pos2::ZERO, egui::vec2(self.width, 720.0))),
            time: Some(f64::from(self.frames) / 60.0),
            events: std::iter::once(egui::Event::PointerMoved(egui::pos2(500.0, 300.0)))
                .chain(events.iter().cloned())
                .collect(),
            ..Default::default()
        };
        let app = &mut self.app;
        let output = self.ctx.run_ui(input, |ui| {
            app.update(ui.ctx());
            app.draw(ui);
        });
        let pixels = output.pixels_per_point;
        let shapes = output.shapes.clone();
        output.drop_without_applying_deltas();
        std::hint::black_box(self.ctx.tessellate(shapes, pixels));
    }
}

fn key(key: egui::Key, modifiers: egui::Modifiers) -> egui::Event {
    egui::Event::Key { key, physical_key: None, pressed: true, repeat: false, modifiers }
}

fn wheel(points: f32) -> egui::Event {
    egui::Event::MouseWheel {
        unit: egui::MouseWheelUnit::Point,
        source: egui::MouseWheelSource::Trackpad,
        delta: egui::vec2(0.0, points),
        phase: egui::TouchPhase::Move,
        modifiers: egui::Modifiers::NONE,
    }
}

fn main() {
    // `cargo test --benches` only checks that it runs.
    let is_trial = !std::env::args().any(|argument| argument == "--bench");
    let (count, frames) = if is_trial { (2000, 3) } else { (MESSAGES, 1000) };
    frames_of(count, frames);
    pasting_group();
    Criterion::default().configure_from_args().final_summary();
}

fn frames_of(count: u64, frames: u64) {
    let mut window = Window::open(&archive(count));
    let measure =
        |what: &str, window: &mut Window, prepare: &dyn Fn(&mut Window, u64) -> Vec<egui::Event>| {
            let timed = |number| {
                let events = prepare(window, number);
                let start = now();
                window.frame(&events);
                start.elapsed()
            };
            let mut times: Vec<Duration> = (0..frames).map(timed).collect();
            times.sort_unstable();
            let at = |percent: usize| {
                times[(times.len() * percent).div_ceil(100).saturating_sub(1)].as_secs_f64() * 1000.0
            };
            println!(
                "{count} messages, {what}: median {:.2} ms, 99 % {:.2} ms, longest {:.2} ms",
                at(50),
                at(99),
                at(100)
            );
        };
    measure("at rest", &mut window, &|_, _| Vec::new());
    measure("one more message in each frame", &mut window, &|window, number| {
        window.take_in(count + number + 1);
        Vec::new()
    });
    // Up for 400 frames, and down again for 100.
    let way = |number: u64| if number % 500 < 400 { 1.0 } else { -1.0 };
    measure("scrolled by 40 points", &mut window, &|_, number| vec![wheel(40.0 * way(number))]);
    measure("flung by 4000 points", &mut window, &|_, number| vec![wheel(4000.0 * way(number))]);
    measure("another width in each frame", &mut window, &|window, number| {
        window.width = if number.is_multiple_of(2) { 1100.0 } else { 1000.0 };
        Vec::new()
    });
}

/// A window in which a new message is written, with this many contacts.
fn address_book(contacts: u32) -> Snapshot {
    let contact = |number: u32| Contact {
        address: format!("sip:person{number}@example.com"),
        name: format!("Person {number}"),
        simulated: false,
    };
    let book = AddressBook {
        contacts: (0..contacts).map(contact).collect(),
        lists: Vec::new(),
        ..AddressBook::default()
    };
    Snapshot { names: Arc::new(Names::of(&book)), book: Arc::new(book), thread: None, ..archive(300) }
}

fn pasting(criterion: &mut Criterion) {
    let snapshot = address_book(20_000);
    let addresses: Vec<String> =
        (0..500).map(|number| format!("person{}@example.com", number * 39)).collect();
    let paste = egui::Event::Paste(addresses.join(", "));
    let mut group = criterion.benchmark_group("20,000 contacts, one frame of the window");
    let writing = || {
        let mut window = Window::open(&snapshot);
        window.frame(&[key(egui::Key::N, egui::Modifiers::COMMAND)]);
        (0..4).for_each(|_| window.frame(&[]));
        window
    };
    group.bench_function("500 addresses pasted", |bencher| {
        bencher.iter_batched_ref(
            writing,
            |window| window.frame(std::slice::from_ref(&paste)),
            BatchSize::PerIteration,
        );
    });
    group.bench_function("with 500 recipients, at rest", |bencher| {
        let mut window = writing();
        window.frame(std::slice::from_ref(&paste));
        bencher.iter(|| window.frame(&[]));
    });
    group.bench_function("names read anew, on the engine's thread", |bencher| {
        bencher.iter(|| Names::of(&snapshot.book));
    });
    group.finish();
}

criterion_group!(pasting_group, pasting);

#[expect(clippy::disallowed_methods, reason = "a measurement reads the clock")]
fn now() -> Instant {
    Instant::now()
}
