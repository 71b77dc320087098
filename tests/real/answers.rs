//! `fanfare listen --answer`, and `fanfare send --repeat`: what a tester needs no other program for.

use serde_json::Value;

use crate::common::{Proxy, listener, objects};
use crate::program::{Ended, fanfare};

fn send(proxy: &Proxy, from: &str, more: &[&str]) -> Ended {
    let over = proxy.udp();
    let ended = fanfare(&[&["send", "--from", from, "--proxy", &over, "--json"], more].concat()).end();
    ended.assert_no_panic();
    ended
}

fn outcome<'a>(told: &'a [Value], to: &str) -> &'a Value {
    let found = told.iter().find(|line| line["event"] == "outcome" && line["to"] == to);
    found.unwrap_or_else(|| panic!("{to} in {told:#?}"))
}

#[test]
fn w17_each_kind_of_answer_has_the_outcome_that_it_should() {
    let proxy = Proxy::start();
    let answers = [
        ("busy", "486", "failure", Some(486)),
        ("silent", "silent", "failure", Some(408)),
        ("late", "late=300ms", "success", Some(200)),
        ("lossy", "drop=3", "success", Some(200)),
        ("junk", "junk", "failure", Some(408)),
        ("double", "dup", "success", Some(200)),
        ("both", "drop=2,603,dup", "failure", Some(603)),
    ];
    let peers: Vec<_> = answers
        .iter()
        .map(|(name, answer, ..)| listener(name, &proxy, &["--json", "--trace", "--answer", answer]))
        .collect();
    let addresses: Vec<_> = answers.iter().map(|(name, ..)| format!("im:{name}@domain.com")).collect();
    let mut to: Vec<_> = addresses.iter().flat_map(|address| ["--to", address]).collect();
    to.extend(["--text", "Well?"]);
    let ended = send(&proxy, "im:james@domain.com", &to);
    assert_eq!(ended.code(), 1, "{ended:?}");
    let told = objects(&ended.out);
    for ((_, answer, state, status), address) in answers.iter().zip(&addresses) {
        let line = outcome(&told, address);
        assert_eq!(
            (line["state"].as_str(), line["status"].as_u64()),
            (Some(*state), *status),
            "{answer}: {line}"
        );
    }
    let heard: Vec<_> = peers
        .into_iter()
        .map(|peer| {
            peer.signal("TERM");
            peer.end()
        })
        .collect();
    let told: Vec<_> = heard.iter().map(|ended| objects(&ended.out)).collect();
    let answered = |peer: usize| -> Vec<_> {
        let lines = told[peer].iter().filter(|line| line["event"] == "answered");
        lines.map(|line| (line["transmission"].as_u64().unwrap(), line["answer"].as_str().unwrap())).collect()
    };
    let messages = |peer: usize| told[peer].iter().filter(|line| line["event"] == "message").count();
    assert_eq!((answered(0), messages(0)), (vec![(1, "486")], 0));
    assert!(
        answered(1).len() > 3 && answered(1).iter().all(|(_, answer)| *answer == "none"),
        "{:?}",
        answered(1)
    );
    assert_eq!(messages(2), 1, "{:#?}", told[2]);
    assert_eq!((answered(3), messages(3)), (vec![(1, "none"), (2, "none"), (3, "none")], 1));
    assert!(answered(4).iter().all(|(_, answer)| *answer == "junk"), "{:?}", answered(4));
    assert_eq!((answered(5).len(), messages(5)), (0, 1));
    let sent = |peer: usize, line: &str| {
        let shown = heard[peer].err.join("\n");
        shown.matches(&format!("\n    {line}\n")).count()
    };
    assert!(sent(5, "SIP/2.0 200 OK") >= 2, "the answer to the message, twice: {:#?}", heard[5].err);
    assert_eq!(answered(6)[..3], [(1, "none"), (2, "none"), (3, "603")]);
    assert_eq!(sent(6, "SIP/2.0 603 Decline"), 2, "{:#?}", heard[6].err);
}

