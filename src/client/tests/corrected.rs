//! A resend to a corrected address, and what a resend says of the people it does not go to (W15).

use super::*;

use crate::model::journal::{ConversationId, DeliveryRow};
use DeliveryState::{Delivered, Failed};

const THREE: [&str; 3] = ["im:ann@domain.com", "im:bob@domain.com", "im:cy@domain.com"];

/// Cy has it, the two others do not.
fn two_failed() -> (Stage, String) {
    let mut stage = Stage::connected();
    let first = stage.send_accepted(&THREE);
    let report = "im:ann@domain.com delivery failure;status=404\nim:bob@domain.com delivery failure;status=404\n\
                  im:cy@domain.com delivery success\n";
    stage.notify(&first, 1, "active", report);
    stage.sent.clear();
    stage.events.clear();
    (stage, first)
}

fn correct(stage: &mut Stage, recipient: u32, address: &str) {
    let address = address.to_owned();
    stage.command(AgentCommand::ResendTo { message: MessageId(1), recipient, address });
}

fn names(request: &str) -> Vec<&str> {
    request.lines().filter_map(|line| line.strip_prefix("Also-To: ")).collect()
}

#[test]
fn w15_a_resend_names_those_to_whom_it_does_not_go() {
    let (mut stage, first) = two_failed();
    assert!(!has_field(&first, "Also-To"), "all of them are recipients");
    stage.command(AgentCommand::Resend { message: MessageId(1), only: None });
    let second = stage.take_sent("MESSAGE");
    assert_eq!(field(&second, "To"), "<im:ann@domain.com>");
    assert_eq!(field(&second, "Secondary-To"), "<im:bob@domain.com>");
    assert_eq!(names(&second), ["<sip:cy@domain.com>"]);

    let mut stage = Stage::connected();
    stage.command(AgentCommand::Send(Draft { hidden: true, ..draft(&THREE, "x") }));
    let first = stage.take_sent("MESSAGE");
    stage.accept(&first);
    stage.notify(&first, 1, "active", "im:ann@domain.com delivery failure\n");
    stage.sent.clear();
    stage.command(AgentCommand::Resend { message: MessageId(1), only: None });
    assert_eq!(names(&stage.take_sent("MESSAGE")), [""; 0], "W7: they are hidden from each other");
}

#[test]
fn a_copy_goes_to_the_corrected_address_and_the_wrong_one_is_forgotten() {
    let (mut stage, first) = two_failed();
    correct(&mut stage, 1, " bob@work.domain.com ");
    let second = stage.take_sent("MESSAGE");
    assert_eq!(field(&second, "To"), "<sip:bob@work.domain.com>");
    assert!(!has_field(&second, "Secondary-To") && second.ends_with("Come here."));
    assert_ne!(field(&second, "Call-ID"), field(&first, "Call-ID"));
    assert_eq!(names(&second), ["<sip:ann@domain.com>", "<sip:cy@domain.com>"]);
    assert!(stage.events.contains(&Event::Window(WindowEvent::Changed {
        conversation: ConversationId(1),
        message: Some(MessageId(1))
    })));
    stage.accept(&second);
    stage.notify(&second, 1, "terminated", "sip:bob@work.domain.com delivery success\n");
    assert_eq!(stage.stored(2), [Delivered]);

    // What comes late of the wrong address changes nothing, and is not lost either.
    stage.events.clear();
    stage.notify(&first, 2, "terminated", "im:bob@domain.com delivery success\n");
    assert_eq!(stage.stored(1), [Failed, Failed, Delivered]);
    assert!(
        stage.events.iter().any(
            |event| matches!(event, Event::ReportedStranger { address, .. } if address == "im:bob@domain.com")
        ),
        "{:?}",
        stage.events
    );

    // The next message in the conversation goes to the right one, after a restart too.
    let rows = stage.stored_rows();
    let people = |rows: &[PersonRow]| rows.iter().map(|row| row.address.clone()).collect::<Vec<_>>();
    let expected = ["im:ann@domain.com", "sip:bob@work.domain.com", "im:cy@domain.com"];
    assert_eq!(people(&rows.open[0].outgoing.recipients), expected);
    assert_eq!(people(&rows.conversations[0].row.people), expected);
    let (shown, _) = stage.agent.people(ConversationId(1)).unwrap();
    assert_eq!(shown[1].address, "sip:bob@work.domain.com");
    stage.sent.clear();
    stage.send(&expected, "Next.");
    let is_there = |event: &Event| matches!(event, Event::Queued { conversation: ConversationId(1), .. });
    assert!(stage.events.iter().any(is_there), "{:?}", stage.events);
}

