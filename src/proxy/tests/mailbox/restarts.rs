//! What waits in the mailbox survives a crash of the proxy.

use super::*;

#[test]
fn w18_what_waits_waits_on_after_a_crash_and_expires_by_the_calendar() {
    let mut bench = Bench::new();
    bench.submit(&to_ann());
    bench.told();
    bench.advance_ms(200);
    bench.crash();
    bench.advance(Duration::from_secs(1800));
    assert!(bench.sent.is_empty(), "the sender knows: {:?}", bench.sent);
    let leg = bench.comes("ann", ANN, "phone", 1).remove(0);
    bench.answer(ANN, &leg, "200 OK");
    assert_eq!(bench.told(), ended("success"));

    let mut bench = Bench::new();
    bench.submit(&to_ann());
    bench.told();
    bench.advance_ms(200);
    bench.now = bench.now.plus(2 * HOUR);
    bench.crash();
    bench.advance_ms(0);
    assert_eq!(bench.told(), ended("failure"), "it was off when the hour ended");
    assert!(bench.comes("ann", ANN, "phone", 1).is_empty());
}

#[test]
fn w18_who_came_just_before_a_crash_gets_it_after_it() {
    let mut bench = Bench::new();
    bench.submit(&to_ann());
    bench.told();
    bench.advance_ms(200);
    let before = bench.comes("ann", ANN, "phone", 1).remove(0);
    bench.crash();
    assert_eq!(bench.take_one(ANN), before, "W15: the same transaction");
    bench.answer(ANN, &before, "200 OK");
    assert_eq!(bench.told(), ended("success"));
}

#[test]
fn w18_a_deferral_that_the_crash_took_is_told_after_it() {
    let mut bench = Bench::new();
    bench.disk = Disk::Works;
    bench.submit(&to_ann());
    let before = bench.take_one(JAMES);
    assert_eq!(field(&before, "CSeq"), Some("1 NOTIFY"));
    bench.crash();
    let again = bench.take_one(JAMES);
    assert_eq!((field(&again, "CSeq"), body(&again)), (Some("2 NOTIFY"), body(&before)));
}
