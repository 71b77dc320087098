//! Registering, asking by OPTIONS, retrying, un-registering.

mod connection;
mod options;

use super::*;
use crate::limits::{SERVICE_ROUTE_BYTES_MAX, SERVICE_ROUTES_MAX};
use crate::machine::ConnectFault;
use crate::model::account::ConnectStep;

fn state(stage: &Stage) -> &RegistrationState {
    stage.agent.registration()
}

fn offline_for(stage: &Stage) -> Duration {
    let RegistrationState::Offline { retry_after, .. } = state(stage) else { panic!("{:?}", state(stage)) };
    *retry_after
}

#[test]
fn w6_a_registration_says_where_we_are_and_learns_that_the_proxy_fans_out() {
    let mut stage = Stage::new(&Account { name: "James".to_owned(), ..account() });
    assert!(stage.agent.poll_output().is_none() && stage.agent.poll_timeout().is_none());
    stage.command(AgentCommand::Connect);
    assert_eq!(
        stage.events,
        [Event::Registration(RegistrationState::Connecting(ConnectStep::Asking { is_encrypted: false }))]
    );
    let (flow, request) = stage.take_sent_on("REGISTER");
    assert_eq!(flow, proxy_flow());
    assert!(request.starts_with("REGISTER sip:domain.com SIP/2.0\r\n"), "{request}");
    assert!(field(&request, "Via").starts_with("SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bK"));
    assert!(field(&request, "Via").ends_with(";rport"));
    assert!(field(&request, "From").ends_with(&format!("<sip:james@domain.com>;tag={}", from_tag(&request))));
    assert!(field(&request, "From").contains("James"));
    assert_eq!(field(&request, "To"), "<sip:james@domain.com>");
    assert_eq!(field(&request, "Contact"), format!("<{}>;expires=600", stage.contact()));
    assert_eq!(field(&request, "CSeq"), "1 REGISTER");
    stage.events.clear();
    stage.answer(
        &request,
        "200 OK",
        "Supported: foo, Secondary-To\nContact: <sip:james@127.0.0.1:5070>;expires=600\n",
    );
    assert_eq!(stage.events, [Event::Registration(RegistrationState::Connected)]);
}

#[test]
fn w6_the_proof_is_asked_for_again_at_each_registration() {
    let mut stage = Stage::new(&account());
    stage.register("200 OK", "Supported: path\nExpires: 600\n");
    assert_eq!(*state(&stage), RegistrationState::NoFanOut);
    // The domain, asked as well, states no more than its registrar.
    let asked = stage.take_sent("OPTIONS");
    stage.answer(&asked, "200 OK", "");
    while stage.sent_nothing() {
        stage.advance(Duration::from_secs(1));
    }
    let again = stage.take_sent("REGISTER");
    stage.answer(&again, "200 OK", PROOF);
    assert_eq!(*state(&stage), RegistrationState::Connected);
    stage.send(&ANN_AND_BOB, "Come here.");
    assert!(has_field(&stage.take_sent("MESSAGE"), "Secondary-To"));
}

#[test]
fn a_registration_is_refreshed_before_it_expires() {
    let mut stage = Stage::new(&account());
    stage.command(AgentCommand::Connect);
    let first = stage.take_sent("REGISTER");
    // Our own Contact decides, not another device's and not Expires.
    stage.answer(
        &first,
        "200 OK",
        "Supported: secondary-to\nExpires: 3600\nContact: <sip:james@127.0.0.1:5099>;expires=3000, \
         <sip:james@127.0.0.1:5070>;expires=100\n",
    );
    stage.advance(Duration::from_secs(70));
    assert!(stage.sent_nothing());
    stage.advance(Duration::from_secs(21));
    let second = stage.take_sent("REGISTER");
    assert_eq!(field(&second, "CSeq"), "2 REGISTER");
    assert_eq!(field(&second, "Call-ID"), field(&first, "Call-ID"));
    assert_eq!(*state(&stage), RegistrationState::Connected);
    stage.events.clear();
    stage.answer(&second, "200 OK", "Supported: secondary-to\nExpires: 100\n");
    assert_eq!(stage.events, []);
}

#[test]
fn an_interval_too_brief_is_made_longer() {
    let mut stage = Stage::new(&account());
    stage.command(AgentCommand::Connect);
    for (min_expires, asked) in
        [("Min-Expires: 900\n", "900"), ("", "1800"), ("Min-Expires: 4294967295\n", "86400")]
    {
        let request = stage.take_sent("REGISTER");
        stage.answer(&request, "423 Interval Too Brief", min_expires);
        let again = &stage.sent.last().unwrap().1;
        assert_eq!(field(again, "Expires"), asked);
    }
    let request = stage.take_sent("REGISTER");
    stage.answer(&request, "423 Interval Too Brief", "Min-Expires: 9000\n");
    assert!(matches!(state(&stage), RegistrationState::Refused { status: 423, .. }));
}

