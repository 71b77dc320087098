//! The proxy's memory use: after a restart with many remembered messages, and under strangers' requests of maximum
//! size.

use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use crate::common::Proxy;
use crate::program::Program;
use crate::socket::{Message, Phone, Wire, submission};

/// A line of the process's status, in MiB: `VmHWM:` is the peak, `VmRSS:` the current value.
fn mib(program: &Program, which: &str) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{}/status", program.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(which)).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() / 1024
}

#[test]
fn w12_a_restart_does_not_read_the_bodies_of_what_it_only_remembers() {
    let proxy = Proxy::start();
    let mut wire = Wire::to(proxy.address);
    let mut first: Option<(String, Message)> = None;
    for _ in 0..150 {
        let text = "A".repeat(900_000);
        // The recipient is absent and no report is wanted, so the message is finished at once.
        let request = submission(wire.address, &["im:absent@domain.com"], "Delivery-Report: none\r\n", &text);
        let request = request.replace("SIP/2.0/UDP", "SIP/2.0/TCP");
        wire.send(&request);
        let answer = wire.receive().unwrap();
        assert_eq!(answer.start(), "SIP/2.0 202 Accepted", "{}", answer.text);
        first.get_or_insert((request, answer));
    }
    // The last ones are still being written.
    std::thread::sleep(Duration::from_secs(2));
    let file = proxy.folder.path().join("proxy.sqlite3");
    let proxy = proxy.kill_and_start_again();
    let peak = mib(&proxy.program, "VmHWM:");
    assert!(peak < 80, "{peak} MiB for 150 messages of 900 KB");
    let size = std::fs::metadata(file).unwrap().len();
    assert!(size < 60_000_000, "the pages of bodies that went are used again: {size} bytes");

    // It still remembers them.
    let (request, answer) = first.unwrap();
    let mut wire = Wire::to(proxy.address);
    wire.send(&request);
    let again = wire.receive().unwrap();
    assert_eq!((again.start(), again.value("To")), ("SIP/2.0 202 Accepted", answer.value("To")));
    wire.send(&request.replacen("\r\n\r\nA", "\r\n\r\nB", 1).replacen("z9hG4bKsub", "z9hG4bKother", 1));
    assert!(wire.receive().unwrap().start().starts_with("SIP/2.0 400 "));
}

/// Sends a request from an address of its own; returns the answer.
fn ask(from: [u8; 4], proxy: SocketAddr, request: &str) -> String {
    let socket = UdpSocket::bind(SocketAddr::from((from, 0))).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
    let mut buffer = vec![0; 65_536];
    for _ in 0..10 {
        socket.send_to(request.as_bytes(), proxy).unwrap();
        if let Ok((length, _)) = socket.recv_from(&mut buffer) {
            return String::from_utf8_lossy(&buffer[..length]).into_owned();
        }
    }
    panic!("no answer to {}", request.lines().next().unwrap());
}

#[test]
fn large_requests_of_strangers_leave_nothing_behind_that_is_large() {
    let proxy = Proxy::start_with(&["--auth", "on"]);
    let before = mib(&proxy.program, "VmRSS:");
    let pad = "x".repeat(60_000);
    let methods = ["OPTIONS", "PUBLISH", "REGISTER", "MESSAGE", "INVITE", "SUBSCRIBE"];
    for number in 0..1800_u16 {
        let method = methods[usize::from(number) % methods.len()];
        let [high, low] = number.to_be_bytes();
        let request = format!(
            "{method} sip:domain.com SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK{number};rport\r\n\
             Max-Forwards: 70\r\nFrom: <sip:eve@domain.com>;tag=1\r\nTo: <sip:ann@domain.com>\r\nCall-ID: {pad}{number}\r\n\
             CSeq: 1 {method}\r\nContact: <sip:eve@192.0.2.1>\r\nContent-Length: 0\r\n\r\n"
        );
        let answer = ask([127, 1, high, low], proxy.address, &request);
        assert!(answer.starts_with("SIP/2.0 "), "{answer}");
    }
    let grown = mib(&proxy.program, "VmRSS:").saturating_sub(before);
    // 108 MB were answered, all within Timer J.
    assert!(grown < 40, "{grown} MiB more than before");
    // It still serves others.
    let phone = Phone::new();
    let options = "OPTIONS sip:domain.com SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKend;rport\r\n\
                   From: <sip:a@b.c>;tag=1\r\nTo: <sip:domain.com>\r\nCall-ID: end\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(phone.ask(proxy.address, options).start(), "SIP/2.0 200 OK");
}
