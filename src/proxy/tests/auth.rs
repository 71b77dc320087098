//! Who may sign in, register and write: W12, W13, W15, W18, W30; digests written out by the formula of RFC 7616 §3.4.1.

use md5::Md5;
use sha2::{Digest, Sha256};

use super::*;
use crate::limits::{NONCE_LIFETIME, WRONG_PASSWORDS_MAX};
use crate::proxy::journal::UserRow;
use crate::proxy::{Auth, ProxyCommand};
use crate::sip::Aor;
use crate::sip::digest::{Algorithm, Ha1};

mod consent;
mod inbound;
mod inner;
mod lockout;
mod payers;
mod passing;
mod unanswered;

const ANOTHER: &str = "192.0.2.2:5060";

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn md5(text: &str) -> String {
    hex(&Md5::digest(text))
}

fn sha256(text: &str) -> String {
    hex(&Sha256::digest(text))
}

/// James, Ann and Bob; each password is the name spelled backwards.
pub(super) fn user(name: &str) -> UserRow {
    let password: String = name.chars().rev().collect();
    let text = format!("{name}:domain.com:{password}");
    UserRow {
        aor: Aor::parse(&format!("{name}@domain.com")).unwrap(),
        sha256: Ha1::stored(Algorithm::Sha256, sha256(&text)),
        md5: Ha1::stored(Algorithm::Md5, md5(&text)),
        blocked: Vec::new(),
    }
}

pub(super) fn users(names: &[&str]) -> ProxyCommand {
    ProxyCommand::Users(names.iter().copied().map(user).collect())
}

fn asking() -> Bench {
    asking_with(config())
}

fn asking_with(config: ProxyConfig) -> Bench {
    let mut bench = Bench::with(ProxyConfig { auth: Auth::On, ..config });
    bench.input(Input::Command(users(&["james", "ann", "bob"])));
    bench
}

/// The nonce of a challenge.
pub(super) fn nonce(challenge: &str) -> String {
    challenge.split("nonce=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
}

/// The parts of `Digest ...` with qop=auth.
pub(super) struct Said<'a> {
    pub(super) username: &'a str,
    pub(super) password: &'a str,
    pub(super) nonce: &'a str,
    pub(super) nc: &'a str,
    pub(super) algorithm: &'a str,
}

impl Said<'_> {
    /// The request with this field, and another branch and CSeq.
    pub(super) fn with(&self, request: &str, field: &str) -> String {
        let mut words = request.split(' ');
        let (method, uri) = (words.next().unwrap(), words.next().unwrap());
        let Self { username, password, nonce, nc, algorithm } = self;
        let hash = if *algorithm == "MD5" { md5 } else { sha256 };
        let ha1 = hash(&format!("{username}:domain.com:{password}"));
        let ha2 = hash(&format!("{method}:{uri}"));
        let response = hash(&format!("{ha1}:{nonce}:{nc}:0a4f113b:auth:{ha2}"));
        let value = format!(
            "Digest username=\"{username}\", realm=\"domain.com\", nonce=\"{nonce}\", uri=\"{uri}\", \
             response=\"{response}\", algorithm={algorithm}, cnonce=\"0a4f113b\", qop=auth, nc={nc}"
        );
        let more = md5(&value);
        request.replacen(";branch=z9hG4bK", &format!(";branch=z9hG4bK{more}"), 1).replacen(
            "\nCall-ID",
            &format!("\n{field}: {value}\nCall-ID"),
            1,
        )
    }
}

fn james<'a>(nonce: &'a str, nc: &'a str) -> Said<'a> {
    Said { username: "james", password: "semaj", nonce, nc, algorithm: "SHA-256" }
}

/// A submission with its own Call-ID.
fn submission(number: u32) -> String {
    SUBMISSION.replace("K776", &format!("K{number}")).replace("asd88asd77a", &format!("call{number}"))
}

/// The answer to a request; reports sent with it are dropped.
fn ask(bench: &mut Bench, from: &str, request: &str) -> String {
    bench.take(from);
    bench.receive(udp(from), request);
    let sent = bench.take(from);
    let answer = sent.iter().find(|text| text.starts_with("SIP/2.0"));
    answer.unwrap_or_else(|| panic!("no answer: {sent:#?}")).clone()
}

/// Lets James be challenged.
fn nonce_for(bench: &mut Bench, request: &str) -> String {
    nonce_at(bench, JAMES, request)
}

/// The same from another address.
fn nonce_at(bench: &mut Bench, from: &str, request: &str) -> String {
    let asked = ask(bench, from, request);
    assert_eq!(status(&asked), 407, "{asked}");
    nonce(fields(&asked, "Proxy-Authenticate")[0])
}

