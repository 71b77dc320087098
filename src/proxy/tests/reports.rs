//! Reports: when and where they are sent, and what happens to those that nobody answers: W20 to W24.

use super::*;

/// A submission whose two recipients are absent: its report is due at once.
fn reported(bench: &mut Bench, flow: Flow, text: &str) -> String {
    bench.receive(flow, text);
    let mut sent = bench.take(&flow.remote.to_string());
    assert_eq!(status(&sent.remove(0)), 202);
    assert_eq!(sent.len(), 1, "{sent:#?}");
    sent.remove(0)
}

fn minutes(count: u64) -> Duration {
    Duration::from_secs(60 * count)
}

#[test]
fn w22_the_report_is_of_the_submissions_dialog_and_follows_its_record_route() {
    let mut bench = Bench::new();
    let text = other_submission(
        "Max-Forwards",
        "Record-Route: <sip:p1.example;lr>, <sip:p2.example;lr>\nMax-Forwards",
    );
    let notify = reported(&mut bench, udp(JAMES), &text);
    assert_eq!(field(&notify, "Route"), Some("<sip:p1.example;lr>, <sip:p2.example;lr>"));
    assert_eq!(field(&notify, "Call-ID"), Some("asd88asd77a@jamesmob.domain.com"));
}

#[test]
fn w23_a_report_leaves_after_its_outcomes_and_its_cseq_are_committed() {
    let mut bench = Bench::at_home();
    bench.ask(JAMES, SUBMISSION);
    let legs = [ANN, BOB].map(|who| (who, bench.take_one(who)));
    bench.disk = Disk::Waits;
    for (who, leg) in &legs {
        bench.answer(who, leg, "200 OK");
    }
    bench.advance_ms(500);
    assert!(bench.take(JAMES).is_empty());
    bench.disk_goes_on(Disk::Works);
    assert_eq!(bench.take(JAMES).len(), 1);
    assert_eq!(bench.rows.dispatches[0].report.unwrap().cseq, 1);
    assert_eq!(bench.rows.dispatches[0].outcomes.len(), 2);
}

#[test]
fn w23_a_disk_that_fails_only_delays_the_report() {
    let mut bench = Bench::at_home();
    bench.ask(JAMES, SUBMISSION);
    let legs = [ANN, BOB].map(|who| (who, bench.take_one(who)));
    bench.disk = Disk::Fails;
    for (who, leg) in &legs {
        bench.answer(who, leg, "200 OK");
    }
    bench.advance_ms(12_000);
    assert!(bench.take(JAMES).is_empty());
    bench.disk = Disk::Works;
    bench.advance_ms(5000);
    let notify = bench.take(JAMES).remove(0);
    assert_eq!(body(&notify), "im:ann@domain.com delivery success\r\nim:bob@domain.com delivery success\r\n");
    assert_eq!(bench.rows.dispatches[0].outcomes.len(), 2);
    assert_eq!(bench.take(BOB).len(), 0);
}

#[test]
fn w22_one_notify_is_under_way_at_a_time_and_cseq_grows_by_one() {
    let mut bench = Bench::at_home();
    bench.ask(JAMES, &other_submission("Contact", "Delivery-Report: each\nContact"));
    let (ann, bob) = (bench.take_one(ANN), bench.take_one(BOB));
    bench.answer(BOB, &bob, "200 OK");
    bench.advance_ms(100);
    let interim = bench.take_one(JAMES);
    bench.answer(ANN, &ann, "404 Not Found");
    bench.advance_ms(300);
    assert!(bench.take(JAMES).is_empty(), "the first is not answered yet");
    bench.answer(JAMES, &interim, "200 OK");
    let last = bench.take_one(JAMES);
    assert_eq!((field(&interim, "CSeq"), field(&last, "CSeq")), (Some("1 NOTIFY"), Some("2 NOTIFY")));
    assert_eq!(body(&last), "im:ann@domain.com delivery failure\r\nim:bob@domain.com delivery success\r\n");
}

