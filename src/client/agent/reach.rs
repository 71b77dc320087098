//! Where a redirect may lead: no nearer to this computer than our server is, since what listens there may take us for one
//! of its own.

use std::net::IpAddr;

use crate::limits::{Interfaces, Nearness};
use crate::machine::Hop;

/// See the module documentation.
#[derive(Debug)]
pub(crate) struct Reach {
    interfaces: Interfaces,
    /// The server that we use may be no nearer than this.
    nearest: Nearness,
}

impl Default for Reach {
    fn default() -> Self {
        Self { interfaces: Interfaces::default(), nearest: Nearness::ThisComputer }
    }
}

impl Reach {
    /// The addresses of this computer's interfaces.
    pub(crate) fn set_interfaces(&mut self, addresses: &[IpAddr]) {
        self.interfaces = addresses.iter().copied().collect();
    }

    /// How near an address is.
    pub(crate) fn nearness(&self, hop: Hop) -> Nearness {
        self.interfaces.nearness(hop.remote.ip())
    }

    /// Whether our server may be there.
    pub(crate) fn has(&self, hop: Hop) -> bool {
        self.nearness(hop) >= self.nearest
    }

    /// A server that is so near sends us elsewhere. It was itself no nearer than the server that led to it.
    pub(crate) const fn led_from(&mut self, server: Nearness) {
        self.nearest = server;
    }

    /// We return to the server that the account names, wherever it is.
    pub(crate) const fn at_home(&mut self) {
        self.nearest = Nearness::ThisComputer;
    }
}
