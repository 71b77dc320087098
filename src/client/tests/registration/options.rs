//! An account that does not register asks its server by OPTIONS.

use super::*;

#[test]
fn w6_an_account_that_does_not_register_asks_by_options_before_its_first_submission() {
    let mut stage = Stage::new(&Account { register: false, ..account() });
    stage.send(&ANN_AND_BOB, "Come here.");
    let (flow, request) = stage.take_sent_on("OPTIONS");
    assert_eq!(flow, proxy_flow());
    assert!(request.starts_with("OPTIONS sip:domain.com SIP/2.0\r\n"));
    assert!(!stage.events.iter().any(|event| matches!(event, Event::Delivery { .. })));
    stage.answer(&request, "200 OK", "Supported: secondary-to\n");
    stage.take_sent("MESSAGE");
    stage.command(AgentCommand::Disconnect);
    assert_eq!(stage.events.last(), Some(&Event::Disconnected));
    assert!(stage.sent_nothing(), "nothing to un-register");
}

#[test]
fn w6_a_server_that_refuses_options_gives_no_proof_and_may_take_messages() {
    for status in [
        "200 OK",
        "400 Bad Request",
        "403 Forbidden",
        "404 Not Found",
        "405 Method Not Allowed",
        "480 Temporarily Unavailable",
        "483 Too Many Hops",
        "486 Busy Here",
        "500 Server Internal Error",
        "501 Not Implemented",
        "603 Decline",
    ] {
        let mut stage = Stage::new(&Account { register: false, ..account() });
        stage.send(&ANN_AND_BOB, "Come here.");
        let request = stage.take_sent("OPTIONS");
        stage.answer(&request, status, "");
        assert_eq!(*state(&stage), RegistrationState::NoFanOut, "{status}");
        assert_eq!(stage.sent.iter().filter(|(_, text)| text.starts_with("MESSAGE")).count(), 2, "{status}");
    }
}

#[test]
fn w6_a_server_that_cannot_serve_now_is_offline_whatever_was_asked() {
    for status in ["408 Request Timeout", "503 Service Unavailable"] {
        let mut stage = Stage::new(&Account { register: false, ..account() });
        stage.send(&ANN_AND_BOB, "Come here.");
        let request = stage.take_sent("OPTIONS");
        stage.answer(&request, status, "");
        assert!(matches!(state(&stage), RegistrationState::Offline { .. }), "{status}");
        assert!(stage.sent_nothing(), "{status}");
    }
}