#[test]
fn no_answer_is_tried_again_with_growing_waits_up_to_a_cap() {
    let mut stage = Stage::new(&account());
    stage.command(AgentCommand::Connect);
    let mut waits = Vec::new();
    for _ in 0..10 {
        stage.advance(Duration::from_secs(32));
        let registers = stage.sent.iter().filter(|(_, text)| text.starts_with("REGISTER")).count();
        assert_eq!(registers, 11, "Timer E and F of RFC 3261");
        waits.push(offline_for(&stage));
        stage.sent.clear();
        stage.advance(offline_for(&stage));
        assert_eq!(
            *state(&stage),
            RegistrationState::Connecting(ConnectStep::Asking { is_encrypted: false })
        );
    }
    for (step, wait) in waits.iter().enumerate() {
        let full = Duration::from_secs((2 << step).min(120));
        assert!(*wait <= full && *wait >= full * 84 / 100, "step {step}: {wait:?}");
    }
    let request = stage.sent.last().unwrap().1.clone();
    stage.answer(&request, "200 OK", PROOF);
    assert_eq!(*state(&stage), RegistrationState::Connected);
}

#[test]
fn a_busy_server_says_when_to_come_again() {
    let mut stage = Stage::new(&account());
    stage.command(AgentCommand::Connect);
    let request = stage.take_sent("REGISTER");
    stage.answer(&request, "503 Service Unavailable", "Retry-After: 300 (disk);duration=60\n");
    assert_eq!(offline_for(&stage), Duration::from_secs(300));
    stage.advance(Duration::from_secs(299));
    assert!(stage.sent_nothing());
    stage.advance(Duration::from_secs(1));
    stage.take_sent("REGISTER");
}

fn refused_for(stage: &Stage, expected: u16) -> Option<Duration> {
    let RegistrationState::Refused { status, retry_after, .. } = state(stage) else {
        panic!("{:?}", state(stage))
    };
    assert_eq!(*status, expected);
    *retry_after
}

#[test]
fn a_refusal_is_told_and_tried_again_some_minutes_later_each_time_longer() {
    for (status, code) in [
        ("403 Forbidden", 403),
        ("404 Not Found", 404),
        ("302 Moved Temporarily", 302),
        ("606 Not Acceptable", 606),
    ] {
        let mut stage = Stage::new(&account());
        stage.command(AgentCommand::Connect);
        for minutes in [2, 4, 8, 16, 30, 30] {
            let request = stage.take_sent("REGISTER");
            stage.events.clear();
            stage.answer(&request, status, "");
            let wait = refused_for(&stage, code).unwrap();
            let full = Duration::from_secs(minutes * 60);
            assert!(wait <= full && wait >= full * 84 / 100, "{minutes}: {wait:?}");
            stage.advance(wait - Duration::from_millis(1));
            assert!(stage.sent_nothing());
            stage.events.clear();
            stage.advance(Duration::from_millis(1));
            assert_eq!(stage.events, [], "what the server said stands until it says something else");
        }
        // Somebody may have fixed the cause.
        let request = stage.take_sent("REGISTER");
        stage.answer(&request, status, "");
        stage.register("200 OK", PROOF);
        assert_eq!(*state(&stage), RegistrationState::Connected);
    }
}

#[test]
fn retry_after_is_kept_for_any_status() {
    for status in [
        "401 Unauthorized",
        "403 Forbidden",
        "404 Not Found",
        "413 Too Large",
        "486 Busy Here",
        "603 Decline",
    ] {
        for (said, expected) in [
            ("60", 60),
            ("60 (too many wrong passwords)", 60),
            ("60;duration=30", 60),
            (" 60 ; duration=3600", 60),
            ("99999999999999999999", 3600),
        ] {
            let mut stage = Stage::new(&account());
            stage.register(status, &format!("Retry-After: {said}\n"));
            let code = status.split(' ').next().unwrap().parse().unwrap();
            assert_eq!(refused_for(&stage, code), Some(Duration::from_secs(expected)), "{status}: {said}");
            stage.advance(Duration::from_secs(expected - 1));
            assert!(stage.sent_nothing());
            stage.advance(Duration::from_secs(1));
            let request = stage.take_sent("REGISTER");
            stage.answer(&request, "200 OK", PROOF);
            assert_eq!(*state(&stage), RegistrationState::Connected);
        }
    }
    // A server that says "at once" again and again is still asked with pauses.
    let mut stage = Stage::new(&account());
    stage.command(AgentCommand::Connect);
    let mut waits = Vec::new();
    for _ in 0..4 {
        let request = stage.take_sent("REGISTER");
        stage.answer(&request, "403 Forbidden", "Retry-After: 0\n");
        waits.push(refused_for(&stage, 403).unwrap().as_secs_f32());
        stage.advance(refused_for(&stage, 403).unwrap());
    }
    assert!(waits.iter().zip([1.6, 3.3, 6.7, 13.4]).all(|(wait, least)| *wait > least), "{waits:?}");
    // SIP's Retry-After is never a date: treated as absent.
    stage.register("403 Forbidden", "Retry-After: Fri, 31 Dec 2027 23:59:59 GMT\n");
    assert!(refused_for(&stage, 403).unwrap() > Duration::from_secs(60));
}

