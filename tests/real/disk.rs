//! A disk that is really full: a small file system for one program, filled to the last block.

use std::fs::{self, File};
use std::io::Write;
use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use crate::common::{
    address_of, assert_busy, free_address, listen_arguments, message_to, outcomes, register_listener,
};
use crate::program::Program;
use crate::socket::{Answering, Message, Phone, submission, unique};

/// A program whose data folder is a private file system of 2 MiB.
struct SmallDisk {
    program: Program,
    ballast: PathBuf,
    _mount_point: TempDir,
}

impl SmallDisk {
    /// Runs `fanfare ARGS --data` on a small disk; returns once its store exists.
    fn with(args: &[&str], is_up: impl FnOnce(&Program)) -> Self {
        Self::with_log(args, "", is_up)
    }

    /// The same, after a shell redirection for standard error, in which `$0` is the data folder.
    fn with_log(args: &[&str], redirect: &str, is_up: impl FnOnce(&Program)) -> Self {
        let folder = TempDir::new().unwrap();
        let data = folder.path().to_str().unwrap();
        // A private mount namespace; a user other than root becomes root in a new user namespace.
        let mut command = Command::new("unshare");
        command.args(["--map-root-user", "--mount", "--propagation", "private", "sh", "-c"]);
        let run =
            format!("mount -t tmpfs -o size=2m none \"$0\" && {{ {redirect} exec \"$@\" --data \"$0\"; }}");
        command.args([&run, data]);
        if !redirect.is_empty() {
            command.env("FANFARE_LOG", "debug");
        }
        command.arg(env!("CARGO_BIN_EXE_fanfare")).args(args);
        command.process_group(0);
        let program = Program::start("fanfare on a small disk", command, None);
        is_up(&program);
        // unshare and sh have become the program by exec, so its view of the disk is found under its process id.
        let inside = format!("/proc/{}/root{data}", program.pid());
        assert!(fs::read_dir(&inside).unwrap().count() > 0, "the store is on the small disk");
        let ballast = PathBuf::from(inside).join("ballast");
        Self { program, ballast, _mount_point: folder }
    }

    fn proxy(t1: &str) -> (Self, SocketAddr) {
        Self::proxy_with_log(t1, "")
    }

    fn proxy_with_log(t1: &str, redirect: &str) -> (Self, SocketAddr) {
        let address = free_address();
        let listen = format!("udp:{address}");
        let args = ["proxy", "--domain", "domain.com", "--listen", &listen, "--t1", t1];
        let is_up = |program: &Program| drop(program.line_with("listening udp"));
        (Self::with_log(&args, redirect, is_up), address)
    }

    /// Writes until the disk is full.
    fn fill(&self) {
        let mut file = File::create(&self.ballast).unwrap();
        for block in [vec![0_u8; 4096], vec![0_u8; 1]] {
            while file.write_all(&block).is_ok() {}
        }
    }

    fn make_room(&self) {
        fs::remove_file(&self.ballast).unwrap();
    }
}

/// Submits messages to Bob, one after the other, until one is refused; returns which were accepted, and the refusal.
fn submit_until_refused(
    james: &Phone,
    (disk, proxy): (&SmallDisk, SocketAddr),
) -> (Vec<String>, String, Message) {
    let mut accepted = Vec::new();
    // Space that SQLite has reserved takes some more messages before the disk is full for SQLite too.
    for number in 0..2000 {
        let text = format!("Message {number}. {}", "x".repeat(900));
        let request = submission(james.address, &["im:bob@domain.com"], "Delivery-Report: none\r\n", &text);
        let answer = james.ask(proxy, &request);
        if answer.start() != "SIP/2.0 202 Accepted" {
            return (accepted, text, answer);
        }
        accepted.push(text);
    }
    panic!("a full disk refuses nothing: {:?}", disk.program.lines());
}

#[test]
fn w13_a_full_disk_is_503_and_nothing_is_lost() {
    let (disk, proxy) = SmallDisk::proxy("20ms");
    let bob = Phone::new();
    bob.register("bob", proxy);
    let bob = Answering::new(bob, |_, _| Some("200 OK"));
    let james = Phone::new();

    disk.fill();
    let (mut accepted, refused, answer) = submit_until_refused(&james, (&disk, proxy));
    assert_busy(&answer);

    disk.make_room();
    let request = submission(james.address, &["im:bob@domain.com"], "", "There is room again.");
    let answer = james.ask(proxy, &request);
    assert_eq!(answer.start(), "SIP/2.0 202 Accepted", "{}", answer.text);
    let report = james.receive_the("NOTIFY");
    james.answer(&report, "200 OK");
    assert_eq!(outcomes(&report), [("im:bob@domain.com".to_owned(), "success".to_owned())]);
    accepted.push("There is room again.".to_owned());

    // Every accepted message has come, and the refused one has not.
    let mut heard = bob.wait("all that was accepted", |seen| {
        let heard: Vec<String> = seen.iter().map(|leg| leg.body().to_owned()).collect();
        accepted.iter().all(|text| heard.contains(text)).then_some(heard)
    });
    heard.sort();
    heard.dedup();
    accepted.sort();
    assert_eq!(heard, accepted);
    assert!(!heard.contains(&refused));
}

