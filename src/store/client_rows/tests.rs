//! The client's rows, written and loaded.

use super::heads::{PREVIEW_CHARS_MAX, preview};
use super::*;
use crate::model::journal::{ConversationHeadRow, DeliveryState, LastRow, UnseenRow};
use crate::store::testing::{opened, write_all};
use crate::time::Timestamp;
use bytes::Bytes;

fn person(address: &str) -> PersonRow {
    PersonRow { address: address.to_owned(), name: "Name".to_owned() }
}

fn conversation(id: u64) -> ConversationRow {
    ConversationRow {
        id: ConversationId(id),
        people: vec![person("sip:ann@x"), person("sip:bob@x")],
        hidden: id == 2,
    }
}

fn outgoing(id: u64, conversation: u64) -> OutgoingRow {
    OutgoingRow {
        id: MessageId(id),
        conversation: ConversationId(conversation),
        at: Timestamp::from_millis(id * 10),
        content_type: "text/plain".to_owned(),
        body: Bytes::from_static(b"Come\r\n  here.\x07"),
        recipients: vec![person("sip:ann@x"), person("sip:bob@x")],
    }
}

fn attempt(message: u64, number: u32, stage: AttemptStage) -> AttemptRow {
    AttemptRow {
        message: MessageId(message),
        number,
        recipients: vec![1, 0],
        call_id: "c@h".to_owned(),
        from_tag: "f".to_owned(),
        cseq: 4,
        report: ReportOptions::parse("each;detail;id=x").unwrap(),
        way: Way::FanOut,
        asks: false,
        stage,
        at: Timestamp::from_millis(77),
    }
}

fn delivery(message: u64, attempt: u32, recipient: u32, state: DeliveryState) -> DeliveryRow {
    DeliveryRow {
        message: MessageId(message),
        attempt,
        recipient,
        state,
        status: Some(480),
        phrase: "Away".into(),
        tries: Some(11),
        after: Some(Duration::from_millis(400)),
        at: Timestamp::from_millis(78),
    }
}

fn incoming(id: u64, conversation: u64, content_type: &str) -> IncomingRow {
    IncomingRow {
        id: MessageId(id),
        conversation: ConversationId(conversation),
        at: Timestamp::from_millis(id * 10),
        sent_at: Some(Timestamp::from_millis(3)),
        from: person("sip:bob@x"),
        also_to: vec![person("sip:ann@x")],
        content_type: content_type.to_owned(),
        body: Bytes::from_static(b"\xff\xfe text"),
        key: format!("tag call {id}"),
        verified: false,
    }
}

#[test]
fn an_open_message_comes_back_whole() {
    let connection = opened::<ClientSchema>();
    let accepted = AttemptStage::Accepted { to_tag: "t".to_owned() };
    write_all::<ClientSchema>(
        &connection,
        &[
            Write::Conversation(conversation(1)),
            Write::Outgoing(outgoing(1, 1)),
            Write::Attempt(attempt(1, 1, AttemptStage::Queued)),
            Write::Delivery(delivery(1, 1, 0, DeliveryState::Queued)),
            Write::Delivery(delivery(1, 1, 0, DeliveryState::Accepted)),
            Write::Delivery(delivery(1, 1, 1, DeliveryState::Failed)),
            Write::Attempt(attempt(1, 1, accepted.clone())),
        ],
    );
    let rows = ClientSchema::load(&connection).unwrap();
    assert_eq!((rows.last_conversation, rows.last_message), (1, 1));
    assert_eq!(
        rows.open,
        [OpenRows {
            outgoing: outgoing(1, 1),
            attempts: vec![attempt(1, 1, accepted)],
            deliveries: vec![
                delivery(1, 1, 0, DeliveryState::Accepted),
                delivery(1, 1, 1, DeliveryState::Failed),
            ],
        }]
    );
    let last = LastRow {
        id: MessageId(1),
        at: Timestamp::from_millis(10),
        preview: "Come here.".to_owned(),
        mine: true,
        verified: true,
    };
    let head = ConversationHeadRow {
        row: conversation(1),
        last: Some(last),
        unread: 0,
        seen: None,
        is_written_to: true,
    };
    assert_eq!(rows.conversations, [head]);
}

