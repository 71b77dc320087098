//! The conversation list: previews, unread counts, failures that stay on top until seen.

use super::*;

use crate::model::contacts::{AddressBook, Contact};
use crate::model::journal::{ConversationHeadRow, ConversationId, ConversationRow, LastRow};
use crate::model::names::Names;
use crate::model::snapshot::{ConversationHead, Tally};

fn from(who: &str, call_id: &str) -> String {
    format!(
        "MESSAGE sip:james@{OWN} SIP/2.0\nVia: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK{call_id}\n\
         From: <sip:{who}@domain.com>;tag=1\nTo: <sip:james@domain.com>\nCall-ID: {call_id}\nCSeq: 1 MESSAGE\n\
         Content-Type: text/plain\nContent-Length: 9\n\nHi\nthere\n"
    )
}

#[test]
fn a_line_shows_the_last_message_and_what_is_unread() {
    let mut stage = Stage::new(&account());
    stage.proxy_sends(&from("ann", "c1"));
    stage.now = stage.now.plus(Duration::from_secs(1));
    stage.proxy_sends(&from("ann", "c2"));
    let head = stage.agent.heads().remove(0);
    assert_eq!((&*head.preview, head.unread, head.last), ("Hi there", 2, None));
    assert_eq!(head.people[0].name, "ann");
    stage.events.clear();
    stage.command(AgentCommand::Seen { conversation: ConversationId(1) });
    assert_eq!(
        stage.events,
        [Event::Window(WindowEvent::Changed { conversation: ConversationId(1), message: None })]
    );
    assert_eq!(stage.agent.heads()[0].unread, 0);
    let seen = Write::Seen { conversation: ConversationId(1), message: MessageId(2) };
    assert_eq!(stage.rows.last(), Some(&seen));
    let rows = stage.rows.len();
    stage.command(AgentCommand::Seen { conversation: ConversationId(1) });
    assert_eq!(stage.rows.len(), rows, "nothing new, nothing written");
}

#[test]
fn the_list_is_in_the_order_of_arrival_whatever_the_clock_said() {
    let mut stage = Stage::new(&account());
    let right = stage.now.wall;
    stage.now.wall = right.plus(Duration::from_secs(3 * 24 * 3600));
    stage.proxy_sends(&from("ann", "c1"));
    stage.now.wall = right;
    stage.proxy_sends(&from("cy", "c2"));
    let order = |stage: &Stage| stage.agent.heads().iter().map(|head| head.id.0).collect::<Vec<_>>();
    assert_eq!(order(&stage), [2, 1]);
    stage.proxy_sends(&from("ann", "c3"));
    assert_eq!(order(&stage), [1, 2]);
}

#[test]
fn what_was_seen_in_the_middle_counts_as_read_and_no_more() {
    let mut stage = Stage::new(&account());
    (1..=5).for_each(|number| stage.proxy_sends(&from("ann", &format!("c{number}"))));
    let here = ConversationId(1);
    let seen =
        |message, unread| AgentCommand::SeenUpTo { conversation: here, message: MessageId(message), unread };
    stage.command(seen(2, 3));
    assert_eq!(stage.agent.heads()[0].unread, 3);
    assert_eq!(stage.rows.last(), Some(&Write::Seen { conversation: here, message: MessageId(2) }));
    let rows = stage.rows.len();
    // Never backwards.
    stage.command(seen(1, 4));
    stage.command(seen(2, 3));
    assert_eq!((stage.agent.heads()[0].unread, stage.rows.len()), (3, rows));
    stage.command(AgentCommand::Seen { conversation: here });
    assert_eq!(stage.agent.heads()[0].unread, 0);
}

#[test]
fn a_copy_of_what_we_wrote_ourselves_is_not_unread() {
    let mut stage = Stage::new(&account());
    let copy = from("james", "c1").replace("CSeq", "Also-To: <sip:ann@domain.com>\nCSeq");
    stage.proxy_sends(&copy);
    let head = stage.agent.heads().remove(0);
    assert_eq!((head.people.len(), head.unread, &*head.preview), (1, 0, "Hi there"));
    let seen = Write::Seen { conversation: ConversationId(1), message: MessageId(1) };
    assert_eq!(stage.rows.last(), Some(&seen), "not after a start either");
    // With something unread before it, only that counts.
    stage.proxy_sends(&from("ann", "c2"));
    stage.proxy_sends(&copy.replace("c1", "c3"));
    assert_eq!(stage.agent.heads()[0].unread, 1);
}

#[test]
fn that_a_message_could_not_be_stored_is_told() {
    let mut stage = Stage::new(&account());
    stage.disk = Disk::Fails;
    stage.proxy_sends(&from("ann", "c1"));
    assert_eq!(stage.events, [Event::Window(WindowEvent::NotStored)]);
    assert!(stage.take_sent("SIP/2.0 503").starts_with("SIP/2.0 503"));
    stage.disk = Disk::Takes;
    stage.proxy_sends(&from("ann", "c1").replace("branch=z9hG4bKc1", "branch=z9hG4bKagain"));
    assert!(matches!(stage.events.last(), Some(Event::Received { .. })), "{:?}", stage.events);
}

