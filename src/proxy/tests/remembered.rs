//! What is kept of a message of which nothing is owed (W12): little in memory and no body in the store, but still the
//! same answer, and the same report, for a repetition.

use super::*;
use crate::limits::DISPATCHES_WANTED_MAX;
use crate::proxy::dispatch::{Dispatches, Original};
use crate::proxy::journal::{RememberedRow, Tag};

const MOVED: &str = "192.0.2.1:7777";

/// The submission is sent, delivered and reported; returns its answer and its report.
fn over(bench: &mut Bench) -> (String, String) {
    let accepted = bench.ask(JAMES, SUBMISSION);
    for who in [ANN, BOB] {
        let leg = bench.take_one(who);
        bench.answer(who, &leg, "200 OK");
    }
    let report = bench.take_one(JAMES);
    assert_eq!(bench.proxy.dispatches.sizes(), (1, 0, 0), "its report is owed");
    bench.answer(JAMES, &report, "200 OK");
    bench.advance_ms(100);
    (accepted, report)
}

fn again(branch: &str) -> String {
    other_submission("K776", branch)
}

#[test]
fn w12_when_nothing_is_owed_little_is_held_and_the_body_goes_from_the_store() {
    let mut bench = Bench::at_home();
    over(&mut bench);
    let head = SUBMISSION.split("\n\n").next().unwrap().replace('\n', "\r\n").len() + 4;
    assert_eq!(bench.proxy.dispatches.sizes(), (0, 1, head));
    assert!(bench.proxy.dispatches.has_nothing_under_way());
    let (id, kept) = (bench.rows.remembered[0].id, &bench.rows.dispatches[0].accepted.request);
    assert_eq!((id, kept.ends_with(b"\r\n\r\n")), (DispatchId(1), true), "{kept:?}");
    assert!(Dispatches::bytes_remembered() <= 96, "with a tree's nodes half full, below 200");
    // One task is due for all of them together: forgetting the next one.
    let mut due = 0;
    while bench.proxy.core.agenda.pop(bench.now.mono + Duration::from_secs(30 * 24 * 3600)).is_some() {
        due += 1;
    }
    assert_eq!(due, 1);
}

#[test]
fn w12_its_double_gets_the_same_202_and_the_report_again_before_and_after_a_restart() {
    let mut bench = Bench::at_home();
    let (accepted, report) = over(&mut bench);
    for (round, cseq) in (1..).zip(["2 NOTIFY", "3 NOTIFY", "4 NOTIFY"]) {
        bench.receive(udp(MOVED), &again(&format!("K{round}")));
        let sent = bench.take(MOVED);
        assert_eq!((sent.len(), status(&sent[0])), (2, 202), "{round}");
        assert_eq!(field(&sent[0], "To"), field(&accepted, "To"));
        assert_eq!(field(&sent[1], "CSeq"), Some(cseq));
        for same in ["From", "To", "Call-ID", "Event", "Subscription-State"] {
            assert_eq!(field(&sent[1], same), field(&report, same));
        }
        assert_eq!(body(&sent[1]), body(&report));
        assert!(bench.rows.remembered.is_empty(), "a start takes it up whole: the report is owed again");
        if round == 2 {
            // It is owed after a crash, too.
            bench.crash();
            let owed = bench.sent.iter().find(|sent| sent.text.starts_with("NOTIFY ")).unwrap().clone();
            assert_eq!(field(&owed.text, "CSeq"), Some("4 NOTIFY"));
            bench.sent.clear();
            bench.answer_with(owed.flow, &owed.text, "200 OK", "");
            bench.advance_ms(100);
            break;
        }
        bench.answer(MOVED, &sent[1], "200 OK");
        bench.advance_ms(100);
        assert_eq!((bench.proxy.dispatches.sizes().0, bench.rows.remembered.len()), (0, 1), "{round}");
    }
    bench.crash();
    assert!(bench.sent.is_empty());
    assert_eq!(bench.proxy.dispatches.sizes().1, 1);
    bench.receive(udp(MOVED), &again("Klast"));
    let sent = bench.take(MOVED);
    assert_eq!(sent.len(), 2, "{:?} {:?} {:?} {:?}", bench.wanted, bench.resolves, bench.sent, bench.events);
    assert_eq!((field(&sent[0], "To"), body(&sent[1])), (field(&accepted, "To"), body(&report)));
    let other = again("Kother").replace("Come here.", "Come herf.");
    assert_eq!(status(&bench.ask(JAMES, &other)), 400);
    assert!(bench.take(ANN).is_empty() && bench.take(BOB).is_empty());
}

