//! Messages that are sent at a time that the user chose.

use super::*;
use crate::limits::LATER_MAX;
use crate::model::journal::DraftPlace;

fn later(stage: &Stage) -> Vec<(u32, u64)> {
    stage.agent.later().iter().map(|later| (later.number, later.due.as_millis())).collect()
}

fn places(stage: &Stage) -> Vec<(DraftPlace, u64)> {
    stage.stored_rows().drafts.iter().map(|row| (row.place, row.at.as_millis())).collect()
}

fn messages(stage: &Stage) -> usize {
    stage.sent.iter().filter(|(_, text)| text.starts_with("MESSAGE")).count()
}

/// Keeps a message that is to be sent so many seconds from now; returns that time.
fn send_later(stage: &mut Stage, text: &str, secs: u64) -> Timestamp {
    let due = stage.now.wall.plus(Duration::from_secs(secs));
    stage.command(AgentCommand::SendLater { draft: draft(&ANN_AND_BOB, text), due });
    due
}

#[test]
fn a_message_waits_in_the_store_until_its_time() {
    let mut stage = Stage::connected();
    let due = send_later(&mut stage, "At eight.", 30);
    assert_eq!(places(&stage), [(DraftPlace::Later(1), due.as_millis())]);
    assert_eq!(later(&stage), [(1, due.as_millis())]);
    assert_eq!(stage.events, [Event::Window(WindowEvent::LaterChanged)]);
    assert!(stage.agent.drafts().is_empty(), "it is not being written");
    stage.advance(Duration::from_secs(29));
    assert_eq!(messages(&stage), 0);
    stage.advance(Duration::from_secs(1));
    let sent = stage.take_sent("MESSAGE");
    assert!(sent.ends_with("At eight."), "{sent}");
    assert_eq!((places(&stage), later(&stage)), (vec![], vec![]));
    assert!(!stage.events.iter().any(|event| matches!(event, Event::Window(WindowEvent::SentLate { .. }))));
}

#[test]
fn what_was_due_while_the_program_did_not_run_is_sent_at_the_start_and_said_to_be_late() {
    let mut before = Stage::connected();
    let due = send_later(&mut before, "At eight.", 30);
    let rows = before.stored_rows();
    let start = before.now.plus(Duration::from_secs(2 * 3600));
    let mut stage = Stage::with_rows(&account(), rows, start);
    assert_eq!(later(&stage), [(1, due.as_millis())]);
    stage.advance(Duration::ZERO);
    let to = draft(&ANN_AND_BOB, "").to;
    assert!(stage.events.contains(&Event::Window(WindowEvent::SentLate { due, to })), "{:?}", stage.events);
    stage.connect();
    assert!(stage.take_sent("MESSAGE").ends_with("At eight."));
    // It was forgotten in the batch in which it became a message.
    let of_one_batch = |write: &Write| matches!(write, Write::ForgetDraft(DraftPlace::Later(1)));
    assert!(stage.rows.iter().any(of_one_batch));
}

#[test]
fn it_gets_another_time_and_can_be_taken_back() {
    let mut stage = Stage::connected();
    send_later(&mut stage, "one", 30);
    send_later(&mut stage, "two", 20);
    assert_eq!(later(&stage).iter().map(|it| it.0).collect::<Vec<_>>(), [2, 1], "the first first");
    let due = stage.now.wall.plus(Duration::from_secs(50));
    stage.command(AgentCommand::PutOff { number: 2, due });
    stage.command(AgentCommand::TakeLaterBack { number: 1 });
    assert_eq!(places(&stage), [(DraftPlace::Later(2), due.as_millis())]);
    stage.advance(Duration::from_secs(49));
    assert_eq!(messages(&stage), 0);
    // A time that is past is now.
    stage.command(AgentCommand::PutOff { number: 2, due: stage.now.wall });
    stage.advance(Duration::ZERO);
    assert!(stage.take_sent("MESSAGE").ends_with("two"));
    stage.command(AgentCommand::TakeLaterBack { number: 2 });
    stage.advance(Duration::from_secs(5));
    assert_eq!(later(&stage), []);
}

#[test]
fn what_the_disk_refuses_goes_back_or_waits_and_is_sent_once() {
    let mut stage = Stage::connected();
    stage.disk = Disk::Fails;
    send_later(&mut stage, "one", 30);
    assert!(matches!(&stage.events[..], [Event::NotSent { draft, .. }] if draft.text == "one"));
    assert_eq!(later(&stage), []);
    stage.disk = Disk::Takes;
    let due = send_later(&mut stage, "two", 30);
    stage.events.clear();
    stage.disk = Disk::Fails;
    stage.advance(Duration::from_secs(31));
    assert_eq!((messages(&stage), later(&stage)), (0, vec![(2, due.as_millis())]));
    assert!(!stage.events.iter().any(|event| matches!(event, Event::NotSent { .. })), "it waits");
    stage.disk = Disk::Takes;
    stage.advance(Duration::from_secs(60));
    assert!(stage.take_sent("MESSAGE").ends_with("two"));
    assert_eq!((places(&stage), later(&stage)), (vec![], vec![]));
}

#[test]
fn what_is_kept_while_the_disk_is_slow_is_shown_and_sent_once_it_is_stored() {
    let mut stage = Stage::connected();
    stage.disk = Disk::Waits;
    send_later(&mut stage, "one", 1);
    stage.advance(Duration::from_secs(5));
    assert_eq!((later(&stage), messages(&stage)), (vec![], 0));
    stage.settle(Input::Committed);
    stage.disk = Disk::Takes;
    stage.advance(Duration::from_secs(1));
    assert!(stage.take_sent("MESSAGE").ends_with("one"));
}

#[test]
fn so_many_wait_and_none_for_longer_than_a_year() {
    let mut stage = Stage::connected();
    let far = Timestamp::from_millis(u64::MAX);
    for _ in 0..=LATER_MAX {
        stage.command(AgentCommand::SendLater { draft: draft(&ANN_AND_BOB, "x"), due: far });
    }
    assert_eq!(stage.agent.later().len(), LATER_MAX);
    assert!(
        matches!(stage.events.last(), Some(Event::NotSent { why, .. }) if why.starts_with("100 messages"))
    );
    let a_year = stage.now.wall.plus(crate::limits::LATER_WITHIN);
    assert!(stage.agent.later().iter().all(|later| later.due == a_year));
}
