//! 3xx to our requests (RFC 3261 §8.1.3.4): followed, bounded, never out of TLS, and without credentials for strangers.

use super::*;
use crate::limits::{REDIRECT_STEPS_MAX, REDIRECT_TARGETS_MAX};
use crate::machine::{ConnectFault, ResolveId};
use crate::model::account::{ConnectStep, Password};
use crate::model::reason::LocalReason;

const SECOND: &str = "127.0.0.2:5070";

fn udp(remote: &str) -> Flow {
    Flow::udp(OWN.parse().unwrap(), remote.parse().unwrap())
}

fn hop(transport: Transport, remote: &str) -> Hop {
    Hop { transport, remote: remote.parse().unwrap() }
}

fn with_password() -> Account {
    let sign_in = SignIn { password: Password::new("secret".to_owned()), ..SignIn::default() };
    Account { sign_in, ..account() }
}

/// Accepted by a server that gives no proof of fan-out and has asked for the password.
fn plain() -> Stage {
    let mut stage = Stage::new(&with_password());
    stage.register("407 Proxy Authentication Required", &asks("domain.com"));
    let request = stage.take_sent("REGISTER");
    stage.answer(&request, "200 OK", "Expires: 600\n");
    stage.sent.clear();
    stage
}

fn asks(realm: &str) -> String {
    format!("Proxy-Authenticate: Digest realm=\"{realm}\", nonce=\"n\"\n")
}

/// The latest look-up: its number and name.
fn asked(stage: &Stage) -> (ResolveId, String) {
    stage.resolves.last().cloned().expect("a question")
}

fn phrase(stage: &Stage) -> String {
    let of = |write: &Write| {
        let Write::Delivery(row) = write else { return None };
        Some(row.phrase.to_string())
    };
    stage.rows.iter().rev().find_map(of).unwrap()
}

#[test]
fn a_registration_goes_where_it_is_sent_and_all_else_after_it() {
    let mut stage = Stage::new(&account());
    stage.command(AgentCommand::Connect);
    let first = stage.take_sent("REGISTER");
    stage.answer(
        &first,
        "302 Moved Temporarily",
        &format!("Contact: <mailto:help@domain.com>, <tel:+1>, <sip:x@127.0.0.9>;q=0.2, <sip:james@{SECOND}>;q=0.9\n"),
    );
    let (flow, again) = stage.take_sent_on("REGISTER");
    assert_eq!(flow, udp(SECOND));
    assert!(again.starts_with(&format!("REGISTER sip:{SECOND} SIP/2.0\r\n")), "{again}");
    assert_eq!((field(&again, "Call-ID"), field(&again, "CSeq")), (field(&first, "Call-ID"), "2 REGISTER"));
    assert_eq!(stage.agent.redirected_to().as_deref(), Some(format!("sip:{SECOND}").as_str()));
    stage.receive(udp(SECOND), &response(&again, "200 OK", PROOF));
    assert_eq!(*stage.agent.registration(), RegistrationState::Connected);
    stage.send(&["im:ann@domain.com"], "x");
    let (flow, message) = stage.take_sent_on("MESSAGE");
    assert_eq!(flow, udp(SECOND));
    assert!(message.starts_with("MESSAGE sip:ann@domain.com SIP/2.0\r\n"), "{message}");
    // Requests may now come from there, and still from the account's own server.
    for (flow, call_id) in [(udp(SECOND), "c1"), (proxy_flow(), "c2")] {
        stage.sent.clear();
        let leg = stage.to_contact(&inbox::leg(call_id, "", "x"));
        stage.receive(flow, &leg);
        assert!(stage.sent[0].1.starts_with("SIP/2.0 200 "), "{flow}");
    }
    // The target fails, and the account returns to its own server.
    stage.no_way();
    assert_eq!(stage.agent.redirected_to(), None);
    stage.sent.clear();
    stage.advance(Duration::from_secs(2));
    assert_eq!(stage.take_sent_on("REGISTER").0, proxy_flow());
}

