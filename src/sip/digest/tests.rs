//! The RFCs' examples, verbatim, and challenges as seen in practice.

use bytes::Bytes;

use super::*;
use crate::limits::{CHALLENGES_MAX, CREDENTIALS_BYTES_MAX, CREDENTIALS_MAX};
use crate::sip::{Message, parse};

const NONCE: &str = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v";
const CNONCE: &str = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";

fn get() -> Method {
    Method::Other("GET".into())
}

/// A response with these fields.
fn response(fields: &str) -> Fields {
    let text = format!(
        "SIP/2.0 401 Unauthorized\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\nFrom: <sip:a@b.c>;tag=1\r\n\
         To: <sip:a@b.c>;tag=2\r\nCall-ID: 1\r\nCSeq: 1 REGISTER\r\n{fields}Content-Length: 0\r\n\r\n"
    );
    match parse(Bytes::from(text)).unwrap() {
        Message::Response(response) => response.fields().clone(),
        Message::Request(_) => panic!("it is a response"),
    }
}

fn text(answer: Vec<u8>) -> String {
    String::from_utf8(answer).unwrap()
}

fn challenges(value: &str) -> Vec<Challenge> {
    Challenge::all(&response(&format!("WWW-Authenticate: {value}\r\n")), "WWW-Authenticate")
}

fn credentials(value: &str) -> Credentials {
    Credentials::of(digests(value).unwrap()).unwrap()
}

fn fault(value: &str) -> String {
    digests(value).and_then(Credentials::of).unwrap_err().within("Authorization", 0).to_string()
}

/// RFC 7616 §3.4.2 for the example of §3.9.1; the responses were computed by Python's hashlib.
#[test]
fn rfc_7616_3_4_2_session_forms_are_answered() {
    for (algorithm, response) in [
        ("MD5-sess", "e783283f46242139c486a698fec7211d"),
        ("sha-256-SESS", "2fd51b3a77ad75bad6afad6003e818d767133c46d9e2749e7f5232ae1ea3efd7"),
        ("SHA-512-256-sess", "3f2a34f923c38b0fb26dce2fdfc2ce326c23cecf86fbb1444f3e51fbbc2cb92e"),
    ] {
        let found = challenges(&format!(
            "Digest realm=\"http-auth@example.org\", qop=\"auth\", algorithm={algorithm}, nonce=\"{NONCE}\""
        ));
        let [challenge] = found.as_slice() else { panic!("{algorithm}: {found:?}") };
        let answer =
            text(challenge.answer(("Mufasa", "Circle of Life"), (&get(), "/dir/index.html"), (1, CNONCE)));
        assert!(answer.contains(&format!("response=\"{response}\"")), "{answer}");
        assert!(answer.contains(&format!(", algorithm={algorithm}, cnonce=\"{CNONCE}\"")), "{answer}");
    }
    // Without qop there is no field for the client nonce; and an unknown algorithm with `-sess` stays unknown.
    for challenge in
        ["algorithm=MD5-sess", "qop=\"auth\", algorithm=MD4-sess", "qop=\"auth\", algorithm=-sess"]
    {
        assert_eq!(challenges(&format!("Digest realm=\"d\", nonce=\"n\", {challenge}")), [], "{challenge}");
    }
}

