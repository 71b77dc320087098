//! What happens to messages on their way.

use std::fmt;
use std::time::Duration;

use super::words::{Wrong, count_of, did_you_mean, share_of, time_of, words};
use crate::limits::{FAULT_DROPPED_MAX, FAULT_TIME_MAX};

/// The words, for errors that name the nearest one.
pub(super) const WORDS: [&str; 8] = ["loss", "drop", "delay", "jitter", "dup", "reorder", "for", "every"];
const TAMPERING: [&str; 2] = ["truncate", "forge"];
/// What can happen on a connection: it repeats what is lost, and keeps the order.
const ON_CONNECTIONS: [&str; 6] = ["delay", "jitter", "stall", "cut", "for", "every"];

/// Which messages a fault of the path is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Passing {
    /// All datagrams, in both directions (`path`).
    Everything,
    /// A MESSAGE from a client to the proxy (`submission`).
    Submission,
    /// The 202 of the proxy to it (`202`).
    Accepted,
    /// A MESSAGE from the proxy to a recipient (`legs`).
    Leg,
    /// A report (`notify`).
    Notify,
    /// All that passes on connections, in both directions: TCP, TLS and WebSocket (`connections`).
    Connections,
}

impl Passing {
    /// With their names in the grammar.
    pub const ALL: [(&'static str, Self); 6] = [
        ("path", Self::Everything),
        ("submission", Self::Submission),
        ("202", Self::Accepted),
        ("legs", Self::Leg),
        ("notify", Self::Notify),
        ("connections", Self::Connections),
    ];

    /// Its name in the grammar.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, one)| *one == self).map_or("path", |(name, _)| name)
    }
}

/// What happens to messages on their way.
///
/// - `loss=20%`: that share is lost
/// - `drop=2`: the first 2 are lost
/// - `delay=200ms`: they arrive so much later
/// - `jitter=100ms`: they arrive up to so much later, each at random, so that they overtake each other
/// - `dup=5%`: that share arrives twice
/// - `reorder=10%`: that share arrives 300 ms later, so that the next ones overtake it
/// - `truncate`, `forge` (of reports alone): see [`Tampering`]
/// - `for=20s`: the fault ends by itself; with `every=60s` it begins again
///
/// On connections there are `delay`, `jitter` (which keeps the order there), `for`, `every`, and:
///
/// - `stall`, which needs `for`: what is sent meanwhile arrives when that is over
/// - `cut`: the connection on which something passes is closed, and that is lost
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PathFault {
    /// The share that is lost, in percent.
    pub loss: u8,
    /// How many are lost first.
    pub dropped: u32,
    /// How much later they arrive.
    pub delay: Duration,
    /// How much later they arrive at most, at random, besides.
    pub jitter: Duration,
    /// The share that arrives twice, in percent.
    pub doubled: u8,
    /// The share that the next ones overtake, in percent.
    pub reordered: u8,
    /// What is done to reports.
    pub tampering: Option<Tampering>,
    /// What is sent on a connection arrives when the fault is over.
    pub stalls: bool,
    /// A connection on which something passes is closed.
    pub cuts: bool,
    /// How long it lasts; zero if it does not end by itself.
    pub lasts: Duration,
    /// After how long it begins again; zero if it does not.
    pub every: Duration,
}

/// What is done to a report on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tampering {
    /// Half of its body is cut off.
    Truncated,
    /// Before it, another one arrives that says `success` of everybody, from somebody who does not know the dialog's tag.
    Forged,
}

impl PathFault {
    /// True if it happens at this time after it was set.
    #[must_use]
    pub fn is_on(&self, since_set: Duration) -> bool {
        self.lasts.is_zero() || !self.left(since_set).is_zero()
    }

    /// How long it goes on by itself, at this time after it was set; zero if it is over, or does not end.
    #[must_use]
    pub fn left(&self, since_set: Duration) -> Duration {
        let since_begun = if self.every.is_zero() {
            since_set
        } else {
            Duration::from_nanos_u128(since_set.as_nanos() % self.every.as_nanos())
        };
        self.lasts.saturating_sub(since_begun)
    }

    /// The most like it that can happen on a connection; none if there is nothing like it.
    #[must_use]
    pub fn on_connections(&self) -> Option<Self> {
        let Self { delay, jitter, lasts, every, .. } = *self;
        let stalls = self.stalls || (self.loss == 100 && !lasts.is_zero());
        let happens = stalls || self.cuts || !delay.is_zero() || !jitter.is_zero();
        happens.then(|| Self { delay, jitter, lasts, every, stalls, cuts: self.cuts, ..Self::default() })
    }

