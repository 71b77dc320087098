//! Restart: bindings and messages come back from the rows of the store, and what was under way goes on (W11, W15).

use super::Proxy;
use super::config::ProxyConfig;
use super::core::{Action, Core, Due};
use super::departures;
use super::dispatch::notifier::Extent;
use super::dispatch::{Dispatches, remake};
use super::journal::{DispatchRows, RemovedRow, Rows, Stored, Write};
use super::relay::Relays;
use super::relay::session::Sessions;
use super::routing::aliases::Aliases;
use super::secret::Secret;
use crate::limits::DEVICE_REMEMBERED;
use crate::machine::Flow;
use crate::random::Random;
use crate::time::Now;

/// A proxy that is being started: it is given the stored messages one by one.
#[derive(Debug)]
pub struct Recovery {
    proxy: Proxy,
    /// Users who were removed while the proxy did not run.
    removed: Vec<RemovedRow>,
    now: Now,
}

impl Recovery {
    /// Restores one message: recipients with an outcome are never sent to again, and owed reports are sent.
    pub fn take_up(&mut self, stored: Stored) {
        let (core, dispatches) = (&mut self.proxy.core, &mut self.proxy.dispatches);
        match stored {
            Stored::Remembered(row) => dispatches.remember(core, &row, self.now),
            Stored::Whole(rows) => take_up_whole(core, dispatches, *rows, self.now),
        }
    }

    /// All messages are restored; those that were under way go on at once.
    #[must_use]
    pub fn finish(self) -> Proxy {
        let Self { mut proxy, removed, now } = self;
        // Before anybody is called: what waits for a removed user is not for the next owner of the address.
        departures::purge(&mut proxy.core, &mut proxy.dispatches, &removed, now);
        proxy.dispatches.call_all(&mut proxy.core, now);
        proxy.settle(now);
        proxy
    }
}

impl Proxy {
    /// A proxy with everything that its store holds.
    #[must_use]
    pub fn new(config: ProxyConfig, mut rows: Rows, random: Random, now: Now) -> Self {
        let remembered = std::mem::take(&mut rows.remembered).into_iter().map(Stored::Remembered);
        let whole =
            std::mem::take(&mut rows.dispatches).into_iter().map(|rows| Stored::Whole(Box::new(rows)));
        let mut recovery = Self::recover(config, rows, random, now);
        remembered.chain(whole).for_each(|stored| recovery.take_up(stored));
        recovery.finish()
    }

    /// A proxy with everything that its store holds except the messages, which follow.
    #[must_use]
    pub fn recover(config: ProxyConfig, mut rows: Rows, mut random: Random, now: Now) -> Recovery {
        let stored = rows.secret;
        let secret = stored.unwrap_or_else(|| {
            let [low, high] = [random.bits(), random.bits()];
            ((u128::from(high) << 64) | u128::from(low)).to_le_bytes()
        });
        let core = Core::new(config, Secret::new(secret), random, now);
        let (dispatches, relays, sessions) = (Dispatches::default(), Relays::default(), Sessions::default());
        let mut proxy = Self { core, dispatches, relays, sessions };
        if stored.is_none() {
            proxy.core.write(Write::Secret(secret));
            proxy.core.promise(Action::WriteAgain(Box::new(Write::Secret(secret))));
        }
        departures::leave_out(&mut rows);
        let removed = std::mem::take(&mut rows.removed);
        put_back(&mut proxy.core, rows, now);
        Recovery { proxy, removed, now }
    }
}

/// Restores the rows that are not messages.
fn put_back(core: &mut Core, rows: Rows, now: Now) {
    core.aliases = Aliases::new(&rows.aliases);
    for mut row in rows.bindings {
        row.flow = Flow { connection: None, ..row.flow };
        if row.expires_at > now.wall {
            core.location.apply(&Write::Bind(row), now);
        } else {
            core.write(Write::Unbind { aor: row.aor, contact: row.contact });
        }
    }
    for row in rows.devices {
        if now.wall.since(row.seen_at) < DEVICE_REMEMBERED {
            core.location.apply(&Write::Device(row), now);
        } else {
            core.write(Write::ForgetDevice { aor: row.aor, instance: row.instance });
        }
    }
    core.users.replace(&rows.users);
}

fn take_up_whole(core: &mut Core, dispatches: &mut Dispatches, rows: DispatchRows, now: Now) {
    let id = rows.accepted.id;
    let Some((dispatch, _)) = remake(core, rows) else {
        // It was readable when it was accepted, so this row is from another version: nothing can be done with it.
        dispatches.skip(id);
        core.write(Write::Forget(id));
        return;
    };
    if dispatches.remember_long(core, &dispatch, now) || dispatches.park_stored(core, &dispatch, now) {
        return;
    }
    let extent = dispatch.extent();
    let (report, sender) = (dispatch.report.row(), dispatch.report.sender.clone());
    let is_told = extent == Extent::Waiting && report.cseq > 0 && report.answered == report.cseq;
    dispatches.insert(core, dispatch, now);
    dispatches.restore(core, id, now);
    match (extent, report.due_at.filter(|_| !report.closed)) {
        (Extent::Interim, _) => dispatches.start(core, id, now),
        (Extent::Waiting | Extent::Complete, Some(due)) => {
            core.agenda.add(now.mono_at(due), Due::Round(id));
            dispatches.wait_for(sender, id);
        }
        (Extent::Waiting, None) if is_told => {}
        (Extent::Waiting | Extent::Complete, None) => dispatches.complete(core, id, now),
    }
}
