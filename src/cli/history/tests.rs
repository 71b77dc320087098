//! The export that the window asks for.

use std::sync::mpsc::sync_channel;

use bytes::Bytes;

use super::*;
use crate::machine::{Batch, BatchId};
use crate::model::journal::{ConversationRow, MessageId, OutgoingRow, PersonRow, Write};
use crate::store::{ClientSchema, Outcome, Store, Writer};
use crate::time::Timestamp;

/// A conversation with Ann and one with Bob, each with one message; the store stays open while the writer lives.
fn fill(folder: &Path) -> Writer<Write> {
    let store = Store::<ClientSchema>::open(&folder.join(STORE_FILE)).unwrap();
    let (answered, answers) = sync_channel(1);
    let writer = store.start(move |outcomes| answered.send(outcomes).unwrap()).unwrap();
    let mut writes = Vec::new();
    for (id, name) in [(1, "Ann"), (2, "Bob")] {
        let address = format!("sip:{}@domain.com", name.to_lowercase());
        let people = vec![PersonRow { address, name: name.to_owned() }];
        let conversation = ConversationId(id);
        writes.push(Write::Conversation(ConversationRow {
            id: conversation,
            people: people.clone(),
            hidden: false,
        }));
        writes.push(Write::Outgoing(OutgoingRow {
            id: MessageId(id),
            conversation,
            at: Timestamp::from_millis(1_793_534_700_007),
            content_type: "text/plain".to_owned(),
            body: Bytes::from(format!("To {name}.")),
            recipients: people,
        }));
    }
    writer.commit(Batch { id: BatchId(1), writes }).unwrap();
    assert_eq!(answers.recv().unwrap(), [Outcome::Committed(BatchId(1))]);
    writer
}

#[test]
fn a_conversation_is_exported_alone_and_in_the_format_of_its_ending() {
    let folder = tempfile::tempdir().unwrap();
    let folders = Folders::under(folder.path());
    let _open = fill(folder.path());
    let path = folder.path().join("Ann.txt");
    std::fs::write(&path, "what was there").unwrap();
    export_conversation(&folders, ConversationId(1), &path).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains("To Ann.") && !text.contains("To Bob."), "{text}");
    for (name, begins) in [("Ann.html", "<!DOCTYPE html>"), ("Ann.CSV", "message,"), ("Ann.json", "{")] {
        let path = folder.path().join(name);
        export_conversation(&folders, ConversationId(1), &path).unwrap();
        let written = std::fs::read_to_string(&path).unwrap();
        assert!(written.starts_with(begins) && !written.contains("To Bob."), "{name}: {written}");
    }
    let gone = folder.path().join("gone/Ann.txt");
    assert!(export_conversation(&folders, ConversationId(1), &gone).is_err());
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|it| it.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().starts_with('.')), "{left:?}");
}
