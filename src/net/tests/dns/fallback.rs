//! What a look-up still finds when a name server leaves questions open or answers oddly.

use super::*;
use crate::limits::NAME_SERVER_WAIT;
use crate::net::resolve::route;

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

#[test]
fn w19_a_ninth_server_is_looked_up_if_none_of_the_first_eight_has_an_address() {
    run(async {
        let mut odd = Odd::usual();
        odd.records.extend(
            (0..8).map(|port| ("_sip._udp.odd.example", SRV, srv(0, 5080 + port, "gone.odd.example"))),
        );
        let (found, _) = look_up(odd).await;
        assert_eq!(found, Ok(vec!["UDP 127.0.0.5:5070".to_owned()]));
    });
}

/// How many questions each name server got.
fn counts(asked: &[Asked]) -> Vec<usize> {
    asked.iter().map(|asked| asked.lock().unwrap().len()).collect()
}

#[test]
fn rfc_1035_7_2_a_name_server_that_fails_is_followed_by_the_next_one_at_once() {
    // SERVFAIL, REFUSED, NOTIMP, FORMERR, and two that are silent.
    for code in [Some(2), Some(5), Some(4), Some(1), None] {
        run(async {
            let bad = || match code {
                Some(_) => Odd { fails: code, ..Odd::usual() },
                None => Odd { drops: &[NAPTR, SRV, A, AAAA], ..Odd::usual() },
            };
            let (servers, asked): (Vec<_>, Vec<_>) =
                [bad(), bad(), Odd::usual()].map(Odd::start).into_iter().unzip();
            let Route::Name(name) = route(&Uri::parse("sip:odd.example;transport=udp").unwrap()) else {
                panic!("a name")
            };
            let permits = Arc::new(Semaphore::new(DNS_QUESTIONS_PER_PAYER_MAX));
            let resolver = Resolver::new(servers);
            let begun = tokio::time::Instant::now();
            let found = resolver.look_up(&name, Arc::clone(&permits)).await.unwrap();
            assert_eq!(found.hops.len(), 1, "{code:?}");
            assert!(begun.elapsed() < Duration::from_secs(2), "{code:?}: {:?}", begun.elapsed());
            // From then on they are asked last. What is silent may be asked again by datagrams under way.
            let first = counts(&asked);
            assert!(code.is_none() || first[0] <= 2 && first[1] <= 2, "{code:?}: {first:?}");
            let begun = tokio::time::Instant::now();
            resolver.look_up(&name, permits).await.unwrap();
            assert!(begun.elapsed() < NAME_SERVER_WAIT, "{code:?}: {:?}", begun.elapsed());
            let second = counts(&asked);
            assert!(code.is_none() || second[..2] == first[..2], "{code:?}: {first:?} {second:?}");
            assert!(second[2] > first[2], "{code:?}");
        });
    }
}

#[test]
fn w19_a_name_that_one_name_server_denies_is_asked_of_the_next_one() {
    run(async {
        let other = vec![("other.example", A, vec![127, 0, 0, 9])];
        let all = [Odd { records: other, ..Odd::usual() }, Odd::usual()].map(|odd| odd.start().0);
        let Route::Name(name) = route(&Uri::parse("sip:odd.example").unwrap()) else { panic!("a name") };
        let permits = Arc::new(Semaphore::new(DNS_QUESTIONS_PER_PAYER_MAX));
        assert_eq!(Resolver::new(all).look_up(&name, permits).await.unwrap().hops.len(), 1);
        // One that never answers does not make a name that is not there take long.
        let silent = Odd { drops: &[NAPTR, SRV, A, AAAA], ..Odd::usual() };
        let all = [Odd::usual(), silent].map(|odd| odd.start().0);
        let Route::Name(name) = route(&Uri::parse("sip:nobody.invalid").unwrap()) else { panic!("a name") };
        let permits = Arc::new(Semaphore::new(DNS_QUESTIONS_PER_PAYER_MAX));
        let begun = tokio::time::Instant::now();
        let found = Resolver::new(all).look_up(&name, permits).await;
        assert_eq!(found.map(|found| found.hops.len()), Ok(0));
        assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    });
}
