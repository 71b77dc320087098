//! What is sent again and what is taken back: W10, W12.

use super::*;

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
    assert!(matches!(stage.events.last(), Some(Event::Window(WindowEvent::Changed { .. }))));
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
