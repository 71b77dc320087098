//! One forwarded request, and where it has gone: a [`Branch`] for each target, and what has come back from
//! all of them (RFC 3261 §16.6, §16.7; W15, W16, W18).

use std::time::{Duration, Instant};

use super::carrier::Fault;
use crate::limits::{REDIRECT_STEPS_MAX, REDIRECT_TARGETS_MAX};
use crate::sip::{Contacts, Response, Uri, reason_phrase};

/// A response that counts, or what stands for one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) reason: String,
}

/// One forwarded request to one binding or next hop.
#[derive(Debug)]
pub(super) struct Branch {
    pub(super) uri: Uri,
    /// Redirects that led here.
    steps: u8,
    state: BranchState,
    /// Sent once more after a 482.
    is_again: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum BranchState {
    /// For a flow.
    Looking,
    Sent,
    Over,
}

/// All branches of one request.
#[derive(Debug, Default)]
pub(super) struct Fork {
    branches: Vec<Branch>,
    /// With its rank, lowest best.
    best: Option<(u8, Answer)>,
    /// Transmissions of the branches that are over.
    pub(super) tries: u32,
    /// When the first transmission was, from which the deadline counts (W17).
    first_sent: Option<Instant>,
    /// Taken up after a crash: it may have been sent before.
    is_resumed: bool,
}

/// What a final response means for a leg.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It arrived.
    Delivered(Answer),
    /// It is to be tried at these, best first; the step to count is given.
    Redirected(Vec<Uri>, u8),
    /// It had arrived before: once more after Timer J (W15).
    Merged,
    /// This branch has failed.
    Over,
}

impl Answer {
    pub(super) fn of(response: &Response) -> Self {
        Self { status: response.status(), reason: response.reason().to_owned() }
    }

    pub(super) fn standard(status: u16) -> Self {
        Self { status, reason: reason_phrase(status).to_owned() }
    }

    /// What is told of a branch without a response (W18).
    pub(super) fn to_fault(fault: Fault) -> Self {
        match fault {
            Fault::Timeout => Self::standard(408),
            Fault::Transport => Self::standard(503),
            Fault::NoRoute => Self { status: 503, reason: "No Route".to_owned() },
        }
    }
}

impl Fork {
    pub(super) fn new(is_resumed: bool) -> Self {
        Self { is_resumed, ..Self::default() }
    }

    /// A branch to `uri` after `steps` redirects; none to where it has gone before (W18: each once).
    pub(super) fn add(&mut self, uri: &Uri, steps: u8) -> Option<u32> {
        if self.branches.iter().any(|branch| branch.uri.same_as(uri)) {
            return None;
        }
        self.push(Branch { uri: uri.clone(), steps, state: BranchState::Looking, is_again: false })
    }

    /// The same target as `branch` once more.
    pub(super) fn add_again(&mut self, branch: u32) -> Option<u32> {
        let old = self.get_mut(branch)?;
        old.state = BranchState::Over;
        let again =
            Branch { uri: old.uri.clone(), steps: old.steps, state: BranchState::Looking, is_again: true };
        self.first_sent = None;
        self.push(again)
    }

    pub(super) fn uri(&self, branch: u32) -> Option<&Uri> {
        self.branches.get(usize::try_from(branch).ok()?).map(|branch| &branch.uri)
    }

    /// When this request ends if it is sent at `now`: one `span` after its first transmission (W17).
    pub(super) fn deadline(&mut self, now: Instant, span: Duration) -> Instant {
        *self.first_sent.get_or_insert(now) + span
    }

    /// A branch is with the transactions.
    pub(super) fn sent(&mut self, branch: u32) {
        if let Some(this) = self.get_mut(branch).filter(|this| this.state == BranchState::Looking) {
            this.state = BranchState::Sent;
        }
    }

    /// True while a branch has no flow yet.
    pub(super) fn is_looking(&self) -> bool {
        self.branches.iter().any(|branch| branch.state == BranchState::Looking)
    }

