//! The same submission again (W12): it starts nothing, and is answered as it was the first time.

use super::{Dispatches, Pending, answer};
use crate::machine::Flow;
use crate::proxy::core::{Core, Rejection};
use crate::proxy::journal::{DispatchId, Write};
use crate::proxy::submission::{Submission, double_key};
use crate::sip::Request;
use crate::time::Now;

impl Dispatches {
    /// The message of which a submission is the double (W12).
    pub(in crate::proxy) fn double_of(&self, core: &Core, submission: &Submission) -> Option<DispatchId> {
        self.doubles.get(&core.secret.double(&submission.key)).copied()
    }

    /// True for the double of a message that was taken in, told without reading who it goes to (W12).
    pub(in crate::proxy) fn knows(&self, core: &Core, request: &Request) -> bool {
        double_key(request, &core.domains)
            .is_ok_and(|key| self.doubles.contains_key(&core.secret.double(&key)))
    }

    /// The same submission again: the same 202.
    pub(in crate::proxy) fn repeat(
        &mut self,
        core: &mut Core,
        id: DispatchId,
        pending: Pending,
        content: u128,
        now: Now,
    ) -> Result<(), Rejection> {
        let Some(dispatch) = self.all.get_mut(&id) else {
            return Err(Rejection::busy());
        };
        if dispatch.content != content {
            return Err(Rejection::because(400, "Same Message With Other Recipients Or Body"));
        }
        if let Some(waiting) = &mut dispatch.pending {
            // The double of one that waits for its commit waits too; the row has the first flow, the memory the latest.
            waiting.push(pending);
        } else {
            answer(core, dispatch, &pending, now);
        }
        Ok(())
    }

    /// The flow of a double becomes the report's, and the last report is sent again.
    pub(in crate::proxy) fn follow(&mut self, core: &mut Core, id: DispatchId, flow: Flow, now: Now) {
        let Some(dispatch) = self.all.get_mut(&id) else {
            return;
        };
        if dispatch.flow != flow {
            dispatch.flow = flow;
            core.write(Write::Moved { dispatch: id, flow });
        }
        let report = &mut dispatch.report;
        if dispatch.pending.is_none() && report.row().cseq > 0 && !report.is_busy() {
            self.closed.remove(&id);
            report.reopen();
            self.report(core, id, now);
        }
    }
}
