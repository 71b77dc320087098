//! Pages and records.

use super::*;
use crate::limits::{PAGE_BYTES_MAX, PAGE_MESSAGES_MAX, RECIPIENTS_MAX, REPORTS_KEPT_BYTES_MAX};
use crate::model::journal::{ReportRow, StrangerRow};
use crate::store::history::pages::Part;
use crate::store::testing::{opened, write_all};

#[test]
fn a_history_comes_in_pages_that_are_bounded_in_messages_and_in_bytes() {
    let connection = opened::<ClientSchema>();
    let many = PAGE_MESSAGES_MAX as u64 + 5;
    let large = "x".repeat(PAGE_BYTES_MAX / 2);
    let mut writes = vec![conversation(1), conversation(2)];
    writes.extend((1..=many).map(|id| incoming(id, 1, "small")));
    writes.extend((many + 1..=many + 3).map(|id| outgoing(id, 2, &large)));
    write_all::<ClientSchema>(&connection, &writes);
    let reader: &dyn Reader = &connection;
    let pages = |part| {
        let pages = reader.pages(part).map(Result::unwrap);
        pages.map(|page| page.iter().map(|message| message.id().0).collect()).collect::<Vec<Vec<u64>>>()
    };
    let all = pages(Part::All);
    assert_eq!(all.iter().map(Vec::len).collect::<Vec<_>>(), [200, 7, 1]);
    assert_eq!(all.concat(), (1..=many + 3).collect::<Vec<_>>());
    assert_eq!(pages(Part::Of([ConversationId(2)].into())), [vec![206, 207], vec![208]]);
    assert!(pages(Part::Of([ConversationId(3)].into())).is_empty());
    let with =
        |address: &str| reader.conversations_with(address).unwrap().into_iter().map(|id| id.0).collect();
    assert_eq!((with("im:bob@X"), with("ann@x")), (vec![1, 2], vec![]));
}

fn stranger(address: &str, state: &str) -> StrangerRow {
    StrangerRow {
        message: MessageId(1),
        attempt: 1,
        address: address.to_owned(),
        state: state.to_owned(),
        status: Some(486),
        phrase: "Busy Here".to_owned(),
        tries: Some(2),
        after: Some(Duration::from_millis(40)),
        at: Timestamp::from_millis(9),
    }
}

#[test]
fn a_record_has_every_attempt_and_what_reports_said_of_others() {
    let connection = opened::<ClientSchema>();
    let Write::Attempt(first) = attempt(1) else { unreachable!() };
    let Write::Delivery(row) = delivery(1) else { unreachable!() };
    let second = AttemptRow { number: 2, recipients: vec![0], ..first.clone() };
    let failed = DeliveryRow { recipient: 0, state: DeliveryState::Failed, ..row.clone() };
    let again = DeliveryRow { attempt: 2, state: DeliveryState::Delivered, ..failed.clone() };
    let eve = stranger("sip:eve@x", "success");
    let report = |body: &'static [u8]| ReportRow {
        message: MessageId(1),
        attempt: 1,
        at: Timestamp::from_millis(8),
        body: Bytes::from_static(body),
    };
    let writes = vec![
        conversation(1),
        outgoing(1, 1, "x"),
        incoming(2, 1, "y"),
        Write::Attempt(first),
        Write::Attempt(second),
        Write::Delivery(failed.clone()),
        Write::Delivery(row.clone()),
        Write::Delivery(again.clone()),
        Write::Stranger(stranger("sip:eve@x", "eaten")),
        Write::Stranger(eve.clone()),
        Write::Report(report(b"im:a@b delivery success")),
        Write::Report(report(b"im:a@b delivery success")),
        Write::Report(report(b"im:c@d delivery failure")),
    ];
    write_all::<ClientSchema>(&connection, &writes);
    let reader: &dyn Reader = &connection;
    let record = reader.record(MessageId(1)).unwrap().unwrap();
    let attempts: Vec<_> = record.attempts().collect();
    let rows = |index: usize| {
        attempts[index]
            .recipients
            .iter()
            .map(|(person, row)| (person.address.as_str(), *row))
            .collect::<Vec<_>>()
    };
    assert_eq!(rows(0), [("sip:bob@x", &failed), ("sip:ann@x", &row)]);
    assert_eq!(rows(1), [("sip:bob@x", &again)]);
    assert_eq!((attempts[0].strangers.as_slice(), attempts[1].strangers.len()), ([&eve].as_slice(), 0));
    let bodies: Vec<_> = attempts[0].reports.iter().map(|report| report.body.as_ref()).collect();
    assert_eq!(bodies, [b"im:a@b delivery success".as_slice(), b"im:c@d delivery failure"]);
    let outcomes: Vec<_> = record.outcomes().map(|(_, row)| row.unwrap().state).collect();
    assert_eq!(outcomes, [DeliveryState::Delivered, DeliveryState::Delivered]);
    assert_eq!((reader.record(MessageId(2)).unwrap(), reader.record(MessageId(9)).unwrap()), (None, None));
}

#[test]
fn w20_what_reports_say_of_others_and_the_reports_themselves_have_an_end() {
    let connection = opened::<ClientSchema>();
    write_all::<ClientSchema>(&connection, &[conversation(1), outgoing(1, 1, "x"), attempt(1)]);
    for number in 0..RECIPIENTS_MAX + 7 {
        let row = Write::Stranger(stranger(&format!("sip:{number}@x"), "success"));
        write_all::<ClientSchema>(&connection, &[row]);
    }
    for number in 0..20_u8 {
        let body = Bytes::from(vec![number; REPORTS_KEPT_BYTES_MAX / 8]);
        let at = Timestamp::from_millis(1);
        write_all::<ClientSchema>(
            &connection,
            &[Write::Report(ReportRow { message: MessageId(1), attempt: 1, at, body })],
        );
    }
    // One that is known may still change.
    write_all::<ClientSchema>(&connection, &[Write::Stranger(stranger("sip:3@x", "failure"))]);
    let record = connection.record(MessageId(1)).unwrap().unwrap();
    assert_eq!((record.strangers.len(), record.reports.len()), (RECIPIENTS_MAX, 8));
    let known = record.strangers.iter().find(|row| row.address == "sip:3@x").unwrap();
    assert_eq!(known.state, "failure");
}
