//! Messages of which nothing is owed any more (W12), and those whose report waits for its sender (W23): what tells their doubles and
//! answers them is held, and nothing else. What it takes to send a report is read back from the store when it is to be sent.

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
use crate::proxy::journal::{DispatchId, DispatchRows, RememberedRow, Tag, Write};
use crate::time::{Now, Timestamp};

/// Messages forgotten in one step, and how long after it the next step is.
const FORGOTTEN_AT_ONCE: usize = 1000;
const NEXT_STEP: Duration = Duration::from_millis(10);
/// A message whose time has come, and of which something is owed, is looked at again after this.
const FORGET_LATER: Duration = Duration::from_secs(600);
/// A report for which there is no room in memory, or that the store cannot read, is tried again after this.
const REPORT_LATER: Duration = Duration::from_secs(5);
/// Messages in one step of making them short in the store.
const SHORTENED_AT_ONCE: usize = 25;

/// What tells a double.
type Double = [u8; 16];

/// What is held of one message, by its double.
#[derive(Clone, Copy, Debug)]
struct Brief {
    id: DispatchId,
    content: [u8; 16],
    to_tag: Tag,
    keep_until: Timestamp,
    head_bytes: u32,
    is_reported: bool,
    /// A report waits for its sender: it is not forgotten before that has come to an end.
    is_owed: bool,
}

/// A message whose report waits for its sender.
#[derive(Debug)]
struct Owed {
    double: Double,
    /// Who is charged for it.
    payer: Payer,
    /// Where it was tried already though nobody knows whether that place wants it, as keyed hashes.
    probed: Vec<u128>,
}

impl Owed {
    fn of(dispatch: &Dispatch) -> Self {
        let (double, probed) = (dispatch.double.to_be_bytes(), dispatch.report.probed().to_vec());
        Self { double, payer: dispatch.payer, probed }
    }
}

/// Why the store is asked for a message.
#[derive(Clone, Copy, Debug)]
enum Why {
    /// Its double came over this flow.
    Double(Flow),
    /// It is time for the next round of its report.
    Round,
    /// The sender of a report has registered.
    Registered,
}

/// See the head of this file.
#[derive(Debug, Default)]
pub(super) struct Remembered {
    all: BTreeMap<Double, Brief>,
    /// In the order in which they are forgotten.
    order: BTreeSet<(Timestamp, Double)>,
    /// Bytes of their heads in the store.
    head_bytes: usize,
    /// Those that the store was asked for.
    wanted: BTreeMap<DispatchId, (Double, Why)>,
    /// Those whose report waits for its sender.
    owed: BTreeMap<DispatchId, Owed>,
    /// Those whose rows in the store are still whole.
    long: VecDeque<Double>,
    /// When the next one is to be forgotten, as it stands in the agenda.
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

    /// Messages whose report waits for its sender.
    pub(super) fn owed(&self) -> usize {
        self.owed.len()
    }

    /// Takes out the one that is forgotten first, if its time has come.
    fn pop(&mut self, until: Timestamp) -> Option<RememberedRow> {
        let (at, double) = self.order.first().copied()?;
        if at > until { None } else { self.remove(&double) }
    }
}

impl Dispatch {
    /// What is remembered of it once nothing is owed.
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
    /// A message's time is over: it is forgotten, unless something of it is owed still.
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

    /// A message of which nothing was owed when the last process ended.
    pub(crate) fn remember(&mut self, core: &mut Core, row: &RememberedRow, now: Now) {
        self.skip(row.id);
        self.remembered.put(row, None);
        self.tidy_by(core, later(row.keep_until, now));
    }

    /// The same, with a row in the store that is still whole: it is made short by and by. False where it has to stay whole.
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

    /// Makes the next few rows in the store short; the others follow once that is done.
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
            // What the disk does not take stays whole there until the next start.
            core.promise(Action::Shortened, Action::Nothing);
        }
    }

    /// Lets go of a message in memory when nothing is owed and the store knows that.
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

    /// Lets go of a message in memory whose report waits for its sender, when the store has all that is known of it.
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

    /// Nothing is in memory of a message but this, and its sender is charged for it all the same.
    fn owe(&mut self, row: &RememberedRow, owed: Owed) {
        self.bounds.opened(owed.payer);
        self.remembered.put(row, Some(owed));
    }

    /// The same after a start; false where it has to stay whole.
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

    /// A report that waits is to be sent, if the message is one of these.
    pub(super) fn unpark(&mut self, core: &mut Core, id: DispatchId, has_registered: bool, now: Now) {
        let Some(double) = self.remembered.owed.get(&id).map(|owed| owed.double) else { return };
        let why = if has_registered { Why::Registered } else { Why::Round };
        // Not more of them at a time than memory has room for.
        if self.bounds.has_many_reports() || !self.ask_store(core, &double, why) {
            core.agenda.add(now.mono + REPORT_LATER, Due::Round(id));
        }
    }

    /// Forgets those whose time has come, a few at a time.
    pub(super) fn tidy(&mut self, core: &mut Core, now: Now) {
        self.remembered.tidy_at = None;
        for _ in 0..FORGOTTEN_AT_ONCE {
            let Some(row) = self.remembered.pop(now.wall) else { break };
            core.write(Write::Forget(row.id));
        }
        if let Some((until, _)) = self.remembered.order.first().copied() {
            // The clock may have been set back, or there are more than one step forgets.
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

    /// What nothing is owed of may go before its time, so that there is room to remember one more.
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

    /// The double of a remembered message came over this flow: its report is sent again once the store has said what it was.
    pub(super) fn want(&mut self, core: &mut Core, double: &Double, flow: Flow) {
        if self.remembered.get(double).is_some_and(|row| row.is_reported) {
            self.ask_store(core, double, Why::Double(flow));
        }
    }

    /// False when the store is asked for too many.
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

    /// What the store holds of a message that was wanted.
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
        // Its body may be gone, so it was not read from that.
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

    /// Bytes of legs under way, and of reports.
    #[cfg(test)]
    pub(crate) const fn held(&self) -> (usize, usize) {
        self.bounds.held()
    }

    /// Messages that are charged to somebody.
    #[cfg(test)]
    pub(crate) const fn charged(&self) -> usize {
        self.bounds.charged()
    }

    /// Messages in memory as a whole, messages remembered, and the bytes of their heads in the store.
    #[cfg(test)]
    pub(crate) fn sizes(&self) -> (usize, usize, usize) {
        (self.all.len(), self.remembered.len(), self.remembered.head_bytes)
    }

    /// Bytes of the entries of one remembered message, without what the trees need around them.
    #[cfg(test)]
    pub(crate) const fn bytes_remembered() -> usize {
        2 * size_of::<Double>() + size_of::<Brief>() + size_of::<Timestamp>()
    }
}

fn bytes(count: u32) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}
