//! Requests not from the account's server: refused without a transaction, and nothing of them is shown (W25).

use super::inbox::leg;
use super::*;
use crate::limits::STRANGERS_ANSWERED_MAX;
use crate::machine::ResolveId;
use crate::machine::{DropReason, logged};

const SECOND: &str = "127.0.0.2:5060";

fn udp(remote: &str) -> Flow {
    Flow::udp(OWN.parse().unwrap(), remote.parse().unwrap())
}

fn tcp(remote: &str) -> Flow {
    Flow { remote: remote.parse().unwrap(), ..stream_flow(7) }
}

fn hop(transport: Transport, remote: &str) -> Hop {
    Hop { transport, remote: remote.parse().unwrap() }
}

/// The answer to a request on this flow, and how many messages are shown.
fn outcome(stage: &mut Stage, flow: Flow, text: &str) -> (Option<String>, usize) {
    stage.sent.clear();
    stage.events.clear();
    stage.receive(flow, text);
    let shown = stage.events.iter().filter(|event| matches!(event, Event::Received { .. })).count();
    let answer = stage.sent.first().map(|(_, text)| text.lines().next().unwrap_or_default().to_owned());
    (answer, shown)
}

fn refused(stage: &mut Stage, flow: Flow) {
    let (answer, shown) = outcome(stage, flow, &leg("stranger", "", "wire the money"));
    assert_eq!((answer.as_deref(), shown), (Some("SIP/2.0 403 Forbidden"), 0), "{flow}");
}

fn taken(stage: &mut Stage, flow: Flow, call_id: &str) {
    let request = stage.to_contact(&leg(call_id, "", "Come here."));
    let (answer, shown) = outcome(stage, flow, &request);
    assert_eq!((answer.as_deref(), shown), (Some("SIP/2.0 200 OK"), 1), "{flow}");
}

#[test]
fn w25_a_message_that_does_not_come_from_the_server_gets_403_and_is_not_shown() {
    let mut stage = Stage::connected();
    let rows = stage.rows.len();
    // Another host, the server's host from another port, another host over a connection that it opened.
    for flow in [udp("127.0.0.9:5060"), udp("127.0.0.1:5061"), tcp("127.0.0.9:5060")] {
        refused(&mut stage, flow);
    }
    assert_eq!(stage.rows.len(), rows, "nothing is kept");
    assert!(stage.agent.heads().is_empty());
    assert_eq!(stage.agent.core.transactions.server_count(), 0, "no transaction either");
    taken(&mut stage, proxy_flow(), "c1");
    // Our proxy opens a connection for large requests, from any port of its host (W4).
    taken(&mut stage, tcp("127.0.0.1:45678"), "c2");
}

#[test]
fn every_method_of_a_stranger_is_refused_and_an_ack_gets_silence() {
    let mut stage = Stage::connected();
    let stranger = udp("127.0.0.9:5060");
    let as_method = |method: &str| leg("c", "", "x").replace("MESSAGE", method);
    for method in ["OPTIONS", "INVITE", "REGISTER", "SUBSCRIBE", "INFO", "BYE", "CANCEL", "PUBLISH"] {
        let (answer, _) = outcome(&mut stage, stranger, &as_method(method));
        assert_eq!(answer.as_deref(), Some("SIP/2.0 403 Forbidden"), "{method}");
    }
    let (answer, _) = outcome(&mut stage, stranger, &as_method("NOTIFY"));
    assert_eq!(answer.as_deref(), Some("SIP/2.0 481 Call/Transaction Does Not Exist"));
    assert_eq!(outcome(&mut stage, stranger, &as_method("ACK")), (None, 0));
    // An unreadable request from a stranger gets no answer.
    assert_eq!(outcome(&mut stage, stranger, &leg("c", "", "x").replace("CSeq: 1", "CSeq: x")), (None, 0));
    assert_eq!(stage.agent.core.transactions.server_count(), 0);
}

#[test]
fn a_repetition_of_a_strangers_request_gets_the_same_answer_and_a_storm_gets_silence() {
    let mut stage = Stage::connected();
    let stranger = udp("127.0.0.9:5060");
    let request = leg("c", "", "x");
    for _ in 0..2 {
        stage.receive(stranger, &request);
    }
    assert_eq!(stage.sent[0], stage.sent[1]);
    stage.sent.clear();
    stage.advance(Duration::from_secs(1));
    for number in 0..1000 {
        stage.receive(stranger, &request.replace("z9hG4bKc", &format!("z9hG4bK{number}")));
    }
    assert_eq!(stage.sent.len(), usize::try_from(STRANGERS_ANSWERED_MAX).unwrap());
    let (asked, answered) = (wire(&request).len(), stage.sent[0].1.len());
    assert!(answered < asked, "{answered} bytes for {asked}");
    stage.advance(Duration::from_secs(1));
    stage.sent.clear();
    refused(&mut stage, stranger);
}

