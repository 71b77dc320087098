//! `fanfare history`: what it finds and writes, that texts of others stay texts, and that it changes nothing.

use std::path::Path;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use bytes::Bytes;
use fanfare::machine::{Batch, BatchId};
use fanfare::model::journal::{
    AttemptRow, AttemptStage, ConversationId, ConversationRow, DeliveryRow, DeliveryState, IncomingRow,
    MessageId, OutgoingRow, PersonRow, ReportRow, StrangerRow, Way, Write,
};
use fanfare::model::reason::{LocalReason, Phrase};
use fanfare::sip::{File, ReportOptions, enclose};
use fanfare::store::{ClientSchema, Outcome, Store, Writer};
use fanfare::time::Timestamp;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::program::{Ended, Program, fanfare, fanfare_command};

const AT: Timestamp = Timestamp::from_millis(1_793_534_700_007);
const HOSTILE: &str = "=HYPERLINK(\"x\") <script>alert(1)</script>\u{1b}[31m \u{202e}evil";

fn person(user: &str, name: &str) -> PersonRow {
    PersonRow { address: format!("sip:{user}@domain.com"), name: name.to_owned() }
}

fn delivery(
    attempt: u32,
    recipient: u32,
    state: DeliveryState,
    status: Option<u16>,
    phrase: Phrase,
) -> Write {
    let (message, at) = (MessageId(1), AT);
    let after = Some(Duration::from_millis(1400));
    Write::Delivery(DeliveryRow {
        message,
        attempt,
        recipient,
        state,
        status,
        phrase,
        tries: Some(3),
        after,
        at,
    })
}

fn attempt(number: u32, recipients: Vec<u32>) -> Write {
    Write::Attempt(AttemptRow {
        message: MessageId(1),
        number,
        recipients,
        call_id: format!("call{number}@host"),
        from_tag: "tag".to_owned(),
        cseq: 1,
        report: ReportOptions::parse("each;detail;id=token").unwrap(),
        way: Way::FanOut,
        asks: false,
        stage: AttemptStage::Closed,
        at: AT,
    })
}

fn incoming(id: u64, conversation: u64, from: PersonRow, text: &str) -> Write {
    Write::Incoming(IncomingRow {
        id: MessageId(id),
        conversation: ConversationId(conversation),
        at: AT.plus(Duration::from_secs(id)),
        sent_at: None,
        from,
        also_to: Vec::new(),
        content_type: "text/plain;charset=utf-8".to_owned(),
        body: Bytes::copy_from_slice(text.as_bytes()),
        key: format!("key {id}"),
        verified: id != 3,
    })
}

/// One message of ours with a picture, to Ann, who was reached by the second attempt, and Bob, who was not; one from Ann
/// and a hostile one from Eve.
fn story() -> Vec<Write> {
    let file = File {
        name: Some("Gr\u{fc}\u{df}e.png".to_owned()),
        media_type: "image/png".to_owned(),
        bytes: Bytes::from_static(b"\x89PNG"),
    };
    let (content_type, body) = enclose("Come here, \u{130}rem.", &[file]);
    let people = vec![person("ann", ""), person("bob", "Bob")];
    let (message, attempt_number, at) = (MessageId(1), 1, AT);
    vec![
        Write::Conversation(ConversationRow { id: ConversationId(1), people: people.clone(), hidden: false }),
        Write::Conversation(ConversationRow {
            id: ConversationId(2),
            people: vec![person("eve", HOSTILE)],
            hidden: false,
        }),
        Write::Outgoing(OutgoingRow {
            id: message,
            conversation: ConversationId(1),
            at,
            content_type,
            body,
            recipients: people,
        }),
        attempt(1, vec![0, 1]),
        delivery(1, 0, DeliveryState::Failed, Some(486), "Busy Here".into()),
        delivery(1, 1, DeliveryState::Failed, Some(408), LocalReason::NoAnswer.into()),
        attempt(2, vec![0]),
        delivery(2, 0, DeliveryState::Delivered, Some(200), "OK".into()),
        Write::Stranger(StrangerRow {
            message,
            attempt: attempt_number,
            address: "sip:eve@domain.com".to_owned(),
            state: "success".to_owned(),
            status: Some(200),
            phrase: "<b>OK".to_owned(),
            tries: None,
            after: None,
            at,
        }),
        Write::Report(ReportRow {
            message,
            attempt: attempt_number,
            at,
            body: Bytes::from_static(b"sip:ann@domain.com delivery failure;status=486\r\n"),
        }),
        incoming(2, 1, person("ann", ""), "I come at ten."),
        incoming(3, 2, person("eve", HOSTILE), HOSTILE),
    ]
}

