//! W27: Kamailio as a server that does not prove that it fans out, but says that it accepts a recipient list (RFC
//! 5365).

use std::fs;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::edge::Edge;
use super::phone;
use crate::common::{objects, wait_for_binding};
use crate::kamailio::{CONFIGURATION, Kamailio};
use crate::program::{WAIT, fanfare};
use crate::socket::{Message, Tap, Way};

const PEOPLE: [&str; 3] = ["sip:ann@domain.com", "im:bob@domain.com", "sip:cy@domain.com"];

/// Debian's configuration, changed to give this answer to a client that asks about lists.
fn list_server(answer: &str) -> (Kamailio, TempDir) {
    let folder = TempDir::new().unwrap();
    let stock = fs::read_to_string(CONFIGURATION).unwrap();
    let begin = "\nrequest_route {\n";
    let lists = format!("{begin}\troute(LISTS);\n");
    let route = format!(
        "\nroute[LISTS] {{\n\tif (is_method(\"OPTIONS|REGISTER\")) {{\n\t\tappend_to_reply(\"Supported: recipient-list-message\\r\\n\");\n\
         \t\treturn;\n\t}}\n\tif (is_method(\"MESSAGE\") && $hdr(Require) =~ \"recipient-list-message\") {{\n\
         \t\tsl_send_reply({answer});\n\t\texit;\n\t}}\n}}\n"
    );
    let file = folder.path().join("kamailio.cfg");
    fs::write(&file, stock.replace(begin, &lists) + &route).unwrap();
    (Kamailio::start_with(file.to_str().unwrap(), &[]), folder)
}

/// Runs `fanfare send` to the three people; returns its output and exit status.
fn send(server: SocketAddr) -> (Vec<Value>, i32) {
    let over = format!("udp:{server}");
    let mut args = vec!["send", "--from", "im:james@domain.com", "--proxy", &over];
    args.extend(["--text", "Come here.", "--json"]);
    PEOPLE.iter().for_each(|to| args.extend(["--to", to]));
    let ended = fanfare(&args).end();
    (objects(&ended.out), ended.code())
}

/// The same, also returning the MESSAGEs that it sent.
fn send_seen(kamailio: &Kamailio) -> (Vec<Value>, i32, Vec<Message>) {
    let tap = Tap::before(kamailio.address);
    let (told, code) = send(tap.address);
    (told, code, tap.saw(Way::ToProxy, "MESSAGE"))
}

/// The outcomes, without figures that differ from run to run.
fn outcomes(told: &[Value]) -> Vec<(&str, &str, Option<u64>)> {
    let outcomes = told.iter().filter(|line| line["event"] == "outcome");
    outcomes
        .map(|line| (line["to"].as_str().unwrap(), line["state"].as_str().unwrap(), line["status"].as_u64()))
        .collect()
}

#[test]
fn w27_kamailio_that_takes_lists_gets_one_message_and_nobody_is_told_to_have_it() {
    let (kamailio, _folder) = list_server("\"202\", \"Accepted\"");
    let (told, code, sent) = send_seen(&kamailio);
    assert_eq!(sent.len(), 1, "{sent:#?}");
    let list = &sent[0];
    assert_eq!(list.start(), "MESSAGE sip:domain.com SIP/2.0");
    assert_eq!((list.value("Require"), list.value("To")), ("recipient-list-message", "<sip:domain.com>"));
    for user in ["ann", "bob", "cy"] {
        let entry = format!("<entry uri=\"sip:{user}@domain.com\" cp:copyControl=\"to\"/>\r\n");
        assert_eq!(list.text.matches(&entry).count(), 1, "{}", list.text);
    }
    assert_eq!(told[0]["event"], "accepted", "{told:#?}");
    assert_eq!(outcomes(&told), PEOPLE.map(|to| (to, "success", Some(202))), "202 is passed on (W18)");
    let reason = "The server passes it on and does not say who got it";
    assert!(told[1..4].iter().all(|line| line["reason"] == reason), "{told:#?}");
    assert_eq!(told.last(), Some(&json!({ "event": "report", "state": "none" })));
    assert_eq!((told.len(), code), (5, 0), "{told:#?}");
}

