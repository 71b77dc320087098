//! Challenges to requests that our server passes on (W30): whoever answers them gets no proof of the password that our
//! server would not get, and spoils nothing that goes to anybody else.

use super::sign_in::{digest_of, is_right, md5, messages, param, proxy_asks, sha256, with_password, www};
use super::*;
use crate::limits::RECIPIENT_SESSIONS_MAX;
use crate::model::account::Password;
use DeliveryState::{Delivered, Failed};

const EVIL: &str = "sip:mallory@evil.example";
const ANN: &str = "sip:ann@domain.com";
const HERE: crate::model::journal::ConversationId = crate::model::journal::ConversationId(1);

/// Registered with a server that asked for the password like this, and offers this.
fn signed_in(challenge: &str, offers: &str) -> Stage {
    let mut stage = Stage::new(&with_password("secret"));
    stage.register("401 Unauthorized", challenge);
    let request = stage.take_sent("REGISTER");
    stage.answer(&request, "200 OK", offers);
    stage.sent.clear();
    stage
}

/// Signed in with SHA-256 at a server that does not fan out.
fn one_by_one() -> Stage {
    signed_in(&www("domain.com", "r1", ", algorithm=SHA-256"), "Expires: 600\n")
}

fn single(stage: &mut Stage, to: &str) -> String {
    stage.send(&[to], "Come here.");
    let mut sent = messages(stage);
    assert_eq!(sent.len(), 1, "{sent:?}");
    sent.remove(0)
}

/// The reason of the latest failure.
fn reason(stage: &Stage) -> String {
    let of = |event: &Event| {
        let Event::Delivery { state: Failed, reason, .. } = event else { return None };
        Some(reason.to_string())
    };
    stage.events.iter().rev().find_map(of).expect("a failure")
}

#[test]
fn w30_a_challenge_to_a_notification_or_a_message_gets_into_no_request_to_anybody_else() {
    let challenges = [
        ("401 Unauthorized", "WWW-Authenticate", "Authorization"),
        ("407 Proxy Authentication Required", "Proxy-Authenticate", "Proxy-Authorization"),
    ];
    for (status, asks, says) in challenges {
        // Our server fans out, and has asked for a MESSAGE too.
        let mut stage = signed_in(&www("domain.com", "r1", ""), PROOF);
        stage.send(&[EVIL], "Come here.");
        let request = stage.take_sent("MESSAGE");
        stage.answer(&request, "407 Proxy Authentication Required", &proxy_asks("good", ""));
        let request = stage.take_sent("MESSAGE");
        stage.accept(&request);
        // The person who is told that we type answers like this, and then takes it.
        stage.command(AgentCommand::Typing { conversation: HERE, has_text: true });
        let typing = stage.take_sent("MESSAGE");
        assert_eq!(param(field(&typing, "Proxy-Authorization"), "nonce"), "good");
        let evil =
            format!("{asks}: Digest realm=\"domain.com\", nonce=\"evil\", algorithm=MD5, qop=\"auth\"\n");
        stage.answer(&typing, status, &evil);
        let again = stage.take_sent("MESSAGE");
        assert_eq!(param(digest_of(&again, says, "domain.com").unwrap(), "nonce"), "evil");
        let next = "Authentication-Info: nextnonce=\"evil\"\nProxy-Authentication-Info: nextnonce=\"evil\"\n";
        stage.answer(&again, "200 OK", next);
        // Submissions, the registration and what goes to others know nothing of it.
        stage.send(&[EVIL, ANN], "Where are you?");
        let submission = stage.take_sent("MESSAGE");
        assert!(!submission.contains("evil\""), "{submission}");
        assert!(!has_field(&submission, "Authorization"), "{submission}");
        assert_eq!(param(field(&submission, "Proxy-Authorization"), "nonce"), "good");
        assert!(is_right(&submission, "Proxy-Authorization", "secret", md5), "{submission}");
        stage.accept(&submission);
        stage.advance(Duration::from_secs(541));
        let refresh = stage.take_sent("REGISTER");
        assert!(!refresh.contains("evil\""), "{refresh}");
    }
}

