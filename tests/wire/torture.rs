//! RFC 4475: its 49 messages as data, each with what an element makes of it.
//!
//! `rfc4475/INDEX.tsv` says valid or invalid; the table here says more: which status the reader gives, or what it read.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use fanfare::sip::{Contacts, Error, Message, Request, Response, parse};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wire/rfc4475")
}

/// All files by name. All stored copies of baddn lack the final blank line, which is not the fault that it is about.
pub(crate) fn files() -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if let Some(name) = name.strip_suffix(".dat") {
            let mut bytes = std::fs::read(&path).unwrap();
            if name == "baddn" {
                bytes.extend_from_slice(b"\r\n");
            }
            files.insert(name.to_owned(), bytes);
        }
    }
    files
}

fn read(name: &str) -> Result<Message, Error> {
    parse(Bytes::from(files()[name].clone()))
}

fn request(name: &str) -> Request {
    match read(name) {
        Ok(Message::Request(request)) => request,
        other => panic!("{name}: {other:?}"),
    }
}

fn response(name: &str) -> Response {
    match read(name) {
        Ok(Message::Response(response)) => response,
        other => panic!("{name}: {other:?}"),
    }
}

/// Everything that an element which acts on a message reads of it: the typed fields, too.
fn whole(message: &Message) -> Result<(), Error> {
    let fields = match message {
        Message::Request(request) => request.fields(),
        Message::Response(response) => response.fields(),
    };
    fields.max_forwards()?;
    fields.expires()?;
    fields.contacts()?;
    fields.routes("Route")?;
    fields.routes("Record-Route").map(drop)
}

#[test]
fn all_49_behave_as_the_index_says() {
    let index = std::fs::read_to_string(folder().join("INDEX.tsv")).unwrap();
    let files = files();
    let mut seen = 0;
    for line in index.lines().skip(1) {
        let columns: Vec<_> = line.split('\t').collect();
        let name = columns[0].strip_suffix(".dat").unwrap();
        let valid = match (name, columns[2]) {
            // RFC 4475 §3.1.2.12 leaves it to an element that does not use the date to pass over it. We are one: nothing in
            // routing or delivery rests on Date, and W15 passes it on untouched.
            ("baddate", "invalid") => true,
            (_, said) => said == "valid",
        };
        let read = parse(Bytes::from(files[name].clone())).and_then(|message| whole(&message));
        assert_eq!(read.is_ok(), valid, "{name}: {read:?}");
        seen += 1;
    }
    assert_eq!((seen, files.len()), (49, 49));
}

#[test]
fn contacts_are_read() {
    assert!(matches!(request("wsinv").fields().contacts(), Ok(Contacts::List(list)) if list.len() == 1));
    assert_eq!(response("noreason").status(), 100);
}
