//! Messages of which nothing is owed any more (W12), and those whose report waits for its sender (W23). Memory holds
//! only what recognises and answers a repetition; what a report needs is read back from the store.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use super::doubles::Original;
use super::legs::Legs;
use super::notifier::Extent;
use super::{Dispatch, Dispatches, later};
use crate::limits::{DISPATCHES_REMEMBERED_MAX, DISPATCHES_WANTED_MAX, REMEMBERED_BYTES_MAX};
use crate::machine::Flow;
use crate::proxy::core::{Action, Core, Due, Rejection};
use crate::proxy::event::ProxyEvent;
use crate::proxy::guard::shares::Payer;
use crate::proxy::journal::{DispatchId, DispatchRows, RememberedRow, ReportRow, Tag, Write};
use crate::time::{Now, Timestamp};

/// How many messages are forgotten in one step, and how soon the next step follows.
const FORGOTTEN_AT_ONCE: usize = 1000;
const NEXT_STEP: Duration = Duration::from_millis(10);
/// When an expired message of which something is owed is looked at again.
const FORGET_LATER: Duration = Duration::from_secs(600);
/// When a report is tried again that found no room in memory or that the store could not read.
const REPORT_LATER: Duration = Duration::from_secs(5);
/// How many messages are shortened in the store in one step.
const SHORTENED_AT_ONCE: usize = 25;

/// The hash by which a repetition is recognised.
type Double = [u8; 16];

/// What is held of one message.
#[derive(Clone, Copy, Debug)]
struct Brief {
    id: DispatchId,
    content: [u8; 16],
    to_tag: Tag,
    keep_until: Timestamp,
    head_bytes: u32,
    is_reported: bool,
    /// A report waits for its sender: until that has ended, the message is not forgotten.
    is_owed: bool,
}

/// A message whose report waits for its sender.
#[derive(Debug)]
struct Owed {
    double: Double,
    /// Who is charged for it.
    payer: Payer,
    /// Places where it was tried though they may not have asked for it, as keyed hashes.
    probed: Vec<u128>,
    report: ReportRow,
}

impl Owed {
    fn of(dispatch: &Dispatch) -> Self {
        let (double, probed) = (dispatch.double.to_be_bytes(), dispatch.report.probed().to_vec());
        Self { double, payer: dispatch.payer, probed, report: dispatch.report.row() }
    }
}

/// Why the store is asked for a message.
#[derive(Clone, Copy, Debug)]
enum Why {
    /// It was repeated over this flow.
    Double(Flow),
    /// The next round of its report is due.
    Round,
    /// The sender to whom the report is owed has registered.
    Registered,
}

/// See the module documentation.
#[derive(Debug, Default)]
pub(super) struct Remembered {
    all: BTreeMap<Double, Brief>,
    /// The messages in the order in which they are forgotten.
    order: BTreeSet<(Timestamp, Double)>,
    /// Bytes that their header sections take in the store.
    head_bytes: usize,
    /// Messages that the store was asked for.
    wanted: BTreeMap<DispatchId, (Double, Why)>,
    /// Messages whose report waits for its sender.
    owed: BTreeMap<DispatchId, Owed>,
    /// Messages whose rows in the store are not shortened yet.
    long: VecDeque<Double>,
    /// When the next message is to be forgotten, as put on the agenda.
    tidy_at: Option<Instant>,
}

impl Remembered {
    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    pub(super) fn has(&self, double: u128) -> bool {
        self.all.contains_key(&double.to_be_bytes())
    }

    pub(super) fn get(&self, double: &Double) -> Option<RememberedRow> {
        let Brief { id, content, to_tag, keep_until, head_bytes, is_reported, .. } = *self.all.get(double)?;
        Some(RememberedRow { id, double: *double, content, to_tag, is_reported, head_bytes, keep_until })
    }