#[test]
fn w23_unanswered_it_comes_again_after_1_5_30_minutes_then_hourly_for_a_day() {
    let mut bench = Bench::new();
    let first = reported(
        &mut bench,
        udp(JAMES),
        SUBMISSION.replace("Contact: <sip:james@jamesmob.domain.com>\n", "").as_str(),
    );
    let begin = bench.take_sent(JAMES).len();
    assert_eq!(begin, 0);
    let mut rounds = Vec::new();
    let start = bench.now;
    for _ in 0..26 * 60 {
        bench.advance(minutes(1));
        for sent in bench.take_sent(JAMES) {
            let cseq = field(&sent.text, "CSeq").unwrap().to_owned();
            if rounds.last().is_none_or(|(last, _): &(String, Duration)| *last != cseq) {
                rounds.push((cseq, sent.after));
            }
            assert_eq!(body(&sent.text), body(&first));
        }
    }
    assert_eq!(start.wall.as_millis(), 1_800_000_000_000);
    let seconds: Vec<_> = rounds.iter().skip(1).map(|(_, after)| after.as_secs()).collect();
    // Each wait counts from the end of the round before it, 32 s after that began.
    assert_eq!(&seconds[..5], [32 + 60, 2 * 32 + 360, 3 * 32 + 2160, 4 * 32 + 5760, 5 * 32 + 9360]);
    assert!(rounds.len() > 24 && *seconds.last().unwrap() <= 86_400, "{rounds:?}");
    assert!(bench.rows.dispatches.iter().all(|rows| rows.report.unwrap().closed));
}

#[test]
fn w12_a_report_that_was_taken_goes_around_once_more_for_a_repeated_submission() {
    let mut bench = Bench::new();
    let text = SUBMISSION.replace("Contact: <sip:james@jamesmob.domain.com>\n", "");
    let first = reported(&mut bench, udp(JAMES), &text);
    bench.answer(JAMES, &first, "200 OK");
    bench.advance(minutes(2));
    bench.receive(udp(JAMES), &text.replace("z9hG4bK", "z9hG4bKagain"));
    bench.advance(minutes(1500));
    let sent = bench.take(JAMES);
    let (answers, again): (Vec<_>, Vec<_>) = sent.iter().partition(|sent| sent.starts_with("SIP/2.0 202"));
    assert_eq!((answers.len(), again.len()), (1, 11), "one round, and none tomorrow");
    assert!(
        again.iter().all(|notify| field(notify, "CSeq") == Some("2 NOTIFY") && body(notify) == body(&first))
    );
    assert!(bench.rows.dispatches.iter().all(|rows| rows.report.unwrap().closed));
}

#[test]
fn w24_a_place_that_refuses_the_report_may_have_another_owner_and_the_next_one_is_tried() {
    const NEW: &str = "192.0.2.50:5060";
    for last in ["200 OK", "481 x"] {
        let mut bench = Bench::new();
        let contact = format!("Contact: <sip:james@{NEW}>\n");
        let text = SUBMISSION.replace("Contact: <sip:james@jamesmob.domain.com>\n", &contact);
        let first = reported(&mut bench, udp(JAMES), &text);
        bench.answer(JAMES, &first, "481 Call/Transaction Does Not Exist");
        let second = bench.take_one(NEW);
        assert_eq!((field(&second, "CSeq"), body(&second)), (Some("2 NOTIFY"), body(&first)));
        bench.answer(NEW, &second, last);
        bench.advance(minutes(1500));
        assert!(bench.rows.dispatches.iter().all(|rows| rows.report.unwrap().closed), "{last}");
        assert!(bench.take(JAMES).is_empty() && bench.take(NEW).is_empty(), "{last}");
    }
}

#[test]
fn w23_400_408_480_and_5xx_keep_it_and_any_other_final_response_ends_it() {
    for (line, again) in [
        ("400 x", true),
        ("408 x", true),
        ("480 x", true),
        ("500 x", true),
        ("503 x", true),
        ("481 x", false),
        ("405 x", false),
        ("603 x", false),
    ] {
        let mut bench = Bench::new();
        let text = SUBMISSION.replace("Contact: <sip:james@jamesmob.domain.com>\n", "");
        let notify = reported(&mut bench, udp(JAMES), &text);
        bench.answer(JAMES, &notify, line);
        bench.advance(minutes(1));
        let later = bench.take(JAMES);
        assert_eq!(!later.is_empty(), again, "{line}");
        if again {
            assert_eq!(field(&later[0], "CSeq"), Some("2 NOTIFY"));
            bench.answer(JAMES, &later[0], "200 OK");
            bench.take(JAMES);
        }
        bench.advance(minutes(600));
        assert!(bench.take(JAMES).is_empty(), "{line}");
    }
}