/// A window's folder with the story in its store, which stays open while the writer lives.
fn window(folder: &Path) -> Writer<Write> {
    let contacts = "(contacts: [(address: \"sip:ann@domain.com\", name: \"Ann Lee\")])";
    std::fs::write(folder.join("contacts.ron"), contacts).unwrap();
    let store = Store::<ClientSchema>::open(&folder.join("messages.sqlite3")).unwrap();
    let (answered, answers) = sync_channel(1);
    let writer = store.start(move |outcomes| answered.send(outcomes).unwrap()).unwrap();
    writer.commit(Batch { id: BatchId(1), writes: story() }).unwrap();
    assert_eq!(answers.recv().unwrap(), [Outcome::Committed(BatchId(1))]);
    writer
}

fn history(folder: &Path, args: &[&str]) -> Ended {
    let mut command = fanfare_command(&["history"]);
    command.args(args).arg("--data").arg(folder).env("TZ", "UTC");
    Program::start("history", command, None).end()
}

/// Everything printed, byte by byte.
fn output(folder: &Path, args: &[&str]) -> String {
    let mut command = fanfare_command(&["history"]);
    let ended = command.args(args).arg("--data").arg(folder).env("TZ", "UTC").output().unwrap();
    assert!(ended.status.success(), "{ended:?}");
    String::from_utf8(ended.stdout).unwrap()
}

fn is_harmless(text: &str) -> bool {
    !text
        .chars()
        .any(|c| c.is_control() && !matches!(c, '\n' | '\t' | '\r') || matches!(c, '\u{202a}'..='\u{202e}'))
}

#[test]
fn search_finds_while_the_window_has_the_store_open_and_says_where() {
    let folder = TempDir::new().unwrap();
    let _window = window(folder.path());
    let found = history(folder.path(), &["search", "irem", "come"]);
    assert_eq!(found.code(), 0, "{found:?}");
    assert_eq!(found.out, ["1 2026-11-01 12:05:00 to Ann Lee, ~Bob: Come here, \u{130}rem."]);
    let json = history(folder.path(), &["search", "from:\"ann lee\"", "--json"]);
    let told: Value = serde_json::from_str(&json.out[0]).unwrap();
    let expected = json!({
        "message": 2, "conversation": 1, "at": "2026-11-01T12:05:02.007Z",
        "from": {"address": "sip:ann@domain.com", "name": "Ann Lee"}, "to": [],
        "excerpt": "I come at ten.", "marks": [],
    });
    assert_eq!((told, json.out.len()), (expected, 1));
    let hostile = history(folder.path(), &["search", "evil"]);
    assert!(hostile.out[0].contains("[31m ⟨U+202E⟩evil") && is_harmless(&hostile.said()), "{hostile:?}");
    let nothing = history(folder.path(), &["search", "\"NEAR(", "AND"]);
    assert_eq!((nothing.code(), nothing.said().as_str()), (1, ""));
    let wrong = history(folder.path(), &["search", "before:soon"]);
    assert_eq!(wrong.code(), 2);
    assert_eq!(wrong.err, ["fanfare: not a date: \"soon\" (write 2026-11-30, 2026-11 or 2026)"]);
}

