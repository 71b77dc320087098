//! W30: nothing of a removed user is for the next owner of the address, and nothing of a user with a new password for who
//! signed in with the former one.

use super::*;
use crate::proxy::ProxyCommand;
use crate::proxy::journal::{RemovedPart, RemovedRow};
use crate::sip::Aor;

fn ann_is_removed(number: u64) -> RemovedRow {
    RemovedRow { number, aor: Aor::parse("ann@domain.com").unwrap(), what: RemovedPart::User }
}

impl Bench {
    /// The owner tells the proxy that Ann was removed.
    fn remove_ann(&mut self, number: u64) {
        self.remove(ann_is_removed(number));
    }

    fn remove_james(&mut self) {
        let aor = Aor::parse("james@domain.com").unwrap();
        self.remove(RemovedRow { number: 1, aor, what: RemovedPart::User });
    }

    /// The owner tells the proxy that Ann has a new password.
    fn sign_ann_out(&mut self, number: u64) {
        self.remove(RemovedRow { what: RemovedPart::Bindings, ..ann_is_removed(number) });
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

/// A REGISTER of Ann's over a connection, by the flow alone (RFC 5626).
fn by_flow(transport: Transport) -> String {
    let contact = format!("<sip:ann@{LAPTOP};transport=tcp>;+sip.instance=\"<urn:uuid:laptop>\";reg-id=1");
    register("ann", &contact, 1, 600)
        .replace("SIP/2.0/UDP", &format!("SIP/2.0/{}", transport.as_str()))
        .replace("reg-", "reg-laptop-")
        .replace("Expires: 600\n", "Expires: 600\nSupported: outbound\n")
}

#[test]
fn w30_who_has_a_new_password_is_signed_out_everywhere_and_messages_wait_for_the_next_sign_in() {
    for transport in [Transport::Tcp, Transport::Tls, Transport::Ws, Transport::Wss] {
        is_signed_out(Flow { transport, ..tcp(LAPTOP, 1) });
    }
}

fn is_signed_out(home: Flow) {
    let mut bench = Bench::at_home();
    bench.comes("ann", ANN, "phone", 1);
    bench.receive(home, &by_flow(home.transport));
    assert_eq!(status(&bench.take_one(LAPTOP)), 200);
    bench.submit(&numbered(0));
    let leg = bench.take_one(LAPTOP);
    bench.answer_with(home, &leg, "200 OK", "");
    let leg = bench.take_one(ANN);
    bench.answer(ANN, &leg, "200 OK");
    bench.told();
    bench.sign_ann_out(1);
    assert!(bench.rows.bindings.iter().all(|row| row.aor.as_str() == "bob@domain.com"));
    assert_eq!((bench.rows.devices.len(), bench.rows.removed.len()), (2, 0), "her devices stay known");

    bench.submit(&numbered(1));
    assert_eq!(bench.told(), waiting());
    assert!(bench.take(ANN).is_empty() && bench.take(LAPTOP).is_empty(), "the connection lives");
    assert!(bench.connects.is_empty());
    bench.advance_ms(60_000);
    // The order is seen again once she is back: it was for what she had before.
    assert_eq!(bench.comes("ann", ANN, "phone", 2).len(), 1, "what waited");
    bench.input(Input::Command(ProxyCommand::Removed(
        vec![RemovedRow { what: RemovedPart::Bindings, ..ann_is_removed(1) }].into(),
    )));
    assert_eq!(bench.rows.bindings.iter().filter(|row| row.aor == ann_is_removed(1).aor).count(), 1);
    bench.sign_ann_out(2);
    assert_eq!(bench.rows.bindings.len(), 1, "a later one is for what she has now");
}

#[test]
fn w30_a_proxy_that_did_not_run_signs_out_before_it_delivers_anything() {
    let mut bench = Bench::at_home();
    bench.rows.removed.push(RemovedRow { what: RemovedPart::Bindings, ..ann_is_removed(1) });
    bench.crash();
    assert_eq!((bench.rows.bindings.len(), bench.rows.removed.len()), (1, 0), "Bob stays");
    bench.submit(&to_ann());
    assert_eq!(bench.told(), waiting());
    assert!(bench.take(ANN).is_empty());
}

#[test]
fn w30_what_is_on_its_way_to_the_store_when_the_password_changes_is_signed_out_too() {
    for disk in [Disk::Works, Disk::Fails] {
        let mut bench = Bench::new();
        bench.disk = Disk::Waits;
        bench.receive(udp(ANN), &device("ann", ANN, "phone", 1));
        bench.disk_goes_on(Disk::Works);
        bench.disk = Disk::Waits;
        bench.receive(udp(LAPTOP), &device("ann", LAPTOP, "laptop", 1));
        let registered = bench.waiting.remove(0);
        bench.sign_ann_out(1);
        // The REGISTER reached the store; the order comes after it, and perhaps not at once.
        bench.disk = Disk::Works;
        bench.store(registered);
        bench.drain();
        assert_eq!(bench.take(LAPTOP).len(), 1, "its 200");
        bench.disk_goes_on(disk);
        bench.disk = Disk::Works;
        bench.take(ANN);
        bench.submit(&to_ann());
        assert_eq!(bench.told(), waiting(), "{disk:?}");
        assert!(bench.take(ANN).is_empty() && bench.take(LAPTOP).is_empty());
        assert_eq!((bench.rows.bindings.len(), bench.rows.removed.len()), (0, 0), "{disk:?}");
    }
}
