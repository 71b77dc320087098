//! Answers to challenges (W30): literal challenges in, digests by the formula of RFC 7616 §3.4.1 out.

mod submissions;

use md5::Md5;
use sha2::{Digest, Sha256};

use super::*;
use crate::model::account::Password;

pub(super) fn md5(text: &str) -> String {
    Md5::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(super) fn sha256(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(super) fn with_password(password: &str) -> Account {
    let sign_in = SignIn { password: Password::new(password.to_owned()), ..SignIn::default() };
    Account { sign_in, ..account() }
}

fn asked(realm: &str, nonce: &str, more: &str) -> String {
    format!("Digest realm=\"{realm}\", nonce=\"{nonce}\", qop=\"auth\"{more}")
}

pub(super) fn www(realm: &str, nonce: &str, more: &str) -> String {
    format!("WWW-Authenticate: {}\n", asked(realm, nonce, more))
}

pub(super) fn proxy_asks(nonce: &str, more: &str) -> String {
    format!("Proxy-Authenticate: {}\n", asked("domain.com", nonce, more))
}

/// A parameter of a Digest, without its quotes.
pub(super) fn param<'a>(value: &'a str, name: &str) -> &'a str {
    let found = value.trim_start_matches("Digest ").split(", ").find_map(|pair| {
        let (this, value) = pair.split_once('=')?;
        (this == name).then_some(value.trim_matches('"'))
    });
    found.unwrap_or_else(|| panic!("no {name} in {value}"))
}

/// Whether a Digest was made with this password for this request.
pub(super) fn is_right(request: &str, field_name: &str, password: &str, hash: fn(&str) -> String) -> bool {
    let value = field(request, field_name);
    let mut words = request.split(' ');
    let (method, uri) = (words.next().unwrap(), words.next().unwrap());
    assert_eq!(param(value, "uri"), uri);
    let ha1 = hash(&format!("{}:{}:{password}", param(value, "username"), param(value, "realm")));
    let ha2 = hash(&format!("{method}:{uri}"));
    let [nonce, nc, cnonce] = ["nonce", "nc", "cnonce"].map(|name| param(value, name));
    param(value, "response") == hash(&format!("{ha1}:{nonce}:{nc}:{cnonce}:auth:{ha2}"))
}

/// The account is refused with this status and does not retry until the password changes; returns the reason if told.
fn refused(stage: &Stage, expected: u16) -> Option<String> {
    let state = stage.agent.registration();
    let RegistrationState::Refused { status, why, retry_after, .. } = state else { panic!("{state:?}") };
    assert_eq!((*status, *retry_after), (expected, None));
    why.as_ref().map(ToString::to_string)
}

#[test]
fn w30_a_registration_answers_the_strongest_challenge_and_the_next_one_is_not_asked() {
    let mut stage = Stage::new(&with_password("secret"));
    stage.command(AgentCommand::Connect);
    let first = stage.take_sent("REGISTER");
    assert!(!has_field(&first, "Authorization"));
    let both = www("domain.com", "n1", ", algorithm=MD5")
        + &www("domain.com", "n2", ", algorithm=SHA-256, opaque=\"o\"");
    stage.answer(&first, "401 Unauthorized", &both);
    let second = stage.take_sent("REGISTER");
    assert_eq!(field(&second, "CSeq"), "2 REGISTER");
    assert_eq!(field(&second, "Call-ID"), field(&first, "Call-ID"));
    let said = field(&second, "Authorization");
    assert_eq!(
        ["username", "nonce", "nc", "opaque", "algorithm"].map(|name| param(said, name)),
        ["james", "n2", "00000001", "o", "SHA-256"]
    );
    assert!(is_right(&second, "Authorization", "secret", sha256), "{second}");
    stage.answer(&second, "200 OK", PROOF);
    assert_eq!(*stage.agent.registration(), RegistrationState::Connected);
    stage.advance(Duration::from_secs(541));
    let refresh = stage.take_sent("REGISTER");
    assert_eq!(param(field(&refresh, "Authorization"), "nc"), "00000002");
    assert!(is_right(&refresh, "Authorization", "secret", sha256));
    // The nonce is stale by now: the same password under another one.
    stage.answer(&refresh, "401 Unauthorized", &www("domain.com", "n3", ", stale=TRUE"));
    let third = stage.take_sent("REGISTER");
    assert_eq!(["nonce", "nc"].map(|name| param(field(&third, "Authorization"), name)), ["n3", "00000001"]);
    assert!(is_right(&third, "Authorization", "secret", md5));
}

#[test]
fn w30_a_wrong_password_is_said_once_and_not_tried_again() {
    let mut stage = Stage::new(&with_password("wrong"));
    stage.command(AgentCommand::Connect);
    for nonce in ["n1", "n2"] {
        let request = stage.take_sent("REGISTER");
        stage.answer(&request, "401 Unauthorized", &www("domain.com", nonce, ""));
    }
    assert_eq!(
        refused(&stage, 401).as_deref(),
        Some("the password is not right for the realm \"domain.com\"")
    );
    stage.advance(Duration::from_secs(3600));
    assert!(stage.sent_nothing());
}