#[test]
fn rfc_7616_3_9_1_both_algorithms_give_the_printed_responses() {
    for (algorithm, printed) in [
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
    ] {
        let found = challenges(&format!(
            "Digest\r\n realm=\"http-auth@example.org\",\r\n qop=\"auth, auth-int\",\r\n algorithm={algorithm},\r\n \
             nonce=\"{NONCE}\",\r\n opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""
        ));
        let [challenge] = found.as_slice() else { panic!("{found:?}") };
        let answer =
            text(challenge.answer(("Mufasa", "Circle of Life"), (&get(), "/dir/index.html"), (1, CNONCE)));
        assert!(answer.contains(&format!("response=\"{printed}\"")), "{answer}");
        assert!(answer.contains("nc=00000001") && answer.contains("qop=auth,"), "{answer}");
        assert!(answer.contains("opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""), "{answer}");
        // As the RFC prints it, but with the parameters in another order.
        let printed = credentials(&format!(
            "Digest username=\"Mufasa\", realm=\"http-auth@example.org\", uri=\"/dir/index.html\", \
             algorithm={algorithm}, nonce=\"{NONCE}\", nc=00000001, cnonce=\"{CNONCE}\", qop=auth, \
             response=\"{printed}\", opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""
        ));
        let known = printed.algorithm.unwrap();
        let ha1 = Ha1::new(known, "Mufasa", "http-auth@example.org", "Circle of Life");
        assert!(printed.prove(&ha1, &get()));
        assert!(!printed.prove(&ha1, &Method::Message));
        assert!(
            !printed.prove(&Ha1::new(known, "Mufasa", "http-auth@example.org", "Circle of life"), &get())
        );
        assert_eq!(printed.count(), Some(1));
    }
}

#[test]
fn rfc_7616_3_9_2_the_truncated_hash_is_that_of_fips_180_4() {
    // The RFC prints a different hash's response; this one is from erratum 4897, confirmed by OpenSSL's sha512-256.
    let [challenge] = challenges(
        "Digest realm=\"api@example.org\", qop=\"auth\", algorithm=SHA-512-256, \
         nonce=\"5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK\", charset=UTF-8, userhash=true",
    )
    .try_into()
    .unwrap();
    let answer = text(challenge.answer(
        ("J\u{e4}s\u{f8}n Doe", "Secret, or not?"),
        (&get(), "/doe.json"),
        (1, "NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v"),
    ));
    let computed = "3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5";
    assert!(answer.contains(computed), "{answer}");
}

#[test]
fn rfc_2617_3_5_the_old_example_still_holds() {
    let printed = credentials(
        "Digest username=\"Mufasa\", realm=\"testrealm@host.com\", nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", \
         uri=\"/dir/index.html\", qop=auth, nc=00000001, cnonce=\"0a4f113b\", \
         response=\"6629fae49393a05397450978507c4ef1\", opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"",
    );
    assert_eq!(printed.algorithm, Some(Algorithm::Md5));
    let ha1 = Ha1::new(Algorithm::Md5, "Mufasa", "testrealm@host.com", "Circle Of Life");
    assert_eq!(ha1.hex(), "939e7578ed9e3c518a452acee763bce9");
    assert!(printed.prove(&ha1, &get()));
}

#[test]
fn a_challenge_without_qop_gets_the_answer_of_rfc_2069() {
    let [challenge] =
        challenges("Digest realm=\"testrealm@host.com\", nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\"")
            .try_into()
            .unwrap();
    assert_eq!((challenge.algorithm, challenge.protection), (Algorithm::Md5, Protection::None));
    let answer =
        text(challenge.answer(("Mufasa", "Circle Of Life"), (&get(), "/dir/index.html"), (7, "not used")));
    assert_eq!(
        answer,
        "Digest username=\"Mufasa\", realm=\"testrealm@host.com\", \
         nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", uri=\"/dir/index.html\", \
         response=\"670fd8c2df070c60b045671b8b24ff02\""
    );
    let read = credentials(&answer);
    assert!(read.prove(&Ha1::new(Algorithm::Md5, "Mufasa", "testrealm@host.com", "Circle Of Life"), &get()));
    assert_eq!(read.count(), None);
}

#[test]
fn what_stands_in_quotes_is_text_and_divides_nothing() {
    let [challenge] = challenges(
        r#"Digest realm="a \"b\", nonce=\"x\", Digest", nonce="n,=\\", stale=TRUE, qop="auth-int,AUTH""#,
    )
    .try_into()
    .unwrap();
    assert_eq!(
        (challenge.realm.as_str(), challenge.nonce.as_str()),
        (r#"a "b", nonce="x", Digest"#, r"n,=\")
    );
    assert!(challenge.stale);
    assert_eq!(challenge.protection, Protection::Auth);
    // What we print parses to the same, and names the algorithm.
    let printed = challenge.to_string();
    let named = Challenge { algorithm_name: Some("MD5".to_owned()), ..challenge.clone() };
    assert_eq!(challenges(&printed), [named]);
    let answer = text(challenge.answer(("j\"ames", "p"), (&Method::Message, "sip:a@b.c"), (0xa, "c")));
    let read = credentials(&answer);
    assert_eq!((read.username.as_str(), read.realm.as_str()), ("j\"ames", challenge.realm.as_str()));
    assert_eq!(read.count(), Some(10));
    assert!(answer.contains("nc=0000000a"));
}

#[test]
fn of_several_challenges_those_that_we_know_are_found_in_any_arrangement() {
    let fields = response(
        "WWW-Authenticate: Basic realm=\"x\"\r\n\
         WWW-Authenticate: NTLM abc==\r\n\
         WWW-Authenticate: Digest realm=\"d\", nonce=\"1\", algorithm=MD5, qop=\"auth\"\r\n\
         WWW-Authenticate: Digest realm=\"d\", nonce=\"2\", algorithm=SHA3-256, qop=\"auth\"\r\n\
         WWW-Authenticate: Digest realm=\"d\", nonce=\"3\", algorithm=\"sha-256\", qop=auth\r\n\
         WWW-Authenticate: Digest realm=\"d\", nonce=\"4\", qop=\"auth-int\"\r\n\
         WWW-Authenticate: Digest realm=\"d, nonce=\r\n\
         WWW-Authenticate: Digest realm=\"d\", nonce=\"5\", Basic realm=\"x\", digest realm=\"d\", nonce=\"6\", \
         algorithm=SHA-512-256\r\n",
    );
    let found = Challenge::all(&fields, "WWW-Authenticate");
    let told: Vec<_> = found.iter().map(|one| (one.nonce.as_str(), one.algorithm)).collect();
    let expected = [
        ("1", Algorithm::Md5),
        ("3", Algorithm::Sha256),
        ("5", Algorithm::Md5),
        ("6", Algorithm::Sha512_256),
    ];
    assert_eq!(told, expected);
    let strongest = found.iter().max_by_key(|challenge| challenge.algorithm).unwrap();
    assert_eq!(strongest.nonce, "6");
}

#[test]
fn broken_credentials_say_what_is_wrong_and_other_schemes_are_nobodys() {
    let whole = "Digest username=\"u\", realm=\"r\", nonce=\"n\", uri=\"sip:r\", response=\"00\"";
    credentials(whole);
    for missing in ["username", "realm", "nonce", "uri", "response"] {
        let said = fault(&whole.replace(missing, "other"));
        assert_eq!(said, format!("Bad Authorization: no {missing}"));
    }
    assert_eq!(fault(&format!("{whole}, nonce=\"m\"")), "Bad Authorization: a parameter twice");
    assert_eq!(fault(&format!("{whole}, qop=auth-int")), "Bad Authorization: a qop that was not offered");
    for nc in ["1", "0000000g", "000000001", "+0000001"] {
        let said = fault(&format!("{whole}, qop=auth, cnonce=\"c\", nc={nc}"));
        assert_eq!(said, "Bad Authorization: no nc of 8 hexadecimal digits", "{nc}");
    }
    assert_eq!(fault(&format!("{whole}, qop=auth, nc=00000001")), "Bad Authorization: no cnonce");
    assert!(fault("Digest username=\"u").contains("quote not closed"));
    assert!(fault("Digest username=\"u\" realm=\"r\"").contains("no comma"));
    for other in ["Basic dTpw", "", "Bearer x", "\u{e9}\u{e9}\u{e9}\u{e9}"] {
        assert_eq!(Credentials::realms_in(other), Some(Vec::new()), "{other}");
    }
    let unknown = credentials(&format!("{whole}, algorithm=SHA3-256"));
    assert_eq!(unknown.algorithm, None);
}

#[test]
fn nothing_secret_is_in_what_a_log_may_print() {
    let ha1 = Ha1::new(Algorithm::Md5, "u", "r", "p");
    assert_eq!(format!("{ha1:?}"), "Ha1(MD5)");
    let read = credentials("Digest username=\"u\", realm=\"r\", nonce=\"n\", uri=\"sip:r\", response=\"77\"");
    assert!(!format!("{read:?}").contains("77"));
}

#[test]
fn rfc_9110_5_6_1_2_empty_elements_of_a_list_are_skipped_and_an_empty_value_is_none() {
    for value in [
        "Digest realm=\"d\",, nonce=\"n\", qop=\"auth\"",
        "Digest ,realm=\"d\", , nonce=\"n\", qop=\"auth\" ,",
        ", Digest realm=\"d\", algorithm=, nonce=\"n\", qop=\"auth\"",
    ] {
        let found = challenges(value);
        let [challenge] = found.as_slice() else { panic!("{value}: {found:?}") };
        assert_eq!((challenge.realm.as_str(), challenge.nonce.as_str()), ("d", "n"), "{value}");
        assert_eq!((challenge.algorithm, &challenge.algorithm_name), (Algorithm::Md5, &None), "{value}");
        assert_eq!(challenge.protection, Protection::Auth, "{value}");
    }
    let [challenge] = challenges("Digest realm=\"d\", nonce=\"n\", opaque=, qop=\"\"").try_into().unwrap();
    assert_eq!((challenge.opaque.as_deref(), challenge.protection), (Some(""), Protection::None));
    let given = credentials(
        "Digest username=\"a\",, realm=\"d\", nonce=\"n\", uri=\"sip:d\", opaque=, response=\"r\"",
    );
    assert_eq!(given.realm, "d");
}

/// RFC 7616 §3.4: realm, nonce and opaque go back as they came. The hash is over the same bytes, as Python's hashlib has it.
#[test]
fn a_challenge_in_latin_1_goes_back_byte_for_byte() {
    let head = b"SIP/2.0 401 Unauthorized\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\nFrom: <sip:a@b.c>;tag=1\r\n\
        To: <sip:a@b.c>;tag=2\r\nCall-ID: 1\r\nCSeq: 1 REGISTER\r\nContent-Length: 0\r\n";
    let field = b"WWW-Authenticate: Digest realm=\"B\xfcro\", nonce=\"n\xfc\x80\", opaque=\"\xfc\", algorithm=MD5\r\n\r\n";
    let Ok(Message::Response(response)) = parse([&head[..], field].concat().into()) else {
        panic!("a response")
    };
    let [challenge] = Challenge::all(response.fields(), "WWW-Authenticate").try_into().unwrap();
    assert_eq!((challenge.realm.as_str(), challenge.charset), ("B\u{fc}ro", HeaderCharset::Latin1));
    let answer = challenge.answer(("ann", "pass"), (&Method::Register, "sip:b.c"), (1, "c"));
    let said = b"Digest username=\"ann\", realm=\"B\xfcro\", nonce=\"n\xfc\x80\", uri=\"sip:b.c\", response=\"9dd05744e111eb8d9795b607b97b916e\", opaque=\"\xfc\", algorithm=MD5";
    assert_eq!(answer.escape_ascii().to_string(), said.escape_ascii().to_string());
    // The same in UTF-8 goes back in UTF-8.
    let [challenge] = challenges("Digest realm=\"B\u{fc}ro\", nonce=\"n\"").try_into().unwrap();
    let answer = challenge.answer(("ann", "pass"), (&Method::Register, "sip:b.c"), (1, "c"));
    assert!(text(answer).contains("realm=\"B\u{fc}ro\", nonce=\"n\","));
}

/// RFC 3261 §22.3: those for others are not ours to judge.
#[test]
fn only_credentials_for_our_realm_are_judged() {
    let ours = "Digest username=\"u\", realm=\"r\", nonce=\"n\", uri=\"sip:r\", response=\"00\"";
    let read = |values: &[&str]| {
        let fields: String = values.iter().map(|value| format!("Authorization: {value}\r\n")).collect();
        Credentials::in_realm(&response(&fields), "r").map(|all| all.len()).map_err(|error| error.to_string())
    };
    for others in [
        "Digest username=\"u\", realm=\"x\", nonce=\"n\", uri=\"sip:r\", response=\"00\", qop=auth-int",
        "Digest realm=\"x\", qop=auth, nc=1",
        "Digest realm=\"x\", realm=\"y\"",
        "Digest realm=\"x",
        "Digest",
        "Basic dTpw",
    ] {
        assert_eq!(read(&[ours, others]), Ok(1), "{others}");
        assert_eq!(read(&[others, ours]), Ok(1), "{others}");
        assert_eq!(read(&[others]), Ok(0), "{others}");
    }
    let broken = format!("{ours}, qop=auth-int");
    assert_eq!(read(&[&broken]), Err("Bad Authorization: a qop that was not offered".to_owned()));
    assert_eq!(read(&[&broken, ours]), Ok(1));
}

#[test]
fn w13_credentials_are_few_and_short_and_those_that_are_more_are_named() {
    let read = |field: &str, values: &[String]| {
        let lines: String = values.iter().map(|value| format!("{field}: {value}\r\n")).collect();
        let text = format!(
            "MESSAGE sip:r SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKa\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:r>\r\n\
             Call-ID: c\r\nCSeq: 1 MESSAGE\r\n{lines}\r\n"
        );
        parse(text.into()).map(drop).map_err(|error| error.to_string())
    };
    let one = "Digest realm=\"x\"".to_owned();
    let long = |length| vec![format!("Bearer {}", "x".repeat(length - 7))];
    for field in ["Authorization", "Proxy-Authorization", "PROXY-authorization"] {
        assert_eq!(read(field, &vec![one.clone(); CREDENTIALS_MAX]), Ok(()));
        assert_eq!(read(field, &long(CREDENTIALS_BYTES_MAX)), Ok(()));
        let name = if field == "Authorization" { field } else { "Proxy-Authorization" };
        let many = read(field, &vec![one.clone(); CREDENTIALS_MAX + 1]);
        assert_eq!(many, Err(format!("Bad {name}: too many")));
        let too_long = read(field, &long(CREDENTIALS_BYTES_MAX + 1));
        assert_eq!(too_long, Err(format!("Bad {name}: over the size limit")));
        let halves = [long(CREDENTIALS_BYTES_MAX / 2 + 1), long(CREDENTIALS_BYTES_MAX / 2)].concat();
        assert_eq!(read(field, &halves), Err(format!("Bad {name}: over the size limit")));
    }
    let listed = |count| vec![one.as_str(); count].join(", ");
    assert_eq!(Credentials::realms_in(&listed(CHALLENGES_MAX)).map(|all| all.len()), Some(CHALLENGES_MAX));
    assert_eq!(Credentials::realms_in(&listed(CHALLENGES_MAX + 1)), None);
}

#[test]
fn the_realms_of_credentials_are_found_whatever_else_is_wrong_with_them() {
    for (value, realms) in [
        ("Digest realm=\"a\", qop=auth-int", Some(vec!["a"])),
        ("Digest realm=a, REALM=\"b\"", Some(vec!["a", "b"])),
        ("Digest realm=\"a\", x=1, Digest realm=\"b\"", Some(vec!["a", "b"])),
        ("Digest username=\"a", None),
        ("Bearer realm=\"a\"", Some(vec![])),
    ] {
        let wanted = realms.map(|realms| realms.into_iter().map(str::to_owned).collect::<Vec<_>>());
        assert_eq!(Credentials::realms_in(value), wanted, "{value}");
    }
}
