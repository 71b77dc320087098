//! Aliases and lists: one address that stands for others (W16).

use std::sync::Arc;

use super::*;
use crate::proxy::ProxyCommand;
use crate::proxy::journal::AliasRow;
use crate::sip::{Aor, Uri};

const CY: &str = "192.0.2.8:5060";

/// Bob is in it twice, once through a list within it.
const TEAM: &[(&str, &[&str])] = &[
    ("team@domain.com", &["sip:ann@domain.com", "sip:bob@domain.com", "sip:rest@domain.com"]),
    ("rest@domain.com", &["im:bob@domain.com", "sip:cy@domain.com", "sip:team@domain.com"]),
];

fn table(bench: &mut Bench, lists: &[(&str, &[&str])]) {
    let row = |(alias, members): &(&str, &[&str])| AliasRow {
        alias: Aor::parse(alias).unwrap(),
        members: members.iter().map(|member| Uri::parse(member).unwrap()).collect(),
    };
    let rows: Vec<AliasRow> = lists.iter().map(row).collect();
    bench.rows.aliases = rows.clone();
    bench.input(Input::Command(ProxyCommand::Aliases(Arc::from(rows))));
}

/// A bench with Ann, Bob and Cy registered, and the table.
fn team() -> Bench {
    let mut bench = Bench::at_home();
    bench.register("cy", CY);
    table(&mut bench, TEAM);
    bench
}

fn to_team(more: &str) -> String {
    SUBMISSION
        .replace("ann@domain.com", "team@domain.com")
        .replace("Secondary-To: <im:bob@domain.com>\n", &format!("Delivery-Report: final;detail\n{more}"))
}

/// Answers the legs of all three, and returns their bytes.
fn answer_all(bench: &mut Bench, lines: [&str; 3]) -> [String; 3] {
    let legs = [ANN, BOB, CY].map(|who| bench.take_one(who));
    for ((who, leg), line) in [ANN, BOB, CY].into_iter().zip(&legs).zip(lines) {
        bench.answer(who, leg, line);
    }
    legs
}

const OK: [&str; 3] = ["200 OK"; 3];

#[test]
fn w16_each_member_gets_it_once_and_the_list_has_one_line() {
    let mut bench = team();
    assert_eq!(status(&bench.ask(JAMES, &to_team("Secondary-To: <im:bob@domain.com>\n"))), 202);
    let [ann, bob, cy] = answer_all(&mut bench, OK);
    for (leg, to, named) in [
        (ann, "<sip:ann@domain.com>", &["<sip:team@domain.com>", "<sip:bob@domain.com>"][..]),
        (bob, "<sip:bob@domain.com>", &["<sip:team@domain.com>"]),
        (cy, "<sip:cy@domain.com>", &["<sip:team@domain.com>", "<sip:bob@domain.com>"]),
    ] {
        assert_eq!((field(&leg, "To"), fields(&leg, "Also-To")), (Some(to), named.to_vec()), "{leg}");
        assert_eq!(field(&leg, "Secondary-To"), None);
    }
    let notify = bench.take_one(JAMES);
    assert_eq!(
        body(&notify),
        "im:team@domain.com delivery success;status=200;reason=\"OK\";tries=3;after=0\r\n\
         im:bob@domain.com delivery success;status=200;reason=\"OK\";tries=1;after=0\r\n"
    );
    bench.answer(JAMES, &notify, "200 OK");
    bench.advance_ms(60_000);
    assert!(bench.sent.is_empty(), "nobody gets it twice: {:#?}", bench.sent);
}

#[test]
fn w16_a_list_succeeds_only_if_all_its_members_did() {
    for (lines, told) in [
        (["200 OK", "486 Busy Here", "200 OK"], "failure;status=486;reason=\"Busy Here\";tries=3"),
        (["200 OK", "202 Accepted", "200 OK"], "success;status=202;reason=\"Accepted\";tries=3"),
    ] {
        let mut bench = team();
        bench.ask(JAMES, &to_team(""));
        answer_all(&mut bench, lines);
        let notify = bench.take_one(JAMES);
        assert!(body(&notify).starts_with(&format!("im:team@domain.com delivery {told}")), "{notify}");
        assert_eq!(body(&notify).lines().count(), 1, "{notify}");
    }
}

