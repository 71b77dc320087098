//! The forking of one request: a [`Branch`] for each target, and the best result of all of them
//! (RFC 3261 §16.6, §16.7; W15, W16, W18).

use std::time::{Duration, Instant};

use crate::limits::{CONTACTS_READ_MAX, REDIRECT_STEPS_MAX, REDIRECT_TARGETS_MAX};
use crate::machine::LookupPayer;
use crate::proxy::routing::router::Target;
use crate::proxy::transport::request_sender::{Consent, Fault};
use crate::sip::{NameAddr, Response, Uri, reason_phrase};

/// The reason phrase for a message that is too large for a datagram while no connection can be made.
pub(crate) const TOO_LARGE: &str = "Too Large For UDP, And No Connection";

/// A final response, or what stands for one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BranchResult {
    pub(crate) status: u16,
    pub(crate) reason: String,
}

/// One request forwarded to one binding or next hop.
#[derive(Clone, Debug)]
pub(crate) struct Branch {
    pub(crate) uri: Uri,
    routes: Vec<String>,
    /// How many redirects led here.
    steps: u8,
    state: BranchState,
    /// Whether the owner of the target has agreed to be sent to; that holds when it is sent once more, too.
    consent: Consent,
    /// Who pays for the look-up of the target, if that is not the sender.
    payer: Option<LookupPayer>,
    /// See [`Target::is_by_recipient`].
    is_by_recipient: bool,
    /// Sent once more after a 482 (Loop Detected).
    is_again: bool,
    /// It was sent and ended without an answer: it may have arrived.
    is_unanswered: bool,
    /// The device that it goes to, if known.
    device: Option<String>,
    /// Set for a branch to a device that was away, started after another device accepted (W16).
    late: Option<Late>,
}

/// State of a branch started after another device accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Late {
    /// When it began.
    start: Instant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum BranchState {
    /// Looks for a flow.
    Looking,
    Sent,
    Over,
}

/// All branches of one request.
#[derive(Debug, Default)]
pub(crate) struct Fork {
    /// Branches used by earlier attempts (W18), hence the number of the first one in `branches`.
    used: u32,
    branches: Vec<Branch>,
    /// The best result so far, with its rank; the lowest rank is best.
    best: Option<(u8, BranchResult)>,
    /// Transmissions of the finished branches.
    pub(crate) tries: u32,
    /// When the first transmission was; the deadline counts from there (W17).
    first_sent: Option<Instant>,
    /// When this attempt began.
    start: Option<Instant>,
    /// Resumed after a crash: the request may have been sent before, it is not known where.
    is_resumed: bool,
    /// The targets of earlier attempts that did not answer: the request may have arrived there.
    unanswered: Vec<Uri>,
}

/// What a final response means for a leg.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It arrived.
    Delivered(BranchResult),
    /// Try these targets, best first, with this count of redirects.
    Redirected(Vec<Uri>, u8),
    /// It had arrived before: send it once more after Timer J (W15).
    Merged,
    /// This branch has failed.
    Over,
}

impl BranchResult {
    pub(crate) fn of(response: &Response) -> Self {
        Self { status: response.status(), reason: response.reason().to_owned() }
    }

    pub(crate) fn standard(status: u16) -> Self {
        Self { status, reason: reason_phrase(status).to_owned() }
    }

    /// The result of a branch without a response (W18).
    pub(crate) fn to_fault(fault: Fault) -> Self {
        match fault {
            Fault::Timeout => Self::standard(408),
            Fault::Transport => Self::standard(503),
            Fault::NoRoute => Self { status: 503, reason: "No Route".to_owned() },
            // Treated like a transport fault: a peer that takes no connection now may just be away (W18).
            Fault::TooLarge => Self { status: 503, reason: TOO_LARGE.to_owned() },
        }
    }
}

impl Branch {
    fn to(target: &Target, steps: u8) -> Self {
        Self {
            uri: target.uri.clone(),
            routes: target.routes.clone(),
            steps,
            state: BranchState::Looking,
            consent: target.consent,
            payer: target.way.payer().cloned(),
            is_by_recipient: target.is_by_recipient,
            is_again: false,
            is_unanswered: false,
            device: None,
            late: None,
        }
    }
}

impl Fork {
    pub(crate) fn new(is_resumed: bool) -> Self {
        Self { is_resumed, ..Self::default() }
    }

    /// Restores after a restart: how many branches earlier attempts used, and their transmissions.
    pub(crate) fn resumed(used: u32, tries: u32) -> Self {
        Self { used, tries, is_resumed: true, ..Self::default() }
    }

    /// Begins an attempt: the first one, or a retry with new branches once all are over.
    pub(crate) fn begin(&mut self, now: Instant) {
        self.start = Some(now);
        self.first_sent = None;
        self.best = None;
        self.forget_branches();
    }

    /// When this attempt began.
    pub(crate) const fn start(&self) -> Option<Instant> {
        self.start
    }

