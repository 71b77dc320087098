//! What a disk that waits or fails means for a message: W10, W25.

use super::*;

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
