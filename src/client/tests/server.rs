//! A server given by name, and the next one if one fails (RFC 3263 §4.3); TLS and what is not trusted (W32).

use super::*;
use crate::machine::{CertificateFault, ConnectFault, ResolveId, TlsFault, Untrusted};

const SECOND: &str = "127.0.0.2:5060";

fn hop(transport: Transport, remote: &str) -> Hop {
    Hop { transport, remote: remote.parse().unwrap() }
}

fn by_name(proxy: &str) -> Stage {
    let mut stage = Stage::new(&Account { proxy: proxy.to_owned(), ..account() });
    stage.command(AgentCommand::Connect);
    stage
}

fn second_flow() -> Flow {
    Flow::udp(OWN.parse().unwrap(), SECOND.parse().unwrap())
}

const EXPIRED: &str = "the certificate of domain.com has expired on 2024-05-17";

fn expired() -> ConnectFault {
    let day = jiff::civil::date(2024, 5, 17);
    let fault = TlsFault::Certificate(CertificateFault::Expired(Some(day)));
    ConnectFault::Untrusted(Untrusted { server: "domain.com".into(), fault }.into())
}

fn offline(stage: &Stage) -> (Duration, Option<String>) {
    let state = stage.agent.registration();
    let RegistrationState::Offline { retry_after, why } = state else { panic!("{state:?}") };
    (*retry_after, why.words())
}

#[test]
fn a_server_by_name_is_looked_up_first_and_again_at_each_new_try() {
    let mut stage = by_name("");
    assert_eq!(stage.resolves, [(ResolveId(1), "sip:domain.com".to_owned())]);
    assert!(stage.sent_nothing());
    stage.input(Input::Resolved { id: ResolveId(1), hops: vec![] });
    let (wait, why) = offline(&stage);
    assert_eq!(why.as_deref(), Some("the server domain.com cannot be found"));
    stage.advance(wait);
    assert_eq!(stage.resolves.len(), 2);
    // The result of an old look-up does not answer the new one.
    stage.input(Input::Resolved { id: ResolveId(1), hops: vec![hop(Transport::Udp, SECOND)] });
    assert!(stage.sent_nothing());
    stage.input(Input::Resolved { id: ResolveId(2), hops: vec![hop(Transport::Udp, PROXY)] });
    let request = stage.take_sent("REGISTER");
    stage.answer(&request, "200 OK", PROOF);
    assert_eq!(*stage.agent.registration(), RegistrationState::Connected);
}

#[test]
fn a_server_that_is_silent_or_answers_503_is_followed_by_the_next_one() {
    for silent in [true, false] {
        let mut stage = by_name("udp:sip.domain.com");
        let hops = vec![hop(Transport::Udp, PROXY), hop(Transport::Udp, SECOND)];
        stage.input(Input::Resolved { id: ResolveId(1), hops });
        if silent {
            stage.advance(Duration::from_secs(32));
        } else {
            let request = stage.take_sent("REGISTER");
            stage.answer(&request, "503 Service Unavailable", "");
        }
        let place = stage.sent.iter().position(|(flow, _)| *flow == second_flow()).expect("the next server");
        let (_, request) = stage.sent.swap_remove(place);
        let answer = response(&request, "200 OK", PROOF);
        stage.receive(second_flow(), &answer);
        assert_eq!(*stage.agent.registration(), RegistrationState::Connected, "silent: {silent}");
    }
}

#[test]
fn a_message_that_a_server_leaves_unanswered_goes_to_the_next_one_as_the_same() {
    let mut stage = by_name("udp:sip.domain.com");
    let hops = vec![hop(Transport::Udp, PROXY), hop(Transport::Udp, SECOND)];
    stage.input(Input::Resolved { id: ResolveId(1), hops });
    let request = stage.take_sent("REGISTER");
    stage.answer(&request, "200 OK", PROOF);
    stage.send(&["im:ann@domain.com"], "Come here.");
    let first = stage.take_sent("MESSAGE");
    stage.advance(Duration::from_secs(32));
    stage.sent.retain(|(flow, _)| *flow == second_flow());
    let register = stage.sent.iter().find(|(_, text)| text.starts_with("REGISTER")).unwrap().1.clone();
    stage.receive(second_flow(), &response(&register, "200 OK", PROOF));
    let (flow, again) = stage.take_sent_on("MESSAGE");
    assert_eq!(flow, second_flow());
    for name in ["Call-ID", "CSeq", "From"] {
        assert_eq!(field(&again, name), field(&first, name), "W12 finds the double");
    }
}

#[test]
fn w32_a_tls_account_names_the_domain_and_is_told_why_the_server_is_not_trusted() {
    let mut stage = by_name("tls:127.0.0.1:5061");
    assert_eq!(stage.connects, [(ConnectId(1), hop(Transport::Tls, "127.0.0.1:5061"))]);
    assert_eq!(stage.domains, ["domain.com"], "the account's, where the server is a number");
    stage.input(Input::ConnectFailed { id: ConnectId(1), fault: expired() });
    let (_, why) = offline(&stage);
    assert_eq!(why.as_deref(), Some(EXPIRED));
}

