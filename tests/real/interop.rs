//! Third-party programs from Debian's packages, with Fanfare in each role: as proxy, behind a proxy, in front of one.
//! The statements of `docs/compatibility.md` about other programs are tested here, in `peers.rs` and in
//! `one_by_one.rs`.

mod account;

mod calls;

mod linphone;
mod list_server;

mod capture;

mod clients;

mod edge;

mod next_hop;
mod path;

mod scans;

use std::net::SocketAddr;

use rcgen::SanType;
use serde_json::json;
use tempfile::TempDir;

use crate::common::{Proxy, free_address, objects, outcomes};
use crate::kamailio::Kamailio;
use crate::program::fanfare;
use crate::socket::{Answering, Message, Phone};
use crate::tls::Authority;

/// A phone that answers 200 to everything, registered for a user of domain.com.
fn phone(user: &str, server: SocketAddr) -> Answering {
    let phone = Phone::new();
    phone.register(user, server);
    Answering::new(phone, |_, _| Some("200 OK"))
}

/// Sends one message to Ann and Bob through this Kamailio; returns the leg of each.
fn legs_through(kamailio: &Kamailio) -> [Message; 2] {
    let phones = ["ann", "bob"].map(|user| phone(user, kamailio.address));
    let over = kamailio.udp();
    let args = ["send", "--from", "sip:james@domain.com", "--proxy", &over, "--text", "Come here.", "--json"];
    let to = ["--to", "sip:ann@domain.com", "--to", "sip:bob@domain.com"];
    let ended = fanfare(&[&args[..], &to].concat()).end();
    assert_eq!(ended.code(), 0, "{ended:?}");
    let told = objects(&ended.out);
    assert_eq!(told.last(), Some(&json!({ "event": "report", "state": "complete" })), "{told:#?}");
    phones.map(|phone| {
        let legs = phone.seen();
        let [leg] = legs.try_into().unwrap_or_else(|legs| panic!("not one leg: {legs:#?}"));
        leg
    })
}

/// Takes a report, and checks how each of its lines begins.
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

/// A proxy that also listens with TLS, with a certificate for localhost; its TLS address and authority.
fn secure_proxy() -> (Proxy, SocketAddr, Authority) {
    let authority = Authority::new(TempDir::new().unwrap());
    authority.certify("domain.com", |params| {
        params.subject_alt_names.push(SanType::DnsName("localhost".try_into().unwrap()));
    });
    let tls = free_address();
    let (listen, certificate) = (format!("tls:{tls}"), authority.path("server.pem"));
    // Linphone names its server in a Route, so the proxy must recognize that name as its own.
    let args = ["--domain", "localhost", "--listen", &listen, "--tls-cert", &certificate];
    let proxy = Proxy::start_with(&args);
    assert_eq!(proxy.program.line_with("listening tls"), format!("listening tls {tls}"));
    (proxy, tls, authority)
}
