//! W30: nothing of a removed user is for the next owner of the address.

use super::*;
use crate::proxy::ProxyCommand;
use crate::proxy::journal::RemovedRow;
use crate::sip::Aor;

fn ann_is_removed(number: u64) -> RemovedRow {
    RemovedRow { number, aor: Aor::parse("ann@domain.com").unwrap() }
}

impl Bench {
    /// The owner tells the proxy that Ann was removed.
    fn remove_ann(&mut self, number: u64) {
        self.remove(ann_is_removed(number));
    }

    fn remove_james(&mut self) {
        self.remove(RemovedRow { number: 1, aor: Aor::parse("james@domain.com").unwrap() });
    }

    fn remove(&mut self, row: RemovedRow) {
        self.rows.removed.push(row);
        self.input(Input::Command(ProxyCommand::Removed(self.rows.removed.clone().into())));
    }
}

#[test]
fn w30_what_waits_for_somebody_who_is_removed_fails_and_the_next_owner_gets_nothing() {
    let mut bench = Bench::new();
    bench.submit(&to_ann());
    assert_eq!(bench.told(), waiting());
    bench.remove_ann(1);
    let notify = bench.take_one(JAMES);
    assert!(body(&notify).contains("im:ann@domain.com delivery failure"), "{notify}");
    bench.answer(JAMES, &notify, "200 OK");
    assert_eq!(bench.states(), [OutcomeState::Failed]);
    assert_eq!(bench.rows.removed, [], "the order is carried out");
    assert!(bench.comes("ann", ANN, "another", 1).is_empty());
    bench.advance(HOUR);
    assert!(bench.take(ANN).is_empty());
}

#[test]
fn w30_a_proxy_that_did_not_run_purges_before_it_delivers_anything() {
    let mut bench = Bench::new();
    bench.submit(&to_ann());
    bench.told();
    bench.comes("bob", BOB, "bobs", 1);
    bench.rows.removed.push(ann_is_removed(1));
    // As if her last registration had come just before the proxy stopped.
    let mut binding = bench.rows.bindings[0].clone();
    binding.aor = ann_is_removed(1).aor;
    binding.contact = crate::sip::Uri::parse(&format!("sip:ann@{ANN}")).unwrap();
    bench.rows.bindings.push(binding);
    bench.crash();
    assert!(bench.take(ANN).is_empty(), "her binding is of before");
    assert!(!bench.rows.bindings.iter().any(|row| row.aor == ann_is_removed(1).aor));
    assert_eq!(bench.rows.bindings.len(), 1, "Bob stays");
    assert_eq!((bench.states(), bench.rows.removed.len()), (vec![OutcomeState::Failed], 0));
    assert!(bench.comes("ann", ANN, "another", 1).is_empty());
}

#[test]
fn w30_a_device_that_was_away_is_owed_nothing_any_more() {
    let mut bench = Bench::new();
    bench.comes("ann", LAPTOP, "laptop", 1);
    bench.receive(udp(LAPTOP), &device("ann", LAPTOP, "laptop", 2).replace("Expires: 600", "Expires: 0"));
    bench.take(LAPTOP);
    bench.comes("ann", ANN, "phone", 1);
    bench.submit(&to_ann());
    let leg = bench.take_one(ANN);
    bench.answer(ANN, &leg, "200 OK");
    bench.told();
    bench.remove_ann(1);
    assert_eq!(bench.rows.devices, []);
    assert!(bench.comes("ann", LAPTOP, "laptop", 3).is_empty());
}

#[test]
fn w30_what_is_under_way_has_its_end_and_does_not_wait_for_the_next_owner() {
    let mut bench = Bench::at_home();
    bench.submit(&to_ann());
    let leg = bench.take_one(ANN);
    bench.remove_ann(1);
    assert!(bench.rows.bindings.iter().all(|row| row.aor.as_str() == "bob@domain.com"));
    bench.answer(ANN, &leg, "480 Temporarily Unavailable");
    assert_eq!(bench.told(), ended("failure"));
    assert!(bench.comes("ann", LAPTOP, "another", 1).is_empty());
}

#[test]
fn w30_a_report_for_somebody_who_is_removed_is_not_told_to_the_next_owner() {
    let mut bench = Bench::new();
    let from_ann =
        to_ann().replace("sip:james@domain.com", "sip:ann@domain.com").replace("im:ann@", "im:bob@");
    bench.submit(&from_ann.replace("MESSAGE sip:ann@", "MESSAGE sip:bob@"));
    bench.take(JAMES);
    bench.remove_ann(1);
    bench.comes("ann", ANN, "another", 1);
    let legs = bench.comes("bob", BOB, "bobs", 1);
    assert_eq!(legs.len(), 1, "what she wrote is delivered all the same");
    bench.answer(BOB, &legs[0], "200 OK");
    bench.advance(HOUR * 3);
    assert!(bench.take(ANN).is_empty());
}

