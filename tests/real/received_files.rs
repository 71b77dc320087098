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
