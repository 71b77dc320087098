//! History over real files and in memory.

mod pages;

mod search;

use std::sync::mpsc::sync_channel;

use bytes::Bytes;

use super::*;
use crate::machine::{Batch, BatchId};
use crate::model::journal::{
    AttemptRow, AttemptStage, ConversationRow, DeliveryRow, DeliveryState, OutgoingRow, Way, Write,
};
use crate::model::reason::Phrase;
use crate::sip::ReportOptions;
use crate::store::{ClientSchema, Outcome, Store, Writer};
use crate::time::Timestamp;

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
        verified: true,
    })
}

fn attempt(message: u64) -> Write {
    Write::Attempt(AttemptRow {
        message: MessageId(message),
        number: 1,
        recipients: vec![0, 1],
        call_id: "c".to_owned(),
        from_tag: "f".to_owned(),
        cseq: 1,
        report: ReportOptions::parse("each").unwrap(),
        way: Way::FanOut,
        asks: false,
        stage: AttemptStage::Closed,
        at: Timestamp::from_millis(1),
    })
}

fn delivery(message: u64) -> Write {
    Write::Delivery(DeliveryRow {
        message: MessageId(message),
        attempt: 1,
        recipient: 1,
        state: DeliveryState::Delivered,
        status: None,
        phrase: Phrase::default(),
        tries: None,
        after: None,
        at: Timestamp::from_millis(2),
    })
}

/// Starts the store, writes, and waits for the outcome.
fn written(store: Store<ClientSchema>, writes: Vec<Write>) -> Writer<Write> {
    let (answered, answers) = sync_channel(1);
    let writer = store.start(move |outcomes| answered.send(outcomes).unwrap()).unwrap();
    writer.commit(Batch { id: BatchId(1), writes }).unwrap();
    assert_eq!(answers.recv().unwrap(), [Outcome::Committed(BatchId(1))]);
    writer
}

fn read<T: Send + 'static>(
    history: &History,
    question: impl FnOnce(&(dyn Reader + 'static)) -> T + Send + 'static,
) -> T {
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
                attempt(4),
                delivery(4),
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
        assert_eq!(messages.iter().map(|message| message.id().0).collect::<Vec<_>>(), [2, 4]);
        let StoredMessage::Theirs(theirs) = &messages[0] else { panic!("{messages:?}") };
        assert_eq!((&theirs.from, theirs.body.as_ref()), (&person("sip:bob@x"), "grüße".as_bytes()));
        let StoredMessage::Ours(ours) = &messages[1] else { panic!("{messages:?}") };
        assert_eq!((ours.outgoing.recipients.len(), ours.attempts.len(), ours.deliveries.len()), (2, 1, 1));
        let one = read(&history, |reader| reader.message(MessageId(3)).unwrap()).unwrap();
        assert_eq!(one.id(), MessageId(3));
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
