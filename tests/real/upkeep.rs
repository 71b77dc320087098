//! Maintenance of a store: checked and backed up while its proxy runs, restored, and refused if too new.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::common::{Proxy, outcomes};
use crate::program::{Ended, fanfare, fanfare_reading};
use crate::socket::{Answering, Phone, submission};

/// Runs `fanfare proxy VERB ...` until it ends.
fn upkeep(args: &[&str]) -> Ended {
    let ended = fanfare(&[&["proxy"], args].concat()).end();
    ended.assert_no_panic();
    ended
}

fn data(folder: &Path) -> &str {
    folder.to_str().unwrap()
}

/// Writes a schema number into a database's header, where SQLite keeps it.
fn set_schema(store: &Path, schema: u32) {
    let mut bytes = fs::read(store).unwrap();
    bytes[60..64].copy_from_slice(&schema.to_be_bytes());
    fs::write(store, bytes).unwrap();
}

#[test]
fn w11_a_backup_made_while_the_proxy_runs_goes_on_with_what_was_accepted() {
    let proxy = Proxy::start();
    let ann = Phone::new();
    ann.register("ann", proxy.address);
    let bob = Phone::new();
    bob.register("bob", proxy.address);
    let bob = Answering::new(bob, |_, _| Some("200 OK"));
    let james = Phone::new();
    let people = ["im:ann@domain.com", "im:bob@domain.com"];
    let request = submission(james.address, &people, "Delivery-Report: each\r\n", "Through a backup.");
    assert_eq!(james.ask(proxy.address, &request).start(), "SIP/2.0 202 Accepted");
    // Bob's outcome is reported, so it is committed; Ann has not answered yet.
    let told = james.receive_the("NOTIFY");
    james.answer(&told, "200 OK");
    let leg = ann.receive_the("MESSAGE");

    let elsewhere = TempDir::new().unwrap();
    let copy = elsewhere.path().join("copy.sqlite3");
    let args = ["backup", data(&copy), "--data", data(proxy.folder.path())];
    let made = upkeep(&args);
    assert_eq!(made.code(), 0, "{made:?}");
    assert!(made.out[0].ends_with(&format!(" was copied to {}", copy.display())), "{made:?}");
    let before = fs::read(&copy).unwrap();
    let again = upkeep(&args);
    assert_eq!(again.code(), 1, "{again:?}");
    assert!(again.err[0].ends_with("copy.sqlite3 already exists; a backup overwrites nothing"), "{again:?}");
    assert!(fs::read(&copy).unwrap() == before);
    let names: Vec<_> =
        fs::read_dir(elsewhere.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["copy.sqlite3"]);

    // The machine is lost: only the backup is left, and the proxy starts from it.
    let address = proxy.address;
    proxy.program.kill();
    let restored = TempDir::new().unwrap();
    fs::copy(&copy, restored.path().join("proxy.sqlite3")).unwrap();
    let found = upkeep(&["check", "--data", data(restored.path())]);
    assert_eq!(found.code(), 0, "{found:?}");
    assert!(
        found.out.contains(&"1 of them goes on at the next start, to 1 recipient".to_owned()),
        "{found:?}"
    );
    let _proxy = Proxy::start_again(address, restored);
    let resumed = ann.receive_the("MESSAGE");
    assert_eq!(resumed.identity(), leg.identity(), "W15: the same leg");
    ann.answer(&resumed, "200 OK");
    loop {
        let report = james.receive_the("NOTIFY");
        james.answer(&report, "200 OK");
        if report.value("Subscription-State").starts_with("terminated") {
            let success = |person: &str| (person.to_owned(), "success".to_owned());
            assert_eq!(outcomes(&report), people.map(success));
            break;
        }
    }
    assert_eq!(bob.seen().len(), 1, "his 200 was committed");
}

#[test]
fn check_tells_what_it_found_and_ends_with_1_where_something_is_wrong() {
    let proxy = Proxy::start();
    let folder = proxy.folder.path();
    let found = upkeep(&["check", "--data", data(folder)]);
    assert_eq!(found.code(), 0, "{found:?}");
    assert_eq!(found.out[0], format!("store {}", folder.join("proxy.sqlite3").display()));
    assert!(found.out[1].ends_with(", the current one"), "{found:?}");
    assert_eq!(found.out.last().unwrap(), "sound", "{found:?}");

    let james = Phone::new();
    let request = submission(james.address, &["im:nobody@domain.com"], "Delivery-Report: none\r\n", "Hi");
    assert_eq!(james.ask(proxy.address, &request).start(), "SIP/2.0 202 Accepted");
    proxy.program.signal("TERM");
    assert_eq!(proxy.program.end().code(), 0);
    // The settings file may name the folder too.
    let settings = folder.join("proxy.ron");
    fs::write(&settings, format!("(data: {:?})", data(folder))).unwrap();
    let found = upkeep(&["check", "--config", data(&settings)]);
    assert_eq!(found.code(), 0, "{found:?}");
    assert!(found.out.contains(&"1 message accepted".to_owned()), "{found:?}");

    let store = folder.join("proxy.sqlite3");
    let mut bytes = fs::read(&store).unwrap();
    let place = bytes.windows(8).position(|window| window == b"MESSAGE ").unwrap();
    bytes[place..place + 8].fill(0);
    fs::write(&store, bytes).unwrap();
    let found = upkeep(&["check", "--data", data(folder)]);
    assert_eq!(found.code(), 1, "{found:?}");
    assert!(found.out.contains(&"fault: message 1: its request cannot be read".to_owned()), "{found:?}");
    assert_eq!(found.out.last().unwrap(), "not sound", "{found:?}");
    let copy = folder.join("copy");
    let refused = upkeep(&["backup", data(&copy), "--data", data(folder)]);
    assert_eq!(refused.code(), 1, "{refused:?}");
    assert!(refused.err[0].contains("the store is not sound: message 1"), "{refused:?}");
    assert!(!copy.exists());
}

