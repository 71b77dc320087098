//! What a delivery costs the real proxy, store on: CPU seconds per 1000 deliveries, deliveries a second, memory.
//!
//! A bare socket submits, another answers 200 for every recipient; both stand on the proxy's own cores, so the
//! rate is a lower bound and the proxy's CPU time is the stable figure. Run: `cargo bench --bench deliveries`.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement, not a part of the program")]

use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Legs under way at a time: more would only try the kernel's socket buffers.
const LEGS_UNDER_WAY: usize = 320;
/// Sockets that the recipients share.
const SINKS: usize = 10;

fn main() {
    // `cargo test --benches` only wants to see that it runs.
    let is_trial = !std::env::args().any(|argument| argument == "--bench");
    for (recipients, messages) in [(1, 5000), (10, 3000), (100, 400)] {
        measure(recipients, if is_trial { 20 } else { messages });
    }
}

fn measure(recipients: usize, messages: usize) {
    let folder = tempfile::tempdir().unwrap();
    let (mut proxy, address) = start_proxy(&folder);
    let idle_kib = resident_kib(proxy.id());
    let sinks: Vec<_> = (0..SINKS).map(|_| start_sink()).collect();
    let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
    sender.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    for (recipient, sink) in (0..recipients).zip(sinks.iter().cycle()) {
        register(&sender, address, *sink, recipient);
    }
    let before = cpu_secs(proxy.id());
    let start = now();
    let reported = submit(&sender, address, recipients, messages);
    let (wall, cpu) = (start.elapsed().as_secs_f64(), cpu_secs(proxy.id()) - before);
    let deliveries = u32::try_from(recipients * messages).map(f64::from).unwrap();
    println!(
        "N = {recipients:>3}: {reported} of {messages} messages reported; proxy CPU {:.4} s per 1000 deliveries; \
         {:.0} deliveries/s; resident {idle_kib} KiB idle, {} KiB after",
        cpu * 1000.0 / deliveries,
        deliveries / wall,
        resident_kib(proxy.id()),
    );
    proxy.kill().unwrap();
    proxy.wait().unwrap();
}

fn start_proxy(folder: &tempfile::TempDir) -> (Child, SocketAddr) {
    // Another build of the program can be measured with the same generator.
    let program = std::env::var("FANFARE_BIN").unwrap_or_else(|_| env!("CARGO_BIN_EXE_fanfare").to_owned());
    let mut proxy = Command::new(program)
        .args(["proxy", "--domain", "domain.com", "--listen", "udp:127.0.0.1:0", "--data"])
        .arg(folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(proxy.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.trim().strip_prefix("listening udp ").unwrap().parse().unwrap();
    (proxy, address)
}

/// Answers 200 to everything, on a thread that ends with the process.
fn start_sink() -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    let serve = move || {
        let mut buffer = [0; 65_536];
        loop {
            let (length, from) = socket.recv_from(&mut buffer).unwrap();
            let request = String::from_utf8_lossy(buffer.get(..length).unwrap());
            socket.send_to(answer(&request).as_bytes(), from).unwrap();
        }
    };
    std::thread::Builder::new().name("sink".to_owned()).spawn(serve).unwrap();
    address
}

fn answer(request: &str) -> String {
    let mut response = String::with_capacity(512);
    response.push_str("SIP/2.0 200 OK\r\n");
    for line in request.split("\r\n").skip(1).take_while(|line| !line.is_empty()) {
        let is_copied = ["Via:", "From:", "Call-ID:", "CSeq:"].iter().any(|name| line.starts_with(name));
        if is_copied {
            response.push_str(line);
            response.push_str("\r\n");
        } else if line.starts_with("To:") {
            response.push_str(line);
            response.push_str(if line.contains(";tag=") { "\r\n" } else { ";tag=sink\r\n" });
        }
    }
    response.push_str("Content-Length: 0\r\n\r\n");
    response
}

fn register(socket: &UdpSocket, proxy: SocketAddr, sink: SocketAddr, recipient: usize) {
    let request = format!(
        "REGISTER sip:domain.com SIP/2.0\r\nVia: SIP/2.0/UDP {};branch=z9hG4bKr{recipient}\r\nMax-Forwards: 70\r\n\
         From: <sip:r{recipient}@domain.com>;tag=r\r\nTo: <sip:r{recipient}@domain.com>\r\nCall-ID: r{recipient}\r\n\
         CSeq: 1 REGISTER\r\nContact: <sip:r{recipient}@{sink}>\r\nExpires: 3600\r\nContent-Length: 0\r\n\r\n",
        socket.local_addr().unwrap()
    );
    socket.send_to(request.as_bytes(), proxy).unwrap();
    let mut buffer = [0; 65_536];
    let length = socket.recv(&mut buffer).unwrap();
    assert!(buffer.get(..length).unwrap().starts_with(b"SIP/2.0 200 "));
}

/// Keeps a window of submissions under way; returns how many were reported on.
fn submit(socket: &UdpSocket, proxy: SocketAddr, recipients: usize, messages: usize) -> usize {
    let local = socket.local_addr().unwrap();
    let others: String =
        (1..recipients).map(|recipient| format!("Secondary-To: <sip:r{recipient}@domain.com>\r\n")).collect();
    let window = (LEGS_UNDER_WAY / recipients).clamp(1, 32);
    let (mut sent, mut reported) = (0, 0);
    let mut buffer = [0; 65_536];
    while reported < messages {
        while sent < messages && sent - reported < window {
            let request = format!(
                "MESSAGE sip:r0@domain.com SIP/2.0\r\nVia: SIP/2.0/UDP {local};branch=z9hG4bKm{sent}\r\n\
                 Max-Forwards: 70\r\nFrom: <sip:james@domain.com>;tag=j\r\nTo: <sip:r0@domain.com>\r\n{others}\
                 Contact: <sip:james@{local}>\r\nCall-ID: m{sent}\r\nCSeq: 1 MESSAGE\r\nProxy-Require: secondary-to\r\n\
                 Content-Type: text/plain\r\nContent-Length: 100\r\n\r\n{}",
                "x".repeat(100)
            );
            socket.send_to(request.as_bytes(), proxy).unwrap();
            sent += 1;
        }
        // Silence: what is missing was lost in a full socket buffer, and this bare sender repeats nothing.
        let Ok(length) = socket.recv(&mut buffer) else { return reported };
        let text = String::from_utf8_lossy(buffer.get(..length).unwrap());
        if text.starts_with("NOTIFY ") {
            socket.send_to(answer(&text).as_bytes(), proxy).unwrap();
            reported += 1;
        }
    }
    reported
}

#[expect(clippy::disallowed_methods, reason = "a measurement reads the clock")]
fn now() -> Instant {
    Instant::now()
}

/// User and system time of a process, in seconds (fields 14 and 15 of proc(5), hundredths).
fn cpu_secs(pid: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let after_name = stat.rsplit(')').next().unwrap();
    let ticks: u32 =
        after_name.split_whitespace().skip(11).take(2).map(|field| field.parse::<u32>().unwrap()).sum();
    f64::from(ticks) / 100.0
}

fn resident_kib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