    /// How long a branch may look for a flow.
    pub(super) fn look_until(&self, now: Instant, span: Duration) -> Instant {
        self.first_sent.unwrap_or(now) + span
    }

    /// Room for redirects (W18).
    pub(super) fn has_room(&self) -> bool {
        self.branches.len() < REDIRECT_TARGETS_MAX
    }

    /// What a final response to a branch means; a branch that is over has no say any more.
    pub(super) fn judge(&mut self, branch: u32, response: &Response, transmissions: u32) -> Verdict {
        let may_be_repeat = self.is_resumed || self.branches.len() > 1;
        let Some(this) = self.get_mut(branch).filter(|this| this.state != BranchState::Over) else {
            return Verdict::Over;
        };
        let (steps, is_again) = (this.steps, this.is_again);
        match response.status() {
            200..300 => {
                self.close(branch, None, transmissions);
                Verdict::Delivered(Answer::of(response))
            }
            // The words of W15: it had arrived. What refuses the repeat knows it still.
            482 if is_again => {
                self.close(branch, None, transmissions);
                Verdict::Delivered(Answer::standard(200))
            }
            482 if may_be_repeat => {
                self.tries += transmissions;
                Verdict::Merged
            }
            300..400 if steps < REDIRECT_STEPS_MAX && !contacts(response).is_empty() => {
                // Followed, it counts only where it led nowhere new.
                self.close(branch, None, transmissions);
                self.best.get_or_insert_with(|| (u8::MAX, Answer::of(response)));
                Verdict::Redirected(contacts(response), steps + 1)
            }
            _ => {
                self.close(branch, Some(Answer::of(response)), transmissions);
                Verdict::Over
            }
        }
    }

    /// Ends a branch that had no response.
    pub(super) fn fail(&mut self, branch: u32, fault: Fault, transmissions: u32) {
        if self.get_mut(branch).is_some_and(|this| this.state != BranchState::Over) {
            self.close(branch, Some(Answer::to_fault(fault)), transmissions);
        }
    }

    /// The best that came back, once every branch is over.
    pub(super) fn outcome(&mut self) -> Option<Answer> {
        if !self.branches.iter().all(|branch| branch.state == BranchState::Over) {
            return None;
        }
        self.best.take().map(|(_, answer)| answer)
    }

    fn close(&mut self, branch: u32, answer: Option<Answer>, transmissions: u32) {
        self.tries += transmissions;
        if let Some(this) = self.get_mut(branch) {
            this.state = BranchState::Over;
        }
        let Some(answer) = answer else { return };
        let rank = rank(answer.status);
        if self.best.as_ref().is_none_or(|(best, _)| rank < *best) {
            self.best = Some((rank, answer));
        }
    }

    fn push(&mut self, branch: Branch) -> Option<u32> {
        self.branches.push(branch);
        u32::try_from(self.branches.len() - 1).ok()
    }

    fn get_mut(&mut self, branch: u32) -> Option<&mut Branch> {
        self.branches.get_mut(usize::try_from(branch).ok()?)
    }
}

/// RFC 3261 §16.7 step 6: a 6xx, else the lowest class; within 4xx what tells the sender how to mend it, and silence last.
pub(super) const fn rank(status: u16) -> u8 {
    match status {
        600.. => 0,
        300..400 => 1,
        401 | 407 | 415 | 420 | 484 => 2,
        408 => 4,
        400..500 => 3,
        500..600 => 5,
        _ => 6,
    }
}

/// Contacts of a redirect by preference (RFC 3261 §8.1.3.4).
fn contacts(response: &Response) -> Vec<Uri> {
    let Ok(Contacts::List(mut list)) = response.fields().contacts() else {
        return Vec::new();
    };
    let q = |text: &str| text.parse::<f32>().map_or(0.0, |q| q.clamp(0.0, 1.0));
    list.sort_by(|one, other| {
        let [one, other] = [one, other].map(|contact| contact.params.get("q").map_or(1.0, q));
        other.total_cmp(&one)
    });
    list.into_iter().map(|contact| contact.uri).collect()
}