#[test]
fn an_answer_may_be_for_one_sender_alone() {
    let proxy = Proxy::start();
    let bob =
        listener("bob", &proxy, &["--answer-to", "james@domain.com=486", "--answer-to", "domain.com=200"]);
    let to = ["--to", "im:bob@domain.com", "--text", "Hi"];
    assert_eq!(send(&proxy, "im:ann@domain.com", &to).code(), 0);
    let refused = send(&proxy, "im:james@domain.com", &to);
    assert_eq!(outcome(&objects(&refused.out), "im:bob@domain.com")["status"], 486);
    let lines = [bob.line_with("ann@domain.com"), bob.line_with("james@domain.com")];
    assert_eq!(lines[0], "sip:ann@domain.com: Hi");
    assert_eq!(lines[1], "sip:james@domain.com (transmission 1): answered 486");
}

#[test]
fn a_message_that_is_sent_many_times_has_a_summary() {
    let proxy = Proxy::start();
    let _bob = listener("bob", &proxy, &[]);
    let _eli = listener("eli", &proxy, &["--answer", "486"]);
    let both = ["--to", "im:bob@domain.com", "--to", "im:eli@domain.com", "--text", "Again."];
    for pace in [&["--repeat", "20"][..], &["--repeat", "20", "--rate", "200"]] {
        let ended = send(&proxy, "im:james@domain.com", &[&both[..], pace].concat());
        assert_eq!(ended.code(), 1, "{ended:?}");
        let told = objects(&ended.out);
        let summary = told.last().unwrap();
        assert_eq!(summary["event"], "summary", "{summary}");
        let numbers = ["messages", "accepted", "refused"].map(|field| summary[field].as_u64().unwrap());
        assert_eq!(numbers, [20, 20, 0], "{summary}");
        assert_eq!(summary["outcomes"], serde_json::json!({"failure": 20, "success": 20}), "{summary}");
        assert_eq!(summary["statuses"], serde_json::json!({"200": 20, "486": 20}), "{summary}");
        for times in ["accepted_ms", "outcome_ms"] {
            let [p50, p95, p99, max] =
                ["p50", "p95", "p99", "max"].map(|part| summary[times][part].as_u64().unwrap());
            assert!(p50 <= p95 && p95 <= p99 && p99 <= max, "{summary}");
        }
        let outcomes: Vec<_> = told.iter().filter(|line| line["event"] == "outcome").collect();
        assert_eq!(outcomes.len(), 40);
        let of = |number: u64| outcomes.iter().filter(|line| line["message"] == number).count();
        assert!((1..=20).all(|number| of(number) == 2), "{told:#?}");
    }
    let over = proxy.udp();
    let to =
        ["--from", "im:james@domain.com", "--proxy", &over, "--to", "im:bob@domain.com", "--text", "Again."];
    let ended = fanfare(&[&["send", "--repeat", "3"], &to[..]].concat()).end();
    assert_eq!(ended.code(), 0, "{ended:?}");
    assert!(
        ended.out[0].starts_with("3 messages in ") && ended.out[0].ends_with(" ms: 3 accepted, 0 not"),
        "{ended:?}"
    );
    assert_eq!(ended.out[1..3], ["    outcomes: 3 success", "    statuses: 3 with 200"]);
    assert!(ended.out[4].starts_with("    outcome after: p50 "), "{ended:?}");
}

#[test]
fn what_cannot_be_repeated_or_answered_is_refused_with_a_sentence() {
    let send =
        ["send", "--from", "im:a@b.c", "--proxy", "udp:127.0.0.1:5060", "--to", "im:d@b.c", "--text", "x"];
    let listen = ["listen", "--as", "im:a@b.c", "--proxy", "udp:127.0.0.1:5060"];
    for (args, more, words) in [
        (&send[..], &["--repeat", "0"][..], "\"0\" is not a number from 1 to 100000"),
        (&send, &["--repeat", "2", "--rate", "0"], "\"0\" is not a number from 0.001 to 10000"),
        (&send, &["--rate", "2"], "--repeat <COUNT>"),
        (&send, &["--repeat", "2", "--expires", "1h", "--wait"], " cannot be used with "),
        (&listen, &["--answer", "180"], "\"180\" is not a final status, which is 200 to 699"),
        (&listen, &["--answer-to", "486"], "\"486\" has no = after the address"),
    ] {
        let ended = fanfare(&[args, more].concat()).end();
        assert_eq!(ended.code(), 2, "{ended:?}");
        assert!(ended.said().contains(words), "{words} in {ended:?}");
    }
}
