//! From a draft to the proxy's final response: W1, W2, W4, W6, W7, W9, W10.

mod resend;
mod disk;

use super::*;

use DeliveryState::{Accepted, Cancelled, Delivered, Failed, NoReport, Queued, Sending};

#[test]
fn w1_w2_one_message_for_all_as_the_patent_writes_it() {
    let mut stage = Stage::connected();
    stage.send(&ANN_AND_BOB, "Come here.");
    let (flow, request) = stage.take_sent_on("MESSAGE");
    assert_eq!(flow, proxy_flow());
    let expected = format!(
        "MESSAGE sip:ann@domain.com SIP/2.0\r\n\
         Via: {via}\r\n\
         Max-Forwards: 70\r\n\
         From: <im:james@domain.com>;tag={tag}\r\n\
         To: <im:ann@domain.com>\r\n\
         Secondary-To: <im:bob@domain.com>\r\n\
         Contact: <{contact}>\r\n\
         Call-ID: {call_id}\r\n\
         CSeq: 1 MESSAGE\r\n\
         Proxy-Require: secondary-to\r\n\
         Delivery-Report: {report}\r\n\
         Date: Sat, 13 Nov 2010 23:29:00 GMT\r\n\
         Content-Type: text/plain\r\n\
         Content-Length: 10\r\n\
         \r\n\
         Come here.",
        contact = stage.contact(),
        via = field(&request, "Via"),
        tag = from_tag(&request),
        call_id = field(&request, "Call-ID"),
        report = field(&request, "Delivery-Report"),
    );
    assert_eq!(request, expected);
    assert!(field(&request, "Delivery-Report").starts_with("each;detail;id="));
    stage.events.clear();
    stage.now = stage.now.plus(Duration::from_millis(40));
    stage.accept(&request);
    let after = Duration::from_millis(40);
    let message = MessageId(1);
    assert_eq!(stage.events[0], Event::Accepted { message, attempt: 1, status: 202, after });
    assert_eq!(stage.states(), [(0, Accepted), (1, Accepted)]);
    assert_eq!(stage.stored(1), [Accepted, Accepted]);
}

#[test]
fn w9_one_recipient_asks_for_a_report_too() {
    let mut stage = Stage::new(&Account { expires_secs: Some(604_800), ..account() });
    stage.connect();
    stage.send(&["ann@domain.com"], "x");
    let request = stage.take_sent("MESSAGE");
    assert_eq!(field(&request, "To"), "<sip:ann@domain.com>");
    assert!(!has_field(&request, "Secondary-To"));
    assert_eq!(field(&request, "Proxy-Require"), "secondary-to");
    assert_eq!(field(&request, "Expires"), "604800", "W8");
}

#[test]
fn w7_hidden_recipients_are_marked_in_to_and_secondary_to() {
    let mut stage = Stage::connected();
    stage.command(AgentCommand::Send(Draft { hidden: true, ..draft(&ANN_AND_BOB, "x") }));
    let request = stage.take_sent("MESSAGE");
    assert_eq!(field(&request, "To"), "<im:ann@domain.com>;copy=bcc");
    assert_eq!(field(&request, "Secondary-To"), "<im:bob@domain.com>;copy=bcc");
}

#[test]
fn a_message_counts_as_unsent_until_the_proxy_has_it() {
    let mut stage = Stage::new(&account());
    stage.send(&ANN_AND_BOB, "one");
    assert_eq!(stage.agent.unsent(), 1, "offline");
    stage.connect();
    assert_eq!(stage.agent.unsent(), 1, "sent, and not answered");
    let request = stage.take_sent("MESSAGE");
    stage.accept(&request);
    assert_eq!(stage.agent.unsent(), 0);
}

