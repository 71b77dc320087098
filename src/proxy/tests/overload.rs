//! Overload: what was accepted is served, the rest gets 503, and all is well again once it ends (W12, W13, W31).

use std::collections::{BTreeSet, VecDeque};

use super::*;
use crate::limits::{
    COMMIT_WAIT_BUSY, INPUTS_BUSY, INPUTS_CALM, INPUTS_SWAMPED, INPUTS_WAITING_MAX, RETRY_AFTER_SECS,
    RETRY_AFTER_SPREAD_SECS,
};
use crate::proxy::ProxyCommand;

/// The submission with this number from this user, to Ann and Bob.
fn numbered(user: &str, number: u32) -> String {
    SUBMISSION
        .replace("james", user)
        .replace("K776", &format!("K{user}{number}"))
        .replace("asd88asd77a", &format!("call{number}"))
}

fn ordinary(number: u32) -> String {
    numbered("james", number)
        .replace("Secondary-To: <im:bob@domain.com>\n", "")
        .replace("Proxy-Require: secondary-to\n", "")
}

fn options() -> String {
    ordinary(9)
        .replace("MESSAGE sip:ann@domain.com", "OPTIONS sip:domain.com")
        .replace("1 MESSAGE", "1 OPTIONS")
        .replace("Kjames9", "Koptions")
}

fn waiting(bench: &mut Bench, inputs: usize) {
    bench.input(Input::Command(ProxyCommand::InputsWaiting(inputs)));
}

#[test]
fn w13_a_busy_proxy_turns_away_new_messages_and_serves_what_it_took_in() {
    let mut bench = Bench::at_home();
    assert_eq!(status(&bench.ask(JAMES, &numbered("james", 1))), 202);
    let legs = [bench.take_one(ANN), bench.take_one(BOB)];
    waiting(&mut bench, INPUTS_BUSY);

    let commits = bench.commits;
    let mut waits = BTreeSet::new();
    for number in 2..60 {
        for text in [numbered("james", number), ordinary(100 + number)] {
            let refused = bench.ask(JAMES, &text);
            assert_eq!(status(&refused), 503, "{refused}");
            waits.insert(field(&refused, "Retry-After").unwrap().parse::<u32>().unwrap());
        }
    }
    let range = RETRY_AFTER_SECS..=RETRY_AFTER_SECS + RETRY_AFTER_SPREAD_SECS;
    assert_eq!(waits, range.collect(), "each of them, so that not all come back at once");
    assert_eq!((bench.commits, bench.rows.dispatches.len()), (commits, 1), "nothing was written for them");
    assert!(bench.take(ANN).is_empty() && bench.take(BOB).is_empty());

    // An accepted submission, retransmitted, and repeated with another branch.
    assert_eq!(status(&bench.ask(JAMES, &numbered("james", 1))), 202);
    assert_eq!(status(&bench.ask(JAMES, &numbered("james", 1).replace("Kjames1", "Kagain"))), 202);
    bench.register("cy", "192.0.2.8:5060");
    assert_eq!(status(&bench.ask(JAMES, &options())), 200);
    bench.answer(ANN, &legs[0], "200 OK");
    bench.answer(BOB, &legs[1], "486 Busy Here");
    let report = bench.take_one(JAMES);
    assert!(
        report.contains("im:ann@domain.com delivery success\r\nim:bob@domain.com delivery failure"),
        "{report}"
    );
    bench.answer(JAMES, &report, "200 OK");

    waiting(&mut bench, INPUTS_CALM + 1);
    assert_eq!(status(&bench.ask(JAMES, &numbered("james", 60))), 503, "few must wait before it goes on");
    waiting(&mut bench, INPUTS_CALM);
    assert_eq!(status(&bench.ask(JAMES, &numbered("james", 61))), 202);
    let busy: Vec<_> = bench.events.iter().filter(|event| **event == ProxyEvent::Busy).collect();
    assert_eq!(busy.len(), 1);
    bench.advance_ms(2000);
    assert!(bench.events.contains(&ProxyEvent::Calm { refused: 117 }), "{:?}", bench.events.last());
}

