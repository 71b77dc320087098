//! The legs of one message: a [`Fork`] for each recipient, and its outcome (W15 to W18). `legs/waiting.rs` serves
//! absent recipients and devices, `legs/starting.rs` starts branches, `legs/saving.rs` tracks which outcomes are on stable
//! storage, and `legs/printing.rs` prints the requests.

mod waiting;

mod saving;

mod printing;

mod redirect;

mod starting;

use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;

pub(crate) use self::saving::{Change, Unsaved};
use self::starting::{begin, by_sender};
use super::branch::{BranchResult, Fork, Verdict};
use super::recipient::{Own, Recipient, Saved};
use super::report_entries::{ReportEntry, assign};
use super::submission::{AddressEntry, Addressee};
use crate::machine::Flow;
use crate::proxy::core::{Core, Due};
use crate::proxy::event::ProxyEvent;
use crate::proxy::guard::shares::Payer;
use crate::proxy::in_dialog::InDialog;
use crate::proxy::journal::{DispatchId, OutcomeRow, OutcomeState, WaitRow};
use crate::proxy::routing::router::TargetSet;
use crate::proxy::secret::LegFacts;
use crate::proxy::transport::request_sender::{FailedRequest, FinalResponse, Printed, Sending, User};
use crate::sip::{Aor, LegTemplate, Method, write_report};
use crate::time::{Now, Timestamp};

/// The facts about their message that the legs need.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Facts<'a> {
    pub(crate) dispatch: DispatchId,
    pub(crate) to_tag: &'a str,
    pub(crate) accepted_at: Timestamp,
    /// How long after acceptance it is worth delivering (W8).
    pub(crate) lifetime: Option<Duration>,
    /// Whether it may wait in the mailbox (W8, W18).
    pub(crate) mailbox: MayWait,
    /// Bytes of the submission.
    pub(crate) bytes: usize,
    /// Who wrote it.
    pub(crate) sender: &'a Aor,
    /// Who is charged for what waits.
    pub(crate) payer: Payer,
    /// Where the message came from.
    pub(crate) from: IpAddr,
    /// Which identity is asserted for the sender.
    pub(crate) asserted: Option<&'a str>,
}

/// Whether a message may wait for absent recipients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MayWait {
    May,
    MayNot,
}

/// Which branch of which recipient an input is about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LegId {
    pub(crate) recipient: u32,
    pub(crate) branch: u32,
}

/// All recipients of one message, until their outcomes are on stable storage.
#[derive(Debug)]
pub(crate) struct Legs {
    template: LegTemplate,
    /// Set for a submission within a session (W29).
    dialog: Option<InDialog>,
    /// The addresses of the submission (W20).
    lines: Vec<ReportEntry>,
    recipients: Vec<Recipient>,
    /// How many recipients have no final outcome: they are under way, or deferred.
    open: usize,
    /// How many of those are under way.
    under_way: usize,
    /// What has changed since the owner last asked.
    change: Change,
    round: u32,
}

impl Facts<'_> {
    /// When it is no longer worth delivering.
    pub(crate) fn ends_at(&self) -> Option<Timestamp> {
        self.lifetime.map(|lifetime| self.accepted_at.plus(lifetime))
    }

    fn is_over(&self, now: Now) -> bool {
        self.ends_at().is_some_and(|end| end <= now.wall)
    }

    /// Who pays for looking up a name that the sender chose.
    const fn looks_up(&self) -> (Option<&Aor>, IpAddr) {
        (Some(self.sender), self.from)
    }

    const fn leg(&self, recipient: u32) -> LegFacts<'_> {
        LegFacts { dispatch: self.dispatch, recipient, to_tag: self.to_tag }
    }
}

impl Legs {
    /// `outcomes`: what the store knew; `Some` means that the legs may have been sent before.
    pub(crate) fn new(
        (template, dialog): (LegTemplate, Option<InDialog>),
        lines: &[AddressEntry],
        people: Vec<Addressee>,
        outcomes: Option<Vec<OutcomeRow>>,
    ) -> Self {
        let is_resumed = outcomes.is_some();
        let (lines, own) = assign(lines, &people);
        let recipient = |(person, own): (Addressee, Own)| Recipient::new(person, own, Fork::new(is_resumed));
        let mut legs = Self {
            template,
            dialog,
            lines,
            recipients: people.into_iter().zip(own).map(recipient).collect(),
            open: 0,
            under_way: 0,
            change: Change::Nothing,
            round: 0,
        };
        for outcome in outcomes.into_iter().flatten() {
            if let Some(recipient) = legs.recipient(outcome.recipient) {
                recipient.restore(outcome);
            }
        }
        legs.open = legs.recipients.iter().filter(|recipient| !recipient.is_over()).count();
        legs.under_way = legs.recipients.iter().filter(|recipient| recipient.outcome.is_none()).count();
        legs
    }

