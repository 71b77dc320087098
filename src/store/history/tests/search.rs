//! What is found, and that nothing typed is an error.

use proptest::prelude::*;

use super::*;
use crate::limits::{SEARCH_HITS_MAX, TEXTS_FILLED_MAX};
use crate::model::contacts::{AddressBook, Contact};
use crate::model::names::Names;
use crate::model::search::{Found, Search};
use crate::sip::{File, enclose};
use crate::store::Schema;
use crate::store::history::search::LatestSearch;
use crate::store::testing::{opened, write_all};
use rusqlite::Connection;

fn asked(text: &str) -> Search {
    Search { id: 1, text: text.to_owned(), within: None, older_than: None }
}

fn names() -> Names {
    let contact = |address: &str, name: &str| Contact {
        address: address.to_owned(),
        name: name.to_owned(),
        simulated: false,
    };
    let contacts = vec![contact("im:bob@X", "Robert \u{130}nce")];
    Names::of(&AddressBook { contacts, lists: Vec::new(), ..AddressBook::default() })
}

fn found(reader: &dyn Reader, search: &Search) -> Found {
    let latest = LatestSearch::default();
    latest.asked(search.id);
    reader.search(search, &names(), &latest).unwrap().unwrap()
}

fn ids(reader: &dyn Reader, text: &str) -> Vec<u64> {
    found(reader, &asked(text)).hits.iter().map(|hit| hit.message.0).collect()
}

fn state(message: u64, attempt: u32, recipient: u32, state: DeliveryState) -> Write {
    let Write::Delivery(row) = delivery(message) else { unreachable!() };
    Write::Delivery(DeliveryRow { attempt, recipient, state, ..row })
}

/// A day of November 2026 at noon.
fn november(day: u64) -> Timestamp {
    Timestamp::from_millis((1_793_491_200 + (day - 1) * 86_400 + 12 * 3600) * 1000)
}

fn sent(write: Write, at: Timestamp) -> Write {
    let Write::Outgoing(row) = write else { unreachable!() };
    Write::Outgoing(OutgoingRow { at, ..row })
}

fn received(write: Write, at: Timestamp) -> Write {
    let Write::Incoming(row) = write else { unreachable!() };
    Write::Incoming(IncomingRow { at, ..row })
}

fn with_file(write: Write, name: &str) -> Write {
    let Write::Outgoing(row) = write else { unreachable!() };
    let file = File {
        name: Some(name.to_owned()),
        media_type: "image/png".to_owned(),
        bytes: Bytes::from_static(b"\x89PNG"),
    };
    let (content_type, body) = enclose("see there", &[file]);
    Write::Outgoing(OutgoingRow { content_type, body, ..row })
}

/// A conversation with Bob and Ann.
fn with_both(id: u64) -> Write {
    let people = vec![person("sip:bob@x"), person("sip:ann@x")];
    Write::Conversation(ConversationRow { id: ConversationId(id), people, hidden: false })
}

fn story() -> Connection {
    let connection = opened::<ClientSchema>();
    write_all::<ClientSchema>(
        &connection,
        &[
            with_both(1),
            with_both(2),
            sent(outgoing(1, 1, "Come here, the Caf\u{e9} is open"), november(1)),
            received(incoming(2, 1, "\u{130}rem comes to the cafe\u{301} at 10:30"), november(2)),
            received(incoming(3, 2, "here come \u{4f60}\u{597d}\u{4e16}\u{754c} \u{1f389}"), november(3)),
            sent(with_file(outgoing(4, 2, ""), "Gr\u{fc}\u{df}e.png"), november(4)),
            attempt(1),
            state(1, 1, 0, DeliveryState::Failed),
            state(1, 1, 1, DeliveryState::Delivered),
            attempt(4),
            state(4, 1, 0, DeliveryState::Failed),
            state(4, 2, 0, DeliveryState::Delivered),
            state(4, 1, 1, DeliveryState::NoReport),
        ],
    );
    connection
}

#[test]
fn words_phrases_and_operators_find_what_they_say() {
    let connection = story();
    let table: &[(&str, &[u64])] = &[
        ("irem", &[2]),
        ("caf", &[2, 1]),
        ("cafe\u{301}", &[2, 1]),
        ("CAF\u{c9} com", &[2, 1]),
        ("come", &[3, 2, 1]),
        ("\"come here\"", &[1]),
        ("\"com\"", &[]),
        ("\"10:30\"", &[2]),
        ("\u{597d}\u{4e16}", &[3]),
        ("\u{4e16}\u{597d}", &[]),
        ("\u{1f389}", &[3]),
        ("grusse", &[4]),
        ("grusse there", &[4]),
        ("from:bob", &[3, 2]),
        ("from:inc", &[3, 2]),
        ("from:ann", &[]),
        ("from:me", &[4, 1]),
        ("to:ann", &[4, 1]),
        ("to:me come", &[3, 2]),
        ("to:\"robert ince\"", &[4, 1]),
        ("failed:", &[4, 1]),
        ("failed:bob", &[1]),
        ("failed:ann", &[4]),
        ("failed:cy", &[]),
        ("has:file", &[4]),
        ("has:file come", &[]),
        ("after:2026-11-03", &[4, 3]),
        ("before:2026-11-03", &[2, 1]),
        ("after:2026-11-02 before:2026-11-03", &[2]),
        ("after:2026-11 here", &[3, 1]),
        ("before:2026", &[]),
        ("nothing", &[]),
        ("", &[]),
    ];
    for (text, expected) in table {
        assert_eq!(ids(&connection, text), *expected, "{text}");
    }
}