#[test]
fn upkeep_names_what_is_in_its_way() {
    let folder = TempDir::new().unwrap();
    let copy = folder.path().join("copy");
    for (args, code, word) in [
        (vec!["check", "--data", data(folder.path())], 1, "proxy.sqlite3: there is no such file"),
        (
            vec!["backup", data(&copy), "--data", data(folder.path())],
            1,
            "proxy.sqlite3: there is no such file",
        ),
        (vec!["check"], 2, "say where the proxy's store is, with --data DIR or --config FILE"),
        (vec!["backup", "--data", data(folder.path())], 2, "<FILE>"),
        (vec!["check", "--config", "/nowhere/proxy.ron"], 1, "/nowhere/proxy.ron"),
        (vec!["--domain", "domain.com", "check", "--data", data(folder.path())], 2, "check"),
    ] {
        let ended = upkeep(&args);
        assert_eq!(ended.code(), code, "{args:?}: {ended:?}");
        assert!(ended.err.join("\n").contains(word), "{args:?}: {ended:?}");
        assert!(ended.out.is_empty(), "{args:?}: {ended:?}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is made");
}

#[test]
fn a_folder_without_a_store_gets_one_by_add_which_says_so_and_is_refused_by_the_rest() {
    let folder = TempDir::new().unwrap();
    let typo = folder.path().join("typo");
    let change = |args: &[&str]| {
        fanfare_reading(&[&["proxy"], args, &["--data", data(&typo)]].concat(), "sesame\n").end()
    };
    let words = format!(
        "fanfare: there is no proxy store at {}; starting the proxy on that folder, or adding the first \
         user, creates it",
        typo.join("proxy.sqlite3").display()
    );
    for args in [
        &["user", "list"][..],
        &["user", "passwd", "ann@domain.com"],
        &["user", "block", "ann@domain.com", "eve@elsewhere.com"],
        &["alias", "list"],
    ] {
        let refused = change(args);
        assert_eq!(refused.code(), 1, "{refused:?}");
        assert_eq!(refused.err, [&*words], "{refused:?}");
        assert!(!typo.exists(), "nothing is made");
    }
    let made = change(&["user", "add", "ann@domain.com"]);
    assert_eq!(made.code(), 0, "{made:?}");
    let said = format!("fanfare: creating a new store at {}", typo.join("proxy.sqlite3").display());
    assert_eq!(made.err, [&*said], "{made:?}");
    assert_eq!(change(&["user", "list"]).out, ["ann@domain.com"]);
    assert_eq!(change(&["alias", "add", "team@domain.com", "ann@domain.com"]).code(), 0);
}

/// Checks that this command refuses a newer store and leaves it unchanged.
fn newer(store: &Path, verb: &[&str]) {
    set_schema(store, 4711);
    let before = fs::read(store).unwrap();
    let refused = fanfare_reading(verb, "Hi").end();
    refused.assert_no_panic();
    assert_eq!(refused.code(), 2, "{refused:?}");
    assert_eq!(refused.err.len(), 1, "{refused:?}");
    let place =
        format!("cannot use the store {}: it was written by a newer fanfare (schema 4711, ", store.display());
    assert!(
        refused.err[0].contains(&place) && refused.err[0].ends_with("); use that version"),
        "{refused:?}"
    );
    assert!(fs::read(store).unwrap() == before, "it is left as it is");
}

#[test]
fn a_store_of_a_newer_fanfare_is_refused_by_every_program() {
    let proxy = Proxy::start();
    let (udp, client) = (proxy.udp(), TempDir::new().unwrap());
    let send = ["send", "--from", "im:j@domain.com", "--proxy", &udp, "--to", "im:nobody@domain.com"];
    let listen = ["listen", "--as", "im:j@domain.com", "--proxy", &udp];
    let kept = ["--data", data(client.path())];
    fanfare_reading(&[&send[..], &kept].concat(), "Hi").end();
    let messages: PathBuf = client.path().join("messages.sqlite3");
    newer(&messages, &[&send[..], &kept].concat());
    newer(&messages, &[&listen[..], &kept].concat());

    proxy.program.signal("TERM");
    assert_eq!(proxy.program.end().code(), 0);
    let folder = proxy.folder;
    let store = folder.path().join("proxy.sqlite3");
    newer(
        &store,
        &["proxy", "--domain", "domain.com", "--listen", "udp:127.0.0.1:0", "--data", data(folder.path())],
    );
    for args in [vec!["check"], vec!["backup", data(&client.path().join("copy"))]] {
        let refused = upkeep(&[&args[..], &["--data", data(folder.path())]].concat());
        assert_eq!(refused.code(), 1, "{refused:?}");
        assert!(refused.err[0].contains("it was written by a newer fanfare (schema 4711, "), "{refused:?}");
    }
}
