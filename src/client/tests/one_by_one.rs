//! Sending through a server that does not fan out (W6): each recipient gets a MESSAGE of his own, and nobody is
//! forgotten.

use super::*;
use crate::limits::SINGLES_OPEN_MAX;
use crate::model::journal::{ConversationId, Way};
use crate::model::reason::LocalReason;

use DeliveryState::{Cancelled, Delivered, Failed, PassedOn, Queued, Sending};

const THREE: [&str; 3] = ["im:ann@domain.com", "im:bob@domain.com", "im:cy@domain.com"];

/// Registered with a server that does not know Secondary-To.
fn plain() -> Stage {
    let mut stage = Stage::new(&account());
    connect(&mut stage);
    stage
}

fn connect(stage: &mut Stage) {
    stage.register("200 OK", "Expires: 600\n");
    assert_eq!(*stage.agent.registration(), RegistrationState::NoFanOut);
}

/// All MESSAGEs that were sent, in order.
fn messages(stage: &mut Stage) -> Vec<String> {
    let sent = std::mem::take(&mut stage.sent);
    sent.into_iter().map(|(_, text)| text).filter(|text| text.starts_with("MESSAGE")).collect()
}

fn one_to<'a>(messages: &'a [String], user: &str) -> &'a String {
    let to = format!("<sip:{user}@domain.com>");
    messages.iter().find(|text| field(text, "To") == to).unwrap_or_else(|| panic!("none to {user}"))
}

#[test]
fn w6_without_proof_everybody_gets_an_ordinary_message_and_a_tick_by_its_answer() {
    let mut stage = plain();
    stage.events.clear();
    stage.send(&THREE, "Come here.");
    let sent = messages(&mut stage);
    assert_eq!(sent.len(), 3);
    let ann = one_to(&sent, "ann");
    let expected = format!(
        "MESSAGE sip:ann@domain.com SIP/2.0\r\n\
         Via: {via}\r\n\
         Max-Forwards: 70\r\n\
         From: <sip:james@domain.com>;tag={tag}\r\n\
         To: <sip:ann@domain.com>\r\n\
         Also-To: <sip:bob@domain.com>\r\n\
         Also-To: <sip:cy@domain.com>\r\n\
         Call-ID: {call_id}\r\n\
         CSeq: 1 MESSAGE\r\n\
         Date: Sat, 13 Nov 2010 23:29:00 GMT\r\n\
         Content-Type: text/plain\r\n\
         Content-Length: 10\r\n\
         \r\n\
         Come here.",
        via = field(ann, "Via"),
        tag = from_tag(ann),
        call_id = field(ann, "Call-ID"),
    );
    assert_eq!(*ann, expected);
    let (message, conversation) = (MessageId(1), ConversationId(1));
    assert_eq!(stage.events[0], Event::Queued { conversation, message });
    assert!(stage.events.contains(&Event::OneByOne { message, attempt: 1 }));
    let calls: std::collections::BTreeSet<_> = sent.iter().map(|text| field(text, "Call-ID")).collect();
    assert_eq!(calls.len(), 3, "a program that serves several people would answer 482");

    stage.events.clear();
    stage.now = stage.now.plus(Duration::from_millis(30));
    stage.answer(ann, "200 OK", "");
    stage.answer(one_to(&sent, "bob"), "486 Busy Here", "");
    assert_eq!(stage.stored(1), [Delivered, Failed, Sending]);
    stage.answer(one_to(&sent, "cy"), "202 Accepted", "");
    assert_eq!(stage.stored(1), [Delivered, Failed, PassedOn]);
    let told = |event: &Event| {
        let Event::Delivery { recipient: 1, status, reason, after, .. } = event else { return None };
        Some((*status, reason.clone(), *after))
    };
    let bob = (Some(486), "Busy Here".into(), Some(Duration::from_millis(30)));
    assert_eq!(stage.events.iter().find_map(told), Some(bob));
    assert_eq!(stage.events.last(), Some(&Event::Reported { message, attempt: 1 }));
    assert_eq!(stage.agent.unsent(), 0);
}

