//! What the owner can watch: why something is dropped, how long things take, and how much there is to do.

use super::auth::user;
use super::*;
use crate::machine::{DropReason, logged};
use crate::proxy::journal::{OutcomeState, UserRow};
use crate::proxy::{Gauges, ProxyEvent};
use crate::sip::Aor;

#[test]
fn what_is_dropped_is_told_at_debug_with_its_reason_and_without_what_it_said() {
    let mut bench = Bench::at_home();
    let again = register("ann", &format!("<sip:ann@{ANN}>"), 2, 600);
    assert_eq!(status(&bench.ask(ANN, &again)), 200);
    let stray = "SIP/2.0 200 OK\nVia: SIP/2.0/UDP 192.0.2.100:5060;branch=z9hG4bKsecretwords\n\
        From: <sip:a@domain.com>;tag=1\nTo: <sip:b@domain.com>;tag=2\nCall-ID: secretwords@x\nCSeq: 1 MESSAGE\n\
        Content-Length: 0\n\n";
    let ack = SUBMISSION.replace("MESSAGE", "ACK").replace("asd88asd77a", "secretwords");
    let cases = [
        ("secretwords \u{1b}[2J", DropReason::Unreadable),
        (stray, DropReason::StrayResponse),
        (&again, DropReason::RepeatedRequest),
        (&ack, DropReason::Ack),
    ];
    for (text, reason) in cases {
        let log = logged(|| bench.receive(udp(ANN), text));
        let expected = format!("DEBUG fanfare::dropped: {reason}");
        assert!(log.contains(&expected) && log.contains(ANN), "{reason}: {log}");
        assert!(!log.contains("secretwords") && !log.contains('\u{1b}'), "{log}");
    }
    bench.sent.clear();
    assert_eq!(status(&bench.ask(JAMES, SUBMISSION)), 202);
    let leg = bench.take_one(ANN);
    bench.answer(ANN, &leg, "200 OK");
    let log = logged(|| bench.answer(ANN, &leg, "200 OK"));
    assert!(log.contains(&DropReason::RepeatedResponse.to_string()), "{log}");
}

#[test]
fn latencies_and_transmissions_are_told_with_what_they_are_about() {
    let mut bench = Bench::at_home();
    bench.events.clear();
    bench.disk = Disk::Waits;
    bench.receive(udp(JAMES), SUBMISSION);
    bench.advance_ms(30);
    bench.disk_goes_on(Disk::Works);
    assert_eq!(status(&bench.take_one(JAMES)), 202);
    let dispatch = DispatchId(1);
    let millis = Duration::from_millis;
    let accepted = ProxyEvent::Accepted { dispatch, recipients: 2, after: millis(30) };
    assert_eq!(bench.events, [accepted]);
    bench.events.clear();
    // Ann's leg is sent again after T1.
    bench.advance_ms(600);
    let (legs, other) = (bench.take(ANN), bench.take(BOB));
    assert_eq!((legs.len(), other.len()), (2, 2));
    bench.answer(ANN, &legs[0], "200 OK");
    let delivered = ProxyEvent::Outcome {
        dispatch,
        recipient: 0,
        state: OutcomeState::Delivered,
        status: 200,
        after: millis(630),
        transmissions: 2,
    };
    assert_eq!(bench.events, [delivered]);
    bench.answer(BOB, &other[0], "486 Busy Here");
    bench.events.clear();
    let report = bench.take_one(JAMES);
    bench.advance_ms(40);
    bench.answer(JAMES, &report, "200 OK");
    let reported = ProxyEvent::Reported { dispatch, cseq: 1, status: Some(200), after: millis(40) };
    assert_eq!(bench.events, [reported, ProxyEvent::Closed { dispatch }]);
}

#[test]
fn the_gauges_say_how_much_there_is_to_do_and_go_back_to_nothing() {
    let mut bench = Bench::new();
    assert_eq!(bench.proxy.gauges(), Gauges::default());
    bench.register("ann", ANN);
    let elsewhere = other_submission("<im:bob@domain.com>", "<sip:cy@other.com>");
    bench.receive(udp(JAMES), &elsewhere);
    let busy = Gauges {
        open_submissions: 1,
        legs_under_way: 2,
        requests_waiting: 1,
        bindings: 1,
        ..Gauges::default()
    };
    assert_eq!(bench.proxy.gauges(), busy);
    bench.advance(Duration::from_secs(700));
    assert_eq!(bench.proxy.gauges().legs_under_way, 0);
    assert_eq!((bench.proxy.gauges().requests_waiting, bench.proxy.gauges().bindings), (0, 0));

    let mut bench = Bench::new();
    let waits = SUBMISSION.replace("Max-Forwards: 70\n", "Max-Forwards: 70\nExpires: 3600\n");
    bench.receive(udp(JAMES), &waits);
    let absent = bench.proxy.gauges();
    assert_eq!((absent.mailbox, absent.legs_under_way, absent.open_submissions), (2, 0, 1));
    bench.advance(Duration::from_secs(3700));
    assert_eq!(bench.proxy.gauges().mailbox, 0);
}

#[test]
fn w18_a_leg_that_may_not_go_where_its_look_up_leads_is_reported_like_any_other() {
    let mut bench = Bench::at_home();
    let blocked = vec![Aor::parse("james@domain.com").unwrap()];
    bench.input(Input::Command(ProxyCommand::Users([UserRow { blocked, ..user("bob") }].into())));
    let to_ann = SUBMISSION.replace("Secondary-To: <im:bob@domain.com>\n", "");
    assert_eq!(status(&bench.ask(JAMES, &to_ann)), 202);
    let leg = bench.take_one(ANN);
    bench.answer_with(udp(ANN), &leg, "302 Moved", &format!("Contact: <sip:bob@{BOB}>\n"));
    assert!(bench.take(BOB).is_empty());
    let report = bench.take_one(JAMES);
    assert!(
        report.starts_with("NOTIFY") && report.contains("im:ann@domain.com delivery failure"),
        "{report}"
    );
    assert_eq!(bench.proxy.gauges().legs_under_way, 0);
}
