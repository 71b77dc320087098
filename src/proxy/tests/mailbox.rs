//! Absent recipients: W8, W15, W18. Their reports, and their devices, have files of their own.

mod departures;
mod devices;
mod reports;
mod restarts;

use super::*;
use crate::proxy::MailboxConfig;
use crate::proxy::journal::{DispatchId, OutcomeState};

const LAPTOP: &str = "192.0.2.71:5060";
const HOUR: Duration = Duration::from_secs(3600);

/// A submission to Ann only, worth delivering for an hour.
fn to_ann() -> String {
    other_submission("Secondary-To: <im:bob@domain.com>\n", "Expires: 3600\n")
}

/// Another such message, with this number as its text.
fn numbered(number: u32) -> String {
    to_ann()
        .replace("asd88asd77a", &format!("number{number}"))
        .replace("z9hG4bK776", &format!("z9hG4bK776{number}"))
        .replace("Come here.", &format!("Number {number:3}"))
}

/// A REGISTER of a device.
fn device(name: &str, at: &str, instance: &str, cseq: u32) -> String {
    let contact = format!("<sip:{name}@{at}>;+sip.instance=\"<urn:uuid:{instance}>\"");
    register(name, &contact, cseq, 600).replace("reg-", &format!("reg-{instance}-"))
}

impl Bench {
    /// Registers a device, and returns what is sent to it.
    fn comes(&mut self, name: &str, at: &str, instance: &str, cseq: u32) -> Vec<String> {
        self.receive(udp(at), &device(name, at, instance, cseq));
        let mut sent = self.take(at);
        assert_eq!(status(&sent.remove(0)), 200);
        sent
    }

    /// The state of each line in the next report to James, who answers it.
    fn told(&mut self) -> (String, Vec<String>) {
        let notify = self.take(JAMES).into_iter().find(|text| text.starts_with("NOTIFY")).expect("a report");
        self.answer(JAMES, &notify, "200 OK");
        self.take(JAMES);
        let states = body(&notify).lines().map(|line| line.split(" delivery ").nth(1).unwrap().to_owned());
        (field(&notify, "Subscription-State").unwrap().to_owned(), states.collect())
    }

    /// Submits, and takes the 202.
    fn submit(&mut self, text: &str) {
        self.receive(udp(JAMES), text);
        let accepted = self.sent.iter().position(|sent| sent.text.starts_with("SIP/2.0 202")).expect("a 202");
        self.sent.remove(accepted);
    }

    fn states(&self) -> Vec<OutcomeState> {
        let rows = self.rows.dispatches.iter().flat_map(|rows| &rows.outcomes);
        rows.map(|row| row.state).collect()
    }
}

fn waiting() -> (String, Vec<String>) {
    ("active".to_owned(), vec!["deferred".to_owned()])
}

fn ended(state: &str) -> (String, Vec<String>) {
    ("terminated;reason=noresource".to_owned(), vec![state.to_owned()])
}

#[test]
fn w18_who_is_absent_is_deferred_and_gets_it_when_he_registers() {
    let mut bench = Bench::new();
    bench.submit(&to_ann());
    assert_eq!(bench.told(), waiting());
    assert_eq!(bench.states(), [OutcomeState::Deferred]);
    bench.advance(Duration::from_secs(1200));
    assert!(bench.sent.is_empty(), "{:?}", bench.sent);
    let legs = bench.comes("ann", ANN, "phone", 1);
    assert_eq!(legs.len(), 1);
    assert_eq!(field(&legs[0], "Expires"), Some("2400"), "what remains");
    bench.answer(ANN, &legs[0], "200 OK");
    assert_eq!(bench.told(), ended("success"));
    assert_eq!(bench.states(), [OutcomeState::Delivered]);
    bench.advance(HOUR);
    assert!(bench.sent.is_empty() && bench.comes("ann", ANN, "phone", 2).is_empty());
}