#[test]
fn w6_a_2xx_without_proof_counts_for_the_primary_alone_and_the_others_are_written_to() {
    let mut stage = Stage::connected();
    stage.send(&THREE, "x");
    let submission = stage.take_sent("MESSAGE");
    assert!(has_field(&submission, "Secondary-To"));
    stage.answer(&submission, "200 OK", "");
    assert_eq!(stage.stored(1), [Delivered, Sending, Sending]);
    assert_eq!(*stage.agent.registration(), RegistrationState::NoFanOut);
    let sent = messages(&mut stage);
    let users: Vec<_> = sent.iter().map(|text| field(text, "To")).collect();
    assert_eq!(users, ["<sip:bob@domain.com>", "<sip:cy@domain.com>"]);
    assert!(sent.iter().all(|text| !has_field(text, "Proxy-Require") && !has_field(text, "Contact")));
    stage.answer(&sent[0], "200 OK", "");
    stage.answer(&sent[1], "404 Not Found", "");
    assert_eq!(stage.stored(1), [Delivered, Delivered, Failed]);
    stage.send(&ANN_AND_BOB, "y");
    assert!(messages(&mut stage).iter().all(|text| !has_field(text, "Secondary-To")), "remembered");
}

#[test]
fn w6_a_420_counts_for_nobody_and_all_are_written_to() {
    let mut stage = Stage::connected();
    stage.send(&ANN_AND_BOB, "x");
    let submission = stage.take_sent("MESSAGE");
    stage.answer(&submission, "420 Bad Extension", "Unsupported: secondary-to\n");
    assert_eq!(*stage.agent.registration(), RegistrationState::NoFanOut);
    let sent = messages(&mut stage);
    assert_eq!(sent.len(), 2);
    assert_eq!(field(one_to(&sent, "ann"), "CSeq"), "2 MESSAGE", "another request after the refusal");
    for text in &sent {
        stage.answer(text, "200 OK", "");
    }
    assert_eq!(stage.stored(1), [Delivered, Delivered]);
}

#[test]
fn w7_hidden_recipients_are_named_to_nobody() {
    let mut stage = plain();
    stage.command(AgentCommand::Send(Draft { hidden: true, ..draft(&THREE, "x") }));
    let sent = messages(&mut stage);
    assert_eq!(sent.len(), 3);
    assert!(sent.iter().all(|text| !text.contains("Also-To") && text.matches("domain.com").count() == 3));
}

