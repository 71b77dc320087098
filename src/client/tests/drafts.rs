//! What is being written is kept, and goes with the message that it becomes.

use super::*;
use crate::model::command::DraftFault;
use crate::model::journal::{ConversationId, DraftPlace, DraftRow};
use crate::sip::File;

fn writing(place: DraftPlace, text: &str) -> DraftRow {
    let at = Timestamp::default();
    DraftRow { place, at, text: text.to_owned(), people: Vec::new(), hidden: false, files: Vec::new() }
}

fn file(bytes: usize) -> File {
    File { name: None, media_type: "image/png".to_owned(), bytes: vec![7; bytes].into() }
}

fn texts(stage: &Stage) -> Vec<(DraftPlace, String)> {
    stage.stored_rows().drafts.into_iter().map(|row| (row.place, row.text)).collect()
}

#[test]
fn what_is_being_written_is_kept_as_it_changes_and_forgotten_once_it_is_empty() {
    let mut stage = Stage::connected();
    let new = DraftPlace::NewMessage;
    stage.command(AgentCommand::KeepDraft(writing(new, "Com")));
    stage.command(AgentCommand::KeepDraft(writing(new, "Come")));
    let writes = stage.rows.len();
    stage.command(AgentCommand::KeepDraft(writing(new, "Come")));
    assert_eq!((texts(&stage), stage.rows.len()), (vec![(new, "Come".to_owned())], writes), "written once");
    let with_file = DraftRow { files: vec![file(9)], ..writing(new, "Come") };
    stage.command(AgentCommand::KeepDraft(with_file.clone()));
    assert!(matches!(stage.rows.last(), Some(Write::Draft { has_new_files: true, .. })));
    stage.command(AgentCommand::KeepDraft(DraftRow { text: "Come here".to_owned(), ..with_file }));
    assert!(matches!(stage.rows.last(), Some(Write::Draft { has_new_files: false, .. })));
    assert_eq!(stage.agent.drafts()[0].text, "Come here");
    stage.command(AgentCommand::KeepDraft(writing(new, "")));
    assert_eq!((texts(&stage), stage.agent.drafts().len()), (vec![], 0));
}

#[test]
fn a_message_that_is_sent_takes_its_own_draft_along_in_one_batch() {
    let mut stage = Stage::connected();
    stage.send(&["im:ann@domain.com"], "first");
    let here = DraftPlace::In(ConversationId(1));
    stage.command(AgentCommand::KeepDraft(writing(here, "Come here.")));
    stage.command(AgentCommand::KeepDraft(writing(DraftPlace::NewMessage, "Come here.")));
    stage.send(&["im:ann@domain.com"], "Another one.");
    assert_eq!(texts(&stage).len(), 2, "not what was written");
    stage.send(&["im:ann@domain.com"], "Come here.");
    assert_eq!(texts(&stage), [(DraftPlace::NewMessage, "Come here.".to_owned())]);
    stage.send(&["im:bob@domain.com"], "Come here.");
    assert_eq!(texts(&stage), []);
}

#[test]
fn what_is_too_large_is_told_and_what_was_kept_before_stays() {
    let mut stage = Stage::connected();
    let place = DraftPlace::NewMessage;
    stage.command(AgentCommand::KeepDraft(writing(place, "small")));
    stage.events.clear();
    let large = DraftRow { files: vec![file(crate::limits::MESSAGE_BYTES_MAX)], ..writing(place, "x") };
    stage.command(AgentCommand::KeepDraft(large));
    assert_eq!(stage.events, [Event::Window(WindowEvent::DraftNotKept { place, why: DraftFault::TooLarge })]);
    assert_eq!(texts(&stage), [(place, "small".to_owned())]);
}

#[test]
fn what_the_disk_refused_is_told_and_written_with_the_next_change() {
    let mut stage = Stage::connected();
    let place = DraftPlace::NewMessage;
    stage.events.clear();
    stage.disk = Disk::Fails;
    stage.command(AgentCommand::KeepDraft(writing(place, "x")));
    assert_eq!(
        stage.events,
        [Event::Window(WindowEvent::DraftNotKept { place, why: DraftFault::NotStored })]
    );
    stage.disk = Disk::Takes;
    stage.command(AgentCommand::KeepDraft(writing(place, "x")));
    assert_eq!(texts(&stage), [(place, "x".to_owned())]);
}
