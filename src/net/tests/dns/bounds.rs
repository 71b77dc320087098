//! Bounds on what look-ups cost: W31.

use super::*;
use crate::limits::{DNS_RECORDS_READ_MAX, LOOKUP_ROUNDS_MAX};
use crate::net::resolve::route;

#[test]
fn w31_a_name_is_looked_up_once_however_many_wait_for_it() {
    run(async {
        let (address, asked) = Odd::usual().start();
        let settings = NetSettings { dns: Some(address), ..NetSettings::default() };
        let mut net = Net::open(&[], &settings).await.unwrap();
        for number in 0..500 {
            let uri = if number % 2 == 0 { "sip:odd.example" } else { "sip:ann@ODD.example." };
            assert!(
                net.resolve(ResolveId(number), &Uri::parse(uri).unwrap(), LookupTerms::default()).is_none()
            );
        }
        for _ in 0..500 {
            let event = net.receive().await;
            assert!(matches!(&event, Some(NetEvent::Resolved { hops, .. }) if hops.len() == 1), "{event:?}");
        }
        let asked = asked.lock().unwrap();
        assert_eq!(asked.iter().filter(|(_, kind, _)| *kind == NAPTR).count(), 1, "{asked:?}");
    });
}

#[test]
fn w31_one_name_is_looked_up_at_few_servers_and_gives_few_addresses() {
    run(async {
        // The first of them has no address: of eight servers tried, seven addresses remain, not eight.
        let hosts = (1..=10).map(|number| format!("--host-record=h{number}.example,127.0.1.{number}"));
        let servers = (0..=10)
            .map(|number| format!("--srv-host=_sip._udp.many.example,h{number}.example,5060,{number},0"));
        let own: Vec<String> = hosts.chain(servers).collect();
        let dns = Dns::with(&own.iter().map(String::as_str).collect::<Vec<_>>());
        let expected: Vec<_> =
            (1..LOOKUP_PLACES_MAX).map(|number| format!("UDP 127.0.1.{number}:5060")).collect();
        assert_eq!(dns.hops("sip:many.example;transport=udp").await, expected);
        let addresses: Vec<_> =
            (1..=20).map(|number| format!("--host-record=all.example,127.0.2.{number}")).collect();
        let dns = Dns::with(&addresses.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(dns.hops("sip:all.example:5060").await.len(), LOOKUP_HOPS_MAX);
    });
}

#[test]
fn w31_of_many_servers_without_an_address_so_many_are_looked_at() {
    run(async {
        let most = LOOKUP_PLACES_MAX * LOOKUP_ROUNDS_MAX;
        let gone = |number: usize| {
            let number = u16::try_from(number).unwrap();
            ("_sip._udp.odd.example", SRV, srv(number, 5060, &format!("g{number}.odd.example")))
        };
        let last = ("_sip._udp.odd.example", SRV, srv(99, 5070, "a.odd.example"));
        let records = (0..most).map(gone).chain([last, ("a.odd.example", A, vec![127, 0, 0, 5])]).collect();
        let (found, asked) = look_up(Odd { records, truncates: true, ..Odd::usual() }).await;
        assert_eq!(found, Ok(Vec::new()));
        let names = asked.iter().filter(|(_, kind, _)| *kind == A).map(|(name, ..)| name);
        assert_eq!(names.collect::<std::collections::BTreeSet<_>>().len(), most);
    });
}

#[test]
fn of_an_answer_with_thousands_of_records_the_first_ones_are_looked_at() {
    run(async {
        let record = |number: u16| {
            let priority = if usize::from(number) < DNS_RECORDS_READ_MAX { 10 } else { 1 };
            ("_sip._udp.odd.example", SRV, srv(priority, 10_000 + number, "a.odd.example"))
        };
        let records = (0..1500).map(record).chain([("a.odd.example", A, vec![127, 0, 0, 5])]).collect();
        let (found, _) = look_up(Odd { records, truncates: true, ..Odd::usual() }).await;
        let found = found.unwrap();
        assert_eq!(found.len(), LOOKUP_PLACES_MAX, "{found:?}");
        let port = |hop: &String| hop.rsplit(':').next().unwrap().parse::<usize>().unwrap();
        assert!(found.iter().map(port).all(|port| port < 10_000 + DNS_RECORDS_READ_MAX), "{found:?}");
    });
}

#[test]
fn what_was_found_a_moment_ago_is_not_asked_again() {
    run(async {
        let (address, asked) = Odd::usual().start();
        let settings = NetSettings { dns: Some(address), ..NetSettings::default() };
        let mut net = Net::open(&[], &settings).await.unwrap();
        let uri = Uri::parse("sip:odd.example").unwrap();
        assert!(net.resolve(ResolveId(1), &uri, paid_by("james")).is_none());
        let Some(NetEvent::Resolved { hops, .. }) = net.receive().await else { panic!("resolved") };
        let questions = asked.lock().unwrap().len();
        let again = net.resolve(ResolveId(2), &uri, paid_by("eve"));
        assert!(
            matches!(&again, Some(NetEvent::Resolved { id: ResolveId(2), hops: same }) if *same == hops),
            "{again:?}"
        );
        assert_eq!(asked.lock().unwrap().len(), questions);
    });
}

#[test]
fn what_was_found_while_an_answer_was_missing_holds_for_no_stated_time() {
    run(async {
        for (drops, holds) in [(&[][..], Some(Duration::from_secs(60))), (&[NAPTR][..], None)] {
            let (address, _) = Odd { drops, ..Odd::usual() }.start();
            let Route::Name(name) = route(&Uri::parse("sip:odd.example").unwrap()) else { panic!("a name") };
            let permits = Arc::new(Semaphore::new(DNS_QUESTIONS_PER_PAYER_MAX));
            let found = Resolver::new(Some(address)).look_up(&name, permits).await.unwrap();
            assert_eq!((found.hops.len(), found.holds), (1, holds), "{drops:?}");
        }
    });
}

fn paid_by(who: &str) -> LookupTerms {
    LookupTerms { payer: LookupPayer(who.into()), until: None }
}

#[test]
fn w31_more_names_than_may_wait_have_no_route() {
    run(async {
        let (address, _) = Odd { drops: &[NAPTR, SRV, A, AAAA], ..Odd::usual() }.start();
        let settings = NetSettings { dns: Some(address), ..NetSettings::default() };
        let mut net = Net::open(&[], &settings).await.unwrap();
        let mut ask = |number: usize, who: &str| {
            net.resolve(ResolveId(1), &Uri::parse(&format!("sip:a.n{number}.example")).unwrap(), paid_by(who))
        };
        let most = LOOKUPS_PER_PAYER_MAX + LOOKUPS_WAITING_MAX / (LOOKUPS_WAITING_PART + 1);
        for number in 0..most {
            assert!(ask(number, "eve").is_none());
        }
        let known = ask(most, "eve");
        let Some(NetEvent::ResolveFailed { why, .. }) = known else { panic!("{known:?}") };
        assert_eq!(&*why, "too many names are being looked up");
        assert!(ask(most, "james").is_none(), "another one has room");
        let known = net.resolve(
            ResolveId(1),
            &Uri::parse(&format!("sip:{}", "a.".repeat(128))).unwrap(),
            paid_by("james"),
        );
        assert!(
            matches!(&known, Some(NetEvent::Resolved { hops, .. }) if hops.is_empty()),
            "no name is longer than 253"
        );
    });
}

#[test]
fn w31_a_zone_that_does_not_answer_keeps_nobody_elses_names_waiting() {
    run(async {
        let (address, asked) = Odd { silent: Some(".silent.example"), ..Odd::usual() }.start();
        let settings = NetSettings { dns: Some(address), ..NetSettings::default() };
        let mut net = Net::open(&[], &settings).await.unwrap();
        for number in 0..700 {
            let uri = Uri::parse(&format!("sip:n{number}.silent.example")).unwrap();
            assert!(net.resolve(ResolveId(number), &uri, paid_by("eve")).is_none());
        }
        for (number, who, uri) in [(1001, "james", "sip:odd.example"), (1002, "eve", "sip:a.odd.example")] {
            let uri = Uri::parse(uri).unwrap();
            assert!(net.resolve(ResolveId(number), &uri, paid_by(who)).is_none());
            let event = net.receive().await;
            let Some(NetEvent::Resolved { id, hops }) = event else { panic!("{event:?}") };
            assert_eq!((id, hops.len()), (ResolveId(number), 1), "before any of the silent ones fails");
        }
        let asked = asked.lock().unwrap();
        let silent: std::collections::BTreeSet<_> =
            asked.iter().map(|(name, ..)| name).filter(|name| name.ends_with(".silent.example")).collect();
        assert_eq!(silent.len(), LOOKUPS_WITHIN_ZONE_MAX, "{silent:?}");
    });
}
