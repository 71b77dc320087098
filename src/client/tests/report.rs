//! Reports: W18, W20 to W25, and the report window.

use super::*;

use crate::model::journal::AttemptStage;
use DeliveryState::{Accepted, Deferred, Delivered, Failed, NoReport, PassedOn};

const MIXED: &str = "im:ann@domain.com delivery failure;status=408;reason=\"Request Timeout\";tries=11;after=32000\n\
                     im:bob@domain.com delivery success;status=200;reason=\"OK\";tries=1;after=12\n";

#[test]
fn w21_a_report_with_details_is_kept_told_and_answered_in_this_order() {
    let mut stage = Stage::connected();
    let request = stage.send_accepted(&ANN_AND_BOB);
    stage.events.clear();
    stage.order.clear();
    stage.disk = Disk::Waits;
    stage.notify(&request, 1, "terminated;reason=noresource", MIXED);
    assert_eq!(stage.order, ["commit"], "W25: nothing before the commit");
    stage.settle(Input::Committed);
    assert_eq!(stage.order, ["commit", "event", "event", "event", "sent"]);
    let conversation = crate::model::journal::ConversationId(1);
    let message = MessageId(1);
    assert_eq!(
        stage.events[0],
        Event::Delivery {
            conversation,
            message,
            attempt: 1,
            recipient: 0,
            address: "im:ann@domain.com".to_owned(),
            state: Failed,
            status: Some(408),
            reason: "Request Timeout".into(),
            after: Some(Duration::from_secs(32)),
            at: stage.now.wall,
        }
    );
    assert_eq!(stage.states(), [(0, Failed), (1, Delivered)]);
    assert_eq!(stage.events[2], Event::Reported { message, attempt: 1 });
    assert!(stage.sent[0].1.starts_with("SIP/2.0 200 OK\r\n"));
}

#[test]
fn w20_the_patents_own_report_without_details() {
    let mut stage = Stage::connected();
    let request = stage.send_accepted(&ANN_AND_BOB);
    stage.notify(
        &request,
        1,
        "terminated",
        "im: ann@domain.com Delivery Failure\n\nIM:bob@domain.com delivery success",
    );
    assert_eq!(stage.stored(1), [Failed, Delivered]);
}

#[test]
fn a_disk_that_fails_asks_for_the_report_again() {
    let mut stage = Stage::connected();
    let request = stage.send_accepted(&ANN_AND_BOB);
    stage.events.clear();
    stage.disk = Disk::Fails;
    stage.notify(&request, 1, "terminated", MIXED);
    assert_eq!(stage.events, []);
    let (_, answer) = stage.sent.pop().unwrap();
    assert!(
        answer.starts_with("SIP/2.0 503 ") && answer.contains("Retry-After: 5\r\n"),
        "W23 sends it again"
    );
    stage.disk = Disk::Takes;
    stage.notify(&request, 2, "terminated", MIXED);
    let (_, again) = stage.sent.pop().unwrap();
    assert!(again.starts_with("SIP/2.0 200 "), "W25: {again}");
    assert_eq!(stage.stored(1), [Failed, Delivered], "what the first said goes with the second's batch");
    let told = |event: &Event| matches!(event, Event::Delivery { .. } | Event::Reported { .. });
    assert_eq!(stage.events.iter().filter(|event| told(event)).count(), 3, "told once it is kept");
    stage.advance(Duration::from_secs(5));
    assert_eq!(stage.events.iter().filter(|event| told(event)).count(), 3, "and once only");
    stage.notify(&request, 3, "terminated", MIXED);
    assert!(stage.sent.pop().unwrap().1.starts_with("SIP/2.0 200 "));
}

#[test]
fn an_outcome_is_told_once_where_the_disk_refused_an_earlier_state_and_took_the_outcome() {
    let mut stage = Stage::connected();
    stage.send(&ANN_AND_BOB, "x");
    let request = stage.take_sent("MESSAGE");
    stage.disk = Disk::Waits;
    stage.accept(&request);
    let accepted = std::mem::take(&mut stage.waiting);
    stage.notify(&request, 1, "terminated", MIXED);
    let reported = std::mem::take(&mut stage.waiting);
    stage.disk = Disk::Takes;
    stage.events.clear();
    accepted.into_iter().for_each(|id| stage.input(Input::CommitFailed(id)));
    reported.into_iter().for_each(|id| stage.input(Input::Committed(id)));
    assert_eq!(stage.states(), [(0, Failed), (1, Delivered)]);
    stage.advance(Duration::from_secs(5));
    assert_eq!(
        stage.states(),
        [(0, Failed), (1, Delivered)],
        "what was refused is told as it is by now: known"
    );
    assert_eq!(stage.stored(1), [Failed, Delivered]);
}

