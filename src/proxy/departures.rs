//! What was taken from users outside of the proxy (W30).
//!
//! Of a removed user nothing is for the next owner of the address. Bindings, devices and counts of wrong passwords go;
//! mailbox messages for them fail, which the senders are told; reports owed to them are dropped.
//!
//! Who has a new password is signed out everywhere: bindings go, as whoever knows the former password may have made them.
//! Devices stay known, and messages wait for them until they sign in with the new one.

use std::collections::BTreeSet;

use super::core::{Action, Core};
use super::dispatch::Dispatches;
use super::journal::{RemovedPart, RemovedRow, Rows, Write};
use crate::sip::Aor;
use crate::time::Now;

/// Removes from the rows of a store what the orders take, before anything is sent because of it.
pub(super) fn leave_out(rows: &mut Rows) {
    let all: BTreeSet<&Aor> = rows.removed.iter().map(|row| &row.aor).collect();
    let gone = with_part(&rows.removed, RemovedPart::User);
    rows.bindings.retain(|row| !all.contains(&row.aor));
    rows.devices.retain(|row| !gone.contains(&row.aor));
}

/// Carries out the orders that came since the last time.
pub(super) fn purge(core: &mut Core, dispatches: &mut Dispatches, removed: &[RemovedRow], now: Now) {
    let up_to = removed.iter().map(|row| row.number).max().unwrap_or(0);
    let new: Vec<RemovedRow> = removed.iter().filter(|row| row.number > core.purged_up_to).cloned().collect();
    if new.is_empty() {
        return;
    }
    core.purged_up_to = up_to;
    let gone = with_part(&new, RemovedPart::User);
    let signed_out = with_part(&new, RemovedPart::Bindings);
    forget(core, &gone, &signed_out);
    dispatches.depart(core, &gone, now);
    let [aors, out] = [&gone, &signed_out].map(|aors| aors.iter().cloned().collect());
    let write = Write::Purge { aors, signed_out: out, up_to };
    core.write(write.clone());
    core.promise(Action::Purged { gone, signed_out, write: Box::new(write) });
}

/// Forgets these users once more when the fate of the purge is known: an earlier REGISTER may have been on its way to the
/// store.
pub(super) fn forget(core: &mut Core, gone: &BTreeSet<Aor>, signed_out: &BTreeSet<Aor>) {
    for aor in gone {
        core.location.forget(aor);
        let user = core.secret.user(aor);
        core.guesses.forget(user);
    }
    for aor in signed_out {
        core.location.unbind_all(aor);
    }
}

fn with_part(removed: &[RemovedRow], part: RemovedPart) -> BTreeSet<Aor> {
    removed.iter().filter(|row| row.what == part).map(|row| row.aor.clone()).collect()
}
