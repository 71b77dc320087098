//! A disk that fails or is slow, under the running proxy and the running clients.
//!
//! While it fails nothing is promised, nothing promised is lost, and once it works again everything goes on.

use std::collections::BTreeSet;
use std::fs;

use tempfile::TempDir;

use super::strace::BadDisk;
use crate::common::{
    Proxy, address_of, assert_busy, listen_arguments, message_to, outcomes, register_listener,
};
use crate::program::{Program, fanfare, fanfare_command, fanfare_reading};
use crate::socket::{Answering, Phone, submission, unique};

/// Ways in which a disk fails.
const FAULTS: &[&str] = &["fsync:error=EIO", "pwrite64:error=EIO", "pwrite64:error=ENOSPC"];

fn answering(user: &str, proxy: &Proxy) -> Answering {
    let phone = Phone::new();
    phone.register(user, proxy.address);
    Answering::new(phone, |_, _| Some("200 OK"))
}

/// How many messages with this text came; a leg retransmitted on a busy machine counts once.
fn heard(phone: &Answering, text: &str) -> usize {
    let seen = phone.seen();
    let legs = seen.iter().filter(|leg| leg.body() == text).map(|leg| leg.value("Call-ID"));
    legs.collect::<BTreeSet<_>>().len()
}

/// `fanfare listen` for Bob, registered at a socket that plays the proxy; also returns its address.
fn listen_to(phone: &Phone, data: &str) -> (Program, String) {
    let proxy = format!("udp:{}", phone.address);
    let bob = fanfare(&listen_arguments(&proxy, data));
    (bob, register_listener(phone))
}

#[test]
fn w13_while_the_disk_fails_the_proxy_refuses_and_tells_nobody_and_then_goes_on() {
    for fault in FAULTS {
        let proxy = Proxy::start();
        let bob = answering("bob", &proxy);
        let james = Phone::new();
        let to_bob = |text: &str| submission(james.address, &["im:bob@domain.com"], "", text);
        let disk = BadDisk::of(proxy.program.pid(), &[fault]);
        for text in ["One.", "Two."] {
            assert_busy(&james.ask(proxy.address, &to_bob(text)));
        }
        disk.mend();
        assert_eq!(james.ask(proxy.address, &to_bob("Three.")).start(), "SIP/2.0 202 Accepted", "{fault}");
        let report = james.receive_the("NOTIFY");
        james.answer(&report, "200 OK");
        assert_eq!(outcomes(&report), [("im:bob@domain.com".to_owned(), "success".to_owned())], "{fault}");
        let heard: BTreeSet<String> = bob.seen().iter().map(|leg| leg.body().to_owned()).collect();
        assert_eq!(heard, BTreeSet::from(["Three.".to_owned()]), "{fault}");
    }
}

#[test]
fn w13_what_a_failing_disk_refused_does_not_come_back_after_a_kill() {
    for fault in FAULTS {
        let mut proxy = Proxy::start();
        let bob = answering("bob", &proxy);
        let james = Phone::new();
        let request = submission(james.address, &["im:bob@domain.com"], "", "Refused.");
        let disk = BadDisk::of(proxy.program.pid(), &[fault]);
        assert_busy(&james.ask(proxy.address, &request));
        // Killed while the disk still fails: whether the refused message survives is up to the system.
        proxy = proxy.kill_and_start_again();
        disk.mend();
        // By the time this one is reported on, the other one would have been delivered too.
        let after = submission(james.address, &["im:bob@domain.com"], "", "After.");
        assert_eq!(james.ask(proxy.address, &after).start(), "SIP/2.0 202 Accepted", "{fault}");
        let report = james.receive_the("NOTIFY");
        james.answer(&report, "200 OK");
        assert_eq!((heard(&bob, "Refused."), heard(&bob, "After.")), (0, 1), "{fault}");
        // Its sender may also try again (RFC 3261 §21.5.4).
        assert_eq!(james.ask(proxy.address, &request).start(), "SIP/2.0 202 Accepted", "{fault}");
        bob.wait("the refused one", |seen| seen.iter().any(|leg| leg.body() == "Refused.").then_some(()));
    }
}

