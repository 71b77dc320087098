//! The simulation: proxy, clients and people in virtual time, over a network and on disks that fail as real ones do.
//!
//! `SIM_SEED=7 cargo test --test sim` runs one seed again; `SIM_TRACE=1` beside it prints everything that happens.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test that cannot go on says so by a panic, and shows what led there"
)]

mod cast;
mod checks;
mod disk;
mod host;
mod model;
mod network;
mod patent;
mod settled;
mod text;
mod trace;
mod workload;
mod world;

use fanfare::time::Clock;

/// Seeds that every run plays.
const SEEDS: std::ops::RangeInclusive<u64> = 1..=60;
/// Seeds that have failed once, each with what mended it.
const OLD_SEEDS: &str = include_str!("seeds.txt");

/// The seeds of this run: the one that was asked for, or all, and one more each day.
fn seeds() -> Vec<u64> {
    if let Ok(asked) = std::env::var("SIM_SEED") {
        return vec![asked.parse().unwrap()];
    }
    let old = OLD_SEEDS.lines().filter_map(|line| line.split_whitespace().next()?.parse().ok());
    let today = Clock::start().now().wall.as_secs() / 86_400;
    println!("the seed of today is {today}");
    SEEDS.chain(old).chain([today]).collect()
}

/// Plays every other seed, twice each: nothing but the seed decides what happens.
fn play_every_other(remainder: u64) {
    for seed in seeds().into_iter().filter(|seed| seed % 2 == remainder) {
        let (first, second) = (workload::play(seed), workload::play(seed));
        assert_eq!(first, second, "seed {seed} is not the same twice");
    }
}

#[test]
fn odd_seeds_come_through_the_storm_and_are_the_same_twice() {
    play_every_other(1);
}

#[test]
fn even_seeds_come_through_the_storm_and_are_the_same_twice() {
    play_every_other(0);
}
