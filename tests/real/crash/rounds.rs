//! Proxy, sender and recipient killed at random instants, round after round, on the same stores.
//!
//! A message is often still open when the next rounds kill again. After some rounds there is a calm in which everything
//! must end; then both stores and everything printed and received are compared. `CRASH_ROUNDS=300 cargo test --test
//! real crash::rounds` is the long run; `CRASH_SEED=n` repeats the same instants.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tempfile::TempDir;

use super::{Chance, seed};
use crate::common::{Proxy, bindings_of};
use crate::program::{Program, fanfare};
use crate::socket::{Answering, Phone};

/// Rounds from one calm to the next.
const ROUNDS_OPEN: u64 = 8;
/// The latest kill in a round, in milliseconds: Timer F of the legs is 1280.
const LATEST: u64 = 1400;
/// Most sends in a calm before everything must have ended.
const CALM_SENDS_MAX: usize = 10;

/// What was done and found.
#[derive(Debug, Default)]
struct Figures {
    kills: BTreeMap<&'static str, u32>,
    messages: usize,
    never_kept: u32,
    delivered_to_client: usize,
    failed_but_kept: usize,
}

struct World {
    chance: Chance,
    seed: u64,
    proxy: Option<Proxy>,
    quick: Answering,
    _slow: Answering,
    _silent: Answering,
    bob: Bob,
    /// The sender's store.
    ann: TempDir,
    /// Texts of messages that were open when Bob was killed.
    bob_killed: BTreeSet<String>,
    open: Vec<String>,
    /// What `send` printed about each recipient.
    told: Vec<String>,
    figures: Figures,
}

/// The recipient: `fanfare listen` on one store. Its address changes after each calm, so that bindings of killed
/// processes do not pile up.
struct Bob {
    data: TempDir,
    user: String,
    program: Option<Program>,
    printed: Vec<String>,
}

impl Bob {
    fn start(&mut self, proxy: &Proxy) {
        let before = bindings_of(&self.user, proxy.address);
        self.program = Some(self.run(proxy));
        while bindings_of(&self.user, proxy.address).iter().all(|binding| before.contains(binding)) {
            thread::sleep(Duration::from_millis(10));
        }
    }

    fn run(&self, proxy: &Proxy) -> Program {
        let (who, over) = (format!("im:{}@domain.com", self.user), proxy.udp());
        let data = self.data.path().to_str().unwrap();
        fanfare(&["listen", "--as", &who, "--proxy", &over, "--data", data, "--json", "--t1", "20ms"])
    }

    fn kill(&mut self) {
        if let Some(program) = self.program.take() {
            self.printed.extend(program.kill_and_read());
        }
    }
}

