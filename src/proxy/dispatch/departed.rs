//! Removed users in messages: as recipients they fail, and as senders they get no more reports.

use std::collections::BTreeSet;

use super::{Dispatch, Dispatches};
use crate::proxy::core::Core;
use crate::proxy::journal::DispatchId;
use crate::sip::Aor;
use crate::time::Now;

impl Dispatches {
    /// These users are gone: what waits for them fails, and the reports owed to them are closed.
    pub(crate) fn depart(&mut self, core: &mut Core, gone: &BTreeSet<Aor>, now: Now) {
        let is_open = |dispatch: &&Dispatch| dispatch.legs.is_some();
        let open: Vec<DispatchId> = self.all.values().filter(is_open).map(|dispatch| dispatch.id).collect();
        for id in open {
            self.with_legs(core, id, now, |core, legs, facts| legs.depart(core, facts, gone, now));
            self.drop_done(core, id, now);
        }
        let is_owed = |dispatch: &&Dispatch| {
            let sender = dispatch.report.sender.as_ref();
            !dispatch.report.is_closed() && sender.is_some_and(|sender| gone.contains(sender))
        };
        let owed: Vec<DispatchId> = self.all.values().filter(is_owed).map(|dispatch| dispatch.id).collect();
        for id in owed {
            self.close(core, id, now);
            self.save(core, id);
        }
    }
}
