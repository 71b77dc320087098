//! What a list becomes after a crash, and what waits or is a guess: W10, W27.

use super::*;

#[test]
fn w27_w10_after_a_crash_it_is_the_same_request_whatever_the_server_says_by_then() {
    let mut stage = listed();
    stage.send(&ANN_AND_BOB, "x");
    let before = only(&mut stage);
    for (fields, state) in [
        (LISTS, RegistrationState::ByList),
        ("Expires: 600\n", RegistrationState::NoFanOut),
        (PROOF, RegistrationState::Connected),
    ] {
        let mut after = Stage::with_rows(&account(), stage.stored_rows(), stage.now);
        connect(&mut after, fields, state);
        let again = only(&mut after);
        assert_eq!(without_via(&again), without_via(&before));
        after.answer(&again, "202 Accepted", "");
        assert_eq!(after.stored(1), [PassedOn, PassedOn]);
        assert!(messages(&mut after).is_empty(), "nobody is written to twice");
    }
}

#[test]
fn w27_what_left_with_secondary_to_before_a_crash_does_not_leave_as_a_list() {
    let mut stage = Stage::connected();
    stage.send(&ANN_AND_BOB, "x");
    let before = only(&mut stage);
    let mut after = Stage::with_rows(&account(), stage.stored_rows(), stage.now);
    connect(&mut after, LISTS, RegistrationState::ByList);
    let singles = messages(&mut after);
    assert_eq!(singles.len(), 2);
    assert_eq!(field(&singles[0], "Call-ID"), field(&before, "Call-ID"), "by which a double is told");
}

#[test]
fn w27_how_it_leaves_is_on_the_disk_before_it_leaves() {
    let mut stage = listed();
    stage.disk = Disk::Waits;
    stage.send(&ANN_AND_BOB, "x");
    stage.settle(Input::Committed);
    assert!(stage.sent_nothing(), "the message is kept, not yet how it leaves");
    stage.settle(Input::Committed);
    assert_eq!(messages(&mut stage).len(), 1);
    let mut stage = listed();
    stage.send(&ANN_AND_BOB, "x");
    let row = stage.stored_rows().open.remove(0).attempts.remove(0);
    assert_eq!((row.way, row.stage), (Way::ByList, AttemptStage::Sent));
}

#[test]
fn w27_unanswered_it_is_a_guess_and_goes_again_as_the_same() {
    let mut stage = listed();
    stage.send(&ANN_AND_BOB, "x");
    let before = only(&mut stage);
    // Its silence takes the account offline; it retries soon.
    stage.advance(Duration::from_secs(35));
    assert_eq!(stage.stored(1), [Failed, Failed]);
    let guess = |event: &Event| matches!(event, Event::Delivery { reason, .. } if *reason == LocalReason::NoAnswer.into());
    assert_eq!(stage.events.iter().filter(|event| guess(event)).count(), 2);
    // Because of the silence it asked whether the server is there.
    let asked = stage.take_sent("REGISTER");
    stage.answer(&asked, "200 OK", LISTS);
    stage.command(AgentCommand::Resend { message: MessageId(1), only: None });
    let again = only(&mut stage);
    assert_eq!(without_via(&again), without_via(&before), "a server that has it knows it again");
}

#[test]
fn w27_what_waits_for_the_server_can_be_withdrawn() {
    let mut stage = Stage::new(&Account { proxy: format!("tcp:{PROXY}"), ..account() });
    stage.command(AgentCommand::Connect);
    stage.input(Input::Connected { id: ConnectId(1), flow: stream_flow(1) });
    let register = stage.take_sent("REGISTER");
    stage.receive(stream_flow(1), &response(&register, "200 OK", LISTS));
    stage.input(Input::Disconnected { flow: stream_flow(1) });
    stage.send(&ANN_AND_BOB, "x");
    assert_eq!(stage.stored(1), [Queued, Queued]);
    stage.command(AgentCommand::Withdraw { message: MessageId(1) });
    assert_eq!((stage.stored(1), stage.agent.unsent()), (vec![Cancelled, Cancelled], 0));
}
