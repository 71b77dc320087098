//! How far a message has come for one recipient.

/// State of one recipient; `delivery.rs` defines which may follow which.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DeliveryState {
    /// Committed, before any byte leaves.
    Queued,
    /// Sent, no final response.
    Sending,
    /// The proxy answered 2xx: it has the message, and the report is expected.
    Accepted,
    /// The report window has passed.
    NoReport,
    /// The recipient is offline; it will be delivered later.
    Deferred,
    /// Reported as failed, or the submission was refused.
    Failed,
    /// Withdrawn while queued.
    Cancelled,
    /// Success with status 202: passed on, arrival not confirmed.
    PassedOn,
    /// Reported as delivered.
    Delivered,
    /// The recipient's program reports that it was seen (RFC 5438, W28).
    Read,
}

impl DeliveryState {
    /// The word under which the state is stored and exported; it never changes.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sending => "sending",
            Self::Accepted => "accepted",
            Self::NoReport => "no-report",
            Self::Deferred => "deferred",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::PassedOn => "passed-on",
            Self::Delivered => "delivered",
            Self::Read => "read",
        }
    }
}
