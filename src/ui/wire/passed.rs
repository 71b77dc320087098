//! What has passed so far, read and put together as it comes.

use crate::inspect::{Filter, Submission, Submissions, Traced};
use crate::limits::{WIRE_BYTES_MAX, WIRE_ENTRIES_MAX};
use crate::runtime::engine::WireTap;

/// When there is too much, a fifth of it goes at a time: the submissions are then put together anew.
const DROPPED_AT_ONCE: usize = 5;

/// The messages that have passed, the submissions in them, and which of them are shown.
#[derive(Debug, Default)]
pub(super) struct Passed {
    traced: Vec<Traced>,
    bytes: usize,
    submissions: Submissions,
    /// The places of the messages that the filter shows.
    shown: Vec<usize>,
    filter: Filter,
    /// What to ask the tap for next.
    next: u64,
    /// How many passed too fast to be kept, or were dropped to make room.
    pub(super) lost: u64,
}

impl Passed {
    /// Takes in what is new; true if there was something.
    pub(super) fn take(&mut self, wire: &WireTap) -> bool {
        let unseen = wire.since(self.next);
        (self.next, self.lost) = (unseen.next, self.lost.saturating_add(unseen.lost));
        let is_new = !unseen.entries.is_empty();
        for entry in &unseen.entries {
            self.push(Traced::of(entry.message()));
        }
        if self.traced.len() > WIRE_ENTRIES_MAX || self.bytes > WIRE_BYTES_MAX {
            self.make_room();
        }
        is_new
    }

    fn push(&mut self, traced: Traced) {
        let place = self.traced.len();
        self.bytes += traced.wire.bytes.len();
        self.submissions.push(place, &traced);
        if self.filter.shows(place, &traced) {
            self.shown.push(place);
        }
        self.traced.push(traced);
    }

    fn make_room(&mut self) {
        let dropped = (self.traced.len() / DROPPED_AT_ONCE).max(1);
        self.lost = self.lost.saturating_add(u64::try_from(dropped).unwrap_or(u64::MAX));
        let kept = self.traced.split_off(dropped);
        let filter = Filter { only: None, ..std::mem::take(&mut self.filter) };
        *self = Self { filter, next: self.next, lost: self.lost, ..Self::default() };
        kept.into_iter().for_each(|traced| self.push(traced));
    }

    /// Forgets what has passed so far.
    pub(super) fn clear(&mut self) {
        *self = Self { filter: std::mem::take(&mut self.filter), next: self.next, ..Self::default() };
    }

    /// Shows what this filter shows; cheap if it has not changed.
    pub(super) fn show(&mut self, filter: &Filter) {
        if self.filter == *filter {
            return;
        }
        self.filter = filter.clone();
        let places = self.traced.iter().enumerate();
        self.shown =
            places.filter(|(place, traced)| filter.shows(*place, traced)).map(|(place, _)| place).collect();
    }

    /// The places of the messages that are shown, oldest first.
    pub(super) fn shown(&self) -> &[usize] {
        &self.shown
    }

    pub(super) fn len(&self) -> usize {
        self.traced.len()
    }

    pub(super) fn get(&self, place: usize) -> Option<&Traced> {
        self.traced.get(place)
    }

    /// All of them, oldest first.
    pub(super) fn all(&self) -> &[Traced] {
        &self.traced
    }

    /// The latest submission with one of these Call-IDs.
    pub(super) fn submission(&self, call_ids: &[String]) -> Option<&Submission> {
        self.submissions.all().iter().rev().find(|one| call_ids.contains(&one.call_id))
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
        assert_eq!((passed.len(), passed.shown()), (2, &[0, 1][..]));
        passed.show(&Filter { words: "202".to_owned(), ..Filter::default() });
        assert_eq!(passed.shown(), [1]);
        pass(&wire, 2, "SIP/2.0 202 Accepted");
        passed.take(&wire);
        assert_eq!(passed.shown(), [1, 2]);
        assert_eq!(passed.submission(&["call-1".to_owned()]).unwrap().messages.len(), 2);
        assert_eq!(passed.of_message(1).unwrap().call_id, "call-1");
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
            passed.take(&wire);
        }
        assert!(passed.len() <= 10_000, "{}", passed.len());
        assert_eq!(u64::try_from(passed.len()).unwrap() + passed.lost, 12_000);
        assert_eq!(passed.shown().len(), passed.len());
        assert!(passed.submission(&["call-11999".to_owned()]).is_some());
        assert!(passed.submission(&["call-0".to_owned()]).is_none());
    }
}
