//! What has passed so far, read and put together as it comes.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::inspect::{Filter, Findable, Submission, Submissions, Traced, label, together};
use crate::limits::{
    WIRE_BYTES_MAX, WIRE_ENTRIES_MAX, WIRE_FREED_PER_FRAME, WIRE_PEOPLE_MAX, WIRE_REGROUPED_PER_FRAME,
    WIRE_TAKEN_PER_FRAME,
};
use crate::runtime::engine::WireTap;
use crate::sip::Uri;
use crate::ui::kit::words;

/// Old messages go a fifth at a time, and before there are too many: the submissions are put together anew meanwhile.
const PART: usize = 5;

/// A message with what its line says.
#[derive(Debug)]
pub(super) struct Passing {
    pub(super) traced: Traced,
    /// What it is.
    pub(super) what: String,
    /// Who wrote it and to whom, safe to show.
    pub(super) ends: [String; 2],
    /// The same, without the parameters of the addresses.
    pub(super) short_ends: [String; 2],
    findable: Findable,
}

impl Passing {
    fn of(traced: Traced) -> Self {
        let findable = Findable::of(&traced);
        let ends = findable.people().each_ref().map(|address| words::address(address));
        let uris = traced.fields().map(|fields| [fields.from().uri, fields.to().uri]);
        let short = |uri: Uri| words::address(uri.without_params());
        let short_ends = uris.map(|uris| uris.map(short)).unwrap_or_default();
        Self { what: label(&traced), ends, short_ends, findable, traced }
    }
}

/// The submissions of the messages that stay, put together anew with a part of them in each frame.
#[derive(Debug)]
struct Regrouping {
    submissions: Submissions,
    /// The first place that stays.
    first: usize,
    /// The next place to be put in.
    next: usize,
}

/// What was dropped, and is freed with a part of it in each frame.
#[derive(Debug, Default)]
struct Leaving {
    messages: Vec<Passing>,
    submissions: Vec<Submissions>,
}

impl Leaving {
    /// Frees a part; true if some is left.
    fn free(&mut self) -> bool {
        self.messages.truncate(self.messages.len().saturating_sub(WIRE_FREED_PER_FRAME));
        if self.submissions.last_mut().is_some_and(|last| !last.free(WIRE_FREED_PER_FRAME)) {
            self.submissions.pop();
        }
        !self.messages.is_empty() || !self.submissions.is_empty()
    }
}

/// The messages that have passed, the submissions in them, and which of them are shown. A message has a place, which
/// counts all that have passed; it stays the same when older ones are dropped.
#[derive(Debug, Default)]
pub(super) struct Passed {
    /// The place of the oldest that is kept.
    first: usize,
    all: VecDeque<Passing>,
    bytes: usize,
    submissions: Submissions,
    regrouping: Option<Regrouping>,
    leaving: Leaving,
    /// The places of the messages that the filter shows.
    shown: VecDeque<usize>,
    filter: Filter,
    /// How many messages are from or to each address.
    people: BTreeMap<String, usize>,
    /// What to ask the tap for next.
    next: u64,
    /// How many passed too fast to be kept, or were dropped to make room.
    pub(super) lost: u64,
}

impl Passed {
    /// All messages of a trace that has ended.
    pub(super) fn of(trace: Vec<Traced>) -> Self {
        let mut passed = Self::default();
        trace.into_iter().for_each(|traced| passed.push(traced));
        passed
    }

    /// Takes in what is new, a part of it if that is much: so a frame does not take long. True if there was something.
    pub(super) fn take(&mut self, wire: &WireTap) -> bool {
        let unseen = wire.some_since(self.next, WIRE_TAKEN_PER_FRAME);
        (self.next, self.lost) = (unseen.next, self.lost.saturating_add(unseen.lost));
        let is_new = !unseen.entries.is_empty();
        for entry in &unseen.entries {
            self.push(Traced::of(entry.message()));
        }
        let has_more = self.leaving.free();
        self.make_room();
        is_new || has_more || self.regrouping.is_some()
    }

    fn push(&mut self, traced: Traced) {
        let place = self.first + self.all.len();
        self.bytes += traced.wire.bytes.len();
        self.submissions.push(place, &traced);
        let passing = Passing::of(traced);
        if self.filter.shows(&passing.findable) {
            self.shown.push_back(place);
        }
        for person in passing.findable.people().iter().filter(|person| !person.is_empty()) {
            let is_full = self.people.len() >= WIRE_PEOPLE_MAX;
            match self.people.get_mut(person) {
                Some(count) => *count += 1,
                None if !is_full => drop(self.people.insert(person.clone(), 1)),
                None => {}
            }
        }
        self.all.push_back(passing);
    }

