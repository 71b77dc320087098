//! What one message costs whoever gets it, at the limits of size: no parser and no loop takes more than n log n. The bound is a
//! hundred times what an optimised build needs (`benches/wire.rs` has the figures), and each of these inputs took longer
//! than that by a parser that is not linear, or would by the next one.

use std::time::Duration;

use fanfare::model::text::{preview, shown};
use fanfare::proxy::Auth;
use fanfare::sip::{
    Cpim, Fields, Framed, Framer, Imdn, Message, ReportOptions, also_to, inner_media_type, parse,
    read_report, recipients, refusal, with_secondary_to,
};
use fanfare::time::Clock;

use crate::hostile::{
    bodies, client, heads, list_request, lists, proxy, report, reported, reports, request, senders,
};

/// An unoptimised build on a busy machine takes up to 0.3 s for any of them.
const MOST: Duration = Duration::from_secs(3);

const JAMES: &str = "<sip:james@domain.com>;tag=1";
const STRANGER: &str = "<sip:eve@elsewhere.org>;tag=1";

#[track_caller]
fn within(name: &str, what: &str, took: Duration) {
    assert!(took < MOST, "{name}, {what}: {took:?}");
}

fn timed(name: &str, what: &str, run: impl FnOnce()) {
    let clock = Clock::start();
    let start = clock.now().mono;
    run();
    within(name, what, clock.now().mono.saturating_duration_since(start));
}

fn read_all(fields: &Fields) {
    drop((fields.from(), fields.to(), fields.top_via(), fields.contacts(), fields.routes("Route")));
    drop((fields.routes("Record-Route"), also_to(fields), recipients(fields), ReportOptions::of(fields)));
    drop((fields.expires(), fields.max_forwards(), fields.has_token("Supported", "x")));
    drop(fields.first_contact());
    drop(fanfare::sip::digest::Credentials::in_realm(fields, "domain.com"));
    drop(fanfare::sip::digest::Challenge::all(fields, "Authorization"));
}

#[test]
fn w13_a_head_at_the_limit_is_read_in_time_in_proportion_to_its_length() {
    let senders =
        senders().into_iter().map(|(name, from)| (name, request("MESSAGE", &from, "", "text/plain", b"x")));
    let heads =
        heads().into_iter().map(|(name, more)| (name, request("MESSAGE", JAMES, &more, "text/plain", b"x")));
    for (name, bytes) in heads.chain(senders) {
        timed(name, "read", || match parse(bytes.clone()) {
            Ok(Message::Request(request)) => read_all(request.fields()),
            Ok(Message::Response(_)) => panic!("{name} is a request"),
            Err(error) => drop(refusal(&bytes, &error, "192.0.2.9:5060".parse().unwrap(), "t")),
        });
        timed(name, "cut out of a stream", || {
            let mut framer = Framer::default();
            for piece in bytes.chunks(1400) {
                framer.push(piece);
                drop(framer.next());
            }
        });
        let response =
            [&b"SIP/2.0 200 OK\r\n"[..], &bytes[bytes.iter().position(|byte| *byte == b'\n').unwrap() + 1..]];
        timed(name, "read as a response", || {
            if let Ok(Message::Response(response)) = parse(response.concat().into()) {
                read_all(response.fields());
            }
        });
    }
}

#[test]
fn w13_a_body_at_the_limit_is_read_in_time_in_proportion_to_its_length() {
    for (name, kind, body) in bodies() {
        timed(name, "shown", || drop(preview(&shown(&kind, &body))));
        timed(name, "looked into", || {
            drop((inner_media_type(&kind, &body), Cpim::parse(&body), Imdn::parse(&body)));
        });
    }
    for (name, body) in reports() {
        timed(name, "read", || drop(read_report(&body)));
    }
    for (name, body) in lists() {
        let Ok(Message::Request(request)) = parse(list_request(JAMES, &body)) else {
            panic!("{name} is a request")
        };
        timed(name, "read", || drop(with_secondary_to(&request)));
    }
}