#[test]
fn a_storm_of_one_kind_leaves_the_other_kinds_their_answers() {
    let mut stage = Stage::connected();
    let (near, far) = (udp("127.0.0.9:5060"), tcp("127.0.0.9:5060"));
    let most = usize::try_from(STRANGERS_ANSWERED_MAX).unwrap();
    let mut answers = |flow: Flow, method: &str| {
        stage.sent.clear();
        for number in 0..1000 {
            let request = leg("c", "", "x").replace("MESSAGE", method);
            stage.receive(flow, &request.replace("z9hG4bKc", &format!("z9hG4bK{method}{number}")));
        }
        stage.sent.len()
    };
    assert_eq!(answers(near, "OPTIONS"), most);
    assert_eq!(answers(near, "INVITE"), 0, "of what is no message all together");
    assert_eq!(answers(near, "MESSAGE"), most);
    assert_eq!(answers(far, "MESSAGE"), most, "a connection cannot be forged");
    assert_eq!(answers(far, "OPTIONS"), most);
}

#[test]
fn a_connection_from_the_servers_address_has_to_name_our_contact_too() {
    let mut stage = Stage::connected();
    // The server brings a message that is too large for a datagram, to the Contact that only it was told.
    taken(&mut stage, tcp(PROXY), "c1");
    // Another program of that computer.
    refused(&mut stage, tcp(PROXY));
}

#[test]
fn every_address_of_the_server_counts_those_given_up_too() {
    let mut stage = Stage::new(&Account { proxy: "sip.domain.com".to_owned(), ..account() });
    stage.command(AgentCommand::Connect);
    // The server's address is not known yet: that is temporary, so the refusal is not final.
    let (answer, _) = outcome(&mut stage, proxy_flow(), &leg("early", "", "x"));
    assert_eq!(answer.as_deref(), Some("SIP/2.0 480 Temporarily Unavailable"));
    let hops = vec![hop(Transport::Udp, PROXY), hop(Transport::Udp, SECOND)];
    stage.input(Input::Resolved { id: ResolveId(1), hops });
    let register = stage.take_sent("REGISTER");
    stage.answer(&register, "200 OK", PROOF);
    taken(&mut stage, udp(PROXY), "c1");
    taken(&mut stage, udp(SECOND), "c2");
    refused(&mut stage, udp("127.0.0.3:5060"));
    // The first one fails; messages that it accepted for us may still come from it.
    stage.send(&["im:ann@domain.com"], "x");
    stage.advance(Duration::from_secs(32));
    taken(&mut stage, udp(PROXY), "c3");
    taken(&mut stage, udp(SECOND), "c4");
}

#[test]
fn an_address_in_ipv6_clothes_is_the_same_address() {
    let mut stage = Stage::connected();
    taken(&mut stage, udp("[::ffff:127.0.0.1]:5060"), "c1");
    refused(&mut stage, udp("[::ffff:127.0.0.9]:5060"));
}

#[test]
fn w32_under_tls_nothing_counts_but_our_own_connection_and_over_tcp_no_datagram() {
    let mut stage = Stage::new(&Account { proxy: "tls:127.0.0.1:5061".to_owned(), ..account() });
    stage.command(AgentCommand::Connect);
    let own = Flow { transport: Transport::Tls, remote: "127.0.0.1:5061".parse().unwrap(), ..stream_flow(3) };
    stage.input(Input::Connected { id: ConnectId(1), flow: own });
    taken(&mut stage, own, "c1");
    for flow in
        [udp("127.0.0.1:5061"), tcp("127.0.0.1:5061"), Flow { connection: Some(ConnectionId(4)), ..own }]
    {
        refused(&mut stage, flow);
    }
    let mut stage = Stage::new(&Account { proxy: format!("tcp:{PROXY}"), ..account() });
    stage.command(AgentCommand::Connect);
    stage.input(Input::Connected { id: ConnectId(1), flow: stream_flow(1) });
    taken(&mut stage, stream_flow(1), "c1");
    taken(&mut stage, tcp("127.0.0.1:40001"), "c2");
    refused(&mut stage, udp(PROXY));
}

/// The MESSAGE `leg` with another user part in our address.
fn leg_to(user: &str, call_id: &str) -> String {
    leg(call_id, "", "wire the money").replace("sip:james@", &format!("sip:{user}@"))
}

