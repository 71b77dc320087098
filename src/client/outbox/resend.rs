//! A further attempt at a message, to a corrected address too, and withdrawal of what has not left yet.

use super::draft::{person_key, recipient as checked};
use super::entry::{Identity, OutboxEntry};
use super::{AttemptId, Outbox};
use crate::client::agent::core::{Action, Core};
use crate::client::conversation::Conversations;
use crate::model::account::Profile;
use crate::model::command::{Event, WindowEvent};
use crate::model::delivery::News;
use crate::model::journal::{AttemptStage, DeliveryState, MessageId, Way, Write};
use crate::model::reason::LocalReason;
use crate::sip::Uri;
use crate::time::Now;

impl Outbox {
    /// Resends a message to those who failed or have no report: ONE new MESSAGE, the next attempt.
    pub(crate) fn resend(&mut self, core: &mut Core, id: MessageId, only: Option<u32>, now: Now) {
        let Some(entry) = self.entries.get(&id) else {
            return;
        };
        let recipients = entry.resendable(only);
        if recipients.is_empty() {
            return;
        }
        let number = entry.next_number();
        let latest = entry.latest();
        // It is unknown whether the proxy has the last attempt: under the same Call-ID it drops the duplicate (W12).
        let same = latest.filter(|latest| latest.is_ambiguous() && latest.row.recipients == recipients);
        let ids = match same {
            Some(same) => Identity::of(&same.row),
            None => Identity::fresh(core, &entry.latest_report_options()),
        };
        self.begin_attempt(core, id, ids, recipients, now);
        core.promise(Action::AttemptKept(id, number));
    }

    /// Resends a message to one of those who failed, at a corrected address: it takes the place of the wrong one, in the
    /// message and for what is written in its conversation from now on.
    pub(crate) fn resend_to(
        &mut self,
        core: &mut Core,
        conversations: &mut Conversations,
        (id, recipient): (MessageId, u32),
        address: &str,
        now: Now,
    ) {
        let Some(entry) = self.entries.get_mut(&id) else {
            return;
        };
        let (number, conversation) = (entry.next_number(), entry.row.conversation);
        if entry.resendable(Some(recipient)).is_empty() {
            return;
        }
        let address = match corrected(entry, recipient, address, &core.profile) {
            Ok(uri) => uri.as_str().to_owned(),
            Err(why) => {
                let reason = why.into();
                return core.tell(Event::Refused { message: id, attempt: number, status: 400, reason });
            }
        };
        let Some(former) = entry.readdress(recipient, address.clone()) else {
            return;
        };
        let (wish, people) = (entry.latest_report_options(), entry.row.recipients.clone());
        core.write(Write::Recipients { message: id, people });
        if let Some(people) = conversations.readdress(conversation, (&former, &address)) {
            core.write(Write::People { conversation, people });
        }
        // A late report on the wrong address says nothing of the right one.
        self.directories.retain(|place, _| place.0 != id);
        let ids = Identity::fresh(core, &wish);
        self.begin_attempt(core, id, ids, vec![recipient], now);
        if let Some(attempt) = self.find_mut((id, number)) {
            attempt.corrects = Some((recipient, former));
        }
        core.promise(Action::AttemptKept(id, number));
    }

    /// An attempt is committed: it waits to leave.
    pub(super) fn attempt_kept(&mut self, place: AttemptId) {
        let Some(attempt) = self.find_mut(place) else { return };
        attempt.is_kept = true;
        // It may have been withdrawn while the commit was pending.
        match attempt.row.way {
            _ if !attempt.is_queued() => {}
            Way::OneByOne => self.resume_one_by_one(place),
            Way::FanOut | Way::ByList => drop(self.waiting.insert(place)),
        }
    }

    /// A further attempt is committed.
    pub(crate) fn further_kept(&mut self, core: &mut Core, place: AttemptId) {
        self.attempt_kept(place);
        let is_corrected = self.find_mut(place).is_some_and(|attempt| attempt.corrects.take().is_some());
        let Some((entry, attempt)) = self.find(place) else {
            return;
        };
        if is_corrected {
            // The message is to be read again, for its address.
            core.tell(Event::Window(WindowEvent::Changed {
                conversation: entry.row.conversation,
                message: Some(place.0),
            }));
        }
        // Changes since then are told once the disk has them.
        for row in attempt.deliveries.iter().filter(|row| row.state == DeliveryState::Queued) {
            core.tell(entry.delivery_event(row));
        }
    }

    /// A further attempt could not be stored.
    pub(crate) fn further_lost(
        &mut self,
        core: &mut Core,
        conversations: &mut Conversations,
        place: AttemptId,
    ) {
        let (message, attempt) = place;
        if let Some(entry) = self.entries.get_mut(&message)
            && let Some(lost) = entry.attempts.remove(&attempt)
            && let Some((recipient, former)) = lost.corrects
            && let Some(address) = entry.readdress(recipient, former.clone())
        {
            // Neither is the corrected address stored.
            conversations.readdress(entry.row.conversation, (&address, &former));
        }
        let reason = LocalReason::NotStored.into();
        core.tell(Event::Refused { message, attempt, status: 503, reason });
    }

    /// Withdraws what is still queued; what has left cannot be withdrawn.
    pub(crate) fn withdraw(&mut self, core: &mut Core, id: MessageId, now: Now) {
        let Some(entry) = self.entries.get(&id) else {
            return;
        };
        let conversation = entry.row.conversation;
        let queued: Vec<_> =
            entry.attempts.values().filter(|it| it.is_queued()).map(|it| it.row.number).collect();
        if queued.is_empty() {
            return;
        }
        for number in queued {
            self.waiting.remove(&(id, number));
            self.large.remove(&(id, number));
            self.singles.withdraw((id, number));
            self.learn_all(core, (id, number), &News::bare(DeliveryState::Cancelled), now);
            self.set_stage(core, (id, number), AttemptStage::Closed, now);
        }
        core.promise(Action::TellOf(
            id,
            Event::Window(WindowEvent::Changed { conversation, message: Some(id) }),
        ));
        self.retire(id);
    }
}

/// The corrected address of a recipient.
///
/// # Errors
/// A plain sentence that says why nothing can be sent to it.
fn corrected(entry: &OutboxEntry, recipient: u32, address: &str, profile: &Profile) -> Result<Uri, String> {
    let uri = checked(address, profile)?;
    let key = person_key(&uri, profile);
    let others = (0_u32..).zip(&entry.row.recipients).filter(|(index, _)| *index != recipient);
    let others = others.filter_map(|(_, person)| Uri::parse(&person.address).ok());
    if others.map(|other| person_key(&other, profile)).any(|other| other == key) {
        return Err(format!("{address} is among the recipients already."));
    }
    Ok(uri)
}