    fn put(&mut self, row: &RememberedRow, owed: Option<Owed>) {
        let RememberedRow { id, double, content, to_tag, is_reported, head_bytes, keep_until } = *row;
        self.remove(&double);
        let is_owed = owed.is_some();
        self.all.insert(double, Brief { id, content, to_tag, keep_until, head_bytes, is_reported, is_owed });
        if let Some(owed) = owed {
            self.owed.insert(id, owed);
        } else {
            self.order.insert((keep_until, double));
            self.head_bytes = self.head_bytes.saturating_add(bytes(head_bytes));
        }
    }

    fn remove(&mut self, double: &Double) -> Option<RememberedRow> {
        let row = self.get(double)?;
        if self.all.remove(double).is_some_and(|brief| brief.is_owed) {
            self.owed.remove(&row.id);
        } else {
            self.order.remove(&(row.keep_until, *double));
            self.head_bytes = self.head_bytes.saturating_sub(bytes(row.head_bytes));
        }
        Some(row)
    }

    /// How many messages have a report that waits for its sender.
    pub(super) fn owed(&self) -> usize {
        self.owed.len()
    }

    /// Stops owing the report of a message; returns what is remembered of it, who was charged, and the report's row.
    pub(super) fn disown(&mut self, id: DispatchId) -> Option<(RememberedRow, Payer, ReportRow)> {
        let (double, payer, report) =
            self.owed.get(&id).map(|owed| (owed.double, owed.payer, owed.report))?;
        self.remove(&double).map(|row| (row, payer, report))
    }

    /// Removes the message that is forgotten first, if its time has come.
    fn pop(&mut self, until: Timestamp) -> Option<RememberedRow> {
        let (at, double) = self.order.first().copied()?;
        if at > until { None } else { self.remove(&double) }
    }
}

impl Dispatch {
    /// What is remembered of a message once nothing is owed.
    pub(super) fn brief(&self) -> Option<RememberedRow> {
        Some(RememberedRow {
            id: self.id,
            double: self.double.to_be_bytes(),
            content: self.content.to_be_bytes(),
            to_tag: Tag::new(&self.to_tag)?,
            is_reported: self.report.row().cseq > 0,
            head_bytes: self.head_bytes,
            keep_until: self.keep_until(),
        })
    }
}

impl Dispatches {
    /// Forgets a message whose time is over, unless something of it is still owed.
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

    /// Restores a message of which nothing was owed when the last process ended.
    pub(crate) fn remember(&mut self, core: &mut Core, row: &RememberedRow, now: Now) {
        self.skip(row.id);
        self.remembered.put(row, None);
        self.tidy_by(core, later(row.keep_until, now));
    }

    /// The same for a message whose row is not shortened yet, which is done by and by; false if it must stay whole.
    pub(crate) fn remember_long(&mut self, core: &mut Core, dispatch: &Dispatch, now: Now) -> bool {
        if !dispatch.report.is_closed() || dispatch.legs.is_some() {
            return false;
        }
        let Some(row) = dispatch.brief() else { return false };
        if self.remembered.long.is_empty() {
            core.agenda.add(now.mono + NEXT_STEP, Due::Shorten);
        }
        self.remembered.long.push_back(row.double);
        self.remember(core, &row, now);
        true
    }

    /// Shortens the next few rows in the store; the others follow once that is done.
    pub(crate) fn shorten(&mut self, core: &mut Core) {
        let mut count = 0;
        while count < SHORTENED_AT_ONCE
            && let Some(double) = self.remembered.long.pop_front()
        {
            if let Some(row) = self.remembered.get(&double) {
                core.write(Write::Remember(row));
                count += 1;
            }
        }
        if count > 0 {
            core.promise(Action::Shortened);
        }
    }

