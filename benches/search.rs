//! Time until the first hits of a search are there, in a history of 100,000 messages on the disk.
//! Run: `cargo bench --bench search`.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement, not a part of the program")]

use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};

use bytes::Bytes;
use fanfare::machine::{Batch, BatchId};
use fanfare::model::journal::{ConversationId, ConversationRow, IncomingRow, MessageId, PersonRow, Write};
use fanfare::model::names::Names;
use fanfare::model::search::Search;
use fanfare::store::history::search::LatestSearch;
use fanfare::store::{ClientSchema, Outcome, Store};
use fanfare::time::Timestamp;

const CONVERSATIONS: u64 = 1000;
const BATCH: u64 = 1000;
const QUERIES: [&str; 12] = [
    "a",
    "th",
    "word17",
    "word1742 word9",
    "\"all is well\"",
    "\u{130}rem",
    "from:person17",
    "from:person17 well",
    "from:nobody",
    "to:person18 word3",
    "after:1970-01-02",
    "found nowhere",
];

fn main() {
    // `cargo test --benches` only checks that it runs.
    let is_trial = !std::env::args().any(|argument| argument == "--bench");
    let messages = if is_trial { 2000 } else { 100_000 };
    let folder = tempfile::tempdir().unwrap();
    let (answered, answers) = sync_channel(1);
    let store = Store::<ClientSchema>::open(&folder.path().join("messages.sqlite3")).unwrap();
    let writer = store.start(move |group| answered.send(group).unwrap()).unwrap();
    let start = now();
    for number in 0..messages / BATCH {
        let mut writes = if number == 0 { conversations() } else { Vec::new() };
        writes.extend((1..=BATCH).map(|index| message(number * BATCH + index)));
        writer.commit(Batch { id: BatchId(number), writes }).unwrap();
        assert_eq!(answers.recv().unwrap(), [Outcome::Committed(BatchId(number))]);
    }
    let took = start.elapsed() / u32::try_from(messages).unwrap();
    println!("{messages} messages written and indexed, {:.1} µs each", took.as_secs_f64() * 1e6);
    let history = writer.history().unwrap();
    for text in QUERIES {
        for within in [None, Some(ConversationId(1))] {
            let search = Search { id: 1, text: text.to_owned(), within, older_than: None };
            // The first time may read the disk.
            let took: Vec<_> = (0..5).map(|_| time(&history, search.clone())).collect();
            let (first, hits) = took.first().copied().unwrap();
            let best = took.iter().map(|(took, _)| *took).min().unwrap();
            let place = if within.is_some() { "in one conversation" } else { "everywhere" };
            println!(
                "{text:20} {place:20} {hits:6} hits, first {:7.3} ms, best {:7.3} ms",
                millis(first),
                millis(best)
            );
        }
    }
}

fn time(history: &fanfare::store::history::History, search: Search) -> (Duration, usize) {
    let (done, when_done) = sync_channel(1);
    let start = now();
    assert!(history.ask(move |reader| {
        let latest = LatestSearch::default();
        latest.asked(search.id);
        let found = reader.search(&search, &Names::default(), &latest).unwrap().unwrap();
        done.send(found.hits.len().max(found.all.len())).unwrap();
    }));
    let hits = when_done.recv().unwrap();
    (start.elapsed(), hits)
}

fn conversations() -> Vec<Write> {
    (1..=CONVERSATIONS)
        .map(|id| {
            let people = vec![person(id), person(id + 1), person(id + 2)];
            Write::Conversation(ConversationRow { id: ConversationId(id), people, hidden: false })
        })
        .collect()
}

fn person(id: u64) -> PersonRow {
    PersonRow { address: format!("sip:person{id}@domain.com"), name: format!("Person {id}") }
}

fn message(id: u64) -> Write {
    let place = if id.is_multiple_of(2) { 1 } else { id % CONVERSATIONS + 1 };
    let name = if id.is_multiple_of(1000) { "\u{130}rem" } else { "the man" };
    let text = format!("All is well that ends well, said {name}: word{} and word{}.", id % 5000, id % 77);
    Write::Incoming(IncomingRow {
        id: MessageId(id),
        conversation: ConversationId(place),
        at: Timestamp::from_millis(id * 60_000),
        sent_at: None,
        from: person(place),
        also_to: vec![person(place + 1), person(place + 2)],
        content_type: "text/plain;charset=utf-8".to_owned(),
        body: Bytes::from(text),
        key: format!("tag{id} call{id} 1"),
        verified: true,
    })
}

fn millis(took: Duration) -> f64 {
    took.as_secs_f64() * 1000.0
}

#[expect(clippy::disallowed_methods, reason = "a measurement reads the clock")]
fn now() -> Instant {
    Instant::now()
}