#[test]
fn w13_a_submission_is_asked_for_credentials_and_accepted_with_them() {
    let mut bench = asking();
    let asked = ask(&mut bench, JAMES, SUBMISSION);
    assert_eq!(status(&asked), 407);
    let challenges = fields(&asked, "Proxy-Authenticate");
    assert_eq!(challenges.len(), 2, "{asked}");
    for (challenge, algorithm) in challenges.iter().zip(["SHA-256", "MD5"]) {
        assert!(challenge.starts_with("Digest realm=\"domain.com\", nonce=\""), "{challenge}");
        assert!(
            challenge.ends_with(&format!("algorithm={algorithm}, qop=\"auth\"")),
            "RFC 8760: {challenge}"
        );
    }
    bench.advance_ms(60_000);
    assert!(bench.sent.is_empty() && bench.rows.dispatches.is_empty(), "nobody gets anything");
    let nonce = nonce(challenges[0]);
    let answer = ask(&mut bench, JAMES, &james(&nonce, "00000001").with(SUBMISSION, "Proxy-Authorization"));
    assert_eq!(status(&answer), 202, "{answer}");
    let old = Said { algorithm: "MD5", ..james(&nonce, "00000002") };
    let answer = ask(&mut bench, JAMES, &old.with(&submission(2), "Proxy-Authorization"));
    assert_eq!(status(&answer), 202, "MD5 for old clients: {answer}");
}

#[test]
fn w30_a_registration_is_asked_for_credentials_of_the_very_user() {
    let mut bench = asking();
    let request = register("ann", &format!("<sip:ann@{ANN}>"), 1, 600);
    let asked = ask(&mut bench, ANN, &request);
    assert_eq!(status(&asked), 401);
    let nonce = nonce(fields(&asked, "WWW-Authenticate")[0]);
    let stranger = james(&nonce, "00000001").with(&request, "Authorization");
    let refused = ask(&mut bench, ANN, &stranger);
    assert!(refused.starts_with("SIP/2.0 403 To Is Another User's"), "{refused}");
    let ann = Said { username: "ann", password: "nna", nonce: &nonce, nc: "00000002", algorithm: "SHA-256" };
    assert_eq!(status(&ask(&mut bench, ANN, &ann.with(&request, "Authorization"))), 200);
    assert_eq!(bench.rows.bindings.len(), 1);
    // The wildcard that removes all bindings is not for anybody else either.
    let all = register("ann", "*", 2, 0);
    assert_eq!(status(&ask(&mut bench, JAMES, &all)), 401);
    assert_eq!(bench.rows.bindings.len(), 1);
}

#[test]
fn w13_from_has_to_be_the_users_and_a_stranger_is_not_asked() {
    let mut bench = asking();
    let nonce = nonce_for(&mut bench, SUBMISSION);
    let as_ann = SUBMISSION.replace("im:james@", "im:ann@");
    let refused = ask(&mut bench, JAMES, &james(&nonce, "00000001").with(&as_ann, "Proxy-Authorization"));
    assert!(refused.starts_with("SIP/2.0 403 From Is Another User's"), "{refused}");
    let stranger = submission(3).replace("james@domain.com", "james@elsewhere.com");
    let refused = ask(&mut bench, JAMES, &james(&nonce, "00000002").with(&stranger, "Proxy-Authorization"));
    assert!(refused.starts_with("SIP/2.0 403 Not A User"), "{refused}");
    assert!(bench.rows.dispatches.is_empty());
}

#[test]
fn w30_a_wrong_password_is_asked_again_and_ten_of_them_are_enough_for_a_minute() {
    let mut bench = asking();
    let nonce = nonce_for(&mut bench, SUBMISSION);
    let guess = |number: u32, said: Said<'_>| said.with(&submission(number), "Proxy-Authorization");
    for number in 0..WRONG_PASSWORDS_MAX {
        let nc = format!("{:08x}", number + 1);
        let wrong = Said { password: "guess", ..james(&nonce, &nc) };
        let answer = ask(&mut bench, JAMES, &guess(100 + number, wrong));
        assert_eq!(status(&answer), 407, "{answer}");
        assert!(!answer.contains("stale"), "a wrong password is not a nonce that is too old: {answer}");
    }
    let right = |bench: &mut Bench, number: u32| {
        let nc = format!("{number:08x}");
        ask(bench, JAMES, &guess(number, james(&nonce, &nc)))
    };
    let locked = right(&mut bench, 200);
    assert!(locked.starts_with("SIP/2.0 403 Too Many Wrong Passwords"), "{locked}");
    assert_eq!(field(&locked, "Retry-After"), Some("60"));
    let elsewhere = nonce_at(&mut bench, ANOTHER, &submission(201));
    let said = james(&elsewhere, "00000001").with(&submission(202), "Proxy-Authorization");
    assert_eq!(status(&ask(&mut bench, ANOTHER, &said)), 202, "elsewhere he may");
    bench.advance_ms(60_000);
    assert_eq!(status(&right(&mut bench, 203)), 202);
    // The same for an unknown user.
    let nobody = Said { username: "nobody", ..james(&nonce, "00001000") };
    assert_eq!(status(&ask(&mut bench, JAMES, &guess(300, nobody))), 407);
}

