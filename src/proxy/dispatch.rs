//! One MESSAGE to N: from the submission over its acceptance to its legs, its outcomes and its reports.
//!
//! The story, top to bottom: [`Dispatches::submit`] takes a submission and asks for its commit; [`Dispatches::accepted`] sends
//! the 202 and starts the legs; outcomes come in by `leg_heard` and `leg_failed`; what the sender is told of them stands in
//! `dispatch/reporting.rs`, what waits for the absent in `dispatch/waiting.rs`, what comes twice in
//! `dispatch/doubles.rs`, what is left of a message of which nothing is owed in `dispatch/remembered.rs`.

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
use self::legs::{Facts, LegId, Legs, MayWait};
use self::make::make;
pub(super) use self::make::remake;
use self::notifier::{Extent, Report};
use self::remembered::Remembered;
use self::submission::Submission;
use super::core::{Action, Core, Due, Rejection};
use super::event::ProxyEvent;
use super::guard::shares::Payer;
use super::journal::{AcceptedRow, DispatchId, OutcomeRow, ReportRow, Write};
use super::transport::request_sender::{Fault, User};
use crate::limits::{DISPATCH_REMEMBERED, DISPATCHES_OPEN_MAX, MAILBOX_SECS_MAX, REPORT_GATHER};
use crate::machine::Flow;
use crate::sip::{Aor, Compose, Request, Response, SECONDARY_TO};
use crate::time::{Now, Timestamp};
use crate::transaction::ServerKey;

/// No Expires counts for longer.
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
    /// Whether it may wait for the absent (W8).
    waits: MayWait,
    /// When its Expire and its Forget are due: the clocks drift, so these are kept to be taken out of the agenda.
    expire_at: Option<Instant>,
    forget_at: Option<Instant>,
    /// Bytes of the submission, and of its head alone.
    bytes: usize,
    head_bytes: u32,
    /// Who is charged for it.
    payer: Payer,
    /// Who wrote it, and what is asserted of him.
    sender: Aor,
    asserted: Option<String>,
    /// The flow that it came in on last (W12).
    pub(super) flow: Flow,
    /// Requests whose 202 waits for the commit; none once it is there.
    pub(super) pending: Option<Vec<Pending>>,
    /// None once every outcome is safe and no report needs them.
    pub(super) legs: Option<Box<Legs>>,
    pub(super) report: Report,
    pub(super) is_save_due: bool,
    /// Bytes of its report that are counted as held.
    report_bytes: usize,
    /// The store was told that nothing is owed, and may have let its body go.
    may_be_brief: bool,
}

/// What a store knew of a message: outcomes, and the report if one was begun.
pub(super) type Rows = (Vec<OutcomeRow>, Option<ReportRow>);

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
    /// Of which something is owed, or was a moment ago.
    all: BTreeMap<DispatchId, Dispatch>,
    doubles: BTreeMap<u128, DispatchId>,
    /// The others.
    remembered: Remembered,
    /// Messages whose report waits for its sender, by sender.
    waiting: BTreeMap<Aor, BTreeSet<DispatchId>>,
    last: u64,
    bounds: Bounds,
    /// Messages whose sender is owed nothing; who is absent may still be owed them.
    closed: BTreeSet<DispatchId>,
}

