//! Why a machine has to be called at a time: for logs, for tests, and for the simulation, which has to tell a machine
//! that only waits from one that still has something to do.

use std::fmt;

/// Why [`super::Machine::handle_timeout`] must be called. Of two at the same time the first of this list is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TimerReason {
    /// RFC 3261 §17.1.2: a request is sent again.
    TimerE,
    /// RFC 3261 §17.1.2: a final response is no longer waited for.
    TimerF,
    /// RFC 3261 §17.2.2: repeated requests are no longer absorbed.
    TimerJ,
    /// RFC 3261 §17.1.2: repeated responses are no longer absorbed.
    TimerK,
    /// A binding of the registrar expires.
    BindingEnds,
    /// A request waits for a connection or for a look-up, and gives up.
    WayNotFound,
    /// A leg that got a 482 is sent once more (W15).
    LegAgain,
    /// A message is no longer worth delivering (W8).
    MessageExpires,
    /// A message was remembered long enough (W12).
    MessageForgotten,
    /// A message of which nothing is owed loses its body in the store.
    MessageShortened,
    /// A peer that has said nothing for a while is assumed to have read what was sent to it.
    PeerSilent,
    /// A report that nobody took is sent again (W23).
    ReportAgain,
    /// The report on a sent message is no longer waited for.
    ReportWindowEnds,
    /// A flow is kept open (RFC 5626 §4.4).
    KeepAlive,
    /// A client that is offline tries to connect again.
    ConnectAgain,
    /// Outcomes gathered for a moment are reported (W9).
    OutcomesReported,
    /// Outcomes that no report took along are written.
    OutcomesWritten,
    /// A simulated person registers.
    PersonRegisters,
    /// A client refreshes its binding.
    RegistrationRefresh,
    /// The server has been silent for a while, which is told.
    SilenceTold,
    /// A simulated person sends a request again.
    PersonRepeats,
    /// A simulated person replies.
    PersonReplies,
    /// A server that said Retry-After is tried again.
    RetryAfter,
    /// An absent recipient who does not register here is tried again (W18).
    AbsentTriedAgain,
    /// Not in the RFC: a request whose owner never answered it is dropped.
    Unanswered,
    /// A client waits for a connection to its server, and gives up.
    ConnectionAwaited,
    /// A client waits for the answer to its un-registration, and gives up.
    UnregistrationAwaited,
    /// Requests that were turned away during overload are forgotten, and the load is looked at again.
    TurnedAwayForgotten,
    /// The user has typed nothing for a while: the other person is told (RFC 3994).
    TypingEnds,
    /// A message that the user wants to be sent at a time is due, or the clock is looked at for it.
    LaterMessage,
    /// What the disk did not take is written again.
    WrittenAgain,
}

impl fmt::Display for TimerReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TimerE => "Timer E",
            Self::TimerF => "Timer F",
            Self::TimerJ => "Timer J",
            Self::TimerK => "Timer K",
            Self::BindingEnds => "a binding ends",
            Self::WayNotFound => "a connection or a route is waited for",
            Self::LegAgain => "a leg is sent once more",
            Self::MessageExpires => "a message expires",
            Self::MessageForgotten => "a message is forgotten",
            Self::MessageShortened => "a message is made short in the store",
            Self::PeerSilent => "a peer has said nothing for a while",
            Self::ReportAgain => "a report is sent again",
            Self::ReportWindowEnds => "end of a report window",
            Self::KeepAlive => "keep-alive",
            Self::ConnectAgain => "next try to connect",
            Self::OutcomesReported => "outcomes are reported",
            Self::OutcomesWritten => "outcomes are written",
            Self::PersonRegisters => "register",
            Self::RegistrationRefresh => "registration refresh",
            Self::SilenceTold => "silence told",
            Self::PersonRepeats => "repeat",
            Self::PersonReplies => "reply",
            Self::RetryAfter => "server busy, Retry-After",
            Self::AbsentTriedAgain => "somebody absent is tried again",
            Self::Unanswered => "unanswered request",
            Self::ConnectionAwaited => "wait for the connection",
            Self::UnregistrationAwaited => "wait for the un-registration",
            Self::TurnedAwayForgotten => "what was turned away is forgotten",
            Self::TypingEnds => "end of typing",
            Self::LaterMessage => "a message is due",
            Self::WrittenAgain => "write again what the disk did not take",
        })
    }
}