#[test]
fn w30_one_by_one_a_challenge_is_good_for_its_recipient_alone_and_while_he_takes_what_we_send() {
    let mut stage = one_by_one();
    let asks = |nonce: &str| proxy_asks(nonce, ", algorithm=SHA-256");
    let first = single(&mut stage, EVIL);
    assert!(!has_field(&first, "Proxy-Authorization"));
    stage.answer(&first, "407 Proxy Authentication Required", &asks("evil"));
    let again = messages(&mut stage).remove(0);
    assert!(is_right(&again, "Proxy-Authorization", "secret", sha256), "{again}");
    stage.answer(&again, "200 OK", "");
    // It is kept for him.
    let second = single(&mut stage, "sip:mallory@EVIL.example:5060");
    let said = field(&second, "Proxy-Authorization").to_owned();
    assert_eq!(["nonce", "nc"].map(|name| param(&said, name)), ["evil", "00000002"]);
    // Not for others, who have a challenge of their own.
    let to_ann = single(&mut stage, ANN);
    assert!(!has_field(&to_ann, "Proxy-Authorization"), "{to_ann}");
    stage.answer(&to_ann, "407 Proxy Authentication Required", &asks("ann"));
    let to_ann = messages(&mut stage).remove(0);
    assert_eq!(param(field(&to_ann, "Proxy-Authorization"), "nonce"), "ann");
    stage.answer(&to_ann, "200 OK", "");
    // A refusal of his ends his own, and nobody else's.
    stage.answer(&second, "480 Temporarily Unavailable", "");
    assert!(!has_field(&single(&mut stage, EVIL), "Proxy-Authorization"));
    assert!(has_field(&single(&mut stage, ANN), "Proxy-Authorization"));
}

#[test]
fn w30_a_recipient_gets_no_proof_in_a_realm_in_which_our_server_has_not_asked() {
    // The server has asked for no password at all, or in another realm.
    let nothing = {
        let mut stage = Stage::new(&with_password("secret"));
        stage.register("200 OK", "Expires: 600\n");
        stage
    };
    let other = signed_in(&www("asterisk", "r1", ""), "Expires: 600\n");
    for mut stage in [nothing, other] {
        for status in ["401 Unauthorized", "407 Proxy Authentication Required"] {
            let request = single(&mut stage, EVIL);
            stage.answer(&request, status, &(www("domain.com", "chosen", "") + &proxy_asks("chosen", "")));
            assert!(messages(&mut stage).is_empty());
            assert_eq!(
                reason(&stage),
                "Sign-in failed: somebody, perhaps the recipient, asks for your password in the realm \"domain.com\", in which your \
                 server has not asked for it; if it is your server, set the realm to \"domain.com\" (--realm)"
            );
        }
    }
    // An account that names the realm says that it is the server's.
    let sign_in =
        SignIn { realm: "domain.com".into(), password: Password::new("secret".into()), ..SignIn::default() };
    let mut stage = Stage::new(&Account { sign_in, ..account() });
    stage.register("200 OK", "Expires: 600\n");
    let request = single(&mut stage, EVIL);
    stage.answer(&request, "401 Unauthorized", &www("domain.com", "n", ""));
    assert!(is_right(&messages(&mut stage)[0], "Authorization", "secret", md5));
}

#[test]
fn w30_an_account_that_does_not_register_learns_the_realm_from_its_registrar_before_anything_leaves() {
    let account = Account { register: false, ..with_password("secret") };
    let challenge =
        www("domain.com", "r1", ", algorithm=MD5") + &www("domain.com", "r2", ", algorithm=SHA-256");
    let with = |answer: Option<(&str, &str)>| {
        let mut stage = Stage::new(&account);
        stage.send(&[EVIL], "Come here.");
        let options = stage.take_sent("OPTIONS");
        stage.answer(&options, "200 OK", "");
        assert!(!stage.sent.iter().any(|(_, text)| text.starts_with("MESSAGE")), "{:?}", stage.sent);
        let query = stage.take_sent("REGISTER");
        assert!(!has_field(&query, "Contact") && !has_field(&query, "Expires"), "{query}");
        assert_eq!(field(&query, "Supported"), "path");
        assert_eq!(field(&query, "To"), "<sip:james@domain.com>");
        match answer {
            Some((status, fields)) => stage.answer(&query, status, fields),
            None => {
                stage.advance(Duration::from_millis(3_999));
                assert!(!stage.sent.iter().any(|(_, text)| text.starts_with("MESSAGE")), "{:?}", stage.sent);
                stage.advance(Duration::from_millis(1));
            }
        }
        assert_eq!(*stage.agent.registration(), RegistrationState::NoFanOut);
        let request = messages(&mut stage).remove(0);
        (stage, request)
    };
    let (mut stage, request) = with(Some(("401 Unauthorized", challenge.as_str())));
    stage.answer(&request, "407 Proxy Authentication Required", &proxy_asks("n", ", algorithm=SHA-256"));
    assert!(is_right(&messages(&mut stage)[0], "Proxy-Authorization", "secret", sha256));
    let (mut stage, request) = with(Some(("401 Unauthorized", challenge.as_str())));
    stage.answer(&request, "401 Unauthorized", &www("domain.com", "chosen", ", algorithm=MD5"));
    assert!(messages(&mut stage).is_empty());
    for answer in [Some(("200 OK", "")), Some(("405 Method Not Allowed", "")), None] {
        let (mut stage, request) = with(answer);
        stage.answer(&request, "401 Unauthorized", &www("domain.com", "chosen", ""));
        assert!(messages(&mut stage).is_empty(), "{answer:?}");
    }
    // The next message does not ask again.
    let (mut stage, request) = with(Some(("401 Unauthorized", challenge.as_str())));
    stage.answer(&request, "200 OK", "");
    stage.send(&[ANN], "And you?");
    assert_eq!(stage.sent.len(), 1, "{:?}", stage.sent);
}

