//! The patent's example in virtual time: James writes once to Ann, who is registered and silent, and to Bob. Everything
//! is looked up in the literal bytes on the simulated wire, not with our parser.

use std::time::Duration;

use fanfare::model::journal::{AttemptStage, DeliveryState};
use fanfare::proxy::MailboxConfig;
use fanfare::sip::ReportMode;

use crate::text::{body, fields};
use crate::topology::{self, HOME, WARM_UP};
use crate::workload::draft;
use crate::world::{Sent, World};

const JAMES: &str = "192.0.2.1:5060";
const ANN: &str = "192.0.2.6:5060";
const BOB: &str = "192.0.2.7:5060";

/// The messages from one to the other that start with this.
fn from_to<'a>(wire: &'a [Sent], from: &str, to: &str, start: &str) -> Vec<&'a Sent> {
    let (from, to) = (from.parse().unwrap(), to.parse().unwrap());
    let is_it =
        |sent: &&Sent| sent.flow.local == from && sent.flow.remote == to && sent.text.starts_with(start);
    wire.iter().filter(is_it).collect()
}

/// The value of a header field that occurs once.
fn field<'a>(text: &'a str, name: &str) -> &'a str {
    let values: Vec<_> = fields(text, name).collect();
    assert_eq!(values.len(), 1, "{name}: {text}");
    values[0]
}

#[test]
fn w17_w20_one_message_leaves_ann_is_tried_eleven_times_and_the_report_tells_both() {
    let mut world = World::new(1);
    let proxy = topology::proxy(&mut world, HOME, MailboxConfig::default());
    let james = topology::agent(&mut world, "james", JAMES, "udp", HOME);
    let ann = topology::person(&mut world, "ann", ANN, "silent");
    let bob = topology::agent(&mut world, "bob", BOB, "udp", HOME);
    for host in [proxy, james, ann, bob] {
        world.boot(host);
    }
    world.run_for(WARM_UP);
    world.wire = Some(Vec::new());

    let people = ["im:ann@domain.com", "im:bob@domain.com"];
    world.command(james, draft(&people, "Come here.", false, ReportMode::Final));
    world.run_for(Duration::from_secs(60));

    let wire = world.wire.take().unwrap();
    let call_id = one_submission_is_accepted(&wire);
    let first_try = eleven_tries_and_one_delivery(&wire);
    one_report_tells_both(&wire, &call_id, first_try);

    let store = world.host(james).agent_store().unwrap();
    let (id, _) = store.outgoing.first_key_value().unwrap();
    let known: Vec<_> = store.deliveries_of(*id).map(|row| (row.state, row.status, row.tries)).collect();
    let expected =
        [(DeliveryState::Failed, Some(408), Some(11)), (DeliveryState::Delivered, Some(200), Some(1))];
    assert_eq!(known, expected);
    assert_eq!(store.attempts[&(*id, 1)].stage, AttemptStage::Closed);
    let received: Vec<_> = world.host(bob).agent_store().unwrap().incoming.values().collect();
    assert_eq!(received.len(), 1);
    assert_eq!(received[0].body, "Come here.");
}

/// W1, W2, W11: one MESSAGE with Bob in a Secondary-To, and one 202. Returns the Call-ID.
fn one_submission_is_accepted(wire: &[Sent]) -> String {
    let submissions = from_to(wire, JAMES, HOME.proxy, "MESSAGE ");
    assert_eq!(submissions.len(), 1, "{submissions:#?}");
    let text = &submissions[0].text;
    assert!(text.starts_with("MESSAGE sip:ann@domain.com SIP/2.0\r\n"), "{text}");
    assert_eq!(field(text, "To"), "<im:ann@domain.com>");
    assert_eq!(field(text, "Secondary-To"), "<im:bob@domain.com>");
    assert_eq!(field(text, "Proxy-Require"), "secondary-to");
    assert_eq!(body(text), "Come here.");
    let answers = from_to(wire, HOME.proxy, JAMES, "SIP/2.0 ");
    assert_eq!(answers.len(), 1, "{answers:#?}");
    assert!(answers[0].text.starts_with("SIP/2.0 202 Accepted\r\n"), "{}", answers[0].text);
    assert_eq!(field(&answers[0].text, "Call-ID"), field(text, "Call-ID"));
    field(text, "Call-ID").to_owned()
}

/// W15, W17: transmissions at 0, 0.5, 1.5, 3.5, 7.5, 11.5, ... 31.5 seconds, always the same bytes; Bob gets it once.
/// Returns when it began.
fn eleven_tries_and_one_delivery(wire: &[Sent]) -> Duration {
    let tries = from_to(wire, HOME.proxy, ANN, "MESSAGE ");
    let begun = tries[0].at;
    let after: Vec<_> = tries.iter().map(|sent| (sent.at - begun).as_millis()).collect();
    assert_eq!(after, [0, 500, 1500, 3500, 7500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500]);
    assert!(tries.iter().all(|sent| sent.text == tries[0].text), "{tries:#?}");
    let legs = from_to(wire, HOME.proxy, BOB, "MESSAGE ");
    assert_eq!(legs.len(), 1, "{legs:#?}");
    for (leg, also) in [(tries[0], "<sip:bob@domain.com>"), (legs[0], "<sip:ann@domain.com>")] {
        assert_eq!(field(&leg.text, "Also-To"), also);
        assert_eq!(body(&leg.text), "Come here.");
        assert!(!leg.text.contains("Secondary-To"), "{}", leg.text);
    }
    assert_eq!(from_to(wire, BOB, HOME.proxy, "SIP/2.0 200 OK\r\n").len(), 1);
    begun
}

/// W20 to W25: after 32 seconds one NOTIFY with the same Call-ID, answered with 200.
fn one_report_tells_both(wire: &[Sent], call_id: &str, begun: Duration) {
    let reports = from_to(wire, HOME.proxy, JAMES, "NOTIFY ");
    assert_eq!(reports.len(), 1, "{reports:#?}");
    let (report, late) = (reports[0], reports[0].at - begun);
    assert!((32_000..32_050).contains(&late.as_millis()), "{late:?}");
    assert_eq!(field(&report.text, "Call-ID"), call_id);
    assert_eq!(field(&report.text, "Event"), "delivery-report");
    assert_eq!(field(&report.text, "Subscription-State"), "terminated;reason=noresource");
    assert_eq!(field(&report.text, "Content-Type"), "application/delivery-report");
    let lines: Vec<_> = body(&report.text).lines().collect();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[0].starts_with("im:ann@domain.com delivery failure;status=408;"), "{}", lines[0]);
    assert!(lines[0].contains(";tries=11;"), "{}", lines[0]);
    assert!(lines[1].starts_with("im:bob@domain.com delivery success;status=200;"), "{}", lines[1]);
    assert_eq!(from_to(wire, JAMES, HOME.proxy, "SIP/2.0 200 OK\r\n").len(), 1);
}
