//! How the client learns that a server takes lists: W6, W27.

use super::*;

/// Registers with a registrar that states nothing; returns the OPTIONS to the domain.
fn asked_domain(stage: &mut Stage) -> String {
    connect(stage, "Expires: 600\n", RegistrationState::NoFanOut);
    let asked = stage.take_sent("OPTIONS");
    assert!(asked.starts_with("OPTIONS sip:domain.com SIP/2.0\r\n"), "{asked}");
    asked
}

/// Does the next refresh, with the same answer from the registrar as before.
fn refreshed(stage: &mut Stage) {
    stage.sent.clear();
    while stage.sent_nothing() {
        stage.advance(Duration::from_secs(1));
    }
    let again = stage.take_sent("REGISTER");
    stage.answer(&again, "200 OK", "Expires: 600\n");
}

#[test]
fn w27_w6_where_the_registrar_says_neither_its_domain_is_asked_and_what_it_says_holds() {
    for (offer, state, name) in [
        ("Supported: recipient-list-message\n", RegistrationState::ByList, "Require"),
        ("Supported: secondary-to\n", RegistrationState::Connected, "Secondary-To"),
    ] {
        let mut stage = Stage::new(&account());
        let asked = asked_domain(&mut stage);
        stage.answer(&asked, "200 OK", offer);
        assert_eq!(*stage.agent.registration(), state);
        stage.send(&ANN_AND_BOB, "x");
        let sent = only(&mut stage);
        assert!(has_field(&sent, name), "{sent}");
        stage.accept(&sent);
        // A refresh asks again, and nothing changes until that is answered.
        refreshed(&mut stage);
        assert_eq!(*stage.agent.registration(), state);
        stage.send(&ANN_AND_BOB, "y");
        let place = stage.sent.iter().position(|(_, text)| text.starts_with("OPTIONS")).expect("asked anew");
        let (_, asked) = stage.sent.remove(place);
        assert!(has_field(&only(&mut stage), name));
        stage.answer(&asked, "200 OK", "");
        assert_eq!(*stage.agent.registration(), RegistrationState::NoFanOut);
        stage.send(&ANN_AND_BOB, "z");
        assert_eq!(messages(&mut stage).len(), 2);
    }
}

#[test]
fn w27_a_domain_that_does_not_say_gets_a_message_for_each() {
    for answer in ["404 Not Found", "405 Method Not Allowed", "200 OK", "503 Service Unavailable"] {
        let mut stage = Stage::new(&account());
        let asked = asked_domain(&mut stage);
        stage.answer(&asked, answer, "");
        assert_eq!(*stage.agent.registration(), RegistrationState::NoFanOut);
    }
    let mut stage = Stage::new(&account());
    asked_domain(&mut stage);
    stage.advance(Duration::from_secs(33));
    assert_eq!(*stage.agent.registration(), RegistrationState::NoFanOut, "silence is no trouble");
}

#[test]
fn w27_refused_lists_are_tried_again_after_the_next_registration() {
    let mut stage = Stage::new(&account());
    let asked = asked_domain(&mut stage);
    stage.answer(&asked, "200 OK", "Supported: recipient-list-message\n");
    stage.send(&ANN_AND_BOB, "x");
    let sent = only(&mut stage);
    stage.answer(&sent, "420 Bad Extension", "");
    assert_eq!(*stage.agent.registration(), RegistrationState::NoFanOut);
    for single in messages(&mut stage) {
        stage.answer(&single, "200 OK", "");
    }
    refreshed(&mut stage);
    assert_eq!(*stage.agent.registration(), RegistrationState::NoFanOut, "until the domain says it again");
    let asked = stage.take_sent("OPTIONS");
    stage.answer(&asked, "200 OK", "Supported: recipient-list-message\n");
    assert_eq!(*stage.agent.registration(), RegistrationState::ByList);
}
