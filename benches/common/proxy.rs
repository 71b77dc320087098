//! A real proxy and the sockets around it, shared by several benchmarks.

use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

pub(crate) fn start_proxy(folder: &tempfile::TempDir) -> (Child, SocketAddr) {
    // Allows measuring another build of the program with the same load.
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
pub(crate) fn start_sink() -> SocketAddr {
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

pub(crate) fn answer(request: &str) -> String {
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

pub(crate) fn register(socket: &UdpSocket, proxy: SocketAddr, sink: SocketAddr, recipient: usize) {
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

#[expect(clippy::disallowed_methods, reason = "a measurement reads the clock")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// User and system time of a process, in seconds (fields 14 and 15 of proc(5), hundredths).
pub(crate) fn cpu_secs(pid: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let after_name = stat.rsplit(')').next().unwrap();
    let ticks: u32 =
        after_name.split_whitespace().skip(11).take(2).map(|field| field.parse::<u32>().unwrap()).sum();
    f64::from(ticks) / 100.0
}

/// `VmRSS:` is the current value, `VmHWM:` the peak.
pub(crate) fn resident_kib(pid: u32, which: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with(which)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
