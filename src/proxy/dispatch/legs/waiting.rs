//! Absent recipients: deferred and tried again later, in the order of the mailbox (W8, W18); and devices that were away
//! while another one took the message (W16).

use std::collections::BTreeSet;

use super::{Facts, LegId, Legs, MayWait, index};
use crate::limits::MAILBOX_PER_USER_MAX;
use crate::proxy::core::{Core, Due};
use crate::proxy::dispatch::branch::BranchResult;
use crate::proxy::dispatch::recipient::{Recipient, Saved, is_temporary};
use crate::proxy::journal::{OutcomeState, WaitRow};
use crate::proxy::mailbox::{MailboxEntry, MailboxFull, MailboxKey, Since, Weight, visit_wait};
use crate::proxy::transport::request_sender::User;
use crate::sip::Aor;
use crate::time::Now;

impl Facts<'_> {
    const fn entry(&self, recipient: u32) -> MailboxEntry {
        MailboxEntry { dispatch: self.dispatch, recipient }
    }

    const fn weight(&self) -> Weight {
        Weight { bytes: self.bytes, payer: self.payer }
    }
}

impl Recipient {
    /// True if other messages wait for this recipient, so that this one was queued behind them.
    pub(super) fn stands_behind(&self, core: &mut Core, facts: Facts<'_>, index: u32, now: Now) -> bool {
        if facts.mailbox == MayWait::MayNot {
            return false;
        }
        let lane = self.lane(core, None);
        // If nobody is registered, there is nothing to try, for the earlier messages either.
        if core.domains.serves(&lane.aor) && core.location.bindings(&lane.aor, now.mono).next().is_none() {
            return false;
        }
        let lane_max = lane_max(core);
        core.mailbox.join(&lane, facts.entry(index), facts.weight(), lane_max)
    }
}

impl Legs {
    /// This attempt reached nobody: the recipient is deferred, or has failed (W18).
    pub(super) fn conclude(&mut self, core: &mut Core, facts: Facts<'_>, end: (u32, BranchResult), now: Now) {
        let (index, mut answer) = end;
        let Some(recipient) = self.recipient(index) else { return };
        let state = recipient.state();
        let may_wait = !recipient.is_departed && (state.is_some() || facts.mailbox == MayWait::May);
        if !may_wait {
            return self.settle(core, facts, (index, OutcomeState::Failed, answer), now);
        }
        let (lane, entry) = (recipient.lane(core, None), facts.entry(index));
        if facts.is_over(now) {
            // W18: 408 for a message that the mailbox could not deliver in time.
            answer = BranchResult::standard(408);
        } else if is_temporary(answer.status) {
            match core.mailbox.wait(&lane, entry, facts.weight(), lane_max(core)) {
                Ok(()) => return self.defer(core, facts, (index, answer), now),
                Err(MailboxFull) => answer.reason = "Mailbox Full".to_owned(),
            }
        }
        self.settle(core, facts, (index, OutcomeState::Failed, answer), now);
        core.mailbox.leave(&lane, entry);
    }

    /// Puts the recipient into the mailbox until the next registration; one who cannot register here is tried by time.
    fn defer(&mut self, core: &mut Core, facts: Facts<'_>, (index, answer): (u32, BranchResult), now: Now) {
        let Some(recipient) = self.recipient(index) else { return };
        let (lane, entry) = (recipient.lane(core, None), facts.entry(index));
        let start = recipient.fork.start().unwrap_or(now.mono);
        let is_first = recipient.outcome.is_none();
        if is_first {
            self.settle(core, facts, (index, OutcomeState::Deferred, answer), now);
            self.visit_later(core, (index, entry), now);
        } else if let Some(row) = &mut recipient.outcome {
            // The reported outcome stays; the next attempt needs to know how far this one came.
            row.tries = recipient.fork.tries;
            row.waits = Some(WaitRow { branches: recipient.fork.used(), devices: Vec::new() });
            recipient.saved = Saved::No;
            self.note_unwritten();
        }
        core.mailbox.missed(&lane, entry, since(core, &lane, start));
    }

    /// The mailbox says: try again what waits for the recipient, or for one of the devices.
    pub(crate) fn retry(&mut self, core: &mut Core, facts: Facts<'_>, turn: (u32, &MailboxKey), now: Now) {
        let (index, lane) = turn;
        match &lane.device {
            Some(device) => self.retry_device(core, facts, (index, lane, device), now),
            None if self.recipient(index).is_some_and(|recipient| !recipient.is_over()) => {
                self.attempt(core, facts, index, now);
            }
            None => core.mailbox.leave(lane, facts.entry(index)),
        }
    }