#[test]
fn w13_what_was_turned_away_is_not_taken_in_by_a_late_retransmission() {
    let mut bench = Bench::at_home();
    waiting(&mut bench, INPUTS_BUSY);
    assert_eq!(status(&bench.ask(JAMES, &numbered("james", 1))), 503);
    waiting(&mut bench, 0);
    bench.advance_ms(500);
    assert_eq!(status(&bench.ask(JAMES, &numbered("james", 1))), 503);
    assert!(bench.take(ANN).is_empty());
    // A new attempt, as the 503 asked for.
    assert_eq!(status(&bench.ask(JAMES, &numbered("james", 1).replace("Kjames1", "Kanew"))), 202);
    assert_eq!(bench.take(ANN).len(), 1);
    bench.advance_ms(40_000);
    assert!(bench.proxy.core.load.is_clear());
}

#[test]
fn w13_a_swamped_proxy_turns_away_every_new_request() {
    let mut bench = Bench::at_home();
    assert_eq!(status(&bench.ask(JAMES, &numbered("james", 1))), 202);
    let leg = bench.take_one(ANN);
    waiting(&mut bench, INPUTS_SWAMPED);
    for text in [numbered("james", 2), options(), register("cy", "<sip:cy@192.0.2.8:5060>", 1, 600)] {
        assert_eq!(status(&bench.ask(JAMES, &text)), 503);
    }
    bench.receive(udp(JAMES), &ordinary(3).replace("MESSAGE", "ACK"));
    assert!(bench.take(JAMES).is_empty(), "an ACK has no answer");
    assert_eq!(status(&bench.ask(JAMES, &numbered("james", 1))), 202);
    bench.answer(ANN, &leg, "200 OK");
    assert!(bench.events.iter().any(|event| matches!(event, ProxyEvent::Outcome { status: 200, .. })));
}

#[test]
fn w13_a_disk_that_does_not_answer_turns_away_what_is_new() {
    let mut bench = Bench::at_home();
    bench.disk = Disk::Waits;
    bench.receive(udp(JAMES), &numbered("james", 1));
    bench.advance(COMMIT_WAIT_BUSY - Duration::from_millis(1));
    bench.receive(udp(JAMES), &numbered("james", 2));
    assert!(bench.take(JAMES).is_empty());
    bench.advance_ms(1);
    assert_eq!(status(&bench.ask(JAMES, &numbered("james", 3))), 503);
    bench.receive(udp(JAMES), &numbered("james", 1));
    assert!(bench.take(JAMES).is_empty(), "it waits for its commit, and is not refused");
    bench.disk_goes_on(Disk::Works);
    assert_eq!(bench.take(JAMES).iter().map(|text| status(text)).collect::<Vec<_>>(), [202, 202]);
    assert_eq!(status(&bench.ask(JAMES, &numbered("james", 4))), 202);
}

#[test]
fn w31_legs_under_way_of_one_user_are_bounded_and_trusted_peers_are_spared() {
    let limited = ProxyConfig { legs_per_user_max: 5, ..config() };
    let trusting = ProxyConfig { trust: vec!["udp:192.0.2.0/24".parse().unwrap()], ..limited.clone() };
    for (config, third) in [(limited, 503), (trusting, 202)] {
        let mut bench = Bench::with(config);
        bench.register("ann", ANN);
        bench.register("bob", BOB);
        assert_eq!(status(&bench.ask(JAMES, &numbered("james", 1))), 202);
        let first = [bench.take_one(ANN), bench.take_one(BOB)];
        assert_eq!(status(&bench.ask(JAMES, &numbered("james", 2))), 202);
        let refused = bench.ask(JAMES, &numbered("james", 3));
        assert_eq!((status(&refused), field(&refused, "Retry-After").is_some()), (third, third == 503));
        assert_eq!(status(&bench.ask(JAMES, &numbered("carol", 4))), 202, "another user");
        bench.answer(ANN, &first[0], "200 OK");
        bench.answer(BOB, &first[1], "200 OK");
        bench.take(JAMES);
        assert_eq!(status(&bench.ask(JAMES, &numbered("james", 5))), 202);
        // Also until the unanswered reports are given up.
        bench.advance(Duration::from_secs(25 * 3600));
        assert!(bench.proxy.dispatches.has_nothing_under_way());
    }
}

#[test]
fn w31_the_rate_counts_ordinary_messages_too() {
    let mut bench = Bench::with(ProxyConfig { submissions_per_sec_max: Some(2), ..config() });
    bench.register("ann", ANN);
    assert_eq!(status(&bench.ask(JAMES, &numbered("james", 1))), 202);
    bench.receive(udp(JAMES), &ordinary(2));
    assert_eq!(bench.take(ANN).len(), 2);
    bench.take(JAMES);
    assert_eq!(status(&bench.ask(JAMES, &ordinary(3))), 503);
    assert_eq!(status(&bench.ask(JAMES, &options())), 200);
}

