//! Sending through a server that does not fan out but accepts a list of recipients in the body (RFC 5365, W27).
//!
//! **Invariant:** what may have left as a list is sent only as a list until its answer says that nobody got it. The way
//! of sending is stored before the message leaves, so that after a crash the same request goes to the same server,
//! whatever that server says of itself by then.

use std::collections::BTreeSet;

use super::{AttemptId, Outbox};
use crate::client::agent::core::Core;
use crate::model::journal::Way;
use crate::time::Now;

impl Outbox {
    /// This server gave no proof that it fans out: waiting attempts with several recipients go as a list if the server
    /// accepts lists, and all others one by one.
    pub(crate) fn send_without_proof(&mut self, core: &mut Core, now: Now) {
        if core.takes_lists {
            self.choose_lists();
        }
        let (lists, others) =
            self.waiting.iter().partition::<BTreeSet<AttemptId>, _>(|place| self.goes_by_list(**place));
        let (large, others_large) =
            self.large.iter().partition::<BTreeSet<AttemptId>, _>(|place| self.goes_by_list(**place));
        self.large = large;
        self.waiting = others;
        self.waiting.extend(others_large);
        self.send_one_by_one(core, now);
        let others = std::mem::replace(&mut self.waiting, lists);
        self.send_waiting(core, now);
        self.waiting.extend(others);
    }

    /// Only what has not left yet can become a list. A single recipient's own answer tells more than a list server's.
    fn choose_lists(&mut self) {
        for place in self.waiting.clone() {
            if let Some(attempt) =
                self.find_mut(place).filter(|it| it.is_queued() && it.row.recipients.len() > 1)
            {
                attempt.row.way = Way::ByList;
            }
        }
    }
}