    /// Those before it in the queue came to nothing: it is deferred as if it had been tried.
    pub(crate) fn put_off(&mut self, core: &mut Core, facts: Facts<'_>, index: u32, now: Now) {
        if self.recipient(index).is_some_and(|recipient| recipient.outcome.is_none()) {
            self.conclude(core, facts, (index, BranchResult::standard(480)), now);
        }
    }

    /// The message has expired: nobody waits for it any more, but an attempt under way runs to its end.
    pub(crate) fn expire(&mut self, core: &mut Core, facts: Facts<'_>, now: Now) {
        for index in 0..u32::try_from(self.recipients.len()).unwrap_or(u32::MAX) {
            let Some(recipient) = self.recipient(index) else { return };
            if recipient.is_over() {
                for device in recipient.owed().to_vec() {
                    self.serve(core, facts, (index, &device));
                }
            } else if !recipient.fork.is_active() {
                self.conclude(core, facts, (index, BranchResult::standard(408)), now);
            }
        }
    }

    /// Users have lost their addresses: what waits for them fails, since they cannot be found any more.
    pub(crate) fn depart(&mut self, core: &mut Core, facts: Facts<'_>, gone: &BTreeSet<Aor>, now: Now) {
        for index in 0..u32::try_from(self.recipients.len()).unwrap_or(u32::MAX) {
            let Some(recipient) = self.recipient(index) else { return };
            let lane = recipient.lane(core, None);
            if !gone.contains(&lane.aor) {
                continue;
            }
            recipient.is_departed = true;
            let is_waiting = !recipient.is_over() && !recipient.fork.is_active();
            for device in recipient.owed().to_vec() {
                self.serve(core, facts, (index, &device));
            }
            if is_waiting {
                let failed = (index, OutcomeState::Failed, BranchResult::standard(404));
                self.settle(core, facts, failed, now);
                core.mailbox.leave(&lane, facts.entry(index));
            }
        }
    }

    /// Puts those who waited before a restart back into the mailbox.
    pub(crate) fn restore(&mut self, core: &mut Core, facts: Facts<'_>, now: Now) {
        for index in 0..u32::try_from(self.recipients.len()).unwrap_or(u32::MAX) {
            let Some(recipient) = self.recipient(index) else { return };
            if recipient.state() == Some(OutcomeState::Deferred) {
                let lane = recipient.lane(core, None);
                core.mailbox.restore(&lane, facts.entry(index), facts.weight());
                self.visit_later(core, (index, facts.entry(index)), now);
                continue;
            }
            for device in recipient.owed() {
                let lane = recipient.lane(core, Some(device));
                core.mailbox.restore(&lane, facts.entry(index), facts.weight());
            }
        }
    }

    /// Removes everything of this message from the mailbox, because it is forgotten.
    pub(crate) fn leave(&self, core: &mut Core, facts: Facts<'_>) {
        for (index, recipient) in (0..).zip(&self.recipients) {
            if recipient.state() == Some(OutcomeState::Deferred) {
                let lane = recipient.lane(core, None);
                core.mailbox.leave(&lane, facts.entry(index));
            }
            for device in recipient.owed() {
                let lane = recipient.lane(core, Some(device));
                core.mailbox.leave(&lane, facts.entry(index));
            }
        }
    }

    /// True while a device is owed the message.
    pub(crate) fn is_owed(&self) -> bool {
        self.recipients.iter().any(|recipient| !recipient.owed().is_empty())
    }

    /// The mailbox queue of a deferred recipient.
    pub(crate) fn waiting_lane(&self, core: &Core, recipient: u32) -> Option<MailboxKey> {
        let recipient = self.recipients.get(index(recipient))?;
        (recipient.state() == Some(OutcomeState::Deferred)).then(|| recipient.lane(core, None))
    }

    /// A device has taken it: the other known devices that have not answered get it when they register (W16).
    pub(super) fn owe_devices(&mut self, core: &mut Core, facts: Facts<'_>, index: u32, now: Now) {
        let Some(recipient) = self.recipient(index) else { return };
        let (lane, entry) = (recipient.lane(core, None), facts.entry(index));
        core.mailbox.leave(&lane, entry);
        if recipient.is_departed {
            return;
        }
        if facts.mailbox == MayWait::MayNot || facts.is_over(now) {
            return;
        }
        let start = recipient.fork.start().unwrap_or(now.mono);
        let known: Vec<_> = core.location.devices.of(&lane.aor, now.wall).map(str::to_owned).collect();
        let mut devices = Vec::new();
        for device in known.into_iter().filter(|device| !recipient.has_done(device)) {
            let lane = MailboxKey { device: Some(device.clone()), ..lane.clone() };
            if core.mailbox.wait(&lane, entry, facts.weight(), lane_max(core)).is_ok() {
                if !recipient.fork.is_active_at(&device) && since(core, &lane, start) == Since::Registered {
                    core.mailbox.call(&lane);
                }
                devices.push(device);
            }
        }
        if let Some(row) = recipient.outcome.as_mut().filter(|_| !devices.is_empty()) {
            row.waits = Some(WaitRow { branches: recipient.fork.used(), devices });
        }
    }

