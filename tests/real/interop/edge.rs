//! Kamailio as the edge proxy, where people register; Fanfare behind it takes messages to several recipients. The
//! configuration is Debian's, plus the snippets of `docs/kamailio.md`.

use std::fs;
use std::net::SocketAddr;

use tempfile::TempDir;

use super::linphone::Linphone;
use super::{assert_report, legs_through, phone};
use crate::baresip::Baresip;
use crate::common::free_address;
use crate::kamailio::{CONFIGURATION, Kamailio};
use crate::program::{Program, fanfare};
use crate::socket::{Phone, register, submission};

/// Kamailio for domain.com, and Fanfare behind it.
pub(super) struct Edge {
    pub(super) kamailio: Kamailio,
    _fanfare: Program,
    _folder: TempDir,
}

/// The manual's snippets: the definitions that come first, and the route.
fn pieces(fanfare: SocketAddr) -> [String; 2] {
    let manual = include_str!("../../../docs/kamailio.md");
    let blocks: Vec<_> =
        manual.split("```cfg\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    let at_home = |block: &str| block.replace("127.0.0.2:5070", &fanfare.to_string());
    [at_home(blocks[0]), at_home(blocks[1])]
}

impl Edge {
    fn start() -> Self {
        Self::start_with(|route| route)
    }

    /// Starts both, with the manual's route changed.
    pub(super) fn start_with(change: impl Fn(String) -> String) -> Self {
        let folder = TempDir::new().unwrap();
        // On a separate address, so that Kamailio can recognize what comes from it.
        let fanfare_address = SocketAddr::from(([127, 0, 0, 2], free_address().port()));
        let [first, route] = pieces(fanfare_address);
        let stock = fs::read_to_string(CONFIGURATION).unwrap();
        let begin = "\nrequest_route {\n";
        assert_eq!(stock.matches(begin).count(), 1);
        let file = folder.path().join("kamailio.cfg");
        fs::write(&file, stock.replace(begin, &format!("{begin}{first}")) + &change(route)).unwrap();
        let kamailio = Kamailio::start_with(file.to_str().unwrap(), &[]);
        let (udp, tcp) = (format!("udp:{fanfare_address}"), format!("tcp:{fanfare_address}"));
        let route = format!("domain.com=udp:{}", kamailio.address);
        let data = folder.path().join("data");
        let data = data.to_str().unwrap();
        let program = fanfare(&[
            "proxy",
            "--domain",
            "fanfare.domain.com",
            "--listen",
            &udp,
            "--listen",
            &tcp,
            "--data",
            data,
            "--auth",
            "on",
            "--trust",
            "127.0.0.1",
            "--route",
            &route,
            "--t1",
            "200ms",
        ]);
        program.line_with("listening tcp");
        Self { kamailio, _fanfare: program, _folder: folder }
    }
}

#[test]
fn kamailio_in_front_hands_over_what_is_for_many_and_the_report_comes_back_through_it() {
    let edge = Edge::start();
    let server = edge.kamailio.address;
    let ann = phone("ann", server);
    let linda = Linphone::register("linda", server, "udp");
    let bella = Baresip::register("bella", server, "tcp", "sip:ann@domain.com");
    let james = Phone::new();
    james.register("james", server);
    let people =
        ["sip:ann@domain.com", "sip:linda@domain.com", "sip:bella@domain.com", "sip:nobody@domain.com"];
    let sent = submission(james.address, &people, "Delivery-Report: final;detail\r\n", "Come here.")
        .replace("im:james", "sip:james");
    let accepted = james.ask(server, &sent);
    assert_eq!(accepted.start(), "SIP/2.0 202 Accepted", "{}", accepted.text);
    assert_eq!(accepted.value("Supported"), "secondary-to");
    let report = assert_report(
        &james,
        &[
            (people[0], "success;status=200"),
            (people[1], "success;status=200"),
            (people[2], "success;status=200"),
            (people[3], "failure;status=480"),
        ],
    );
    assert_eq!(report.from, server, "along the way of the submission (W22)");
    let legs = ann.seen();
    assert_eq!(legs.len(), 1, "{legs:#?}");
    assert_eq!(legs[0].from, server);
    assert!(legs[0].value("From").starts_with("<sip:james@domain.com>"), "{}", legs[0].text);
    assert_eq!(legs[0].values("Also-To").len(), 3, "{}", legs[0].text);
    assert!(legs[0].values("Secondary-To").is_empty(), "{}", legs[0].text);
    linda.wait_for("sip:james@domain.com", "Come here.");
    bella.wait_for("sip:james@domain.com: \"Come here.\"");
}

#[test]
fn w6_kamailio_in_front_gives_the_proof_and_our_client_fans_out_through_it() {
    let edge = Edge::start();
    for leg in legs_through(&edge.kamailio) {
        assert_eq!(leg.values("Also-To").len(), 1, "a leg, and no message one by one: {}", leg.text);
    }
}

#[test]
fn w6_the_proof_comes_from_the_piece_in_the_configuration_and_not_from_kamailio_itself() {
    let (stock, edge) = (Kamailio::start(), Edge::start());
    for (server, proof) in [(stock.address, &[][..]), (edge.kamailio.address, &["secondary-to"])] {
        let phone = Phone::new();
        let binding = register("ann", &format!("<{}>", phone.uri("ann")), phone.address);
        let answer = phone.ask(server, &binding);
        assert_eq!(answer.start(), "SIP/2.0 200 OK", "{}", answer.text);
        assert_eq!(answer.values("Supported"), proof, "{}", answer.text);
    }
}

#[test]
fn w4_what_is_too_large_for_a_datagram_goes_through_kamailio_too() {
    let edge = Edge::start();
    let server = edge.kamailio.address;
    let ann = phone("ann", server);
    let (james, text) = (Phone::new(), "x".repeat(2000));
    let people = ["sip:ann@domain.com", "sip:nobody@domain.com"];
    let sent = submission(james.address, &people, "", &text).replace("im:james", "sip:james");
    assert_eq!(james.ask(server, &sent).start(), "SIP/2.0 202 Accepted");
    assert_report(&james, &[(people[0], "success"), (people[1], "failure")]);
    let legs = ann.seen();
    assert_eq!(legs.len(), 1, "{legs:#?}");
    assert_eq!(legs[0].body(), text);
    let own = legs[0].values("Via").into_iter().find(|via| via.starts_with("SIP/2.0/TCP 127.0.0.2:"));
    let own = own.unwrap_or_else(|| panic!("not over TCP: {}", legs[0].text));
    assert!(
        !own.contains("received=127.0.0.1"),
        "from Fanfare's own address, by which Kamailio knows it: {own}"
    );
}