#[test]
fn a_name_that_a_redirect_says_is_looked_up_and_a_305_keeps_the_request_uri() {
    let mut stage = Stage::new(&account());
    stage.command(AgentCommand::Connect);
    let request = stage.take_sent("REGISTER");
    stage.answer(&request, "305 Use Proxy", "Contact: <sip:edge.domain.com;transport=tcp>\n");
    assert_eq!(asked(&stage).1, "sip:edge.domain.com;transport=tcp");
    let (id, _) = asked(&stage);
    stage.input(Input::Resolved { id, hops: vec![hop(Transport::Tcp, PROXY)] });
    assert_eq!(stage.domains, ["edge.domain.com"]);
    stage.input(Input::Connected { id: ConnectId(1), flow: stream_flow(1) });
    let request = stage.take_sent("REGISTER");
    assert!(request.starts_with("REGISTER sip:domain.com SIP/2.0\r\n"), "{request}");
    stage.accept_registration(&request, "");
}

#[test]
fn a_server_that_sends_us_round_and_round_is_given_up() {
    let mut stage = Stage::new(&account());
    stage.command(AgentCommand::Connect);
    let mut sent = 0;
    while let Some((flow, request)) = stage.sent.pop() {
        sent += 1;
        let there = 5070 + sent;
        let fields = format!("Contact: <sip:127.0.0.2:{there}>, <sip:127.0.0.3:{there}>, <sip:{PROXY}>\n");
        stage.receive(flow, &response(&request, "302 Moved Temporarily", &fields));
        assert!(sent < 100);
    }
    assert!(sent <= 1 + usize::from(REDIRECT_STEPS_MAX).max(REDIRECT_TARGETS_MAX), "{sent}");
    assert!(matches!(stage.agent.registration(), RegistrationState::Refused { status: 302, .. }));
    // A server that redirects to itself is asked once more, in the spelling that it gave.
    let mut stage = Stage::new(&account());
    stage.command(AgentCommand::Connect);
    let mut sent = 0;
    while let Some((flow, request)) = stage.sent.pop() {
        sent += 1;
        let fields = format!("Contact: <sip:{PROXY}>\n");
        stage.receive(flow, &response(&request, "301 Moved Permanently", &fields));
    }
    assert_eq!(sent, 2);
}

#[test]
fn w32_a_redirect_does_not_leave_tls() {
    for (address, contacts, followed) in [
        ("sips:james@domain.com", "<sip:127.0.0.2>, <sip:127.0.0.2;transport=tls>", None),
        ("sips:james@domain.com", "<sip:127.0.0.2>;q=1, <sips:127.0.0.3>;q=0.1", Some("127.0.0.3:5061")),
        ("sip:james@domain.com", "<sip:127.0.0.2>, <sip:127.0.0.2;transport=tcp>", None),
        ("sip:james@domain.com", "<sip:127.0.0.2:5071;transport=tls>", Some("127.0.0.2:5071")),
    ] {
        let proxy = "tls:127.0.0.1:5061".to_owned();
        let mut stage = Stage::new(&Account { address: address.to_owned(), proxy, ..account() });
        stage.command(AgentCommand::Connect);
        let flow =
            Flow { transport: Transport::Tls, remote: "127.0.0.1:5061".parse().unwrap(), ..stream_flow(3) };
        stage.input(Input::Connected { id: ConnectId(1), flow });
        let request = stage.take_sent("REGISTER");
        let fields = format!("Contact: {contacts}\n");
        stage.receive(flow, &response(&request, "302 Moved Temporarily", &fields));
        let opened = stage.connects.get(1).map(|(_, hop)| (hop.transport, hop.remote.to_string()));
        assert_eq!(opened, followed.map(|to| (Transport::Tls, to.to_owned())), "{contacts}");
        assert!(stage.sent_nothing());
    }
}

#[test]
fn credentials_go_to_no_realm_that_a_place_outside_of_the_domain_makes_up() {
    for (contact, realm, is_answered) in [
        ("<sip:127.0.0.2:5070>", "trap.example", false),
        ("<sip:127.0.0.2:5070>", "domain.com", true),
        ("<sip:sip.domain.com>", "asterisk", true),
        ("<sip:sip.domain.com.trap.example>", "asterisk", false),
    ] {
        let mut stage = Stage::new(&with_password());
        stage.register("302 Moved Temporarily", &format!("Contact: {contact}\n"));
        if let Some((id, _)) = stage.resolves.first().cloned() {
            stage.input(Input::Resolved { id, hops: vec![hop(Transport::Udp, SECOND)] });
        }
        let (flow, request) = stage.take_sent_on("REGISTER");
        stage.receive(flow, &response(&request, "407 Proxy Authentication Required", &asks(realm)));
        let said = stage.sent.iter().any(|(_, text)| has_field(text, "Proxy-Authorization"));
        assert_eq!(said, is_answered, "{contact} {realm}");
    }
}

