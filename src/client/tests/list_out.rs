//! Sending through a server that does not fan out but accepts a list of recipients (W27).

mod restart;
mod offers;

use super::*;
use crate::model::journal::{AttemptStage, ConversationId, Way};
use crate::model::reason::LocalReason;
use crate::sip::{self, File, Message, Request};

use DeliveryState::{Accepted, Cancelled, Delivered, Failed, PassedOn, Queued, Sending};

const THREE: [&str; 3] = ["im:ann@domain.com", "im:bob@domain.com", "im:cy@domain.com"];
const LISTS: &str = "Supported: path, recipient-list-message\nExpires: 600\n";

/// Registered with a server that does not know Secondary-To but accepts lists.
fn listed() -> Stage {
    let mut stage = Stage::new(&account());
    connect(&mut stage, LISTS, RegistrationState::ByList);
    stage
}

fn connect(stage: &mut Stage, fields: &str, state: RegistrationState) {
    stage.register("200 OK", fields);
    assert_eq!(*stage.agent.registration(), state);
    stage.events.clear();
}

/// All MESSAGEs that were sent, in order.
fn messages(stage: &mut Stage) -> Vec<String> {
    let sent = std::mem::take(&mut stage.sent);
    sent.into_iter().map(|(_, text)| text).filter(|text| text.starts_with("MESSAGE")).collect()
}

/// The one MESSAGE that was sent.
fn only(stage: &mut Stage) -> String {
    let sent = messages(stage);
    assert_eq!(sent.len(), 1, "{sent:#?}");
    sent.into_iter().next().unwrap()
}

impl Stage {
    /// The next bytes sent.
    fn bytes_sent(&mut self) -> Bytes {
        loop {
            match self.agent.poll_output().expect("nothing is sent") {
                Output::Transmit(transmit) => return transmit.bytes,
                Output::Commit(batch) => self.agent.handle(Input::Committed(batch.id), self.now),
                Output::Connect { .. } | Output::Resolve { .. } | Output::Event(_) => {}
            }
        }
    }
}

/// The same as our proxy reads it.
fn read_back(text: &str) -> Request {
    let Ok(Message::Request(request)) = sip::parse(Bytes::copy_from_slice(text.as_bytes())) else {
        panic!("no request: {text}")
    };
    sip::with_secondary_to(&request).unwrap()
}

/// The way of each attempt as last committed.
fn ways(stage: &Stage) -> Vec<Way> {
    let rows = stage.stored_rows();
    rows.open.iter().flat_map(|open| open.attempts.iter().map(|attempt| attempt.way)).collect()
}

fn without_via(text: &str) -> String {
    text.lines().filter(|line| !line.starts_with("Via: ")).collect::<Vec<_>>().join("\n")
}

#[test]
fn w27_to_several_people_one_message_leaves_with_a_list_in_its_body() {
    let mut stage = listed();
    stage.send(&THREE, "Come here.");
    let sent = only(&mut stage);
    let call_id = field(&sent, "Call-ID").to_owned();
    let body = format!(
        "--{call_id}\n\
         Content-Type: text/plain\n\
         Content-Transfer-Encoding: binary\n\
         \n\
         Come here.\n\
         --{call_id}\n\
         Content-Type: application/resource-lists+xml\n\
         Content-Disposition: recipient-list\n\
         \n\
         <?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <resource-lists xmlns=\"urn:ietf:params:xml:ns:resource-lists\" xmlns:cp=\"urn:ietf:params:xml:ns:copycontrol\">\n\
         <list>\n\
         <entry uri=\"sip:ann@domain.com\" cp:copyControl=\"to\"/>\n\
         <entry uri=\"sip:bob@domain.com\" cp:copyControl=\"to\"/>\n\
         <entry uri=\"sip:cy@domain.com\" cp:copyControl=\"to\"/>\n\
         </list>\n\
         </resource-lists>\n\
         --{call_id}--\n"
    )
    .replace('\n', "\r\n");
    let expected = format!(
        "MESSAGE sip:domain.com SIP/2.0\n\
         Via: {via}\n\
         Max-Forwards: 70\n\
         From: <sip:james@domain.com>;tag={tag}\n\
         To: <sip:domain.com>\n\
         Contact: <{contact}>\n\
         Call-ID: {call_id}\n\
         CSeq: 1 MESSAGE\n\
         Require: recipient-list-message\n\
         Delivery-Report: {report}\n\
         Date: {date}\n\
         Content-Type: multipart/mixed;boundary={call_id}\n\
         Content-Length: {length}\n\n",
        contact = stage.contact(),
        via = field(&sent, "Via"),
        tag = from_tag(&sent),
        report = field(&sent, "Delivery-Report"),
        date = field(&sent, "Date"),
        length = body.len(),
    )
    .replace('\n', "\r\n");
    assert_eq!(sent, expected + &body);
    assert!(field(&sent, "Delivery-Report").starts_with("each;detail;id="));
    let read = read_back(&sent);
    assert_eq!(read.fields().first("To"), Some("<sip:ann@domain.com>"));
    assert_eq!(read.fields().first("Secondary-To"), Some("<sip:bob@domain.com>, <sip:cy@domain.com>"));
    assert_eq!(&read.body()[..], b"Come here.");
}

