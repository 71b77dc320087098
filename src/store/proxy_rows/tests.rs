//! The proxy's rows, written and loaded.

use std::time::Duration;

use bytes::Bytes;

use super::*;
use crate::machine::Flow;
use crate::proxy::journal::{
    AcceptedRow, ListRow, OutcomeRow, OutcomeState, RememberedRow, ReportRow, Tag, WaitRow,
};
use crate::store::testing::{accepted, opened, write_all};
use crate::time::Timestamp;

fn flow() -> Flow {
    Flow::udp("127.0.0.1:5060".parse().unwrap(), "127.0.0.1:40000".parse().unwrap())
}

fn accepted_row(id: u64) -> AcceptedRow {
    AcceptedRow {
        id: DispatchId(id),
        key: format!("james|{id}"),
        to_tag: "t1".to_owned(),
        accepted_at: Timestamp::from_millis(1_700_000_000_123),
        flow: flow(),
        request: Bytes::from_static(b"MESSAGE sip:a@b SIP/2.0\r\n\xff\x00"),
        recipients: vec![0, 2, 1],
        lists: vec![ListRow { place: 1, members: vec![Uri::parse("sip:cy@c;x=y").unwrap()] }],
    }
}

fn outcomes_write(dispatch: DispatchId, outcomes: Vec<OutcomeRow>) -> Write {
    Write::Outcomes { dispatch, outcomes }
}

fn report_row(cseq: u32, due_at: Option<Timestamp>) -> ReportRow {
    ReportRow { cseq, answered: cseq / 2, rounds: 3, due_at, closed: due_at.is_none() }
}

fn outcome_row(recipient: u32, state: OutcomeState) -> OutcomeRow {
    let after = Duration::from_millis(32_000);
    let waits = (state == OutcomeState::Deferred).then(|| WaitRow { branches: 2, devices: Vec::new() });
    OutcomeRow {
        recipient,
        state,
        status: 408,
        reason: "Request \"Timeout\"".to_owned(),
        tries: 11,
        after,
        waits,
    }
}

#[test]
fn what_was_accepted_comes_back_with_its_latest_outcomes_and_report() {
    let connection = opened::<ProxySchema>();
    let (mine, other) = (DispatchId(7), DispatchId(8));
    let early = report_row(1, Some(Timestamp::from_millis(9)));
    let late = report_row(2, None);
    let deferred = |state| vec![outcome_row(0, state)];
    let rest = vec![outcome_row(1, OutcomeState::Delivered), outcome_row(2, OutcomeState::Failed)];
    let moved = Flow { remote: "127.0.0.1:41000".parse().unwrap(), ..flow() };
    write_all::<ProxySchema>(
        &connection,
        &[
            Write::Secret([9; 16]),
            Write::Accept(accepted_row(7)),
            Write::Accept(accepted_row(8)),
            outcomes_write(mine, deferred(OutcomeState::Deferred)),
            outcomes_write(mine, rest.clone()),
            outcomes_write(mine, deferred(OutcomeState::Delivered)),
            outcomes_write(other, Vec::new()),
            Write::Report { dispatch: mine, report: early },
            Write::Report { dispatch: mine, report: late },
            Write::Moved { dispatch: mine, flow: moved },
        ],
    );
    let rows = ProxySchema::load(&connection).unwrap();
    assert_eq!(rows.secret, Some([9; 16]));
    let mut outcomes = deferred(OutcomeState::Delivered);
    outcomes.extend(rest);
    let mut accepted = accepted_row(7);
    accepted.flow = moved;
    assert_eq!(
        rows.dispatches,
        [
            DispatchRows { accepted, outcomes, report: Some(late), content: None },
            DispatchRows { accepted: accepted_row(8), outcomes: vec![], report: None, content: None },
        ]
    );
}

#[test]
fn a_single_outcome_replaces_the_single_one_before_so_that_retries_do_not_pile_up() {
    let connection = opened::<ProxySchema>();
    let again =
        Write::Outcomes { dispatch: DispatchId(7), outcomes: vec![outcome_row(3, OutcomeState::Deferred)] };
    write_all::<ProxySchema>(
        &connection,
        &[Write::Accept(accepted_row(7)), again.clone(), again.clone(), again],
    );
    let rows: i64 = connection.query_row("SELECT count(*) FROM outcome", [], |row| row.get(0)).unwrap();
    assert_eq!(rows, 1);
}