#[test]
fn a_message_follows_a_redirect_straight_to_its_target_without_credentials() {
    let mut stage = plain();
    stage.send(&["im:ann@domain.com"], "Come here.");
    let first = stage.take_sent("MESSAGE");
    assert!(has_field(&first, "Proxy-Authorization"));
    stage.answer(
        &first,
        "302 Moved Temporarily",
        "Contact: <tel:+1>, \"a, b\" <sip:ann@elsewhere.example?body=x>;q=0.7\n",
    );
    let (id, name) = asked(&stage);
    assert_eq!(name, "sip:ann@elsewhere.example");
    stage.input(Input::Resolved { id, hops: vec![hop(Transport::Udp, SECOND)] });
    let (flow, again) = stage.take_sent_on("MESSAGE");
    assert_eq!(flow, udp(SECOND));
    assert!(again.starts_with("MESSAGE sip:ann@elsewhere.example SIP/2.0\r\n"), "{again}");
    assert!(!has_field(&again, "Proxy-Authorization") && !has_field(&again, "Authorization"), "{again}");
    for name in ["From", "To", "Call-ID"] {
        assert_eq!(field(&again, name), field(&first, name), "{name}");
    }
    assert_eq!((field(&first, "CSeq"), field(&again, "CSeq")), ("1 MESSAGE", "2 MESSAGE"));
    stage.receive(udp(SECOND), &response(&again, "200 OK", ""));
    assert_eq!(stage.stored(1), [DeliveryState::Delivered]);
    assert_eq!(phrase(&stage), "Redirected to sip:ann@elsewhere.example");
}

/// Where a message goes that the server at this address redirects to a name that leads to these places: connections, and
/// how many datagrams.
fn led_to(server: &str, places: &[(Transport, &str)]) -> (Vec<String>, usize) {
    let mut stage = Stage::new(&Account { proxy: format!("udp:{server}"), ..account() });
    stage.input(Input::Interfaces(["10.0.0.4", "203.0.113.4"].map(|ip| ip.parse().unwrap()).into()));
    stage.command(AgentCommand::Connect);
    let request = stage.take_sent("REGISTER");
    stage.receive(udp(server), &response(&request, "200 OK", "Expires: 600\n"));
    stage.send(&["im:ann@domain.com"], "PING\nSET hacked 1\nQUIT");
    let first = stage.take_sent("MESSAGE");
    stage.receive(
        udp(server),
        &response(&first, "302 Moved Temporarily", "Contact: <sip:ann@else.example>\n"),
    );
    let (id, _) = asked(&stage);
    stage.sent.clear();
    let hops = places.iter().map(|(transport, place)| hop(*transport, place)).collect();
    stage.input(Input::Resolved { id, hops });
    while let Some((id, _)) = stage.connects.last().copied().filter(|_| stage.sent.is_empty()) {
        stage.input(Input::ConnectFailed { id, fault: ConnectFault::Unreachable });
        if stage.connects.last().is_some_and(|(last, _)| *last == id) {
            break;
        }
    }
    stage.advance(Duration::from_secs(40));
    let datagrams = stage.sent.iter().filter(|(_, text)| text.starts_with("MESSAGE")).count();
    (stage.connects.iter().map(|(_, hop)| hop.remote.to_string()).collect(), datagrams)
}

