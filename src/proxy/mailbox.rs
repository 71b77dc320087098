//! The mailbox: which messages wait for whom, in order of acceptance (W18), and which device still needs a message that
//! another device took (W16).
//!
//! Each recipient has a queue under a [`MailboxKey`], and so has each device of theirs that was away. When a queue is
//! called, its first message is tried, and the next one once that has ended: this keeps the order, with one attempt
//! under way per queue. A miss ends the round, since nobody is there after all; a message that missed twice no longer
//! holds up those behind it.
//!
//! **Invariant:** this is memory only. The store keeps what waits, as outcomes.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;
use std::time::Duration;

use super::guard::shares::{Amount, Payer, Shares};
use super::journal::DispatchId;
use crate::limits::{AWAY_BYTES_MAX, AWAY_MAX, MAILBOX_BYTES_MAX, MAILBOX_MAX, MAILBOX_PART};
use crate::sip::Aor;

/// After so many misses, a message no longer holds up those behind it.
const MISSES_MAX: u32 = 2;

/// How long after being deferred, or after the last visit, a recipient who cannot register here is tried again.
pub(super) const fn visit_wait(round: u8) -> Duration {
    Duration::from_secs(match round {
        0 => 60,
        1 => 5 * 60,
        2 => 30 * 60,
        3.. => 3600,
    })
}

/// For whom messages wait: a recipient, or one device of the recipient.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct MailboxKey {
    pub(super) aor: Aor,
    pub(super) device: Option<String>,
}

/// A message, and the number of the recipient in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct MailboxEntry {
    pub(super) dispatch: DispatchId,
    pub(super) recipient: u32,
}

/// What a waiting message costs, and who is charged for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Weight {
    /// Bytes of the submission, however many recipients wait for it.
    pub(super) bytes: usize,
    pub(super) payer: Payer,
}

/// What the owner of a message has to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum MailboxTask {
    /// Try it now; the queue waits until that has ended.
    Try(MailboxKey, MailboxEntry),
    /// Defer it: it was queued behind others whose attempts failed.
    PutOff(MailboxEntry),
}

/// Whether the recipient has registered since an attempt began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Since {
    Silent,
    Registered,
}

/// The mailbox has no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct MailboxFull;

#[derive(Debug)]
struct Waiting {
    /// Not tried yet: it was queued behind others.
    is_new: bool,
    misses: u32,
    weight: Weight,
}

#[derive(Debug, Default)]
struct Queue {
    entries: BTreeMap<MailboxEntry, Waiting>,
    /// The message under way.
    current: Option<MailboxEntry>,
    /// Called during a round: another round follows.
    is_called: bool,
}

/// How much waits, by sender and by recipient.
#[derive(Debug, Default)]
struct MailboxRoom {
    /// The bytes of a message count once here, however many recipients wait for it.
    senders: Shares<Payer>,
    /// Here they count once for each recipient.
    recipients: Shares<Aor>,
    /// How many entries each message has.
    messages: BTreeMap<DispatchId, usize>,
}

impl MailboxRoom {
    /// True if one more keeps within the limits in all, of its sender and of its recipient.
    fn has_room(&self, (aor, entry): (&Aor, MailboxEntry), weight: Weight, max: Amount) -> bool {
        let bytes = if self.messages.contains_key(&entry.dispatch) { 0 } else { weight.bytes };
        let (more, all) = (Amount { count: 1, bytes }, self.senders.all());
        let left = self.senders.left(more, max);
        all.count < max.count
            && all.bytes.saturating_add(bytes) <= max.bytes
            && self.senders.has_share(&weight.payer, more, left, MAILBOX_PART)
            && self.recipients.has_share(aor, Amount { count: 1, bytes: weight.bytes }, left, MAILBOX_PART)
    }

    fn take(&mut self, (aor, entry): (&Aor, MailboxEntry), weight: Weight) {
        let entries = self.messages.entry(entry.dispatch).or_insert(0);
        *entries = entries.saturating_add(1);
        let bytes = if *entries == 1 { weight.bytes } else { 0 };
        self.senders.take(&weight.payer, Amount { count: 1, bytes });
        self.recipients.take(aor, Amount { count: 1, bytes: weight.bytes });
    }

    fn give(&mut self, (aor, entry): (&Aor, MailboxEntry), weight: Weight) {
        let left = self.messages.get(&entry.dispatch).map_or(0, |entries| entries.saturating_sub(1));
        let bytes = if left == 0 { weight.bytes } else { 0 };
        match left {
            0 => self.messages.remove(&entry.dispatch),
            _ => self.messages.insert(entry.dispatch, left),
        };
        self.senders.give(&weight.payer, Amount { count: 1, bytes });
        self.recipients.give(aor, Amount { count: 1, bytes: weight.bytes });
    }
}