#[test]
fn what_is_forgotten_takes_all_with_it() {
    let connection = opened::<ProxySchema>();
    let report = ReportRow { cseq: 1, answered: 0, rounds: 0, due_at: None, closed: true };
    write_all::<ProxySchema>(
        &connection,
        &[
            Write::Accept(accepted_row(7)),
            Write::Outcomes { dispatch: DispatchId(7), outcomes: vec![outcome_row(0, OutcomeState::Failed)] },
            Write::Report { dispatch: DispatchId(7), report },
            Write::Forget(DispatchId(7)),
        ],
    );
    let left = "SELECT (SELECT count(*) FROM outcome) + (SELECT count(*) FROM report)";
    assert_eq!(connection.query_row(left, [], |row| row.get::<_, i64>(0)).unwrap(), 0);
    assert_eq!(ProxySchema::load(&connection).unwrap(), Rows::default());
}

#[test]
fn an_outcome_of_nothing_is_refused() {
    let connection = opened::<ProxySchema>();
    let stray =
        Write::Outcomes { dispatch: DispatchId(7), outcomes: vec![outcome_row(0, OutcomeState::Failed)] };
    assert!(ProxySchema::apply(&connection, &stray).is_err());
}

#[test]
fn a_binding_is_replaced_and_removed_by_address_and_contact() {
    let connection = opened::<ProxySchema>();
    let contact = Uri::parse("sip:bob@127.0.0.1:5070").unwrap();
    let aor = Aor::parse("bob@domain.com").unwrap();
    let row = BindingRow {
        aor: aor.clone(),
        contact: contact.clone(),
        q_permille: 1000,
        call_id: "c1".to_owned(),
        cseq: 1,
        instance: Some("<urn:uuid:1>".to_owned()),
        expires_at: Timestamp::from_millis(5),
        flow: flow(),
        reach: Reach::Contact,
        path: vec!["<sip:192.0.2.33;lr>".to_owned(), "<sip:192.0.2.34;lr;ob>".to_owned()],
        reg_id: None,
    };
    let newer = BindingRow { cseq: 2, instance: None, reach: Reach::Flow, reg_id: Some(2), ..row.clone() };
    write_all::<ProxySchema>(&connection, &[Write::Bind(row), Write::Bind(newer.clone())]);
    assert_eq!(ProxySchema::load(&connection).unwrap().bindings, [newer]);
    write_all::<ProxySchema>(&connection, &[Write::Unbind { aor, contact }]);
    assert_eq!(ProxySchema::load(&connection).unwrap(), Rows::default());
}

#[test]
fn w16_what_is_owed_to_a_device_comes_back_and_so_does_the_device() {
    let connection = opened::<ProxySchema>();
    let phone = "\"<urn:uuid:1>\"".to_owned();
    let waits = Some(WaitRow { branches: 3, devices: vec![phone.clone(), "tablet".to_owned()] });
    let outcome = OutcomeRow { waits, ..outcome_row(1, OutcomeState::Delivered) };
    let aor = Aor::parse("bob@domain.com").unwrap();
    let device = |instance: &str, at| DeviceRow {
        aor: aor.clone(),
        instance: instance.to_owned(),
        seen_at: Timestamp::from_millis(at),
    };
    write_all::<ProxySchema>(
        &connection,
        &[
            Write::Accept(accepted_row(7)),
            outcomes_write(DispatchId(7), vec![outcome_row(0, OutcomeState::Failed), outcome.clone()]),
            Write::Device(device(&phone, 5)),
            Write::Device(device("tablet", 6)),
            Write::Device(device(&phone, 7)),
            Write::ForgetDevice { aor: aor.clone(), instance: "tablet".to_owned() },
        ],
    );
    let rows = ProxySchema::load(&connection).unwrap();
    assert_eq!(rows.devices, [device(&phone, 7)]);
    assert_eq!(rows.dispatches[0].outcomes, [outcome_row(0, OutcomeState::Failed), outcome]);
}