    /// Drops a message from memory once nothing is owed and the store knows that.
    pub(super) fn retire(&mut self, core: &mut Core, id: DispatchId, now: Now) {
        let Some(dispatch) = self.all.get(&id) else { return };
        let is_over = dispatch.may_be_brief
            && dispatch.report.is_closed()
            && !dispatch.report.is_busy()
            && !dispatch.report.is_unsaved
            && !dispatch.is_save_due
            && dispatch.legs.is_none()
            && dispatch.pending.is_none();
        if let Some(row) = dispatch.brief().filter(|_| is_over) {
            self.remove(core, id);
            self.remember(core, &row, now);
        }
    }

    /// Drops a message from memory whose report waits for its sender, once the store has all that is known of it.
    pub(super) fn park(&mut self, core: &mut Core, id: DispatchId) {
        let Some(dispatch) = self.all.get(&id) else { return };
        let is_safe = |legs: &Legs| legs.is_over() && legs.is_safe();
        let waits = dispatch.report.is_waiting()
            && !dispatch.report.is_unsaved
            && !dispatch.is_save_due
            && dispatch.extent() == Extent::Complete
            && dispatch.legs.as_deref().is_none_or(is_safe)
            && dispatch.pending.is_none();
        if let Some(row) = dispatch.brief().filter(|_| waits) {
            let owed = Owed::of(dispatch);
            self.remove(core, id);
            self.owe(&row, owed);
        }
    }

    /// Keeps only this of a message in memory; its sender is still charged for it.
    fn owe(&mut self, row: &RememberedRow, owed: Owed) {
        self.bounds.opened(owed.payer);
        self.remembered.put(row, Some(owed));
    }

    /// The same after a restart; false if the message must stay whole.
    pub(crate) fn park_stored(&mut self, core: &mut Core, dispatch: &Dispatch, now: Now) -> bool {
        let due = dispatch.report.row().due_at.filter(|_| dispatch.report.is_waiting());
        let is_over = dispatch.extent() == Extent::Complete && dispatch.legs.is_none();
        let (Some(due), Some(row), true) = (due, dispatch.brief(), is_over) else { return false };
        self.skip(row.id);
        self.owe(&row, Owed::of(dispatch));
        core.agenda.add(now.mono_at(due), Due::Round(row.id));
        self.wait_for(dispatch.report.sender.clone(), row.id);
        true
    }

    /// Brings a message back to send its waiting report, if it is one of these.
    pub(super) fn unpark(&mut self, core: &mut Core, id: DispatchId, has_registered: bool, now: Now) {
        let Some(double) = self.remembered.owed.get(&id).map(|owed| owed.double) else { return };
        let why = if has_registered { Why::Registered } else { Why::Round };
        // No more of them at a time than memory has room for.
        if self.bounds.has_many_reports() || !self.ask_store(core, &double, why) {
            core.agenda.add(now.mono + REPORT_LATER, Due::Round(id));
        }
    }

    /// Forgets the messages whose time has come, a few at a time.
    pub(super) fn tidy(&mut self, core: &mut Core, now: Now) {
        self.remembered.tidy_at = None;
        for _ in 0..FORGOTTEN_AT_ONCE {
            let Some(row) = self.remembered.pop(now.wall) else { break };
            core.write(Write::Forget(row.id));
        }
        if let Some((until, _)) = self.remembered.order.first().copied() {
            // The clock may have been set back, or more are due than one step forgets.
            self.tidy_by(core, now.mono_at(until).max(now.mono + NEXT_STEP));
        }
    }

    fn tidy_by(&mut self, core: &mut Core, at: Instant) {
        match self.remembered.tidy_at {
            Some(planned) if planned <= at => return,
            Some(planned) => core.agenda.remove(planned, Due::Tidy),
            None => {}
        }
        self.remembered.tidy_at = Some(at);
        core.agenda.add(at, Due::Tidy);
    }