/// Shell redirections with which standard error cannot be written to.
const DEAF_LOGS: [(&str, &str); 4] = [
    ("on the full disk", "exec 2>\"$0/log\";"),
    ("/dev/full", "exec 2>/dev/full;"),
    ("a pipe whose reader has gone", "mkfifo \"$0/f\"; exec 3<>\"$0/f\"; exec 2>\"$0/f\"; exec 3<&-;"),
    ("a pipe that nobody reads", "mkfifo \"$0/f\"; exec 2<>\"$0/f\";"),
];

#[test]
fn a_log_that_cannot_be_written_ends_nothing() {
    for (name, redirect) in DEAF_LOGS {
        let (disk, proxy) = SmallDisk::proxy_with_log("20ms", redirect);
        let phone = Phone::new();
        phone.register("bob", proxy);
        let _bob = Answering::new(phone, |_, _| Some("200 OK"));
        let james = Phone::new();
        // More lines than a pipe plus the queue in memory can hold.
        for _ in 0..300 {
            james.register("james", proxy);
        }
        disk.fill();
        let (_, _, answer) = submit_until_refused(&james, (&disk, proxy));
        assert_busy(&answer);
        disk.make_room();
        let request = submission(james.address, &["im:bob@domain.com"], "", "There is room again.");
        assert_eq!(james.ask(proxy, &request).start(), "SIP/2.0 202 Accepted", "{name}");
        let report = james.receive_the("NOTIFY");
        james.answer(&report, "200 OK");
        disk.program.signal("TERM");
        let ended = disk.program.end();
        assert_eq!(ended.code(), 0, "{name}: {ended:?}");
    }
}

#[test]
fn w11_an_outcome_that_the_full_disk_did_not_take_is_told_once_there_is_room() {
    let (disk, proxy) = SmallDisk::proxy("200ms");
    let ann = Phone::new();
    ann.register("ann", proxy);
    let phone = Phone::new();
    phone.register("bob", proxy);
    let _bob = Answering::new(phone, |_, _| Some("200 OK"));
    let james = Phone::new();

    let request = submission(james.address, &["im:ann@domain.com"], "", "Answer when the disk is full.");
    let answer = james.ask(proxy, &request);
    assert_eq!(answer.start(), "SIP/2.0 202 Accepted", "{}", answer.text);
    let leg = ann.receive_the("MESSAGE");
    disk.fill();
    let (_, _, answer) = submit_until_refused(&Phone::new(), (&disk, proxy));
    assert!(answer.start().starts_with("SIP/2.0 503 "), "{}", answer.text);
    ann.answer(&leg, "200 OK");
    // The answer to this one comes after the proxy has processed Ann's.
    let other = submission(james.address, &["im:bob@domain.com"], "Delivery-Report: none\r\n", "Full?");
    assert!(james.ask(proxy, &other).start().starts_with("SIP/2.0 503 "));

    disk.make_room();
    let report = james.receive_the("NOTIFY");
    james.answer(&report, "200 OK");
    assert_eq!(outcomes(&report), [("im:ann@domain.com".to_owned(), "success".to_owned())]);
}

#[test]
fn w15_a_client_with_a_full_disk_takes_no_message_until_there_is_room() {
    let phone = Phone::new();
    let proxy = format!("udp:{}", phone.address);
    let mut uri = String::new();
    // The folder comes last, as for the proxy.
    let [args @ .., _, _] = listen_arguments(&proxy, "");
    let disk = SmallDisk::with(&args, |_| uri = register_listener(&phone));
    let bob = address_of(&uri);

    disk.fill();
    let (mut taken, mut refused) = (Vec::new(), None);
    for number in 0..2000 {
        let text = format!("Message {number}. {}", "x".repeat(900));
        let leg = unique();
        let answer = phone.ask(bob, &message_to(&uri, &phone, leg, &text));
        if answer.start() == "SIP/2.0 200 OK" {
            taken.push(text);
            continue;
        }
        assert_busy(&answer);
        refused = Some((leg, text));
        break;
    }
    let (leg, text) = refused.expect("a full disk takes no more");
    disk.make_room();
    assert_eq!(phone.ask(bob, &message_to(&uri, &phone, leg, &text)).start(), "SIP/2.0 200 OK");
    taken.push(text);
    disk.program.signal("TERM");
    let ended = disk.program.end();
    ended.assert_no_panic();
    let shown: Vec<String> =
        ended.out.iter().map(|line| line.replacen("sip:james@domain.com: ", "", 1)).collect();
    assert_eq!(shown, taken);
}