#[test]
fn w18_what_is_temporary_is_deferred_and_what_is_not_has_failed() {
    let cases = [
        ("408 x", true),
        ("480 x", true),
        ("430 x", true),
        ("503 x", true),
        ("504 x", true),
        ("404 x", false),
        ("486 x", false),
        ("500 x", false),
        ("603 x", false),
    ];
    for (line, waits) in cases {
        let mut bench = Bench::at_home();
        bench.submit(&to_ann());
        let leg = bench.take_one(ANN);
        bench.answer(ANN, &leg, line);
        assert_eq!(bench.told(), if waits { waiting() } else { ended("failure") }, "{line}");
    }
    let mut bench = Bench::at_home();
    bench.submit(&to_ann());
    bench.advance_ms(32_000);
    assert_eq!(bench.told(), waiting(), "silence");
    let mut bench = Bench::at_home();
    bench.submit(&to_ann());
    bench.not_sent(ANN, SendFault::Refused);
    assert_eq!(bench.told(), waiting(), "a way that broke");
}

#[test]
fn w18_what_no_datagram_holds_waits_until_there_is_a_connection() {
    let mut bench = Bench::at_home();
    let length = "Content-Length: 70000";
    let large = to_ann().replace("Come here.", &"x".repeat(70_000)).replace("Content-Length: 10", length);
    bench.submit(&large);
    let (id, _) = bench.connects.remove(0);
    bench.input(Input::ConnectFailed { id, fault: crate::machine::ConnectFault::Unreachable });
    assert_eq!(bench.told(), waiting());
    bench.ask(ANN, &register("ann", "<sip:ann@192.0.2.6:5060>", 2, 600));
    let (id, hop) = bench.connects.remove(0);
    assert_eq!(hop, Hop { transport: Transport::Tcp, remote: address(ANN) });
    bench.input(Input::Connected { id, flow: tcp(ANN, 7) });
    let leg = bench.take_one(ANN);
    assert!(leg.starts_with("MESSAGE ") && leg.len() > 70_000, "{} bytes", leg.len());
}

#[test]
fn w8_without_an_expires_longer_than_timer_f_the_patents_failure_stands() {
    for expires in ["", "Expires: 0\n", "Expires: 32\n"] {
        let mut bench = Bench::at_home();
        bench.submit(&to_ann().replace("Expires: 3600\n", expires));
        bench.advance_ms(32_000);
        assert_eq!(bench.take(ANN).len(), 11, "{expires}");
        assert_eq!(bench.told(), ended("failure"), "{expires}");
        assert!(bench.comes("ann", ANN, "phone", 2).is_empty(), "{expires}");
    }
    let mut bench = Bench::new();
    bench.submit(&to_ann().replace("3600", "33"));
    assert_eq!(bench.told(), waiting());
}

#[test]
fn w18_without_a_mailbox_who_is_absent_has_failed() {
    let mut bench = Bench::with(ProxyConfig { mailbox: None, ..config() });
    bench.submit(&to_ann());
    assert_eq!(bench.told(), ended("failure"));
    assert!(bench.comes("ann", ANN, "phone", 1).is_empty());
}

#[test]
fn w15_a_retry_is_a_new_transaction_of_the_same_leg() {
    let mut bench = Bench::at_home();
    bench.submit(&to_ann());
    let first = bench.take_one(ANN);
    bench.answer(ANN, &first, "480 Not Now");
    bench.told();
    bench.advance_ms(40_000);
    let legs = bench.comes("ann", ANN, "phone", 2);
    for same in ["Call-ID", "CSeq", "From", "To", "Date"] {
        assert_eq!(field(&legs[0], same), field(&first, same));
    }
    assert_ne!(field(&legs[0], "Via"), field(&first, "Via"));
    bench.answer(ANN, &legs[0], "202 Accepted");
    assert_eq!(bench.told(), ended("success"));
}

#[test]
fn w15_482_to_a_retry_means_that_it_had_arrived() {
    for (second, expected) in [("482 Merged", "success"), ("200 OK", "success"), ("486 Busy", "failure")] {
        let mut bench = Bench::at_home();
        bench.submit(&to_ann());
        bench.advance_ms(32_000);
        bench.take(ANN);
        bench.told();
        let leg = bench.comes("ann", ANN, "phone", 2).remove(0);
        bench.answer(ANN, &leg, "482 Merged Request");
        bench.advance_ms(31_999);
        assert!(bench.sent.is_empty(), "{:?}", bench.sent);
        bench.advance_ms(1);
        let again = bench.take_one(ANN);
        assert_eq!(field(&again, "Call-ID"), field(&leg, "Call-ID"));
        assert_ne!(field(&again, "Via"), field(&leg, "Via"));
        bench.answer(ANN, &again, second);
        assert_eq!(bench.told(), ended(expected), "{second}");
    }
}

