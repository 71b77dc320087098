//! Time for the machines: one value, read once per turn of the loop by the shell.
//!
//! **Invariant:** nothing outside this file reads a clock; [`Clock`] is called by the runtime alone.

use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

/// Milliseconds since 1970-01-01 00:00 UTC: for what is stored or shown, never for protocol timers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The instant `millis` milliseconds after 1970-01-01 00:00 UTC.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// Milliseconds since 1970.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// Milliseconds since 1970 as SQLite and jiff count them; saturates in the year 292 million.
    #[must_use]
    pub fn as_millis_i64(self) -> i64 {
        i64::try_from(self.0).unwrap_or(i64::MAX)
    }

    /// Whole seconds since 1970.
    #[must_use]
    pub const fn as_secs(self) -> u64 {
        self.0 / 1000
    }

    /// `2026-11-01T12:05:00.007Z`, as in RFC 3339.
    #[must_use]
    pub fn utc(self) -> String {
        format!("{:.3}", jiff::Timestamp::from_millisecond(self.as_millis_i64()).unwrap_or_default())
    }

    /// This instant plus `duration`; saturates.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)))
    }

    /// The time from `earlier` to this instant; zero if `earlier` is later, since clocks step back.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}ms", self.0)
    }
}

/// Reads `500ms`, `2s`, `5m` or `1h`.
#[must_use]
pub fn duration(text: &str) -> Option<Duration> {
    let split = text.find(|letter: char| !letter.is_ascii_digit())?;
    let (number, unit) = text.split_at_checked(split)?;
    let number: u64 = number.parse().ok()?;
    let millis = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return None,
    };
    number.checked_mul(millis).map(Duration::from_millis)
}

/// Whole milliseconds of a duration.
#[must_use]
pub fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// `12 ms`, `0.4 s`, `12 s`, `3 min`, `2 h`: how long something took, rounded, for people to read.
#[must_use]
pub fn latency(took: Duration) -> String {
    let millis = took.as_millis();
    let rounded = |unit: u128| (millis + unit / 2) / unit;
    match millis {
        0..=99 => format!("{millis} ms"),
        100..=9_949 => format!("{}.{} s", rounded(100) / 10, rounded(100) % 10),
        9_950..=59_499 => format!("{} s", rounded(1000)),
        59_500..=3_569_999 => format!("{} min", rounded(60_000)),
        _ => format!("{} h", rounded(3_600_000)),
    }
}

/// The current time, as given to a machine: `mono` drives every protocol timer, `wall` is stored and shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// Monotonic; goes on while the computer sleeps.
    pub mono: Instant,
    /// Calendar time; may step.
    pub wall: Timestamp,
}

impl Now {
    /// This time plus `duration`, on both clocks (for tests and the simulation).
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self { mono: self.mono + duration, wall: self.wall.plus(duration) }
    }

    /// The monotonic instant at which the wall clock will show `wall`, if it does not step; now, if that is past.
    #[must_use]
    pub fn mono_at(self, wall: Timestamp) -> Instant {
        self.mono + wall.since(self.wall)
    }
}

/// The only reader of the system's clocks.
///
/// `Instant` stands still while a laptop sleeps; a transaction must not. So `mono` is one base instant
/// plus what `CLOCK_BOOTTIME` has counted since.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    base: Instant,
    boot_base: Duration,
    /// None where nobody can set it to another time.
    skew: Option<Skew>,
}

/// How far a clock shows another time than the system's, for a tester; copies share it.
#[derive(Clone, Copy, Debug)]
pub struct Skew(&'static AtomicI64);

impl Skew {
    /// Sets the clock ahead of the system's by so many milliseconds, or behind.
    pub fn set(self, ahead_ms: i64) {
        self.0.store(ahead_ms, Ordering::SeqCst);
    }

    /// The system's time when the clock shows this one.
    #[must_use]
    pub fn system_time(self, shown: Timestamp) -> Timestamp {
        Timestamp(shown.0.saturating_add_signed(self.0.load(Ordering::SeqCst).saturating_neg()))
    }
}

impl Clock {
    /// Starts the clock.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
    pub fn start() -> Self {
        Self { base: Instant::now(), boot_base: boot_time(), skew: None }
    }

    /// Starts a clock that a tester sets. Its skew is never freed: call this once for a proxy, not for each message.
    #[must_use]
    pub fn with_skew() -> (Self, Skew) {
        let skew = Skew(Box::leak(Box::default()));
        (Self { skew: Some(skew), ..Self::start() }, skew)
    }

    /// Reads both clocks.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
    pub fn now(&self) -> Now {
        let wall = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX));
        let ahead = self.skew.map_or(0, |skew| skew.0.load(Ordering::SeqCst));
        let wall = Timestamp(wall.saturating_add_signed(ahead));
        Now { mono: self.base + boot_time().saturating_sub(self.boot_base), wall }
    }

    /// How long the shell must wait from now until `deadline`.
    #[must_use]
    pub fn until(&self, deadline: Instant) -> Duration {
        deadline.saturating_duration_since(self.now().mono)
    }
}

fn boot_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_printed_to_the_millisecond() {
        assert_eq!(Timestamp::from_millis(1_793_534_700_007).utc(), "2026-11-01T12:05:00.007Z");
    }

    #[test]
    fn the_clock_goes_forward() {
        let clock = Clock::start();
        let first = clock.now();
        let second = clock.now();
        assert!(second.mono >= first.mono);
        assert!(first.wall.as_millis() > 1_600_000_000_000);
        assert_eq!(clock.until(first.mono), Duration::ZERO);
    }

    #[test]
    fn a_clock_that_a_tester_sets_shows_another_time_and_its_timers_run_on() {
        let (clock, skew) = Clock::with_skew();
        let before = clock.now();
        skew.set(3_600_000);
        let ahead = clock.now();
        assert!((3_600_000..3_660_000).contains(&(ahead.wall.0 - before.wall.0)));
        assert!(ahead.mono.duration_since(before.mono) < Duration::from_mins(1));
        assert!(skew.system_time(ahead.wall) >= before.wall && skew.system_time(ahead.wall) < ahead.wall);
        skew.set(-3_600_000);
        assert!(clock.now().wall < before.wall);
    }

    #[test]
    fn a_step_back_is_no_negative_time() {
        let (early, late) = (Timestamp::from_millis(5), Timestamp::from_millis(9));
        assert_eq!(late.since(early), Duration::from_millis(4));
        assert_eq!(early.since(late), Duration::ZERO);
    }

    #[test]
    fn a_latency_is_short_and_never_nothing() {
        assert_eq!(latency(Duration::from_millis(7)), "7 ms");
        assert_eq!(latency(Duration::from_millis(99)), "99 ms");
        assert_eq!(latency(Duration::from_millis(100)), "0.1 s");
        assert_eq!(latency(Duration::from_millis(430)), "0.4 s");
        assert_eq!(latency(Duration::from_millis(9_949)), "9.9 s");
        assert_eq!(latency(Duration::from_millis(9_960)), "10 s");
        assert_eq!(latency(Duration::from_millis(31_600)), "32 s");
        assert_eq!(latency(Duration::from_millis(59_700)), "1 min");
        assert_eq!(latency(Duration::from_secs(119)), "2 min");
        assert_eq!(latency(Duration::from_secs(200)), "3 min");
        assert_eq!(latency(Duration::from_secs(7300)), "2 h");
    }
}