impl Dispatch {
    /// The legs, and what they need to know.
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
            asserted: asserted.as_deref(),
        };
        legs.as_deref_mut().map(|legs| (legs, facts))
    }

    /// How much is known.
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

    /// Legs that are under way.
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
    /// True when there is no room for any message.
    pub(super) fn is_full(&self) -> bool {
        self.open() >= DISPATCHES_OPEN_MAX || self.bounds.is_full()
    }

    /// Messages that are not closed.
    fn open(&self) -> usize {
        self.all.len().saturating_sub(self.closed.len()) + self.remembered.owed()
    }

    /// True when all is counted back to nothing.
    #[cfg(test)]
    pub(super) fn has_nothing_under_way(&self) -> bool {
        self.open() == 0 && self.bounds.is_empty()
    }

    /// Takes a new submission: it is committed first (W11).
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
        core.promise(Action::Accepted(id), Action::NotAccepted(id));
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

    /// The message is on stable storage: 202, and the legs start.
    pub(super) fn accepted(&mut self, core: &mut Core, id: DispatchId, now: Now) {
        let Some(dispatch) = self.all.get_mut(&id) else {
            return;
        };
        for pending in dispatch.pending.take().unwrap_or_default() {
            answer(core, &dispatch.to_tag, &pending, now);
        }
        let recipients =
            dispatch.legs.as_ref().map_or(0, |legs| u32::try_from(legs.open()).unwrap_or(u32::MAX));
        core.tell(ProxyEvent::Accepted { dispatch: id, recipients });
        self.start(core, id, now);
    }

    /// A number that was used, by a message that is not there.
    pub(super) fn skip(&mut self, id: DispatchId) {
        self.last = self.last.max(id.0);
    }

    /// Sends to everybody who has no outcome.
    pub(super) fn start(&mut self, core: &mut Core, id: DispatchId, now: Now) {
        self.with_legs(core, id, now, |core, legs, facts| legs.start(core, facts, now));
    }

    /// The message is not on stable storage: nothing is sent to anyone (W11).
    pub(super) fn not_accepted(&mut self, core: &mut Core, id: DispatchId, now: Now) {
        let Some(mut dispatch) = self.remove(core, id) else {
            return;
        };
        for pending in dispatch.pending.take().unwrap_or_default() {
            core.refuse(pending.key, &pending.request, pending.flow, &Rejection::busy(), now);
        }
    }

    /// A leg's flow is there.
    pub(super) fn leg_ready(&mut self, core: &mut Core, id: DispatchId, place: LegId, flow: Flow, now: Now) {
        if let Some((legs, facts)) = self.all.get_mut(&id).and_then(Dispatch::parts) {
            legs.ready(core, facts, place, flow, now);
        }
        self.drop_done(core, id, now);
    }

    /// A leg's final response came.
    pub(super) fn leg_heard(
        &mut self,
        core: &mut Core,
        id: DispatchId,
        place: LegId,
        heard: (&Response, u32),
        now: Now,
    ) {
        self.with_legs(core, id, now, |core, legs, facts| legs.heard(core, facts, place, heard, now));
        self.drop_done(core, id, now);
    }

    /// A leg's branch came to nothing.
    pub(super) fn leg_failed(
        &mut self,
        core: &mut Core,
        id: DispatchId,
        place: LegId,
        fault: (Fault, u32),
        now: Now,
    ) {
        self.with_legs(core, id, now, |core, legs, facts| legs.failed(core, facts, place, fault, now));
        self.drop_done(core, id, now);
    }

    /// Something is due.
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
            Due::Again(User::Leg { dispatch, recipient, branch }) => {
                let place = LegId { recipient, branch };
                self.with_legs(core, dispatch, now, |core, legs, facts| legs.again(core, facts, place, now));
            }
            Due::Again(User::Report { .. } | User::Relay { .. } | User::Session(_)) => {}
            Due::Visit(entry, round) => self.visit(core, (entry, round), now),
            Due::Expire(id) => self.expire(core, id, now),
            Due::Forget(id) => self.forget(core, id, now),
            Due::Tidy => self.tidy(core, now),
            Due::Shorten => self.shorten(core),
        }
    }

    /// Does something to the legs of a message, and sees what became known by it.
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
        let (open, under_way) = (legs.open(), legs.under_way());
        act(core, legs, facts);
        let (open_now, under_way_now) = (legs.open(), legs.under_way());
        let has_news = (open, under_way) != (open_now, under_way_now);
        let has_changes = legs.take_changes();
        if let Some(dispatch) = self.all.get(&id) {
            self.bounds.change(dispatch, under_way, under_way_now);
        }
        if has_news {
            self.news(core, id, now);
        } else if let Some(dispatch) = self.all.get_mut(&id).filter(|_| has_changes) {
            dispatch.save_later(core, REPORT_GATHER, now);
        }
    }
}

/// When that is on our clock, and later than now: what is made again from its rows may be older than that.
fn later(at: Timestamp, now: Now) -> Instant {
    now.mono_at(at).max(now.mono + Duration::from_millis(1))
}

/// The 202, with the proof of W6 and always the same To tag.
fn answer(core: &mut Core, to_tag: &str, pending: &Pending, now: Now) {
    let message = Compose::response(&pending.request, 202, None, to_tag, pending.flow.remote);
    let bytes = message.field("Supported", SECONDARY_TO).finish();
    core.carrier.respond(pending.key, 202, bytes, now.mono);
}
