//! `fanfare listen --save-files`, and what its JSON says of a message.

use tempfile::TempDir;

use crate::common::{Proxy, listener, objects};
use crate::program::fanfare;

#[test]
fn files_are_saved_under_their_names_and_the_json_says_where_when_and_which_message() {
    let proxy = Proxy::start();
    let folder = TempDir::new().unwrap();
    let (sent, into) = (folder.path().join("cat.png"), folder.path().join("received"));
    std::fs::write(&sent, "a picture").unwrap();
    let (sent, into_text) = (sent.to_str().unwrap(), into.to_str().unwrap());
    let bob = listener("bob", &proxy, &["--json", "--trace", "--save-files", into_text]);
    let over = proxy.udp();
    for text in ["One.", "Two."] {
        let to = ["send", "--from", "im:james@domain.com", "--proxy", &over, "--to", "im:bob@domain.com"];
        let ended = fanfare(&[&to[..], &["--text", text, "--file", sent]].concat()).end();
        assert_eq!(ended.code(), 0, "{ended:?}");
    }
    bob.signal("TERM");
    let ended = bob.end();
    assert_eq!(ended.code(), 0, "{ended:?}");
    for (line, name) in objects(&ended.out).iter().zip(["cat.png", "cat (1).png"]) {
        assert_eq!(line["files"][0], "cat.png", "{line}");
        assert_eq!(line["saved"][0], format!("{into_text}/{name}"), "{line}");
        assert_eq!(std::fs::read(into.join(name)).unwrap(), b"a picture");
        let time = line["time"].as_str().unwrap();
        assert!(time.starts_with("20") && time.ends_with('Z') && time.len() == 24, "{time}");
        let id = format!("    Call-ID: {}", line["id"].as_str().unwrap());
        assert!(ended.err.contains(&id), "{id} in {:#?}", ended.err);
    }
    assert_eq!(ended.out.len(), 2, "{ended:?}");
    assert_eq!(std::fs::read_dir(&into).unwrap().count(), 2);
}

#[test]
fn w28_a_message_whose_file_can_be_neither_saved_nor_kept_is_not_told_as_delivered() {
    let proxy = Proxy::start();
    let folder = TempDir::new().unwrap();
    let (sent, into) = (folder.path().join("cat.png"), folder.path().join("received"));
    std::fs::write(&sent, "a picture").unwrap();
    let (sent, into_text) = (sent.to_str().unwrap(), into.to_str().unwrap());
    let kept = folder.path().join("kept");
    let ann =
        listener("ann", &proxy, &["--json", "--save-files", into_text, "--data", kept.to_str().unwrap()]);
    let bob = listener("bob", &proxy, &["--save-files", into_text]);
    std::fs::remove_dir(&into).unwrap();
    std::fs::write(&into, "no folder any more").unwrap();
    let over = proxy.udp();
    let to = ["send", "--from", "im:james@domain.com", "--proxy", &over, "--to", "im:bob@domain.com"];
    let others = ["--to", "im:ann@domain.com", "--text", "Look!", "--file", sent];
    let told = fanfare(&[&to[..], &others].concat()).end();
    assert_eq!(told.code(), 1, "{told:?}");
    assert!(
        told.out.iter().any(|line| line.contains("im:bob@domain.com") && line.contains("503")),
        "{told:?}"
    );

    let bob = bob.end();
    assert_eq!((bob.code(), bob.out.len()), (74, 0), "{bob:?}");
    let why = format!("fanfare: cat.png cannot be saved in {into_text}: Not a directory");
    assert!(bob.err.iter().any(|line| line.starts_with(&why)), "{why} in {:#?}", bob.err);
    // She has it in her folder.
    ann.signal("TERM");
    let ann = ann.end();
    assert_eq!((ann.code(), ann.out.len()), (0, 1), "{ann:?}");
    assert!(objects(&ann.out)[0]["saved"][0].is_null(), "{ann:?}");
}
