//! Merges failures into one notice per message: gathered for a short time, renewed if there are more, and withdrawn if
//! a late report says delivered (screen.md, notification on failure).

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::limits::ALARMS_MAX;
use crate::model::command::Notice;
use crate::model::journal::{ConversationId, DeliveryState, MessageId};
use crate::model::notice::FAILURES_NAMED_MAX;
use crate::model::reason::{Cause, cause};
use crate::model::snapshot::MessageView;

/// How long failures of one message are gathered before the notice.
const GATHER: Duration = Duration::from_secs(2);

/// Which messages are due for a failure notice.
#[derive(Debug, Default)]
pub(super) struct Alarms {
    watched: BTreeMap<MessageId, Alarm>,
}

/// A recipient's state changed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Change {
    pub(super) conversation: ConversationId,
    pub(super) message: MessageId,
    pub(super) attempt: u32,
    pub(super) state: DeliveryState,
}

#[derive(Debug)]
struct Alarm {
    conversation: ConversationId,
    stage: AlarmStage,
    /// The latest attempt in which somebody failed.
    attempt: u32,
    /// The number of failures in the last notice; 0 if there was none.
    told: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AlarmStage {
    /// Gathering further failures until this time.
    Gathering(Instant),
    /// The message must be checked.
    Due,
    /// The notice was given.
    Told,
}

impl Alarms {
    /// Takes in a change. True if the message must be checked.
    pub(super) fn hear(&mut self, change: Change, now: Instant) -> bool {
        match change.state {
            DeliveryState::Failed => {
                self.failed(change, now + GATHER);
                false
            }
            DeliveryState::Delivered | DeliveryState::PassedOn | DeliveryState::Read => {
                self.delivered(change.message)
            }
            DeliveryState::Queued
            | DeliveryState::Sending
            | DeliveryState::Accepted
            | DeliveryState::NoReport
            | DeliveryState::Deferred
            | DeliveryState::Cancelled => false,
        }
    }

    fn failed(&mut self, change: Change, until: Instant) {
        let Change { conversation, message, attempt, .. } = change;
        let stage = AlarmStage::Gathering(until);
        let new = Alarm { conversation, stage, attempt, told: 0 };
        let alarm = self.watched.entry(message).or_insert(new);
        if attempt > alarm.attempt {
            // Sent again and failed again: worth a new notice even with the same number of failures.
            (alarm.attempt, alarm.told) = (attempt, 0);
        }
        if alarm.stage == AlarmStage::Told {
            alarm.stage = stage;
        }
        if self.watched.len() > ALARMS_MAX {
            self.watched.pop_first();
        }
    }

    fn delivered(&mut self, message: MessageId) -> bool {
        let Some(alarm) = self.watched.get_mut(&message) else { return false };
        let was_told = alarm.stage == AlarmStage::Told;
        if was_told {
            alarm.stage = AlarmStage::Due;
        }
        was_told
    }

    /// When the next gathering period ends.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let ends = self.watched.values().filter_map(|alarm| match alarm.stage {
            AlarmStage::Gathering(until) => Some(until),
            AlarmStage::Due | AlarmStage::Told => None,
        });
        ends.min()
    }

    /// The messages whose gathering period has ended: they must be checked.
    pub(super) fn take_due(&mut self, now: Instant) -> Vec<MessageId> {
        let mut due = Vec::new();
        for (id, alarm) in &mut self.watched {
            if matches!(alarm.stage, AlarmStage::Gathering(until) if until <= now) {
                alarm.stage = AlarmStage::Due;
                due.push(*id);
            }
        }
        due
    }

    /// The notice to give about a message that was checked, if any.
    pub(super) fn look_at(&mut self, view: &MessageView) -> Option<Notice> {
        let alarm = self.watched.get_mut(&view.id)?;
        if alarm.stage != AlarmStage::Due {
            return None;
        }
        let failed = view.tally.failed;
        if failed == 0 {
            let was_told = alarm.told > 0;
            self.watched.remove(&view.id);
            return was_told.then_some(Notice::Delivered { message: view.id });
        }
        alarm.stage = AlarmStage::Told;
        if failed <= alarm.told {
            alarm.told = failed;
            return None;
        }
        alarm.told = failed;
        Some(Notice::NotDelivered {
            conversation: alarm.conversation,
            message: view.id,
            tally: view.tally,
            failures: failures(view),
            failed: view.tally.resendable(),
        })
    }
}

