//! What is changed from outside reaches a running proxy, whichever store it has.

use super::*;

/// What is changed from outside is told whole, once for each change; `change` makes one.
fn changes_are_told_once(changes: &mut impl Changes, change: impl FnOnce()) {
    assert_eq!(changes.changed().unwrap(), Some(Outside::default()));
    assert_eq!(changes.changed().unwrap(), None);
    change();
    let outside = changes.changed().unwrap().unwrap();
    assert_eq!(outside.aliases, [alias()]);
    assert_eq!(changes.changed().unwrap(), None);
}

fn alias() -> AliasRow {
    let alias = Aor::parse("all@domain.com").unwrap();
    AliasRow { alias, members: vec![Uri::parse("sip:ann@domain.com").unwrap()] }
}

#[test]
fn changes_in_sqlite_are_told_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("proxy.db");
    let _running = Store::<ProxySchema>::open(&path).unwrap();
    let mut changes = Watch::new(&path).unwrap();
    changes_are_told_once(&mut changes, || {
        let connection = rusqlite::Connection::open(&path).unwrap();
        let sql =
            "INSERT INTO alias (alias, place, member) VALUES ('all@domain.com', 0, 'sip:ann@domain.com')";
        connection.execute(sql, []).unwrap();
    });
}

#[test]
fn changes_in_memory_are_told_once_and_an_order_is_carried_out_with_its_batch() {
    let mut tables = ProxyMemory::default();
    let mut changes = tables.changes();
    let outside = tables.changes();
    changes_are_told_once(&mut changes, || outside.change(|outside| outside.aliases.push(alias())));
    let ann = Aor::parse("ann@domain.com").unwrap();
    outside.change(|outside| {
        outside.removed.push(RemovedRow { number: 3, aor: ann.clone(), what: RemovedPart::User });
    });
    let purge = Write::Purge { aors: vec![ann], signed_out: Vec::new(), up_to: 3 };
    let twice = [Write::Secret([1; 16]), Write::Secret([2; 16])];
    assert!(tables.apply(&group([vec![purge.clone()], twice.into()].concat())).is_err());
    assert_eq!(tables.recover().unwrap().removed.len(), 1);
    tables.apply(&group(vec![purge])).unwrap();
    assert_eq!(tables.recover().unwrap().removed.len(), 0);
}
