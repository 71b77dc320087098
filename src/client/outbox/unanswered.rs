//! Requests without an answer, and what that says about the server.

use super::ServerVerdict;
use crate::client::UserAgent;
use crate::client::agent::core::Task;
use crate::time::Now;
use crate::transaction::{Failure, Timers};

impl UserAgent {
    /// Handles transactions that failed by themselves.
    pub(crate) fn take_failures(&mut self, now: Now) {
        while let Some(failed) = self.core.transactions.poll_failed() {
            match failed.user {
                Task::Account => self.registration.unanswered(&mut self.core, now),
                // The server has just answered OPTIONS: a registrar that does not answer says nothing about it.
                Task::Realm => {
                    self.registration.realm_asked(&mut self.core);
                    continue;
                }
                Task::Offers => self.registration.offers_nothing(&mut self.core),
                Task::Submission(message, attempt) => {
                    let verdict =
                        self.outbox.unanswered(&mut self.core, (message, attempt), failed.failure, now);
                    self.apply_verdict(verdict, now);
                }
                Task::Typing(number) => self.typing.unanswered(number),
                Task::Receipt(number) => self.receipts.unanswered(number),
                Task::Single(single) => {
                    let is_elsewhere = self.outbox.is_redirected(single);
                    self.outbox.unanswered_single(&mut self.core, single, failed.failure, now);
                    // It was not our server that was asked.
                    if is_elsewhere {
                        continue;
                    }
                }
            }
            self.look_for_silence(failed.user, failed.failure, now);
        }
    }

    /// A request that another program must answer may time out while our server is fine (RFC 4320 §4.2). But if the
    /// server too has been silent since the request left, the server is down.
    fn look_for_silence(&mut self, task: Task, failure: Failure, now: Now) {
        let left_at = now.mono.checked_sub(Timers::new(self.core.profile.t1).f());
        if failure != Failure::Timeout {
            return;
        }
        if left_at.is_some_and(|left_at| self.core.server.is_silent_since(left_at)) {
            self.registration.silent(&mut self.core, now);
        } else if matches!(task, Task::Single(_)) {
            self.registration.doubt(&mut self.core, now);
        }
    }

    pub(crate) fn apply_verdict(&mut self, verdict: ServerVerdict, now: Now) {
        match verdict {
            ServerVerdict::Nothing => {}
            ServerVerdict::NoProof => self.registration.disproved(&mut self.core),
            ServerVerdict::NoLists => self.registration.lists_disproved(&mut self.core),
            ServerVerdict::Doubt => self.registration.doubt(&mut self.core, now),
            ServerVerdict::Silence => self.registration.silent(&mut self.core, now),
        }
    }
}