#[test]
fn an_address_that_says_nothing_does_not_hide_what_another_one_said() {
    let mut stage = by_name("tls:sip.domain.com");
    let hops = || vec![hop(Transport::Tls, "127.0.0.1:5061"), hop(Transport::Tls, "127.0.0.2:5061")];
    stage.input(Input::Resolved { id: ResolveId(1), hops: hops() });
    stage.input(Input::ConnectFailed { id: ConnectId(1), fault: expired() });
    stage.input(Input::ConnectFailed { id: ConnectId(2), fault: ConnectFault::Unreachable });
    let (wait, why) = offline(&stage);
    assert_eq!(why.as_deref(), Some(EXPIRED));
    // At the next try what was said before no longer counts.
    stage.advance(wait);
    stage.input(Input::Resolved { id: ResolveId(2), hops: hops() });
    stage.input(Input::ConnectFailed { id: ConnectId(3), fault: ConnectFault::Refused });
    stage.input(Input::ConnectFailed { id: ConnectId(4), fault: ConnectFault::Unreachable });
    let (_, why) = offline(&stage);
    assert_eq!(
        why.as_deref(),
        Some(
            "connection refused by tls:127.0.0.1:5061; check the server's address and port, and that it is running"
        )
    );
}

#[test]
fn a_server_that_cannot_serve_us_now_is_named_with_what_it_answered() {
    for (answer, fields, words) in [
        ("503 Service Unavailable", "Retry-After: 20\n", "the server answered 503 Service Unavailable"),
        ("500 Server Internal Error", "", "the server answered 500 Server Internal Error"),
        ("480 Temporarily Unavailable", "", "the server answered 480 Temporarily Unavailable"),
        ("408 Request Timeout", "", "the server answered 408 Request Timeout"),
    ] {
        let mut stage = Stage::new(&account());
        stage.command(AgentCommand::Connect);
        let request = stage.take_sent("REGISTER");
        stage.answer(&request, answer, fields);
        assert_eq!(offline(&stage).1.as_deref(), Some(words));
    }
}

#[test]
fn w4_w32_all_of_a_tls_account_goes_over_its_connection_whatever_its_size() {
    let mut stage = by_name("tls:127.0.0.1:5061");
    let flow =
        Flow { transport: Transport::Tls, remote: "127.0.0.1:5061".parse().unwrap(), ..stream_flow(3) };
    stage.input(Input::Connected { id: ConnectId(1), flow });
    let (on, request) = stage.take_sent_on("REGISTER");
    assert_eq!(on, flow);
    assert!(field(&request, "Via").starts_with("SIP/2.0/TLS 127.0.0.1:40000;branch="), "{request}");
    assert!(field(&request, "Contact").starts_with("<sip:james@127.0.0.1:40000;transport=tls"), "{request}");
    stage.receive(flow, &response(&request, "200 OK", PROOF));
    stage.send(&["sips:ann@domain.com"], &"x".repeat(5000));
    let (on, message) = stage.take_sent_on("MESSAGE");
    assert_eq!(on, flow);
    assert!(message.starts_with("MESSAGE sips:ann@domain.com SIP/2.0\r\n"), "{message}");
    assert_eq!(stage.connects.len(), 1);
    // W25: a report without TLS, from any port of the same host, is not the proxy's.
    stage.accept_on(flow, &message);
    let clear = Flow { transport: Transport::Tcp, ..flow };
    stage.receive(clear, &notify(&message, 1, "terminated", "sips:ann@domain.com delivery success\n"));
    assert!(stage.sent.iter().any(|(_, text)| text.starts_with("SIP/2.0 481 ")), "{:?}", stage.sent);
}

#[test]
fn w4_what_is_large_goes_to_the_connection_that_a_name_leads_to_and_not_to_a_guess() {
    let mut stage = by_name("sip.domain.com");
    let third = "127.0.0.3:5060";
    let hops = vec![hop(Transport::Udp, PROXY), hop(Transport::Udp, SECOND), hop(Transport::Tcp, third)];
    stage.input(Input::Resolved { id: ResolveId(1), hops });
    let request = stage.take_sent("REGISTER");
    stage.answer(&request, "200 OK", PROOF);
    stage.send(&ANN_AND_BOB, &"x".repeat(1300));
    assert_eq!(stage.connects, [(ConnectId(1), hop(Transport::Tcp, third))]);
    let flow = Flow { remote: third.parse().unwrap(), ..stream_flow(1) };
    stage.input(Input::Connected { id: ConnectId(1), flow });
    let (on, submission) = stage.take_sent_on("MESSAGE");
    assert_eq!(on, flow);
    stage.accept_on(flow, &submission);
    let report = notify(
        &submission,
        1,
        "terminated",
        "im:ann@domain.com delivery success\nim:bob@domain.com delivery success\n",
    );
    stage.receive(flow, &report);
    assert_eq!(stage.stored(1), [DeliveryState::Delivered; 2]);
    // A small one goes where it went before.
    stage.send(&ANN_AND_BOB, "small");
    assert_eq!(stage.take_sent_on("MESSAGE").0, proxy_flow());
}

#[test]
fn w4_where_the_named_connection_cannot_be_had_it_goes_by_datagram() {
    let mut stage = by_name("sip.domain.com");
    let hops = vec![hop(Transport::Udp, PROXY), hop(Transport::Tcp, SECOND)];
    stage.input(Input::Resolved { id: ResolveId(1), hops });
    let request = stage.take_sent("REGISTER");
    stage.answer(&request, "200 OK", PROOF);
    stage.send(&ANN_AND_BOB, &"x".repeat(1300));
    assert_eq!(stage.connects, [(ConnectId(1), hop(Transport::Tcp, SECOND))]);
    stage.input(Input::ConnectFailed { id: ConnectId(1), fault: ConnectFault::Unreachable });
    assert_eq!(stage.take_sent_on("MESSAGE").0, proxy_flow());
}