fn remembered_row(id: u64) -> RememberedRow {
    RememberedRow {
        id: DispatchId(id),
        double: [7; 16],
        content: [8; 16],
        to_tag: Tag::new("0123456789abcdef").unwrap(),
        is_reported: true,
        head_bytes: 300,
        keep_until: Timestamp::from_millis(1_700_000_000_999),
    }
}

#[test]
fn w12_of_a_message_of_which_nothing_is_owed_a_start_reads_one_short_row_and_its_body_is_gone() {
    let connection = opened::<ProxySchema>();
    let report = report_row(2, None);
    let story = [
        Write::Accept(accepted(1)),
        Write::Accept(accepted(2)),
        outcomes_write(DispatchId(1), vec![outcome_row(0, OutcomeState::Failed)]),
        Write::Report { dispatch: DispatchId(1), report },
        Write::Remember(remembered_row(1)),
        // For a message that is not there, nothing is remembered.
        Write::Remember(remembered_row(9)),
    ];
    write_all::<ProxySchema>(&connection, &story);
    let rows = ProxySchema::load(&connection).unwrap();
    assert_eq!(rows.remembered, [remembered_row(1)]);
    assert_eq!(
        rows.dispatches,
        [DispatchRows { accepted: accepted(2), outcomes: vec![], report: None, content: None }]
    );

    // What the report needs is still there.
    let kept = dispatches::read(&connection, DispatchId(1)).unwrap().unwrap();
    let text = String::from_utf8(kept.accepted.request.to_vec()).unwrap();
    let whole = String::from_utf8(accepted(1).request.to_vec()).unwrap();
    assert_eq!(text, whole.replace("Content-Length: 3", "Content-Length: 0").replace("It\u{7}", ""));
    assert_eq!(kept.content, Some([8; 16]));
    assert_eq!((kept.outcomes, kept.report), (vec![outcome_row(0, OutcomeState::Failed)], Some(report)));
    assert_eq!(dispatches::read(&connection, DispatchId(9)).unwrap(), None);

    // Once something is due for it again, it is read whole; once forgotten, nothing is left.
    write_all::<ProxySchema>(&connection, &[Write::Recall(DispatchId(1))]);
    let rows = ProxySchema::load(&connection).unwrap();
    assert_eq!((rows.remembered.len(), rows.dispatches.len()), (0, 2));
    write_all::<ProxySchema>(
        &connection,
        &[Write::Remember(remembered_row(1)), Write::Forget(DispatchId(1)), Write::Forget(DispatchId(2))],
    );
    assert_eq!(ProxySchema::load(&connection).unwrap(), Rows::default());
}

#[test]
fn the_pages_of_a_body_that_went_are_used_again() {
    let connection = opened::<ProxySchema>();
    let pages = || connection.query_row("PRAGMA page_count", [], |row| row.get::<_, u32>(0)).unwrap();
    let large = |id: u64| {
        let head = String::from_utf8(accepted(id).request.to_vec()).unwrap();
        let head = head.replace("Content-Length: 3", "Content-Length: 900000").replace("It\u{7}", "");
        AcceptedRow { request: Bytes::from(head + &"A".repeat(900_000)), ..accepted(id) }
    };
    for id in 1..=3 {
        write_all::<ProxySchema>(
            &connection,
            &[
                Write::Accept(large(id)),
                Write::Remember(RememberedRow { double: [0; 16], ..remembered_row(id) }),
            ],
        );
    }
    let before = pages();
    for id in 4..=50 {
        write_all::<ProxySchema>(
            &connection,
            &[Write::Accept(large(id)), Write::Remember(remembered_row(id))],
        );
    }
    assert!(pages() < before + 30, "{before} pages, then {}", pages());
}

#[test]
fn a_start_does_not_pass_over_what_it_only_remembers() {
    let connection = opened::<ProxySchema>();
    let sql = "EXPLAIN QUERY PLAN SELECT id FROM dispatch WHERE is_brief = 0 ORDER BY id";
    let plan: String = connection.query_row(sql, [], |row| row.get("detail")).unwrap();
    assert!(plan.contains("USING") && plan.contains("dispatch_whole"), "{plan}");
}