#[test]
fn w30_a_recipient_gets_no_weaker_proof_than_our_server() {
    let strong = www("domain.com", "r1", ", algorithm=SHA-256");
    let long = "x".repeat(3000);
    for (registrar, asked, is_answered) in [
        (strong.as_str(), "nonce=\"n\", algorithm=MD5, qop=\"auth\"".to_owned(), false),
        (strong.as_str(), "nonce=\"n\", qop=\"auth\"".to_owned(), false),
        (strong.as_str(), "nonce=\"n\", algorithm=SHA-256".to_owned(), false),
        (strong.as_str(), "nonce=\"n\", algorithm=SHA-512-256".to_owned(), false),
        (strong.as_str(), format!("nonce=\"{long}\", algorithm=SHA-256, qop=\"auth\""), false),
        (strong.as_str(), "nonce=\"n\", algorithm=SHA-256, qop=\"auth\"".to_owned(), true),
        (strong.as_str(), "nonce=\"n\", algorithm=SHA-512-256, qop=\"auth\"".to_owned(), true),
    ] {
        let mut stage = signed_in(registrar, "Expires: 600\n");
        let request = single(&mut stage, EVIL);
        let challenge = format!("WWW-Authenticate: Digest realm=\"domain.com\", {asked}\n");
        stage.answer(&request, "401 Unauthorized", &challenge);
        assert_eq!(messages(&mut stage).len(), usize::from(is_answered), "{challenge}");
        if !is_answered {
            assert_eq!(stage.stored(1), [Failed]);
            assert_eq!(
                reason(&stage),
                "Sign-in failed: somebody, perhaps the recipient, asks in the realm \"domain.com\" for a proof of your password that is \
                 weaker than what your server asks for, or needlessly long"
            );
        }
    }
    // A server that asks for MD5 without qop itself is answered as it asks.
    let weak = "WWW-Authenticate: Digest realm=\"domain.com\", nonce=\"n\"\n";
    let mut stage = signed_in(weak, "Expires: 600\n");
    let request = single(&mut stage, ANN);
    stage.answer(&request, "401 Unauthorized", weak);
    let again = messages(&mut stage);
    assert!(has_field(&again[0], "Authorization"));
    stage.answer(&again[0], "200 OK", "");
    assert_eq!(stage.stored(1), [Delivered]);
}

#[test]
fn w30_sessions_with_recipients_have_a_maximum() {
    let mut stage = one_by_one();
    let addresses: Vec<_> =
        (0..=RECIPIENT_SESSIONS_MAX).map(|index| format!("sip:u{index}@domain.com")).collect();
    for address in &addresses {
        let request = single(&mut stage, address);
        stage.answer(&request, "407 Proxy Authentication Required", &proxy_asks("n", ", algorithm=SHA-256"));
        let again = messages(&mut stage).remove(0);
        stage.answer(&again, "200 OK", "");
    }
    assert!(!has_field(&single(&mut stage, &addresses[0]), "Proxy-Authorization"), "the oldest is forgotten");
    assert!(has_field(&single(&mut stage, &addresses[1]), "Proxy-Authorization"));
}