#[test]
fn w16_a_list_waits_for_its_member_who_is_absent() {
    let mut bench = Bench::at_home();
    table(&mut bench, TEAM);
    bench.ask(JAMES, &to_team("Expires: 3600\n"));
    for who in [ANN, BOB] {
        let leg = bench.take_one(who);
        bench.answer(who, &leg, "200 OK");
    }
    bench.advance_ms(100);
    let interim = bench.take_one(JAMES);
    assert!(body(&interim).starts_with("im:team@domain.com delivery deferred;status=480"), "{interim}");
    bench.answer(JAMES, &interim, "200 OK");
    bench.receive(udp(CY), &register("cy", "<sip:cy@192.0.2.8:5060>", 1, 600));
    let leg = bench.take(CY).into_iter().find(|text| text.starts_with("MESSAGE")).expect("his leg");
    bench.answer(CY, &leg, "200 OK");
    bench.advance_ms(100);
    let last = bench.take_one(JAMES);
    assert!(body(&last).starts_with("im:team@domain.com delivery success;status=200"), "{last}");
}

#[test]
fn w16_an_alias_is_a_list_of_one_and_not_named_to_whom_it_stands_for() {
    let mut bench = Bench::at_home();
    table(&mut bench, &[("boss@domain.com", &["sip:ann@domain.com"])]);
    let sent = SUBMISSION.replace("ann@domain.com", "boss@domain.com");
    bench.ask(JAMES, &sent);
    let (ann, bob) = (bench.take_one(ANN), bench.take_one(BOB));
    assert_eq!(
        (field(&ann, "To"), fields(&ann, "Also-To")),
        (Some("<sip:ann@domain.com>"), vec!["<sip:bob@domain.com>"])
    );
    assert_eq!(fields(&bob, "Also-To"), ["<sip:boss@domain.com>"]);
    bench.answer(ANN, &ann, "486 Busy Here");
    bench.answer(BOB, &bob, "200 OK");
    assert_eq!(
        body(&bench.take_one(JAMES)),
        "im:boss@domain.com delivery failure\r\nim:bob@domain.com delivery success\r\n"
    );
}

#[test]
fn w7_w16_the_members_of_a_hidden_list_are_told_nobody_and_named_to_nobody() {
    let mut bench = team();
    let hidden = SUBMISSION
        .replace("Secondary-To: <im:bob@domain.com>", "Secondary-To: <im:rest@domain.com>;copy=bcc");
    bench.ask(JAMES, &hidden);
    let [ann, bob, cy] = answer_all(&mut bench, OK);
    for (leg, to) in
        [(ann, "<sip:ann@domain.com>"), (bob, "<sip:bob@domain.com>"), (cy, "<sip:cy@domain.com>")]
    {
        assert_eq!((field(&leg, "To"), field(&leg, "Also-To")), (Some(to), None), "{leg}");
    }
}

#[test]
fn w16_a_sender_on_the_list_is_not_told_what_he_wrote() {
    let mut bench = Bench::at_home();
    table(&mut bench, &[("us@domain.com", &["sip:james@domain.com", "sip:ann@domain.com"])]);
    bench.ask(JAMES, &to_team("").replace("team@", "us@"));
    let leg = bench.take_one(ANN);
    bench.answer(ANN, &leg, "200 OK");
    let notify = bench.take_one(JAMES);
    assert!(body(&notify).starts_with("im:us@domain.com delivery success"), "{notify}");
}

#[test]
fn w11_w16_after_a_crash_it_goes_to_those_who_were_on_the_list_when_it_was_accepted() {
    let mut bench = team();
    bench.ask(JAMES, &to_team("Secondary-To: <im:bob@domain.com>\n"));
    let before = [ANN, BOB, CY].map(|who| bench.take_one(who));
    bench.answer(CY, &before[2], "200 OK");
    bench.advance_ms(100);
    table(&mut bench, &[("team@domain.com", &["sip:eve@domain.com"])]);
    bench.crash();
    assert_eq!([ANN, BOB].map(|who| bench.take_one(who)), before[..2]);
    assert!(bench.take(CY).is_empty(), "whose 200 was committed");
    for (who, leg) in [ANN, BOB].into_iter().zip(&before) {
        bench.answer(who, leg, "200 OK");
    }
    let notify = bench.take_one(JAMES);
    let told: Vec<_> = body(&notify).lines().map(|line| line.split(';').next().unwrap()).collect();
    assert_eq!(told, ["im:team@domain.com delivery success", "im:bob@domain.com delivery success"]);
    // W12: a repeated message is the same message, whoever is on the list by now.
    let again = to_team("Secondary-To: <im:bob@domain.com>\n").replace("K776", "K777");
    bench.receive(udp(JAMES), &again);
    assert_eq!(status(&bench.take(JAMES)[0]), 202);
}