#[test]
fn w18_who_registers_while_an_attempt_at_his_old_place_goes_on_is_tried_there_at_once_after_it() {
    let mut bench = Bench::at_home();
    bench.submit(&to_ann());
    bench.advance_ms(10_000);
    assert!(bench.comes("ann", LAPTOP, "laptop", 1).is_empty());
    bench.advance_ms(21_999);
    assert!(bench.take(LAPTOP).is_empty());
    bench.advance_ms(1);
    let leg = bench.take_one(LAPTOP);
    bench.answer(LAPTOP, &leg, "200 OK");
    bench.advance_ms(200);
    let last = bench.take(JAMES);
    assert!(body(&last[0]).ends_with("deferred\r\n"));
    bench.answer(JAMES, &last[0], "200 OK");
    assert_eq!(bench.told(), ended("success"));
}

#[test]
fn w18_the_order_of_acceptance_is_kept_also_by_what_comes_during_the_release() {
    let mut bench = Bench::new();
    for number in 1..=3 {
        bench.submit(&numbered(number));
    }
    bench.advance_ms(60_000);
    bench.sent.clear();
    let mut legs = bench.comes("ann", ANN, "phone", 1);
    let mut seen = Vec::new();
    while let Some(leg) = legs.pop() {
        assert!(legs.is_empty(), "one at a time");
        seen.push(body(&leg).to_owned());
        if seen.len() == 1 {
            bench.submit(&numbered(4));
            assert!(bench.take(ANN).is_empty(), "it stands behind the others");
        }
        bench.answer(ANN, &leg, "200 OK");
        legs = bench.take(ANN);
    }
    assert_eq!(seen, ["Number   1", "Number   2", "Number   3", "Number   4"]);
    bench.advance_ms(200);
    assert_eq!(bench.states(), [OutcomeState::Delivered; 4]);
}

#[test]
fn w18_a_round_ends_where_nobody_answers_and_one_bad_message_holds_the_others_up_once() {
    let mut bench = Bench::new();
    for number in 1..=2 {
        bench.submit(&numbered(number));
    }
    bench.sent.clear();
    let begun = |bench: &mut Bench, cseq| bench.comes("ann", ANN, "phone", cseq).len();
    assert_eq!(begun(&mut bench, 1), 1);
    bench.advance_ms(32_000);
    assert!(bench.take(ANN).iter().all(|leg| body(leg) == "Number   1"), "order before haste");
    assert_eq!(begun(&mut bench, 2), 1);
    bench.advance_ms(32_000);
    let second: Vec<_> = bench.take(ANN).into_iter().filter(|leg| body(leg) == "Number   2").collect();
    bench.answer(ANN, &second[0], "200 OK");
    bench.advance_ms(200);
    assert_eq!(bench.states(), [OutcomeState::Deferred, OutcomeState::Delivered]);
}

#[test]
fn w18_a_new_message_has_those_that_wait_tried_before_it_and_shares_their_lot() {
    let mut bench = Bench::at_home();
    bench.submit(&numbered(1));
    bench.advance_ms(32_000);
    bench.sent.clear();
    bench.submit(&numbered(2));
    let legs = bench.take(ANN);
    assert_eq!(legs.iter().map(|leg| body(leg)).collect::<Vec<_>>(), ["Number   1"]);
    bench.advance_ms(32_000);
    assert_eq!(bench.states(), [OutcomeState::Deferred; 2]);
    let patents = numbered(3).replace("Expires: 3600\n", "");
    bench.take(ANN);
    bench.submit(&patents);
    let legs = bench.take(ANN);
    assert_eq!(legs.iter().map(|leg| body(leg)).collect::<Vec<_>>(), ["Number   3"], "it cannot wait");
}

#[test]
fn w18_over_the_quota_it_fails_and_says_so() {
    let mailbox = Some(MailboxConfig { per_user_max: 2, ..MailboxConfig::default() });
    let mut bench = Bench::with(ProxyConfig { mailbox, ..config() });
    for number in 1..=2 {
        bench.submit(&numbered(number));
        assert_eq!(bench.told(), waiting());
    }
    bench.submit(&numbered(3).replace("Contact", "Delivery-Report: final;detail\nContact"));
    let failed = "failure;status=480;reason=\"Mailbox Full\";tries=0;after=0";
    assert_eq!(bench.told(), ended(failed));
    let bob = numbered(4).replace("im:ann@", "im:bob@").replace("sip:ann@", "sip:bob@");
    bench.submit(&bob);
    assert_eq!(bench.told(), waiting(), "the quota is Ann's");
}