#[test]
fn the_expiry_of_our_own_binding_is_found_among_others() {
    let instance = "urn:uuid:00112233-4455-4677-a899-aabbccddeeff";
    let other = "urn:uuid:00000000-0000-4000-8000-000000000001";
    let table: &[(&str, u64)] = &[
        ("Contact: <sip:james@127.0.0.1:5070>;expires=100\n", 100),
        ("Contact: <sip:james@127.0.0.1:5070>;expires=\"100\"\n", 100),
        (
            "Contact: <sip:j@198.51.100.9>;expires=3000\nContact: <sip:james@127.0.0.1:5070>;expires=100\n",
            100,
        ),
        // Another Contact that cannot be read.
        (
            "Contact: <sip:j@198.51.100.9:443;x=\"VG8+Po=\">;expires=3000\nContact: <sip:james@127.0.0.1:5070>;expires=100\n",
            100,
        ),
        ("Contact: <sip:[j>;expires=3000, <sip:james@127.0.0.1:5070>;expires=100\n", 100),
        // Rewritten by a border controller: it is the only one, or recognized by its instance.
        ("Contact: <sip:james@198.51.100.7:40000>;expires=100\n", 100),
        (
            "Contact: <sip:j@198.51.100.9>;+sip.instance=\"<OTHER>\";expires=3000, <sip:x@198.51.100.7>;+sip.instance=\"<OWN>\";expires=100\n",
            100,
        ),
        // None is known to be ours: the first to expire may be, but another device's is not.
        ("Contact: <sip:a@198.51.100.7>;expires=3000, <sip:b@198.51.100.8>;expires=100\n", 100),
        (
            "Contact: <sip:a@198.51.100.7>;+sip.instance=\"<OTHER>\";expires=50, <sip:b@198.51.100.8>;expires=100\n",
            100,
        ),
        (
            "Contact: \"a, b\" <sip:a,b@198.51.100.7>;expires=3000, \"J <j>\" <sip:james@127.0.0.1:5070>;expires=100\n",
            100,
        ),
        ("Expires: 100\n", 100),
        ("Contact: <sip:james@127.0.0.1:5070>\nExpires: 100\n", 100),
        // Nothing is stated: the interval asked for applies.
        ("", 600),
        ("Contact: <sip:james@127.0.0.1:5070>;expires=soon\n", 600),
        ("Contact: <sip:james@127.0.0.1:5070>;expires=99999999999\n", 86_400),
    ];
    let many = "Contact: <sip:j@198.51.100.9>;expires=50\n".repeat(150);
    let last = format!("{many}Contact: <sip:james@127.0.0.1:5070>;expires=100\n");
    let last = [(last.as_str(), 100)];
    for (fields, expires) in table.iter().chain(&last) {
        let rows = Rows { instance: Some(instance.to_owned()), ..Rows::default() };
        let mut stage = Stage::with_rows(&account(), rows, start());
        stage.command(AgentCommand::Connect);
        let request = stage.take_sent("REGISTER");
        let fields = fields.replace("OWN", instance).replace("OTHER", other);
        stage.answer(&request, "200 OK", &format!("Supported: secondary-to\n{fields}"));
        let lifetime = Duration::from_secs(*expires);
        stage.advance(lifetime * 9 / 10 * 84 / 100);
        assert!(stage.sent_nothing(), "{fields}: too early");
        stage.advance(lifetime / 10 * 9 - lifetime * 9 / 10 * 84 / 100);
        stage.take_sent("REGISTER");
    }
}

