//! The legs of one message: a [`Fork`] for each recipient, and what became of it (W15 to W18).

use std::time::Duration;

use bytes::Bytes;

use super::branch::{Answer, Fork, Verdict};
use super::carrier::{Fault, Printed, Sending, User};
use super::core::{Core, Due};
use super::event::ProxyEvent;
use super::journal::{DispatchId, OutcomeRow, OutcomeState};
use super::recipient::{Recipient, Saved};
use super::router::{Target, TargetSet};
use super::secret::LegFacts;
use super::submission::Person;
use crate::machine::Flow;
use crate::sip::{Leg, LegTemplate, Method, Response, Uri, write_report};
use crate::time::{Now, Timestamp};

/// What the legs need to know of their message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facts<'a> {
    pub(super) dispatch: DispatchId,
    pub(super) to_tag: &'a str,
    pub(super) accepted_at: Timestamp,
    /// How long after that it is worth delivering (W8).
    pub(super) lifetime: Option<Duration>,
}

/// Which outcomes are to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unsaved {
    /// Those that no batch holds yet.
    Unwritten,
    /// Those that are not known to be safe: a report may rest on these.
    Uncommitted,
}

/// Which of its branches an input is about.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) recipient: u32,
    pub(super) branch: u32,
}

/// All recipients of one message, until their outcomes are safe.
#[derive(Debug)]
pub(super) struct Legs {
    template: LegTemplate,
    recipients: Vec<Recipient>,
    /// Recipients without an outcome.
    open: usize,
    round: u32,
}

impl Facts<'_> {
    const fn leg(&self, recipient: u32) -> LegFacts<'_> {
        LegFacts { dispatch: self.dispatch, recipient, to_tag: self.to_tag }
    }
}

impl Legs {
    /// `outcomes`: what a store knew; a leg of a message taken up again may have been sent before.
    pub(super) fn new(template: LegTemplate, people: Vec<Person>, outcomes: Option<Vec<OutcomeRow>>) -> Self {
        let is_resumed = outcomes.is_some();
        let recipient = |person: Person| Recipient::new(person, Fork::new(is_resumed));
        let mut legs =
            Self { template, recipients: people.into_iter().map(recipient).collect(), open: 0, round: 0 };
        for outcome in
            outcomes.into_iter().flatten().filter(|outcome| outcome.state != OutcomeState::Deferred)
        {
            if let Some(recipient) = legs.recipient(outcome.recipient) {
                recipient.outcome = Some(outcome);
                recipient.saved = Saved::Yes;
            }
        }
        legs.open = legs.recipients.iter().filter(|recipient| recipient.outcome.is_none()).count();
        legs
    }

    /// Recipients without an outcome.
    pub(super) const fn open(&self) -> usize {
        self.open
    }

    /// True when each outcome is known to be safe.
    pub(super) fn is_safe(&self) -> bool {
        self.recipients.iter().all(|recipient| recipient.saved == Saved::Yes)
    }

    /// True while a leg has no flow yet: also when another binding has decided, it gets the message (W16).
    pub(super) fn is_looking(&self) -> bool {
        self.recipients.iter().any(|recipient| recipient.fork.is_looking())
    }

    /// True when some outcome is in no batch yet.
    pub(super) fn has_unwritten(&self) -> bool {
        self.recipients.iter().any(|recipient| recipient.outcome.is_some() && recipient.saved == Saved::No)
    }

    /// Looks up where everybody is who has no outcome, and starts to send.
    pub(super) fn start(&mut self, core: &mut Core, facts: Facts<'_>, now: Now) {
        for index in 0..u32::try_from(self.recipients.len()).unwrap_or(u32::MAX) {
            self.start_one(core, facts, index, now);
        }
    }