#[test]
fn a_redirect_leads_no_nearer_than_the_server_is_and_sends_little() {
    let near = [
        (Transport::Tcp, "127.0.0.1:6379"),
        (Transport::Udp, "[::1]:6379"),
        (Transport::Tcp, "169.254.169.254:80"),
        (Transport::Tcp, "10.0.0.1:25"),
        (Transport::Udp, "192.168.1.1:53"),
        (Transport::Tcp, "203.0.113.4:6379"),
        (Transport::Udp, "[::ffff:203.0.113.4]:6379"),
    ];
    assert_eq!(led_to("192.0.2.9:5060", &near), (vec![], 0));
    assert_eq!(
        led_to("10.0.0.9:5060", &near[..4]),
        (vec!["10.0.0.1:25".to_owned()], 0),
        "the server is near too"
    );
    assert_eq!(led_to("127.0.0.1:5060", &near[..1]), (vec!["127.0.0.1:6379".to_owned()], 0));
    let own = [(Transport::Tcp, "10.0.0.4:6379")];
    assert_eq!(led_to("10.0.0.9:5060", &own), (vec![], 0), "an address of this computer");
    assert_eq!(led_to("203.0.113.4:5060", &own), (vec!["10.0.0.4:6379".to_owned()], 0), "as the server's is");
    // Whoever is there may never have asked for it.
    assert_eq!(led_to("192.0.2.9:5060", &[(Transport::Udp, "198.51.100.7:5060")]), (vec![], 3));
}

#[test]
fn a_registration_is_led_no_nearer_than_the_server_is_either() {
    let interfaces = || Input::Interfaces(["203.0.113.4".parse().unwrap()].into());
    for target in ["127.0.0.1:6379", "203.0.113.4:6379", "10.0.0.1:25", "near.example"] {
        let mut stage = Stage::new(&Account { proxy: "udp:192.0.2.9:5060".to_owned(), ..account() });
        stage.input(interfaces());
        stage.command(AgentCommand::Connect);
        let first = stage.take_sent("REGISTER");
        let moved = response(
            &first,
            "302 Moved Temporarily",
            &format!("Contact: <sip:SET%20x@{target};transport=tcp>\n"),
        );
        stage.receive(udp("192.0.2.9:5060"), &moved);
        if let Some((id, _)) = stage.resolves.last().cloned() {
            let hops = [(Transport::Tcp, "127.0.0.1:6379"), (Transport::Udp, "203.0.113.4:53")];
            stage
                .input(Input::Resolved { id, hops: hops.map(|(transport, at)| hop(transport, at)).to_vec() });
        }
        stage.advance(Duration::from_secs(5));
        assert_eq!(stage.connects, [], "{target}");
        assert!(stage.sent.iter().all(|(flow, _)| flow.remote.ip().to_string() == "192.0.2.9"), "{target}");
    }
}

#[test]
fn a_target_that_asks_for_a_password_gets_none_and_the_next_one_is_tried() {
    let mut stage = plain();
    stage.send(&["im:ann@domain.com"], "Come here.");
    let first = stage.take_sent("MESSAGE");
    stage.answer(
        &first,
        "300 Multiple Choices",
        "Contact: <sip:ann@one.example>\nContact: <sip:ann@two.example>;q=0.1\n",
    );
    let (id, _) = asked(&stage);
    stage.input(Input::Resolved { id, hops: vec![hop(Transport::Udp, SECOND)] });
    let again = stage.take_sent("MESSAGE");
    stage.receive(udp(SECOND), &response(&again, "407 Proxy Authentication Required", &asks("domain.com")));
    assert!(stage.sent_nothing(), "{:?}", stage.sent);
    let (id, name) = asked(&stage);
    assert_eq!(name, "sip:ann@two.example");
    // Nobody is there: this ends it, and the owner is told at which address.
    stage.input(Input::Resolved { id, hops: vec![] });
    assert_eq!(stage.stored(1), [DeliveryState::Failed]);
    assert_eq!(phrase(&stage), "Redirected, and nobody is reached at sip:ann@two.example");
}

#[test]
fn a_redirected_message_over_a_connection_falls_back_to_the_next_place() {
    let mut stage = plain();
    stage.send(&["im:ann@domain.com"], &"x".repeat(640));
    let first = stage.take_sent("MESSAGE");
    stage.answer(&first, "302 Moved Temporarily", "Contact: <sip:ann@elsewhere.example>\n");
    let (id, _) = asked(&stage);
    stage.input(Input::Resolved { id, hops: vec![hop(Transport::Udp, SECOND)] });
    // A large one goes over a connection, if one can be opened.
    let (id, to) = *stage.connects.last().unwrap();
    assert_eq!(to, hop(Transport::Tcp, SECOND));
    stage.input(Input::ConnectFailed { id, fault: ConnectFault::Unreachable });
    let (flow, again) = stage.take_sent_on("MESSAGE");
    assert_eq!(flow, udp(SECOND));
    // A closed port has not received it; there is no further target.
    stage.no_way();
    assert_eq!(stage.stored(1), [DeliveryState::Failed]);
    drop(again);
}