#[test]
fn offline_messages_wait_and_leave_in_order_when_connected() {
    let mut stage = Stage::new(&account());
    stage.send(&ANN_AND_BOB, "one");
    stage.send(&ANN_AND_BOB, "two");
    assert!(stage.sent_nothing());
    assert_eq!(stage.stored(1), [Queued, Queued]);
    stage.connect();
    let texts: Vec<_> = stage.sent.iter().map(|(_, text)| text.split("\r\n\r\n").nth(1).unwrap()).collect();
    assert_eq!(texts, ["one", "two"]);
}

#[test]
fn not_more_than_a_few_submissions_are_under_way_at_a_time() {
    let mut stage = Stage::new(&account());
    for index in 0..40 {
        stage.send(&ANN_AND_BOB, &format!("message {index}"));
    }
    stage.connect();
    assert_eq!(stage.sent.len(), crate::limits::SUBMISSIONS_OPEN_MAX);
    let first = stage.take_sent("MESSAGE");
    stage.accept(&first);
    assert!(stage.take_sent("MESSAGE").ends_with("message 32"));
}

#[test]
fn w31_large_submissions_wait_until_those_before_have_been_answered() {
    let mut stage = Stage::connected();
    for _ in 0..8 {
        stage.send(&ANN_AND_BOB, &"x".repeat(900 * 1024));
    }
    stage.input(Input::Connected { id: ConnectId(1), flow: stream_flow(9) });
    assert_eq!(stage.sent.len(), 5, "the fifth fills 4 MiB");
    let first = stage.take_sent("MESSAGE");
    stage.accept(&first);
    assert_eq!(stage.sent.len(), 1, "one more for the one that was taken");
}

#[test]
fn w4_a_large_message_goes_over_tcp() {
    let mut stage = Stage::connected();
    stage.send(&ANN_AND_BOB, &"x".repeat(1300));
    assert!(stage.sent_nothing());
    let hop = Hop { transport: Transport::Tcp, remote: PROXY.parse().unwrap() };
    assert_eq!(stage.connects, [(ConnectId(1), hop)]);
    // A small one does not wait for the connection.
    stage.send(&ANN_AND_BOB, "small");
    assert_eq!(stage.take_sent_on("MESSAGE").0, proxy_flow());
    stage.input(Input::Connected { id: ConnectId(1), flow: stream_flow(9) });
    let (flow, request) = stage.take_sent_on("MESSAGE");
    assert_eq!(flow, stream_flow(9));
    assert!(field(&request, "Via").starts_with("SIP/2.0/TCP "));
    assert_eq!(field(&request, "Contact"), format!("<{}>", stage.contact()), "reachable where we registered");
    stage.send(&ANN_AND_BOB, &"y".repeat(1300));
    assert_eq!(stage.take_sent_on("MESSAGE").0, stream_flow(9));
    assert_eq!(stage.connects.len(), 1);
}

#[test]
fn w4_where_tcp_cannot_be_had_within_2_s_it_goes_over_udp_and_that_is_remembered() {
    let mut stage = Stage::connected();
    stage.send(&ANN_AND_BOB, &"x".repeat(1300));
    stage.advance(Duration::from_millis(1999));
    assert!(stage.sent_nothing());
    stage.advance(Duration::from_millis(1));
    assert_eq!(stage.take_sent_on("MESSAGE").0, proxy_flow());
    stage.send(&ANN_AND_BOB, &"y".repeat(1300));
    assert_eq!(stage.take_sent_on("MESSAGE").0, proxy_flow());
    assert_eq!(stage.connects.len(), 1);

    let mut stage = Stage::connected();
    stage.send(&ANN_AND_BOB, &"x".repeat(1300));
    stage.input(Input::ConnectFailed { id: ConnectId(1), fault: crate::machine::ConnectFault::Unreachable });
    assert_eq!(stage.take_sent_on("MESSAGE").0, proxy_flow());
}

#[test]
fn w4_what_no_datagram_can_hold_fails_with_a_word_of_its_own() {
    let mut stage = Stage::connected();
    stage.send(&ANN_AND_BOB, &"x".repeat(70_000));
    stage.input(Input::ConnectFailed { id: ConnectId(1), fault: crate::machine::ConnectFault::Unreachable });
    assert!(stage.sent_nothing());
    assert_eq!(stage.stored(1), [Failed, Failed]);
    assert!(stage.events.iter().any(|event| matches!(event, Event::Refused { status: 413, .. })));
}

