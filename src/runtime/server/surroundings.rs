//! The network, the disk and the clock of a proxy, with the faults that a tester sets.

use crate::net::Net;
use crate::proxy::journal::Write;
use crate::runtime::Shell;
use crate::runtime::path_faults::{FaultyPath, PathFaults};
use crate::runtime::wire_tap::WireTap;
use crate::store::full_disk::{DiskFault, FullDisk};
use crate::store::{OpenError, ProxySchema, Store};
use crate::time::Clock;

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
