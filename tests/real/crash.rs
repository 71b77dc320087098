//! The proxy killed at any time between the 202 and the last answer, repeatedly: it keeps its promises.

mod faults;

mod power;

mod rounds;

mod strace;

use std::collections::{BTreeMap, BTreeSet};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tempfile::TempDir;

use crate::common::{Proxy, outcomes};
use crate::program::{WAIT, fanfare};
use crate::socket::{Answering, Message, Phone, answer_to, call_id, submission, unique};

const KILLS: usize = 20;
/// T1 is 20 ms, so Timer F is 1.28 s; the latest kills come when all is over.
const LATEST: Duration = Duration::from_millis(1400);

/// A sequence of random numbers, the same for the same seed (xorshift64).
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

/// The seed of this run: from `CRASH_SEED`, or a new one.
fn seed() -> u64 {
    std::env::var("CRASH_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(|| {
        u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() % (1 << 60)).unwrap()
    })
}

/// What was seen in one round.
#[derive(Debug, Default)]
struct Round {
    /// Recipients that a report before the kill named as delivered: their outcome was committed.
    committed: BTreeSet<String>,
    last: Option<Message>,
}

impl Round {
    /// Takes and answers reports for this long, or until the last one has come.
    fn take_reports(&mut self, james: &Phone, request: &str, wait: Duration) {
        let until = Instant::now() + wait;
        while let Some(left) = until.checked_duration_since(Instant::now()) {
            let Some(report) = james.receive_within(left) else { return };
            if report.method() != "NOTIFY" {
                continue;
            }
            james.answer(&report, "200 OK");
            if report.value("Call-ID") != call_id(request) {
                continue;
            }
            let told = outcomes(&report).into_iter().filter(|(_, state)| state.starts_with("success"));
            self.committed.extend(told.map(|(address, _)| address));
            if report.value("Subscription-State").starts_with("terminated") {
                self.last = Some(report);
                return;
            }
        }
    }
}

#[test]
fn w11_what_was_accepted_is_kept_through_twenty_kills() {
    let seed = seed();
    println!("CRASH_SEED={seed}");
    let mut chance = Chance(seed | 1);
    let mut proxy = Proxy::start();

    let people = ["im:quick@domain.com", "im:slow@domain.com", "im:silent@domain.com", "im:away@domain.com"];
    let phone = |user: &str| {
        let phone = Phone::new();
        phone.register(user, proxy.address);
        phone
    };
    let quick = Answering::new(phone("quick"), |_, _| Some("200 OK"));
    let slow = Answering::new(phone("slow"), |_, before| (before >= 3).then_some("200 OK"));
    let silent = Answering::new(phone("silent"), |_, _| None);
    let james = Phone::new();

    for round in 0..KILLS {
        let text = format!("Round {round} of {seed}");
        let request = submission(james.address, &people, "Delivery-Report: each\r\n", &text);
        let mut seen = Round::default();
        let accepted = james.ask(proxy.address, &request);
        assert_eq!(accepted.start(), "SIP/2.0 202 Accepted", "{}", accepted.text);

        // Reports are answered until the kill, which can come at any instant of the message's life.
        let instant = Duration::from_millis(chance.below(u64::try_from(LATEST.as_millis()).unwrap()));
        let kill_at = Instant::now() + instant;
        seen.take_reports(&james, &request, instant);
        thread::sleep(kill_at.saturating_duration_since(Instant::now()));
        let committed = seen.committed.clone();
        let killed = Instant::now();
        proxy = proxy.kill_and_start_again();
        if seen.last.is_none() {
            seen.take_reports(&james, &request, WAIT);
        }

        let last =
            seen.last.unwrap_or_else(|| panic!("no last report after a kill at {instant:?}, seed {seed}"));
        let told: BTreeMap<String, String> = outcomes(&last).into_iter().collect();
        let told: Vec<&str> = people.iter().map(|person| told[*person].as_str()).collect();
        assert_eq!(
            told,
            ["success", "success", "failure", "failure"],
            "round {round}, seed {seed}: {}",
            last.text
        );

        for (person, phone) in [("im:quick@domain.com", &quick), ("im:slow@domain.com", &slow)] {
            let legs: Vec<Message> = phone.seen().into_iter().filter(|leg| leg.body() == text).collect();
            assert!(!legs.is_empty(), "{person} has it, round {round}, seed {seed}");
            // W15: however often it comes, it is the same leg, so that the recipient can drop duplicates.
            let legs_differ = legs.iter().any(|leg| leg.identity() != legs[0].identity());
            assert!(!legs_differ, "{person}, round {round}, seed {seed}: {legs:#?}");
            let again = legs.iter().filter(|leg| leg.at > killed + Duration::from_millis(20)).count();
            assert!(
                again == 0 || !committed.contains(person),
                "{person} got it again after its 200 was committed, round {round}, seed {seed}: {legs:#?}"
            );
        }
        assert!(silent.seen().iter().any(|leg| leg.body() == text), "round {round}, seed {seed}");
    }
}

