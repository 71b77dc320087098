//! A process with a low limit of open files (`ulimit -n`).

use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::common::free_address;
use crate::program::{Program, WAIT, fanfare_command};
use crate::socket::{Wire, unique};

/// The same command with this limit of open files.
fn limited(files: usize, command: &Command) -> Command {
    let mut limited = Command::new("sh");
    limited.args(["-c", "ulimit -n \"$0\" && exec \"$@\""]).arg(files.to_string());
    limited.arg(command.get_program()).args(command.get_args());
    limited
}

fn open_files(program: &Program) -> usize {
    fs::read_dir(format!("/proc/{}/fd", program.pid())).unwrap().count()
}

/// CPU time used so far, in clock ticks.
fn ticks(program: &Program) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{}/stat", program.pid())).unwrap();
    let fields: Vec<_> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

fn options() -> String {
    let number = unique();
    format!(
        "OPTIONS sip:domain.com SIP/2.0\r\nVia: SIP/2.0/TCP x;branch=z9hG4bKd{number}\r\nMax-Forwards: 70\r\n\
         From: <sip:bob@domain.com>;tag=d{number}\r\nTo: <sip:domain.com>\r\nCall-ID: d{number}@bare\r\n\
         CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
    )
}

fn is_served(wire: &mut Wire) -> bool {
    wire.send_as_much_as_goes(&options());
    wire.receive().is_some_and(|answer| answer.start() == "SIP/2.0 200 OK")
}

fn proxy(files: usize, address: SocketAddr, data: &str) -> Program {
    let (udp, tcp) = (format!("udp:{address}"), format!("tcp:{address}"));
    let args = ["proxy", "--domain", "domain.com", "--listen", &udp, "--listen", &tcp, "--data", data];
    let program = Program::start("fanfare", limited(files, &fanfare_command(&args)), None);
    program.line_with("listening tcp");
    program
}

#[test]
fn a_process_with_few_descriptors_still_takes_connections_and_says_what_is_missing() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().to_str().unwrap();
    let address = free_address();
    let roomy = proxy(200, address, data);
    let line = roomy.complaint_with("limit of open files is low");
    assert!(line.contains("limit=200") && line.contains("connections=100"), "{line}");
    let own = open_files(&roomy);
    // More than fit: each replaces one that has sent nothing.
    let silent: Vec<_> = (0..150).map(|_| TcpStream::connect(address).unwrap()).collect();
    assert!(is_served(&mut Wire::to(address)));
    drop(silent);
    roomy.kill();

    // So few that not all allowed connections can get one.
    let tight = proxy(own + 8, address, data);
    let mut spoken = Wire::to(address);
    assert!(is_served(&mut spoken));
    let silent: Vec<_> = (0..50).map(|_| TcpStream::connect(address).unwrap()).collect();
    let line = tight.complaint_with("no file descriptor is left");
    assert!(
        line.contains("WARN") && line.contains("Too many open files") && line.contains("times=1"),
        "{line}"
    );
    // New connections are accepted every time, and the one that has sent something stays.
    for _ in 0..5 {
        assert!(is_served(&mut Wire::to(address)));
    }
    assert!(is_served(&mut spoken));
    let before = ticks(&tight);
    std::thread::sleep(Duration::from_secs(2));
    let spent = ticks(&tight) - before;
    assert!(spent < 50, "{spent} hundredths of a second within 2 s: it spins");
    drop(silent);
    tight.signal("TERM");
    let ended = tight.end();
    let told = ended.err.iter().filter(|line| line.contains("no file descriptor is left")).count();
    assert_eq!(told, 1, "once a minute: {ended:?}");
}

#[test]
fn a_client_that_has_no_descriptor_for_its_connection_says_so() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let over = format!("tcp:{}", server.local_addr().unwrap());
    let args = ["listen", "--as", "sip:bob@domain.com", "--proxy", &over];
    let whole = Program::start("fanfare", fanfare_command(&args), None);
    let (_stream, _) = server.accept().unwrap();
    let own = open_files(&whole);
    whole.kill();
    server.set_nonblocking(true).unwrap();
    // The order in which it opens its files is unknown: one fewer each time, until none is left for the connection.
    let said = (1..6).any(|fewer| {
        let program = Program::start("fanfare", limited(own - fewer, &fanfare_command(&args)), None);
        let until = Instant::now() + WAIT;
        while Instant::now() < until && server.accept().is_err() {
            let complaints = program.complaints();
            if let Some(line) = complaints.iter().find(|line| line.contains("not registered")) {
                assert!(line.contains("(too many open files)"), "{line}");
                return true;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        false
    });
    assert!(said, "of {own} files");
}