#[test]
fn w12_another_body_under_its_key_is_400_after_a_restart_too() {
    let mut bench = Bench::at_home();
    over(&mut bench);
    for _ in 0..2 {
        let other = again("Kx").replace("Come here.", "Come herf.");
        assert_eq!(status(&bench.ask(JAMES, &other)), 400);
        let fewer = again("Ky").replace("Secondary-To: <im:bob@domain.com>\n", "");
        assert_eq!(status(&bench.ask(JAMES, &fewer)), 400);
        bench.crash();
    }
}

#[test]
fn w12_where_the_store_cannot_be_read_the_double_has_its_202_alone() {
    let mut bench = Bench::at_home();
    over(&mut bench);
    bench.disk = Disk::Fails;
    assert_eq!(status(&bench.ask(JAMES, &again("K1"))), 202);
    assert!(bench.sent.is_empty());
    bench.disk = Disk::Works;
    bench.receive(udp(JAMES), &again("K2"));
    assert_eq!(bench.take(JAMES).len(), 2, "and the report, once it can");
}

#[test]
fn w12_a_message_without_a_report_is_not_read_back() {
    let mut bench = Bench::at_home();
    let silent = other_submission("Contact", "Delivery-Report: none\nContact");
    bench.ask(JAMES, &silent);
    for who in [ANN, BOB] {
        let leg = bench.take_one(who);
        bench.answer(who, &leg, "200 OK");
    }
    bench.advance_ms(200);
    assert_eq!(bench.proxy.dispatches.sizes().0, 0);
    let commits = bench.commits;
    assert_eq!(status(&bench.ask(JAMES, &silent.replace("K776", "K1"))), 202);
    assert_eq!(bench.commits, commits);
    assert_eq!(bench.rows.remembered.len(), 1);
}

#[test]
fn w15_what_a_crash_left_whole_is_made_short_by_the_next_start() {
    let mut bench = Bench::at_home();
    over(&mut bench);
    // As with an older store, or one that lost its last batch.
    bench.rows.remembered.clear();
    bench.rows.dispatches[0].accepted.request = wire(SUBMISSION).into();
    bench.rows.dispatches[0].content = None;
    bench.crash();
    assert_eq!(bench.proxy.dispatches.sizes().0, 0);
    assert!(bench.rows.remembered.is_empty());
    bench.advance_ms(20);
    assert_eq!(bench.rows.remembered.len(), 1);
    assert!(bench.sent.is_empty());
    bench.receive(udp(JAMES), &again("K1"));
    assert_eq!(bench.take(JAMES).len(), 2, "202 and the report");
}

fn row(number: u64, keep_until: Timestamp) -> RememberedRow {
    let mut double = [0; 16];
    double[..8].copy_from_slice(&number.to_be_bytes());
    RememberedRow {
        id: DispatchId(number),
        double,
        content: [0; 16],
        to_tag: Tag::new("t").unwrap(),
        is_reported: true,
        head_bytes: 1000,
        keep_until,
    }
}

#[test]
fn w12_many_are_forgotten_in_steps_and_none_before_its_time() {
    let mut bench = Bench::new();
    let end = bench.now.wall.plus(Duration::from_secs(3600));
    bench.rows.remembered = (1..=2500).map(|number| row(number, end)).collect();
    bench.rows.remembered.push(row(9000, end.plus(Duration::from_secs(60))));
    bench.crash();
    assert_eq!(bench.proxy.dispatches.sizes(), (0, 2501, 2_501_000));
    bench.advance(Duration::from_secs(3600) - Duration::from_millis(1));
    assert_eq!(bench.rows.remembered.len(), 2501);
    let mut left = Vec::new();
    for _ in 0..4 {
        let (at, _) = bench.proxy.poll_timeout().unwrap();
        bench.advance(at.saturating_duration_since(bench.now.mono));
        left.push(bench.rows.remembered.len());
    }
    assert_eq!(left, [1501, 501, 1, 0]);
    assert_eq!(bench.proxy.dispatches.sizes(), (0, 0, 0));
    assert_eq!(bench.proxy.core.agenda.next(), None);
}

