//! The way through a server that does not fan out and takes a list of recipients in the body (RFC 5365, W27).
//!
//! **Invariant:** what may have left as a list leaves as a list ever after, until its answer says that nobody had it. By
//! which way it goes is on the disk before it leaves, so that after a crash it is the same request to the same server,
//! whatever that server says of itself by then.

use std::collections::BTreeSet;

use super::{AttemptId, Outbox};
use crate::client::agent::core::Core;
use crate::model::journal::Way;
use crate::time::Now;

impl Outbox {
    /// This server gave no proof that it fans out: what waits goes by a list, where the server takes those and it is for
    /// several people, and one by one otherwise.
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

    /// What has not left yet can leave as a list. One person has an answer of his own, which tells more.
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