#[test]
fn where_nothing_can_be_sent_the_address_stays() {
    let (mut stage, _) = two_failed();
    let rows = stage.rows.len();
    for (address, why) in [
        ("no address", "not a valid address"),
        ("bob@domain,com", "Did you mean bob@domain.com?"),
        ("sip:cy@domain.com:5070", "among the recipients already"),
        ("sips:bob@domain.com", "TLS"),
    ] {
        stage.events.clear();
        correct(&mut stage, 1, address);
        let [Event::Refused { status: 400, reason, .. }] = stage.events.as_slice() else {
            panic!("{address}: {:?}", stage.events)
        };
        assert!(reason.to_string().contains(why), "{reason}");
    }
    stage.events.clear();
    correct(&mut stage, 2, "cy@work.domain.com");
    correct(&mut stage, 7, "gus@domain.com");
    assert!(stage.events.is_empty() && stage.sent_nothing(), "Cy has it, and the eighth is nobody");
    assert_eq!(stage.rows.len(), rows);
}

#[test]
fn a_corrected_address_that_could_not_be_stored_is_not_used() {
    let (mut stage, _) = two_failed();
    stage.disk = Disk::Fails;
    correct(&mut stage, 1, "bob@work.domain.com");
    assert!(stage.sent_nothing());
    assert!(stage.events.iter().any(|event| matches!(event, Event::Refused { status: 503, .. })));
    let (shown, _) = stage.agent.people(ConversationId(1)).unwrap();
    assert_eq!(shown[1].address, "im:bob@domain.com");
    stage.disk = Disk::Takes;
    stage.command(AgentCommand::Resend { message: MessageId(1), only: Some(1) });
    assert_eq!(field(&stage.take_sent("MESSAGE"), "To"), "<im:bob@domain.com>");
}

#[test]
fn a_conversation_with_the_corrected_people_stays_another_one() {
    let mut stage = Stage::connected();
    stage.send(&["bob@work.domain.com"], "there");
    let there = stage.take_sent("MESSAGE");
    stage.accept(&there);
    stage.sent.clear();
    stage.send(&["bob@domain.com"], "here");
    let here = stage.take_sent("MESSAGE");
    stage.accept(&here);
    stage.notify(&here, 1, "terminated", "sip:bob@domain.com delivery failure;status=404\n");
    stage.sent.clear();
    let address = "bob@work.domain.com".to_owned();
    stage.command(AgentCommand::ResendTo { message: MessageId(2), recipient: 0, address });
    assert_eq!(field(&stage.take_sent("MESSAGE"), "To"), "<sip:bob@work.domain.com>");
    let address = |id| stage.agent.people(ConversationId(id)).unwrap().0[0].address.clone();
    assert_eq!(
        (address(1), address(2)),
        ("sip:bob@work.domain.com".to_owned(), "sip:bob@domain.com".to_owned())
    );
}

#[test]
fn what_is_known_of_a_corrected_recipient_survives_a_restart() {
    let (mut stage, _) = two_failed();
    correct(&mut stage, 0, "ann@work.domain.com");
    let second = stage.take_sent("MESSAGE");
    let mut after = Stage::with_rows(&account(), stage.stored_rows(), stage.now);
    after.connect();
    let again = after.take_sent("MESSAGE");
    for name in ["To", "Call-ID", "CSeq", "Also-To", "Delivery-Report"] {
        assert_eq!(field(&again, name), field(&second, name), "W10");
    }
    let of_ann =
        |write: &Write| matches!(write, Write::Delivery(DeliveryRow { attempt: 2, recipient: 0, .. }));
    assert!(stage.rows.iter().any(of_ann));
}