#[test]
fn w30_a_server_that_finds_every_nonce_stale_is_given_up() {
    let mut stage = Stage::new(&with_password("secret"));
    stage.command(AgentCommand::Connect);
    let mut sent = 0;
    while let Some((_, request)) = stage.sent.pop() {
        sent += 1;
        stage.answer(&request, "401 Unauthorized", &www("domain.com", &format!("n{sent}"), ", stale=true"));
    }
    assert_eq!(sent, 4);
    refused(&stage, 401);
}

#[test]
fn without_a_password_or_with_a_challenge_that_nobody_knows_it_is_refused() {
    let unknown = "the server asks in the realm \"domain.com\" for a kind of proof that this program does not know (it knows MD5, SHA-256 \
                   and SHA-512-256 with qop=auth)";
    let nothing_set = "the server asks for a password in the realm \"domain.com\", and this account has none";
    let only_integrity =
        "WWW-Authenticate: Digest realm=\"domain.com\", nonce=\"n\", qop=\"auth-int\"\n".to_owned();
    for (password, challenge, why) in [
        ("", www("domain.com", "n", ""), Some(nothing_set)),
        ("secret", www("domain.com", "n", ", algorithm=SHA3-256"), Some(unknown)),
        ("secret", www("domain.com", "n", ", algorithm=SHA-1"), Some(unknown)),
        ("secret", only_integrity, Some(unknown)),
        ("secret", String::new(), None),
        ("secret", "WWW-Authenticate: Basic realm=\"domain.com\"\n".to_owned(), None),
    ] {
        let mut stage = Stage::new(&with_password(password));
        stage.register("401 Unauthorized", &challenge);
        assert_eq!(refused(&stage, 401).as_deref(), why);
        assert!(stage.sent_nothing());
    }
}

pub(super) fn digest_of<'a>(request: &'a str, field_name: &str, realm: &str) -> Option<&'a str> {
    let start = format!("{field_name}: ");
    let mut said = request.lines().filter_map(|line| line.strip_prefix(start.as_str()));
    said.find(|value| param(value, "realm") == realm)
}

#[test]
fn an_edge_and_a_registrar_that_ask_one_after_the_other_are_both_answered() {
    for (first, second) in
        [("407 Proxy Authentication Required", "401 Unauthorized"), ("401 Unauthorized", "401 Unauthorized")]
    {
        let field_of = |status: &str| {
            if status.starts_with("407") {
                ("Proxy-Authenticate", "Proxy-Authorization")
            } else {
                ("WWW-Authenticate", "Authorization")
            }
        };
        let ((asks_one, says_one), (asks_two, says_two)) = (field_of(first), field_of(second));
        let mut stage = Stage::new(&with_password("secret"));
        stage.register(first, &format!("{asks_one}: {}\n", asked("edge.example", "e1", "")));
        let request = stage.take_sent("REGISTER");
        assert!(digest_of(&request, says_one, "edge.example").is_some());
        stage.answer(&request, second, &format!("{asks_two}: {}\n", asked("domain.com", "h1", "")));
        let request = stage.take_sent("REGISTER");
        assert!(digest_of(&request, says_one, "edge.example").is_some(), "{request}");
        assert!(digest_of(&request, says_two, "domain.com").is_some(), "{request}");
        assert_eq!(field(&request, "CSeq"), "3 REGISTER");
        // Now the edge rejects its credentials: they are not sent again, and that ends it.
        stage.answer(&request, first, &format!("{asks_one}: {}\n", asked("edge.example", "e2", "")));
        assert!(stage.sent_nothing());
        let status = first.split(' ').next().unwrap().parse().unwrap();
        assert_eq!(
            refused(&stage, status).as_deref(),
            Some("the password is not right for the realm \"edge.example\"")
        );
    }
}

#[test]
fn all_realms_of_one_answer_are_answered_whichever_its_status() {
    for status in ["401 Unauthorized", "407 Proxy Authentication Required"] {
        let mut stage = Stage::new(&with_password("secret"));
        stage.command(AgentCommand::Connect);
        let request = stage.take_sent("REGISTER");
        let all = www("one", "n1", "") + &www("two", "n2", "") + &proxy_asks("n3", "");
        stage.answer(&request, status, &all);
        let request = stage.take_sent("REGISTER");
        assert!(digest_of(&request, "Authorization", "one").is_some(), "{request}");
        assert!(digest_of(&request, "Authorization", "two").is_some(), "{request}");
        assert!(digest_of(&request, "Proxy-Authorization", "domain.com").is_some(), "{request}");
        // One realm refuses, and a new one asks: what was refused is not repeated.
        stage.answer(&request, status, &(www("one", "n4", "") + &www("three", "n5", "")));
        let request = stage.take_sent("REGISTER");
        assert!(digest_of(&request, "Authorization", "one").is_none(), "{request}");
        assert!(digest_of(&request, "Authorization", "three").is_some(), "{request}");
    }
}

