//! Compares the bytes that a proxy holds for others with the table of what it may hold, under storms of whatever
//! strangers and users can send from spoofed addresses.

use super::*;
use crate::limits::{
    PROXY_HELD_BYTES, REMEMBERED_MESSAGE_BYTES, SERVER_TRANSACTION_BYTES, TURNED_AWAY_BYTES,
};
use crate::proxy::Auth;

/// What is held now, under the names in the table.
fn held(proxy: &Proxy) -> Vec<(&'static str, usize)> {
    let core = &proxy.core;
    let (legs, reports) = proxy.dispatches.held();
    let (_, remembered, _) = proxy.dispatches.sizes();
    let (waiting, away) = core.mailbox.held();
    let (answers, transactions) = core.sender.held();
    vec![
        ("legs under way", legs),
        ("reports under way", reports),
        ("messages in the mailbox", waiting),
        ("messages owed to devices", away),
        ("messages remembered", remembered * REMEMBERED_MESSAGE_BYTES),
        ("ordinary requests under way", proxy.relays.held()),
        ("requests of sessions that wait", proxy.sessions.held()),
        ("answers kept for retransmissions", answers),
        ("server transactions", transactions * SERVER_TRANSACTION_BYTES),
        ("requests that were turned away", core.load.remembered() * TURNED_AWAY_BYTES),
        ("bindings", core.location.bytes()),
        ("registrations that wait for the disk", core.registering),
    ]
}

/// Compares what is held with the table; returns the sum.
fn check(bench: &Bench) -> usize {
    let table: std::collections::BTreeMap<_, _> = PROXY_HELD_BYTES.into_iter().collect();
    let held = held(&bench.proxy);
    for (name, bytes) in &held {
        assert!(*bytes <= table[name], "{name}: {bytes} of {}", table[name]);
    }
    held.iter().map(|(_, bytes)| bytes).sum()
}

/// A request with a random method, source and part sizes.
fn request(chance: &mut Random, number: u64) -> String {
    let mut size = |max: u64| {
        // Mostly small ones.
        let exponent = chance.below(17);
        usize::try_from(chance.below(1 << exponent).min(max)).unwrap()
    };
    let (call_id, tag, contact, body) = (size(60_000), size(3000), size(4000), size(60_000));
    let method = [
        "OPTIONS", "REGISTER", "MESSAGE", "MESSAGE", "MESSAGE", "INVITE", "ACK", "CANCEL", "BYE", "NOTIFY",
        "PUBLISH",
    ][usize::try_from(chance.below(11)).unwrap()];
    let user = ["ann", "bob", "cy", "nobody"][usize::try_from(chance.below(4)).unwrap()];
    let from = ["sip:james@domain.com", "sip:eve@evil.test", "im:ann@domain.com"]
        [usize::try_from(chance.below(3)).unwrap()];
    let more = match (method, chance.below(3)) {
        ("MESSAGE", 0) => "Secondary-To: <im:bob@domain.com>\nExpires: 3600\n".to_owned(),
        ("MESSAGE", 1) => format!("Delivery-Report: each;detail;id={number}\n"),
        ("REGISTER", _) => {
            format!(
                "Contact: <sip:{user}@192.0.2.9:5060;x={}>;+sip.instance=\"<{number}>\"\n",
                "y".repeat(contact)
            )
        }
        _ => String::new(),
    };
    let to = if method == "REGISTER" { format!("sip:{user}@domain.com") } else { from.to_owned() };
    let uri =
        if method == "REGISTER" { "sip:domain.com".to_owned() } else { format!("sip:{user}@domain.com") };
    let (from, to) = if method == "REGISTER" { (to.clone(), to) } else { (from.to_owned(), uri.clone()) };
    format!(
        "{method} {uri} SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK{number}\nMax-Forwards: 70\n\
         From: <{from}>;tag=t{}\nTo: <{to}>\n{more}Call-ID: c{number}{}\nCSeq: 1 {method}\n\
         Content-Type: text/plain\nContent-Length: {body}\n\n{}",
        "t".repeat(tag),
        "c".repeat(call_id),
        "b".repeat(body)
    )
}

/// Sends many such requests; returns the most bytes held at a time.
fn storm(bench: &mut Bench, seed: u64, requests: u64) -> usize {
    let mut chance = Random::from_seed(seed);
    let mut most = 0;
    for number in 0..requests {
        let from =
            format!("198.51.{}.{}:{}", chance.below(256), chance.below(256), 1024 + chance.below(60_000));
        let flow = if chance.below(4) == 0 { tcp(&from, number + 1) } else { udp(&from) };
        let text = request(&mut chance, seed * 100_000 + number);
        bench.receive(flow, &text);
        match chance.below(20) {
            0 => bench.disk_goes_on(Disk::Works),
            1 => bench.disk = Disk::Waits,
            2 => bench.disk_goes_on(Disk::Fails),
            3 => bench.advance_ms(chance.below(2000)),
            4 => bench.input(Input::Command(ProxyCommand::InputsWaiting(
                usize::try_from(chance.below(4000)).unwrap(),
            ))),
            _ => {}
        }
        most = most.max(check(bench));
        bench.sent.clear();
        bench.resolves.clear();
        bench.connects.clear();
        bench.events.clear();
    }
    bench.input(Input::Command(ProxyCommand::InputsWaiting(0)));
    bench.disk_goes_on(Disk::Works);
    most
}

