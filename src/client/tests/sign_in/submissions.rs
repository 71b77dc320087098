//! Challenges to a MESSAGE (W30): by our server, and by recipients whose challenge it passes on.

use super::*;

#[test]
fn w13_a_submission_answers_a_407_under_the_next_cseq_and_the_next_one_is_not_asked() {
    let mut stage = Stage::new(&with_password("secret"));
    stage.connect();
    stage.send(&ANN_AND_BOB, "Come here.");
    let first = stage.take_sent("MESSAGE");
    stage.answer(&first, "407 Proxy Authentication Required", &proxy_asks("p1", ", algorithm=SHA-256"));
    let second = stage.take_sent("MESSAGE");
    assert_eq!((field(&first, "CSeq"), field(&second, "CSeq")), ("1 MESSAGE", "2 MESSAGE"));
    for same in ["Call-ID", "From", "Delivery-Report", "Secondary-To"] {
        assert_eq!(field(&first, same), field(&second, same), "{same}");
    }
    assert!(is_right(&second, "Proxy-Authorization", "secret", sha256), "{second}");
    // The CSeq is stored, so that after a crash the same one is used (W10).
    let rows = stage.stored_rows();
    assert_eq!(rows.open[0].attempts[0].cseq, 2);
    stage.accept(&second);
    assert_eq!(stage.stored(1), [DeliveryState::Accepted; 2]);
    stage.send(&ANN_AND_BOB, "And again.");
    let third = stage.take_sent("MESSAGE");
    assert_eq!(param(field(&third, "Proxy-Authorization"), "nc"), "00000002");
    // The nonce is rejected once more, and so is the answer to that: this is a refusal.
    stage.answer(&third, "407 Proxy Authentication Required", &proxy_asks("p2", ""));
    let fourth = stage.take_sent("MESSAGE");
    stage.events.clear();
    stage.answer(&fourth, "407 Proxy Authentication Required", &proxy_asks("p3", ""));
    assert!(
        stage.events.iter().any(|event| matches!(event, Event::Refused { status: 407, .. })),
        "{:?}",
        stage.events
    );
    assert!(stage.sent.iter().all(|(_, text)| text.starts_with("REGISTER")), "the account is looked after");
}

#[test]
fn a_password_is_used_in_no_realm_that_a_recipient_makes_up() {
    let mut stage = Stage::new(&with_password("secret"));
    stage.connect();
    stage.send(&ANN_AND_BOB, "Come here.");
    let request = stage.take_sent("MESSAGE");
    let fields = format!("WWW-Authenticate: {}\n", asked("trap.example", "n", ""));
    stage.answer(&request, "401 Unauthorized", &fields);
    assert_eq!(stage.stored(1), [DeliveryState::Failed; 2]);
    assert!(!stage.sent.iter().any(|(_, text)| has_field(text, "Authorization")), "{:?}", stage.sent);
}

#[test]
fn a_realm_of_another_name_is_used_once_the_registrar_asked_for_it_or_the_account_names_it() {
    let mut stage = Stage::new(&with_password("secret"));
    stage.register("401 Unauthorized", &www("asterisk", "n", ""));
    let request = stage.take_sent("REGISTER");
    stage.answer(&request, "200 OK", PROOF);
    stage.send(&ANN_AND_BOB, "Come here.");
    let request = stage.take_sent("MESSAGE");
    assert!(!has_field(&request, "Authorization"), "what a registrar is told is nobody else's");
    let fields = format!("Proxy-Authenticate: {}\n", asked("asterisk", "n", ""));
    stage.answer(&request, "407 Proxy Authentication Required", &fields);
    assert!(is_right(&stage.take_sent("MESSAGE"), "Proxy-Authorization", "secret", md5));

    let sign_in =
        SignIn { username: " j7 ".into(), realm: "company".into(), password: Password::new("x".into()) };
    let mut stage = Stage::new(&Account { sign_in, ..account() });
    stage.command(AgentCommand::Connect);
    let request = stage.take_sent("REGISTER");
    let both = www("domain.com", "n1", "") + &www("company", "n2", "");
    stage.answer(&request, "401 Unauthorized", &both);
    let request = stage.take_sent("REGISTER");
    let said = field(&request, "Authorization");
    assert_eq!((param(said, "username"), param(said, "realm")), ("j7", "company"));
}

#[test]
fn w6_w30_where_everybody_is_written_to_by_himself_each_message_answers_who_asks() {
    let mut stage = Stage::new(&with_password("sesame"));
    stage.register("401 Unauthorized", &www("domain.com", "r1", ""));
    let request = stage.take_sent("REGISTER");
    stage.answer(&request, "200 OK", "Expires: 600\n");
    stage.send(&ANN_AND_BOB, "Come here.");
    let sent = messages(&mut stage);
    assert_eq!(sent.len(), 2);
    for (number, request) in (0..).zip(&sent) {
        let asks = proxy_asks(&format!("n{number}"), "");
        stage.answer(request, "407 Proxy Authentication Required", &asks);
    }
    let again = messages(&mut stage);
    assert_eq!(again.len(), 2, "{again:#?}");
    for (first, second) in sent.iter().zip(&again) {
        assert!(is_right(second, "Proxy-Authorization", "sesame", md5), "{second}");
        assert_eq!(field(second, "Call-ID"), field(first, "Call-ID"));
        assert_eq!((field(first, "CSeq"), field(second, "CSeq")), ("1 MESSAGE", "2 MESSAGE"));
    }
    stage.answer(&again[0], "200 OK", "");
    stage.answer(&again[1], "407 Proxy Authentication Required", &proxy_asks("n9", ""));
    assert!(messages(&mut stage).is_empty(), "the password is wrong to them: that is the end");
    assert_eq!(stage.stored(1), [DeliveryState::Delivered, DeliveryState::Failed]);
}
