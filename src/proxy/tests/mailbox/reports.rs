//! Reports about absent recipients, and repetitions of a message that waits: W9, W12, W23.

use super::*;

#[test]
fn w9_a_final_sender_is_told_once_that_only_deferred_ones_are_left() {
    let mut bench = Bench::new();
    bench.register("bob", BOB);
    bench.submit(&other_submission("Contact", "Secondary-To: <im:cy@domain.com>\nExpires: 3600\nContact"));
    assert!(bench.take(JAMES).is_empty(), "Bob is under way");
    let leg = bench.take_one(BOB);
    bench.answer(BOB, &leg, "200 OK");
    let (state, lines) = bench.told();
    assert_eq!(
        (state.as_str(), lines),
        ("active", vec!["deferred".into(), "success".into(), "deferred".into()])
    );
    let leg = bench.comes("ann", ANN, "phone", 1).remove(0);
    bench.answer(ANN, &leg, "200 OK");
    bench.advance_ms(1000);
    assert!(bench.take(JAMES).is_empty(), "once");
    bench.advance(HOUR);
    let (state, lines) = bench.told();
    assert!(state.starts_with("terminated"));
    assert_eq!(lines, ["success", "success", "failure"]);
}

#[test]
fn w9_each_says_deferred_as_it_becomes_known() {
    let mut bench = Bench::new();
    bench.register("bob", BOB);
    bench.submit(&other_submission("Contact", "Delivery-Report: each\nExpires: 3600\nContact"));
    bench.advance_ms(100);
    assert_eq!(bench.told(), ("active".into(), vec!["deferred".into(), "pending".into()]));
    let leg = bench.take(BOB).remove(0);
    bench.answer(BOB, &leg, "200 OK");
    bench.advance_ms(100);
    assert_eq!(bench.told(), ("active".into(), vec!["deferred".into(), "success".into()]));
    let leg = bench.comes("ann", ANN, "phone", 1).remove(0);
    bench.answer(ANN, &leg, "200 OK");
    let (state, lines) = bench.told();
    assert!(state.starts_with("terminated"));
    assert_eq!(lines, ["success", "success"]);
}

#[test]
fn w9_none_reports_nothing_of_the_absent_and_they_get_it_all_the_same() {
    let mut bench = Bench::new();
    bench.submit(&to_ann().replace("Contact", "Delivery-Report: none\nContact"));
    assert!(bench.sent.is_empty());
    bench.advance_ms(200);
    bench.crash();
    let leg = bench.comes("ann", ANN, "phone", 1).remove(0);
    bench.answer(ANN, &leg, "200 OK");
    bench.advance_ms(1000);
    assert!(bench.sent.is_empty());
    assert!(bench.rows.dispatches[0].report.unwrap().closed);
}

#[test]
fn w18_deferred_is_told_only_once_it_is_committed() {
    let mut bench = Bench::at_home();
    bench.submit(&to_ann());
    bench.disk = Disk::Waits;
    bench.advance_ms(33_000);
    assert!(bench.take(JAMES).is_empty());
    bench.disk_goes_on(Disk::Works);
    assert_eq!(bench.told(), waiting());
    assert_eq!(bench.states(), [OutcomeState::Deferred]);
}

#[test]
fn w23_what_waits_is_told_to_a_sender_who_comes_back_and_the_last_word_for_a_day_of_its_own() {
    let mut bench = Bench::new();
    let silent = to_ann()
        .replace("Contact: <sip:james@jamesmob.domain.com>\n", "")
        .replace("Expires: 3600", "Expires: 604800");
    bench.submit(&silent);
    let james = "192.0.2.55:5060";
    bench.advance(30 * HOUR);
    bench.sent.clear();
    assert!(!bench.rows.dispatches[0].report.unwrap().closed, "the end is owed still");
    let leg = bench.comes("ann", ANN, "phone", 1).remove(0);
    bench.answer(ANN, &leg, "200 OK");
    bench.advance(20 * HOUR);
    bench.sent.clear();
    bench.receive(udp(james), &register("james", &format!("<sip:james@{james}>"), 1, 600));
    let notify = bench.take(james).remove(1);
    assert_eq!(field(&notify, "Subscription-State"), Some("terminated;reason=noresource"));
    assert!(body(&notify).ends_with("success\r\n"));
    bench.answer(james, &notify, "200 OK");

    let mut bench = Bench::new();
    bench.submit(&silent);
    bench.advance_ms(40_000);
    bench.sent.clear();
    bench.receive(udp(james), &register("james", &format!("<sip:james@{james}>"), 1, 600));
    let notify = bench.take(james).remove(1);
    assert!(body(&notify).ends_with("deferred\r\n"), "{notify}");
    bench.answer(james, &notify, "200 OK");
    bench.advance(HOUR);
    bench.receive(udp(james), &register("james", &format!("<sip:james@{james}>"), 2, 600));
    assert_eq!(bench.take(james).len(), 1, "he knows");
}

#[test]
fn w12_a_submission_repeated_while_somebody_is_deferred_is_told_so_again() {
    let mut bench = Bench::new();
    bench.submit(&to_ann());
    bench.told();
    bench.advance_ms(40_000);
    let again = to_ann().replace("z9hG4bK776", "z9hG4bK777");
    bench.receive(udp("192.0.2.1:40001"), &again);
    let sent = bench.take("192.0.2.1:40001");
    assert_eq!(status(&sent[0]), 202);
    assert!(body(&sent[1]).ends_with("deferred\r\n"));
    assert_eq!(bench.rows.dispatches.len(), 1);
}

#[test]
fn w12_a_message_is_remembered_as_long_as_it_is_worth_delivering() {
    let week = to_ann().replace("3600", "604800");
    let mut bench = Bench::at_home();
    bench.submit(&week);
    let leg = bench.take_one(ANN);
    bench.answer(ANN, &leg, "200 OK");
    bench.told();
    bench.advance(6 * 24 * HOUR);
    bench.crash();
    let repeated = week.replace("z9hG4bK776", "z9hG4bK777");
    bench.receive(udp(JAMES), &repeated);
    assert_eq!(bench.rows.dispatches.len(), 1);
    let sent = bench.take(JAMES);
    assert_eq!(status(&sent[0]), 202);
    assert!(body(&sent[1]).ends_with("success\r\n"));
    bench.answer(JAMES, &sent[1], "200 OK");
    bench.advance(24 * HOUR);
    assert!(bench.rows.dispatches.is_empty());
}

#[test]
fn w12_the_same_key_with_other_people_or_another_body_gets_400_while_it_waits_too() {
    let mut bench = Bench::new();
    bench.submit(&to_ann());
    bench.told();
    bench.advance_ms(200);
    bench.crash();
    let again = to_ann().replace("z9hG4bK776", "z9hG4bK777");
    for other in [
        again.replace("Come here.", "Stay away."),
        again.replace("Contact", "Secondary-To: <im:bob@domain.com>\nContact").replace("K777", "K778"),
    ] {
        assert_eq!(status(&bench.ask(JAMES, &other)), 400);
    }
}