#[test]
fn a_439_has_us_register_without_outbound_once() {
    let rows = || Rows { instance: Some("urn:uuid:0".to_owned()), ..Rows::default() };
    let over_tcp = Account { proxy: format!("tcp:{PROXY}"), ..account() };
    let mut stage = Stage::with_rows(&over_tcp, rows(), start());
    stage.command(AgentCommand::Connect);
    stage.input(Input::Connected { id: ConnectId(1), flow: stream_flow(1) });
    let request = stage.take_sent("REGISTER");
    assert!(field(&request, "Contact").contains(";reg-id=1"));
    assert!(field(&request, "Supported").contains("outbound"));
    let refusal = response(&request, "439 First Hop Lacks Outbound Support", "");
    stage.receive(stream_flow(1), &refusal);
    let request = stage.take_sent("REGISTER");
    assert!(!request.contains("reg-id") && !request.contains("outbound"), "{request}");
    assert_eq!(field(&request, "Supported"), "path", "there is a proxy in front");
    assert!(field(&request, "Contact").contains("+sip.instance"), "which device it is stays of use");
    stage.accept_registration(&request, "");
    // The refresh no longer asks for outbound.
    while !stage.sent.iter().any(|(_, text)| text.starts_with("REGISTER")) {
        stage.advance(Duration::from_secs(1));
    }
    let request = stage.take_sent("REGISTER");
    assert!(!request.contains("reg-id"), "{request}");
    // A server that gives the same answer to that counts as refusing, and is asked some minutes later.
    stage.receive(stream_flow(1), &response(&request, "439 First Hop Lacks Outbound Support", ""));
    assert!(refused_for(&stage, 439).is_some());
    assert!(stage.sent_nothing());
}

#[test]
fn rfc_3327_every_registration_says_that_a_proxy_in_front_may_add_itself() {
    let mut stage = Stage::new(&account());
    stage.command(AgentCommand::Connect);
    let request = stage.take_sent("REGISTER");
    assert_eq!(field(&request, "Supported"), "path", "over datagrams too");
    stage.accept_registration(&request, "Path: <sip:edge.domain.com;lr>\n");
    stage.command(AgentCommand::Disconnect);
    assert_eq!(field(&stage.take_sent("REGISTER"), "Supported"), "path");
}

#[test]
fn leaving_un_registers_and_says_so_when_it_is_answered() {
    let mut stage = Stage::connected();
    stage.command(AgentCommand::Disconnect);
    let request = stage.take_sent("REGISTER");
    assert_eq!(field(&request, "Expires"), "0");
    assert_eq!(field(&request, "Contact"), format!("<{}>;expires=0", stage.contact()));
    assert_eq!(stage.events, []);
    stage.answer(&request, "200 OK", "");
    assert_eq!(stage.events, [Event::Registration(RegistrationState::Idle), Event::Disconnected]);
    stage.advance(Duration::from_secs(7200));
    assert!(stage.sent_nothing());
}

#[test]
fn leaving_does_not_wait_long_for_a_silent_server() {
    let mut stage = Stage::connected();
    stage.command(AgentCommand::Disconnect);
    stage.advance(Duration::from_secs(2));
    assert_eq!(stage.events.last(), Some(&Event::Disconnected));
    stage.sent.clear();
    stage.advance(Duration::from_secs(100));
    assert!(stage.sent_nothing());
}

/// The Routes of a message that is sent after a registration was accepted with these fields.
fn routes_after(stage: &mut Stage, fields: &str) -> Vec<String> {
    stage.command(AgentCommand::Connect);
    let request = stage.take_sent("REGISTER");
    assert!(!has_field(&request, "Route"), "it is for what follows");
    stage.accept_registration(&request, fields);
    stage.send(&ANN_AND_BOB, "Come here.");
    let message = stage.take_sent("MESSAGE");
    stage.answer(&message, "403 Forbidden", "");
    stage.sent.clear();
    message.lines().filter_map(|line| line.strip_prefix("Route: ")).map(str::to_owned).collect()
}

#[test]
fn rfc_3608_messages_take_the_way_that_the_registrar_names() {
    let mut stage = Stage::new(&account());
    let orig = "<sip:orig@p1.example.com:5070;lr>";
    let named = format!(
        "Service-Route: {orig} , \"B\" <sip:p2.example.com;lr>;x=y\nService-Route: <sips:p3.example.com;lr=on>\n"
    );
    let way = [orig, "<sip:p2.example.com;lr>", "<sips:p3.example.com;lr=on>"];
    assert_eq!(routes_after(&mut stage, &named), way);
    // Each success says it anew.
    let none: [&str; 0] = [];
    assert_eq!(routes_after(&mut stage, ""), none);
    for odd in [
        "<sip:p1.example.com>".to_owned(),
        "<sip:p1.example.com;lr>, rubbish".to_owned(),
        "<tel:112>".to_owned(),
        format!("<sip:p1.example.com;lr;x={}>", "x".repeat(SERVICE_ROUTE_BYTES_MAX)),
        ["<sip:p1.example.com;lr>"; SERVICE_ROUTES_MAX + 1].join(", "),
    ] {
        assert_eq!(routes_after(&mut stage, &format!("Service-Route: {odd}\n")), none, "{odd}");
    }
}
