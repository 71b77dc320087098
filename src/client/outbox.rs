//! Messages written here: stored before the first byte leaves, sent, reported on, resent.
//!
//! How a message goes: a draft is checked (`draft`) and stored as a message with one attempt and one row per
//! recipient. Once that is committed, the attempt waits until the proxy is reachable and leaves as ONE MESSAGE
//! (`submission`). The final response says that the proxy has it, or that nobody gets it. Reports (`report`) give the
//! outcome for each recipient. A server that does not fan out gets a list (`list`, W27), or each recipient gets a
//! MESSAGE of his own (`one_by_one`, W6). After a restart, attempts under way go on where they were (`recovery`,
//! W10).

pub(super) mod unanswered;

mod recovery;

mod resend;

mod forget;

mod report;

mod list;

mod receipt;

mod submission;

mod one_by_one;

mod room;

mod detour;

mod print;

mod draft;

mod entry;

mod server_verdict;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use bytes::Bytes;

use self::entry::{Attempt, Identity, OutboxEntry, queued};
use self::one_by_one::Singles;
use super::agent::core::{Action, Core};
use crate::client::conversation::Conversations;
use crate::limits::{OUTBOX_FINISHED_MAX, SAVE_AGAIN};
use crate::machine::TimerReason;
use crate::model::command::{Draft, Event, WindowEvent};
use crate::model::delivery::{Directory, Learned, News, is_refused_by_type, learn};
use crate::model::journal::{AttemptRow, AttemptStage, ConversationId, MessageId, OutgoingRow, Write};
use crate::model::snapshot::Tally;
use crate::sip::enclose;
use crate::time::{Now, Timestamp};

pub(super) use self::server_verdict::ServerVerdict;

/// Identifies one attempt at one message.
pub(super) type AttemptId = (MessageId, u32);

/// All our messages for which anything is still expected or to be done.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    entries: BTreeMap<MessageId, OutboxEntry>,
    /// Attempts waiting to leave, in the order in which they will.
    waiting: BTreeSet<AttemptId>,
    /// Attempts that leave as soon as the disk has recorded that they may have left.
    leaving: BTreeSet<AttemptId>,
    /// Attempts too large for a datagram, while the connection is being opened (W4).
    large: BTreeSet<AttemptId>,
    /// Attempts without a final response.
    under_way: BTreeSet<AttemptId>,
    /// Recipients of attempts sent one by one (W6).
    singles: Singles,
    /// The message that uses each Call-ID.
    by_call: BTreeMap<String, MessageId>,
    /// When the report window of an attempt ends.
    windows: BTreeSet<(Instant, MessageId, u32)>,
    /// Nothing is submitted before this time: the proxy asked us to wait (RFC 3261 §21.5.4).
    hold_until: Option<Instant>,
    /// Messages of which the disk did not store everything, to be written again.
    unsaved: BTreeSet<MessageId>,
    save_at: Option<Instant>,
    /// Messages written again whose commit is still pending, and how many such writes each has.
    saving: BTreeMap<MessageId, u32>,
    /// Events to give to the owner once the failed write has been repeated.
    untold: BTreeMap<MessageId, Vec<Event>>,
    /// Messages with a good end, remembered in case a report is repeated.
    finished: BTreeSet<MessageId>,
    /// The recipients of the attempts that were reported on last: parsing 500 addresses costs more than all else.
    directories: BTreeMap<AttemptId, Directory>,
    /// People whose program does not accept CPIM, by [`address_key`](crate::model::contacts::address_key) (W28).
    refusers: BTreeSet<String>,
}

impl Outbox {
    /// Stores a draft as a message; it leaves once it is committed and the proxy is reachable. Returns its conversation.
    pub(super) fn keep(
        &mut self,
        core: &mut Core,
        conversations: &mut Conversations,
        draft: Draft,
        now: Now,
    ) -> Option<ConversationId> {
        let (people, conversation) = match self.place(core, conversations, &draft) {
            Ok(place) => place,
            Err(why) => {
                core.tell(Event::NotSent { draft, why });
                return None;
            }
        };
        let id = core.next_message();
        let recipients = (0_u32..).zip(&people).map(|(index, _)| index).collect();
        let hidden = draft.hidden && people.len() > 1;
        let (content_type, body) = enclose(&draft.text, &draft.files);
        let row = OutgoingRow { id, conversation, at: now.wall, content_type, body, recipients: people };
        core.write(Write::Outgoing(row.clone()));
        self.entries.insert(id, OutboxEntry { row, hidden, attempts: BTreeMap::new() });
        let ids = Identity::fresh(core, &draft.report);
        self.begin_attempt(core, id, ids, recipients, now);
        core.promise(Action::Submitted(id, Box::new(draft)));
        Some(conversation)
    }

    /// A draft is committed as a message.
    pub(super) fn kept(&mut self, core: &mut Core, conversations: &mut Conversations, id: MessageId) {
        let Some(entry) = self.entries.get(&id) else {
            return;
        };
        let conversation = entry.row.conversation;
        conversations.wrote(&entry.row, entry.tally());
        core.tell(Event::Queued { conversation, message: id });
        self.attempt_kept((id, 1));
    }