#[test]
fn w23_an_outcome_that_a_failing_disk_did_not_take_is_told_when_it_is_well() {
    for fault in FAULTS {
        let proxy = Proxy::with_t1("200ms");
        let ann = Phone::new();
        ann.register("ann", proxy.address);
        let james = Phone::new();
        let request = submission(james.address, &["im:ann@domain.com"], "", "Answer when it fails.");
        assert_eq!(james.ask(proxy.address, &request).start(), "SIP/2.0 202 Accepted");
        let leg = ann.receive_the("MESSAGE");
        let disk = BadDisk::of(proxy.program.pid(), &[fault]);
        ann.answer(&leg, "200 OK");
        // The answer to this one comes after the proxy has processed Ann's.
        let other = submission(james.address, &["im:ann@domain.com"], "Delivery-Report: none\r\n", "Fails?");
        assert_busy(&james.ask(proxy.address, &other));
        disk.mend();
        let report = james.receive_the("NOTIFY");
        james.answer(&report, "200 OK");
        assert_eq!(outcomes(&report), [("im:ann@domain.com".to_owned(), "success".to_owned())], "{fault}");
    }
}

#[test]
fn w11_a_slow_disk_delays_and_loses_nothing() {
    let proxy = Proxy::start();
    let bob = answering("bob", &proxy);
    let disk = BadDisk::of(proxy.program.pid(), &["fsync:delay_enter=300000", "pwrite64:delay_exit=2000"]);
    let james = Phone::new();
    let texts: Vec<String> = (0..20).map(|number| format!("Slow {number}.")).collect();
    let none = "Delivery-Report: none\r\n";
    for text in &texts {
        james.send(proxy.address, &submission(james.address, &["im:bob@domain.com"], none, text));
    }
    for _ in &texts {
        assert_eq!(james.receive_the("SIP/2.0").start(), "SIP/2.0 202 Accepted");
    }
    bob.wait("all of them", |seen| {
        texts.iter().all(|text| seen.iter().any(|leg| leg.body() == text)).then_some(())
    });
    disk.mend();
    for text in &texts {
        assert_eq!(heard(&bob, text), 1, "{text}");
    }
}

#[test]
fn w15_while_the_disk_fails_listen_takes_no_message_and_then_shows_it_once() {
    for fault in FAULTS {
        let (phone, folder) = (Phone::new(), TempDir::new().unwrap());
        let (bob, uri) = listen_to(&phone, folder.path().to_str().unwrap());
        let (to, number) = (address_of(&uri), unique());
        let disk = BadDisk::of(bob.pid(), &[fault]);
        assert_busy(&phone.ask(to, &message_to(&uri, &phone, number, "Hear me.")));
        assert_eq!(bob.lines(), [""; 0], "{fault}");
        disk.mend();
        for _ in 0..2 {
            let answer = phone.ask(to, &message_to(&uri, &phone, number, "Hear me."));
            assert_eq!(answer.start(), "SIP/2.0 200 OK", "{fault}");
        }
        bob.line_with("Hear me.");
        bob.signal("TERM");
        let ended = bob.end();
        assert_eq!(ended.out.len(), 1, "{fault}: {ended:?}");
    }
}

#[test]
fn w15_what_listen_refused_is_new_after_a_kill() {
    for fault in FAULTS {
        let (phone, folder) = (Phone::new(), TempDir::new().unwrap());
        let data = folder.path().to_str().unwrap();
        let number = unique();
        let (bob, uri) = listen_to(&phone, data);
        let disk = BadDisk::of(bob.pid(), &[fault]);
        assert_busy(&phone.ask(address_of(&uri), &message_to(&uri, &phone, number, "Hear me.")));
        bob.kill();
        disk.mend();
        let (bob, uri) = listen_to(&phone, data);
        let answer = phone.ask(address_of(&uri), &message_to(&uri, &phone, number, "Hear me."));
        assert_eq!(answer.start(), "SIP/2.0 200 OK", "{fault}");
        // Shown now, because it was not shown before.
        bob.line_with("Hear me.");
    }
}

