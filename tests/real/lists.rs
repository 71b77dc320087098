//! The proxy's aliases and lists (W16), edited from the command line while it runs.

use std::time::Instant;

use crate::common::{Proxy, outcomes};
use crate::program::{Ended, WAIT, fanfare};
use crate::socket::{Answering, Message, Phone, submission};

fn alias(verb: &str, words: &[&str], proxy: &Proxy) -> Ended {
    let data = proxy.folder.path().to_str().unwrap();
    fanfare(&[&["proxy", "alias", verb], words, &["--data", data]].concat()).end()
}

fn at_home(user: &str, proxy: &Proxy, status: &'static str) -> Answering {
    let phone = Phone::new();
    phone.register(user, proxy.address);
    Answering::new(phone, move |_, _| Some(status))
}

/// Returns the report on a message from James to these people.
fn report(proxy: &Proxy, people: &[&str]) -> Message {
    let james = Phone::new();
    let sent = submission(james.address, people, "Delivery-Report: final;detail\r\n", "Come here.");
    assert_eq!(james.ask(proxy.address, &sent).start(), "SIP/2.0 202 Accepted");
    let report = james.receive_the("NOTIFY");
    james.answer(&report, "200 OK");
    report
}

/// Sends to the list repeatedly until the proxy has noticed that it now is a list, or no longer is one.
fn report_that_begins(begins: &str, proxy: &Proxy) -> Message {
    let until = Instant::now() + WAIT;
    loop {
        let report = report(proxy, &["im:team@domain.com", "im:bob@domain.com"]);
        if report.body().starts_with(begins) {
            return report;
        }
        assert!(Instant::now() < until, "{begins} is not told, but\n{}", report.text);
    }
}

#[test]
fn w16_a_list_made_while_the_proxy_runs_is_one_line_and_outlives_it() {
    let proxy = Proxy::start();
    let (ann, bob) = (at_home("ann", &proxy, "200 OK"), at_home("bob", &proxy, "200 OK"));
    let absent = report_that_begins("im:team@domain.com delivery failure;status=480", &proxy);
    assert_eq!(outcomes(&absent).len(), 2);
    let before = bob.seen().len();

    let made = alias("add", &["team@domain.com", "ann@domain.com", "im:bob@domain.com"], &proxy);
    assert_eq!(made.code(), 0, "{made:?}");
    let told = report_that_begins("im:team@domain.com delivery success;status=200", &proxy);
    assert_eq!(outcomes(&told).len(), 2, "{}", told.text);
    let leg = ann.wait("Ann's leg", |seen| seen.first().cloned());
    assert_eq!(ann.seen().len(), 1, "once, though she is named by the list alone");
    assert_eq!(leg.value("To"), "<sip:ann@domain.com>");
    assert_eq!(leg.values("Also-To"), ["<sip:team@domain.com>", "<sip:bob@domain.com>"]);
    assert!(bob.seen().len() > before);
    let last = bob.seen().pop().unwrap();
    assert_eq!(last.values("Also-To"), ["<sip:team@domain.com>"]);

    let proxy = proxy.kill_and_start_again();
    let told = report(&proxy, &["im:team@domain.com"]);
    assert!(told.body().starts_with("im:team@domain.com delivery success;status=200"), "{}", told.text);
    assert_eq!(outcomes(&told).len(), 1, "{}", told.text);
    assert_eq!(ann.seen().len(), 2);

    let list = alias("list", &[], &proxy);
    assert_eq!(list.out, ["team@domain.com stands for ann@domain.com, im:bob@domain.com"]);
    assert_eq!(alias("remove", &["team@domain.com"], &proxy).code(), 0);
    report_that_begins("im:team@domain.com delivery failure;status=480", &proxy);
    assert_eq!(alias("list", &[], &proxy).out, Vec::<String>::new());
}

#[test]
fn w16_one_member_who_refuses_makes_the_list_fail_and_an_ordinary_message_goes_to_all() {
    let proxy = Proxy::start();
    let (ann, bob) = (at_home("ann", &proxy, "200 OK"), at_home("bob", &proxy, "603 Decline"));
    assert_eq!(alias("add", &["team@domain.com", "ann@domain.com", "bob@domain.com"], &proxy).code(), 0);
    report_that_begins("im:team@domain.com delivery failure;status=603;reason=\"Decline\";tries=2", &proxy);
    let before = (ann.seen().len(), bob.seen().len());
    let james = Phone::new();
    let ordinary = submission(james.address, &["sip:team@domain.com"], "", "To all.")
        .replace("Proxy-Require: secondary-to\r\n", "");
    assert_eq!(james.ask(proxy.address, &ordinary).start(), "SIP/2.0 202 Accepted");
    for (phone, before) in [(&ann, before.0), (&bob, before.1)] {
        phone.wait("the ordinary message", |seen| (seen.len() > before).then_some(()));
        assert_eq!(phone.seen().pop().unwrap().body(), "To all.");
    }
}

#[test]
fn w16_what_makes_no_sense_is_refused_by_name() {
    let proxy = Proxy::start();
    assert_eq!(alias("add", &["a@domain.com", "b@domain.com"], &proxy).code(), 0);
    let circle = alias("add", &["b@domain.com", "a@domain.com"], &proxy);
    assert_eq!(circle.code(), 1, "{circle:?}");
    assert!(
        circle.said().contains("the list would contain itself: a@domain.com, b@domain.com, a@domain.com")
    );
    let unknown = alias("remove", &["nobody@domain.com"], &proxy);
    assert_eq!(unknown.code(), 1, "{unknown:?}");
    assert!(unknown.said().contains("nobody@domain.com is not an alias or a list"), "{unknown:?}");
    let alone = alias("add", &["a@domain.com"], &proxy);
    assert_eq!(alone.code(), 2, "{alone:?}");
}
