//! Helpers shared by the tests of the store.

use std::time::Duration;

use bytes::Bytes;
use rusqlite::Connection;

use crate::machine::{ConnectionId, Flow};
use crate::model::journal as ours;
use crate::proxy::journal::{
    AcceptedRow, BindingRow, DispatchId, OutcomeRow, OutcomeState, Reach, ReportRow, Write,
};
use crate::sip::{Aor, ReportOptions, Transport, Uri};
use crate::store::{Schema, migrate};
use crate::time::Timestamp;

/// A new in-memory database with the schema's tables.
pub(super) fn opened<S: Schema>() -> Connection {
    let mut connection = Connection::open_in_memory().unwrap();
    connection.pragma_update(None, "foreign_keys", "ON").unwrap();
    migrate::migrate::<S>(&mut connection).unwrap();
    connection
}

/// Makes a file private that a test has made, as a store's own file is.
pub(super) fn make_private(path: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

/// Applies writes in order.
pub(super) fn write_all<S: Schema>(connection: &Connection, writes: &[S::Write]) {
    for write in writes {
        S::apply(connection, write).unwrap();
    }
}

/// A proxy's writes, unchanged since schema 1: three messages, one finished, one started, one just accepted.
pub(super) fn proxy_story() -> Vec<Write> {
    let done = vec![outcome(0, OutcomeState::Delivered), outcome(1, OutcomeState::Failed)];
    vec![
        Write::Secret(*b"sixteen bytes ok"),
        Write::Bind(binding("ann", udp(), None)),
        Write::Bind(binding(
            "bob",
            Flow { transport: Transport::Tcp, connection: Some(ConnectionId(7)), ..udp() },
            Some("<urn:uuid:1>"),
        )),
        Write::Accept(accepted(1)),
        Write::Accept(accepted(2)),
        Write::Accept(accepted(3)),
        Write::Outcomes { dispatch: DispatchId(1), outcomes: done },
        Write::Report {
            dispatch: DispatchId(1),
            report: ReportRow { cseq: 1, answered: 0, rounds: 0, due_at: None, closed: true },
        },
        Write::Outcomes { dispatch: DispatchId(2), outcomes: vec![outcome(1, OutcomeState::Delivered)] },
        Write::Report {
            dispatch: DispatchId(2),
            report: ReportRow {
                cseq: 2,
                answered: 0,
                rounds: 1,
                due_at: Some(Timestamp::from_millis(1_700_000_060_000)),
                closed: false,
            },
        },
    ]
}

fn udp() -> Flow {
    Flow::udp("127.0.0.1:5060".parse().unwrap(), "127.0.0.1:40000".parse().unwrap())
}

fn binding(user: &str, flow: Flow, instance: Option<&str>) -> BindingRow {
    BindingRow {
        aor: Aor::parse(&format!("{user}@domain.com")).unwrap(),
        contact: Uri::parse(&format!("sip:{user}@127.0.0.1:40000")).unwrap(),
        q_permille: 1000,
        call_id: format!("{user}@bare"),
        cseq: 4,
        instance: instance.map(str::to_owned),
        expires_at: Timestamp::from_millis(1_700_000_600_000),
        flow,
        reach: Reach::Contact,
        path: Vec::new(),
        reg_id: None,
    }
}

/// A submission to Ann, Bob and Ann again.
pub(super) fn accepted(id: u64) -> AcceptedRow {
    let request = format!(
        "MESSAGE sip:ann@domain.com SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:40000;branch=z9hG4bK{id}\r\n\
         Max-Forwards: 70\r\nFrom: <im:james@domain.com>;tag=s{id}\r\nTo: <im:ann@domain.com>\r\n\
         Secondary-To: <im:bob@domain.com>\r\nSecondary-To: <sip:ann@domain.com>\r\nCall-ID: c{id}@bare\r\n\
         CSeq: 1 MESSAGE\r\nProxy-Require: secondary-to\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\n\
         It\u{7}"
    );
    AcceptedRow {
        id: DispatchId(id),
        key: format!("james@domain.com tag s{id} c{id}@bare 1"),
        to_tag: format!("t{id}"),
        accepted_at: Timestamp::from_millis(1_700_000_000_123),
        flow: udp(),
        request: Bytes::from(request),
        recipients: vec![0, 1],
        lists: Vec::new(),
    }
}

fn outcome(recipient: u32, state: OutcomeState) -> OutcomeRow {
    let after = Duration::from_millis(32_000);
    OutcomeRow {
        recipient,
        state,
        status: 408,
        reason: "It's \"late\"".to_owned(),
        tries: 11,
        after,
        waits: None,
    }
}

/// A client's writes, unchanged since schema 1: our messages in every stage, and one received.
pub(super) fn client_story() -> Vec<ours::Write> {
    use ours::{AttemptStage, ConversationId, DeliveryState, MessageId, Write};
    let stages = [
        (1, AttemptStage::Queued, [DeliveryState::Queued, DeliveryState::Queued]),
        (2, AttemptStage::Sent, [DeliveryState::Sending, DeliveryState::Sending]),
        (
            3,
            AttemptStage::Accepted { to_tag: "t3".to_owned() },
            [DeliveryState::Accepted, DeliveryState::Delivered],
        ),
        (4, AttemptStage::Closed, [DeliveryState::Failed, DeliveryState::PassedOn]),
        (5, AttemptStage::Closed, [DeliveryState::NoReport, DeliveryState::Delivered]),
        (6, AttemptStage::Closed, [DeliveryState::Cancelled, DeliveryState::Cancelled]),
        (7, AttemptStage::Closed, [DeliveryState::Deferred, DeliveryState::Delivered]),
    ];
    let mut story = vec![
        Write::Conversation(conversation(1)),
        Write::Conversation(conversation(2)),
        Write::Seen { conversation: ConversationId(1), message: MessageId(4) },
    ];
    for (id, stage, states) in stages {
        story.push(Write::Outgoing(outgoing(id)));
        story.push(Write::Attempt(attempt(id, stage)));
        let states = (0..).zip(states);
        story.extend(states.map(|(recipient, state)| Write::Delivery(delivery(id, recipient, state))));
    }
    story.push(Write::Incoming(incoming(8)));
    story
}

fn people() -> Vec<ours::PersonRow> {
    let person = |user: &str| ours::PersonRow {
        address: format!("sip:{user}@domain.com"),
        name: format!("\"{user}\""),
    };
    vec![person("ann"), person("o'bob")]
}

fn conversation(id: u64) -> ours::ConversationRow {
    ours::ConversationRow { id: ours::ConversationId(id), people: people(), hidden: id == 2 }
}

fn outgoing(id: u64) -> ours::OutgoingRow {
    ours::OutgoingRow {
        id: ours::MessageId(id),
        conversation: ours::ConversationId(1),
        at: Timestamp::from_millis(1_700_000_000_000 + id),
        content_type: "text/plain;charset=utf-8".to_owned(),
        body: Bytes::from_static("gr\u{fc}n\nund blau".as_bytes()),
        recipients: people(),
    }
}

fn attempt(message: u64, stage: ours::AttemptStage) -> ours::AttemptRow {
    ours::AttemptRow {
        message: ours::MessageId(message),
        number: 1,
        recipients: vec![0, 1],
        call_id: format!("c{message}@h"),
        from_tag: format!("f{message}"),
        cseq: 1,
        report: ReportOptions::parse(&format!("each;detail;id=i{message}")).unwrap(),
        way: ours::Way::FanOut,
        asks: false,
        stage,
        at: Timestamp::from_millis(1_700_000_001_000),
    }
}

fn delivery(message: u64, recipient: u32, state: ours::DeliveryState) -> ours::DeliveryRow {
    ours::DeliveryRow {
        message: ours::MessageId(message),
        attempt: 1,
        recipient,
        state,
        status: (recipient == 0).then_some(480),
        phrase: "Away".into(),
        tries: Some(11),
        after: Some(Duration::from_millis(400)),
        at: Timestamp::from_millis(1_700_000_002_000),
    }
}

fn incoming(id: u64) -> ours::IncomingRow {
    ours::IncomingRow {
        id: ours::MessageId(id),
        conversation: ours::ConversationId(2),
        at: Timestamp::from_millis(1_700_000_003_000),
        sent_at: Some(Timestamp::from_millis(1_700_000_002_900)),
        from: people().remove(0),
        also_to: people().split_off(1),
        content_type: "text/plain".to_owned(),
        body: Bytes::from_static(b"Come here."),
        key: "tag 1 MESSAGE call@h".to_owned(),
        verified: true,
    }
}