#[test]
fn w25_any_other_notify_gets_481_and_changes_nothing() {
    let mut stage = Stage::connected();
    let request = stage.send_accepted(&ANN_AND_BOB);
    let good = notify(&request, 1, "terminated", MIXED);
    let stranger = Flow::udp(OWN.parse().unwrap(), "127.0.0.1:5061".parse().unwrap());
    let other_host = Flow { remote: "127.0.0.2:5060".parse().unwrap(), ..stream_flow(3) };
    let cases = [
        (proxy_flow(), good.replace(field(&request, "Call-ID"), "another")),
        (proxy_flow(), good.replace(&format!(";tag={}", from_tag(&request)), ";tag=another")),
        (proxy_flow(), good.replace(&format!(";tag={}", from_tag(&request)), "")),
        (proxy_flow(), good.replace(";tag=p1", ";tag=another")),
        (proxy_flow(), good.replace("Event: delivery-report", "Event: presence")),
        (proxy_flow(), good.replace("Event: delivery-report\n", "")),
        (stranger, good.clone()),
        (other_host, good.clone()),
    ];
    let rows = stage.rows.len();
    stage.events.clear();
    for (index, (flow, text)) in cases.into_iter().enumerate() {
        stage.sent.clear();
        stage.receive(flow, &text.replace("branch=z9hG4bKn", &format!("branch=z9hG4bKx{index}")));
        assert!(stage.sent[0].1.starts_with("SIP/2.0 481 "), "case {index}: {:?}", stage.sent);
    }
    assert_eq!((stage.rows.len(), stage.events.len()), (rows, 0));
    // The proxy may open its own connection for a large report.
    let from_any_port = Flow { remote: "127.0.0.1:51234".parse().unwrap(), ..stream_flow(4) };
    stage.receive(from_any_port, &good);
    assert_eq!(stage.stored(1), [Failed, Delivered]);
}

#[test]
fn a_report_that_is_no_report_is_refused() {
    let mut stage = Stage::connected();
    let request = stage.send_accepted(&ANN_AND_BOB);
    stage.sent.clear();
    let good = notify(&request, 1, "terminated", MIXED);
    stage.proxy_sends(&good.replace("application/delivery-report", "text/plain"));
    assert!(stage.sent[0].1.starts_with("SIP/2.0 415 ") && has_field(&stage.sent[0].1, "Accept"));
    stage.sent.clear();
    stage.notify(&request, 2, "terminated", "rubbish\n");
    assert!(stage.sent[0].1.starts_with("SIP/2.0 400 "));
    assert_eq!(stage.stored(1), [Accepted, Accepted]);
}

#[test]
fn w25_a_report_that_comes_before_the_202_counts() {
    let mut stage = Stage::connected();
    stage.send(&ANN_AND_BOB, "x");
    let request = stage.take_sent("MESSAGE");
    stage.notify(&request, 1, "active", "im:bob@domain.com delivery success\n");
    assert_eq!(stage.stored(1), [Accepted, Delivered]);
    assert!(!stage.events.iter().any(|event| matches!(event, Event::Accepted { .. })));
    stage.accept(&request);
    assert_eq!(stage.stored(1), [Accepted, Delivered]);
    assert!(stage.events.iter().any(|event| matches!(event, Event::Accepted { status: 202, .. })));
    stage.notify(&request, 2, "terminated", MIXED);
    assert_eq!(stage.stored(1), [Failed, Delivered]);
}

#[test]
fn w25_a_report_proves_the_acceptance_whatever_comes_or_does_not_come_after() {
    let mut stage = Stage::connected();
    stage.send(&ANN_AND_BOB, "x");
    let request = stage.take_sent("MESSAGE");
    stage.notify(&request, 1, "active", "im:bob@domain.com delivery success\n");
    stage.advance(Duration::from_secs(33));
    assert_eq!(stage.stored(1), [Accepted, Delivered], "no 202, and yet no failure");
}

#[test]
fn w25_a_late_or_repeated_report_turns_nothing_back() {
    let mut stage = Stage::connected();
    let request = stage.send_accepted(&ANN_AND_BOB);
    let success = "im:ann@domain.com delivery success\nim:bob@domain.com delivery success\n";
    stage.notify(&request, 1, "terminated", success);
    stage.events.clear();
    stage.sent.clear();
    stage.notify(&request, 2, "terminated", MIXED);
    stage.notify(&request, 3, "terminated", success);
    assert_eq!(stage.states(), []);
    assert!(!stage.events.iter().any(|event| matches!(event, Event::Reported { .. })), "told once");
    assert_eq!(stage.sent.len(), 2);
    assert!(
        stage.sent.iter().all(|(_, text)| text.starts_with("SIP/2.0 200 ")),
        "a report of our own all the same"
    );
    assert_eq!(stage.stored(1), [Delivered, Delivered]);
}

#[test]
fn who_is_left_out_has_no_report_when_the_window_ends_and_a_late_report_corrects_that() {
    let mut stage = Stage::connected();
    let request = stage.send_accepted(&ANN_AND_BOB);
    stage.notify(&request, 1, "terminated", "im:bob@domain.com delivery success\n");
    stage.advance(Duration::from_millis(59_999));
    assert_eq!(stage.stored(1), [Accepted, Delivered]);
    stage.advance(Duration::from_millis(1));
    assert_eq!(stage.stored(1), [NoReport, Delivered]);
    stage.notify(&request, 2, "terminated", MIXED);
    assert_eq!(stage.stored(1), [Failed, Delivered]);
}

