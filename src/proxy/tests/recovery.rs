//! Restarts after a crash at each stage: W11, W12, W15, W23.

use super::*;
use crate::proxy::journal::OutcomeState;

#[test]
fn w11_before_the_commit_a_crash_leaves_nothing() {
    let mut bench = Bench::at_home();
    bench.disk = Disk::Waits;
    bench.receive(udp(JAMES), SUBMISSION);
    bench.crash();
    bench.disk = Disk::Works;
    bench.advance_ms(60_000);
    assert!(bench.sent.is_empty());
    assert_eq!(status(&bench.ask(JAMES, SUBMISSION)), 202, "sent again, it is a new one");
    assert_eq!(bench.take(BOB).len(), 1);
}

#[test]
fn w15_legs_under_way_are_the_same_transactions_with_a_fresh_timer_f() {
    let mut bench = Bench::at_home();
    bench.ask(JAMES, SUBMISSION);
    let before = [ANN, BOB].map(|who| bench.take_one(who));
    bench.advance_ms(5000);
    bench.crash();
    assert_eq!([ANN, BOB].map(|who| bench.take_one(who)), before);
    bench.answer(BOB, &before[1], "200 OK");
    bench.advance_ms(31_999);
    assert_eq!(bench.take(ANN).len(), 10);
    assert!(bench.take(JAMES).is_empty());
    bench.advance_ms(1);
    assert_eq!(
        body(&bench.take_one(JAMES)),
        "im:ann@domain.com delivery failure\r\nim:bob@domain.com delivery success\r\n"
    );
}

#[test]
fn w15_a_recipient_whose_200_was_committed_never_gets_it_again() {
    let mut bench = Bench::at_home();
    bench.ask(JAMES, SUBMISSION);
    let bob = bench.take_one(BOB);
    bench.answer(BOB, &bob, "200 OK");
    bench.advance_ms(99);
    assert!(bench.rows.dispatches[0].outcomes.is_empty());
    bench.advance_ms(1);
    assert_eq!(bench.rows.dispatches[0].outcomes[0].state, OutcomeState::Delivered);
    bench.crash();
    assert!(bench.take(BOB).is_empty());
    let ann = bench.take_one(ANN);
    bench.answer(ANN, &ann, "486 Busy Here");
    let notify = bench.take_one(JAMES);
    assert_eq!(body(&notify), "im:ann@domain.com delivery failure\r\nim:bob@domain.com delivery success\r\n");
    bench.advance_ms(60_000);
    assert!(bench.take(BOB).is_empty());
}

#[test]
fn w23_a_report_that_was_not_answered_comes_again_with_the_next_cseq() {
    let mut bench = Bench::new();
    bench.receive(udp(JAMES), SUBMISSION);
    let before = bench.take(JAMES).remove(1);
    bench.crash();
    let after = bench.take_one(JAMES);
    assert_eq!((field(&before, "CSeq"), field(&after, "CSeq")), (Some("1 NOTIFY"), Some("2 NOTIFY")));
    assert_eq!(body(&before), body(&after));
    assert_eq!(field(&before, "From"), field(&after, "From"));
    bench.answer(JAMES, &after, "200 OK");
    bench.advance_ms(100);
    bench.crash();
    bench.advance_ms(7_200_000);
    assert!(bench.sent.is_empty(), "closed");
}

#[test]
fn w23_a_round_that_was_waited_for_comes_at_its_time() {
    let mut bench = Bench::new();
    bench.receive(udp(JAMES), &SUBMISSION.replace("Contact: <sip:james@jamesmob.domain.com>\n", ""));
    bench.advance_ms(32_000 + 10_000);
    bench.crash();
    bench.advance_ms(49_999);
    assert!(bench.sent.is_empty());
    bench.advance_ms(1);
    assert_eq!(bench.take(JAMES).len(), 1);
    bench.advance_ms(32_100);
    bench.crash();
    bench.receive(udp("192.0.2.55:5060"), &register("james", "<sip:james@192.0.2.55:5060>", 1, 600));
    assert_eq!(bench.take("192.0.2.55:5060").len(), 2, "200 and the report");
}

#[test]
fn w24_no_connection_outlives_the_process() {
    let mut bench = Bench::new();
    let flow = tcp("192.0.2.7:40000", 1);
    bench.receive(flow, &register("bob", "<sip:bob@192.0.2.7:5060;transport=tcp>", 1, 600));
    bench.receive(tcp("192.0.2.1:33333", 2), SUBMISSION);
    bench.take("192.0.2.7:40000");
    bench.crash();
    // Connection numbers start again: connection 1 is somebody else's now.
    bench.receive(tcp("203.0.113.1:1", 1), &register("eve", "<sip:eve@203.0.113.1>", 1, 600));
    assert_eq!(
        bench.connects.iter().map(|(_, hop)| hop.remote).collect::<Vec<_>>(),
        [address("192.0.2.7:5060")]
    );
    assert!(bench.take("192.0.2.7:40000").is_empty());
}

#[test]
fn w12_a_message_whose_time_is_over_is_forgotten_after_a_restart_too() {
    let mut bench = Bench::new();
    bench.receive(udp(JAMES), SUBMISSION);
    let notify = bench.take(JAMES).remove(1);
    bench.answer(JAMES, &notify, "200 OK");
    bench.advance_ms(1000);
    bench.now = bench.now.plus(Duration::from_secs(25 * 3600));
    bench.crash();
    bench.advance_ms(1);
    assert!(bench.rows.dispatches.is_empty());
    assert!(bench.sent.is_empty());
}

#[test]
fn the_secret_is_written_once_and_again_with_the_next_batch_when_the_disk_failed() {
    let mut bench = Bench::at_home();
    let secret = bench.rows.secret.expect("written");
    bench.crash();
    assert_eq!(bench.rows.secret, Some(secret));

    let mut bench = Bench::starting_with(Disk::Fails, config());
    assert_eq!(bench.rows.secret, None);
    bench.disk = Disk::Works;
    bench.register("bob", BOB);
    assert!(bench.rows.secret.is_some());
}
