//! The same submission again (W12): it starts nothing, and is answered as it was the first time.

use super::submission::double_key;
use super::{Dispatches, Pending, answer};
use crate::limits::DOUBLES_WAITING_MAX;
use crate::machine::Flow;
use crate::proxy::core::{Core, Rejection};
use crate::proxy::journal::{DispatchId, Write};
use crate::sip::Request;
use crate::time::Now;

/// The message of which a submission is the double.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Original {
    /// It is there.
    Whole(DispatchId),
    /// Nothing is owed of it, and the store has the rest.
    Brief([u8; 16]),
}

impl Dispatches {
    /// The message of which a submission is the double, told without reading who it goes to (W12).
    pub(crate) fn double_of(&self, core: &Core, request: &Request) -> Option<Original> {
        let double = core.secret.double(&double_key(request, &core.domains).ok()?);
        let whole = self.doubles.get(&double).copied().map(Original::Whole);
        whole.or_else(|| self.remembered.has(double).then(|| Original::Brief(double.to_be_bytes())))
    }

    /// The same submission again: the same 202.
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
                    // The double of one that waits for its commit waits too; the row has the first flow, the memory the latest.
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

    /// The flow of a double becomes the report's, and the last report is sent again.
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