    /// A draft could not be stored: its text goes back to the composer, unless it waits elsewhere.
    pub(super) fn lost(
        &mut self,
        core: &mut Core,
        conversations: &mut Conversations,
        id: MessageId,
        draft: Option<Draft>,
    ) {
        if let Some(entry) = self.entries.remove(&id) {
            conversations.not_kept(entry.row.conversation);
            for attempt in entry.attempts.values() {
                self.by_call.remove(&attempt.row.call_id);
            }
        }
        if let Some(draft) = draft {
            let why = "It could not be written to the disk. Is the disk full?".to_owned();
            core.tell(Event::NotSent { draft, why });
        }
    }

    /// A message's conversation, its time, and its recipient counts.
    pub(super) fn tally(&self, id: MessageId) -> Option<(ConversationId, Timestamp, Tally)> {
        self.entries.get(&id).map(OutboxEntry::counted)
    }

    /// Whether anything waits to leave.
    pub(super) fn has_waiting(&self) -> bool {
        !self.waiting.is_empty() || !self.large.is_empty() || self.singles.has_waiting()
    }

    /// How many attempts wait to leave or for a final response.
    pub(super) fn unsent(&self) -> usize {
        let asked = self.waiting.len() + self.leaving.len() + self.large.len();
        asked + self.under_way.len() + self.singles.attempts().len()
    }

    /// The state of a message could not be stored: it is written again a little later.
    pub(super) fn unsaved(&mut self, id: MessageId, now: Now) {
        self.unsaved.insert(id);
        self.save_at.get_or_insert(now.mono + SAVE_AGAIN);
    }

    /// The same, and the owner still has to be told this event.
    pub(super) fn untold(&mut self, id: MessageId, event: Event, now: Now) {
        self.unsaved(id, now);
        let events = self.untold.entry(id).or_default();
        if !events.contains(&event) {
            events.push(event);
        }
    }

    /// Whether the owner has not been told this yet; each event is told only once.
    pub(super) fn is_news(&mut self, event: &Event) -> bool {
        let Event::Delivery { message, attempt, recipient, state, reason, .. } = event else {
            return true;
        };
        let attempt = self.find_mut((*message, *attempt));
        attempt.is_none_or(|attempt| attempt.note_told(*recipient, *state, reason))
    }

    /// The disk has confirmed or refused a repeated write.
    pub(super) fn saved(&mut self, id: MessageId) {
        if let Some(times) = self.saving.get_mut(&id) {
            *times = times.saturating_sub(1);
            if *times == 0 {
                self.saving.remove(&id);
            }
        }
    }

    /// Whether the disk has confirmed all that is known of a message.
    pub(super) fn is_kept(&self, id: MessageId) -> bool {
        !self.unsaved.contains(&id) && !self.saving.contains_key(&id)
    }

    /// Whether anything known of a message is not stored.
    pub(super) fn is_unsaved(&self, id: MessageId) -> bool {
        self.unsaved.contains(&id)
    }

    /// Does what has fallen due.
    pub(super) fn handle_timeout(&mut self, core: &mut Core, now: Now) {
        while let Some((due, id, number)) =
            self.windows.first().copied().filter(|(due, _, _)| *due <= now.mono)
        {
            self.windows.remove(&(due, id, number));
            self.window_over(core, (id, number), now);
        }
        if self.hold_until.is_some_and(|until| until <= now.mono) {
            self.hold_until = None;
        }
        self.release_held(now);
        if self.save_at.is_some_and(|at| at <= now.mono) {
            self.save_at = None;
            self.save_again(core);
        }
    }

    /// The next deadline.
    pub(super) fn poll_timeout(&self) -> Option<(Instant, TimerReason)> {
        let window = self.windows.first().map(|(due, _, _)| (*due, TimerReason::ReportWindowEnds));
        let hold = self.hold_until.into_iter().chain(self.held_until()).min();
        let hold = hold.map(|until| (until, TimerReason::RetryAfter));
        let save = self.save_at.map(|at| (at, TimerReason::WrittenAgain));
        [window, hold, save].into_iter().flatten().min()
    }

    /// Writes an attempt and its recipients as queued, in this turn's batch.
    fn begin_attempt(
        &mut self,
        core: &mut Core,
        id: MessageId,
        ids: Identity,
        recipients: Vec<u32>,
        now: Now,
    ) {
        let may_ask = |entry: &OutboxEntry| self.may_ask(core, entry, &recipients);
        let asks = ids.asks.unwrap_or_else(|| self.entries.get(&id).is_some_and(may_ask));
        let Some(entry) = self.entries.get_mut(&id) else {
            return;
        };
        let number = entry.next_number();
        let deliveries: Vec<_> =
            recipients.iter().map(|recipient| queued(id, number, *recipient, now)).collect();
        self.by_call.insert(ids.call_id.clone(), id);
        let row = AttemptRow {
            message: id,
            number,
            recipients,
            call_id: ids.call_id,
            from_tag: ids.from_tag,
            cseq: ids.cseq,
            report: ids.report,
            way: ids.way,
            asks,
            stage: AttemptStage::Queued,
            at: now.wall,
        };
        core.write(Write::Attempt(row.clone()));
        for delivery in &deliveries {
            core.write(Write::Delivery(delivery.clone()));
        }
        entry.attempts.insert(number, Attempt::new(row, deliveries));
    }