/// All queues.
#[derive(Debug, Default)]
pub(super) struct Mailbox {
    lanes: BTreeMap<MailboxKey, Queue>,
    recipients: MailboxRoom,
    devices: MailboxRoom,
    turns: VecDeque<MailboxTask>,
}

impl Mailbox {
    /// Keeps a message for the owner of this queue.
    ///
    /// # Errors
    /// The queue has `lane_max` entries already, or too much waits in all, for its owner, or from the sender.
    pub(super) fn wait(
        &mut self,
        lane: &MailboxKey,
        entry: MailboxEntry,
        weight: Weight,
        lane_max: usize,
    ) -> Result<(), MailboxFull> {
        if let Some(waiting) = self.lanes.get_mut(lane).and_then(|queue| queue.entries.get_mut(&entry)) {
            waiting.is_new = false;
            return Ok(());
        }
        self.has_room((lane, entry), weight, lane_max)
            .then(|| self.put(lane, entry, (weight, false)))
            .ok_or(MailboxFull)
    }

    /// Bytes that wait for recipients, and for devices.
    #[cfg(test)]
    pub(super) const fn held(&self) -> (usize, usize) {
        (self.recipients.senders.all().bytes, self.devices.senders.all().bytes)
    }

    /// Puts back what waited before a restart.
    pub(super) fn restore(&mut self, lane: &MailboxKey, entry: MailboxEntry, weight: Weight) {
        self.put(lane, entry, (weight, false));
    }

    /// Queues a new message behind waiting ones and calls the queue; false if none wait or there is no room.
    pub(super) fn join(
        &mut self,
        lane: &MailboxKey,
        entry: MailboxEntry,
        weight: Weight,
        lane_max: usize,
    ) -> bool {
        if !self.lanes.contains_key(lane) || !self.has_room((lane, entry), weight, lane_max) {
            return false;
        }
        self.put(lane, entry, (weight, true));
        if self.lanes.get(lane).is_some_and(|queue| queue.current.is_none()) {
            self.call(lane);
        }
        true
    }

    /// The recipient is there: tries what waits, from the first message on.
    pub(super) fn call(&mut self, lane: &MailboxKey) {
        let Some(queue) = self.lanes.get_mut(lane) else { return };
        queue.is_called = true;
        if queue.current.is_none() {
            self.end_round(lane);
        }
    }

    /// How many messages wait for people, and for single devices.
    pub(super) const fn lengths(&self) -> (usize, usize) {
        (self.recipients.senders.all().count, self.devices.senders.all().count)
    }

    /// All queues, to see which can be called.
    pub(super) fn lanes(&self) -> Vec<MailboxKey> {
        self.lanes.keys().cloned().collect()
    }

    /// An attempt failed, for the time being.
    pub(super) fn missed(&mut self, lane: &MailboxKey, entry: MailboxEntry, since: Since) {
        let Some(queue) = self.lanes.get_mut(lane) else { return };
        let Some(waiting) = queue.entries.get_mut(&entry) else { return };
        waiting.is_new = false;
        // An attempt outside a round does not count: it does not hold up the others.
        waiting.misses = waiting.misses.saturating_add(u32::from(queue.current == Some(entry)));
        let has_missed_enough = waiting.misses >= MISSES_MAX;
        queue.is_called |= since == Since::Registered;
        match queue.current {
            Some(current) if current != entry => {}
            Some(_) if has_missed_enough && since == Since::Silent => {
                let next = queue.after(entry);
                self.go_on(lane, next);
            }
            Some(_) | None => {
                // A call from before this attempt led to this attempt, which reached nobody: it is spent.
                queue.is_called = since == Since::Registered;
                self.end_round(lane);
            }
        }
    }

    /// Removes an entry that needs no further attempt.
    pub(super) fn leave(&mut self, lane: &MailboxKey, entry: MailboxEntry) {
        let Some(queue) = self.lanes.get_mut(lane) else { return };
        let Some(gone) = queue.entries.remove(&entry) else { return };
        let next = queue.after(entry);
        let is_current = queue.current == Some(entry);
        self.room(lane).give((&lane.aor, entry), gone.weight);
        if is_current {
            self.go_on(lane, next);
        }
        if self.lanes.get(lane).is_some_and(|queue| queue.entries.is_empty()) {
            self.lanes.remove(lane);
        }
    }

    /// The next task.
    pub(super) fn poll_turn(&mut self) -> Option<MailboxTask> {
        self.turns.pop_front()
    }

    /// Tries the next entry, or ends the round if there is none.
    fn go_on(&mut self, lane: &MailboxKey, next: Option<MailboxEntry>) {
        let Some(entry) = next else {
            return self.end_round(lane);
        };
        if let Some(queue) = self.lanes.get_mut(lane) {
            queue.current = Some(entry);
            self.turns.push_back(MailboxTask::Try(lane.clone(), entry));
        }
    }

