//! Removed users in messages: as recipients they fail. As senders they are told once more what became of a message that
//! was under way when they were removed, over the flow on which it came; after that they get no more reports.

use std::collections::BTreeSet;

use super::notifier::Extent;
use super::{Dispatch, Dispatches};
use crate::proxy::core::{Action, Core};
use crate::proxy::event::ProxyEvent;
use crate::proxy::journal::{DispatchId, ReportRow, Write};
use crate::sip::Aor;
use crate::time::Now;

impl Dispatches {
    /// These users are gone: what waits for them fails, and of the reports owed to them only those remain whose message
    /// is under way.
    pub(crate) fn depart(&mut self, core: &mut Core, gone: &BTreeSet<Aor>, now: Now) {
        let is_open = |dispatch: &&Dispatch| dispatch.legs.is_some();
        let open: Vec<DispatchId> = self.all.values().filter(is_open).map(|dispatch| dispatch.id).collect();
        for id in open {
            self.with_legs(core, id, now, |core, legs, facts| legs.depart(core, facts, gone, now));
            self.drop_done(core, id, now);
        }
        for aor in gone {
            for id in self.waiting.remove(aor).unwrap_or_default() {
                self.disown(core, id, now);
            }
        }
        let is_owed = |dispatch: &&Dispatch| {
            let sender = dispatch.report.sender.as_ref();
            !dispatch.report.is_closed() && sender.is_some_and(|sender| gone.contains(sender))
        };
        let owed: Vec<DispatchId> = self.all.values().filter(is_owed).map(|dispatch| dispatch.id).collect();
        for id in owed {
            let Some(dispatch) = self.all.get_mut(&id) else { continue };
            // For the store it is closed: after a restart nothing is owed.
            dispatch.report.depart();
            if dispatch.extent() != Extent::Interim
                && !dispatch.report.is_busy()
                && !dispatch.report.is_gathering
            {
                self.close(core, id, now);
            }
            self.save(core, id);
        }
    }

    /// Closes the report of a message that is not in memory, in which it waits for a sender who is gone.
    fn disown(&mut self, core: &mut Core, id: DispatchId, now: Now) {
        let Some((row, payer, report)) = self.remembered.disown(id) else { return };
        self.bounds.closed(payer);
        self.remember(core, &row, now);
        let report = ReportRow { due_at: None, closed: true, ..report };
        for write in [Write::Report { dispatch: id, report }, Write::Remember(row)] {
            core.write(write.clone());
            core.promise(Action::WriteAgain(Box::new(write)));
        }
        core.tell(ProxyEvent::Closed { dispatch: id });
    }
}