    /// How many branches all attempts have used so far.
    pub(crate) fn used(&self) -> u32 {
        self.used.saturating_add(u32::try_from(self.branches.len()).unwrap_or(u32::MAX))
    }

    /// True while a branch of this attempt looks for a flow or waits for a response.
    pub(crate) fn is_active(&self) -> bool {
        self.branches.iter().any(|branch| branch.late.is_none() && branch.state != BranchState::Over)
    }

    /// True while a branch to that device looks for a flow or waits for a response.
    pub(crate) fn is_active_at(&self, device: &str) -> bool {
        let mut to_device = self.branches.iter().filter(|branch| branch.device.as_deref() == Some(device));
        to_device.any(|branch| branch.state != BranchState::Over)
    }

    /// Notes which device's binding a branch goes to.
    pub(crate) fn set_device(&mut self, branch: u32, device: Option<String>) {
        if let Some(this) = self.get_mut(branch) {
            this.device = device;
        }
    }

    /// The device whose binding a branch goes to.
    pub(crate) fn device(&self, branch: u32) -> Option<&str> {
        self.get(branch).and_then(|branch| branch.device.as_deref())
    }

    /// When the attempt that a branch belongs to began.
    pub(crate) fn start_of(&self, branch: u32) -> Option<Instant> {
        self.get(branch).and_then(|branch| branch.late).map(|late| late.start).or(self.start)
    }

    /// Adds a branch to a device that was away (W16).
    pub(crate) fn add_late(&mut self, target: &Target, device: &str, now: Instant) -> Option<u32> {
        if self.branches.iter().all(|branch| branch.state == BranchState::Over) {
            self.forget_branches();
        }
        let (late, device) = (Some(Late { start: now }), Some(device.to_owned()));
        self.push(Branch { device, late, ..Branch::to(target, 0) })
    }

    /// Ends a branch whose response no longer matters to the recipient's outcome; false if it was over already.
    pub(crate) fn end(&mut self, branch: u32) -> bool {
        let Some(this) = self.get_mut(branch) else {
            return false;
        };
        this.is_unanswered |= this.state == BranchState::Sent;
        std::mem::replace(&mut this.state, BranchState::Over) != BranchState::Over
    }

    /// Adds a branch to a target after `steps` redirects; `None` if that target was tried already (W18: each once).
    pub(crate) fn add(&mut self, target: &Target, steps: u8) -> Option<u32> {
        if self.branches.iter().any(|branch| branch.uri.same_as(&target.uri)) {
            return None;
        }
        self.push(Branch::to(target, steps))
    }

    /// Adds a branch to the same target as `branch`, along these Routes.
    pub(crate) fn add_again(&mut self, branch: u32, routes: Vec<String>) -> Option<u32> {
        let old = self.get_mut(branch)?;
        old.state = BranchState::Over;
        let again = Branch { state: BranchState::Looking, is_again: true, late: None, routes, ..old.clone() };
        self.first_sent = None;
        self.push(again)
    }

    pub(crate) fn uri(&self, branch: u32) -> Option<&Uri> {
        self.get(branch).map(|branch| &branch.uri)
    }

    /// The Routes to a branch's target, if its binding has a Path.
    pub(crate) fn routes(&self, branch: u32) -> &[String] {
        self.get(branch).map_or(&[], |branch| &branch.routes)
    }

    /// Whether the owner of a branch's target has agreed to be sent to, and who pays for its look-up.
    pub(crate) fn terms(&self, branch: u32) -> Option<(Consent, Option<LookupPayer>)> {
        self.get(branch).map(|branch| (branch.consent, branch.payer.clone()))
    }

    /// Whether a recipient chose a branch's target.
    pub(crate) fn is_by_recipient(&self, branch: u32) -> bool {
        self.get(branch).is_some_and(|branch| branch.is_by_recipient)
    }

    /// When this request ends if it is sent at `now`: one `span` after the first transmission (W17); a late branch has
    /// a span of its own.
    pub(crate) fn deadline(&mut self, branch: u32, now: Instant, span: Duration) -> Instant {
        if self.get(branch).is_some_and(|branch| branch.late.is_some()) {
            return now + span;
        }
        *self.first_sent.get_or_insert(now) + span
    }

    /// A branch was handed to the transaction layer.
    pub(crate) fn sent(&mut self, branch: u32) {
        if let Some(this) = self.get_mut(branch).filter(|this| this.state == BranchState::Looking) {
            this.state = BranchState::Sent;
        }
    }

    /// True while a branch has no flow yet.
    pub(crate) fn is_looking(&self) -> bool {
        self.branches.iter().any(|branch| branch.state == BranchState::Looking)
    }

    /// Until when a branch may look for a flow.
    pub(crate) fn look_until(&self, now: Instant, span: Duration) -> Instant {
        self.first_sent.unwrap_or(now) + span
    }

    /// How many branches this attempt has.
    pub(crate) const fn len(&self) -> usize {
        self.branches.len()
    }

    /// True while there is room for redirects (W18).
    pub(crate) fn has_room(&self) -> bool {
        self.branches.len() < REDIRECT_TARGETS_MAX
    }