#[test]
fn w30_a_nonce_counts_each_number_once_and_is_stale_after_an_hour() {
    let mut bench = asking();
    let first = nonce_for(&mut bench, SUBMISSION);
    let send = |bench: &mut Bench, number: u32, said: Said<'_>| {
        ask(bench, JAMES, &said.with(&submission(number), "Proxy-Authorization"))
    };
    assert_eq!(status(&send(&mut bench, 1, james(&first, "00000001"))), 202);
    let replayed = send(&mut bench, 2, james(&first, "00000001"));
    assert_eq!(status(&replayed), 407, "{replayed}");
    assert!(fields(&replayed, "Proxy-Authenticate").iter().all(|value| value.ends_with(", stale=true")));
    assert_eq!(status(&send(&mut bench, 3, james(&first, "0000000A"))), 202, "hexadecimal");
    bench.advance(NONCE_LIFETIME + Duration::from_secs(1));
    bench.sent.clear();
    let late = send(&mut bench, 4, james(&first, "0000000b"));
    assert!(fields(&late, "Proxy-Authenticate")[0].ends_with(", stale=true"), "{late}");
    let second = nonce(fields(&late, "Proxy-Authenticate")[0]);
    assert_eq!(status(&send(&mut bench, 5, james(&second, "00000001"))), 202);
    // After a crash older nonces are not valid, since their used counts are not known; the password still is.
    bench.crash();
    bench.input(Input::Command(users(&["james"])));
    bench.sent.clear();
    let after = send(&mut bench, 6, james(&second, "00000002"));
    assert!(fields(&after, "Proxy-Authenticate")[0].ends_with(", stale=true"), "{after}");
}

#[test]
fn w30_a_changed_password_counts_at_once() {
    let mut bench = asking();
    let nonce = nonce_for(&mut bench, SUBMISSION);
    let mut changed = user("james");
    changed.sha256 = Ha1::stored(Algorithm::Sha256, sha256("james:domain.com:new"));
    bench.input(Input::Command(ProxyCommand::Users([changed].into())));
    let old = james(&nonce, "00000001").with(SUBMISSION, "Proxy-Authorization");
    assert_eq!(status(&ask(&mut bench, JAMES, &old)), 407);
    let new = Said { password: "new", ..james(&nonce, "00000002") }.with(SUBMISSION, "Proxy-Authorization");
    assert_eq!(status(&ask(&mut bench, JAMES, &new)), 202);
}

#[test]
fn w12_a_double_is_known_before_it_is_asked_but_only_who_proves_it_is_followed() {
    let mut bench = asking();
    let said = "Contact: <sip:james@192.0.2.1>\nDelivery-Report: final;id=7";
    let request = SUBMISSION.replace("Contact: <sip:james@jamesmob.domain.com>", said);
    let nonce = nonce_for(&mut bench, &request);
    let accepted = ask(&mut bench, JAMES, &james(&nonce, "00000001").with(&request, "Proxy-Authorization"));
    assert_eq!(status(&accepted), 202);
    // From another address, without credentials or with replayed ones: the 202 comes, but the flow does not move.
    let bare = request.replace("K776", "K777");
    let replay = james(&nonce, "00000001").with(&request.replace("K776", "K778"), "Proxy-Authorization");
    for double in [bare, replay] {
        let answer = ask(&mut bench, ANOTHER, &double);
        assert_eq!(status(&answer), 202, "{answer}");
        assert_eq!(field(&answer, "To"), field(&accepted, "To"));
        assert_eq!(bench.rows.dispatches[0].accepted.flow.remote, address(JAMES));
    }
    let elsewhere = nonce_at(&mut bench, ANOTHER, &submission(9));
    let proved = james(&elsewhere, "00000001").with(&request.replace("K776", "K779"), "Proxy-Authorization");
    assert_eq!(status(&ask(&mut bench, ANOTHER, &proved)), 202);
    assert_eq!(bench.rows.dispatches[0].accepted.flow.remote, address(ANOTHER));
    assert_eq!(bench.rows.dispatches.len(), 1);
}

