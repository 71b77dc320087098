//! What a message's sender is told, and when: outcomes go to the store, reports to the sender (W9, W20 to W24).
//!
//! `news` decides whether to report now; `report` asks for the commit of what the report says; `reportable` sends it;
//! `report_ended` hears how that went; `round_failed` and `registered` deal with reports that did not arrive.

use std::time::Duration;

use super::legs::{Legs, Unsaved};
use super::notifier::{Ending, Extent};
use super::{Dispatch, Dispatches};
use crate::limits::{REPORT_GATHER, RETRY_AFTER_SECS};
use crate::machine::{Durability, Flow};
use crate::proxy::core::{Action, Core, Due};
use crate::proxy::event::ProxyEvent;
use crate::proxy::journal::{DispatchId, Write};
use crate::sip::{Aor, ReportMode};
use crate::time::Now;

/// The delay of a report for which there is no room.
const REPORT_POSTPONED: Duration = Duration::from_secs(10);
/// When writes that the store refused are offered again.
const STORE_LATER: Duration = Duration::from_secs(RETRY_AFTER_SECS as u64);

impl Dispatches {
    /// Something became known: decides whether the sender is told now, in 100 ms or not yet (W9).
    pub(crate) fn news(&mut self, core: &mut Core, id: DispatchId, now: Now) {
        let Some(dispatch) = self.all.get_mut(&id) else {
            return;
        };
        dispatch.report.begin_anew();
        if dispatch.report.is_closed() {
            dispatch.save_later(core, REPORT_GATHER, now);
            return;
        }
        match (dispatch.report.mode(), dispatch.extent()) {
            (ReportMode::None, Extent::Complete) => {
                self.close(core, id, now);
                self.save(core, id);
            }
            (ReportMode::Final | ReportMode::Each, Extent::Complete) => self.report(core, id, now),
            // Only those who wait in the mailbox are left: the sender is told once (W9).
            (ReportMode::Final, Extent::Waiting) if dispatch.report.row().cseq == 0 => {
                self.report(core, id, now);
            }
            (ReportMode::Each, Extent::Interim | Extent::Waiting) => {
                if !std::mem::replace(&mut dispatch.report.is_gathering, true) {
                    core.agenda.add(now.mono + REPORT_GATHER, Due::Gather(id));
                }
            }
            (ReportMode::Final | ReportMode::None, Extent::Interim | Extent::Waiting) => {
                dispatch.save_later(core, REPORT_GATHER, now);
            }
        }
    }

    /// Reports what is known, once that and the CSeq are on stable storage (W23); one NOTIFY at a time.
    pub(crate) fn report(&mut self, core: &mut Core, id: DispatchId, now: Now) {
        let Some(dispatch) = self.all.get_mut(&id).filter(|dispatch| !dispatch.report.is_closed()) else {
            return;
        };
        if dispatch.report.is_busy() {
            dispatch.report.has_news = true;
            // It is reported later, but written now.
            self.save(core, id);
            return;
        }
        let extent = dispatch.extent();
        if extent == Extent::Complete && dispatch.report_bytes == 0 && self.bounds.has_many_reports() {
            return self.postpone(core, id, now);
        }
        let (detail, last) = (dispatch.report.detail, dispatch.report.last());
        let (outcomes, round) =
            dispatch.legs.as_mut().map(|legs| legs.take_unsaved(Unsaved::Uncommitted)).unwrap_or_default();
        let Some(body) = dispatch.legs.as_ref().map(|legs| legs.report(detail)).or(last) else {
            return;
        };
        if !outcomes.is_empty() {
            core.write(Write::Outcomes { dispatch: id, outcomes });
        }
        self.bounds.take_report(dispatch, body.len());
        let report = dispatch.report.prepare(extent, body, now);
        if dispatch.may_be_brief {
            core.write(Write::Recall(id));
        }
        core.write(Write::Report { dispatch: id, report });
        core.promise(Action::Reportable(id, round));
    }