#[test]
fn an_unseen_failure_floats_up_until_it_was_looked_at() {
    let mut stage = Stage::connected();
    let request = stage.send_accepted(&ANN_AND_BOB);
    stage.command(AgentCommand::Seen { conversation: ConversationId(1) });
    stage.now = stage.now.plus(Duration::from_secs(1));
    stage.proxy_sends(&from("cy", "c1"));
    let order = |stage: &Stage| stage.agent.heads().iter().map(|head| head.id.0).collect::<Vec<_>>();
    assert_eq!(order(&stage), [2, 1], "by time");
    stage.notify(
        &request,
        1,
        "terminated",
        "im:ann@domain.com delivery failure\nim:bob@domain.com delivery success\n",
    );
    assert_eq!(order(&stage), [1, 2]);
    let head = stage.agent.heads().remove(0);
    assert_eq!(head.last, Some(Tally { total: 2, failed: 1, delivered: 1, ..Tally::default() }));
    assert_eq!((head.failed, head.failed_unseen), (1, 1));
    assert_eq!((head.failed_messages, head.failed_latest), (1, 1));
    let mut after = Stage::with_rows(&account(), with_seen(&stage), stage.now);
    assert_eq!(after.agent.heads()[0].failed_unseen, 1, "looked at while it was under way does not count");
    after.command(AgentCommand::Seen { conversation: ConversationId(1) });
    let failures = |stage: &Stage| {
        let heads = stage.agent.heads();
        let counted = |count: fn(&ConversationHead) -> u32| heads.iter().map(count).sum::<u32>();
        (counted(|head| head.failed), counted(|head| head.failed_unseen))
    };
    assert_eq!(failures(&after), (1, 0), "looked at, and still not delivered");

    stage.command(AgentCommand::Seen { conversation: ConversationId(1) });
    assert_eq!(order(&stage), [2, 1]);
    let again = Stage::with_rows(&account(), with_seen(&stage), stage.now);
    assert_eq!(failures(&again), (1, 0), "after a start too");
    // A resend that fails again is a new failure.
    stage.command(AgentCommand::Resend { message: MessageId(1), only: None });
    let again = stage.take_sent("MESSAGE");
    assert_eq!(stage.agent.heads()[1].last.unwrap().sending, 1);
    stage.answer(&again, "403 Forbidden", "");
    assert_eq!(order(&stage), [1, 2]);
}

#[test]
fn a_failure_stays_a_failure_until_it_is_made_good_whatever_comes_after() {
    let mut stage = Stage::connected();
    let request = stage.send_accepted(&ANN_AND_BOB);
    let failed = |stage: &Stage| stage.agent.heads().iter().map(|head| head.failed).sum::<u32>();
    let report = "im:ann@domain.com delivery failure\nim:bob@domain.com delivery success\n";
    stage.notify(&request, 1, "terminated", report);
    stage.command(AgentCommand::Seen { conversation: ConversationId(1) });
    assert_eq!(failed(&stage), 1);
    // Bob replies to everybody: the last message is his.
    let reply = from("bob", "r1").replace("CSeq", "Also-To: <sip:ann@domain.com>\nCSeq");
    stage.proxy_sends(&reply);
    let head = stage.agent.heads().into_iter().find(|head| head.id == ConversationId(1)).unwrap();
    assert_eq!((&*head.preview, head.last, head.failed, head.failed_unseen), ("Hi there", None, 1, 0));
    // Another message that everybody gets does not cancel the failure; resending the first one does.
    stage.command(AgentCommand::Resend { message: MessageId(1), only: None });
    let again = stage.take_sent("MESSAGE");
    assert_eq!(failed(&stage), 0, "under way again");
    stage.answer(&again, "403 Forbidden", "");
    assert_eq!(failed(&stage), 1);
}

/// The stored rows with each conversation's head, as a store builds it.
fn with_seen(stage: &Stage) -> Rows {
    let mut rows = stage.stored_rows();
    let last = |id: u64, mine: bool| {
        Some(LastRow {
            id: MessageId(id),
            at: Timestamp::from_millis(id),
            preview: "x".to_owned(),
            mine,
            verified: true,
        })
    };
    rows.conversations[0].last = last(1, true);
    rows.conversations[1].last = last(2, false);
    for write in &stage.rows {
        if let Write::Seen { conversation, message } = write {
            rows.conversations.iter_mut().find(|head| head.row.id == *conversation).unwrap().seen =
                Some(*message);
        }
    }
    rows
}

#[test]
fn people_are_called_by_their_names_in_the_contacts() {
    let mut stage = Stage::new(&account());
    stage.proxy_sends(&from("ann", "c1"));
    let mut book = AddressBook::default();
    book.put(Contact {
        address: "im:ann@domain.com".to_owned(),
        name: "Ann Lee".to_owned(),
        simulated: true,
    });
    stage.agent.set_names(Names::of(&book).into());
    let person = stage.agent.heads()[0].people[0].clone();
    assert_eq!((person.name.as_str(), person.simulated), ("Ann Lee", true));
    stage.proxy_sends(&from("bob", "c2"));
    assert_eq!(stage.agent.people(ConversationId(2)).unwrap().0[0].name, "bob");
}

#[test]
fn a_thousand_conversations_make_a_list_without_work_on_names() {
    let head = |index: u64| ConversationHeadRow {
        row: ConversationRow {
            id: ConversationId(index),
            people: vec![PersonRow { address: format!("sip:u{index}@domain.com"), name: String::new() }],
            hidden: false,
        },
        last: Some(LastRow {
            id: MessageId(index),
            at: Timestamp::from_millis(index),
            preview: "words ".repeat(20),
            mine: false,
            verified: true,
        }),
        unread: 1,
        seen: None,
        is_written_to: false,
    };
    let rows = Rows {
        conversations: (1..=1000).map(head).collect(),
        last_conversation: 1000,
        last_message: 1000,
        ..Rows::default()
    };
    let stage = Stage::with_rows(&account(), rows, start());
    let (one, two) = (stage.agent.heads(), stage.agent.heads());
    assert_eq!((one.len(), one[0].id), (1000, ConversationId(1000)));
    assert!(std::sync::Arc::ptr_eq(&one[0].people, &two[0].people), "people are shared, not made again");
}
