//! Devices that were away while another one took the message: W16.

use super::*;

#[test]
fn w16_a_device_that_was_away_gets_it_at_its_next_registration() {
    let mut bench = Bench::new();
    assert!(bench.comes("ann", ANN, "phone", 1).is_empty());
    assert!(bench.comes("ann", LAPTOP, "laptop", 1).is_empty());
    bench.advance(Duration::from_secs(500));
    bench.comes("ann", ANN, "phone", 2);
    bench.advance(Duration::from_secs(400));
    bench.submit(&to_ann());
    assert!(bench.take(LAPTOP).is_empty(), "its binding is over");
    let leg = bench.take_one(ANN);
    bench.answer(ANN, &leg, "200 OK");
    assert_eq!(bench.told(), ended("success"), "the first 2xx decides");
    bench.advance_ms(200);
    assert!(bench.comes("ann", ANN, "phone", 3).is_empty());
    bench.crash();
    bench.advance(Duration::from_secs(1000));
    let late = bench.comes("ann", LAPTOP, "laptop", 2).remove(0);
    for same in ["Call-ID", "CSeq", "From", "To"] {
        assert_eq!(field(&late, same), field(&leg, same));
    }
    assert_eq!(field(&late, "Expires"), Some("2599"));
    bench.answer(LAPTOP, &late, "200 OK");
    bench.advance_ms(200);
    assert!(bench.take(JAMES).is_empty(), "and the report is not changed");
    assert_eq!(bench.rows.dispatches[0].outcomes[0].waits, None);
    assert!(bench.comes("ann", LAPTOP, "laptop", 3).is_empty());
    bench.crash();
    assert!(bench.sent.is_empty());
}

#[test]
fn w16_a_device_that_fails_again_is_owed_until_the_message_expires() {
    let mut bench = Bench::new();
    bench.comes("ann", ANN, "phone", 1);
    bench.comes("ann", LAPTOP, "laptop", 1);
    bench.submit(&to_ann());
    let leg = bench.take_one(ANN);
    bench.answer(ANN, &leg, "200 OK");
    bench.told();
    bench.advance_ms(32_000);
    assert_eq!(bench.take(LAPTOP).len(), 11, "asleep");
    for cseq in 2..4 {
        assert_eq!(bench.comes("ann", LAPTOP, "laptop", cseq).len(), 1);
        bench.advance_ms(32_000);
        assert_eq!(bench.take(LAPTOP).len(), 10);
    }
    bench.advance(HOUR);
    assert!(bench.comes("ann", LAPTOP, "laptop", 9).is_empty(), "expired");
    assert_eq!(bench.rows.dispatches[0].outcomes[0].waits, None);
    assert!(bench.take(JAMES).is_empty());
}

#[test]
fn w16_a_device_that_has_refused_or_taken_it_is_not_owed_it() {
    for line in ["200 OK", "486 Busy Here", "415 Unsupported Media Type"] {
        for laptop_first in [true, false] {
            let mut bench = Bench::new();
            bench.comes("ann", ANN, "phone", 1);
            bench.comes("ann", LAPTOP, "laptop", 1);
            bench.submit(&to_ann());
            let (phone, laptop) = (bench.take_one(ANN), bench.take_one(LAPTOP));
            if laptop_first {
                bench.answer(LAPTOP, &laptop, line);
                bench.answer(ANN, &phone, "200 OK");
            } else {
                bench.answer(ANN, &phone, "200 OK");
                bench.answer(LAPTOP, &laptop, line);
            }
            bench.told();
            bench.advance_ms(40_000);
            assert!(bench.comes("ann", LAPTOP, "laptop", 2).is_empty(), "{line}");
            assert_eq!(bench.rows.dispatches[0].outcomes[0].waits, None, "{line}");
        }
    }
}

#[test]
fn w16_a_device_that_said_482_before_another_one_took_it_is_asked_again() {
    let mut bench = Bench::new();
    bench.comes("ann", ANN, "phone", 1);
    bench.comes("ann", LAPTOP, "laptop", 1);
    bench.submit(&to_ann());
    bench.crash();
    let (phone, laptop) = (bench.take_one(ANN), bench.take_one(LAPTOP));
    bench.answer(LAPTOP, &laptop, "482 Merged Request");
    bench.answer(ANN, &phone, "200 OK");
    bench.told();
    bench.advance_ms(33_000);
    let late = bench.comes("ann", LAPTOP, "laptop", 2).remove(0);
    bench.answer(LAPTOP, &late, "200 OK");
    bench.advance_ms(200);
    assert_eq!(bench.rows.dispatches[0].outcomes[0].waits, None);
}

#[test]
fn w16_nothing_is_owed_to_a_device_where_the_message_may_not_wait() {
    let mut bench = Bench::new();
    bench.comes("ann", LAPTOP, "laptop", 1);
    bench.advance(Duration::from_secs(700));
    bench.comes("ann", ANN, "phone", 1);
    bench.submit(&to_ann().replace("Expires: 3600\n", ""));
    let leg = bench.take_one(ANN);
    bench.answer(ANN, &leg, "200 OK");
    bench.told();
    assert!(bench.comes("ann", LAPTOP, "laptop", 2).is_empty());
}

#[test]
fn w16_what_is_owed_to_a_device_comes_in_order_one_at_a_time() {
    let mut bench = Bench::new();
    bench.comes("ann", LAPTOP, "laptop", 1);
    bench.advance(Duration::from_secs(700));
    bench.comes("ann", ANN, "phone", 1);
    for number in 1..=3 {
        bench.submit(&numbered(number));
        let leg = bench.take_one(ANN);
        bench.answer(ANN, &leg, "200 OK");
        bench.told();
    }
    let mut legs = bench.comes("ann", LAPTOP, "laptop", 2);
    for number in 1..=3 {
        assert_eq!(legs.len(), 1);
        assert_eq!(body(&legs[0]), format!("Number {number:3}"));
        bench.answer(LAPTOP, &legs[0], "200 OK");
        legs = bench.take(LAPTOP);
    }
    assert!(legs.is_empty());
}

#[test]
fn w16_a_device_is_forgotten_after_a_month_and_beyond_the_limit_the_oldest_one() {
    let mut bench = Bench::new();
    for number in 0..=crate::limits::DEVICES_PER_AOR_MAX {
        bench.comes("ann", LAPTOP, &format!("device{number}"), 1);
        bench.advance_ms(1000);
    }
    assert_eq!(bench.rows.devices.len(), crate::limits::DEVICES_PER_AOR_MAX);
    assert!(bench.rows.devices.iter().all(|row| !row.instance.contains("device0>")));
    bench.advance(crate::limits::DEVICE_REMEMBERED);
    bench.comes("ann", ANN, "phone", 1);
    bench.submit(&to_ann());
    let leg = bench.take_one(ANN);
    bench.answer(ANN, &leg, "200 OK");
    bench.told();
    assert_eq!(bench.rows.dispatches[0].outcomes[0].waits, None);
    bench.crash();
    bench.advance_ms(1);
    assert_eq!(bench.rows.devices.len(), 1);
}