#[test]
fn export_writes_all_that_is_there_in_each_format_and_texts_stay_texts() {
    let folder = TempDir::new().unwrap();
    let _window = window(folder.path());
    let text = output(folder.path(), &["export", "--format", "text"]);
    let ours = "1 2026-11-01 12:05:00 me to Ann Lee, ~Bob\n    Come here, \u{130}rem.\n    [Gr\u{fc}\u{df}e.png, image/png, 4 bytes]\n  \
                Ann Lee: delivered: 200 OK\n  ~Bob: failed: 408 No answer from the server\n\n";
    assert!(text.starts_with(ours), "{text}");
    assert!(is_harmless(&text), "{text}");

    let json = output(folder.path(), &["export", "--format", "json", "--with", "ann@domain.com"]);
    let lines: Vec<Value> = json.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.iter().map(|line| line["message"].clone()).collect::<Vec<_>>(), [json!(1), json!(2)]);
    assert_eq!(lines[0]["deliveries"][1]["found"], "no-answer");
    assert_eq!(lines[0]["files"], json!([{"name": "Gr\u{fc}\u{df}e.png", "type": "image/png", "bytes": 4}]));

    let csv = output(folder.path(), &["export", "--format", "csv"]);
    assert!(csv.starts_with(
        "message,conversation,at,from,to,text,files,verified,deliveries\r\n1,1,2026-11-01T12:05:00.007Z,,"
    ));
    assert!(
        csv.contains(",\"'=HYPERLINK(\"\"x\"\") <script>alert(1)</script>[31m ⟨U+202E⟩evil\",,no,\r\n"),
        "{csv}"
    );
    assert!(is_harmless(&csv), "{csv}");

    let html = output(folder.path(), &["export", "--format", "html"]);
    assert!(
        html.contains("<img alt=\"Gr\u{fc}\u{df}e.png\" src=\"data:image/png;base64,iVBORw==\">"),
        "{html}"
    );
    assert!(html.contains("&lt;script&gt;alert(1)&lt;/script&gt;[31m ⟨U+202E⟩evil</p>"), "{html}");
    assert!(!html.contains("<script") && is_harmless(&html), "{html}");

    let nobody = history(folder.path(), &["export", "--format", "json", "--with", "sip:cy@domain.com"]);
    assert_eq!((nobody.code(), nobody.err.len(), nobody.out.len()), (2, 1, 0), "{nobody:?}");
}

#[test]
fn a_file_is_complete_private_and_overwrites_nothing() {
    let folder = TempDir::new().unwrap();
    drop(window(folder.path()));
    let file = folder.path().join("out.html");
    let name = file.to_str().unwrap();
    let written = history(folder.path(), &["export", "--format", "html", "--out", name]);
    assert_eq!((written.code(), written.said().as_str()), (0, ""));
    assert!(std::fs::read_to_string(&file).unwrap().ends_with("</html>\n"));
    use std::os::unix::fs::PermissionsExt;
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let again = history(folder.path(), &["export", "--format", "text", "--out", name]);
    assert_eq!((again.code(), again.err.len()), (2, 1), "{again:?}");
    assert!(again.err[0].contains("already exists"), "{again:?}");
    assert!(std::fs::read_to_string(&file).unwrap().ends_with("</html>\n"));
}

#[test]
fn a_record_has_every_attempt_every_recipient_and_what_was_reported() {
    let folder = TempDir::new().unwrap();
    let _window = window(folder.path());
    let csv = output(folder.path(), &["record", "1", "--format", "csv"]);
    let lines = [
        "message,attempt,call_id,who,address,name,state,status,reason,tries,after_ms,at,",
        "1,1,call1@host,recipient,sip:ann@domain.com,,failed,486,Busy Here,3,1400,2026-11-01T12:05:00.007Z,",
        "1,1,call1@host,recipient,sip:bob@domain.com,Bob,failed,408,No answer from the server,3,1400,2026-11-01T12:05:00.007Z,",
        "1,1,call1@host,other,sip:eve@domain.com,,success,200,<b>OK,,,2026-11-01T12:05:00.007Z,",
        "1,1,call1@host,report,,,,,,,,2026-11-01T12:05:00.007Z,",
        "1,2,call2@host,recipient,sip:ann@domain.com,,delivered,200,OK,3,1400,2026-11-01T12:05:00.007Z,",
        "",
    ];
    let written: Vec<&str> = csv.split("\r\n").collect();
    assert_eq!(written.len(), lines.len(), "{csv}");
    for (line, begin) in written.iter().zip(lines) {
        assert!(line.starts_with(begin), "{line}");
    }

    let told: Value =
        serde_json::from_str(&output(folder.path(), &["record", "1", "--format", "json"])).unwrap();
    let outcome = |value: &Value| (value["state"].clone(), value["attempt"].clone());
    assert_eq!(outcome(&told["outcomes"][0]), (json!("delivered"), json!(2)));
    assert_eq!(outcome(&told["outcomes"][1]), (json!("failed"), json!(1)));
    let first = &told["attempts"][0];
    assert_eq!(
        (&first["call_id"], &first["delivery_report"]),
        (&json!("call1@host"), &json!("each;detail;id=token"))
    );
    assert_eq!(first["recipients"].as_array().unwrap().len(), 2);
    assert_eq!(first["others"][0]["address"], "sip:eve@domain.com");
    assert_eq!(first["reports"][0]["body"], "sip:ann@domain.com delivery failure;status=486\r\n");

    let html = output(folder.path(), &["record", "1", "--format", "html"]);
    for part in [
        "Attempt 2",
        "call1@host",
        "&lt;b&gt;OK",
        "<pre>sip:ann@domain.com delivery failure;status=486\n</pre>",
    ] {
        assert!(html.contains(part), "{part}: {html}");
    }
    let received = history(folder.path(), &["record", "2", "--format", "csv"]);
    assert_eq!(
        (received.code(), received.err.as_slice()),
        (2, ["fanfare: there is no sent message 2".to_owned()].as_slice())
    );
}

