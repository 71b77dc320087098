//! What is known of each recipient: which state may follow which, and which of several attempts is shown.
//!
//! **Invariant:** within an attempt a state only rises in [`rank`], so the same reports in any order and with any
//! repetition end in the same state (W25). "No report" gives way to any late report, "deferred" to its outcome, and our
//! own guess after an unanswered submission to anything that the server reports.

use std::collections::BTreeMap;
use std::time::Duration;

use super::contacts::uri_key;
use super::journal::{DeliveryRow, DeliveryState};
use super::reason::{LocalReason, Phrase};
use crate::sip::{Disposition, ReportLine, ReportState, Uri};
use crate::time::Timestamp;

/// News about one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct News {
    /// The reported state.
    pub state: DeliveryState,
    /// SIP status, if reported.
    pub status: Option<u16>,
    /// The reason phrase, or what we found ourselves.
    pub phrase: Phrase,
    /// Number of transmissions, if reported.
    pub tries: Option<u32>,
    /// From acceptance to outcome, if reported.
    pub after: Option<Duration>,
}

impl News {
    /// A state without details.
    #[must_use]
    pub const fn bare(state: DeliveryState) -> Self {
        Self { state, status: None, phrase: Phrase::Verbatim(String::new()), tries: None, after: None }
    }

    /// A failure of the whole submission, the same for every recipient.
    #[must_use]
    pub const fn failed(status: Option<u16>, phrase: Phrase) -> Self {
        Self { state: DeliveryState::Failed, status, phrase, tries: None, after: None }
    }

    /// The news in a line of a report; none if its state is a word that we do not know (W20).
    #[must_use]
    pub fn of(line: &ReportLine) -> Option<Self> {
        let state = match &line.state {
            // A store accepted it for them: arrival is not confirmed (W18).
            ReportState::Success if line.status == Some(202) => DeliveryState::PassedOn,
            ReportState::Success => DeliveryState::Delivered,
            ReportState::Failure => DeliveryState::Failed,
            ReportState::Pending => DeliveryState::Accepted,
            ReportState::Deferred => DeliveryState::Deferred,
            ReportState::Unknown(_) => return None,
        };
        let phrase = Phrase::Verbatim(line.reason.clone().unwrap_or_default());
        Some(Self { state, status: line.status, phrase, tries: line.tries, after: line.after })
    }
}

/// What a piece of news changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Learned {
    /// Nothing: it was known already, or came too late to matter.
    Nothing,
    /// The details; the state stays.
    Details,
    /// The state.
    State,
}

impl News {
    /// News from a notification of the recipient's program (RFC 5438); that it was seen keeps the report's details.
    #[must_use]
    pub fn said(disposition: Disposition, known: &DeliveryRow) -> Self {
        match disposition {
            Disposition::Delivered => Self::bare(DeliveryState::Delivered),
            Disposition::Failed => Self::failed(None, LocalReason::TheirProgram.into()),
            Disposition::Displayed if is_reached(known.state) => Self {
                state: DeliveryState::Read,
                status: known.status,
                phrase: known.phrase.clone(),
                tries: known.tries,
                after: known.after,
            },
            Disposition::Displayed => Self::bare(DeliveryState::Read),
        }
    }
}

/// Merges news into what is known.
pub fn learn(row: &mut DeliveryRow, news: &News, at: Timestamp) -> Learned {
    let learned = if rank(news.state, &news.phrase) > rank(row.state, &row.phrase) {
        Learned::State
    } else if row.state == news.state && row.status.is_none() && news.status.is_some() {
        Learned::Details
    } else {
        return Learned::Nothing;
    };
    if learned == Learned::State {
        row.state = news.state;
        row.at = at;
    }
    row.status = news.status;
    row.phrase.clone_from(&news.phrase);
    row.tries = news.tries;
    row.after = news.after;
    learned
}

