//! The legs that are under way at a time, and how many and how large they may be (W31): over a maximum is 503, never growth.

use std::collections::BTreeMap;

use super::Dispatch;
use crate::limits::{LEG_BYTES_OPEN_MAX, LEGS_OPEN_MAX, REPORT_BYTES_MAX};
use crate::machine::Flow;
use crate::proxy::core::{Core, Rejection};
use crate::proxy::submission::Submission;
use crate::sip::Aor;

/// See the head of this file.
#[derive(Debug, Default)]
pub(super) struct Bounds {
    legs: usize,
    /// Bytes that the legs may take, each its own copy of its message.
    bytes: usize,
    /// Legs of each sender of ours.
    users: BTreeMap<Aor, usize>,
    /// Bytes of the reports in memory.
    reports: usize,
}

impl Bounds {
    /// True when not even a message to one person fits.
    pub(super) const fn is_full(&self) -> bool {
        self.legs >= LEGS_OPEN_MAX || self.bytes >= LEG_BYTES_OPEN_MAX
    }

    /// Whether a submission fits.
    pub(super) fn check(&self, core: &Core, submission: &Submission, flow: Flow) -> Result<(), Rejection> {
        let legs = submission.recipients.len();
        let bytes = legs.saturating_mul(submission.request.bytes().len());
        let of_sender = self.users.get(&submission.sender).copied().unwrap_or(0);
        // One message alone always fits, whatever the limits are set to.
        let over = |there: usize, more: usize, max: usize| there > 0 && there.saturating_add(more) > max;
        let is_over = over(self.legs, legs, LEGS_OPEN_MAX)
            || over(self.bytes, bytes, LEG_BYTES_OPEN_MAX)
            || (over(of_sender, legs, core.config.legs_per_user_max)
                && !core.config.trusts(flow.remote.ip()));
        if is_over { Err(Rejection::busy()) } else { Ok(()) }
    }

    /// A message is there, with legs under way.
    pub(super) fn take(&mut self, dispatch: &Dispatch) {
        self.begin(dispatch, dispatch.under_way());
    }

    /// A message is gone.
    pub(super) fn give(&mut self, dispatch: &Dispatch) {
        self.end(dispatch, dispatch.under_way());
        self.reports = self.reports.saturating_sub(dispatch.report_bytes);
    }

    /// A message has a report of so many bytes: the report itself and the NOTIFY with it.
    pub(super) fn take_report(&mut self, dispatch: &mut Dispatch, bytes: usize) {
        self.reports = (self.reports + 2 * bytes).saturating_sub(dispatch.report_bytes);
        dispatch.report_bytes = 2 * bytes;
    }

    /// True when no further report should be in memory.
    pub(super) const fn has_many_reports(&self) -> bool {
        self.reports >= REPORT_BYTES_MAX
    }

    /// So many legs of a message were under way, and so many are now.
    pub(super) fn change(&mut self, dispatch: &Dispatch, before: usize, after: usize) {
        self.begin(dispatch, after.saturating_sub(before));
        self.end(dispatch, before.saturating_sub(after));
    }

    fn begin(&mut self, dispatch: &Dispatch, legs: usize) {
        self.legs += legs;
        self.bytes = self.bytes.saturating_add(legs.saturating_mul(dispatch.bytes));
        if let Some(sender) = dispatch.report.sender.as_ref().filter(|_| legs > 0) {
            *self.users.entry(sender.clone()).or_insert(0) += legs;
        }
    }

    fn end(&mut self, dispatch: &Dispatch, legs: usize) {
        self.legs = self.legs.saturating_sub(legs);
        self.bytes = self.bytes.saturating_sub(legs.saturating_mul(dispatch.bytes));
        let Some(sender) = &dispatch.report.sender else { return };
        if let Some(count) = self.users.get_mut(sender) {
            *count = count.saturating_sub(legs);
            if *count == 0 {
                self.users.remove(sender);
            }
        }
    }

    /// Bytes of legs, and of reports.
    #[cfg(test)]
    pub(in crate::proxy) const fn held(&self) -> (usize, usize) {
        (self.bytes, self.reports)
    }

    /// Everything is counted back to nothing.
    #[cfg(test)]
    pub(in crate::proxy) fn is_empty(&self) -> bool {
        self.legs == 0 && self.bytes == 0 && self.users.is_empty() && self.reports == 0
    }
}