    /// How many recipients have no final outcome: they are under way, or deferred.
    pub(crate) const fn open(&self) -> usize {
        self.open
    }

    /// How many recipients have no outcome at all.
    pub(crate) const fn under_way(&self) -> usize {
        self.under_way
    }

    /// True if nothing is owed to anybody, and nothing is under way.
    pub(crate) fn is_over(&self) -> bool {
        self.open == 0 && !self.is_looking() && !self.is_owed()
    }

    /// True while a branch has no flow yet: it still gets the message when another binding has decided (W16).
    pub(crate) fn is_looking(&self) -> bool {
        self.recipients.iter().any(|recipient| recipient.fork.is_looking())
    }

    /// Starts every recipient without an outcome; one for whom messages already wait is queued behind them.
    pub(crate) fn start(&mut self, core: &mut Core, facts: Facts<'_>, now: Now) {
        for index in 0..u32::try_from(self.recipients.len()).unwrap_or(u32::MAX) {
            self.start_one(core, facts, index, now);
        }
    }

    /// A branch has a flow: prints the leg for it and sends it.
    pub(crate) fn ready(&mut self, core: &mut Core, facts: Facts<'_>, place: LegId, flow: Flow, now: Now) {
        let router = core.router();
        let may_go = self.recipient(place.recipient).is_none_or(|recipient| {
            let uri = recipient.fork.uri(place.branch);
            uri.is_none_or(|uri| !router.is_blocked_on_way((uri, flow.remote), facts.sender, now))
                && router.may_go(recipient.fork.is_by_recipient(place.branch), flow.remote)
        });
        if !may_go {
            return self.failed(core, facts, place, FailedRequest::NO_ROUTE, now);
        }
        let user = User::Leg { dispatch: facts.dispatch, recipient: place.recipient, branch: place.branch };
        let span = core.config.timers.f();
        let Some(recipient) = self.recipients.get_mut(index(place.recipient)) else {
            return;
        };
        let mut ends = recipient.fork.deadline(place.branch, now.mono, span);
        let mut expires = None;
        if let Some(end) = facts.ends_at() {
            ends = ends.min(now.mono_at(end));
            expires = Some(u32::try_from(end.since(now.wall).as_secs()).unwrap_or(u32::MAX));
        }
        let Some(uri) = recipient.fork.uri(place.branch) else {
            return;
        };
        let branch = core.secret.leg_branch(facts.leg(place.recipient), place.branch, uri.as_str());
        let branch = core.sender.branch_at_hop(user, branch, core.secret, flow.remote);
        let asserted = facts.asserted.filter(|_| self.may_assert(core, place, flow, now));
        let bytes = self.print(core, Facts { asserted, ..facts }, (place, expires), (flow, &branch));
        let sending = core.sender.send(
            user,
            Printed { branch: &branch, method: Method::Message, flow, bytes },
            ends,
            now.mono,
        );
        if sending == Sending::Sent
            && let Some(recipient) = self.recipient(place.recipient)
        {
            recipient.fork.sent(place.branch);
        }
    }

    /// A final response to a branch came (W18).
    pub(crate) fn heard(
        &mut self,
        core: &mut Core,
        facts: Facts<'_>,
        place: LegId,
        FinalResponse { response, flow, transmissions }: FinalResponse<'_>,
        now: Now,
    ) {
        let Some(recipient) = self.recipient(place.recipient) else {
            return;
        };
        if recipient.is_over() {
            self.device_heard(core, facts, place, response.status(), now);
            return;
        }
        let had_waited = recipient.state().is_some();
        recipient.note_device(place.branch, response.status());
        match recipient.fork.judge(place.branch, response, transmissions) {
            Verdict::Delivered(answer) => {
                self.settle(core, facts, (place.recipient, OutcomeState::Delivered, answer), now);
                if had_waited || facts.mailbox == MayWait::May {
                    self.owe_devices(core, facts, place.recipient, now);
                }
            }
            Verdict::Redirected(uris, steps) => {
                for uri in uris {
                    self.redirect(core, facts, place, (&uri, steps, flow), now);
                }
                self.end_if_over(core, facts, place.recipient, now);
            }
            Verdict::Merged => {
                let again = Due::Again(facts.dispatch, place.recipient, place.branch);
                core.agenda.add(now.mono + core.config.timers.j(), again);
            }
            Verdict::Over => self.end_if_over(core, facts, place.recipient, now),
        }
    }

