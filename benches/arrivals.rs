//! Cost of what arrives at the client: CPU time by thread while 1,500 messages come from 300 people, and while reports
//! on a message to 500 people come, 100 a second each.
//!
//! The engine with its store on the disk is the real one; the window is laid out and tessellated each time it is woken,
//! but not painted. Server and senders are on the main thread, which does not count. Run:
//! `cargo bench --bench arrivals`.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement, not a part of the program")]

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use fanfare::config::passwords::Keyring;
use fanfare::model::account::Account;
use fanfare::model::command::{AgentCommand, Command, Draft, Notice};
use fanfare::model::journal::PersonRow;
use fanfare::model::snapshot::Snapshot;
use fanfare::runtime::engine::{Engine, EngineOptions, Wire};
use fanfare::sip::{ReportMode, ReportOptions};
use fanfare::time::Timestamp;
use fanfare::ui::{App, CommandsFull, Options, Source};

const PER_SECOND: u32 = 100;
const SENDERS: u32 = 300;
const RECIPIENTS: u32 = 500;
/// Longest wait for anything that is expected.
const PATIENCE: Duration = Duration::from_secs(20);

fn main() {
    // `cargo test --benches` only checks that it runs.
    let is_trial = !std::env::args().any(|argument| argument == "--bench");
    messages(if is_trial { 20 } else { 1500 });
    reports(if is_trial { 20 } else { RECIPIENTS });
}

fn messages(count: u32) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let server = socket.local_addr().unwrap();
    let desktop = Desktop::open(&format!("udp:{server}"));
    let mut line = Line::Datagrams(socket);
    let contact = register(&mut line);
    let message = |number: u32| {
        let body = format!("Message number {number}: the quick brown fox jumps over the lazy dog.");
        format!(
            "MESSAGE {contact} SIP/2.0\r\nVia: SIP/2.0/UDP {server};branch=z9hG4bKm{number}\r\nMax-Forwards: 70\r\n\
             From: <sip:user{}@domain.com>;tag={number}\r\nTo: <sip:james@domain.com>\r\nCall-ID: m{number}\r\n\
             CSeq: 1 MESSAGE\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n{body}",
            number % SENDERS,
            body.len()
        )
    };
    line.send(&message(0));
    line.wait_for("SIP/2.0 200 ");
    desktop.open_the_first();
    measure(&desktop, &format!("{count} messages from {SENDERS} people"), || {
        stream(&mut line, count, |number| message(number + 1));
    });
}

fn reports(count: u32) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = listener.local_addr().unwrap();
    let desktop = Desktop::open(&format!("tcp:{server}"));
    let mut line = Line::stream(listener.accept().unwrap());
    let contact = register(&mut line);
    let to = (0..RECIPIENTS).map(|number| PersonRow { address: recipient(number), name: String::new() });
    desktop.ask(Command::Agent(AgentCommand::Send(Draft {
        to: to.collect(),
        text: "Dinner is at eight.".to_owned(),
        files: Vec::new(),
        hidden: false,
        report: ReportOptions { mode: ReportMode::Each, ..ReportOptions::default() },
    })));
    let submission = line.wait_for("MESSAGE ");
    line.send(&answer(&submission, "202 Accepted", ";tag=server", "Supported: secondary-to\r\n"));
    desktop.open_the_first();
    let tag = field(&submission, "From").split_once(";tag=").unwrap().1;
    let report = |number: u32| {
        let body =
            format!("{} delivery success;status=200;reason=\"OK\";tries=1;after=12\n", recipient(number));
        format!(
            "NOTIFY {contact} SIP/2.0\r\nVia: SIP/2.0/TCP {server};branch=z9hG4bKn{number}\r\nMax-Forwards: 70\r\n\
             From: <sip:domain.com>;tag=server\r\nTo: <sip:james@domain.com>;tag={tag}\r\nCall-ID: {}\r\n\
             CSeq: {} NOTIFY\r\nContact: <sip:{server};transport=tcp>\r\nEvent: delivery-report\r\n\
             Subscription-State: active;expires=600\r\nContent-Type: application/delivery-report\r\n\
             Content-Length: {}\r\n\r\n{body}",
            field(&submission, "Call-ID"),
            number + 1,
            body.len()
        )
    };
    measure(&desktop, &format!("{count} reports on a message to {RECIPIENTS} people"), || {
        stream(&mut line, count, report);
    });
    let thread = desktop.engine.snapshot().thread.clone().unwrap();
    let arrived = thread.messages.first().unwrap().tally.delivered;
    assert_eq!(arrived, count, "the window shows who has it");
}

fn recipient(number: u32) -> String {
    format!("sip:recipient{number}@domain.com")
}

