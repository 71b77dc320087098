//! Random tests of the mailbox: people and devices come and go, the disk fails, the proxy crashes; in the end everybody
//! is there. Each run uses the same seeds.

use std::collections::{BTreeMap, BTreeSet};

use super::*;

/// Two people with two devices each.
const DEVICES: [(&str, &str, &str); 4] = [
    ("ann", "phone", "192.0.2.6:5060"),
    ("ann", "laptop", "192.0.2.61:5060"),
    ("bob", "phone", "192.0.2.7:5060"),
    ("bob", "laptop", "192.0.2.71:5060"),
];
const MESSAGES: u64 = 6;
/// The longest Expires.
const LONGEST_SECS: u64 = 20_000;

struct Absence {
    bench: Bench,
    chance: Random,
    cseq: u32,
    /// Devices that have answered for themselves: accepted, or refused.
    done: BTreeSet<(u64, usize)>,
    /// Who has accepted which message.
    taken: BTreeSet<(u64, &'static str)>,
    /// When accepted messages expire; `None` if they may not wait.
    accepted: BTreeMap<u64, Option<Timestamp>>,
    /// The last report of each message.
    last: BTreeMap<u64, String>,
    is_calm: bool,
}

/// For how many seconds a message is worth delivering: some expire in the storm, some after it, some may not wait.
const fn expires(number: u64) -> Option<u64> {
    match number % 3 {
        0 => Some(LONGEST_SECS),
        1 => Some(900),
        _ => None,
    }
}

fn submission(number: u64, branch: u64) -> String {
    let expires = expires(number).map_or_else(String::new, |secs| format!("Expires: {secs}\n"));
    let mode = if number.is_multiple_of(2) { "each" } else { "final" };
    format!(
        "MESSAGE sip:ann@domain.com SIP/2.0
Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKm{number}x{branch};rport
From: <sip:james@domain.com>;tag=t
To: <sip:ann@domain.com>
Secondary-To: sip:bob@domain.com
Contact: <sip:james@192.0.2.1:5060>
Delivery-Report: {mode};id=m{number}
Call-ID: call{number}
CSeq: 1 MESSAGE
{expires}Content-Type: text/plain
Content-Length: 1

{number}"
    )
}

impl Absence {
    fn run(seed: u64) {
        let mut absence = Self {
            bench: Bench::new(),
            chance: Random::from_seed(seed),
            cseq: 0,
            done: BTreeSet::new(),
            taken: BTreeSet::new(),
            accepted: BTreeMap::new(),
            last: BTreeMap::new(),
            is_calm: false,
        };
        for device in 0..DEVICES.len() {
            absence.register(device, 60);
        }
        for turn in 0..80 {
            absence.weather(turn);
            absence.traffic();
        }
        absence.calm(seed);
    }

    fn register(&mut self, device: usize, expires: u32) {
        self.cseq += 1;
        let (name, instance, at) = DEVICES[device];
        let contact = format!("<sip:{name}@{at}>;+sip.instance=\"<urn:uuid:{instance}>\"");
        let text = register(name, &contact, self.cseq, expires);
        self.bench.receive(udp(at), &text.replace("reg-", &format!("reg-{instance}-")));
    }

    fn weather(&mut self, turn: u64) {
        let number = self.chance.below(MESSAGES);
        let device = usize::try_from(self.chance.below(4)).unwrap();
        match self.chance.below(16) {
            0 => self.bench.disk = Disk::Waits,
            1 | 2 => self.bench.disk_goes_on(Disk::Works),
            3 => self.bench.disk_goes_on(Disk::Fails),
            4 => self.bench.crash(),
            5 | 6 if !self.accepted.contains_key(&number) => {
                self.bench.receive(udp(JAMES), &submission(number, turn));
            }
            7 | 8 => self.register(device, 600),
            9 => self.register(device, 60),
            10 => self.register(device, 0),
            _ => {
                let millis = [900, 9_000, 90_000][usize::try_from(self.chance.below(3)).unwrap()];
                let millis = self.chance.below(millis);
                self.bench.advance_ms(millis);
            }
        }
    }

    fn traffic(&mut self) {
        while !self.bench.sent.is_empty() {
            let Sent { flow, text, .. } = self.bench.sent.remove(0);
            if text.starts_with("MESSAGE ") {
                self.leg(flow, &text);
            } else if text.starts_with("NOTIFY ") {
                self.notify(flow, &text);
            } else if status(&text) == 202 {
                self.accepted(&text);
            }
        }
    }

