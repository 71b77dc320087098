//! Programs that others wrote, from Debian's packages, with Fanfare in each of its places: as proxy, behind a proxy, before
//! one. What `docs/compatibility.md` says of a peer is held here, in `peers.rs` and in `one_by_one.rs`.

mod account;

mod linphone;
mod list_server;

mod capture;

mod clients;

mod edge;

mod next_hop;

mod scans;

use crate::common::outcomes;
use crate::socket::{Answering, Message, Phone};

/// A phone that says 200 to everything, registered for a user of domain.com.
fn phone(user: &str, server: std::net::SocketAddr) -> Answering {
    let phone = Phone::new();
    phone.register(user, server);
    Answering::new(phone, |_, _| Some("200 OK"))
}

/// Takes a report, and asserts how each of its lines begins.
fn assert_report(sender: &Phone, expected: &[(&str, &str)]) -> Message {
    let report = sender.receive_the("NOTIFY");
    sender.answer(&report, "200 OK");
    let told = outcomes(&report);
    assert_eq!(told.len(), expected.len(), "{}", report.text);
    for ((address, state), (who, what)) in told.iter().zip(expected) {
        assert!(address == who && state.starts_with(what), "{who} {what}:\n{}", report.text);
    }
    report
}