    /// Ends the round: starts again from the first if the queue was called meanwhile, else defers the new entries.
    fn end_round(&mut self, lane: &MailboxKey) {
        let Some(queue) = self.lanes.get_mut(lane) else { return };
        queue.current = None;
        let first = queue.entries.keys().next().copied();
        if let Some(first) = first.filter(|_| std::mem::take(&mut queue.is_called)) {
            return self.go_on(lane, Some(first));
        }
        let new = queue.entries.iter_mut().filter_map(|(entry, waiting)| {
            std::mem::take(&mut waiting.is_new).then_some(MailboxTask::PutOff(*entry))
        });
        self.turns.extend(new);
    }

    fn put(&mut self, lane: &MailboxKey, entry: MailboxEntry, (weight, is_new): (Weight, bool)) {
        let queue = self.lanes.entry(lane.clone()).or_default();
        queue.entries.insert(entry, Waiting { is_new, misses: 0, weight });
        self.room(lane).take((&lane.aor, entry), weight);
    }

    fn has_room(&self, (lane, entry): (&MailboxKey, MailboxEntry), weight: Weight, lane_max: usize) -> bool {
        let (room, count, bytes) = match lane.device {
            None => (&self.recipients, MAILBOX_MAX, MAILBOX_BYTES_MAX),
            Some(_) => (&self.devices, AWAY_MAX, AWAY_BYTES_MAX),
        };
        let in_lane = self.lanes.get(lane).map_or(0, |queue| queue.entries.len());
        in_lane < lane_max && room.has_room((&lane.aor, entry), weight, Amount { count, bytes })
    }

    const fn room(&mut self, lane: &MailboxKey) -> &mut MailboxRoom {
        match lane.device {
            None => &mut self.recipients,
            Some(_) => &mut self.devices,
        }
    }
}