    /// A branch failed without a response.
    pub(crate) fn failed(
        &mut self,
        core: &mut Core,
        facts: Facts<'_>,
        place: LegId,
        FailedRequest { fault, transmissions }: FailedRequest,
        now: Now,
    ) {
        let Some(recipient) = self.recipient(place.recipient) else { return };
        if recipient.is_over() {
            self.device_heard(core, facts, place, BranchResult::to_fault(fault).status, now);
            return;
        }
        recipient.fork.fail(place.branch, fault, transmissions);
        self.end_if_over(core, facts, place.recipient, now);
    }

    /// The body of the report (W20).
    pub(crate) fn report(&self, detail: bool) -> Bytes {
        let lines: Vec<_> = self.lines.iter().map(|line| line.report(&self.recipients)).collect();
        write_report(&lines, detail).into()
    }

    fn start_one(&mut self, core: &mut Core, facts: Facts<'_>, index: u32, now: Now) {
        let Some(recipient) = self.recipient(index).filter(|recipient| recipient.outcome.is_none()) else {
            return;
        };
        if !recipient.stands_behind(core, facts, index, now) {
            self.attempt(core, facts, index, now);
        }
    }

    /// Sends to all targets of a recipient, or concludes that there are none.
    fn attempt(&mut self, core: &mut Core, facts: Facts<'_>, index: u32, now: Now) {
        let Some(recipient) = self.recipient(index) else {
            return;
        };
        recipient.fork.begin(now.mono);
        let is_over = facts.is_over(now);
        let route = recipient.route.clone();
        let is_blocked = core.router().is_blocked(&route, facts.sender, now)
            || self.is_blocked_in_dialog(core, (facts.sender, index), now);
        let set = match self.target_in_dialog(core, index, now) {
            _ if is_over => TargetSet::Nobody,
            Some(target) => TargetSet::Targets(vec![target]),
            None => core.router().targets(&route, now),
        };
        let failure = match set {
            _ if is_blocked => BranchResult::standard(403),
            TargetSet::Targets(targets) => {
                for target in targets {
                    let target = by_sender(core, &route, target);
                    if let Some(recipient) = self.recipient(index) {
                        begin(core, facts, (index, &mut recipient.fork), (target, 0), now);
                    }
                }
                return;
            }
            TargetSet::Nobody if is_over => BranchResult::standard(408),
            TargetSet::Nobody => BranchResult::standard(480),
            TargetSet::Unknown => BranchResult::standard(404),
            TargetSet::Unsupported => BranchResult::standard(416),
        };
        self.conclude(core, facts, (index, failure), now);
    }

    fn end_if_over(&mut self, core: &mut Core, facts: Facts<'_>, index: u32, now: Now) {
        let Some(answer) = self.recipient(index).and_then(|recipient| recipient.fork.outcome()) else {
            return;
        };
        self.conclude(core, facts, (index, answer), now);
    }

    fn settle(
        &mut self,
        core: &mut Core,
        facts: Facts<'_>,
        outcome: (u32, OutcomeState, BranchResult),
        now: Now,
    ) {
        let (index, state, answer) = outcome;
        let Some(recipient) = self.recipient(index).filter(|recipient| !recipient.is_over()) else {
            return;
        };
        let was_under_way = recipient.outcome.is_none();
        core.tell(ProxyEvent::Outcome {
            dispatch: facts.dispatch,
            recipient: index,
            state,
            status: answer.status,
            after: now.wall.since(facts.accepted_at),
            transmissions: recipient.fork.tries,
        });
        let wait = || WaitRow { branches: recipient.fork.used(), devices: Vec::new() };
        recipient.outcome = Some(OutcomeRow {
            recipient: index,
            state,
            status: answer.status,
            reason: answer.reason,
            tries: recipient.fork.tries,
            after: now.wall.since(facts.accepted_at),
            waits: (state == OutcomeState::Deferred).then(wait),
        });
        recipient.saved = Saved::No;
        self.under_way = self.under_way.saturating_sub(usize::from(was_under_way));
        self.open = self.open.saturating_sub(usize::from(state != OutcomeState::Deferred));
        self.note_outcome(was_under_way);
    }

    fn recipient(&mut self, recipient: u32) -> Option<&mut Recipient> {
        self.recipients.get_mut(index(recipient))
    }
}

fn index(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
