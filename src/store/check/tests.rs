//! Sound and broken stores, checked and copied while somebody writes.

use rusqlite::Connection;

use super::*;
use crate::proxy::journal::{DispatchId, OutcomeRow, OutcomeState, Write};
use crate::store::backup::{BackupError, backup};
use crate::store::testing::{accepted, proxy_story, write_all};
use crate::store::{ClientSchema, ProxySchema, Store};

/// A folder with a closed store that contains the test story.
fn store() -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("proxy.sqlite3");
    let store = Store::<ProxySchema>::open(&path).unwrap();
    write_all::<ProxySchema>(&store.file.connection, &proxy_story());
    drop(store);
    (folder, path)
}

fn spoil(path: &Path, sql: &str) {
    Connection::open(path).unwrap().execute_batch(sql).unwrap();
}

#[test]
fn a_sound_store_is_told_in_words() {
    let (_folder, path) = store();
    let before = std::fs::read(&path).unwrap();
    let findings = check::<ProxySchema>(&path).unwrap();
    assert_eq!(findings.audit.faults, [""; 0]);
    assert_eq!(
        findings.audit.contents,
        [
            "3 messages accepted",
            "2 of them go on at the next start, to 3 recipients",
            "0 of these wait in the mailbox",
            "1 report begun and not yet answered",
            "2 bindings",
            "0 users",
            "0 aliases and lists",
        ]
    );
    assert_eq!(
        (findings.schema, findings.newest),
        (ProxySchema::MIGRATIONS.len(), ProxySchema::MIGRATIONS.len())
    );
    assert!(std::fs::read(&path).unwrap() == before, "nothing is changed");
}

#[test]
fn w11_what_a_promise_could_not_rest_on_is_a_fault() {
    for (sql, said) in [
        ("UPDATE dispatch SET recipients = '[]' WHERE id = 3", "message 3: it has no recipients"),
        (
            "UPDATE dispatch SET recipients = '[0, 3]' WHERE id = 2",
            "message 2: it has a recipient whom its request",
        ),
        ("UPDATE dispatch SET recipients = 'x' WHERE id = 2", "its rows cannot be read: "),
        ("UPDATE dispatch SET request = x'00' WHERE id = 1", "message 1: its request cannot be read"),
        ("UPDATE dispatch SET flow = 'by hand'", "its rows cannot be read: "),
        ("UPDATE dispatch SET to_tag = ''", "message 1: the tag of its 202 is missing"),
        ("UPDATE dispatch SET key = 'one'", "messages 1 and 2 are the same submission"),
        (
            "UPDATE dispatch SET is_brief = 1 WHERE id = 2",
            "for 1 message it is not clear whether anything is still owed",
        ),
        ("DELETE FROM secret", "the key that signs the branches of the legs is missing"),
        (
            "UPDATE binding SET contact = 'nowhere at all' WHERE aor LIKE '%ann%'",
            "1 of 2 bindings cannot be read",
        ),
        (
            "PRAGMA foreign_keys = OFF; DELETE FROM dispatch WHERE id = 1",
            "row 1 of outcome names a row of dispatch that is not there",
        ),
    ] {
        let (folder, path) = store();
        spoil(&path, sql);
        let faults = check::<ProxySchema>(&path).unwrap().audit.faults;
        assert!(faults.iter().any(|fault| fault.starts_with(said)), "{sql}: {faults:?}");
        let copy = folder.path().join("copy.sqlite3");
        let refusal = backup::<ProxySchema>(&path, &copy).unwrap_err();
        assert!(matches!(refusal, BackupError::Unsound(_)), "{refusal:?}");
        let names = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
        let others: Vec<_> =
            names.filter(|name| !name.to_string_lossy().starts_with("proxy.sqlite3")).collect();
        assert!(others.is_empty(), "{others:?}");
    }
    let (_folder, path) = store();
    let outcome = OutcomeRow {
        recipient: 9,
        state: OutcomeState::Failed,
        status: 404,
        reason: String::new(),
        tries: 1,
        after: Duration::ZERO,
        waits: None,
    };
    let connection = Connection::open(&path).unwrap();
    write_all::<ProxySchema>(
        &connection,
        &[Write::Outcomes { dispatch: DispatchId(3), outcomes: vec![outcome] }],
    );
    let faults = check::<ProxySchema>(&path).unwrap().audit.faults;
    assert_eq!(faults, ["message 3: it has an outcome for recipient 9, but no such recipient"]);
}