#[test]
fn w23_a_sender_that_registers_gets_it_there_at_once() {
    let mut bench = Bench::new();
    let text = SUBMISSION.replace("Contact: <sip:james@jamesmob.domain.com>\n", "");
    reported(&mut bench, udp(JAMES), &text);
    bench.advance_ms(32_000);
    bench.take(JAMES);
    let there = "192.0.2.55:5060";
    bench.ask(there, &register("james", "<sip:james@192.0.2.55:5060>", 1, 0).replace("reg-james", "out"));
    assert!(bench.sent.is_empty(), "signing out is not signing in");
    bench.receive(udp(there), &register("james", "<sip:james@192.0.2.55:5060>", 1, 600));
    let sent = bench.take(there);
    assert_eq!(status(&sent[0]), 200);
    assert!(sent[1].starts_with("NOTIFY sip:james@192.0.2.55:5060 SIP/2.0\r\n"), "{}", sent[1]);
    bench.answer(there, &sent[1], "200 OK");
    bench.advance(minutes(600));
    assert!(bench.sent.is_empty());
}

#[test]
fn w24_over_the_connection_it_came_on_then_to_the_contact_then_to_the_bindings() {
    let mut bench = Bench::at_home();
    bench.register("james", "192.0.2.55:5060");
    let flow = tcp("192.0.2.1:33333", 4);
    let text = other_submission("sip:james@jamesmob.domain.com", "sip:james@192.0.2.44:5060;transport=tcp");
    bench.receive(flow, &text);
    bench.take("192.0.2.1:33333");
    let legs = [ANN, BOB].map(|who| (who, bench.take_one(who)));
    for (who, leg) in &legs {
        bench.answer(who, leg, "200 OK");
    }
    let sent = bench.take_sent("192.0.2.1:33333");
    assert_eq!(sent[0].flow, flow);
    assert!(
        sent[0]
            .text
            .starts_with("NOTIFY sip:james@192.0.2.44:5060;transport=tcp SIP/2.0\r\nVia: SIP/2.0/TCP "),
        "{}",
        sent[0].text
    );
    assert_eq!(field(&sent[0].text, "Contact"), Some("<sip:192.0.2.100:5060;transport=tcp>"));
    bench.input(Input::Disconnected { flow });
    let (id, hop) = bench.connects.remove(0);
    assert_eq!(hop, Hop { transport: Transport::Tcp, remote: address("192.0.2.44:5060") });
    bench.input(Input::ConnectFailed { id, fault: crate::machine::ConnectFault::Unreachable });
    let notify = bench.take_one("192.0.2.55:5060");
    assert!(notify.starts_with("NOTIFY sip:james@192.0.2.55:5060 SIP/2.0\r\n"), "{notify}");
    assert_eq!(field(&notify, "CSeq"), Some("3 NOTIFY"));
    bench.answer("192.0.2.55:5060", &notify, "200 OK");
    bench.advance(minutes(600));
    assert!(bench.sent.is_empty());
}

#[test]
fn w24_a_sender_that_moved_gets_the_report_at_its_new_binding() {
    let mut bench = Bench::new();
    let text = other_submission("sip:james@jamesmob.domain.com", "sip:james@192.0.2.1:5060");
    reported(&mut bench, udp(JAMES), &text);
    bench.advance_ms(3000);
    bench.register("james", "192.0.2.55:5060");
    bench.advance_ms(28_999);
    assert!(bench.take("192.0.2.55:5060").is_empty(), "the old place has its Timer F");
    bench.advance_ms(1);
    let notify = bench.take_one("192.0.2.55:5060");
    assert_eq!(field(&notify, "CSeq"), Some("2 NOTIFY"));
    bench.answer("192.0.2.55:5060", &notify, "200 OK");
    bench.take(JAMES);
    bench.advance(minutes(600));
    assert!(bench.sent.is_empty());
}