#[test]
fn w18_who_is_no_user_is_404_even_where_a_binding_is_left() {
    let mut bench = asking_with(ProxyConfig { trust: vec!["udp:192.0.2.0/24".parse().unwrap()], ..config() });
    bench.register("ann", ANN);
    bench.register("bob", BOB);
    bench.input(Input::Command(users(&["james", "ann"])));
    let answer =
        ask(&mut bench, JAMES, &SUBMISSION.replace("Contact", "Delivery-Report: final;detail\nContact"));
    assert_eq!(status(&answer), 202);
    assert!(bench.take(BOB).is_empty());
    let leg = bench.take_one(ANN);
    bench.answer(ANN, &leg, "200 OK");
    bench.advance_ms(200);
    let ordinary = SUBMISSION
        .replace("Secondary-To: <im:bob@domain.com>\n", "")
        .replace("Proxy-Require: secondary-to\n", "")
        .replace("ann@", "bob@")
        .replace("K776", "K90");
    let refused = ask(&mut bench, JAMES, &ordinary);
    assert_eq!(status(&refused), 404, "{refused}");
    let mut outcomes = bench.rows.dispatches[0].outcomes.clone();
    outcomes.sort_by_key(|row| row.recipient);
    assert_eq!(outcomes.iter().map(|row| row.status).collect::<Vec<_>>(), [200, 404]);
}

#[test]
fn w13_broken_credentials_and_those_for_another_request_are_400() {
    let mut bench = asking();
    let nonce = nonce_for(&mut bench, SUBMISSION);
    for (number, (credentials, said)) in [
        // Whose they are cannot be read, so it is as if there were none.
        ("realm=\"domain.com", "407 "),
        ("realm=\"domain.com\", nc=1", "400 Bad Proxy-Authorization: no username"),
        ("realm=\"elsewhere.com\", nc=1", "407 "),
    ]
    .into_iter()
    .enumerate()
    {
        let broken = SUBMISSION
            .replace("\nCall-ID", &format!("\nProxy-Authorization: Digest {credentials}\nCall-ID"))
            .replace("K776", &format!("K1{number}"));
        let answer = ask(&mut bench, JAMES, &broken);
        assert!(answer.starts_with(&format!("SIP/2.0 {said}")), "{credentials}: {answer}");
    }
    let other = james(&nonce, "00000001").with(&submission(2), "Proxy-Authorization");
    let answer = ask(&mut bench, JAMES, &other.replacen("MESSAGE sip:ann@", "MESSAGE sip:bob@", 1));
    assert!(answer.starts_with("SIP/2.0 400 Credentials Are For Another Request-URI"), "{answer}");
    assert!(bench.rows.dispatches.is_empty());
}

#[test]
fn w30_old_clients_that_give_up_at_what_they_do_not_know_can_be_offered_md5_alone() {
    let mut bench = Bench::with(ProxyConfig { auth: Auth::Md5, ..config() });
    bench.input(Input::Command(users(&["james"])));
    let asked = ask(&mut bench, JAMES, SUBMISSION);
    let challenges = fields(&asked, "Proxy-Authenticate");
    assert!(challenges.len() == 1 && challenges[0].contains("algorithm=MD5,"), "{asked}");
    let nonce = nonce(challenges[0]);
    let sha256 = james(&nonce, "00000001").with(SUBMISSION, "Proxy-Authorization");
    assert_eq!(status(&ask(&mut bench, JAMES, &sha256)), 407);
    let md5 = Said { algorithm: "MD5", ..james(&nonce, "00000002") }.with(SUBMISSION, "Proxy-Authorization");
    assert_eq!(status(&ask(&mut bench, JAMES, &md5)), 202);
}

/// Nobody can make the proxy read a list of recipients without authenticating, whether in the header or in the body.
#[test]
fn w26_w30_recipients_are_read_only_for_a_sender_who_is_known() {
    let in_header = other_submission("<im:bob@domain.com>", "<im:bob@domain.com");
    let in_body = SUBMISSION
        .replace("Proxy-Require: secondary-to", "Require: recipient-list-message")
        .replace("Secondary-To: <im:bob@domain.com>\n", "")
        .replace("text/plain", "multipart/mixed;boundary=b");
    let (head, _) = in_body.split_once("Content-Length").unwrap();
    let list = "--b\n\nx\n--b\nContent-Type: application/resource-lists+xml\n\n<resource-lists>\n--b--\n";
    let length = list.len();
    let in_body = format!("{head}Content-Length: {length}\n\n{list}");
    for (text, fault) in [(in_header, "400 Bad Secondary-To"), (in_body, "400 Bad recipient list")] {
        let mut bench = asking();
        let stranger = text.replace("im:james@domain.com", "im:james@elsewhere.com");
        assert_eq!(status(&ask(&mut bench, ANOTHER, &stranger.replace("K776", "K777"))), 403, "{stranger}");
        let nonce = nonce_for(&mut bench, &text);
        let answer = ask(&mut bench, JAMES, &james(&nonce, "00000001").with(&text, "Proxy-Authorization"));
        assert!(answer.starts_with(&format!("SIP/2.0 {fault}")), "{answer}");
    }
}
