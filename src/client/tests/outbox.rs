//! From a draft to the proxy's final response: W1, W2, W4, W6, W7, W9, W10.

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
fn no_byte_leaves_before_the_message_is_committed() {
    let mut stage = Stage::connected();
    stage.disk = Disk::Waits;
    stage.send(&ANN_AND_BOB, "Come here.");
    assert!(stage.sent_nothing() && stage.events.is_empty());
    stage.disk = Disk::Takes;
    stage.settle(Input::Committed);
    stage.take_sent("MESSAGE");
    let conversation = crate::model::journal::ConversationId(1);
    assert_eq!(stage.events[0], Event::Queued { conversation, message: MessageId(1) });
    assert_eq!(stage.states(), [(0, Sending), (1, Sending)]);
}

#[test]
fn no_byte_leaves_before_the_disk_knows_that_it_may() {
    let mut stage = Stage::new(&account());
    stage.send(&ANN_AND_BOB, "Come here.");
    stage.disk = Disk::Waits;
    stage.connect();
    assert!(stage.sent_nothing(), "after a crash now it would be queued, and could be withdrawn");
    assert_eq!(stage.agent.unsent(), 1);
    stage.command(AgentCommand::Withdraw { message: MessageId(1) });
    assert_eq!(stage.states(), [], "what is about to leave is no more to be taken back");
    stage.disk = Disk::Takes;
    stage.settle(Input::Committed);
    stage.take_sent("MESSAGE");
    assert_eq!(stage.states(), [(0, Sending), (1, Sending)]);
}

#[test]
fn a_message_waits_for_a_disk_that_does_not_note_that_it_may_leave() {
    let mut stage = Stage::new(&account());
    stage.send(&ANN_AND_BOB, "Come here.");
    stage.disk = Disk::Fails;
    stage.connect();
    assert!(stage.sent_nothing());
    stage.advance(crate::limits::SAVE_AGAIN);
    assert!(stage.sent_nothing(), "the disk fails still");
    stage.disk = Disk::Takes;
    stage.advance(crate::limits::SAVE_AGAIN);
    stage.take_sent("MESSAGE");
    assert!(stage.sent_nothing(), "once");
    assert_eq!(stage.states(), [(0, Sending), (1, Sending)]);
}

