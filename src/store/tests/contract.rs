//! What a machine may rely on, whichever store it has: each of these runs for SQLite and for the store in memory.

use std::sync::mpsc::sync_channel;

use bytes::Bytes;

use crate::machine::{Batch, BatchId};
use crate::model::journal::{self as client, ConversationId, DraftPlace, MessageId};
use crate::model::names::Names;
use crate::model::search::Search;
use crate::proxy::journal::{
    self as proxy, AliasRow, DispatchId, OutcomeState, RemovedPart, RemovedRow, Stored, Tag, Write,
};
use crate::sip::{Aor, File, Uri};
use crate::store::history::pages::Part;
use crate::store::history::search::LatestSearch;
use crate::store::history::{Reader, StoredMessage};
use crate::store::memory::{ClientMemory, ProxyMemory};
use crate::store::outside::Watch;
use crate::store::tables::{Changes, Outside, Tables};
use crate::store::testing::{accepted, client_story, proxy_story};
use crate::store::{ClientSchema, MessageReader, Outcome, ProxySchema, Store, start};
use crate::time::Timestamp;

trait ClientTables:
    Tables<Write = client::Write, Rows = client::Rows, Streamed = std::convert::Infallible> + Send + 'static
{
}
impl ClientTables for Store<ClientSchema> {}
impl ClientTables for ClientMemory {}

trait ProxyTables: Tables<Write = Write, Rows = proxy::Rows, Streamed = Stored> + Send + 'static {}
impl ProxyTables for Store<ProxySchema> {}
impl ProxyTables for ProxyMemory {}

/// Runs each of these for both stores.
macro_rules! for_both {
    ($sqlite:ident, $memory:ident, $schema:ty, $rows:ty: $($test:ident),+) => {
        mod $sqlite {
            $(#[test]
            fn $test() {
                super::$test(crate::store::Store::<$schema>::in_memory().unwrap());
            })+
        }
        mod $memory {
            $(#[test]
            fn $test() {
                super::$test(<$rows>::default());
            })+
        }
    };
}

mod changes;
mod proxy_tables;

for_both!(client_in_sqlite, client_in_memory, crate::store::ClientSchema, crate::store::memory::ClientMemory:
    a_client_gets_back_what_it_wrote,
    a_batch_of_a_client_is_applied_whole_or_not_at_all,
    what_is_written_again_replaces_what_was_there,
    a_corrected_address_takes_the_place_of_the_wrong_one,
    a_draft_keeps_its_files_and_ends_when_it_is_sent,
    old_keys_are_forgotten_and_newer_ones_kept,
    what_was_seen_is_unread_no_more,
    a_screen_reads_what_it_shows,
    a_search_finds_words_people_files_and_failures,
    deleted_messages_leave_nothing_behind,
    a_writer_answers_each_batch_in_order
);

fn group<W>(writes: Vec<W>) -> [Batch<W>; 1] {
    [Batch { id: BatchId(1), writes }]
}

fn rows_of(tables: &impl ClientTables) -> client::Rows {
    // The number of a device is drawn when its store is made.
    client::Rows { instance: None, ..tables.recover().unwrap() }
}

fn all_of(tables: &impl ProxyTables) -> proxy::Rows {
    let mut rows = tables.recover().unwrap();
    tables.each(&mut |stored| rows.add(stored)).unwrap();
    rows
}

fn a_client_gets_back_what_it_wrote(mut tables: impl ClientTables) {
    tables.apply(&group(client_story())).unwrap();
    let rows = rows_of(&tables);
    let open: Vec<_> =
        rows.open.iter().map(|it| (it.outgoing.id.0, it.attempts.len(), it.deliveries.len())).collect();
    // Under way, failed, without a report; those that were withdrawn or delivered are at rest.
    assert_eq!(open, [(1, 1, 2), (2, 1, 2), (3, 1, 2), (4, 1, 2), (5, 1, 2), (7, 1, 2)]);
    let at = Timestamp::from_millis(1_700_000_003_000);
    assert_eq!(rows.keys, [client::KeyRow { at, key: "tag 1 MESSAGE call@h".to_owned() }]);
    let heads: Vec<_> = rows
        .conversations
        .iter()
        .map(|head| {
            let last = head.last.as_ref().unwrap();
            (head.row.id.0, head.row.hidden, last.id.0, last.mine, last.preview.as_str(), head.unread)
        })
        .collect();
    assert_eq!(heads, [(1, false, 7, true, "gr\u{fc}n und blau", 0), (2, true, 8, false, "Come here.", 1)]);
    assert_eq!((rows.last_conversation, rows.last_message), (2, 8));
    assert_eq!(rows.conversations[0].seen, Some(MessageId(4)));
}

