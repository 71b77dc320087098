//! Removed users (W30): nothing of theirs is for the next owner of the address. Bindings, devices and counts of wrong
//! passwords go; mailbox messages for them fail, which the senders are told; reports owed to them are dropped.

use std::collections::BTreeSet;

use super::core::{Action, Core};
use super::dispatch::Dispatches;
use super::journal::{RemovedRow, Rows, Write};
use crate::sip::Aor;
use crate::time::Now;

/// Removes from the rows of a store what leads to removed users, before anything is sent because of it.
pub(super) fn leave_out(rows: &mut Rows) {
    let gone: BTreeSet<&Aor> = rows.removed.iter().map(|row| &row.aor).collect();
    rows.bindings.retain(|row| !gone.contains(&row.aor));
    rows.devices.retain(|row| !gone.contains(&row.aor));
}

/// Purges the data of the users removed since the last purge.
pub(super) fn purge(core: &mut Core, dispatches: &mut Dispatches, removed: &[RemovedRow], now: Now) {
    let up_to = removed.iter().map(|row| row.number).max().unwrap_or(0);
    let new = removed.iter().filter(|row| row.number > core.purged_up_to);
    let gone: BTreeSet<Aor> = new.map(|row| row.aor.clone()).collect();
    if gone.is_empty() {
        return;
    }
    core.purged_up_to = up_to;
    forget(core, &gone);
    dispatches.depart(core, &gone, now);
    let write = Write::Purge { aors: gone.iter().cloned().collect(), up_to };
    core.write(write.clone());
    core.promise(Action::Purged { gone, write: Box::new(write) });
}

/// Forgets these users again once the purge is committed: an earlier REGISTER may have been on its way to the store.
pub(super) fn forget(core: &mut Core, gone: &BTreeSet<Aor>) {
    for aor in gone {
        core.location.forget(aor);
        let user = core.secret.user(aor);
        core.guesses.forget(user);
    }
}