/// A capture in which the message passes once, as `fanfare proxy --trace` writes it.
fn capture(path: &Path, call_id: &str) {
    let text = format!(
        "MESSAGE sip:ann@domain.com SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n\
         Max-Forwards: 70\r\nFrom: <sip:james@domain.com>;tag=t\r\nTo: <sip:ann@domain.com>\r\n\
         Call-ID: {call_id}\r\nCSeq: 1 MESSAGE\r\nDelivery-Report: each\r\nContent-Length: 5\r\n\r\nLunch"
    );
    let wire = fanfare::inspect::WireMessage {
        at: Timestamp::from_millis(1),
        direction: None,
        from: ([192, 0, 2, 1], 5060).into(),
        to: ([192, 0, 2, 9], 5060).into(),
        transport: fanfare::sip::Transport::Udp,
        bytes: text.into(),
        mark: None,
    };
    std::fs::write(path, fanfare::runtime::capture::pcapng([&wire]).unwrap()).unwrap();
}

#[test]
fn a_record_names_its_capture_by_the_hash_that_other_programs_compute_too() {
    let folder = TempDir::new().unwrap();
    let _window = window(folder.path());
    let path = folder.path().join("trace.pcapng");
    let name = path.to_str().unwrap();
    capture(&path, "call2@host");
    let sum = std::process::Command::new("sha256sum").arg(&path).output().unwrap();
    let sum = String::from_utf8(sum.stdout).unwrap().split(' ').next().unwrap().to_owned();
    let json = history(folder.path(), &["record", "1", "--format", "json", "--capture", name]);
    assert_eq!((json.code(), json.err.len()), (0, 0), "{json:?}");
    let told: Value = serde_json::from_str(&json.out[0]).unwrap();
    assert_eq!(told["capture"], json!({"file": "trace.pcapng", "sha256": sum, "messages": 1}));
    // The stored delivery took 1.4 s and was known at once.
    let doubt = "A delivery took longer by the server's clock than there was time for by this one.";
    assert_eq!(told["clock"]["doubts"], json!([doubt]));

    capture(&path, "another@host");
    let csv = history(folder.path(), &["record", "1", "--format", "csv", "--capture", name]);
    assert_eq!((csv.code(), csv.err.len()), (0, 1), "{csv:?}");
    assert!(csv.err[0].ends_with("trace.pcapng belongs to message 1"), "{csv:?}");

    std::fs::write(&path, "no capture").unwrap();
    let refused = history(folder.path(), &["record", "1", "--format", "csv", "--capture", name]);
    assert_eq!((refused.code(), refused.out.len()), (2, 0), "{refused:?}");
    assert!(refused.err[0].contains("this is not a capture"), "{refused:?}");
}

#[test]
fn a_folder_without_messages_is_named_and_an_older_store_is_read_and_left_alone() {
    let folder = TempDir::new().unwrap();
    let none = history(folder.path(), &["search", "x"]);
    assert_eq!((none.code(), none.err.len()), (2, 1), "{none:?}");
    assert!(none.err[0].ends_with("there is no such file"), "{none:?}");
    let path = folder.path().join("messages.sqlite3");
    let old = include_str!("../../src/store/old/client_6.sql");
    rusqlite::Connection::open(&path).unwrap().execute_batch(old).unwrap();
    let before = std::fs::read(&path).unwrap();
    let found = history(folder.path(), &["search", "grun blau"]);
    assert_eq!((found.code(), found.out.len(), found.err.len()), (0, 7, 0), "{found:?}");
    assert_eq!(std::fs::read(&path).unwrap(), before);
    let help = fanfare(&["history", "search", "--help"]).end();
    assert!(help.said().contains("has:file"), "{help:?}");
}
