//! The documents of a record whose texts were written by somebody hostile, and whose clock was set back.

use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};

use super::*;
use crate::model::journal::{AttemptStage, ConversationId, DeliveryState, OutgoingRow, Way};
use crate::sip::ReportOptions;

const AT: u64 = 1_793_534_700_007;

fn at(after: u64) -> Timestamp {
    Timestamp::from_millis(AT + after)
}

fn person(address: &str, name: &str) -> PersonRow {
    PersonRow { address: address.to_owned(), name: name.to_owned() }
}

fn delivery(attempt: u32, recipient: u32, state: DeliveryState, phrase: &str, after: u64) -> DeliveryRow {
    DeliveryRow {
        message: MessageId(7),
        attempt,
        recipient,
        state,
        status: Some(486),
        phrase: phrase.into(),
        tries: Some(3),
        after: Some(Duration::from_millis(400)),
        at: at(after),
    }
}

fn attempt(number: u32, recipients: Vec<u32>) -> AttemptRow {
    AttemptRow {
        message: MessageId(7),
        number,
        recipients,
        call_id: format!("=call{number}@host"),
        from_tag: "+tag".into(),
        cseq: number,
        report: ReportOptions::default(),
        way: Way::FanOut,
        asks: false,
        stage: AttemptStage::Closed,
        at: at(900),
    }
}

/// To Ann, who was busy at first, and to somebody whose address and name are formulas and markup.
fn record() -> DeliveryRecord {
    let report = |after: u64, body: &'static str| ReportRow {
        message: MessageId(7),
        attempt: 1,
        at: at(after),
        body: Bytes::from_static(body.as_bytes()),
    };
    DeliveryRecord {
        message: OpenRows {
            outgoing: OutgoingRow {
                id: MessageId(7),
                conversation: ConversationId(1),
                at: at(0),
                content_type: "text/plain".into(),
                body: Bytes::from_static(b"<script>alert(1)</script>"),
                recipients: vec![
                    person("sip:ann@domain.com", "Ann"),
                    person("sip:-1@domain.com", "<img src=x onerror=alert(1)>"),
                ],
            },
            attempts: vec![attempt(1, vec![0, 1]), attempt(2, vec![0])],
            deliveries: vec![
                delivery(1, 0, DeliveryState::Failed, "Busy Here", 500),
                delivery(1, 1, DeliveryState::Failed, "@SUM(1+1)*cmd|' /C calc'!A0", 600),
                delivery(2, 0, DeliveryState::Delivered, "OK", 800),
            ],
        },
        strangers: vec![StrangerRow {
            message: MessageId(7),
            attempt: 1,
            address: "sip:eve@domain.com".into(),
            state: "success".into(),
            status: Some(200),
            phrase: "\u{202e}OK".into(),
            tries: None,
            after: None,
            at: at(500),
        }],
        reports: vec![report(500, "sip:ann@domain.com delivery failure"), report(700, "=2+2\r\n</pre>\0")],
    }
}

fn document(record: &DeliveryRecord, format: RecordFormat) -> String {
    let capture = CaptureIdentity { file: "<a>.pcapng".into(), sha256: "0af3".into(), messages: 4 };
    let zone = TimeZone::fixed(jiff::tz::offset(1));
    let names = Names::default();
    let context =
        RecordContext { names: &names, written_at: at(60_000), zone: &zone, capture: Some(&capture) };
    record.document(format, &context)
}