/// For each recipient, by index, the row to show out of all attempts; none where nothing is known.
#[must_use]
pub fn best<'a>(
    deliveries: impl IntoIterator<Item = &'a DeliveryRow>,
    recipients: usize,
) -> Vec<Option<&'a DeliveryRow>> {
    let mut shown: Vec<Option<&DeliveryRow>> = vec![None; recipients];
    for row in deliveries {
        let place = usize::try_from(row.recipient).ok().and_then(|index| shown.get_mut(index));
        if let Some(place) = place {
            let better = place.is_none_or(|known| shown_rank(row) >= shown_rank(known));
            if better {
                *place = Some(row);
            }
        }
    }
    shown
}

/// The same for one recipient.
#[must_use]
pub fn best_of(deliveries: &[DeliveryRow], recipient: u32) -> Option<&DeliveryRow> {
    let rows = deliveries.iter().filter(|row| row.recipient == recipient);
    rows.max_by_key(|row| shown_rank(row))
}

/// Whether nothing more is expected for a recipient in an attempt.
#[must_use]
pub const fn is_settled(state: DeliveryState) -> bool {
    match state {
        DeliveryState::Queued
        | DeliveryState::Sending
        | DeliveryState::Accepted
        | DeliveryState::Deferred => false,
        DeliveryState::NoReport
        | DeliveryState::Failed
        | DeliveryState::Cancelled
        | DeliveryState::PassedOn
        | DeliveryState::Delivered
        | DeliveryState::Read => true,
    }
}

/// Whether a recipient has the message, as far as anybody can tell.
#[must_use]
pub const fn is_reached(state: DeliveryState) -> bool {
    matches!(state, DeliveryState::PassedOn | DeliveryState::Delivered | DeliveryState::Read)
}

/// Whether an attempt failed because the recipient's program does not accept CPIM; it may accept the text alone
/// (RFC 3261 §21.4.13).
#[must_use]
pub fn is_refused_by_type(row: &DeliveryRow) -> bool {
    row.state == DeliveryState::Failed && row.status == Some(415)
}

/// Whether a resend includes a recipient in this state.
#[must_use]
pub const fn is_resendable(state: DeliveryState) -> bool {
    matches!(state, DeliveryState::Failed | DeliveryState::NoReport)
}

/// Whether a failure is only our guess, as the server never answered: the recipient may have got the message.
#[must_use]
pub fn is_guess(row: &DeliveryRow) -> bool {
    row.state == DeliveryState::Failed && row.phrase.is_guess()
}

/// How far a state has progressed within its attempt; the phrase distinguishes our own guess from a report.
#[must_use]
pub const fn rank(state: DeliveryState, phrase: &Phrase) -> u8 {
    match state {
        DeliveryState::Queued => 0,
        DeliveryState::Sending => 1,
        DeliveryState::Accepted => 2,
        DeliveryState::NoReport => 3,
        DeliveryState::Failed if phrase.is_guess() => 3,
        DeliveryState::Deferred => 4,
        DeliveryState::Failed => 5,
        DeliveryState::PassedOn => 6,
        DeliveryState::Delivered => 7,
        DeliveryState::Read => 8,
        // Withdrawn before any byte left: no news can follow.
        DeliveryState::Cancelled => 9,
    }
}

/// Which attempt's state is shown: success before pending before failure, an answer before none, and a withdrawn
/// attempt last; among equals the later attempt.
const fn shown_rank(row: &DeliveryRow) -> (u8, u32) {
    let rank = match row.state {
        DeliveryState::Cancelled => 0,
        DeliveryState::NoReport => 1,
        DeliveryState::Failed => 2,
        DeliveryState::Queued => 3,
        DeliveryState::Sending => 4,
        DeliveryState::Accepted => 5,
        DeliveryState::Deferred => 6,
        DeliveryState::PassedOn => 7,
        DeliveryState::Delivered => 8,
        DeliveryState::Read => 9,
    };
    (rank, row.attempt)
}