fn a_batch_of_a_client_is_applied_whole_or_not_at_all(mut tables: impl ClientTables) {
    tables.apply(&group(client_story())).unwrap();
    let before = rows_of(&tables);
    let story = client_story();
    let client::Write::Attempt(row) = story[4].clone() else { panic!("an attempt") };
    let of_nothing = client::Write::Attempt(client::AttemptRow { message: MessageId(99), ..row });
    let forget = client::Write::ForgetKeysBefore(Timestamp::from_millis(u64::MAX >> 1));
    for refused in [story[0].clone(), story[3].clone(), of_nothing] {
        assert!(tables.apply(&group(vec![forget.clone(), refused])).is_err());
        assert_eq!(rows_of(&tables), before);
    }
    tables.apply(&group(Vec::new())).unwrap();
}

fn what_is_written_again_replaces_what_was_there(mut tables: impl ClientTables) {
    let story = client_story();
    tables.apply(&group(story)).unwrap();
    let mut open = rows_of(&tables).open.remove(1);
    open.attempts[0].stage = client::AttemptStage::Accepted { to_tag: "t9".to_owned() };
    open.deliveries[1].state = client::DeliveryState::Delivered;
    let again = vec![
        client::Write::Attempt(open.attempts[0].clone()),
        client::Write::Delivery(open.deliveries[1].clone()),
    ];
    tables.apply(&group(again)).unwrap();
    assert_eq!(rows_of(&tables).open[1], open);
}

fn a_corrected_address_takes_the_place_of_the_wrong_one(mut tables: impl ClientTables) {
    tables.apply(&group(client_story())).unwrap();
    let mut expected = rows_of(&tables);
    let (conversation, message) = (expected.conversations[0].row.id, expected.open[1].outgoing.id);
    let (people, recipients) =
        (&mut expected.conversations[0].row.people, &mut expected.open[1].outgoing.recipients);
    for person in people.iter_mut().chain(recipients.iter_mut()) {
        person.address = person.address.replace('@', "@work.");
    }
    let writes = vec![
        client::Write::People { conversation, people: people.clone() },
        client::Write::Recipients { message, people: recipients.clone() },
    ];
    tables.apply(&group(writes)).unwrap();
    assert_eq!(rows_of(&tables), expected, "there, and nowhere else");
}

fn a_draft_keeps_its_files_and_ends_when_it_is_sent(mut tables: impl ClientTables) {
    let file = File {
        name: Some("cat.png".to_owned()),
        media_type: "image/png".into(),
        bytes: Bytes::from_static(b"\x89"),
    };
    let place = DraftPlace::In(ConversationId(1));
    let row = client::DraftRow {
        place,
        at: Timestamp::from_millis(1),
        text: "Loo".to_owned(),
        people: Vec::new(),
        hidden: false,
        files: vec![file],
    };
    let longer = client::DraftRow { text: "Look!".to_owned(), ..row.clone() };
    let new = client::DraftRow { place: DraftPlace::NewMessage, files: Vec::new(), ..row.clone() };
    let later = |number: u32| client::DraftRow { place: DraftPlace::Later(number), ..row.clone() };
    tables.apply(&group(client_story())).unwrap();
    let drafts = [
        (row.clone(), true),
        (later(2), true),
        (new.clone(), true),
        (longer.clone(), false),
        (later(1), true),
    ];
    for (row, has_new_files) in drafts {
        tables.apply(&group(vec![client::Write::Draft { row, has_new_files }])).unwrap();
    }
    assert_eq!(rows_of(&tables).drafts, [later(1), later(2), new.clone(), longer]);
    for place in [place, DraftPlace::Later(1)] {
        tables.apply(&group(vec![client::Write::ForgetDraft(place)])).unwrap();
    }
    assert_eq!(rows_of(&tables).drafts, [later(2), new]);
}

fn old_keys_are_forgotten_and_newer_ones_kept(mut tables: impl ClientTables) {
    tables.apply(&group(client_story())).unwrap();
    for (before, left) in [(1_700_000_003_000, 1), (1_700_000_003_001, 0)] {
        let write = client::Write::ForgetKeysBefore(Timestamp::from_millis(before));
        tables.apply(&group(vec![write])).unwrap();
        assert_eq!(rows_of(&tables).keys.len(), left);
    }
}