#[test]
fn w12_the_store_is_asked_for_few_at_a_time() {
    let mut bench = Bench::new();
    let rows: Vec<_> =
        (1..=300).map(|number| row(number, bench.now.wall.plus(Duration::from_secs(60)))).collect();
    let (core, dispatches) = (&mut bench.proxy.core, &mut bench.proxy.dispatches);
    for row in &rows {
        dispatches.remember(core, row, bench.now);
        dispatches.follow(core, Original::Brief(row.double), udp(MOVED), bench.now);
        dispatches.follow(core, Original::Brief(row.double), udp(MOVED), bench.now);
    }
    bench.poll();
    assert_eq!(bench.wanted.len(), DISPATCHES_WANTED_MAX, "each once, and no more at a time");
}

/// The report of the submission is sent but never answered, so it waits for James.
fn owed(bench: &mut Bench) -> String {
    let text = SUBMISSION.replace("Contact: <sip:james@jamesmob.domain.com>\n", "");
    bench.receive(udp(JAMES), &text);
    for who in [ANN, BOB] {
        let leg = bench.take_one(who);
        bench.answer(who, &leg, "200 OK");
    }
    bench.advance_ms(32_200);
    let report = bench.take(JAMES).pop().unwrap();
    bench.sent.clear();
    report
}

#[test]
fn w23_a_report_that_waits_for_its_sender_is_not_in_memory_and_comes_at_its_time() {
    for crashes in [false, true] {
        let mut bench = Bench::at_home();
        let report = owed(&mut bench);
        if crashes {
            bench.crash();
        }
        assert_eq!(bench.proxy.dispatches.sizes(), (0, 1, 0));
        assert_eq!(bench.proxy.dispatches.held(), (0, 0));
        assert!(!bench.proxy.dispatches.has_nothing_under_way(), "it counts as open");
        bench.advance_ms(60_000);
        let again = bench.take(JAMES).remove(0);
        assert_eq!((field(&again, "CSeq"), body(&again)), (Some("2 NOTIFY"), body(&report)));
        // Again nobody takes it; then he registers elsewhere.
        bench.advance_ms(32_200);
        bench.sent.clear();
        assert_eq!(bench.proxy.dispatches.sizes().0, 0);
        bench.receive(udp(MOVED), &register("james", &format!("<sip:james@{MOVED}>"), 1, 600));
        let last = bench.take(MOVED).remove(1);
        assert_eq!((field(&last, "CSeq"), body(&last)), (Some("3 NOTIFY"), body(&report)));
        bench.answer(MOVED, &last, "200 OK");
        bench.advance_ms(100);
        assert!(bench.proxy.dispatches.has_nothing_under_way());
        assert_eq!(bench.rows.remembered.len(), 1);
        bench.advance(Duration::from_secs(25 * 3600));
        assert!(bench.sent.is_empty() && bench.rows.dispatches.is_empty());
    }
}

#[test]
fn w23_reports_that_wait_are_charged_to_their_sender() {
    let mut bench = Bench::at_home();
    owed(&mut bench);
    let is_charged = |bench: &Bench| (bench.proxy.dispatches.sizes().0, bench.proxy.dispatches.charged());
    assert_eq!(is_charged(&bench), (0, 1), "though it is in the store alone");
    bench.crash();
    assert_eq!(is_charged(&bench), (0, 1));
    bench.advance_ms(60_000);
    let again = bench.take(JAMES).remove(0);
    assert_eq!(is_charged(&bench), (1, 1), "once while it is sent again");
    bench.advance_ms(32_200);
    assert_eq!(is_charged(&bench), (0, 1));
    bench.sent.clear();
    bench.advance(Duration::from_secs(300));
    let last = bench.take(JAMES).remove(0);
    assert_ne!(field(&last, "CSeq"), field(&again, "CSeq"));
    bench.answer(JAMES, &last, "200 OK");
    bench.advance_ms(100);
    assert_eq!(is_charged(&bench), (0, 0));
}

