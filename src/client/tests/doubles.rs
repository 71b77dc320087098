//! Whatever the network repeats and reorders is shown once, ends the same and never goes back (W15, W25), in all
//! orders.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// Something that the client receives, or that happens to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Accept,
    /// One of [`REPORTS`].
    Report(usize),
    /// One of two messages, under a given branch.
    Message(u32, u32),
    Restart,
}

/// The reports on one message as a proxy writes them, in CSeq order.
const REPORTS: [(&str, &str); 3] = [
    ("active", "im:ann@domain.com delivery deferred\nim:bob@domain.com delivery pending\n"),
    ("active", "im:ann@domain.com delivery deferred\nim:bob@domain.com delivery failure;status=486\n"),
    ("terminated", "im:ann@domain.com delivery success\nim:bob@domain.com delivery failure;status=486\n"),
];

/// All permutations of these.
fn orders<T: Clone>(items: &[T]) -> Vec<Vec<T>> {
    if items.is_empty() {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for (place, first) in items.iter().enumerate() {
        let mut rest = items.to_vec();
        rest.remove(place);
        for mut order in orders(&rest) {
            order.insert(0, first.clone());
            all.push(order);
        }
    }
    all
}

/// A client that has sent a message, and all events that it told across restarts.
struct Doubled {
    stage: Stage,
    request: String,
    told: Vec<Event>,
    /// Repetitions get their own branch.
    branch: u32,
}

impl Doubled {
    fn new() -> Self {
        let mut stage = Stage::connected();
        stage.send(&ANN_AND_BOB, "Come here.");
        let request = stage.take_sent("MESSAGE");
        Self { stage, request, told: Vec::new(), branch: 0 }
    }

    fn take(&mut self, step: Step) {
        self.stage.sent.clear();
        match step {
            Step::Accept => self.stage.accept(&self.request),
            Step::Report(number) => self.report(number),
            Step::Message(number, branch) => {
                let leg = inbox::leg(&format!("c{number}"), "", &format!("Message {number}"));
                self.stage.proxy_sends(&leg.replace("z9hG4bKc", &format!("z9hG4bK{branch}c")));
            }
            Step::Restart => {
                let rows = self.stage.stored_rows();
                let after = Stage::with_rows(&account(), rows, self.stage.now);
                let before = std::mem::replace(&mut self.stage, after);
                reported_once(&before.events);
                self.stage.rows = before.rows;
                self.told.extend(before.events);
                return;
            }
        }
        let answers = self.stage.sent.iter().filter(|(_, text)| text.starts_with("SIP/2.0 "));
        let all_taken = answers.into_iter().all(|(_, text)| text.starts_with("SIP/2.0 200 "));
        assert!(all_taken, "{step:?}: {:?}", self.stage.sent);
    }

    /// Sends a report with its usual CSeq, under the current pass's branch.
    fn report(&mut self, number: usize) {
        let (state, lines) = REPORTS[number];
        let cseq = u32::try_from(number).unwrap() + 1;
        let text = notify(&self.request, cseq, state, lines);
        let branch = format!("branch=z9hG4bKn{}x", self.branch);
        self.stage.proxy_sends(&text.replace("branch=z9hG4bKn", &branch));
    }

    /// Checks what was told of each recipient, in order: each state is shown once, and none goes back.
    fn check(mut self, steps: &[Step]) {
        reported_once(&self.stage.events);
        self.told.extend(std::mem::take(&mut self.stage.events));
        let mut last: BTreeMap<u32, DeliveryState> = BTreeMap::new();
        for event in &self.told {
            if let Event::Delivery { recipient, state, .. } = event {
                let before = last.insert(*recipient, *state);
                assert!(before.is_none_or(|before| before < *state), "{before:?} to {state:?}: {steps:?}");
            }
        }
        assert_eq!(last, [(0, DeliveryState::Delivered), (1, DeliveryState::Failed)].into(), "{steps:?}");
        assert_eq!(self.stage.stored(1), [DeliveryState::Delivered, DeliveryState::Failed], "{steps:?}");
    }
}

/// The end of a report is told once; after a restart it is told again to whoever waits for it.
fn reported_once(told: &[Event]) {
    let reported = told.iter().filter(|event| matches!(event, Event::Reported { .. })).count();
    assert!(reported <= 1, "{told:?}");
}

const ALL: [Step; 5] = [Step::Accept, Step::Report(0), Step::Report(1), Step::Report(2), Step::Restart];

#[test]
fn w25_all_orders_of_the_reports_of_a_message_each_twice_and_a_restart_end_the_same() {
    for order in orders(&ALL) {
        let mut client = Doubled::new();
        for step in &order {
            client.take(*step);
            // The same transaction once more.
            if *step != Step::Restart {
                client.take(*step);
            }
        }
        // And all of them once more under other branches, in reverse order.
        client.branch = 1;
        for step in order.iter().rev().filter(|step| **step != Step::Restart) {
            client.take(*step);
        }
        client.check(&order);
    }
}

#[test]
fn w15_all_orders_of_two_messages_their_doubles_and_a_restart_show_each_once() {
    let first = [Step::Message(1, 0), Step::Message(1, 0), Step::Message(1, 1)];
    let steps = [&first[..], &[Step::Message(2, 0), Step::Message(2, 1), Step::Restart]].concat();
    for order in orders(&steps) {
        let mut client = Doubled::new();
        for step in &order {
            client.take(*step);
        }
        client.told.extend(client.stage.events);
        let mut shown: Vec<_> = client.told.iter().filter_map(text_of).collect();
        shown.sort_unstable();
        assert_eq!(shown, ["Message 1", "Message 2"], "{order:?}");
    }
}

fn text_of(event: &Event) -> Option<&str> {
    let Event::Received { text, .. } = event else { return None };
    Some(text)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Each report any number of times, and in the end each at least once.
    #[test]
    fn w25_any_repetition_of_the_reports_ends_the_same(
        steps in proptest::collection::vec((0_usize..5, any::<bool>()), 0..24),
    ) {
        let mut client = Doubled::new();
        let steps: Vec<_> = steps.into_iter().chain((0..4).map(|step| (step, true))).collect();
        for (branch, (step, is_new)) in (2..).zip(&steps) {
            if *is_new {
                client.branch = branch;
            }
            client.take(ALL[*step]);
        }
        let steps: Vec<_> = steps.iter().map(|(step, _)| ALL[*step]).collect();
        client.check(&steps);
    }
}