#[test]
fn a_message_that_is_sent_round_and_round_is_given_up() {
    let mut stage = plain();
    stage.send(&["im:ann@domain.com"], "x");
    let mut sent = 0;
    while let Some((flow, request)) = stage.sent.pop() {
        sent += 1;
        let fields =
            format!("Contact: <sip:ann@a{sent}.example>, <sip:ann@b{sent}.example>, <sip:ann@domain.com>\n");
        let before = stage.resolves.len();
        stage.receive(flow, &response(&request, "302 Moved Temporarily", &fields));
        if stage.resolves.len() > before {
            let (id, _) = asked(&stage);
            stage.input(Input::Resolved { id, hops: vec![hop(Transport::Udp, SECOND)] });
        }
        assert!(sent < 100);
    }
    assert!(sent <= REDIRECT_TARGETS_MAX, "{sent}");
    assert_eq!(stage.stored(1), [DeliveryState::Failed]);
}

/// A message redirected to two places, of which the first leads to two addresses and nobody at either answers for as long as
/// another one is left. The second was asked for.
fn first_place_is_silent() -> Stage {
    let mut stage = plain();
    stage.send(&["im:ann@domain.com"], "x");
    let first = stage.take_sent("MESSAGE");
    let both = "Contact: <sip:ann@one.example>, <sip:ann@two.example>;q=0.5\n";
    stage.answer(&first, "302 Moved Temporarily", both);
    let (id, _) = asked(&stage);
    let hops = ["127.0.0.2:5070", "127.0.0.3:5070"].map(|at| hop(Transport::Udp, at)).to_vec();
    stage.input(Input::Resolved { id, hops });
    for silent in ["127.0.0.2:5070", "127.0.0.3:5070"] {
        stage.advance(Duration::from_millis(7_999));
        let messages = stage.sent.iter().filter(|(_, text)| text.starts_with("MESSAGE"));
        let places: Vec<_> = messages.map(|(flow, _)| *flow).collect();
        assert_eq!(places, [udp(silent); 3]);
        assert_eq!(asked(&stage).1, "sip:ann@one.example");
        stage.sent.clear();
        stage.advance(Duration::from_millis(1));
    }
    assert_eq!(asked(&stage).1, "sip:ann@two.example");
    stage
}

#[test]
fn rfc_3261_8_1_3_4_a_place_that_is_silent_is_followed_by_the_next_one() {
    let mut stage = first_place_is_silent();
    let (id, _) = asked(&stage);
    stage.input(Input::Resolved { id, hops: vec![hop(Transport::Udp, "127.0.0.4:5070")] });
    let (flow, last) = stage.take_sent_on("MESSAGE");
    assert_eq!((flow, field(&last, "CSeq")), (udp("127.0.0.4:5070"), "3 MESSAGE"));
    stage.advance(Duration::from_secs(30));
    stage.receive(flow, &response(&last, "200 OK", ""));
    assert_eq!(stage.stored(1), [DeliveryState::Delivered], "the last one has all of Timer F");
    // It was not our server that was silent.
    assert_eq!(*stage.agent.registration(), RegistrationState::NoFanOut);
    assert!(!stage.sent.iter().any(|(_, text)| text.starts_with("REGISTER")));
}

#[test]
fn a_message_that_a_silent_place_may_have_is_not_said_to_be_nowhere() {
    for is_there in [false, true] {
        let mut stage = first_place_is_silent();
        let (id, _) = asked(&stage);
        let hops = [hop(Transport::Udp, "127.0.0.4:5070")].into_iter().filter(|_| is_there).collect();
        stage.input(Input::Resolved { id, hops });
        if is_there {
            stage.advance(Duration::from_millis(31_999));
            assert_eq!(stage.stored(1), [DeliveryState::Sending]);
            stage.advance(Duration::from_millis(1));
        }
        assert_eq!(stage.stored(1), [DeliveryState::Failed]);
        assert_eq!(phrase(&stage), LocalReason::NoFinalAnswer.to_string());
    }
}