#[test]
fn w30_an_order_is_carried_out_once_and_again_where_the_disk_did_not_take_it() {
    let mut bench = Bench::new();
    bench.register("ann", ANN);
    bench.disk = Disk::Fails;
    bench.remove_ann(1);
    assert_eq!(bench.rows.removed.len(), 1);
    bench.disk = Disk::Works;
    // The next owner registers; the purge is in the same batch, before that binding.
    assert!(bench.comes("ann", LAPTOP, "another", 7).is_empty());
    assert_eq!((bench.rows.removed.len(), bench.rows.bindings.len()), (0, 1));
    // The order is seen again before the purge was committed: the next owner is not affected.
    bench.input(Input::Command(ProxyCommand::Removed(vec![ann_is_removed(1)].into())));
    assert_eq!(bench.rows.bindings.len(), 1);
    bench.submit(&to_ann());
    assert_eq!(bench.take(LAPTOP).len(), 1);
}

/// The next owner of James's address, who registers from elsewhere; what he is sent.
fn next_james(bench: &mut Bench, cseq: u32) -> Vec<String> {
    bench.comes("james", LAPTOP, "next", cseq)
}

#[test]
fn w30_who_is_removed_between_the_202_and_the_report_is_told_over_his_flow_and_nobody_else_is() {
    for mode in ["final", "each"] {
        let mut bench = Bench::at_home();
        bench.submit(&to_ann().replace("Expires: 3600", &format!("Delivery-Report: {mode}")));
        let leg = bench.take_one(ANN);
        bench.remove_james();
        assert!(next_james(&mut bench, 1).is_empty());
        bench.answer(ANN, &leg, "200 OK");
        bench.advance_ms(200);
        assert_eq!(bench.told(), ended("success"), "{mode}");
        assert!(bench.rows.dispatches[0].report.unwrap().closed);
        bench.advance(HOUR * 25);
        assert!(bench.take(JAMES).is_empty() && bench.take(LAPTOP).is_empty());
        assert!(bench.proxy.dispatches.has_nothing_under_way());
    }
}

#[test]
fn w30_who_is_removed_and_answers_nothing_is_told_once_and_the_next_owner_never() {
    let mut bench = Bench::at_home();
    bench.submit(&to_ann().replace("Expires: 3600\n", ""));
    let leg = bench.take_one(ANN);
    bench.remove_james();
    assert!(next_james(&mut bench, 1).is_empty());
    bench.answer(ANN, &leg, "200 OK");
    bench.advance_ms(32_000);
    assert_eq!(bench.take(JAMES).len(), 11);
    bench.advance(HOUR * 25);
    assert!(bench.take(JAMES).is_empty() && bench.take(LAPTOP).is_empty());
    assert!(bench.proxy.dispatches.has_nothing_under_way());
}

#[test]
fn w30_after_a_restart_nothing_is_owed_to_a_sender_who_was_removed() {
    let mut bench = Bench::at_home();
    bench.submit(&to_ann().replace("Expires: 3600\n", ""));
    bench.take(ANN);
    bench.remove_james();
    bench.crash();
    let leg = bench.take(ANN).remove(0);
    assert!(next_james(&mut bench, 1).is_empty());
    bench.answer(ANN, &leg, "200 OK");
    bench.advance(HOUR * 25);
    assert!(bench.take(JAMES).is_empty() && bench.take(LAPTOP).is_empty());
}

#[test]
fn w30_a_report_that_waits_for_a_sender_who_is_removed_is_not_for_the_next_owner() {
    for restarts in [false, true] {
        let mut bench = Bench::at_home();
        bench.submit(&to_ann().replace("Expires: 3600\n", ""));
        let leg = bench.take_one(ANN);
        bench.answer(ANN, &leg, "200 OK");
        bench.advance_ms(70_000);
        assert_eq!(bench.take(JAMES).len(), 11, "nobody is there, so the report waits");
        assert_eq!(bench.proxy.dispatches.sizes().0, 0, "in the store");
        bench.remove_james();
        assert!(bench.rows.dispatches[0].report.unwrap().closed);
        if restarts {
            bench.crash();
        }
        assert!(next_james(&mut bench, 1).is_empty(), "{restarts}");
        bench.advance(HOUR * 25);
        assert!(bench.take(JAMES).is_empty() && bench.take(LAPTOP).is_empty(), "{restarts}");
        assert!(bench.proxy.dispatches.has_nothing_under_way());
    }
}
