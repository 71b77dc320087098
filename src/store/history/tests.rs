//! History over real files and in memory.

use std::sync::mpsc::sync_channel;

use super::*;
use crate::client::journal::{ConversationRow, IncomingRow, OutgoingRow, Write};
use crate::machine::{Batch, BatchId};
use crate::store::{ClientSchema, Outcome, Store, Writer};

fn conversation(id: u64) -> Write {
    Write::Conversation(ConversationRow {
        id: ConversationId(id),
        people: vec![person("sip:bob@x")],
        hidden: false,
    })
}

fn person(address: &str) -> PersonRow {
    PersonRow { address: address.to_owned(), name: String::new() }
}

fn outgoing(id: u64, conversation: u64, text: &str) -> Write {
    Write::Outgoing(OutgoingRow {
        id: MessageId(id),
        conversation: ConversationId(conversation),
        at: Timestamp::from_millis(id),
        content_type: "text/plain".to_owned(),
        body: Bytes::copy_from_slice(text.as_bytes()),
        recipients: vec![person("sip:bob@x"), person("sip:ann@x")],
    })
}

fn incoming(id: u64, conversation: u64, text: &str) -> Write {
    Write::Incoming(IncomingRow {
        id: MessageId(id),
        conversation: ConversationId(conversation),
        at: Timestamp::from_millis(id),
        sent_at: None,
        from: person("sip:bob@x"),
        also_to: vec![],
        content_type: "text/plain".to_owned(),
        body: Bytes::copy_from_slice(text.as_bytes()),
        key: format!("key {id}"),
    })
}

/// Starts the store, writes, and waits for the answer.
fn written(store: Store<ClientSchema>, writes: Vec<Write>) -> Writer<Write> {
    let (answered, answers) = sync_channel(1);
    let writer = store.start(move |outcomes| answered.send(outcomes).unwrap()).unwrap();
    writer.commit(Batch { id: BatchId(1), writes }).unwrap();
    assert_eq!(answers.recv().unwrap(), [Outcome::Committed(BatchId(1))]);
    writer
}

fn read<T: Send + 'static>(history: &History, question: impl FnOnce(&Reader<'_>) -> T + Send + 'static) -> T {
    let (answer, answers) = sync_channel(1);
    assert!(history.ask(move |reader| answer.send(question(reader)).unwrap()));
    answers.recv().unwrap()
}

#[test]
fn the_same_is_read_from_a_file_and_from_memory() {
    let folder = tempfile::tempdir().unwrap();
    let stores = [Store::open(&folder.path().join("client.db")).unwrap(), Store::in_memory().unwrap()];
    for store in stores {
        let writer = written(
            store,
            vec![
                conversation(1),
                conversation(2),
                outgoing(1, 1, "one\ntwo\n"),
                incoming(2, 1, "grüße"),
                outgoing(3, 2, "elsewhere"),
                outgoing(4, 1, "last"),
            ],
        );
        let history = writer.history().unwrap();
        let outline = read(&history, |reader| reader.outline(ConversationId(1), None).unwrap());
        let rows: Vec<_> =
            outline.iter().map(|row| (row.id.0, row.chars, row.newlines, row.recipients)).collect();
        assert_eq!(rows, [(1, 8, 2, 2), (2, 5, 0, 0), (4, 4, 0, 2)]);
        let later = read(&history, |reader| reader.outline(ConversationId(1), Some(MessageId(2))).unwrap());
        assert_eq!(later, [outline[2]]);
        let messages =
            read(&history, |reader| reader.messages(ConversationId(1), MessageId(2), MessageId(9)).unwrap());
        assert_eq!(messages.iter().map(|message| message.id.0).collect::<Vec<_>>(), [2, 4]);
        assert_eq!(messages[0].from, Some(person("sip:bob@x")));
        assert_eq!((messages[1].from.as_ref(), messages[1].people.len()), (None, 2));
        assert_eq!(read(&history, |reader| reader.message(MessageId(3)).unwrap()).unwrap().body, "elsewhere");
        assert_eq!(read(&history, |reader| reader.message(MessageId(99)).unwrap()), None);
    }
}

#[test]
fn a_history_that_is_kept_does_not_keep_a_store_in_memory_from_its_end() {
    let writer = written(Store::in_memory().unwrap(), vec![conversation(1)]);
    let history = writer.history().unwrap();
    drop(writer);
    assert!(!history.ask(|_| unreachable!("the store is gone")));
}

#[test]
fn an_outline_reads_the_index_alone() {
    let connection = crate::store::testing::opened::<ClientSchema>();
    let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {OUTLINE}")).unwrap();
    let plan: Vec<String> =
        statement.query_map([1, 1], |row| row.get("detail")).unwrap().map(Result::unwrap).collect();
    assert_eq!(plan, ["SEARCH message USING COVERING INDEX message_outline (conversation=? AND id>?)"]);
}