#[test]
fn w6_a_400_to_im_is_repeated_once_in_sip_form() {
    let mut stage = Stage::connected();
    stage.send(&ANN_AND_BOB, "x");
    let first = stage.take_sent("MESSAGE");
    stage.answer(&first, "400 Bad Request", "");
    let second = stage.take_sent("MESSAGE");
    assert!(field(&second, "From").starts_with("<sip:james@domain.com>;tag="));
    assert_eq!(field(&second, "To"), "<sip:ann@domain.com>");
    assert_eq!(field(&second, "Secondary-To"), "<sip:bob@domain.com>");
    assert_eq!(field(&second, "CSeq"), "2 MESSAGE");
    assert_eq!(field(&second, "Call-ID"), field(&first, "Call-ID"));
    stage.answer(&second, "400 Bad Request", "");
    assert!(stage.sent_nothing());
    assert_eq!(stage.stored(1), [Failed, Failed]);
}

#[test]
fn a_refusal_is_told_and_holds_for_everybody() {
    let mut stage = Stage::connected();
    stage.send(&ANN_AND_BOB, "x");
    let request = stage.take_sent("MESSAGE");
    stage.events.clear();
    stage.answer(&request, "403 Forbidden here", "");
    let (message, reason) = (MessageId(1), "Forbidden here".into());
    assert_eq!(stage.events[0], Event::Refused { message, attempt: 1, status: 403, reason });
    assert_eq!(stage.states(), [(0, Failed), (1, Failed)]);
}

#[test]
fn a_busy_server_is_left_alone_for_as_long_as_it_asks() {
    let mut stage = Stage::connected();
    stage.send(&ANN_AND_BOB, "one");
    let request = stage.take_sent("MESSAGE");
    stage.answer(&request, "503 Service Unavailable", "Retry-After: 5\n");
    assert_eq!(stage.stored(1), [Failed, Failed]);
    stage.command(AgentCommand::Resend { message: MessageId(1), only: None });
    stage.advance(Duration::from_millis(4999));
    assert!(stage.sent_nothing());
    stage.advance(Duration::from_millis(1));
    stage.take_sent("MESSAGE");
}

#[test]
fn w10_after_a_crash_it_leaves_again_as_the_same_submission() {
    let mut stage = Stage::connected();
    stage.send(&ANN_AND_BOB, "Come here.");
    let first = stage.take_sent("MESSAGE");
    let mut after = Stage::with_rows(&account(), stage.stored_rows(), stage.now);
    assert!(after.agent.poll_output().is_none());
    after.connect();
    let again = after.take_sent("MESSAGE");
    for name in ["Call-ID", "CSeq", "From", "To", "Secondary-To", "Delivery-Report", "Date"] {
        assert_eq!(field(&again, name), field(&first, name));
    }
    assert!(again.ends_with("\r\n\r\nCome here."));
    after.accept(&again);
    assert_eq!(after.stored(1), [Accepted, Accepted]);
}

#[test]
fn after_a_restart_the_report_window_counts_from_the_acceptance() {
    let mut stage = Stage::connected();
    let request = stage.send_accepted(&ANN_AND_BOB);
    let later = stage.now.plus(Duration::from_secs(50));
    let mut after = Stage::with_rows(&account(), stage.stored_rows(), later);
    after.connect();
    assert!(after.sent_nothing(), "the proxy has it");
    after.notify(&request, 1, "active", "im:ann@domain.com delivery success\n");
    assert_eq!(after.stored(1), [Delivered]);
    after.advance(Duration::from_millis(9_999));
    assert_eq!(after.states(), [(0, Delivered)]);
    after.advance(Duration::from_millis(1));
    assert_eq!(after.states(), [(0, Delivered), (1, NoReport)]);
}