    /// Applies news about one recipient; the owner is told once it is committed.
    fn learn(&mut self, core: &mut Core, place: AttemptId, recipient: u32, news: &News, now: Now) {
        let Some(entry) = self.entries.get_mut(&place.0) else {
            return;
        };
        let Some(attempt) = entry.attempts.get_mut(&place.1) else {
            return;
        };
        let Some(row) = attempt.deliveries.iter_mut().find(|row| row.recipient == recipient) else {
            return;
        };
        let learned = learn(row, news, now.wall);
        let row = row.clone();
        let changed = || {
            Event::Window(WindowEvent::Changed {
                conversation: entry.row.conversation,
                message: Some(place.0),
            })
        };
        let event = match learned {
            Learned::Nothing => return,
            Learned::Details => changed(),
            // Not reported as a failure: they are sent the text alone (W28).
            Learned::State if attempt.row.asks && is_refused_by_type(&row) => changed(),
            Learned::State => entry.delivery_event(&row),
        };
        core.write(Write::Delivery(row));
        core.promise(Action::TellOf(place.0, event));
    }

    /// Applies the same news to every recipient of an attempt.
    fn learn_all(&mut self, core: &mut Core, place: AttemptId, news: &News, now: Now) {
        let recipients =
            self.find(place).map(|(_, attempt)| attempt.row.recipients.clone()).unwrap_or_default();
        for recipient in recipients {
            self.learn(core, place, recipient, news, now);
        }
    }

    fn set_stage(&mut self, core: &mut Core, place: AttemptId, stage: AttemptStage, now: Now) {
        let Some(attempt) = self.find_mut(place) else {
            return;
        };
        if attempt.row.stage == stage {
            return;
        }
        attempt.row.stage = stage;
        attempt.row.at = now.wall;
        core.write(Write::Attempt(attempt.row.clone()));
        core.promise(Action::StateKept(place.0));
    }

    fn close_if_settled(&mut self, core: &mut Core, place: AttemptId, now: Now) {
        if self.find(place).is_some_and(|(_, attempt)| attempt.is_settled()) {
            self.set_stage(core, place, AttemptStage::Closed, now);
            self.retire(place.0);
        }
    }

    /// A message with a good end drops its body from memory, and is forgotten once many others have ended after it.
    fn retire(&mut self, id: MessageId) {
        let Some(entry) = self.entries.get_mut(&id).filter(|entry| entry.is_finished()) else {
            return;
        };
        entry.row.body = Bytes::new();
        self.finished.insert(id);
        while self.finished.len() > OUTBOX_FINISHED_MAX {
            let Some(oldest) = self.finished.pop_first() else {
                return;
            };
            for attempt in self.entries.remove(&oldest).iter().flat_map(|entry| entry.attempts.values()) {
                self.by_call.remove(&attempt.row.call_id);
            }
        }
    }

    fn save_again(&mut self, core: &mut Core) {
        for id in std::mem::take(&mut self.unsaved) {
            self.save(core, id);
        }
    }

    /// Writes the whole state of a message into this turn's batch.
    fn save(&mut self, core: &mut Core, id: MessageId) {
        self.unsaved.remove(&id);
        let untold = self.untold.remove(&id).unwrap_or_default();
        let Some(entry) = self.entries.get(&id) else {
            return;
        };
        for attempt in entry.attempts.values().filter(|attempt| attempt.is_kept) {
            core.write(Write::Attempt(attempt.row.clone()));
            for delivery in &attempt.deliveries {
                core.write(Write::Delivery(delivery.clone()));
            }
        }
        *self.saving.entry(id).or_default() += 1;
        core.promise(Action::StateRewritten(id));
        for (message, attempt) in self.leaving.iter().copied().filter(|place| place.0 == id) {
            core.promise(Action::MayLeave(message, attempt));
        }
        let mut told: Vec<Event> = Vec::new();
        for event in untold.into_iter().map(|event| entry.present(event)) {
            if !told.contains(&event) {
                core.promise(Action::TellOf(id, event.clone()));
                told.push(event);
            }
        }
    }

    fn find(&self, place: AttemptId) -> Option<(&OutboxEntry, &Attempt)> {
        let entry = self.entries.get(&place.0)?;
        entry.attempts.get(&place.1).map(|attempt| (entry, attempt))
    }

    fn find_mut(&mut self, place: AttemptId) -> Option<&mut Attempt> {
        self.entries.get_mut(&place.0)?.attempts.get_mut(&place.1)
    }
}
