//! One submission is one message, however often and by whatever way it comes (W12, W15): all orders of events.

use std::collections::BTreeSet;

use super::*;

/// What happens around one submission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// It comes over UDP, retransmitted by the sender's transaction.
    Same,
    /// It comes with another branch, from another port.
    OtherBranch,
    /// It comes over a connection, with another branch.
    OverTcp,
    /// A recipient answers 200 to each leg received since.
    Answers(&'static str),
    /// The process dies; what was not written is lost.
    Crash,
}

const MOVED: &str = "192.0.2.1:7777";
const STREAM: &str = "192.0.2.1:7778";

/// What the others have seen of it.
#[derive(Default)]
struct Seen {
    to_tags: BTreeSet<String>,
    /// Who got a leg, with which From tag and Call-ID.
    legs: BTreeSet<(&'static str, String, String)>,
    unanswered: Vec<(&'static str, String)>,
    reports: BTreeSet<String>,
}

fn submission(branch: &str) -> String {
    SUBMISSION.replace("K776", branch).replace("Contact", "Delivery-Report: final;id=once\nContact")
}

fn take(bench: &mut Bench, seen: &mut Seen, step: Step) {
    match step {
        Step::Same => bench.receive(udp(JAMES), &submission("Ksame")),
        Step::OtherBranch => bench.receive(udp(MOVED), &submission("Kother")),
        Step::OverTcp => bench.receive(tcp(STREAM, 7), &submission("Ktcp").replace("/UDP", "/TCP")),
        Step::Answers(who) => {
            for (_, leg) in seen.unanswered.extract_if(.., |(to, _)| *to == who) {
                bench.answer(who, &leg, "200 OK");
            }
        }
        Step::Crash => bench.crash(),
    }
    look(bench, seen);
}

/// Records everything that was sent.
fn look(bench: &mut Bench, seen: &mut Seen) {
    for Sent { flow, text, .. } in std::mem::take(&mut bench.sent) {
        let value = |name: &str| field(&text, name).unwrap().to_owned();
        if text.starts_with("MESSAGE ") {
            let who = if flow.remote == address(ANN) { ANN } else { BOB };
            seen.legs.insert((who, value("From"), value("Call-ID")));
            seen.unanswered.push((who, text));
        } else if text.starts_with("NOTIFY ") {
            seen.reports.insert(body(&text).to_owned());
            bench.answer_with(flow, &text, "200 OK", "");
        } else {
            assert_eq!(status(&text), 202, "{text}");
            seen.to_tags.insert(value("To"));
        }
    }
}

/// All orders of these steps.
fn orders(items: &[Step]) -> Vec<Vec<Step>> {
    if items.is_empty() {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for (place, first) in items.iter().enumerate() {
        let mut rest = items.to_vec();
        rest.remove(place);
        all.extend(orders(&rest).into_iter().map(|order| [&[*first], &order[..]].concat()));
    }
    all
}

#[test]
fn w12_all_orders_of_a_submissions_doubles_answers_and_a_crash_are_one_message() {
    let steps =
        [Step::Same, Step::OtherBranch, Step::OverTcp, Step::Answers(ANN), Step::Answers(BOB), Step::Crash];
    for order in orders(&steps) {
        let (mut bench, mut seen) = (Bench::at_home(), Seen::default());
        for step in &order {
            take(&mut bench, &mut seen, *step);
            // The network duplicates it.
            if !matches!(step, Step::Answers(_) | Step::Crash) {
                take(&mut bench, &mut seen, *step);
            }
        }
        for _ in 0..3 {
            bench.advance_ms(600);
            look(&mut bench, &mut seen);
            take(&mut bench, &mut seen, Step::Answers(ANN));
            take(&mut bench, &mut seen, Step::Answers(BOB));
        }
        // If a crash lost the report's flow, the report first tries a name that leads nowhere.
        bench.advance_ms(40_000);
        look(&mut bench, &mut seen);
        // A repetition gets the report; the message is over and is sent to nobody.
        bench.receive(udp(JAMES), &submission("Klast"));
        let last = bench.take(JAMES);
        assert_eq!(
            last.iter().map(|text| text.split(' ').next().unwrap()).collect::<Vec<_>>(),
            ["SIP/2.0", "NOTIFY"]
        );
        seen.reports.insert(body(&last[1]).to_owned());
        seen.to_tags.insert(field(&last[0], "To").unwrap().to_owned());
        bench.advance_ms(40_000);
        assert!(bench.take(ANN).is_empty() && bench.take(BOB).is_empty(), "{order:?}");

        assert_eq!(seen.to_tags.len(), 1, "{order:?}: one 202");
        assert_eq!(seen.legs.len(), 2, "{order:?}: one leg each, in whatever transaction: {:?}", seen.legs);
        let report = "im:ann@domain.com delivery success\r\nim:bob@domain.com delivery success\r\n";
        assert_eq!(seen.reports, BTreeSet::from([report.to_owned()]), "{order:?}");
        assert_eq!(bench.rows.dispatches.len(), 1, "{order:?}");
    }
}