/// Sends at a steady rate, and waits until all are answered.
fn stream(line: &mut Line, count: u32, request: impl Fn(u32) -> String) {
    let (start, mut answered) = (now(), 0);
    for number in 0..count {
        line.send(&request(number));
        let due = start + Duration::from_secs(1) * (number + 1) / PER_SECOND;
        while let Some(text) = line.receive(due) {
            answered += u32::from(text.starts_with("SIP/2.0 200 "));
        }
    }
    while answered < count {
        let text = line.receive(now() + PATIENCE).unwrap();
        answered += u32::from(text.starts_with("SIP/2.0 200 "));
    }
}

/// Prints what each thread takes while this runs, and until a second later.
fn measure(desktop: &Desktop, what: &str, run: impl FnOnce()) {
    std::thread::sleep(Duration::from_secs(1));
    let (before, frames, start) = (cpu_by_thread(), desktop.frames(), now());
    run();
    std::thread::sleep(Duration::from_secs(1));
    let wall = start.elapsed().as_secs_f64();
    let mut used: BTreeMap<String, f64> = BTreeMap::new();
    for (thread, secs) in cpu_by_thread() {
        *used.entry(thread.0.clone()).or_default() += secs - before.get(&thread).copied().unwrap_or_default();
    }
    used.retain(|_, secs| *secs > 0.0005);
    let all: f64 = used.values().sum();
    let by_thread: Vec<_> = used.iter().map(|(name, secs)| format!("{name} {secs:.3}")).collect();
    println!(
        "{what}: {all:.3} s of CPU, {:.1} % of a core ({}); {} frames in {wall:.1} s",
        all * 100.0 / wall,
        by_thread.join(", "),
        desktop.frames() - frames
    );
}

/// The engine, and a window on a thread of its own.
struct Desktop {
    engine: Arc<Engine>,
    wake: SyncSender<Vec<egui::Event>>,
    frames: Arc<AtomicU32>,
    _folder: tempfile::TempDir,
}

impl Desktop {
    fn open(proxy: &str) -> Self {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        // One wake that waits is enough; the rest is for key presses.
        let (wake, woken) = sync_channel(8);
        let waking = wake.clone();
        let engine = Engine::start(EngineOptions {
            settings: None,
            keyring: Keyring::Unused,
            data: Some(folder.path().to_owned()),
            account: Some(Account {
                address: "sip:james@domain.com".to_owned(),
                proxy: proxy.to_owned(),
                ..Account::default()
            }),
            book: None,
            demo: false,
            wire: None,
            wake: Box::new(move || drop(waking.try_send(Vec::new()))),
        });
        let engine = Arc::new(engine.unwrap());
        let frames = Arc::new(AtomicU32::new(0));
        let (source, counted) = (Shared(Arc::clone(&engine)), Arc::clone(&frames));
        let draw = move || draw_when_woken(source, &woken, &counted);
        std::thread::Builder::new().name("window".to_owned()).spawn(draw).unwrap();
        Self { engine, wake, frames, _folder: folder }
    }

    fn ask(&self, command: Command) {
        self.engine.send(command).unwrap();
    }

    fn frames(&self) -> u32 {
        self.frames.load(Ordering::Relaxed)
    }

    /// Opens the conversation on top of the list by its keyboard shortcut, and waits until its messages are there.
    fn open_the_first(&self) {
        let end = now() + PATIENCE;
        while self.engine.snapshot().thread.as_ref().is_none_or(|thread| thread.messages.is_empty()) {
            assert!(now() < end, "no conversation opens");
            std::thread::sleep(Duration::from_millis(100));
            let modifiers = egui::Modifiers::ALT;
            let key = egui::Key::ArrowDown;
            let event = egui::Event::Key { key, physical_key: None, pressed: true, repeat: false, modifiers };
            self.wake.send(vec![event]).unwrap();
        }
    }
}

impl Drop for Desktop {
    fn drop(&mut self) {
        drop(self.engine.send(Command::Quit));
    }
}

/// What the window reads from; the bench has a hand on it too.
struct Shared(Arc<Engine>);

impl Source for Shared {
    fn snapshot(&self) -> Arc<Snapshot> {
        self.0.snapshot()
    }
    fn notices(&self) -> Vec<Notice> {
        self.0.notices()
    }
    fn send(&self, command: Command) -> Result<(), CommandsFull> {
        self.0.send(command).map_err(|_full| CommandsFull)
    }
    fn now(&self) -> Timestamp {
        self.0.now()
    }

    fn wire(&self) -> Option<Wire> {
        None
    }
}

/// One frame for each time it is woken.
fn draw_when_woken(source: Shared, woken: &Receiver<Vec<egui::Event>>, frames: &AtomicU32) {
    let ctx = egui::Context::default();
    let mut app = App::new(&ctx, Box::new(source), Options::default());
    let start = now();
    while let Ok(events) = woken.recv() {
        let input = egui::RawInput {
            screen_rect: Some(egui::Rect::from_min_size(egui::Pos2::ZERO, egui::vec2(1280.0, 800.0))),
            time: Some(start.elapsed().as_secs_f64()),
            events,
            ..Default::default()
        };
        let output = ctx.run_ui(input, |ui| {
            app.update(ui.ctx());
            app.draw(ui);
        });
        let (pixels, shapes) = (output.pixels_per_point, output.shapes.clone());
        output.drop_without_applying_deltas();
        std::hint::black_box(ctx.tessellate(shapes, pixels));
        frames.fetch_add(1, Ordering::Relaxed);
    }
}

