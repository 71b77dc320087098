//! SIGTERM and SIGINT: what became known just before is stored.

use std::time::{Duration, Instant};

use crate::common::Proxy;
use crate::program::fanfare;
use crate::socket::{Phone, submission};

/// A message to Ann, who answers, and to Bob, who does not; the proxy is told to end as soon as it has Ann's answer.
fn answered_and_stopped(mode: &str, signal: &str, wait: Duration) {
    let proxy = Proxy::with_t1("500ms");
    let (ann, bob, james) = (Phone::new(), Phone::new(), Phone::new());
    ann.register("ann", proxy.address);
    bob.register("bob", proxy.address);
    let extra = format!("Delivery-Report: {mode}\r\n");
    let to = ["im:ann@domain.com", "im:bob@domain.com"];
    let request = submission(james.address, &to, &extra, "Who was told?");
    assert_eq!(james.ask(proxy.address, &request).start(), "SIP/2.0 202 Accepted");
    let leg = ann.receive_the("MESSAGE");
    ann.answer(&leg, "200 OK");
    std::thread::sleep(wait);
    proxy.program.signal(signal);
    let ended = proxy.program.end();
    assert_eq!(ended.code(), 0, "{ended:?}");
    // Skips what was sent to them before it ended.
    while ann.receive_within(Duration::from_millis(50)).is_some() {}
    while bob.receive_within(Duration::from_millis(50)).is_some() {}

    let again = Proxy::start_again(proxy.address, proxy.folder);
    // Bob's leg is resumed; Ann's would have been sent along with it.
    bob.receive_the("MESSAGE");
    let until = Instant::now() + Duration::from_millis(700);
    while Instant::now() < until {
        let sent = ann.receive_within(Duration::from_millis(50));
        assert!(sent.is_none(), "{mode} {signal} {wait:?}: sent once more to who has it: {sent:?}");
    }
    again.program.signal("TERM");
    again.program.end();
}

#[test]
fn w11_an_outcome_of_the_last_moment_is_kept_by_a_proxy_that_is_told_to_end() {
    for mode in ["each", "final", "none"] {
        for (signal, wait) in [("TERM", 0), ("TERM", 50), ("INT", 20), ("INT", 90)] {
            answered_and_stopped(mode, signal, Duration::from_millis(wait));
        }
    }
}

#[test]
fn send_that_is_told_to_end_says_what_it_knows() {
    let proxy = Proxy::with_t1("500ms");
    let ann = Phone::new();
    ann.register("ann", proxy.address);
    let over = proxy.udp();
    let args = ["send", "--from", "im:james@domain.com", "--proxy", &over, "--to", "im:ann@domain.com"];
    for signal in ["TERM", "INT"] {
        let program = fanfare(&[&args[..], &["--text", "Hi"]].concat());
        program.line_with("accepted by the proxy");
        program.signal(signal);
        let ended = program.end();
        assert_eq!(ended.code(), 1, "{ended:?}");
        assert_eq!(ended.out[1..], ["im:ann@domain.com unknown", "report missing"], "{ended:?}");
    }
}
