//! One MESSAGE to N recipients: submission, acceptance, legs, outcomes and reports.
//!
//! The story, top to bottom: [`Dispatches::submit`] takes a submission and asks for its commit;
//! [`Dispatches::accepted`] sends the 202 and starts the legs; outcomes come in through `leg_heard` and `leg_failed`.
//! `dispatch/reporting.rs` tells the sender of them, `dispatch/waiting.rs` serves those who are absent,
//! `dispatch/doubles.rs` handles repeated submissions, and `dispatch/remembered.rs` keeps what is needed of a message
//! once nothing more is owed.

pub(super) mod legs;

pub(super) mod notifier;

pub(super) mod report_entries;

pub(super) mod recipient;

pub(super) mod branch;

pub(super) mod submission;

mod departed;

mod waiting;

mod reporting;

mod remembered;

mod doubles;

mod make;

mod bounds;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use self::bounds::Bounds;
#[cfg(test)]
pub(super) use self::doubles::Original;
use self::legs::{Change, Facts, LegId, Legs, MayWait};
use self::make::make;
pub(super) use self::make::remake;
use self::notifier::{Extent, Report};
use self::remembered::Remembered;
use self::submission::Submission;
use super::core::{Action, Core, Due, Rejection};
use super::event::ProxyEvent;
use super::guard::shares::Payer;
use super::journal::{AcceptedRow, DispatchId, OutcomeRow, ReportRow, Write};
use super::transport::request_sender::{FailedRequest, FinalResponse};
use crate::limits::{DISPATCH_REMEMBERED, DISPATCHES_OPEN_MAX, MAILBOX_SECS_MAX, REPORT_GATHER};
use crate::machine::Flow;
use crate::sip::{Aor, Compose, Request, SECONDARY_TO};
use crate::time::{Now, Timestamp};
use crate::transaction::ServerKey;

/// A longer Expires is cut to this.
const EXPIRES_MAX: Duration = Duration::from_secs(MAILBOX_SECS_MAX as u64);

/// One accepted message.
#[derive(Debug)]
pub(super) struct Dispatch {
    pub(super) id: DispatchId,
    pub(super) double: u128,
    pub(super) content: u128,
    pub(super) to_tag: String,
    pub(super) accepted_at: Timestamp,
    pub(super) lifetime: Option<Duration>,
    /// Whether it may wait for absent recipients (W8).
    waits: MayWait,
    /// The times of its Expire and Forget on the agenda, needed to remove them: clocks drift, so they are kept.
    expire_at: Option<Instant>,
    forget_at: Option<Instant>,
    /// Bytes of the submission, and of its header section alone.
    bytes: usize,
    head_bytes: u32,
    /// Who is charged for it.
    payer: Payer,
    /// Who wrote it, and which identity is asserted for the sender.
    sender: Aor,
    asserted: Option<String>,
    /// The flow on which the submission, or its latest repetition, came in (W12).
    pub(super) flow: Flow,
    /// Requests whose 202 waits for the commit; `None` once that is done.
    pub(super) pending: Option<Vec<Pending>>,
    /// `None` once every outcome is on stable storage and no report needs the legs.
    pub(super) legs: Option<Box<Legs>>,
    pub(super) report: Report,
    pub(super) is_save_due: bool,
    /// Bytes of its report that count as held in memory.
    report_bytes: usize,
    /// The store was told that nothing is owed, so it may have dropped the body.
    may_be_brief: bool,
}

/// What the store knew of a message: its outcomes, and its report if one was begun.
pub(super) type StoredRows = (Vec<OutcomeRow>, Option<ReportRow>);

/// A request that waits for its 202.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) key: ServerKey,
    pub(super) request: Request,
    pub(super) flow: Flow,
}

/// All messages.
#[derive(Debug, Default)]
pub(super) struct Dispatches {
    /// Messages of which something is owed, or was a moment ago.
    all: BTreeMap<DispatchId, Dispatch>,
    doubles: BTreeMap<u128, DispatchId>,
    /// The other messages.
    remembered: Remembered,
    /// Messages whose report waits for its sender, by sender.
    waiting: BTreeMap<Aor, BTreeSet<DispatchId>>,
    last: u64,
    bounds: Bounds,
    /// Messages whose sender is owed nothing more; absent recipients may still be owed them.
    closed: BTreeSet<DispatchId>,
}

impl Dispatch {
    /// The legs, with the facts about the message that they need.
    pub(super) fn parts(&mut self) -> Option<(&mut Legs, Facts<'_>)> {
        let Self { id, to_tag, legs, sender, asserted, .. } = self;
        let facts = Facts {
            dispatch: *id,
            to_tag,
            accepted_at: self.accepted_at,
            lifetime: self.lifetime,
            mailbox: self.waits,
            bytes: self.bytes,
            sender,
            payer: self.payer,
            from: self.flow.remote.ip(),
            asserted: asserted.as_deref(),
        };
        legs.as_deref_mut().map(|legs| (legs, facts))
    }