    /// A response, or what stands for one, from a device after another one had decided.
    pub(super) fn device_heard(
        &mut self,
        core: &mut Core,
        facts: Facts<'_>,
        place: LegId,
        status: u16,
        now: Now,
    ) {
        let Some(recipient) = self.recipient(place.recipient) else { return };
        if !recipient.fork.end(place.branch) {
            return;
        }
        let Some(device) = recipient.fork.device(place.branch).map(str::to_owned) else {
            return;
        };
        // A 482 says that the device is receiving it another way: next time it is asked again (W15).
        if !is_temporary(status) && status != 482 {
            return self.serve(core, facts, (place.recipient, &device));
        }
        if recipient.fork.is_active_at(&device) {
            return;
        }
        let start = recipient.fork.start_of(place.branch).unwrap_or(now.mono);
        let branches = recipient.fork.used();
        let lane = recipient.lane(core, Some(&device));
        if let Some(waits) = recipient.outcome.as_mut().and_then(|row| row.waits.as_mut()) {
            waits.branches = branches;
            recipient.saved = Saved::No;
            self.note_unwritten();
        }
        core.mailbox.missed(&lane, facts.entry(place.recipient), since(core, &lane, start));
    }

    fn retry_device(
        &mut self,
        core: &mut Core,
        facts: Facts<'_>,
        (index, lane, device): (u32, &MailboxKey, &str),
        now: Now,
    ) {
        let Some(recipient) =
            self.recipient(index).filter(|recipient| recipient.owed().iter().any(|owed| owed == device))
        else {
            return core.mailbox.leave(lane, facts.entry(index));
        };
        if facts.is_over(now) {
            return self.serve(core, facts, (index, device));
        }
        // A branch to that device is under way; it will decide.
        if recipient.fork.is_active_at(device) {
            return;
        }
        let bindings = core.location.bindings(&lane.aor, now.mono);
        let of_device = bindings.filter(|binding| binding.row.instance.as_deref() == Some(device));
        let targets = of_device.filter_map(|binding| core.router().target(binding, now));
        // W32: a message for a `sips:` address does not leave TLS, however late.
        let targets: Vec<_> = targets.filter(|target| target.may_carry(&recipient.route)).collect();
        for target in &targets {
            if let Some(branch) = recipient.fork.add_late(target, device, now.mono) {
                let user = User::Leg { dispatch: facts.dispatch, recipient: index, branch };
                core.begin(user, facts.looks_up(), target.clone().into_way(), core.timer_f(now));
            }
        }
        if targets.is_empty() {
            core.mailbox.missed(lane, facts.entry(index), Since::Silent);
        }
    }

    /// Nothing is owed to this device any more.
    fn serve(&mut self, core: &mut Core, facts: Facts<'_>, (index, device): (u32, &str)) {
        let Some(recipient) = self.recipient(index) else { return };
        let lane = recipient.lane(core, Some(device));
        if let Some(row) = &mut recipient.outcome
            && let Some(waits) = &mut row.waits
            && waits.devices.iter().any(|owed| owed == device)
        {
            waits.devices.retain(|owed| owed != device);
            if waits.devices.is_empty() {
                row.waits = None;
            }
            recipient.saved = Saved::No;
            self.note_unwritten();
        }
        core.mailbox.leave(&lane, facts.entry(index));
    }

    /// A recipient of another domain does not register here: tries again by time.
    fn visit_later(&mut self, core: &mut Core, (index, entry): (u32, MailboxEntry), now: Now) {
        let Some(recipient) = self.recipient(index) else { return };
        if core.domains.aor(&recipient.route).is_none() {
            core.agenda.add(now.mono + visit_wait(0), Due::Visit(entry, 0));
        }
    }
}

fn lane_max(core: &Core) -> usize {
    core.config.mailbox.map_or(MAILBOX_PER_USER_MAX, |mailbox| mailbox.per_user_max)
}

fn since(core: &Core, lane: &MailboxKey, start: std::time::Instant) -> Since {
    if core.location.is_registered_since(&lane.aor, lane.device.as_deref(), start) {
        Since::Registered
    } else {
        Since::Silent
    }
}
