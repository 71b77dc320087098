//! The simulation: proxy, clients and people in virtual time, over a network and on disks that fail as real ones do.
//!
//! `SIM_SEED=7 cargo test --test sim` runs one seed again; with `SIM_TRACE=1` it prints everything that happens.
//! `SIM_SEEDS=1..10000` plays these; `-- --nocapture` shows which faults were injected, and the hash of each seed's trace,
//! which a change that only renames or moves code must leave as it was.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test that cannot go on says so by a panic, and shows what led there"
)]

mod liveness;
mod model;
mod network;
mod patent;
mod quiescence;
mod safety;
mod stranger;
mod tally;
mod text;
mod topology;
mod trace;
mod workload;
mod world;

use std::collections::BTreeSet;

use fanfare::time::Clock;

use crate::tally::Tally;

/// Seeds that every run plays: two to three minutes of two cores. Thousands are played by hand before a release (`SIM_SEEDS`).
const SEEDS: std::ops::RangeInclusive<u64> = 1..=180;
/// From this many seeds on, each kind of fault has to have happened.
const SEEDS_WITH_EVERY_KIND: usize = 80;
/// Seeds that have failed before, each with its fix.
const OLD_SEEDS: &str = include_str!("seeds.txt");
/// What must have happened in a run of all seeds, so that no fault silently stops being injected.
const KINDS: [&str; 23] = [
    "absences",
    "batches refused",
    "clock steps",
    "connections cut",
    "crashes of a client",
    "crashes of a proxy",
    "datagrams doubled",
    "datagrams into a partition",
    "datagrams lost",
    "datagrams of a stranger",
    "datagrams refused",
    "datagrams replayed by a stranger",
    "datagrams too large for an interface",
    "datagrams too large to arrive",
    "disks failing",
    "disks full",
    "look-ups without an answer",
    "messages too large for a datagram",
    "messages written",
    "moves to another address",
    "recipients who have read it",
    "sleeps",
    "times with slow disks",
];

/// The seeds of this run: those requested, or all, and one more each day.
fn seeds() -> Vec<u64> {
    if let Ok(asked) = std::env::var("SIM_SEED") {
        return vec![asked.parse().unwrap()];
    }
    // The range includes its end: `1..10000` plays 10000 too.
    if let Ok(asked) = std::env::var("SIM_SEEDS") {
        let (first, last) = asked.split_once("..").unwrap();
        return (first.parse().unwrap()..=last.parse().unwrap()).collect();
    }
    let old = OLD_SEEDS.lines().filter_map(|line| line.split_whitespace().next()?.parse().ok());
    let today = Clock::start().now().wall.as_secs() / 86_400;
    println!("the seed of today is {today}");
    SEEDS.chain(old).chain([today]).collect::<BTreeSet<_>>().into_iter().collect()
}

/// Plays every second seed, twice each: nothing but the seed may decide what happens.
fn play_every_other(remainder: u64) {
    let is_asked = std::env::var_os("SIM_SEEDS").is_some();
    let seeds: Vec<_> = seeds().into_iter().filter(|seed| seed % 2 == remainder).collect();
    let mut all = Tally::default();
    for (count, seed) in (1..).zip(&seeds) {
        let (first, second) = (workload::play(*seed), workload::play(*seed));
        assert_eq!(first, second, "seed {seed} is not the same twice");
        if is_asked {
            println!("seed {seed}: {:016x}", first.0);
        }
        all.add(&first.1);
        if count % 500 == 0 {
            println!("{count} seeds, the last one is {seed}");
        }
    }
    println!("{} seeds, each twice; what happened in them:\n{all}", seeds.len());
    let is_missing = |kind: &&str| seeds.len() > SEEDS_WITH_EVERY_KIND && all.of(kind) == 0;
    let missing: Vec<_> = KINDS.into_iter().filter(is_missing).collect();
    assert!(missing.is_empty(), "never happened: {missing:?}");
}

#[test]
fn odd_seeds_come_through_the_storm_and_are_the_same_twice() {
    play_every_other(1);
}

#[test]
fn even_seeds_come_through_the_storm_and_are_the_same_twice() {
    play_every_other(0);
}