#[test]
fn a_place_that_takes_a_connection_and_says_nothing_gets_no_datagram_too() {
    let mut stage = plain();
    stage.send(&["im:ann@domain.com"], &"x".repeat(640));
    let first = stage.take_sent("MESSAGE");
    stage.answer(&first, "302 Moved Temporarily", "Contact: <sip:ann@one.example>\n");
    let (id, _) = asked(&stage);
    stage.input(Input::Resolved { id, hops: vec![hop(Transport::Udp, SECOND)] });
    let (id, _) = *stage.connects.last().unwrap();
    let flow = Flow { remote: SECOND.parse().unwrap(), ..stream_flow(7) };
    stage.input(Input::Connected { id, flow });
    assert_eq!(stage.take_sent_on("MESSAGE").0, flow);
    stage.advance(Duration::from_secs(32));
    assert!(!stage.sent.iter().any(|(_, text)| text.starts_with("MESSAGE")), "she may have it");
    assert_eq!(stage.stored(1), [DeliveryState::Failed]);
}

#[test]
fn a_place_that_is_not_there_does_not_make_the_next_one_too_near() {
    for dead in ["192.0.2.9:5060", "nowhere.invalid"] {
        let mut stage = Stage::new(&account());
        stage.register(
            "302 Moved Temporarily",
            &format!("Contact: <sip:{dead}>;q=1\nContact: <sip:{SECOND}>;q=0.5\n"),
        );
        stage.sent.clear();
        match stage.resolves.last().cloned() {
            Some((id, _)) => stage.input(Input::Resolved { id, hops: Vec::new() }),
            None => stage.no_way(),
        }
        assert_eq!(stage.take_sent_on("REGISTER").0, udp(SECOND), "{dead}");
    }
}

#[test]
fn a_server_far_away_to_which_a_near_one_led_leads_no_nearer() {
    let mut stage = Stage::new(&account());
    stage.register("302 Moved Temporarily", "Contact: <sip:192.0.2.9:5060>, <sip:127.0.0.4:5060>;q=0.1\n");
    let (far, request) = stage.take_sent_on("REGISTER");
    assert_eq!(far, udp("192.0.2.9:5060"));
    // What the near one named itself comes first, and may be near.
    let moved = response(&request, "302 Moved Temporarily", "Contact: <sip:127.0.0.2:6379>\n");
    stage.receive(far, &moved);
    assert_eq!(stage.take_sent_on("REGISTER").0, udp("127.0.0.4:5060"));
    stage.no_way();
    let (id, _) = asked(&stage);
    stage.input(Input::Resolved { id, hops: vec![hop(Transport::Udp, "127.0.0.2:6379")] });
    stage.advance(Duration::from_secs(40));
    assert!(stage.sent.iter().all(|(flow, _)| *flow != udp("127.0.0.2:6379")), "{:?}", stage.sent);
}

#[test]
fn rfc_3261_21_3_5_a_380_names_another_service_and_is_not_followed() {
    let mut stage = plain();
    stage.send(&["im:ann@domain.com"], "x");
    let first = stage.take_sent("MESSAGE");
    stage.answer(&first, "380 Alternative Service", "Contact: <sip:ann@one.example>\n");
    assert_eq!((stage.resolves.len(), stage.stored(1)), (0, vec![DeliveryState::Failed]));
}

#[test]
fn a_3xx_to_a_message_for_several_has_each_of_them_written_to_by_himself() {
    let mut stage = Stage::connected();
    stage.send(&ANN_AND_BOB, "x");
    let submission = stage.take_sent("MESSAGE");
    stage.answer(&submission, "302 Moved Temporarily", "Contact: <sip:ann@elsewhere.example>\n");
    let texts: Vec<_> = stage.sent.iter().map(|(_, text)| text.clone()).collect();
    assert_eq!(texts.len(), 2, "{texts:?}");
    assert!(texts.iter().all(|text| !has_field(text, "Secondary-To")));
    assert_eq!(*stage.agent.registration(), RegistrationState::Connected);
}

#[test]
fn the_steps_of_a_redirect_are_told() {
    let mut stage = Stage::new(&account());
    stage.register("302 Moved Temporarily", "Contact: <sip:edge.domain.com>\n");
    let asking =
        Event::Registration(RegistrationState::Connecting(ConnectStep::Asking { is_encrypted: false }));
    assert_eq!(stage.events.first(), Some(&asking));
}
