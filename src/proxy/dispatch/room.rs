//! How long messages are remembered, and how many (W12).

use std::time::Duration;

use super::{Dispatch, Dispatches};
use crate::limits::DISPATCHES_REMEMBERED_MAX;
use crate::proxy::core::{Core, Due, Rejection};
use crate::proxy::journal::{DispatchId, Write};
use crate::proxy::notifier::Extent;
use crate::time::Now;

/// A message whose time has come, and that is not over, is looked at again after this.
const FORGET_LATER: Duration = Duration::from_secs(600);

impl Dispatches {
    pub(super) fn forget(&mut self, core: &mut Core, id: DispatchId, now: Now) {
        let Some(dispatch) = self.all.get_mut(&id) else {
            return;
        };
        if !dispatch.report.is_closed() || dispatch.extent() != Extent::Complete {
            return dispatch.forget_at(core, now.mono + FORGET_LATER);
        }
        self.remove(core, id);
        core.write(Write::Forget(id));
    }

    pub(in crate::proxy) fn remove(&mut self, core: &mut Core, id: DispatchId) -> Option<Dispatch> {
        let mut dispatch = self.all.remove(&id)?;
        for (at, due) in [(dispatch.expire_at, Due::Expire(id)), (dispatch.forget_at, Due::Forget(id))] {
            if let Some(at) = at {
                core.agenda.remove(at, due);
            }
        }
        if let Some((legs, facts)) = dispatch.parts() {
            legs.leave(core, facts);
        }
        self.closed.remove(&id);
        self.bounds.give(&dispatch);
        self.doubles.remove(&dispatch.double);
        Some(dispatch)
    }

    /// What was reported on may go before its time, so that there is room to remember one more.
    pub(super) fn make_room(&mut self, core: &mut Core) -> Result<(), Rejection> {
        if self.all.len() < DISPATCHES_REMEMBERED_MAX {
            return Ok(());
        }
        // One that waits in the mailbox is older than many, and stays.
        let is_over = |id: &&DispatchId| self.all.get(id).is_some_and(|old| old.extent() == Extent::Complete);
        let Some(id) = self.closed.iter().find(is_over).copied() else {
            return Err(Rejection::busy());
        };
        self.remove(core, id);
        core.write(Write::Forget(id));
        Ok(())
    }
}