#[test]
fn a_storm_of_spoofed_sources_stays_within_the_table_and_leaves_nothing() {
    for seed in 1..=8 {
        let mut bench = Bench::new();
        bench.register("ann", ANN);
        storm(&mut bench, seed, 400);
        // By then all accepted messages are over, and so are reports that nobody took.
        for _ in 0..30 {
            bench.advance(Duration::from_secs(3600));
            check(&bench);
            bench.sent.clear();
        }
        let left: Vec<_> = held(&bench.proxy).into_iter().filter(|(_, bytes)| *bytes > 0).collect();
        assert!(left.is_empty(), "seed {seed}: {left:?}");
        assert!(bench.proxy.dispatches.has_nothing_under_way(), "seed {seed}");
        assert!(bench.proxy.relays.holds_nothing(), "seed {seed}");
    }
}

#[test]
fn strangers_leave_no_more_than_small_answers_behind() {
    for seed in 1..=4 {
        let mut bench = Bench::with(ProxyConfig { auth: Auth::On, ..config() });
        let most = storm(&mut bench, seed, 1000);
        // At most a transaction and an answer of `limits::ANSWER_AGAIN_BYTES_MAX` each.
        assert!(most < 1000 * (SERVER_TRANSACTION_BYTES + TURNED_AWAY_BYTES + 2048), "seed {seed}: {most}");
        let kept: Vec<_> =
            held(&bench.proxy).into_iter().filter(|(_, bytes)| *bytes > 0).map(|(name, _)| name).collect();
        let small =
            ["answers kept for retransmissions", "server transactions", "requests that were turned away"];
        assert!(kept.iter().all(|name| small.contains(name)), "seed {seed}: {kept:?}");
    }
}

#[test]
fn large_answers_that_would_be_the_same_again_are_not_kept() {
    let mut bench = Bench::new();
    for number in 0..100 {
        let call_id = format!("{}{number}", "x".repeat(60_000));
        let options = format!(
            "OPTIONS sip:domain.com SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK{number};rport\n\
             From: <sip:a@b.c>;tag=1\nTo: <sip:domain.com>\nCall-ID: {call_id}\nCSeq: 1 OPTIONS\nContent-Length: 0\n\n"
        );
        // Sent twice: no transaction absorbs the second one, but the answer is the same.
        for _ in 0..2 {
            let answer = bench.ask(JAMES, &options);
            assert_eq!((status(&answer), field(&answer, "Call-ID")), (200, Some(call_id.as_str())));
        }
        let refused = options.replace("OPTIONS", "PUBLISH");
        assert_eq!(status(&bench.ask(JAMES, &refused)), 501);
    }
    assert_eq!(bench.proxy.core.sender.held(), (0, 0));
}

#[test]
fn the_table_of_what_is_held_has_a_sum_that_a_machine_has() {
    let sum: usize = PROXY_HELD_BYTES.iter().map(|(_, bytes)| bytes).sum();
    assert!(sum < 4 * 1024 * 1024 * 1024, "{sum}");
    let mut names: Vec<_> = PROXY_HELD_BYTES.iter().map(|(name, _)| name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), PROXY_HELD_BYTES.len());
}

/// REGISTER for Bob with a Contact and a Call-ID of these sizes.
fn large_binding(number: usize, contact: usize, call_id: usize) -> String {
    register("bob", &format!("<sip:bob@192.0.2.7:{};x={}>", 2000 + number, "y".repeat(contact)), 1, 600)
        .replace("Call-ID: reg-bob", &format!("Call-ID: {}", "c".repeat(call_id)))
        .replace("branch=z9hG4bK", &format!("branch=z9hG4bKlarge{number}"))
}

#[test]
fn a_binding_has_a_maximum_of_bytes_and_they_are_counted_back() {
    let mut bench = Bench::new();
    assert_eq!(status(&bench.ask(BOB, &large_binding(0, 3000, 3000))), 200);
    let one = bench.proxy.core.location.bytes();
    assert!((6000..8192).contains(&one), "{one}");
    let refused = bench.ask(BOB, &large_binding(1, 3000, 6000));
    assert!(refused.starts_with("SIP/2.0 403 Binding Too Large\r\n"), "{refused}");
    assert_eq!(status(&bench.ask(BOB, &large_binding(2, 3000, 3000))), 200);
    assert_eq!(bench.proxy.core.location.bytes(), 2 * one);
    bench.crash();
    assert_eq!(bench.proxy.core.location.bytes(), 2 * one);
    bench.advance(Duration::from_secs(601));
    assert_eq!(bench.proxy.core.location.bytes(), 0);
}

#[test]
fn what_waits_for_a_disk_that_does_not_answer_has_a_maximum() {
    let mut bench = Bench::new();
    bench.disk = Disk::Waits;
    // 1 MB each, of which only the Contact matters.
    let large = |number: usize| {
        register(&format!("u{number}"), "<sip:u@192.0.2.7:5060>", 1, 600).replace(
            "Content-Length: 0\n\n",
            &format!("Content-Length: 1000000\n\n{}", "x".repeat(1_000_000)),
        )
    };
    for number in 0..40 {
        bench.receive(udp(BOB), &large(number));
        check(&bench);
    }
    let refused = bench.take(BOB);
    assert_eq!((refused.len(), status(&refused[0])), (7, 503), "33 of them fit into 32 MiB");
    bench.disk_goes_on(Disk::Works);
    assert_eq!(bench.proxy.core.registering, 0);
    assert_eq!(bench.take(BOB).len(), 33);

    // One submission, each time with a new branch.
    bench.disk = Disk::Waits;
    for number in 0..20 {
        bench.receive(udp(JAMES), &SUBMISSION.replace("K776", &format!("K{number}")));
    }
    let refused = bench.take(JAMES);
    assert_eq!((refused.len(), status(&refused[0])), (12, 503));
    bench.disk_goes_on(Disk::Works);
    let answers = bench.take(JAMES);
    assert_eq!(answers.iter().filter(|text| text.starts_with("SIP/2.0 202 ")).count(), 8);
}
