//! Cost of a delivery for the real proxy with its store: CPU seconds per 1000 deliveries, deliveries per second,
//! memory.
//!
//! A bare socket submits, another answers 200 for every recipient. Both run on the proxy's cores, so the rate is a
//! lower bound; the proxy's CPU time is the stable figure. Run: `cargo bench --bench deliveries`.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement, not a part of the program")]

use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

#[path = "common/proxy.rs"]
mod proxy;

use proxy::{answer, cpu_secs, now, register, resident_kib, start_proxy, start_sink};

/// Most legs in progress at a time: more would only test the kernel's socket buffers.
const LEGS_UNDER_WAY: usize = 320;
/// Sockets shared by the recipients.
const SINKS: usize = 10;

fn main() {
    // `cargo test --benches` only checks that it runs.
    let is_trial = !std::env::args().any(|argument| argument == "--bench");
    for (recipients, messages) in [(1, 5000), (10, 3000), (100, 400)] {
        measure(recipients, if is_trial { 20 } else { messages });
    }
}

fn measure(recipients: usize, messages: usize) {
    let folder = tempfile::tempdir().unwrap();
    let (mut proxy, address) = start_proxy(&folder);
    let idle_kib = resident_kib(proxy.id(), "VmRSS:");
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
        resident_kib(proxy.id(), "VmRSS:"),
    );
    proxy.kill().unwrap();
    proxy.wait().unwrap();
}

/// Keeps a window of submissions in progress; returns how many were reported on.
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
        // Silence: the rest was lost in a full socket buffer, and this bare sender retransmits nothing.
        let Ok(length) = socket.recv(&mut buffer) else { return reported };
        let text = String::from_utf8_lossy(buffer.get(..length).unwrap());
        if text.starts_with("NOTIFY ") {
            socket.send_to(answer(&text).as_bytes(), proxy).unwrap();
            reported += 1;
        }
    }
    reported
}
