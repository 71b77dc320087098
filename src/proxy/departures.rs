//! Users who were removed (W30): nothing that was theirs is for whoever has the address next. Bindings, devices and wrong passwords
//! go; what waits in the mailbox for them fails, which its senders are told; of the reports that they are owed nobody hears.

use std::collections::BTreeSet;

use super::core::{Action, Core};
use super::dispatch::Dispatches;
use super::journal::{RemovedRow, Rows, Write};
use crate::sip::Aor;
use crate::time::Now;

/// Takes out of the rows of a store what leads to those who were removed, before anything is sent on the strength of it.
pub(super) fn leave_out(rows: &mut Rows) {
    let gone: BTreeSet<&Aor> = rows.removed.iter().map(|row| &row.aor).collect();
    rows.bindings.retain(|row| !gone.contains(&row.aor));
    rows.devices.retain(|row| !gone.contains(&row.aor));
}

/// Purges what was of those who were removed since this was done last.
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
    core.promise(Action::Purged(gone), Action::WriteAgain(Box::new(write)));
}

/// Also once the purge is committed: a REGISTER of before may have been on its way to the store.
pub(super) fn forget(core: &mut Core, gone: &BTreeSet<Aor>) {
    for aor in gone {
        core.location.forget(aor);
        let user = core.secret.user(aor);
        core.guesses.forget(user);
    }
}