/// A process around the proxy that takes time for its work: its input queue is read in order, as in the runtime,
/// and drops inputs while it is full, as the system does.
struct Process {
    bench: Bench,
    queue: VecDeque<(String, String)>,
    longest: usize,
    dropped: u32,
    /// Microseconds of work left in this millisecond.
    left: i64,
}

/// The cost in microseconds of what the proxy did, judged by what it sent.
const PRICE_OF_REFUSAL: i64 = 20;
const PRICE_OF_SENDING: i64 = 100;
const PRICE_OF_INPUT: i64 = 50;

impl Process {
    fn arrives(&mut self, from: &str, text: String) {
        if self.queue.len() >= INPUTS_WAITING_MAX {
            self.dropped += 1;
            return;
        }
        self.queue.push_back((from.to_owned(), text));
        self.longest = self.longest.max(self.queue.len());
    }

    /// Works for a millisecond; returns what was sent in it.
    fn work(&mut self) -> Vec<Sent> {
        self.left = (self.left + 1000).min(1000);
        waiting(&mut self.bench, self.queue.len());
        let mut sent = Vec::new();
        while self.left > 0 {
            let Some((from, text)) = self.queue.pop_front() else { break };
            self.bench.receive(udp(&from), &text);
            let new = std::mem::take(&mut self.bench.sent);
            let is_refusal = new.iter().any(|sent| sent.text.starts_with("SIP/2.0 503"));
            let all = i64::try_from(new.len()).unwrap();
            self.left -= if is_refusal { PRICE_OF_REFUSAL } else { PRICE_OF_INPUT + PRICE_OF_SENDING * all };
            sent.extend(new);
        }
        self.bench.advance_ms(1);
        sent.append(&mut self.bench.sent);
        sent
    }
}

#[test]
fn w11_under_ten_times_the_load_all_that_is_accepted_ends_and_calm_returns_at_once() {
    let mut process =
        Process { bench: Bench::at_home(), queue: VecDeque::new(), longest: 0, dropped: 0, left: 0 };
    let (mut accepted, mut refused, mut reported) = (BTreeSet::new(), 0_u32, BTreeSet::new());
    let mut first_after = None;
    // A message costs about 0.9 ms: 10 per millisecond for two seconds, then one per 5 ms, then none.
    for at in 0_u32..8000 {
        let numbers = match at {
            0..2000 => at * 10..at * 10 + 10,
            2000..4000 if at % 5 == 0 => 20_000 + at..20_001 + at,
            _ => 0..0,
        };
        for number in numbers {
            process.arrives(JAMES, numbered("james", number));
        }
        for sent in process.work() {
            let number = field(&sent.text, "Call-ID").unwrap().split('@').next().unwrap().to_owned();
            if sent.text.starts_with("SIP/2.0 202") {
                if number.trim_start_matches("call").parse::<u32>().unwrap() >= 20_000 {
                    first_after.get_or_insert(at);
                }
                accepted.insert(number);
            } else if sent.text.starts_with("SIP/2.0 503") {
                refused += 1;
            } else if sent.text.starts_with("MESSAGE") || sent.text.starts_with("NOTIFY") {
                if sent.text.starts_with("NOTIFY") {
                    assert_eq!(sent.text.matches("delivery success").count(), 2, "{}", sent.text);
                    reported.insert(number);
                }
                process.arrives(&sent.flow.remote.to_string(), answer_to(&sent.text));
            }
        }
    }
    assert_eq!(accepted, reported, "everything that was accepted has its report");
    assert!(process.bench.proxy.dispatches.has_nothing_under_way());
    assert_eq!(process.dropped, 0, "refusing is quick enough to leave room for the answers");
    assert!(process.longest <= INPUTS_SWAMPED, "{}", process.longest);
    assert!(refused > 10_000, "{refused}");
    // 2000 ms of work, of which refusing takes 360 ms: at least three fifths of the rest must be used.
    assert!(accepted.len() > 400 + 1300, "{} accepted, {refused} refused", accepted.len());
    assert!(first_after.unwrap() < 2000 + 200, "{first_after:?}");
}

fn answer_to(request: &str) -> String {
    let copied = ["Via", "From", "To", "Call-ID", "CSeq"]
        .map(|name| format!("{name}: {}\n", field(request, name).unwrap()))
        .concat();
    format!("SIP/2.0 200 OK\n{copied}Content-Length: 0\n\n")
}
