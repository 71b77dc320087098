//! Addresses that only this computer, or its link, can reach, and who may have a request sent there.

use crate::limits::Nearness;

/// Whether a request may go to an address that only this computer, or its link, can reach. What listens there often
/// trusts whoever can connect, and takes the lines of a body for commands (RFC 6890; W14).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Inner {
    /// To any: the operator named it, came from this computer, or asks nobody for a password.
    Open,
    /// To the link alone: whoever asks is on it.
    Link,
    /// To none.
    Shut,
}

impl Inner {
    /// What somebody so far away may reach.
    pub(crate) const fn seen_from(nearness: Nearness) -> Self {
        match nearness {
            Nearness::ThisComputer => Self::Open,
            Nearness::Link => Self::Link,
            Nearness::Site | Nearness::Elsewhere => Self::Shut,
        }
    }

    /// True if it may not go so near.
    pub(crate) const fn is_shut(self, nearness: Nearness) -> bool {
        match nearness {
            Nearness::ThisComputer => !matches!(self, Self::Open),
            Nearness::Link => matches!(self, Self::Shut),
            Nearness::Site | Nearness::Elsewhere => false,
        }
    }
}
