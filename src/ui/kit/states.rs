//! How the deliveries of a message stand, in words: the line under it, what a screen reader says of it.
//!
//! The same in English as `model::summary`, which the command line prints.

use super::reasons::short;
use crate::model::journal::DeliveryState;
use crate::model::reason::Cause;
use crate::model::snapshot::Tally;
use crate::ui::text::say;

/// The line under a message of ours; `waiting_for` are the names of those who are offline.
pub(crate) fn line(tally: &Tally, waiting_for: &[&str]) -> String {
    let total = tally.total;
    let one_or = |one: &'static str, many: String| if total == 1 { one.to_owned() } else { many };
    match tally.leading() {
        DeliveryState::Failed => one_or(
            say!("line-not-delivered"),
            say!("line-some-not-delivered", count = tally.failed, total = total),
        ),
        DeliveryState::NoReport => one_or(
            say!("line-no-report"),
            say!("line-some-no-report", count = tally.no_report, total = total),
        ),
        DeliveryState::Deferred => deferred_line(tally, waiting_for),
        DeliveryState::Queued | DeliveryState::Sending | DeliveryState::Accepted => under_way_line(tally),
        DeliveryState::Cancelled if tally.cancelled == total => say!("line-cancelled").to_owned(),
        DeliveryState::Cancelled => say!("line-some-cancelled", count = tally.cancelled, total = total),
        DeliveryState::PassedOn => one_or(
            say!("line-passed-on"),
            say!("line-some-passed-on", count = tally.passed_on, total = total),
        ),
        DeliveryState::Read if tally.read < total => {
            say!("line-some-read", count = tally.read, total = total)
        }
        DeliveryState::Read => match total {
            1 => say!("line-read").to_owned(),
            2 => say!("line-read-both").to_owned(),
            total => say!("line-read-all", total = total),
        },
        DeliveryState::Delivered => match total {
            0 => String::new(),
            1 => say!("line-delivered").to_owned(),
            2 => say!("line-delivered-both").to_owned(),
            total => say!("line-delivered-all", total = total),
        },
    }
}

fn deferred_line(tally: &Tally, waiting_for: &[&str]) -> String {
    let count = tally.deferred;
    match waiting_for {
        [] => say!("line-deferred-people", count = count),
        [name] => say!("line-deferred", count = count, name = name),
        [one, two] => say!("line-deferred-two", count = count, one = one, two = two),
        [one, rest @ ..] => say!("line-deferred-more", count = count, one = one, more = rest.len()),
    }
}

fn under_way_line(tally: &Tally) -> String {
    if tally.total != 1 {
        return say!("line-under-way", count = tally.under_way(), total = tally.total);
    }
    match tally.leading() {
        DeliveryState::Queued => say!("line-queued"),
        DeliveryState::Sending => say!("line-sending"),
        DeliveryState::Accepted
        | DeliveryState::NoReport
        | DeliveryState::Deferred
        | DeliveryState::Failed
        | DeliveryState::Cancelled
        | DeliveryState::PassedOn
        | DeliveryState::Delivered
        | DeliveryState::Read => say!("line-accepted"),
    }
    .to_owned()
}

/// What a screen reader says for a message of ours.
pub(crate) fn accessible_name(tally: &Tally) -> String {
    let mut name = say!("message-to", count = tally.total);
    let parts = [
        (tally.read, say!("count-read", count = tally.read)),
        (tally.delivered, say!("count-delivered", count = tally.delivered)),
        (tally.passed_on, say!("count-passed-on", count = tally.passed_on)),
        (tally.failed, say!("count-failed", count = tally.failed)),
        (tally.no_report, say!("count-no-report", count = tally.no_report)),
        (tally.deferred, say!("count-deferred", count = tally.deferred)),
        (tally.under_way(), say!("count-waiting", count = tally.under_way())),
        (tally.cancelled, say!("count-not-sent", count = tally.cancelled)),
    ];
    for (_, words) in parts.into_iter().filter(|(count, _)| *count > 0) {
        name.push_str(", ");
        name.push_str(&words);
    }
    name
}

/// Who was not reached and why: `Ben: offline. Dana: no such address. And 3 more.`
pub(crate) fn failures(named: &[(String, Cause)], failed: u32) -> String {
    let mut sentences: Vec<String> =
        named.iter().map(|(name, cause)| format!("{name}: {}.", short(*cause))).collect();
    let left = usize::try_from(failed).unwrap_or(usize::MAX).saturating_sub(named.len());
    if left > 0 {
        sentences.push(say!("failures-more", count = left));
    }
    sentences.join(" ")
}

/// A state in a word or two.
pub(crate) fn state_word(state: DeliveryState) -> &'static str {
    match state {
        DeliveryState::Queued => say!("word-queued"),
        DeliveryState::Sending => say!("word-sending"),
        DeliveryState::Accepted => say!("word-accepted"),
        DeliveryState::NoReport => say!("word-no-report"),
        DeliveryState::Deferred => say!("word-deferred"),
        DeliveryState::Failed => say!("word-failed"),
        DeliveryState::Cancelled => say!("word-cancelled"),
        DeliveryState::PassedOn => say!("word-passed-on"),
        DeliveryState::Delivered => say!("word-delivered"),
        DeliveryState::Read => say!("word-read"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::summary;

    const STATES: [DeliveryState; 10] = [
        DeliveryState::Queued,
        DeliveryState::Sending,
        DeliveryState::Accepted,
        DeliveryState::NoReport,
        DeliveryState::Deferred,
        DeliveryState::Failed,
        DeliveryState::Cancelled,
        DeliveryState::PassedOn,
        DeliveryState::Delivered,
        DeliveryState::Read,
    ];

    fn agree(states: impl IntoIterator<Item = DeliveryState>) {
        let (tally, names) = (Tally::of(states), ["Ann", "Ben", "Cy"]);
        for count in 0..=names.len() {
            let names = names.get(..count).unwrap();
            assert_eq!(line(&tally, names), summary::line(&tally, names), "{tally:?}");
        }
    }

    #[test]
    fn in_english_the_window_says_the_same_as_the_model() {
        for one in STATES {
            for other in STATES {
                for (first, second) in [(0, 0), (1, 0), (2, 0), (3, 0), (1, 1), (2, 1)] {
                    agree(std::iter::repeat_n(one, first).chain(std::iter::repeat_n(other, second)));
                }
            }
            assert_eq!(state_word(one).to_lowercase(), one.word().replace('-', " "));
        }
    }

    #[test]
    fn the_accessible_name_counts_everybody() {
        use DeliveryState::{Accepted, Delivered, Failed, NoReport, Read};
        let name = |states: &[DeliveryState]| accessible_name(&Tally::of(states.iter().copied()));
        assert_eq!(
            name(&[Delivered, Delivered, Delivered, Delivered, Failed, NoReport]),
            "Message to 6 people, 4 delivered, 1 not delivered, 1 without report"
        );
        assert_eq!(
            name(&[Read, Read, Read, Delivered, Delivered, Delivered]),
            "Message to 6 people, 3 read, 3 delivered"
        );
        assert_eq!(name(&[Accepted]), "Message to 1 person, 1 waiting");
    }

    #[test]
    fn a_notification_names_who_and_why_and_stays_short() {
        let named = |name: &str, cause| (name.to_owned(), cause);
        let two = [named("Ben", Cause::Offline), named("Dana", Cause::NoSuchAddress)];
        assert_eq!(failures(&two, 2), "Ben: offline. Dana: no such address.");
        assert_eq!(failures(&[named("Eli", Cause::Busy)], 4), "Eli: busy. And 3 more.");
    }
}