    /// How much is known of the outcomes.
    pub(super) fn extent(&self) -> Extent {
        match &self.legs {
            Some(legs) if legs.under_way() > 0 => Extent::Interim,
            Some(legs) if legs.open() > 0 => Extent::Waiting,
            Some(_) | None => Extent::Complete,
        }
    }

    /// When it may be forgotten (W12).
    pub(super) fn keep_until(&self) -> Timestamp {
        self.accepted_at.plus(DISPATCH_REMEMBERED.max(self.lifetime.unwrap_or_default()))
    }

    fn expire_at(&mut self, core: &mut Core, at: Instant) {
        self.expire_at = Some(at);
        core.agenda.add(at, Due::Expire(self.id));
    }

    fn forget_at(&mut self, core: &mut Core, at: Instant) {
        self.forget_at = Some(at);
        core.agenda.add(at, Due::Forget(self.id));
    }

    /// How many legs are under way.
    fn under_way(&self) -> usize {
        self.legs.as_ref().map_or(0, |legs| legs.under_way())
    }

    fn save_later(&mut self, core: &mut Core, wait: Duration, now: Now) {
        if !std::mem::replace(&mut self.is_save_due, true) {
            core.agenda.add(now.mono + wait, Due::Save(self.id));
        }
    }
}

impl Dispatches {
    /// True if there is no room for another message.
    pub(super) fn is_full(&self) -> bool {
        self.open() >= DISPATCHES_OPEN_MAX || self.bounds.is_full()
    }

    /// How many messages are not closed.
    pub(super) fn open(&self) -> usize {
        self.all.len().saturating_sub(self.closed.len()) + self.remembered.owed()
    }

    /// How many recipients have no outcome.
    pub(super) const fn legs_under_way(&self) -> usize {
        self.bounds.legs_under_way()
    }

    /// True if every count is back to zero.
    #[cfg(test)]
    pub(super) fn has_nothing_under_way(&self) -> bool {
        self.open() == 0 && self.bounds.is_empty()
    }

    /// Takes a new submission. It is committed before anything is sent (W11).
    pub(super) fn submit(
        &mut self,
        core: &mut Core,
        from: (ServerKey, Flow),
        submission: Submission,
        now: Now,
    ) -> Result<(), Rejection> {
        if self.open() >= DISPATCHES_OPEN_MAX {
            return Err(Rejection::busy());
        }
        self.bounds.check(core, &submission, from.1)?;
        self.make_room(core)?;
        self.last += 1;
        let (id, (key, flow)) = (DispatchId(self.last), from);
        let row = AcceptedRow {
            id,
            key: submission.key.clone(),
            to_tag: core.random.token(16),
            accepted_at: now.wall,
            flow,
            request: submission.request.bytes().clone(),
            recipients: submission.recipients.iter().map(|person| person.place).collect(),
            lists: submission.lists.clone(),
        };
        let request = submission.to_answer().clone();
        let mut dispatch = make(core, &row, submission, None);
        dispatch.pending = Some(vec![Pending { key, request, flow }]);
        core.write(Write::Accept(row));
        core.promise(Action::Accepted(id));
        self.insert(core, dispatch, now);
        Ok(())
    }

    /// Adds a message to the tables.
    pub(super) fn insert(&mut self, core: &mut Core, mut dispatch: Dispatch, now: Now) {
        self.last = self.last.max(dispatch.id.0);
        self.bounds.take(&dispatch);
        self.doubles.insert(dispatch.double, dispatch.id);
        if dispatch.report.is_closed() {
            self.closed.insert(dispatch.id);
        } else {
            self.bounds.opened(dispatch.payer);
        }
        if let Some(lifetime) = dispatch.lifetime.filter(|_| dispatch.legs.is_some()) {
            dispatch.expire_at(core, now.mono_at(dispatch.accepted_at.plus(lifetime)));
        }
        dispatch.forget_at(core, later(dispatch.keep_until(), now));
        self.all.insert(dispatch.id, dispatch);
    }

    /// Takes a message out of the tables.
    pub(crate) fn remove(&mut self, core: &mut Core, id: DispatchId) -> Option<Dispatch> {
        let mut dispatch = self.all.remove(&id)?;
        for (at, due) in [(dispatch.expire_at, Due::Expire(id)), (dispatch.forget_at, Due::Forget(id))] {
            if let Some(at) = at {
                core.agenda.remove(at, due);
            }
        }
        if let Some((legs, facts)) = dispatch.parts() {
            legs.leave(core, facts);
        }
        if !self.closed.remove(&id) {
            self.bounds.closed(dispatch.payer);
        }
        self.bounds.give(&dispatch);
        self.doubles.remove(&dispatch.double);
        Some(dispatch)
    }

