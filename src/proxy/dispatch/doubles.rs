//! Repeated submissions (W12): a repetition starts nothing, and gets the same answer as the first time.

use super::submission::double_key;
use super::{Dispatches, Pending, answer};
use crate::limits::DOUBLES_WAITING_MAX;
use crate::machine::Flow;
use crate::proxy::core::{Core, Rejection};
use crate::proxy::journal::{DispatchId, Write};
use crate::sip::Request;
use crate::time::Now;

/// The message that a submission repeats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Original {
    /// It is in memory.
    Whole(DispatchId),
    /// Nothing is owed of it; the rest is in the store.
    Brief([u8; 16]),
}

impl Dispatches {
    /// The message that a submission repeats, found without reading its recipients (W12).
    pub(crate) fn double_of(&self, core: &Core, request: &Request) -> Option<Original> {
        let double = core.secret.double(&double_key(request, &core.domains).ok()?);
        let whole = self.doubles.get(&double).copied().map(Original::Whole);
        whole.or_else(|| self.remembered.has(double).then(|| Original::Brief(double.to_be_bytes())))
    }

    /// Answers a repeated submission with the same 202.
    pub(crate) fn repeat(
        &mut self,
        core: &mut Core,
        known: Original,
        pending: Pending,
        content: u128,
        now: Now,
    ) -> Result<(), Rejection> {
        match known {
            Original::Whole(id) => {
                let Some(dispatch) = self.all.get_mut(&id) else {
                    return Err(Rejection::busy());
                };
                check(dispatch.content, content)?;
                if let Some(waiting) = &mut dispatch.pending {
                    if waiting.len() >= DOUBLES_WAITING_MAX {
                        return Err(Rejection::busy());
                    }
                    // If the first still waits for its commit, this waits too.
                    // The row has the first flow, memory the latest.
                    waiting.push(pending);
                } else {
                    answer(core, &dispatch.to_tag, &pending, now);
                }
            }
            Original::Brief(double) => {
                let Some(row) = self.remembered.get(&double) else {
                    return Err(Rejection::busy());
                };
                check(u128::from_be_bytes(row.content), content)?;
                answer(core, row.to_tag.as_str(), &pending, now);
            }
        }
        Ok(())
    }

    /// Uses the flow of a repeated submission for the report from now on, and sends the last report again.
    pub(crate) fn follow(&mut self, core: &mut Core, known: Original, flow: Flow, now: Now) {
        let id = match known {
            Original::Whole(id) => id,
            Original::Brief(double) => return self.want(core, &double, flow),
        };
        let Some(dispatch) = self.all.get_mut(&id) else {
            return;
        };
        if dispatch.flow != flow {
            dispatch.flow = flow;
            core.write(Write::Moved { dispatch: id, flow });
        }
        let report = &mut dispatch.report;
        if dispatch.pending.is_none() && report.row().cseq > 0 && !report.is_busy() {
            if self.closed.remove(&id) {
                self.bounds.opened(dispatch.payer);
            }
            report.reopen();
            self.report(core, id, now);
        }
    }
}

fn check(known: u128, content: u128) -> Result<(), Rejection> {
    if known == content {
        Ok(())
    } else {
        Err(Rejection::because(400, "Same Message With Other Recipients Or Body"))
    }
}