#[test]
fn w27_a_2xx_says_that_it_was_passed_on_and_never_that_it_arrived() {
    for (answer, status) in [("202 Accepted", Some(202)), ("200 OK", None)] {
        let mut stage = listed();
        stage.send(&THREE, "x");
        assert_eq!(stage.stored(1), [Sending; 3]);
        stage.events.clear();
        let sent = only(&mut stage);
        stage.answer(&sent, answer, "");
        assert_eq!(stage.stored(1), [PassedOn; 3]);
        let message = MessageId(1);
        let told = |recipient: u32| Event::Delivery {
            conversation: ConversationId(1),
            message,
            attempt: 1,
            recipient,
            address: THREE[recipient as usize].to_owned(),
            state: PassedOn,
            status,
            reason: LocalReason::ListServer.into(),
            after: None,
            at: stage.now.wall,
        };
        assert!(matches!(stage.events[0], Event::Accepted { .. }), "{:?}", stage.events);
        let rest = [told(0), told(1), told(2), Event::Unreported { message, attempt: 1 }];
        assert_eq!(stage.events[1..], rest);
        assert_eq!((stage.agent.unsent(), ways(&stage)), (0, vec![Way::ByList]));
        stage.advance(Duration::from_secs(120));
        assert!(messages(&mut stage).is_empty());
        assert_eq!(stage.stored(1), [PassedOn; 3]);
    }
}

#[test]
fn w27_where_a_proxy_of_ours_has_it_the_report_counts() {
    let mut stage = listed();
    stage.send(&ANN_AND_BOB, "x");
    let sent = only(&mut stage);
    stage.accept(&sent);
    assert_eq!(stage.stored(1), [Accepted; 2]);
    stage.notify(
        &sent,
        1,
        "terminated",
        "sip:ann@domain.com delivery success\nsip:bob@domain.com delivery failure;status=486;reason=\"Busy Here\"\n",
    );
    assert_eq!(stage.stored(1), [Delivered, Failed]);
    // A resend to one person is an ordinary message, which has its own answer.
    stage.command(AgentCommand::Resend { message: MessageId(1), only: None });
    let again = only(&mut stage);
    assert_eq!(field(&again, "To"), "<sip:bob@domain.com>");
    assert!(!has_field(&again, "Require"));
    stage.answer(&again, "200 OK", "");
    assert_eq!(stage.stored(2), [Delivered]);
}

#[test]
fn w27_a_report_that_comes_after_a_bare_202_counts_too() {
    let mut stage = listed();
    stage.send(&ANN_AND_BOB, "x");
    let sent = only(&mut stage);
    stage.answer(&sent, "202 Accepted", "");
    assert_eq!(stage.stored(1), [PassedOn, PassedOn]);
    stage.notify(
        &sent,
        1,
        "active",
        "sip:ann@domain.com delivery success\nsip:bob@domain.com delivery pending\n",
    );
    assert_eq!(stage.stored(1), [Delivered, PassedOn]);
    stage.notify(
        &sent,
        2,
        "terminated",
        "sip:ann@domain.com delivery success\nsip:bob@domain.com delivery success\n",
    );
    assert_eq!(stage.stored(1), [Delivered, Delivered]);
}

#[test]
fn w27_refused_as_a_list_it_goes_one_by_one_and_that_is_remembered() {
    for refusal in [
        "404 Not Found",
        "405 Method Not Allowed",
        "415 Unsupported Media Type",
        "420 Bad Extension",
        "484 Address Incomplete",
        "501 Not Implemented",
    ] {
        let mut stage = listed();
        stage.send(&ANN_AND_BOB, "x");
        let sent = only(&mut stage);
        stage.answer(&sent, refusal, "");
        assert_eq!(*stage.agent.registration(), RegistrationState::NoFanOut, "{refusal}");
        let singles = messages(&mut stage);
        let to: Vec<_> = singles.iter().map(|text| field(text, "To")).collect();
        assert_eq!(to, ["<sip:ann@domain.com>", "<sip:bob@domain.com>"], "{refusal}");
        assert_eq!(field(&singles[0], "CSeq"), "2 MESSAGE", "another request after the refusal");
        assert_eq!(ways(&stage), [Way::OneByOne]);
        stage.answer(&singles[0], "200 OK", "");
        stage.answer(&singles[1], "486 Busy Here", "");
        assert_eq!(stage.stored(1), [Delivered, Failed]);
        stage.send(&THREE, "y");
        assert_eq!(messages(&mut stage).len(), 3, "remembered");
    }
    // Asked again at the next registration, like the proof of W6.
    let mut stage = listed();
    stage.send(&ANN_AND_BOB, "x");
    let sent = only(&mut stage);
    stage.answer(&sent, "415 Unsupported Media Type", "");
    connect(&mut stage, LISTS, RegistrationState::ByList);
}

