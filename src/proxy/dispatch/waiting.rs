//! What the mailbox does to messages: a registration starts delivery, expiry fails what waits, and after a restart what
//! waited waits again (W8, W16, W18).

use super::Dispatches;
use crate::proxy::core::{Core, Due};
use crate::proxy::journal::{DispatchId, Write};
use crate::proxy::mailbox::{MailboxEntry, MailboxKey, MailboxTask, visit_wait};
use crate::sip::Aor;
use crate::time::Now;

impl Dispatches {
    /// Bindings were made or refreshed: calls the queues of these people and devices.
    pub(crate) fn call(&self, core: &mut Core, aor: &Aor, writes: &[Write]) {
        let mut devices = Vec::new();
        for write in writes {
            if let Write::Bind(row) = write {
                devices.push(None);
                devices.push(row.instance.clone());
            }
        }
        devices.sort_unstable();
        devices.dedup();
        for device in devices {
            core.mailbox.call(&MailboxKey { aor: aor.clone(), device });
        }
    }

    /// Does what the mailbox asks for.
    pub(crate) fn turn(&mut self, core: &mut Core, turn: &MailboxTask, now: Now) {
        match turn {
            MailboxTask::Try(lane, entry) if self.all.contains_key(&entry.dispatch) => {
                self.with_legs(core, entry.dispatch, now, |core, legs, facts| {
                    legs.retry(core, facts, (entry.recipient, lane), now);
                });
                self.drop_done(core, entry.dispatch, now);
            }
            MailboxTask::Try(lane, entry) => core.mailbox.leave(lane, *entry),
            MailboxTask::PutOff(entry) => self.with_legs(core, entry.dispatch, now, |core, legs, facts| {
                legs.put_off(core, facts, entry.recipient, now);
            }),
        }
    }

    /// Tries a recipient who does not register here.
    pub(super) fn visit(&self, core: &mut Core, (entry, round): (MailboxEntry, u8), now: Now) {
        let legs = self.all.get(&entry.dispatch).and_then(|dispatch| dispatch.legs.as_ref());
        let Some(lane) = legs.and_then(|legs| legs.waiting_lane(core, entry.recipient)) else {
            return;
        };
        core.mailbox.call(&lane);
        let next = round.saturating_add(1);
        core.agenda.add(now.mono + visit_wait(next), Due::Visit(entry, next));
    }

    /// Expires a message, unless the clock was set back.
    pub(super) fn expire(&mut self, core: &mut Core, id: DispatchId, now: Now) {
        let Some(dispatch) = self.all.get_mut(&id) else { return };
        let Some(end) = dispatch.parts().and_then(|(_, facts)| facts.ends_at()) else { return };
        if end > now.wall {
            return dispatch.expire_at(core, now.mono_at(end));
        }
        self.with_legs(core, id, now, |core, legs, facts| legs.expire(core, facts, now));
        self.drop_done(core, id, now);
    }

    /// Puts the waiting recipients of a message back into the mailbox after a restart.
    pub(crate) fn restore(&mut self, core: &mut Core, id: DispatchId, now: Now) {
        self.with_legs(core, id, now, |core, legs, facts| legs.restore(core, facts, now));
    }

    /// After a restart: calls everybody who is registered, since they may have come while we were down.
    pub(crate) fn call_all(&self, core: &mut Core, now: Now) {
        for lane in core.mailbox.lanes() {
            let mut bindings = core.location.bindings(&lane.aor, now.mono);
            let is_there = match &lane.device {
                Some(device) => bindings.any(|binding| binding.row.instance.as_ref() == Some(device)),
                None => bindings.next().is_some() || !core.domains.serves(&lane.aor),
            };
            if is_there {
                core.mailbox.call(&lane);
            }
        }
    }
}
