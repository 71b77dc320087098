//! A disk that is really full: a small file system of the proxy's own, filled to the last block.

use std::fs::{self, File};
use std::io::Write;
use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use crate::common::{free_address, outcomes};
use crate::program::Program;
use crate::socket::{Answering, Message, Phone, submission};

/// A proxy whose data folder is a file system of 2 MiB that nobody else sees.
struct SmallDisk {
    program: Program,
    address: SocketAddr,
    ballast: PathBuf,
    _mount_point: TempDir,
}

impl SmallDisk {
    fn start(t1: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let data = folder.path().to_str().unwrap();
        let address = free_address();
        // A mount namespace of its own; who is not root becomes root in a user namespace of its own.
        let mut command = Command::new("unshare");
        command.args(["--map-root-user", "--mount", "--propagation", "private", "sh", "-c"]);
        command.arg(
            "mount -t tmpfs -o size=2m none \"$0\" && exec \"$1\" proxy --domain domain.com \
             --listen \"udp:$2\" --data \"$0\" --t1 \"$3\"",
        );
        command.args([data, env!("CARGO_BIN_EXE_fanfare"), &address.to_string(), t1]);
        command.process_group(0);
        let program = Program::start("fanfare on a small disk", command, None);
        program.line_with("listening udp");
        // unshare and sh have become the proxy by exec, so its own view of the disk is under its id.
        let inside = format!("/proc/{}/root{data}", program.pid());
        assert!(fs::read_dir(&inside).unwrap().count() > 0, "the store is on the small disk");
        let ballast = PathBuf::from(inside).join("ballast");
        Self { program, address, ballast, _mount_point: folder }
    }

    /// Writes until nothing more goes in.
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

/// Submits one message after the other to Bob until one is refused; says which were accepted, and the refusal.
fn submit_until_refused(james: &Phone, disk: &SmallDisk) -> (Vec<String>, String, Message) {
    let mut accepted = Vec::new();
    // What SQLite has already reserved takes some more before the disk is full for it too.
    for number in 0..2000 {
        let text = format!("Message {number}. {}", "x".repeat(900));
        let request = submission(james.address, &["im:bob@domain.com"], "Delivery-Report: none\r\n", &text);
        let answer = james.ask(disk.address, &request);
        if answer.start() != "SIP/2.0 202 Accepted" {
            return (accepted, text, answer);
        }
        accepted.push(text);
    }
    panic!("a full disk refuses nothing: {:?}", disk.program.lines());
}

#[test]
fn w13_a_full_disk_is_503_and_nothing_is_lost() {
    let disk = SmallDisk::start("20ms");
    let bob = Phone::new();
    bob.register("bob", disk.address);
    let bob = Answering::new(bob, |_, _| Some("200 OK"));
    let james = Phone::new();

    disk.fill();
    let (mut accepted, refused, answer) = submit_until_refused(&james, &disk);
    assert!(answer.start().starts_with("SIP/2.0 503 "), "{}", answer.text);
    assert!(answer.value("Retry-After").parse::<u32>().is_ok(), "{}", answer.text);

    disk.make_room();
    let request = submission(james.address, &["im:bob@domain.com"], "", "There is room again.");
    let answer = james.ask(disk.address, &request);
    assert_eq!(answer.start(), "SIP/2.0 202 Accepted", "{}", answer.text);
    let report = james.receive_the("NOTIFY");
    james.answer(&report, "200 OK");
    assert_eq!(outcomes(&report), [("im:bob@domain.com".to_owned(), "success".to_owned())]);
    accepted.push("There is room again.".to_owned());

    // Every accepted one has come, and of the refused one nothing.
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

#[test]
fn w11_an_outcome_that_the_full_disk_did_not_take_is_told_once_there_is_room() {
    let disk = SmallDisk::start("200ms");
    let ann = Phone::new();
    ann.register("ann", disk.address);
    let phone = Phone::new();
    phone.register("bob", disk.address);
    let _bob = Answering::new(phone, |_, _| Some("200 OK"));
    let james = Phone::new();

    let request = submission(james.address, &["im:ann@domain.com"], "", "Answer when the disk is full.");
    let answer = james.ask(disk.address, &request);
    assert_eq!(answer.start(), "SIP/2.0 202 Accepted", "{}", answer.text);
    let leg = ann.receive_the("MESSAGE");
    disk.fill();
    let (_, _, answer) = submit_until_refused(&Phone::new(), &disk);
    assert!(answer.start().starts_with("SIP/2.0 503 "), "{}", answer.text);
    ann.answer(&leg, "200 OK");
    // An answer to this one comes after the proxy has seen Ann's.
    let other = submission(james.address, &["im:bob@domain.com"], "Delivery-Report: none\r\n", "Full?");
    assert!(james.ask(disk.address, &other).start().starts_with("SIP/2.0 503 "));

    disk.make_room();
    let report = james.receive_the("NOTIFY");
    james.answer(&report, "200 OK");
    assert_eq!(outcomes(&report), [("im:ann@domain.com".to_owned(), "success".to_owned())]);
}