/// How the server reaches the client.
enum Line {
    Datagrams(UdpSocket),
    Stream(TcpStream, Vec<u8>),
}

impl Line {
    fn stream((stream, _): (TcpStream, SocketAddr)) -> Self {
        stream.set_nodelay(true).unwrap();
        Self::Stream(stream, Vec::new())
    }

    fn send(&mut self, text: &str) {
        match self {
            Self::Datagrams(socket) => drop(socket.send(text.as_bytes()).unwrap()),
            Self::Stream(stream, _) => stream.write_all(text.as_bytes()).unwrap(),
        }
    }

    /// The next message that comes before this time.
    fn receive(&mut self, until: Instant) -> Option<String> {
        let mut buffer = [0; 65_536];
        loop {
            let wait = until.saturating_duration_since(now()).max(Duration::from_micros(1));
            let read = match self {
                Self::Datagrams(socket) => {
                    socket.set_read_timeout(Some(wait)).unwrap();
                    let read = socket.recv_from(&mut buffer);
                    read.and_then(|(length, from)| socket.connect(from).map(|()| length))
                }
                Self::Stream(stream, held) => {
                    if let Some(length) = first_message(held) {
                        return Some(
                            String::from_utf8_lossy(&held.drain(..length).collect::<Vec<_>>()).into(),
                        );
                    }
                    stream.set_read_timeout(Some(wait)).unwrap();
                    stream.read(&mut buffer)
                }
            };
            let bytes = match read {
                Ok(length) => buffer.get(..length).unwrap_or_default(),
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    return None;
                }
                Err(error) => panic!("{error}"),
            };
            match self {
                Self::Datagrams(_) => return Some(String::from_utf8_lossy(bytes).into()),
                Self::Stream(_, held) => held.extend_from_slice(bytes),
            }
        }
    }

    fn wait_for(&mut self, start: &str) -> String {
        let end = now() + PATIENCE;
        loop {
            let text = self.receive(end).unwrap();
            if text.starts_with(start) {
                return text;
            }
        }
    }
}

/// The length of the first whole message.
fn first_message(held: &[u8]) -> Option<usize> {
    let text = String::from_utf8_lossy(held);
    let head = text.find("\r\n\r\n")? + 4;
    let length = head + field(&text, "Content-Length").parse::<usize>().unwrap();
    (held.len() >= length).then_some(length)
}

/// Answers the REGISTER, and returns the URI in its Contact.
fn register(line: &mut Line) -> String {
    let request = line.wait_for("REGISTER ");
    let contact = field(&request, "Contact");
    let fields = format!("Contact: {contact};expires=3600\r\nSupported: secondary-to\r\n");
    line.send(&answer(&request, "200 OK", ";tag=r", &fields));
    contact.split_once('<').unwrap().1.split_once('>').unwrap().0.to_owned()
}

fn field<'a>(text: &'a str, name: &str) -> &'a str {
    let value = |line: &'a str| line.strip_prefix(name)?.strip_prefix(": ");
    text.split("\r\n").find_map(value).unwrap()
}

fn answer(request: &str, status: &str, tag: &str, fields: &str) -> String {
    let copied = |name| format!("{name}: {}", field(request, name));
    let same = ["Via", "From", "Call-ID", "CSeq"].map(copied).join("\r\n");
    let to = field(request, "To");
    format!("SIP/2.0 {status}\r\n{same}\r\nTo: {to}{tag}\r\n{fields}Content-Length: 0\r\n\r\n")
}

/// Seconds on a processor of each thread but our own, by name and number (the first field of its schedstat, in
/// nanoseconds).
fn cpu_by_thread() -> BTreeMap<(String, String), f64> {
    let mut by_thread = BTreeMap::new();
    for task in std::fs::read_dir("/proc/self/task").unwrap() {
        let task = task.unwrap();
        let read = |name: &str| std::fs::read_to_string(task.path().join(name)).unwrap_or_default();
        let number = task.file_name().to_string_lossy().into_owned();
        if number != std::process::id().to_string() {
            let nanoseconds: f64 = read("schedstat").split(' ').next().unwrap().parse().unwrap_or_default();
            by_thread.insert((read("comm").trim().to_owned(), number), nanoseconds / 1e9);
        }
    }
    by_thread
}

#[expect(clippy::disallowed_methods, reason = "a measurement reads the clock")]
fn now() -> Instant {
    Instant::now()
}
