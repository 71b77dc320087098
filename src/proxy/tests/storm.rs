//! Random tests of the promises: loss, slow disks, crashes; then calm. Each run uses the same seeds.

use std::collections::BTreeSet;

use super::*;

const PEOPLE: [(&str, &str); 4] = [
    ("ann", "192.0.2.6:5060"),
    ("bob", "192.0.2.7:5060"),
    ("cy", "192.0.2.8:5060"),
    ("dana", "192.0.2.9:5060"),
];
const MESSAGES: u64 = 4;

struct Storm {
    bench: Bench,
    chance: Random,
    /// Who has accepted which message with a 2xx.
    taken: BTreeSet<(u64, String)>,
    /// Who must not get which message again.
    over: BTreeSet<(u64, String)>,
    accepted: BTreeSet<u64>,
    reported: BTreeSet<u64>,
    is_calm: bool,
}

fn submission(number: u64, branch: u64) -> String {
    format!(
        "MESSAGE sip:ann@domain.com SIP/2.0
Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKm{number}x{branch};rport
From: <sip:james@domain.com>;tag=t
To: <sip:ann@domain.com>
Secondary-To: sip:bob@domain.com, sip:cy@domain.com, sip:dana@domain.com, sip:nobody@domain.com
Contact: <sip:james@192.0.2.1:5060>
Delivery-Report: {};id=m{number}
Call-ID: call{number}
CSeq: 1 MESSAGE
Content-Type: text/plain
Content-Length: 1

{number}",
        if number.is_multiple_of(2) { "each" } else { "final" }
    )
}

impl Storm {
    fn run(seed: u64) {
        let mut bench = Bench::new();
        for (name, at) in PEOPLE {
            bench.register(name, at);
        }
        let mut storm = Self {
            bench,
            chance: Random::from_seed(seed),
            taken: BTreeSet::new(),
            over: BTreeSet::new(),
            accepted: BTreeSet::new(),
            reported: BTreeSet::new(),
            is_calm: false,
        };
        for turn in 0..60 {
            storm.weather(turn);
            storm.traffic();
        }
        storm.calm();
        assert_eq!(storm.accepted, (0..MESSAGES).collect(), "seed {seed}");
        assert_eq!(storm.reported, storm.accepted, "seed {seed}");
    }

    fn weather(&mut self, turn: u64) {
        let number = self.chance.below(MESSAGES);
        match self.chance.below(10) {
            0 => self.bench.disk = Disk::Waits,
            1 | 2 => self.bench.disk_goes_on(Disk::Works),
            3 => self.bench.disk_goes_on(Disk::Fails),
            4 => self.crash(),
            5 | 6 if !self.accepted.contains(&number) => {
                self.bench.receive(udp(JAMES), &submission(number, turn));
            }
            _ => {
                let millis = self.chance.below(3000);
                self.bench.advance_ms(millis);
            }
        }
    }

    fn crash(&mut self) {
        self.bench.crash();
        for rows in &self.bench.rows.dispatches {
            let request = String::from_utf8_lossy(&rows.accepted.request);
            let number = field(&request, "Call-ID").unwrap().trim_start_matches("call").parse().unwrap();
            for outcome in &rows.outcomes {
                if let Some((name, _)) = PEOPLE.get(usize::try_from(outcome.recipient).unwrap()) {
                    self.over.insert((number, (*name).to_owned()));
                }
            }
        }
    }

    /// Every recipient answers, or does not.
    fn traffic(&mut self) {
        while !self.bench.sent.is_empty() {
            let Sent { flow, text, .. } = self.bench.sent.remove(0);
            if text.starts_with("MESSAGE ") {
                self.leg(flow, &text);
            } else if text.starts_with("NOTIFY ") {
                self.notify(flow, &text);
            } else if status(&text) == 202 {
                let number = field(&text, "Call-ID").unwrap().trim_start_matches("call").parse().unwrap();
                let key = format!("james@domain.com id m{number}");
                assert!(
                    self.bench.rows.dispatches.iter().any(|rows| rows.accepted.key == key),
                    "202 before its commit"
                );
                self.accepted.insert(number);
            }
        }
    }

    fn leg(&mut self, flow: Flow, text: &str) {
        let (name, _) = PEOPLE.iter().find(|(_, at)| address(at) == flow.remote).unwrap();
        let person = (body(text).parse().unwrap(), (*name).to_owned());
        assert!(!self.over.contains(&person), "{person:?} again, whose outcome was committed");
        let choice = if self.is_calm { 0 } else { self.chance.below(5) };
        let line = match choice {
            0 | 1 => "200 OK",
            2 => "486 Busy Here",
            3 if self.bench.sent.len().is_multiple_of(3) => "503 Service Unavailable",
            _ => return,
        };
        if choice < 2 {
            self.taken.insert(person);
        }
        self.bench.answer(&flow.remote.to_string(), text, line);
    }

    fn notify(&mut self, flow: Flow, text: &str) {
        let number = field(text, "Call-ID").unwrap().trim_start_matches("call").parse().unwrap();
        for line in body(text).lines().filter(|line| line.ends_with("success")) {
            let name = line.trim_start_matches("sip:").split('@').next().unwrap().to_owned();
            assert!(self.taken.contains(&(number, name)), "{line} of {number} is not true");
        }
        assert!(body(text).contains("sip:nobody@domain.com delivery failure"));
        if self.is_calm || self.chance.below(3) > 0 {
            if field(text, "Subscription-State").unwrap().starts_with("terminated") {
                assert!(!body(text).contains("pending"));
                self.reported.insert(number);
            }
            self.bench.answer(&flow.remote.to_string(), text, "200 OK");
        }
    }

    fn calm(&mut self) {
        self.is_calm = true;
        self.bench.disk_goes_on(Disk::Works);
        for number in 0..MESSAGES {
            self.bench.receive(udp(JAMES), &submission(number, 999));
            self.traffic();
        }
        for _ in 0..200 {
            self.bench.advance_ms(1000);
            self.traffic();
        }
        self.bench.advance_ms(3 * 3600 * 1000);
        self.traffic();
        assert!(
            self.bench.rows.dispatches.iter().all(|rows| rows.report.is_some_and(|report| report.closed))
        );
        self.bench.advance_ms(25 * 3600 * 1000);
        assert!(self.bench.sent.is_empty() && self.bench.rows.dispatches.is_empty());
    }
}

#[test]
fn w11_w15_w23_promises_hold_in_any_storm() {
    for seed in 0..150 {
        Storm::run(seed);
    }
}