    /// A report and its outcomes are on stable storage, and it is sent (W23); or the store did not take it: nothing was
    /// sent, and it is tried later.
    pub(crate) fn reportable(
        &mut self,
        core: &mut Core,
        (id, round): (DispatchId, u32),
        fate: Durability,
        now: Now,
    ) {
        self.saved(core, (id, round), fate, now);
        let Some(dispatch) = self.all.get_mut(&id) else {
            return;
        };
        if fate == Durability::Lost {
            dispatch.report.put_back();
            dispatch.report.is_gathering = true;
            return core.agenda.add(now.mono + STORE_LATER, Due::Gather(id));
        }
        match dispatch.report.go(core, id, dispatch.flow, now) {
            Some(cseq) => core.tell(ProxyEvent::Reporting { dispatch: id, cseq }),
            None => self.round_failed(core, id, now),
        }
    }

    /// A NOTIFY has got its flow.
    pub(crate) fn report_ready(&self, core: &mut Core, id: DispatchId, flow: Flow, now: Now) {
        if let Some(dispatch) = self.all.get(&id) {
            dispatch.report.ready(core, id, &dispatch.to_tag, flow, now);
        }
    }

    /// A NOTIFY ended: with a final response, or without.
    pub(crate) fn report_ended(
        &mut self,
        core: &mut Core,
        id: DispatchId,
        cseq: u32,
        status: Option<u16>,
        now: Now,
    ) {
        let Some(dispatch) = self.all.get_mut(&id) else {
            return;
        };
        let is_departed = dispatch.report.is_departed();
        let ending = dispatch.report.ended(core, cseq, status, dispatch.flow, now);
        if ending.is_some() {
            let after = dispatch.report.age(now);
            core.tell(ProxyEvent::Reported { dispatch: id, cseq, status, after });
        }
        match ending {
            Some(Ending::Answered(Extent::Complete) | Ending::Unwanted) => self.close(core, id, now),
            Some(Ending::Answered(Extent::Waiting)) if is_departed => self.close(core, id, now),
            Some(Ending::Answered(Extent::Waiting)) => {
                dispatch.report.note_answered(cseq);
                dispatch.save_later(core, REPORT_GATHER, now);
                let (has_news, sender) = (dispatch.report.has_news, dispatch.report.sender.clone());
                if let Some(sender) = sender {
                    self.stop_waiting(&sender, id);
                }
                if has_news {
                    self.report(core, id, now);
                }
            }
            Some(Ending::Answered(Extent::Interim)) if dispatch.report.has_news => self.report(core, id, now),
            Some(Ending::Missed(_)) if dispatch.report.has_place(core, dispatch.flow, now) => {
                self.report(core, id, now);
            }
            Some(Ending::Missed(Extent::Waiting)) if dispatch.report.has_news => {
                self.interim_failed(core, id, now);
            }
            Some(Ending::Missed(Extent::Complete | Extent::Waiting)) => self.round_failed(core, id, now),
            Some(Ending::Missed(Extent::Interim)) => self.interim_failed(core, id, now),
            Some(Ending::Answered(Extent::Interim)) | None => {}
        }
    }

    /// A sender has just registered: sends the reports that wait for that sender (W23).
    pub(crate) fn registered(&mut self, core: &mut Core, sender: &Aor, now: Now) {
        // Signing out is a REGISTER too, but leaves no binding.
        if core.location.bindings(sender, now.mono).next().is_none() {
            return;
        }
        for id in self.waiting.remove(sender).unwrap_or_default() {
            if let Some(dispatch) = self.all.get_mut(&id) {
                dispatch.report.sender_registered();
                self.report(core, id, now);
            } else {
                self.unpark(core, id, true, now);
            }
        }
    }

