//! RFC 5626: the device's identity, and keep-alives on its flow.

use super::*;
use crate::machine::TimerReason;

const INSTANCE: &str = "urn:uuid:00000000-0000-4000-a000-000000000001";

fn over_tcp() -> Stage {
    let account = Account { proxy: format!("tcp:{PROXY}"), ..account() };
    let rows = Rows { instance: Some(INSTANCE.to_owned()), ..Rows::default() };
    let mut stage = Stage::with_rows(&account, rows, start());
    stage.command(AgentCommand::Connect);
    stage.input(Input::Connected { id: ConnectId(1), flow: stream_flow(1) });
    stage
}

/// When keep-alives left within this many seconds, and everything else that left.
fn beats(stage: &mut Stage, secs: u64) -> (Vec<u64>, Vec<String>) {
    let (start, mut beats, mut others) = (stage.now.mono, Vec::new(), Vec::new());
    for _ in 0..secs {
        stage.advance(Duration::from_secs(1));
        for (_, text) in std::mem::take(&mut stage.sent) {
            match text.trim() {
                "" => beats.push(stage.now.mono.duration_since(start).as_secs()),
                _ => others.push(text),
            }
        }
    }
    (beats, others)
}

#[test]
fn a_connection_is_registered_as_a_flow_of_this_device() {
    let mut stage = over_tcp();
    let request = stage.take_sent("REGISTER");
    assert_eq!(field(&request, "Supported"), "path, outbound");
    let contact = field(&request, "Contact");
    assert!(contact.contains(&format!(";+sip.instance=\"<{INSTANCE}>\";reg-id=1;expires=600")), "{contact}");
}

#[test]
fn a_connection_is_kept_alive_as_often_as_the_server_wants() {
    for (timer, least, most) in [("", 102, 120), ("Flow-Timer: 40\n", 34, 40), ("Flow-Timer: 1\n", 12, 15)] {
        let mut stage = over_tcp();
        let request = stage.take_sent("REGISTER");
        stage.accept_registration(&request, timer);
        let (beats, others) = beats(&mut stage, 400);
        assert!(others.is_empty(), "{others:?}");
        let gaps: Vec<_> =
            beats.iter().zip(std::iter::once(&0).chain(&beats)).map(|(at, last)| at - last).collect();
        assert!(gaps.len() >= 3 && gaps.iter().all(|gap| (least..=most).contains(gap)), "{timer}: {gaps:?}");
        stage.input(Input::Disconnected { flow: stream_flow(1) });
        stage.sent.clear();
        assert!(
            stage.agent.poll_timeout().is_none_or(|(_, why)| why != TimerReason::KeepAlive),
            "of a flow that is gone"
        );
    }
}

#[test]
fn datagrams_are_kept_alive_behind_a_nat_alone() {
    for (via, least) in
        [("", 0), (";received=203.0.113.9;rport=61000", 4), (";received=127.0.0.1;rport=5070", 0)]
    {
        let mut stage = Stage::new(&account());
        stage.command(AgentCommand::Connect);
        let request = stage.take_sent("REGISTER");
        let seen = request.replacen(";rport\r\n", &format!("{via}\r\n"), 1);
        stage.accept_registration(&seen, "");
        let mut all = Vec::new();
        let mut registered = 1;
        for _ in 0..10 {
            let (more, others) = beats(&mut stage, 30);
            all.extend(more);
            for again in others {
                registered += 1;
                stage.accept_registration(&again.replacen(";rport\r\n", &format!("{via}\r\n"), 1), "");
            }
        }
        assert_eq!(registered >= 5, least > 0, "a NAT may show us elsewhere at any time");
        assert!(all.len() >= least && (least > 0 || all.is_empty()), "{via}: {all:?}");
    }
}