#[test]
fn a_disk_that_fails_gives_the_text_back() {
    let mut stage = Stage::connected();
    stage.disk = Disk::Fails;
    stage.send(&ANN_AND_BOB, "Come here.");
    assert!(stage.sent_nothing());
    let [Event::NotSent { draft: back, why }] = stage.events.as_slice() else { panic!("{:?}", stage.events) };
    assert_eq!(*back, draft(&ANN_AND_BOB, "Come here."));
    assert!(why.contains("disk"));
    assert!(stage.agent.heads().is_empty());
    stage.disk = Disk::Takes;
    stage.send(&ANN_AND_BOB, "Come here.");
    stage.take_sent("MESSAGE");
    let conversations = stage.rows.iter().filter(|row| matches!(row, Write::Conversation(_))).count();
    assert_eq!(
        conversations, 1,
        "the conversation's row was lost with the first batch, and is written again"
    );
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
fn never_answered_it_is_ambiguous_and_a_resend_leaves_under_the_same_call_id() {
    let mut stage = Stage::connected();
    stage.send(&ANN_AND_BOB, "x");
    let first = stage.sent.last().unwrap().1.clone();
    silence::proxy_answers_registrations_only(&mut stage, 3);
    assert_eq!(stage.stored(1), [Failed, Failed]);
    let reason = crate::model::reason::LocalReason::NoAnswer.into();
    assert!(stage.events.contains(&Event::Refused {
        message: MessageId(1),
        attempt: 1,
        status: 408,
        reason
    }));
    stage.command(AgentCommand::Resend { message: MessageId(1), only: None });
    let again = stage.take_sent("MESSAGE");
    for name in ["Call-ID", "CSeq", "From", "Delivery-Report", "To", "Secondary-To"] {
        assert_eq!(field(&again, name), field(&first, name), "W12");
    }
    assert_ne!(field(&again, "Via"), field(&first, "Via"));
    stage.accept(&again);
    stage.notify(
        &again,
        1,
        "terminated",
        "im:ann@domain.com delivery success\nim:bob@domain.com delivery success\n",
    );
    assert_eq!(stage.stored(2), [Delivered, Delivered]);
}

#[test]
fn an_ambiguous_message_to_one_of_several_is_another_submission() {
    let mut stage = Stage::connected();
    stage.send(&ANN_AND_BOB, "x");
    let first = stage.sent.last().unwrap().1.clone();
    silence::proxy_answers_registrations_only(&mut stage, 3);
    stage.command(AgentCommand::Resend { message: MessageId(1), only: Some(1) });
    let again = stage.take_sent("MESSAGE");
    assert_eq!(field(&again, "To"), "<im:bob@domain.com>");
    assert_ne!(
        field(&again, "Call-ID"),
        field(&first, "Call-ID"),
        "the same key with other recipients gets 400 (W12)"
    );
}

#[test]
fn a_resend_goes_to_the_failed_only_as_one_new_message() {
    let mut stage = Stage::connected();
    let four = ["im:ann@domain.com", "im:bob@domain.com", "im:cy@domain.com", "im:dana@domain.com"];
    let first = stage.send_accepted(&four);
    let report = "im:ann@domain.com delivery success\nim:bob@domain.com delivery failure;status=486\n\
                  im:cy@domain.com delivery failure;status=404\nim:dana@domain.com delivery success\n";
    stage.notify(&first, 1, "terminated;reason=noresource", report);
    stage.events.clear();
    stage.sent.clear();
    stage.command(AgentCommand::Resend { message: MessageId(1), only: None });
    let second = stage.take_sent("MESSAGE");
    assert_eq!(field(&second, "To"), "<im:bob@domain.com>");
    assert_eq!(field(&second, "Secondary-To"), "<im:cy@domain.com>");
    assert_ne!(field(&second, "Call-ID"), field(&first, "Call-ID"));
    assert_ne!(field(&second, "Delivery-Report"), field(&first, "Delivery-Report"));
    assert!(second.ends_with("Come here."));
    assert_eq!(stage.states(), [(1, Queued), (2, Queued), (1, Sending), (2, Sending)]);
    stage.accept(&second);
    stage.notify(
        &second,
        1,
        "terminated",
        "im:bob@domain.com delivery success\nim:cy@domain.com delivery failure\n",
    );
    assert_eq!(stage.stored(1), [Delivered, Failed, Failed, Delivered]);
    assert_eq!(stage.stored(2), [Delivered, Failed]);
    stage.sent.clear();
    stage.command(AgentCommand::Resend { message: MessageId(1), only: Some(2) });
    let third = stage.take_sent("MESSAGE");
    assert_eq!(field(&third, "To"), "<im:cy@domain.com>");
    stage.command(AgentCommand::Resend { message: MessageId(1), only: Some(0) });
    assert!(stage.sent_nothing(), "Ann has it");
}

#[test]
fn what_is_still_queued_can_be_withdrawn() {
    let mut stage = Stage::new(&account());
    stage.send(&ANN_AND_BOB, "x");
    let message = stage.message();
    stage.events.clear();
    stage.command(AgentCommand::Withdraw { message });
    assert_eq!(stage.states(), [(0, Cancelled), (1, Cancelled)]);
    assert!(matches!(stage.events.last(), Some(Event::Changed { .. })));
    stage.connect();
    assert!(stage.sent_nothing());
    assert_eq!(stage.stored(1), [Cancelled, Cancelled]);

    let mut stage = Stage::connected();
    stage.send(&ANN_AND_BOB, "x");
    stage.events.clear();
    stage.command(AgentCommand::Withdraw { message: MessageId(1) });
    assert_eq!(stage.events, [], "what has left cannot be taken back");
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
fn a_resend_that_is_taken_back_at_once_is_told_as_the_disk_has_it() {
    let mut stage = Stage::connected();
    let request = stage.send_accepted(&ANN_AND_BOB);
    stage.notify(
        &request,
        1,
        "terminated;reason=noresource",
        "im:ann@domain.com delivery failure;status=486\nim:bob@domain.com delivery success;status=200\n",
    );
    stage.events.clear();
    stage.disk = Disk::Waits;
    stage.command(AgentCommand::Resend { message: MessageId(1), only: None });
    stage.command(AgentCommand::Withdraw { message: MessageId(1) });
    let told = |stage: &Stage, state| {
        let is_it = |event: &&Event| matches!(event, Event::Delivery { state: told, .. } if *told == state);
        stage.events.iter().filter(is_it).count()
    };
    let first = stage.waiting.remove(0);
    stage.input(Input::Committed(first));
    assert_eq!(
        (told(&stage, Queued), told(&stage, Cancelled)),
        (0, 0),
        "the disk has it as queued, and it is not"
    );
    stage.settle(Input::Committed);
    assert_eq!((told(&stage, Queued), told(&stage, Cancelled)), (0, 1));
}

#[test]
fn w25_a_report_is_not_taken_while_what_it_said_is_only_being_written_again() {
    let mut stage = Stage::connected();
    let request = stage.send_accepted(&ANN_AND_BOB);
    let lines = "im:ann@domain.com delivery failure;status=486\nim:bob@domain.com delivery success\n";
    stage.sent.clear();
    stage.disk = Disk::Waits;
    stage.notify(&request, 1, "active", lines);
    // The same report again, before the disk has refused the first one's batch.
    stage.proxy_sends(&notify(&request, 1, "active", lines).replace("z9hG4bK", "z9hG4bKagain"));
    let first = stage.waiting.remove(0);
    stage.input(Input::CommitFailed(first));
    stage.advance(crate::limits::SAVE_AGAIN);
    let second = stage.waiting.remove(0);
    stage.input(Input::Committed(second));
    let answers: Vec<_> =
        stage.sent.drain(..).map(|(_, text)| text.split(' ').nth(1).unwrap_or_default().to_owned()).collect();
    assert_eq!(answers, ["503", "503"], "it is on its way to the disk, and not there");
    stage.settle(Input::Committed);
    stage.disk = Disk::Takes;
    stage.proxy_sends(&notify(&request, 1, "active", lines).replace("z9hG4bK", "z9hG4bKthird"));
    assert!(stage.sent[0].1.starts_with("SIP/2.0 200 "), "{:?}", stage.sent);
}

#[test]
fn a_resend_that_was_refused_is_not_written_with_what_is_written_again() {
    let mut stage = Stage::connected();
    let request = stage.send_accepted(&ANN_AND_BOB);
    let lines = "im:ann@domain.com delivery failure;status=486\nim:bob@domain.com delivery success\n";
    stage.disk = Disk::Fails;
    stage.notify(&request, 1, "active", lines);
    stage.disk = Disk::Waits;
    stage.command(AgentCommand::Resend { message: MessageId(1), only: None });
    // What the disk refused is written again while the resend's batch is pending.
    stage.proxy_sends(&notify(&request, 1, "active", lines).replace("z9hG4bK", "z9hG4bKagain"));
    let resend = stage.waiting.remove(0);
    stage.input(Input::CommitFailed(resend));
    stage.settle(Input::Committed);
    let is_told = |event: &Event| matches!(event, Event::Refused { attempt: 2, status: 503, .. });
    assert!(stage.events.iter().any(is_told), "{:?}", stage.events);
    assert_eq!(stage.stored(1), [Failed, Delivered]);
    assert_eq!(stage.stored(2), [], "a start would send it");
}

#[test]
fn what_the_disk_did_not_take_is_written_again() {
    let mut stage = Stage::connected();
    let request = stage.send_accepted(&ANN_AND_BOB);
    stage.disk = Disk::Fails;
    stage.events.clear();
    stage.advance(Duration::from_secs(60));
    assert_eq!(stage.events, [], "what is not committed is not told");
    stage.disk = Disk::Takes;
    stage.advance(Duration::from_secs(5));
    assert_eq!(stage.stored(1), [NoReport, NoReport]);
    drop(request);
}

#[test]
fn w9_who_wants_no_report_waits_for_none() {
    let mut stage = Stage::connected();
    let report = ReportWish { mode: ReportMode::None, detail: false, id: None };
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
        "the line to the proxy is another one"
    );
}

#[test]
fn a_resend_that_the_disk_does_not_take_is_told() {
    let mut stage = Stage::connected();
    stage.send(&ANN_AND_BOB, "x");
    let request = stage.take_sent("MESSAGE");
    stage.answer(&request, "403 Forbidden", "");
    stage.events.clear();
    stage.disk = Disk::Fails;
    stage.command(AgentCommand::Resend { message: MessageId(1), only: None });
    assert!(stage.sent_nothing());
    assert!(
        matches!(stage.events.as_slice(), [Event::Refused { attempt: 2, status: 503, .. }]),
        "{:?}",
        stage.events
    );
    stage.disk = Disk::Takes;
    stage.command(AgentCommand::Resend { message: MessageId(1), only: None });
    stage.take_sent("MESSAGE");
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
