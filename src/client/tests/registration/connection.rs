//! Connections to the server: kept, missed and opened again.

use super::*;

#[test]
fn an_account_over_tcp_keeps_one_connection_and_comes_back_when_it_breaks() {
    let mut stage = Stage::new(&Account { proxy: format!("tcp:{PROXY}"), ..account() });
    stage.command(AgentCommand::Connect);
    let hop = Hop { transport: Transport::Tcp, remote: PROXY.parse().unwrap() };
    assert_eq!(stage.connects, [(ConnectId(1), hop)]);
    stage.input(Input::Connected { id: ConnectId(1), flow: stream_flow(7) });
    let (flow, request) = stage.take_sent_on("REGISTER");
    assert_eq!(flow, stream_flow(7));
    assert!(field(&request, "Via").starts_with("SIP/2.0/TCP 127.0.0.1:5070;branch="));
    assert_eq!(field(&request, "Contact"), format!("<{};transport=tcp>;expires=600", stage.contact()));
    stage.receive(stream_flow(7), &response(&request, "200 OK", PROOF));
    assert_eq!(*state(&stage), RegistrationState::Connected);
    stage.send(&ANN_AND_BOB, "Come here.");
    let (flow, first) = stage.take_sent_on("MESSAGE");
    assert_eq!(flow, stream_flow(7));

    stage.input(Input::Disconnected { flow: stream_flow(7) });
    assert!(offline_for(&stage) <= Duration::from_secs(2));
    stage.advance(Duration::from_secs(2));
    assert_eq!(stage.connects.len(), 2);
    stage.input(Input::ConnectFailed { id: ConnectId(2), fault: ConnectFault::Unreachable });
    assert!(offline_for(&stage) > Duration::from_secs(2));
    stage.advance(Duration::from_secs(4));
    stage.input(Input::Connected { id: ConnectId(3), flow: stream_flow(8) });
    let request = stage.take_sent("REGISTER");
    stage.receive(stream_flow(8), &response(&request, "200 OK", PROOF));
    // W10: the submission interrupted with its connection leaves again unchanged.
    let (flow, again) = stage.take_sent_on("MESSAGE");
    assert_eq!(flow, stream_flow(8));
    assert_eq!(field(&again, "Call-ID"), field(&first, "Call-ID"));
    assert_eq!(field(&again, "CSeq"), "1 MESSAGE");
}

#[test]
fn a_connection_that_does_not_come_is_not_waited_for_forever() {
    let mut stage = Stage::new(&Account { proxy: format!("tcp:{PROXY}"), ..account() });
    stage.command(AgentCommand::Connect);
    stage.advance(Duration::from_secs(10));
    assert!(offline_for(&stage) <= Duration::from_secs(2));
    // It opens late and serves the next try.
    stage.input(Input::Connected { id: ConnectId(1), flow: stream_flow(7) });
    stage.advance(Duration::from_secs(2));
    assert_eq!(stage.take_sent_on("REGISTER").0, stream_flow(7));
}

#[test]
fn a_dead_udp_port_makes_us_offline_at_once_and_is_tried_again() {
    let mut stage = Stage::connected();
    stage.send(&ANN_AND_BOB, "Come here.");
    let first = stage.take_sent("MESSAGE");
    stage.no_way();
    let wait = offline_for(&stage);
    assert!(stage.sent_nothing(), "no storm against a dead port");
    stage.advance(wait);
    let request = stage.take_sent("REGISTER");
    stage.answer(&request, "200 OK", PROOF);
    assert_eq!(field(&stage.take_sent("MESSAGE"), "Call-ID"), field(&first, "Call-ID"));
}

#[test]
fn each_step_to_a_server_with_a_name_is_told_once() {
    let mut stage = Stage::new(&Account { proxy: "tls:sip.domain.com".to_owned(), ..account() });
    stage.command(AgentCommand::Connect);
    let (id, _) = stage.resolves.remove(0);
    let hop = Hop { transport: Transport::Tls, remote: PROXY.parse().unwrap() };
    stage.input(Input::Resolved { id, hops: vec![hop] });
    let flow = Flow { transport: Transport::Tls, ..stream_flow(1) };
    stage.input(Input::Connected { id: ConnectId(1), flow });
    let told = [ConnectStep::Finding, ConnectStep::Opening, ConnectStep::Asking { is_encrypted: true }]
        .map(|step| Event::Registration(RegistrationState::Connecting(step)));
    assert_eq!(stage.events, told);
}