#[test]
fn w18_what_expires_has_failed_with_408() {
    let mut bench = Bench::new();
    bench.submit(&to_ann().replace("Contact", "Delivery-Report: final;detail\nContact"));
    assert_eq!(bench.told().1, ["deferred;status=480;reason=\"Temporarily Unavailable\";tries=0;after=0"]);
    bench.advance(HOUR - Duration::from_millis(1));
    assert!(bench.sent.is_empty());
    bench.advance_ms(1);
    assert_eq!(bench.told(), ended("failure;status=408;reason=\"Request Timeout\";tries=0;after=3600000"));
    assert!(bench.comes("ann", ANN, "phone", 1).is_empty());
}

#[test]
fn w18_an_attempt_under_way_ends_with_the_expires() {
    let mut bench = Bench::new();
    bench.submit(&to_ann());
    bench.told();
    bench.advance(HOUR - Duration::from_secs(5));
    assert_eq!(bench.comes("ann", ANN, "phone", 1).len(), 1);
    bench.advance_ms(4999);
    assert!(bench.take(JAMES).is_empty());
    bench.advance_ms(1);
    assert_eq!(bench.told(), ended("failure"));
}

#[test]
fn w18_the_mailbox_keeps_nothing_longer_than_its_settings_say() {
    for (expires, config_days, kept) in [("1000000", 7, 604_800), ("1000000", 1, 86_400), ("3600", 1, 3600)] {
        let mailbox = Some(MailboxConfig {
            kept: Duration::from_secs(config_days * 86_400),
            ..MailboxConfig::default()
        });
        let mut bench = Bench::with(ProxyConfig { mailbox, ..config() });
        bench.submit(&to_ann().replace("3600", expires));
        bench.told();
        bench.advance(Duration::from_secs(kept) - Duration::from_millis(1));
        assert!(bench.sent.is_empty());
        bench.advance_ms(1);
        assert_eq!(bench.told(), ended("failure"), "{expires}");
    }
}

#[test]
fn w18_one_of_another_domain_is_visited_by_time() {
    let mut bench = Bench::new();
    bench.submit(&to_ann().replace("To: <im:ann@domain.com>", "To: <sip:ann@192.0.2.77:5090>"));
    bench.advance_ms(32_000);
    assert_eq!(bench.take("192.0.2.77:5090").len(), 11);
    assert_eq!(bench.told(), waiting());
    bench.advance_ms(59_999);
    assert!(bench.take("192.0.2.77:5090").is_empty());
    bench.advance_ms(1);
    assert_eq!(bench.take("192.0.2.77:5090").len(), 1);
    bench.advance_ms(200_000);
    bench.take("192.0.2.77:5090");
    bench.advance_ms(100_000);
    let legs = bench.take("192.0.2.77:5090");
    bench.answer("192.0.2.77:5090", &legs[0], "200 OK");
    assert_eq!(bench.told(), ended("success"));
}

#[test]
fn what_waits_does_not_stand_in_the_way_of_others() {
    let mut bench = Bench::new();
    bench.submit(&numbered(1));
    bench.told();
    let legs = bench.comes("ann", ANN, "phone", 1);
    bench.answer(ANN, &legs[0], "200 OK");
    bench.told();
    bench.advance(30 * HOUR);
    assert!(bench.rows.dispatches.is_empty(), "a day, and it is forgotten");
}

#[test]
fn w12_a_message_forgotten_before_its_time_leaves_nothing_that_is_due() {
    let mut bench = Bench::new();
    bench.submit(&to_ann());
    assert_eq!(bench.told(), waiting());
    bench.advance_ms(1000);
    // The two clocks drift apart, as they always do.
    bench.now.mono += Duration::from_micros(300);
    let (core, dispatches) = (&mut bench.proxy.core, &mut bench.proxy.dispatches);
    assert!(dispatches.remove(core, DispatchId(1)).is_some());
    assert_eq!(core.agenda.next(), None);
}