#[test]
fn a_datagram_that_says_to_be_from_the_server_has_to_name_our_contact() {
    let mut stage = Stage::connected();
    // A server that writes the account instead of the Contact is accepted until it has named the Contact once.
    let (answer, shown) = outcome(&mut stage, proxy_flow(), &leg_to("james", "c"));
    assert_eq!((answer.as_deref(), shown), (Some("SIP/2.0 200 OK"), 1));
    let (answer, shown) = outcome(&mut stage, proxy_flow(), &leg_to("bob", "c"));
    assert_eq!((answer.as_deref(), shown), (Some("SIP/2.0 403 Forbidden"), 0));
    taken(&mut stage, proxy_flow(), "c0");
    stage.advance(Duration::from_secs(60));
    let rows = stage.rows.len();
    let contact = stage.contact();
    let token = contact.split(['-', '@']).nth(1).unwrap().to_owned();
    assert_eq!(token.len(), 16, "{contact}");
    // Whoever forges its address knows the account, and can only guess the token.
    for user in [
        "james".to_owned(),
        token.clone(),
        format!("ann-{token}"),
        "james-".to_owned(),
        format!("james-{token}0"),
    ] {
        let (answer, shown) = outcome(&mut stage, proxy_flow(), &leg_to(&user, "c"));
        assert_eq!((answer.as_deref(), shown), (Some("SIP/2.0 403 Forbidden"), 0), "{user}");
    }
    // A binding of an earlier run: that is temporary, so the refusal is not final.
    let (answer, shown) = outcome(&mut stage, proxy_flow(), &leg_to("james-0123456789abcdef", "c"));
    assert_eq!((answer.as_deref(), shown), (Some("SIP/2.0 480 Temporarily Unavailable"), 0));
    for method in ["OPTIONS", "INVITE", "BYE", "CANCEL", "SUBSCRIBE", "INFO"] {
        let request = leg("c", "", "x").replace("MESSAGE", method);
        let (answer, _) = outcome(&mut stage, proxy_flow(), &request);
        assert_eq!(answer.as_deref(), Some("SIP/2.0 403 Forbidden"), "{method}");
    }
    // An unreadable request is answered if it names us.
    let torn = leg("c", "", "x").replace("CSeq: 1", "CSeq: x");
    assert_eq!(outcome(&mut stage, proxy_flow(), &torn), (None, 0));
    let torn = stage.to_contact(&torn);
    let (answer, _) = outcome(&mut stage, proxy_flow(), &torn);
    assert!(answer.unwrap().starts_with("SIP/2.0 400 "));
    assert_eq!(
        (stage.rows.len(), stage.agent.core.transactions.server_count()),
        (rows, 0),
        "nothing is kept"
    );
    taken(&mut stage, proxy_flow(), "c1");
    // So does what comes over a connection that we did not open.
    let (answer, shown) = outcome(&mut stage, tcp("127.0.0.1:45678"), &leg_to("james", "c2"));
    assert_eq!((answer.as_deref(), shown), (Some("SIP/2.0 403 Forbidden"), 0));
    taken(&mut stage, tcp("127.0.0.1:45678"), "c3");
}

#[test]
fn a_forged_datagram_is_no_sign_that_the_server_is_there() {
    let mut stage = Stage::connected();
    taken(&mut stage, proxy_flow(), "c0");
    stage.send(&["im:ann@domain.com"], "x");
    stage.advance(Duration::from_secs(31));
    stage.receive(proxy_flow(), &leg("c", "", "x"));
    stage.advance(Duration::from_secs(1));
    assert!(matches!(stage.agent.registration(), RegistrationState::Offline { .. }));
}

#[test]
fn each_start_has_a_contact_of_its_own_which_stays_while_it_runs() {
    let mut stage = Stage::new(&account());
    stage.command(AgentCommand::Connect);
    let first = stage.take_sent("REGISTER");
    assert_eq!(field(&first, "Contact"), format!("<{}>;expires=600", stage.contact()));
    stage.answer(&first, "200 OK", PROOF);
    stage.advance(Duration::from_secs(540));
    assert_eq!(field(&stage.take_sent("REGISTER"), "Contact"), field(&first, "Contact"));
    let locals = vec![(Transport::Udp, OWN.parse().unwrap())];
    let config = AgentConfig { profile: account().check().unwrap(), locals };
    let next = UserAgent::new(config, Rows::default(), Random::from_seed(2), start());
    assert_ne!(next.core.own_contact.user(false), stage.agent.core.own_contact.user(false));
}

