//! The real proxy with its store under ten times the load it can take: how much it accepts, what a refusal costs, how
//! much memory it needs, and when it has recovered.
//!
//! Senders, recipients and proxy share the cores, so rates are lower bounds; the ratios are what counts. Run: `cargo
//! bench --bench overload`.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement, not a part of the program")]

use std::collections::BTreeSet;
use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

#[path = "common/proxy.rs"]
mod proxy;

use proxy::{answer, cpu_secs, now, register, resident_kib, start_proxy, start_sink};

const RECIPIENTS: usize = 10;
/// Messages in progress while the capacity is measured.
const WINDOW: usize = 32;
/// Enough senders that no per-user limit causes the refusals.
const SENDERS: usize = 100;
/// Load offered, as a multiple of the capacity.
const TIMES: u32 = 10;

/// The answers so far.
#[derive(Debug, Default)]
struct Heard {
    accepted: BTreeSet<usize>,
    refused: BTreeSet<usize>,
    reported: BTreeSet<usize>,
    without_retry_after: usize,
    /// Acceptances in each second since the load started.
    by_second: Vec<usize>,
    start: Option<Instant>,
    last_accepted: Option<(usize, Instant)>,
}

/// The senders' shared socket: a separate thread counts the answers, and answers the reports.
struct Senders {
    socket: UdpSocket,
    proxy: SocketAddr,
    others: String,
    heard: Arc<(Mutex<Heard>, Condvar)>,
    stop: Arc<AtomicBool>,
    listener: Option<JoinHandle<()>>,
    sent: usize,
}

fn main() {
    // `cargo test --benches` only checks that it runs.
    let is_trial = !std::env::args().any(|argument| argument == "--bench");
    let (messages, seconds) = if is_trial { (50, 1) } else { (6000, 10) };
    let folder = tempfile::tempdir().unwrap();
    let (mut proxy, address) = start_proxy(&folder);
    let pid = proxy.id();
    let idle_kib = resident_kib(pid, "VmRSS:");
    let mut senders = Senders::to(address);

    let (rate, cpu_of_one) = capacity(&mut senders, pid, messages);
    println!(
        "capacity: {rate:.0} messages/s to {RECIPIENTS} people each, {:.3} ms CPU a message",
        cpu_of_one * 1e3
    );

    let (before, cpu_before, from) = (senders.counts(), cpu_secs(pid), senders.sent);
    let took = flood(&mut senders, rate * f64::from(TIMES), Duration::from_secs(seconds));
    let end = now();
    let offered = senders.sent - from;
    let until_normal = first_acceptance(&mut senders, end);
    senders.wait("reports", |heard| heard.reported.len() >= heard.accepted.len());
    let cpu = cpu_secs(pid) - cpu_before;
    let after = senders.counts();
    let (accepted, refused) = (after.0 - before.0, after.1 - before.1);
    let cpu_of_refusal = (cpu - number(accepted) * cpu_of_one) / number(refused.max(1));
    let peak_kib = resident_kib(pid, "VmHWM:");
    println!(
        "offered: {offered} messages in {:.1} s, {:.1} times as many as it can take; accepted {accepted} ({:.0}/s), refused \
         {refused}, not answered {} (lost in a socket's buffer)",
        took.as_secs_f64(),
        number(offered) / took.as_secs_f64() / rate,
        number(accepted) / took.as_secs_f64(),
        offered - (accepted + refused).min(offered),
    );
    println!("accepted in each second: {:?}", senders.heard.0.lock().unwrap().by_second);
    println!(
        "CPU: {:.3} ms a refusal, {:.0} refusals for the price of one acceptance",
        cpu_of_refusal * 1e3,
        cpu_of_one / cpu_of_refusal
    );
    println!("resident: {} MiB idle, {} MiB at most", idle_kib / 1024, peak_kib / 1024);
    println!("first acceptance {} ms after the end", until_normal.as_millis());
    let (rate_after, _) = capacity(&mut senders, pid, messages);
    println!("capacity afterwards: {rate_after:.0} messages/s, {:.2} of what it was", rate_after / rate);
    let heard = senders.heard.0.lock().unwrap();
    let lost = heard.accepted.difference(&heard.reported).count();
    println!(
        "of {} accepted in all: {lost} without a report; {} both accepted and refused; {} refusals without Retry-After",
        heard.accepted.len(),
        heard.accepted.intersection(&heard.refused).count(),
        heard.without_retry_after,
    );
    drop(heard);
    drop(senders);
    proxy.kill().unwrap();
    proxy.wait().unwrap();
}

/// Messages per second with a full window in progress, and the proxy's CPU seconds per message.
fn capacity(senders: &mut Senders, pid: u32, messages: usize) -> (f64, f64) {
    let (start, cpu) = (now(), cpu_secs(pid));
    let reported = senders.counts().2;
    for sent in 0..messages {
        senders.wait("room", |heard| sent - (heard.reported.len() - reported) < WINDOW);
        senders.send();
    }
    senders.wait("the last reports", |heard| heard.reported.len() - reported >= messages);
    (number(messages) / start.elapsed().as_secs_f64(), (cpu_secs(pid) - cpu) / number(messages))
}