#[test]
fn w12_the_double_of_one_whose_report_waits_gets_the_202_and_the_report() {
    let mut bench = Bench::at_home();
    let report = owed(&mut bench);
    let text = again("K1").replace("Contact: <sip:james@jamesmob.domain.com>\n", "");
    assert_eq!(status(&bench.ask(JAMES, &text.replace("Come here.", "Come herf."))), 400);
    bench.receive(udp(MOVED), &text.replace("K1", "K2"));
    let sent = bench.take(MOVED);
    assert_eq!((sent.len(), status(&sent[0]), body(&sent[1])), (2, 202, body(&report)));
    bench.answer(MOVED, &sent[1], "200 OK");
    bench.advance_ms(100);
    assert!(bench.proxy.dispatches.has_nothing_under_way());
}

#[test]
fn w23_a_report_whose_message_cannot_be_read_back_is_tried_again() {
    let mut bench = Bench::at_home();
    owed(&mut bench);
    bench.disk = Disk::Fails;
    bench.advance_ms(70_000);
    assert!(bench.sent.is_empty());
    bench.disk = Disk::Works;
    bench.advance_ms(5000);
    assert_eq!(field(&bench.take(JAMES)[0], "CSeq"), Some("2 NOTIFY"));
}

#[test]
fn w23_reports_have_a_maximum_of_bytes_and_what_is_over_it_waits_in_the_store() {
    let mut bench = Bench::new();
    bench.config.legs_per_user_max = usize::MAX;
    bench.crash();
    // Nobody is registered: each fails at once, and each report has 15 lines of 4 KB, which fits a datagram.
    let others: String = (1..15)
        .map(|number| format!("Secondary-To: <im:{}{number}@domain.com>\n", "p".repeat(3900)))
        .collect();
    let text = SUBMISSION
        .replace("Secondary-To: <im:bob@domain.com>\n", &others)
        .replace("Contact: <sip:james@jamesmob.domain.com>", "Delivery-Report: final;detail");
    let mut sent = 0;
    while bench.proxy.dispatches.held().1 < crate::limits::REPORT_BYTES_MAX {
        sent += 1;
        assert!(sent < 1000, "{:?}", bench.proxy.dispatches.held());
        bench.receive(
            udp(JAMES),
            &text.replace("K776", &format!("K{sent}")).replace("asd88", &format!("call{sent}")),
        );
    }
    let most = bench.proxy.dispatches.held().1;
    for number in sent..sent + 20 {
        bench.receive(
            udp(JAMES),
            &text.replace("K776", &format!("Km{number}")).replace("asd88", &format!("more{number}")),
        );
    }
    assert_eq!(bench.proxy.dispatches.held().1, most);
    assert_eq!(bench.proxy.dispatches.sizes(), (sent, 20, 0), "they wait in the store");
    let answers = bench.take(JAMES).iter().filter(|text| text.starts_with("SIP/2.0 202")).count();
    assert_eq!(answers, sent + 20, "and everybody had his 202");
    // The reports in memory are given up for now, and the others have their turn.
    bench.advance_ms(50_000);
    let first = |text: &String| field(text, "Call-ID").unwrap().starts_with("more");
    assert!(bench.take(JAMES).iter().any(first));
}

#[test]
fn w12_over_the_maximum_of_bytes_the_one_that_ends_first_is_forgotten_before_its_time() {
    let mut bench = Bench::new();
    let end = |number: u64| bench.now.wall.plus(Duration::from_secs(1000 - number));
    let large = |number| RememberedRow { head_bytes: 256 * 1024 * 1024, ..row(number, end(number)) };
    bench.rows.remembered = (1..=5).map(large).collect();
    bench.crash();
    bench.receive(udp(JAMES), &again("K1"));
    assert_eq!(status(&bench.take(JAMES)[0]), 202);
    let left: Vec<_> = bench.rows.remembered.iter().map(|row| row.id.0).collect();
    assert_eq!(left, [1, 2, 3], "1 GiB of heads, and not more");
}