    /// There is no room for a report in memory: it waits in the store for a while.
    fn postpone(&mut self, core: &mut Core, id: DispatchId, now: Now) {
        let Some(dispatch) = self.all.get_mut(&id) else { return };
        if dispatch.report.is_for_one_round() {
            return self.close(core, id, now);
        }
        let until = now.wall.plus(REPORT_POSTPONED);
        dispatch.report.postpone(until);
        let sender = dispatch.report.sender.clone();
        core.agenda.add(now.mono_at(until), Due::Round(id));
        self.wait_for(sender, id);
        self.save(core, id);
    }

    /// Restores the report of a message of which everything is known: it is owed, if one is wanted.
    pub(crate) fn complete(&mut self, core: &mut Core, id: DispatchId, now: Now) {
        let Some(dispatch) = self.all.get(&id) else {
            return;
        };
        match dispatch.report.mode() {
            ReportMode::None => self.close(core, id, now),
            ReportMode::Final | ReportMode::Each => self.report(core, id, now),
        }
    }

    /// Restores a report that waits for its sender (W23).
    pub(crate) fn wait_for(&mut self, sender: Option<Aor>, id: DispatchId) {
        if let Some(sender) = sender {
            self.waiting.entry(sender).or_default().insert(id);
        }
    }

    /// Writes now everything that waits to be written together with other things.
    pub(crate) fn save_all(&mut self, core: &mut Core) {
        let is_due = |dispatch: &Dispatch| {
            let has_outcomes = dispatch.legs.as_ref().is_some_and(|legs| legs.has_unwritten());
            dispatch.is_save_due || dispatch.report.is_unsaved || has_outcomes
        };
        let due = |dispatch: &Dispatch| is_due(dispatch).then_some(dispatch.id);
        let ids: Vec<_> = self.all.values().filter_map(due).collect();
        for id in ids {
            self.save(core, id);
        }
    }

    /// The outcomes of a round of saving are on stable storage; or their batch failed, and they will be written again.
    pub(crate) fn saved(
        &mut self,
        core: &mut Core,
        (id, round): (DispatchId, u32),
        fate: Durability,
        now: Now,
    ) {
        let Some(dispatch) = self.all.get_mut(&id) else {
            return;
        };
        if fate == Durability::Lost {
            if let Some(legs) = &mut dispatch.legs {
                legs.not_saved(round);
            }
            dispatch.report.is_unsaved = true;
            return dispatch.save_later(core, STORE_LATER, now);
        }
        if let Some(legs) = &mut dispatch.legs {
            legs.saved(round);
        }
        self.drop_done(core, id, now);
        self.retire(core, id, now);
        self.park(core, id);
    }

    /// Drops the legs once nothing needs them: every outcome is on stable storage and no branch looks for a flow.
    pub(super) fn drop_done(&mut self, core: &mut Core, id: DispatchId, now: Now) {
        let Some(dispatch) = self.all.get_mut(&id) else { return };
        let is_done = |legs: &Legs| legs.is_over() && legs.is_safe();
        let report = &dispatch.report;
        if dispatch.legs.as_deref().is_some_and(is_done) && (report.is_closed() || report.is_complete()) {
            dispatch.legs = None;
            if dispatch.report.is_closed() && !dispatch.may_be_brief {
                // The last outcome was written before it was known to be the last.
                dispatch.save_later(core, REPORT_GATHER, now);
            }
        }
    }

    /// The wait of a report is over, unless the clock was set back or the report waits for a later round.
    pub(crate) fn round(&mut self, core: &mut Core, id: DispatchId, now: Now) {
        let Some(dispatch) = self.all.get_mut(&id) else {
            return self.unpark(core, id, false, now);
        };
        match dispatch.report.row().due_at {
            Some(due) if due > now.wall => core.agenda.add(now.mono_at(due), Due::Round(id)),
            Some(_) => {
                dispatch.report.forget_places();
                self.report(core, id, now);
            }
            None => {}
        }
    }