impl World {
    fn new() -> Self {
        let seed = seed();
        let proxy = Proxy::start();
        let answering = |user: &str, rule: fn(usize) -> Option<&'static str>| {
            let phone = Phone::new();
            phone.register(user, proxy.address);
            Answering::new(phone, move |_, before| rule(before))
        };
        let quick = answering("quick", |_| Some("200 OK"));
        let slow = answering("slow", |before| (before >= 3).then_some("200 OK"));
        let silent = answering("silent", |_| None);
        let mut bob = Bob {
            data: TempDir::new().unwrap(),
            user: "bob0".to_owned(),
            program: None,
            printed: Vec::new(),
        };
        bob.start(&proxy);
        Self {
            chance: Chance(seed | 1),
            seed,
            proxy: Some(proxy),
            quick,
            _slow: slow,
            _silent: silent,
            bob,
            ann: TempDir::new().unwrap(),
            bob_killed: BTreeSet::new(),
            open: Vec::new(),
            told: Vec::new(),
            figures: Figures::default(),
        }
    }

    fn send(&self, to: &[&str], text: &str) -> Program {
        let over = self.proxy.as_ref().unwrap().udp();
        let data = self.ann.path().to_str().unwrap();
        let mut args = vec!["send", "--from", "im:ann@domain.com", "--proxy", &over, "--data", data];
        let people: Vec<String> = to.iter().map(|user| format!("im:{user}@domain.com")).collect();
        args.extend(people.iter().flat_map(|person| ["--to", person]));
        args.extend(["--report", "each", "--t1", "100ms", "--json", "--text", text]);
        fanfare(&args)
    }

    /// One message, and some or all processes killed while it is in progress.
    fn round(&mut self, number: u64) {
        let text = format!("Round {number} of {}", self.seed);
        self.open.push(text.clone());
        // Some kills hit a process that is still starting.
        let length =
            if self.chance.below(4) == 0 { self.chance.below(60) } else { self.chance.below(LATEST) };
        let mut kills: Vec<(u64, &'static str)> = vec![(length, "sender")];
        for victim in ["proxy", "recipient"] {
            if self.chance.below(2) == 0 {
                kills.push((self.chance.below(length + 1), victim));
            }
        }
        kills.sort_unstable();
        let began = Instant::now();
        let bob = self.bob.user.clone();
        let mut sender = Some(self.send(&["quick", "slow", "silent", "away", &bob], &text));
        for (at, victim) in kills {
            let instant = began + Duration::from_millis(at);
            thread::sleep(instant.saturating_duration_since(Instant::now()));
            *self.figures.kills.entry(victim).or_default() += 1;
            match victim {
                "proxy" => self.kill_proxy(),
                "recipient" => self.kill_bob(),
                _ => self.told.extend(sender.take().into_iter().flat_map(Program::kill_and_read)),
            }
        }
    }

    /// Kills the proxy; sometimes again while it resumes what was open.
    fn kill_proxy(&mut self) {
        let proxy = self.proxy.take().unwrap();
        let again = (self.chance.below(4) == 0).then(|| Duration::from_millis(self.chance.below(30)));
        self.proxy = Some(proxy.kill_and_start_again_after(again));
        *self.figures.kills.entry("proxy at its start").or_default() += u32::from(again.is_some());
    }

    fn kill_bob(&mut self) {
        self.bob_killed.extend(self.open.iter().cloned());
        self.bob.kill();
        let proxy = self.proxy.as_ref().unwrap();
        if self.chance.below(4) == 0 {
            self.bob.program = Some(self.bob.run(proxy));
            thread::sleep(Duration::from_millis(self.chance.below(30)));
            self.bob.kill();
            *self.figures.kills.entry("recipient at its start").or_default() += 1;
        }
        self.bob.start(proxy);
    }

    /// Kills nobody until everything has ended; then Bob takes another address.
    fn calm(&mut self, number: u64) {
        for send in 0..CALM_SENDS_MAX {
            let text = format!("Calm {number}.{send} of {}", self.seed);
            let ended = self.send(&["quick", "silent"], &text).end();
            ended.assert_no_panic();
            assert_eq!(ended.code(), 1, "silent gets nothing, seed {}: {ended:?}", self.seed);
            self.told.extend(ended.out);
            if open_attempts(self.ann.path()) == 0 {
                break;
            }
            assert!(
                send + 1 < CALM_SENDS_MAX,
                "no end, seed {}: {:#?}",
                self.seed,
                outcomes(self.ann.path())
            );
        }
        let proxy = self.proxy.as_ref().unwrap();
        let data = proxy.folder.path().to_str().unwrap();
        let found = fanfare(&["proxy", "check", "--data", data]).end();
        assert_eq!(found.code(), 0, "seed {}: {found:?}", self.seed);
        let nothing_open = "0 of them go on at the next start, to 0 recipients".to_owned();
        assert!(found.out.contains(&nothing_open), "seed {}: {found:?}", self.seed);
        self.open.clear();
        self.bob.kill();
        self.bob.user = format!("bob{number}");
        self.bob.start(proxy);
    }

    /// Compares what everybody has with what was reported.
    fn judge(&mut self) {
        let seed = self.seed;
        let bob = bodies(self.bob.data.path(), "from_address IS NOT NULL");
        let twice: Vec<_> = bob.iter().filter(|(_, times)| **times > 1).collect();
        assert!(twice.is_empty(), "kept twice, seed {seed}: {twice:#?}");
        let mut shown: BTreeMap<String, u32> = BTreeMap::new();
        for line in &self.bob.printed {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            *shown.entry(line["text"].as_str().unwrap().to_owned()).or_default() += 1;
        }
        let twice: Vec<_> = shown.iter().filter(|(_, times)| **times > 1).collect();
        assert!(twice.is_empty(), "shown twice, seed {seed}: {twice:#?}");
        assert!(shown.keys().all(|text| bob.contains_key(text)), "shown and not kept, seed {seed}");

        let all = outcomes(self.ann.path());
        self.figures.messages = all.len();
        (self.figures.delivered_to_client, self.figures.failed_but_kept) = (0, 0);
        for ((text, person), state) in all.iter().flat_map(|(text, people)| {
            people.iter().map(move |(person, state)| ((text, person.as_str()), state.as_str()))
        }) {
            let is_right = match person {
                "quick" | "slow" => state == "delivered",
                "silent" => state == "failed 408",
                "away" => state == "failed 480",
                _ if state == "delivered" => bob.contains_key(text),
                // His 200 may have been lost when he was killed.
                _ => state == "failed 408" && self.bob_killed.contains(text),
            };
            assert!(is_right, "{text}: {person} {state}, seed {seed}: {:#?}", all[text]);
            if person.starts_with("bob") {
                self.figures.delivered_to_client += usize::from(state == "delivered");
                self.figures.failed_but_kept += usize::from(state != "delivered" && bob.contains_key(text));
            }
        }
        let mut legs = BTreeMap::new();
        for leg in self.quick.seen() {
            assert!(all.contains_key(leg.body()), "heard and never kept, seed {seed}: {}", leg.text);
            let first = legs.entry(leg.body().to_owned()).or_insert_with(|| leg.identity());
            assert_eq!(*first, leg.identity(), "one message, one leg, seed {seed}");
        }
        for line in &self.told {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            let is_wrong = match (line["to"].as_str(), line["state"].as_str()) {
                (Some("im:silent@domain.com" | "im:away@domain.com"), state) => state != Some("failure"),
                (Some("im:quick@domain.com" | "im:slow@domain.com"), state) => state != Some("success"),
                (Some(_) | None, _) => line["event"] == "refused",
            };
            assert!(!is_wrong, "seed {seed}: {line}");
        }
    }
}