#[test]
fn w27_kamailio_that_refuses_the_list_after_all_gets_one_message_for_each() {
    let (kamailio, _folder) = list_server("\"420\", \"Bad Extension\"");
    let phones = ["ann", "bob"].map(|user| phone(user, kamailio.address));
    let (told, code, sent) = send_seen(&kamailio);
    assert_eq!(sent.len(), 4, "{sent:#?}");
    assert!(sent[1..].iter().all(|message| message.values("Require").is_empty()));
    assert_eq!(told[0], json!({ "event": "one-by-one" }));
    let mut got = outcomes(&told);
    got.sort_unstable_by_key(|(to, ..)| PEOPLE.iter().position(|one| one == to));
    let expected = [
        (PEOPLE[0], "success", Some(200)),
        (PEOPLE[1], "success", Some(200)),
        (PEOPLE[2], "failure", Some(404)),
    ];
    assert_eq!((got.as_slice(), code), (&expected[..], 1));
    assert!(phones.iter().all(|phone| phone.seen().len() == 1));
}

#[test]
fn w27_w26_a_list_that_kamailio_hands_to_fanfare_is_reported_on() {
    let edge = Edge::start_with(|route| {
        let route = route.replace("Supported: secondary-to", "Supported: recipient-list-message");
        let own = "\t\t$du = ";
        assert_eq!(route.matches(own).count(), 1);
        route.replace(own, &format!("\t\t$ru = \"sip:lists@fanfare.domain.com\";\n{own}"))
    });
    let phones = ["ann", "bob"].map(|user| phone(user, edge.kamailio.address));
    let (told, code) = send(edge.kamailio.address);
    let expected = [
        (PEOPLE[0], "success", Some(200)),
        (PEOPLE[1], "success", Some(200)),
        (PEOPLE[2], "failure", Some(480)),
    ];
    assert_eq!((outcomes(&told).as_slice(), code), (&expected[..], 1), "{told:#?}");
    assert_eq!(told.last(), Some(&json!({ "event": "report", "state": "complete" })));
    for phone in &phones {
        let legs = phone.seen();
        assert_eq!((legs.len(), legs[0].body()), (1, "Come here."), "{legs:#?}");
        assert_eq!(legs[0].values("Also-To").len(), 2, "{}", legs[0].text);
    }
}

#[test]
fn w27_where_kamailio_as_a_registrar_says_nothing_the_domain_is_asked() {
    let kamailio = Kamailio::start();
    let tap = Tap::before(kamailio.address);
    let _listener = fanfare(&[
        "listen",
        "--as",
        "sip:ann@domain.com",
        "--proxy",
        &format!("udp:{}", tap.address),
        "--json",
    ]);
    wait_for_binding("ann", kamailio.address);
    let mut options = tap.saw(Way::ToProxy, "OPTIONS");
    let until = Instant::now() + WAIT;
    while options.is_empty() && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(20));
        options = tap.saw(Way::ToProxy, "OPTIONS");
    }
    assert_eq!(options[0].start(), "OPTIONS sip:domain.com SIP/2.0", "{}", options[0].text);
    // A message is still delivered. Kamailio sends it directly, and a client accepts messages from its own server's
    // address only, which the tap's is not; so Bob registers without the tap.
    let bob = fanfare(&["listen", "--as", "sip:bob@domain.com", "--proxy", &kamailio.udp(), "--json"]);
    wait_for_binding("bob", kamailio.address);
    let send =
        ["send", "--from", "sip:james@domain.com", "--proxy", &kamailio.udp(), "--to", "sip:bob@domain.com"];
    assert_eq!(fanfare(&[&send[..], &["--text", "Come here."]].concat()).end().code(), 0);
    bob.line_with("Come here.");
}