    /// The message is on stable storage: sends the 202 and starts the legs.
    pub(super) fn accepted(&mut self, core: &mut Core, id: DispatchId, now: Now) {
        let Some(dispatch) = self.all.get_mut(&id) else {
            return;
        };
        for pending in dispatch.pending.take().unwrap_or_default() {
            answer(core, &dispatch.to_tag, &pending, now);
        }
        let recipients =
            dispatch.legs.as_ref().map_or(0, |legs| u32::try_from(legs.open()).unwrap_or(u32::MAX));
        let after = now.wall.since(dispatch.accepted_at);
        core.tell(ProxyEvent::Accepted { dispatch: id, recipients, after });
        self.start(core, id, now);
    }

    /// Skips a number that was used for a message that no longer exists.
    pub(super) fn skip(&mut self, id: DispatchId) {
        self.last = self.last.max(id.0);
    }

    /// Sends to every recipient without an outcome.
    pub(super) fn start(&mut self, core: &mut Core, id: DispatchId, now: Now) {
        self.with_legs(core, id, now, |core, legs, facts| legs.start(core, facts, now));
    }

    /// The message is not on stable storage: it is refused and sent to nobody (W11).
    pub(super) fn not_accepted(&mut self, core: &mut Core, id: DispatchId, now: Now) {
        let Some(mut dispatch) = self.remove(core, id) else {
            return;
        };
        for pending in dispatch.pending.take().unwrap_or_default() {
            core.refuse(pending.key, &pending.request, pending.flow, &Rejection::busy(), now);
        }
    }

    /// A leg has got its flow.
    pub(super) fn leg_ready(&mut self, core: &mut Core, id: DispatchId, place: LegId, flow: Flow, now: Now) {
        self.with_legs(core, id, now, |core, legs, facts| legs.ready(core, facts, place, flow, now));
        self.drop_done(core, id, now);
    }

    /// The final response to a leg came.
    pub(super) fn leg_heard(
        &mut self,
        core: &mut Core,
        id: DispatchId,
        place: LegId,
        heard: FinalResponse<'_>,
        now: Now,
    ) {
        self.with_legs(core, id, now, |core, legs, facts| legs.heard(core, facts, place, heard, now));
        self.drop_done(core, id, now);
    }

    /// A leg's branch failed.
    pub(super) fn leg_failed(
        &mut self,
        core: &mut Core,
        id: DispatchId,
        place: LegId,
        failed: FailedRequest,
        now: Now,
    ) {
        self.with_legs(core, id, now, |core, legs, facts| legs.failed(core, facts, place, failed, now));
        self.drop_done(core, id, now);
    }

    /// Runs a timed task.
    pub(super) fn due(&mut self, core: &mut Core, due: Due, now: Now) {
        match due {
            Due::Save(id) => self.save(core, id),
            Due::Gather(id) => {
                if let Some(dispatch) = self.all.get_mut(&id) {
                    dispatch.report.is_gathering = false;
                    self.report(core, id, now);
                }
            }
            Due::Round(id) => self.round(core, id, now),
            Due::Again(id, recipient, branch) => {
                let place = LegId { recipient, branch };
                self.with_legs(core, id, now, |core, legs, facts| legs.again(core, facts, place, now));
            }
            Due::Visit(entry, round) => self.visit(core, (entry, round), now),
            Due::Expire(id) => self.expire(core, id, now),
            Due::Forget(id) => self.forget(core, id, now),
            Due::Tidy => self.tidy(core, now),
            Due::Shorten => self.shorten(core),
        }
    }

    /// Runs `act` on the legs of a message, then handles the outcomes that became known.
    fn with_legs(
        &mut self,
        core: &mut Core,
        id: DispatchId,
        now: Now,
        act: impl FnOnce(&mut Core, &mut Legs, Facts<'_>),
    ) {
        let Some((legs, facts)) = self.all.get_mut(&id).and_then(Dispatch::parts) else {
            return;
        };
        act(core, legs, facts);
        let change = legs.take_change();
        let Some(dispatch) = self.all.get_mut(&id) else { return };
        match change {
            Change::Nothing => {}
            Change::Unwritten => dispatch.save_later(core, REPORT_GATHER, now),
            Change::Outcomes { ended } => {
                self.bounds.end(dispatch, ended);
                self.news(core, id, now);
            }
        }
    }
}

/// That time on our clock, but later than now: a message restored from its rows may be overdue.
fn later(at: Timestamp, now: Now) -> Instant {
    now.mono_at(at).max(now.mono + Duration::from_millis(1))
}

/// Sends the 202, with the proof of W6 and always the same To tag.
fn answer(core: &mut Core, to_tag: &str, pending: &Pending, now: Now) {
    let message = Compose::response(&pending.request, 202, None, to_tag, pending.flow.remote);
    let bytes = message.field("Supported", SECONDARY_TO).finish();
    core.sender.respond(pending.key, 202, bytes, now.mono);
}