    /// What a final response to a branch means; a branch that is over has no say any more.
    pub(crate) fn judge(&mut self, branch: u32, response: &Response, transmissions: u32) -> Verdict {
        let is_forked = self.branches.len() > 1;
        let Some(this) = self.get(branch).filter(|this| this.state != BranchState::Over) else {
            return Verdict::Over;
        };
        let (steps, is_again, may_have_it) = (this.steps, this.is_again, self.may_have_it(&this.uri));
        match response.status() {
            200..300 => {
                self.close(branch, None, transmissions);
                Verdict::Delivered(BranchResult::of(response))
            }
            // As W15 says: it had arrived. The server that refuses the repetition still knows it.
            482 if is_again && may_have_it => {
                self.close(branch, None, transmissions);
                Verdict::Delivered(BranchResult::standard(200))
            }
            482 if !is_again && (may_have_it || is_forked) => {
                self.tries += transmissions;
                Verdict::Merged
            }
            300..400 if steps < REDIRECT_STEPS_MAX && !contacts(response).is_empty() => {
                // A redirect that was followed counts as a result only if it led nowhere new.
                self.close(branch, None, transmissions);
                self.best.get_or_insert_with(|| (u8::MAX, BranchResult::of(response)));
                Verdict::Redirected(contacts(response), steps + 1)
            }
            _ => {
                self.close(branch, Some(BranchResult::of(response)), transmissions);
                Verdict::Over
            }
        }
    }

    /// True if the request may have arrived at that target before: an earlier attempt was not answered there. Of two
    /// branches of one attempt that meet at one server it takes one, so a 482 to the other says nothing.
    fn may_have_it(&self, target: &Uri) -> bool {
        self.is_resumed || self.unanswered.iter().any(|uri| uri.same_as(target))
    }

    /// Ends a branch that got no response.
    pub(crate) fn fail(&mut self, branch: u32, fault: Fault, transmissions: u32) {
        if let Some(this) = self.get_mut(branch).filter(|this| this.state != BranchState::Over) {
            this.is_unanswered |= this.state == BranchState::Sent;
            self.close(branch, Some(BranchResult::to_fault(fault)), transmissions);
        }
    }

    /// The best result, once every branch is over.
    pub(crate) fn outcome(&mut self) -> Option<BranchResult> {
        if self.is_active() {
            return None;
        }
        self.best.take().map(|(_, answer)| answer)
    }

    fn close(&mut self, branch: u32, answer: Option<BranchResult>, transmissions: u32) {
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

    fn forget_branches(&mut self) {
        self.used = self.used();
        let silent = self.branches.drain(..).filter(|branch| branch.is_unanswered).map(|branch| branch.uri);
        for uri in silent {
            if !self.unanswered.iter().any(|known| known.same_as(&uri)) {
                self.unanswered.push(uri);
            }
        }
        // A recipient's places change seldom: the latest count.
        let old = self.unanswered.len().saturating_sub(REDIRECT_TARGETS_MAX);
        self.unanswered.drain(..old);
    }

    fn push(&mut self, branch: Branch) -> Option<u32> {
        let number = self.used();
        self.branches.push(branch);
        Some(number).filter(|number| *number < u32::MAX)
    }

    fn get(&self, branch: u32) -> Option<&Branch> {
        self.branches.get(usize::try_from(branch.checked_sub(self.used)?).ok()?)
    }

    fn get_mut(&mut self, branch: u32) -> Option<&mut Branch> {
        self.branches.get_mut(usize::try_from(branch.checked_sub(self.used)?).ok()?)
    }
}

/// RFC 3261 §16.7 step 6: 6xx, else the lowest class; within 4xx, first what tells the sender how to fix it, then 408, and
/// 482 last, since it says of another branch or of an earlier attempt that it may have arrived.
pub(crate) const fn rank(status: u16) -> u8 {
    match status {
        600.. => 0,
        300..400 => 1,
        401 | 407 | 415 | 420 | 484 => 2,
        408 => 4,
        482 => 5,
        400..500 => 3,
        500..600 => 6,
        _ => 7,
    }
}

/// The first Contacts of a redirect that can be read, in order of preference (RFC 3261 §8.1.3.4); none of a 305, which names
/// a proxy, and of a 380, which names another service (§21.3.4, §21.3.5).
fn contacts(response: &Response) -> Vec<Uri> {
    let is_followed = !matches!(response.status(), 305 | 380);
    let written = response.fields().tokens("Contact").take(CONTACTS_READ_MAX).filter(|_| is_followed);
    let mut list: Vec<_> = written.filter_map(|text| NameAddr::parse(text).ok()).collect();
    let q = |text: &str| text.parse::<f32>().map_or(0.0, |q| q.clamp(0.0, 1.0));
    let q = |contact: &NameAddr| contact.params.get("q").map_or(1.0, q);
    list.sort_by(|one, other| q(other).total_cmp(&q(one)));
    list.into_iter().map(|contact| contact.uri).collect()
}