    /// A flow is there: the leg is printed for it and sent.
    pub(super) fn ready(&mut self, core: &mut Core, facts: Facts<'_>, place: Place, flow: Flow, now: Now) {
        let user = User::Leg { dispatch: facts.dispatch, recipient: place.recipient, branch: place.branch };
        let span = core.config.timers.f();
        let Some(recipient) = self.recipients.get_mut(index(place.recipient)) else {
            return;
        };
        let mut ends = recipient.fork.deadline(now.mono, span);
        let mut expires = None;
        if let Some(lifetime) = facts.lifetime {
            let end = facts.accepted_at.plus(lifetime);
            ends = ends.min(now.mono_at(end));
            expires = Some(u32::try_from(end.since(now.wall).as_secs()).unwrap_or(u32::MAX));
        }
        let Some(uri) = recipient.fork.uri(place.branch) else {
            return;
        };
        let branch = core.secret.leg_branch(facts.leg(place.recipient), place.branch, uri.as_str());
        let leg = Leg {
            recipient: index(place.recipient),
            uri,
            via: &core.carrier.sockets().via(flow, &branch),
            from_tag: &core.secret.leg_tag(facts.leg(place.recipient)),
            call_id: &core.secret.leg_call_id(facts.leg(place.recipient)),
            expires,
        };
        let bytes = self.template.print(&leg);
        let sending = core.carrier.send(
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

    /// A final response came (W18).
    pub(super) fn heard(
        &mut self,
        core: &mut Core,
        facts: Facts<'_>,
        place: Place,
        heard: (&Response, u32),
        now: Now,
    ) {
        let (response, transmissions) = heard;
        let Some(recipient) = self.recipient(place.recipient).filter(|recipient| recipient.outcome.is_none())
        else {
            return;
        };
        match recipient.fork.judge(place.branch, response, transmissions) {
            Verdict::Delivered(answer) => {
                self.settle(core, facts, (place.recipient, OutcomeState::Delivered, answer), now);
            }
            Verdict::Redirected(uris, steps) => {
                for uri in uris {
                    self.redirect(core, facts, place.recipient, (&uri, steps), now);
                }
                self.end_if_over(core, facts, place.recipient, now);
            }
            Verdict::Merged => {
                let user =
                    User::Leg { dispatch: facts.dispatch, recipient: place.recipient, branch: place.branch };
                core.agenda.add(now.mono + core.config.timers.j(), Due::Again(user));
            }
            Verdict::Over => self.end_if_over(core, facts, place.recipient, now),
        }
    }

    /// A branch came to nothing.
    pub(super) fn failed(
        &mut self,
        core: &mut Core,
        facts: Facts<'_>,
        place: Place,
        fault: (Fault, u32),
        now: Now,
    ) {
        let Some(recipient) = self.recipient(place.recipient) else { return };
        recipient.fork.fail(place.branch, fault.0, fault.1);
        if recipient.outcome.is_none() {
            self.end_if_over(core, facts, place.recipient, now);
        }
    }

    /// Timer J is over after a 482: the leg is sent once more (W15).
    pub(super) fn again(&mut self, core: &mut Core, facts: Facts<'_>, place: Place, now: Now) {
        let Some(recipient) = self.recipient(place.recipient).filter(|recipient| recipient.outcome.is_none())
        else {
            return;
        };
        let Some(uri) = recipient.fork.uri(place.branch).cloned() else {
            return;
        };
        let Some(branch) = recipient.fork.add_again(place.branch) else {
            return;
        };
        let user = User::Leg { dispatch: facts.dispatch, recipient: place.recipient, branch };
        let way = core.router().way_again(&recipient.route, &uri, now);
        core.carrier.begin(user, way, core.timer_f(now));
    }

    /// Takes the outcomes that are to be written, and the round of saving that they are in.
    pub(super) fn take_unsaved(&mut self, which: Unsaved) -> (Vec<OutcomeRow>, u32) {
        self.round = self.round.wrapping_add(1);
        let round = self.round;
        let mut rows = Vec::new();
        for recipient in &mut self.recipients {
            let wanted = recipient.saved == Saved::No
                || (which == Unsaved::Uncommitted && recipient.saved != Saved::Yes);
            if let (true, Some(row)) = (wanted, &recipient.outcome) {
                recipient.saved = Saved::InRound(round);
                rows.push(row.clone());
            }
        }
        (rows, round)
    }

    /// What was written in that round is safe.
    pub(super) fn saved(&mut self, round: u32) {
        self.mark(round, Saved::Yes);
    }

    /// What was written in that round is not.
    pub(super) fn not_saved(&mut self, round: u32) {
        self.mark(round, Saved::No);
    }

    /// The report's lines (W20).
    pub(super) fn report(&self, detail: bool) -> Bytes {
        let lines: Vec<_> = self.recipients.iter().map(Recipient::line).collect();
        write_report(&lines, detail).into()
    }

    fn start_one(&mut self, core: &mut Core, facts: Facts<'_>, index: u32, now: Now) {
        let Some(recipient) = self.recipient(index).filter(|recipient| recipient.outcome.is_none()) else {
            return;
        };
        let is_over = facts.lifetime.is_some_and(|lifetime| facts.accepted_at.plus(lifetime) <= now.wall);
        let set = if is_over { TargetSet::Nobody } else { core.router().targets(&recipient.route, now) };
        let failure = match set {
            TargetSet::Targets(targets) => {
                for target in targets {
                    begin(core, facts, (index, &mut recipient.fork), (target, 0), now);
                }
                return;
            }
            TargetSet::Nobody if is_over => Answer::standard(408),
            TargetSet::Nobody => Answer::standard(480),
            TargetSet::Unsupported => Answer::standard(416),
        };
        self.settle(core, facts, (index, OutcomeState::Failed, failure), now);
    }

    /// Follows a redirect to where the recipient has not been tried (W18).
    fn redirect(&mut self, core: &mut Core, facts: Facts<'_>, index: u32, to: (&Uri, u8), now: Now) {
        let (uri, steps) = to;
        let TargetSet::Targets(targets) = core.router().targets(uri, now) else {
            return;
        };
        let Some(recipient) = self.recipient(index) else {
            return;
        };
        for target in targets {
            if recipient.fork.has_room() {
                begin(core, facts, (index, &mut recipient.fork), (target, steps), now);
            }
        }
    }

    fn end_if_over(&mut self, core: &mut Core, facts: Facts<'_>, index: u32, now: Now) {
        let Some(answer) = self.recipient(index).and_then(|recipient| recipient.fork.outcome()) else {
            return;
        };
        // The mailbox's place: a temporary failure (W18) is deferred where there is one and the message may wait (W8).
        self.settle(core, facts, (index, OutcomeState::Failed, answer), now);
    }

    fn settle(&mut self, core: &mut Core, facts: Facts<'_>, outcome: (u32, OutcomeState, Answer), now: Now) {
        let (index, state, answer) = outcome;
        let Some(recipient) = self.recipient(index).filter(|recipient| recipient.outcome.is_none()) else {
            return;
        };
        core.tell(ProxyEvent::Outcome {
            dispatch: facts.dispatch,
            recipient: index,
            state,
            status: answer.status,
        });
        recipient.outcome = Some(OutcomeRow {
            recipient: index,
            state,
            status: answer.status,
            reason: answer.reason,
            tries: recipient.fork.tries,
            after: now.wall.since(facts.accepted_at),
        });
        self.open = self.open.saturating_sub(1);
    }

    fn recipient(&mut self, recipient: u32) -> Option<&mut Recipient> {
        self.recipients.get_mut(index(recipient))
    }

    fn mark(&mut self, round: u32, saved: Saved) {
        for recipient in
            self.recipients.iter_mut().filter(|recipient| recipient.saved == Saved::InRound(round))
        {
            recipient.saved = saved;
        }
    }
}

/// Starts a branch to a target that was not tried yet.
fn begin(
    core: &mut Core,
    facts: Facts<'_>,
    (recipient, fork): (u32, &mut Fork),
    (target, steps): (Target, u8),
    now: Now,
) {
    let Some(branch) = fork.add(&target.uri, steps) else {
        return;
    };
    let ends = fork.look_until(now.mono, core.config.timers.f());
    core.carrier.begin(User::Leg { dispatch: facts.dispatch, recipient, branch }, target.way, ends);
}

fn index(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