#[test]
fn w12_an_account_that_does_not_register_calls_its_reports_after_a_restart() {
    let plain = Account { register: false, ..account() };
    let mut stage = Stage::new(&plain);
    stage.send(&ANN_AND_BOB, "Come here.");
    let asked = stage.take_sent("OPTIONS");
    stage.answer(&asked, "200 OK", "Supported: secondary-to\n");
    let request = stage.take_sent("MESSAGE");
    stage.accept(&request);
    let mut after = Stage::with_rows(&plain, stage.stored_rows(), stage.now);
    after.command(AgentCommand::Connect);
    let asked = after.take_sent("OPTIONS");
    after.answer(&asked, "200 OK", "Supported: secondary-to\n");
    let again = after.take_sent("MESSAGE");
    assert_eq!(field(&again, "Call-ID"), field(&request, "Call-ID"));
    after.events.clear();
    after.accept(&again);
    assert_eq!(after.events, [], "it was accepted before");
}

#[test]
fn w9_who_wants_no_report_waits_for_none() {
    let mut stage = Stage::connected();
    let report = ReportOptions { mode: ReportMode::None, detail: false, id: None };
    stage.command(AgentCommand::Send(Draft { report, ..draft(&ANN_AND_BOB, "x") }));
    let request = stage.take_sent("MESSAGE");
    assert!(field(&request, "Delivery-Report").starts_with("none;id="));
    stage.accept(&request);
    stage.advance(Duration::from_secs(120));
    assert_eq!(stage.stored(1), [Accepted, Accepted]);
}

#[test]
fn a_connection_that_breaks_each_time_is_not_tried_forever() {
    let mut stage = Stage::connected();
    stage.send(&ANN_AND_BOB, &"x".repeat(1300));
    for connection in 1..=3 {
        stage.input(Input::Connected { id: ConnectId(connection), flow: stream_flow(connection) });
        let (flow, _) = stage.take_sent_on("MESSAGE");
        assert_eq!(flow, stream_flow(connection));
        stage.input(Input::Disconnected { flow });
    }
    assert_eq!(stage.connects.len(), 3);
    assert_eq!(stage.stored(1), [Failed, Failed]);
    let reason = crate::model::reason::LocalReason::NoConnection.into();
    assert!(stage.events.contains(&Event::Refused {
        message: MessageId(1),
        attempt: 1,
        status: 408,
        reason
    }));
    assert_eq!(
        *stage.agent.registration(),
        RegistrationState::Connected,
        "the connection to the proxy is another one"
    );
}

#[test]
fn five_hundred_recipients_are_one_message_and_more_are_refused() {
    let addresses: Vec<String> = (0..501).map(|index| format!("sip:u{index}@domain.com")).collect();
    let addresses: Vec<&str> = addresses.iter().map(String::as_str).collect();
    let mut stage = Stage::new(&Account { proxy: format!("tcp:{PROXY}"), ..account() });
    stage.command(AgentCommand::Connect);
    stage.input(Input::Connected { id: ConnectId(1), flow: stream_flow(1) });
    let request = stage.take_sent("REGISTER");
    stage.receive(stream_flow(1), &response(&request, "200 OK", PROOF));
    stage.send(&addresses[..500], "x");
    let request = stage.take_sent("MESSAGE");
    assert_eq!(request.matches("\r\nSecondary-To: ").count(), 499);
    stage.receive(stream_flow(1), &response(&request, "202 Accepted", "Supported: secondary-to\n"));
    let lines: String =
        addresses[..500].iter().map(|address| format!("{address} delivery success\n")).collect();
    stage.receive(stream_flow(1), &notify(&request, 1, "terminated", &lines));
    assert_eq!(stage.stored(1), [Delivered; 500]);
    stage.events.clear();
    stage.send(&addresses, "x");
    assert!(matches!(stage.events.as_slice(), [Event::NotSent { why, .. }] if why.contains("too many")));
}