impl Queue {
    fn after(&self, entry: MailboxEntry) -> Option<MailboxEntry> {
        self.entries.range((Bound::Excluded(entry), Bound::Unbounded)).next().map(|(next, _)| *next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lane() -> MailboxKey {
        MailboxKey { aor: Aor::parse("ann@domain.com").unwrap(), device: None }
    }

    fn entry(dispatch: u64) -> MailboxEntry {
        MailboxEntry { dispatch: DispatchId(dispatch), recipient: 0 }
    }

    fn of(payer: u128, bytes: usize) -> Weight {
        Weight { bytes, payer: Payer::User(payer) }
    }

    fn with(messages: &[u64]) -> Mailbox {
        let mut mailbox = Mailbox::default();
        for message in messages {
            mailbox.wait(&lane(), entry(*message), of(1, 1), 10).unwrap();
        }
        mailbox
    }

    /// Which messages are tried now (plus 1000: put off).
    fn tried(mailbox: &mut Mailbox) -> Vec<u64> {
        std::iter::from_fn(|| mailbox.poll_turn())
            .map(|turn| match turn {
                MailboxTask::Try(_, entry) => entry.dispatch.0,
                MailboxTask::PutOff(entry) => 1000 + entry.dispatch.0,
            })
            .collect()
    }

    #[test]
    fn w18_what_waits_goes_one_after_the_other_in_order_of_acceptance() {
        let mut mailbox = with(&[3, 1, 2]);
        assert!(tried(&mut mailbox).is_empty());
        mailbox.call(&lane());
        assert_eq!(tried(&mut mailbox), [1]);
        for (done, next) in [(1, vec![2]), (2, vec![3]), (3, vec![])] {
            mailbox.leave(&lane(), entry(done));
            assert_eq!(tried(&mut mailbox), next);
        }
        assert!(mailbox.lanes().is_empty());
        assert!(is_empty(&mailbox.recipients));
    }

    #[test]
    fn w18_a_miss_ends_the_round_and_the_second_one_of_a_message_no_more() {
        let mut mailbox = with(&[1, 2, 3]);
        mailbox.call(&lane());
        mailbox.missed(&lane(), entry(1), Since::Silent);
        assert_eq!(tried(&mut mailbox), [1]);
        mailbox.call(&lane());
        mailbox.missed(&lane(), entry(1), Since::Silent);
        assert_eq!(tried(&mut mailbox), [1, 2], "the second is not held up for ever");
        mailbox.leave(&lane(), entry(2));
        mailbox.missed(&lane(), entry(3), Since::Registered);
        assert_eq!(tried(&mut mailbox), [3, 1], "he came in between: from the first on");
    }

    #[test]
    fn who_is_called_during_a_round_is_tried_once_more_after_it() {
        let mut mailbox = with(&[1, 2]);
        mailbox.call(&lane());
        mailbox.missed(&lane(), entry(1), Since::Silent);
        mailbox.call(&lane());
        mailbox.missed(&lane(), entry(1), Since::Silent);
        assert_eq!(tried(&mut mailbox), [1, 1, 2]);
        mailbox.call(&lane());
        mailbox.leave(&lane(), entry(2));
        assert_eq!(tried(&mut mailbox), [1]);
        mailbox.missed(&lane(), entry(1), Since::Silent);
        assert!(tried(&mut mailbox).is_empty(), "the call is spent");
    }

    #[test]
    fn a_new_message_stands_behind_and_is_put_off_when_the_round_ends() {
        let mut mailbox = with(&[1]);
        assert!(!mailbox.join(
            &MailboxKey { device: Some("x".to_owned()), ..lane() },
            entry(2),
            of(1, 1),
            10
        ));
        assert!(mailbox.join(&lane(), entry(2), of(1, 1), 10));
        assert_eq!(tried(&mut mailbox), [1]);
        mailbox.missed(&lane(), entry(1), Since::Silent);
        assert_eq!(tried(&mut mailbox), [1002]);
    }

    fn is_empty(room: &MailboxRoom) -> bool {
        room.senders.is_empty() && room.recipients.is_empty() && room.messages.is_empty()
    }

    fn lane_of(name: &str, device: Option<&str>) -> MailboxKey {
        MailboxKey { aor: Aor::parse(name).unwrap(), device: device.map(str::to_owned) }
    }

    /// How many messages of this sender get in, each to a different recipient.
    fn fills(mailbox: &mut Mailbox, (payer, bytes): (u128, usize), device: Option<&str>) -> usize {
        let from = u64::try_from(payer).unwrap() * 1_000_000;
        let waits = |number: &u64| {
            let lane = lane_of(&format!("u{number}@240.0.0.1"), device);
            mailbox.wait(&lane, entry(from + number), of(payer, bytes), 1000).is_ok()
        };
        (0..60_000).take_while(waits).count()
    }

    #[test]
    fn one_sender_does_not_fill_everybodys_mailbox_and_many_do_not_either() {
        for device in [None, Some("a laptop")] {
            let mut mailbox = Mailbox::default();
            assert_eq!(fills(&mut mailbox, (1, 100), device), 10_000);
            assert_eq!(fills(&mut mailbox, (2, 100), device), 8000);
            assert!((3..12).all(|payer| fills(&mut mailbox, (payer, 100), device) > 500));
            let mut mailbox = Mailbox::default();
            let bytes = 900_000;
            let max = if device.is_none() { MAILBOX_BYTES_MAX } else { AWAY_BYTES_MAX };
            assert_eq!(fills(&mut mailbox, (1, bytes), device), max / bytes / 5);
            assert!((2..6).all(|payer| fills(&mut mailbox, (payer, bytes), device) > 10));
        }
    }

    #[test]
    fn one_recipient_does_not_fill_it_by_all_his_devices_and_all_who_write_to_him() {
        let mut mailbox = Mailbox::default();
        let mut got = 0;
        for (number, payer) in (0..).zip(0..2000) {
            let device = format!("device {}", number % 10);
            let lane = lane_of("ann@domain.com", Some(&device));
            got += usize::from(mailbox.wait(&lane, entry(number), of(payer, 900_000), 1000).is_ok());
        }
        assert_eq!(got, AWAY_BYTES_MAX / 900_000 / 5);
        assert!(
            mailbox.wait(&lane_of("bob@domain.com", Some("x")), entry(5000), of(1, 900_000), 1000).is_ok()
        );
    }

    #[test]
    fn a_message_to_many_takes_its_bytes_once_and_gives_them_back() {
        let mut mailbox = Mailbox::default();
        let to = |number: u32| {
            let lane = lane_of(&format!("u{number}@domain.com"), None);
            (lane, MailboxEntry { dispatch: DispatchId(1), recipient: number })
        };
        for (lane, entry) in (0..500).map(to) {
            assert_eq!(mailbox.wait(&lane, entry, of(1, 1_000_000), 10), Ok(()));
        }
        assert_eq!(mailbox.recipients.senders.all(), Amount { count: 500, bytes: 1_000_000 });
        for (lane, entry) in (0..500).map(to) {
            mailbox.leave(&lane, entry);
        }
        assert!(is_empty(&mailbox.recipients));
    }

    #[test]
    fn over_a_maximum_nothing_is_kept() {
        let mut mailbox = with(&[1, 2]);
        assert_eq!(mailbox.wait(&lane(), entry(3), of(1, 1), 2), Err(MailboxFull));
        assert_eq!(mailbox.wait(&lane(), entry(2), of(1, 1), 2), Ok(()), "it is there already");
        assert_eq!(mailbox.wait(&lane(), entry(3), of(1, MAILBOX_BYTES_MAX), 9), Err(MailboxFull));
        assert!(!mailbox.join(&lane(), entry(3), of(1, 1), 2));
    }
}
