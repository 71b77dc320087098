//! Addresses that only this computer, or its link, can reach, and who may have a request sent there.

use std::net::IpAddr;

/// Whether a request may go to an address that only this computer (loopback), or its link, can reach. What listens there
/// often trusts whoever can connect, and takes the lines of a body for commands (RFC 6890; W14).
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
    /// What somebody at this address may reach.
    pub(crate) const fn seen_from(address: IpAddr) -> Self {
        if is_this_computer(address) {
            Self::Open
        } else if is_link_local(address) {
            Self::Link
        } else {
            Self::Shut
        }
    }

    /// True if it may not go to that address.
    pub(crate) const fn is_shut(self, address: IpAddr) -> bool {
        match self {
            Self::Open => false,
            Self::Link => is_this_computer(address),
            Self::Shut => is_this_computer(address) || is_link_local(address),
        }
    }
}

/// A connection to the unspecified address leads to loopback.
const fn is_this_computer(address: IpAddr) -> bool {
    let address = address.to_canonical();
    address.is_loopback() || address.is_unspecified()
}

const fn is_link_local(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    }
}