fn store(data: &Path) -> Connection {
    let connection = Connection::open(data.join("messages.sqlite3")).unwrap();
    let whole: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(whole, "ok");
    connection
}

fn open_attempts(data: &Path) -> u32 {
    let sql = "SELECT count(*) FROM attempt WHERE stage <> 'closed'";
    store(data).query_row(sql, [], |row| row.get(0)).unwrap()
}

/// How often each text is in a client's store.
fn bodies(data: &Path, of: &str) -> BTreeMap<String, u32> {
    let sql = format!("SELECT CAST(body AS TEXT), count(*) FROM message WHERE {of} GROUP BY body");
    let connection = store(data);
    let mut statement = connection.prepare(&sql).unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    rows.map(Result::unwrap).collect()
}

/// What the sender knows about each recipient of each text: `delivered`, `failed 408`, ...
fn outcomes(data: &Path) -> BTreeMap<String, Vec<(String, String)>> {
    let sql = "SELECT CAST(m.body AS TEXT), json_extract(m.people, '$[' || d.recipient || '][0]'), d.state,
                      CASE d.state WHEN 'delivered' THEN NULL ELSE d.status END
               FROM message m JOIN delivery d ON d.message = m.id ORDER BY m.id, d.recipient";
    let connection = store(data);
    let mut statement = connection.prepare(sql).unwrap();
    let mut rows = statement.query([]).unwrap();
    let mut all: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    while let Some(row) = rows.next().unwrap() {
        let (text, address, state): (String, String, String) =
            (row.get(0).unwrap(), row.get(1).unwrap(), row.get(2).unwrap());
        let status: Option<u16> = row.get(3).unwrap();
        let person = address.trim_start_matches("im:").trim_end_matches("@domain.com").to_owned();
        let state = status.map_or_else(|| state.clone(), |status| format!("{state} {status}"));
        all.entry(text).or_default().push((person, state));
    }
    all
}

#[test]
fn w11_w15_whoever_is_killed_whenever_nothing_is_lost_and_nothing_shown_twice() {
    let rounds = std::env::var("CRASH_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(40);
    let mut world = World::new();
    println!("CRASH_SEED={} CRASH_ROUNDS={rounds}", world.seed);
    for number in 1..=rounds {
        world.round(number);
        if number % ROUNDS_OPEN == 0 || number == rounds {
            world.calm(number);
            world.judge();
        }
    }
    let kept = outcomes(world.ann.path());
    let is_kept = |number: &u64| kept.contains_key(&format!("Round {number} of {}", world.seed));
    let lost = (1..=rounds).filter(|number| !is_kept(number)).count();
    world.figures.never_kept = u32::try_from(lost).unwrap();
    println!("{rounds} rounds, nothing lost, nothing wrong, nothing twice: {:?}", world.figures);
}