/// Whoever he is, and whatever he asks for.
#[test]
fn w13_w31_one_request_does_not_hold_the_proxy_up() {
    for auth in [Auth::On, Auth::Off] {
        for (name, more) in heads() {
            for (method, from) in [
                ("MESSAGE", JAMES),
                ("MESSAGE", STRANGER),
                ("REGISTER", "<sip:bob@domain.com>;tag=1"),
                ("INVITE", STRANGER),
                ("ACK", STRANGER),
                ("OPTIONS", STRANGER),
                ("SUBSCRIBE", JAMES),
                ("NOTIFY", STRANGER),
            ] {
                let took = proxy(auth).take(request(method, from, &more, "text/plain", b"x"));
                within(name, method, took);
            }
        }
        for (name, from) in senders() {
            within(name, "MESSAGE", proxy(auth).take(request("MESSAGE", &from, "", "text/plain", b"x")));
        }
        for (name, body) in lists() {
            for from in [JAMES, STRANGER] {
                let mut proxy = proxy(auth);
                within(name, from, proxy.take(list_request(from, &body)));
                let answer = String::from_utf8_lossy(proxy.sent.first().unwrap()).into_owned();
                let status = answer.get(8..11).unwrap();
                let wanted: &[&str] = match (from, auth) {
                    (STRANGER, _) => &["403"],
                    (_, Auth::On | Auth::Md5) => &["407"],
                    (_, Auth::Off) => &["400", "403", "413"],
                };
                assert!(wanted.contains(&status), "{name}: {answer}");
            }
        }
    }
}

#[test]
fn w25_one_message_does_not_hold_the_client_up() {
    for (name, kind, body) in bodies() {
        let bytes = request("MESSAGE", STRANGER, "", &kind, &body);
        within(name, "MESSAGE", client().take(bytes));
    }
    for (name, more) in heads() {
        for method in ["MESSAGE", "NOTIFY", "OPTIONS", "INVITE"] {
            within(name, method, client().take(request(method, STRANGER, &more, "text/plain", b"x")));
        }
    }
    for (name, body) in reports() {
        let (mut client, named) = reported();
        within(name, "NOTIFY", client.take(report(&named, &body)));
        let answer = String::from_utf8_lossy(client.sent.last().unwrap()).into_owned();
        assert!(answer.starts_with("SIP/2.0 200") || answer.starts_with("SIP/2.0 400"), "{name}: {answer}");
    }
}

/// Messages are cut out of a stream whatever is between them.
#[test]
fn w13_line_ends_between_messages_are_passed_in_time_in_proportion_to_their_number() {
    timed("line ends", "passed", || {
        let mut framer = Framer::default();
        let mut pings = 0;
        for piece in b"\r\n".repeat(500_000).chunks(1400) {
            framer.push(piece);
            while let Ok(Some(framed)) = framer.next() {
                pings += u32::from(framed == Framed::Ping);
            }
        }
        assert_eq!(pings, 250_000);
    });
}

/// What a request costs beside what an earlier one left behind: each Contact is compared with each known one.
#[test]
fn w13_a_registration_beside_the_ones_before_does_not_hold_the_proxy_up() {
    let contacts = |first: usize, count: usize, params: usize| {
        let params = |number: usize| {
            let names = (0..params).map(|name| format!(";p{name}={}", "x".repeat(100 + (number + name) % 3)));
            names.collect::<String>()
        };
        let one = |number: usize| {
            format!(
                "Contact: <sip:eve@192.0.2.9;n={number}{}>;+sip.instance=\"<urn:uuid:1>\"\r\n",
                params(number)
            )
        };
        (first..first + count).map(one).collect::<String>()
    };
    let register = |more: &str| request("REGISTER", JAMES, more, "text/plain", b"x");
    let mut proxy = proxy(Auth::Off);
    within("20 Contacts", "REGISTER", proxy.take(register(&contacts(0, 20, 30))));
    within("40 other Contacts", "REGISTER", proxy.take(register(&contacts(100, 40, 30))));
    within("40 with many parameters", "REGISTER", proxy.take(register(&contacts(200, 40, 127))));
    within("a message to him", "MESSAGE", proxy.take(request("MESSAGE", STRANGER, "", "text/plain", b"x")));
}