#[test]
fn a_hit_shows_its_surroundings_who_wrote_it_and_to_whom() {
    let connection = story();
    let found = found(&connection, &asked("irem"));
    let hit = &found.hits[0];
    assert_eq!((hit.conversation, hit.at), (ConversationId(1), november(2)));
    assert_eq!(hit.from.as_ref().unwrap().name, "Robert \u{130}nce");
    assert_eq!(hit.excerpt.marked().collect::<Vec<_>>(), ["\u{130}rem"]);
    assert_eq!((found.has_more, found.unindexed, found.all.len()), (false, 0, 0));
    let found = self::found(&connection, &asked("grusse"));
    assert_eq!(found.hits[0].excerpt.text, "Gr\u{fc}\u{df}e.png", "the name of a file");
}

#[test]
fn in_one_conversation_all_that_is_found_is_counted_and_pages_follow_each_other() {
    let connection = opened::<ClientSchema>();
    let most = SEARCH_HITS_MAX as u64;
    let mut writes = vec![conversation(1), conversation(2), outgoing(1, 2, "come")];
    writes.extend((2..=most * 2 + 2).map(|id| incoming(id, 1, "come")));
    write_all::<ClientSchema>(&connection, &writes);
    let here = Search { within: Some(ConversationId(1)), ..asked("com") };
    let first = found(&connection, &here);
    assert_eq!((first.hits.len(), first.all.len(), first.has_more), (SEARCH_HITS_MAX, 101, true));
    assert_eq!(first.all[0], MessageId(102));
    let next = found(&connection, &Search { older_than: Some(first.hits[49].message), ..here.clone() });
    assert_eq!((next.hits[0].message, next.has_more), (MessageId(52), true));
    let last = found(&connection, &Search { older_than: Some(next.hits[49].message), ..here });
    assert_eq!((last.hits.len(), last.has_more), (1, false));
    let everywhere = found(&connection, &Search { older_than: Some(MessageId(3)), ..asked("com") });
    assert_eq!(everywhere.hits.iter().map(|hit| hit.message.0).collect::<Vec<_>>(), [2, 1]);
}

#[test]
fn a_later_search_ends_an_earlier_one() {
    let connection = story();
    let latest = LatestSearch::default();
    latest.asked(2);
    let reader: &dyn Reader = &connection;
    assert_eq!(reader.search(&asked("come"), &Names::default(), &latest).unwrap(), None);
}

#[test]
fn an_older_store_is_indexed_in_steps_and_searched_meanwhile() {
    let connection = opened::<ClientSchema>();
    let count = TEXTS_FILLED_MAX as u64 + 10;
    let mut writes = vec![conversation(1)];
    writes.extend((1..=count).map(|id| incoming(id, 1, &format!("word{id}"))));
    write_all::<ClientSchema>(&connection, &writes);
    let empty = "INSERT INTO search (search) VALUES ('delete-all'); DELETE FROM message_text;
                 UPDATE text_fill SET below = (SELECT max(id) + 1 FROM message);";
    connection.execute_batch(empty).unwrap();
    assert_eq!((found(&connection, &asked("word")).hits.len(), ids(&connection, "from:bob").len()), (0, 50));
    assert!(ClientSchema::tend(&connection).unwrap());
    let half = found(&connection, &asked("word"));
    assert_eq!((half.hits.len(), half.unindexed), (SEARCH_HITS_MAX, 10), "the newest come first");
    assert_eq!(ids(&connection, "word3"), (30..=39).rev().collect::<Vec<_>>());
    write_all::<ClientSchema>(&connection, &[incoming(count + 1, 1, "word meanwhile")]);
    assert!(ClientSchema::tend(&connection).unwrap());
    assert!(!ClientSchema::tend(&connection).unwrap());
    assert_eq!((ids(&connection, "\"word3\""), ids(&connection, "meanwhile")), (vec![3], vec![count + 1]));
    assert_eq!(found(&connection, &asked("word")).unindexed, 0);
}

#[test]
fn the_writer_indexes_an_older_store_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("client.db");
    let old = include_str!("../../old/client_6.sql");
    Connection::open(&path).unwrap().execute_batch(old).unwrap();
    let writer = written(Store::open(&path).unwrap(), vec![]);
    // Answered after the batch before it; the index may still be in the making.
    let history = writer.history().unwrap();
    while read(&history, |reader| found(reader, &asked("grun")).unindexed) > 0 {
        std::thread::yield_now();
    }
    assert_eq!(read(&history, |reader| ids(reader, "grun")), [7, 6, 5, 4, 3, 2, 1]);
}

#[test]
fn a_damaged_index_keeps_no_message_from_being_stored_and_is_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("client.db");
    let writes = vec![conversation(1), incoming(1, 1, "before the damage")];
    drop(written(Store::open(&path).unwrap(), writes));
    let damage = "UPDATE search_data SET block = x'ffffffffffff' WHERE id = 10";
    assert_eq!(Connection::open(&path).unwrap().execute(damage, []).unwrap(), 1);
    let writer = written(Store::open(&path).unwrap(), vec![incoming(2, 1, "after the damage")]);
    let history = writer.history().unwrap();
    while read(&history, |reader| found(reader, &asked("damage")).unindexed) > 0 {
        std::thread::yield_now();
    }
    assert_eq!(read(&history, |reader| ids(reader, "damage")), [2, 1]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn nothing_that_is_typed_is_an_error(text in "[a-z\"'*()^:+{}~ -]{0,30}|\\PC{0,30}|(from|to|failed|has|before|after):[ -~]{0,9}") {
        thread_local!(static STORY: Connection = story());
        STORY.with(|connection| {
            for text in [text.as_str(), "NEAR(a b)", "a AND OR", "text:come", "-come", "come*", "^come", "\"", "a\0b"] {
                found(connection, &asked(text));
            }
        });
    }
}