    /// Before there are too many, the submissions of those that stay are put together anew, and then the others go.
    fn make_room(&mut self) {
        let end = self.first + self.all.len();
        let too_much = |parts: usize| {
            self.all.len() > WIRE_ENTRIES_MAX * parts / PART || self.bytes > WIRE_BYTES_MAX * parts / PART
        };
        let is_full = too_much(PART);
        if self.regrouping.is_none() && too_much(PART - 1) {
            let first = self.first + (self.all.len() / PART).max(1);
            self.regrouping = Some(Regrouping { submissions: Submissions::default(), first, next: first });
        }
        let Some(regrouping) = &mut self.regrouping else { return };
        let most = if is_full { usize::MAX } else { WIRE_REGROUPED_PER_FRAME };
        let until = end.min(regrouping.next.saturating_add(most));
        for place in regrouping.next..until {
            if let Some(passing) = place.checked_sub(self.first).and_then(|index| self.all.get(index)) {
                regrouping.submissions.push(place, &passing.traced);
            }
        }
        regrouping.next = until;
        if until == end {
            self.drop_old();
        }
    }

    fn drop_old(&mut self) {
        let Some(regrouped) = self.regrouping.take() else { return };
        let count = regrouped.first.saturating_sub(self.first).min(self.all.len());
        self.lost = self.lost.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
        for dropped in self.all.drain(..count) {
            self.bytes = self.bytes.saturating_sub(dropped.traced.wire.bytes.len());
            for person in dropped.findable.people() {
                if let Some(left) = self.people.get_mut(person) {
                    *left = left.saturating_sub(1);
                }
            }
            self.leaving.messages.push(dropped);
        }
        self.people.retain(|_, left| *left > 0);
        self.first = regrouped.first;
        self.leaving.submissions.push(std::mem::replace(&mut self.submissions, regrouped.submissions));
        let stays = self.shown.partition_point(|place| *place < self.first);
        drop(self.shown.drain(..stays));
    }

    /// Forgets what has passed so far.
    pub(super) fn clear(&mut self) {
        let (filter, first) = (std::mem::take(&mut self.filter), self.first + self.all.len());
        *self = Self { filter, first, next: self.next, ..Self::default() };
    }

    /// Shows what this filter shows; cheap if it has not changed.
    pub(super) fn show(&mut self, filter: &Filter) {
        if self.filter == *filter {
            return;
        }
        self.filter = filter.clone();
        let places = self.all.iter().enumerate();
        let shown = places.filter(|(_, passing)| filter.shows(&passing.findable));
        self.shown = shown.map(|(index, _)| self.first + index).collect();
    }

    /// The places of the messages that are shown, oldest first.
    pub(super) const fn shown(&self) -> &VecDeque<usize> {
        &self.shown
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    /// Whoever is offered as a filter.
    pub(super) fn people(&self) -> impl Iterator<Item = &str> {
        self.people.keys().map(String::as_str)
    }

    /// A message with what its line says.
    pub(super) fn passing(&self, place: usize) -> Option<&Passing> {
        self.all.get(place.checked_sub(self.first)?)
    }

    pub(super) fn get(&self, place: usize) -> Option<&Traced> {
        self.passing(place).map(|passing| &passing.traced)
    }

    /// The submissions, in the order in which they were first seen.
    pub(super) fn submissions(&self) -> &[Submission] {
        self.submissions.all()
    }

    /// The latest submission with one of these Call-IDs; where each recipient got a MESSAGE of his own, all of them.
    pub(super) fn submission(&self, call_ids: &[String]) -> Option<Cow<'_, Submission>> {
        let wanted: BTreeSet<_> = call_ids.iter().map(String::as_str).collect();
        let is_meant = |one: &&Submission| wanted.contains(one.call_id.as_str());
        let latest = self.submissions.all().iter().rev().find(is_meant)?;
        if latest.is_fan_out || wanted.len() < 2 {
            return Some(Cow::Borrowed(latest));
        }
        let meant = self.submissions.all().iter().filter(is_meant);
        let singles: Vec<_> = meant.filter(|one| !one.is_fan_out).collect();
        together(&singles).map(Cow::Owned)
    }