/// Finds the recipient that a report line is about: by the exact spelling first, then by address-of-record.
#[derive(Debug)]
pub struct Directory {
    by_spelling: BTreeMap<String, u32>,
    by_person: BTreeMap<String, u32>,
    by_record: BTreeMap<String, Option<u32>>,
}

impl Directory {
    /// For the recipients of one attempt, with their indexes.
    pub fn of<'a>(recipients: impl IntoIterator<Item = (u32, &'a str)>) -> Self {
        let mut directory =
            Self { by_spelling: BTreeMap::new(), by_person: BTreeMap::new(), by_record: BTreeMap::new() };
        for (index, address) in recipients {
            directory.by_spelling.entry(address.to_owned()).or_insert(index);
            if let Ok(uri) = Uri::parse(address) {
                directory.by_person.entry(uri_key(&uri)).or_insert(index);
                // Two people who differ only by port cannot be told apart without it.
                let record = uri.aor().as_str().to_owned();
                directory.by_record.entry(record).and_modify(|known| *known = None).or_insert(Some(index));
            }
        }
        directory
    }

    /// The recipient's index; none for somebody to whom the message was not sent.
    #[must_use]
    pub fn find(&self, address: &str) -> Option<u32> {
        if let Some(index) = self.by_spelling.get(address) {
            return Some(*index);
        }
        let uri = Uri::parse(address).ok()?;
        let person = self.by_person.get(&uri_key(&uri)).copied();
        person.or_else(|| self.by_record.get(uri.aor().as_str()).copied().flatten())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::journal::MessageId;
    use DeliveryState::{
        Accepted, Cancelled, Deferred, Delivered, Failed, NoReport, PassedOn, Queued, Read, Sending,
    };
    use proptest::prelude::*;

    const AT: Timestamp = Timestamp::from_millis(1);

    fn row(state: DeliveryState, attempt: u32) -> DeliveryRow {
        DeliveryRow {
            message: MessageId(1),
            attempt,
            recipient: 0,
            state,
            status: None,
            phrase: Phrase::default(),
            tries: None,
            after: None,
            at: Timestamp::default(),
        }
    }

    fn line(state: ReportState, status: Option<u16>) -> ReportLine {
        ReportLine {
            address: "im:ann@domain.com".into(),
            state,
            status,
            reason: None,
            tries: None,
            after: None,
        }
    }

    #[test]
    fn a_state_goes_forward_only_but_for_the_two_exceptions() {
        let forward = [
            (Queued, Sending),
            (Sending, Accepted),
            (Accepted, Delivered),
            (Accepted, Failed),
            (Accepted, NoReport),
            (Accepted, Deferred),
            (Accepted, PassedOn),
            (NoReport, Delivered),
            (NoReport, Failed),
            (NoReport, Deferred),
            (Deferred, Delivered),
            (Deferred, Failed),
            (Deferred, PassedOn),
            (PassedOn, Delivered),
            (PassedOn, Read),
            (Delivered, Read),
            (NoReport, Read),
            (Failed, Read),
            (Queued, Cancelled),
        ];
        for (from, to) in forward {
            let mut known = row(from, 1);
            assert_eq!(learn(&mut known, &News::bare(to), AT), Learned::State, "{from:?} to {to:?}");
            assert_eq!((known.state, known.at), (to, AT));
            assert_eq!(learn(&mut known, &News::bare(from), AT), Learned::Nothing, "{to:?} back to {from:?}");
            assert_eq!(known.state, to);
        }
        let mut deferred = row(Deferred, 1);
        assert_eq!(
            learn(&mut deferred, &News::bare(NoReport), AT),
            Learned::Nothing,
            "never no report while deferred"
        );
    }

    #[test]
    fn w25_a_late_report_never_turns_a_success_back() {
        for success in [Delivered, PassedOn, Read] {
            for late in [Failed, Deferred, Accepted, NoReport] {
                let mut known = row(success, 1);
                assert_eq!(learn(&mut known, &News::bare(late), AT), Learned::Nothing);
                assert_eq!(known.state, success);
            }
        }
    }

    #[test]
    fn a_report_corrects_our_guess_after_an_unanswered_submission() {
        let mut known = row(Sending, 1);
        assert_eq!(
            learn(&mut known, &News::failed(Some(408), LocalReason::NoAnswer.into()), AT),
            Learned::State
        );
        assert!(is_guess(&known));
        assert_eq!(learn(&mut known, &News::bare(Deferred), AT), Learned::State);
        let mut other = row(Sending, 1);
        assert_eq!(
            learn(&mut other, &News::failed(Some(408), LocalReason::NoAnswer.into()), AT),
            Learned::State
        );
        assert_eq!(learn(&mut other, &News::failed(Some(486), "Busy Here".into()), AT), Learned::State);
        assert_eq!((other.status, is_guess(&other)), (Some(486), false));
    }

    #[test]
    fn w28_that_somebody_has_read_it_leaves_what_the_report_said() {
        let mut known = row(Accepted, 1);
        learn(
            &mut known,
            &News { status: Some(200), after: Some(Duration::from_millis(40)), ..News::bare(Delivered) },
            AT,
        );
        let later = Timestamp::from_millis(2);
        let news = News::said(Disposition::Displayed, &known);
        assert_eq!(learn(&mut known, &news, later), Learned::State);
        assert_eq!((known.state, known.status, known.at), (Read, Some(200), later));
        assert_eq!(known.after, Some(Duration::from_millis(40)));
        for said in [Disposition::Displayed, Disposition::Delivered, Disposition::Failed] {
            let news = News::said(said, &known);
            assert_eq!(learn(&mut known, &news, AT), Learned::Nothing);
        }
        let mut failed = row(Failed, 1);
        failed.status = Some(408);
        let news = News::said(Disposition::Displayed, &failed);
        assert_eq!(learn(&mut failed, &news, AT), Learned::State);
        assert_eq!((failed.state, failed.status), (Read, None));
        let mut open = row(Accepted, 1);
        let news = News::said(Disposition::Failed, &open);
        assert_eq!(learn(&mut open, &news, AT), Learned::State);
    }

    #[test]
    fn details_that_come_later_are_added() {
        let mut known = row(Failed, 1);
        assert_eq!(learn(&mut known, &News::failed(Some(486), "Busy Here".into()), AT), Learned::Details);
        assert_eq!((known.status, known.at), (Some(486), Timestamp::default()));
        assert_eq!(learn(&mut known, &News::failed(Some(404), Phrase::default()), AT), Learned::Nothing);
    }

    #[test]
    fn w18_success_with_202_is_passed_on() {
        let state = |state, status| News::of(&line(state, status)).map(|news| news.state);
        assert_eq!(state(ReportState::Success, Some(202)), Some(PassedOn));
        assert_eq!(state(ReportState::Success, Some(200)), Some(Delivered));
        assert_eq!(state(ReportState::Success, None), Some(Delivered));
        assert_eq!(state(ReportState::Pending, None), Some(Accepted));
        assert_eq!(state(ReportState::Unknown("eaten".into()), None), None);
    }

    #[test]
    fn the_best_of_all_attempts_is_shown() {
        let table = [
            (vec![(Failed, 1), (Delivered, 2)], (Delivered, 2)),
            (vec![(Delivered, 1), (Failed, 2)], (Delivered, 1)),
            (vec![(Failed, 1), (Sending, 2)], (Sending, 2)),
            (vec![(Failed, 1), (Cancelled, 2)], (Failed, 1)),
            (vec![(NoReport, 1), (Failed, 2)], (Failed, 2)),
            (vec![(Failed, 1), (Failed, 2)], (Failed, 2)),
            (vec![(Read, 1), (Delivered, 2)], (Read, 1)),
        ];
        for (rows, expected) in table {
            let rows: Vec<_> = rows.into_iter().map(|(state, attempt)| row(state, attempt)).collect();
            let shown = best(&rows, 1)[0].unwrap();
            assert_eq!((shown.state, shown.attempt), expected);
        }
        assert_eq!(best(&[], 1), [None]);
        assert!(best(&[row(Failed, 1)], 0).is_empty());
    }

    #[test]
    fn w20_a_line_finds_its_recipient_by_spelling_then_by_who_it_is() {
        let directory = Directory::of([
            (0, "im:ann@domain.com"),
            (1, "sip:bob@domain.com"),
            (2, "sip:cy@192.0.2.1:5070"),
            (3, "sip:dan@192.0.2.1:5071"),
            (4, "sip:dan@192.0.2.1:5072"),
        ]);
        assert_eq!(directory.find("im:ann@domain.com"), Some(0));
        assert_eq!(directory.find("sip:ann@DOMAIN.com"), Some(0));
        assert_eq!(directory.find("sip:bob@domain.com;transport=tcp"), Some(1));
        assert_eq!(directory.find("sip:cy@192.0.2.1"), Some(2));
        assert_eq!(directory.find("sip:dan@192.0.2.1:5072"), Some(4));
        assert_eq!(directory.find("sip:dan@192.0.2.1"), None);
        assert_eq!(directory.find("sip:eve@domain.com"), None);
        assert_eq!(directory.find("rubbish"), None);
    }

    fn any_state() -> impl Strategy<Value = ReportState> {
        prop_oneof![
            Just(ReportState::Success),
            Just(ReportState::Failure),
            Just(ReportState::Pending),
            Just(ReportState::Deferred),
            Just(ReportState::Unknown("eaten".to_owned())),
        ]
    }

    proptest! {
        /// Reports of one recipient in any order and with any repetition.
        #[test]
        fn any_order_and_repetition_of_reports_ends_in_the_same_state(
            states in proptest::collection::vec((any_state(), prop_oneof![Just(200_u16), Just(202_u16)]), 1..6),
            order in proptest::collection::vec(any::<prop::sample::Index>(), 0..20),
            start in prop_oneof![Just(Sending), Just(Accepted), Just(NoReport)],
        ) {
            let reports: Vec<_> = states.into_iter().map(|(state, status)| line(state, Some(status))).collect();
            let told = |reports: &mut dyn Iterator<Item = &ReportLine>| {
                let mut known = row(start, 1);
                for report in reports {
                    if let Some(news) = News::of(report) {
                        learn(&mut known, &news, AT);
                    }
                }
                known.state
            };
            let straight = told(&mut reports.iter());
            prop_assert_eq!(straight, told(&mut reports.iter().rev()));
            // Each at least once, in a random order, with repetitions before and after.
            let drawn: Vec<_> = order.iter().map(|index| index.get(&reports)).collect();
            prop_assert_eq!(straight, told(&mut drawn.iter().copied().chain(reports.iter()).chain(drawn.iter().copied())));
        }
    }

    #[test]
    fn all_permutations_of_an_eventful_story_end_delivered() {
        let story = [ReportState::Pending, ReportState::Deferred, ReportState::Failure, ReportState::Success];
        for order in permutations(4) {
            let mut known = row(Accepted, 1);
            for index in order {
                learn(&mut known, &News::of(&line(story[index].clone(), Some(200))).unwrap(), AT);
            }
            assert_eq!(known.state, Delivered);
        }
    }

    fn permutations(count: usize) -> Vec<Vec<usize>> {
        if count == 0 {
            return vec![Vec::new()];
        }
        let mut all = Vec::new();
        for shorter in permutations(count - 1) {
            for place in 0..count {
                let mut longer = shorter.clone();
                longer.insert(place, count - 1);
                all.push(longer);
            }
        }
        all
    }
}