#[test]
fn w4_a_large_report_goes_over_tcp_too() {
    let mut bench = Bench::new();
    let many: Vec<_> = (0..60).map(|number| format!("im:person{number}@domain.com")).collect();
    bench.ask(JAMES, &other_submission("<im:bob@domain.com>", &many.join(", ")));
    let (id, hop) = bench.connects.remove(0);
    assert_eq!(hop, Hop { transport: Transport::Tcp, remote: address(JAMES) });
    bench.input(Input::ConnectFailed { id, fault: crate::machine::ConnectFault::Unreachable });
    assert_eq!(body(&bench.take_one(JAMES)).lines().count(), 61);
}

#[test]
fn an_outcome_is_written_within_100_ms_also_while_a_report_is_under_way() {
    let mut bench = Bench::at_home();
    bench.ask(JAMES, &other_submission("Contact", "Delivery-Report: each\nContact"));
    let (ann, bob) = (bench.take_one(ANN), bench.take_one(BOB));
    bench.answer(BOB, &bob, "200 OK");
    bench.advance_ms(100);
    bench.answer(ANN, &ann, "200 OK");
    bench.advance_ms(100);
    assert_eq!(bench.rows.dispatches[0].outcomes.len(), 2);
    assert_eq!(bench.take(JAMES).len(), 1, "one NOTIFY is under way, and not answered");
}

#[test]
fn w23_that_a_report_is_closed_is_written_again_when_the_disk_refused_it() {
    let mut bench = Bench::at_home();
    bench.ask(JAMES, SUBMISSION);
    for who in [ANN, BOB] {
        let leg = bench.take_one(who);
        bench.answer(who, &leg, "200 OK");
    }
    let notify = bench.take_one(JAMES);
    bench.disk = Disk::Fails;
    bench.answer(JAMES, &notify, "200 OK");
    bench.advance_ms(1000);
    assert!(!bench.rows.dispatches[0].report.unwrap().closed);
    bench.disk = Disk::Works;
    bench.advance_ms(10_000);
    assert!(bench.rows.dispatches[0].report.unwrap().closed);
}

#[test]
fn w21_a_recipients_long_reason_is_reported_and_stored_in_part() {
    let mut bench = Bench::at_home();
    let asking = other_submission("Contact", "Delivery-Report: final;detail\nContact");
    assert_eq!(status(&bench.ask(JAMES, &asking)), 202);
    for (place, line) in [(ANN, "200 OK"), (BOB, &format!("486 {}", "x".repeat(60_000)))] {
        let leg = bench.take_one(place);
        bench.answer(place, &leg, line);
    }
    let report = bench.take_one(JAMES);
    let kept = "x".repeat(200);
    assert!(body(&report).contains(&format!(";reason=\"{kept}\";")), "{}", report.len());
    let reasons: Vec<_> = bench.rows.dispatches[0].outcomes.iter().map(|row| row.reason.as_str()).collect();
    assert_eq!(reasons, ["OK", kept.as_str()]);
}

/// RFC 3261 §16.3: fields that we do not need may hold any bytes, so a phone that writes Latin-1 is reached too.
#[test]
fn w18_an_answer_with_latin_1_in_it_counts() {
    let mut bench = Bench::at_home();
    let asking = other_submission("Contact", "Delivery-Report: final;detail\nContact");
    assert_eq!(status(&bench.ask(JAMES, &asking)), 202);
    for (place, line, more) in
        [(ANN, "200 OK", "Server: T\u{e9}l\u{e9}phone\n"), (BOB, "486 Occup\u{e9}", "Contact: <<\u{e9}>>\n")]
    {
        let leg = bench.take_one(place);
        let text = Bench::answer_text(&leg, line, more).replace('\n', "\r\n");
        let bytes = text.chars().map(|letter| u8::try_from(u32::from(letter)).unwrap()).collect();
        bench.receive_bytes(udp(place), bytes);
    }
    let report = bench.take_one(JAMES);
    assert!(body(&report).contains("im:ann@domain.com delivery success;status=200;"), "{report}");
    assert!(
        body(&report).contains("im:bob@domain.com delivery failure;status=486;reason=\"Occup\u{e9}\""),
        "{report}"
    );
}