#[test]
fn the_list_knows_after_a_restart_whose_last_message_was_not_verified() {
    let connection = opened::<ClientSchema>();
    let verified = IncomingRow { verified: true, ..incoming(2, 2, "text/plain") };
    write_all::<ClientSchema>(
        &connection,
        &[
            Write::Conversation(conversation(1)),
            Write::Incoming(incoming(1, 1, "text/plain")),
            Write::Conversation(conversation(2)),
            Write::Incoming(verified),
        ],
    );
    let rows = ClientSchema::load(&connection).unwrap();
    let last = |head: &ConversationHeadRow| head.last.as_ref().map(|last| (last.mine, last.verified));
    let told: Vec<_> = rows.conversations.iter().map(last).collect();
    assert_eq!(told, [Some((false, false)), Some((false, true))]);
    assert!(rows.conversations.iter().all(|head| !head.is_written_to), "nothing was written there");
}

#[test]
fn each_way_that_an_attempt_leaves_comes_back() {
    for way in [Way::FanOut, Way::ByList, Way::OneByOne] {
        let connection = opened::<ClientSchema>();
        let sent = AttemptRow { way, ..attempt(1, 1, AttemptStage::Sent) };
        let writes = [
            Write::Conversation(conversation(1)),
            Write::Outgoing(outgoing(1, 1)),
            Write::Attempt(attempt(1, 1, AttemptStage::Queued)),
            Write::Attempt(sent.clone()),
        ];
        write_all::<ClientSchema>(&connection, &writes);
        assert_eq!(ClientSchema::load(&connection).unwrap().open[0].attempts, [sent]);
    }
}

#[test]
fn open_are_the_running_the_missed_and_the_last_of_each_conversation() {
    let connection = opened::<ClientSchema>();
    let mut writes = vec![Write::Conversation(conversation(1)), Write::Conversation(conversation(2))];
    for id in 1..=6 {
        writes.push(Write::Outgoing(outgoing(id, 1)));
        writes.push(Write::Attempt(attempt(id, 1, AttemptStage::Closed)));
    }
    writes.extend([
        // 1 is done. 2 did not reach somebody. 3 did not either, but the second attempt did.
        Write::Delivery(delivery(1, 1, 0, DeliveryState::Delivered)),
        Write::Delivery(delivery(2, 1, 0, DeliveryState::NoReport)),
        Write::Delivery(delivery(3, 1, 0, DeliveryState::Failed)),
        Write::Attempt(attempt(3, 2, AttemptStage::Closed)),
        Write::Delivery(delivery(3, 2, 0, DeliveryState::PassedOn)),
        // 4 is in progress. 5 was withdrawn. 6 is the last.
        Write::Attempt(attempt(4, 1, AttemptStage::Sent)),
        Write::Delivery(delivery(5, 1, 0, DeliveryState::Cancelled)),
        // The last message of the other conversation was received.
        Write::Outgoing(outgoing(7, 2)),
        Write::Incoming(incoming(8, 2, "text/plain")),
    ]);
    write_all::<ClientSchema>(&connection, &writes);
    let open = ClientSchema::load(&connection).unwrap().open;
    assert_eq!(open.iter().map(|rows| rows.outgoing.id.0).collect::<Vec<_>>(), [2, 4, 6]);
}

#[test]
fn what_was_seen_is_not_unread_and_never_becomes_unread_again() {
    let connection = opened::<ClientSchema>();
    let (conversation_id, seen) =
        (ConversationId(1), |id| Write::Seen { conversation: ConversationId(1), message: MessageId(id) });
    write_all::<ClientSchema>(
        &connection,
        &[
            Write::Conversation(conversation(1)),
            Write::Incoming(incoming(1, 1, "text/plain")),
            Write::Incoming(incoming(2, 1, "text/plain")),
            Write::Outgoing(outgoing(3, 1)),
            Write::Incoming(incoming(4, 1, "image/png")),
            seen(1),
        ],
    );
    let head = |connection: &Connection| ClientSchema::load(connection).unwrap().conversations.remove(0);
    assert_eq!(head(&connection).row.id, conversation_id);
    assert_eq!(head(&connection).unread, 2);
    assert_eq!(head(&connection).last.unwrap().preview, "image/png");
    write_all::<ClientSchema>(&connection, &[seen(4), seen(2)]);
    assert_eq!((head(&connection).unread, head(&connection).seen), (0, Some(MessageId(4))));
}

