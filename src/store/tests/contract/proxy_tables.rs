//! What the proxy's tables promise.

use super::*;

for_both!(proxy_in_sqlite, proxy_in_memory, crate::store::ProxySchema, crate::store::memory::ProxyMemory:
    a_proxy_gets_back_what_it_wrote,
    a_batch_of_a_proxy_is_applied_whole_or_not_at_all,
    a_message_of_which_nothing_is_owed_comes_back_short,
    a_forgotten_message_is_gone,
    a_running_proxy_reads_a_message_back,
    the_rows_of_a_removed_user_go_and_of_a_signed_out_one_the_bindings
);

fn a_proxy_gets_back_what_it_wrote(mut tables: impl ProxyTables) {
    tables.apply(&group(proxy_story())).unwrap();
    let rows = all_of(&tables);
    assert_eq!(rows.secret, Some(*b"sixteen bytes ok"));
    let users: Vec<_> = rows.bindings.iter().map(|row| (row.aor.as_str(), row.instance.is_some())).collect();
    assert_eq!(users, [("ann@domain.com", false), ("bob@domain.com", true)]);
    let known: Vec<_> = rows
        .dispatches
        .iter()
        .map(|it| {
            let outcomes: Vec<_> = it.outcomes.iter().map(|row| (row.recipient, row.state)).collect();
            (it.accepted.id.0, outcomes, it.report.map(|report| report.closed))
        })
        .collect();
    let (delivered, failed) = (OutcomeState::Delivered, OutcomeState::Failed);
    let expected = [
        (1, vec![(0, delivered), (1, failed)], Some(true)),
        (2, vec![(1, delivered)], Some(false)),
        (3, vec![], None),
    ];
    assert_eq!(known, expected);
    assert_eq!(rows.dispatches[2].accepted, accepted(3));
}

fn a_batch_of_a_proxy_is_applied_whole_or_not_at_all(mut tables: impl ProxyTables) {
    tables.apply(&group(proxy_story())).unwrap();
    let before = all_of(&tables);
    let Write::Outcomes { outcomes, .. } = &proxy_story()[6] else { panic!("outcomes") };
    let of_nothing = Write::Outcomes { dispatch: DispatchId(99), outcomes: outcomes.clone() };
    for refused in [Write::Secret([1; 16]), Write::Accept(accepted(3)), of_nothing] {
        assert!(tables.apply(&group(vec![Write::Forget(DispatchId(1)), refused])).is_err());
        assert_eq!(all_of(&tables), before);
    }
}

fn a_message_of_which_nothing_is_owed_comes_back_short(mut tables: impl ProxyTables) {
    tables.apply(&group(proxy_story())).unwrap();
    let row = proxy::RememberedRow {
        id: DispatchId(1),
        double: [1; 16],
        content: [2; 16],
        to_tag: Tag::new("t1").unwrap(),
        is_reported: true,
        head_bytes: 300,
        keep_until: Timestamp::from_millis(1_700_000_900_000),
    };
    tables
        .apply(&group(vec![
            Write::Remember(row),
            Write::Remember(proxy::RememberedRow { id: DispatchId(99), ..row }),
        ]))
        .unwrap();
    let rows = all_of(&tables);
    assert_eq!((rows.remembered, rows.dispatches.len()), (vec![row], 2));
    tables.apply(&group(vec![Write::Recall(DispatchId(1))])).unwrap();
    let rows = all_of(&tables);
    assert_eq!((rows.remembered.len(), rows.dispatches.len()), (0, 3));
    let recalled = &rows.dispatches[0];
    assert_eq!((recalled.content, recalled.outcomes.len()), (Some([2; 16]), 2));
    assert!(recalled.accepted.request.ends_with(b"\r\n\r\n"), "without its body");
}

fn a_forgotten_message_is_gone(mut tables: impl ProxyTables) {
    tables.apply(&group(proxy_story())).unwrap();
    let flow = all_of(&tables).bindings[1].flow;
    let gone = DispatchId(2);
    tables.apply(&group(vec![Write::Forget(gone), Write::Moved { dispatch: gone, flow }])).unwrap();
    tables.apply(&group(vec![Write::Moved { dispatch: DispatchId(3), flow }])).unwrap();
    let rows = all_of(&tables).dispatches;
    assert_eq!(rows.iter().map(|it| it.accepted.id.0).collect::<Vec<_>>(), [1, 3]);
    assert_eq!(rows[1].accepted.flow, flow);
}

fn a_running_proxy_reads_a_message_back(mut tables: impl ProxyTables) {
    tables.apply(&group(proxy_story())).unwrap();
    let whole = all_of(&tables).dispatches.remove(0);
    let reader: &dyn MessageReader = tables.reader();
    assert_eq!(reader.message(DispatchId(1)).unwrap(), Some(whole));
    assert_eq!(reader.message(DispatchId(99)).unwrap(), None);
}

fn the_rows_of_a_removed_user_go_and_of_a_signed_out_one_the_bindings(mut tables: impl ProxyTables) {
    tables.apply(&group(proxy_story())).unwrap();
    let ann = Aor::parse("ann@domain.com").unwrap();
    let device = |aor: &Aor| proxy::DeviceRow {
        aor: aor.clone(),
        instance: "<urn:uuid:7>".to_owned(),
        seen_at: Timestamp::from_millis(7),
    };
    let bob = Aor::parse("bob@domain.com").unwrap();
    let devices = [&ann, &bob].map(|aor| Write::Device(device(aor)));
    tables.apply(&group(devices.into())).unwrap();
    let purge = Write::Purge { aors: vec![ann], signed_out: Vec::new(), up_to: 0 };
    tables.apply(&group(vec![purge])).unwrap();
    let rows = all_of(&tables);
    assert_eq!(rows.bindings.iter().map(|row| &row.aor).collect::<Vec<_>>(), [&bob]);
    assert_eq!(rows.devices, [device(&bob)]);
    let (instance, contact) = ("<urn:uuid:7>".to_owned(), rows.bindings[0].contact.clone());
    let signed_out = vec![bob.clone()];
    let writes =
        vec![Write::Purge { aors: Vec::new(), signed_out, up_to: 0 }, Write::Bind(rows.bindings[0].clone())];
    tables.apply(&group(writes[..1].to_vec())).unwrap();
    let after = all_of(&tables);
    assert_eq!((after.bindings.len(), after.devices), (0, vec![device(&bob)]));
    tables.apply(&group(writes)).unwrap();
    assert_eq!(all_of(&tables).bindings, rows.bindings, "what comes after it stays");
    tables.apply(&group(vec![Write::ForgetDevice { aor: bob.clone(), instance }])).unwrap();
    tables.apply(&group(vec![Write::Unbind { aor: bob, contact }])).unwrap();
    let rows = all_of(&tables);
    assert_eq!((rows.bindings.len(), rows.devices.len()), (0, 0));
}