#[test]
fn a_large_group_is_not_named_so_that_each_message_fits_a_datagram() {
    let many: Vec<String> = (0..40).map(|index| format!("sip:somebody-{index}@domain.com")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let mut stage = plain();
    stage.send(&many, "x");
    let sent = messages(&mut stage);
    assert!(sent.iter().all(|text| !has_field(text, "Also-To")));
}

#[test]
fn only_a_few_are_under_way_at_a_time_and_all_get_it_in_the_end() {
    let many: Vec<String> = (0..40).map(|index| format!("sip:u{index}@domain.com")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let mut stage = plain();
    stage.send(&many, "x");
    stage.send(&ANN_AND_BOB, "y");
    let mut open = messages(&mut stage);
    assert_eq!(open.len(), SINGLES_OPEN_MAX);
    let mut answered = 0;
    while let Some(text) = open.pop() {
        stage.answer(&text, "200 OK", "");
        answered += 1;
        open.extend(messages(&mut stage));
        assert!(open.len() <= SINGLES_OPEN_MAX);
    }
    assert_eq!(answered, 42);
    let delivered = |message| {
        let is_delivered = |write: &&Write| matches!(write, Write::Delivery(row) if row.message == MessageId(message) && row.state == Delivered);
        stage.rows.iter().filter(is_delivered).count()
    };
    assert_eq!((delivered(1), delivered(2)), (40, 2));
}

#[test]
fn w31_large_messages_wait_until_those_before_have_been_answered() {
    let many: Vec<String> = (0..12).map(|index| format!("sip:u{index}@domain.com")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let mut stage = plain();
    stage.send(&many, &"x".repeat(900 * 1024));
    stage.input(Input::Connected { id: ConnectId(1), flow: stream_flow(9) });
    let mut open = messages(&mut stage);
    assert_eq!(open.len(), 5, "the fifth fills 4 MiB");
    let mut answered = 0;
    while let Some(text) = open.pop() {
        stage.answer(&text, "200 OK", "");
        answered += 1;
        open.extend(messages(&mut stage));
        assert!(open.len() <= 5);
    }
    assert_eq!(answered, 12);
}

#[test]
fn after_a_crash_those_who_answered_get_nothing_and_the_others_the_same_request() {
    let mut stage = plain();
    stage.send(&THREE, "Come here.");
    let before = messages(&mut stage);
    stage.answer(one_to(&before, "bob"), "200 OK", "");
    let mut after = Stage::with_rows(&account(), stage.stored_rows(), stage.now);
    // Even if the server has learned to fan out in the meantime.
    after.connect();
    let again = messages(&mut after);
    assert_eq!(again.len(), 2);
    for user in ["ann", "cy"] {
        let (first, second) = (one_to(&before, user), one_to(&again, user));
        for name in ["From", "Call-ID", "CSeq", "Date"] {
            assert_eq!(field(first, name), field(second, name), "a double is told by it (W15)");
        }
        after.answer(second, "200 OK", "");
    }
    assert_eq!(after.stored(1), [Delivered, Delivered]);
    assert_eq!(after.agent.unsent(), 0);
}

#[test]
fn what_an_unanswered_submission_may_have_brought_to_the_first_is_told_as_a_double() {
    let mut stage = Stage::connected();
    stage.send(&ANN_AND_BOB, "x");
    let submission = stage.take_sent("MESSAGE");
    let mut after = Stage::with_rows(&account(), stage.stored_rows(), stage.now);
    connect(&mut after);
    let sent = messages(&mut after);
    let ann = one_to(&sent, "ann");
    assert_eq!(field(ann, "Call-ID"), field(&submission, "Call-ID"));
    assert_eq!(field(ann, "CSeq"), field(&submission, "CSeq"));
    assert_eq!(from_tag(ann), from_tag(&submission));
}

#[test]
fn silence_is_a_time_out_of_that_one_and_a_resend_goes_to_him_alone() {
    let mut stage = plain();
    stage.send(&THREE, "x");
    let sent = messages(&mut stage);
    stage.answer(one_to(&sent, "ann"), "200 OK", "");
    stage.answer(one_to(&sent, "cy"), "200 OK", "");
    stage.advance(Duration::from_secs(32));
    assert_eq!(stage.stored(1), [Delivered, Failed, Delivered]);
    let of_bob = |write: &Write| {
        let Write::Delivery(row) = write else { return None };
        (row.recipient == 1).then(|| (row.status, row.phrase.clone()))
    };
    let row = stage.rows.iter().rev().find_map(of_bob);
    assert_eq!(row, Some((Some(408), LocalReason::NoFinalAnswer.into())));
    let asked = stage.take_sent("REGISTER");
    stage.answer(&asked, "200 OK", "Expires: 600\n");
    stage.command(AgentCommand::Resend { message: MessageId(1), only: None });
    let again = messages(&mut stage);
    assert_eq!(again.len(), 1);
    assert_eq!(field(&again[0], "To"), "<sip:bob@domain.com>");
    assert_eq!(again[0].matches("Also-To: ").count(), 2, "the group is the same");
    stage.answer(&again[0], "200 OK", "");
    assert_eq!(stage.stored(2), [Delivered]);
}

#[test]
fn a_line_that_breaks_sends_the_same_again_when_it_is_back_but_not_forever() {
    let mut stage = plain();
    stage.send(&ANN_AND_BOB, "x");
    let first = messages(&mut stage);
    for _ in 0..2 {
        stage.no_way();
        connect_again(&mut stage);
        let again = messages(&mut stage);
        assert_eq!(field(one_to(&again, "bob"), "Call-ID"), field(one_to(&first, "bob"), "Call-ID"));
    }
    stage.no_way();
    assert_eq!(stage.stored(1), [Failed, Failed]);
    let phrases = stage.rows.iter().filter(
        |write| matches!(write, Write::Delivery(row) if row.phrase == LocalReason::NoConnection.into() && row.status == Some(408)),
    );
    assert_eq!(phrases.count(), 2);
}

fn connect_again(stage: &mut Stage) {
    stage.sent.clear();
    stage.command(AgentCommand::Connect);
    let register = stage.sent.iter().find(|(_, text)| text.starts_with("REGISTER")).unwrap().1.clone();
    stage.sent.clear();
    stage.answer(&register, "200 OK", "Expires: 600\n");
}

#[test]
fn who_asks_us_to_wait_is_left_alone_for_as_long_and_nobody_else_is() {
    let many: Vec<String> = (0..20).map(|index| format!("sip:u{index}@domain.com")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let mut stage = plain();
    stage.send(&many, "x");
    let sent = messages(&mut stage);
    stage.answer(&sent[0], "503 Service Unavailable", "Retry-After: 60\n");
    for text in &sent[1..] {
        stage.answer(text, "200 OK", "");
    }
    let rest = messages(&mut stage);
    assert_eq!(rest.len(), 4, "the others are written to at once");
    for text in &rest {
        stage.answer(text, "200 OK", "");
    }
    // What is written to him meanwhile waits, in whatever spelling; what is written to others does not.
    stage.send(&["im:U0@domain.com", "im:u0@DOMAIN.com", "im:u1@domain.com"], "y");
    let sent = messages(&mut stage);
    let to: Vec<_> = sent.iter().map(|text| field(text, "To")).collect();
    assert_eq!(to, ["<sip:U0@domain.com>", "<sip:u1@domain.com>"], "another user is written with a capital");
    for text in &sent {
        stage.answer(text, "200 OK", "");
    }
    assert_eq!(stage.agent.unsent(), 1);
    stage.advance(Duration::from_secs(59));
    assert!(messages(&mut stage).is_empty());
    stage.advance(Duration::from_secs(1));
    let late = messages(&mut stage);
    assert_eq!(late.iter().map(|text| field(text, "To")).collect::<Vec<_>>(), ["<sip:u0@DOMAIN.com>"]);
    stage.answer(&late[0], "200 OK", "");
    assert_eq!(stage.agent.unsent(), 0);
}

#[test]
fn what_waits_for_a_recipient_who_asked_for_that_can_be_withdrawn_and_waits_without_a_server_too() {
    let mut stage = plain();
    stage.send(&["sip:ann@domain.com"], "x");
    let sent = messages(&mut stage);
    stage.answer(&sent[0], "503 Service Unavailable", "Retry-After: 60\n");
    stage.send(&["sip:ann@domain.com"], "y");
    assert!(messages(&mut stage).is_empty());
    // The server is gone when the time is over.
    stage.no_way();
    stage.command(AgentCommand::Disconnect);
    stage.advance(Duration::from_secs(700));
    stage.sent.clear();
    stage.register("200 OK", "Expires: 600\n");
    let sent = messages(&mut stage);
    assert_eq!(sent.len(), 1, "{sent:?}");
    stage.answer(&sent[0], "200 OK", "");
    assert_eq!(stage.agent.unsent(), 0);
}

#[test]
fn what_waits_for_a_server_can_be_withdrawn() {
    let mut stage = Stage::new(&Account { proxy: format!("tcp:{PROXY}"), ..account() });
    stage.command(AgentCommand::Connect);
    stage.input(Input::Connected { id: ConnectId(1), flow: stream_flow(1) });
    let register = stage.take_sent("REGISTER");
    stage.receive(stream_flow(1), &response(&register, "200 OK", "Expires: 600\n"));
    stage.input(Input::Disconnected { flow: stream_flow(1) });
    stage.send(&ANN_AND_BOB, "x");
    assert_eq!(stage.stored(1), [Queued, Queued]);
    stage.command(AgentCommand::Withdraw { message: MessageId(1) });
    assert_eq!(stage.stored(1), [Cancelled, Cancelled]);
    assert_eq!(stage.agent.unsent(), 0);
}

#[test]
fn how_it_went_is_kept() {
    let mut stage = plain();
    stage.send(&["sip:ann@domain.com"], "x");
    let ways: Vec<_> = stage
        .rows
        .iter()
        .filter_map(|write| if let Write::Attempt(row) = write { Some(row.way) } else { None })
        .collect();
    assert_eq!(ways.first(), Some(&Way::FanOut));
    assert_eq!(ways.last(), Some(&Way::OneByOne));
    let sent = messages(&mut stage);
    assert_eq!(sent.len(), 1);
    assert!(!has_field(&sent[0], "Also-To"));
}