/// A store that exists already, so that a start writes nothing into it.
fn store_of_james(proxy: &Proxy) -> TempDir {
    let folder = TempDir::new().unwrap();
    let udp = proxy.udp();
    let kept = ["--data", folder.path().to_str().unwrap(), "--to", "im:nobody@domain.com"];
    let ended = fanfare_reading(
        &[&["send", "--from", "im:james@domain.com", "--proxy", &udp], &kept[..]].concat(),
        "Make a store.",
    )
    .end();
    assert_eq!(ended.code(), 1, "{ended:?}");
    folder
}

/// `fanfare send` on a store whose disk fails, in the syntax of strace's `inject=`.
fn send_on_bad_disk(proxy: &Proxy, data: &TempDir, fault: &str, extra: &[&str]) -> Program {
    let udp = proxy.udp();
    let fanfare = fanfare_command(&["send", "--from", "im:james@domain.com", "--proxy", &udp]);
    let mut command = std::process::Command::new("strace");
    command.args(["-D", "-f", "-q", "-o"]).arg(data.path().join("trace"));
    let call = fault.split(':').next().unwrap();
    command.args(["-e", &format!("trace={call}"), "-e", &format!("inject={fault}")]);
    // Only the write-ahead log fails, so that the store itself can be opened.
    command.arg("-P").arg(data.path().join("messages.sqlite3-wal"));
    command.arg(fanfare.get_program()).args(fanfare.get_args());
    command.args(["--to", "im:bob@domain.com", "--data", data.path().to_str().unwrap()]).args(extra);
    Program::start("fanfare send on a bad disk", command, None)
}

#[test]
fn w10_what_the_disk_does_not_take_does_not_leave() {
    let proxy = Proxy::start();
    let bob = answering("bob", &proxy);
    for fault in FAULTS {
        let folder = store_of_james(&proxy);
        let ended = send_on_bad_disk(&proxy, &folder, fault, &["--text", "Not kept."]).end();
        ended.assert_no_panic();
        assert_eq!(ended.code(), 2, "{fault}: {ended:?}");
        assert!(ended.said().contains("It could not be written to the disk. Is the disk full?"), "{ended:?}");
        assert!(fs::read_to_string(folder.path().join("trace")).unwrap().contains("(INJECTED)"));
        // Nothing of it is in the store, so nothing is sent when that is opened again.
        let udp = proxy.udp();
        let kept = ["--data", folder.path().to_str().unwrap(), "--to", "im:bob@domain.com"];
        let send = ["send", "--from", "im:james@domain.com", "--proxy", &udp];
        let ended = fanfare_reading(&[&send[..], &kept].concat(), fault).end();
        assert_eq!(ended.code(), 0, "{ended:?}");
        assert_eq!((heard(&bob, "Not kept."), heard(&bob, fault)), (0, 1), "{fault}");
    }
}

#[test]
fn w25_an_outcome_is_told_once_the_disk_has_it() {
    let proxy = Proxy::start();
    let _bob = answering("bob", &proxy);
    // The draft is stored with the syncs of a new log and of its first rows; what is learned next is not stored; then
    // the disk works again.
    let folder = store_of_james(&proxy);
    let ended = send_on_bad_disk(
        &proxy,
        &folder,
        "fsync:error=EIO:when=3..8",
        &["--text", "Late.", "--report", "each"],
    )
    .end();
    ended.assert_no_panic();
    assert_eq!(ended.code(), 0, "{ended:?}");
    let told: Vec<_> = ended.out.iter().filter(|line| line.contains("im:bob@domain.com success")).collect();
    assert_eq!(told.len(), 1, "{ended:?}");
    let trace = fs::read_to_string(folder.path().join("trace")).unwrap();
    assert_eq!(trace.matches("(INJECTED)").count(), 6, "{trace}");
}