#[test]
fn w12_a_submission_repeated_after_a_crash_gets_the_same_202_and_the_report_again() {
    let mut proxy = Proxy::start();
    let bob = {
        let phone = Phone::new();
        phone.register("bob", proxy.address);
        Answering::new(phone, |_, _| Some("200 OK"))
    };
    let james = Phone::new();
    let request = submission(james.address, &["im:bob@domain.com"], "", "Through a crash.");
    let accepted = james.ask(proxy.address, &request);
    assert_eq!(accepted.start(), "SIP/2.0 202 Accepted");
    let report = james.receive_the("NOTIFY");
    james.answer(&report, "200 OK");

    proxy = proxy.kill_and_start_again();
    let again = james.ask(proxy.address, &request);
    assert_eq!(again.start(), "SIP/2.0 202 Accepted", "{}", again.text);
    assert_eq!(again.value("To"), accepted.value("To"), "the same To tag");
    let repeated = james.receive_the("NOTIFY");
    james.answer(&repeated, "200 OK");
    assert_eq!(repeated.body(), report.body());
    assert_eq!(bob.seen().len(), 1, "{:#?}", bob.seen());
}

#[test]
fn bindings_outlive_the_proxy() {
    let mut proxy = Proxy::start();
    let bob = {
        let phone = Phone::new();
        phone.register("bob", proxy.address);
        Answering::new(phone, |_, _| Some("200 OK"))
    };
    proxy = proxy.kill_and_start_again();
    let james = Phone::new();
    let request = submission(james.address, &["im:bob@domain.com"], "", "Still there?");
    james.send(proxy.address, &request);
    let report = james.receive_the("NOTIFY");
    assert_eq!(outcomes(&report), [("im:bob@domain.com".to_owned(), "success".to_owned())]);
    assert_eq!(bob.seen().len(), 1);
}

/// Answers the next OPTIONS as a proxy that fans out.
fn prove(phone: &Phone) {
    let options = phone.receive_the("OPTIONS");
    phone.send(options.from, &answer_to(&options, "200 OK", "Supported: secondary-to\r\n"));
}

/// The report on a submission that was accepted with the tag `proxy`.
fn report_on(submission: &Message, lines: &str, cseq: u32) -> String {
    let tag = submission.value("From").split("tag=").nth(1).unwrap();
    format!(
        "NOTIFY sip:james@x SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bKn{}\r\nMax-Forwards: 70\r\n\
         From: <sip:domain.com>;tag=proxy\r\nTo: <im:james@domain.com>;tag={tag}\r\nCall-ID: {}\r\n\
         CSeq: {cseq} NOTIFY\r\nEvent: delivery-report\r\nSubscription-State: terminated;reason=noresource\r\n\
         Content-Type: application/delivery-report\r\nContent-Length: {}\r\n\r\n{lines}",
        unique(),
        submission.value("Call-ID"),
        lines.len()
    )
}

#[test]
fn send_tells_of_its_own_message_and_not_of_one_that_a_crash_left_behind() {
    let (phone, folder) = (Phone::new(), TempDir::new().unwrap());
    let proxy = format!("udp:{}", phone.address);
    let send = |text: &str| {
        let who = ["send", "--from", "im:james@domain.com", "--proxy", &proxy, "--to", "im:bob@domain.com"];
        let what = ["--data", folder.path().to_str().unwrap(), "--text", text];
        fanfare(&[&who[..], &what].concat())
    };
    let accept = |request: &Message| {
        let answer = answer_to(request, "202 Accepted", "Supported: secondary-to\r\n");
        phone.send(request.from, &answer.replace("tag=bare", "tag=proxy"));
    };
    let first = send("Left behind.");
    prove(&phone);
    accept(&phone.receive_the("MESSAGE"));
    first.line_with("accepted");
    first.kill();

    // The message left open is sent again, so that its report is sent over the new flow (W12).
    let second = send("My own.");
    prove(&phone);
    let mut own = None;
    let mut left = None;
    while own.is_none() || left.is_none() {
        let message = phone.receive_the("MESSAGE");
        accept(&message);
        if message.body() == "My own." { &mut own } else { &mut left }.get_or_insert(message);
    }
    let (own, left) = (own.unwrap(), left.unwrap());
    assert_eq!(left.body(), "Left behind.");
    phone.send(own.from, &report_on(&left, "im:bob@domain.com delivery success\r\n", 1));
    let answer = loop {
        let answer = phone.receive_the("SIP/2.0");
        if answer.value("CSeq") == "1 NOTIFY" {
            break answer;
        }
    };
    assert_eq!(answer.start(), "SIP/2.0 200 OK", "{}", answer.text);
    phone.send(own.from, &report_on(&own, "im:bob@domain.com delivery failure\r\n", 2));
    let ended = second.end();
    assert_eq!(ended.code(), 1, "Bob did not get this one: {ended:?}");
    assert!(!ended.said().contains("success"), "{ended:?}");
}
