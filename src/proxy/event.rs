//! What a proxy is asked by its owner, and what it tells it.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use super::config::ProxyConfig;
use super::journal::{AliasRow, DispatchId, DispatchRows, OutcomeState, RemovedRow, UserRow};
use crate::sip::Transport;

/// What the owner may ask.
#[derive(Clone, Debug)]
pub enum ProxyCommand {
    /// The process ends soon: make durable at once what is known.
    Flush,
    /// So many inputs wait to be handed over, this one apart: what is too much is refused (W13).
    InputsWaiting(usize),
    /// These addresses stand for others, and no others do (W16).
    Aliases(Arc<[AliasRow]>),
    /// These are the users, and nobody else (W30).
    Users(Arc<[UserRow]>),
    /// The answer to [`ProxyEvent::Wanted`]: what the store holds of that message; none where it cannot be read.
    Read(DispatchId, Option<Box<DispatchRows>>),
    /// The settings were read again; what can be changed while the proxy runs holds from now on ([`ProxyConfig::adopt`]).
    Settings(Box<ProxyConfig>),
    /// These were removed, whether somebody has their address again or not: what was theirs is purged (W30).
    Removed(Arc<[RemovedRow]>),
}

/// What is worth a log line, a count or a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProxyEvent {
    /// A submission's 202 leaves; it is on stable storage (W11).
    Accepted {
        /// Its number.
        dispatch: DispatchId,
        /// How many people it goes to.
        recipients: u32,
    },
    /// What became of one recipient.
    Outcome {
        /// Of which message.
        dispatch: DispatchId,
        /// Which, in the order of submission without doubles.
        recipient: u32,
        /// The end of it.
        state: OutcomeState,
        /// The SIP status that is told.
        status: u16,
    },
    /// A report leaves.
    Reporting {
        /// Of which message.
        dispatch: DispatchId,
        /// The CSeq of the NOTIFY.
        cseq: u32,
    },
    /// Nothing more is owed to the sender of a message.
    Closed {
        /// Of which message.
        dispatch: DispatchId,
    },
    /// What the store holds of this message is wanted, and is to come as [`ProxyCommand::Read`].
    Wanted {
        /// Which message.
        dispatch: DispatchId,
    },
    /// A request was refused.
    Refused {
        /// With this status.
        status: u16,
    },
    /// A refusal that the operator is to see; not each of them is told.
    Offence(Refusal),
    /// Refusals came from more sources than are told one by one.
    OffencesUntold {
        /// How many were not told since this was told last.
        count: u64,
    },
    /// More comes in than can be served: from now on some requests are turned away with 503.
    Busy,
    /// That is over; `limits::OVERLOAD_CALM` has passed without.
    Calm {
        /// How many were turned away.
        refused: u64,
    },
    /// The store did not take a batch.
    StoreFailed,
}

/// Why somebody was refused, where an operator may want to do something about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RefusalKind {
    /// A wrong password, or a user who does not exist.
    WrongPassword,
    /// Too many wrong passwords: for a while none is tried.
    LockedOut,
    /// A request to somebody elsewhere, or to several people, by one who may not.
    RelayDenied,
    /// A stranger sends more than he may, or one of ours gets more from strangers than he has to.
    RateLimited,
    /// Strangers may not write here, or not this one.
    NotAdmitted,
    /// The source, the network or the sender is banned.
    Banned,
}

impl RefusalKind {
    /// The word of the log.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::WrongPassword => "wrong-password",
            Self::LockedOut => "locked-out",
            Self::RelayDenied => "relay-denied",
            Self::RateLimited => "rate-limited",
            Self::NotAdmitted => "not-admitted",
            Self::Banned => "banned",
        }
    }
}

/// One line of the log about somebody who was refused. Its text is a promise to programs that read it
/// (docs/operating.md).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Why.
    pub kind: RefusalKind,
    /// The address from which the request came.
    pub source: IpAddr,
    /// How it came.
    pub transport: Transport,
    /// That address is known to be the sender's: a connection, or a nonce that was sent there. A datagram alone may come
    /// from anybody.
    pub is_verified: bool,
    /// How many of this kind came from there since the last line.
    pub count: u64,
    /// Whom the request names as its sender or user; nothing that is proved.
    pub who: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verified = if self.is_verified { "yes" } else { "no" };
        let transport = self.transport.as_str().to_ascii_lowercase();
        let (source, kind) = (self.source.to_canonical(), self.kind.as_str());
        write!(
            f,
            "refused source={source} kind={kind} verified={verified} transport={transport} count={} who=",
            self.count
        )?;
        // Written by a stranger: one short word of plain letters.
        for letter in self.who.chars().take(WHO_LETTERS_MAX) {
            write!(f, "{}", if letter.is_ascii_graphic() { letter } else { '?' })?;
        }
        Ok(())
    }
}

/// Letters of a name that a line of the log has.
const WHO_LETTERS_MAX: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_about_a_refusal_is_as_documented_whatever_a_stranger_calls_himself() {
        let refusal = |source: &str, who: &str| Refusal {
            kind: RefusalKind::WrongPassword,
            source: source.parse().unwrap(),
            transport: Transport::Udp,
            is_verified: true,
            count: 3,
            who: who.to_owned(),
        };
        assert_eq!(
            refusal("::ffff:192.0.2.9", "james@domain.com").to_string(),
            "refused source=192.0.2.9 kind=wrong-password verified=yes transport=udp count=3 who=james@domain.com"
        );
        let said = refusal("2001:db8::9", "a\nrefused source=192.0.2.1\u{1b}[2J\u{202e}").to_string();
        assert_eq!(
            said,
            "refused source=2001:db8::9 kind=wrong-password verified=yes transport=udp count=3 \
             who=a?refused?source=192.0.2.1?[2J?"
        );
        assert!(refusal("192.0.2.9", &"x".repeat(60_000)).to_string().len() < 300);
    }
}
