//! What a fault did to a message that passed: the wire shows it beside the message.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;

use super::path::Tampering;
use super::path_layer::{Arrival, OnConnection};
use crate::time::latency;

/// See the top of this file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// It did not arrive.
    Lost,
    /// It did not arrive, and its connection was closed.
    Cut,
    /// It arrived, but not as it would have without faults.
    Arrived {
        /// How much later.
        late: Duration,
        /// More than once.
        is_double: bool,
        /// It was altered, or another one came before it.
        tampering: Option<Tampering>,
    },
}

impl Mark {
    /// What happened to a datagram of which this arrives; None if nothing did.
    #[must_use]
    pub fn of_datagram(sent: &Bytes, arrivals: &[Arrival]) -> Option<Self> {
        let Some(late) = arrivals.iter().map(|arrival| arrival.after).min() else { return Some(Self::Lost) };
        let is_whole = |arrival: &&Arrival| arrival.bytes == *sent;
        let whole = arrivals.iter().filter(is_whole).count();
        let tampering = match whole {
            0 => Some(Tampering::Truncated),
            _ if whole < arrivals.len() => Some(Tampering::Forged),
            _ => None,
        };
        let is_double = whole > 1 || (whole == 0 && arrivals.len() > 1);
        let mark = Self::Arrived { late, is_double, tampering };
        (mark != Self::NOTHING).then_some(mark)
    }

    /// The same for a message on a connection.
    #[must_use]
    pub fn on_connection(happens: OnConnection) -> Option<Self> {
        match happens {
            OnConnection::Cut => Some(Self::Cut),
            OnConnection::Arrives(Duration::ZERO) => None,
            OnConnection::Arrives(late) => Some(Self::Arrived { late, is_double: false, tampering: None }),
        }
    }

    /// True if it did not arrive.
    #[must_use]
    pub const fn is_lost(self) -> bool {
        matches!(self, Self::Lost | Self::Cut)
    }

    const NOTHING: Self = Self::Arrived { late: Duration::ZERO, is_double: false, tampering: None };
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lost => f.write_str("lost"),
            Self::Cut => f.write_str("connection cut"),
            Self::Arrived { late, is_double, tampering } => {
                let late = (!late.is_zero()).then(|| format!("{} late", latency(*late)));
                let double = is_double.then(|| "twice".to_owned());
                let tampering = tampering.map(|tampering| match tampering {
                    Tampering::Truncated => "cut short".to_owned(),
                    Tampering::Forged => "behind a forged one".to_owned(),
                });
                let words: Vec<_> = [late, double, tampering].into_iter().flatten().collect();
                f.write_str(&words.join(", "))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_says_what_happened_and_there_is_none_if_nothing_did() {
        let sent = Bytes::from_static(b"whole");
        let arrival = |millis, bytes| Arrival {
            after: Duration::from_millis(millis),
            bytes: Bytes::from_static(bytes),
        };
        let words = |arrivals: &[Arrival]| Mark::of_datagram(&sent, arrivals).map(|mark| mark.to_string());
        assert_eq!(words(&[arrival(0, b"whole")]), None);
        assert_eq!(words(&[]).as_deref(), Some("lost"));
        assert_eq!(words(&[arrival(250, b"whole")]).as_deref(), Some("0.3 s late"));
        let twice = [arrival(40, b"whole"), arrival(30, b"whole")];
        assert_eq!(words(&twice).as_deref(), Some("30 ms late, twice"));
        assert_eq!(words(&[arrival(0, b"wh")]).as_deref(), Some("cut short"));
        let forged = [arrival(0, b"other"), arrival(1, b"whole")];
        assert_eq!(words(&forged).as_deref(), Some("behind a forged one"));
        let on = |happens| Mark::on_connection(happens).map(|mark| mark.to_string());
        assert_eq!(on(OnConnection::Arrives(Duration::ZERO)), None);
        assert_eq!(on(OnConnection::Arrives(Duration::from_secs(3))).as_deref(), Some("3.0 s late"));
        assert_eq!(on(OnConnection::Cut).as_deref(), Some("connection cut"));
    }
}