    pub(super) fn read(text: &str, start: usize, of: Passing) -> Result<Self, Wrong> {
        let mut fault = Self::default();
        for (at, word) in words(text, start) {
            let before = fault;
            fault.take(word, of).map_err(|why| Wrong { at, why })?;
            if fault == before {
                let why = format!("{word:?} cannot stand beside the other words of {text:?}");
                return Err(Wrong { at, why });
            }
        }
        let wrong = |why: &str| Err(Wrong { at: start, why: format!("{text:?} {why}") });
        let nothing = Self { lasts: fault.lasts, every: fault.every, ..Self::default() };
        if fault == nothing {
            return wrong("says how long, but not what happens");
        }
        if !fault.every.is_zero() && (fault.lasts.is_zero() || fault.lasts >= fault.every) {
            return wrong("has every without a shorter for; write it like for=3s,every=10s");
        }
        if fault.stalls && fault.lasts.is_zero() {
            return wrong("has a stall without an end; write it like stall,for=20s");
        }
        Ok(fault)
    }

    /// Takes one word; a word that is there already changes nothing.
    fn take(&mut self, word: &str, of: Passing) -> Result<(), String> {
        let tampering = match word {
            "truncate" => Some(Tampering::Truncated),
            "forge" => Some(Tampering::Forged),
            _ => None,
        };
        if let Some(tampering) = tampering {
            if of != Passing::Notify {
                return Err(format!("{word:?} is for reports alone; write it like notify:{word}"));
            }
            self.tampering.get_or_insert(tampering);
            return Ok(());
        }
        if matches!(word, "stall" | "cut") {
            if of != Passing::Connections {
                return Err(format!("{word:?} is for connections alone; write it like connections:{word}"));
            }
            let known = if word == "cut" { &mut self.cuts } else { &mut self.stalls };
            *known = true;
            return Ok(());
        }
        let Some((name, value)) = word.split_once('=') else { return Err(unknown(word, of)) };
        if of == Passing::Connections && WORDS.contains(&name) && !ON_CONNECTIONS.contains(&name) {
            return Err(cannot_be_on_a_connection(word));
        }
        let own_time = |known: Duration| {
            time_of(word, value, FAULT_TIME_MAX).map(|read| if known.is_zero() { read } else { known })
        };
        let own_share = |known: u8| share_of(word, value).map(|read| if known == 0 { read } else { known });
        match name {
            "loss" => self.loss = own_share(self.loss)?,
            "dup" => self.doubled = own_share(self.doubled)?,
            "reorder" => self.reordered = own_share(self.reordered)?,
            "drop" => {
                let read = count_of(word, value, FAULT_DROPPED_MAX)?;
                self.dropped = if self.dropped == 0 { read } else { self.dropped };
            }
            "delay" => self.delay = own_time(self.delay)?,
            "jitter" => self.jitter = own_time(self.jitter)?,
            "for" => self.lasts = own_time(self.lasts)?,
            "every" => self.every = own_time(self.every)?,
            _ => return Err(unknown(word, of)),
        }
        Ok(())
    }
}

fn cannot_be_on_a_connection(word: &str) -> String {
    format!(
        "{word:?} cannot happen on a connection, which repeats what is lost and keeps the order; use delay=TIME, jitter=TIME, \
         stall or cut"
    )
}

fn unknown(word: &str, of: Passing) -> String {
    let usual = "loss=P%, drop=COUNT, delay=TIME, jitter=TIME, dup=P%, reorder=P%";
    let (uses, known): (_, Vec<_>) = match of {
        Passing::Notify => {
            (format!("{usual}, truncate, forge"), WORDS.into_iter().chain(TAMPERING).collect())
        }
        Passing::Connections => ("delay=TIME, jitter=TIME, stall, cut".to_owned(), ON_CONNECTIONS.to_vec()),
        Passing::Everything | Passing::Submission | Passing::Accepted | Passing::Leg => {
            (usual.to_owned(), WORDS.to_vec())
        }
    };
    let near = did_you_mean(word, &known);
    format!("{word:?} is not a fault of {}; use {uses}, for=TIME or every=TIME{near}", of.name())
}

impl fmt::Display for PathFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut words = Vec::new();
        for (name, share) in [("loss", self.loss), ("dup", self.doubled), ("reorder", self.reordered)] {
            if share > 0 {
                words.push(format!("{name}={share}%"));
            }
        }
        if self.dropped > 0 {
            words.push(format!("drop={}", self.dropped));
        }
        let times =
            [("delay", self.delay), ("jitter", self.jitter), ("for", self.lasts), ("every", self.every)];
        for (name, time) in times {
            if !time.is_zero() {
                words.push(format!("{name}={}ms", time.as_millis()));
            }
        }
        match self.tampering {
            None => {}
            Some(Tampering::Truncated) => words.push("truncate".to_owned()),
            Some(Tampering::Forged) => words.push("forge".to_owned()),
        }
        for (name, happens) in [("stall", self.stalls), ("cut", self.cuts)] {
            if happens {
                words.push(name.to_owned());
            }
        }
        f.write_str(if words.is_empty() { "usual" } else { "" })?;
        f.write_str(&words.join(","))
    }
}
