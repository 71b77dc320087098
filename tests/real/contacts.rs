//! `fanfare contacts`: imported, exported and printed by the real program.

use std::fs::{self, File};
use std::path::Path;

use serde_json::{Value, json};

use crate::program::{Ended, fanfare};

const CARDS: &str = "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Zoe\r\nIMPP:sip:zoe@example.com\r\nEND:VCARD\r\n\
                     BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Mail Only\r\nEMAIL:mail@example.com\r\nEND:VCARD\r\n";

fn contacts(folder: &Path, args: &[&str]) -> Ended {
    let mut all = vec!["contacts"];
    all.extend(args);
    all.extend(["--data", folder.to_str().unwrap()]);
    fanfare(&all).end()
}

fn file(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn contacts_are_imported_from_files_of_any_kind_and_listed_in_order() {
    let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let cards = file(other.path(), "cards.vcf", CARDS);
    let table =
        file(other.path(), "table.csv", "Name,SIP address\nÄnne,aenne@example.com\nZoë,zoe@example.com\n");
    let tried = contacts(folder.path(), &["import", &cards, "--dry-run"]);
    assert_eq!(tried.code(), 1, "something was not understood: {tried:?}");
    assert_eq!(tried.out, ["1 contact would be imported, 1 line not understood"]);
    assert!(!folder.path().join("contacts.ron").exists(), "nothing is kept");

    let ended = contacts(folder.path(), &["import", &cards, &table]);
    assert_eq!(ended.code(), 1, "{ended:?}");
    assert_eq!(ended.out, ["2 contacts imported, 1 known under another name, 1 line not understood"]);
    let expected = [
        format!(
            "fanfare: {cards}:6: \"Mail Only\": this vCard has no SIP address; an e-mail address is not taken for one"
        ),
        format!(
            "fanfare: {table}:3: sip:zoe@example.com is known as \"Zoe\", here as \"Zoë\"; the contact stays as it is"
        ),
    ];
    assert_eq!(ended.err, expected);

    let listed = contacts(folder.path(), &["list"]);
    assert_eq!(
        (listed.code(), listed.out),
        (0, vec!["Änne <sip:aenne@example.com>".to_owned(), "Zoe <sip:zoe@example.com>".to_owned()])
    );
    let again = contacts(folder.path(), &["import", &table]);
    assert_eq!(
        (again.code(), again.out),
        (0, vec!["0 contacts imported, 1 already known, 1 known under another name".to_owned()])
    );
}

#[test]
fn what_is_exported_can_be_imported_elsewhere() {
    let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    file(
        folder.path(),
        "contacts.ron",
        r#"(contacts: [(address: "sip:ann@example.com", name: "Lee, Ann")], lists: [(name: "Team", members: ["sip:ann@example.com"])])"#,
    );
    let out = other.path().join("all.vcf");
    let exported = contacts(folder.path(), &["export", "--out", out.to_str().unwrap()]);
    assert_eq!((exported.code(), exported.out.len()), (0, 0), "{exported:?}");
    let printed = contacts(folder.path(), &["export"]);
    assert_eq!(printed.out.join("\r\n") + "\r\n", fs::read_to_string(&out).unwrap());
    let again = contacts(folder.path(), &["export", "--out", out.to_str().unwrap()]);
    assert_eq!(again.code(), 2, "{again:?}");
    assert!(again.said().contains("all.vcf already exists; nothing was written"), "{again:?}");
    let ended = contacts(&other.path().join("profile"), &["import", out.to_str().unwrap()]);
    assert_eq!((ended.code(), ended.out), (0, vec!["1 contact imported, 1 list imported".to_owned()]));
    let listed = contacts(&other.path().join("profile"), &["list", "--json"]);
    let lines: Vec<Value> = listed.out.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let expected = [
        json!({"kind": "contact", "name": "Lee, Ann", "address": "sip:ann@example.com"}),
        json!({"kind": "list", "name": "Team", "members": ["sip:ann@example.com"]}),
    ];
    assert_eq!(lines, expected);
}

#[test]
fn nothing_is_imported_behind_the_back_of_an_open_window_or_over_a_broken_file() {
    let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let cards = file(other.path(), "cards.vcf", CARDS);
    let lock = File::create(folder.path().join("contacts.ron.lock")).unwrap();
    lock.lock().unwrap();
    let refused = contacts(folder.path(), &["import", &cards]);
    assert_eq!(refused.code(), 2, "{refused:?}");
    assert!(
        refused.said().contains("close the window of Fanfare first")
            && refused.said().contains("another running fanfare uses it"),
        "{refused:?}"
    );
    assert_eq!(contacts(folder.path(), &["list"]).code(), 0, "reading is safe");
    drop(lock);

    let broken = file(folder.path(), "contacts.ron", "(contacts: [");
    let refused = contacts(folder.path(), &["import", &cards]);
    assert_eq!(refused.code(), 2, "{refused:?}");
    assert!(refused.said().contains("contacts.ron:1:"), "{refused:?}");
    assert_eq!(fs::read_to_string(broken).unwrap(), "(contacts: [");
    let missing = contacts(other.path(), &["import", "/nonexistent.vcf"]);
    assert_eq!(missing.code(), 2, "{missing:?}");
    assert!(missing.said().contains("cannot read /nonexistent.vcf"), "{missing:?}");
}
