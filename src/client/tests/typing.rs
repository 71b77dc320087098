//! The other person is told that the user is typing (RFC 3994), and not too often.

use super::*;
use crate::limits::{TYPING_IDLE, TYPING_REFRESH};
use crate::model::journal::ConversationId;

const HERE: ConversationId = ConversationId(1);

/// A stage with one conversation with these people.
fn with(people: &[&str]) -> Stage {
    let mut stage = Stage::connected();
    stage.send_accepted(people);
    stage.events.clear();
    stage.sent.clear();
    stage
}

fn typed(stage: &mut Stage) {
    stage.command(AgentCommand::Typing { conversation: HERE, has_text: true });
}

/// The states said since the last call, each answered with this status. The same request sent again is not counted.
fn said(stage: &mut Stage, status: &str) -> Vec<String> {
    let mut said = Vec::new();
    let mut calls = std::collections::BTreeSet::new();
    while let Some(place) = stage.sent.iter().position(|(_, text)| text.contains("im-iscomposing")) {
        let (_, request) = stage.sent.remove(place);
        if !calls.insert(field(&request, "Call-ID").to_owned()) {
            continue;
        }
        said.push(request.split("<state>").nth(1).unwrap().split("</").next().unwrap().to_owned());
        stage.answer(&request, status, "");
    }
    said
}

#[test]
fn the_only_other_person_is_told_by_an_ordinary_message_of_its_own() {
    let mut stage = with(&["im:ann@domain.com"]);
    let rows = stage.rows.len();
    typed(&mut stage);
    let request = stage.sent[0].1.clone();
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("MESSAGE sip:ann@domain.com SIP/2.0\r\n"), "{head}");
    assert_eq!(field(head, "To"), "<sip:ann@domain.com>");
    assert_eq!(field(head, "Content-Type"), "application/im-iscomposing+xml");
    for absent in ["Proxy-Require", "Delivery-Report", "Secondary-To", "Expires"] {
        assert!(!has_field(head, absent), "{head}");
    }
    assert_eq!(
        body,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n\
         <isComposing xmlns=\"urn:ietf:params:xml:ns:im-iscomposing\"><state>active</state>\
         <contenttype>text/plain</contenttype><refresh>60</refresh></isComposing>\r\n"
    );
    assert_eq!(said(&mut stage, "200 OK"), ["active"]);
    assert!(
        stage.events.is_empty() && stage.rows.len() == rows,
        "nothing is shown or kept: {:?}",
        stage.events
    );
}

#[test]
fn active_is_said_once_within_its_time_and_idle_when_nothing_more_is_typed() {
    let mut stage = with(&["sip:ann@domain.com"]);
    let mut all = Vec::new();
    for _ in 0..20 {
        typed(&mut stage);
        all.extend(said(&mut stage, "200 OK"));
        stage.advance(Duration::from_secs(2));
    }
    assert_eq!(all, ["active"], "in 40 s");
    stage.advance(TYPING_IDLE);
    assert_eq!(said(&mut stage, "200 OK"), ["idle"]);
    typed(&mut stage);
    assert_eq!(said(&mut stage, "200 OK"), [""; 0], "the time of the first is not over");
    stage.advance(TYPING_REFRESH);
    typed(&mut stage);
    assert_eq!(said(&mut stage, "200 OK"), ["active"]);
    stage.command(AgentCommand::Typing { conversation: HERE, has_text: false });
    assert_eq!(said(&mut stage, "200 OK"), ["idle"], "the text was deleted");
    stage.command(AgentCommand::Typing { conversation: HERE, has_text: false });
    stage.advance(TYPING_IDLE);
    assert_eq!(said(&mut stage, "200 OK"), [""; 0]);
}

#[test]
fn a_message_says_that_typing_is_over() {
    let mut stage = with(&["sip:ann@domain.com"]);
    typed(&mut stage);
    assert_eq!(said(&mut stage, "200 OK"), ["active"]);
    stage.send_accepted(&["sip:ann@domain.com"]);
    typed(&mut stage);
    stage.advance(TYPING_IDLE);
    assert_eq!(said(&mut stage, "200 OK"), [""; 0], "no second one within its time either");
}

#[test]
fn groups_and_programs_that_refuse_it_are_told_nothing() {
    let mut stage = with(&["sip:ann@domain.com", "sip:bob@domain.com"]);
    typed(&mut stage);
    assert_eq!(said(&mut stage, "200 OK"), [""; 0]);

    for (status, again) in [("415 Unsupported Media Type", 0), ("480 Temporarily Unavailable", 1)] {
        let mut stage = with(&["sip:ann@domain.com"]);
        typed(&mut stage);
        assert_eq!(said(&mut stage, status), ["active"]);
        stage.advance(TYPING_REFRESH);
        assert_eq!(said(&mut stage, "200 OK"), [""; 0], "no idle after {status}");
        typed(&mut stage);
        assert_eq!(said(&mut stage, "200 OK").len(), again, "{status}");
    }
}