#[test]
fn w27_any_other_refusal_is_one_of_the_message() {
    let mut stage = listed();
    stage.send(&ANN_AND_BOB, "x");
    let sent = only(&mut stage);
    stage.answer(&sent, "400 Bad Request", "");
    assert_eq!(stage.stored(1), [Failed, Failed], "it is in `sip:` form already");
    assert!(messages(&mut stage).is_empty());
    assert_eq!(*stage.agent.registration(), RegistrationState::ByList);
}

#[test]
fn w27_a_server_that_refuses_secondary_to_gets_the_same_as_a_list() {
    let mut stage = Stage::new(&account());
    let both = "Supported: secondary-to, recipient-list-message\nExpires: 600\n";
    connect(&mut stage, both, RegistrationState::Connected);
    stage.send(&ANN_AND_BOB, "x");
    let submission = only(&mut stage);
    assert!(has_field(&submission, "Secondary-To") && !has_field(&submission, "Require"), "proof goes first");
    stage.answer(&submission, "420 Bad Extension", "Unsupported: secondary-to\n");
    assert_eq!(*stage.agent.registration(), RegistrationState::ByList);
    let list = only(&mut stage);
    assert_eq!((field(&list, "Require"), field(&list, "CSeq")), ("recipient-list-message", "2 MESSAGE"));
    stage.answer(&list, "202 Accepted", "");
    assert_eq!(stage.stored(1), [PassedOn, PassedOn]);
}

#[test]
fn w27_after_a_2xx_without_proof_those_who_are_left_have_answers_of_their_own() {
    let mut stage = Stage::new(&account());
    let both = "Supported: secondary-to, recipient-list-message\nExpires: 600\n";
    connect(&mut stage, both, RegistrationState::Connected);
    stage.send(&THREE, "x");
    let submission = only(&mut stage);
    stage.answer(&submission, "200 OK", "");
    assert_eq!(stage.stored(1), [Delivered, Sending, Sending]);
    assert_eq!(messages(&mut stage).len(), 2);
}

#[test]
fn w27_an_account_that_does_not_register_learns_it_from_options() {
    let mut stage = Stage::new(&Account { register: false, ..account() });
    stage.send(&ANN_AND_BOB, "x");
    let asked = stage.take_sent("OPTIONS");
    stage.answer(&asked, "200 OK", "Supported: recipient-list-message\n");
    assert_eq!(*stage.agent.registration(), RegistrationState::ByList);
    assert_eq!(field(&only(&mut stage), "Require"), "recipient-list-message");
}

#[test]
fn w27_one_person_gets_an_ordinary_message() {
    let mut stage = listed();
    stage.send(&["sip:ann@domain.com"], "x");
    let sent = only(&mut stage);
    assert_eq!((field(&sent, "To"), field(&sent, "Content-Type")), ("<sip:ann@domain.com>", "text/plain"));
    stage.answer(&sent, "200 OK", "");
    assert_eq!(stage.stored(1), [Delivered]);
}

#[test]
fn w27_w7_hidden_people_are_hidden_in_the_list() {
    let mut stage = listed();
    stage.command(AgentCommand::Send(Draft { hidden: true, ..draft(&ANN_AND_BOB, "x") }));
    let sent = only(&mut stage);
    assert_eq!(sent.matches("cp:copyControl=\"bcc\"").count(), 2);
    assert_eq!(read_back(&sent).fields().first("To"), Some("<sip:ann@domain.com>;copy=bcc"));
}

#[test]
fn w27_a_file_goes_in_the_part_of_the_message() {
    let mut stage = listed();
    let cat = File {
        name: Some("cat.png".to_owned()),
        media_type: "image/png".to_owned(),
        bytes: [&b"\r\n--fanfare-0--\r\n"[..], &[0xff; 1300]].concat().into(),
    };
    stage.command(AgentCommand::Send(Draft { files: vec![cat.clone()], ..draft(&ANN_AND_BOB, "Look:") }));
    let (id, _) = stage.connects[0];
    stage.agent.handle(Input::Connected { id, flow: stream_flow(1) }, stage.now);
    let sent = stage.bytes_sent();
    let Ok(Message::Request(request)) = sip::parse(sent) else { panic!("no request") };
    let read = sip::with_secondary_to(&request).unwrap();
    let kind = read.fields().first("Content-Type").unwrap();
    assert_eq!(kind, "multipart/mixed;boundary=fanfare-1");
    let content = sip::content(kind, &read.body());
    assert_eq!((content.text.as_str(), content.files), ("Look:", vec![cat]));
}

#[test]
fn w27_a_long_list_goes_over_a_connection() {
    let mut stage = listed();
    let many: Vec<String> = (0..40).map(|number| format!("sip:somebody-{number}@domain.com")).collect();
    stage.send(&many.iter().map(String::as_str).collect::<Vec<_>>(), "x");
    assert!(messages(&mut stage).is_empty());
    let (id, _) = stage.connects[0];
    stage.input(Input::Connected { id, flow: stream_flow(1) });
    let (flow, sent) = stage.take_sent_on("MESSAGE");
    assert_eq!((flow, sent.matches("<entry ").count()), (stream_flow(1), 40));
}