#[test]
fn the_page_has_all_of_it_and_nothing_that_others_wrote_is_markup() {
    let page = document(&record(), RecordFormat::Html);
    for part in [
        "Delivery record of message 7",
        "2026-11-01 13:05:00.007 +01:00",
        "The times below agree with each other.",
        "&lt;a&gt;.pcapng, 4 SIP messages in it belong to this message; SHA-256 <code>0af3</code>",
        "&lt;script&gt;alert(1)&lt;/script&gt;",
        "&lt;img src=x onerror=alert(1)&gt;</bdi>",
        "Attempt 2",
        "=call1@host",
        "⟨U+202E⟩OK",
        "&lt;/pre&gt;⟨U+0000⟩</pre>",
        "Content-Security-Policy",
        "@media print",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    for tag in ["<script", "<img", "<a", "</pre>⟨", "href", "http://", "https://"] {
        assert!(!page.contains(tag), "{tag}: {page}");
    }
}

#[test]
fn the_json_says_its_version_how_the_clock_stood_and_which_capture_belongs_to_it() {
    let told: Value = serde_json::from_str(&document(&record(), RecordFormat::Json)).unwrap();
    assert_eq!((&told["format"], &told["version"]), (&json!("fanfare-delivery-record"), &json!(1)));
    assert_eq!(told["written_at"], "2026-11-01T12:06:00.007Z");
    assert_eq!(told["clock"], json!({"utc_offset": "+01:00", "doubts": []}));
    assert_eq!(told["capture"], json!({"file": "<a>.pcapng", "sha256": "0af3", "messages": 4}));
    let first = &told["attempts"][0];
    assert_eq!((&first["from_tag"], &first["cseq"]), (&json!("+tag"), &json!(1)));
    let expected = json!({
        "to": {"address": "sip:ann@domain.com", "name": "Ann"}, "state": "failed", "status": 486, "reason": "Busy Here",
        "tries": 3, "after_ms": 400, "attempt": 1, "at": "2026-11-01T12:05:00.507Z",
    });
    assert_eq!(first["recipients"][0], expected);
    assert_eq!(first["reports"][1]["body"], "=2+2\r\n</pre>\0");
    assert_eq!(told["outcomes"][0]["state"], "delivered");
}

#[test]
fn the_csv_has_a_line_for_each_recipient_other_and_report_and_calculates_nothing() {
    let csv = document(&record(), RecordFormat::Csv);
    let end = "2026-11-01T12:06:00.007Z,'+01:00,0af3";
    let expected = [
        "message,attempt,call_id,who,address,name,state,status,reason,tries,after_ms,at,from_tag,cseq,body,written_at,utc_offset,capture_sha256".to_owned(),
        format!("7,1,'=call1@host,recipient,sip:ann@domain.com,Ann,failed,486,Busy Here,3,400,2026-11-01T12:05:00.507Z,'+tag,1,,{end}"),
        format!("7,1,'=call1@host,recipient,sip:-1@domain.com,<img src=x onerror=alert(1)>,failed,486,'@SUM(1+1)*cmd|' /C calc'!A0,3,400,2026-11-01T12:05:00.607Z,'+tag,1,,{end}"),
        format!("7,1,'=call1@host,other,sip:eve@domain.com,,success,200,⟨U+202E⟩OK,,,2026-11-01T12:05:00.507Z,'+tag,1,,{end}"),
        format!("7,1,'=call1@host,report,,,,,,,,2026-11-01T12:05:00.507Z,'+tag,1,sip:ann@domain.com delivery failure,{end}"),
        format!("7,1,'=call1@host,report,,,,,,,,2026-11-01T12:05:00.707Z,'+tag,1,\"'=2+2\n</pre>⟨U+0000⟩\",{end}"),
        format!("7,2,'=call2@host,recipient,sip:ann@domain.com,Ann,delivered,486,OK,3,400,2026-11-01T12:05:00.807Z,'+tag,2,,{end}"),
        String::new(),
    ];
    assert_eq!(csv.split("\r\n").collect::<Vec<_>>(), expected);
}

#[test]
fn times_that_contradict_each_other_are_told() {
    let told = |change: &dyn Fn(&mut DeliveryRecord)| {
        let mut record = record();
        change(&mut record);
        doubts::of(&record, at(60_000))
    };
    assert_eq!(told(&|_| {}), [""; 0]);
    let earlier = Timestamp::from_millis(AT - 1);
    assert_eq!(
        told(&|record| record.message.deliveries[0].at = earlier),
        ["Something is dated before the message was written."]
    );
    assert_eq!(
        told(&|record| record.message.attempts[1].at = at(60_001)),
        ["Something is dated after this record."]
    );
    assert_eq!(
        told(&|record| record.reports[1].at = at(499)),
        ["A report is dated before the one that came before it."]
    );
    assert_eq!(
        told(&|record| record.message.deliveries[0].after = Some(Duration::from_millis(1501))),
        ["A delivery took longer by the server's clock than there was time for by this one."]
    );
    assert_eq!(
        told(&|record| record.message.deliveries[0].after = Some(Duration::from_millis(1500))),
        [""; 0]
    );
}

#[test]
fn where_each_recipient_got_a_message_of_his_own_each_has_its_call_id() {
    let mut record = record();
    record.message.attempts[0].way = Way::OneByOne;
    assert_eq!(record.message.attempts[0].call_ids(), ["=call1@host", "=call1@host-1"]);
    assert_eq!(record.message.attempts[1].call_ids(), ["=call2@host"]);
    let json = document(&record, RecordFormat::Json);
    let json: Value = serde_json::from_str(&json).unwrap();
    let first = &json["attempts"][0]["recipients"];
    assert_eq!(first[1]["call_id"], "=call1@host-1");
    assert!(json["attempts"][1]["recipients"][0]["call_id"].is_null(), "it is the attempt's");
    let html = document(&record, RecordFormat::Html);
    assert!(html.contains("<td>sip:-1@domain.com</td><td><code>=call1@host-1</code></td>"), "{html}");
    let csv = document(&record, RecordFormat::Csv);
    assert!(
        csv.lines().any(|line| line.starts_with("7,1,'=call1@host-1,recipient,sip:-1@domain.com,")),
        "{csv}"
    );
}