#[test]
fn who_is_deferred_is_never_without_report() {
    let mut stage = Stage::connected();
    let request = stage.send_accepted(&ANN_AND_BOB);
    let report =
        "im:ann@domain.com delivery deferred;status=480\nim:bob@domain.com delivery success;status=202\n";
    stage.notify(&request, 1, "active", report);
    stage.advance(Duration::from_secs(7200));
    assert_eq!(stage.stored(1), [Deferred, PassedOn], "W18: passed on");
    let mut after = Stage::with_rows(&account(), stage.stored_rows(), stage.now);
    after.advance(Duration::from_secs(60));
    after.notify(
        &request,
        2,
        "terminated",
        "im:ann@domain.com delivery success\nim:bob@domain.com delivery success\n",
    );
    assert_eq!(after.stored(1), [Delivered, Delivered]);
}

#[test]
fn w18_who_is_deferred_by_a_late_report_has_his_end_told_after_a_restart() {
    let mut stage = Stage::connected();
    let request = stage.send_accepted(&ANN_AND_BOB);
    stage.advance(Duration::from_secs(60));
    assert_eq!(stage.stored(1), [NoReport, NoReport]);
    let late = "im:ann@domain.com delivery deferred;status=480\nim:bob@domain.com delivery success\n";
    stage.notify(&request, 1, "active", late);
    assert_eq!(stage.stored(1), [Deferred, Delivered]);
    let rows = stage.stored_rows();
    let stages: Vec<_> = rows.open[0].attempts.iter().map(|attempt| &attempt.stage).collect();
    assert!(
        matches!(stages[..], [AttemptStage::Accepted { .. }]),
        "open rows are all that a start gets: {stages:?}"
    );
    let mut after = Stage::with_rows(&account(), rows, stage.now);
    after.notify(
        &request,
        2,
        "terminated",
        "im:ann@domain.com delivery success\nim:bob@domain.com delivery success\n",
    );
    assert_eq!(after.states(), [(0, Delivered)]);
}

#[test]
fn somebody_whom_we_did_not_write_to_is_told_and_not_dropped() {
    let mut stage = Stage::connected();
    let request = stage.send_accepted(&ANN_AND_BOB);
    stage.events.clear();
    stage.notify(
        &request,
        1,
        "active",
        "im:eve@domain.com delivery success\nim:ann@domain.com delivery eaten\n",
    );
    let (message, attempt) = (MessageId(1), 1);
    let told = |address: &str, state: &str| Event::ReportedStranger {
        message,
        attempt,
        address: address.to_owned(),
        state: state.to_owned(),
    };
    assert_eq!(stage.events, [told("im:eve@domain.com", "success"), told("im:ann@domain.com", "eaten")]);
    assert_eq!(stage.stored(1), [Accepted, Accepted]);
    let kept = stage.rows.iter().filter_map(|write| {
        if let Write::Stranger(row) = write {
            return Some(format!("{} {}", row.address, row.state));
        }
        let Write::Report(row) = write else { return None };
        Some(String::from_utf8_lossy(&row.body).into_owned())
    });
    assert_eq!(
        kept.collect::<Vec<_>>(),
        [
            "im:eve@domain.com delivery success\r\nim:ann@domain.com delivery eaten\r\n",
            "im:eve@domain.com success",
            "im:ann@domain.com eaten"
        ]
    );
}

#[test]
fn w6_a_report_in_sip_form_finds_those_who_were_written_to_as_im() {
    let mut stage = Stage::connected();
    let request = stage.send_accepted(&ANN_AND_BOB);
    stage.notify(
        &request,
        1,
        "terminated",
        "sip:ann@domain.com delivery success\nsip:bob@domain.com delivery failure\n",
    );
    assert_eq!(stage.stored(1), [Delivered, Failed]);
}

#[test]
fn any_order_of_the_same_reports_ends_the_same() {
    let reports = [
        ("active", "im:ann@domain.com delivery pending\n"),
        ("active", "im:ann@domain.com delivery deferred\n"),
        ("active", "im:bob@domain.com delivery failure;status=486\n"),
        ("terminated", "im:ann@domain.com delivery success\nim:bob@domain.com delivery failure;status=486\n"),
    ];
    for first in 0..4 {
        for second in 0..4 {
            for third in 0..4 {
                let mut stage = Stage::connected();
                let request = stage.send_accepted(&ANN_AND_BOB);
                let order = [first, second, third, 0, 1, 2, 3, second];
                for (cseq, index) in (1..).zip(order) {
                    stage.notify(&request, cseq, reports[index].0, reports[index].1);
                }
                assert_eq!(stage.stored(1), [Delivered, Failed], "{order:?}");
            }
        }
    }
}