/// The first of those who were not reached, and why.
fn failures(view: &MessageView) -> Vec<(String, Cause)> {
    let failed = view.deliveries.iter().filter(|delivery| delivery.state == DeliveryState::Failed);
    let told = failed.map(|it| (it.person.name.clone(), cause(it.status, &it.phrase)));
    told.take(FAILURES_NAMED_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::reason::Phrase;
    use crate::model::snapshot::{DeliveryView, Person, Tally};
    use crate::time::{Clock, Timestamp};
    use DeliveryState::{Accepted, Delivered, Failed};

    const HERE: ConversationId = ConversationId(1);
    const ONE: MessageId = MessageId(1);

    fn change(message: MessageId, attempt: u32, state: DeliveryState) -> Change {
        Change { conversation: HERE, message, attempt, state }
    }

    fn looks(states: &[DeliveryState]) -> MessageView {
        let delivery = |(index, state): (usize, &DeliveryState)| DeliveryView {
            person: Person { address: String::new(), name: format!("P{index}"), simulated: false },
            state: *state,
            status: Some(480),
            phrase: Phrase::default(),
            at: Timestamp::default(),
            after: None,
            attempt: 1,
        };
        MessageView {
            verified: true,
            id: ONE,
            at: Timestamp::default(),
            sent_at: None,
            from: None,
            text: String::new(),
            files: Vec::new(),
            attempts: 1,
            call_ids: Vec::new(),
            way: crate::model::journal::Way::FanOut,
            deliveries: states.iter().enumerate().map(delivery).collect(),
            tally: Tally::of(states.iter().copied()),
        }
    }

    fn told(notice: Option<Notice>) -> String {
        let Some(Notice::NotDelivered { tally, failures, failed, .. }) = notice else { panic!("{notice:?}") };
        let of = |(name, cause): &(String, Cause)| format!("{name}: {}", cause.words());
        let body: Vec<String> = failures.iter().map(of).collect();
        format!("{} of {}|{}|{failed}", tally.failed, tally.total, body.join(". "))
    }

    #[test]
    fn failures_of_one_message_are_told_together_and_once() {
        let (mut alarms, now) = (Alarms::default(), Clock::start().now().mono);
        assert!(!alarms.hear(change(ONE, 1, Accepted), now));
        assert_eq!(alarms.deadline(), None);
        alarms.hear(change(ONE, 1, Failed), now);
        alarms.hear(change(ONE, 1, Failed), now + Duration::from_secs(1));
        assert_eq!(alarms.deadline(), Some(now + GATHER));
        assert!(alarms.take_due(now).is_empty());
        assert_eq!(alarms.look_at(&looks(&[Failed, Failed, Accepted])), None);
        assert_eq!(alarms.take_due(now + GATHER), [ONE]);
        let notice = told(alarms.look_at(&looks(&[Failed, Failed, Accepted])));
        assert_eq!(notice, "2 of 3|P0: Offline right now. P1: Offline right now|2");
        assert_eq!(alarms.look_at(&looks(&[Failed, Failed, Accepted])), None);
        assert_eq!(alarms.deadline(), None);
    }

    #[test]
    fn later_failures_are_told_after_another_while() {
        let (mut alarms, now) = (Alarms::default(), Clock::start().now().mono);
        alarms.hear(change(ONE, 1, Failed), now);
        alarms.take_due(now + GATHER);
        alarms.look_at(&looks(&[Failed, Accepted]));
        let later = now + Duration::from_secs(32);
        alarms.hear(change(ONE, 1, Failed), later);
        assert_eq!(alarms.take_due(later + GATHER), [ONE]);
        assert_eq!(
            told(alarms.look_at(&looks(&[Failed, Failed]))),
            "2 of 2|P0: Offline right now. P1: Offline right now|2"
        );
    }

    #[test]
    fn what_fails_again_after_it_was_sent_again_is_told_again() {
        let (mut alarms, now) = (Alarms::default(), Clock::start().now().mono);
        for attempt in 1..=2 {
            alarms.hear(change(ONE, attempt, Failed), now);
            assert_eq!(alarms.take_due(now + GATHER), [ONE]);
            assert_eq!(told(alarms.look_at(&looks(&[Failed]))), "1 of 1|P0: Offline right now|1");
        }
    }

    #[test]
    fn a_late_delivery_takes_the_notice_back() {
        let (mut alarms, now) = (Alarms::default(), Clock::start().now().mono);
        alarms.hear(change(ONE, 1, Failed), now);
        alarms.take_due(now + GATHER);
        alarms.look_at(&looks(&[Failed, Failed]));
        assert!(alarms.hear(change(ONE, 1, Delivered), now));
        assert_eq!(alarms.look_at(&looks(&[Delivered, Failed])), None);
        assert!(alarms.hear(change(ONE, 1, Delivered), now));
        assert_eq!(alarms.look_at(&looks(&[Delivered, Delivered])), Some(Notice::Delivered { message: ONE }));
        assert!(!alarms.hear(change(ONE, 1, Delivered), now));
    }

    #[test]
    fn what_was_made_good_while_it_was_gathered_is_not_told() {
        let (mut alarms, now) = (Alarms::default(), Clock::start().now().mono);
        alarms.hear(change(ONE, 1, Failed), now);
        alarms.hear(change(ONE, 1, Delivered), now);
        assert_eq!(alarms.take_due(now + GATHER), [ONE]);
        assert_eq!(alarms.look_at(&looks(&[Delivered])), None);
    }

    #[test]
    fn only_so_many_messages_are_watched() {
        let (mut alarms, now) = (Alarms::default(), Clock::start().now().mono);
        for id in 0..=u64::try_from(ALARMS_MAX).unwrap() {
            alarms.hear(change(MessageId(id), 1, Failed), now);
        }
        assert_eq!(alarms.watched.len(), ALARMS_MAX);
    }
}
