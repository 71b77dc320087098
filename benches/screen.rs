//! Cost of the window's data from a real store: the list of 1,000 conversations, and a conversation of 100,000
//! messages. Run: `cargo bench --bench screen`.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement, not a part of the program")]

use std::hint::black_box;
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};

use bytes::Bytes;
use fanfare::client::{AgentConfig, UserAgent};
use fanfare::machine::{Batch, BatchId};
use fanfare::model::account::Account;
use fanfare::model::journal::{ConversationId, ConversationRow, IncomingRow, MessageId, PersonRow, Write};
use fanfare::random::Random;
use fanfare::store::{ClientSchema, Outcome, Store};
use fanfare::time::{Clock, Timestamp};

const CONVERSATIONS: u64 = 1000;

fn main() {
    // `cargo test --benches` only checks that it runs.
    let is_trial = !std::env::args().any(|argument| argument == "--bench");
    let messages = if is_trial { 100 } else { 100_000 };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("messages.sqlite3");
    let (answered, answers) = sync_channel(1);
    let writer = Store::<ClientSchema>::open(&path)
        .unwrap()
        .start(move |group| answered.send(group).unwrap())
        .unwrap();
    let start = now();
    writer.commit(Batch { id: BatchId(1), writes: rows(messages) }).unwrap();
    assert_eq!(answers.recv().unwrap(), [Outcome::Committed(BatchId(1))]);
    say("write it all in one batch", start.elapsed());

    let history = writer.history().unwrap();
    let (done, when_done) = sync_channel(1);
    assert!(history.ask(move |reader| {
        let start = now();
        let outline = reader.outline(ConversationId(1), None).unwrap();
        say(&format!("outline of {} messages", outline.len()), start.elapsed());
        let (start, last) = (now(), outline.last().unwrap().id);
        let first = MessageId(last.0.saturating_sub(299));
        let shown = reader.messages(ConversationId(1), first, last).unwrap();
        say(&format!("{} of them with their text", shown.len()), start.elapsed());
        done.send(()).unwrap();
    }));
    when_done.recv().unwrap();
    drop((history, writer));

    let start = now();
    let rows = Store::<ClientSchema>::open(&path).unwrap().load().unwrap();
    say("open and load", start.elapsed());
    let profile = account().check().unwrap();
    let config = AgentConfig { profile, locals: Vec::new() };
    let machine = UserAgent::new(config, rows, Random::from_seed(1), Clock::start().now());
    let (start, rounds) = (now(), 100);
    for _ in 0..rounds {
        black_box(machine.heads());
    }
    say(&format!("list of {} conversations", machine.heads().len()), start.elapsed() / rounds);
}

/// One message in each of the other conversations, all others in the first.
fn rows(messages: u64) -> Vec<Write> {
    let person =
        |id: u64| PersonRow { address: format!("sip:person{id}@domain.com"), name: format!("Person {id}") };
    let conversation = |id| {
        let people = vec![person(id), person(id + 1), person(id + 2)];
        Write::Conversation(ConversationRow { id: ConversationId(id), people, hidden: false })
    };
    let message = |id: u64| {
        let place = if id < CONVERSATIONS { id + 1 } else { 1 };
        Write::Incoming(IncomingRow {
            id: MessageId(id),
            conversation: ConversationId(place),
            at: Timestamp::from_millis(id),
            sent_at: None,
            from: person(place),
            also_to: vec![person(place + 1), person(place + 2)],
            content_type: "text/plain".to_owned(),
            body: Bytes::from("All is well that ends well, said the man. ".repeat(4)),
            key: format!("tag{id} call{id} 1"),
            verified: true,
        })
    };
    (1..=CONVERSATIONS).map(conversation).chain((1..=CONVERSATIONS + messages).map(message)).collect()
}

fn account() -> Account {
    Account {
        address: "sip:james@domain.com".to_owned(),
        proxy: "udp:127.0.0.1:5060".to_owned(),
        ..Account::default()
    }
}

#[expect(clippy::disallowed_methods, reason = "a measurement reads the clock")]
fn now() -> Instant {
    Instant::now()
}

fn say(what: &str, took: Duration) {
    println!("{what}: {:.3} ms", took.as_secs_f64() * 1000.0);
}
