//! Another domain, served by Kamailio as packaged by Debian.

use super::{assert_report, phone};
use crate::common::Proxy;
use crate::kamailio::{CONFIGURATION, Kamailio};
use crate::socket::{Answering, Phone, register, submission};

#[test]
fn w19_people_of_another_domain_get_it_through_their_kamailio() {
    let kamailio = Kamailio::start_with(CONFIGURATION, &["--alias=example.org"]);
    let route = format!("example.org=udp:{}", kamailio.address);
    let proxy = Proxy::start_with(&["--route", &route]);
    let carl = Phone::new();
    let binding = register("carl", &format!("<{}>", carl.uri("carl")), carl.address);
    let answer = carl.ask(kamailio.address, &binding.replace("domain.com", "example.org"));
    assert_eq!(answer.start(), "SIP/2.0 200 OK", "{}", answer.text);
    let carl = Answering::new(carl, |_, _| Some("200 OK"));
    let ann = phone("ann", proxy.address);

    let james = Phone::new();
    let people = ["im:ann@domain.com", "im:carl@example.org", "im:nobody@example.org"];
    let sent = submission(james.address, &people, "Delivery-Report: final;detail\r\n", "Come here.");
    assert_eq!(james.ask(proxy.address, &sent).start(), "SIP/2.0 202 Accepted");
    assert_report(
        &james,
        &[
            (people[0], "success;status=200"),
            (people[1], "success;status=200"),
            (people[2], "failure;status=404;reason=\"Not Found\""),
        ],
    );
    let legs = carl.seen();
    assert_eq!(legs.len(), 1, "{legs:#?}");
    assert_eq!(legs[0].from, kamailio.address);
    assert_eq!(legs[0].value("To"), "<sip:carl@example.org>");
    assert_eq!(legs[0].values("Also-To"), ["<sip:ann@domain.com>", "<sip:nobody@example.org>"]);
    assert_eq!(ann.seen().len(), 1);
}
