//! Limits on how many legs are under way and how large they are (W31): over a maximum is 503, never growth. Nobody gets
//! so much of that, or of the open messages, that nothing is left for others.

use super::Dispatch;
use super::submission::Submission;
use crate::limits::{
    DISPATCHES_OPEN_MAX, LEG_BYTES_OPEN_MAX, LEG_BYTES_PART, LEGS_OPEN_MAX, REPORT_BYTES_MAX, UNDER_WAY_PART,
};
use crate::machine::Flow;
use crate::proxy::core::{Core, Rejection};
use crate::proxy::guard::shares::{Amount, Payer, Shares};

const LEGS_MAX: Amount = Amount { count: LEGS_OPEN_MAX, bytes: LEG_BYTES_OPEN_MAX };
const OPEN_MAX: Amount = Amount { count: DISPATCHES_OPEN_MAX, bytes: 0 };
const ONE: Amount = Amount { count: 1, bytes: 0 };

/// See the module documentation.
#[derive(Debug, Default)]
pub(super) struct Bounds {
    /// Bytes of the legs under way; each leg counts with its own copy of the message.
    legs: Shares<Payer>,
    /// Messages in memory whose sender is owed something.
    open: Shares<Payer>,
    /// Bytes of the reports in memory.
    reports: usize,
}

impl Bounds {
    /// True if not even a message to one person fits.
    pub(super) const fn is_full(&self) -> bool {
        let all = self.legs.all();
        all.count >= LEGS_OPEN_MAX || all.bytes >= LEG_BYTES_OPEN_MAX
    }

    /// How many legs are under way.
    pub(super) const fn legs_under_way(&self) -> usize {
        self.legs.all().count
    }

    /// Checks whether a submission fits.
    pub(super) fn check(&self, core: &Core, submission: &Submission, flow: Flow) -> Result<(), Rejection> {
        let legs = submission.recipients.len();
        let bytes = legs.saturating_mul(submission.request.bytes().len());
        let all = self.legs.all();
        // One message alone always fits, whatever the configured limits.
        let over = |there: usize, more: usize, max: usize| there > 0 && there.saturating_add(more) > max;
        let is_over = over(all.count, legs, LEGS_OPEN_MAX) || over(all.bytes, bytes, LEG_BYTES_OPEN_MAX);
        let is_spared = core.config.trusts(flow);
        let payer = core.payer(&submission.sender);
        let is_greedy = || {
            let more = Amount { count: legs, bytes };
            let left = self.legs.left(more, LEGS_MAX);
            let has_share = self.legs.has_share(&payer, Amount { bytes: 0, ..more }, left, UNDER_WAY_PART)
                && self.legs.has_share(&payer, Amount { count: 0, ..more }, left, LEG_BYTES_PART);
            over(self.legs.of(&payer).count, legs, core.config.legs_per_user_max)
                || (all.count > 0 && !has_share)
                || !self.open.has_share(&payer, ONE, self.open.left(ONE, OPEN_MAX), UNDER_WAY_PART)
        };
        if is_over || (!is_spared && is_greedy()) { Err(Rejection::busy()) } else { Ok(()) }
    }

    /// Counts a message, with its legs under way.
    pub(super) fn take(&mut self, dispatch: &Dispatch) {
        self.begin(dispatch, dispatch.under_way());
    }

    /// Stops counting a message.
    pub(super) fn give(&mut self, dispatch: &Dispatch) {
        self.end(dispatch, dispatch.under_way());
        self.reports = self.reports.saturating_sub(dispatch.report_bytes);
    }

    /// Counts the bytes of a message's report: the report itself and the NOTIFY with it.
    pub(super) fn take_report(&mut self, dispatch: &mut Dispatch, bytes: usize) {
        self.reports = (self.reports + 2 * bytes).saturating_sub(dispatch.report_bytes);
        dispatch.report_bytes = 2 * bytes;
    }

    /// True if no further report should be brought into memory.
    pub(super) const fn has_many_reports(&self) -> bool {
        self.reports >= REPORT_BYTES_MAX
    }

    /// The sender of a message is owed something.
    pub(super) fn opened(&mut self, payer: Payer) {
        self.open.take(&payer, ONE);
    }

    /// The sender is no longer owed anything.
    pub(super) fn closed(&mut self, payer: Payer) {
        self.open.give(&payer, ONE);
    }

    fn begin(&mut self, dispatch: &Dispatch, legs: usize) {
        if legs > 0 {
            self.legs.take(&dispatch.payer, amount(dispatch, legs));
        }
    }

    /// So many legs of a message are no longer under way.
    pub(super) fn end(&mut self, dispatch: &Dispatch, legs: usize) {
        self.legs.give(&dispatch.payer, amount(dispatch, legs));
    }

    /// Bytes of the legs, and of the reports.
    #[cfg(test)]
    pub(crate) const fn held(&self) -> (usize, usize) {
        (self.legs.all().bytes, self.reports)
    }

    /// How many messages are charged to somebody.
    #[cfg(test)]
    pub(crate) const fn charged(&self) -> usize {
        self.open.all().count
    }

    /// True if every count is back to zero.
    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        self.legs.is_empty() && self.open.is_empty() && self.reports == 0
    }
}

const fn amount(dispatch: &Dispatch, legs: usize) -> Amount {
    Amount { count: legs, bytes: legs.saturating_mul(dispatch.bytes) }
}