    fn accepted(&mut self, text: &str) {
        let number = field(text, "Call-ID").unwrap().trim_start_matches("call").parse().unwrap();
        let rows = &self.bench.rows.dispatches;
        let row = rows.iter().find(|rows| rows.accepted.key == format!("james@domain.com id m{number}"));
        let row = row.expect("202 before its commit");
        let end = expires(number).map(|secs| row.accepted.accepted_at.plus(Duration::from_secs(secs)));
        self.accepted.insert(number, end);
    }

    fn leg(&mut self, flow: Flow, text: &str) {
        let device = DEVICES.iter().position(|(_, _, at)| address(at) == flow.remote).unwrap();
        let number: u64 = body(text).parse().unwrap();
        let has_it = self.done.contains(&(number, device));
        // A device that has it accepts it again, or says that it is receiving it another way (W15).
        let line = match if self.is_calm { 0 } else { self.chance.below(9) } {
            5 if has_it => "482 Merged Request",
            _ if has_it => "200 OK",
            0..3 => "200 OK",
            3 => "503 Service Unavailable",
            4 => "480 Temporarily Unavailable",
            _ => return,
        };
        if line == "200 OK" {
            self.done.insert((number, device));
            self.taken.insert((number, DEVICES[device].0));
        }
        self.bench.answer(&flow.remote.to_string(), text, line);
    }

    fn notify(&mut self, flow: Flow, text: &str) {
        let number: u64 = field(text, "Call-ID").unwrap().trim_start_matches("call").parse().unwrap();
        let is_last = field(text, "Subscription-State").unwrap().starts_with("terminated");
        for (name, line) in ["ann", "bob"].iter().zip(body(text).lines()) {
            assert!(
                !line.ends_with("success") || self.taken.contains(&(number, *name)),
                "{line} of {number}"
            );
            assert!(!line.ends_with("deferred") || expires(number).is_some(), "W8: {line} of {number}");
            assert!(!is_last || line.ends_with("success") || line.ends_with("failure"), "{line}");
        }
        if self.is_calm || self.chance.below(3) > 0 {
            if is_last {
                let before = self.last.insert(number, body(text).to_owned());
                assert!(before.is_none_or(|before| before == body(text)), "the last word is the last");
            }
            self.bench.answer(&flow.remote.to_string(), text, "200 OK");
        }
    }

    fn calm(&mut self, seed: u64) {
        self.is_calm = true;
        self.bench.disk_goes_on(Disk::Works);
        self.traffic();
        let start = self.bench.now.wall;
        for number in 0..MESSAGES {
            self.bench.receive(udp(JAMES), &submission(number, 999));
            self.traffic();
        }
        for _ in 0..12 {
            for device in 0..DEVICES.len() {
                self.register(device, 600);
                self.traffic();
            }
            for _ in 0..300 {
                self.bench.advance_ms(1000);
                self.traffic();
            }
        }
        assert_eq!(self.accepted.len() as u64, MESSAGES, "seed {seed}");
        for (number, end) in &self.accepted {
            assert!(self.last.contains_key(number), "seed {seed}: no last report of {number}");
            // By now, all devices have every message that had time enough, unless it had failed for good before.
            let had_time = end.is_some_and(|end| end > start.plus(Duration::from_secs(600)));
            let lines: Vec<_> = self.last[number].lines().collect();
            for (device, (name, instance, _)) in DEVICES.iter().enumerate().filter(|_| had_time) {
                let line = lines[usize::from(*name == "bob")];
                assert!(line.ends_with("success"), "seed {seed}: {line} of {number}");
                assert!(self.done.contains(&(*number, device)), "seed {seed}: {name}'s {instance}, {number}");
            }
        }
        assert!(self.bench.proxy.core.mailbox.lanes().is_empty(), "seed {seed}");
        self.bench.advance(Duration::from_secs(LONGEST_SECS + 26 * 3600));
        assert!(self.bench.sent.is_empty() && self.bench.rows.dispatches.is_empty(), "seed {seed}");
    }
}

#[test]
fn w15_w16_w18_whoever_comes_gets_what_was_kept_for_him_in_any_storm() {
    for seed in 0..60 {
        Absence::run(seed);
    }
}
