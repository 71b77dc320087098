//! What the owner asks of a proxy, and what the proxy tells it.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::config::ProxyConfig;
use super::journal::{AliasRow, DispatchId, DispatchRows, OutcomeState, RemovedRow, UserRow};
use crate::sip::Transport;

/// What the owner may ask for.
#[derive(Clone, Debug)]
pub enum ProxyCommand {
    /// The process will end soon: make everything known durable at once.
    Flush,
    /// This many inputs wait, not counting this one: during overload, requests are refused (W13).
    InputsWaiting(usize),
    /// The complete new table of aliases and lists (W16).
    Aliases(Arc<[AliasRow]>),
    /// The complete new list of users (W30).
    Users(Arc<[UserRow]>),
    /// The answer to [`ProxyEvent::Wanted`]: what the store holds of that message; `None` if it cannot be read.
    Read(DispatchId, Option<Box<DispatchRows>>),
    /// The settings were read again; those that can change at run time take effect ([`ProxyConfig::adopt`]).
    Settings(Box<ProxyConfig>),
    /// These users were removed, even if somebody has the address again, or have a new password: what was theirs, or was
    /// registered with the former one, is purged (W30).
    Removed(Arc<[RemovedRow]>),
}

/// What is worth a log line, a counter or a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProxyEvent {
    /// A submission's 202 leaves: it is on stable storage (W11).
    Accepted {
        /// Its number.
        dispatch: DispatchId,
        /// How many recipients it has.
        recipients: u32,
        /// How long it took since it arrived: mostly the time of the disk.
        after: Duration,
    },
    /// The outcome of one recipient.
    Outcome {
        /// The message.
        dispatch: DispatchId,
        /// Which recipient, in the order of the submission without duplicates.
        recipient: u32,
        /// The outcome.
        state: OutcomeState,
        /// The SIP status that is reported.
        status: u16,
        /// How long it took since the acceptance.
        after: Duration,
        /// How many requests were sent to that recipient, retransmissions and all devices included.
        transmissions: u32,
    },
    /// A report leaves.
    Reporting {
        /// The message.
        dispatch: DispatchId,
        /// The CSeq of the NOTIFY.
        cseq: u32,
    },
    /// A report was answered, or nobody took it at that place.
    Reported {
        /// The message.
        dispatch: DispatchId,
        /// The CSeq of the NOTIFY.
        cseq: u32,
        /// The final status; none if it was not answered.
        status: Option<u16>,
        /// How long ago the first thing that it says was to be reported.
        after: Duration,
    },
    /// Nothing more is owed to the sender of a message.
    Closed {
        /// The message.
        dispatch: DispatchId,
    },
    /// The proxy needs what the store holds of this message, as [`ProxyCommand::Read`].
    Wanted {
        /// The message.
        dispatch: DispatchId,
    },
    /// A request was refused.
    Refused {
        /// The status.
        status: u16,
    },
    /// A refusal that the operator should see; not every one is told.
    Offence(Refusal),
    /// Refusals came from too many sources to be told one by one.
    OffencesUntold {
        /// How many were not told since the last such event.
        count: u64,
    },
    /// Overload has begun: some requests are turned away with 503.
    Busy,
    /// The overload is over: nothing was turned away for `limits::OVERLOAD_CALM`.
    Calm {
        /// How many were turned away.
        refused: u64,
    },
    /// The store did not take a batch.
    StoreFailed,
}

/// How much a proxy has to do at this moment; see [`super::Proxy::gauges`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gauges {
    /// Submissions whose sender is owed something.
    pub open_submissions: usize,
    /// Recipients without an outcome.
    pub legs_under_way: usize,
    /// Requests of ours that wait for a connection or a look-up.
    pub requests_waiting: usize,
    /// Messages in the mailbox, once for each absent recipient.
    pub mailbox: usize,
    /// Messages that are owed to devices which were away, once for each device.
    pub owed_to_devices: usize,
    /// Bindings of the registrar.
    pub bindings: usize,
}

/// The kinds of refusals that an operator may want to act on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RefusalKind {
    /// A wrong password, or a user who does not exist.
    WrongPassword,
    /// Too many wrong passwords: for a while, no password is accepted.
    LockedOut,
    /// A request to somebody elsewhere, or to several people, from a sender who may not do that.
    RelayDenied,
    /// A stranger sends more than allowed, or one of our users gets more from strangers than allowed.
    RateLimited,
    /// Strangers may not write here, or this one may not.
    NotAdmitted,
    /// The source, the network or the sender is banned.
    Banned,
}

impl RefusalKind {
    /// The word used in the log.
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

/// One log line about a refusal. Its format is a promise to programs that read it
/// (docs/operating.md).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The kind of refusal.
    pub kind: RefusalKind,
    /// The address from which the request came.
    pub source: IpAddr,
    /// The transport it came over.
    pub transport: Transport,
    /// Whether that address is known to be the sender's, by a connection or by a nonce that was sent there. The source
    /// of a datagram can be forged.
    pub is_verified: bool,
    /// How many of this kind came from that source since the last line.
    pub count: u64,
    /// Whom the request names as its sender or user, unproved.
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
        // Written by a stranger: reduced to one short word of plain characters.
        for letter in self.who.chars().take(WHO_LETTERS_MAX) {
            write!(f, "{}", if letter.is_ascii_graphic() { letter } else { '?' })?;
        }
        Ok(())
    }
}

/// How many characters of a name a log line has.
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