    /// Forgets messages of which nothing is owed before their time, so that one more can be remembered.
    pub(super) fn make_room(&mut self, core: &mut Core) -> Result<(), Rejection> {
        for _ in 0..FORGOTTEN_AT_ONCE {
            let is_full = self.all.len() + self.remembered.len() >= DISPATCHES_REMEMBERED_MAX
                || self.remembered.head_bytes >= REMEMBERED_BYTES_MAX;
            if !is_full {
                return Ok(());
            }
            let Some(row) = self.remembered.pop(Timestamp::from_millis(u64::MAX)) else { break };
            core.write(Write::Forget(row.id));
        }
        if self.all.len() < DISPATCHES_REMEMBERED_MAX { Ok(()) } else { Err(Rejection::busy()) }
    }

    /// A remembered message was repeated over this flow: its report is sent again once the store has returned it.
    pub(super) fn want(&mut self, core: &mut Core, double: &Double, flow: Flow) {
        if self.remembered.get(double).is_some_and(|row| row.is_reported) {
            self.ask_store(core, double, Why::Double(flow));
        }
    }

    /// Asks the store for a message; false if too many are asked for already.
    fn ask_store(&mut self, core: &mut Core, double: &Double, why: Why) -> bool {
        let Some(row) = self.remembered.get(double) else { return true };
        let wanted = &mut self.remembered.wanted;
        if !wanted.contains_key(&row.id) && wanted.len() >= DISPATCHES_WANTED_MAX {
            return false;
        }
        if wanted.insert(row.id, (*double, why)).is_none() {
            core.tell(ProxyEvent::Wanted { dispatch: row.id });
        }
        true
    }

    /// Takes what the store holds of a requested message.
    pub(crate) fn read(&mut self, core: &mut Core, id: DispatchId, rows: Option<DispatchRows>, now: Now) {
        let Some((double, why)) = self.remembered.wanted.remove(&id) else { return };
        let Some(row) = self.remembered.get(&double).filter(|row| row.id == id) else { return };
        let is_owed = self.remembered.owed.contains_key(&id);
        let made =
            rows.and_then(|rows| super::remake(core, rows)).map(|(dispatch, _)| dispatch).filter(|made| {
                made.extent() == Extent::Complete && made.legs.is_none() && made.report.is_closed() != is_owed
            });
        let Some(mut dispatch) = made else {
            if is_owed {
                core.agenda.add(now.mono + REPORT_LATER, Due::Round(id));
            }
            return;
        };
        // The body may be gone from the store, so take the stored hash.
        dispatch.content = u128::from_be_bytes(row.content);
        dispatch.may_be_brief = !is_owed;
        if let Some(owed) = self.remembered.owed.get_mut(&id) {
            self.bounds.closed(owed.payer);
            dispatch.report.recall_probed(std::mem::take(&mut owed.probed));
        }
        self.remembered.remove(&double);
        match why {
            Why::Round => dispatch.report.forget_places(),
            Why::Registered => dispatch.report.sender_registered(),
            Why::Double(_) => {}
        }
        self.insert(core, dispatch, now);
        match why {
            Why::Double(flow) => self.follow(core, Original::Whole(id), flow, now),
            Why::Round | Why::Registered => self.report(core, id, now),
        }
    }

    /// Bytes of the legs under way, and of the reports.
    #[cfg(test)]
    pub(crate) const fn held(&self) -> (usize, usize) {
        self.bounds.held()
    }

    /// How many messages are charged to somebody.
    #[cfg(test)]
    pub(crate) const fn charged(&self) -> usize {
        self.bounds.charged()
    }

    /// Whole messages in memory, messages remembered, and the bytes of their header sections in the store.
    #[cfg(test)]
    pub(crate) fn sizes(&self) -> (usize, usize, usize) {
        (self.all.len(), self.remembered.len(), self.remembered.head_bytes)
    }

    /// Bytes of the entries of one remembered message, without the overhead of the trees.
    #[cfg(test)]
    pub(crate) const fn bytes_remembered() -> usize {
        2 * size_of::<Double>() + size_of::<Brief>() + size_of::<Timestamp>()
    }
}

fn bytes(count: u32) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}
