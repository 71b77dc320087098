//! Messages deleted on this computer: nothing that is said of them brings them back.

use super::*;

use crate::model::deletion::Deletion;
use crate::model::journal::{ConversationId, LastRow};

const HERE: ConversationId = ConversationId(1);

fn deletion(messages: &[u64], received: &[u64], last: Option<LastRow>) -> Deletion {
    let ids = |ids: &[u64]| ids.iter().map(|id| MessageId(*id)).collect();
    let last = last.map(|row| (row, None));
    Deletion { conversation: HERE, messages: ids(messages), received: ids(received), last }
}

fn last(id: u64, mine: bool) -> LastRow {
    let at = Timestamp::from_millis(5);
    LastRow { id: MessageId(id), at, preview: "Before".to_owned(), mine, verified: true }
}

fn writes_of(stage: &Stage, id: u64) -> usize {
    let id = MessageId(id);
    let is_of = |write: &&Write| {
        matches!(write, Write::Attempt(row) if row.message == id)
            || matches!(write, Write::Delivery(row) if row.message == id)
            || matches!(write, Write::Report(row) if row.message == id)
    };
    stage.rows.iter().filter(is_of).count()
}

#[test]
fn w25_a_late_report_on_a_deleted_message_gets_481_and_does_not_bring_it_back() {
    let mut stage = Stage::connected();
    let request = stage.send_accepted(&["sip:ann@domain.com", "sip:bob@domain.com"]);
    stage.events.clear();
    stage.command(AgentCommand::Delete(deletion(&[1], &[], None)));
    assert_eq!(stage.events, [Event::Window(WindowEvent::Deleted { conversation: HERE, is_done: true })]);
    let expected = Write::Delete { conversation: HERE, messages: vec![MessageId(1)] };
    assert_eq!(stage.rows.last(), Some(&expected));
    let before = writes_of(&stage, 1);
    stage.notify(&request, 1, "terminated", "sip:ann@domain.com delivery success;status=200\n");
    let (_, answer) = stage.sent.pop().unwrap();
    assert!(answer.starts_with("SIP/2.0 481 "), "{answer}");
    stage.advance(Duration::from_secs(600));
    assert_eq!((writes_of(&stage, 1), stage.agent.heads().len()), (before, 0));
    // Nor does a restart, and the next message to the same people begins the conversation anew.
    assert_eq!(stage.stored_rows().open, []);
    stage.send(&["sip:ann@domain.com", "sip:bob@domain.com"], "Again");
    let written = stage.rows.iter().filter(|write| matches!(write, Write::Conversation(_))).count();
    assert_eq!((written, stage.agent.heads().len()), (2, 1));
}

#[test]
fn what_waits_to_leave_does_not_leave_once_it_is_deleted() {
    let mut stage = Stage::new(&account());
    stage.send(&["sip:ann@domain.com"], "Too early");
    assert_eq!(stage.agent.unsent(), 1);
    stage.command(AgentCommand::Delete(deletion(&[1], &[], None)));
    assert_eq!(stage.agent.unsent(), 0);
    stage.connect();
    assert!(!stage.sent.iter().any(|(_, bytes)| bytes.starts_with("MESSAGE ")), "{:?}", stage.sent);
}

#[test]
fn an_answer_to_a_deleted_message_that_is_under_way_changes_nothing() {
    let mut stage = Stage::connected();
    stage.send(&["sip:ann@domain.com"], "On its way");
    let request = stage.take_sent("MESSAGE");
    stage.command(AgentCommand::Delete(deletion(&[1], &[], None)));
    let before = writes_of(&stage, 1);
    stage.accept(&request);
    assert_eq!((writes_of(&stage, 1), stage.agent.unsent()), (before, 0));
}

#[test]
fn the_list_shows_the_newest_message_that_is_left() {
    let mut stage = Stage::connected();
    stage.send_accepted(&["sip:ann@domain.com"]);
    stage.send(&["sip:ann@domain.com"], "After");
    stage.command(AgentCommand::Delete(deletion(&[2], &[], Some(last(1, true)))));
    let head = stage.agent.heads().remove(0);
    assert_eq!((head.newest, &*head.preview), (MessageId(1), "Before"));
    assert_eq!(head.last.map(|tally| tally.total), Some(1), "what is known of it in memory counts");
    // A message that came after the user decided stays.
    stage.send(&["sip:ann@domain.com"], "Meanwhile");
    stage.command(AgentCommand::Delete(deletion(&[1], &[], None)));
    assert_eq!(&*stage.agent.heads().remove(0).preview, "Meanwhile");
}

#[test]
fn what_the_disk_refuses_to_delete_is_told_and_its_conversation_goes_on() {
    let mut stage = Stage::connected();
    stage.send_accepted(&["sip:ann@domain.com"]);
    stage.events.clear();
    stage.disk = Disk::Fails;
    stage.command(AgentCommand::Delete(deletion(&[1], &[], None)));
    assert_eq!(stage.events, [Event::Window(WindowEvent::Deleted { conversation: HERE, is_done: false })]);
    stage.disk = Disk::Takes;
    stage.send(&["sip:ann@domain.com"], "Again");
    let written = stage.rows.iter().filter(|write| matches!(write, Write::Conversation(_))).count();
    assert_eq!((written, stage.agent.heads().len()), (1, 1), "its row is still there");
}