    /// Every place has failed: the report waits for its sender to register, or for the next round (W23).
    fn round_failed(&mut self, core: &mut Core, id: DispatchId, now: Now) {
        let Some(dispatch) = self.all.get_mut(&id) else {
            return;
        };
        if dispatch.extent() == Extent::Interim {
            self.interim_failed(core, id, now);
            return;
        }
        if dispatch.report.is_for_one_round() {
            return self.close(core, id, now);
        }
        dispatch.report.wait(now);
        let Some(due) = dispatch.report.row().due_at else {
            return self.give_up(core, id, now);
        };
        dispatch.save_later(core, REPORT_GATHER, now);
        core.agenda.add(now.mono_at(due), Due::Round(id));
        let sender = dispatch.report.sender.clone();
        self.wait_for(sender, id);
    }

    /// Gives up a report that nobody took in all that time; a report on later outcomes is still owed.
    fn give_up(&mut self, core: &mut Core, id: DispatchId, now: Now) {
        let Some(dispatch) = self.all.get_mut(&id) else { return };
        if dispatch.extent() == Extent::Complete {
            return self.close(core, id, now);
        }
        dispatch.report.note_answered(dispatch.report.row().cseq);
        dispatch.save_later(core, REPORT_GATHER, now);
        if let Some(sender) = dispatch.report.sender.clone() {
            self.stop_waiting(&sender, id);
        }
    }

    /// No place took an interim report: the next report includes what it said.
    fn interim_failed(&mut self, core: &mut Core, id: DispatchId, now: Now) {
        let Some(dispatch) = self.all.get_mut(&id) else {
            return;
        };
        dispatch.report.forget_places();
        if dispatch.report.has_news {
            self.report(core, id, now);
        }
    }

    pub(super) fn close(&mut self, core: &mut Core, id: DispatchId, now: Now) {
        let Some(dispatch) = self.all.get_mut(&id).filter(|dispatch| !dispatch.report.is_closed()) else {
            return;
        };
        dispatch.report.close();
        dispatch.save_later(core, REPORT_GATHER, now);
        if self.closed.insert(id) {
            self.bounds.closed(dispatch.payer);
        }
        if let Some(sender) = dispatch.report.sender.clone() {
            self.stop_waiting(&sender, id);
        }
        core.tell(ProxyEvent::Closed { dispatch: id });
    }

    fn stop_waiting(&mut self, sender: &Aor, id: DispatchId) {
        let Some(waiting) = self.waiting.get_mut(sender) else {
            return;
        };
        waiting.remove(&id);
        if waiting.is_empty() {
            self.waiting.remove(sender);
        }
    }

    /// Writes the outcomes that no report has taken along.
    pub(crate) fn save(&mut self, core: &mut Core, id: DispatchId) {
        let Some(dispatch) = self.all.get_mut(&id) else {
            return;
        };
        dispatch.is_save_due = false;
        let legs = dispatch.legs.as_mut().filter(|legs| legs.has_unwritten());
        let (outcomes, round) = legs.map(|legs| legs.take_unsaved(Unsaved::Unwritten)).unwrap_or_default();
        let is_report_unsaved = std::mem::take(&mut dispatch.report.is_unsaved);
        if is_report_unsaved {
            core.write(Write::Report { dispatch: id, report: dispatch.report.row() });
        }
        let has_outcomes = !outcomes.is_empty();
        if has_outcomes {
            core.write(Write::Outcomes { dispatch: id, outcomes });
        }
        // With this batch the store has everything that will ever be known.
        let is_last = |legs: &Legs| legs.is_over() && legs.is_safe_with(round);
        let is_over = dispatch.report.is_closed() && dispatch.legs.as_deref().is_none_or(is_last);
        let has_changes = is_report_unsaved || has_outcomes || !dispatch.may_be_brief;
        let brief = dispatch.brief().filter(|_| is_over && has_changes);
        if let Some(row) = brief {
            dispatch.may_be_brief = true;
            core.write(Write::Remember(row));
        }
        if is_report_unsaved || has_outcomes || brief.is_some() {
            core.promise(Action::Saved(id, round));
        }
    }
}