#[test]
fn keys_of_doubles_are_kept_until_they_are_forgotten() {
    let connection = opened::<ClientSchema>();
    write_all::<ClientSchema>(
        &connection,
        &[
            Write::Conversation(conversation(1)),
            Write::Incoming(incoming(1, 1, "text/plain")),
            Write::Incoming(incoming(2, 1, "text/plain")),
            Write::ForgetKeysBefore(Timestamp::from_millis(15)),
        ],
    );
    let keys = ClientSchema::load(&connection).unwrap().keys;
    assert_eq!(keys, [KeyRow { at: Timestamp::from_millis(20), key: "tag call 2".to_owned() }]);
}

#[test]
fn a_preview_is_one_short_line_whatever_the_bytes() {
    assert_eq!(
        preview("text/plain;charset=utf-8", &Bytes::from_static(b" a\r\n\r\n b\t\x1b[0mc ")),
        "a b [0mc"
    );
    // A body that is not valid in its charset is treated as a file (RFC 2046 §4.1.2), not as broken text.
    assert_eq!(preview("TEXT/plain", &Bytes::from_static(b"\xffx")), "text/plain");
    assert_eq!(preview("text/plain", &"é".repeat(500).into()).chars().count(), PREVIEW_CHARS_MAX);
    assert_eq!(preview("application/pdf", &Bytes::from_static(b"%PDF")), "application/pdf");
}

#[test]
fn w28_what_is_in_cpim_and_was_not_seen_comes_back() {
    let connection = opened::<ClientSchema>();
    let unseen = |id, conversation| UnseenRow {
        id: MessageId(id),
        conversation: ConversationId(conversation),
        at: Timestamp::from_millis(id * 10),
        from: "sip:bob@x".to_owned(),
        body: Bytes::from_static(b"\xff\xfe text"),
    };
    write_all::<ClientSchema>(
        &connection,
        &[
            Write::Conversation(conversation(1)),
            Write::Conversation(conversation(2)),
            Write::Incoming(incoming(1, 1, "message/cpim")),
            Write::Incoming(incoming(2, 1, "Message/CPIM; charset=utf-8")),
            Write::Incoming(incoming(3, 1, "text/plain")),
            Write::Incoming(incoming(4, 2, "message/cpim")),
        ],
    );
    assert_eq!(ClientSchema::load(&connection).unwrap().unseen, [unseen(1, 1), unseen(2, 1), unseen(4, 2)]);
    let seen = Write::Seen { conversation: ConversationId(1), message: MessageId(1) };
    write_all::<ClientSchema>(&connection, &[seen]);
    assert_eq!(ClientSchema::load(&connection).unwrap().unseen, [unseen(2, 1), unseen(4, 2)]);
}

#[test]
fn what_we_found_ourselves_comes_back_as_a_code_and_not_as_a_sentence() {
    let connection = opened::<ClientSchema>();
    let message = [Write::Conversation(conversation(1)), Write::Outgoing(outgoing(1, 1))];
    write_all::<ClientSchema>(&connection, &message);
    let far = LocalReason::NotReached("sip:ann@far.test".to_owned());
    for phrase in [Phrase::from(LocalReason::NoAnswer), far.into(), "No answer from the server".into()] {
        let row = DeliveryRow { phrase, ..delivery(1, 1, 0, DeliveryState::Failed) };
        write_all::<ClientSchema>(&connection, &[Write::Delivery(row.clone())]);
        assert_eq!(deliveries(&connection, 1).unwrap(), [row]);
    }
    connection.execute("UPDATE delivery SET local = 'of-a-later-version', phrase = 'x'", []).unwrap();
    assert_eq!(deliveries(&connection, 1).unwrap()[0].phrase, "x".into());
}