#[test]
fn w16_an_ordinary_message_to_a_list_gets_202_and_goes_to_all() {
    let mut bench = team();
    let ordinary = to_team("")
        .replace("Delivery-Report: final;detail\n", "")
        .replace("Proxy-Require: secondary-to\n", "");
    let answer = bench.ask(JAMES, &ordinary);
    assert_eq!(status(&answer), 202, "{answer}");
    assert_eq!(bench.rows.dispatches.len(), 1);
    bench.crash();
    for leg in answer_all(&mut bench, OK) {
        assert_eq!(fields(&leg, "Also-To"), ["<sip:team@domain.com>"], "{leg}");
    }
    bench.advance_ms(60_000);
    assert!(bench.sent.is_empty(), "no report: {:#?}", bench.sent);
    // Strangers may write to people, but may not have a message multiplied.
    let stranger = ordinary.replace("james@domain.com", "eve@elsewhere.org").replace("K776", "K8");
    assert_eq!(status(&bench.ask(JAMES, &stranger)), 403);
}

#[test]
fn w16_an_ordinary_message_to_an_alias_is_proxied_to_whom_it_stands_for() {
    let mut bench = Bench::at_home();
    table(&mut bench, &[("boss@domain.com", &["sip:ann@domain.com"])]);
    let ordinary = to_team("").replace("team@", "boss@").replace("Delivery-Report: final;detail\n", "");
    bench.receive(udp(JAMES), &ordinary.replace("Proxy-Require: secondary-to\n", ""));
    assert!(bench.take(JAMES).is_empty(), "nothing is promised");
    let sent = bench.take_one(ANN);
    assert!(sent.starts_with("MESSAGE sip:ann@192.0.2.6:5060 SIP/2.0\r\n"), "{sent}");
    assert_eq!(field(&sent, "To"), Some("<sip:boss@domain.com>"));
}

#[test]
fn w13_w16_a_list_over_a_maximum_is_refused_and_reaches_nobody() {
    let mut bench = Bench::with(ProxyConfig { recipients_max: 2, ..config() });
    for (name, at) in [("ann", ANN), ("bob", BOB), ("cy", CY)] {
        bench.register(name, at);
    }
    table(&mut bench, TEAM);
    let answer = bench.ask(JAMES, &to_team(""));
    assert!(answer.starts_with("SIP/2.0 403 Too Many Recipients\r\n"), "{answer}");
    let names: Vec<String> = (0..10).map(|number| format!("sip:l{number}@domain.com")).collect();
    let members: Vec<[&str; 1]> = names.iter().map(|name| [name.as_str()]).collect();
    let mut chain: Vec<(&str, &[&str])> = vec![("team@domain.com", &members[0])];
    chain.extend(
        names.iter().zip(&members[1..]).map(|(name, member)| (name.trim_start_matches("sip:"), &member[..])),
    );
    table(&mut bench, &chain);
    let answer = bench.ask(JAMES, &to_team("").replace("K776", "K8"));
    assert!(answer.starts_with("SIP/2.0 403 Too Many Lists Within Lists\r\n"), "{answer}");
    assert!(bench.sent.is_empty() && bench.rows.dispatches.is_empty());
}

#[test]
fn w16_lists_of_two_proxies_that_name_each_other_send_a_message_once() {
    let trust = vec!["udp:192.0.2.77/32".parse().unwrap()];
    let mut bench = Bench::with(ProxyConfig { trust, ..config() });
    bench.register("ann", ANN);
    let other = "192.0.2.77:5060";
    table(&mut bench, &[("team@domain.com", &["sip:ann@domain.com", "sip:staff@192.0.2.77"])]);
    let ordinary = to_team("")
        .replace("Delivery-Report: final;detail\n", "")
        .replace("Proxy-Require: secondary-to\n", "");
    assert_eq!(status(&bench.ask(JAMES, &ordinary)), 202);
    assert!(bench.take(ANN)[0].starts_with("MESSAGE "));
    let leg = bench.take_one(other);
    let trail = fields(&leg, "List-Trail");
    assert_eq!(trail.len(), 1, "{leg}");
    assert!(!leg.contains("team@domain.com;") && !trail[0].contains("team"), "it tells nobody which list");
    // The other proxy's list sends it back, as a leg of its own, with what it does not know left in it.
    let back = |trail: &str| {
        let head =
            ordinary.replace("K776", "Kback").replace("asd88asd77a", "back").replace("im:james", "sip:james");
        head.replace("\nContact:", &format!("\n{trail}Contact:"))
    };
    let came_back = back(&format!("List-Trail: 0123456789abcdef\nList-Trail: {}\n", trail[0]));
    assert_eq!(status(&bench.ask(other, &came_back)), 482);
    assert!(bench.take(ANN).is_empty());
    // After a restart too, and only that list.
    bench.crash();
    bench.take(ANN);
    bench.take(other);
    assert_eq!(status(&bench.ask(other, &came_back.replace("Kback", "Klater"))), 482);
    let of_others = back("List-Trail: 0123456789abcdef\n").replace("Kback", "Kother");
    bench.receive(udp(other), &of_others);
    assert_eq!(status(&bench.take(other)[0]), 202);
}