/// Sends at this rate, whatever comes back.
fn flood(senders: &mut Senders, rate: f64, span: Duration) -> Duration {
    senders.heard.0.lock().unwrap().start = Some(now());
    let (start, mut sent) = (now(), 0);
    while start.elapsed() < span {
        let due = start.elapsed().as_secs_f64() * rate;
        while number(sent) < due {
            senders.send();
            sent += 1;
        }
        thread::sleep(Duration::from_micros(500));
    }
    senders.heard.0.lock().unwrap().start = None;
    start.elapsed()
}

/// Sends one message every 2 ms until one of these is accepted; returns how long that took.
fn first_acceptance(senders: &mut Senders, end: Instant) -> Duration {
    let first = senders.sent;
    loop {
        senders.send();
        thread::sleep(Duration::from_millis(2));
        let heard = senders.heard.0.lock().unwrap();
        if let Some((_, at)) = heard.last_accepted.filter(|(message, _)| *message >= first) {
            return at.saturating_duration_since(end);
        }
    }
}

impl Senders {
    fn to(proxy: SocketAddr) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        rustix::net::sockopt::set_socket_recv_buffer_size(&socket, 8 << 20).unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
        for recipient in 0..RECIPIENTS {
            register(&socket, proxy, start_sink(), recipient);
        }
        let others = (1..RECIPIENTS)
            .map(|recipient| format!("Secondary-To: <sip:r{recipient}@domain.com>\r\n"))
            .collect();
        let heard = Arc::<(Mutex<Heard>, Condvar)>::default();
        let stop = Arc::<AtomicBool>::default();
        let listener = {
            let (socket, heard, stop) = (socket.try_clone().unwrap(), Arc::clone(&heard), Arc::clone(&stop));
            thread::Builder::new()
                .name("senders".to_owned())
                .spawn(move || listen(&socket, proxy, &heard, &stop))
        };
        Self { socket, proxy, others, heard, stop, listener: Some(listener.unwrap()), sent: 0 }
    }

    fn send(&mut self) {
        let (sent, local) = (self.sent, self.socket.local_addr().unwrap());
        let request = format!(
            "MESSAGE sip:r0@domain.com SIP/2.0\r\nVia: SIP/2.0/UDP {local};branch=z9hG4bKm{sent}\r\nMax-Forwards: 70\r\n\
             From: <sip:s{}@domain.com>;tag=s\r\nTo: <sip:r0@domain.com>\r\n{}Contact: <sip:s@{local}>\r\n\
             Call-ID: m{sent}\r\nCSeq: 1 MESSAGE\r\nProxy-Require: secondary-to\r\nContent-Type: text/plain\r\n\
             Content-Length: 100\r\n\r\n{}",
            sent % SENDERS,
            self.others,
            "x".repeat(100)
        );
        self.socket.send_to(request.as_bytes(), self.proxy).unwrap();
        self.sent += 1;
    }

    /// Number accepted, refused and reported so far.
    fn counts(&self) -> (usize, usize, usize) {
        let heard = self.heard.0.lock().unwrap();
        (heard.accepted.len(), heard.refused.len(), heard.reported.len())
    }

    fn wait(&self, what: &str, is_so: impl Fn(&Heard) -> bool) {
        let heard = self.heard.0.lock().unwrap();
        let wait = self.heard.1.wait_timeout_while(heard, Duration::from_secs(120), |heard| !is_so(heard));
        let (heard, wait) = wait.unwrap();
        assert!(
            !wait.timed_out(),
            "{what}: {} accepted, {} reported",
            heard.accepted.len(),
            heard.reported.len()
        );
    }
}

impl Drop for Senders {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        drop(self.listener.take().map(JoinHandle::join));
    }
}

fn listen(socket: &UdpSocket, proxy: SocketAddr, heard: &(Mutex<Heard>, Condvar), stop: &AtomicBool) {
    let mut buffer = [0; 65_536];
    while !stop.load(Ordering::Relaxed) {
        let Ok(length) = socket.recv(&mut buffer) else { continue };
        let text = String::from_utf8_lossy(buffer.get(..length).unwrap());
        if text.starts_with("NOTIFY ") {
            socket.send_to(answer(&text).as_bytes(), proxy).unwrap();
        }
        if let Some(message) = number_of(&text) {
            heard.0.lock().unwrap().hears(message, &text);
            heard.1.notify_all();
        }
    }
}

impl Heard {
    fn hears(&mut self, message: usize, text: &str) {
        if text.starts_with("NOTIFY ") {
            self.reported.insert(message);
        } else if text.starts_with("SIP/2.0 202 ") {
            self.accepted.insert(message);
            self.last_accepted = Some((message, now()));
            if let Some(start) = self.start {
                let second = usize::try_from(start.elapsed().as_secs()).unwrap();
                self.by_second.resize(self.by_second.len().max(second + 1), 0);
                *self.by_second.last_mut().unwrap() += 1;
            }
        } else if text.starts_with("SIP/2.0 503 ") {
            self.refused.insert(message);
            self.without_retry_after += usize::from(!text.contains("\r\nRetry-After: "));
        }
    }
}

/// The number in `Call-ID: m7`.
fn number_of(text: &str) -> Option<usize> {
    text.split("\r\nCall-ID: m").nth(1)?.split("\r\n").next()?.parse().ok()
}

fn number(count: usize) -> f64 {
    u32::try_from(count).map(f64::from).unwrap()
}
