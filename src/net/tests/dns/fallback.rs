//! What a look-up still finds when a name server leaves questions open or answers oddly.

use super::*;

#[test]
fn rfc_1034_a_service_behind_aliases_is_found() {
    run(async {
        for follows in [true, false] {
            let records = vec![
                ("_sip._udp.odd.example", CNAME, labels("behind.example")),
                ("behind.example", SRV, srv(1, 5070, "a.odd.example")),
                ("a.odd.example", A, vec![127, 0, 0, 5]),
            ];
            let (found, asked) = look_up(Odd { records, follows, ..Odd::usual() }).await;
            assert_eq!(found.unwrap(), ["UDP 127.0.0.5:5070"], "{asked:?}");
        }
    });
}

#[test]
fn w31_aliases_that_lead_to_each_other_have_an_end() {
    run(async {
        let records = vec![
            ("_sip._udp.odd.example", CNAME, labels("behind.example")),
            ("behind.example", CNAME, labels("_sip._udp.odd.example")),
            ("odd.example", A, vec![127, 0, 0, 6]),
        ];
        let (found, asked) = look_up(Odd { records, ..Odd::usual() }).await;
        assert_eq!(found.unwrap(), ["UDP 127.0.0.6:5060"]);
        assert!(asked.len() < 60, "{} {asked:?}", asked.len());
    });
}

#[test]
fn w19_a_question_that_is_not_answered_leaves_the_others_in_use() {
    for drops in [&[NAPTR][..], &[AAAA], &[NAPTR, AAAA]] {
        run(async {
            let (found, _) = look_up(Odd { drops, ..Odd::usual() }).await;
            assert_eq!(found, Ok(vec!["UDP 127.0.0.5:5070".to_owned()]), "{drops:?}");
        });
    }
}

#[test]
fn w19_a_look_up_that_finds_nothing_says_which_questions_were_not_answered() {
    run(async {
        let (found, _) = look_up(Odd { drops: &[A], ..Odd::usual() }).await;
        assert_eq!(found, Err("DNS did not answer: A of a.odd.example".to_owned()));
        let refuses = Some((A, 2));
        let (found, _) = look_up(Odd { refuses, ..Odd::usual() }).await;
        let why = "DNS did not answer: A of a.odd.example (Server Failure)".to_owned();
        assert_eq!(found, Err(why));
    });
}

#[test]
fn w19_a_server_that_knows_no_edns_is_asked_again_without() {
    run(async {
        let (found, asked) = look_up(Odd { edns: false, ..Odd::usual() }).await;
        assert_eq!(found, Ok(vec!["UDP 127.0.0.5:5070".to_owned()]));
        assert!(asked.iter().filter(|(_, kind, _)| *kind == NAPTR).count() >= 2, "{asked:?}");
    });
}

#[test]
fn w19_a_server_that_refuses_naptr_still_has_its_srv_records_used() {
    // SERVFAIL, NOTIMP, REFUSED, FORMERR.
    for code in [2, 4, 5, 1] {
        run(async {
            let (found, _) = look_up(Odd { refuses: Some((NAPTR, code)), ..Odd::usual() }).await;
            assert_eq!(found, Ok(vec!["UDP 127.0.0.5:5070".to_owned()]), "{code}");
        });
    }
}

#[test]
fn w19_a_truncated_answer_is_asked_for_over_tcp() {
    run(async {
        let (found, asked) = look_up(Odd { truncates: true, ..Odd::usual() }).await;
        assert_eq!(found, Ok(vec!["UDP 127.0.0.5:5070".to_owned()]));
        assert!(asked.contains(&("_sip._udp.odd.example".to_owned(), SRV, true)), "{asked:?}");
    });
}

#[test]
fn w19_a_server_that_has_no_address_is_passed_over() {
    run(async {
        let mut odd = Odd::usual();
        odd.records.push(("_sip._udp.odd.example", SRV, srv(0, 5060, "gone.odd.example")));
        let (found, _) = look_up(odd).await;
        assert_eq!(found, Ok(vec!["UDP 127.0.0.5:5070".to_owned()]));
    });
}
