//! The proxy killed between 202 and the last answer, again and again: it goes on with what it promised.

mod faults;

mod power;

mod strace;

use std::collections::{BTreeMap, BTreeSet};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::common::{Proxy, outcomes};
use crate::program::WAIT;
use crate::socket::{Answering, Message, Phone, call_id, submission};

const KILLS: usize = 20;
/// T1 is 20 ms, so Timer F is 1.28 s; the last kills come when all is over.
const LATEST: Duration = Duration::from_millis(1400);

/// One number after the other, the same for the same seed (xorshift64).
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

/// What one round saw.
#[derive(Debug, Default)]
struct Round {
    /// Recipients whom a report before the kill named as delivered: their outcome was committed.
    committed: BTreeSet<String>,
    last: Option<Message>,
}

impl Round {
    /// Takes and answers reports for so long, or until the last one is in.
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
    let seed = std::env::var("CRASH_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(|| {
        u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() % (1 << 60)).unwrap()
    });
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

        // Reports are answered up to the kill, so its instant is any within the life of the message.
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
            // W15: however often it comes, it is one leg, so that the recipient can drop the double.
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
