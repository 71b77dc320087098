//! Cost of parsing and printing: reading a MESSAGE of 500 bytes, printing a leg, splitting a long Secondary-To, a
//! report both ways.
#![expect(clippy::expect_used, reason = "a bench that cannot go on says so by a panic")]

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::Duration;

use bytes::Bytes;
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use fanfare::client::UserAgent;
use fanfare::proxy::{Auth, Proxy};
use fanfare::sip::{
    Addressed, Leg, LegTemplate, Message, ReportLine, ReportState, Request, Uri, parse, read_report,
    recipients, write_report,
};

#[path = "../tests/wire/hostile.rs"]
mod hostile;

use hostile::stand::Stand;

const DATE: &str = "Sat, 15 Oct 2005 04:44:56 GMT";

/// A submission like a client's, padded with text to 500 bytes.
fn message() -> Bytes {
    let head = "MESSAGE sip:ann@domain.com SIP/2.0\r\n\
        Via: SIP/2.0/UDP jamesmob.domain.com;branch=z9hG4bK776asdhds;rport\r\n\
        Max-Forwards: 70\r\n\
        From: \"James\" <sip:james@domain.com>;tag=49583\r\n\
        To: <sip:ann@domain.com>\r\n\
        Secondary-To: <sip:bob@domain.com>\r\n\
        Contact: <sip:james@jamesmob.domain.com>\r\n\
        Call-ID: asd88asd77a@jamesmob.domain.com\r\n\
        CSeq: 1 MESSAGE\r\n\
        Proxy-Require: secondary-to\r\n\
        Content-Type: text/plain\r\n";
    let body = "x".repeat(500 - head.len() - "Content-Length: 76\r\n\r\n".len());
    let message = format!("{head}Content-Length: {}\r\n\r\n{body}", body.len());
    assert_eq!(message.len(), 500, "the figure is for 500 bytes");
    message.into()
}

fn request(bytes: Bytes) -> Request {
    match parse(bytes) {
        Ok(Message::Request(request)) => request,
        other => panic!("no request: {other:?}"),
    }
}

fn with_secondary_to(count: usize) -> Request {
    let mut list = String::new();
    for number in 1..count {
        write!(list, "<im:person{number}@domain.com>, ").expect("a string takes all");
    }
    let message = String::from_utf8(message().to_vec()).expect("ASCII");
    request(message.replace("<sip:bob@domain.com>", list.trim_end_matches([',', ' '])).into())
}

fn reading(c: &mut Criterion) {
    let bytes = message();
    c.bench_function("parse a MESSAGE of 500 bytes", |b| b.iter(|| parse(black_box(bytes.clone()))));
    let submission = with_secondary_to(101);
    c.bench_function("split a Secondary-To of 100", |b| {
        b.iter(|| recipients(black_box(submission.fields())));
    });
}

fn legs(c: &mut Criterion) {
    for count in [10, 100] {
        let submission = with_secondary_to(count);
        let recipients: Vec<Addressed> = recipients(submission.fields()).expect("a good list");
        assert_eq!(recipients.len(), count, "the figure is for this many");
        let template = LegTemplate::new(&submission, &recipients, DATE);
        let uri = Uri::parse("sip:person5@192.0.2.7:5060").expect("a URI");
        let leg = Leg {
            recipient: 5,
            uri: &uri,
            via: "SIP/2.0/UDP domain.com;branch=z9hG4bKb1sdf87sd8f7",
            from_tag: "leg87sd6f",
            call_id: "8s7df687sdf6@domain.com",
            cseq: 1,
            dialog: None,
            routes: &[],
            expires: None,
            branches: 1,
            asserted: None,
        };
        c.bench_function(&format!("print a leg, N = {count}"), |b| {
            b.iter(|| template.print(black_box(&leg)));
        });
        c.bench_function(&format!("build a leg template, N = {count}"), |b| {
            b.iter(|| LegTemplate::new(black_box(&submission), &recipients, DATE));
        });
    }
}

fn reports(c: &mut Criterion) {
    let line = |number: usize| ReportLine {
        address: format!("im:person{number}@domain.com"),
        state: if number.is_multiple_of(7) { ReportState::Failure } else { ReportState::Success },
        status: Some(200),
        reason: Some("OK".to_owned()),
        tries: Some(1),
        after: Some(Duration::from_millis(32)),
    };
    let lines: Vec<_> = (0..100).map(line).collect();
    let report = write_report(&lines, true);
    c.bench_function("write a report of 100 lines", |b| b.iter(|| write_report(black_box(&lines), true)));
    c.bench_function("read a report of 100 lines", |b| b.iter(|| read_report(black_box(report.as_bytes()))));
}

/// Cost of one message for its receiver at the size limits: the inputs of `tests/wire/cost.rs`.
fn limits(c: &mut Criterion) {
    let mut group = c.benchmark_group("at the limit");
    group
        .sample_size(10)
        .warm_up_time(Duration::from_millis(10))
        .measurement_time(Duration::from_millis(100));
    let (james, stranger) = ("<sip:james@domain.com>;tag=1", "<sip:eve@elsewhere.org>;tag=1");
    let mut at_proxy = |name: &str, auth: Auth, bytes: &Bytes| {
        group.bench_function(name, |b| {
            let run = |stand: &mut Stand<Proxy>| stand.take(bytes.clone());
            b.iter_batched_ref(|| hostile::proxy(auth), run, BatchSize::PerIteration);
        });
    };
    for (name, more) in hostile::heads() {
        let from = |from| hostile::request("MESSAGE", from, &more, "text/plain", b"x");
        at_proxy(&format!("proxy, a stranger: {name}"), Auth::On, &from(stranger));
        at_proxy(&format!("proxy, no password: {name}"), Auth::On, &from(james));
        at_proxy(&format!("proxy, a user: {name}"), Auth::Off, &from(james));
    }
    for (name, from) in hostile::senders() {
        at_proxy(
            &format!("proxy, no password: {name}"),
            Auth::On,
            &hostile::request("MESSAGE", &from, "", "text/plain", b"x"),
        );
    }
    for (name, body) in hostile::lists() {
        at_proxy(&format!("proxy, a stranger: {name}"), Auth::On, &hostile::list_request(stranger, &body));
        at_proxy(&format!("proxy, a user: {name}"), Auth::Off, &hostile::list_request(james, &body));
    }
    let mut at_client = |name: &str, bytes: &Bytes| {
        group.bench_function(name, |b| {
            let run = |stand: &mut Stand<UserAgent>| stand.take(bytes.clone());
            b.iter_batched_ref(hostile::client, run, BatchSize::PerIteration);
        });
    };
    for (name, kind, body) in hostile::bodies() {
        at_client(&format!("client: {name}"), &hostile::request("MESSAGE", stranger, "", &kind, &body));
    }
    for (name, body) in hostile::reports() {
        group.bench_function(format!("client, a report: {name}"), |b| {
            let take =
                |(stand, named): &mut (Stand<UserAgent>, String)| stand.take(hostile::report(named, &body));
            b.iter_batched_ref(hostile::reported, take, BatchSize::PerIteration);
        });
    }
    group.finish();
}

criterion_group!(wire, reading, legs, reports, limits);
criterion_main!(wire);