#[test]
fn a_server_that_makes_up_realms_is_given_up() {
    let mut stage = Stage::new(&with_password("secret"));
    stage.command(AgentCommand::Connect);
    let mut sent = 0;
    while let Some((_, request)) = stage.sent.pop() {
        sent += 1;
        let more =
            www(&format!("realm{sent}"), "n", "") + &www("domain.com", &format!("n{sent}"), ", stale=true");
        stage.answer(&request, "401 Unauthorized", &more);
        assert!(sent < 100);
    }
    assert_eq!(sent, 4, "the first one, and three with answers");
    refused(&stage, 401);
}

#[test]
fn a_digest_without_qop_gives_algorithm_and_opaque_back_as_they_came() {
    for (more, expected) in [
        (", algorithm=MD5", Some("MD5")),
        (", algorithm=md5", Some("md5")),
        (", algorithm=\"SHA-256\"", Some("SHA-256")),
        ("", None),
    ] {
        for qop in ["", ", qop=\"auth\""] {
            let mut stage = Stage::new(&with_password("secret"));
            stage.command(AgentCommand::Connect);
            let request = stage.take_sent("REGISTER");
            let asked = format!(
                "WWW-Authenticate: Digest realm=\"domain.com\", nonce=\"n\", opaque=\"\"{more}{qop}\n"
            );
            stage.answer(&request, "401 Unauthorized", &asked);
            let request = stage.take_sent("REGISTER");
            let said = field(&request, "Authorization");
            let algorithm = said.split(", ").find_map(|pair| pair.strip_prefix("algorithm="));
            assert_eq!(algorithm, expected, "{said}");
            assert!(said.contains(", opaque=\"\""), "{said}");
            assert_eq!(said.contains("qop=auth"), !qop.is_empty(), "{said}");
        }
    }
}

#[test]
fn the_next_nonce_of_a_good_answer_is_used() {
    let mut stage = Stage::new(&with_password("secret"));
    stage.register("401 Unauthorized", &www("domain.com", "n1", ""));
    let request = stage.take_sent("REGISTER");
    let info = "Authentication-Info: qop=auth, rspauth=\"00\", nextnonce=\"n2\"\n";
    stage.answer(&request, "200 OK", &format!("Supported: secondary-to\nExpires: 600\n{info}"));
    stage.advance(Duration::from_secs(541));
    let refresh = stage.take_sent("REGISTER");
    let said = field(&refresh, "Authorization");
    assert_eq!(["nonce", "nc"].map(|name| param(said, name)), ["n2", "00000001"]);
}

#[test]
fn a_realm_that_the_account_does_not_name_is_named_with_what_to_do() {
    let sign_in =
        SignIn { realm: "company".into(), password: Password::new("x".into()), ..SignIn::default() };
    let mut stage = Stage::new(&Account { sign_in, ..account() });
    stage.register("401 Unauthorized", &www("asterisk\u{202E}", "n1", ""));
    assert_eq!(
        refused(&stage, 401).as_deref(),
        Some(
            "the server asks for the realm \"asterisk⟨U+202E⟩\", and this account uses its password for \"company\" alone; if \
             that is your server, set the realm to \"asterisk⟨U+202E⟩\" (--realm)"
        )
    );
    // The same if a MESSAGE is challenged.
    let mut stage = Stage::new(&with_password("secret"));
    stage.connect();
    stage.send(&["im:ann@domain.com"], "x");
    let request = stage.take_sent("MESSAGE");
    let asks = format!("Proxy-Authenticate: {}\n", asked("asterisk", "n", ""));
    stage.answer(&request, "407 Proxy Authentication Required", &asks);
    let told = |event: &Event| {
        matches!(event, Event::Refused { reason, .. }
            if reason.to_string().contains("the realm \"asterisk\"") && reason.to_string().contains("--realm"))
    };
    assert!(stage.events.iter().any(told), "{:?}", stage.events);
}

#[test]
fn an_un_registration_that_is_asked_for_credentials_is_answered_too() {
    let mut stage = Stage::new(&with_password("secret"));
    stage.connect();
    stage.command(AgentCommand::Disconnect);
    let request = stage.take_sent("REGISTER");
    stage.answer(&request, "401 Unauthorized", &www("domain.com", "n1", ", stale=true"));
    let again = stage.take_sent("REGISTER");
    assert!(field(&again, "Contact").ends_with(";expires=0"), "{again}");
    assert!(is_right(&again, "Authorization", "secret", md5));
    stage.answer(&again, "200 OK", "");
    assert!(stage.events.contains(&Event::Disconnected));
}

/// The MESSAGEs that were sent, in order.
pub(super) fn messages(stage: &mut Stage) -> Vec<String> {
    let sent = std::mem::take(&mut stage.sent);
    sent.into_iter().map(|(_, text)| text).filter(|text| text.starts_with("MESSAGE")).collect()
}