#[test]
fn a_report_that_names_the_contact_of_the_run_before_is_known_by_its_call_alone() {
    let mut stage = Stage::connected();
    let request = stage.send_accepted(&["im:ann@domain.com"]);
    let mut report = notify(&request, 1, "terminated", "im:ann@domain.com delivery success\n");
    report = report.replace("sip:james@", "sip:james-0123456789abcdef@");
    let forged = report.replace(&format!("tag={}", from_tag(&request)), "tag=guessed");
    let (answer, _) = outcome(&mut stage, proxy_flow(), &forged);
    assert_eq!(answer.as_deref(), Some("SIP/2.0 481 Call/Transaction Does Not Exist"));
    assert_eq!(stage.stored(1), [DeliveryState::Accepted]);
    let (answer, _) = outcome(&mut stage, proxy_flow(), &report);
    assert_eq!(answer.as_deref(), Some("SIP/2.0 200 OK"));
    assert_eq!(stage.stored(1), [DeliveryState::Delivered]);
}

fn told_as_verified(event: &Event) -> Option<bool> {
    let Event::Received { verified, .. } = event else { return None };
    Some(*verified)
}

fn kept_as_verified(write: &Write) -> Option<bool> {
    let Write::Incoming(row) = write else { return None };
    Some(row.verified)
}

#[test]
fn peer_to_peer_takes_them_and_marks_them_as_not_verified() {
    let mut stage = Stage::new(&Account { peer_to_peer: true, ..account() });
    let in_list = |stage: &Stage| stage.agent.heads().first().map(|head| head.verified);
    stage.receive(udp("127.0.0.9:5060"), &leg("c1", "", "x"));
    assert_eq!(in_list(&stage), Some(false), "the conversation list says so too");
    stage.proxy_sends(&leg("c2", "", "y"));
    assert_eq!(in_list(&stage), Some(true));
    stage.receive(proxy_flow(), &leg("c3", "", "with a forged source"));
    assert_eq!(in_list(&stage), Some(false));
    let told: Vec<_> = stage.events.iter().filter_map(told_as_verified).collect();
    assert_eq!(told, [false, true, false]);
    let kept: Vec<_> = stage.rows.iter().filter_map(kept_as_verified).collect();
    assert_eq!(kept, [false, true, false]);
    // A report is trusted from the server only, whatever the setting.
    let request = {
        stage.connect();
        stage.send_accepted(&["im:ann@domain.com"])
    };
    let report = notify(&request, 1, "terminated", "im:ann@domain.com delivery success\n");
    let (answer, _) = outcome(&mut stage, udp("127.0.0.9:5060"), &report);
    assert_eq!(answer.as_deref(), Some("SIP/2.0 481 Call/Transaction Does Not Exist"));
}

#[test]
fn a_response_of_a_stranger_who_knows_our_branch_changes_nothing() {
    let mut stage = Stage::connected();
    stage.send(&["im:ann@domain.com"], "x");
    let request = stage.take_sent("MESSAGE");
    let forged = response(&request, "202 Accepted", "Supported: secondary-to\n");
    stage.receive(udp("127.0.0.9:5060"), &forged);
    stage.receive(tcp("127.0.0.9:5060"), &forged);
    assert_eq!(stage.stored(1), [DeliveryState::Sending]);
    // The server may answer from another of its sockets.
    stage.receive(udp("127.0.0.1:5099"), &forged);
    assert_eq!(stage.stored(1), [DeliveryState::Accepted]);
}

#[test]
fn what_is_dropped_is_told_at_debug_with_its_reason() {
    let mut stage = Stage::connected();
    let stranger = udp("127.0.0.9:5060");
    let ack = leg("c", "", "x").replace("MESSAGE", "ACK");
    let torn = leg("c", "", "x").replace("CSeq: 1", "CSeq: x");
    let answer = "SIP/2.0 200 OK\nVia: SIP/2.0/UDP 127.0.0.1:5079;branch=z9hG4bKours\nFrom: <sip:a@b>;tag=1\n\
        To: <sip:a@b>;tag=2\nCall-ID: x@y\nCSeq: 1 MESSAGE\nContent-Length: 0\n\n";
    for (text, reason) in [
        (ack.as_str(), DropReason::Ack),
        (&torn, DropReason::Unreadable),
        (answer, DropReason::StrayResponse),
    ] {
        let log = logged(|| stage.receive(stranger, text));
        assert!(log.contains(&format!("DEBUG fanfare::dropped: {reason}")), "{reason}: {log}");
    }
    let storm = logged(|| {
        for number in 0..100 {
            stage.receive(stranger, &leg("c", "", "x").replace("z9hG4bKc", &format!("z9hG4bK{number}")));
        }
    });
    assert!(storm.contains(&DropReason::TooManyStrangers.to_string()), "{storm}");
}