fn what_was_seen_is_unread_no_more(mut tables: impl ClientTables) {
    let mut story = client_story();
    let last = story.len() - 1;
    let client::Write::Incoming(row) = &mut story[last] else { panic!("the last one was received") };
    row.content_type = "Message/CPIM".to_owned();
    tables.apply(&group(story)).unwrap();
    let owed = |rows: &client::Rows| rows.unseen.iter().map(|row| row.id.0).collect::<Vec<_>>();
    assert_eq!(owed(&rows_of(&tables)), [8]);
    for message in [8, 3].map(MessageId) {
        let seen = client::Write::Seen { conversation: ConversationId(2), message };
        tables.apply(&group(vec![seen])).unwrap();
        let rows = rows_of(&tables);
        assert_eq!((owed(&rows), rows.conversations[1].unread), (vec![], 0));
        assert_eq!(rows.conversations[1].seen, Some(MessageId(8)));
    }
}

fn a_screen_reads_what_it_shows(mut tables: impl ClientTables) {
    let stranger = |state: &str| client::StrangerRow {
        message: MessageId(3),
        attempt: 1,
        address: "sip:cy@domain.com".to_owned(),
        state: state.to_owned(),
        status: Some(486),
        phrase: "Busy".to_owned(),
        tries: Some(1),
        after: None,
        at: Timestamp::from_millis(5),
    };
    let body = Bytes::from_static(b"<sip:cy@domain.com> late\r\n");
    let report = client::ReportRow { message: MessageId(3), attempt: 1, at: Timestamp::from_millis(6), body };
    let mut writes = client_story();
    writes.push(client::Write::Stranger(stranger("early")));
    writes.push(client::Write::Stranger(stranger("late")));
    writes.extend([client::Write::Report(report.clone()), client::Write::Report(report.clone())]);
    tables.apply(&group(writes)).unwrap();
    let reader: &dyn Reader = tables.reader();
    let outline = reader.outline(ConversationId(1), Some(MessageId(5))).unwrap();
    let shown: Vec<_> = outline.iter().map(|it| (it.id.0, it.chars, it.newlines, it.recipients)).collect();
    assert_eq!(shown, [(6, 13, 1, 2), (7, 13, 1, 2)]);
    let ids = |messages: Vec<StoredMessage>| messages.iter().map(|it| it.id().0).collect::<Vec<_>>();
    assert_eq!(ids(reader.messages(ConversationId(1), MessageId(2), MessageId(4)).unwrap()), [2, 3, 4]);
    let Some(StoredMessage::Theirs(received)) = reader.message(MessageId(8)).unwrap() else { panic!("8") };
    assert_eq!((received.body.as_ref(), received.key.as_str()), (b"Come here.".as_slice(), ""));
    assert_eq!(reader.message(MessageId(99)).unwrap(), None);
    let part = Part::Of([ConversationId(2)].into());
    let pages: Vec<_> = reader.pages(part).map(|page| ids(page.unwrap())).collect();
    assert_eq!(pages, [[8]]);
    assert_eq!(reader.conversations_with("im:ann@DOMAIN.com").unwrap(), [1, 2].map(ConversationId).into());
    let record = reader.record(MessageId(3)).unwrap().unwrap();
    assert_eq!((record.strangers, record.reports), (vec![stranger("late")], vec![report]));
    assert_eq!(reader.record(MessageId(8)).unwrap(), None);
    let latest = |of, messages, rows| {
        let latest = reader.latest_sent(ConversationId(of), messages, rows).unwrap();
        assert!(latest.iter().all(|one| one.outgoing.body.is_empty()), "nothing of what they say");
        latest.iter().map(|one| (one.outgoing.id.0, one.deliveries.len())).collect::<Vec<_>>()
    };
    let all = latest(1, 100, 100);
    assert_eq!(all.iter().map(|(id, _)| *id).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(latest(1, 2, 100), all[5..]);
    let rows: usize = all[4..].iter().map(|(_, rows)| rows).sum();
    assert_eq!(latest(1, 100, rows), all[4..], "no more once there are so many rows");
    assert_eq!(latest(2, 100, 100), [], "received messages are not among them");
}

fn a_search_finds_words_people_files_and_failures(mut tables: impl ClientTables) {
    tables.apply(&group(client_story())).unwrap();
    let reader: &dyn Reader = tables.reader();
    let found = |text: &str, within: Option<u64>| {
        let search =
            Search { id: 1, text: text.to_owned(), within: within.map(ConversationId), older_than: None };
        let latest = LatestSearch::default();
        latest.asked(1);
        reader.search(&search, &Names::default(), &latest).unwrap().unwrap()
    };
    let ids = |text: &str| found(text, None).hits.iter().map(|hit| hit.message.0).collect::<Vec<_>>();
    for (text, expected) in [
        ("GRUN bl", vec![7, 6, 5, 4, 3, 2, 1]),
        ("\"blau gr\u{fc}n\"", vec![]),
        ("come from:ann", vec![8]),
        ("from:me come", vec![]),
        ("failed:", vec![5, 4]),
        ("failed:bob", vec![]),
        ("failed:ann to:bob", vec![5, 4]),
        ("has:file", vec![]),
        ("come after:2023-11 before:2023-12", vec![8]),
        ("come before:2023", vec![]),
        ("", vec![]),
    ] {
        assert_eq!(ids(text), expected, "{text}");
    }
    let come = found("come", Some(2));
    assert_eq!((come.all, come.hits[0].excerpt.marks.first().cloned()), (vec![MessageId(8)], Some(0..4)));
    assert_eq!(found("come", Some(1)).hits, []);
}

fn deleted_messages_leave_nothing_behind(mut tables: impl ClientTables) {
    tables.apply(&group(client_story())).unwrap();
    let delete = |conversation, messages: &[u64]| client::Write::Delete {
        conversation: ConversationId(conversation),
        messages: messages.iter().map(|id| MessageId(*id)).collect(),
    };
    let before = tables.reader().storage_use().unwrap();
    let old = tables.reader().older_than(Timestamp::from_millis(u64::MAX >> 1)).unwrap();
    assert_eq!((before.messages, old.len(), old[7]), (8, 8, (ConversationId(2), MessageId(8))));
    assert!(before.bytes > 0 && before.oldest.is_some());
    assert_eq!(tables.reader().older_than(before.oldest.unwrap()).unwrap(), []);
    tables.apply(&group(vec![delete(1, &[2, 7]), delete(2, &[8])])).unwrap();
    let rows = rows_of(&tables);
    let heads: Vec<_> =
        rows.conversations.iter().map(|head| (head.row.id.0, head.last.as_ref().unwrap().id.0)).collect();
    assert_eq!(heads, [(1, 6)], "a conversation goes with its last message");
    assert!(rows.open.iter().all(|open| ![2, 7].contains(&open.outgoing.id.0)));
    let reader: &dyn Reader = tables.reader();
    assert_eq!(reader.message(MessageId(2)).unwrap(), None);
    assert_eq!(reader.record(MessageId(2)).unwrap(), None);
    assert_eq!(reader.storage_use().unwrap().messages, 5);
    let search = Search { id: 1, text: "grun".to_owned(), within: None, older_than: None };
    let latest = LatestSearch::default();
    latest.asked(1);
    let found = reader.search(&search, &Names::default(), &latest).unwrap().unwrap();
    assert_eq!(found.hits.iter().map(|hit| hit.message.0).collect::<Vec<_>>(), [6, 5, 4, 3, 1]);
    // Once more changes nothing, and the conversation can begin anew.
    let again = client_story()
        .into_iter()
        .filter(|write| matches!(write, client::Write::Conversation(row) if row.id == ConversationId(2)));
    let writes: Vec<_> = std::iter::once(delete(2, &[8])).chain(again).collect();
    tables.apply(&group(writes)).unwrap();
    assert_eq!(rows_of(&tables).conversations.len(), 2);
    // What was seen stays seen, so no number up to there is given again.
    tables.apply(&group(vec![delete(1, &[1, 3, 4, 5, 6])])).unwrap();
    let seen = client::Write::Seen { conversation: ConversationId(2), message: MessageId(8) };
    tables.apply(&group(vec![seen])).unwrap();
    assert_eq!(rows_of(&tables).last_message, 8);
}

fn a_writer_answers_each_batch_in_order(tables: impl ClientTables) {
    let (answered, answers) = sync_channel(4);
    let writer = start(tables, move |outcomes| drop(answered.send(outcomes))).unwrap();
    let story = client_story();
    for (id, writes) in [(1, story.clone()), (2, vec![story[0].clone()]), (3, Vec::new())] {
        writer.commit(Batch { id: BatchId(id), writes }).unwrap();
    }
    let outcomes: Vec<_> = answers.iter().flatten().take(3).collect();
    let expected =
        [Outcome::Committed(BatchId(1)), Outcome::Failed(BatchId(2)), Outcome::Committed(BatchId(3))];
    assert_eq!(outcomes, expected);
    let history = writer.history().unwrap();
    let (answer, read) = sync_channel(1);
    assert!(history.ask(move |reader| answer.send(reader.message(MessageId(8)).unwrap().is_some()).unwrap()));
    assert!(read.recv().unwrap());
}