#[test]
fn a_damaged_file_is_a_fault() {
    let (_folder, path) = store();
    let mut bytes = std::fs::read(&path).unwrap();
    let page = 4096;
    assert!(bytes.len() > 3 * page);
    for (byte, change) in bytes[page..].iter_mut().zip((0..251).cycle()) {
        *byte = byte.wrapping_add(change);
    }
    std::fs::write(&path, bytes).unwrap();
    match check::<ProxySchema>(&path) {
        Ok(findings) => assert!(!findings.is_sound(), "{findings:?}"),
        Err(refusal) => assert!(matches!(refusal.kind, OpenErrorKind::NotADatabase), "{refusal}"),
    }
}

#[test]
fn what_is_no_proxys_store_cannot_be_looked_through() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("proxy.sqlite3");
    let kind = |path: &Path| check::<ProxySchema>(path).unwrap_err().kind;
    assert!(matches!(kind(&path), OpenErrorKind::Missing));
    assert!(!path.exists());
    std::fs::write(&path, "").unwrap();
    assert!(matches!(kind(&path), OpenErrorKind::Foreign { .. }));
    std::fs::remove_file(&path).unwrap();
    drop(Store::<ClientSchema>::open(&path).unwrap());
    assert!(matches!(kind(&path), OpenErrorKind::Foreign { .. }));
    let (_folder, path) = store();
    spoil(&path, "PRAGMA user_version = 99");
    assert!(matches!(kind(&path), OpenErrorKind::Newer { found: 99, .. }));
}

#[test]
fn a_backup_holds_what_was_there_while_the_writer_goes_on() {
    let (folder, path) = store();
    let store = Store::<ProxySchema>::open(&path).unwrap();
    let before = store.load().unwrap();
    let copy = folder.path().join("copy.sqlite3");
    // A transaction still open: its row is not in the copy.
    store.file.connection.execute_batch("BEGIN IMMEDIATE").unwrap();
    write_all::<ProxySchema>(&store.file.connection, &[Write::Accept(accepted(4))]);
    backup::<ProxySchema>(&path, &copy).unwrap();
    store.file.connection.execute_batch("COMMIT").unwrap();
    let second = folder.path().join("second.sqlite3");
    backup::<ProxySchema>(&path, &second).unwrap();
    assert_eq!(Store::<ProxySchema>::open(&copy).unwrap().load().unwrap(), before);
    assert_eq!(Store::<ProxySchema>::open(&second).unwrap().load().unwrap().dispatches.len(), 4);
}

#[test]
fn a_backup_overwrites_nothing_and_names_what_is_in_its_way() {
    let (folder, path) = store();
    let taken = folder.path().join("letter.txt");
    std::fs::write(&taken, "to grandmother").unwrap();
    let refusal = backup::<ProxySchema>(&path, &taken).unwrap_err().to_string();
    assert!(refusal.contains("letter.txt already exists"), "{refusal}");
    assert_eq!(std::fs::read_to_string(&taken).unwrap(), "to grandmother");
    let refusal = backup::<ProxySchema>(&path, &path).unwrap_err();
    assert!(matches!(refusal, BackupError::Exists(_)), "{refusal:?}");
    let nowhere = folder.path().join("no/such/folder/copy.sqlite3");
    let refusal = backup::<ProxySchema>(&path, &nowhere).unwrap_err().to_string();
    assert!(refusal.contains("cannot write") && refusal.contains("no/such/folder"), "{refusal}");
    let refusal = backup::<ProxySchema>(&taken, &folder.path().join("copy")).unwrap_err().to_string();
    assert!(refusal.contains("letter.txt") && refusal.contains("not a database"), "{refusal}");
    assert!(!folder.path().join("copy").exists());
}

#[cfg(unix)]
#[test]
fn only_its_owner_may_read_a_backup() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, path) = store();
    let copy = folder.path().join("copy.sqlite3");
    backup::<ProxySchema>(&path, &copy).unwrap();
    assert_eq!(std::fs::metadata(&copy).unwrap().permissions().mode() & 0o077, 0);
}
