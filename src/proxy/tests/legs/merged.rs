//! 482 to one of several branches (W15, RFC 3261 §8.2.2.2).

use super::*;

/// Bob's two devices get the message; CY says 482, and says the same again a Timer J later.
fn looped_at_cy(bob: &str) -> String {
    let mut bench = Bench::at_home();
    bench.ask(CY, &register("bob", &format!("<sip:bob@{CY}>"), 2, 600));
    bench.ask(JAMES, &to_bob());
    let (legs, looped) = (bench.take(BOB), bench.take_one(CY));
    bench.answer(CY, &looped, "482 Loop Detected");
    if !bob.is_empty() {
        bench.answer(BOB, &legs[0], bob);
    }
    bench.advance_ms(32_000);
    for again in bench.take(CY) {
        bench.answer(CY, &again, "482 Loop Detected");
    }
    bench.advance_ms(32_000);
    told(&mut bench)
}

#[test]
fn w15_482_to_one_of_two_branches_is_no_success_unless_the_other_one_took_it() {
    for (bob, expected) in [
        ("", "failure;status=408"),
        ("503 Busy", "failure;status=482"),
        ("486 Busy Here", "failure;status=486"),
        ("200 OK", "success;status=200"),
    ] {
        let told = looped_at_cy(bob);
        assert!(told.starts_with(expected), "{bob}: {told}");
    }
}
