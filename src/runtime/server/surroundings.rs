//! The network, the disk and the clock of a proxy, with the faults that a tester sets.

use crate::injection::Injection;
use crate::net::Net;
use crate::proxy::journal::Write;
use crate::random::Random;
use crate::runtime::Shell;
use crate::runtime::path_faults::{FaultyPath, PathFaults};
use crate::runtime::wire_tap::WireTap;
use crate::store::full_disk::{DiskFault, FullDisk};
use crate::store::{OpenError, ProxySchema, Store};
use crate::time::{Clock, Skew};

pub(super) type ProxyShell = Shell<Write, FaultyPath<Net>>;

/// The faults of a proxy's surroundings.
#[derive(Clone, Debug)]
pub struct ServerFaults {
    /// Those of its path.
    pub path: PathFaults,
    /// Those of its disk.
    pub disk: DiskFault,
    /// Its clock, which whoever has its skew sets.
    pub clock: Clock,
}

/// What the faults of a proxy's process act upon.
#[derive(Debug)]
pub struct Surroundings {
    faults: ServerFaults,
    skew: Skew,
}

impl Surroundings {
    /// Without faults. Call this once in a process: its clock is never freed.
    #[must_use]
    pub fn new(random: Random) -> Self {
        let (clock, skew) = Clock::with_skew();
        let (path, disk) = (PathFaults::new(random), DiskFault::default());
        Self { faults: ServerFaults { path, disk, clock }, skew }
    }

    /// Lets a fault happen.
    pub fn befall(&self, fault: &Injection) {
        match fault {
            Injection::Path { of, fault } => {
                self.faults.path.set(*of, *fault, self.faults.clock.now().mono);
            }
            Injection::Disk { is_full } => self.faults.disk.set_full(*is_full),
            Injection::Clock { ahead_ms } => self.skew.set(*ahead_ms),
            // Others carry these out.
            Injection::Person { .. } | Injection::Proxy(_) => {}
        }
    }

    /// What a server is opened to.
    #[must_use]
    pub fn faults(&self) -> ServerFaults {
        self.faults.clone()
    }

    /// What its clock is set to.
    #[must_use]
    pub const fn skew(&self) -> Skew {
        self.skew
    }
}

/// Where faults may happen, the path itself shows what passes: it alone knows what they do.
pub(super) fn shell(
    (net, clock): (Net, Clock),
    store: Store<ProxySchema>,
    wire: Option<WireTap>,
    faults: Option<ServerFaults>,
) -> Result<ProxyShell, OpenError> {
    let Some(faults) = faults else {
        let mut shell = Shell::with_store(FaultyPath::new(net, clock, None), clock, store)?;
        shell.watch(wire);
        return Ok(shell);
    };
    let path = FaultyPath::new(net, clock, Some(faults.path)).watched(wire);
    Shell::with_store(path, clock, FullDisk::new(store, faults.disk))
}