    /// The submission that a message belongs to.
    pub(super) fn of_message(&self, place: usize) -> Option<&Submission> {
        let belongs =
            |one: &&Submission| one.messages.binary_search_by_key(&place, |(place, _)| *place).is_ok();
        self.submissions.all().iter().rev().find(belongs)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::inspect::Direction;
    use crate::machine::Flow;
    use crate::time::Timestamp;

    fn pass(wire: &WireTap, number: u64, start: &str) {
        let text = format!(
            "{start}\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK{number}\r\nMax-Forwards: 70\r\n\
             From: <sip:james@domain.com>;tag=1\r\nTo: <sip:ann@domain.com>\r\nCall-ID: call-{number}\r\n\
             CSeq: 1 MESSAGE\r\nContent-Length: 0\r\n\r\n"
        );
        let flow = Flow::udp(([192, 0, 2, 1], 5060).into(), ([192, 0, 2, 9], 5060).into());
        wire.record(Timestamp::from_millis(number), Direction::Sent, flow, &Bytes::from(text));
    }

    #[test]
    fn what_is_new_is_taken_once_and_a_filter_holds_for_it_too() {
        let wire = WireTap::new();
        let mut passed = Passed::default();
        assert!(!passed.take(&wire));
        pass(&wire, 1, "MESSAGE sip:ann@domain.com SIP/2.0");
        pass(&wire, 1, "SIP/2.0 202 Accepted");
        assert!(passed.take(&wire) && !passed.take(&wire));
        assert_eq!((passed.len(), passed.shown()), (2, &VecDeque::from([0, 1])));
        passed.show(&Filter::of("202", None, None));
        assert_eq!(passed.shown(), &[1]);
        pass(&wire, 2, "SIP/2.0 202 Accepted");
        passed.take(&wire);
        assert_eq!(passed.shown(), &[1, 2]);
        assert_eq!(passed.submission(&["call-1".to_owned()]).unwrap().messages.len(), 2);
        assert_eq!(passed.of_message(1).unwrap().call_id, "call-1");
        pass(&wire, 3, "MESSAGE sip:ben@domain.com SIP/2.0");
        passed.take(&wire);
        let both = passed.submission(&["call-1".to_owned(), "call-3".to_owned()]).unwrap();
        let places: Vec<_> = both.messages.iter().map(|(place, _)| *place).collect();
        assert_eq!((both.recipients.len(), places), (2, vec![0, 1, 3]), "each recipient got one of his own");
        assert_eq!(passed.people().collect::<Vec<_>>(), ["sip:ann@domain.com", "sip:james@domain.com"]);
        assert_eq!(passed.passing(1).unwrap().ends, ["james@domain.com", "ann@domain.com"]);
        passed.clear();
        assert_eq!((passed.len(), passed.take(&wire)), (0, false));
    }

    #[test]
    fn w31_it_has_an_end_and_what_is_dropped_is_counted() {
        let wire = WireTap::new();
        let mut passed = Passed::default();
        for round in 0..3_u64 {
            for number in 0..4_000 {
                pass(&wire, round * 4_000 + number, "MESSAGE sip:ann@domain.com SIP/2.0");
            }
            let (mut frames, mut leaving) = (0, 0);
            while passed.take(&wire) {
                frames += 1;
                assert!(passed.len() <= 10_000, "{}", passed.len());
                let left = passed.leaving.messages.len();
                assert!(left + 200 >= leaving, "a frame frees a part: {left} of {leaving}");
                leaving = left;
            }
            assert!(passed.leaving.messages.is_empty() && passed.leaving.submissions.is_empty());
            assert!(frames >= 20, "a frame takes a part of them: {frames}");
        }
        assert!(passed.len() <= 10_000, "{}", passed.len());
        assert_eq!(u64::try_from(passed.len()).unwrap() + passed.lost, 12_000);
        assert_eq!(passed.shown().len(), passed.len());
        assert!(passed.submission(&["call-11999".to_owned()]).is_some());
        assert!(passed.submission(&["call-0".to_owned()]).is_none());
        let oldest = *passed.shown().front().unwrap();
        assert_eq!(passed.of_message(oldest).unwrap().messages, [(oldest, crate::inspect::Part::Uplink)]);
        assert!(passed.get(oldest - 1).is_none() && passed.get(oldest).is_some());
    }

    #[test]
    fn w31_messages_that_are_large_make_room_too() {
        let wire = WireTap::new();
        let mut passed = Passed::default();
        let large = format!("MESSAGE sip:ann@domain.com SIP/2.0\r\nSubject: {}", "x".repeat(400_000));
        for number in 0..200 {
            pass(&wire, number, &large);
            passed.take(&wire);
            assert!(passed.bytes <= 20 * 1024 * 1024, "{}", passed.bytes);
        }
        assert_eq!(u64::try_from(passed.len()).unwrap() + passed.lost, 200);
    }
}
