//! The order in which data reach the disk and the network, which a power cut must not reverse.
//!
//! A power cut loses what was written but not synced. So a promise may leave only after the sync of its data, and a new
//! file counts only once its folder is synced.

use std::path::Path;

use tempfile::TempDir;

use super::strace::{Call, Trace, Traced};
use crate::common::{Proxy, free_address, listener, wait_for_binding};
use crate::socket::{Answering, Phone, Wire, submission};

/// System calls that send bytes out.
const LEAVING: &[&str] = &["sendto", "sendmsg", "write", "writev"];

/// Checks that every new name in the data folder, and the folder's own name, was synced before the first promise left.
fn assert_names_synced(trace: &Trace, data: &Path, store: &Path, first: &Call) {
    let made = trace.first(&["mkdir"], &format!("\"{}\"", data.display()));
    assert!(trace.is_synced(data.parent().unwrap(), made.ended, first.began), "{trace:#?}");
    for ending in ["", "-wal"] {
        let name = format!("\"{}{ending}\"", store.display());
        let opened = trace.first(&["openat"], &name);
        assert!(opened.arguments.contains("O_CREAT"), "{opened:?}");
        assert!(trace.is_synced(data, opened.ended, first.began), "{name}: {trace:#?}");
    }
    // The tables are synced too.
    assert!(trace.is_synced(store, 0, first.began), "{trace:#?}");
}

#[test]
fn w11_the_log_is_synced_before_each_promise_of_the_proxy_leaves() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("new");
    let address = free_address();
    let (udp, tcp) = (format!("udp:{address}"), format!("tcp:{address}"));
    let listens = ["--listen", &udp, "--listen", &tcp, "--t1", "20ms", "--data", data.to_str().unwrap()];
    let traced = Traced::fanfare(&[&["proxy", "--domain", "domain.com"], &listens[..]].concat(), None);
    traced.program.line_with("listening tcp");
    let bob = Phone::new();
    bob.register("bob", address);
    let bob = Answering::new(bob, |_, _| Some("200 OK"));
    let james = Phone::new();
    let request = submission(james.address, &["im:bob@domain.com"], "", "Over UDP.");
    assert_eq!(james.ask(address, &request).start(), "SIP/2.0 202 Accepted");
    let report = james.receive_the("NOTIFY");
    james.answer(&report, "200 OK");
    let mut wire = Wire::to(address);
    let request = submission(wire.address, &["im:bob@domain.com"], "Delivery-Report: none\r\n", "Over TCP.")
        .replace("SIP/2.0/UDP", "SIP/2.0/TCP");
    wire.send(&request);
    assert_eq!(wire.receive().unwrap().start(), "SIP/2.0 202 Accepted");
    bob.wait("the second message", |seen| (seen.len() == 2).then_some(()));
    traced.program.signal("TERM");
    let trace = traced.end();

    let store = data.join("proxy.sqlite3");
    let log = data.join("proxy.sqlite3-wal");
    let arrives = |words: &str| trace.first(&["recvfrom"], words);
    let registered = trace.first(LEAVING, "CSeq: 1 REGISTER");
    trace.assert_log_synced(&log, arrives("\"REGISTER sip:domain.com"), registered);
    let arrived = arrives("\"MESSAGE sip:bob@domain.com");
    let accepted = trace.first(LEAVING, "\"SIP/2.0 202 Accepted");
    trace.assert_log_synced(&log, arrived, accepted);
    let leg = trace.first(LEAVING, "\"MESSAGE sip:bob@");
    assert!(leg.began > accepted.began, "the 202 leaves before the legs: {trace:#?}");
    let answered =
        trace.find(&["recvfrom"], "\"SIP/2.0 200 OK").find(|call| call.began > leg.began).expect("Bob's 200");
    trace.assert_log_synced(&log, answered, trace.first(LEAVING, "\"NOTIFY "));
    let over_tcp = trace.find(LEAVING, "\"SIP/2.0 202 Accepted\\r\\nVia: SIP/2.0/TCP").next();
    let over_tcp = over_tcp.expect("a 202 over TCP");
    let arrived = arrives("Via: SIP/2.0/TCP");
    trace.assert_log_synced(&log, arrived, over_tcp);
    assert_names_synced(&trace, &data, &store, registered);
}

#[test]
fn w15_a_received_message_is_synced_before_it_is_shown_and_shown_before_its_200_leaves() {
    let proxy = Proxy::start();
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("new");
    let udp = proxy.udp();
    let kept = ["--data", data.to_str().unwrap()];
    let who = ["listen", "--as", "im:bob@domain.com", "--proxy", &udp];
    let traced = Traced::fanfare(&[&who[..], &kept].concat(), None);
    wait_for_binding("bob", proxy.address);
    let james = Phone::new();
    let request = submission(james.address, &["im:bob@domain.com"], "", "Is it safe?");
    assert_eq!(james.ask(proxy.address, &request).start(), "SIP/2.0 202 Accepted");
    traced.program.line_with("Is it safe?");
    let report = james.receive_the("NOTIFY");
    james.answer(&report, "200 OK");
    traced.program.signal("TERM");
    let trace = traced.end();

    let arrived = trace.first(&["recvfrom"], "\"MESSAGE sip:bob-");
    let shown = trace.first(&["write"], "Is it safe?\\n");
    let answer = trace.first(LEAVING, "CSeq: 1 MESSAGE");
    trace.assert_log_synced(&data.join("messages.sqlite3-wal"), arrived, shown);
    assert!(shown.ended < answer.began, "shown before it is answered: {trace:#?}");
    assert_names_synced(&trace, &data, &data.join("messages.sqlite3"), shown);
}

#[test]
fn w10_a_message_is_synced_before_its_first_byte_leaves() {
    let proxy = Proxy::start();
    let _bob = listener("bob", &proxy, &[]);
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("new");
    let udp = proxy.udp();
    let kept = ["--data", data.to_str().unwrap(), "--text", "Never before."];
    let who = ["send", "--from", "im:james@domain.com", "--proxy", &udp, "--to", "im:bob@domain.com"];
    let trace = Traced::fanfare(&[&who[..], &kept].concat(), None).end();

    let store = data.join("messages.sqlite3-wal");
    let left = trace.first(LEAVING, "\"MESSAGE sip:bob@");
    // That it is being sent is stored during the sending; its content is on the disk before.
    let kept = trace.first(&["pwrite64"], "Never before.");
    assert!(kept.arguments.contains(&format!("<{}>", store.display())), "{kept:?}");
    assert!(
        trace.is_synced(&store, kept.ended, left.began),
        "{kept:?} is not synced before {left:?}: {trace:#?}"
    );
    assert_names_synced(&trace, &data, &data.join("messages.sqlite3"), left);
    // What is reported as delivered is on the disk by then.
    let report = trace.first(&["recvfrom"], "\"NOTIFY ");
    let told = trace.first(&["write"], "im:bob@domain.com success");
    trace.assert_log_synced(&store, report, told);
    let answer = trace.first(LEAVING, "CSeq: 1 NOTIFY");
    trace.assert_log_synced(&store, report, answer);
}
