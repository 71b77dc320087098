//! How many connections the system lets this process have.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::limits::{CONNECTIONS_MAX, DESCRIPTORS_KEPT_FREE};

/// Raises the limit of open files as far as the system allows; the connections that fit under it.
pub(super) fn connections_max() -> usize {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let wanted = u64::try_from(CONNECTIONS_MAX + DESCRIPTORS_KEPT_FREE).unwrap_or(u64::MAX);
    let raised = maximum.map_or(wanted, |maximum| maximum.min(wanted));
    let mut limit = current.unwrap_or(u64::MAX);
    if limit < raised && setrlimit(Resource::Nofile, Rlimit { current: Some(raised), maximum }).is_ok() {
        limit = raised;
    }
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let connections = CONNECTIONS_MAX.min(limit.saturating_sub(DESCRIPTORS_KEPT_FREE));
    if connections < CONNECTIONS_MAX {
        tracing::info!(connections, "the system's limit of open files allows no more connections");
    }
    connections
}
